#!/bin/sh
# examples_test.sh BUILD_DIR -- examples/basic_kv works as its usage says.
set -u
program=$(cd "$1" && pwd)/examples/example_basic_kv
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0
failed=0
# expect CODE OUTPUT ARGUMENT...
expect() {
    code=$1
    text=$2
    shift 2
    output=$("$program" app.db "$@" 2>errors)
    got=$?
    if [ "$got" = "$code" ] && [ "$output" = "$text" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'basic_kv app.db %s: exit code %s, not %s; printed:\n%s\nnot:\n%s\n' "$*" "$got" "$code" "$output" "$text"
        cat errors
    fi
}
tab=$(printf '\t')
expect 0 "txn 1" put color red
expect 0 "txn 2" put color blue
expect 0 "txn 3" put shape circle
expect 0 "blue" get color
expect 0 "red" get color 1
expect 1 "" get size
expect 0 "color${tab}blue
shape${tab}circle" scan
expect 0 "shape${tab}circle" scan sh
expect 0 "txn 4" del color
expect 1 "" get color
expect 0 "blue" get color 3
expect 0 "txn 1  program=basic_kv  put color
txn 2  program=basic_kv  put color
txn 3  program=basic_kv  put shape
txn 4  program=basic_kv  del color" log
expect 3 "" get color 99
expect 2 "" frobnicate
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
