#!/bin/sh
# examples_test.sh BUILD_DIR -- the programs in examples/ work as their usages say.
set -u
examples=$(cd "$1" && pwd)/examples
program=$examples/example_basic_kv
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
        printf '%s app.db %s: exit code %s, not %s; printed:\n%s\nnot:\n%s\n' "${program##*/}" "$*" "$got" "$code" "$output" "$text"
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

rm -f app.db*
program=$examples/example_document_repo
expect 0 "txn 1" add wings "Wings" 'How the "lift" of a wing comes about'
expect 0 "txn 2" add heat "Heat transfer" "Boundary layers, and the heating of wings"
expect 0 "indexed up to txn 2" index
expect 0 "wings${tab}[Wings]
heat${tab}Boundary layers, and the heating of [wings]" find wing
expect 0 "heat${tab}[Boundary layers], and the [heating] of wings" find '"boundary layer" AND heat'
expect 0 "txn 4" add flow "Flow" "past a wing, and another wing"
expect 0 "txn 5" remove wings
expect 0 "flow${tab}past a [wing], and another [wing]
heat${tab}Boundary layers, and the heating of [wings]" find wings
expect 0 "wings${tab}[Wings]
heat${tab}Boundary layers, and the heating of [wings]" find wings 3
expect 1 "" find nothing
expect 0 "wing${tab}in 2 of 2 notes, 1 times here
boundari*${tab}in 1 of 2 notes, 1 times here" why 'wing boundari*' heat
expect 3 "" find '(wing'
expect 2 "" sing

rm -f app.db*
program=$examples/example_task_queue
expect 0 "task 1
task 2
task 3" add measure apple banana ""
expect 0 "task 2 is there already
task 4" add measure banana cherry
expect 0 "0 tasks" work paint
expect 0 "4 tasks" work measure 3
expect 0 "measure: 0 ready, 0 leased, 1 dead
apple: 5 bytes
banana: 6 bytes
cherry: 6 bytes" stats
expect 2 "" work

rm -f app.db*
program=$examples/example_sql_quickstart
if [ -x "$program" ]; then # a build may leave SQL out
    expect 0 "INSERT 0 2 in txn 2
23514: new row for relation \"account\" violates check constraint \"account_balance_check\"
now
  owner=ann, balance=70.00
  owner=bob, balance=50.00
after txn 2
  owner=ann, balance=100.00
  owner=bob, balance=20.00
the first 2 of many: 1, 4"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
