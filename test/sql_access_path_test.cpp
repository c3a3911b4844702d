// What is read of a table: an index is used wherever its rows are named by values, by few rows of a subquery, or by a
// range that depends on a row; and what was read so conflicts with nothing else.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() {
        sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, k int, name varchar(20) UNIQUE);"
                           "INSERT INTO t SELECT i, i % 1000, 'n' || i FROM generate_series(1, 20000) AS g(i);"
                           "CREATE INDEX ON t (k, id); ANALYZE t;"
                           "CREATE TABLE few (n int, name varchar(20));"
                           "INSERT INTO few VALUES (3, 'n3'), (4, 'n4'), (4, 'n4')");
    }
    std::string plan(const std::string& text) {
        std::string answer;
        for (const auto& row : sql.execute("EXPLAIN (COSTS OFF) " + text).rows) answer += row.at(0).value() + "\n";
        return answer;
    }
    bool uses(const std::string& index, const std::string& text) {
        const std::string found = plan(text);
        INFO(text << "\n" << found);
        const bool used = found.find("using " + index + " on t") != std::string::npos;
        CHECK(used != (found.find("Seq Scan on t ") != std::string::npos ||
                       found.find("Seq Scan on t\n") != std::string::npos));
        return used;
    }
    std::string answer(const std::string& text) {
        std::string out;
        for (const auto& row : sql.execute(text).rows) {
            for (const auto& value : row) out += value.value_or("NULL") + " ";
        }
        return out;
    }
};

}  // namespace

TEST_CASE("rows named by values are found through an index", "[sql]") {
    Fixture f;
    CHECK(f.uses("t_pkey", "SELECT * FROM t WHERE id IN (5, 500, 7)"));
    CHECK(f.uses("t_pkey", "SELECT * FROM t WHERE id = ANY (ARRAY[5, 500])"));
    CHECK(f.uses("t_pkey", "SELECT * FROM t WHERE id = ANY ('{5,500}')"));
    CHECK(f.uses("t_pkey", "SELECT * FROM t WHERE id = 5 OR 500 = id OR id IN (7, 8)"));
    CHECK(f.uses("t_k_id_idx", "SELECT * FROM t WHERE k = 5 AND id > 15000"));
    CHECK(f.uses("t_k_id_idx", "SELECT * FROM t WHERE k IN (5, 6)"));
    CHECK(f.uses("t_pkey", "DELETE FROM t WHERE id IN (1, 2)"));
    CHECK(f.uses("t_pkey", "UPDATE t SET k = 0 WHERE id = ANY ('{1,2}')"));
    CHECK_FALSE(f.uses("t_pkey", "SELECT * FROM t WHERE id NOT IN (5, 500)"));
    CHECK_FALSE(f.uses("t_pkey", "SELECT * FROM t WHERE id <> ALL ('{5,500}')"));
}

TEST_CASE("a condition that is there twice is one", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE gaps (a int, b int); CREATE INDEX ON gaps (a); CREATE INDEX ON gaps (a, b);"
                         "INSERT INTO gaps SELECT nullif(i % 90, 0), i FROM generate_series(1, 9000) AS g(i);"
                         "ANALYZE gaps");
    const std::string four = "a IS NULL AND a IS NULL AND a IS NULL AND a IS NULL";
    CHECK(f.answer("SELECT count(*) FROM gaps WHERE " + four) == "100 ");
    f.sql.execute("PREPARE one AS SELECT count(*) FROM gaps WHERE b = $1 AND " + four);
    CHECK(f.answer("EXECUTE one (90)") == "1 ");
}

TEST_CASE("so many values that reading all rows is quicker do not go through an index", "[sql]") {
    Fixture f;
    std::string list = "0";
    for (int i = 1; i < 5000; ++i) list += ", " + std::to_string(i);
    CHECK_FALSE(f.uses("t_pkey", "SELECT * FROM t WHERE id IN (" + list + ")"));
    CHECK(f.answer("SELECT count(*) FROM t WHERE id IN (" + list + ")") == "4999 ");
    CHECK(f.answer("SELECT count(*) FROM t WHERE id = ANY ('{" + list + "}')") == "4999 ");
}

TEST_CASE("values of an IN list keep the order of the index", "[sql]") {
    Fixture f;
    const std::string ordered = "SELECT id FROM t WHERE id IN (9, 3, 9, 5, NULL) ORDER BY id";
    CHECK(f.plan(ordered).find("Sort") == std::string::npos);
    CHECK(f.answer(ordered) == "3 5 9 ");
    CHECK(f.plan(ordered + " DESC").find("Sort") == std::string::npos);
    CHECK(f.answer(ordered + " DESC") == "9 5 3 ");
    CHECK(f.answer(ordered + " DESC LIMIT 2") == "9 5 ");
    CHECK(f.answer("SELECT k, id FROM t WHERE k IN (7, 2) AND id < 3000 ORDER BY k, id") ==
          "2 2 2 1002 2 2002 7 7 7 1007 7 2007 ");
}

