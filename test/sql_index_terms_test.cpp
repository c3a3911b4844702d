// Indexes over expressions and over some of the rows, NULLs in indexes, and plans of tables that have grown: when an
// index is read, when it must not be, and that the answers are those of the table read as a whole.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {

struct Session {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    std::string plan(const std::string& text) {
        std::string answer;
        for (const auto& row : sql.execute("EXPLAIN (COSTS OFF) " + text).rows) answer += row.at(0).value() + "\n";
        return answer;
    }
    bool uses(const std::string& index, const std::string& text) {
        const std::string found = plan(text);
        UNSCOPED_INFO(text << "\n" << found);
        return found.find("using " + index + " on t") != std::string::npos;
    }
    std::string answer(const std::string& text) {
        std::string out;
        for (const auto& row : sql.execute(text).rows) {
            for (const auto& value : row) out += value.value_or("NULL") + " ";
        }
        return out;
    }
    std::string state_of(const std::string& text) {
        try {
            sql.execute(text);
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return "";
    }
};

struct Fixture : Session {
    Fixture() {
        sql.execute_script(
            "CREATE TABLE t (id int PRIMARY KEY, k int, status text, done boolean, mail varchar(40), gone date,"
            "                doc jsonb, price numeric(8,2));"
            "INSERT INTO t SELECT i, CASE WHEN i % 100 > 0 THEN i % 500 END,"
            " CASE i % 200 WHEN 0 THEN 'new' ELSE 'old' END,"
            " i % 50 > 0, 'Mail' || i, CASE i % 40 WHEN 0 THEN DATE '2024-01-01' + i END,"
            " jsonb_build_object('n', i, 'kind', 'k' || i % 300), i FROM generate_series(1, 20000) AS g(i)");
    }
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("an expression that is indexed is looked up wherever it is written", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE INDEX low ON t (lower(mail)); CREATE INDEX kind ON t ((doc->>'kind'));"
                         "CREATE UNIQUE INDEX number ON t (((doc->>'n')::int))");
    CHECK(f.uses("low", "SELECT id FROM t WHERE lower(mail) = 'mail77'"));
    CHECK(f.uses("low", "SELECT id FROM t WHERE lower(mail) IN ('mail77', 'mail78')"));
    CHECK(f.uses("low", "SELECT id FROM t WHERE lower(mail) LIKE 'mail77%'"));
    CHECK(f.uses("low", "SELECT id FROM t ORDER BY lower(mail) DESC LIMIT 3"));
    CHECK(f.uses("kind", "SELECT id FROM t WHERE doc->>'kind' = 'k7'"));
    CHECK(f.uses("number", "SELECT id FROM t WHERE (doc->>'n')::int BETWEEN 5 AND 7"));
    CHECK(f.uses("number", "SELECT id FROM (VALUES (5), (9)) AS v(n) JOIN t ON (doc->>'n')::int = n"));
    CHECK(f.uses("number", "UPDATE t SET k = 0 WHERE (doc->>'n')::int = 5"));
    CHECK_FALSE(f.uses("low", "SELECT id FROM t WHERE upper(mail) = 'MAIL77'"));
    CHECK_FALSE(f.uses("kind", "SELECT id FROM t WHERE doc->>'n' = 'k7'"));
    CHECK(f.answer("SELECT id FROM t WHERE lower(mail) = 'mail77'") == "77 ");
    CHECK(f.answer("SELECT count(*) FROM t WHERE doc->>'kind' = 'k7'") == "67 ");
    CHECK(f.answer("SELECT id FROM t WHERE (doc->>'n')::int BETWEEN 5 AND 7 ORDER BY 1") == "5 6 7 ");
    CHECK(f.answer("SELECT id FROM t ORDER BY lower(mail) DESC LIMIT 3") == "9999 9998 9997 ");
}

TEST_CASE("an index of some rows is read where the conditions say that only those count", "[sql]") {
    Fixture f;
    for (const std::string where :
         {"status = 'new'", "status IN ('new', 'newer')", "status > 'm' AND status < 'o'", "NOT done", "done IS FALSE",
          "gone IS NOT NULL", "price > 19000", "k IS NULL AND id > 5", "status = 'new' OR gone IS NOT NULL"}) {
        CAPTURE(where);
        f.sql.execute("CREATE INDEX part ON t (id) WHERE " + where);
        CHECK(f.uses("part", "SELECT id FROM t WHERE " + where));
        CHECK(f.uses("part", "SELECT id FROM t WHERE price < 19999 AND (" + where + ")"));
        CHECK(f.uses("part", "SELECT id FROM t WHERE (" + where + ") ORDER BY id DESC LIMIT 2"));
        CHECK_FALSE(f.uses("part", "SELECT id FROM t"));
        CHECK_FALSE(f.uses("part", "SELECT id FROM t WHERE NOT (" + where + ")"));
        // Nothing of it is known to OFFSET 0, so the table is read.
        const std::string all = "SELECT count(*), sum(id) FROM (SELECT * FROM t OFFSET 0) AS t WHERE ";
        CHECK(f.answer("SELECT count(*), sum(id) FROM t WHERE " + where) == f.answer(all + where));
        f.sql.execute("UPDATE t SET status = 'new', done = false, gone = NULL, price = price + 500 WHERE id % 300 = 7");
        CHECK(f.answer("SELECT count(*), sum(id) FROM t WHERE " + where) == f.answer(all + where));
        f.sql.execute("DROP INDEX part");
    }
}

TEST_CASE("conditions that say more than the index's own lead to it", "[sql]") {
    Fixture f;
    for (const auto& [own, asked] : Pairs{
        {"price > 19000", "price > 19500"},
        {"price > 19000", "price = 19001"},
        {"price > 19000", "19500 <= price"},
        {"price >= 19000", "price > 19000"},
        {"price <> 5", "price > 19990"},
        {"k < 5", "k = 4"},
        {"k < 5", "k IN (1, 2, 4)"},
        {"k IN (1, 2, 3)", "k = 2"},
        {"k IN (1, 2, 3)", "k IN (3, 1)"},
        {"k IN (1, 2, 3)", "k = 2 OR k = 3"},
        {"k IS NOT NULL", "k = 7"},
        {"k IS NOT NULL", "k IN (7, 8)"},
        {"k IS NOT NULL", "abs(k) = 7"},
        {"gone IS NOT NULL", "gone > DATE '2070-01-01'"},
        {"done IS NOT TRUE", "NOT done"},
        {"NOT done", "done = false"},
        {"status = 'new'", "status = 'new' AND k > 7"},
        {"status = 'new' AND id > 9", "status = 'new' AND id > 15000"},
    }) {
        f.sql.execute("CREATE INDEX part ON t (price, id) WHERE " + own);
        const bool narrow = f.uses("part", "SELECT id, k FROM t WHERE " + asked + " ORDER BY price, id LIMIT 1");
        CAPTURE(own, asked);
        CHECK(narrow);
        CHECK(f.answer("SELECT count(*), sum(id) FROM t WHERE " + asked) ==
              f.answer("SELECT count(*), sum(id) FROM (SELECT * FROM t OFFSET 0) AS t WHERE " + asked));
        f.sql.execute("DROP INDEX part");
    }
}

TEST_CASE("an index of some rows is not read where others count as well", "[sql]") {
    Fixture f;
    f.sql.execute("UPDATE t SET done = NULL WHERE id % 3 = 0");
    for (const auto& [own, asked] : Pairs{
        {"price > 19000", "price >= 19000"},
        {"price > 19000", "price > 18999.99"},
        {"price > 19000", "price < 19001"},
        {"price <> 5", "price >= 5"},
        {"k < 5", "k <= 5"},
        {"k < 5", "k IN (4, 5)"},
        {"k IN (1, 2, 3)", "k IN (3, 4)"},
        {"k IN (1, 2, 3)", "k = 2 OR done"},
        {"k IN (1, 2, 3)", "k > 0 AND k < 4"},
        {"k IS NOT NULL", "coalesce(k, 7) = 7"},
        {"k IS NOT NULL", "k IS NULL"},
        {"k IS NOT NULL", "k IS DISTINCT FROM 7"},
        {"k IS NOT NULL", "(k = 7) IS NOT TRUE"},
        {"k IS NOT NULL", "NOT (k = 7 AND id < 0)"},
        {"k IS NOT NULL", "k = 7 OR id = 100"},
        {"NOT done", "done IS NOT TRUE"},
        {"NOT done", "NOT (done IS TRUE)"},
        {"NOT done", "(done IS TRUE) = false"},
        {"done", "done IS NOT FALSE"},
        {"status = 'new'", "status = 'new' OR k = 7"},
        {"status = 'new'", "NOT status = 'new'"},
        {"status = 'new'", "lower(status) = 'new'"},
    }) {
        f.sql.execute("CREATE INDEX part ON t (id, price) WHERE " + own);
        CAPTURE(own, asked);
        CHECK_FALSE(f.uses("part", "SELECT id, k FROM t WHERE " + asked + " ORDER BY id, price LIMIT 1"));
        CHECK_FALSE(f.uses("part", "SELECT id, k FROM t WHERE " + asked));
        f.sql.execute("DROP INDEX part");
    }
}

TEST_CASE("a partial index is used by a text whose literals differ from those before", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE INDEX part ON t (k) WHERE status = 'new'");
    for (const char* const status : {"new", "old", "new", "odd", "new", "old", "odd"})
        for (const int k : {200, 201}) {
            const std::string where = " WHERE status = '" + std::string(status) + "' AND k = " + std::to_string(k);
            CAPTURE(where);
            CHECK(f.answer("SELECT count(*) FROM t" + where) ==
                  f.answer("SELECT count(*) FROM (SELECT * FROM t OFFSET 0) AS t" + where));
        }
}

TEST_CASE("NULLs are found in an index, where they are few", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE INDEX ik ON t (k); CREATE INDEX igone ON t (gone);"
                         "CREATE INDEX two ON t (status, gone)");
    CHECK(f.uses("ik", "SELECT * FROM t WHERE k IS NULL"));
    CHECK(f.uses("igone", "SELECT * FROM t WHERE gone IS NOT NULL"));
    CHECK(f.uses("two", "SELECT * FROM t WHERE status = 'new' AND gone IS NULL"));
    CHECK_FALSE(f.uses("igone", "SELECT * FROM t WHERE gone IS NULL"));
    CHECK_FALSE(f.uses("ik", "SELECT * FROM t WHERE k IS NOT NULL"));
    CHECK(f.answer("SELECT count(*), min(id) FROM t WHERE k IS NULL") == "200 100 ");
    CHECK(f.answer("SELECT count(*), min(id) FROM t WHERE gone IS NOT NULL") == "500 40 ");
    CHECK(f.answer("SELECT count(*) FROM t WHERE status = 'new' AND gone IS NULL") == "0 ");
    CHECK(f.answer("SELECT count(*) FROM t WHERE status = 'new' AND gone IS NOT NULL AND k IS NULL") == "100 ");
    CHECK(f.answer("SELECT max(gone), min(gone), max(k), min(k) FROM t") == "2078-10-04 2024-02-10 499 1 ");
}

