// Portals, descriptions, binary forms, cancellation and notices: what a server of the wire protocol stands on.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace northstar;

namespace sql_portal_test {

struct Place {
    Database database = Database::open(":memory:");
    SqlConnection connection{database};

    std::string one(const std::string& query) {
        const SqlResult result = connection.execute(query);
        REQUIRE(result.rows.size() == 1);
        return result.rows[0][0].value_or("NULL");
    }
};

template <class Action>
std::string state_of(Action action) {
    try {
        action();
    } catch (const SqlFailure& failure) {
        return failure.sqlstate;
    }
    return "00000";
}

std::string bytes(std::initializer_list<int> values) {
    std::string out;
    for (const int value : values) out += static_cast<char>(value);
    return out;
}

/// A value read and written in binary form, through a statement.
std::string there_and_back(Place& place, const std::string& type, const std::string& literal) {
    SqlPortal out = place.connection.open_portal("SELECT " + literal + "::" + type, {}, {SqlFormat::binary});
    const auto rows = out.fetch();
    REQUIRE(rows.size() == 1);
    REQUIRE(rows[0][0]);
    SqlPortal back = place.connection.open_portal("SELECT $1::" + type, {{rows[0][0], SqlFormat::binary}});
    return back.fetch().at(0).at(0).value_or("NULL");
}

}  // namespace sql_portal_test
using namespace sql_portal_test;

TEST_CASE("a portal hands out rows a few at a time and counts each fetch", "[sql]") {
    Place place;
    place.connection.execute("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 10) g");
    SqlPortal portal = place.connection.open_portal("SELECT a FROM t ORDER BY a");
    CHECK(portal.columns().at(0).name == "a");
    CHECK(portal.fetch(4).size() == 4);
    CHECK(portal.tag() == "SELECT 4");
    CHECK_FALSE(portal.done());
    CHECK(portal.fetch(4).at(0).at(0) == "5");
    const auto rest = portal.fetch(4);
    CHECK(rest.size() == 2);
    CHECK(portal.done());
    CHECK(portal.fetch(4).empty());
}

TEST_CASE("a portal computes no more rows than are asked for", "[sql]") {
    Place place;
    place.connection.execute("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 5000) g");
    place.connection.execute("CREATE SEQUENCE s");
    SqlPortal portal = place.connection.open_portal("SELECT nextval('s') FROM t");
    portal.fetch(1);
    const SqlResult asked = place.connection.execute("SELECT 1");  // keeps the rest: the sequence moves on
    CHECK(asked.rows.size() == 1);
    CHECK(portal.fetch().size() == 4999);
    SqlPortal dropped = place.connection.open_portal("SELECT 10 / (4000 - a) FROM t");
    CHECK(dropped.fetch(1).size() == 1);  // the division by zero is not reached
}

TEST_CASE("a portal does not see what the session changes after it began", "[sql]") {
    Place place;
    place.connection.execute("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 3000) g");
    for (const bool block : {false, true}) {
        INFO("in a block: " << block);
        if (block) place.connection.execute("BEGIN");
        SqlPortal portal = place.connection.open_portal("SELECT a FROM t");
        CHECK(portal.fetch(10).size() == 10);
        place.connection.execute("DELETE FROM t WHERE a > 100");
        CHECK(portal.fetch().size() == 2990);
        if (block) place.connection.execute("ROLLBACK");
        place.connection.execute("DELETE FROM t");
        place.connection.execute("INSERT INTO t SELECT g FROM generate_series(1, 3000) g");
    }
}

TEST_CASE("a portal of a block ends with the block", "[sql]") {
    Place place;
    place.connection.execute("BEGIN");
    SqlPortal portal = place.connection.open_portal("SELECT g FROM generate_series(1, 5000) g");
    portal.fetch(1);
    place.connection.execute("COMMIT");
    CHECK(state_of([&] { portal.fetch(1); }) == "34000");
}

TEST_CASE("a portal outlives its connection without harm", "[sql]") {
    Database database = Database::open(":memory:");
    std::optional<SqlConnection> connection(database);
    SqlPortal portal = connection->open_portal("SELECT g FROM generate_series(1, 5000) g");
    portal.fetch(1);
    connection.reset();
    CHECK(state_of([&] { portal.fetch(1); }) == "34000");
}

TEST_CASE("a change runs once, with the first fetch, and its rows are handed out", "[sql]") {
    Place place;
    place.connection.execute("CREATE TABLE t (a int)");
    SqlPortal portal =
        place.connection.open_portal("INSERT INTO t VALUES (1), (2), ($1) RETURNING a", {{SqlValue("3")}});
    CHECK(place.one("SELECT count(*) FROM t") == "0");
    CHECK(portal.fetch(2).size() == 2);
    CHECK(portal.fetch(2).size() == 1);
    CHECK(portal.tag() == "INSERT 0 3");
    CHECK(portal.txn() > 0);
    CHECK(place.one("SELECT count(*) FROM t") == "3");
}

