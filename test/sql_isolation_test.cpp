// Isolation levels: what the statements of a block see of other sessions, and which blocks are refused.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

struct Sessions {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection one{database};
    northstar::SqlConnection two{database};
    Sessions() {
        one.execute_script("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0), (2, 0)");
    }
    static std::string value(northstar::SqlConnection& sql, const std::string& text) {
        const auto rows = sql.execute(text).rows;
        REQUIRE(rows.size() == 1);
        return rows[0][0].value_or("NULL");
    }
    static std::string state_of(northstar::SqlConnection& sql, const std::string& text) {
        try {
            sql.execute_script(text);
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return "00000";
    }
};

const char* const k_second = "SELECT v FROM t WHERE id = 2";

}  // namespace

TEST_CASE("at READ COMMITTED, which is the default, each statement sees what was committed before it", "[sql]") {
    Sessions s;
    CHECK(Sessions::value(s.one, "SHOW transaction_isolation") == "read committed");
    for (const std::string begin : {"BEGIN", "BEGIN ISOLATION LEVEL READ UNCOMMITTED"}) {
        s.two.execute("UPDATE t SET v = 0");
        s.one.execute(begin);
        CHECK(Sessions::value(s.one, k_second) == "0");
        s.two.execute("UPDATE t SET v = 5 WHERE id = 2");
        CHECK(Sessions::value(s.one, k_second) == "5");
        s.one.execute("UPDATE t SET v = v + 1 WHERE id = 1");
        s.two.execute("UPDATE t SET v = 6 WHERE id = 2");
        CHECK(Sessions::value(s.one, k_second) == "6");
        CHECK(Sessions::value(s.one, "SELECT v FROM t WHERE id = 1") == "1");
        CHECK(Sessions::state_of(s.one, "COMMIT") == "00000");
        CHECK(Sessions::value(s.one, "SELECT sum(v) FROM t") == "7");
    }
}

TEST_CASE("a block that has written is refused when another session changes a definition", "[sql]") {
    // With a savepoint rolled back behind the last change, too: then what it stands on is read anew.
    for (const bool undone : {false, true}) {
        Sessions s;
        auto statement = s.one.prepare("UPDATE t SET v = v + 1 WHERE id = $1");
        const auto change = [&] {
            statement.bind_integer(1, 1);
            statement.step();
        };
        s.one.execute("BEGIN");
        if (undone) s.one.execute("SAVEPOINT before");
        for (int i = 0; i < 3; ++i) change();
        if (undone) s.one.execute("ROLLBACK TO before");
        if (undone) change();
        s.two.execute("ALTER TABLE t ADD COLUMN w int NOT NULL DEFAULT 7");
        std::string refused = "00000";
        try {
            change();
        } catch (const northstar::SqlFailure& failure) {
            refused = failure.sqlstate;
        }
        const std::string ended = Sessions::state_of(s.one, "COMMIT");
        CHECK((refused == "40001" || ended == "40001"));
        CHECK(Sessions::value(s.two, "SELECT sum(v) || ',' || sum(w) FROM t") == "0,14");
    }
}

TEST_CASE("at REPEATABLE READ and SERIALIZABLE a block sees one state", "[sql]") {
    Sessions s;
    for (const std::string level : {"REPEATABLE READ", "SERIALIZABLE"}) {
        s.two.execute("UPDATE t SET v = 0");
        s.one.execute("BEGIN ISOLATION LEVEL " + level);
        CHECK(Sessions::value(s.one, k_second) == "0");
        s.two.execute("UPDATE t SET v = 5 WHERE id = 2");
        CHECK(Sessions::value(s.one, k_second) == "0");
        CHECK(Sessions::state_of(s.one, "COMMIT") == "00000");
        CHECK(Sessions::value(s.one, k_second) == "5");
    }
}

