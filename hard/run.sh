#!/bin/sh
# run.sh BUILD_DIR -- runs every hardening suite, JOBS (2) at a time, at most HARD_TIMEOUT seconds each.
#
# How much each suite tries stands below: together less than half an hour on two cores. HARD_SEEDS=n: n seeds or rounds
# of each, and every failing call and allocation. A suite prints what it tried and what survived as its last line, and
# exits non-zero when something did not; "SKIPPED: reason" where it cannot run. The output of a failed suite follows its
# line. Seconds are those that passed, then those of the processor.
set -u

# Suites and their seeds or rounds, the longest first. What is not named here runs as the suite itself sees fit.
budget() {
    cat <<'BUDGET'
nth_allocation_suite
crash_suite 1200
nth_system_call_suite
nth_call_suite
fuzz_suite 4000
sql_crash_suite 1200
stop_suite 70
isolation_suite 100
full_disk_suite 20
torn_copy_suite 24
pin_suite 20
kill_suite 200
task_kill_suite 100
cartridge_kill_suite 60
sql_kill_suite 60
sql_oracle_suite 40
BUDGET
}

run_suite() {
    suite=$1
    name=$(basename "$suite")
    log=$logs/$name.log
    seeds=$(budget | awk -v name="$name" '$1 == name { print $2 }')
    if [ -n "${HARD_SEEDS:-}" ]; then
        export NORTHSTAR_NTH_ALLOCATION_EVERY=1 NORTHSTAR_NTH_CALL_EVERY=1
    else
        # One in so many, from the first one on; the tests' samples are others.
        export NORTHSTAR_NTH_ALLOCATION_EVERY=8 NORTHSTAR_NTH_CALL_EVERY=3
        [ "$name" = nth_call_suite ] && unset NORTHSTAR_NTH_CALL_EVERY
        [ -n "$seeds" ] && export HARD_SEEDS="$seeds"
    fi
    started=$(date +%s)
    timeout "$limit" "$suite" >"$log" 2>&1 </dev/null
    code=$?
    seconds=$(($(date +%s) - started))
    # The second line of times: what the children took. "3m4.5s" is 184.5.
    used=$(times | awk 'NR == 2 { for (i = 1; i <= 2; ++i) { split($i, t, "m"); s += t[1] * 60 + t[2] } printf "%.0f", s }')
    last=$(tail -n 1 "$log")
    if [ $code -ne 0 ]; then
        printf 'FAILED  %-22s exit code %d (%d s, %s s)\n%s\n' "$name" $code $seconds "$used" \
            "$(tail -n 60 "$log" | sed 's/^/    /')"
        echo failed >"$logs/$name.result"
    else
        printf 'ok      %-22s %s (%d s, %s s)\n' "$name" "$last" $seconds "$used"
        case $last in SKIPPED*) echo skipped ;; *) echo passed ;; esac >"$logs/$name.result"
    fi
}

build=$1
limit=${HARD_TIMEOUT:-1700}
logs=$build/hard-logs
if [ $# -gt 1 ]; then
    run_suite "$2"
    exit 0
fi
rm -rf "$logs"
mkdir -p "$logs"
first=$(budget | while read -r name seeds; do grep "/$name\$" "$build/hard.list"; done)
rest=$(for suite in $(cat "$build/hard.list"); do echo "$first" | grep -q -x -F "$suite" || echo "$suite"; done)
printf '%s\n' $first $rest | xargs -n 1 -P "${JOBS:-2}" sh "$0" "$build"
passed=$(grep -l passed "$logs"/*.result 2>/dev/null | wc -l)
skipped=$(grep -l skipped "$logs"/*.result 2>/dev/null | wc -l)
failed=$(($(wc -l <"$build/hard.list") - passed - skipped))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
