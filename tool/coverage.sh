#!/bin/sh
# coverage.sh BUILD_DIR [report] -- which lines of src/ do the tests and the hardening suites run, and which branches of
# pager, log and recovery do they not take? The last line is the total. `report`: of what was run before.
#
# The build (preset "coverage") counts with clang in files that each process maps: who ends by _exit or SIGKILL has
# counted up to its last instruction. Processes of one program share a file and add to it without locks, so a number may
# be a little too small; it is not zero where something ran. Exits non-zero when something failed, or when less than
# COVERAGE_LEAST percent (default 95) of the lines ran. HARD_SEEDS and JOBS mean what they mean elsewhere.
set -u
build=$1
report=${2:-}
profiles=$build/profiles
llvm() { # llvm TOOL ARGUMENT...: Debian adds the version to names
    program=$(command -v "llvm-$1" || command -v "llvm-$1-14") || {
        echo "coverage: there is no llvm-$1 (Debian: apt-get install llvm)" >&2
        exit 1
    }
    shift
    "$program" "$@"
}

failed=0
if [ -z "$report" ]; then
    rm -rf "$profiles"
    mkdir -p "$profiles"
    LLVM_PROFILE_FILE="$(cd "$profiles" && pwd)/%m%c.profraw"
    export LLVM_PROFILE_FILE
    sh tool/run_tests.sh "$build" || failed=1
    sh hard/run.sh "$build" || failed=1
fi

llvm profdata merge -sparse -o "$build/coverage.profdata" "$profiles"/*.profraw || exit 1
programs=$(find "$build" -name CMakeFiles -prune -o -type f -perm -u+x ! -name '*.*' -print)
# The library too: what no program uses counts as well.
objects="-object $build/libnorthstar.a"
for program in $programs; do objects="$objects -object $program"; done
# It warns of functions that a program inlined everywhere: those of the others count.
# shellcheck disable=SC2086  # words on purpose
llvm cov export -format=lcov -instr-profile="$build/coverage.profdata" ${objects#-object } \
    -ignore-filename-regex='/(test|tool|examples|bench|hard/[a-z_]*)/[^/]*$|^/usr/' \
    >"$build/coverage.lcov" 2>"$build/coverage.warnings" || {
    cat "$build/coverage.warnings" >&2
    exit 1
}

awk -v least="${COVERAGE_LEAST:-95}" '
    function percent(hit, all) { return all ? 100 * hit / all : 100 }
    # Counts of a file: lines that ran, and those that did not, neighbours joined.
    function count_lines(file,    line, first, last) {
        lines = hit = first = 0
        missed = ""
        for (line = 1; line <= last_line[file] + 1; ++line) {
            known = (file, line) in runs
            if (known) { ++lines; if (runs[file, line] > 0) ++hit }
            if (known && runs[file, line] == 0) {
                if (!first) first = line
                last = line
            } else if (first && (known || line > last_line[file])) {
                missed = missed " " (first == last ? first : first "-" last)
                first = 0
            }
        }
    }
    function source_line(file, line,    text, n) {
        if (file != loaded) {
            n = 0
            while ((getline text < ("src/" file)) > 0) source[++n] = text
            close("src/" file)
            loaded = file
        }
        text = source[line]
        sub(/^ +/, "", text)
        return text
    }
    # A file may be named by several paths.
    /^SF:/ {
        file = $0
        ours = sub(/.*\/src\//, "", file)
        listed = file ~ /^(pager|log)\// || file ~ /^txn\/(recover|open|generation)\.cpp$/
    }
    !ours { next }
    /^DA:/ {
        split(substr($0, 4), part, ",")
        runs[file, part[1]] += part[2]
        if (part[1] > last_line[file] + 0) last_line[file] = part[1]
    }
    listed && /^BRDA:/ {
        split(substr($0, 6), part, ",")
        taken[file, part[1], part[2], part[3] % 2] += part[4]
    }
    END {
        by_file = "sort -k6,6"
        for (file in last_line) {
            count_lines(file)
            printf "%6.1f %%  %5d of %5d  %-32s%s\n", percent(hit, lines), hit, lines, file, missed | by_file
            all_lines += lines
            all_hit += hit
        }
        close(by_file)
        print ""
        by_line = "sort -t: -k1,1 -k2n"
        for (id in taken) {
            ++branches
            if (taken[id] > 0) { ++branches_taken; continue }
            split(id, part, SUBSEP)
            text = source_line(part[1], part[2])
            if (text ~ /NORTHSTAR_ASSERT/) { ++asserted; continue } # what it says is an invariant
            printf "%s:%d: never %s: %s\n", part[1], part[2], part[4] == 0 ? "true" : "false", text | by_line
        }
        close(by_line)
        printf "\nbranches of pager, log and recovery: %d of %d taken, %d of the others end in an assertion\n",
            branches_taken, branches, asserted
        printf "lines of src/: %d of %d run, %.1f %%\n", all_hit, all_lines, percent(all_hit, all_lines)
        exit percent(all_hit, all_lines) < least
    }' "$build/coverage.lcov" || failed=1
exit $failed
