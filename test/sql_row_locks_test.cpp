// sql_row_locks_test.cpp -- FOR UPDATE and its kin: NOWAIT and SKIP LOCKED, between sessions and between processes.
#include "northstar.hpp"
#include "txn_support.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace northstar;

/// The values of the first column, with a blank between them.
std::string list(SqlConnection& sql, const std::string& text) {
    std::string values;
    for (const auto& row : sql.execute(text).rows)
        values += (values.empty() ? "" : " ") + row.at(0).value_or("NULL");
    return values;
}

std::string failure_of(SqlConnection& sql, const std::string& text) {
    try {
        sql.execute(text);
    } catch (const SqlFailure& failure) {
        return failure.sqlstate + " " + failure.what();
    }
    return "";
}

struct Sessions {
    Database db = Database::open(":memory:");
    SqlConnection a{db}, b{db};

    Sessions() {
        a.execute("CREATE TABLE task(id int PRIMARY KEY, state text DEFAULT 'new')");
        a.execute("INSERT INTO task SELECT generate_series(1, 6)");
    }
    /// What b gets while a has some rows.
    std::string others(const std::string& query) { return list(b, query); }
};

}  // namespace

TEST_CASE("SKIP LOCKED leaves out what another transaction has locked", "[sql][row_locks]") {
    Sessions s;
    s.a.execute("BEGIN");
    CHECK(list(s.a, "SELECT id FROM task ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED") == "1 2");
    CHECK(list(s.a, "SELECT id FROM task WHERE id > 4 FOR UPDATE") == "5 6");
    // Its own are in nobody's way but that of others.
    CHECK(list(s.a, "SELECT id FROM task ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 3") == "1 2 3");
    CHECK(s.others("SELECT id FROM task ORDER BY id FOR UPDATE SKIP LOCKED") == "4");
    CHECK(s.others("SELECT id FROM task ORDER BY id FOR UPDATE") == "1 2 3 4 5 6");
    CHECK(s.others("SELECT id FROM task ORDER BY id") == "1 2 3 4 5 6");
    s.a.execute("COMMIT");
    CHECK(s.others("SELECT id FROM task ORDER BY id FOR UPDATE SKIP LOCKED") == "1 2 3 4 5 6");
}

TEST_CASE("NOWAIT fails where another transaction has locked a row that it reads", "[sql][row_locks]") {
    Sessions s;
    s.a.execute_script("BEGIN; SELECT * FROM task WHERE id = 3 FOR UPDATE");
    CHECK(failure_of(s.b, "SELECT * FROM task FOR UPDATE NOWAIT") ==
          "55P03 could not obtain lock on row in relation \"task\"");
    CHECK(s.others("SELECT id FROM task WHERE id < 3 FOR UPDATE NOWAIT") == "1 2");
    // Rows behind the last one that LIMIT asks for are not locked.
    CHECK(s.others("SELECT id FROM task ORDER BY id LIMIT 2 FOR UPDATE NOWAIT") == "1 2");
    CHECK(failure_of(s.b, "SELECT * FROM task ORDER BY id LIMIT 1 OFFSET 2 FOR UPDATE NOWAIT").starts_with("55P03"));
    // The statement failed, not the session.
    CHECK(s.others("SELECT count(*) FROM task") == "6");
    s.a.execute("ROLLBACK");
    CHECK(s.others("SELECT id FROM task WHERE id = 3 FOR UPDATE NOWAIT") == "3");
}

TEST_CASE("each strength keeps off what PostgreSQL's keeps off", "[sql][row_locks]") {
    Sessions s;
    const std::vector<std::string> strengths = {"KEY SHARE", "SHARE", "NO KEY UPDATE", "UPDATE"};
    // PostgreSQL 15, table 13.3: 1: the second one is refused.
    const std::vector<std::string> refused = {"0001", "0011", "0111", "1111"};
    for (std::size_t first = 0; first < 4; ++first)
        for (std::size_t second = 0; second < 4; ++second) {
            INFO("FOR " << strengths[first] << ", then FOR " << strengths[second]);
            s.a.execute_script("BEGIN; SELECT * FROM task WHERE id = 1 FOR " + strengths[first]);
            s.b.execute("BEGIN");
            const bool failed =
                !failure_of(s.b, "SELECT * FROM task WHERE id = 1 FOR " + strengths[second] + " NOWAIT").empty();
            CHECK(failed == (refused[first][second] == '1'));
            s.b.execute("ROLLBACK");
            s.a.execute("ROLLBACK");
        }
}