TEST_CASE("write skew is refused at SERIALIZABLE and let through at REPEATABLE READ", "[sql]") {
    Sessions s;
    for (const bool serializable : {true, false}) {
        for (northstar::SqlConnection* sql : {&s.one, &s.two}) {
            sql->execute(std::string("BEGIN ISOLATION LEVEL ") + (serializable ? "SERIALIZABLE" : "REPEATABLE READ"));
            sql->execute("SELECT sum(v) FROM t");
        }
        s.one.execute("UPDATE t SET v = 1 WHERE id = 1");
        s.two.execute("UPDATE t SET v = 1 WHERE id = 2");
        s.one.execute("COMMIT");
        CHECK(Sessions::state_of(s.two, "COMMIT") == (serializable ? "40001" : "00000"));
    }
}

TEST_CASE("a row that another session has changed is changed from its newest version at READ COMMITTED only", "[sql]") {
    Sessions s;
    for (const bool repeatable : {false, true}) {
        s.two.execute("UPDATE t SET v = 0");
        s.one.execute(std::string("BEGIN ISOLATION LEVEL ") + (repeatable ? "REPEATABLE READ" : "READ COMMITTED"));
        s.one.execute(k_second);
        s.two.execute("UPDATE t SET v = 10 WHERE id = 2");
        s.one.execute("UPDATE t SET v = v + 1 WHERE id = 2");
        CHECK(Sessions::state_of(s.one, "COMMIT") == (repeatable ? "40001" : "00000"));
        CHECK(Sessions::value(s.one, k_second) == (repeatable ? "10" : "11"));
    }
}

TEST_CASE("rows that FOR UPDATE has read are not changed by others before the block commits", "[sql]") {
    Sessions s;
    for (const std::string lock : {"FOR UPDATE", "FOR SHARE", "FOR NO KEY UPDATE"}) {
        s.one.execute("BEGIN");
        s.one.execute(std::string(k_second) + " " + lock);
        s.two.execute("UPDATE t SET v = v + 1 WHERE id = 2");
        CHECK(Sessions::state_of(s.one, "UPDATE t SET v = 100 WHERE id = 1; COMMIT") == "40001");
        s.one.execute("ROLLBACK");
    }
}

TEST_CASE("a locking query that is prepared, or within another, locks as well", "[sql]") {
    Sessions s;
    s.one.execute("PREPARE p AS SELECT v FROM t WHERE id = 2 FOR UPDATE");
    for (const std::string query : {"EXECUTE p", "SELECT * FROM (SELECT v FROM t WHERE id = 2 FOR UPDATE) AS s"}) {
        s.one.execute("BEGIN");
        s.one.execute(query);
        s.two.execute("UPDATE t SET v = v + 1 WHERE id = 2");
        CHECK(Sessions::state_of(s.one, "UPDATE t SET v = 100 WHERE id = 1; COMMIT") == "40001");
        s.one.execute("ROLLBACK");
    }
}

TEST_CASE("a block at READ COMMITTED goes on over definitions of others as long as it has changed nothing", "[sql]") {
    Sessions s;
    s.one.execute("BEGIN");
    CHECK(Sessions::value(s.one, k_second) == "0");
    s.two.execute("ALTER TABLE t ADD COLUMN w int DEFAULT 7");
    CHECK(Sessions::value(s.one, "SELECT w FROM t WHERE id = 2") == "7");
    CHECK(Sessions::state_of(s.one, "COMMIT") == "00000");
}

TEST_CASE("changes made under a definition that another session has replaced are refused", "[sql]") {
    Sessions s;
    s.one.execute_script("BEGIN; INSERT INTO t VALUES (3, 3)");
    s.two.execute("CREATE INDEX ON t (v)");
    CHECK(Sessions::state_of(s.one, "SELECT 1") == "40001");
    CHECK(Sessions::state_of(s.one, "SELECT 1") == "25P02");
    s.one.execute("ROLLBACK");
    CHECK(northstar::verify_sql(s.database).empty());
}

