// Sorts, joins, groups, DISTINCT, set operations, windows, WITH queries and cursors that do not fit into work_mem give
// the same answers, in about as much memory as it allows; changes of many rows take memory for few of them.
#include "northstar.hpp"
#include "txn_support.hpp"

#include <catch2/catch.hpp>

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>

namespace {

std::atomic<std::size_t> live{0};
std::atomic<std::size_t> peak{0};

void* counted(std::size_t bytes) {
    void* const memory = std::malloc(bytes);
    if (memory == nullptr) throw std::bad_alloc();
    const std::size_t now = live += malloc_usable_size(memory);
    std::size_t before = peak;
    while (before < now && !peak.compare_exchange_weak(before, now)) {}
    return memory;
}

void uncounted(void* memory) noexcept {
    if (memory == nullptr) return;
    live -= malloc_usable_size(memory);
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { uncounted(memory); }
void operator delete[](void* memory) noexcept { uncounted(memory); }
void operator delete(void* memory, std::size_t) noexcept { uncounted(memory); }
void operator delete[](void* memory, std::size_t) noexcept { uncounted(memory); }

namespace {

constexpr std::size_t k_megabyte = std::size_t{1} << 20;

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() {
        sql.execute_script(
            "CREATE TABLE big (id int PRIMARY KEY, k int, s text);"
            "INSERT INTO big SELECT i, CASE WHEN i % 50 = 0 THEN NULL ELSE i * 7919 % 20011 END, "
            "repeat(chr(97 + i % 26), 60) || i * 31 % 1009 FROM generate_series(1, 40000) AS g(i);"
            "CREATE TABLE other (id int PRIMARY KEY, k int, t text);"
            "INSERT INTO other SELECT i, CASE WHEN i % 60 = 0 THEN NULL ELSE i * 10473 % 30011 END, "
            "repeat('x', 80) || i FROM generate_series(1, 30000) AS g(i)");
    }
    /// The answer, and how much more memory there was at once than before.
    std::string run(const std::string& text, std::size_t& growth) {
        const std::size_t before = live;
        peak = before;
        std::string answer;
        for (const auto& row : sql.execute(text).rows)
            for (const auto& value : row) answer += value.value_or("NULL") + "|";
        growth = peak - before;
        return answer;
    }
    /// The same answer with little memory, and in little memory.
    void check(const std::string& text) {
        INFO(text);
        std::size_t with_much = 0, with_little = 0;
        sql.execute("SET work_mem = '256MB'");
        const std::string expected = run(text, with_much);
        sql.execute("SET work_mem = '512kB'");
        const std::string answer = run(text, with_little);
        CHECK(answer == expected);
        CHECK(expected.size() > 4);
        CHECK(with_much > 5 * k_megabyte);
        CHECK(with_little < 4 * k_megabyte + with_much / 8);
    }
};

/// The SQLSTATE that a statement ends with; empty: it does not fail.
std::string failure_of(Fixture& f, const std::string& text) {
    try {
        f.sql.execute(text);
    } catch (const northstar::SqlFailure& failure) {
        return failure.sqlstate;
    }
    return {};
}

std::size_t open_files() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
    return count;
}

}  // namespace

TEST_CASE("a sort beyond work_mem is merged from runs", "[sql]") {
    Fixture f;
    f.check("SELECT s, id FROM big ORDER BY s, id DESC OFFSET 39970");
    f.check("SELECT s, id FROM big ORDER BY s DESC, k NULLS FIRST, id OFFSET 39990");
}

TEST_CASE("a hash join beyond work_mem joins file by file", "[sql]") {
    Fixture f;
    f.check("SELECT count(*), sum(big.id), sum(other.id), sum(length(t) + length(s)) FROM big JOIN other USING (k)");
    f.check("SELECT count(*), count(other.id), sum(length(t)), sum(length(s)) "
            "FROM big LEFT JOIN other ON big.k = other.k");
    f.check("SELECT count(*), count(big.id), count(other.id), sum(length(t)), sum(length(s)) "
            "FROM big FULL JOIN other ON big.k = other.k");
}

