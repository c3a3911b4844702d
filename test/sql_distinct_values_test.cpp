// sql_distinct_values_test.cpp -- DISTINCT of columns that an index begins with: one entry of each value is read, and
// the answer is that of all.
#include "sql_query_support.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace {

using namespace northstar;

/// Many rows of few states, some without one; of each state few days; codes are all different.
struct Jobs : sql_test::Queries {
    Jobs() {
        sql.execute_script(
            "CREATE TABLE jobs (id int, part int, state text, day date NOT NULL, level numeric(6,2), code int, "
            "PRIMARY KEY (part, id));"
            "CREATE INDEX jobs_state ON jobs (state, day DESC);"
            "CREATE INDEX jobs_level ON jobs (level);"
            "CREATE INDEX jobs_code ON jobs (code);"
            "CREATE INDEX jobs_open ON jobs (day) WHERE state = 'open';"
            "INSERT INTO jobs SELECT i, i % 5, (ARRAY['open', 'done', NULL, 'void'])[1 + i % 4], "
            "date '2024-01-01' + i % 9, (i % 7) / 4.0, i FROM generate_series(1, 6000) AS g(i)");
    }
    /// The query reads along the index, one entry of each value.
    void check(const std::string& query, const std::string& index, const std::string& expected) {
        CAPTURE(query);
        INFO(plan_of(query));
        CHECK(plan_of(query).find("using " + index + " ") != std::string::npos);
        CHECK(rows(query) == rows(expected));
        CHECK(read(query) * 10 < read(expected));
    }
    /// Rows that the scans of a query hand on.
    std::size_t read(const std::string& query) {
        std::size_t total = 0;
        for (const auto& row : sql.execute("EXPLAIN ANALYZE " + query).rows) {
            const std::string line = row[0].value_or("");
            const std::size_t actual = line.find("(actual time=");
            if (line.find(" Scan ") == std::string::npos || actual == std::string::npos) continue;
            total += std::stoul(line.substr(line.find("rows=", actual) + 5));
        }
        return total;
    }
};

}  // namespace

TEST_CASE("of each value of an indexed column one entry is read", "[sql]") {
    Jobs f;
    f.check("SELECT DISTINCT state FROM jobs ORDER BY state", "jobs_state",
            "SELECT state FROM jobs GROUP BY state ORDER BY state");
    f.check("SELECT DISTINCT state FROM jobs ORDER BY state DESC NULLS LAST", "jobs_state",
            "SELECT state FROM jobs GROUP BY state ORDER BY state DESC NULLS LAST");
    f.check("SELECT DISTINCT state FROM jobs ORDER BY state DESC LIMIT 3", "jobs_state",
            "SELECT state FROM jobs GROUP BY state ORDER BY state DESC LIMIT 3");
    f.check("SELECT DISTINCT day, state FROM jobs ORDER BY day, state", "jobs_state",
            "SELECT day, state FROM jobs GROUP BY day, state ORDER BY day, state");
    // Of the rows themselves, and of entries that do not have the value as it is.
    f.check("SELECT DISTINCT part FROM jobs ORDER BY part", "jobs_pkey",
            "SELECT part FROM jobs GROUP BY part ORDER BY 1");
    f.check("SELECT DISTINCT level FROM jobs ORDER BY level", "jobs_level",
            "SELECT level FROM jobs GROUP BY level ORDER BY level");
    f.sql.execute("DROP INDEX jobs_state");
    f.check("SELECT DISTINCT day FROM jobs WHERE state = 'open' ORDER BY day", "jobs_open",
            "SELECT day FROM jobs WHERE state = 'open' GROUP BY day ORDER BY day");
}

