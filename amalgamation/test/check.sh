#!/bin/sh
# check.sh [quick] [BUILD_DIR] -- is the pair fit to be given to strangers?
#
# quick: what takes seconds (part of "make test"). Without it also: the pair alone under every compiler, optimisation
# and sanitizer, two translation units with link-time optimisation, symbols, consumer projects, compile budget.
# Prints one line per check, the output of those that fail, and "N passed, N failed" at the end.
set -u

quick=0
[ "${1:-}" = quick ] && { quick=1; shift; }
root=$(pwd)
build=$(cd "${1:-build/release}" && pwd) || exit 1
jobs=${JOBS:-2}
here=$root/amalgamation/test
pair=$build/pair
work=$build/amalgamation-check
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
cxx=${CXX:-g++}
unset CMAKE_CXX_COMPILER_LAUNCHER
rm -rf "$work"
mkdir -p "$work/alone" "$work/results"
cp "$pair/northstar.hpp" "$pair/northstar.cpp" "$work/alone/"

# check NAME COMMAND...: runs it in $work; its exit code is the result.
check() {
    name=$1
    shift
    if (cd "$work" && "$@") >"$work/log" 2>&1; then
        printf 'ok      %s\n' "$name"
        echo ok >>"$work/results/all"
    else
        printf 'FAILED  %s\n' "$name"
        head -n 40 "$work/log" | sed 's/^/    /'
        echo failed >>"$work/results/all"
    fi
}
skip() {
    printf 'SKIPPED: %s\n' "$1"
    echo ok >>"$work/results/all"
}
have() { command -v "$1" >/dev/null 2>&1; }

compilers=""
for candidate in g++ clang++; do
    if have $candidate; then compilers="$compilers $candidate"; else skip "no $candidate on this machine"; fi
done

# ---- the header ---------------------------------------------------------------------------------------------------

standard_headers() { grep -h -E '^#include <' "$pair/northstar.hpp" | sort -u; }

header_program() { # header_program NAME TEXT...: a source file made of lines
    file=$work/$1
    shift
    printf '%s\n' "$@" >"$file"
}
header_program header_alone.cpp '#include "northstar.hpp"' 'int main() { return 0; }'
header_program header_twice.cpp '#include "northstar.hpp"' '#include "northstar.hpp"' 'int main() { return 0; }'
header_program header_first.cpp '#include "northstar.hpp"' '#include <algorithm>' '#include <map>' '#include <thread>' \
    '#include <iostream>' 'int main() { return 0; }'
header_program header_last.cpp '#include <algorithm>' '#include <map>' '#include <thread>' '#include <iostream>' \
    '#include <sys/types.h>' '#include <sys/sysmacros.h>' '#include "northstar.hpp"' 'int main() { return 0; }'
header_program header_hostile.cpp "$(standard_headers)" '#include <compare>' "#include \"$here/hostile_macros.h\"" \
    '#include "northstar.hpp"' 'int main() { return 0; }'
header_program header.c '#include "northstar.hpp"' '#include "northstar.hpp"' 'int main(void) { return 0; }'

for compiler in $compilers; do
    for program in alone twice first last hostile; do
        check "$compiler: header $program" \
            $compiler -std=c++20 $warnings -I alone -fsyntax-only header_$program.cpp
    done
    check "$compiler: header without exceptions and run-time types" \
        $compiler -std=c++20 $warnings -fno-exceptions -fno-rtti -I alone -fsyntax-only header_alone.cpp
    check "$compiler: header as C++23" $compiler -std=c++2b $warnings -I alone -fsyntax-only header_alone.cpp
done
for compiler in gcc clang; do
    have $compiler || continue
    for standard in c99 c11; do
        check "$compiler: header as $standard" \
            $compiler -std=$standard -pedantic -Wall -Wextra -Wshadow -Wconversion -Werror -I alone -fsyntax-only header.c
    done
done

# ---- macros -------------------------------------------------------------------------------------------------------

