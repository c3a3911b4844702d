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

/// A statement failed. what() is the message; the rest are the fields that PostgreSQL sends. Where a layer below SQL
/// failed, code(), file() and page() are its own: outcome_unknown at a COMMIT (08007) means what it means elsewhere.
class SqlFailure : public Error {
public:
    SqlFailure(Errc code, std::string message) : Error(code, std::move(message)) {}
    std::string sqlstate;        ///< five characters, e.g. "23505"
    std::string detail, hint;    ///< empty: none
    std::string context;         ///< e.g. line and column of what COPY read; empty: none
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

/// A message that does not end a statement.
struct SqlNotice {
    std::string severity;  ///< "NOTICE", "WARNING"
    std::string sqlstate;
    std::string message;
    std::string detail, hint;  ///< empty: none
};
/// Is called while a statement runs, on its thread; must not use the connection, nor throw.
using SqlNoticeHandler = void (*)(void* context, const SqlNotice& notice);

/// What NOTIFY told.
struct SqlNotification {
    std::string channel;
    std::string payload;       ///< empty where NOTIFY gave none
    std::int32_t process = 0;  ///< pg_backend_pid() of the session that told it, by which a session knows its own
    Txn txn = 0;               ///< commit that it came with
};

/// The form in which a value travels; the numbers are those of PostgreSQL's protocol.
enum class SqlFormat : std::uint8_t { text = 0, binary = 1 };

/// The value of $n.
struct SqlParameter {
    SqlValue value;  ///< bytes in the form that `format` says; nullopt: NULL
    SqlFormat format = SqlFormat::text;
};

/// What is known of a statement before it runs.
struct SqlDescription {
    std::vector<std::uint32_t> parameter_types;  ///< OIDs of $1, $2, ...
    bool has_rows = false;
    std::vector<SqlColumn> columns;
};

class SqlPortal;

/// Where COPY .. FROM STDIN reads. Is called on the statement's thread while it runs; must not use the connection.
class SqlCopySource {
public:
    virtual ~SqlCopySource() = default;
    /// Before the first read: how many columns are wanted, in binary or in text form.
    virtual void begin(std::size_t columns, bool binary) {
        static_cast<void>(columns);
        static_cast<void>(binary);
    }
    /// Puts the next bytes (one or more; they may end anywhere) into `bytes`; false: there are no more. What it throws
    /// ends the statement.
    virtual bool read(std::string& bytes) = 0;
};

/// Where COPY .. TO STDOUT writes; as SqlCopySource.
class SqlCopySink {
public:
    virtual ~SqlCopySink() = default;
    virtual void begin(std::size_t columns, bool binary) {
        static_cast<void>(columns);
        static_cast<void>(binary);
    }
    /// Bytes that follow those before: whole lines, or in binary form whole rows.
    virtual void write(std::string_view bytes) = 0;
};

/// Takes what the statements of a script answer, as it arises. Is called on the script's thread while it runs; must not
/// use the connection. What it throws ends the script as a failed statement does.
class SqlScriptSink {
public:
    virtual ~SqlScriptSink() = default;
    /// A statement answers with rows of these columns; they follow.
    virtual void begin(const std::vector<SqlColumn>& columns) = 0;
    virtual void row(std::vector<SqlValue> values) = 0;
    /// A statement has run. `txn`: commit that it made; 0: none (yet).
    virtual void end(const std::string& tag, Txn txn) = 0;
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
    /// Runs a script, each statement by itself; results of those that ran. Throws at the first that fails; nothing runs
    /// of a script that cannot be parsed.
    std::vector<SqlResult> execute_script(std::string_view script);
    /// Runs a text as PostgreSQL runs a simple query (psql -c): several statements are one transaction, as far as they
    /// do not begin and end blocks themselves. Throws at the first that fails, which undoes what the others have done
    /// since the transaction began.
    std::vector<SqlResult> simple_query(std::string_view text);
    /// The same; rows go to `sink` as they are computed, also those of statements before one that fails, and notices
    /// to the handler of on_notice() alone.
    void simple_query(std::string_view text, SqlScriptSink& sink);
    bool in_transaction() const noexcept;
    /// A statement of the transaction block has failed: everything but the end of the block is refused (25P02).
    bool transaction_failed() const noexcept;

    /// Types of parameters and columns of one statement, which does not run. `parameter_types` says what is known
    /// already (0: to be inferred); there may be fewer than parameters. Throws SqlFailure; 42P18 where nothing tells
    /// the type of a parameter.
    SqlDescription describe(std::string_view statement, const std::vector<std::uint32_t>& parameter_types = {});
    /// Begins a statement whose rows are fetched bit by bit (northstar_sql_portal.hpp). `formats` holds the form of
    /// each column, or one for all, or none: text. Throws SqlFailure.
    SqlPortal open_portal(std::string_view statement, const std::vector<SqlParameter>& parameters = {},
                          const std::vector<SqlFormat>& formats = {},
                          const std::vector<std::uint32_t>& parameter_types = {});

    /// Makes the statement that runs, or a wait for notifications, end with 57014 as soon as it looks; where none runs
    /// nothing happens. May be called from any thread and from a signal handler, as long as the connection is neither
    /// moved nor destroyed meanwhile.
    void cancel() noexcept;
    /// What has arrived on the channels that this session listens on and was not handed out yet, oldest first; does not
    /// wait. Inside of a transaction block nothing arrives before its end. Throws SqlFailure: 72000 where notifications
    /// were lost, since the log is not kept back to the last call (History); the next call goes on behind them. Whoever
    /// listens asks now and then: nothing is kept for those who do not.
    std::vector<SqlNotification> notifications();
    /// The oldest one, waiting up to timeout_ms for it; nullopt: none came. Whoever notifies, in any process, ends the
    /// wait at once. Throws SqlFailure: as notifications(); 57014 once cancel() was called, which takes a tenth of a
    /// second at most; 25001 inside of a transaction block, where nothing could arrive.
    std::optional<SqlNotification> wait_for_notification(std::uint32_t timeout_ms);
    /// From now on notices go to `handler` as they arise, and no longer into SqlResult. nullptr: into SqlResult again.
    void on_notice(SqlNoticeHandler handler, void* context) noexcept;
    /// What STDIN and STDOUT mean in COPY from now on; they must outlive the connection or the next call. nullptr: COPY
    /// from or to them is refused (0A000), as it is at first.
    void copy_streams(SqlCopySource* source, SqlCopySink* sink) noexcept;

private:
    std::unique_ptr<sql::SqlSession> session_;
};

/// Compares what SQL stores with itself, in the newest state: rows can be read and fit their table's constraints, every
/// index has exactly the entries of its rows, and foreign keys lead somewhere. Empty: all is well. O(rows * log rows).
/// Works on a database that was opened for reading only. Throws Error where the file cannot be read.
std::vector<Problem> verify_sql(Database& database);

}  // namespace v0
}  // namespace northstar

#endif  // NORTHSTAR_OMIT_SQL
#endif  // NORTHSTAR_SQL_HPP