TEST_CASE("a record whose fields are all NULL is found by IS NULL though an index has it as a value", "[sql]") {
    Session f;
    f.sql.execute_script("CREATE TYPE pair AS (a int, b int); CREATE TABLE p (id int PRIMARY KEY, v pair);"
                         "INSERT INTO p SELECT i, ROW(i, i)::pair FROM generate_series(1, 2000) AS g(i);"
                         "INSERT INTO p VALUES (3001, ROW(NULL, NULL)), (3002, NULL), (3003, ROW(1, NULL));"
                         "CREATE INDEX ON p (v); CREATE INDEX ON p (id) WHERE v IS NOT NULL");
    CHECK(f.answer("SELECT id FROM p WHERE v IS NULL ORDER BY 1") == "3001 3002 ");
    CHECK(f.answer("SELECT id FROM p WHERE v = ROW(NULL, NULL)::pair ORDER BY 1") ==
          f.answer("SELECT id FROM (SELECT * FROM p OFFSET 0) AS p WHERE v = ROW(NULL, NULL)::pair ORDER BY 1"));
}

TEST_CASE("an index is not read for a share of the rows that is too large, though nothing was analyzed", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE INDEX low ON t (lower(mail)); CREATE INDEX ik ON t (k)");
    CHECK_FALSE(f.uses("low", "SELECT * FROM t WHERE lower(mail) LIKE 'mail%'"));
    CHECK_FALSE(f.uses("ik", "SELECT * FROM t WHERE k > 10"));
    CHECK(f.uses("ik", "SELECT * FROM t WHERE k > 490"));
    CHECK(f.answer("SELECT count(*) FROM t WHERE k > 490") == "360 ");
}

