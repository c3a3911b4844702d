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
    /// Does a transaction that has asked for something, and writes elsewhere, fail by what another session changes?
    bool conflicts(const std::string& question, const std::string& change) {
        northstar::SqlConnection other(database);
        sql.execute("BEGIN ISOLATION LEVEL SERIALIZABLE");
        sql.execute(question);
        sql.execute("INSERT INTO few VALUES (1)");
        other.execute(change);
        try {
            sql.execute("COMMIT");
        } catch (const northstar::SqlFailure& failure) {
            CHECK(failure.sqlstate == "40001");
            return true;
        }
        return false;
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
    const auto conflicts = [&](const std::string& change) {
        return f.conflicts("SELECT * FROM t WHERE id IN (100, 200, 40000)", change);
    };
    CHECK_FALSE(conflicts("UPDATE t SET k = k + 1 WHERE id = 150"));
    CHECK_FALSE(conflicts("DELETE FROM t WHERE id = 201"));
    CHECK(conflicts("UPDATE t SET k = k + 1 WHERE id = 200"));
    CHECK(conflicts("INSERT INTO t VALUES (40000, 1, 'new')"));
}

TEST_CASE("a list of values and what stands behind it in an index are one path", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE places (city text, kind int, points int, note text);"
                         "INSERT INTO places SELECT 'c' || i % 50, i % 3, i % 1000, 'n' || i FROM "
                         "generate_series(1, 20000) AS g(i);"
                         "CREATE INDEX by_city ON places (city, kind, points); ANALYZE places");
    // Conditions that the keys meet are asked of no row.
    const auto whole = [&](const std::string& where) {
        const std::string found = f.plan("SELECT note FROM places WHERE " + where);
        INFO(where << "\n" << found);
        return found.find("using by_city on places") != std::string::npos &&
               found.find("Filter:") == std::string::npos;
    };
    CHECK(whole("city IN ('c1', 'c2') AND kind = 1 AND points > 900"));
    CHECK(whole("city = ANY ('{c1,c2}') AND kind IN (0, 2) AND points BETWEEN 10 AND 20"));
    CHECK(whole("city = 'c1' AND kind IN (0, 2) AND points < 20"));
    CHECK(whole("city IN ('c1', 'c2') AND kind > 1"));
    CHECK(whole("city IN ('c1', 'c2') AND kind IS NULL"));
    // As many look-ups as there are rows are none.
    CHECK_FALSE(whole("city = 'c1' AND kind = ANY (ARRAY(SELECT generate_series(1, 3))) AND points IN "
                      "(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25)"));
    CHECK(f.answer("SELECT city, points FROM places WHERE city IN ('c7', 'c8') AND kind IN (1, 2) AND points > 956 "
                   "GROUP BY city, points ORDER BY city, points") == "c7 957 c8 958 ");
    f.sql.execute("PREPARE named (text[], int) AS SELECT count(*), max(note) FROM places WHERE city = ANY ($1) AND "
                  "kind = 1 AND points > $2");
    CHECK(f.answer("EXECUTE named ('{c7,c8,c7,NULL}', 950)") == "14 n9958 ");
    CHECK(f.answer("EXECUTE named ('{c9}', 950)") == "6 n8959 ");
    CHECK(f.answer("EXECUTE named (NULL, 950)") == "0 NULL ");
    const northstar::Txn before = f.sql.execute("INSERT INTO places VALUES ('c9', 1, 999, 'z')").txn - 1;
    CHECK(f.answer("EXECUTE named ('{c9}', 950)") == "7 z ");
    CHECK(f.answer("SELECT count(*) FROM places AS OF " + std::to_string(before) +
                   " WHERE city IN ('c8', 'c9') AND kind = 1 AND points > 950") == "13 ");
}

TEST_CASE("a list and a range conflict with changes of what they read alone", "[sql]") {
    Fixture f;
    const auto conflicts = [&](const std::string& change) {
        return f.conflicts("SELECT id FROM t WHERE k IN (100, 200) AND id > 10000", change);
    };
    CHECK_FALSE(conflicts("INSERT INTO t VALUES (50000, 150, 'a')"));
    CHECK_FALSE(conflicts("INSERT INTO t VALUES (-5, 200, 'b')"));
    CHECK(conflicts("INSERT INTO t VALUES (50001, 200, 'c')"));
    CHECK(conflicts("DELETE FROM t WHERE id = 10100"));
}

