// Statements made to exhaust the engine end with an error of their kind, soon and in bounded memory.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

namespace {

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    std::string state_of(const std::string& text) {
        try {
            sql.execute(text);
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return "00000";
    }
};

std::string repeated(const std::string& text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

}  // namespace

TEST_CASE("expressions and queries that are nested too deeply are refused", "[sql]") {
    Fixture f;
    const std::size_t depth = 100000;
    CHECK(f.state_of("SELECT " + repeated("(", depth) + "1" + repeated(")", depth)) == "54001");
    CHECK(f.state_of("SELECT " + repeated("- ", depth) + "1") == "54001");
    CHECK(f.state_of("SELECT " + repeated("NOT ", depth) + "true") == "54001");
    CHECK(f.state_of("SELECT " + repeated("(SELECT ", depth) + "1" + repeated(")", depth)) == "54001");
    CHECK(f.state_of("SELECT " + repeated("abs(", depth) + "1" + repeated(")", depth)) == "54001");
    CHECK(f.state_of("SELECT " + repeated("ARRAY[", depth) + "1" + repeated("]", depth)) == "54001");
    CHECK(f.state_of("SELECT " + repeated("CASE WHEN true THEN ", depth) + "1" + repeated(" END", depth)) == "54001");
    CHECK(f.state_of("SELECT '" + repeated("[", depth) + "'::json") == "54001");
}

TEST_CASE("long chains of operators end in an answer or in 54001", "[sql]") {
    Fixture f;
    const std::string sum = f.state_of("SELECT 1" + repeated(" + 1", 200000));
    CHECK((sum == "00000" || sum == "54001"));
    const std::string all = f.state_of("SELECT true" + repeated(" AND true", 200000));
    CHECK((all == "00000" || all == "54001"));
}

TEST_CASE("views that lead to each other cannot be made", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE VIEW a AS SELECT 1 AS x");
    f.sql.execute("CREATE VIEW b AS SELECT x FROM a");
    const std::string state = f.state_of("CREATE OR REPLACE VIEW a AS SELECT x FROM b");
    CHECK(state != "XX000");
    if (state == "00000") CHECK(f.state_of("SELECT * FROM a") == "54001");
}

TEST_CASE("recursion without end stops at the limit of time", "[sql]") {
    Fixture f;
    f.sql.execute("SET statement_timeout = '200ms'");
    CHECK(*f.sql.execute("SHOW statement_timeout").rows[0][0] == "200ms");
    const auto begin = std::chrono::steady_clock::now();
    CHECK(f.state_of("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r") ==
          "57014");
    CHECK(f.state_of("SELECT count(*) FROM generate_series(1, 1000000000) a, generate_series(1, 1000000000) b") ==
          "57014");
    CHECK(f.state_of("SELECT pg_sleep(60)") == "57014");
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
    CHECK(f.state_of("SELECT 1") == "00000");
}

TEST_CASE("a recursive query is computed no further than its reader goes", "[sql]") {
    Fixture f;
    CHECK(f.sql.execute("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r LIMIT 10")
              .rows.size() == 10);
}

TEST_CASE("values beyond the limits of their types are refused", "[sql]") {
    Fixture f;
    CHECK(f.state_of("SELECT '" + repeated("9", 200000) + "'::numeric") == "22003");
    CHECK(f.state_of("SELECT " + repeated("9", 100)) == "00000");
    CHECK(f.state_of("SELECT repeat('x', 2000000000) || repeat('y', 2000000000)") != "XX000");
    CHECK(f.state_of("SELECT 'a' ~ '" + repeated("(", 100000) + "'") == "2201B");
}
