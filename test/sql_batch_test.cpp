// What queries do with whole batches gives the answers that they give row by row: conditions, hash tables, joins that
// drop rows early, sorts that keep the first rows, aggregates.
#include "northstar.hpp"

#include "base/random.hpp"
#include "sql/execute/tuple_table.hpp"
#include "sql/like.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace {

using namespace northstar::sql;
using northstar::detail::Random;

std::string answer(northstar::SqlConnection& sql, const std::string& text) {
    std::string rows;
    for (const auto& row : sql.execute(text).rows) {
        for (const auto& value : row) rows += value.value_or("NULL") + "|";
        rows += "\n";
    }
    return rows;
}

struct Tables {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Tables() {
        sql.execute_script(
            "CREATE TABLE t (id int PRIMARY KEY, i int, b bigint, f float8, n numeric, m numeric(12,2), s text, "
            "v varchar(20), c char(6), d date);"
            "INSERT INTO t SELECT g, CASE WHEN g % 11 = 0 THEN NULL ELSE g * 37 % 101 END, g::bigint * 1000003 % 977, "
            "CASE WHEN g % 13 = 0 THEN 'NaN' WHEN g % 17 = 0 THEN NULL ELSE (g * 29 % 53 - 20) / 4.0 END, "
            "CASE WHEN g % 19 = 0 THEN NULL WHEN g % 23 = 0 THEN 12345678901234567890.5 "
            "WHEN g % 2 = 0 THEN g % 40 ELSE round(g % 40 + 0.25, 3) END, "
            "g % 400 / 8.0, CASE WHEN g % 29 = 0 THEN NULL ELSE 'name-' || g * 7 % 61 END, "
            "'v' || g % 17, 'c' || g % 5, date '2020-01-01' + g % 300 FROM generate_series(1, 4000) AS x(g);"
            "CREATE TABLE u (k int PRIMARY KEY, i int, s text, w int);"
            "INSERT INTO u SELECT g, CASE WHEN g % 7 = 0 THEN NULL ELSE g * 3 END, 'name-' || g, g % 4 "
            "FROM generate_series(1, 40) AS x(g)");
    }
};

std::string random_text(Random& random, const std::vector<std::string>& pieces, std::uint64_t most) {
    std::string text;
    for (std::uint64_t left = random.below(most + 1); left > 0; --left) text += pieces[random.below(pieces.size())];
    return text;
}

}  // namespace

TEST_CASE("A LIKE pattern made ready matches what LIKE matches", "[sql]") {
    const std::uint64_t seed = 20;
    INFO("seed " << seed);
    Random random(seed);
    std::size_t matched = 0;
    for (int round = 0; round < 20000; ++round) {
        const std::string pattern = random_text(random, {"a", "b", "\xc3\xa9", "%", "%"}, 6);
        const std::string text = random_text(random, {"a", "b", "\xc3\xa9"}, 8);
        const auto ready = LikePattern::make(pattern);
        REQUIRE(ready != nullptr);
        INFO("text '" << text << "', pattern '" << pattern << "'");
        const bool expected = like_match(text, pattern, false);
        matched += expected ? 1 : 0;
        REQUIRE(ready->matches(text) == expected);
    }
    CHECK(matched > 1000);
    CHECK(LikePattern::make("a_b") == nullptr);
    CHECK(LikePattern::make("a\\%b") == nullptr);
}