TEST_CASE("locks of rows end with the transaction, or where a savepoint is gone back to", "[sql][row_locks]") {
    Sessions s;
    const std::string free = "SELECT id FROM task ORDER BY id FOR UPDATE SKIP LOCKED";
    s.a.execute_script("BEGIN; SELECT * FROM task WHERE id = 1 FOR SHARE; SAVEPOINT p");
    s.a.execute("SELECT * FROM task WHERE id < 4 FOR UPDATE");
    CHECK(s.others(free) == "4 5 6");
    s.a.execute("ROLLBACK TO p");
    CHECK(s.others(free) == "2 3 4 5 6");
    CHECK(s.others("SELECT id FROM task WHERE id = 1 FOR SHARE NOWAIT") == "1");
    // A failed statement keeps nothing.
    CHECK(failure_of(s.a, "SELECT 1 / (id - 3) FROM (SELECT * FROM task ORDER BY id FOR UPDATE) AS t") != "");
    s.a.execute("ROLLBACK TO p");
    CHECK(s.others(free) == "2 3 4 5 6");
    {
        SqlConnection c(s.db);
        c.execute_script("BEGIN; SELECT * FROM task WHERE id = 6 FOR UPDATE");
        CHECK(s.others(free) == "2 3 4 5");
    }
    CHECK(s.others(free) == "2 3 4 5 6");
    s.a.execute("COMMIT");
    CHECK(s.others(free) == "1 2 3 4 5 6");
}

TEST_CASE("a statement outside of a block gives its locks back at its end", "[sql][row_locks]") {
    Sessions s;
    CHECK(list(s.a, "UPDATE task SET state = 'run' WHERE id = (SELECT id FROM task WHERE state = 'new' "
                    "ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id") == "1");
    CHECK(list(s.a, "SELECT id FROM task WHERE id = 2 FOR UPDATE NOWAIT") == "2");
    CHECK(s.others("SELECT id FROM task ORDER BY id FOR UPDATE SKIP LOCKED") == "1 2 3 4 5 6");
}

TEST_CASE("FOR UPDATE OF locks rows of the tables it names", "[sql][row_locks]") {
    Sessions s;
    s.a.execute_script("CREATE TABLE part(task int, n int, PRIMARY KEY (task, n));"
                       "INSERT INTO part VALUES (1, 1), (1, 2), (2, 1)");
    s.a.execute_script("BEGIN; SELECT * FROM task JOIN part ON task = id WHERE id = 1 "
                       "FOR UPDATE OF part FOR SHARE OF task");
    CHECK(s.others("SELECT n FROM part FOR UPDATE SKIP LOCKED") == "1");
    CHECK(s.others("SELECT id FROM task WHERE id < 3 ORDER BY id FOR UPDATE SKIP LOCKED") == "2");
    CHECK(s.others("SELECT id FROM task WHERE id < 3 ORDER BY id FOR SHARE SKIP LOCKED") == "1 2");
    // One row that is locked is enough for the pair to be left out, unless it is not asked for.
    CHECK(s.others("SELECT id FROM task JOIN part ON task = id FOR UPDATE SKIP LOCKED") == "2");
    CHECK(s.others("SELECT id FROM task JOIN part ON task = id FOR SHARE OF task SKIP LOCKED").size() == 5);
    CHECK(failure_of(s.b, "SELECT 1 FROM task JOIN part ON task = id FOR SHARE SKIP LOCKED "
                          "FOR KEY SHARE OF part NOWAIT").starts_with("55P03"));
}

TEST_CASE("views, subqueries, heirs and partitions hand a lock on to the tables below", "[sql][row_locks]") {
    Sessions s;
    s.a.execute("CREATE VIEW early AS SELECT id FROM task WHERE id < 4");
    s.a.execute_script("CREATE TABLE heir(more int) INHERITS (task); INSERT INTO heir VALUES (9, 'new', 1)");
    s.a.execute_script("CREATE TABLE cut(id int PRIMARY KEY) PARTITION BY RANGE (id);"
                "CREATE TABLE cut1 PARTITION OF cut FOR VALUES FROM (0) TO (10);"
                "CREATE TABLE cut2 PARTITION OF cut FOR VALUES FROM (10) TO (20); INSERT INTO cut VALUES (1), (11)");
    s.a.execute("BEGIN");
    CHECK(list(s.a, "SELECT id FROM early WHERE id = 1 FOR UPDATE") == "1");
    CHECK(s.others("SELECT id FROM early ORDER BY id FOR UPDATE SKIP LOCKED") == "2 3");
    CHECK(list(s.a, "SELECT id FROM (SELECT id AS id FROM task) AS t WHERE id = 2 FOR UPDATE") == "2");
    CHECK(s.others("SELECT id FROM ONLY task ORDER BY id FOR UPDATE SKIP LOCKED") == "3 4 5 6");
    CHECK(list(s.a, "SELECT id FROM task WHERE id IN (3, 9) ORDER BY id FOR UPDATE") == "3 9");
    CHECK(s.others("SELECT id FROM task ORDER BY id FOR UPDATE SKIP LOCKED") == "4 5 6");
    CHECK(s.others("SELECT id FROM heir FOR UPDATE SKIP LOCKED") == "");
    CHECK(list(s.a, "SELECT id FROM cut1 FOR UPDATE") == "1");
    CHECK(s.others("SELECT id FROM cut FOR UPDATE SKIP LOCKED") == "11");
    CHECK(list(s.a, "SELECT id FROM cut WHERE id = 11 FOR UPDATE") == "11");
    CHECK(s.others("SELECT id FROM cut2 FOR UPDATE SKIP LOCKED") == "");
}

