// Statements made to exhaust the engine end with an error of their kind, soon and in bounded memory.
#include "northstar.hpp"
#include "sql/arena.hpp"

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

TEST_CASE("thousands of UNIONs that follow each other are one", "[sql]") {
    Fixture f;
    const auto count = [&](const std::string& chain) {
        return *f.sql.execute("SELECT count(*) FROM (" + chain + ") AS x").rows[0][0];
    };
    CHECK(count("SELECT 1" + repeated(" UNION ALL SELECT 1", 5000)) == "5001");
    CHECK(count("SELECT 1" + repeated(" UNION SELECT 1", 5000)) == "1");
    CHECK(count("SELECT 1" + repeated(" UNION ALL SELECT 1 UNION SELECT 2", 2000) + " UNION ALL SELECT 2") == "3");
    const std::string ones = "SELECT 1" + repeated(" UNION ALL SELECT 1", 2000);
    CHECK(count(ones + repeated(" UNION ALL SELECT 1.5", 2000)) == "4001");
    CHECK(count("WITH RECURSIVE r AS (SELECT 1 AS n" + repeated(" UNION ALL SELECT 1", 3000) +
                " UNION ALL SELECT n + 1 FROM r WHERE n < 2) SELECT n FROM r") == "6002");
    CHECK(f.state_of("SELECT 1" + repeated(" UNION ALL SELECT 1", 100000)) == "54001");
    CHECK(f.state_of("SELECT 1" + repeated(" EXCEPT SELECT 2", 100000)) == "54001");
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

TEST_CASE("more columns than a table, an index, a key, a list or a call may have are refused", "[sql]") {
    Fixture f;
    const auto list = [](const std::string& item, std::size_t count) {
        std::string all;
        for (std::size_t i = 0; i < count; ++i) all += (i == 0 ? "" : ", ") + item;
        return all;
    };
    const auto columns = [](std::size_t count) {
        std::string all;
        for (std::size_t i = 0; i < count; ++i) all += (i == 0 ? "c" : ", c") + std::to_string(i) + " int";
        return all;
    };
    CHECK(f.state_of("CREATE TABLE wide (" + columns(10000) + ")") == "54011");
    CHECK(f.state_of("SELECT " + list("1", 10000)) == "54011");
    CHECK(f.state_of("SELECT 1 AS a UNION SELECT 2 ORDER BY " + list("1", 1000)) == "00000");
    f.sql.execute("CREATE TABLE wide (" + columns(1600) + ")");
    CHECK(f.state_of("ALTER TABLE wide ADD COLUMN more int") == "54011");
    CHECK(f.state_of("CREATE INDEX ON wide (" + list("c1", 10000) + ")") == "54011");
    CHECK(f.state_of("CREATE INDEX ON wide (c1) INCLUDE (" + list("c2", 10000) + ")") == "54011");
    CHECK(f.state_of("SELECT concat(" + list("1", 10000) + ")") == "54023");
    CHECK(f.state_of("SELECT coalesce(" + list("1", 10000) + ")") == "00000");
    CHECK(f.state_of("SELECT 1 IN (" + list("2", 100000) + ")") == "00000");
    CHECK(f.state_of("VALUES (" + list("1", 10000) + ")") == "54011");
    CHECK(f.state_of("SELECT count(*) FROM wide") == "00000");
}

TEST_CASE("an index over 32 columns can be made and one over 33 cannot", "[sql]") {
    Fixture f;
    std::string definitions, names;
    for (int i = 0; i < 33; ++i) {
        definitions += (i == 0 ? "c" : ", c") + std::to_string(i) + " int";
        if (i == 32) {
            f.sql.execute("CREATE TABLE t (" + definitions + ")");
            CHECK(f.state_of("CREATE INDEX ON t (" + names + ")") == "00000");
            CHECK(f.state_of("ALTER TABLE t ADD PRIMARY KEY (" + names + ")") == "00000");
        }
        names += (i == 0 ? "c" : ", c") + std::to_string(i);
    }
    CHECK(f.state_of("CREATE INDEX ON t (" + names + ")") == "54011");
    CHECK(f.state_of("ALTER TABLE t ADD UNIQUE (" + names + ")") == "54011");
    CHECK(f.state_of("CREATE TABLE u (" + definitions + ", PRIMARY KEY (" + names + "))") == "54011");
}

TEST_CASE("regular expressions made to explode end soon", "[sql]") {
    Fixture f;
    const auto begin = std::chrono::steady_clock::now();
    CHECK(f.state_of("SELECT repeat('a', 5000) ~ '((((a*)*)*)*)*b'") == "00000");
    CHECK(f.state_of("SELECT repeat('a', 5000) ~ '(a|a)*(a|aa)*(a?){50}$b'") == "00000");
    CHECK(f.state_of("SELECT repeat('a', 40) ~ '(a?){40}a{40}'") == "00000");
    CHECK(f.state_of("SELECT 'a' ~ '((((x{200}){200}){200}){200}){200}'") == "2201B");
    const std::string backward = f.state_of("SELECT repeat('a', 2000) ~ '(a*)(a*)(a*)(a*)\\1\\2\\3\\4b'");
    CHECK((backward == "54001" || backward == "00000"));
    CHECK(f.state_of("SELECT repeat('ab', 20000) LIKE repeat('%a', 50) || 'x'") == "00000");
    CHECK(f.state_of("SELECT repeat('a', 20000) SIMILAR TO '(a|b|ab)*(c|d)'") == "00000");
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}

TEST_CASE("results that no memory holds are refused", "[sql]") {
    Fixture f;
    CHECK(f.state_of("SELECT lpad('x', 2000000000, 'y')") == "54000");
    CHECK(f.state_of("SELECT array_fill(1, ARRAY[30000, 30000])") == "54000");
    CHECK(f.state_of("SELECT format('%2000000000s', 'x')") != "XX000");
    CHECK(f.state_of("SELECT jsonb_set('[]', '{2000000000}', '1')") != "XX000");
    CHECK(f.state_of("SELECT 10::numeric ^ 2000000000") == "22003");
    CHECK(f.state_of("SELECT factorial(100000)") == "22003");
    CHECK(f.state_of("SELECT interval '200000000 years'") == "22008");
    CHECK(f.state_of("SELECT 1") == "00000");
}

TEST_CASE("long chains of views and of WITH queries end in an answer or in 54001", "[sql]") {
    Fixture f;
    f.sql.execute("SET statement_timeout = '20s'");
    f.sql.execute("CREATE VIEW v0 AS SELECT 1 AS x");
    std::string state = "00000";
    for (int i = 1; i <= 400 && state == "00000"; ++i) {
        const std::string before = "v" + std::to_string(i - 1);
        state = f.state_of("CREATE VIEW v" + std::to_string(i) + " AS SELECT x FROM " + before);
    }
    CHECK((state == "00000" || state == "54001"));
    // Each names the one before it twice: what is written out in full has 2^30 parts.
    std::string with = "WITH w0 AS (SELECT 1 AS x)";
    for (int i = 1; i <= 30; ++i) {
        const std::string before = "w" + std::to_string(i - 1);
        with += ", w" + std::to_string(i) + " AS (SELECT a.x FROM " + before + " a, " + before + " b)";
    }
    const std::string chain = f.state_of(with + " SELECT count(*) FROM w30");
    CHECK((chain == "00000" || chain == "54001" || chain == "57014"));
    CHECK(f.state_of("SELECT 1") == "00000");
}

TEST_CASE("values beyond the limits of their types are refused", "[sql]") {
    Fixture f;
    CHECK(f.state_of("SELECT '" + repeated("9", 200000) + "'::numeric") == "22003");
    CHECK(f.state_of("SELECT " + repeated("9", 100)) == "00000");
    CHECK(f.state_of("SELECT repeat('x', 2000000000) || repeat('y', 2000000000)") != "XX000");
    CHECK(f.state_of("SELECT 'a' ~ '" + repeated("(", 100000) + "'") == "2201B");
}

TEST_CASE("no value is larger than a gibibyte, whatever puts it together", "[sql]") {
    using namespace northstar::sql;
    Arena arena;
    CHECK_THROWS_AS(arena.allocate(k_largest_piece + 1), SqlError);
    CHECK_THROWS_AS(check_piece(k_largest_piece + 1), SqlError);
    CHECK_NOTHROW(check_piece(k_largest_piece));
}
