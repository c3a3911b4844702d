#!/bin/sh
# tool_demo_test.sh BUILD_DIR -- the demo holds on a small repository with everything that makes git awkward, on a
# shallow clone, and without git. Ends with "N passed, N failed".
set -u
build=${1:-build/release}
cd "$(dirname "$0")/.." || exit 1
NORTHSTAR_TOOL=${NORTHSTAR_TOOL:-$(cd "$build" && pwd)/northstar}
NORTHSTAR_DEMO=${NORTHSTAR_DEMO:-$(dirname "$NORTHSTAR_TOOL")/northstar-demo}
export NORTHSTAR_TOOL NORTHSTAR_DEMO
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
verdict() { # verdict NAME WANTED LOG: the demo succeeded and its output has this line
    if [ "$code" -eq 0 ] && grep -q -e "$2" "$3" && grep -q 'every comparison held' "$3"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
        cat "$3"
    fi
}

mkdir "$work/files" "$work/files/one" "$work/files/two words" "$work/files/three"
for name in one/a one/b "two words/c" three/d; do echo "content of $name" >"$work/files/$name"; done
ln -s nowhere "$work/files/three/link"
export DEMO_FILES="$work/files"

if ! command -v git >/dev/null 2>&1; then
    echo "SKIPPED: git is not installed"
else
    GIT_AUTHOR_NAME='A "quoted" author' GIT_AUTHOR_EMAIL=author@example.org
    GIT_COMMITTER_NAME=committer GIT_COMMITTER_EMAIL=committer@example.org
    GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
    export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM
    repo=$work/repo
    git init -q -b main "$repo"
    g() { git -C "$repo" -c protocol.file.allow=always -c commit.gpgsign=false "$@"; }
    day=10
    commit() {
        day=$((day + 1))
        GIT_AUTHOR_DATE="2024-01-${day}T00:00:00Z" GIT_COMMITTER_DATE="2024-01-${day}T00:00:00Z" g commit -q "$@"
    }
    echo first >"$repo/plain"
    mkdir "$repo/dir with spaces"
    echo spaced >"$repo/dir with spaces/file name"
    head -c 100000 /dev/urandom >"$repo/binary"
    : >"$repo/empty"
    ln -s plain "$repo/link"
    printf 'odd\n' >"$repo/$(printf 'tab\there')"
    printf 'odd\n' >"$repo/$(printf 'line\nfeed')"
    printf 'odd\n' >"$repo/$(printf 'latin\351')"
    printf 'odd\n' >"$repo/-q\"uo'te\\"
    g add -A && commit -m 'First commit

with a body
and "git":"quotes"'
    echo second >>"$repo/plain"
    chmod +x "$repo/empty"
    commit -am 'Change a file and a mode'
    g mv plain "dir with spaces/renamed" && commit -m 'Rename'
    g checkout -q -b side HEAD~1
    echo side >"$repo/side" && g add side && commit -m 'On a side branch'
    g rm -q binary && commit -m 'Delete on a side branch'
    g checkout -q main
    rm "$repo/link" && echo 'a file now' >"$repo/link" && g add -A && commit -m 'A link becomes a file'
    day=$((day + 1))
    GIT_COMMITTER_DATE="2024-01-${day}T00:00:00Z" g merge -q --no-ff -m 'Merge' side
    git init -q -b main "$work/module"
    git -C "$work/module" -c commit.gpgsign=false commit -q --allow-empty -m inner
    g submodule --quiet add "$work/module" module && commit -m 'Add a submodule'
    commit --allow-empty -m 'Nothing'
    DEMO_DIR="$work/keep" DEMO_REPO="$repo" sh tool/demo.sh >"$work/log" 2>&1
    code=$?
    verdict 'a repository with awkward names, merges, links and a submodule' 'the same as git diff --name-status' "$work/log"
    [ "$("$NORTHSTAR_TOOL" get "$work/keep/history.db" link --tree modes)" = 100644 ] &&
        [ "$("$NORTHSTAR_TOOL" get "$work/keep/history.db" link --tree modes --as-of 1)" = 120000 ] &&
        [ "$("$NORTHSTAR_TOOL" get "$work/keep/history.db" link --tree files --as-of 1)" = plain ] &&
        [ "$("$NORTHSTAR_TOOL" get "$work/keep/history.db" module --tree modes)" = 160000 ]
    code=$?
    verdict 'links and submodules are kept as git keeps them' 'all of its' "$work/log"

    DEMO_COMMITS=3 DEMO_REPO="$repo" sh tool/demo.sh >"$work/log" 2>&1
    code=$?
    verdict 'the number of commits can be capped' 'the newest 3 of its' "$work/log"

    git clone -q --depth 1 "file://$repo" "$work/shallow" 2>/dev/null
    DEMO_REPO="$work/shallow" sh tool/demo.sh >"$work/log" 2>&1
    code=$?
    verdict 'a shallow clone is replaced by files' 'is a shallow clone' "$work/log"
fi

mkdir "$work/bin"
for word in awk basename sh cmp sed date mktemp mkfifo tail head wc cat rm mkdir dirname grep sort uniq paste tr printf env; do
    at=$(command -v "$word") && [ -x "$at" ] && ln -s "$at" "$work/bin/$word"
done
PATH=$work/bin DEMO_REPO="$work" sh tool/demo.sh >"$work/log" 2>&1
code=$?
verdict 'without git files are used' 'git is not installed' "$work/log"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
