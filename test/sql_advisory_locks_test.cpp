// sql_advisory_locks_test.cpp -- locks that programs take by number, between sessions and between processes.
#include "northstar.hpp"
#include "txn_support.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace northstar;

/// The only value that a query gives, of a function: t, f or nothing.
std::string one(SqlConnection& sql, const std::string& text) {
    return sql.execute(text).rows.at(0).at(0).value_or("NULL");
}

std::string failure_of(SqlConnection& sql, const std::string& text) {
    try {
        sql.execute(text);
    } catch (const SqlFailure& failure) {
        return failure.sqlstate;
    }
    return "";
}

struct Sessions {
    Database db = Database::open(":memory:");
    SqlConnection a{db}, b{db}, c{db};

    bool tries(SqlConnection& sql, const std::string& call) {
        return one(sql, "SELECT pg_try_advisory_" + call) == "t";
    }
};

}  // namespace

TEST_CASE("one session has an exclusive lock, several have a shared one", "[sql][ADV-1]") {
    Sessions s;
    CHECK(s.tries(s.a, "lock(1)"));
    CHECK(s.tries(s.a, "lock(1)"));
    CHECK_FALSE(s.tries(s.b, "lock(1)"));
    CHECK_FALSE(s.tries(s.b, "lock_shared(1)"));
    CHECK(s.tries(s.b, "lock(0, 1)"));
    CHECK(one(s.a, "SELECT pg_advisory_unlock(1)") == "t");
    CHECK_FALSE(s.tries(s.b, "lock(1)"));
    CHECK(one(s.a, "SELECT pg_advisory_unlock(1)") == "t");
    CHECK(s.tries(s.b, "lock_shared(1)"));
    CHECK(s.tries(s.c, "lock_shared(1)"));
    CHECK_FALSE(s.tries(s.a, "lock(1)"));
    // It may make its own lock an exclusive one when it is the only one.
    CHECK(one(s.c, "SELECT pg_advisory_unlock_shared(1)") == "t");
    CHECK(s.tries(s.b, "lock(1)"));
    CHECK(one(s.b, "SELECT pg_advisory_unlock(1)") == "t");
    CHECK(s.tries(s.a, "lock_shared(1)"));
}

TEST_CASE("locks of a transaction go with it, those of a session with the session", "[sql][ADV-1]") {
    Sessions s;
    for (const std::string end : {"COMMIT", "ROLLBACK"}) {
        s.a.execute("BEGIN");
        CHECK(s.tries(s.a, "xact_lock(1)"));
        CHECK(one(s.a, "SELECT pg_advisory_unlock(1)") == "f");
        CHECK_FALSE(s.tries(s.b, "xact_lock_shared(1)"));
        s.a.execute(end);
        CHECK(s.tries(s.b, "xact_lock(1)"));  // until this statement ends
        CHECK(s.tries(s.a, "xact_lock(1)"));
    }
    s.a.execute_script("BEGIN; SELECT pg_advisory_xact_lock(1); SAVEPOINT p");
    CHECK(s.tries(s.a, "xact_lock(2)"));
    CHECK(s.tries(s.a, "lock(3)"));
    CHECK(s.tries(s.a, "xact_lock(1)"));
    s.a.execute("ROLLBACK TO p");
    CHECK_FALSE(s.tries(s.b, "lock(1)"));
    CHECK(s.tries(s.b, "lock(2)"));
    CHECK_FALSE(s.tries(s.b, "lock(3)"));
    s.a.execute("ROLLBACK");
    CHECK(s.tries(s.b, "lock(1)"));
    {
        SqlConnection passing(s.db);
        CHECK(s.tries(passing, "lock(4)"));
        CHECK_FALSE(s.tries(s.b, "lock(4)"));
    }
    CHECK(s.tries(s.b, "lock(4)"));
    s.b.execute("DISCARD ALL");
    CHECK(s.tries(s.a, "lock(4)"));
    CHECK(s.tries(s.c, "lock(2)"));
}

