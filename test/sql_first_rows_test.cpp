// sql_first_rows_test.cpp -- a few rows of joins: found without reading all of the tables, and the right ones.
#include "sql_query_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace northstar;

/// Orders of customers, some of whom are not there; some orders have none. Of kinds there are few.
struct Fixture : sql_test::Queries {
    Fixture() {
        sql.execute_script(
            "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, kind int);"
            "CREATE TABLE kinds (id int PRIMARY KEY, label text NOT NULL);"
            "CREATE TABLE orders (id int PRIMARY KEY, customer int, day int NOT NULL);"
            "CREATE INDEX orders_day ON orders (day);"
            "CREATE INDEX orders_customer ON orders (customer);"
            "INSERT INTO kinds SELECT i, 'kind ' || i FROM generate_series(0, 9) AS g(i);"
            "INSERT INTO customers SELECT i, 'name ' || i % 97, nullif(i % 12, 11) "
            "FROM generate_series(1, 3000) AS g(i);"
            "INSERT INTO orders SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE i * 31 % 4000 END, i * 17 % 300 "
            "FROM generate_series(1, 12000) AS g(i)");
    }
    /// The plan neither sorts nor hashes.
    bool finds_first_rows(const std::string& text) {
        const std::string plan = plan_of(text);
        INFO(plan);
        return plan.find("Sort") == std::string::npos && plan.find("Hash") == std::string::npos;
    }
};

const std::vector<std::string> k_joins = {
    "orders AS o JOIN customers AS c ON c.id = o.customer",
    "orders AS o LEFT JOIN customers AS c ON c.id = o.customer",
    "orders AS o JOIN customers AS c ON c.id = o.customer JOIN kinds AS k ON k.id = c.kind",
    "orders AS o LEFT JOIN customers AS c ON c.id = o.customer LEFT JOIN kinds AS k ON k.id = c.kind",
    "(SELECT id, customer, day FROM orders) AS o JOIN customers AS c ON o.customer = c.id",
};

}  // namespace

TEST_CASE("a few rows of a join in the order of an index are found without a sort or a hash table", "[sql]") {
    Fixture f;
    for (const std::string& join : k_joins) {
        for (const std::string order : {"o.id", "o.id DESC", "o.day DESC", "o.day DESC, o.id DESC"}) {
            const std::string text = "SELECT o.id, c.name FROM " + join + " ORDER BY " + order;
            CAPTURE(text);
            CHECK(f.finds_first_rows(text + " LIMIT 10"));
            CHECK(f.finds_first_rows(text + " LIMIT 10 OFFSET 20"));
            CHECK_FALSE(f.finds_first_rows(text + " LIMIT 6000"));
            CHECK_FALSE(f.finds_first_rows(text));
        }
        CHECK(f.finds_first_rows("SELECT o.id, c.name FROM " + join + " LIMIT 10"));
    }
    // The order of what is looked up is not that of what is read.
    CHECK_FALSE(f.finds_first_rows("SELECT o.id FROM " + k_joins[1] + " ORDER BY c.id LIMIT 10"));
    CHECK_FALSE(f.finds_first_rows("SELECT o.id FROM " + k_joins[0] + " ORDER BY c.name LIMIT 10"));
}

TEST_CASE("entries of an index are in the order of their rows' keys behind its columns", "[sql]") {
    Fixture f;
    const auto sorts = [&](const std::string& order) {
        const std::string plan = f.plan_of("SELECT id, day FROM orders ORDER BY " + order + " LIMIT 10");
        return plan.find("Sort") != std::string::npos;
    };
    CHECK_FALSE(sorts("day, id"));
    CHECK_FALSE(sorts("day DESC, id DESC"));
    CHECK_FALSE(sorts("day, id, customer"));
    CHECK(sorts("day, id DESC"));
    CHECK(sorts("day, customer"));
    CHECK(f.rows("SELECT day, id FROM orders WHERE day < 2 ORDER BY day DESC, id DESC LIMIT 3") ==
          std::vector<std::string>{"1,11753,", "1,11453,", "1,11153,"});
    // Of a unique index nothing is left to be put in order, unless there are NULLs, which are equal to none.
    f.sql.execute_script("CREATE UNIQUE INDEX ON customers (kind, id); ALTER TABLE customers ADD code int;"
                         "UPDATE customers SET code = CASE WHEN id % 3 = 0 THEN NULL ELSE -id END;"
                         "CREATE UNIQUE INDEX ON customers (code)");
    CHECK(f.plan_of("SELECT id FROM customers ORDER BY code DESC, name LIMIT 5").find("Sort") != std::string::npos);
    CHECK(f.rows("SELECT code, id FROM customers ORDER BY code DESC, id DESC LIMIT 2") ==
          std::vector<std::string>{"NULL,3000,", "NULL,2997,"});
}