TEST_CASE("moments of one kind are found in an index of another kind", "[sql]") {
    Session f;
    f.sql.execute_script(
        "CREATE TABLE m (id int PRIMARY KEY, d date, t timestamp, z timestamptz);"
        "INSERT INTO m SELECT i, date '2024-03-01' + i, timestamp '2024-03-01' + i * interval '7 hours',"
        " timestamptz '2024-03-01 00:00+00' + i * interval '7 hours' FROM generate_series(0, 2000) AS g(i);"
        "INSERT INTO m VALUES (5001, 'infinity', 'infinity', 'infinity'), (5003, NULL, NULL, NULL),"
        " (5002, '-infinity', '-infinity', '-infinity');"
        "CREATE INDEX md ON m (d); CREATE INDEX mt ON m (t DESC); CREATE INDEX mz ON m (z)");
    CHECK(f.plan("SELECT * FROM m WHERE d > timestamptz '2025-06-05 04:00+00'").find("using md") != std::string::npos);
    CHECK(f.plan("SELECT * FROM m WHERE t = date '2024-04-05'").find("using mt") != std::string::npos);
    CHECK(f.plan("SELECT * FROM m WHERE z = timestamp '2024-04-05'").find("using mz") != std::string::npos);
    const std::vector<std::string> values = {
        "date '2024-04-05'", "timestamp '2024-04-05 00:00'", "timestamp '2024-04-05 07:00'",
        "timestamptz '2024-04-05 04:00+00'", "timestamptz '2024-04-05 00:00+00'", "timestamp '2024-03-10 02:30'",
        "date '294300-01-01'", "timestamptz 'infinity'", "date '-infinity'"};
    const std::string counted = "SELECT count(*), min(id), max(id) FROM ";
    for (const std::string zone : {"UTC", "America/New_York", "Asia/Kolkata"}) {
        f.sql.execute("SET TIME ZONE '" + zone + "'");
        for (const std::string begin : {"d ", "t ", "z "})
            for (const std::string comparison : {"= ", "< ", "<= ", "> ", ">= "})
                for (const std::string& value : values) {
                    const std::string where = begin + comparison + value;
                    CAPTURE(zone, where);
                    CHECK(f.answer(counted + "m WHERE " + where) ==
                          f.answer(counted + "(SELECT * FROM m OFFSET 0) AS m WHERE " + where));
                }
    }
}

