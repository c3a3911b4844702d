// ANALYZE: what it finds, where it is kept, and what the planner makes of it.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>

namespace {

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() {
        sql.execute_script(
            "CREATE TABLE t (id int PRIMARY KEY, k int, s text, n numeric, j json, b boolean, skew text);"
            "INSERT INTO t SELECT i, i % 7, 'v' || i % 200, CASE WHEN i % 4 = 0 THEN NULL ELSE i / 10.0 END, '{}', "
            "i % 10 = 0, CASE WHEN i % 100 = 0 THEN 'rare' || i % 300 ELSE 'usual' END "
            "FROM generate_series(1, 2000) AS g(i);"
            "CREATE INDEX t_skew ON t (skew); CREATE INDEX t_k ON t (k);");
    }
    std::string all(const std::string& text) {
        std::string answer;
        for (const auto& row : sql.execute(text).rows) {
            for (std::size_t i = 0; i < row.size(); ++i) answer += (i == 0 ? "" : "|") + row[i].value_or("NULL");
            answer += "\n";
        }
        return answer;
    }
    std::string state_of(const std::string& text) {
        try {
            sql.execute(text);
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return "00000";
    }
    /// The last operator of the plan: how the table is read.
    std::string plan(const std::string& text) {
        std::string line;
        for (const auto& row : sql.execute("EXPLAIN " + text).rows)
            if (row.at(0)->find("  (rows=") != std::string::npos) line = *row.at(0);
        const std::size_t arrow = line.find("->  ");
        return arrow == std::string::npos ? line : line.substr(arrow + 4);
    }
    /// The number of rows that the planner expects.
    double expected(const std::string& text) { return rows_in(plan(text)); }
    /// The same of the topmost operator of this name.
    double expected_of(const std::string& name, const std::string& text) {
        for (const auto& row : sql.execute("EXPLAIN " + text).rows)
            if (row.at(0)->find(name) != std::string::npos) return rows_in(*row.at(0));
        return -1;
    }
    double expected_of_join(const std::string& text) { return expected_of("Join", text); }
    static double rows_in(const std::string& line) {
        const std::size_t at = line.find("rows=");
        return at == std::string::npos ? -1 : std::atof(line.c_str() + at + 5);
    }
};

}  // namespace

TEST_CASE("ANALYZE finds what PostgreSQL finds of a small table", "[sql]") {
    Fixture f;
    CHECK(f.all("SELECT count(*) FROM pg_stats") == "0\n");
    CHECK(f.sql.execute("ANALYZE t").tag == "ANALYZE");
    CHECK(f.all("SELECT attname, null_frac, n_distinct, most_common_vals, most_common_freqs, "
                "array_length(histogram_bounds, 1), round(correlation::numeric, 4) FROM pg_stats "
                "WHERE schemaname = 'public' AND tablename = 't' AND attname IN ('b', 'id', 'j', 'k', 'n', 'skew') "
                "ORDER BY attname") ==
          "b|0|2|{f,t}|{0.9,0.1}|NULL|0.8213\n"
          "id|0|-1|NULL|NULL|51|1.0000\n"
          "j|0|0|NULL|NULL|NULL|NULL\n"
          "k|0|7|{1,2,3,4,5,0,6}|{0.143,0.143,0.143,0.143,0.143,0.1425,0.1425}|NULL|0.1437\n"
          "n|0.25|-0.75|NULL|NULL|51|1.0000\n"
          "skew|0|4|{usual,rare100,rare200,rare0}|{0.99,0.0035,0.0035,0.003}|NULL|0.9786\n");
    CHECK(f.all("SELECT reltuples FROM pg_class WHERE relname = 't'") == "2000\n");
}

TEST_CASE("bounds of a histogram have as many rows between them", "[sql]") {
    Fixture f;
    f.sql.execute("ANALYZE t (id)");
    CHECK(f.all("SELECT attname, (histogram_bounds::text::int[])[1], (histogram_bounds::text::int[])[26], "
                "(histogram_bounds::text::int[])[51] FROM pg_stats") == "id|1|1000|2000\n");
}