TEST_CASE("what is read one entry of each value keeps to the range that is asked for", "[sql]") {
    Jobs f;
    f.check("SELECT DISTINCT state FROM jobs WHERE state > 'done' ORDER BY 1", "jobs_state",
            "SELECT state FROM jobs WHERE state > 'done' GROUP BY state ORDER BY 1");
    f.check("SELECT DISTINCT day FROM jobs WHERE state = 'void' ORDER BY day", "jobs_state",
            "SELECT day FROM jobs WHERE state = 'void' GROUP BY day ORDER BY day");
    f.check("SELECT DISTINCT state, day FROM jobs WHERE state IS NULL ORDER BY day", "jobs_state",
            "SELECT state, day FROM jobs WHERE state IS NULL GROUP BY state, day ORDER BY day");
    f.check("SELECT DISTINCT level FROM jobs WHERE level BETWEEN 0.3 AND 1.2 ORDER BY level", "jobs_level",
            "SELECT level FROM jobs WHERE level BETWEEN 0.3 AND 1.2 GROUP BY level ORDER BY level");
    CHECK(f.rows("SELECT DISTINCT level FROM jobs WHERE level > 7").empty());
}

TEST_CASE("aggregates of different values read one entry of each", "[sql]") {
    Jobs f;
    f.check("SELECT count(DISTINCT state) FROM jobs", "jobs_state", "SELECT 3 FROM jobs GROUP BY 1");
    f.check("SELECT sum(DISTINCT level) FROM jobs", "jobs_level",
            "SELECT sum(level) FROM (SELECT level FROM jobs GROUP BY level) AS x");
    f.check("SELECT array_agg(DISTINCT state) FROM jobs WHERE state < 'p'", "jobs_state",
            "SELECT array_agg(state ORDER BY state) FROM (SELECT state FROM jobs WHERE state < 'p' GROUP BY 1) AS x");
    CHECK(f.rows("SELECT count(DISTINCT state), count(*) FROM jobs") == std::vector<std::string>{"3,6000,"});
    CHECK(f.rows("SELECT count(DISTINCT state) FILTER (WHERE day > '2024-01-03') FROM jobs") ==
          std::vector<std::string>{"3,"});
}

TEST_CASE("of DISTINCT ON the first row of each value is read in the order of an index", "[sql]") {
    Jobs f;
    f.check("SELECT DISTINCT ON (state) state, day, id FROM jobs ORDER BY state, day DESC, part, id", "jobs_state",
            "SELECT DISTINCT ON (state) state, day, id FROM jobs ORDER BY state, day + 0 DESC, part, id");
    f.check("SELECT DISTINCT ON (state) * FROM jobs ORDER BY state DESC, day, part DESC, id DESC", "jobs_state",
            "SELECT DISTINCT ON (state) * FROM jobs ORDER BY state DESC, day + 0, part DESC, id DESC");
    f.check("SELECT DISTINCT ON (part) part, id, code FROM jobs ORDER BY part, id", "jobs_pkey",
            "SELECT DISTINCT ON (part) part, id, code FROM jobs ORDER BY part, id + 0");
    f.check("SELECT DISTINCT ON (day) day, id FROM jobs WHERE state = 'done' ORDER BY day DESC, part, id", "jobs_state",
            "SELECT DISTINCT ON (day) day, id FROM jobs WHERE state = 'done' ORDER BY day DESC, part + 0, id");
    // The first entry of a value need not be the first row of another order, nor one that meets a condition.
    for (const std::string rest :
         {" ORDER BY state, level, id", " WHERE id % 7 = 3 ORDER BY state, day DESC, part, id"}) {
        const std::string text = "SELECT DISTINCT ON (state) state, level, id FROM jobs" + rest;
        CAPTURE(text);
        CHECK(f.read(text) > 500);
    }
}

// The scan below was turned round for the order above, and the last row of each value was taken for the first.
TEST_CASE("an order above DISTINCT ON does not change which rows it hands on", "[sql]") {
    Jobs f;
    const std::string first = "(SELECT DISTINCT ON (state) state, day, id FROM jobs ORDER BY state, day";
    const std::string rest = " DESC, part, id) AS q ORDER BY ";
    for (const std::string order : {"state DESC", "state DESC, day", "state, day DESC", "day, state", "id DESC"})
        for (const std::string limit : {"", " LIMIT 2"}) {
            CAPTURE(order, limit);
            CHECK(f.rows("SELECT * FROM " + first + rest + order + limit) ==
                  f.rows("SELECT * FROM " + first + " + 0" + rest + order + limit));
        }
}

