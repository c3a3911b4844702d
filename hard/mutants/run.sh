#!/bin/sh
# run.sh [BUILD_DIR] [NAME ...] -- plants one bug after the other in a copy of the sources; does a suite notice?
# run.sh --table BUILD_DIR ...    -- the table of spec/hardening.md, from what runs in these directories found
#
# A bug is a patch NAME.patch beside this script: what was got wrong, a line "suites: ..." with those that could notice
# it (the quickest first; "crash_suite:1..40" are some seeds of it), and the change to src/. Each is applied,
# what changed is compiled, and the suites run until one fails or does not end. Prints which suite killed it, or that it
# survived. Exits non-zero when one survived, does not apply, or does not compile, and when a suite fails without any
# bug.
#
# MUTANT_TIMEOUT: seconds of the processor for one suite (default 300), which may take three times as long on a busy
# machine. MUTANT_CHECK=1 looks only whether every patch still applies; MUTANT_BASELINE=0 does not run the suites
# without a bug first; MUTANT_TESTS='~[slow]' leaves test cases out.
set -u
project=$(cd "$(dirname "$0")/../.." && pwd)
mutants=$project/hard/mutants
if [ "${1:-}" = --table ]; then
    shift
    [ $# -gt 0 ] || set -- "$project/build/release"
    found=$(for directory in "$@"; do cat "$directory/mutants/results" || exit; done) || exit 1
    echo '| bug | what is wrong | killed by |'
    echo '|---|---|---|'
    for patch in "$mutants"/*.patch; do
        name=$(basename "$patch" .patch)
        killer=$(echo "$found" | sed -n "s/^$name //p" | tail -n 1 | sed 's/^[a-z_]*/`&`/; s/^``//')
        printf '| `%s` | %s | %s |\n' "$name" "$(head -n 1 "$patch")" "${killer:-not run yet}"
    done
    exit 0
fi
build=${1:-$project/build/release}
[ $# -gt 0 ] && shift
names=${*:-$(cd "$mutants" && ls ./*.patch | sed 's|^\./||; s|\.patch$||')}
limit=${MUTANT_TIMEOUT:-300}
. "$mutants/plant.sh"

# One failure is enough, so a suite stops at its first. Processes that it left are ended: timeout leads their group.
run() {
    suite=${1%%:*}
    case $1 in *_test) how="--abort ${MUTANT_TESTS:-}" ;; *:*) how="--seeds ${1#*:}" ;; *) how= ;; esac
    (
        cd "$tree" && unset HARD_SEEDS && export NORTHSTAR_NTH_CALL_EVERY=11 HARD_FAILURES=1 || exit
        ulimit -t "$limit" || exit
        timeout -k 5 $((3 * limit)) "$(program "$suite")" $how &
        group=$!
        wait $group
        code=$?
        kill -KILL -$group 2>/dev/null
        exit $code
    ) >"$work/logs/$2.$suite" 2>&1 </dev/null
}

check_patches "$names" || exit 1
if [ -n "${MUTANT_CHECK:-}" ]; then
    echo "all patches apply"
    exit 0
fi
configure || exit 1

# Without a bug every suite must pass, or a failure would mean nothing.
if [ "${MUTANT_BASELINE:-1}" != 0 ]; then
    suites=$(for name in $names; do suites_of "$name"; done | tr ' ' '\n' | sort -u)
    for suite in $suites; do
        compile "${suite%%:*}" none && run "$suite" none && continue
        echo "BROKEN    $suite fails without a bug, or does not compile"
        tail -n 40 "$work/logs/none.build" "$work/logs/none.${suite%%:*}" | sed 's/^/    /'
        exit 1
    done
fi

killed=0
survived=0
for name in $names; do
    plant "$name" || exit 1
    started=$(date +%s)
    killer=
    for suite in $(suites_of "$name"); do
        if ! compile "${suite%%:*}" "$name"; then
            echo "BROKEN    $name does not compile"
            tail -n 20 "$work/logs/$name.build" | sed 's/^/    /'
            broken=$((broken + 1))
            killer=none
            break
        fi
        run "$suite" "$name"
        code=$?
        [ $code -eq 0 ] && continue
        killer=${suite%%:*}
        case $code in 124 | 137 | 152) killer="$killer, which did not end" ;; esac
        break
    done
    heal "$name"
    seconds=$(($(date +%s) - started))
    if [ -z "$killer" ]; then
        survived=$((survived + 1))
        echo "$name (nothing)" >>"$work/results"
        printf 'SURVIVED  %-44s %s (%d s)\n' "$name" "$(suites_of "$name")" $seconds
    elif [ "$killer" != none ]; then
        killed=$((killed + 1))
        echo "$name $killer" >>"$work/results"
        printf 'killed    %-44s by %s (%d s)\n' "$name" "$killer" $seconds
    fi
done
echo "$killed killed, $survived survived, $broken broken"
[ $((survived + broken)) -eq 0 ] && [ $killed -gt 0 ]
