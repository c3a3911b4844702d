// northstar_sql.hpp -- SQL over a database: connections, statements, rows. Part of northstar.hpp.
//
// The language is PostgreSQL's, with AS OF for every past state. Values travel as PostgreSQL's text forms.
// Compiled with NORTHSTAR_OMIT_SQL the library has none of it.
#ifndef NORTHSTAR_SQL_HPP
#define NORTHSTAR_SQL_HPP

#ifndef NORTHSTAR_OMIT_SQL

#include <cstddef>
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
struct StatementState;
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

/// A prepared statement: parsed and planned once, run any number of times. Parameters are numbered from 1 as in the
/// text, columns from 0. It follows changes of the schema; what parameters are stays as it was when it was prepared.
/// The connection must outlive it. Belongs to the connection's thread. Everything throws SqlFailure where it says so,
/// and Error(invalid_argument) for numbers of parameters and columns that there are not.
class SqlStatement {
public:
    SqlStatement(SqlStatement&&) noexcept;
    SqlStatement& operator=(SqlStatement&&) noexcept;
    ~SqlStatement();

    std::size_t parameter_count() const noexcept;
    /// PostgreSQL's number of the type of $n.
    std::uint32_t parameter_type(std::size_t n) const;
    std::size_t column_count() const noexcept;
    SqlColumn column(std::size_t i) const;

    /// The value of $n from the next run on; 22003 and 22P02 where the parameter's type has no such value. Parameters
    /// that were never given are NULL.
    void bind_null(std::size_t n);
    void bind_integer(std::size_t n, std::int64_t value);
    void bind_real(std::size_t n, double value);
    void bind_boolean(std::size_t n, bool value);
    /// Any type, as text. The bytes are copied.
    void bind_text(std::size_t n, std::string_view value);

    /// Runs the statement if it is not running, and goes to its next row; false: there is none, and the next call runs
    /// it again. Throws SqlFailure.
    bool step();
    /// Forgets the rows that are left.
    void reset() noexcept;

    // Of the row that step() went to; views live until the next step() or reset().
    bool is_null(std::size_t i) const;
    std::int64_t integer(std::size_t i) const;    ///< of integers, dates (days) and times (microseconds since 2000)
    double real(std::size_t i) const;             ///< of any number, the nearest
    bool boolean(std::size_t i) const;
    std::string_view bytes(std::size_t i) const;  ///< of strings and bytea, without conversion
    std::string text(std::size_t i) const;        ///< of any type, as PostgreSQL shows it; "" for NULL

    const std::string& tag() const noexcept;      ///< of the last run: "INSERT 0 2", "SELECT 3"
    Txn txn() const noexcept;                     ///< commit that the last run made; 0: none

private:
    friend class SqlConnection;
    explicit SqlStatement(std::unique_ptr<sql::StatementState> state);
    std::unique_ptr<sql::StatementState> state_;
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

    /// Runs one statement; the last few hundred texts are kept prepared. `parameters` are the values of $1, $2, ...
    /// Throws SqlFailure; 42601 where the text holds more than one statement.
    SqlResult execute(std::string_view statement, const std::vector<SqlValue>& parameters = {});
    /// Parses and plans; throws SqlFailure, 42P18 where the type of a parameter cannot be inferred.
    SqlStatement prepare(std::string_view statement);
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
