#!/bin/sh
# run.sh BUILD_DIR -- runs every hardening suite, one after the other, at most HARD_TIMEOUT seconds each.
#
# A suite takes the number of seeds from HARD_SEEDS, prints what it tried and what survived as its last line, and exits
# non-zero when something did not. The output of a failed suite follows its line.
set -u
build=$1
limit=${HARD_TIMEOUT:-1200}
mkdir -p "$build/hard-logs"
passed=0
failed=0
for suite in $(cat "$build/hard.list"); do
    name=$(basename "$suite")
    log=$build/hard-logs/$name.log
    started=$(date +%s)
    timeout "$limit" "$suite" >"$log" 2>&1 </dev/null
    code=$?
    seconds=$(($(date +%s) - started))
    if [ $code -eq 0 ]; then
        passed=$((passed + 1))
        printf 'ok      %-20s %s (%d s)\n' "$name" "$(tail -n 1 "$log")" $seconds
    else
        failed=$((failed + 1))
        printf 'FAILED  %-20s exit code %d (%d s)\n' "$name" $code $seconds
        tail -n 60 "$log" | sed 's/^/    /'
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