# Names defined after a source file but not after the system includes it stands on.
macro_names() { $cxx -std=c++20 -I "$work/alone" -dM -E -x c++ "$1" | sed -n 's/^#define \([A-Za-z0-9_]*\).*/\1/p' | sort; }
macro_leak() { # macro_leak FILE: what it defines beyond its system includes and NORTHSTAR_
    { grep -h -E '^#include <' "$pair/northstar.hpp"; grep -h -E '^ *# *include <' "$1"; } | sort -u >"$work/system.cpp"
    macro_names "$work/system.cpp" >"$work/macros.system"
    macro_names "$1" >"$work/macros.with"
    comm -13 "$work/macros.system" "$work/macros.with" | grep -v '^NORTHSTAR_' && return 1
    return 0
}
internal_macros() { # northstar.cpp leaves no macro that northstar.hpp did not define
    macro_names "$work/alone/northstar.hpp" | grep '^NORTHSTAR_' >"$work/macros.header"
    macro_names "$work/alone/northstar.cpp" | grep '^NORTHSTAR_' | comm -13 "$work/macros.header" - >"$work/macros.left"
    cat "$work/macros.left"
    [ ! -s "$work/macros.left" ]
}
check "macros: northstar.hpp defines NORTHSTAR_ only" macro_leak "$work/alone/northstar.hpp"
check "macros: northstar.cpp defines NORTHSTAR_ only" macro_leak "$work/alone/northstar.cpp"
check "macros: northstar.cpp undefines its own" internal_macros

# ---- reproducible -------------------------------------------------------------------------------------------------

amalgamate=$build/northstar_amalgamate
reproduce() {
    other=$work/elsewhere/a/longer/path
    mkdir -p "$other"
    cp -R "$root/src" "$root/LICENSE" "$other/"
    mkdir -p "$other/amalgamation"
    cp "$root/amalgamation/order.txt" "$other/amalgamation/"
    (cd "$other" && LC_ALL=C.UTF-8 TZ=Asia/Tokyo "$amalgamate") || return 1
    LC_ALL=C TZ=UTC "$amalgamate" --root "$root" --out "$work/again" || return 1
    for file in northstar.hpp northstar.cpp; do
        cmp "$other/build/$file" "$work/again/$file" && cmp "$work/again/$file" "$pair/$file" || return 1
    done
}
source_id_follows_content() { # one byte more in any file gives another id
    before=$("$amalgamate" --root "$work/elsewhere/a/longer/path" --id)
    echo "//" >>"$work/elsewhere/a/longer/path/src/base/check.hpp"
    after=$("$amalgamate" --root "$work/elsewhere/a/longer/path" --id)
    [ "$before" != "$after" ]
}
no_trace_of_the_machine() {
    ! grep -n -F -e "$root" -e "$(dirname "$root")/" "$pair/northstar.hpp" "$pair/northstar.cpp"
}
named_by_version_and_id() { # both files say which sources they are, and the header says it to the preprocessor
    version=$(sed -n 's/^#define NORTHSTAR_VERSION "\(.*\)"$/\1/p' "$pair/northstar.hpp")
    id=$("$amalgamate" --root "$root" --id)
    [ -n "$version" ] && case $id in "$version "????????????????) ;; *) return 1 ;; esac
    grep -q -x -F "#define NORTHSTAR_SOURCE_ID \"$id\"" "$pair/northstar.hpp" &&
        grep -q -x -F "// Source id: $id" "$pair/northstar.hpp" && grep -q -x -F "// Source id: $id" "$pair/northstar.cpp"
}
stale_pair() { # stale_pair COMPILER: northstar.cpp of other sources beside this header is an error that says so
    mkdir -p stale && cp "$pair/northstar.hpp" stale/ &&
        "$amalgamate" --root "$work/elsewhere/a/longer/path" --out other &&
        cp other/northstar.cpp stale/ || return 1
    "$1" -std=c++20 -Wfatal-errors -I stale -fsyntax-only stale/northstar.cpp >stale/log 2>&1 && return 1
    cat stale/log
    grep -q 'northstar.hpp and northstar.cpp come from different versions' stale/log
}
check "the files name their version and source id" named_by_version_and_id
check "reproducible: two directories, locales and time zones" reproduce
check "reproducible: the source id follows every byte" source_id_follows_content
check "reproducible: no path of this machine" no_trace_of_the_machine
for compiler in $compilers; do check "$compiler: a header and an implementation of different sources" stale_pair $compiler; done

# ---- the rules of the manifest ------------------------------------------------------------------------------------

check "rules: what is against them is refused with a reason" sh "$here/rules.sh" "$amalgamate" "$work/rules"

# ---- the pair alone -----------------------------------------------------------------------------------------------

