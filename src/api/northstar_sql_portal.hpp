// northstar_sql_portal.hpp -- statements that answer row by row, in text or binary form. Part of northstar.hpp.
//
// What a server of PostgreSQL's wire protocol needs of a connection: parse and describe (SqlConnection::describe), bind
// (SqlConnection::open_portal), execute with a row limit (SqlPortal::fetch). Values travel in PostgreSQL's text form or
// in the binary form that its send and receive functions define.
#ifndef NORTHSTAR_SQL_PORTAL_HPP
#define NORTHSTAR_SQL_PORTAL_HPP

#ifndef NORTHSTAR_OMIT_SQL

#include "api/northstar_sql.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace northstar {
inline namespace v0 {

/// A statement on its way. A query is computed as its rows are asked for, so that one of any size needs little memory;
/// everything else runs to its end with the first fetch. Once the connection runs something else the rest of a query is
/// computed and kept. Belongs to its connection's thread.
///
/// Lifetime: within a transaction block until the block ends, then fetch raises 34000. Outside of a block the query
/// reads one state, which is let go when its rows are through, or with the portal. May outlive its connection, and then
/// raises 34000 as well.
class SqlPortal {
public:
    SqlPortal(SqlPortal&&) noexcept;
    SqlPortal& operator=(SqlPortal&&) noexcept;
    ~SqlPortal();

    bool has_rows() const noexcept;
    /// Of a statement that answers with rows; known before the first fetch.
    const std::vector<SqlColumn>& columns() const noexcept;
    /// Up to `limit` further rows (0: all of them), each value in the form that was asked for. Runs the statement when
    /// called first. Throws SqlFailure.
    std::vector<std::vector<SqlValue>> fetch(std::size_t limit = 0);
    /// No row is left. Only then is tag() complete.
    bool done() const noexcept;
    /// "SELECT 3", "INSERT 0 2": of a query it counts the rows of the newest fetch, as PostgreSQL's protocol does.
    const std::string& tag() const noexcept;
    /// Commit that the statement made; 0: none (yet).
    Txn txn() const noexcept;

private:
    friend class SqlConnection;
    struct State;
    explicit SqlPortal(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace v0
}  // namespace northstar

#endif  // NORTHSTAR_OMIT_SQL
#endif  // NORTHSTAR_SQL_PORTAL_HPP
