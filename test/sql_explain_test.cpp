// EXPLAIN: what a plan is, and with ANALYZE what each operator of it did.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <regex>
#include <string>

namespace {

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() {
        sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, k int);"
                           "INSERT INTO t SELECT i, i % 10 FROM generate_series(1, 1000) AS g(i);"
                           "CREATE TABLE few (k int PRIMARY KEY); INSERT INTO few VALUES (3), (4)");
    }
    /// The lines that say something, of a plan.
    std::string details(const std::string& text, const std::string& options = "COSTS OFF") {
        std::string answer;
        for (const auto& row : sql.execute("EXPLAIN (" + options + ") " + text).rows) {
            const std::string& line = row.at(0).value();
            const std::size_t begin = line.find_first_not_of(' ');
            if (line.compare(begin, 2, "->") != 0 && line.find(": ") != std::string::npos)
                answer += (answer.empty() ? "" : "; ") + line.substr(begin);
        }
        return answer;
    }
    std::string plan(const std::string& text) {
        std::string answer;
        for (const auto& row : sql.execute(text).rows) answer += row.at(0).value() + "\n";
        return answer;
    }
    /// Rows and loops without times.
    std::string rows(const std::string& text) {
        return plan("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + text);
    }
};

}  // namespace

TEST_CASE("EXPLAIN ANALYZE counts the rows that each operator made", "[sql]") {
    Fixture f;
    CHECK(f.rows("SELECT k, count(*) FROM t WHERE id <= 100 GROUP BY k ORDER BY k LIMIT 3") ==
          "Limit (actual rows=3 loops=1)\n"
          "  ->  Sort (actual rows=3 loops=1)\n"
          "        Sort Key: k\n"
          "        ->  HashAggregate (actual rows=10 loops=1)\n"
          "              Group Key: k\n"
          "              ->  Index Scan using t_pkey on t (actual rows=100 loops=1)\n"
          "                    Index Cond: (id <= 100)\n");
    CHECK(f.rows("SELECT * FROM t WHERE false AND id = 1").find("rows=0 loops=") != std::string::npos);
}

TEST_CASE("conditions that lead through an index are told from those that rows are tried with", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE p (id int PRIMARY KEY, city text, n int, note varchar(9));"
                         "CREATE INDEX ON p (city, n); CREATE INDEX ON p (lower(note));"
                         "INSERT INTO p SELECT i, 'c' || i % 40, i % 7, 'n' || i FROM generate_series(1, 4000) AS g(i);"
                         "ANALYZE p");
    CHECK(f.details("SELECT * FROM p WHERE id = 5 AND note LIKE '%x'") ==
          "Index Cond: (id = 5); Filter: ((note)::text ~~ '%x'::text)");
    CHECK(f.details("SELECT * FROM p WHERE id >= 3 AND id < 40") == "Index Cond: ((id >= 3) AND (id < 40))");
    CHECK(f.details("SELECT * FROM p WHERE city = 'c1' AND n > 5 AND id <> 7") ==
          "Index Cond: ((city = 'c1'::text) AND (n > 5)); Filter: (id <> 7)");
    CHECK(f.details("SELECT * FROM p WHERE id IN (1, 2, 3)") == "Index Cond: (id IN (1, 2, 3))");
    CHECK(f.details("SELECT * FROM p WHERE lower(note) = 'n5'") == "Index Cond: (lower((note)::text) = 'n5'::text)");
    CHECK(f.details("SELECT * FROM p WHERE id = 5 OR city = 'c7' AND n = 1") ==
          "Index Cond: ((id = 5) OR ((city = 'c7'::text) AND (n = 1))); "
          "Filter: ((id = 5) OR ((city = 'c7'::text) AND (n = 1)))");
    CHECK(f.details("SELECT * FROM p WHERE city IS NULL AND n IS NOT NULL") ==
          "Index Cond: ((city IS NULL) AND (n IS NOT NULL))");
    // Behind its own columns an index has those of the primary key.
    CHECK(f.details("SELECT * FROM p WHERE (city, n, id) > ('c38', 3, 7)") ==
          "Index Cond: (ROW(city, n, id) >= ROW('c38'::text, 3, 7)); "
          "Filter: (ROW(city, n, id) > ROW('c38'::text, 3, 7))");
}