TEST_CASE("of the least and the largest value of each group one entry is read", "[sql]") {
    Jobs f;
    for (const std::string call : {"min", "max"}) {
        f.check("SELECT state, " + call + "(day) FROM jobs GROUP BY state ORDER BY state", "jobs_state",
                "SELECT state, " + call + "(day + 0) FROM jobs GROUP BY state ORDER BY state");
        f.check("SELECT part, " + call + "(id), 7 FROM jobs GROUP BY part ORDER BY part", "jobs_pkey",
                "SELECT part, " + call + "(id + 0), 7 FROM jobs GROUP BY part ORDER BY part");
    }
    f.check("SELECT state, max(day) FROM jobs GROUP BY state HAVING max(day) > '2024-01-02' ORDER BY 2, 1 LIMIT 2",
            "jobs_state",
            "SELECT state, max(day + 0) FROM jobs GROUP BY state HAVING max(day + 0) > '2024-01-02' "
            "ORDER BY 2, 1 LIMIT 2");
}

TEST_CASE("the extremes of a group are not NULL where it has others", "[sql]") {
    Jobs f;
    f.sql.execute_script("UPDATE jobs SET code = NULL WHERE id % 3 = 0 OR state = 'done'; DROP INDEX jobs_state;");
    for (const std::string order : {"code", "code DESC", "code NULLS FIRST", "code DESC NULLS LAST"}) {
        f.sql.execute("CREATE INDEX jobs_by ON jobs (state, " + order + ")");
        for (const std::string call : {"min", "max"}) {
            CAPTURE(order);
            f.check("SELECT state, " + call + "(code) FROM jobs GROUP BY state ORDER BY state", "jobs_by",
                    "SELECT state, " + call + "(code + 0) FROM jobs GROUP BY state ORDER BY state");
        }
        f.sql.execute("DROP INDEX jobs_by");
    }
}

TEST_CASE("where values differ from row to row, or conditions ask for more, all rows are read", "[sql]") {
    Jobs f;
    for (const std::string query : {"SELECT DISTINCT code FROM jobs", "SELECT DISTINCT state, code FROM jobs",
                                    "SELECT DISTINCT state FROM jobs WHERE id % 3 = 1",
                                    "SELECT DISTINCT state, level FROM jobs", "SELECT DISTINCT upper(state) FROM jobs",
                                    "SELECT count(DISTINCT code) FROM jobs"}) {
        CAPTURE(query);
        CHECK(f.plan_of(query).find("Seq Scan") != std::string::npos);
    }
    // The first entry of a value need not be one that meets another condition.
    CHECK(f.rows("SELECT DISTINCT state FROM jobs WHERE id > 5998 ORDER BY state") ==
          f.rows("SELECT state FROM jobs WHERE id > 5998 GROUP BY state ORDER BY state"));
}

TEST_CASE("values that are read one entry of each are those of the transaction and of its time", "[sql]") {
    Jobs f;
    SqlStatement states = f.sql.prepare("SELECT DISTINCT state FROM jobs ORDER BY state NULLS FIRST");
    const auto found = [&] {
        std::string all;
        for (states.reset(); states.step();) all += std::string(states.is_null(0) ? "-" : states.text(0)) + " ";
        return all;
    };
    CHECK(found() == "- done open void ");
    const std::string before = f.rows("SELECT max(txn) FROM sys.commits")[0];
    f.sql.execute("BEGIN");
    f.sql.execute("DELETE FROM jobs WHERE state = 'open'");
    f.sql.execute("UPDATE jobs SET state = 'new' WHERE id = 2 AND state IS NULL OR id = 77");
    CHECK(found() == "- done new void ");
    f.sql.execute("COMMIT");
    CHECK(found() == "- done new void ");
    CHECK(f.rows("SELECT DISTINCT state FROM jobs ORDER BY state AS OF " + before.substr(0, before.size() - 1)) ==
          std::vector<std::string>{"done,", "open,", "void,", "NULL,"});
}
