#!/bin/sh
# run.sh [BUILD_DIR] [NAME ...] -- plants one bug after the other in a copy of the sources; does a suite notice?
# run.sh --table BUILD_DIR ...    -- the table of spec/hardening.md, from what runs in these directories found
#
# A bug is a patch NAME.patch beside this script: what was got wrong, a line "suites: ..." with those that could notice
# it (the quickest first), and the change to src/. Each is applied, what changed is compiled, and the suites run until
# one fails or does not end. Prints which suite killed it, or that it survived. Exits non-zero when one survived, does
# not apply, or does not compile, and when a suite fails without any bug.
#
# Every file of src/ is compiled alone at -O1, so that a bug costs one of them and the links. MUTANT_TIMEOUT: seconds
# of the processor for one suite (default 300), which may take three times as long on a busy machine. MUTANT_CHECK=1
# looks only whether every patch still applies; MUTANT_BASELINE=0 does not run the suites without a bug first.
set -u
project=$(cd "$(dirname "$0")/../.." && pwd)
mutants=$project/hard/mutants
if [ "${1:-}" = --table ]; then
    shift
    [ $# -gt 0 ] || set -- "$project/build/release"
    found=$(for directory in "$@"; do cat "$directory/mutants/results" || exit; done) || exit 1
    echo '| bug | what is wrong | killed by |'
    echo '|---|---|---|'
    for patch in "$mutants"/*.patch; do
        name=$(basename "$patch" .patch)
        killer=$(echo "$found" | sed -n "s/^$name //p" | tail -n 1 | sed 's/^[a-z_]*/`&`/; s/^``//')
        printf '| `%s` | %s | %s |\n' "$name" "$(head -n 1 "$patch")" "${killer:-not run yet}"
    done
    exit 0
fi
build=${1:-$project/build/release}
[ $# -gt 0 ] && shift
names=${*:-$(cd "$mutants" && ls ./*.patch | sed 's|^\./||; s|\.patch$||')}
limit=${MUTANT_TIMEOUT:-300}
jobs=${JOBS:-2}
mkdir -p "$build/mutants/logs" "$build/mutants/tree"
work=$(cd "$build/mutants" && pwd)
tree=$work/tree
planted=$work/planted # files that were ever changed: what was built from them is not trusted

# The sources as they are, without what was built from them. Files keep their times, so that little is compiled again.
(cd "$project" && tar cf - --exclude=./build --exclude=./.git .) | (cd "$tree" && tar xf -)
if [ -f "$planted" ]; then (cd "$tree" && sort -u "$planted" | xargs touch); fi

files_of() { sed -n 's|^+++ b/||p' "$mutants/$1.patch"; }
suites_of() { sed -n 's|^suites: ||p' "$mutants/$1.patch"; }
plant() {
    rm -rf "$work/whole"
    for file in $(files_of "$1"); do
        mkdir -p "$work/whole/$(dirname "$file")"
        cp "$tree/$file" "$work/whole/$file"
        echo "$file" >>"$planted"
    done
    (cd "$tree" && patch -s -f -F0 -p1 --no-backup-if-mismatch -r - <"$mutants/$1.patch")
}
heal() { for file in $(files_of "$1"); do cp "$work/whole/$file" "$tree/$file"; done; }
program() { case $1 in *_suite) echo "$work/build/hard/$1" ;; *) echo "$work/build/tests/$1" ;; esac; }
compile() { cmake --build "$work/build" --parallel "$jobs" --target "$1" >"$work/logs/$2.build" 2>&1; }
# One failure is enough, so a suite stops at its first. Processes that it left are ended: timeout leads their group.
run() {
    case $1 in *_test) stop=--abort ;; *) stop= ;; esac
    (
        cd "$tree" && unset HARD_SEEDS && export NORTHSTAR_NTH_CALL_EVERY=11 HARD_FAILURES=1 && ulimit -t "$limit" || exit
        timeout -k 5 $((3 * limit)) "$(program "$1")" $stop &
        group=$!
        wait $group
        code=$?
        kill -KILL -$group 2>/dev/null
        exit $code
    ) >"$work/logs/$2.$1" 2>&1 </dev/null
}

broken=0
for name in $names; do
    if ! plant "$name" >"$work/logs/$name.patch" 2>&1 || [ -z "$(suites_of "$name")" ]; then
        echo "BROKEN    $name does not apply"
        sed 's/^/    /' "$work/logs/$name.patch"
        broken=$((broken + 1))
    fi
    heal "$name"
done
[ "$broken" -eq 0 ] || exit 1
if [ -n "${MUTANT_CHECK:-}" ]; then
    echo "all patches apply"
    exit 0
fi

[ -n "${CMAKE_GENERATOR:-}" ] || ! command -v ninja >/dev/null || export CMAKE_GENERATOR=Ninja
cmake -S "$tree" -B "$work/build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS=-O1 -DNORTHSTAR_TEST_OPTIMIZATION=-O0 \
    -DNORTHSTAR_SPLIT=ON -DNORTHSTAR_WERROR=OFF --log-level=NOTICE >"$work/logs/configure" 2>&1 || {
    cat "$work/logs/configure"
    exit 1
}
# Without a bug every suite must pass, or a failure would mean nothing.
if [ "${MUTANT_BASELINE:-1}" != 0 ]; then
    suites=$(for name in $names; do suites_of "$name"; done | tr ' ' '\n' | sort -u)
    for suite in $suites; do
        compile "$suite" none && run "$suite" none && continue
        echo "BROKEN    $suite fails without a bug, or does not compile"
        tail -n 40 "$work/logs/none.build" "$work/logs/none.$suite" | sed 's/^/    /'
        exit 1
    done
fi

killed=0
survived=0
for name in $names; do
    plant "$name" || exit 1
    started=$(date +%s)
    killer=
    for suite in $(suites_of "$name"); do
        if ! compile "$suite" "$name"; then
            echo "BROKEN    $name does not compile"
            tail -n 20 "$work/logs/$name.build" | sed 's/^/    /'
            broken=$((broken + 1))
            killer=none
            break
        fi
        run "$suite" "$name"
        code=$?
        [ $code -eq 0 ] && continue
        killer=$suite
        case $code in 124 | 137 | 152) killer="$suite, which did not end" ;; esac
        break
    done
    heal "$name"
    seconds=$(($(date +%s) - started))
    if [ -z "$killer" ]; then
        survived=$((survived + 1))
        echo "$name (nothing)" >>"$work/results"
        printf 'SURVIVED  %-44s %s (%d s)\n' "$name" "$(suites_of "$name")" $seconds
    elif [ "$killer" != none ]; then
        killed=$((killed + 1))
        echo "$name $killer" >>"$work/results"
        printf 'killed    %-44s by %s (%d s)\n' "$name" "$killer" $seconds
    fi
done
echo "$killed killed, $survived survived, $broken broken"
[ $((survived + broken)) -eq 0 ] && [ $killed -gt 0 ]
