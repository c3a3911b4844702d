// What now() and statement_timestamp() are, in blocks and outside of them.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

std::string value(northstar::SqlConnection& sql, const std::string& text) {
    const auto rows = sql.execute(text).rows;
    REQUIRE(rows.size() == 1);
    return rows[0][0].value_or("NULL");
}

const char* const k_same = "SELECT now() = statement_timestamp() AND now() = transaction_timestamp()";

}  // namespace

TEST_CASE("outside of a block the statement is the transaction and begins with it", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    auto prepared = sql.prepare(k_same);
    // The clock has to move between two looks at it for a difference to show.
    for (int i = 0; i < 200; ++i) {
        CHECK(value(sql, k_same) == "t");
        REQUIRE(prepared.step());
        CHECK(prepared.boolean(0));
        prepared.reset();
        northstar::SqlPortal portal = sql.open_portal(k_same);
        CHECK(portal.fetch(1)[0][0] == "t");
    }
}

TEST_CASE("in a block now() is the time at which it began", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    sql.execute("BEGIN");
    const std::string behind_begin = value(sql, "SELECT clock_timestamp()");
    const std::string began = value(sql, "SELECT now()");
    CHECK(began < behind_begin);
    CHECK(value(sql, "SELECT now()") == began);
    CHECK(value(sql, "SELECT statement_timestamp() > now()") == "t");
    sql.execute("COMMIT");
}