TEST_CASE("an error in a portal fails the block that it runs in", "[sql]") {
    Place place;
    place.connection.execute("CREATE TABLE t AS SELECT g AS a FROM generate_series(0, 3000) g");
    place.connection.execute("BEGIN");
    SqlPortal portal = place.connection.open_portal("SELECT 1 / (a - 2500) FROM t");
    portal.fetch(1);
    CHECK(state_of([&] { portal.fetch(); }) == "22012");
    CHECK(place.connection.transaction_failed());
    CHECK(state_of([&] { place.connection.open_portal("SELECT 1").fetch(); }) == "25P02");
    place.connection.execute("ROLLBACK");
    CHECK(place.one("SELECT 1") == "1");
}

TEST_CASE("a description tells parameters and columns without running", "[sql]") {
    Place place;
    place.connection.execute("CREATE TABLE t (a int PRIMARY KEY, b numeric(8,2))");
    const SqlDescription insert = place.connection.describe("INSERT INTO t VALUES ($1, $2) RETURNING b");
    CHECK(insert.parameter_types == std::vector<std::uint32_t>{23, 1700});
    CHECK(insert.has_rows);
    CHECK(insert.columns.at(0).type == "numeric(8,2)");
    CHECK(place.one("SELECT count(*) FROM t") == "0");
    CHECK_FALSE(place.connection.describe("CREATE TABLE u (a int)").has_rows);
    CHECK(place.connection.describe("EXPLAIN SELECT 1").columns.at(0).name == "QUERY PLAN");
    CHECK(place.connection.describe("SELECT $1", {23}).parameter_types.at(0) == 23);
    CHECK(state_of([&] { place.connection.describe("SELECT nothing FROM t"); }) == "42703");
    CHECK(state_of([&] { place.connection.open_portal("SELECT $1::int"); }) == "08P01");
}

TEST_CASE("values in binary form are the bytes that PostgreSQL sends", "[sql]") {
    Place place;
    const auto sent = [&](const std::string& expression) {
        SqlPortal portal = place.connection.open_portal("SELECT " + expression, {}, {SqlFormat::binary});
        return portal.fetch().at(0).at(0).value();
    };
    CHECK(sent("true") == bytes({1}));
    CHECK(sent("-2::smallint") == bytes({0xff, 0xfe}));
    CHECK(sent("258") == bytes({0, 0, 1, 2}));
    CHECK(sent("1::bigint") == bytes({0, 0, 0, 0, 0, 0, 0, 1}));
    CHECK(sent("1.5::real") == bytes({0x3f, 0xc0, 0, 0}));
    CHECK(sent("'abc'::text") == "abc");
    CHECK(sent("'\\x0001'::bytea") == bytes({0, 1}));
    CHECK(sent("date '2000-01-02'") == bytes({0, 0, 0, 1}));
    CHECK(sent("timestamp '2000-01-01 00:00:01'") == bytes({0, 0, 0, 0, 0, 0x0f, 0x42, 0x40}));
    CHECK(sent("interval '1 month 2 days 3 microseconds'") ==
          bytes({0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1}));
    CHECK(sent("12345.678::numeric") == bytes({0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c}));
    CHECK(sent("'{\"a\": 1}'::jsonb") == bytes({1}) + "{\"a\": 1}");
    CHECK(sent("ARRAY[1, NULL]") == bytes({0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1,
                                           0, 0, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}));
    CHECK(sent("int4range(1, 5)") == bytes({2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 5}));
}

TEST_CASE("values of every type come back from their binary form", "[sql]") {
    Place place;
    place.connection.execute("CREATE TYPE mood AS ENUM ('calm', 'wild')");
    const std::vector<std::pair<std::string, std::string>> values = {
        {"boolean", "t"}, {"smallint", "-32768"}, {"integer", "2147483647"}, {"bigint", "-9223372036854775808"},
        {"real", "1.25"}, {"double precision", "-Infinity"}, {"numeric", "-123456789012345678901234567890.0001"},
        {"numeric", "NaN"}, {"text", "na\xc3\xafve"}, {"varchar", ""}, {"char(3)", "ab "}, {"bytea", "\\x00ff"},
        {"date", "infinity"}, {"time", "23:59:59.999999"}, {"timetz", "12:00:00+02"},
        {"timestamp", "1999-12-31 23:59:59.5"}, {"timestamptz", "2024-02-29 12:00:00+00"},
        {"interval", "1 year 2 mons -3 days +04:05:06.7"}, {"uuid", "00112233-4455-6677-8899-aabbccddeeff"},
        {"json", "{ \"a\" : 1 }"}, {"jsonb", "{\"a\": [1, null]}"}, {"mood", "wild"}, {"int[]", "{1,NULL,3}"},
        {"text[]", "{{a,b},{c,\"d e\"}}"}, {"int[]", "{}"}, {"numrange", "[1.5,)"}, {"daterange", "empty"},
        {"int8range", "(,7)"}, {"oid", "4294967295"}};
    for (const auto& [type, text] : values) {
        INFO(type << " " << text);
        CHECK(there_and_back(place, type, "'" + text + "'") == text);
    }
}

