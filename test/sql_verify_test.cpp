// verify_sql: a sound database has no problems, and each planted damage is named.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>

using namespace northstar;

namespace sql_verify_test {

/// Two tables with every kind of index and constraint, and rows in them.
struct Place {
    Database database = Database::open(":memory:");

    Place() {
        SqlConnection connection(database);
        connection.execute_script(
            "CREATE TYPE mood AS ENUM ('calm', 'wild');"
            "CREATE TABLE dept (id int PRIMARY KEY, name text NOT NULL UNIQUE);"
            "CREATE TABLE emp (id int PRIMARY KEY, name text, dept int REFERENCES dept (id), pay numeric(8,2) "
            "CHECK (pay > 0), mood mood, dropped int, UNIQUE (dept, name));"
            "CREATE INDEX emp_lower ON emp (lower(name)) INCLUDE (pay);"
            "CREATE INDEX emp_rich ON emp (pay DESC NULLS LAST) WHERE pay > 100;"
            "CREATE TABLE plain (a int, b text);"
            "CREATE INDEX plain_b ON plain (b);"
            "INSERT INTO dept SELECT g, 'dept ' || g FROM generate_series(1, 5) g;"
            "INSERT INTO emp SELECT g, nullif('Name ' || g, 'Name 7'), nullif(g % 6, 0), g * 10, 'wild' "
            "FROM generate_series(1, 50) g;"
            "INSERT INTO plain SELECT g, 'same' FROM generate_series(1, 20) g;"
            "ALTER TABLE emp DROP COLUMN dropped;"
            "ALTER TABLE emp ADD COLUMN later int NOT NULL DEFAULT 3;"
            "UPDATE emp SET pay = pay + 1 WHERE id % 3 = 0; DELETE FROM emp WHERE id % 10 = 0;");
    }
    std::string rows_of(const std::string& table) {
        SqlConnection connection(database);
        return "sql.rows." + *connection.execute("SELECT document::jsonb->>'oid' FROM sys.schema WHERE key = $1",
                                                 {"relation/public." + table}).rows.at(0).at(0);
    }
    std::string index(const std::string& name) {
        SqlConnection connection(database);
        return "sql.index." + *connection.execute("SELECT i->>'oid' FROM sys.schema, jsonb_array_elements("
                                                  "document::jsonb->'indexes') i WHERE i->>'name' = $1", {name})
                                   .rows.at(0).at(0);
    }
    /// Changes a tree behind the back of SQL: fn(tree, key and value of its first entry).
    template <class Change>
    void damage(const std::string& name, Change change) {
        Transaction transaction = database.begin_write();
        WritableTree tree = transaction.tree(name);
        std::string key, value;
        for (const KeyValue entry : tree.all()) {
            key = entry.key;
            value = entry.value;
            break;
        }
        change(tree, key, value);
        transaction.commit();
    }
    bool complains(const std::string& words) {
        const std::vector<Problem> problems = verify_sql(database);
        for (const Problem& problem : problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
        return std::any_of(problems.begin(), problems.end(), [&](const Problem& problem) {
            return problem.what.find(words) != std::string::npos;
        });
    }
};

}  // namespace sql_verify_test
using namespace sql_verify_test;

TEST_CASE("verify_sql finds nothing wrong where nothing is", "[sql]") {
    Place place;
    const std::vector<Problem> problems = verify_sql(place.database);
    for (const Problem& problem : problems) INFO(problem.where << ": " << problem.what);
    CHECK(problems.empty());
    Database empty = Database::open(":memory:");
    CHECK(verify_sql(empty).empty());
}

TEST_CASE("verify_sql misses an index entry", "[sql]") {
    for (const char* const name : {"emp_dept_name_key", "emp_lower", "emp_rich", "plain_b"}) {
        Place place;
        INFO(name);
        place.damage(place.index(name), [](WritableTree& tree, const std::string& key, const std::string&) {
            tree.erase(key);
        });
        CHECK(place.complains("has no entry for the row"));
    }
}

TEST_CASE("verify_sql sees an index entry without a row", "[sql]") {
    Place place;
    place.damage(place.rows_of("plain"), [](WritableTree& tree, const std::string& key, const std::string&) {
        tree.erase(key);
    });
    CHECK(place.complains("has an entry for a row that is not there"));
}

TEST_CASE("verify_sql sees an index entry that no row asks for", "[sql]") {
    Place place;
    place.damage(place.index("emp_lower"), [](WritableTree& tree, const std::string&, const std::string& value) {
        tree.put("no such key", value);
    });
    CHECK(place.complains("has an entry that the row does not ask for"));
}

TEST_CASE("verify_sql sees an index entry that leads astray", "[sql]") {
    Place place;
    place.damage(place.index("dept_name_key"), [](WritableTree& tree, const std::string& key, const std::string&) {
        tree.put(key, "another row");
    });
    CHECK(place.complains("leads to another row"));
}

TEST_CASE("verify_sql sees a row that refers to nothing", "[sql]") {
    Place place;
    place.damage(place.rows_of("dept"), [](WritableTree& tree, const std::string& key, const std::string&) {
        tree.erase(key);
    });
    CHECK(place.complains("foreign key \"emp_dept_fkey\" refers to a row of \"dept\" that is not there"));
}

TEST_CASE("verify_sql sees rows under a wrong key, and bytes that are no row", "[sql]") {
    Place place;
    place.damage(place.rows_of("emp"), [](WritableTree& tree, const std::string& key, const std::string& value) {
        tree.put(key + "x", value);
        tree.put("zzzz", "no row");
    });
    CHECK(place.complains("another key than its primary key"));
    CHECK(place.complains("the row cannot be read"));
}

TEST_CASE("verify_sql works on a file that is only read, and lists no more than it must", "[sql]") {
    const char* const folder = std::getenv("TMPDIR");
    const std::string path = std::string(folder == nullptr ? "/tmp" : folder) + "/northstar-sql-verify-" +
                             std::to_string(static_cast<long>(::getpid())) + ".db";
    {
        Database database = Database::open(path);
        SqlConnection(database).execute_script("CREATE TABLE t (a int UNIQUE);"
                                               "INSERT INTO t SELECT g FROM generate_series(1, 100) g");
        std::string tree;
        for (const std::string& name : database.begin_read().tree_names())
            if (name.rfind("sql.index.", 0) == 0) tree = name;
        Transaction transaction = database.begin_write();
        REQUIRE(transaction.drop_tree(tree));
        transaction.commit();
    }
    {
        Options options;
        options.read_only = true;
        options.create = false;
        Database database = Database::open(path, options);
        const std::vector<Problem> problems = verify_sql(database);
        CHECK(problems.size() > 1);
        CHECK(problems.size() < 30);
        CHECK(problems.back().what.find("further problems") != std::string::npos);
    }
    std::remove(path.c_str());
    std::remove((path + "-shared").c_str());
}
