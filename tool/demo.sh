#!/bin/sh
# demo.sh -- a tour of Northstar on real input: a git repository's history, one transaction per commit, and its code.
#
# DEMO_REPO=path     another repository than the one this file belongs to
# DEMO_COMMITS=n     at most so many of its newest commits (default 2000)
# DEMO_SECONDS=n     at most so long for an import (default 25); what did not fit is said
# DEMO_DIR=path      keep the databases there instead of in a temporary directory
# DEMO_CODE_COMMITS, DEMO_DATA: see demo_code.sh
# DEMO_FILES=path    files to use where there is no git history (default /usr/share)
# NORTHSTAR_TOOL, NORTHSTAR_DEMO: the two programs (default build/demo/northstar and northstar-demo)
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
tool=${NORTHSTAR_TOOL:-$here/build/demo/northstar}
helper=${NORTHSTAR_DEMO:-$(dirname "$tool")/northstar-demo}
repo=${DEMO_REPO:-$here}
commits=${DEMO_COMMITS:-2000}
seconds=${DEMO_SECONDS:-25}
for program in "$tool" "$helper"; do
    [ -x "$program" ] || { echo "demo: $program is missing; make demo builds it" >&2; exit 1; }
done
if [ -n "${DEMO_DIR:-}" ]; then
    mkdir -p "$DEMO_DIR"
    work=$(cd "$DEMO_DIR" && pwd)
    rm -f "$work"/*.db "$work"/*.db-shared "$work/fifo"
    trap 'kill ${reader:-} ${writer:-} 2>/dev/null || true' EXIT
else
    work=$(mktemp -d)
    trap 'kill ${reader:-} ${writer:-} 2>/dev/null || true; rm -rf "$work"' EXIT
fi
db=$work/history.db
begun=$(date +%s)

bold="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
title() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '%s\n' "$@"; } # what the reader is about to see
# Shows a command of the tool as a user would type it, then runs it.
show() {
    printf '$ northstar'
    for word in "$@"; do
        case $word in
        "$work"/*) printf ' %s' "${word#"$work"/}" ;;
        *[!A-Za-z0-9_./:=^,~-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    "$tool" "$@"
}
# The same, and how long it took.
show_timed() {
    since=$(milliseconds)
    show "$@"
    echo "($(($(milliseconds) - since)) ms)"
}
mebibytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MiB", bytes / 1048576 }'; }
size_of() { wc -c <"$1" | tr -d ' '; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
fail() { echo "demo: $*" >&2; exit 1; }

[ -d "$repo" ] || fail "there is no directory $repo"

# ---- what there is to read ---------------------------------------------------------------------------------------

source=$repo
kind=git
if ! command -v git >/dev/null 2>&1; then
    kind=files; echo "git is not installed, so files of ${DEMO_FILES:-/usr/share} stand in for a history."
elif ! reason=$(git -C "$repo" rev-parse --git-dir 2>&1 >/dev/null); then
    # Not a repository, or one that git does not want to read, which git itself explains best.
    case $reason in *'ot a git repository'*) ;; *) printf '%s\n' "$reason" ;; esac
    kind=files; echo "$repo is no repository that git reads, so files of ${DEMO_FILES:-/usr/share} stand in for a history."
elif [ "$(git -C "$repo" rev-parse --is-shallow-repository)" = true ]; then
    kind=files; echo "$repo is a shallow clone, so files of ${DEMO_FILES:-/usr/share} stand in for its history."
elif ! git -C "$repo" rev-parse -q --verify HEAD >/dev/null 2>&1; then
    kind=files; echo "$repo has no commits, so files of ${DEMO_FILES:-/usr/share} stand in for a history."
fi
if [ "$kind" = git ]; then
    all=$(git -C "$repo" rev-list --count HEAD)
    if [ "$all" -gt "$commits" ]; then
        echo "$repo: the newest $commits of its $all commits (DEMO_COMMITS changes that)"
    else
        echo "$repo: all of its $all commits"
    fi
else
    source=files:${DEMO_FILES:-/usr/share}
    echo "Every directory with files is one transaction; 64 MiB and 400 directories at most."
fi

# ---- one process writes, another one reads -----------------------------------------------------------------------

title "import: one transaction per commit, while a second process reads"
say "Path -> content, in one file, $(basename "$db"). Each transaction keeps who, when and why as annotations; the" \
    "reader opens snapshots in a process of its own and compares every state it meets with the source."
"$helper" follow "$source" "$db" --commits "$commits" --seconds "$seconds" >"$work/reader" 2>&1 &
reader=$!
"$helper" import "$source" "$db" --commits "$commits" --seconds "$seconds"
wait "$reader" || { cat "$work/reader" >&2; fail "the reader met a state that is not right"; }
reader=
cat "$work/reader"
show stat "$db"

title "the newest state"
say "A database is named trees of ordered keys and values; the log says how it came about."
show log "$db" -n 2
show trees "$db"
show scan "$db" --tree files --keys-only -n 5

# ---- the past ----------------------------------------------------------------------------------------------------

last=$("$tool" get "$db" last --tree demo)
# Commits in the order of their transactions.
"$tool" log "$db" --reverse --json | sed -n 's/.*"git":"\([^"]*\)".*/\1/p' >"$work/order"
count=$(wc -l <"$work/order")
old=$(sed -n "$(((count + 2) / 3))p" "$work/order")

