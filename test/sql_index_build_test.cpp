// sql_index_build_test.cpp -- CREATE INDEX on rows that are there: entries sorted before they are written.
#include "sql/execute/index_run.hpp"
#include "sql_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace northstar;

TEST_CASE("entries of a run come out in the order of key and row key", "[sql][INDEX-RUN-1]") {
    const unsigned seed = GENERATE(1u, 2u, 3u);
    CAPTURE(seed);
    std::mt19937 random(seed);
    sql::IndexRun run;
    for (int round = 0; round < 2; ++round) {
        run.clear();
        // Keys that begin alike, some that are the beginning of others, empty ones, zeros at the end.
        std::vector<std::string> expected;
        for (int i = 0; i < 500; ++i) {
            std::string key(seed == 3 ? random() % 3 : 11, 'k');
            for (std::size_t n = random() % 12; n > 0; --n) key += static_cast<char>(random() % 3);
            const std::string row(random() % 4, static_cast<char>(random() % 2));
            run.add(key, row, static_cast<std::uint8_t>(key.size()));
            expected.push_back(key + row);
        }
        run.sort();
        std::sort(expected.begin(), expected.end());
        std::vector<std::string> found;
        bool tagged = true;
        for (const sql::IndexRun::Entry& entry : run.entries()) {
            found.push_back(std::string(entry.key()) + std::string(entry.row()));
            tagged = tagged && entry.tag == entry.key().size();
        }
        CHECK(found == expected);
        CHECK(tagged);
        CHECK(run.bytes() >= 500 * sizeof(sql::IndexRun::Entry));
    }
}

TEST_CASE("an index made of rows that are there is the one that would have grown with them", "[sql]") {
    for (const std::string index :
         {"(a, b DESC)", "(b)", "(a) WHERE b > 30", "(lower(c), a)", "(c DESC NULLS LAST) INCLUDE (b)"}) {
        CAPTURE(index);
        Database db = Database::open(":memory:");
        SqlConnection sql{db};
        for (const std::string table : {"before", "after"})
            sql.execute("CREATE TABLE " + table + " (id int PRIMARY KEY, a int, b int, c text)");
        sql.execute("CREATE INDEX ON before " + index);
        for (const std::string table : {"before", "after"})
            sql.execute("INSERT INTO " + table + " SELECT i, nullif(i * 37 % 101, 7), i * 11 % 64, "
                        "nullif('T' || i % 17, 'T3') FROM generate_series(1, 3000) AS g(i)");
        sql.execute("CREATE INDEX ON after " + index);
        const Snapshot snapshot = db.begin_read();
        std::vector<std::vector<std::pair<std::string, std::string>>> entries;
        for (const std::string& name : snapshot.tree_names()) {
            if (name.rfind("sql.index.", 0) != 0) continue;
            entries.emplace_back();
            for (auto [key, value] : snapshot.tree(name).all()) entries.back().emplace_back(key, value);
        }
        REQUIRE(entries.size() == 2);
        CHECK_FALSE(entries[0].empty());
        const bool same = entries[0] == entries[1];
        CHECK(same);
    }
}

TEST_CASE("a unique index of rows that are there says which value is there twice", "[sql]") {
    Database db = Database::open(":memory:");
    SqlConnection sql{db};
    sql.execute_script("CREATE TABLE t (id int PRIMARY KEY, v int, w int);"
                       "INSERT INTO t SELECT i, (i * 7 + 3) % 1000, 1 FROM generate_series(0, 999) AS g(i);"
                       "CREATE UNIQUE INDEX fine ON t (v); DROP INDEX fine;"
                       "INSERT INTO t VALUES (1000, NULL, 1), (1001, NULL, 2), (1002, 444, 3)");
    for (const std::string text : {"CREATE UNIQUE INDEX twice ON t (v)",
                                   "ALTER TABLE t ADD CONSTRAINT twice UNIQUE (v)",
                                   "ALTER TABLE t ADD CONSTRAINT twice UNIQUE (v) DEFERRABLE"}) {
        CAPTURE(text);
        try {
            sql.execute(text);
            FAIL("it was made");
        } catch (const SqlFailure& failure) {
            CHECK(failure.sqlstate == "23505");
            CHECK(std::string(failure.what()).find("could not create unique index \"twice\"") != std::string::npos);
            CHECK(failure.detail == "Key (v)=(444) is duplicated.");
        }
    }
    sql.execute("DELETE FROM t WHERE id = 1002");
    sql.execute("CREATE UNIQUE INDEX fine ON t (v)");
    CHECK_THROWS_AS(sql.execute("CREATE UNIQUE INDEX nulls ON t (v) NULLS NOT DISTINCT"), SqlFailure);
}