TEST_CASE("a join without equalities beyond work_mem reads a file for each left row", "[sql]") {
    Fixture f;
    f.check("SELECT count(*), count(x), sum(x), sum(id), sum(length(s)), max(s) FROM (VALUES (100), (2000), (39990)) "
            "AS v (x) LEFT JOIN big ON id > x + 30000 OR k = x");
}

TEST_CASE("EXISTS and NOT EXISTS beyond work_mem divide all rows between them", "[sql]") {
    Fixture f;
    const std::string in = "SELECT count(*) FROM big WHERE EXISTS (SELECT 1 FROM other WHERE other.k = big.k "
                           "AND other.t <> big.s)";
    const std::string out = "SELECT count(*) FROM big WHERE NOT EXISTS (SELECT 1 FROM other WHERE other.k = big.k "
                            "AND other.t <> big.s)";
    std::size_t growth = 0;
    f.sql.execute("SET work_mem = '512kB'");
    CHECK(std::stoi(f.run(in, growth)) + std::stoi(f.run(out, growth)) == 40000);
    f.check(in);
}

TEST_CASE("groups beyond work_mem are aggregated file by file", "[sql]") {
    Fixture f;
    f.check("SELECT count(*), sum(n), sum(length(g)), max(m) FROM (SELECT s || id AS g, count(*) AS n, max(k) AS m "
            "FROM big GROUP BY s || id) x");
    f.check("SELECT count(*), sum(n), sum(d) FROM (SELECT s || k AS g, count(*) AS n, count(DISTINCT id) AS d "
            "FROM big GROUP BY s || k) x");
}

TEST_CASE("several grouping sets beyond work_mem are aggregated set by set", "[sql]") {
    Fixture f;
    for (const char* const sets : {"ROLLUP (s || id % 20000, k)", "CUBE (s || id, k)",
                                   "GROUPING SETS ((s || k), (s || id, k), (), (k), ())"}) {
        f.check("SELECT count(*), sum(n), sum(i), sum(length(m)), count(a), sum(g) FROM (SELECT count(*) AS n, "
                "sum(id) AS i, max(s) AS m, avg(k) AS a, GROUPING(k) AS g FROM big GROUP BY " +
                std::string(sets) + ") x");
        // States that are not plain bytes.
        f.check("SELECT count(*), sum(n), sum(d), sum(length(m)) FROM (SELECT count(*) FILTER (WHERE id % 3 = 0) AS n, "
                "count(DISTINCT id) AS d, max(s) AS m FROM big GROUP BY " + std::string(sets) + ") x");
    }
}

TEST_CASE("an aggregate with DISTINCT beyond work_mem takes each value once", "[sql]") {
    Fixture f;
    f.check("SELECT count(DISTINCT s || id), count(DISTINCT s || k), sum(DISTINCT k), count(*) FROM big");
    f.check("SELECT id % 3, count(DISTINCT s || id) FILTER (WHERE id > 100), count(DISTINCT s || k) FROM big "
            "GROUP BY id % 3 ORDER BY 1");
}

TEST_CASE("DISTINCT beyond work_mem divides its rows by their hash", "[sql]") {
    Fixture f;
    f.check("SELECT count(*), sum(length(x)), min(x), max(x) FROM (SELECT DISTINCT s || k AS x FROM big) d");
    f.check("SELECT count(*), sum(length(x)), count(k) FROM "
            "(SELECT DISTINCT s || id % 30000 AS x, k, id < 20000 AS y FROM "
            "(SELECT * FROM big UNION ALL SELECT * FROM big) b) d");
}

