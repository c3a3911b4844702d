#!/bin/sh
# run_tests.sh BUILD_DIR [CATCH2_FILTER] -- runs every test program of a build, and the house rules.
#
# One line per suite; the output of a suite that failed follows it. The last line is "N passed, N failed" (and
# ", N skipped"), counting test cases; the exit code is non-zero when anything failed or nothing ran. A case that
# cannot run here says so with a line "SKIPPED: reason". JOBS suites run at a time, each TEST_TIMEOUT seconds at most.
set -u

# One suite: its output goes to NAME.log, "passed failed skipped" to NAME.result.
run_suite() {
    suite=$1
    name=$(basename "$suite" .sh)
    log=$logs/$name.log
    started=$(date +%s)
    case $suite in
    *.sh) timeout "$limit" sh "$suite" "$build" ;;
    */tidy) timeout "$limit" sh "$suite" ;;
    *) timeout "$limit" "$suite" ${filter:+"$filter"} ;;
    esac >"$log" 2>&1 </dev/null
    code=$?
    seconds=$(($(date +%s) - started))
    # Catch2 says "All tests passed (9 assertions in 3 test cases)" or "test cases: 3 | 2 passed | 1 failed".
    # Other programs may end with "N passed, N failed"; without that the exit code counts as one case.
    awk -v code="$code" '
        /^All tests passed \(/ {
            for (i = 2; i < NF; ++i) if ($i == "in") passed = $(i + 1)
            found = 1
        }
        /^test cases: / {
            count = split($0, part, "|")
            for (i = 2; i <= count; ++i) {
                split(part[i], word, " ")
                if (part[i] ~ /passed|failed as expected/) passed += word[1]
                else if (part[i] ~ /failed/) failed += word[1]
            }
            found = 1
        }
        /^[0-9]+ passed, [0-9]+ failed/ { passed = $1; failed = $3; found = 1 }
        /^No tests ran/ { found = 1 }
        /^ *SKIPPED: / { ++skipped }
        END {
            if (!found) { passed = (code == 0); failed = (code != 0) }
            if (code != 0 && failed + 0 == 0) failed = 1
            if (skipped > passed) skipped = passed
            print passed - skipped, failed + 0, skipped + 0
        }' "$log" >"$logs/$name.result"
    read -r passed failed skipped <"$logs/$name.result"
    text="$passed passed"
    [ "$failed" -gt 0 ] && text="$text, $failed failed, exit code $code"
    [ "$code" -eq 124 ] && text="$text, stopped after $limit s"
    [ "$skipped" -gt 0 ] && text="$text, $skipped skipped"
    if [ "$failed" -eq 0 ]; then
        printf 'ok      %-42s %s (%s s)\n' "$name" "$text" "$seconds"
    else
        printf 'FAILED  %-42s %s (%s s)\n%s\n' "$name" "$text" "$seconds" "$(tail -n 80 "$log" | sed 's/^/    /')"
        case $suite in */tidy | *.sh) again="sh $suite $build" ;; *) again="$suite ${filter:+\"$filter\"}" ;; esac
        printf '    again: %s\n' "$again"
    fi
}

build=$1
filter=${2:-}
limit=${TEST_TIMEOUT:-600}
logs=$build/test-logs

if [ -n "${NORTHSTAR_SUITE:-}" ]; then # a child started below
    run_suite "$NORTHSTAR_SUITE"
    exit 0
fi

rm -rf "$logs"
mkdir -p "$logs"
started=$(date +%s)
# From the last to the first: scripts and the upper layers take longest, and what takes long must not begin last.
{
    echo tool/tidy
    cat "$build/tests.list"
} | tac | xargs -P "${JOBS:-2}" -I '{}' env NORTHSTAR_SUITE='{}' sh "$0" "$build" "$filter"

cat "$logs"/*.result | awk -v seconds="$(($(date +%s) - started))" '
    { passed += $1; failed += $2; skipped += $3; ++suites }
    END {
        printf "\n%d suites in %d s\n", suites, seconds
        printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
        exit failed > 0 || passed == 0
    }'
