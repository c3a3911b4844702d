// sql_partners_test.cpp -- rows with partners, without them, and with several: joins, EXISTS and outer joins by plans
// that look up few rows or hash the smaller side, and each with the answer of the plan that reads everything.
#include "sql_query_support.hpp"

#include "base/random.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace northstar;

/// Few customers, many orders of most of them; some orders have no customer. A customer's orders lie far apart, and in
/// another order by their totals.
struct Shop : sql_test::Queries {
    Shop() {
        sql.execute_script(
            "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, kind int);"
            "CREATE TABLE orders (id int PRIMARY KEY, customer int, total int NOT NULL, note text);"
            "CREATE INDEX orders_customer ON orders (customer, id);"
            "CREATE INDEX orders_total ON orders (total);"
            "INSERT INTO customers SELECT i, 'name ' || i % 97, nullif(i % 12, 11) "
            "FROM generate_series(1, 2000) AS g(i);"
            "INSERT INTO orders SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE i * 31 % 1500 + 400 END, i * 17 % 5003, "
            "nullif('note ' || i % 5, 'note 3') FROM generate_series(1, 12000) AS g(i)");
    }
    bool has(const std::string& text, const std::string& step) {
        const std::string plan = plan_of(text);
        UNSCOPED_INFO(plan);
        return plan.find(step) != std::string::npos;
    }
    /// Rows from `first` on of a query that is answered as a whole.
    std::vector<std::string> part(const std::string& query, std::size_t first, std::size_t count) {
        const std::vector<std::string> all = rows(query);
        const std::size_t from = std::min(all.size(), first), to = std::min(all.size(), first + count);
        return {all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to)};
    }
};

const std::string k_with_orders = "EXISTS (SELECT 1 FROM orders o WHERE o.customer = c.id AND o.total > 3000)";
/// A key of an order, and one of the same order that no index has.
struct Key {
    std::string text, computed;
};
const std::vector<Key> k_keys = {
    {"c.id", "c.id + 0"},       {"c.kind", "c.kind + 0"},   {"c.name", "c.name || ''"},         {"o.id", "o.id + 0"},
    {"o.total", "o.total + 0"}, {"o.note", "o.note || ''"}, {"o.customer", "o.customer + 0"}};

/// ORDER BY as it is, and by what no index has.
struct Order {
    std::string text, computed;
    void add(const Key& key, bool descending) {
        text += (text.empty() ? " ORDER BY " : ", ") + key.text + (descending ? " DESC" : "");
        computed += (computed.empty() ? " ORDER BY " : ", ") + key.computed + (descending ? " DESC" : "");
    }
};

const std::string k_orders_of = "FROM customers c LEFT JOIN orders o ON o.customer = c.id AND o.total > 3000 ";

}  // namespace

// The key of the customer was taken to say which row it is, though a customer comes once with each order.
TEST_CASE("rows of a join that are equal in the key of the leading table are sorted by what follows", "[sql]") {
    Shop f;
    for (const std::string join : {"JOIN", "LEFT JOIN"})
        for (const std::size_t second : {2u, 4u, 5u}) {
            Order order;
            order.add(k_keys[0], second == 5);
            order.add(k_keys[second], second == 2);
            order.add(k_keys[3], false);
            const std::string from = " FROM customers c " + join + " orders o ON o.customer = c.id WHERE c.kind < 7";
            const std::string rows = "SELECT c.id, o.id, o.total" + from;
            CAPTURE(rows, order.text);
            CHECK(f.rows(rows + order.text + " LIMIT 25 OFFSET 300") == f.part(rows + order.computed, 300, 25));
            const std::string number = "SELECT c.id, o.id, row_number() OVER (";
            CHECK(f.rows(number + order.text + ")" + from + order.text + " LIMIT 25") ==
                  f.part(number + order.computed + ")" + from + order.computed, 0, 25));
        }
}

TEST_CASE("groups over several rows of each partner are whole where a few of them are wanted", "[sql]") {
    Shop f;
    const std::string query = "SELECT c.id, o.note, count(*), sum(o.total) FROM customers c JOIN orders o "
                              "ON o.customer = c.id GROUP BY c.id, o.note ORDER BY c.id, o.note";
    CHECK(f.rows(query + " LIMIT 30") == f.part(query, 0, 30));
    const std::string distinct = "SELECT DISTINCT c.id, o.note FROM customers c JOIN orders o ON o.customer = c.id "
                                 "ORDER BY c.id DESC, o.note";
    CHECK(f.rows(distinct + " LIMIT 30") == f.part(distinct, 0, 30));
}