TEST_CASE("of a large table ANALYZE estimates from a sample", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE big AS SELECT i AS id, i % 50000 AS twice, i % 5 AS few "
                  "FROM generate_series(1, 100000) AS g(i)");
    f.sql.execute("ANALYZE big");
    CHECK(f.all("SELECT attname FROM pg_stats WHERE tablename = 'big' AND CASE attname WHEN 'id' THEN n_distinct = -1 "
                "WHEN 'twice' THEN n_distinct BETWEEN -0.65 AND -0.4 ELSE n_distinct = 5 END ORDER BY 1") ==
          "few\nid\ntwice\n");
}

TEST_CASE("statistics are versioned with the definition of the table", "[sql]") {
    Fixture f;
    f.sql.execute("BEGIN");
    f.sql.execute("ANALYZE t");
    CHECK(f.all("SELECT count(*) FROM pg_stats") == "7\n");
    f.sql.execute("ROLLBACK");
    CHECK(f.all("SELECT count(*) FROM pg_stats") == "0\n");
    f.sql.execute("ANALYZE");
    northstar::SqlConnection other(f.database);
    CHECK(other.execute("SELECT count(*) FROM pg_stats").rows.at(0).at(0) == "7");
    f.sql.execute("ALTER TABLE t DROP COLUMN n");
    f.sql.execute("ALTER TABLE t ALTER COLUMN k TYPE text");
    CHECK(f.all("SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_stats") == "b id j s skew\n");
    f.sql.execute("ALTER TABLE t RENAME COLUMN s TO s2");
    CHECK(f.all("SELECT count(*) FROM pg_stats WHERE attname = 's2'") == "1\n");
    f.sql.execute("DROP TABLE t");
    CHECK(f.all("SELECT count(*) FROM pg_stats") == "0\n");
}

TEST_CASE("a label that is renamed takes the statistics of its columns with it", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE m (e mood, i int);"
                         "INSERT INTO m VALUES ('sad', 1), ('sad', 1), ('ok', 1), ('ok', 1); ANALYZE m");
    f.sql.execute("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'");
    northstar::SqlConnection other(f.database);
    CHECK(other.execute("SELECT count(*) FROM m WHERE e = 'fine'").rows.at(0).at(0) == "2");
    CHECK(other.execute("SELECT string_agg(attname, ' ') FROM pg_stats").rows.at(0).at(0) == "i");
}

TEST_CASE("ANALYZE of some columns keeps what is known of the others", "[sql]") {
    Fixture f;
    f.sql.execute("ANALYZE t (k, b)");
    f.sql.execute("UPDATE t SET b = true, k = 1");
    f.sql.execute("ANALYZE VERBOSE t (b, s)");
    CHECK(f.all("SELECT attname, n_distinct FROM pg_stats ORDER BY 1") == "b|1\nk|7\ns|200\n");
}

TEST_CASE("the planner reads shares of values, ranges and NULLs", "[sql]") {
    Fixture f;
    f.sql.execute("ANALYZE t");
    CHECK(f.expected("SELECT * FROM t WHERE skew = 'usual'") == 1980);
    CHECK(f.expected("SELECT * FROM t WHERE skew = 'rare0'") == 6);
    CHECK(f.expected("SELECT * FROM t WHERE skew <> 'usual'") == 20);
    CHECK(f.expected("SELECT * FROM t WHERE skew IN ('rare0', 'rare100')") == 13);
    CHECK(f.expected("SELECT * FROM t WHERE n IS NULL") == 500);
    CHECK(f.expected("SELECT * FROM t WHERE b") == 200);
    CHECK(f.expected("SELECT * FROM t WHERE NOT b") == 1800);
    const double range = f.expected("SELECT * FROM t WHERE n >= 50 AND n < 100");
    CHECK(range > 300);
    CHECK(range < 450);
    CHECK(f.expected("SELECT * FROM t WHERE n > 1000") <= 1);
}

