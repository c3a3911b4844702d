// run.hpp -- runs the records of a sqllogictest file on a fresh database and compares.
#pragma once

#include "northstar.hpp"
#include "slt/file.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace slt {

struct Outcome {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::vector<std::string> failures;  ///< "file:line: what went wrong"
    double rate() const {
        const std::size_t all = passed + failed;
        return all == 0 ? 1.0 : static_cast<double>(passed) / static_cast<double>(all);
    }
    void add(const Outcome& other) {
        passed += other.passed;
        failed += other.failed;
    }
};

/// `classic`: values are rendered by type letters as in SQLite's corpus; otherwise they are PostgreSQL's text.
struct RunOptions {
    bool classic = false;
    bool count_statements_ok = false;  ///< statements that must succeed count as checks too
    std::string setup;                 ///< a file to run first
    std::set<std::size_t> left_out;    ///< lines of records that do not count
    std::size_t most_failures = 20;    ///< messages that are kept
};

Outcome run_file(const std::string& path, const RunOptions& options);

/// Lines of the records that do not count, by file: what pg15-divergence.tsv lists (path, line, ..).
std::map<std::string, std::set<std::size_t>> read_divergence(const std::string& path);

/// MD5 of a text, in hexadecimal (RFC 1321).
std::string md5(const std::string& text);

}  // namespace slt
