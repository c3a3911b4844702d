// [EXCLUDE-1] Rows that exclude each other are never both there: beside a model that compares every pair, between
// sessions, and after verify_sql.
#include "base/random.hpp"
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

namespace {

constexpr std::uint64_t k_seed = 20261130;

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    static std::string state_of(northstar::SqlConnection& connection, const std::string& text) {
        try {
            connection.execute(text);
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return "00000";
    }
};

struct Booking {
    int room = 0, from = 0, to = 0;
    char kind = 'a';
};

/// An exclusion constraint, and what it says of two rows.
struct Form {
    const char* constraint;
    bool (*excludes)(const Booking&, const Booking&);
};

bool same_room(const Booking& a, const Booking& b) { return a.room == b.room; }
bool overlap(const Booking& a, const Booking& b) {
    return a.from < a.to && b.from < b.to && a.from < b.to && b.from < a.to;
}

const Form k_forms[] = {
    {"EXCLUDE USING gist (room WITH =, span WITH &&)",
     [](const Booking& a, const Booking& b) { return same_room(a, b) && overlap(a, b); }},
    {"EXCLUDE USING gist (span WITH &&, room WITH =) DEFERRABLE",
     [](const Booking& a, const Booking& b) { return same_room(a, b) && overlap(a, b); }},
    {"EXCLUDE USING gist (span WITH &&, room WITH =, kind WITH <>)",
     [](const Booking& a, const Booking& b) { return same_room(a, b) && overlap(a, b) && a.kind != b.kind; }},
    {"EXCLUDE USING gist ((span * int4range(0, 1000)) WITH &&) WHERE (kind = 'a')",
     [](const Booking& a, const Booking& b) { return a.kind == 'a' && b.kind == 'a' && overlap(a, b); }},
    {"EXCLUDE ((room % 2) WITH =, (lower(span)) WITH =)",
     [](const Booking& a, const Booking& b) {
         return a.from < a.to && b.from < b.to && a.room % 2 == b.room % 2 && a.from == b.from;
     }},
};

}  // namespace

TEST_CASE("an exclusion constraint lets through what excludes no other row, and nothing else", "[sql]") {
    const char* const given = std::getenv("NORTHSTAR_SEED");
    const std::uint64_t seed = given == nullptr ? k_seed : std::strtoull(given, nullptr, 10);
    INFO("seed " << seed);
    northstar::detail::Random random{seed};
    for (const Form& form : k_forms) {
        INFO(form.constraint);
        Fixture f;
        f.sql.execute(std::string("CREATE TABLE t (id int PRIMARY KEY, room int, span int4range, kind text, ") +
                      form.constraint + ")");
        std::map<int, Booking> model;
        for (int step = 0; step < 600; ++step) {
            const int id = static_cast<int>(random.below(80));
            Booking row;
            row.room = static_cast<int>(random.below(3));
            row.from = static_cast<int>(random.below(90));
            row.to = row.from + static_cast<int>(random.below(6));
            row.kind = random.below(2) == 0 ? 'a' : 'b';
            std::string statement;
            const bool there = model.count(id) != 0;
            const bool erased = there && random.below(4) == 0;
            const std::string span = "int4range(" + std::to_string(row.from) + ", " + std::to_string(row.to) + ")";
            if (erased) {
                statement = "DELETE FROM t WHERE id = " + std::to_string(id);
            } else if (there) {
                statement = "UPDATE t SET room = " + std::to_string(row.room) + ", span = " + span + ", kind = '" +
                            row.kind + "' WHERE id = " + std::to_string(id);
            } else {
                statement = "INSERT INTO t VALUES (" + std::to_string(id) + ", " + std::to_string(row.room) + ", " +
                            span + ", '" + row.kind + "')";
            }
            bool excluded = false;
            for (const auto& [other, booking] : model)
                excluded |= !erased && other != id && form.excludes(row, booking);
            INFO(statement);
            REQUIRE(Fixture::state_of(f.sql, statement) == (excluded ? "23P01" : "00000"));
            if (erased) model.erase(id);
            else if (!excluded) model[id] = row;
        }
        CHECK(f.sql.execute("SELECT count(*) FROM t").rows[0][0] == std::to_string(model.size()));
        CHECK(northstar::verify_sql(f.database).empty());
    }
}

TEST_CASE("of two sessions that exclude each other's rows the second to commit is refused", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE t (room int, span int4range, EXCLUDE USING gist (room WITH =, span WITH &&))");
    northstar::SqlConnection other{f.database};
    f.sql.execute("BEGIN");
    other.execute("BEGIN");
    f.sql.execute("INSERT INTO t VALUES (1, '[1,5)'), (2, '[1,5)')");
    other.execute("INSERT INTO t VALUES (1, '[4,8)')");
    f.sql.execute("COMMIT");
    CHECK(Fixture::state_of(other, "COMMIT") == "40001");
    CHECK(Fixture::state_of(other, "INSERT INTO t VALUES (1, '[4,8)')") == "23P01");
    CHECK(Fixture::state_of(other, "INSERT INTO t VALUES (1, '[5,8)')") == "00000");
}

TEST_CASE("sessions that book other rooms do not stand in each other's way", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE t (id int PRIMARY KEY, room int, span int4range, "
                  "EXCLUDE USING gist (room WITH =, span WITH &&))");
    northstar::SqlConnection other{f.database};
    f.sql.execute("BEGIN");
    other.execute("BEGIN");
    f.sql.execute("INSERT INTO t VALUES (1, 1, '[1,5)')");
    other.execute("INSERT INTO t VALUES (2, 2, '[1,5)')");
    f.sql.execute("COMMIT");
    CHECK(Fixture::state_of(other, "COMMIT") == "00000");
}
