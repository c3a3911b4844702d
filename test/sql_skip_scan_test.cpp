// sql_skip_scan_test.cpp -- conditions on later columns of an index, whose first columns have few values: the scan
// skips from one value to the next, and the answer is that of all rows.
#include "sql_query_support.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace {

using namespace northstar;

/// Many rows of few parts and states, some without one; codes are all different, few rows of each level.
struct Parts : sql_test::Queries {
    Parts() {
        sql.execute_script(
            "CREATE TABLE parts (id int, part int, state text, code int, level numeric(6,2), day date, note text, "
            "PRIMARY KEY (part, id));"
            "INSERT INTO parts SELECT i, i % 5, (ARRAY['open', 'done', NULL, 'void'])[1 + i % 4], "
            "CASE WHEN i % 11 > 0 THEN i END, i % 900 / 4.0, date '2024-01-01' + i % 701, 'n' || i % 1500 "
            "FROM generate_series(1, 6000) AS g(i)");
    }
    bool skips(const std::string& query, const std::string& index) {
        const std::string plan = plan_of(query), along = " using " + index + " on parts";
        return plan.find("Skip Scan" + along) != std::string::npos ||
               plan.find("Skip Scan Backward" + along) != std::string::npos;
    }
    /// The rows of the query, which skips along the index, are those that it has without an index.
    void check(const std::string& condition, const std::string& index, const std::string& order = "part, id") {
        const std::string query = "SELECT part, id, state, code, level FROM parts WHERE " + condition;
        CAPTURE(query);
        INFO(plan_of(query));
        CHECK(skips(query, index));
        const std::string plain = "SELECT part, id, state, code, level FROM (SELECT * FROM parts OFFSET 0) AS p WHERE ";
        const std::vector<std::string> found = rows(query + " ORDER BY " + order);
        CHECK_FALSE(found.empty());
        CHECK(found == rows(plain + condition + " ORDER BY " + order));
        CHECK(rows("SELECT count(*) FROM parts WHERE " + condition) == std::vector<std::string>{
            std::to_string(found.size()) + ","});
    }
};

}  // namespace

TEST_CASE("a range of a later column is read behind each value of the columns before it", "[sql]") {
    Parts f;
    for (const std::string columns :
         {"state, code", "state DESC, code", "state NULLS FIRST, code DESC", "state DESC NULLS LAST, code NULLS FIRST",
          "state, part, code", "part DESC, state, code DESC NULLS LAST", "state, code, level"}) {
        CAPTURE(columns);
        f.sql.execute("CREATE INDEX by_code ON parts (" + columns + ")");
        for (const bool analyzed : {false, true}) {
            if (analyzed) f.sql.execute("ANALYZE parts");
            f.check("code BETWEEN 1000 AND 1020", "by_code");
            f.check("code > 5970", "by_code");
            f.check("code >= 17 AND code < 30", "by_code");
            f.check("code < 12", "by_code");
            f.check("code = 4242", "by_code");
            f.check("code BETWEEN 1000 AND 1040 AND level > 30", "by_code");
            // How many rows a list leads to is known by ANALYZE alone.
            if (!analyzed) continue;
            f.check("code IN (5000, 7, 5000)", "by_code");
            f.check("code = ANY (ARRAY[3, NULL, 5999])", "by_code");
        }
        f.sql.execute("DROP INDEX by_code");
    }
}

TEST_CASE("columns before and behind those that are skipped may be equal", "[sql]") {
    Parts f;
    f.sql.execute("CREATE INDEX by_day ON parts (part, state, day, code)");
    f.check("part = 3 AND day = '2024-03-01'", "by_day");
    f.check("part = 3 AND day BETWEEN '2024-03-01' AND '2024-03-03'", "by_day");
    f.check("day = '2024-03-01' AND code > 3000", "by_day");
    f.sql.execute("UPDATE parts SET day = NULL WHERE id % 100 = 7");
    f.check("part = 2 AND day IS NULL", "by_day");
    f.check("day IS NULL AND code < 2000", "by_day");
    // Values that no row of the first column has.
    const std::string none = "SELECT id FROM parts WHERE part = 9 AND day = '2024-03-01'";
    CHECK(f.rows(none).empty());
    f.sql.execute("DELETE FROM parts WHERE part = 3");
    CHECK(f.rows("SELECT id FROM parts WHERE part = 3 AND day = '2024-03-01'").empty());
}

TEST_CASE("the primary key, expressions and partial indexes are skipped along as well", "[sql]") {
    Parts f;
    f.check("id = 77", "parts_pkey");
    f.check("id BETWEEN 100 AND 120 AND state IS NULL", "parts_pkey");
    f.sql.execute("CREATE INDEX by_word ON parts (upper(state), (code % 1000))");
    f.check("code % 1000 = 123", "by_word");
    f.sql.execute("DROP INDEX by_word");
    f.sql.execute("CREATE INDEX by_note ON parts (part, lower(note)) WHERE level < 100");
    f.check("level < 100 AND lower(note) = 'n77'", "by_note");
    CHECK_FALSE(f.skips("SELECT id FROM parts WHERE lower(note) = 'n77'", "by_note"));
    f.sql.execute("CREATE INDEX by_text ON parts (state, note)");
    f.check("note LIKE 'n77%'", "by_text");
    f.sql.execute("ANALYZE parts");
    f.check("note = 'n3' OR note = 'n4'", "by_text");
    const std::string either = " FROM parts WHERE note = 'n3' OR part = 2 AND id = 47 ORDER BY id";
    CHECK(f.plan_of("SELECT id" + either).find("Index Union Scan using by_text, parts_pkey") != std::string::npos);
    CHECK(f.rows("SELECT id, note" + either) ==
          std::vector<std::string>{"3,n3,", "47,n47,", "1503,n3,", "3003,n3,", "4503,n3,"});
}

