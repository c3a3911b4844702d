// Aggregates over frames that move: each value is that of the frame's rows alone, whatever left it before.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() {
        // Scales, signs and sizes of all kinds, NULLs, NaN and infinities, peers and long runs.
        sql.execute_script(
            "CREATE TABLE t (id int PRIMARY KEY, g int, k int, x numeric, s text, v interval);"
            "INSERT INTO t SELECT i, i % 3, CASE WHEN i % 5 > 0 THEN i * 7919 % 101 END,"
            " CASE WHEN i % 97 = 0 THEN 'NaN' WHEN i % 89 = 0 THEN 'Infinity' WHEN i % 83 = 0 THEN '-Infinity'"
            "  WHEN i % 11 = 0 THEN NULL WHEN i % 13 = 0 THEN ('1e' || i % 50)::numeric"
            "  ELSE ((i * 7919 % 2003) - 1000)::numeric / (10 ^ (i % 7))::numeric END,"
            " CASE WHEN i % 7 > 0 THEN md5(i::text) END, (i % 13 - 6) * interval '1 day 3 minutes'"
            " FROM generate_series(1, 900) AS g(i)");
    }
    std::string answer(const std::string& text) {
        std::string out;
        for (const auto& row : sql.execute(text).rows) {
            for (const auto& value : row) out += value.value_or("NULL") + " ";
            out += "\n";
        }
        return out;
    }
};

}  // namespace

TEST_CASE("an aggregate over rows before and behind is that of those rows", "[sql]") {
    Fixture f;
    const std::string call = GENERATE("sum(x)", "avg(x)", "min(x)", "max(x)", "min(s)", "max(s)", "sum(v)", "avg(v)",
                                      "sum(x) FILTER (WHERE id % 4 > 0)", "max(s) FILTER (WHERE id % 50 = 0)");
    const auto [begin, end] = GENERATE(table<int, int>({{-3, 0}, {-200, 5}, {-1, 1}, {2, 7}, {-9, -4}, {0, 300}}));
    const auto edge = [](int distance) {
        return std::to_string(distance < 0 ? -distance : distance) + (distance < 0 ? " PRECEDING" : " FOLLOWING");
    };
    CAPTURE(call, begin, end);
    const std::string moved = f.answer("SELECT id, " + call + " OVER (PARTITION BY g ORDER BY id ROWS BETWEEN " +
                                       edge(begin) + " AND " + edge(end) + ") FROM t ORDER BY id");
    const std::string filter = call.find(" FILTER") == std::string::npos ? "" : call.substr(call.find(" FILTER"));
    const std::string bare = call.substr(0, call.find(')'));
    // Rows of a group are three apart.
    const std::string alone =
        f.answer("SELECT a.id, (SELECT " + bare + ")" + filter + " FROM t WHERE t.g = a.g AND t.id BETWEEN a.id + " +
                 std::to_string(3 * begin) + " AND a.id + " + std::to_string(3 * end) + ") FROM t AS a ORDER BY a.id");
    CHECK(moved == alone);
}

TEST_CASE("an aggregate over a range of values passes over NULLs of the order", "[sql]") {
    Fixture f;
    const std::string nulls = GENERATE("NULLS FIRST", "NULLS LAST");
    const std::string direction = GENERATE("ASC", "DESC");
    CAPTURE(nulls, direction);
    const std::string moved =
        f.answer("SELECT id, max(s) OVER w, sum(x) OVER w FROM t WINDOW w AS (ORDER BY k " + direction + " " + nulls +
                 " RANGE BETWEEN 4 PRECEDING AND 2 FOLLOWING) ORDER BY id");
    const std::string low = direction == "ASC" ? "a.k - 4 AND a.k + 2" : "a.k - 2 AND a.k + 4";
    CHECK(moved == f.answer("SELECT a.id, (SELECT max(s) FROM t WHERE k BETWEEN " + low +
                            " OR (k IS NULL AND a.k IS NULL)), (SELECT sum(x) FROM t WHERE k BETWEEN " + low +
                            " OR (k IS NULL AND a.k IS NULL)) FROM t AS a ORDER BY a.id"));
}
