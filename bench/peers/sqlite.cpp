// SQLite as its documentation says is fast for keys and values: write-ahead log, WITHOUT ROWID so that a row
// lives in the index itself, statements prepared once, reads through the map, a page cache that holds the
// data, one connection per thread without its own mutex, and writers of this process queued in front of it
// instead of by its busy handler, which sleeps. synchronous is OFF for lazy commits and FULL for durable
// ones. For large values its pages have 16 KiB and its rows a rowid, as its pages about both advise.
#include <sqlite3.h>
#include <sys/stat.h>

#include <mutex>
#include <string>

#include "engine.hpp"
#include "peers/sqlite_handle.hpp"

namespace bench {
namespace sqlite_engine {

class Connection : public SqliteHandle {
public:
    Connection(const std::string& path, Holds holds) : SqliteHandle(path) {
        const bool large = holds == Holds::large_values;
        run(large ? "PRAGMA page_size = 16384" : "PRAGMA page_size = 4096");
        run("PRAGMA journal_mode = WAL");
        run("PRAGMA mmap_size = 17179869184");
        run("PRAGMA cache_size = -262144");
        run(large ? "PRAGMA wal_autocheckpoint = 4000" : "PRAGMA wal_autocheckpoint = 16000");
        run("PRAGMA synchronous = FULL");
        run(large ? "CREATE TABLE IF NOT EXISTS data (key BLOB PRIMARY KEY, value BLOB NOT NULL)"
                  : "CREATE TABLE IF NOT EXISTS data (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
        get_ = prepare("SELECT value FROM data WHERE key = ?1");
        put_ = prepare(
            "INSERT INTO data (key, value) VALUES (?1, ?2) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
        erase_ = prepare("DELETE FROM data WHERE key = ?1");
        scan_ = prepare("SELECT key, value FROM data ORDER BY key");
        scan_from_ = prepare("SELECT key, value FROM data WHERE key >= ?1 ORDER BY key LIMIT ?2");
        scan_back_ = prepare("SELECT key, value FROM data WHERE key <= ?1 ORDER BY key DESC LIMIT ?2");
        begin_read_ = prepare("BEGIN");
        begin_write_ = prepare("BEGIN IMMEDIATE");
        commit_ = prepare("COMMIT");
    }

    void bind(sqlite3_stmt* statement, int index, std::string_view bytes) const {
        check(
            sqlite3_bind_blob(statement, index, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC),
            "bind");
    }

    // A read transaction takes its snapshot at the first read, so BEGIN alone would be no snapshot.
    void begin_snapshot() const {
        step(begin_read_, "begin");
        bind(get_, 1, std::string_view("\0", 1));
        step(get_, "take snapshot");
    }

    void end_snapshot() const { step(commit_, "end snapshot"); }

    bool get(std::string_view key, std::string_view& value) const {
        sqlite3_reset(get_);
        bind(get_, 1, key);
        const int code = sqlite3_step(get_);
        if (code == SQLITE_DONE) return false;
        check(code, "get");
        value = {static_cast<const char*>(sqlite3_column_blob(get_, 0)),
                 static_cast<std::size_t>(sqlite3_column_bytes(get_, 0))};
        return true;
    }

    std::uint64_t scan(std::uint64_t& sum) const { return rows_of(scan_, sum); }

    std::size_t scan_from(std::string_view first, std::size_t most, Order order, std::uint64_t& sum) const {
        sqlite3_stmt* const statement = order == Order::forwards ? scan_from_ : scan_back_;
        bind(statement, 1, first);
        check(sqlite3_bind_int64(statement, 2, static_cast<sqlite3_int64>(most)), "bind");
        return rows_of(statement, sum);
    }

    void commit(std::span<const Entry> entries, Durability durability) {
        begin_write(durability);
        for (const Entry& entry : entries) {
            bind(put_, 1, entry.key);
            bind(put_, 2, entry.value);
            step(put_, "put");
        }
        step(commit_, "commit");
    }

    void erase(std::span<const std::string_view> keys, Durability durability) {
        begin_write(durability);
        for (const std::string_view key : keys) {
            bind(erase_, 1, key);
            step(erase_, "erase");
        }
        step(commit_, "commit");
    }

    void reset_get() const { sqlite3_reset(get_); }

private:
    void begin_write(Durability durability) {
        if (const bool lazy = durability == Durability::lazy; lazy != lazy_) {
            run(lazy ? "PRAGMA synchronous = OFF" : "PRAGMA synchronous = FULL");
            lazy_ = lazy;
        }
        step(begin_write_, "begin");
    }

    std::size_t rows_of(sqlite3_stmt* statement, std::uint64_t& sum) const {
        std::size_t count = 0;
        int code = sqlite3_step(statement);
        for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
            sum += *static_cast<const unsigned char*>(sqlite3_column_blob(statement, 0)) +
                   std::uint64_t{*static_cast<const unsigned char*>(sqlite3_column_blob(statement, 1))};
            ++count;
        }
        check(code, "scan");
        sqlite3_reset(statement);
        return count;
    }

    sqlite3_stmt* get_ = nullptr;
    sqlite3_stmt* put_ = nullptr;
    sqlite3_stmt* erase_ = nullptr;
    sqlite3_stmt* scan_ = nullptr;
    sqlite3_stmt* scan_from_ = nullptr;
    sqlite3_stmt* scan_back_ = nullptr;
    sqlite3_stmt* begin_read_ = nullptr;
    sqlite3_stmt* begin_write_ = nullptr;
    sqlite3_stmt* commit_ = nullptr;
    bool lazy_ = false;
};

// Connections cost far more than snapshots, so a closed reader leaves its connection for the next one.
class SqliteEngine final : public Engine {
public:
    ~SqliteEngine() override { close(); }