TEST_CASE("an index that leads to most of the rows is left alone, unless its entries are enough", "[sql]") {
    Fixture f;
    const std::string usual = "SELECT * FROM t WHERE skew = 'usual'";
    f.sql.execute("PREPARE p (text) AS SELECT * FROM t WHERE skew = $1");
    CHECK(f.plan("EXECUTE p ('usual')").find("Index Scan") == 0);
    CHECK(f.plan(usual).find("Seq Scan") == 0);  // counted
    f.sql.execute("ANALYZE t");
    CHECK(f.plan(usual).find("Seq Scan") == 0);
    CHECK(f.plan("SELECT * FROM t WHERE skew = 'rare0'").find("Index Scan") == 0);
    CHECK(f.plan("SELECT id FROM t WHERE skew = 'usual'").find("Index Only Scan") == 0);
    // The answers are the same.
    CHECK(f.all("SELECT count(s), sum(k) FROM t WHERE skew = 'usual'") == "1980|5937\n");
    CHECK(f.all("SELECT count(id), sum(id) FROM t WHERE skew = 'usual'") == "1980|1980000\n");
    CHECK(f.all("SELECT id FROM t WHERE skew = 'usual' ORDER BY skew, id LIMIT 3") == "1\n2\n3\n");
}

TEST_CASE("a subquery is not grouped as a whole where ANALYZE knows that a key has few rows", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE part (p int PRIMARY KEY, brand int);"
                         "INSERT INTO part SELECT i, i % 67 FROM generate_series(1, 8000) AS g(i);"
                         "CREATE TABLE line (p int, q int);"
                         "INSERT INTO line SELECT i % 8000 + 1, i % 50 FROM generate_series(1, 40000) AS g(i);"
                         "CREATE INDEX ON line (p); ANALYZE");
    const std::string text = "SELECT count(*) FROM part JOIN line USING (p) WHERE brand = 5 AND "
                             "q < (SELECT avg(q) FROM line AS l WHERE l.p = part.p)";
    std::string plan;
    for (const auto& row : f.sql.execute("EXPLAIN " + text).rows) plan += row.at(0).value() + "\n";
    INFO(plan);
    CHECK(plan.find("HashAggregate") == std::string::npos);
    CHECK(plan.find("SubPlan") != std::string::npos);
}

TEST_CASE("a join of columns with the same common values is expected to give what they give", "[sql]") {
    Fixture f;
    f.sql.execute_script(
        "CREATE TABLE a (k int, n int); INSERT INTO a SELECT CASE WHEN i % 2 = 0 THEN 1 ELSE i END, i "
        "FROM generate_series(1, 2000) AS g(i);"
        "CREATE TABLE c (k int, n int); INSERT INTO c SELECT CASE WHEN i % 4 = 0 THEN 1 ELSE -i END, i "
        "FROM generate_series(1, 2000) AS g(i); ANALYZE a, c");
    const std::string joined = "SELECT 1 FROM a JOIN c ON a.k = c.k";
    CHECK(f.all("SELECT count(*) FROM (" + joined + ") j") == "500500\n");
    CHECK(f.expected_of_join(joined) > 400000);
    CHECK(f.expected_of_join(joined) < 600000);
}

TEST_CASE("a column that is compared with two equal ones selects once", "[sql]") {
    Fixture f;
    f.sql.execute_script(
        "CREATE TABLE m (id int PRIMARY KEY, n int); INSERT INTO m SELECT i, i FROM generate_series(1, 100) AS g(i);"
        "CREATE TABLE w (m int, n int); INSERT INTO w SELECT i % 100 + 1, i FROM generate_series(1, 3000) AS g(i);"
        "CREATE TABLE x (m int, n int); INSERT INTO x SELECT i % 100 + 1, i FROM generate_series(1, 5000) AS g(i);"
        "ANALYZE m, w, x");
    // 30 of the one and 50 of the other for each.
    CHECK(f.expected_of_join("SELECT 1 FROM m, w, x WHERE w.m = m.id AND x.m = m.id AND x.m = w.m") == 150000);
}

