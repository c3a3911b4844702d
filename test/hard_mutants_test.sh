#!/bin/sh
# The program that makes mutants finds those that it should, and every planted bug still applies.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
if command -v patch >/dev/null; then
    MUTANT_CHECK=1 sh hard/mutants/run.sh "$place"
else
    echo "SKIPPED: patch is not there"
fi
if ! command -v python3 >/dev/null; then
    echo "SKIPPED: python3 is not there"
    exit 0
fi
python3 -B hard/mutants/generate/points_test.py
