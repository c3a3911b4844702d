// sqlite_handle.hpp -- a connection to SQLite with the statements prepared on it: what every peer on SQLite needs.
#pragma once

#include <sqlite3.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// One connection, used by one thread at a time. What SQLite refuses is thrown as std::runtime_error.
class SqliteHandle {
public:
    explicit SqliteHandle(const std::string& path) {
        const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
        check(sqlite3_open_v2(path.c_str(), &db_, flags, nullptr), "open");
        check(sqlite3_busy_timeout(db_, 10000), "set busy timeout");
    }
    SqliteHandle(const SqliteHandle&) = delete;
    SqliteHandle& operator=(const SqliteHandle&) = delete;
    ~SqliteHandle() {
        for (sqlite3_stmt* const statement : statements_) sqlite3_finalize(statement);
        sqlite3_close(db_);
    }

    sqlite3* database() const { return db_; }
    void check(int code, const char* what) const {
        if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
            throw std::runtime_error(std::string("sqlite: ") + what + ": " + sqlite3_errmsg(db_));
        }
    }
    void run(const char* sql) const { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), sql); }
    /// A statement that lives as long as the connection.
    sqlite3_stmt* prepare(const char* sql) {
        sqlite3_stmt* statement = nullptr;
        check(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr), sql);
        statements_.push_back(statement);
        return statement;
    }
    void step(sqlite3_stmt* statement, const char* what) const {
        check(sqlite3_step(statement), what);
        sqlite3_reset(statement);
    }

private:
    sqlite3* db_ = nullptr;
    std::vector<sqlite3_stmt*> statements_;
};

}  // namespace bench