if [ $quick = 0 ]; then
    {
        for compiler in $compilers; do
            echo "$compiler -O0 $warnings"
            echo "$compiler -O2 $warnings"
            echo "$compiler -O3 $warnings"
            echo "$compiler -O0 -fno-rtti $warnings"
            echo "$compiler -O1 -g -fsanitize=address,undefined $warnings"
            echo "$compiler -O1 -g -fsanitize=thread $warnings"
            echo "$compiler -O2 -DNORTHSTAR_PORTABLE $warnings"
        done
        for compiler in $compilers; do echo "$compiler -O0 -DNORTHSTAR_OMIT_SQL $warnings"; done
    } >"$work/matrix"
    export work
    # One line of the matrix: compile in a directory that holds nothing else, link, run.
    awk '{ print NR " " $0 }' "$work/matrix" | xargs -P "$jobs" -I '{}' sh -c '
        set -- {}
        number=$1; compiler=$2; shift 2
        directory=$work/alone.$number
        mkdir -p "$directory" && cd "$directory" && cp "$work"/alone/northstar.?pp . &&
        $compiler -std=c++20 "$@" -c northstar.cpp -o northstar.o 2>log &&
        $compiler -std=c++20 "$@" -I . "'"$here"'"/use_main.cpp "'"$here"'"/use_other.cpp northstar.o -pthread -o use 2>>log &&
        ./use >>log 2>&1 &&
        $compiler -std=c++20 "$@" -I . "'"$here"'"/digests.cpp northstar.o -pthread -o digests 2>>log &&
        ./digests >digests.out 2>>log && echo ok >result || echo failed >result'
    number=0
    while read -r line; do
        number=$((number + 1))
        check "alone: $(echo "$line" | sed 's/ -W.*//')" \
            sh -c "cat alone.$number/log; grep -q ok alone.$number/result"
    done <"$work/matrix"

    # A cartridge has the same bytes whatever built it: compiler, optimisation, instruction set, number of threads.
    same_digests() {
        cat alone.1/digests.out
        [ -s alone.1/digests.out ] || return 1
        for other in alone.*/digests.out; do cmp alone.1/digests.out "$other" || return 1; done
    }
    check "digests of cartridges are the same in all of these" same_digests

    for compiler in $compilers; do
        check "$compiler: alone as C++23, with nothing that is deprecated" \
            $compiler -std=c++2b $warnings -Wdeprecated -I alone -fsyntax-only alone/northstar.cpp
    done

    link_time() {
        $1 -std=c++20 -O2 -flto $2 -I alone "$here/use_main.cpp" "$here/use_other.cpp" alone/northstar.cpp -pthread -o use_lto \
            && ./use_lto
    }
    check "link-time optimisation finds one definition of everything" link_time g++ "-Wodr -Werror -flto=$jobs"

    # ---- symbols ----
    strong_symbols() { # strong_symbols OBJECT: nothing strong outside northstar
        nm --extern-only --defined-only -P "$1" | awk '$2 ~ /^[TDBRSC]$/ { print $1 }' | c++filt |
            grep -v -E '^(northstar::|northstar_|(typeinfo|typeinfo name|vtable|VTT|guard variable) for northstar::)' |
            grep -v -E '^((non-)?virtual|covariant return) thunk to northstar::' \
            && return 1
        [ "$(nm --extern-only --defined-only "$1" | grep -c northstar)" -gt 100 ]
    }
    weak_symbols() { # weak_symbols OBJECT: weak ones are ours, or of the standard library and the compiler
        nm --extern-only --defined-only -P "$1" | awk '$2 ~ /^[WVu]$/ { print $1 }' | c++filt |
            grep -v -E '(northstar::|std::|__gnu_cxx::|^operator (new|delete)|^__clang_call_terminate$|^DW[.]ref[.])' && return 1
        return 0
    }
    c_program() { # c_program COMPILER OBJECT: a C99 program links with the library and runs
        "$1" -std=c99 -pedantic -Wall -Wextra -Wshadow -Wconversion -Werror -I alone -c "$here/use.c" -o use_c.o &&
            "$1" use_c.o "$2" -lstdc++ -lm -pthread -o use_c && ./use_c
    }
    # In a shared library of the user's with hidden visibility nothing of ours is exported. By mangled names: what is left
    # are functions of the standard library for types of ours.
    embedded_symbols() {
        g++ -std=c++20 -O1 -fPIC -shared -fvisibility=hidden -I alone alone/northstar.cpp -pthread -o embedded.so || return 1
        nm -D --defined-only embedded.so >symbols.embedded || return 1
        grep -E ' [TDBRSCWVu] (_Z[A-Z]*9northstar|northstar_)' symbols.embedded && return 1
        return 0
    }
    number=2 # the line "-O2" of the matrix of the first compiler; seven lines on is that of the next one
    for compiler in $compilers; do
        check "$compiler: symbols: no strong one outside northstar" strong_symbols alone.$number/northstar.o
        check "$compiler: symbols: no weak one that is neither ours nor the standard library's" \
            weak_symbols alone.$number/northstar.o
        case $compiler in g++) c_compiler=gcc ;; *) c_compiler=clang ;; esac
        check "$c_compiler: a C99 program links with the library" c_program $c_compiler alone.$number/northstar.o
        number=$((number + 7))
    done
    check "symbols: hidden visibility hides everything" embedded_symbols

    # ---- consumers ----
    consumer() { # consumer NAME CMAKE_ARGUMENT...
        kind=$1
        shift
        cmake -S "$here/consumers/${kind%%:*}" -B "consumer.$kind" -DCMAKE_BUILD_TYPE=Debug "$@" &&
            cmake --build "consumer.$kind" --parallel "$jobs" && "consumer.$kind/consumer"
    }
    shared_library() {
        cmake -S "$root" -B shared -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=Debug -DNORTHSTAR_BUILD_TESTS=OFF \
            -DNORTHSTAR_PAIR_DIR="$pair" && cmake --build shared --parallel "$jobs" &&
            cmake --install shared --prefix "$work/installed-shared"
    }
    shared_symbols() { # only the public names, nothing of the standard library, nothing of detail
        nm -D --defined-only shared/libnorthstar.so >symbols
        c++filt <symbols | grep -E ' [A-Za-z] ' |
            grep -v -E ' (northstar::v0::|northstar_|(typeinfo|typeinfo name|vtable) for northstar::v0::)' && return 1
        c++filt <symbols | grep -E ' (northstar::v0::detail::|[a-z ]+ for northstar::v0::detail::)' && return 1
        grep -q 'Database4open' symbols
    }
    pkg_config() {
        flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$work/installed" -name northstar.pc)") pkg-config --cflags --libs northstar) &&
            g++ -std=c++20 "$here/use_main.cpp" "$here/use_other.cpp" $flags -o use_pkg && ./use_pkg
    }
    check "install" cmake --install "$build" --prefix "$work/installed"
    check "consumer: find_package, static" consumer find_package -DCMAKE_PREFIX_PATH="$work/installed"
    check "consumer: shared library builds" shared_library
    check "consumer: find_package, shared" consumer find_package:shared -DCMAKE_PREFIX_PATH="$work/installed-shared"
    check "symbols: the shared library exports the public names only" shared_symbols
    check "consumer: add_subdirectory" consumer subdirectory -DNORTHSTAR_SOURCE="$root"
    check "consumer: FetchContent" consumer fetch_content -DNORTHSTAR_SOURCE="$root"
    if have pkg-config; then check "consumer: pkg-config" pkg_config; else skip "no pkg-config on this machine"; fi

    # ---- budget ----
    # Seconds depend on the machine and are printed; memory does not, so it is a check: what a line takes is a matter of
    # style (templates, inlining), how many lines there are is not.
    $cxx -O1 "$here/measure.cpp" -o "$work/measure"
    lines=$(wc -l <"$work/alone/northstar.cpp")
    memory_budget() { # memory_budget MIB COMPILER
        case $2 in clang*) most=22 ;; *) most=48 ;; esac
        per_line=$(($1 * 1024 / lines))
        [ $per_line -le $most ] || { echo "$per_line KiB for each of $lines lines, the budget is $most"; return 1; }
    }
    for compiler in $compilers; do
        for optimisation in -O0 -O2; do
            measured=$(cd "$work/alone" && "$work/measure" $compiler -std=c++20 $optimisation -c northstar.cpp -o "$work/o") ||
                continue # does not compile: the checks above say so
            printf 'budget  %s %s: %s s, %s MiB, object %s KiB, %s lines\n' $compiler $optimisation \
                "${measured% *}" "${measured#* }" "$(($(wc -c <"$work/o") / 1024))" "$lines"
            check "budget: $compiler $optimisation memory" memory_budget "${measured#* }" $compiler
        done
        measured=$(cd "$work" && "$work/measure" $compiler -std=c++20 -I alone -fsyntax-only header_alone.cpp)
        printf 'budget  %s header: %s s (0.9)\n' $compiler "${measured% *}"
    done
fi

passed=$(grep -c ok "$work/results/all")
failed=$(grep -c failed "$work/results/all")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
