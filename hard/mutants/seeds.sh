#!/bin/sh
# seeds.sh [BUILD_DIR] [NAME ...] -- of how many seeds of the crash suite is each planted bug seen, and by which check?
# seeds.sh --checks BUILD_DIR ...  -- the table of checks in spec/hardening.md, from what these directories have
#
# MUTANT_SEEDS: seeds (default 200), each a process of its own with MUTANT_TIMEOUT seconds of the processor (60). What
# each seed said is kept in BUILD_DIR/mutants/seeds, one line a seed: the bug, the seed, what failed.
set -u
project=$(cd "$(dirname "$0")/../.." && pwd)
mutants=$project/hard/mutants
if [ "${1:-}" = --checks ]; then
    shift
    [ $# -gt 0 ] || set -- "$project/build/release"
    for directory in "$@"; do cat "$directory/mutants/seeds" || exit 1; done |
        awk -F ' :: ' -f "$mutants/checks.awk" "$mutants/checks.txt" -
    exit
fi
build=${1:-$project/build/release}
[ $# -gt 0 ] && shift
names=${*:-$(cd "$mutants" && ls ./*.patch | sed 's|^\./||; s|\.patch$||')}
seeds=${MUTANT_SEEDS:-200}
limit=${MUTANT_TIMEOUT:-60}
. "$mutants/plant.sh"
check_patches "$names" || exit 1
configure || exit 1

# One seed of one bug: prints the line.
cat >"$work/one_seed.sh" <<'END'
ulimit -t "$3"
ulimit -c 0
out=$(timeout -k 5 $((5 * $3)) "$1" --seed "$4" 2>&1 </dev/null)
code=$?
said=$(printf '%s\n' "$out" | grep -m 1 -E 'FAILED at|assertion|terminate called')
case $code in 124 | 137 | 152) said='did not end' ;; esac
[ $code -eq 0 ] && said=
[ $code -ne 0 ] && [ -z "$said" ] && said="exit code $code"
printf '%s :: %s :: %s\n' "$2" "$4" "$said"
END
touch "$work/seeds"
for name in $names; do
    plant "$name" || exit 1
    if compile crash_suite "$name"; then
        found=$(seq 1 "$seeds" |
            xargs -P "$jobs" -I '{}' sh "$work/one_seed.sh" "$(program crash_suite)" "$name" "$limit" '{}')
        { grep -v "^$name :: " "$work/seeds"; printf '%s\n' "$found"; } >"$work/seeds.new"
        mv "$work/seeds.new" "$work/seeds"
        printf '%-44s %d of %d seeds\n' "$name" "$(printf '%s\n' "$found" | grep -c -v ' :: $')" "$seeds"
    else
        echo "BROKEN    $name does not compile"
    fi
    heal "$name"
done
