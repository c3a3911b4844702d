// northstar_sql.hpp -- SQL over a database: connections, statements, rows. Part of northstar.hpp.
//
// The language is PostgreSQL's, with AS OF for every past state. Values travel as PostgreSQL's text forms.
// Compiled with NORTHSTAR_OMIT_SQL the library has none of it.
#ifndef NORTHSTAR_SQL_HPP
#define NORTHSTAR_SQL_HPP

#ifndef NORTHSTAR_OMIT_SQL

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar {
inline namespace v0 {

namespace sql {
class SqlSession;
}

/// A statement failed. what() is the message; the rest are the fields that PostgreSQL sends.
class SqlFailure : public Error {
public:
    SqlFailure(Errc code, std::string message) : Error(code, std::move(message)) {}
    std::string sqlstate;        ///< five characters, e.g. "23505"
    std::string detail, hint;    ///< empty: none
    std::string schema, table, column, constraint;
    std::uint32_t position = 0;  ///< in characters of the text, from 1; 0: none
};

struct SqlColumn {
    std::string name;
    std::uint32_t type_oid = 0;  ///< PostgreSQL's number of the type
    std::string type;            ///< as SQL spells it: "numeric(10,2)"
};

/// A value as text; nullopt: NULL.
using SqlValue = std::optional<std::string>;

/// What a statement answered. A plain value: it stays when the connection goes.
struct SqlResult {
    bool has_rows = false;
    std::vector<SqlColumn> columns;
    std::vector<std::vector<SqlValue>> rows;
    std::string tag;             ///< "INSERT 0 2", "SELECT 3", "CREATE TABLE"
    Txn txn = 0;                 ///< commit that the statement made; 0: none
    std::vector<std::string> notices;
};

/// A session: transaction, settings, prepared statements, temporary tables. The database must outlive it. Belongs to
/// one thread at a time; a database may have any number of connections.
class SqlConnection {
public:
    explicit SqlConnection(Database& database);
    SqlConnection(SqlConnection&&) noexcept;
    SqlConnection& operator=(SqlConnection&&) noexcept;
    /// Rolls back what is open.
    ~SqlConnection();

    /// Runs one statement; `parameters` are the values of $1, $2, ... Throws SqlFailure; 42601 where the text holds
    /// more than one statement.
    SqlResult execute(std::string_view statement, const std::vector<SqlValue>& parameters = {});
    /// Runs a script, each statement by itself; results of those that ran. Throws at the first that fails.
    std::vector<SqlResult> execute_script(std::string_view script);
    bool in_transaction() const noexcept;

private:
    std::unique_ptr<sql::SqlSession> session_;
};

}  // namespace v0
}  // namespace northstar

#endif  // NORTHSTAR_OMIT_SQL
#endif  // NORTHSTAR_SQL_HPP
