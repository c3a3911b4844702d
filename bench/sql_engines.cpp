// Northstar's SQL and SQLite behind one interface.
#include <stdexcept>

#include "northstar.hpp"
#include "peers/sqlite_handle.hpp"
#include "sql.hpp"

namespace bench {
namespace sql_engines_impl {

class NorthstarQuery final : public SqlQuery {
public:
    explicit NorthstarQuery(northstar::SqlStatement statement) : statement_(std::move(statement)) {}
    void bind(int n, std::int64_t value) override { statement_.bind_integer(static_cast<std::size_t>(n), value); }
    void bind(int n, double value) override { statement_.bind_real(static_cast<std::size_t>(n), value); }
    void bind(int n, std::string_view value) override { statement_.bind_text(static_cast<std::size_t>(n), value); }
    bool step() override { return statement_.step(); }
    std::int64_t integer(int column) override { return statement_.integer(static_cast<std::size_t>(column)); }
    double real(int column) override { return statement_.real(static_cast<std::size_t>(column)); }
    std::string text(int column) override { return statement_.text(static_cast<std::size_t>(column)); }
    int columns() override { return static_cast<int>(statement_.column_count()); }

private:
    northstar::SqlStatement statement_;
};

class NorthstarSql final : public SqlEngine {
public:
    explicit NorthstarSql(std::shared_ptr<northstar::Database> database)
        : database_(std::move(database)), connection_(*database_) {}
    const char* name() const override { return "northstar"; }
    void run(std::string_view script) override { connection_.execute_script(script); }
    std::unique_ptr<SqlQuery> prepare(std::string_view statement) override {
        return std::make_unique<NorthstarQuery>(connection_.prepare(statement));
    }
    std::int64_t ask(std::string_view statement) override {
        const northstar::SqlResult result = connection_.execute(statement);
        return result.rows.empty() ? 0 : std::stoll(result.rows[0][0].value_or("0"));
    }
    std::unique_ptr<SqlEngine> session() override { return std::make_unique<NorthstarSql>(database_); }
    void settle() override { database_->checkpoint(); }

private:
    std::shared_ptr<northstar::Database> database_;
    northstar::SqlConnection connection_;
};

class SqliteQuery final : public SqlQuery {
public:
    SqliteQuery(SqliteHandle& handle, std::string_view statement) : handle_(handle) {
        handle.check(sqlite3_prepare_v3(handle.database(), statement.data(), static_cast<int>(statement.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement_, nullptr), "prepare");
    }
    ~SqliteQuery() override { sqlite3_finalize(statement_); }
    void bind(int n, std::int64_t value) override { handle_.check(sqlite3_bind_int64(statement_, n, value), "bind"); }
    void bind(int n, double value) override { handle_.check(sqlite3_bind_double(statement_, n, value), "bind"); }
    void bind(int n, std::string_view value) override {
        handle_.check(sqlite3_bind_text(statement_, n, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT),
                      "bind");
    }
    bool step() override {
        const int code = sqlite3_step(statement_);
        if (code == SQLITE_ROW) return true;
        sqlite3_reset(statement_);
        handle_.check(code, "step");
        return false;
    }
    std::int64_t integer(int column) override { return sqlite3_column_int64(statement_, column); }
    double real(int column) override { return sqlite3_column_double(statement_, column); }
    std::string text(int column) override {
        const auto* const bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
        if (bytes == nullptr) return {};
        return std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
    }
    int columns() override { return sqlite3_column_count(statement_); }

private:
    SqliteHandle& handle_;
    sqlite3_stmt* statement_ = nullptr;
};

class SqliteSql final : public SqlEngine {
public:
    SqliteSql(std::string path, SqlDurability durability)
        : path_(std::move(path)), durability_(durability), handle_(path_) {
        handle_.run("PRAGMA journal_mode = WAL");
        handle_.run(durability == SqlDurability::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
        handle_.run("PRAGMA cache_size = -1048576");  // 1 GiB: all of it
        handle_.run("PRAGMA temp_store = MEMORY");
    }
    const char* name() const override { return "sqlite"; }
    void run(std::string_view script) override { handle_.run(std::string(script).c_str()); }
    std::unique_ptr<SqlQuery> prepare(std::string_view statement) override {
        return std::make_unique<SqliteQuery>(handle_, statement);
    }
    std::int64_t ask(std::string_view statement) override {
        SqliteQuery query(handle_, statement);
        return query.step() ? query.integer(0) : 0;
    }
    std::unique_ptr<SqlEngine> session() override { return std::make_unique<SqliteSql>(path_, durability_); }
    void settle() override { handle_.run("PRAGMA wal_checkpoint(PASSIVE)"); }

private:
    std::string path_;
    SqlDurability durability_;
    SqliteHandle handle_;
};

}  // namespace sql_engines_impl

std::unique_ptr<SqlEngine> open_northstar_sql(const std::string& path, SqlDurability durability) {
    northstar::Options options;
    options.durability = durability == SqlDurability::full ? northstar::Durability::full : northstar::Durability::lazy;
    return std::make_unique<sql_engines_impl::NorthstarSql>(
        std::make_shared<northstar::Database>(northstar::Database::open(path, options)));
}

std::unique_ptr<SqlEngine> open_sqlite_sql(const std::string& path, SqlDurability durability) {
    return std::make_unique<sql_engines_impl::SqliteSql>(path, durability);
}

}  // namespace bench
