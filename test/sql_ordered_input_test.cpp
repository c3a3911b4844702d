// sql_ordered_input_test.cpp -- a few rows of windows, groups, tuples, sorts and lists whose input an index puts in
// order: found without taking all of it, and the right ones.
#include "sql_query_support.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace {

using namespace northstar;

/// Twelve thousand readings of some sensors; some have no sensor, some no level.
struct Readings : sql_test::Queries {
    Readings() {
        sql.execute_script(
            "CREATE TABLE readings (id int PRIMARY KEY, sensor int, day int NOT NULL, level int, note text);"
            "INSERT INTO readings SELECT i, nullif(i * 8 % 121, 100), i * 17 % 400, nullif(i * 13 % 101, 50), "
            "'n' || i % 9 FROM generate_series(1, 12000) AS g(i);"
            "CREATE INDEX readings_sensor ON readings (sensor, day);"
            "CREATE INDEX readings_day ON readings (day);"
            "ANALYZE");
    }
    /// The rows of a query with LIMIT and OFFSET are those that it has without, and the plan has or has not the words.
    void check(const std::string& text, const std::string& has, const std::string& has_not) {
        CAPTURE(text);
        const std::vector<std::string> all = rows(text);
        for (const std::size_t limit : {1u, 10u, 40u}) {
            for (const std::size_t offset : {0u, 13u}) {
                const std::string cut = text + " LIMIT " + std::to_string(limit) + " OFFSET " + std::to_string(offset);
                const std::size_t begin = std::min(offset, all.size()), end = std::min(offset + limit, all.size());
                CHECK(rows(cut) == std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                                           all.begin() + static_cast<std::ptrdiff_t>(end)));
            }
        }
        const std::string plan = plan_of(text + " LIMIT 10");
        CAPTURE(plan);
        CHECK(plan.find(has) != std::string::npos);
        if (!has_not.empty()) CHECK(plan.find(has_not) == std::string::npos);
        // Of all rows the plan is another one.
        CHECK(plan_of(text).find("Incremental") == std::string::npos);
    }
};

}  // namespace

TEST_CASE("the first rows of a window come along the index that has its order", "[sql]") {
    Readings f;
    const auto check = [&](const std::string& call, const std::string& order) {
        f.check("SELECT id, " + call + " FROM readings ORDER BY " + order, " using readings", "Sort");
    };
    check("row_number() OVER (ORDER BY id)", "id");
    check("sum(level) OVER (ORDER BY id)", "id");
    check("sum(level) OVER (ORDER BY day)", "day, id");
    check("count(*) OVER (ORDER BY day ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING)", "day, id");
    check("rank() OVER (ORDER BY day DESC), dense_rank() OVER (ORDER BY day DESC)", "day DESC, id DESC");
    check("lag(level) OVER (ORDER BY id), lead(level, 3, -1) OVER (ORDER BY id)", "id");
    check("last_value(id) OVER (ORDER BY day)", "day, id");
    check("max(level) OVER (PARTITION BY sensor), ntile(3) OVER (PARTITION BY sensor ORDER BY day)",
          "sensor, day, id");
    check("cume_dist() OVER (PARTITION BY sensor ORDER BY day)", "sensor, day, id");
    f.check("SELECT row_number() OVER (), id FROM readings", "WindowAgg", "Sort");
}

TEST_CASE("the first rows of a UNION ALL are found among the first ones of its branches", "[sql]") {
    Readings f;
    const std::string both = "(SELECT id, day, level FROM readings UNION ALL SELECT id + 7, day, sensor FROM readings "
                             "WHERE sensor > 40 UNION ALL SELECT i, i, i FROM generate_series(5, 500) AS g(i)) AS r ";
    const auto check = [&](const std::string& text) { f.check(text, "using readings_day", "Seq Scan"); };
    check("SELECT * FROM " + both + "ORDER BY day, id, level");
    check("SELECT id FROM " + both + "ORDER BY day DESC, id DESC, level DESC NULLS LAST");
    check("SELECT id, day FROM " + both + "WHERE day > 30 ORDER BY day, id, level");
    // What is computed has no order, and ties may be many.
    f.check("SELECT id, day FROM " + both + "ORDER BY day % 7, day, id, level", "Seq Scan", "Incremental");
    const std::string ties = "SELECT day FROM " + both + "ORDER BY day FETCH FIRST 2 ROWS WITH TIES";
    CHECK(f.rows(ties).size() == f.rows("SELECT day FROM " + both + "WHERE day = 0").size());
    // A text that differs in its numbers alone asks for so many rows.
    for (const std::string limit : {"LIMIT 3 OFFSET 2", "LIMIT 40 OFFSET 90", "LIMIT 1 OFFSET 0"})
        CHECK(f.rows("SELECT day, id, level FROM " + both + "ORDER BY 1, 2, 3 " + limit) ==
              f.rows("SELECT * FROM (SELECT day, id, level FROM " + both + "ORDER BY 1, 2, 3 OFFSET 0) AS all_rows " +
                     limit));
}