TEST_CASE("a few rows with partners, or without, are found by looking partners up", "[sql][JOIN-1]") {
    Shop f;
    for (const std::string& condition : {k_with_orders, "NOT " + k_with_orders}) {
        for (const std::string order : {"c.id", "c.id DESC"}) {
            const std::string query = "SELECT c.id, c.name FROM customers c WHERE " + condition + " ORDER BY " + order;
            CAPTURE(query);
            CHECK(f.has(query + " LIMIT 4", "Nested Loop"));
            CHECK_FALSE(f.has(query + " LIMIT 4", "Sort"));
            CHECK_FALSE(f.has(query, "Nested Loop"));
            CHECK(f.rows(query + " LIMIT 10 OFFSET 40") == f.part(query, 40, 10));
        }
    }
}

TEST_CASE("a few rows that are among many members are found by looking each up", "[sql][JOIN-1]") {
    Shop f;
    const std::string in_orders = "c.id IN (SELECT customer FROM orders WHERE total > 1000)";
    for (const std::string& condition :
         {in_orders, in_orders + " AND c.kind = 3", in_orders + " AND c.id IN (SELECT customer FROM orders)",
          in_orders + " AND c.id NOT IN (SELECT id FROM orders)"}) {
        const std::string query = "SELECT c.id, c.name FROM customers c WHERE " + condition + " ORDER BY c.id";
        CAPTURE(query);
        CHECK(f.has(query + " LIMIT 4", "Nested Loop Semi Join"));
        CHECK_FALSE(f.has(query, "Semi Join"));
        CHECK(f.rows(query + " LIMIT 4 OFFSET 3") == f.part(query, 3, 4));
    }
    // A member that is NULL is none, and few members are looked up themselves.
    CHECK(f.rows("SELECT id FROM orders WHERE customer IN (SELECT nullif(id, 431) FROM customers) AND customer < 433 "
                 "ORDER BY id LIMIT 2") == f.rows("SELECT id FROM orders WHERE customer BETWEEN 400 AND 432 AND "
                                                  "customer <> 431 ORDER BY id LIMIT 2"));
    CHECK_FALSE(f.has("SELECT id FROM orders WHERE customer IN (SELECT id FROM customers WHERE id IN (5, 7)) LIMIT 2",
                      "Semi Join"));
    CHECK(f.rows("SELECT c.id FROM customers c WHERE c.kind IN (SELECT customer FROM orders) LIMIT 3").empty());
}

TEST_CASE("where nearly every row has a partner those without are not looked for one by one", "[sql]") {
    Shop f;
    f.sql.execute("INSERT INTO orders SELECT 20000 + i, i % 2000 + 1, 1 FROM generate_series(1, 30000) AS g(i)");
    const std::string query = "SELECT c.id FROM customers c WHERE NOT EXISTS "
                              "(SELECT 1 FROM orders o WHERE o.customer = c.id) LIMIT 10";
    CHECK(f.has(query, "Hash Anti Join"));
    CHECK(f.rows(query).empty());
}

TEST_CASE("a left join of which only rows without partners are wanted is an anti-join", "[sql]") {
    Shop f;
    const std::string expected = "SELECT c.id, c.name FROM customers c WHERE NOT " + k_with_orders + " ORDER BY c.id";
    const std::string query = "SELECT c.id, c.name " + k_orders_of + "WHERE o.customer IS NULL ORDER BY c.id";
    CHECK(f.has(query, "Anti Join"));
    CHECK(f.rows(query) == f.rows(expected));
    // What is handed on of the other side is NULL, in conditions too.
    CHECK(f.rows("SELECT o.*, c.id " + k_orders_of +
                 "WHERE o.customer IS NULL AND o.note IS NULL ORDER BY c.id LIMIT 1") ==
          std::vector<std::string>{"NULL,NULL,NULL,NULL,1,"});
    CHECK(f.rows("SELECT c.id " + k_orders_of + "WHERE o.customer IS NULL AND (o.total > 5 OR c.id = 2)") ==
          std::vector<std::string>{"2,"});
    CHECK(f.rows("SELECT count(*), count(o.id), count(c.id) " + k_orders_of + "WHERE o.customer IS NULL") ==
          f.rows("SELECT count(*), 0, count(*) FROM (" + expected + ") x"));
}

TEST_CASE("a column that may be NULL with a partner does not make a left join an anti-join", "[sql]") {
    Shop f;
    CHECK_FALSE(f.has("SELECT c.id " + k_orders_of + "WHERE o.note IS NULL", "Anti Join"));
    CHECK(f.rows("SELECT count(*), count(o.id) " + k_orders_of + "WHERE o.note IS NULL") ==
          f.rows("SELECT count(*) + (SELECT count(*) FROM customers c WHERE NOT " + k_with_orders +
                 "), count(*) FROM customers c JOIN orders o ON o.customer = c.id "
                 "WHERE o.total > 3000 AND o.note IS NULL"));
    // A row all of whose fields are NULL is NULL, and equal to itself.
    f.sql.execute_script("CREATE TYPE pair AS (a int, b int); CREATE TABLE l (p pair); CREATE TABLE r (p pair);"
                         "INSERT INTO l VALUES (ROW(NULL, NULL)); INSERT INTO r VALUES (ROW(NULL, NULL))");
    CHECK(f.rows("SELECT l.p = r.p, count(*) FROM l LEFT JOIN r ON r.p = l.p WHERE r.p IS NULL GROUP BY 1") ==
          std::vector<std::string>{"t,1,"});
}

