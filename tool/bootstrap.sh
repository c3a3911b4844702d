#!/bin/sh
# bootstrap.sh -- sees to it that the build tools are there.
#
# On Debian and its relatives missing packages are installed with apt-get (as root or through sudo). On other systems
# the script says what to install. BOOTSTRAP_PEERS=1 adds the libraries of the databases that benchmarks compare with,
# BOOTSTRAP_CLANG=1 clang with what fuzzing and counting of lines need.
set -eu

missing=""
need() { # need PACKAGE COMMAND...: any one of the commands will do
    package=$1
    shift
    for command in "$@"; do
        command -v "$command" >/dev/null 2>&1 && return 0
    done
    missing="$missing $package"
}
need_header() { # need_header PACKAGE FILE...: any one of the files below an include directory
    package=$1
    shift
    for file in "$@"; do
        for directory in /usr/include /usr/local/include /opt/homebrew/include; do
            [ -e "$directory/$file" ] && return 0
        done
    done
    missing="$missing $package"
}

need make make
need cmake cmake
need ninja-build ninja
need git git
need g++ "${CXX:-g++}" clang++
need_header catch2 catch2/catch.hpp catch2/catch_all.hpp
if [ "${BOOTSTRAP_PEERS:-0}" = 1 ]; then
    need_header libbenchmark-dev benchmark/benchmark.h
    need_header liblmdb-dev lmdb.h
    need_header libsqlite3-dev sqlite3.h
    need_header librocksdb-dev rocksdb/c.h
    need_header libleveldb-dev leveldb/c.h
fi
if [ "${BOOTSTRAP_CLANG:-0}" = 1 ]; then
    need clang clang++
    need llvm llvm-cov
    runtime=$(clang++ -print-runtime-dir 2>/dev/null) && [ -e "$runtime/libclang_rt.profile-$(uname -m).a" ] ||
        missing="$missing libclang-rt-dev"
fi
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "bootstrap: please install:$missing" >&2
    echo "bootstrap: (names of Debian packages; a C++20 compiler, CMake 3.21, Ninja or make, git, Catch2)" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root="env"
elif command -v sudo >/dev/null 2>&1; then
    as_root="sudo env"
else
    echo "bootstrap: please install as root: apt-get install$missing" >&2
    exit 1
fi
echo "bootstrap: installing$missing"
report=$(mktemp)
trap 'rm -f "$report"' EXIT
# shellcheck disable=SC2086  # a list of words on purpose
if ! { $as_root DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
       $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
       >"$report" 2>&1; then
    tail -n 20 "$report" >&2
    echo "bootstrap: apt-get failed; please install:$missing" >&2
    exit 1
fi
