#!/bin/sh
# tool_bad_input_test.sh BUILD_DIR -- what a user meets who gives the tool something bad: each has its own exit code and
# one sentence with the file in it, and nothing is changed. Ends with "N passed, N failed". [ERR-1] [ERR-2] [DUR-9]
set -u
tool=$(cd "$1" && pwd)/northstar
work=$(mktemp -d)
mounted=
trap '[ -z "$mounted" ] || umount "$mounted"; chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0
failed=0

# refused CODE WORDS ARGUMENT...: this exit code, nothing on standard output, one line that holds the words.
refused() {
    code=$1
    words=$2
    shift 2
    "$tool" "$@" >out 2>err </dev/null
    got=$?
    if [ "$got" = "$code" ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -q "^northstar: .*$words" err; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'northstar %s: exit code %s, wanted %s and "%s"; it said:\n' "$*" "$got" "$code" "$words"
        cat out err
    fi
}
same() { # same NAME FILE FILE
    if cmp "$2" "$3"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "$1"; fi
}
expect() { # expect NAME COMMAND...
    name=$1
    shift
    if "$@" >out 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "$name"; cat out; fi
}

"$tool" create good.db -q
"$tool" put good.db key value -q
cp good.db good

# ---- files that are something else ----

printf 'name,age\nada,36\n' >text.csv
cp text.csv text
: >empty
head -c 3 good.db >three
head -c 100000 /dev/zero >zeros
for command in get scan verify log stat; do
    set -- "$command" text.csv
    [ "$command" != get ] || set -- get text.csv key
    refused 3 'text.csv.* database' "$@"
done
refused 3 'text.csv.* database' put text.csv key value
same "a file that is no database was changed" text text.csv
refused 3 'three' get three key
refused 3 'zeros' get zeros key
refused 4 'missing.db' get missing.db key
refused 4 'no/such/missing.db' put no/such/missing.db key value
refused 4 'directory' get . key
refused 4 'directory' put . key value
refused 4 '/dev/null' put /dev/null key value
[ ! -e missing.db ] || { failed=$((failed + 1)); echo "reading made a file"; }

# ---- wishes that cannot be met ----

refused 2 'page size' create odd.db --page-size 5000
refused 4 'exists already' create good.db
refused 2 'key' put good.db "$(head -c 2000 /dev/zero | tr '\0' k)" value

# ---- cut and flipped ----

size=$(wc -c <good.db)
cut=0
for part in 1 2 3 4 5 6 7; do
    head -c $((size * part / 8)) good >cut.db
    "$tool" get cut.db key >out 2>err
    case $? in
    3) [ "$(wc -l <err)" = 1 ] && cut=$((cut + 1)) ;;
    0) [ "$(cat out)" = value ] && cut=$((cut + 1)) ;; # an empty tail is no part of the database
    esac
    rm -f cut.db-shared
done
expect "a cut file gave something else than its content or code 3" [ "$cut" = 7 ]

# ---- directories and files that cannot be written ----

if [ "$(id -u)" != 0 ] || command -v setpriv >/dev/null 2>&1; then
    # As root nothing is forbidden, so somebody else tries.
    [ "$(id -u)" != 0 ] || as="setpriv --reuid 65534 --regid 65534 --clear-groups --"
    chmod 755 "$work"
    mkdir locked
    cp good locked/a.db
    chmod 444 locked/a.db
    chmod 555 locked
    cp "$tool" northstar && chmod 755 northstar
    real=$tool
    tool=$work/unprivileged
    printf '#!/bin/sh\nexec %s %s/northstar "$@"\n' "${as:-}" "$work" >"$tool" && chmod 755 "$tool"
    expect "a file that may only be read is read" "$tool" get locked/a.db key
    expect "a file that may only be read is verified" "$tool" verify locked/a.db -q
    refused 4 'locked/a.db' put locked/a.db key other
    refused 4 'locked/new.db' put locked/new.db key value
    refused 4 'locked/copy.db' backup good.db locked/copy.db
    tool=$real
    same "a file that may only be read was changed" good locked/a.db
else
    echo "SKIPPED: root may write everywhere, and setpriv is not installed"
fi

# ---- a full disk ----

mkdir small
if mount -t tmpfs -o size=24m tmpfs small 2>/dev/null; then
    mounted=$work/small
    awk 'BEGIN { for (i = 0; i < 400000; ++i) printf "{\"key\":\"%08d\",\"value\":\"%0100d\"}\n", i, i }' >big.jsonl
    "$tool" create small/full.db -q
    refused 4 'big.jsonl\|full.db' import small/full.db big.jsonl --resume -q
    expect "the sentence says how far the import came" grep -q 'lines up to [0-9]* are imported' err
    lines=$(sed -n 's/.*lines up to \([0-9]*\) are imported.*/\1/p' err)
    expect "what was imported before the disk was full is there" [ "$("$tool" scan small/full.db -c)" = "$lines" ]
    expect "the database on the full disk verifies" "$tool" verify small/full.db -q
    refused 4 'copy.db' backup small/full.db small/copy.db
    [ ! -e small/copy.db ] || { failed=$((failed + 1)); echo "a copy that does not fit is left behind"; }
    expect "on a full disk one can delete" "$tool" del small/full.db --from '' --to 9
    expect "the database verifies after that" "$tool" verify small/full.db -q
    umount small && mounted=
else
    echo "SKIPPED: a small file system cannot be mounted here"
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
