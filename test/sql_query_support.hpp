// sql_query_support.hpp -- what a query answers and how it is planned, as text to compare.
#pragma once

#include "northstar.hpp"

#include <string>
#include <vector>

namespace sql_test {

/// A database in memory and a connection to it.
struct Queries {
    northstar::Database db = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{db};

    /// The lines of EXPLAIN.
    std::string plan_of(const std::string& text) {
        std::string all;
        for (const auto& row : sql.execute("EXPLAIN " + text).rows) all += row[0].value_or("") + "\n";
        return all;
    }
    /// One text for each row, a comma behind each value.
    std::vector<std::string> rows(const std::string& text) {
        std::vector<std::string> all;
        for (const auto& row : sql.execute(text).rows) {
            all.emplace_back();
            for (const auto& value : row) all.back() += value.value_or("NULL") + ",";
        }
        return all;
    }
};

}  // namespace sql_test
