// Prepared statements: values in and out without texts, plans that are kept, and what makes them be planned anew.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() {
        sql.execute_script("CREATE TABLE t (id bigint PRIMARY KEY, n integer, x double precision, s text, "
                           "d numeric(8,2));"
                           "INSERT INTO t VALUES (1, 10, 0.5, 'one', 1.25), (2, NULL, NULL, NULL, NULL)");
    }
    std::string state_of(northstar::SqlStatement& statement) {
        try {
            statement.step();
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return "00000";
    }
    std::string only(const std::string& text) { return sql.execute(text).rows.at(0).at(0).value_or("NULL"); }
};

}  // namespace

TEST_CASE("a prepared look-up by key reads values of every kind", "[sql]") {
    Fixture f;
    auto statement = f.sql.prepare("SELECT n, x, s, d, id FROM t WHERE id = $1");
    REQUIRE(statement.parameter_count() == 1);
    CHECK(statement.parameter_type(1) == 20);
    CHECK(statement.column(3).type == "numeric(8,2)");
    statement.bind_integer(1, 1);
    REQUIRE(statement.step());
    CHECK(statement.integer(0) == 10);
    CHECK(statement.real(1) == 0.5);
    CHECK(statement.bytes(2) == "one");
    CHECK(statement.text(3) == "1.25");
    CHECK_FALSE(statement.step());
    statement.bind_integer(1, 2);
    REQUIRE(statement.step());
    CHECK(statement.is_null(0));
    CHECK(statement.bytes(2).empty());
    CHECK_FALSE(statement.step());
    statement.bind_integer(1, 3);
    CHECK_FALSE(statement.step());
    statement.bind_null(1);
    CHECK_FALSE(statement.step());
}

TEST_CASE("a value for a parameter that a prepared statement does not have is refused", "[sql]") {
    Fixture f;
    auto statement = f.sql.prepare("SELECT n FROM t WHERE id = $1");
    for (const std::size_t number : {std::size_t{0}, std::size_t{2}}) {
        CHECK_THROWS_AS(statement.bind_null(number), northstar::Error);
        CHECK_THROWS_AS(statement.bind_integer(number, 1), northstar::Error);
        CHECK_THROWS_AS(statement.bind_real(number, 1), northstar::Error);
        CHECK_THROWS_AS(statement.bind_boolean(number, true), northstar::Error);
        CHECK_THROWS_AS(statement.bind_text(number, "1"), northstar::Error);
    }
    statement.bind_text(1, "1");
    REQUIRE(statement.step());
    CHECK(statement.integer(0) == 10);
}

TEST_CASE("a prepared statement sees what was committed since", "[sql]") {
    Fixture f;
    auto statement = f.sql.prepare("SELECT n FROM t WHERE id = $1");
    statement.bind_integer(1, 1);
    northstar::SqlConnection other(f.database);
    for (const int value : {11, 12}) {
        other.execute("UPDATE t SET n = $1 WHERE id = 1", {std::to_string(value)});
        REQUIRE(statement.step());
        CHECK(statement.integer(0) == value);
        statement.reset();
    }
}

TEST_CASE("a prepared look-up sees the changes of its own transaction", "[sql]") {
    Fixture f;
    auto statement = f.sql.prepare("SELECT n FROM t WHERE id = $1");
    statement.bind_integer(1, 1);
    f.sql.execute("BEGIN");
    f.sql.execute("UPDATE t SET n = 77 WHERE id = 1");
    REQUIRE(statement.step());
    CHECK(statement.integer(0) == 77);
    statement.reset();
    f.sql.execute("ROLLBACK");
    REQUIRE(statement.step());
    CHECK(statement.integer(0) == 10);
}

TEST_CASE("a prepared statement follows changes of the schema", "[sql]") {
    Fixture f;
    auto star = f.sql.prepare("SELECT * FROM t WHERE id = 1");
    REQUIRE(star.step());
    CHECK(star.column_count() == 5);
    star.reset();
    f.sql.execute("ALTER TABLE t ADD COLUMN more integer DEFAULT 5");
    REQUIRE(star.step());
    CHECK(star.column_count() == 6);
    CHECK(star.integer(5) == 5);
    star.reset();
    f.sql.execute("DROP TABLE t");
    CHECK(f.state_of(star) == "42P01");
}

TEST_CASE("values that the type of a parameter has not are refused", "[sql]") {
    Fixture f;
    auto statement = f.sql.prepare("UPDATE t SET n = $1 WHERE id = $2");
    const auto refused = [&](auto&& bind) {
        try {
            bind();
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return std::string("00000");
    };
    CHECK(refused([&] { statement.bind_integer(1, 3'000'000'000); }) == "22003");
    CHECK(refused([&] { statement.bind_text(1, "many"); }) == "22P02");
    CHECK_THROWS_AS(statement.bind_integer(3, 1), northstar::Error);
    statement.bind_text(1, "44");
    statement.bind_integer(2, 1);
    CHECK_FALSE(statement.step());
    CHECK(statement.tag() == "UPDATE 1");
    CHECK(statement.txn() > 0);
    CHECK(f.only("SELECT n FROM t WHERE id = 1") == "44");
}

TEST_CASE("a text that is sent again answers for the present settings and the present time", "[sql]") {
    Fixture f;
    const std::string text = "SELECT '01/02/2024'::date::text";
    CHECK(f.only(text) == "2024-01-02");
    f.sql.execute("SET datestyle = 'ISO, DMY'");
    CHECK(f.only(text) == "2024-02-01");
    const std::string first = f.only("SELECT 'now'::timestamptz::text");
    for (int i = 0; i < 1000 && f.only("SELECT 'now'::timestamptz::text") == first; ++i) {}
    CHECK(f.only("SELECT 'now'::timestamptz::text") != first);
}

TEST_CASE("a text that is sent again reads the past that is asked for", "[sql]") {
    Fixture f;
    const std::string text = "SELECT count(*) FROM t";
    CHECK(f.only(text) == "2");
    f.sql.execute("SET northstar.as_of = '1'");
    CHECK(f.only(text) == "0");
    f.sql.execute("SET northstar.as_of = ''");
    CHECK(f.only(text) == "2");
    f.sql.execute("BEGIN READ ONLY AS OF 1");
    CHECK(f.only(text) == "0");
    f.sql.execute("COMMIT");
    CHECK(f.only(text) == "2");
    auto past = f.sql.prepare("SELECT count(*) FROM t AS OF $1");
    for (const int txn : {1, 2}) {
        past.bind_integer(1, txn);
        REQUIRE(past.step());
        CHECK(past.integer(0) == (txn == 1 ? 0 : 2));
        past.reset();
    }
}

TEST_CASE("sessions that change different rows by key do not conflict", "[sql]") {
    // A planner that asks a transaction how many rows there are has read all of them.
    Fixture f;
    northstar::SqlConnection other(f.database);
    f.sql.execute("BEGIN");
    f.sql.execute("UPDATE t SET n = 1 WHERE id = 1");
    other.execute("INSERT INTO t VALUES (3, 3, 3, '3', 3)");
    CHECK(f.sql.execute("COMMIT").tag == "COMMIT");
}

TEST_CASE("a statement that moves a sequence and reads a table does both", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE SEQUENCE seq");
    CHECK(f.only("SELECT nextval('seq') + count(*) FROM t") == "3");
    CHECK(f.only("SELECT nextval('seq')") == "2");
}
