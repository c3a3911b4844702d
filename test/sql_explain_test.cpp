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
          "    ->  HashAggregate (actual rows=10 loops=1)\n"
          "      ->  Index Scan using t_pkey on t (actual rows=100 loops=1)\n");
    CHECK(f.rows("SELECT * FROM t WHERE false AND id = 1").find("rows=0 loops=") != std::string::npos);
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
        "jsonb_typeof(plan #> '{0,Execution Time}'), plan #>> '{0,Plan,Plans,0,Parent Relationship}' FROM plans").rows;
    CHECK(rows.at(0).at(0) == "Index Scan");
    CHECK(rows.at(0).at(1) == "10");
    CHECK(rows.at(0).at(2) == "1");
    CHECK(rows.at(0).at(3) == "number");
    CHECK(rows.at(0).at(4) == "number");
    CHECK(rows.at(0).at(5) == "Outer");
}
