#!/bin/sh
# record.sh BUILD_DIR [FOLDER] -- makes the files of test/slt/recorded anew, with the answers of the PostgreSQL server that
# NORTHSTAR_POSTGRES names (sql_oracle_suite.cpp says what it must be). Which rounds there are, the names of the files
# that are there say: KIND_SEED.test. For another round, make an empty file of that name first. What both do not answer
# alike is printed; it is not recorded, and in most kinds neither is what comes behind it.
set -u
suite=$1/hard/sql_oracle_suite
folder=${2:-$(dirname "$0")/../../test/slt/recorded}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
result=0
for file in "$folder"/*_*.test; do
    round=$(basename "$file" .test)
    if ! "$suite" --record "$folder" 1 "${round##*_}" "${round%_*}" >"$log" 2>&1; then
        cat "$log"
        result=1
    fi
done
exit $result
