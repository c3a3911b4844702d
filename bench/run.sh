#!/bin/sh
# run.sh BUILD_DIRECTORY [options of northstar-bench micro] -- the micro suites; results in BUILD_DIRECTORY/bench.json.
# With BASE=file.json the results are compared with it, and the exit code says whether a gate was missed.
set -eu
build=$1
shift
"$build/northstar-bench" micro --dir build/bench-data --json "$build/bench.json" "$@"
if [ -n "${BASE:-}" ]; then
    "$build/northstar-bench" compare "$BASE" "$build/bench.json"
fi
