// hard_format_support.hpp -- runs the second reader of the file format (hard/format) beside the engine.
#pragma once

#include "txn_support.hpp"

#include "hard/format/text_of.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <sys/wait.h>

namespace format_test {

/// Where the reader and the golden databases are.
inline std::string folder() { return NORTHSTAR_HARD_FORMAT; }

struct Output {
    int code = 0;
    std::string text;
};

/// Standard output of a command; what it says of errors goes where the test's do.
inline Output run(const std::string& command) {
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    Output output;
    char bytes[65536];
    for (std::size_t got; (got = std::fread(bytes, 1, sizeof bytes, pipe)) > 0;) output.text.append(bytes, got);
    const int status = ::pclose(pipe);
    output.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return output;
}

inline bool has_python() { return run("python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>&1").code == 0; }

inline Output read_database(const std::string& path, const std::string& options) {
    return run("python3 '" + folder() + "/read_database.py' '" + path + "' " + options + " 2>&1");
}

inline std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Equal texts, or the first lines that differ.
inline void require_equal(const std::string& found, const std::string& wanted) {
    if (found == wanted) return;
    std::istringstream left(found);
    std::istringstream right(wanted);
    std::string a;
    std::string b;
    int line = 0;
    do {
        ++line;
        if (!std::getline(left, a)) a = "(ends)";
        if (!std::getline(right, b)) b = "(ends)";
    } while (a == b && left.good() && right.good());
    FAIL("line " << line << "\n  found:  " << a << "\n  wanted: " << b);
}

/// Whoever only reads changes nothing, so that both see the same bytes.
inline std::string text_of_file(const std::string& path) {
    northstar::Options options;
    options.create = false;
    options.read_only = true;
    options.background = false;
    return northstar::format_text::text_of(northstar::Database::open(path, options));
}

}  // namespace format_test