TEST_CASE("a primary key of moments is found by those of another kind", "[sql]") {
    Session f;
    f.sql.execute_script("CREATE TABLE m (d date PRIMARY KEY, n int); INSERT INTO m VALUES ('2024-04-05', 1)");
    CHECK(f.answer("SELECT n FROM m WHERE d = timestamp '2024-04-05 00:00'") == "1 ");
    CHECK(f.answer("SELECT n FROM m WHERE d = timestamp '2024-04-05 00:01'").empty());
    f.sql.execute("UPDATE m SET n = 2 WHERE d = timestamp '2024-04-05 00:00'");
    CHECK(f.answer("SELECT n FROM m") == "2 ");
    f.sql.execute("DELETE FROM m WHERE d = timestamp '2024-04-05 00:01'");
    CHECK(f.answer("SELECT n FROM m") == "2 ");
}

TEST_CASE("an index must not be over what depends on settings", "[sql]") {
    Session f;
    f.sql.execute("CREATE TABLE s (id int PRIMARY KEY, at timestamptz, there timestamp, d date, x text)");
    const std::string expression =
        GENERATE("(at::date)", "(there::timestamptz)", "(x::date)", "(d::text)", "(x || d)", "(at + interval '1 day')",
                 "(d < at)", "(random())", "(concat(x, 'a'))", "(x::timestamp)", "(at::text)");
    CAPTURE(expression);
    CHECK(f.state_of("CREATE INDEX ON s (" + expression + ")") == "42P17");
    CHECK(f.state_of("CREATE INDEX ON s (id) WHERE " + expression + " IS NOT NULL") == "42P17");
    CHECK(f.state_of("ALTER TABLE s ADD COLUMN g text GENERATED ALWAYS AS (" + expression + "::text) STORED") ==
          "42P17");
}