TEST_CASE("joins tell the equalities that they hash from what else pairs must meet", "[sql]") {
    Fixture f;
    CHECK(f.details("SELECT 1 FROM t a JOIN t b ON a.k = b.k AND a.id > b.id") ==
          "Hash Cond: (a.k = b.k); Join Filter: (a.id > b.id)");
    CHECK(f.details("SELECT 1 FROM t a LEFT JOIN few ON a.k < few.k") == "Join Filter: (a.k < few.k)");
}

TEST_CASE("expressions are spelled as PostgreSQL spells them", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE e (b bool, d date, v numeric, j jsonb, a int[], r text)");
    const auto filter = [&](const std::string& where) {
        return f.details("SELECT 1 FROM e WHERE " + where).substr(std::string("Filter: ").size());
    };
    CHECK(filter("b IS NOT TRUE OR NOT b") == "((b IS NOT TRUE) OR (NOT b))");
    CHECK(filter("d > DATE '2020-01-31' AND v < -1.5") == "((d > '2020-01-31'::date) AND (v < '-1.5'::numeric))");
    CHECK(filter("j ->> 'k' = 'x'") == "((j ->> 'k'::text) = 'x'::text)");
    CHECK(filter("a[1] = 3 OR a[2:] = '{1}'") == "(((a)[1] = 3) OR ((a)[2:] = '{1}'::integer[]))");
    CHECK(filter("r IS DISTINCT FROM coalesce(r, 'it''s')") == "(r IS DISTINCT FROM COALESCE(r, 'it''s'::text))");
    CHECK(filter("CASE WHEN b THEN v ELSE 0 END > 1") == "(CASE WHEN b THEN v ELSE 0 END > 1)");
    CHECK(filter("r = NULLIF(r, 'a') AND v = greatest(v, 2)") ==
          "((r = NULLIF(r, 'a'::text)) AND (v = GREATEST(v, 2)))");
    CHECK(filter("v::varchar(3) = 'abc' AND - v < 3") ==
          "((((v)::character varying(3))::text = 'abc'::text) AND ((- v) < 3))");
    CHECK(filter("(b, v) < (true, 3) AND r <> ALL ('{x,y}')") ==
          "((ROW(b, v) < ROW(true, 3)) AND (r <> ALL ('{x,y}'::text[])))");
    CHECK(filter("EXISTS (SELECT 1 FROM few WHERE few.k::text = r OFFSET 0)").find("EXISTS(SubPlan); ") == 0);
}

TEST_CASE("columns of WITH queries have their names, in rounds of recursive ones too", "[sql]") {
    Fixture f;
    CHECK(f.details("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) "
                    "SELECT sum(n) FROM r WHERE n > 2") == "Filter: (n > 2); Filter: (n < 5)");
    CHECK(f.details("WITH w AS MATERIALIZED (SELECT k AS a, id FROM t) SELECT 1 FROM w x, w y WHERE x.a = y.id") ==
          "Hash Cond: (x.a = y.id)");
}

TEST_CASE("columns of functions, system relations and set operations have their names", "[sql]") {
    Fixture f;
    CHECK(f.details("SELECT 1 FROM json_each('{}') WHERE key > 'a' AND value IS NOT NULL") ==
          "Filter: ((key > 'a'::text) AND (value IS NOT NULL))");
    CHECK(f.details("SELECT 1 FROM json_to_recordset('[]') AS x (a int) WHERE a = 1") == "Filter: (a = 1)");
    CHECK(f.details("SELECT 1 FROM ROWS FROM (generate_series(1, 2)) WITH ORDINALITY AS x WHERE ordinality > 1") ==
          "Filter: (ordinality > 1)");
    CHECK(f.details("SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind = 'r'") ==
          "Hash Cond: (n.oid = c.relnamespace); Filter: (c.relkind = 'r'::\"char\")");
    CHECK(f.details("SELECT k % 3 FROM t UNION SELECT k FROM few ORDER BY 1") == "Sort Key: (t.k % 3)");
}