TEST_CASE("an index on a varchar is used like one on a text", "[sql]") {
    Fixture f;
    CHECK(f.uses("t_name_key", "SELECT * FROM t WHERE name = 'n5'"));
    CHECK(f.uses("t_name_key", "SELECT * FROM t WHERE name IN ('n5', 'n6')"));
    CHECK(f.uses("t_name_key", "SELECT * FROM t WHERE name = ANY ('{n5,n6}')"));
    CHECK(f.uses("t_name_key", "SELECT * FROM t WHERE name >= 'n199' AND name < 'n1990'"));
    CHECK(f.uses("t_name_key", "SELECT * FROM few JOIN t ON t.name = few.name"));
    CHECK(f.answer("SELECT id FROM t WHERE name IN ('n5', 'n5 ', 'x') ORDER BY id") == "5 ");
}

TEST_CASE("rows named by few rows of a subquery are looked up", "[sql]") {
    Fixture f;
    CHECK(f.uses("t_pkey", "SELECT * FROM t WHERE id IN (SELECT n FROM few)"));
    CHECK(f.uses("t_pkey", "SELECT * FROM t WHERE id IN (SELECT unnest(ARRAY[5, 500]))"));
    CHECK(f.uses("t_pkey", "DELETE FROM t WHERE id IN (SELECT n FROM few)"));
    CHECK(f.uses("t_name_key", "SELECT * FROM t WHERE name IN (SELECT name FROM few)"));
    CHECK_FALSE(f.uses("t_pkey", "SELECT * FROM t WHERE id IN (SELECT k FROM t)"));
    CHECK_FALSE(f.uses("t_pkey", "SELECT * FROM t WHERE id NOT IN (SELECT n FROM few)"));
    CHECK(f.answer("SELECT id FROM t WHERE id IN (SELECT n FROM few UNION ALL SELECT NULL) ORDER BY id") == "3 4 ");
}

TEST_CASE("a range that depends on a row is read from an index for each of them", "[sql]") {
    Fixture f;
    CHECK(f.uses("t_pkey", "SELECT * FROM few JOIN t ON t.id BETWEEN few.n AND few.n + 2"));
    CHECK(f.uses("t_pkey", "SELECT * FROM few LEFT JOIN t ON t.id > few.n AND t.id < few.n + 2"));
    CHECK(f.uses("t_pkey", "SELECT * FROM few WHERE EXISTS (SELECT 1 FROM t WHERE t.id = few.n + 1 AND t.id > few.n)"));
    CHECK(f.answer("SELECT t.id FROM few JOIN t ON t.id BETWEEN few.n AND few.n + 1 ORDER BY 1") == "3 4 4 4 5 5 ");
}

TEST_CASE("a condition on a UNION ALL is one on each of its branches", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE more (id int PRIMARY KEY, name text);"
                         "INSERT INTO more SELECT i, 'm' || i FROM generate_series(15000, 30000) AS g(i);"
                         "CREATE VIEW both_of_them AS SELECT id, name FROM t UNION ALL SELECT id, name FROM more "
                         "UNION ALL SELECT 20000, 'constant'");
    const std::string text = "SELECT id, name FROM both_of_them WHERE id = 20000 ORDER BY 2";
    CHECK(f.uses("t_pkey", text));
    CHECK(f.plan(text).find("using more_pkey") != std::string::npos);
    CHECK(f.answer(text) == "20000 constant 20000 m20000 20000 n20000 ");
    CHECK(f.answer("SELECT count(*) FROM both_of_them WHERE id BETWEEN 14990 AND 15010 AND name <> 'n15000'") == "31 ");
    // What is computed for each row once, or asks for other rows, stays above.
    CHECK(f.answer("SELECT count(*) FROM both_of_them WHERE id > 29998 AND random() >= 0") == "2 ");
    CHECK(f.answer("SELECT name FROM both_of_them b WHERE id = (SELECT max(id) FROM more)") == "m30000 ");
    f.sql.execute_script("CREATE TABLE heirs (extra int, PRIMARY KEY (id)) INHERITS (t);"
                         "INSERT INTO heirs SELECT i, 1, 'h' || i FROM generate_series(1, 5000) AS g(i)");
    const std::string inherited = "SELECT name FROM t WHERE id = 77 ORDER BY name";
    CHECK(f.plan(inherited).find("using heirs_pkey") != std::string::npos);
    CHECK(f.answer(inherited) == "h77 n77 ");
}

