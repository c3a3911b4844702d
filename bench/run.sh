#!/bin/sh
# run.sh BUILD_DIRECTORY -- the micro and macro suites against the baseline of a profile, as tables; results in
# BUILD_DIRECTORY/bench-micro.json and bench-macro.json. The exit code says whether a gate was missed.
#
# BENCH_PROFILE=dev_nvme   whole sizes, a few minutes (the default)
# BENCH_PROFILE=ci         small sizes, made inputs, under two minutes
# BENCH_BASELINE=write     the results become the profile's baseline, with instruction counts, instead of being compared
set -eu
build=$1
profile=${BENCH_PROFILE:-dev_nvme}
base=bench/baselines/$profile
runner=$build/northstar-bench
case $profile in
dev_nvme)
    micro="--entries 1000000 --rounds 5 --seconds 0.1"
    macro="--scale 1 --rounds 3"
    ;;
ci)
    micro="--entries 20000 --rounds 5 --seconds 0.02"
    macro="--scale 0.1 --rounds 3 --data none"
    ;;
*)
    echo "bench: there is no profile '$profile': ci or dev_nvme" >&2
    exit 2
    ;;
esac
code=0
# shellcheck disable=SC2086  # lists of options on purpose
"$runner" micro --dir build/bench-data --json "$build/bench-micro.json" $micro || code=1
echo
# shellcheck disable=SC2086
"$runner" macro --dir build/bench-data --json "$build/bench-macro.json" $macro || code=1
if [ "${BENCH_BASELINE:-compare}" = write ]; then
    # Counted on fewer entries than a whole run has, callgrind being slow; both sides of a comparison are.
    "$runner" instructions --dir build/bench-data --entries 20000 "$build/bench-micro.json"
    mkdir -p "$base"
    cp "$build/bench-micro.json" "$base/micro.json"
    cp "$build/bench-macro.json" "$base/macro.json"
    echo "bench: written to $base"
    exit $code
fi
for suite in micro macro; do
    if [ -f "$base/$suite.json" ]; then
        echo
        "$runner" compare "$base/$suite.json" "$build/bench-$suite.json" || code=1
    else
        echo "bench: no baseline $base/$suite.json: nothing to compare with"
    fi
done
exit $code