TEST_CASE("rows come in the order of the index that is skipped along, and in no other", "[sql]") {
    Parts f;
    f.sql.execute("CREATE INDEX by_code ON parts (state, code)");
    const std::string from = "SELECT state, code, id FROM parts WHERE code BETWEEN 500 AND 560 ORDER BY ";
    const std::string plain = "SELECT state, code, id FROM (SELECT * FROM parts OFFSET 0) AS p "
                              "WHERE code BETWEEN 500 AND 560 ORDER BY ";
    for (const std::string order :
         {"state, code", "state DESC, code DESC", "code", "code DESC LIMIT 7", "state DESC LIMIT 20 OFFSET 3", "state",
          "state NULLS FIRST, code", "state, code DESC LIMIT 9", "state, code LIMIT 9", "code LIMIT 1"}) {
        CAPTURE(order);
        CHECK(f.skips(from + order, "by_code"));
        // Rows that are equal in the order may come either way.
        const std::string columns = order.find("code") != std::string::npos ? "*" : "state";
        CHECK(f.rows("SELECT " + columns + " FROM (" + from + order + ") AS q") ==
              f.rows("SELECT " + columns + " FROM (" + plain + order + ") AS q"));
    }
    CHECK(f.plan_of(from + "state DESC, code DESC").find("Sort") == std::string::npos);
    CHECK(f.plan_of(from + "code").find("Sort") != std::string::npos);
    CHECK(f.rows("SELECT min(state), max(code), min(code) FROM parts WHERE code BETWEEN 500 AND 560") ==
          std::vector<std::string>{"done,560,500,"});
    CHECK(f.rows("SELECT DISTINCT state FROM parts WHERE code BETWEEN 500 AND 503 ORDER BY state") ==
          f.rows("SELECT state FROM parts WHERE code BETWEEN 500 AND 503 GROUP BY state ORDER BY state"));
}

TEST_CASE("where there are many values to skip, or many rows behind them, all rows are read", "[sql]") {
    Parts f;
    f.sql.execute("CREATE INDEX by_note ON parts (note, code)");
    f.sql.execute("CREATE INDEX by_code ON parts (state, code)");
    for (const bool analyzed : {false, true}) {
        if (analyzed) f.sql.execute("ANALYZE parts");
        CHECK(f.plan_of("SELECT * FROM parts WHERE code BETWEEN 500 AND 560").find("by_code") != std::string::npos);
        CHECK(f.plan_of("SELECT * FROM parts WHERE code BETWEEN 100 AND 5600").find("Seq Scan") != std::string::npos);
        // Entries alone are enough for this one.
        CHECK(f.plan_of("SELECT count(*) FROM parts WHERE code > 4000").find("Index Only Skip Scan using by_code") !=
              std::string::npos);
    }
    f.sql.execute("DROP INDEX by_code");
    CHECK(f.plan_of("SELECT * FROM parts WHERE code BETWEEN 500 AND 560").find("Seq Scan") != std::string::npos);
}

TEST_CASE("a scan that skips sees its transaction, its parameters and its time", "[sql]") {
    Parts f;
    f.sql.execute("CREATE INDEX by_code ON parts (state, code)");
    SqlStatement codes = f.sql.prepare("SELECT id FROM parts WHERE code BETWEEN $1 AND $2 ORDER BY id");
    const auto found = [&](int low, int high) {
        std::string all;
        codes.reset();
        codes.bind_integer(1, low);
        codes.bind_integer(2, high);
        while (codes.step()) all += codes.text(0) + " ";
        return all;
    };
    CHECK(found(100, 103) == "100 101 102 103 ");
    CHECK(found(5999, 9000) == "5999 6000 ");
    CHECK(found(9, 3) == "");
    const std::string before = f.rows("SELECT max(txn) FROM sys.commits")[0];
    f.sql.execute("BEGIN");
    f.sql.execute("UPDATE parts SET state = 'aaa' || id WHERE id BETWEEN 101 AND 103");
    f.sql.execute("DELETE FROM parts WHERE id = 100");
    f.sql.execute("INSERT INTO parts VALUES (9001, 1, 'zzz', 102), (9002, 1, NULL, 101), (9003, 1, '', NULL)");
    CHECK(found(100, 103) == "101 102 103 9001 9002 ");
    f.sql.execute("COMMIT");
    CHECK(found(100, 103) == "101 102 103 9001 9002 ");
    f.sql.execute("ANALYZE parts");
    const std::string past = "SELECT id FROM parts WHERE code BETWEEN 100 AND 103 ORDER BY id AS OF " +
                             before.substr(0, before.size() - 1);
    CHECK(f.rows(past) == std::vector<std::string>{"100,", "101,", "102,", "103,"});
}

TEST_CASE("a cursor goes along a scan that skips and back", "[sql]") {
    Parts f;
    f.sql.execute("CREATE INDEX by_code ON parts (state, code)");
    f.sql.execute_script("BEGIN; DECLARE c SCROLL CURSOR FOR SELECT id FROM parts WHERE code BETWEEN 100 AND 103 "
                         "ORDER BY state, code");
    const std::vector<std::string> all = f.rows("FETCH ALL FROM c");
    CHECK(all == std::vector<std::string>{"101,", "100,", "103,", "102,"});
    CHECK(f.rows("FETCH BACKWARD ALL FROM c") == std::vector<std::string>{"102,", "103,", "100,", "101,"});
    CHECK(f.rows("FETCH ABSOLUTE 3 FROM c") == std::vector<std::string>{"103,"});
    f.sql.execute("COMMIT");
}