TEST_CASE("a left join of which only rows with partners are wanted is an inner join", "[sql]") {
    Shop f;
    for (const std::string condition : {"o.note IS NOT NULL", "o.id > 7", "length(o.note) = 6 AND o.id IS NOT NULL"}) {
        const std::string query = "SELECT count(*), count(o.note) " + k_orders_of + "WHERE " + condition;
        CAPTURE(query);
        CHECK_FALSE(f.has(query, "Left Join"));
        CHECK_FALSE(f.has(query, "Right Join"));
        CHECK(f.rows(query) == f.rows("SELECT count(*), count(o.note) FROM customers c JOIN orders o "
                                      "ON o.customer = c.id AND o.total > 3000 WHERE " + condition));
    }
    CHECK(f.has("SELECT count(*) " + k_orders_of + "WHERE o.note IS NOT NULL OR c.id = 3", "Right Join"));
}

TEST_CASE("a left join of a small table with a large one hashes the small one", "[sql]") {
    Shop f;
    const std::string query = "SELECT c.kind, count(*), count(o.id), sum(o.total), min(o.note) " + k_orders_of +
                              "GROUP BY c.kind ORDER BY c.kind";
    CHECK(f.has(query, "Hash Right Join"));
    // Partners by pairs that are not equal are found without any hash table.
    const std::string plain = "SELECT c.kind, count(*), count(o.id), sum(o.total), min(o.note) FROM customers c "
                              "LEFT JOIN orders o ON o.customer + 0 BETWEEN c.id AND c.id AND o.total > 3000 "
                              "WHERE c.id < 150 OR c.id BETWEEN 1800 AND 1950 GROUP BY c.kind ORDER BY c.kind";
    const std::string some = "SELECT c.kind, count(*), count(o.id), sum(o.total), min(o.note) " + k_orders_of +
                             "WHERE c.id < 150 OR c.id BETWEEN 1800 AND 1950 GROUP BY c.kind ORDER BY c.kind";
    CHECK(f.has(some, "Hash Right Join"));
    CHECK(f.rows(some) == f.rows(plain));
    // Keys that are NULL have no partners, and their rows are shown.
    CHECK(f.rows("SELECT count(*), count(o.id) FROM (SELECT nullif(id, 500) AS id FROM customers) c "
                 "LEFT JOIN orders o ON o.customer = c.id") ==
          f.rows("SELECT (SELECT count(*) FROM orders WHERE customer <> 500) + "
                 "(SELECT count(*) FROM customers c WHERE id = 500 OR NOT EXISTS "
                 "(SELECT 1 FROM orders o WHERE o.customer = c.id)), "
                 "(SELECT count(*) FROM orders WHERE customer <> 500)"));
}

TEST_CASE("the smaller side of a left join goes to files where memory is short", "[sql]") {
    Shop f;
    const std::string query = "SELECT c.kind, count(*), count(o.id), sum(o.total), min(o.note) " + k_orders_of +
                              "GROUP BY c.kind ORDER BY c.kind";
    REQUIRE(f.has(query, "Hash Right Join"));
    const std::vector<std::string> expected = f.rows(query);
    f.sql.execute("SET work_mem = '64kB'");
    CHECK(f.rows(query) == expected);
}

TEST_CASE("any order of a join is that of its rows, however few are wanted", "[sql][JOIN-1]") {
    const std::uint64_t seed = 3307;
    INFO("seed " << seed);
    detail::Random random(seed);
    Shop f;
    const std::vector<std::string> joins = {"customers c JOIN orders o ON o.customer = c.id",
                                            "customers c LEFT JOIN orders o ON o.customer = c.id",
                                            "orders o LEFT JOIN customers c ON o.customer = c.id",
                                            "orders o JOIN customers c ON o.customer = c.id AND o.total > c.id"};
    for (int i = 0; i < 150; ++i) {
        Order order;
        for (std::uint64_t k = 1 + random.below(3); k > 0; --k)
            order.add(k_keys[random.below(k_keys.size())], random.below(2) == 0);
        order.add(k_keys[0], false);
        order.add(k_keys[3], false);
        const std::string query = "SELECT c.id, o.id, o.note FROM " + joins[random.below(joins.size())] +
                                  (random.below(2) == 0 ? "" : " WHERE c.kind IN (1, 4, 9)");
        const std::size_t first = random.below(3) * 40;
        CAPTURE(query, order.text, first);
        CHECK(f.rows(query + order.text + " LIMIT 12 OFFSET " + std::to_string(first)) ==
              f.part(query + order.computed, first, 12));
    }
}