TEST_CASE("groups are no more than the rows they are made of, and as many as their columns have values", "[sql]") {
    Fixture f;
    f.sql.execute("ANALYZE t");
    CHECK(f.expected_of("Aggregate", "SELECT k, count(*) FROM t GROUP BY k") == 7);
    CHECK(f.expected_of("Aggregate", "SELECT k, b, count(*) FROM t GROUP BY k, b") == 14);
    CHECK(f.expected_of("Aggregate", "SELECT id, s, count(*) FROM t WHERE id < 11 GROUP BY id, s") <= 20);
}

TEST_CASE("of two indexes the one that leads to fewer rows is read", "[sql]") {
    Fixture f;
    f.sql.execute("ANALYZE t");
    CHECK(f.plan("SELECT * FROM t WHERE skew = 'rare0' AND k = 3").find("t_skew") != std::string::npos);
    CHECK(f.plan("SELECT * FROM t WHERE skew = 'usual' AND k = 3").find("t_k") != std::string::npos);
}

TEST_CASE("ANALYZE refuses what PostgreSQL refuses", "[sql]") {
    Fixture f;
    CHECK(f.state_of("ANALYZE nowhere") == "42P01");
    CHECK(f.state_of("ANALYZE t (nothing)") == "42703");
    CHECK(f.state_of("ANALYZE t (k, k)") == "42701");
    CHECK(f.state_of("ANALYZE (what) t") == "42601");
    CHECK(f.state_of("VACUUM t (k)") == "0A000");
    CHECK(f.state_of("VACUUM (ANALYZE) t (k)") == "00000");
    CHECK(f.all("SELECT attname FROM pg_stats") == "k\n");
    f.sql.execute("CREATE VIEW v AS SELECT 1 AS x");
    CHECK(f.state_of("ANALYZE v") == "00000");
    f.sql.execute("SET northstar.as_of = '2'");
    CHECK(f.state_of("ANALYZE t") == "25006");
    f.sql.execute("RESET northstar.as_of");
    f.sql.execute("BEGIN READ ONLY");
    CHECK(f.state_of("ANALYZE t") == "25006");
}

TEST_CASE("values of every kind come back from the catalog as they were analyzed", "[sql]") {
    Fixture f;
    f.sql.execute_script(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');"
        "CREATE TABLE kinds (e mood, d date, ts timestamptz, u uuid, a int[], r int4range, i interval, by bytea);"
        "INSERT INTO kinds SELECT (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::mood, date '2020-01-01' + i % 9, "
        "timestamptz '2020-01-01 00:00+00' + i % 9 * interval '1 hour', md5((i % 9)::text)::uuid, ARRAY[i % 9, 1], "
        "int4range(i % 9, 20), i % 9 * interval '1 day', decode('0' || i % 9, 'hex') FROM generate_series(1, 90) g(i);"
        "SET timezone = 'Asia/Tokyo'; SET datestyle = 'SQL, DMY'; ANALYZE kinds; RESET ALL");
    CHECK(f.all("SELECT attname, array_length(most_common_vals, 1) FROM pg_stats "
                "WHERE tablename = 'kinds' ORDER BY 1") ==
          "a|9\nby|9\nd|9\ne|3\ni|9\nr|9\nts|9\nu|9\n");
    CHECK(f.expected("SELECT * FROM kinds WHERE ts = '2020-01-01 03:00+00'") == 10);
    CHECK(f.expected("SELECT * FROM kinds WHERE e = 'ok'") == 30);
    CHECK(f.expected("SELECT * FROM kinds WHERE d < '2020-01-04'") == 30);
}