TEST_CASE("a window whose order an index begins has what is equal in it sorted", "[sql]") {
    Readings f;
    f.check("SELECT id, row_number() OVER (PARTITION BY sensor ORDER BY level DESC, id) FROM readings "
            "ORDER BY sensor, level DESC, id", "Incremental Sort", "");
    f.check("SELECT id, sum(level) OVER (ORDER BY day, note, id) FROM readings ORDER BY day, note, id",
            "Incremental Sort", "");
}

TEST_CASE("a window that needs all rows is not read in part", "[sql]") {
    Readings f;
    for (const std::string call : {"ntile(4) OVER (ORDER BY id)", "percent_rank() OVER (ORDER BY id)",
                                   "lead(level, level) OVER (ORDER BY id)", "max(level) OVER ()",
                                   "sum(level) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"}) {
        const std::string text = "SELECT id, " + call + " FROM readings ORDER BY id";
        CAPTURE(text);
        const std::vector<std::string> all = f.rows(text);
        CHECK(f.rows(text + " LIMIT 5") == std::vector<std::string>(all.begin(), all.begin() + 5));
    }
}

TEST_CASE("a condition on what a window is divided by chooses partitions before it", "[sql]") {
    Readings f;
    const std::string ranked =
        "SELECT * FROM (SELECT id, sensor, row_number() OVER (PARTITION BY sensor ORDER BY day DESC, id) AS n "
        "FROM readings) AS r WHERE ";
    CHECK(f.plan_of(ranked + "sensor = 7").find("Index") != std::string::npos);
    CHECK(f.rows(ranked + "sensor = 7 AND n <= 2 ORDER BY n").size() == 2);
    // A column that only orders it does not: rows in front of it count.
    CHECK(f.plan_of(ranked + "id = 7").find("Index") == std::string::npos);
    const std::vector<std::string> all = f.rows(ranked + "true ORDER BY id");
    CHECK(f.rows(ranked + "id = 7") == std::vector<std::string>{all[6]});
}

TEST_CASE("the first groups of an order come along its index", "[sql]") {
    Readings f;
    for (const std::string order : {"day", "day DESC"}) {
        f.check("SELECT day, count(*), sum(level), count(DISTINCT note) FROM readings GROUP BY day ORDER BY " + order,
                " using readings", "Sort");
        f.check("SELECT day, note, min(id) FROM readings GROUP BY note, day ORDER BY " + order + ", note",
                "Incremental Sort", "");
    }
    f.check("SELECT sensor, day, max(level) FROM readings GROUP BY day, sensor HAVING max(level) > 40 "
            "ORDER BY sensor, day", " using readings", "Sort");
}

TEST_CASE("of groups whose keys give the order no more are kept than are wanted", "[sql]") {
    Readings f;
    f.sql.execute("CREATE TABLE names AS SELECT nullif('name ' || i * 7919 % 6007, 'name 5') AS name, "
                  "i % 100 AS part, i FROM generate_series(1, 30000) AS g(i)");
    const std::string memory = GENERATE("64MB", "64kB");
    CAPTURE(memory);
    f.sql.execute("SET work_mem = '" + memory + "'");
    for (const std::string text :
         {"SELECT name, count(*), sum(i) FROM names GROUP BY name ORDER BY name",
          "SELECT name, count(*) FROM names GROUP BY name ORDER BY name DESC",
          "SELECT name, max(i) FROM names GROUP BY name ORDER BY name NULLS FIRST",
          "SELECT part, name, min(i) FROM names GROUP BY name, part ORDER BY part DESC, name DESC NULLS LAST",
          "SELECT part, name, min(i) FROM names GROUP BY name, part ORDER BY part, min(i) DESC, name",
          "SELECT part / 50, i, count(*) FROM names GROUP BY 1, i ORDER BY part / 50, i",
          "SELECT i, count(*) FROM names GROUP BY i ORDER BY i DESC",
          "SELECT length(name), part, count(*) FROM names GROUP BY 1, 2 ORDER BY length(name), 2",
          "SELECT name, count(*) FROM names GROUP BY name HAVING min(part) > 97 ORDER BY name"}) {
        CAPTURE(text);
        const std::vector<std::string> all = f.rows(text);
        for (const std::size_t limit : {1u, 7u, 150u, 3000u}) {
            const std::size_t end = std::min(limit, all.size());
            CHECK(f.rows(text + " LIMIT " + std::to_string(limit)) ==
                  std::vector<std::string>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end)));
        }
    }
    // A statement that is kept runs with another limit each time.
    SqlStatement first = f.sql.prepare("SELECT i, count(*) FROM names GROUP BY i ORDER BY i LIMIT $1");
    for (const std::int64_t limit : {3, 20000, 5}) {
        first.reset();
        first.bind_integer(1, limit);
        std::int64_t count = 0;
        while (first.step()) ++count;
        CHECK(count == limit);
    }
}