TEST_CASE("DISTINCT ON beyond work_mem keeps the first row of each key", "[sql]") {
    Fixture f;
    f.check("SELECT count(*), sum(id), sum(k) FROM "
            "(SELECT DISTINCT ON (s || k) id, k FROM big ORDER BY s || k, id DESC) d");
    f.check("SELECT count(*), sum(id) FROM (SELECT DISTINCT ON (s || id % 30000) id FROM "
            "(SELECT * FROM big ORDER BY id DESC) b ORDER BY s || id % 30000, id) d");
    // A sort below that has other keys than DISTINCT.
    f.check("SELECT count(*), sum(length(x)) FROM "
            "(SELECT DISTINCT x FROM (SELECT s || k AS x FROM big ORDER BY id) o) d");
}

TEST_CASE("set operations beyond work_mem count both sides", "[sql]") {
    Fixture f;
    const std::string left = "SELECT s || id % 30000 AS x, k FROM big";
    const std::string right = "SELECT s || id, k FROM big WHERE id % 3 > 0 UNION ALL "
                              "SELECT s || id, k FROM big WHERE id > 9000";
    for (const char* const operation : {"UNION", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"})
        f.check("SELECT count(*), sum(length(x)), sum(k) FROM ((" + left + ") " + operation + " (" + right + ")) u");
}

TEST_CASE("a change of many rows keeps few of them in memory, where none can meet it again", "[sql]") {
    const txn_test::Workplace place;
    northstar::Options options;
    options.overlay_limit = 4u << 20;  // bounds the operations that a transaction holds in memory
    northstar::Database database = northstar::Database::open(place / "wide.ns", options);
    northstar::SqlConnection sql(database);
    sql.execute_script("CREATE TABLE wide (id int PRIMARY KEY, n int, s text); CREATE INDEX wide_n ON wide (n);"
                       "CREATE TABLE copied (id int PRIMARY KEY, n int, s text)");
    const auto growth = [&](const char* text) {
        const std::size_t before = live;
        peak = before;
        sql.execute(text);
        return peak - before;
    };
    const char* const fill =
        "INSERT INTO wide SELECT i, i % 100, repeat(chr(97 + i % 26), 400) FROM generate_series(1, 60000) AS g(i)";
    CHECK(growth(fill) < 6 * k_megabyte);
    CHECK(growth("INSERT INTO copied SELECT * FROM wide") < 6 * k_megabyte);
    CHECK(growth("UPDATE wide SET s = s || 'more'") < 6 * k_megabyte);
    CHECK(growth("DELETE FROM wide WHERE id % 2 = 0") < 6 * k_megabyte);
    const auto rows = sql.execute("SELECT count(*), sum(length(s)) FROM wide").rows;
    CHECK(rows.at(0).at(0) == "30000");
    CHECK(rows.at(0).at(1) == std::to_string(30000 * 404));
}

TEST_CASE("runs of a sort that are too many to be merged at once are merged in turns", "[sql]") {
    Fixture f;
    f.sql.execute("SET work_mem = '64kB'");
    f.sql.execute("CREATE TABLE wide AS SELECT id, s || s || s || s || s AS t FROM big");
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit few = before;
    few.rlim_cur = open_files() + 100;  // there are more runs
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    std::size_t growth = 0;
    CHECK(f.run("SELECT count(*), bool_and(ordered) FROM (SELECT t >= lag(t) OVER () IS NOT FALSE AS ordered FROM "
                "(SELECT t FROM wide ORDER BY t) x) y", growth) == "40000|t|");
    CHECK(growth < 4 * k_megabyte);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("window functions beyond work_mem", "[sql]") {
    Fixture f;
    // One partition that does not fit.
    f.check("SELECT count(*), sum(r * id), sum(d), sum(n), sum(length(l) * r), sum(length(m)), sum(h) FROM (SELECT id, "
            "row_number() OVER w AS r, dense_rank() OVER w AS d, ntile(7) OVER w AS n, lag(s, 3, 'none') OVER w AS l, "
            "lead(s, 500) OVER w AS m, cume_dist() OVER w AS h FROM big WINDOW w AS (ORDER BY k, s)) x");
    // Partitions that fit, and windows behind each other.
    f.check("SELECT count(*), sum(r * id), sum(total), sum(length(f)), sum(length(g)) FROM (SELECT id, "
            "row_number() OVER (PARTITION BY k % 100 ORDER BY id) AS r, sum(id) OVER (PARTITION BY s) AS total, "
            "first_value(s) OVER (ORDER BY id % 1000, id) AS f, last_value(s || id) OVER (PARTITION BY id % 5) AS g "
            "FROM big) x");
}

TEST_CASE("frames of windows beyond work_mem", "[sql]") {
    Fixture f;
    for (const char* const frame :
         {"ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING", "ROWS BETWEEN 700 PRECEDING AND 300 PRECEDING",
          "RANGE BETWEEN 5 PRECEDING AND 40 FOLLOWING", "GROUPS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
          "GROUPS BETWEEN 1 FOLLOWING AND 3 FOLLOWING", "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
          "ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING EXCLUDE CURRENT ROW", "RANGE BETWEEN CURRENT ROW AND 9 FOLLOWING "
          "EXCLUDE TIES", "GROUPS BETWEEN 3 PRECEDING AND CURRENT ROW EXCLUDE GROUP"})
        f.check("SELECT count(*), sum(a * id), sum(b), sum(length(c) + length(d)), sum(e), sum(length(g)) FROM (SELECT "
                "id, sum(id) OVER w AS a, count(*) FILTER (WHERE id % 3 = 0) OVER w AS b, max(s) OVER w AS c, "
                "first_value(s) OVER w AS d, avg(k) OVER w AS e, nth_value(s, 3) OVER w AS g FROM big "
                "WINDOW w AS (ORDER BY k " + std::string(frame) + ")) x");
}

TEST_CASE("aggregates with ORDER BY beyond work_mem", "[sql]") {
    Fixture f;
    f.check("SELECT percentile_disc(0.37) WITHIN GROUP (ORDER BY s || id), percentile_disc(array[0.1, 0.9, null, 1]) "
            "WITHIN GROUP (ORDER BY s || id DESC), mode() WITHIN GROUP (ORDER BY s || id % 900), "
            "rank('ff') WITHIN GROUP (ORDER BY s || id), dense_rank('ff') WITHIN GROUP (ORDER BY s || id % 2000) "
            "FROM big");
    f.check("SELECT id % 7, percentile_cont(0.25) WITHIN GROUP (ORDER BY k), percentile_cont(array[0.5, 0.999]) WITHIN "
            "GROUP (ORDER BY k) , sum(DISTINCT length(s || id) + k ORDER BY length(s || id) + k), min(s ORDER BY id), "
            "mode() WITHIN GROUP (ORDER BY s) FROM big GROUP BY id % 7 ORDER BY 1");
    // Groups of some rows, and groups that are large themselves.
    f.check("SELECT count(*), sum(length(x)), min(x), max(x) FROM "
            "(SELECT string_agg(s || id, ',' ORDER BY k, id DESC) AS x FROM big GROUP BY id % 8000) g");
    f.check("SELECT count(*), sum(length(x)), min(md5(x)), max(md5(x)) FROM (SELECT string_agg(s || id, ',' ORDER BY k "
            "DESC NULLS LAST, id) AS x FROM big GROUP BY GROUPING SETS ((id % 50), (id % 40))) g");
    f.check("SELECT count(*), sum(array_length(x, 1)), min(x[1]), max(x[2]) FROM (SELECT array_agg(DISTINCT s || id % "
            "3000) AS x FROM big GROUP BY id % 40) g");
}

TEST_CASE("WITH queries beyond work_mem", "[sql]") {
    Fixture f;
    f.check("WITH x AS MATERIALIZED (SELECT s || id AS t, id FROM big) SELECT count(*), sum(length(a.t)), "
            "sum(a.id * b.id), (SELECT sum(id) FROM x) FROM x AS a JOIN x AS b ON b.id = a.id + 17");
    f.check("WITH RECURSIVE r AS (SELECT id, s || id AS t, 1 AS n FROM big UNION ALL SELECT id, t, n + 1 FROM r "
            "WHERE n < 4 AND id % n < 2) SELECT count(*), sum(id), sum(length(t)), sum(n * id) FROM r");
}

TEST_CASE("cursors and portals beyond work_mem", "[sql]") {
    Fixture f;
    f.sql.execute("SET work_mem = '512kB'");
    const std::size_t before = live;
    peak = before;
    f.sql.execute("DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT id, s || s FROM big ORDER BY id DESC");
    CHECK(peak - before < 4 * k_megabyte);
    const auto fetch = [&](const char* text) { return f.sql.execute(text).rows.at(0).at(0); };
    CHECK(fetch("FETCH c") == "40000");
    CHECK(fetch("FETCH LAST FROM c") == "1");
    CHECK(fetch("FETCH PRIOR FROM c") == "2");
    CHECK(fetch("FETCH ABSOLUTE 12345 FROM c") == "27656");
    CHECK(fetch("FETCH RELATIVE -345 FROM c") == "28001");
    CHECK(fetch("FETCH FIRST FROM c") == "40000");
    CHECK(f.sql.execute("FETCH ALL FROM c").rows.size() == 39999);
    f.sql.execute("CLOSE c");
}

TEST_CASE("a statement that fails leaves no files behind", "[sql]") {
    Fixture f;
    f.sql.execute("SET work_mem = '64kB'");
    const std::size_t files = open_files();
    CHECK(failure_of(f, "SELECT 1 / (r - 39000) FROM (SELECT row_number() OVER (ORDER BY s || id) AS r FROM big) x") ==
          "22012");
    CHECK(failure_of(f, "SELECT string_agg(s, ',' ORDER BY k, id / (id - 39999)) FROM big") == "22012");
    CHECK(failure_of(f, "WITH x AS MATERIALIZED (SELECT s, id FROM big) SELECT max(s), sum(1 / (id - 39000)) FROM x") ==
          "22012");
    f.sql.execute("SET statement_timeout = 20");
    CHECK(failure_of(f, "SELECT sum(r) FROM (SELECT row_number() OVER (ORDER BY a.s, b.s) AS r FROM big a, big b) x") ==
          "57014");
    f.sql.execute("SET statement_timeout = 0");
    CHECK(open_files() == files);
}

TEST_CASE("files that cannot grow end a statement, and nothing else", "[sql]") {
    Fixture f;
    f.sql.execute("SET work_mem = '64kB'");
    const std::size_t files = open_files();
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 300000;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const char* const statements[] = {
        "SELECT count(r) FROM (SELECT lag(s) OVER (PARTITION BY id % 2 ORDER BY id) AS r FROM big) x",
        "SELECT length(string_agg(s || id, ',' ORDER BY k)) FROM big",
        "WITH x AS MATERIALIZED (SELECT s, id FROM big) SELECT count(*) FROM x AS a JOIN x AS b USING (id)",
        "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM big"};
    for (const char* const statement : statements) {
        INFO(statement);
        const std::string state = failure_of(f, statement);
        CHECK((state == "53100" || state == "58030"));
    }
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, ignored);
    CHECK(open_files() == files);
    for (const char* const statement : statements) CHECK(failure_of(f, statement).empty());
}

TEST_CASE("work_mem refuses what is no size", "[sql]") {
    Fixture f;
    for (const char* const size : {"'much'", "'1kB'", "-1", "'12 XB'"}) {
        INFO(size);
        std::string state;
        try {
            f.sql.execute(std::string("SET work_mem = ") + size);
        } catch (const northstar::SqlFailure& failure) {
            state = failure.sqlstate;
        }
        CHECK(state == "22023");
    }
    CHECK(f.sql.execute("SHOW work_mem").rows.at(0).at(0) == "256MB");
}