TEST_CASE("Rows of a batch have the numbers in a hash table that they have one by one", "[sql]") {
    const std::uint64_t seed = 21;
    INFO("seed " << seed);
    Random random(seed);
    Arena arena;
    const auto random_value = [&](std::size_t column) {
        if (random.below(12) == 0) return Value::null(column == 0 ? type::int4 : type::text);
        const std::uint64_t number = random.below(column == 0 ? 60 : 400);
        if (column == 0) return Value::int4(static_cast<std::int64_t>(number));
        if (column == 2) return Value::numeric(Numeric::of(static_cast<std::int64_t>(number % 7 * 10), number % 2));
        return Value::text(arena.copy(std::string(number % 21, 'x') + std::to_string(number)));
    };
    TupleTable by_rows(3), one_by_one(3);
    std::vector<std::uint32_t> numbers;
    for (int round = 0; round < 30; ++round) {
        const std::size_t count = 1 + random.below(700);
        std::vector<std::vector<Value>> columns(3);
        std::vector<const Value*> views;
        for (std::size_t c = 0; c < 3; ++c) {
            for (std::size_t k = 0; k < count; ++k) columns[c].push_back(random_value(c));
            views.push_back(columns[c].data());
        }
        const auto tuple = [&](std::size_t k) {
            return std::vector<Value>{columns[0][k], columns[1][k], columns[2][k]};
        };
        numbers.assign(count, 0);
        by_rows.find_rows(views.data(), count, numbers.data());
        std::size_t unlike = 0;
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t expected = one_by_one.find(tuple(k).data());
            unlike += (expected == TupleTable::k_none ? TupleTable::k_no_tuple : expected) != numbers[k] ? 1 : 0;
        }
        CHECK(unlike == 0);
        by_rows.insert_rows(views.data(), count, numbers.data());
        for (std::size_t k = 0; k < count; ++k) {
            bool added = false;
            unlike += one_by_one.insert(tuple(k).data(), added) != numbers[k] ? 1 : 0;
        }
        CHECK(unlike == 0);
        REQUIRE(by_rows.size() == one_by_one.size());
    }
    CHECK(by_rows.size() > 2000);
}

TEST_CASE("A condition chooses the rows on which its value is true", "[sql]") {
    Tables tables;
    for (const char* const condition :
         {"i > 50", "50 > i", "i <> 7", "i = b", "b >= i", "i < NULL", "f > 1.5", "f = 'NaN'", "f <= f", "n > 24",
          "n = 12.250", "n < m", "m <= 17.5", "m <> 3", "s = 'name-7'", "s <> 'name-7'", "s > 'name-4'", "v = 'v3'",
          "v < s", "c = 'c2'", "c <> 'c2  '", "d < '2020-05-05'", "s LIKE 'name-1%'", "s LIKE '%3'", "s NOT LIKE '%1%'",
          "v LIKE '%v1%'", "s LIKE 'name-_'", "s LIKE '%me%-%5'", "i IN (1, 2, 3)", "i NOT IN (1, 2, 3)",
          "i IN (1, NULL, 3)", "i NOT IN (1, NULL, 3)", "s IN ('name-1', 'name-2')", "v IN ('v1', 'v2', 'nothing')",
          "i IN (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21)",
          "v NOT IN ('v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9')",
          "n IN (2, 4, 6.0)", "i > 20 AND i < 60 AND s LIKE '%1%'", "i > 90 OR i < 10 OR s = 'name-5'",
          "(i > 90 AND m < 20) OR (i < 10 AND m > 20) OR f > 7", "NOT (i > 50 OR s IS NULL)", "i IS NULL OR i = 3",
          "i % 2 = 0 AND (b > 500 OR n IS NULL)", "i + b > 600", "m * 2 - 1 > 30", "n + m > 50.125"}) {
        INFO(condition);
        const std::string text = condition;
        // OFFSET 0 keeps the condition above the subquery, where it is a value of the row like others.
        CHECK(answer(tables.sql, "SELECT id FROM t WHERE " + text + " ORDER BY id") ==
              answer(tables.sql, "SELECT id FROM (SELECT id, " + text + " AS holds FROM t OFFSET 0) x "
                                 "WHERE holds IS TRUE ORDER BY id"));
    }
}

TEST_CASE("A join gives the same rows where its keys are not told to what reads its left side", "[sql]") {
    Tables tables;
    // A key that is computed cannot be offered to a scan.
    const auto check = [&](const std::string& text) {
        INFO(text);
        const auto with = [&](const std::string& equal) {
            std::string spelled = text;
            for (std::size_t at = 0; (at = spelled.find("=KEY ", at)) != std::string::npos;)
                spelled.replace(at, 5, equal);
            return spelled;
        };
        const std::string expected = answer(tables.sql, with("= 0 + "));
        CHECK(answer(tables.sql, with("= ")) == expected);
        CHECK(expected.size() > 6);
    };
    check("SELECT count(*), sum(t.id), sum(u.k) FROM t JOIN u ON t.i =KEY u.k");
    check("SELECT count(*), sum(t.id), sum(u.k) FROM t JOIN u ON t.i =KEY u.k WHERE u.w = 1 AND t.b > 100");
    check("SELECT count(*), sum(t.id), count(u.k) FROM t LEFT JOIN u ON t.i =KEY u.i AND u.w < 2");
    check("SELECT count(*), sum(t.id), sum(u.k) FROM t FULL JOIN u ON t.i =KEY u.i");
    check("SELECT count(*), sum(id) FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.i =KEY t.i)");
    check("SELECT count(*), sum(id) FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.i =KEY t.i)");
    check("SELECT count(*), sum(id) FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.i =KEY t.i AND u.w <> t.b)");
    check("SELECT count(*), sum(t.id) FROM t JOIN u a ON t.i =KEY a.k JOIN u b ON t.b % 41 =KEY b.k AND a.w =KEY b.w");
    check("SELECT count(*), sum(x.id) FROM (SELECT id, i AS j FROM t WHERE b < 500) x JOIN u ON x.j =KEY u.k");
    check("SELECT count(*), sum(t.id) FROM t JOIN (u a LEFT JOIN u b ON a.k =KEY b.i) ON t.i =KEY a.k");
}