TEST_CASE("the first tuples of an order come along its index", "[sql]") {
    Readings f;
    f.check("SELECT DISTINCT sensor, day FROM readings ORDER BY sensor, day", "Index Only Scan", "Sort");
    f.check("SELECT DISTINCT day, note FROM readings ORDER BY day DESC, note", "Incremental Sort", "");
    f.check("SELECT DISTINCT ON (sensor) sensor, id, level FROM readings ORDER BY sensor, level DESC, id",
            "Incremental Sort", "");
}

TEST_CASE("what an index begins to order is sorted in portions", "[sql]") {
    Readings f;
    f.check("SELECT id, day, note FROM readings ORDER BY day, note DESC, id", "Incremental Sort", "");
    f.check("SELECT id, sensor, level FROM readings WHERE level > 30 ORDER BY sensor DESC, level, id",
            "Incremental Sort", "");
    f.check("SELECT id, day FROM readings ORDER BY day DESC, length(note) + id % 3, id", "Incremental Sort", "");
}

TEST_CASE("of rows that no index orders the first ones are those of the whole sort", "[sql]") {
    Readings f;
    for (const std::string text : {"SELECT id, level, note FROM readings ORDER BY level, id",
                                   "SELECT id, level FROM readings ORDER BY level DESC NULLS LAST, id DESC",
                                   "SELECT * FROM readings WHERE level > 20 ORDER BY note DESC, level NULLS FIRST, id",
                                   "SELECT id, -level AS under FROM readings ORDER BY under, id",
                                   "SELECT r.id, c.n FROM readings AS r JOIN (SELECT 7 AS n) AS c ON r.level > c.n "
                                   "ORDER BY r.level DESC, r.id"}) {
        CAPTURE(text);
        const std::vector<std::string> all = f.rows(text);
        for (const std::size_t limit : {1u, 20u, 700u})
            CHECK(f.rows(text + " LIMIT " + std::to_string(limit)) ==
                  std::vector<std::string>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(limit)));
    }
}

TEST_CASE("of each member of a list as many rows are read as are wanted", "[sql]") {
    Readings f;
    for (const std::string members : {"sensor IN (3, 44, 7, 20)", "sensor = ANY (ARRAY[5, 5, NULL, 119])",
                                      "sensor IN (3, 44, 1000) AND level > 20"}) {
        const std::string text =
            "SELECT id, sensor, day FROM readings WHERE " + members + " ORDER BY day DESC, id DESC";
        CAPTURE(text);
        const std::vector<std::string> all = f.rows(text);
        for (const std::size_t limit : {1u, 3u, 12u})
            CHECK(f.rows(text + " LIMIT " + std::to_string(limit)) ==
                  std::vector<std::string>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(limit)));
        // So many rows are fewer than one member has.
        const std::string analyzed = f.plan_of(text + " LIMIT 3");
        CHECK(analyzed.find("readings_sensor") != std::string::npos);
    }
    std::string actual;
    for (const auto& row : f.sql.execute("EXPLAIN (ANALYZE, TIMING OFF) SELECT id FROM readings "
                                         "WHERE sensor IN (3, 44, 7) ORDER BY day DESC LIMIT 2").rows)
        actual += row[0].value_or("") + "\n";
    CAPTURE(actual);
    CHECK(actual.find("actual rows=6 ") != std::string::npos);
}

