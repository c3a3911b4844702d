// Whatever goes wrong with a statement inside a block fails the block (25P02), at every way in.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <string>

namespace {

std::string state_of(const std::function<void()>& act) {
    try {
        act();
    } catch (const northstar::SqlFailure& failure) {
        return failure.sqlstate;
    }
    return "00000";
}

}  // namespace

TEST_CASE("a statement that fails inside a block fails the block, wherever it fails", "[sql]") {
    using Sql = northstar::SqlConnection;
    const struct {
        const char* name;
        const char* state;
        std::function<void(Sql&)> act;
    } ways[] = {
        {"a text that does not parse", "42601", [](Sql& sql) { sql.execute("SELEC 1"); }},
        {"two statements in one text", "42601", [](Sql& sql) { sql.execute("SELECT 1; SELECT 2"); }},
        {"a column that does not exist", "42703", [](Sql& sql) { sql.execute("SELECT nothing"); }},
        {"the same with parameters", "42703", [](Sql& sql) { sql.execute("SELECT nothing, $1::int", {"1"}); }},
        {"a parameter that is no number", "22P02", [](Sql& sql) { sql.execute("SELECT $1::int", {"x"}); }},
        {"too few parameters", "42601", [](Sql& sql) { sql.execute("SELECT $1::int, $2::int", {"1"}); }},
        {"a script that does not parse", "42601", [](Sql& sql) { sql.execute_script("SELECT 1; SELEC 2"); }},
        {"a statement prepared that does not parse", "42601", [](Sql& sql) { sql.prepare("SELEC 1"); }},
        {"a statement prepared of what is not there", "42P01", [](Sql& sql) { sql.prepare("SELECT * FROM nothing"); }},
        {"a description", "42601", [](Sql& sql) { sql.describe("SELEC 1"); }},
        {"a portal", "42P01", [](Sql& sql) { sql.open_portal("SELECT * FROM nothing"); }},
        {"a value", "22012", [](Sql& sql) { sql.execute("SELECT 1 / 0"); }},
    };
    for (const auto& way : ways) {
        INFO(way.name);
        auto database = northstar::Database::open(":memory:");
        Sql sql{database};
        sql.execute("CREATE TABLE t (a int)");
        sql.execute("BEGIN");
        sql.execute("INSERT INTO t VALUES (1)");
        CHECK(state_of([&] { way.act(sql); }) == way.state);
        CHECK(sql.transaction_failed());
        CHECK(state_of([&] { sql.execute("SELECT 1"); }) == "25P02");
        CHECK(state_of([&] { sql.execute("SELECT $1::int", {"1"}); }) == "25P02");
        sql.execute("COMMIT");
        CHECK(sql.execute("SELECT count(*) FROM t").rows[0][0] == "0");
        CHECK(state_of([&] { way.act(sql); }) == way.state);
        CHECK_FALSE(sql.transaction_failed());
        CHECK(state_of([&] { sql.execute("SELECT 1"); }) == "00000");
    }
}

TEST_CASE("ROLLBACK TO a savepoint ends the failure of a text that did not parse", "[sql]") {
    auto database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    sql.execute("BEGIN");
    sql.execute("SAVEPOINT s");
    CHECK(state_of([&] { sql.execute("SELEC 1"); }) == "42601");
    sql.execute("ROLLBACK TO s");
    CHECK(state_of([&] { sql.execute("SELECT 1"); }) == "00000");
}

TEST_CASE("the place of a failure counts characters, wherever it is found", "[sql]") {
    auto database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    const char* const texts[] = {"SELECT '\u00e9\u00e9' selec x y", "SELECT '\u00e9\u00e9', nothing"};
    const std::uint32_t places[] = {19, 14};
    for (int i = 0; i < 2; ++i) {
        INFO(texts[i]);
        const auto place_of = [&](const std::function<void()>& act) -> std::uint32_t {
            try {
                act();
            } catch (const northstar::SqlFailure& failure) {
                return failure.position;
            }
            return 0;
        };
        CHECK(place_of([&] { sql.execute(texts[i]); }) == places[i]);
        CHECK(place_of([&] { sql.execute_script(texts[i]); }) == places[i]);
        CHECK(place_of([&] { sql.prepare(texts[i]); }) == places[i]);
        CHECK(place_of([&] { sql.open_portal(texts[i]); }) == places[i]);
    }
}
