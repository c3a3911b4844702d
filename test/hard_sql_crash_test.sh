#!/bin/sh
# SQL on a simulated disk that crashes: whole transactions only [DUR-1] [DUR-3]; "make hard" tries more seeds.
set -eu
unset HARD_SEEDS
if [ ! -x "$1/hard/sql_crash_suite" ]; then
    echo "SKIPPED: built without SQL"
    exit 0
fi
"$1/hard/sql_crash_suite"