TEST_CASE("an index may be over what does not depend on settings", "[sql]") {
    Session f;
    f.sql.execute("CREATE TABLE s (id int PRIMARY KEY, at timestamptz, there timestamp, d date, x text)");
    const std::string expression =
        GENERATE("(there::date)", "((at AT TIME ZONE 'UTC')::date)", "(x || id)", "(there + interval '1 day')",
                 "(d < there)", "(x::int)", "extract(hour FROM there)", "substring(x FROM 2)", "CAST(d AS timestamp)");
    CAPTURE(expression);
    CHECK(f.state_of("CREATE INDEX ON s (" + expression + ")").empty());
}

TEST_CASE("a prepared plan follows its tables as they grow", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    sql.execute_script("CREATE TABLE a (id int PRIMARY KEY, k int); CREATE INDEX ON a (k);"
                       "CREATE TABLE b (id int PRIMARY KEY, a int); CREATE INDEX ON b (a);"
                       "PREPARE p (int) AS SELECT count(*) FROM a JOIN b ON b.a = a.id WHERE a.k = $1");
    const auto plan = [&] {
        std::string text;
        for (const auto& row : sql.execute("EXPLAIN (COSTS OFF) EXECUTE p (5)").rows) text += row.at(0).value() + "\n";
        return text;
    };
    CHECK(sql.execute("EXECUTE p (5)").rows.at(0).at(0) == "0");
    const std::string small = plan();
    sql.execute("INSERT INTO a VALUES (1, 5)");
    CHECK(plan() == small);
    sql.execute_script("INSERT INTO a SELECT i, i % 5000 FROM generate_series(2, 20000) AS g(i);"
                       "INSERT INTO b SELECT i, i FROM generate_series(1, 60000) AS g(i)");
    INFO(small << plan());
    CHECK(plan().find("Nested Loop") != std::string::npos);
    CHECK(small.find("Nested Loop") == std::string::npos);
    CHECK(sql.execute("EXECUTE p (5)").rows.at(0).at(0) == "5");
    sql.execute("DELETE FROM b WHERE id > 2");
    CHECK(plan() == small);
}

TEST_CASE("a prepared plan follows what lies between its constants", "[sql]") {
    Fixture f;
    f.sql.execute_script("UPDATE t SET status = 'new'; CREATE INDEX of_status ON t (status);"
                         "PREPARE p AS SELECT * FROM t WHERE status = 'new'");
    CHECK_FALSE(f.uses("of_status", "EXECUTE p"));
    f.sql.execute("UPDATE t SET status = 'old' WHERE id > 20");
    for (int i = 0; i < 40; ++i) f.sql.execute("UPDATE t SET k = k + 1 WHERE id = 7");
    CHECK(f.uses("of_status", "EXECUTE p"));
    CHECK(f.answer("SELECT count(*) FROM t WHERE status = 'new'") == "20 ");
}

TEST_CASE("a text that is kept with its plan follows a table that grows, in its own transaction as well", "[sql]") {
    Fixture f;
    const std::string text = "SELECT count(*) FROM u JOIN t ON t.id = u.n WHERE u.n > 0";
    f.sql.execute("CREATE TABLE u (n int)");
    for (int i = 0; i < 3; ++i) CHECK(f.answer(text) == "0 ");
    f.sql.execute_script("BEGIN; INSERT INTO u SELECT * FROM generate_series(1, 30000)");
    CHECK(f.answer(text) == "20000 ");
    f.sql.execute("COMMIT");
    for (int i = 0; i < 3; ++i) CHECK(f.answer(text) == "20000 ");
}