TEST_CASE("bytes that are no value of the type are refused", "[sql]") {
    Place place;
    const auto state = [&](const std::string& type, const std::string& data) {
        return state_of([&] { place.connection.open_portal("SELECT $1::" + type, {{data, SqlFormat::binary}}); });
    };
    CHECK(state("int", bytes({0, 0, 1})) == "08P01");
    CHECK(state("int", bytes({0, 0, 0, 0, 1})) == "22P03");
    CHECK(state("text", bytes({0xc3})) == "22021");
    CHECK(state("text", bytes({'a', 0})) == "22021");
    CHECK(state("date", bytes({0x7f, 0xff, 0xff, 0xf0})) == "22008");
    CHECK(state("numeric", bytes({0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10})) == "22P03");
    CHECK(state("int[]", bytes({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1})) != "00000");
    CHECK(state("jsonb", bytes({2, '1'})) == "22P03");
    CHECK(state("uuid", bytes({1, 2})) == "08P01");
}

TEST_CASE("a statement that runs is cancelled from another thread", "[sql]") {
    Place place;
    place.connection.cancel();  // nothing runs: nothing happens
    CHECK(place.one("SELECT 1") == "1");
    std::atomic<bool> done{false};
    std::thread other([&] {
        while (!done) place.connection.cancel();
    });
    const std::vector<std::string> endless = {
        "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
        "SELECT sum(a * b) FROM generate_series(1, 100000) a JOIN generate_series(1, 100000) b ON a <> b",
    };
    for (const std::string& query : endless) {
        INFO(query);
        CHECK(state_of([&] { place.connection.execute(query); }) == "57014");
        CHECK(state_of([&] { place.connection.open_portal(query).fetch(1); }) == "57014");
    }
    done = true;
    other.join();
    CHECK(place.one("SELECT 1") == "1");
}

TEST_CASE("a cancelled change leaves nothing behind", "[sql]") {
    Place place;
    place.connection.execute("CREATE TABLE t (a bigint)");
    std::atomic<bool> done{false};
    std::thread other([&] {
        while (!done) place.connection.cancel();
    });
    CHECK(state_of([&] {
              place.connection.execute("INSERT INTO t SELECT a * b FROM generate_series(1, 100000) a, "
                                       "generate_series(1, 100000) b");
          }) == "57014");
    done = true;
    other.join();
    CHECK(place.one("SELECT count(*) FROM t") == "0");
}

TEST_CASE("notices go to whoever asked for them", "[sql]") {
    Place place;
    CHECK(place.connection.execute("DROP TABLE IF EXISTS nothing").notices.size() == 1);
    std::vector<SqlNotice> heard;
    place.connection.on_notice(
        [](void* context, const SqlNotice& notice) {
            static_cast<std::vector<SqlNotice>*>(context)->push_back(notice);
        },
        &heard);
    CHECK(place.connection.execute("DROP TABLE IF EXISTS nothing").notices.empty());
    place.connection.execute("COMMIT");
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].severity == "NOTICE");
    CHECK(heard[1].severity == "WARNING");
    CHECK(heard[1].sqlstate == "25P01");
    place.connection.on_notice(nullptr, nullptr);
    CHECK(place.connection.execute("DROP TABLE IF EXISTS nothing").notices.size() == 1);
}

TEST_CASE("rows of a lateral join stay what they are until the next batch", "[sql]") {
    // The right side of the next left row was read before the rows of the last one were taken.
    Place place;
    const SqlResult result = place.connection.execute(
        "SELECT o->>'name' FROM (VALUES ('[{\"name\": \"first of one\"}, {\"name\": \"second of one\"}]'::jsonb), "
        "('[{\"name\": \"first of two\"}, {\"name\": \"second of two\"}]'::jsonb)) AS v(j), "
        "jsonb_array_elements(j) AS o");
    REQUIRE(result.rows.size() == 4);
    CHECK(result.rows[0][0] == "first of one");
    CHECK(result.rows[1][0] == "second of one");
    CHECK(result.rows[2][0] == "first of two");
    CHECK(result.rows[3][0] == "second of two");
}
