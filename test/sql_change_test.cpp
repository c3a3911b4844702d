// INSERT, UPDATE and DELETE: prepared ones that run without operators, several in one statement, conflicts of sessions.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using Rows = std::vector<std::vector<northstar::SqlValue>>;

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Rows rows(const std::string& text, const std::vector<northstar::SqlValue>& parameters = {}) {
        return sql.execute(text, parameters).rows;
    }
    std::string state_of(const std::string& text) {
        try {
            sql.execute_script(text);
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return "00000";
    }
};

/// Runs a prepared statement without rows; its SQLSTATE.
std::string run(northstar::SqlStatement& statement, const std::vector<std::int64_t>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) statement.bind_integer(i + 1, values[i]);
    try {
        while (statement.step()) {}
    } catch (const northstar::SqlFailure& failure) {
        statement.reset();
        return failure.sqlstate;
    }
    return "00000";
}

}  // namespace

TEST_CASE("changes by key do what the same changes through operators do", "[sql]") {
    const unsigned seed = 20260701;
    INFO("seed " << seed);
    Fixture f;
    const std::string columns = " (id int PRIMARY KEY, a int UNIQUE, b int NOT NULL DEFAULT 5 CHECK (b < 90), "
                                "c int GENERATED ALWAYS AS (b * 2) STORED);";
    f.sql.execute_script("CREATE TABLE fast" + columns + "CREATE INDEX ON fast (b, c);");
    f.sql.execute_script("CREATE TABLE slow" + columns);
    northstar::SqlStatement insert = f.sql.prepare("INSERT INTO fast (id, a, b) VALUES ($1, $2, $3)");
    northstar::SqlStatement update = f.sql.prepare("UPDATE fast SET b = b + $2, a = $3 WHERE id = $1");
    northstar::SqlStatement move = f.sql.prepare("UPDATE fast SET id = $2 WHERE id = $1 AND b < $3");
    northstar::SqlStatement erase = f.sql.prepare("DELETE FROM fast WHERE id = $1");
    northstar::SqlStatement slow_insert = f.sql.prepare("INSERT INTO slow (id, a, b) SELECT $1::int, $2::int, $3::int");
    northstar::SqlStatement slow_update = f.sql.prepare("UPDATE slow SET b = b + $2, a = $3 WHERE id + 0 = $1");
    northstar::SqlStatement slow_move = f.sql.prepare("UPDATE slow SET id = $2 WHERE id + 0 = $1 AND b < $3");
    northstar::SqlStatement slow_erase = f.sql.prepare("DELETE FROM slow WHERE id + 0 = $1");
    std::mt19937 random(seed);
    const auto any = [&](unsigned below) { return static_cast<std::int64_t>(random() % below); };
    for (int step = 0; step < 600; ++step) {
        const bool block = step % 40 == 20;
        const std::int64_t id = any(30), a = any(60), b = any(100), more = any(20);
        // A failure inside a block is undone, so that the block goes on.
        const auto outcome = [&](northstar::SqlStatement& statement, const std::vector<std::int64_t>& values) {
            if (block) f.sql.execute("SAVEPOINT before");
            const std::string state = run(statement, values);
            if (block && state != "00000") f.sql.execute("ROLLBACK TO before");
            return state;
        };
        if (block) f.sql.execute("BEGIN");
        switch (any(4)) {
            case 0: REQUIRE(outcome(insert, {id, a, b}) == outcome(slow_insert, {id, a, b})); break;
            case 1: REQUIRE(outcome(update, {id, more, a}) == outcome(slow_update, {id, more, a})); break;
            case 2: REQUIRE(outcome(move, {id, a % 30, b}) == outcome(slow_move, {id, a % 30, b})); break;
            default: REQUIRE(outcome(erase, {id}) == outcome(slow_erase, {id}));
        }
        if (block) f.sql.execute(step % 80 == 20 ? "ROLLBACK" : "COMMIT");
        REQUIRE(f.rows("SELECT * FROM fast ORDER BY id") == f.rows("SELECT * FROM slow ORDER BY id"));
    }
    CHECK(f.rows("SELECT id FROM fast WHERE b >= 0 ORDER BY b, c, id") ==
          f.rows("SELECT id FROM slow ORDER BY b, c, id"));
}

TEST_CASE("a change by key returns the row as it is stored", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'x', b int GENERATED ALWAYS AS (id * 2) "
                         "STORED, n bigserial)");
    CHECK(f.rows("INSERT INTO t (id) VALUES ($1) RETURNING *", {"1"}) == Rows{{"1", "x", "2", "1"}});
    CHECK(f.rows("INSERT INTO t (id) VALUES ($1), ($2) RETURNING id + b", {"2", "3"}) == Rows{{"6"}, {"9"}});
    CHECK(f.rows("UPDATE t SET a = a || $2 WHERE id = $1 RETURNING a", {"1", "y"}) == Rows{{"xy"}});
    CHECK(f.rows("UPDATE t SET a = 'z' WHERE id = $1 AND a = $2 RETURNING a", {"1", "x"}).empty());
    CHECK(f.rows("DELETE FROM t WHERE id = $1 RETURNING n", {"1"}) == Rows{{"1"}});
    CHECK(f.rows("DELETE FROM t WHERE id = $1 RETURNING n", {"1"}).empty());
    CHECK(f.rows("UPDATE t SET a = 'q' WHERE id = $1", {std::nullopt}).empty());
}

