// Keys that are DEFERRABLE, beside what slt/own/deferrable.test compares with PostgreSQL: history, AS OF, other
// sessions, verify_sql.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <vector>

namespace {

using Rows = std::vector<std::vector<std::optional<std::string>>>;

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};

    Fixture() {
        sql.execute("CREATE TABLE t (k text PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v int)");
        sql.execute("INSERT INTO t VALUES ('a', 1), ('b', 2)");
    }
    std::string value(const std::string& query) { return sql.execute(query).rows.at(0).at(0).value_or("NULL"); }
    static std::string state_of(northstar::SqlConnection& connection, const std::string& statement) {
        try {
            connection.execute(statement);
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return "00000";
    }
};

const char* const k_swap = "UPDATE t SET k = CASE k WHEN 'a' THEN 'b' ELSE 'a' END";

}  // namespace

TEST_CASE("keys that changed places within a statement are found by look-up and scan, and verify", "[sql]") {
    Fixture f;
    f.sql.execute(k_swap);
    CHECK(f.value("SELECT v FROM t WHERE k = 'a'") == "2");
    CHECK(f.value("SELECT string_agg(k || v, ' ' ORDER BY k) FROM t WHERE k >= 'a'") == "a2 b1");
    CHECK(f.value("SELECT string_agg(x, ' ') FROM (SELECT k || v AS x FROM t ORDER BY k DESC LIMIT 1) s") == "b1");
    CHECK(northstar::verify_sql(f.database).empty());
}

TEST_CASE("AS OF reads a deferrable key as it was", "[sql]") {
    Fixture f;
    const auto before = std::to_string(f.database.begin_read().txn());
    f.sql.execute(k_swap);
    CHECK(f.value("SELECT v FROM t WHERE k = 'a' AS OF " + before) == "1");
}

TEST_CASE("REVERT TABLE brings back rows under a deferrable key", "[sql]") {
    Fixture f;
    const auto before = std::to_string(f.database.begin_read().txn());
    f.sql.execute(k_swap);
    f.sql.execute("DELETE FROM t WHERE k = 'b'");
    f.sql.execute("REVERT TABLE t TO " + before);
    CHECK(f.value("SELECT string_agg(k || v, ' ' ORDER BY k) FROM t") == "a1 b2");
    CHECK(northstar::verify_sql(f.database).empty());
}

TEST_CASE("history and blame find rows by a deferrable primary key", "[sql]") {
    Fixture f;
    f.sql.execute("UPDATE t SET v = 3 WHERE k = 'a'");
    CHECK(f.sql.execute("SELECT operation, new->>'v' FROM history('t', 'a') ORDER BY txn").rows ==
          Rows{{"insert", "1"}, {"update", "3"}});
    CHECK(f.sql.execute("SELECT value FROM blame('t', 'a') WHERE column_name = 'v'").rows.size() == 1);
}

TEST_CASE("of two sessions that store one deferrable key at the same time the second fails", "[sql]") {
    Fixture f;
    northstar::SqlConnection other(f.database);
    f.sql.execute("BEGIN");
    f.sql.execute("INSERT INTO t VALUES ('c', 3)");
    other.execute("INSERT INTO t VALUES ('c', 4)");
    CHECK(Fixture::state_of(f.sql, "COMMIT") == "40001");
    CHECK(f.value("SELECT v FROM t WHERE k = 'c'") == "4");
    CHECK(northstar::verify_sql(f.database).empty());
}

TEST_CASE("a key WITHOUT OVERLAPS is not deferrable", "[sql]") {
    Fixture f;
    const char* const create = "CREATE TABLE p (k int, at daterange, PRIMARY KEY (k, at WITHOUT OVERLAPS) DEFERRABLE)";
    CHECK(Fixture::state_of(f.sql, create) == "0A000");
}

TEST_CASE("a prepared INSERT that was refused leaves nothing to check to the next one", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE u (i int UNIQUE DEFERRABLE, j int UNIQUE)");
    northstar::SqlStatement insert = f.sql.prepare("INSERT INTO u VALUES ($1, $2)");
    const auto refused_by = [&](int i, int j) {
        insert.reset();
        insert.bind_integer(1, i);
        insert.bind_integer(2, j);
        try {
            insert.step();
        } catch (const northstar::SqlFailure& failure) {
            return failure.constraint;
        }
        return std::string("nothing");
    };
    CHECK(refused_by(1, 1) == "nothing");
    CHECK(refused_by(1, 1) == "u_j_key");
    CHECK(refused_by(2, 2) == "nothing");
    CHECK(refused_by(1, 3) == "u_i_key");
}
