// sql_deciding_groups_test.cpp -- GROUP BY a primary key and columns that depend on it: told apart by the key alone.
#include "sql_query_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace northstar;

struct Shop : sql_test::Queries {
    Shop() {
        sql.execute_script(
            "CREATE TABLE customers (id int PRIMARY KEY, name text, kind int, rest numeric(9,2));"
            "CREATE TABLE orders (customer int, line int, total int, note text, PRIMARY KEY (customer, line));"
            "INSERT INTO customers SELECT i, nullif('name ' || i % 97, 'name 5'), i % 12, i / 8.0 "
            "FROM generate_series(1, 3000) AS g(i);"
            "INSERT INTO orders SELECT i % 2500, i, i * 17 % 503, 'note ' || i % 5 "
            "FROM generate_series(1, 9000) AS g(i)");
    }
    /// The same query with groups that are computed, which decide nothing.
    std::string computed(std::string query) {
        for (const auto& [column, expression] : std::vector<std::pair<std::string, std::string>>{
                 {"c.id", "(c.id + 0)"}, {"c.name", "(c.name || '')"}, {"c.kind", "(c.kind + 0)"},
                 {"c.rest", "(c.rest + 0)"}, {"o.customer", "(o.customer + 0)"}, {"o.note", "(o.note || '')"}})
            for (std::size_t at = 0; (at = query.find(column, at)) != std::string::npos; at += expression.size())
                query.replace(at, column.size(), expression);
        return query;
    }
    void check(const std::string& query) {
        CAPTURE(query);
        CHECK(rows(query) == rows(computed(query)));
        CHECK_FALSE(rows(query).empty());
    }
};

}  // namespace

TEST_CASE("groups by a primary key and columns of its table are those of the key", "[sql]") {
    Shop f;
    for (const std::string join : {"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"}) {
        const std::string from = " FROM customers c " + join + " orders o ON c.id = o.customer ";
        f.check("SELECT c.id, c.name, count(*), sum(o.total)" + from + "GROUP BY c.id, c.name ORDER BY c.id, c.name");
        f.check("SELECT c.name, c.id, c.rest, min(o.note)" + from +
                "WHERE c.kind < 4 GROUP BY c.name, c.rest, c.id ORDER BY c.name, c.id");
        f.check("SELECT c.kind, o.note, c.id, count(*)" + from +
                "GROUP BY c.kind, o.note, c.id ORDER BY c.id, o.note LIMIT 40");
        f.check("SELECT c.name, c.id, sum(o.total)" + from +
                "GROUP BY c.name, c.id HAVING max(o.total) > 200 AND c.name > 'name 3' "
                "ORDER BY c.name DESC, c.id LIMIT 7");
        f.check("SELECT count(*), sum(n), max(name) FROM (SELECT c.id, c.name AS name, count(o.line) AS n" + from +
                "GROUP BY c.id, c.name, c.kind, c.rest) AS x");
        // Half of a key decides nothing.
        f.check("SELECT o.customer, o.note, count(*)" + from + "GROUP BY o.customer, o.note ORDER BY 1, 2");
    }
    f.check("SELECT o.note, o.total, o.line, o.customer FROM orders o GROUP BY o.line, o.note, o.total, o.customer "
            "ORDER BY o.line");
}

TEST_CASE("groups that are told apart by a key go to files where memory is short", "[sql]") {
    Shop f;
    f.sql.execute("SET work_mem = '64kB'");
    f.check("SELECT c.id, c.name, c.rest, count(*), string_agg(o.note, ',' ORDER BY o.line) FROM customers c "
            "LEFT JOIN orders o ON o.customer = c.id GROUP BY c.id, c.name, c.rest ORDER BY c.id");
}

TEST_CASE("versions of a row have its key and are groups of their own", "[sql]") {
    Shop f;
    f.sql.execute("UPDATE customers SET name = 'other' WHERE id = 7");
    CHECK(f.rows("SELECT id, name, count(*) FROM customers FOR SYSTEM_TIME ALL WHERE id = 7 GROUP BY id, name "
                 "ORDER BY name") == std::vector<std::string>{"7,name 7,1,", "7,other,1,"});
}

TEST_CASE("rows that share a deferrable key until it is checked are groups of their own", "[sql]") {
    Shop f;
    f.sql.execute_script("CREATE TABLE late (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, name text);"
                         "BEGIN; INSERT INTO late VALUES (1, 'a'), (1, 'b'), (1, 'a')");
    CHECK(f.rows("SELECT id, name, count(*) FROM late GROUP BY id, name ORDER BY name") ==
          std::vector<std::string>{"1,a,2,", "1,b,1,"});
    f.sql.execute("ROLLBACK");
}