TEST_CASE("a prepared change serves one transaction after another", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE parent (id int PRIMARY KEY);"
                         "CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent ON DELETE CASCADE);"
                         "CREATE TEMP TABLE notes (id int PRIMARY KEY, v int)");
    northstar::SqlStatement add = f.sql.prepare("INSERT INTO parent VALUES ($1)");
    northstar::SqlStatement refer = f.sql.prepare("INSERT INTO child VALUES ($1, $2)");
    northstar::SqlStatement drop = f.sql.prepare("DELETE FROM parent WHERE id = $1");
    northstar::SqlStatement note =
        f.sql.prepare("INSERT INTO notes VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET v = notes.v + excluded.v");
    for (std::int64_t round = 1; round <= 3; ++round) {
        CHECK(run(add, {round}) == "00000");
        CHECK(run(refer, {round, round}) == "00000");
        CHECK(run(refer, {round + 100, round + 100}) == "23503");
        f.sql.execute("BEGIN");
        CHECK(run(refer, {round + 10, round}) == "00000");
        CHECK(run(note, {1, round}) == "00000");
        CHECK(run(note, {1, 10}) == "00000");
        f.sql.execute(round == 2 ? "ROLLBACK" : "COMMIT");
        CHECK(run(drop, {round}) == "00000");
        CHECK(f.rows("SELECT count(*) FROM child") == Rows{{"0"}});
    }
    CHECK(f.rows("SELECT v FROM notes") == Rows{{"24"}});
}

TEST_CASE("a prepared change follows changes of its table", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, a int)");
    northstar::SqlStatement insert = f.sql.prepare("INSERT INTO t (id, a) VALUES ($1, $2)");
    CHECK(run(insert, {1, 1}) == "00000");
    f.sql.execute_script("ALTER TABLE t ADD COLUMN b int DEFAULT 7; CREATE UNIQUE INDEX ON t (a)");
    CHECK(run(insert, {2, 1}) == "23505");
    CHECK(run(insert, {2, 2}) == "00000");
    CHECK(f.rows("SELECT * FROM t ORDER BY id") == Rows{{"1", "1", "7"}, {"2", "2", "7"}});
    f.sql.execute("SET default_transaction_read_only = on");
    CHECK(run(insert, {3, 3}) == "25006");
}

TEST_CASE("a statement that fails after its first row leaves nothing behind", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE); INSERT INTO t VALUES (1, 1)");
    CHECK(f.state_of("INSERT INTO t VALUES (2, 2), (3, 1)") == "23505");
    CHECK(f.state_of("BEGIN; INSERT INTO t VALUES (4, 4); SAVEPOINT s; INSERT INTO t VALUES (5, 5), (6, 1)") ==
          "23505");
    f.sql.execute_script("ROLLBACK TO s; INSERT INTO t VALUES (7, 5); COMMIT");
    CHECK(f.rows("SELECT id FROM t ORDER BY id") == Rows{{"1"}, {"4"}, {"7"}});
    CHECK(f.rows("SELECT id FROM t WHERE a = 5") == Rows{{"7"}});
    CHECK(f.database.verify().ok());
}

TEST_CASE("settings changed in a block return with its rollback", "[sql]") {
    Fixture f;
    f.sql.execute_script("SET timezone = 'UTC'; BEGIN; SET timezone = 'Europe/Berlin'; ROLLBACK");
    CHECK(f.rows("SHOW timezone") == Rows{{"UTC"}});
    f.sql.execute_script("BEGIN; SET timezone = 'Europe/Berlin'; COMMIT; BEGIN; ROLLBACK");
    CHECK(f.rows("SHOW timezone") == Rows{{"Europe/Berlin"}});
}

TEST_CASE("statements of sessions that change one row at a time all succeed", "[sql]") {
    // A statement outside of a block runs again where another session was faster: its client never sees 40001.
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, by_key int, by_scan int);"
                         "INSERT INTO t VALUES (1, 0, 0)");
    std::atomic<int> failures{0};
    constexpr int k_rounds = 150;
    const auto work = [&] {
        northstar::SqlConnection own(f.database);
        for (int i = 0; i < k_rounds; ++i) {
            try {
                own.execute("UPDATE t SET by_key = by_key + 1 WHERE id = 1");
                own.execute("UPDATE t SET by_scan = by_scan + 1 WHERE id < 5");
            } catch (const northstar::SqlFailure&) {
                ++failures;
            }
        }
    };
    std::thread other(work);
    work();
    other.join();
    CHECK(failures == 0);
    const std::string twice = std::to_string(2 * k_rounds);
    CHECK(f.rows("SELECT by_key, by_scan FROM t") == Rows{{twice, twice}});
}