    Traits traits() const override {
        Traits traits;
        traits.version = sqlite3_libversion();
        traits.settings =
            "WAL, WITHOUT ROWID, prepared statements, memory map, 256 MiB cache, 64 MB between checkpoints, "
            "synchronous OFF or FULL; large values: pages of 16 KiB, with rowid";
        traits.several_processes = true;
        return traits;
    }

    void open(const OpenOptions& options) override {
        ::mkdir(options.directory.c_str(), 0755);
        path_ = options.directory + "/data.db";
        holds_ = options.holds;
        idle_.push_back(std::make_unique<Connection>(path_, holds_));
    }

    void close() override { idle_.clear(); }

    std::unique_ptr<Reader> reader() override;
    std::unique_ptr<Writer> writer() override;

    void open_and_close_snapshots(std::uint64_t times) override {
        auto connection = take();
        for (std::uint64_t i = 0; i < times; ++i) {
            connection->begin_snapshot();
            connection->end_snapshot();
        }
        give(std::move(connection));
    }

    // Without a pending transaction the log is made durable by checkpointing it.
    void sync() override { checkpoint(); }

    void checkpoint() override {
        auto connection = take();
        connection->run("PRAGMA wal_checkpoint(TRUNCATE)");
        give(std::move(connection));
    }

    std::unique_ptr<Connection> take() {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return std::make_unique<Connection>(path_, holds_);
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
    }

    void give(std::unique_ptr<Connection> connection) {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(connection));
    }

    std::mutex writer_turn;

private:
    std::string path_;
    Holds holds_ = Holds::small_values;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;
};

class SqliteReader final : public Reader {
public:
    explicit SqliteReader(SqliteEngine& engine) : engine_(engine), connection_(engine.take()) {
        connection_->begin_snapshot();
    }
    ~SqliteReader() override {
        connection_->reset_get();
        if (in_snapshot_) connection_->end_snapshot();
        engine_.give(std::move(connection_));
    }
    bool get(std::string_view key, std::string_view& value) override { return connection_->get(key, value); }
    std::uint64_t scan(std::uint64_t& sum) override { return connection_->scan(sum); }
    std::size_t scan_from(std::string_view first, std::size_t most, Order order, std::uint64_t& sum) override {
        return connection_->scan_from(first, most, order, sum);
    }
    // Outside of a transaction each statement reads the newest state.
    void renew() override {
        connection_->reset_get();
        if (in_snapshot_) connection_->end_snapshot();
        in_snapshot_ = false;
    }

private:
    SqliteEngine& engine_;
    std::unique_ptr<Connection> connection_;
    bool in_snapshot_ = true;
};

class SqliteWriter final : public Writer {
public:
    explicit SqliteWriter(SqliteEngine& engine) : engine_(engine), connection_(engine.take()) {}
    ~SqliteWriter() override { engine_.give(std::move(connection_)); }
    void commit(std::span<const Entry> entries, Durability durability, Put) override {
        const std::lock_guard turn(engine_.writer_turn);
        connection_->commit(entries, durability);
    }
    void erase(std::span<const std::string_view> keys, Durability durability) override {
        const std::lock_guard turn(engine_.writer_turn);
        connection_->erase(keys, durability);
    }

private:
    SqliteEngine& engine_;
    std::unique_ptr<Connection> connection_;
};

std::unique_ptr<Reader> SqliteEngine::reader() { return std::make_unique<SqliteReader>(*this); }
std::unique_ptr<Writer> SqliteEngine::writer() { return std::make_unique<SqliteWriter>(*this); }

const RegisterEngine registration("sqlite", 30, true, [] { return std::make_unique<SqliteEngine>(); });

}  // namespace sqlite_engine
}  // namespace bench
