#!/bin/sh
# rules.sh AMALGAMATE DIRECTORY -- the amalgamator on small trees: what it refuses, and what it must leave alone.
set -u
amalgamate=$1
directory=$2
failed=0

# A tree of two layers that is in order; each case below spoils one thing.
fresh() {
    rm -rf "$directory"
    mkdir -p "$directory/src/api" "$directory/src/base" "$directory/src/os" "$directory/src/net" "$directory/amalgamation"
    cd "$directory" || exit 1
    echo "A licence" >LICENSE
    printf '%s\n' 'layers: base os|net api' api/northstar.hpp base/one.hpp base/one.cpp os/two.hpp net/three.hpp \
        >amalgamation/order.txt
    printf '%s\n' '#ifndef NORTHSTAR_HPP' '#define NORTHSTAR_HPP' '#define NORTHSTAR_VERSION "1.2.3"' \
        '#include <string_view>' '#endif' >src/api/northstar.hpp
    printf '%s\n' '#pragma once' '#include "api/northstar.hpp"' '#include <vector>' '#define NORTHSTAR_ONE 1' \
        'int one();' >src/base/one.hpp
    printf '%s\n' '#include "base/one.hpp"' '#include <algorithm>' "int one() { return 1'000 + 'a'; }" \
        'const char* text = R"x(' '#include <not_an_include>' '#include "neither"' ')x";' \
        '/* #include "nor_this"' '#include "or_this" */' '#ifdef __linux__' \
        '#include <unistd.h>  // amalgamation: keep' '#endif' >src/base/one.cpp
    printf '%s\n' '#pragma once' '#include "base/one.hpp"' >src/os/two.hpp
    printf '%s\n' '#pragma once' >src/net/three.hpp
}
# refused WORDS: the amalgamator fails, and says WORDS, Why and Fix.
refused() {
    if "$amalgamate" >log 2>&1; then
        echo "accepted, but should be refused: $1"
        failed=1
    elif ! grep -q "$1" log || ! grep -q '  Why: ' log || ! grep -q '  Fix: ' log; then
        echo "refused without the words '$1', Why and Fix:"
        cat log
        failed=1
    fi
}
expect() { # expect PATTERN FILE
    grep -q -e "$1" "$2" || { echo "$2 lacks: $1"; failed=1; }
}

fresh
"$amalgamate" >log 2>&1 || { cat log; failed=1; }
expect '^#include <not_an_include>$' build/northstar.cpp
expect '^#include "neither"$' build/northstar.cpp
expect '^#include "or_this" \*/$' build/northstar.cpp
expect '^#include <unistd.h>  // amalgamation: keep$' build/northstar.cpp
expect '^// include "base/one.hpp"$' build/northstar.cpp
expect '^#line 1 "src/base/one.cpp"$' build/northstar.cpp
expect '^#undef NORTHSTAR_ONE$' build/northstar.cpp
expect '^#define NORTHSTAR_SOURCE_ID "1.2.3 [0-9a-f]\{16\}"$' build/northstar.hpp
[ "$(grep -c '^#include <vector>$' build/northstar.cpp)" = 1 ] || { echo "<vector> is not hoisted once"; failed=1; }
"$amalgamate" --no-line >log 2>&1 || failed=1
grep -q '^#line' build/northstar.cpp && { echo "--no-line leaves #line"; failed=1; }

fresh; echo 'base/absent.hpp' >>amalgamation/order.txt; refused 'does not exist'
fresh; echo 'base/one.hpp' >>amalgamation/order.txt; refused 'listed twice'
fresh; echo 'int x;' >src/base/extra.cpp; refused 'not listed'
fresh; mkdir src/odd; : >src/odd/x.hpp; echo 'odd/x.hpp' >>amalgamation/order.txt; refused 'no known layer'
fresh; echo '#include "os/two.hpp"' >>src/base/one.cpp; refused 'listed below'
fresh; echo '#include "base/none.hpp"' >>src/base/one.cpp; refused 'does not list'
fresh; echo '#include "os/two.hpp"' >>src/net/three.hpp; refused "layer 'net' includes layer 'os'"
fresh; printf '%s\n' '#ifdef X' '#include <list>' '#endif' >>src/base/one.cpp; refused 'inside #if'
fresh; echo '#define ONE 1' >>src/base/one.hpp; refused 'defines ONE'
fresh; sed -i '/VERSION/d' src/api/northstar.hpp; refused 'NORTHSTAR_VERSION'

exit $failed