TEST_CASE("the parts of a statement see what was there before it", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE INDEX ON t (v);"
                         "INSERT INTO t VALUES (1, 10), (2, 20); CREATE TEMP TABLE log (v int)");
    const std::string contents = "SELECT id, v FROM t ORDER BY id";
    CHECK(f.rows("WITH u AS (UPDATE t SET v = v + 1 RETURNING v) SELECT v FROM t ORDER BY id") == Rows{{"10"}, {"20"}});
    CHECK(f.rows(contents) == Rows{{"1", "11"}, {"2", "21"}});
    CHECK(f.rows("WITH d AS (DELETE FROM t WHERE id = 1 RETURNING *), i AS (INSERT INTO t VALUES (3, 30) RETURNING *) "
                 "SELECT (SELECT count(*) FROM t), (SELECT v FROM t WHERE v = 11), (SELECT v FROM d), "
                 "(SELECT v FROM i)") == Rows{{"2", "11", "11", "30"}});
    CHECK(f.rows(contents) == Rows{{"2", "21"}, {"3", "30"}});
    CHECK(f.rows("WITH a AS (INSERT INTO log VALUES (1) RETURNING v) SELECT count(*) FROM log") == Rows{{"0"}});
    CHECK(f.rows("SELECT count(*) FROM log") == Rows{{"1"}});
}

TEST_CASE("a row is changed by one part of a statement alone", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, v int UNIQUE); INSERT INTO t VALUES (1, 10), (2, 20)");
    // The main part comes first, and WITH queries that nobody reads last.
    CHECK(f.sql.execute("WITH u AS (UPDATE t SET v = 77 WHERE id = 1) UPDATE t SET v = v + 1").tag == "UPDATE 2");
    CHECK(f.rows("SELECT v FROM t ORDER BY id") == Rows{{"11"}, {"21"}});
    CHECK(f.sql.execute("WITH d AS (DELETE FROM t WHERE id = 1 RETURNING id) UPDATE t SET v = v + 1 "
                        "WHERE (SELECT count(*) FROM d) = 1").tag == "UPDATE 1");
    CHECK(f.rows("SELECT id, v FROM t") == Rows{{"2", "22"}});
    CHECK(f.state_of("WITH i AS (INSERT INTO t VALUES (5, 50) RETURNING id) INSERT INTO t SELECT id, 51 FROM i "
                     "ON CONFLICT (id) DO UPDATE SET v = 52") == "21000");
    CHECK(f.database.verify().ok());
}

TEST_CASE("foreign keys are checked when all parts of a statement are done", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (p int REFERENCES parent)");
    f.sql.execute("WITH p AS (INSERT INTO parent VALUES (1)) INSERT INTO child VALUES (1)");
    CHECK(f.rows("SELECT p FROM child") == Rows{{"1"}});
    CHECK(f.state_of("WITH p AS (INSERT INTO parent VALUES (2)) INSERT INTO child VALUES (3)") == "23503");
    CHECK(f.rows("SELECT count(*) FROM parent") == Rows{{"1"}});
}

TEST_CASE("RETURNING asks a table as it was before the statement", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 10), (2, 20)");
    CHECK(f.rows("UPDATE t SET v = 0 RETURNING (SELECT sum(v) FROM t)") == Rows{{"30"}, {"30"}});
    CHECK(f.rows("BEGIN").empty());
    f.sql.execute("INSERT INTO t VALUES (3, 5)");
    CHECK(f.rows("DELETE FROM t WHERE id = 3 RETURNING (SELECT sum(v) FROM t)") == Rows{{"5"}});
    f.sql.execute("COMMIT");
    CHECK(f.rows("SELECT count(*) FROM t") == Rows{{"2"}});
}

TEST_CASE("a DELETE of all rows is told of row by row by what looks at the past", "[sql][change]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE gone (id int PRIMARY KEY, v int); CREATE INDEX ON gone (v);"
                         "INSERT INTO gone SELECT i, i * 10 FROM generate_series(1, 300) AS g(i)");
    const northstar::SqlResult erased = f.sql.execute("DELETE FROM gone");
    CHECK(erased.tag == "DELETE 300");
    const auto one = [&](const std::string& text) { return f.sql.execute(text).rows.at(0).at(0).value_or("NULL"); };
    const std::string before = std::to_string(erased.txn - 1);
    CHECK(one("SELECT count(*) FROM gone WHERE v > 0") == "0");
    CHECK(one("SELECT count(*) FROM changes('gone', " + before + ") WHERE operation = 'delete'") == "300");
    CHECK(one("SELECT old ->> 'v' FROM history('gone', 7) ORDER BY txn DESC LIMIT 1") == "70");
    CHECK(one("SELECT id FROM gone WHERE v = 2990 AS OF " + before) == "299");
    CHECK(f.database.verify().ok());
}
