#!/bin/sh
# run.sh BUILD_DIR [merge] [TARGET ...] -- fuzzes the targets with libFuzzer, FUZZ_SECONDS each (default 60).
#
# Inputs begin with hard/fuzz/corpora/TARGET and what the library makes itself; what reaches new code is kept in
# BUILD_DIR/corpora/TARGET, what breaks a promise in BUILD_DIR/findings, and makes the script fail. `merge` copies from
# there into the repository what reaches code that nothing kept there reaches. An input must be done in 10 seconds
# (sanitizers slow it down tenfold), with 512 MB of memory and no single allocation above 128 MB.
set -u
build=$1
shift
project=$(cd "$(dirname "$0")/../.." && pwd)
merge=
if [ "${1:-}" = merge ]; then
    merge=1
    shift
fi
targets=${*:-$(cd "$project/hard/fuzz" && ls ./*_fuzz.cpp | sed 's|^\./||; s|_fuzz\.cpp$||')}
seconds=${FUZZ_SECONDS:-60}
export ASAN_OPTIONS="quarantine_size_mb=16:detect_leaks=1:allocator_may_return_null=0:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
mkdir -p "$build/findings" "$build/fuzz-logs"
failed=0
for target in $targets; do
    kept=$project/hard/fuzz/corpora/$target
    found=$build/corpora/$target
    log=$build/fuzz-logs/$target.log
    mkdir -p "$kept" "$found"
    limits="-rss_limit_mb=512 -malloc_limit_mb=128 -timeout=10 -max_len=20000"
    if [ -n "$merge" ]; then
        # shellcheck disable=SC2086
        "$build/hard/fuzz/${target}_fuzz" -merge=1 $limits "$kept" "$found" >"$log" 2>&1
    else
        # shellcheck disable=SC2086
        "$build/hard/fuzz/${target}_fuzz" -max_total_time="$seconds" -artifact_prefix="$build/findings/$target-" \
            -print_final_stats=1 -use_value_profile=1 $limits "$found" "$kept" >"$log" 2>&1
    fi
    code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ $code -eq 0 ]; then
        printf 'ok      %-14s %s runs, %s inputs kept in the repository\n' "$target" "${runs:-no}" "$(ls "$kept" | wc -l)"
    else
        failed=$((failed + 1))
        printf 'FAILED  %-14s exit code %d\n' "$target" $code
        tail -n 40 "$log" | sed 's/^/    /'
    fi
done
[ $failed -eq 0 ]
