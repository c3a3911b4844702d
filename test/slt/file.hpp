// file.hpp -- sqllogictest files: records of statements and queries with what they must answer.
//
// Both dialects are read: SQLite's (values rendered by the type letters I, R, T) and the one of PostgreSQL output
// (values are the text that PostgreSQL sends; SQLSTATE behind "statement error"). The engine name is "postgresql".
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace slt {

enum class Sort { none, rows, values };

struct Record {
    std::size_t line = 0;  ///< of "statement" or "query", from 1
    bool query = false;
    bool expect_error = false;
    std::string state;     ///< expected SQLSTATE; empty: any
    std::string types;     ///< of a query
    Sort sort = Sort::none;
    std::string sql;
    std::vector<std::string> expected;  ///< one value per line
    std::string hash;      ///< expected MD5; then `expected` is empty
    std::size_t hashed_values = 0;
};

/// Records of a file that run as "postgresql", up to an applicable halt. Throws std::runtime_error if it is unreadable.
std::vector<Record> read_file(const std::string& path);
std::vector<Record> parse(const std::string& text);

}  // namespace slt