TEST_CASE("rows of the past and of temporary tables need no locks", "[sql][row_locks]") {
    Sessions s;
    s.b.execute("CREATE TEMPORARY TABLE mine AS SELECT 1 AS id");
    s.a.execute_script("BEGIN; SELECT * FROM task FOR UPDATE");
    CHECK(s.others("SELECT id FROM mine FOR UPDATE NOWAIT") == "1");
    CHECK(s.others("SELECT count(*) FROM (SELECT * FROM task FOR SYSTEM_TIME AS OF 2 FOR UPDATE NOWAIT) AS t") == "6");
}

TEST_CASE("who has locked very many rows of a table has all of them", "[sql][row_locks][ROWLOCK-2]") {
    Sessions s;
    s.a.execute("INSERT INTO task SELECT generate_series(7, 5000)");
    SECTION("unless others have some") {
        s.b.execute_script("BEGIN; SELECT * FROM task WHERE id = 5000 FOR UPDATE");
        s.a.execute_script("BEGIN; SELECT * FROM task WHERE id <= 4000 FOR UPDATE");
        CHECK(s.others("SELECT min(id) FROM (SELECT id FROM task FOR UPDATE SKIP LOCKED) AS t") == "4001");
        s.b.execute("COMMIT");
        // The next time it is tried it succeeds.
        s.a.execute("SELECT * FROM task WHERE id <= 4999 FOR UPDATE");
        CHECK(s.others("SELECT count(*) FROM (SELECT id FROM task FOR UPDATE SKIP LOCKED) AS t") == "0");
    }
    SECTION("until it goes back") {
        s.a.execute_script("BEGIN; SELECT * FROM task WHERE id = 1 FOR UPDATE; SAVEPOINT p;"
                           "SELECT * FROM task FOR UPDATE");
        CHECK(failure_of(s.b, "SELECT * FROM task WHERE id = 5000 FOR KEY SHARE NOWAIT").starts_with("55P03"));
        s.a.execute("ROLLBACK TO p");
        CHECK(s.others("SELECT count(*) FROM (SELECT id FROM task FOR UPDATE SKIP LOCKED) AS t") == "4999");
    }
}

