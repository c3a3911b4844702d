// Rows that the arms of an OR lead to, each through an index of its own: they are those that reading all rows finds.
#include "northstar.hpp"
#include "base/random.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace {

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() {
        sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, k int, name text UNIQUE, f double precision, c text);"
                           "INSERT INTO t SELECT i, nullif(i % 1000, 7), 'n' || i, (i % 300) / 4.0, 'c' || i % 40"
                           " FROM generate_series(1, 10000) AS g(i);"
                           "CREATE INDEX t_k ON t (k DESC, id); CREATE INDEX t_f ON t (f) INCLUDE (c);"
                           "CREATE INDEX t_upper ON t (upper(name)); CREATE INDEX t_some ON t (c, k) WHERE f > 70;"
                           "ANALYZE t");
    }
    std::string plan(const std::string& text) {
        std::string answer;
        for (const auto& row : sql.execute("EXPLAIN (COSTS OFF) " + text).rows) answer += row.at(0).value() + "\n";
        return answer;
    }
    bool unites(const std::string& indexes, const std::string& text) {
        const std::string found = plan(text);
        INFO(text << "\n" << found);
        return found.find("Index Union Scan using " + indexes + " on t") != std::string::npos;
    }
    std::string answer(const std::string& text) {
        std::string out;
        for (const auto& row : sql.execute(text).rows) {
            for (const auto& value : row) out += value.value_or("NULL") + " ";
        }
        return out;
    }
};

using northstar::detail::Random;

