// statement_state.hpp -- what stands behind SqlStatement, and SqlError on its way out of the library.  Layer: sql.
#pragma once

#include "sql/session/sql_session.hpp"

#include <string_view>
#include <vector>

namespace northstar::inline v0 {

namespace connection {

/// The failure that a user of the library sees.
[[noreturn]] void fail(const sql::SqlError& error);

}  // namespace connection

namespace sql {

struct StatementState {
    StatementState(SqlSession& owner, std::string_view text);
    /// Parameters of the inferred types, all NULL.
    void start();
    /// Type of a parameter, checked.
    Oid type_of(std::size_t n) const;
    void set(std::size_t n, const Value& value);
    const Value& value(std::size_t column) const;

    SqlSession& session;
    PreparedPlan plan;
    std::vector<Value> parameters;
    std::vector<std::string> texts;  ///< by parameter: what its value views
    std::vector<Arena> arenas;       ///< by parameter: of values that need more memory than a text
    StatementResult result;
    bool running = false;
    std::size_t row = 0;             ///< the present one, plus one
};

}  // namespace sql
}  // namespace northstar::inline v0