title "AS OF: every file of several commits, compared with the source byte for byte"
say "Any past state opens as a snapshot, by transaction, time or annotation, at the cost of a look-up, not a replay."
"$helper" check "$source" "$db" --commits "$commits"

title "one file as of an old commit"
file=$("$tool" scan "$db" --tree files --keys-only --as-of "git=$old" -f jsonl | sed -n 's/^{"key":"\([^"\\]*\)"}$/\1/p' |
    sed -n '1p;/README/{p;q;}' | tail -n 1)
[ -n "$file" ] || fail "no file of commit $old has a plain name"
show get "$db" "$file" --tree files --as-of "git=$old" >"$work/then"
head -n 1 "$work/then"
"$tool" get "$db" "$file" --tree files --as-of "git=$old" >"$work/then"
if [ "$kind" = git ]; then
    mode=$("$tool" get "$db" "$file" --tree modes --as-of "git=$old")
    if [ "$mode" = 160000 ]; then
        git -C "$repo" rev-parse "$old:$file" | tr -d '\n' >"$work/expected"
    else
        git -C "$repo" cat-file blob "$old:$file" >"$work/expected"
    fi
    cmp "$work/then" "$work/expected" || fail "$file as of $old is not what git has"
    echo "$(wc -c <"$work/then") bytes, equal to git show $(printf %.12s "$old"):$file"
else
    cmp "$work/then" "$file" || fail "$file is not what the disk has"
    echo "$(wc -c <"$work/then") bytes, equal to $file"
fi

title "the history of one file"
say "The versions of one key: transaction, time of the commit, size."
if [ "$kind" = git ]; then
    busy=$(git -C "$repo" -c core.quotePath=false log -n "$commits" --format= --name-only | grep -v '^"' | sort | uniq -c |
        sort -rn | sed 's/^ *[0-9]* //' | while read -r name; do
            "$tool" get "$db" "$name" --tree files -q && { echo "$name"; break; }
        done || true)
    file=${busy:-$file}
fi
show history "$db" "$file" --tree files -n 6