TEST_CASE("what LIKE begins with is a range of an index", "[sql]") {
    Fixture f;
    CHECK(f.uses("t_name_key", "SELECT * FROM t WHERE name LIKE 'n199%'"));
    CHECK(f.uses("t_name_key", "SELECT * FROM t WHERE name LIKE 'n19\\_%'"));
    CHECK(f.uses("t_name_key", "SELECT * FROM t WHERE name LIKE 'n5'"));
    CHECK_FALSE(f.uses("t_name_key", "SELECT * FROM t WHERE name LIKE '%5'"));
    CHECK_FALSE(f.uses("t_name_key", "SELECT * FROM t WHERE name LIKE '_5%'"));
    CHECK_FALSE(f.uses("t_name_key", "SELECT * FROM t WHERE name ILIKE 'n199%'"));
    CHECK_FALSE(f.uses("t_name_key", "SELECT * FROM t WHERE name NOT LIKE 'n199%'"));
    CHECK(f.answer("SELECT count(*) FROM t WHERE name LIKE 'n199%'") == "111 ");
    CHECK(f.answer("SELECT count(*) FROM t WHERE name LIKE 'n199_' OR name LIKE 'n5'") == "11 ");
    f.sql.execute("INSERT INTO t VALUES (-1, 1, '\u00ff'), (-2, 1, '\u00ffa'), (-3, 1, '\u0100'), (-4, 1, 'n5\\_')");
    CHECK(f.answer("SELECT id FROM t WHERE name LIKE '\u00ff%' ORDER BY id") == "-2 -1 ");
    CHECK(f.answer("SELECT id FROM t WHERE name LIKE 'n5\\\\\\_' ORDER BY id") == "-4 ");
    CHECK(f.answer("SELECT id FROM t WHERE name LIKE 'n2000%' ORDER BY name DESC") == "20000 2000 ");
}

TEST_CASE("min and max of a column that an index has in order read one row each", "[sql]") {
    Fixture f;
    const auto read = [&](const std::string& text) {
        std::string rows;
        for (const auto& row : f.sql.execute("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + text).rows) {
            const std::string& line = row.at(0).value();
            if (line.find("Scan") != std::string::npos) rows += line.substr(line.find("actual rows=") + 12, 2);
        }
        return rows;
    };
    CHECK(read("SELECT max(id) FROM t") == "1 ");
    CHECK(read("SELECT min(id), max(id), max(k), min(name) FROM t") == "1 1 1 1 ");
    CHECK(read("SELECT min(id) FROM t WHERE k = 7") == "1 ");
    CHECK(read("SELECT max(id) FROM t WHERE id < 1000") == "1 ");
    CHECK(f.answer("SELECT min(id), max(id), max(k), min(name) FROM t") == "1 20000 999 n1 ");
    CHECK(f.answer("SELECT min(id), max(id) FROM t WHERE k = 7") == "7 19007 ");
    CHECK(f.answer("SELECT max(id) FROM t WHERE id < 0") == "NULL ");
    CHECK(f.answer("SELECT max(id) FILTER (WHERE k = 1), count(*) FROM t") == "19001 20000 ");
    f.sql.execute_script("CREATE TABLE holes (x int); CREATE INDEX ON holes (x); CREATE INDEX ON holes (x DESC);"
                         "INSERT INTO holes VALUES (NULL), (3), (1), (NULL)");
    CHECK(f.answer("SELECT min(x), max(x) FROM holes") == "1 3 ");
    f.sql.execute("DELETE FROM holes WHERE x IS NOT NULL");
    CHECK(f.answer("SELECT min(x), max(x) FROM holes") == "NULL NULL ");
}

TEST_CASE("an array that is the same for all rows is looked up in a hash table", "[sql]") {
    Fixture f;
    std::string list;
    for (int i = 0; i < 20'000; ++i) list += (i == 0 ? "" : ",") + std::to_string(3 * i);
    // Each row against each value would be 400 million comparisons.
    CHECK(f.answer("SELECT count(*) FROM t WHERE k + id = ANY ('{" + list + "}')") ==
          f.answer("SELECT count(*) FROM t WHERE (k + id) % 3 = 0 AND k + id < 60000"));
    CHECK(f.answer("SELECT count(*) FILTER (WHERE id = ANY ('{1,NULL}')), count(id = ANY ('{1,NULL}')),"
                   " count(id <> ALL ('{1,NULL}')), count(id = ANY (NULL::int[])), count(NULLIF(k, 1) = ANY ('{}'))"
                   " FROM t WHERE id <= 1000") == "1 1 1 0 1000 ");
}

TEST_CASE("values that were looked up do not conflict with changes between them", "[sql]") {
    Fixture f;
    northstar::SqlConnection other(f.database);
    const auto conflicts = [&](const std::string& change) {
        f.sql.execute("BEGIN ISOLATION LEVEL SERIALIZABLE");
        f.sql.execute("SELECT * FROM t WHERE id IN (100, 200, 40000)");
        f.sql.execute("INSERT INTO few VALUES (1)");
        other.execute(change);
        try {
            f.sql.execute("COMMIT");
        } catch (const northstar::SqlFailure& failure) {
            CHECK(failure.sqlstate == "40001");
            return true;
        }
        return false;
    };
    CHECK_FALSE(conflicts("UPDATE t SET k = k + 1 WHERE id = 150"));
    CHECK_FALSE(conflicts("DELETE FROM t WHERE id = 201"));
    CHECK(conflicts("UPDATE t SET k = k + 1 WHERE id = 200"));
    CHECK(conflicts("INSERT INTO t VALUES (40000, 1, 'new')"));
}