TEST_CASE("of each value of a column that is skipped as many rows are read as are wanted", "[sql]") {
    Readings f;
    f.sql.execute_script("CREATE TABLE bills (id int PRIMARY KEY, state text, total int);"
                         "INSERT INTO bills SELECT i, 's' || i % 4, i * 7 % 1000 "
                         "FROM generate_series(1, 20000) AS g(i);"
                         "CREATE INDEX bills_state ON bills (state, total); ANALYZE bills");
    for (const std::string order : {"total, id", "total DESC, id DESC"}) {
        const std::string text = "SELECT id, total FROM bills WHERE total BETWEEN 500 AND 540 ORDER BY " + order;
        CAPTURE(text);
        const std::vector<std::string> all = f.rows(text);
        for (const std::size_t limit : {1u, 3u, 12u})
            CHECK(f.rows(text + " LIMIT " + std::to_string(limit)) ==
                  std::vector<std::string>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(limit)));
    }
    std::string actual;
    for (const auto& row : f.sql.execute("EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM bills WHERE total "
                                         "BETWEEN 500 AND 540 ORDER BY total LIMIT 3").rows)
        actual += row[0].value_or("") + "\n";
    CAPTURE(actual);
    CHECK(actual.find("Index Only Skip Scan") != std::string::npos);
    CHECK(actual.find("actual rows=12 ") != std::string::npos);
}

TEST_CASE("rows that OFFSET leaves out are passed over", "[sql]") {
    Readings f;
    for (const std::string text : {"SELECT id, level FROM readings ORDER BY id",
                                   "SELECT id FROM readings ORDER BY id DESC",
                                   "SELECT day FROM readings ORDER BY day",
                                   "SELECT day, id FROM readings ORDER BY day DESC, id DESC",
                                   "SELECT level FROM readings WHERE day BETWEEN 20 AND 300 ORDER BY day, id",
                                   "SELECT level FROM readings WHERE level > 10 ORDER BY id"}) {
        CAPTURE(text);
        const std::vector<std::string> all = f.rows(text);
        for (const std::size_t offset : {0u, 1u, 255u, 256u, 257u, 5000u, 11999u, 12000u, 20000u}) {
            const std::size_t begin = std::min<std::size_t>(offset, all.size());
            const std::size_t end = std::min<std::size_t>(begin + 3, all.size());
            CHECK(f.rows(text + " LIMIT 3 OFFSET " + std::to_string(offset)) ==
                  std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                           all.begin() + static_cast<std::ptrdiff_t>(end)));
        }
    }
    CHECK_THROWS_AS(f.sql.execute("SELECT 1 / (id - 1) FROM readings ORDER BY id LIMIT 1 OFFSET 1"), SqlFailure);
}

TEST_CASE("a recursion that begins with few rows looks its next ones up", "[sql]") {
    Readings f;
    const std::string text = "WITH RECURSIVE chain(id, depth) AS (SELECT id, 0 FROM readings WHERE id = 1 UNION ALL "
                             "SELECT r.id, depth + 1 FROM chain JOIN readings AS r ON r.id = chain.id * 2) "
                             "SELECT count(*), max(id) FROM chain";
    CHECK(f.plan_of(text).find("Hash") == std::string::npos);
    CHECK(f.rows(text) == std::vector<std::string>{"14,8192,"});
}

TEST_CASE("a large OFFSET steps over entries in their order where no condition is asked of their rows", "[sql]") {
    Readings f;
    const auto check = [&](const std::string& from, const std::string& order, bool along) {
        const std::string text = "SELECT id, sensor, day" + from + " ORDER BY " + order;
        const std::vector<std::string> all = f.rows(text);
        for (const std::size_t offset : {3000u, 5999u, 11000u, 12500u}) {
            const std::string cut = text + " LIMIT 3 OFFSET " + std::to_string(offset);
            CAPTURE(cut);
            CHECK((f.plan_of(cut).find("Sort") == std::string::npos) == along);
            const auto place = [&](std::size_t at) {
                return all.begin() + static_cast<std::ptrdiff_t>(std::min(at, all.size()));
            };
            CHECK(f.rows(cut) == std::vector<std::string>(place(offset), place(offset + 3)));
        }
    };
    check(" FROM readings", "day, id", true);
    check(" FROM readings", "day DESC, id DESC", true);
    check(" FROM readings", "sensor DESC, day DESC, id DESC", true);
    check(" FROM readings WHERE day >= 0", "day, id", true);
    // Here rows have to be read to know which ones count.
    check(" FROM readings WHERE level % 7 <> 3", "day, id", false);
    CHECK_THROWS_AS(f.sql.execute("SELECT id FROM readings ORDER BY day LIMIT 3 OFFSET -3000"), SqlFailure);
    f.sql.execute("BEGIN");
    f.sql.execute("DELETE FROM readings WHERE id % 2 = 0");
    const std::string order = " FROM readings ORDER BY day, id";
    CHECK(f.rows("SELECT id" + order + " LIMIT 2 OFFSET 4000") ==
          f.rows("SELECT id FROM (SELECT id, row_number() OVER (ORDER BY day, id) AS n FROM readings) AS q "
                 "WHERE n IN (4001, 4002) ORDER BY n"));
    f.sql.execute("ROLLBACK");
}
