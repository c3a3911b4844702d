#!/bin/sh
# run.sh BUILD_DIR [merge] [TARGET ...] -- fuzzes the targets with libFuzzer, FUZZ_SECONDS each (default 60).
#
# Inputs begin with hard/fuzz/corpora/TARGET and what the library makes itself; what reaches new code is kept in
# BUILD_DIR/corpora/TARGET, what breaks a promise in BUILD_DIR/findings, and makes the script fail. `merge` chooses anew
# what the repository keeps: inputs named after what they found stay, and the smallest of the others (named after their
# bytes) that reach edges of the code which those and the seeds leave out. An input must be done in 10 seconds (sanitizers slow
# it down tenfold), with 512 MB of memory and no single allocation above 128 MB; statements of SQL may make a value of 1 GB.
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
"$build/hard/fuzz_suite" seeds "$build/seeds" || exit 1
failed=0
for target in $targets; do
    kept=$project/hard/fuzz/corpora/$target
    found=$build/corpora/$target
    log=$build/fuzz-logs/$target.log
    mkdir -p "$kept" "$found"
    limits="-rss_limit_mb=512 -malloc_limit_mb=128 -timeout=10"
    case $target in sql_*) limits="-rss_limit_mb=2560 -malloc_limit_mb=1100 -timeout=20" ;; esac
    if [ -n "$merge" ]; then
        find "$kept" -type f | grep -E '/[0-9a-f]{40}$' | while read -r input; do mv "$input" "$found"; done
        chosen=$build/chosen/$target
        rm -rf "$chosen"
        mkdir -p "$chosen"
        cp "$build/seeds/$target"/* "$chosen"
        for input in "$kept"/*; do [ -f "$input" ] && cp "$input" "$chosen"; done
        # shellcheck disable=SC2086
        "$build/hard/fuzz/${target}_fuzz" -merge=1 -use_counters=0 $limits -max_len=16384 "$chosen" "$found" \
            >"$log" 2>&1
    else
        words=
        [ -f "$project/hard/fuzz/$target.dict" ] && words=-dict=$project/hard/fuzz/$target.dict
        # shellcheck disable=SC2086
        "$build/hard/fuzz/${target}_fuzz" -max_total_time="$seconds" -artifact_prefix="$build/findings/$target-" \
            -print_final_stats=1 -use_value_profile=1 $limits -max_len=20000 $words "$found" "$kept" \
            "$build/seeds/$target" >"$log" 2>&1
    fi
    code=$?
    if [ -n "$merge" ] && [ $code -eq 0 ]; then
        find "$chosen" -type f | grep -E '/[0-9a-f]{40}$' | while read -r input; do cp "$input" "$kept"; done
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(sed -n 's/^#.*cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    if [ $code -eq 0 ]; then
        printf 'ok      %-14s %9s runs, %6s edges reached, %5s inputs kept in the repository\n' "$target" "${runs:-no}" \
            "${reached:-no}" "$(ls "$kept" | wc -l)"
    else
        failed=$((failed + 1))
        printf 'FAILED  %-14s exit code %d\n' "$target" $code
        tail -n 40 "$log" | sed 's/^/    /'
    fi
done
[ $failed -eq 0 ]