TEST_CASE("keys of sorts and groups say the expressions behind them", "[sql]") {
    Fixture f;
    CHECK(f.details("SELECT k % 2 AS odd, count(*) FROM t GROUP BY k % 2 ORDER BY count(*) DESC, odd NULLS FIRST") ==
          "Sort Key: count(*) DESC, (k % 2) NULLS FIRST; Group Key: (k % 2)");
    CHECK(f.details("SELECT k, id, count(*) FROM t GROUP BY ROLLUP (k, id)") ==
          "Group Key: k, id; Group Key: k; Group Key: ()");
    // What stands on itself many times is not spelled out.
    std::string text = "SELECT k AS x FROM t";
    for (int i = 0; i < 30; ++i) text = "SELECT x + x AS x FROM (" + text + " OFFSET 0) s" + std::to_string(i);
    CHECK(f.details(text + " ORDER BY x").size() < 20'000);
}

TEST_CASE("VERBOSE says what each operator hands on", "[sql]") {
    Fixture f;
    CHECK(f.plan("EXPLAIN (VERBOSE, COSTS OFF) SELECT max(k) FROM t x WHERE id > 5") ==
          "Aggregate\n  Output: max(x.k)\n  ->  Index Scan using t_pkey on public.t x\n        Output: x.k\n"
          "        Index Cond: (x.id > 5)\n");
    CHECK(f.plan("EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM few WHERE k = 3").find("Delete on public.few\n") == 0);
}

TEST_CASE("EXPLAIN ANALYZE counts the rows that conditions refuse, of a loop", "[sql]") {
    Fixture f;
    CHECK(f.rows("SELECT * FROM t WHERE id <= 100 AND k = 3").find("Rows Removed by Filter: 90\n") !=
          std::string::npos);
    CHECK(f.rows("SELECT * FROM t WHERE id <= 100").find("Removed") == std::string::npos);
    CHECK(f.rows("SELECT k FROM t GROUP BY k HAVING count(*) > 1000").find("Rows Removed by Filter: 10\n") !=
          std::string::npos);
}

TEST_CASE("EXPLAIN ANALYZE tells which operators put rows into files, for lack of memory", "[sql]") {
    Fixture f;
    const std::string sorted = "SELECT g, repeat('x', 100) FROM generate_series(1, 20000) g ORDER BY g DESC";
    CHECK(f.rows(sorted).find("Disk Usage") == std::string::npos);
    f.sql.execute("SET work_mem = '64kB'");
    const std::string plan = f.rows(sorted);
    INFO(plan);
    // The sort, and not what gets its rows.
    CHECK(std::regex_search(plan, std::regex("Sort \\(.*\n *Sort Key: g DESC\n *Disk Usage: [0-9]{4}kB\n")));
    CHECK(plan.find("Disk Usage") == plan.rfind("Disk Usage"));
}

TEST_CASE("no number of expected rows is too large to be shown", "[sql]") {
    Fixture f;
    const std::string plan = f.plan("EXPLAIN SELECT 1 FROM t a, t b, t c, t d, t e, t f, t g, t h");
    INFO(plan);
    CHECK(plan.find("(rows=1000000000000000000)") != std::string::npos);
    CHECK(plan.find("(rows=-") == std::string::npos);
}

TEST_CASE("EXPLAIN ANALYZE counts how often the inner side of a loop ran", "[sql]") {
    Fixture f;
    const std::string plan = f.rows("SELECT * FROM few, LATERAL (SELECT id FROM t WHERE t.k = few.k LIMIT 5) x");
    CHECK(plan.find("Limit (actual rows=5 loops=2)") != std::string::npos);
}

TEST_CASE("what was not needed is said to be never executed", "[sql]") {
    Fixture f;
    const std::string plan = f.rows("SELECT CASE WHEN k > 100 THEN (SELECT max(id) FROM t) END FROM few");
    CHECK(plan.find("SubPlan\n") != std::string::npos);
    CHECK(plan.find("Aggregate (never executed)") != std::string::npos);
}

TEST_CASE("EXPLAIN shows the query of a WITH once, below its first reader", "[sql]") {
    Fixture f;
    CHECK(f.rows("WITH w AS MATERIALIZED (SELECT * FROM few) SELECT * FROM w a, w b WHERE a.k = b.k")
              .find("CTE w\n") != std::string::npos);
    const std::string plan = f.plan("EXPLAIN WITH w AS MATERIALIZED (SELECT * FROM few) SELECT * FROM w a, w b");
    CHECK(plan.find("CTE w\n") == plan.rfind("CTE w\n"));
    CHECK(plan.find("Seq Scan on few") != std::string::npos);
}

TEST_CASE("changes are run by EXPLAIN ANALYZE, and by nothing else", "[sql]") {
    Fixture f;
    CHECK(f.rows("INSERT INTO few VALUES (7), (8), (9) RETURNING k") ==
          "Insert on few (actual rows=3 loops=1)\n"
          "  ->  Values Scan (actual rows=3 loops=1)\n");
    CHECK(f.rows("DELETE FROM few WHERE k = 7").find("Delete on few (actual rows=0 loops=1)\n") == 0);
    f.plan("EXPLAIN DELETE FROM few");
    CHECK(f.sql.execute("SELECT count(*) FROM few").rows.at(0).at(0) == "4");
}

TEST_CASE("times are milliseconds, of an operator with what is below it", "[sql]") {
    Fixture f;
    const std::string plan = f.plan("EXPLAIN ANALYZE SELECT count(*) FROM t a JOIN t b USING (k)");
    INFO(plan);
    CHECK(std::regex_search(plan, std::regex(R"(^Aggregate  \(rows=1\) \(actual time=\d+\.\d{3}\.\.\d+\.\d{3} rows=1 )"
                                             R"(loops=1\)\n)")));
    CHECK(std::regex_search(plan, std::regex(R"(Planning Time: \d+\.\d{3} ms\nExecution Time: \d+\.\d{3} ms\n$)")));
    std::smatch found;
    REQUIRE(std::regex_search(plan, found, std::regex(R"(time=\d+\.\d+\.\.(\d+\.\d+) rows=1 .*\n(?:.*\n)*Execution )"
                                                      R"(Time: (\d+\.\d+) ms)")));
    CHECK(std::stod(found[1]) <= std::stod(found[2]));
}

TEST_CASE("FORMAT JSON has the same under PostgreSQL's names", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TEMP TABLE plans (plan jsonb)");
    const std::string json = f.plan("EXPLAIN (ANALYZE, FORMAT JSON) SELECT id + 1 FROM t WHERE id < 11");
    f.sql.execute("INSERT INTO plans VALUES ($json$" + json + "$json$)");
    const auto rows = f.sql.execute(
        "SELECT plan #>> '{0,Plan,Plans,0,Node Type}', plan #>> '{0,Plan,Plans,0,Actual Rows}', "
        "plan #>> '{0,Plan,Plans,0,Actual Loops}', jsonb_typeof(plan #> '{0,Plan,Actual Total Time}'), "
        "jsonb_typeof(plan #> '{0,Execution Time}'), plan #>> '{0,Plan,Plans,0,Parent Relationship}', "
        "plan #>> '{0,Plan,Plans,0,Index Cond}', plan #>> '{0,Plan,Plans,0,Alias}' FROM plans").rows;
    CHECK(rows.at(0).at(0) == "Index Scan");
    CHECK(rows.at(0).at(1) == "10");
    CHECK(rows.at(0).at(2) == "1");
    CHECK(rows.at(0).at(3) == "number");
    CHECK(rows.at(0).at(4) == "number");
    CHECK(rows.at(0).at(5) == "Outer");
    CHECK(rows.at(0).at(6) == "(id < 11)");
    CHECK(rows.at(0).at(7) == "t");
}
