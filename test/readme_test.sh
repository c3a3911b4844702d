#!/bin/sh
# readme_test.sh BUILD_DIR -- the program in README.md compiles, runs, and prints what its comments say.
set -eu
build=$(cd "$1" && pwd)
root=$(pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```cpp$/ { on = 1; next } /^```$/ { on = 0 } on' "$root/README.md" >"$work/main.cpp"
[ "$(wc -l <"$work/main.cpp")" -ge 20 ]
sanitize=$(sed -n 's/^NORTHSTAR_SANITIZE:[A-Z]*=//p' "$build/CMakeCache.txt")
"${CXX:-g++}" -std=c++20 -Wall -Wextra -Werror ${sanitize:+"-fsanitize=$sanitize"} -I "$build/pair" "$work/main.cpp" \
    "$build/libnorthstar.a" -pthread -o "$work/main"
cd "$work"
./main >output
printf '%s\n' 't/2: write the report' 'before: parse src/main.cpp' >expected
diff expected output