TEST_CASE("the least value of rows that meet a condition is looked for in the order of an index", "[sql]") {
    Fixture f;
    const auto hashes_or_reads_all = [&](const std::string& text) {
        return f.plan_of(text).find("Seq Scan") != std::string::npos;
    };
    CHECK_FALSE(hashes_or_reads_all("SELECT min(id) FROM orders WHERE day % 4 = 3"));
    CHECK(f.rows("SELECT min(id) FROM orders WHERE day % 4 = 3") == std::vector<std::string>{"3,"});
    CHECK(f.rows("SELECT max(day) FROM orders WHERE id % 500 = 7") ==
          f.rows("SELECT day FROM (SELECT day FROM orders WHERE id % 500 = 7 ORDER BY day + 0 DESC LIMIT 1) AS x"));
    CHECK(f.rows("SELECT min(id) FROM orders WHERE day % 4 = 9") == std::vector<std::string>{"NULL,"});
    // Two of them would read twice.
    CHECK(hashes_or_reads_all("SELECT min(id), max(id) FROM orders WHERE day % 4 = 3"));
}

TEST_CASE("a list is read on behind its last row", "[sql]") {
    Fixture f;
    const std::vector<std::string> all = f.rows("SELECT day, id FROM orders ORDER BY day, id");
    for (const std::string condition : {"(day, id) > (17, 5000)", "(17, 5000) < (day, id)"}) {
        const std::string text = "SELECT day, id FROM orders WHERE " + condition + " ORDER BY day, id LIMIT 40";
        const std::string plan = f.plan_of(text);
        INFO(plan);
        CHECK(plan.find("Sort") == std::string::npos);
        CHECK(plan.find("orders_day") != std::string::npos);
        const auto last = std::find(all.begin(), all.end(), "17,4801,");
        REQUIRE(last != all.end());
        const auto next = std::find_if(last, all.end(), [](const std::string& row) { return row > "17,5000,"; });
        CHECK(f.rows(text) == std::vector<std::string>(next, next + 40));
    }
    // Backwards, and with what is equal.
    CHECK(f.rows("SELECT day, id FROM orders WHERE (day, id) <= (17, 4801) ORDER BY day DESC, id DESC LIMIT 3") ==
          std::vector<std::string>{"17,4801,", "17,4501,", "17,4201,"});
    CHECK(f.rows("SELECT id FROM orders WHERE (day, id) > (NULL, 1)").empty());
    f.sql.execute_script("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE moods (m mood, id int);"
                         "INSERT INTO moods VALUES ('ok', 1), ('ok', 2), ('happy', 3); CREATE INDEX ON moods (m)");
    CHECK(f.rows("SELECT id FROM moods WHERE (m, id) > ('ok', 1) ORDER BY id") ==
          std::vector<std::string>{"2,", "3,"});
    CHECK(f.rows("SELECT count(*) FROM orders WHERE (customer, id) >= (100, 0)") ==
          f.rows("SELECT count(*) FROM orders WHERE customer >= 100"));
}

TEST_CASE("the first rows of a join are those of the whole join", "[sql][JOIN-1]") {
    Fixture f;
    const std::vector<std::string> conditions = {"true", "o.day < 250", "c.kind = 3", "c.kind IS NULL",
                                                 "c.name <> 'name 5' AND o.id % 3 = 0"};
    std::size_t compared = 0;
    for (const std::string& join : k_joins)
        for (const std::string& condition : conditions)
            for (const std::string order : {"o.id", "o.id DESC", "o.day, o.id", "o.day DESC, o.id DESC"}) {
                const std::string query = "SELECT o.id, o.day, c.id, c.name FROM " + join + " WHERE " + condition;
                const std::vector<std::string> all = f.rows(query + " ORDER BY " + order);
                for (const std::size_t offset : {0u, 30u, 400u}) {
                    const std::string text = query + " ORDER BY " + order + " LIMIT 50 OFFSET " +
                                             std::to_string(offset);
                    INFO(text);
                    const std::size_t from = std::min(all.size(), offset), to = std::min(all.size(), offset + 50);
                    const std::vector<std::string> expected(all.begin() + static_cast<std::ptrdiff_t>(from),
                                                            all.begin() + static_cast<std::ptrdiff_t>(to));
                    CHECK(f.rows(text) == expected);
                    compared += expected.size();
                }
            }
    CHECK(compared > 5000);
}

TEST_CASE("rows of a left join whose partners are looked up come in the order of the left side", "[sql][JOIN-1]") {
    Fixture f;
    // Many batches, with and without partners.
    const std::string text = "SELECT o.id, c.id FROM " + k_joins[1] + " WHERE o.id <= 40 ORDER BY o.id";
    REQUIRE(f.finds_first_rows(text));
    int next = 1;
    for (const auto& row : f.sql.execute(text).rows) CHECK(row[0] == std::to_string(next++));
    CHECK(next == 41);
    next = 12000;
    for (const auto& row : f.sql.execute("SELECT o.id FROM " + k_joins[1] + " ORDER BY o.id DESC LIMIT 500").rows)
        CHECK(row[0] == std::to_string(next--));
    CHECK(next == 11500);
}

TEST_CASE("the first rows of a join are found for a limit that is a parameter", "[sql]") {
    Fixture f;
    SqlStatement query = f.sql.prepare("SELECT o.id FROM " + k_joins[0] + " ORDER BY o.id LIMIT $1");
    for (const std::int64_t limit : {3, 700, 0}) {
        query.bind_integer(1, limit);
        const std::vector<std::string> expected =
            f.rows("SELECT o.id FROM " + k_joins[0] + " ORDER BY o.id LIMIT " + std::to_string(limit));
        std::vector<std::string> found;
        while (query.step()) found.push_back(std::to_string(query.integer(0)) + ",");
        CHECK(found == expected);
    }
}
