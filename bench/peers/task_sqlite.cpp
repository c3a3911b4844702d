// A queue of tasks in SQLite as its users build it: write-ahead log, one connection for each worker, BEGIN IMMEDIATE so
// that nobody meets SQLITE_BUSY half-way, the next task by a partial index, UPDATE ... RETURNING, statements prepared
// once, and writers of this process queued in front of it instead of by its busy handler, which sleeps. synchronous is
// NORMAL for lazy keeping and FULL for durable.
#include <sqlite3.h>

#include <mutex>
#include <stdexcept>
#include <string>

#include "peers/sqlite_handle.hpp"
#include "task_engine.hpp"

namespace bench {
namespace task_sqlite {

class Connection : public SqliteHandle {
public:
    Connection(const std::string& path, Keeping keeping) : SqliteHandle(path) {
        run("PRAGMA journal_mode = WAL");
        run(keeping == Keeping::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
        run("PRAGMA cache_size = -65536");
        run("CREATE TABLE IF NOT EXISTS tasks (id INTEGER PRIMARY KEY, type TEXT NOT NULL, state INTEGER NOT NULL, "
            "priority INTEGER NOT NULL, due INTEGER NOT NULL, fence INTEGER NOT NULL, payload BLOB NOT NULL)");
        run("CREATE INDEX IF NOT EXISTS ready ON tasks (type, priority DESC, id) WHERE state = 0");
        run("CREATE INDEX IF NOT EXISTS leased ON tasks (due) WHERE state = 1");
        begin_ = prepare("BEGIN IMMEDIATE");
        commit_ = prepare("COMMIT");
        insert_ = prepare("INSERT INTO tasks (type, state, priority, due, fence, payload) "
                          "VALUES ('review', 0, 0, 0, 0, ?1)");
        claim_ = prepare("UPDATE tasks SET state = 1, fence = fence + 1, due = unixepoch() + 600 WHERE id = "
                         "(SELECT id FROM tasks WHERE type = 'review' AND state = 0 "
                         "ORDER BY priority DESC, id LIMIT 1) "
                         "RETURNING id, fence, payload");
        complete_ = prepare("DELETE FROM tasks WHERE id = ?1 AND state = 1 AND fence = ?2");
        give_back_ = prepare("UPDATE tasks SET state = 0, due = 0 WHERE id = ?1 AND state = 1 AND fence = ?2");
    }
    void begin() const { step(begin_, "begin"); }
    void commit() const { step(commit_, "commit"); }
    void insert(std::string_view payload) const {
        check(sqlite3_bind_blob(insert_, 1, payload.data(), static_cast<int>(payload.size()), SQLITE_STATIC), "bind");
        step(insert_, "insert");
    }
    bool claim(std::int64_t& id, std::int64_t& fence, std::string& payload) const {
        const int code = sqlite3_step(claim_);
        check(code, "claim");
        if (code == SQLITE_ROW) {
            id = sqlite3_column_int64(claim_, 0);
            fence = sqlite3_column_int64(claim_, 1);
            payload.assign(static_cast<const char*>(sqlite3_column_blob(claim_, 2)),
                           static_cast<std::size_t>(sqlite3_column_bytes(claim_, 2)));
            check(sqlite3_step(claim_), "claim");
        }
        sqlite3_reset(claim_);
        return code == SQLITE_ROW;
    }
    bool end(std::int64_t id, std::int64_t fence, bool done) const {
        sqlite3_stmt* const statement = done ? complete_ : give_back_;
        check(sqlite3_bind_int64(statement, 1, id), "bind");
        check(sqlite3_bind_int64(statement, 2, fence), "bind");
        step(statement, "end a task");
        return sqlite3_changes(database()) == 1;
    }
    std::uint64_t count(const char* sql) const {
        sqlite3_stmt* statement = nullptr;
        check(sqlite3_prepare_v2(database(), sql, -1, &statement, nullptr), sql);
        check(sqlite3_step(statement), "count");
        const std::int64_t found = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        return static_cast<std::uint64_t>(found);
    }

private:
    sqlite3_stmt* begin_ = nullptr;
    sqlite3_stmt* commit_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    sqlite3_stmt* claim_ = nullptr;
    sqlite3_stmt* complete_ = nullptr;
    sqlite3_stmt* give_back_ = nullptr;
};

class Worker final : public TaskWorker {
public:
    Worker(const std::string& path, Keeping keeping, std::mutex& writing, std::size_t agents)
        : connection_(path, keeping), writing_(writing), held_(agents) {}
    bool claim(std::size_t agent) override {
        const std::lock_guard lock(writing_);
        return connection_.claim(held_[agent].first, held_[agent].second, payload_);
    }
    bool complete(std::size_t agent) override { return end(agent, true); }
    bool give_back(std::size_t agent) override { return end(agent, false); }

private:
    bool end(std::size_t agent, bool done) {
        const std::lock_guard lock(writing_);
        return connection_.end(held_[agent].first, held_[agent].second, done);
    }
    Connection connection_;
    std::mutex& writing_;
    std::vector<std::pair<std::int64_t, std::int64_t>> held_;
    std::string payload_;
};

class Engine final : public TaskEngine {
public:
    Engine(const std::string& path, Keeping keeping) : path_(path), keeping_(keeping), connection_(path, keeping) {}
    void add(std::uint64_t count, std::string_view payload) override {
        connection_.begin();
        for (std::uint64_t i = 0; i < count; ++i) connection_.insert(payload);
        connection_.commit();
    }
    std::unique_ptr<TaskWorker> worker(std::size_t agents) override {
        return std::make_unique<Worker>(path_, keeping_, writing_, agents);
    }
    TaskTotals totals() override {
        return {connection_.count("SELECT count(*) FROM tasks WHERE state = 0"),
                connection_.count("SELECT count(*) FROM tasks WHERE state = 1")};
    }

private:
    std::string path_;
    Keeping keeping_;
    std::mutex writing_;
    Connection connection_;
};

const RegisterTaskEngine registered({"sqlite", [] { return true; },
                                     [](const std::string& path, Keeping keeping) -> std::unique_ptr<TaskEngine> {
                                         return std::make_unique<Engine>(path, keeping);
                                     }});

}  // namespace task_sqlite
}  // namespace bench