title "diff of two commits"
say "The keys that differ between two states; the cost follows what was written in between."
if [ "$kind" = git ]; then
    # A changed mode is a change of tree modes, so a path differs if either tree says so. Git's T is a changed kind.
    for tree in files modes; do
        "$tool" diff "$db" "git=$old" "git=$last" --tree "$tree" -z >"$work/diff-$tree" || [ $? -eq 1 ]
    done
    cat "$work/diff-files" "$work/diff-modes" | tr '\n\0' '\001\n' | paste - - | sort -u >"$work/ours"
    git -C "$repo" diff --name-status --no-renames --no-ext-diff --ignore-submodules=none -z "$old" "$last" |
        tr '\n\0' '\001\n' | paste - - | sed 's/^T/M/' | sort -u >"$work/theirs"
    printf '$ northstar diff history.db git=%.12s git=%.12s --tree files\n' "$old" "$last"
    head -n 8 "$work/ours"
    lines=$(wc -l <"$work/ours")
    [ "$lines" -le 8 ] || echo "... $((lines - 8)) more"
    cmp "$work/ours" "$work/theirs" || fail "git diff --name-status says something else"
    echo "$lines paths, the same as git diff --name-status"
else
    "$tool" diff "$db" "git=$old" "git=$last" --tree files >"$work/ours" || [ $? -eq 1 ]
    head -n 8 "$work/ours"
    echo "$(wc -l <"$work/ours") paths differ between txn of $old and of $last"
fi

# ---- a crash -----------------------------------------------------------------------------------------------------

title "kill -9 in the middle of an import"
say "The importing process halts with half a transaction made and is killed. What was committed is there, the half is" \
    "not, and the next import goes on behind it. Nothing has to be repaired by hand."
crash=$work/crash.db
halt=$((count / 2 + 1))
mkfifo "$work/fifo"
"$helper" import "$source" "$crash" --commits "$commits" --seconds "$seconds" --halt-at "$halt" >"$work/fifo" &
writer=$!
read -r line <"$work/fifo"
echo "$line"
kill -9 "$writer"
wait "$writer" 2>/dev/null || true
writer=
echo "\$ kill -9 (the importing process)"
show_timed log "$crash" -n 1
show checkpoint "$crash"
show verify "$crash"
"$helper" check "$source" "$crash" --commits "$commits" | tail -n 1
"$helper" import "$source" "$crash" --commits "$commits" --seconds "$seconds"
for tree in files modes commits; do
    "$tool" export "$db" "$work/one" --tree "$tree" --format tsv --force -q
    "$tool" export "$crash" "$work/two" --tree "$tree" --format tsv --force -q
    if ! cmp -s "$work/one" "$work/two"; then
        # Two imports that ran out of time end at different commits; then each is checked on its own.
        echo "the two imports ended at different commits, which is checked instead"
        "$helper" check "$source" "$crash" --commits "$commits" >/dev/null
        break
    fi
    [ "$tree" != commits ] || echo "the interrupted import ended in the same state as the other one"
done

# ---- code, graphs, search, tasks --------------------------------------------------------------------------------

. "$here/tool/demo_code.sh"

# ---- the whole file ----------------------------------------------------------------------------------------------

title "verify, replay, sizes and timings"
say "verify reads everything: pages, checksums, space, the hash chain of the log, history against the log. replay builds a" \
    "second database from the log alone and compares SHA-256 of both states."
show_timed verify "$db"
show_timed replay "$db" "$work/replayed.db"
show_timed vacuum-into "$db" "$work/dense.db"
txns=$("$tool" log "$db" --json -n 1 | sed -n 's/.*"txn":\([0-9]*\).*/\1/p')
echo "history.db  $(mebibytes "$(size_of "$db")"), all $txns transactions with every version, uncompressed"
echo "dense.db    $(mebibytes "$(size_of "$work/dense.db")"), the newest state alone"
if [ "$kind" = git ]; then
    kibibytes=$(git -C "$repo" count-objects -v | awk '/^size: |^size-pack: / { sum += $2 } END { print sum }')
    echo "git         $(mebibytes $((kibibytes * 1024))), every version compressed against others"
fi
total=$(($(date +%s) - begun))
printf '\n%sDone in %s s: every comparison held.%s\n' "$bold" "$total" "$plain"
say "Next: examples/basic_kv is one page of code. The demo is compiled quickly (-Og, without SQL), so its times are not those" \
    "of benchmarks: make builds build/release/northstar as users get it, and build/release/northstar app.db is a SQL shell."