TEST_CASE("An OR over several tables is checked where each of them is read", "[sql]") {
    Tables tables;
    const std::string from = "SELECT count(*), sum(t.id), sum(u.k) FROM t, u WHERE ";
    const std::string first = "t.i = u.k AND u.w = 1 AND t.b < 300";
    const std::string second = "t.i = u.k AND u.w IN (2, 3) AND t.b > 700";
    // The two exclude each other.
    const auto apart = [&](const std::string& condition) { return from + condition; };
    const std::string both = answer(tables.sql, "SELECT sum(a), sum(b), sum(c) FROM (" + apart(first) +
                                                " UNION ALL " + apart(second) + ") x(a, b, c)");
    CHECK(answer(tables.sql, from + "(" + first + ") OR (" + second + ")") == both);
    CHECK(both.size() > 6);
    CHECK(answer(tables.sql, from + "(t.i = 3 AND u.w = 1) OR (t.i = 5 AND u.w = 2 AND u.k < 9)") ==
          answer(tables.sql, from + "((t.i = 3 AND u.w = 1) OR (t.i = 5 AND u.w = 2 AND u.k < 9)) IS TRUE"));
}

TEST_CASE("LIMIT behind ORDER BY gives the first rows of the whole order", "[sql]") {
    Tables tables;
    for (const char* const order :
         {"i, id", "i DESC, id", "i NULLS FIRST, id", "i DESC NULLS LAST, id", "f, id", "f DESC, id DESC", "n, id",
          "n DESC, m, id", "s, id", "s DESC, id", "v, id DESC", "c, id", "d DESC, id", "b % 7, s, id", "-i, id",
          "id DESC", "i IS NULL, id"}) {
        INFO(order);
        const std::string whole = answer(tables.sql, std::string("SELECT id FROM t ORDER BY ") + order);
        const std::string some = answer(tables.sql, std::string("SELECT id FROM t ORDER BY ") + order + " LIMIT 30");
        CHECK(some.size() > 60);
        CHECK(whole.substr(0, some.size()) == some);
    }
}

TEST_CASE("Aggregates take rows together as they take them one by one", "[sql]") {
    Tables tables;
    for (const char* const call :
         {"count(*)", "count(i)", "sum(i)", "sum(b)", "avg(i)", "sum(n)", "avg(n)", "sum(m)", "avg(m)", "sum(f)",
          "avg(f)", "min(i)", "max(i)", "min(f)", "max(f)", "min(n)", "max(n)", "min(s)", "max(s)", "min(c)",
          "max(d)"}) {
        INFO(call);
        // With FILTER, a call steps row by row.
        const std::string name = call;
        const std::string filtered = name + " FILTER (WHERE id > 0)";
        CHECK(answer(tables.sql, "SELECT " + name + " FROM t") == answer(tables.sql, "SELECT " + filtered + " FROM t"));
        CHECK(answer(tables.sql, "SELECT v, i % 3, " + name + " FROM t GROUP BY v, i % 3 ORDER BY v, i % 3") ==
              answer(tables.sql, "SELECT v, i % 3, " + filtered + " FROM t GROUP BY v, i % 3 ORDER BY v, i % 3"));
        CHECK(answer(tables.sql, "SELECT " + name + " FROM t WHERE id < 0") ==
              answer(tables.sql, "SELECT " + filtered + " FROM t WHERE id < 0"));
    }
}