/// A condition that an index may serve, or not.
std::string condition(Random& random) {
    const std::string number = std::to_string(random.below(12'000));
    switch (random.below(14)) {
        case 0: return "id = " + number;
        case 1: return "name = 'n" + number + "'";
        case 2: return "k = " + std::to_string(random.below(1000));
        case 3: return "id IN (" + number + ", 17, 12000, " + std::to_string(random.below(10'000)) + ")";
        case 4: return "id BETWEEN " + number + " AND " + number + " + " + std::to_string(random.below(20));
        case 5: return "upper(name) = 'N" + number + "'";
        case 6: return "f = " + std::to_string(random.below(90)) + ".25";
        case 7: return "k IS NULL";
        case 8: return "k = ANY ('{" + number + ",7,NULL}')";
        case 9: return "(c = 'c" + std::to_string(random.below(40)) + "' AND f > 70 AND k = 299)";
        case 10: return "id > " + std::to_string(9'990 + random.below(20));
        case 11: return "id = " + number + "::bigint";
        case 12: return "c <> 'c1'";
        default: return "id < NULL";
    }
}

std::string one_of(Random& random, int depth) {
    if (depth == 0 || random.below(3) == 0) return condition(random);
    const char* const between = random.below(3) == 0 ? " AND " : " OR ";
    std::string text = "(" + one_of(random, depth - 1);
    for (std::uint64_t i = random.below(3) + 1; i > 0; --i) text += between + one_of(random, depth - 1);
    return text + ")";
}

}  // namespace

TEST_CASE("each arm of an OR uses an index of its own", "[sql]") {
    Fixture f;
    CHECK(f.unites("t_pkey, t_name_key", "SELECT * FROM t WHERE id = 5 OR name = 'n7'"));
    CHECK(f.unites("t_pkey, t_k, t_upper", "SELECT * FROM t WHERE id < 5 OR k = 3 OR upper(name) = 'N9'"));
    CHECK(f.unites("t_pkey, t_k", "SELECT * FROM t WHERE c = 'c1' AND (id IN (1, 2) OR k = 5 AND f > 1)"));
    CHECK(f.unites("t_pkey, t_k, t_name_key", "SELECT * FROM t WHERE id = 1 OR (c = 'c1' AND (k = 5 OR name = 'n7'))"));
    CHECK(f.unites("t_pkey, t_name_key", "DELETE FROM t WHERE id = 5 OR name = 'n7'"));
    CHECK(f.unites("t_pkey, t_name_key", "UPDATE t SET k = 1 WHERE id = 5 OR name = 'n7'"));
    CHECK(f.unites("t_pkey, t_k", "SELECT (SELECT count(*) FROM t WHERE t.id = few.n OR t.k = few.n) FROM"
                                  " (VALUES (1), (2)) AS few(n)"));
}

TEST_CASE("an OR with an arm that no index narrows reads all rows", "[sql]") {
    Fixture f;
    for (const char* const where : {"id = 5 OR c = 'c1'", "id = 5 OR id > 100", "id = 5 OR k <> 5",
                                    "id = 5 OR random() > 2", "id = 5 OR k = (SELECT 1)", "NOT (id = 5 OR k = 5)"})
        CHECK(f.plan(std::string("SELECT * FROM t WHERE ") + where).find("Seq Scan on t") != std::string::npos);
    CHECK(f.unites("t_pkey, t_k", "SELECT * FROM t WHERE (id = 5 OR k = 5) AND (c = 'c1' OR c = 'c5')"));
    f.sql.execute_script("CREATE TABLE small (a int PRIMARY KEY, b int UNIQUE); INSERT INTO small VALUES (1, 2)");
    CHECK(f.plan("SELECT * FROM small WHERE a = 1 OR b = 2").find("Seq Scan on small") != std::string::npos);
}

TEST_CASE("what the arms of an OR lead to is what all rows have", "[sql]") {
    const auto seed = static_cast<std::uint64_t>(Catch::rngSeed());
    CAPTURE(seed);
    Random random(seed);
    Fixture f;
    const auto before = f.sql.execute("UPDATE t SET k = k + 1, c = 'new' WHERE id % 37 = 0").txn;
    f.sql.execute("DELETE FROM t WHERE id % 41 = 0");
    std::size_t united = 0;
    for (int round = 0; round < 600; ++round) {
        const std::string where = one_of(random, 3);
        const bool past = random.below(4) == 0;
        const bool open = !past && random.below(4) == 0;
        const std::string as_of = past ? " AS OF " + std::to_string(before - random.below(2)) : "";
        INFO(where << as_of);
        if (open) {
            f.sql.execute("BEGIN");
            f.sql.execute("UPDATE t SET id = id + 20000, k = 7 WHERE id BETWEEN 100 AND 300");
            f.sql.execute("INSERT INTO t VALUES (-1, 5, 'n12001', 80, 'c1'), (12000, NULL, 'x', NULL, NULL)");
        }
        const std::string what = "SELECT count(*), sum(id), min(name), sum(k) FROM t WHERE ";
        united += f.plan(what + where).find("Index Union Scan") != std::string::npos;
        CHECK(f.answer(what + where + as_of) == f.answer(what + "(" + where + ") IS TRUE" + as_of));
        if (open) f.sql.execute("ROLLBACK");
    }
    CHECK(united > 40);
}

TEST_CASE("an OR whose values turn out to be frequent reads all rows, and answers the same", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE skewed (id int PRIMARY KEY, a int, b text UNIQUE)");
    f.sql.execute("INSERT INTO skewed SELECT i, CASE WHEN i % 10 = 0 THEN i ELSE 0 END, 'b' || i"
                  " FROM generate_series(1, 20000) AS g(i)");
    f.sql.execute("CREATE INDEX skewed_a ON skewed (a)");
    f.sql.execute("SET plan_cache_mode = force_generic_plan");
    f.sql.execute("PREPARE either (int) AS SELECT count(*), sum(id) FROM skewed WHERE a = $1 OR b = 'b3'");
    CHECK(f.answer("EXPLAIN (COSTS OFF) EXECUTE either (10)").find("Index Union Scan") != std::string::npos);
    for (const char* const value : {"10", "0", "20", "0", "NULL"})
        CHECK(f.answer(std::string("EXECUTE either (") + value + ")") ==
              f.answer(std::string("SELECT count(*), sum(id) FROM skewed WHERE (a = ") + value +
                       " OR b = 'b3') IS TRUE"));
}

TEST_CASE("what the arms of an OR read conflicts with changes of that and of nothing else", "[sql]") {
    Fixture f;
    northstar::SqlConnection other(f.database);
    f.sql.execute("CREATE TABLE log (n int)");
    const auto conflicts = [&](const std::string& change) {
        f.sql.execute("BEGIN ISOLATION LEVEL SERIALIZABLE");
        f.sql.execute("SELECT * FROM t WHERE id = 100 OR k = 55 OR name = 'absent'");
        f.sql.execute("INSERT INTO log VALUES (1)");
        other.execute(change);
        try {
            f.sql.execute("COMMIT");
        } catch (const northstar::SqlFailure& failure) {
            CHECK(failure.sqlstate == "40001");
            return true;
        }
        return false;
    };
    CHECK_FALSE(conflicts("UPDATE t SET c = 'x' WHERE id = 101"));
    CHECK_FALSE(conflicts("DELETE FROM t WHERE id = 56"));
    CHECK(conflicts("UPDATE t SET c = 'x' WHERE id = 1055"));
    CHECK(conflicts("UPDATE t SET k = 55 WHERE id = 102"));
    CHECK(conflicts("INSERT INTO t VALUES (20000, 1, 'absent', 1, 'c')"));
    CHECK(conflicts("DELETE FROM t WHERE id = 100"));
}

TEST_CASE("rows that go while the arms of an OR are read are left out", "[sql]") {
    Fixture f;
    f.sql.execute("BEGIN");
    f.sql.execute("DELETE FROM t WHERE id = 1");
    f.sql.execute("DECLARE c CURSOR FOR SELECT id FROM t WHERE k = 9 OR k = 8 AND c > 'a' OR id = 3");
    CHECK(f.answer("FETCH 2 FROM c") == "3 8 ");
    f.sql.execute("DELETE FROM t WHERE id > 5000");
    const std::string rest = f.answer("FETCH ALL FROM c");
    CHECK(rest.substr(0, 7) == "9 1008 ");
    f.sql.execute("ROLLBACK");
}
