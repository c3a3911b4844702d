# plant.sh -- a copy of the sources in which bugs are planted one at a time, for run.sh and seeds.sh. They set $project,
# $mutants and $build. Files keep their times, so that little is compiled again, and the build lies in the copy where
# that of the sources lies in these, so that a compiler cache knows what did not change.

jobs=${JOBS:-2}
mkdir -p "$build/mutants/logs" "$build/mutants/tree"
work=$(cd "$build/mutants" && pwd)
tree=$work/tree
planted=$work/planted # files that were ever changed: what was built from them is not trusted

find "$tree" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} + # files that are no longer there
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
    (cd "$tree" && patch -s -f -F0 -p1 --no-backup-if-mismatch -r - <"$mutants/$1.patch") || return
    # Warnings are errors, and what a bug leaves unused is one: not in a file that counts as the system's.
    for file in $(files_of "$1"); do
        {
            echo '#pragma GCC system_header'
            echo '#pragma GCC optimize("O1")' # half the time of the compiler
            cat "$tree/$file"
        } >"$tree/$file.planted"
        echo "#include <${file#src/}.planted>" >"$tree/$file"
    done
}
heal() { for file in $(files_of "$1"); do cp "$work/whole/$file" "$tree/$file"; done; }
program() { case $1 in *_suite) echo "$tree/build/fast/hard/$1" ;; *) echo "$tree/build/fast/tests/$1" ;; esac; }
compile() { cmake --build "$tree/build/fast" --parallel "$jobs" --target "$1" >"$work/logs/$2.build" 2>&1; }

# Does every patch apply, and name its suites? Says which does not.
check_patches() {
    broken=0
    for name in $1; do
        if ! plant "$name" >"$work/logs/$name.patch" 2>&1 || [ -z "$(suites_of "$name")" ]; then
            echo "BROKEN    $name does not apply"
            sed 's/^/    /' "$work/logs/$name.patch"
            broken=$((broken + 1))
        fi
        heal "$name"
    done
    [ "$broken" -eq 0 ]
}

# Every file of src/ is compiled alone, so that a bug costs one of them and the links; without SQL, where none is planted.
configure() {
    [ -n "${CMAKE_GENERATOR:-}" ] || ! command -v ninja >/dev/null || export CMAKE_GENERATOR=Ninja
    cmake -S "$tree" -B "$tree/build/fast" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-g1 -DNORTHSTAR_SPLIT=ON \
        -DNORTHSTAR_OMIT_SQL=ON --log-level=NOTICE >"$work/logs/configure" 2>&1 && return
    cat "$work/logs/configure"
    return 1
}
