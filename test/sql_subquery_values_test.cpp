// Values that subqueries answer with live as long as the statement needs them.
//
// A fuzzer's statements under AddressSanitizer found an UPDATE that read the answer of a subquery behind its end: the
// expression that held it was gone when the row was written, and what came next in its memory was stored.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() {
        sql.execute_script("CREATE TABLE t (id text PRIMARY KEY, a text, b text);"
                           "INSERT INTO t VALUES (repeat('k', 60), 'x', 'y')");
    }
    std::string row() {
        const northstar::SqlResult result = sql.execute("SELECT a || ' ' || b FROM t");
        return result.rows.at(0).at(0).value_or("(null)");
    }
};

const std::string k_expected = std::string(100, 'a') + " " + std::string(100, 'b');

}  // namespace

TEST_CASE("UPDATE stores what each of its subqueries answers", "[sql]") {
    Fixture f;
    f.sql.execute("UPDATE t SET a = (SELECT repeat('a', 100)), b = (SELECT repeat('b', 100))");
    CHECK(f.row() == k_expected);
}

TEST_CASE("INSERT and its DO UPDATE store what each of their subqueries answers", "[sql]") {
    Fixture f;
    f.sql.execute("INSERT INTO t VALUES (repeat('k', 60)) ON CONFLICT (id) DO UPDATE "
                  "SET a = (SELECT repeat('a', 100)), b = (SELECT repeat('b', 100))");
    CHECK(f.row() == k_expected);
    f.sql.execute("DELETE FROM t");
    f.sql.execute("INSERT INTO t SELECT 'new', (SELECT repeat('a', 100)), (SELECT repeat('b', 100))");
    CHECK(f.row() == k_expected);
}

TEST_CASE("window functions see what each subquery of theirs answers", "[sql]") {
    Fixture f;
    const northstar::SqlResult result = f.sql.execute(
        "SELECT first_value((SELECT repeat('a', 100))) OVER w || ' ' || last_value((SELECT repeat('b', 100))) OVER w "
        "FROM t WINDOW w AS (PARTITION BY (SELECT repeat('c', 100)) ORDER BY (SELECT repeat('d', 100)))");
    CHECK(result.rows.at(0).at(0) == k_expected);
}

TEST_CASE("history finds a row whose key a subquery answers", "[sql]") {
    Fixture f;
    CHECK(f.sql.execute("SELECT * FROM history('t', (SELECT repeat('k', 60)))").rows.size() == 1);
}