TEST_CASE("savepoints hold while a block at READ COMMITTED moves on", "[sql]") {
    Sessions s;
    s.one.execute_script("BEGIN; INSERT INTO t VALUES (3, 3); SAVEPOINT a; INSERT INTO t VALUES (4, 4)");
    s.two.execute("INSERT INTO t VALUES (5, 5)");
    CHECK(Sessions::value(s.one, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t") == "1 2 3 4 5");
    s.one.execute("ROLLBACK TO a");
    CHECK(Sessions::value(s.one, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t") == "1 2 3 5");
    s.one.execute("COMMIT");
    CHECK(Sessions::value(s.two, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t") == "1 2 3 5");
}

TEST_CASE("a cursor keeps the state of its query while its block moves on", "[sql]") {
    Sessions s;
    s.one.execute_script("BEGIN; DECLARE c CURSOR FOR SELECT v FROM t ORDER BY id");
    s.one.execute("FETCH 1 FROM c");
    s.two.execute("UPDATE t SET v = 9");
    CHECK(Sessions::value(s.one, k_second) == "9");
    CHECK(Sessions::value(s.one, "FETCH 1 FROM c") == "0");
}

TEST_CASE("a row that was found by an entry of an index and changed is a row that was read", "[sql]") {
    // The entry stays as it is when another session changes the rest of the row.
    for (const std::string change : {"UPDATE t SET v = 1 WHERE k = 7", "DELETE FROM t WHERE k = 7"}) {
        Sessions s;
        s.one.execute_script("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, k int, v int); CREATE INDEX ON t (k);"
                             "INSERT INTO t SELECT i, i, 0 FROM generate_series(1, 1000) i");
        s.one.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
        s.one.execute(change);
        s.two.execute("UPDATE t SET v = 2 WHERE id = 7");
        CHECK(Sessions::state_of(s.one, "COMMIT") == "40001");
        CHECK(Sessions::value(s.two, "SELECT v FROM t WHERE id = 7") == "2");
    }
}

TEST_CASE("the first query of a block at READ COMMITTED sees the newest state, whatever came before it", "[sql]") {
    // SAVEPOINT opened the state of the block, and its first query did not move on. Portals moved on behind other
    // statements only.
    Sessions s;
    s.one.execute_script("BEGIN; SAVEPOINT a; ROLLBACK TO a");
    s.two.execute("UPDATE t SET v = 5 WHERE id = 2");
    CHECK(Sessions::value(s.one, k_second) == "5");
    s.one.execute_script("COMMIT; BEGIN");
    for (const std::string value : {"6", "7"}) {
        s.two.execute("UPDATE t SET v = v + 1 WHERE id = 2");
        northstar::SqlPortal portal = s.one.open_portal(k_second);
        CHECK(portal.fetch().at(0).at(0) == value);
    }
    CHECK(Sessions::state_of(s.one, "COMMIT") == "00000");
}

TEST_CASE("rows that a cursor FOR UPDATE shows are not changed by others before the block commits", "[sql]") {
    // What follows its DECLARE forgot them, so that a value computed of what FETCH gave could be written over others'.
    for (const std::string change : {"UPDATE t SET v = 1 WHERE CURRENT OF c", "UPDATE t SET v = 1 WHERE id = 1"}) {
        Sessions s;
        s.one.execute_script("BEGIN; DECLARE c CURSOR FOR SELECT v FROM t WHERE id = 1 FOR UPDATE");
        CHECK(Sessions::value(s.one, "FETCH 1 FROM c") == "0");
        s.two.execute("UPDATE t SET v = 5 WHERE id = 1");
        CHECK(Sessions::state_of(s.one, change + "; COMMIT") == "40001");
        s.one.execute("ROLLBACK");
        CHECK(Sessions::value(s.one, "SELECT v FROM t WHERE id = 1") == "5");
    }
}

TEST_CASE("what a cursor, EXPLAIN or COPY alone has read may change below REPEATABLE READ and in it", "[sql]") {
    struct Nowhere final : northstar::SqlCopySink {
        void write(std::string_view) override {}
    } nowhere;
    for (const std::string shown : {"DECLARE c CURSOR FOR SELECT sum(v) FROM t", "EXPLAIN ANALYZE SELECT sum(v) FROM t",
                                    "COPY t TO STDOUT", "COPY (SELECT sum(v) FROM t) TO STDOUT"}) {
        for (const std::string level : {"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"}) {
            Sessions s;
            s.one.copy_streams(nullptr, &nowhere);
            s.one.execute("BEGIN ISOLATION LEVEL " + level);
            s.one.execute("UPDATE t SET v = 1 WHERE id = 1");
            s.one.execute(shown);
            s.two.execute("UPDATE t SET v = 1 WHERE id = 2");
            CHECK(Sessions::state_of(s.one, "COMMIT") == (level == "SERIALIZABLE" ? "40001" : "00000"));
        }
    }
}

TEST_CASE("a block that has locked a table is refused when others change rows of it or its definition", "[sql]") {
    const std::string setup =
        "CREATE TABLE heir (w int) INHERITS (t); INSERT INTO heir VALUES (3, 0, 0);"
        "CREATE VIEW seen AS SELECT * FROM t;"
        "CREATE TABLE other (id int); CREATE TABLE parts (k int) PARTITION BY LIST (k);"
        "CREATE TABLE part PARTITION OF parts FOR VALUES IN (1)";
    struct Case {
        std::string locked, change;
        bool refused;
    };
    const std::string row = "UPDATE t SET v = 5 WHERE id = 2";
    for (const Case& c : std::vector<Case>{
             {"t", row, true},
             {"t IN SHARE MODE", "INSERT INTO t VALUES (9, 9)", true},
             {"t IN SHARE ROW EXCLUSIVE MODE", "DELETE FROM t WHERE id = 2", true},
             {"t IN EXCLUSIVE MODE NOWAIT", row, true},
             {"t", "UPDATE heir SET v = 5", true},
             {"seen", row, true},
             {"part", "INSERT INTO parts VALUES (1)", true},
             {"t", "ALTER TABLE t ADD COLUMN z int", true},
             {"t", "INSERT INTO other VALUES (1)", false},
             {"t IN ROW EXCLUSIVE MODE", row, false},
             {"t IN ACCESS SHARE MODE", row, false},
             {"t IN SHARE UPDATE EXCLUSIVE MODE", row, false}}) {
        Sessions s;
        s.one.execute_script(setup);
        s.one.execute("BEGIN");
        s.one.execute("LOCK TABLE " + c.locked);
        s.two.execute(c.change);
        INFO(c.locked << ": " << c.change);
        CHECK(Sessions::state_of(s.one, "INSERT INTO other SELECT sum(v) FROM t; COMMIT") ==
              (c.refused ? "40001" : "00000"));
        s.one.execute("ROLLBACK");
    }
}

TEST_CASE("a statement that waits for the turn of another writer can be cancelled", "[sql]") {
    Sessions s;
    northstar::Transaction writer = s.database.begin_write();
    std::vector<std::string> states;
    std::atomic<bool> done{false};
    std::thread beside([&] {
        for (const std::string text : {"INSERT INTO t VALUES (5, 5)", "CREATE TABLE u (id int)",
                                       "BEGIN; INSERT INTO t VALUES (6, 6); COMMIT"})
            states.push_back(Sessions::state_of(s.one, text));
        done = true;
    });
    while (!done) {
        s.one.cancel();
        std::this_thread::yield();
    }
    beside.join();
    CHECK(states == std::vector<std::string>(3, "57014"));
    writer.rollback();
    s.one.execute("ROLLBACK");
    CHECK(Sessions::value(s.one, "SELECT count(*) FROM t") == "2");
}

TEST_CASE("a statement waits for the turn of another writer no longer than statement_timeout says", "[sql]") {
    // Such a writer is a block that has outgrown memory, too.
    Sessions s;
    northstar::Transaction writer = s.database.begin_write();
    std::vector<std::string> states;
    std::thread beside([&] {
        s.one.execute("SET statement_timeout = '30ms'");
        for (const std::string text : {"UPDATE t SET v = 1", "INSERT INTO t VALUES (5, 5)", "CREATE TABLE u (id int)",
                                       "BEGIN; INSERT INTO t VALUES (6, 6); COMMIT"})
            states.push_back(Sessions::state_of(s.one, text));
    });
    beside.join();
    CHECK(states == std::vector<std::string>(4, "57014"));
    CHECK_FALSE(s.one.in_transaction());
    writer.rollback();
    CHECK(Sessions::value(s.one, "SELECT string_agg(id || ':' || v, ' ' ORDER BY id) FROM t") == "1:0 2:0");
    CHECK(Sessions::state_of(s.one, "UPDATE t SET v = 1") == "00000");
}