TEST_CASE("a row changed since the transaction's state is not taken", "[sql][row_locks]") {
    Sessions s;
    s.b.execute_script("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    s.b.execute("SELECT * FROM task WHERE id = 6");
    s.a.execute("UPDATE task SET state = 'run' WHERE id = 1");
    CHECK(s.others("SELECT id FROM task WHERE id > 1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED") == "2");
    CHECK(failure_of(s.b, "SELECT id FROM task FOR UPDATE SKIP LOCKED").starts_with("40001"));
}

TEST_CASE("what SKIP LOCKED passed over may change before the commit", "[sql][row_locks]") {
    Sessions s;
    s.a.execute_script("BEGIN; SELECT * FROM task WHERE id = 1 FOR UPDATE");
    s.b.execute("BEGIN");
    CHECK(s.others("SELECT id FROM task WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED") == "2");
    s.b.execute("UPDATE task SET state = 'run' WHERE id = 2");
    s.a.execute_script("UPDATE task SET state = 'run' WHERE id = 1; COMMIT");
    CHECK(failure_of(s.b, "COMMIT") == "");
    CHECK(list(s.a, "SELECT count(*) FROM task WHERE state = 'run'") == "2");
    // What it took may not.
    s.b.execute("BEGIN");
    CHECK(s.others("SELECT id FROM task WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED") == "3");
    s.b.execute("UPDATE task SET state = 'late' WHERE id = 5");
    s.a.execute("UPDATE task SET state = 'run' WHERE id = 3");
    CHECK(failure_of(s.b, "COMMIT").starts_with("40001"));
}

TEST_CASE("rows that a view locks may not change before the commit", "[sql][row_locks]") {
    Sessions s;
    s.a.execute("CREATE VIEW mine AS SELECT * FROM task WHERE id < 3 ORDER BY id FOR UPDATE");
    for (const std::string id : {"1", "2", "5"}) {
        INFO("row " << id);
        s.b.execute("BEGIN");
        CHECK(s.others("SELECT id FROM mine") == "1 2");
        s.a.execute("UPDATE task SET state = 'run' WHERE id = " + id);
        const std::string failure = failure_of(s.b, "UPDATE task SET state = 'sum' WHERE id = 6");
        CHECK((failure + failure_of(s.b, "COMMIT")).substr(0, 5) == (id == "5" ? "" : "40001"));
        s.b.execute("ROLLBACK");
    }
}

TEST_CASE("SKIP LOCKED hands each task to one worker, and nobody is refused", "[sql][row_locks]") {
    const txn_test::Workplace place;
    Database db = Database::open(place / "a.db");
    constexpr int k_tasks = 400, k_workers = 4;
    SqlConnection sql(db);
    sql.execute_script("CREATE TABLE task(id int PRIMARY KEY, state text DEFAULT 'new', worker int);"
                "CREATE INDEX ON task(state, id); CREATE TABLE done(id int)");
    sql.execute("INSERT INTO task SELECT generate_series(1, " + std::to_string(k_tasks) + ")");
    const bool block = GENERATE(true, false);
    INFO((block ? "in blocks" : "one statement each"));
    std::vector<std::string> failures(k_workers);
    std::vector<std::thread> workers;
    for (int worker = 0; worker < k_workers; ++worker)
        workers.emplace_back([&, worker] {
            try {
                SqlConnection own(db);
                const std::string pick = "SELECT id FROM task WHERE state = 'new' ORDER BY id LIMIT 1 "
                                         "FOR UPDATE SKIP LOCKED";
                const std::string number = std::to_string(worker);
                for (int idle = 0; idle < 50;) {
                    if (!block) {
                        const std::string id = list(own, "UPDATE task SET state = 'done', worker = " + number +
                                                             " WHERE id = (" + pick + ") RETURNING id");
                        idle = id.empty() ? idle + 1 : 0;
                        if (!id.empty()) own.execute("INSERT INTO done VALUES (" + id + ")");
                        continue;
                    }
                    own.execute("BEGIN");
                    const std::string id = list(own, pick);
                    idle = id.empty() ? idle + 1 : 0;
                    if (!id.empty()) {
                        own.execute("UPDATE task SET state = 'done', worker = " + number + " WHERE id = " + id);
                        own.execute("INSERT INTO done VALUES (" + id + ")");
                    }
                    own.execute("COMMIT");
                }
            } catch (const SqlFailure& failure) {
                failures[static_cast<std::size_t>(worker)] = failure.sqlstate + " " + failure.what();
            }
        });
    for (std::thread& worker : workers) worker.join();
    for (const std::string& failure : failures) CHECK(failure == "");
    CHECK(list(sql, "SELECT count(*) FROM task WHERE state = 'done'") == std::to_string(k_tasks));
    CHECK(list(sql, "SELECT count(*) || ' ' || count(DISTINCT id) FROM done") ==
          std::to_string(k_tasks) + " " + std::to_string(k_tasks));
}

TEST_CASE("rows that another process has locked are left out until it ends", "[sql][row_locks]") {
    const txn_test::Workplace place;
    const std::string path = place / "a.db";
    {
        Database db = Database::open(path);
        SqlConnection sql(db);
        sql.execute_script("CREATE TABLE task(id int PRIMARY KEY, state text);"
                           "INSERT INTO task SELECT generate_series(1, 4)");
    }
    int told[2], asked[2];
    REQUIRE(pipe(told) == 0);
    REQUIRE(pipe(asked) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        Database own = Database::open(path);
        SqlConnection session(own);
        session.execute_script("BEGIN; SELECT * FROM task WHERE id < 3 FOR UPDATE");
        char word = 0;
        const bool sent = write(told[1], "1", 1) == 1 && read(asked[0], &word, 1) == 1;
        _exit(sent ? 7 : 1);
    }
    char word = 0;
    REQUIRE(read(told[0], &word, 1) == 1);
    Database db = Database::open(path);
    SqlConnection sql(db);
    CHECK(list(sql, "SELECT id FROM task ORDER BY id FOR UPDATE SKIP LOCKED") == "3 4");
    CHECK(failure_of(sql, "SELECT id FROM task ORDER BY id FOR SHARE NOWAIT").starts_with("55P03"));
    REQUIRE(write(asked[1], "g", 1) == 1);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 7);
    CHECK(list(sql, "SELECT id FROM task ORDER BY id FOR UPDATE NOWAIT") == "1 2 3 4");
    for (const int end : {told[0], told[1], asked[0], asked[1]}) close(end);
}