TEST_CASE("a comparison of rows begins where its last element says", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE events (id int PRIMARY KEY, kind int, day int);"
                         "INSERT INTO events SELECT i, i % 2, i / 4 FROM generate_series(1, 20000) AS g(i);"
                         "CREATE INDEX by_kind ON events (kind, day);"
                         "CREATE INDEX last_first ON events (kind DESC, day DESC); ANALYZE events");
    const auto read = [&](const std::string& text) {
        for (const auto& row : f.sql.execute("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + text).rows) {
            const std::string& line = row.at(0).value();
            INFO(line);
            if (line.find("Scan") != std::string::npos)
                return std::stoi(line.substr(line.find("actual rows=") + 12)) < 100;
        }
        return false;
    };
    // Half of the rows are of the first kind.
    const std::string pages[] = {
        "WHERE (kind, day) > (0, 2500) ORDER BY kind, day LIMIT 3",
        "WHERE (kind, day, id) > (0, 2500, 10000) ORDER BY kind, day, id LIMIT 3",
        "WHERE (kind, day) < (1, 2500) ORDER BY kind DESC, day DESC LIMIT 3",
        "WHERE (1, 2500) >= (kind, day) ORDER BY kind DESC, day DESC LIMIT 3",
    };
    for (const std::string& page : pages) CHECK(read("SELECT kind, day, id FROM events " + page));
    CHECK(f.answer("SELECT kind, day, id FROM events " + pages[1]) == "0 2500 10002 0 2501 10004 0 2501 10006 ");
    CHECK(f.answer("SELECT day FROM events " + pages[2]) == "2499 2499 2498 ");
    CHECK(f.answer("SELECT day FROM events " + pages[3]) == "2500 2500 2499 ");
    f.sql.execute("PREPARE page (int, int) AS SELECT id FROM events WHERE (kind, day) > ($1, $2) "
                  "ORDER BY kind, day, id LIMIT 2");
    CHECK(f.answer("EXECUTE page (0, 2500)") == "10004 10006 ");
    CHECK(f.answer("EXECUTE page (0, NULL)") == "1 3 ");
    CHECK(f.answer("EXECUTE page (1, 4998)") == "19997 19999 ");
    CHECK(f.answer("EXECUTE page (1, 5000)").empty());
}

TEST_CASE("a statement that runs again is of its own parameters, rows and moment", "[sql]") {
    Fixture f;
    auto joined = f.sql.prepare("SELECT few.name, t.k FROM few JOIN t ON t.id = few.n "
                                "WHERE few.n >= $1 AND t.k IN (3, $2)");
    const auto run = [&](std::int64_t from, std::int64_t other) {
        joined.bind_integer(1, from);
        joined.bind_integer(2, other);
        std::string rows;
        while (joined.step()) rows += joined.text(0) + " " + joined.text(1) + " ";
        return rows;
    };
    CHECK(run(3, 0) == "n3 3 ");
    CHECK(run(3, 4) == "n3 3 n4 4 n4 4 ");
    CHECK(run(4, 4) == "n4 4 n4 4 ");
    CHECK(run(4, 3).empty());
    f.sql.execute("BEGIN");
    f.sql.execute("UPDATE t SET k = 9 WHERE id = 4");
    CHECK(run(3, 9) == "n3 3 n4 9 n4 9 ");
    f.sql.execute("ROLLBACK");
    CHECK(run(3, 9) == "n3 3 ");
    f.sql.execute("DELETE FROM few WHERE n = 3");
    CHECK(run(3, 4) == "n4 4 n4 4 ");
    f.sql.execute("CREATE INDEX ON few (n)");
    CHECK(run(3, 4) == "n4 4 n4 4 ");
    // One that fails leaves nothing behind.
    auto divided = f.sql.prepare("SELECT 12 / (id - $1) FROM t WHERE id BETWEEN 1 AND 3 ORDER BY id");
    divided.bind_integer(1, 2);
    CHECK_THROWS_AS(divided.step(), northstar::SqlFailure);
    divided.bind_integer(1, 0);
    CHECK(divided.step());
    CHECK(divided.integer(0) == 12);
}
