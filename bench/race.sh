#!/bin/sh
# race.sh BUILD_DIRECTORY [options of northstar-bench race] -- all workloads beside the peers. A run with options of its
# own writes into BUILD_DIRECTORY only; the plain one also renews bench/RESULTS.md and bench/race.svg.
set -eu
build=$1
shift
target=bench
[ $# -eq 0 ] || target=$build
"$build/northstar-bench" race --dir build/bench-data --json "$build/race.json" \
    --markdown "$target/RESULTS.md" --svg "$target/race.svg" "$@"
