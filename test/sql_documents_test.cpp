// The examples of the documents run word for word and give the answers that stand beside them.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <string>
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

const char* const k_events = "CREATE TABLE events (pk TEXT PRIMARY KEY);\n"
    "INSERT INTO events (pk, doc) VALUES ('evt-1', '{\"type\":\"signup\",\"user\":\"alice\"}');\n"
    "INSERT INTO events (pk, doc) VALUES ('evt-2', '{\"type\":\"purchase\",\"user\":\"bob\"}');\n";
const std::string k_alice = "{\"type\": \"signup\", \"user\": \"alice\"}";
const std::string k_bob = "{\"type\": \"purchase\", \"user\": \"bob\"}";

}  // namespace

TEST_CASE("a table with nothing but a key holds documents", "[sql]") {
    Fixture f;
    f.sql.execute_script(k_events);
    CHECK(f.rows("SELECT pk, doc FROM events ORDER BY pk LIMIT 10;") == Rows{{"evt-1", k_alice}, {"evt-2", k_bob}});
    CHECK(f.rows("SELECT count(*) FROM events;") == Rows{{"2"}});
    CHECK(f.rows("SELECT pk, count(*) FROM events GROUP BY pk;").size() == 2);
}

TEST_CASE("AS OF n reads the state after commit n of the database", "[sql]") {
    Fixture f;
    f.sql.execute_script(k_events);
    CHECK(f.rows("SELECT doc FROM events WHERE pk='evt-1' AS OF 1;").empty());
    CHECK(f.rows("SELECT doc FROM events WHERE pk='evt-1' AS OF 2;") == Rows{{k_alice}});
    CHECK(f.rows("SELECT count(*) FROM events AS OF $1", {"2"}) == Rows{{"1"}});
    CHECK(f.state_of("SELECT * FROM events AS OF 99") == "22023");
    CHECK(f.state_of("DELETE FROM events AS OF 1") == "25006");
}

TEST_CASE("AS OF reads the schema of its commit", "[sql]") {
    Fixture f;
    f.sql.execute_script(k_events);
    f.sql.execute_script("DROP TABLE events");
    CHECK(f.state_of("SELECT * FROM events") == "42P01");
    CHECK(f.rows("SELECT count(*) FROM events AS OF 3") == Rows{{"2"}});
}

TEST_CASE("versions of rows over a range of commits are rows", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, v int);"
                         "INSERT INTO t VALUES (1, 10);"
                         "UPDATE t SET v = 20 WHERE id = 1;"
                         "DELETE FROM t;");
    CHECK(f.rows("SELECT v, _commit_from, _commit_to FROM t FOR SYSTEM_TIME ALL ORDER BY 2") ==
          Rows{{"10", "2", "3"}, {"20", "3", "4"}});
    CHECK(f.rows("SELECT v FROM t FOR SYSTEM_TIME AS OF 2") == Rows{{"10"}});
}

TEST_CASE("a transaction block is one commit", "[sql]") {
    Fixture f;
    f.sql.execute_script(k_events);
    f.sql.execute_script("BEGIN; INSERT INTO events (pk, doc) VALUES "
                         "('evt-3', '{\"type\":\"refund\",\"user\":\"bob\"}'); COMMIT;");
    CHECK(f.rows("SELECT count(*) FROM events") == Rows{{"3"}});
    CHECK(f.rows("SELECT max(txn) FROM sys.commits") == Rows{{"4"}});
}

TEST_CASE("the statements about users run as written", "[sql]") {
    Fixture f;
    f.rows("CREATE TABLE users (id UUID PRIMARY KEY DEFAULT gen_random_uuid7(), email TEXT UNIQUE, name TEXT)");
    f.rows("ALTER TABLE users ADD COLUMN role TEXT");
    f.rows("CREATE INDEX idx_role ON users(role)");
    f.rows("INSERT INTO users (email, name) VALUES ($1, $2)", {"a@example.org", "Ada"});
    const Rows ids = f.rows("SELECT id FROM users");
    REQUIRE(ids.size() == 1);
    CHECK(f.rows("SELECT * FROM users WHERE id = $1", {ids[0][0]}) ==
          Rows{{ids[0][0], "a@example.org", "Ada", std::nullopt}});
    f.rows("UPDATE users SET name = $1 WHERE id = $2", {"Grace", ids[0][0]});
    CHECK(f.rows("SELECT name FROM users") == Rows{{"Grace"}});
    CHECK(f.rows("SELECT * FROM users WHERE role = 'admin' ORDER BY id DESC LIMIT 10").empty());
    CHECK(f.state_of("INSERT INTO users (email, name) VALUES ('a@example.org', 'x')") == "23505");
    f.rows("DELETE FROM users WHERE id = $1", {ids[0][0]});
    CHECK(f.rows("SELECT count(*) FROM users") == Rows{{"0"}});
}

TEST_CASE("an error fails its block until the block ends", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (a int); BEGIN; INSERT INTO t VALUES (1)");
    CHECK(f.state_of("SELECT 1/0") == "22012");
    CHECK(f.state_of("SELECT 1") == "25P02");
    CHECK(f.sql.execute("COMMIT").tag == "ROLLBACK");
    CHECK(f.rows("SELECT count(*) FROM t") == Rows{{"0"}});
}

TEST_CASE("a failed statement of a block leaves nothing behind once it is rolled back to a savepoint", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE t (a int PRIMARY KEY); BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s");
    CHECK(f.state_of("INSERT INTO t VALUES (2), (1)") == "23505");
    f.sql.execute_script("ROLLBACK TO s; INSERT INTO t VALUES (3); COMMIT");
    CHECK(f.rows("SELECT a FROM t ORDER BY a") == Rows{{"1"}, {"3"}});
}

TEST_CASE("of two sessions that change the same row the later commit is refused", "[sql]") {
    Fixture f;
    northstar::SqlConnection other(f.database);
    f.sql.execute_script("CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 0);"
                         "BEGIN; UPDATE t SET b = b + 1");
    other.execute("UPDATE t SET b = b + 10");
    CHECK(f.state_of("COMMIT") == "40001");
    CHECK(f.rows("SELECT b FROM t") == Rows{{"10"}});
}