TEST_CASE("who waits for a lock has it when it is given back, or is told that its time is over", "[sql]") {
    Sessions s;
    s.a.execute("SELECT pg_advisory_lock(1)");
    s.b.execute("SET lock_timeout = '20ms'");
    CHECK(failure_of(s.b, "SELECT pg_advisory_lock(1)") == "55P03");
    s.b.execute_script("SET lock_timeout = 0; SET statement_timeout = '20ms'");
    CHECK(failure_of(s.b, "SELECT pg_advisory_lock(1)") == "57014");
    s.b.execute("SET statement_timeout = 0");
    std::atomic<bool> has{false};
    std::thread waiting([&] {
        s.b.execute("SELECT pg_advisory_lock(1)");
        has = true;
    });
    CHECK_FALSE(has);
    CHECK(one(s.a, "SELECT pg_advisory_unlock(1)") == "t");
    waiting.join();
    CHECK(has);
    CHECK_FALSE(s.tries(s.a, "lock(1)"));
}

TEST_CASE("a statement that runs again has its locks once", "[sql][ADV-1]") {
    Sessions s;
    s.a.execute_script("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)");
    s.b.execute("SELECT pg_advisory_lock(1)");
    std::thread changing([&] {
        s.a.execute("UPDATE t SET n = (SELECT sum(n) FROM t) WHERE id = 1 AND "
                    "CASE WHEN pg_advisory_lock(9) IS NOT NULL THEN pg_advisory_lock(1) IS NOT NULL END");
    });
    while (s.tries(s.c, "xact_lock(9)")) std::this_thread::yield();
    // It has begun, and what it reads changes before it commits.
    s.b.execute("UPDATE t SET n = 7 WHERE id = 2");
    CHECK(one(s.b, "SELECT pg_advisory_unlock(1)") == "t");
    changing.join();
    CHECK(one(s.a, "SELECT n FROM t WHERE id = 1") == "7");
    for (const std::string number : {"9", "1"}) {
        CHECK(one(s.a, "SELECT pg_advisory_unlock(" + number + ")") == "t");
        CHECK(one(s.a, "SELECT pg_advisory_unlock(" + number + ")") == "f");
    }
}

TEST_CASE("another process keeps off until it gives its lock back or dies", "[sql][NUM-2]") {
    const txn_test::Workplace place;
    const std::string path = place / "a.db";
    std::optional<Database> db = Database::open(path);
    std::optional<SqlConnection> sql(std::in_place, *db);
    sql->execute("SELECT pg_advisory_lock(1), pg_advisory_lock_shared(2)");
    int told[2], asked[2];
    REQUIRE(pipe(told) == 0);
    REQUIRE(pipe(asked) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        Database own = Database::open(path);
        SqlConnection session(own);
        const auto tries = [&](const std::string& call) {
            return one(session, "SELECT pg_try_advisory_" + call) == "t" ? '1' : '0';
        };
        std::string found{tries("lock(1)"), tries("lock_shared(1)"), tries("lock(2)"), tries("lock_shared(2)"),
                          tries("lock(3)")};
        bool sent = write(told[1], found.data(), found.size()) == static_cast<ssize_t>(found.size());
        char word = 0;
        sent = sent && read(asked[0], &word, 1) == 1;
        session.execute("SELECT pg_advisory_lock(1)");
        sent = sent && write(told[1], "1", 1) == 1;
        sent = sent && read(asked[0], &word, 1) == 1;
        _exit(sent ? 7 : 1);
    }
    std::string found(5, ' ');
    REQUIRE(read(told[0], found.data(), found.size()) == 5);
    CHECK(found == "00011");
    const auto tries = [&](const std::string& call) { return one(*sql, "SELECT pg_try_advisory_" + call) == "t"; };
    CHECK_FALSE(tries("lock(3)"));
    CHECK_FALSE(tries("lock(2)"));  // its shared one stays
    CHECK(one(*sql, "SELECT pg_advisory_unlock(1)") == "t");
    REQUIRE(write(asked[1], "g", 1) == 1);
    REQUIRE(read(told[0], found.data(), 1) == 1);
    CHECK_FALSE(tries("lock(1)"));
    REQUIRE(write(asked[1], "g", 1) == 1);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 7);
    CHECK(tries("lock(1)"));
    CHECK(tries("lock(2)"));
    CHECK(tries("lock(3)"));
    // A session that outlives its database gives back nothing, and is in nobody's way in the next handle.
    db->close();
    Database again = Database::open(path);
    SqlConnection next(again);
    sql.reset();
    CHECK(one(next, "SELECT pg_try_advisory_lock(1)") == "t");
    for (const int end : {told[0], told[1], asked[0], asked[1]}) close(end);
}
