// ERASE: which bytes of erased rows are left in the closed file and beside it. What is left is what spec/sql_time.md
// says.
#include "northstar.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

namespace {

/// A database in a folder of its own, closed and searched.
struct Fixture {
    northstar::test::TemporaryDirectory folder;
    const std::string path = folder / "people.db";

    /// Runs SQL on an open handle, closes it.
    void run(const std::function<void(northstar::Database&, northstar::SqlConnection&)>& body) const {
        northstar::Database database = northstar::Database::open(path);
        northstar::SqlConnection sql(database);
        body(database, sql);
    }
    /// In the database or a file beside it.
    bool is_left(const std::string& bytes) const {
        for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
            if (content.find(bytes) != std::string::npos) return true;
        }
        return false;
    }
};

const char* const k_create =
    "CREATE TABLE person (name text PRIMARY KEY, email text UNIQUE, city text, story text);"
    "CREATE INDEX ON person (upper(city));"
    "INSERT INTO person VALUES ('Secretname', 'secret@mail', 'secretcity', 'first secret story'),"
    "                          ('Keptname', 'kept@mail', 'keptcity', 'kept story')";

}  // namespace

TEST_CASE("no version of an erased row's values is left in the closed file or beside it", "[sql]") {
    const Fixture f;
    f.run([](northstar::Database& database, northstar::SqlConnection& sql) {
        sql.execute_script(k_create);
        sql.execute("UPDATE person SET story = 'second secret story' WHERE name = 'Secretname'");
        database.checkpoint();
        sql.execute("UPDATE person SET story = 'third secret story', email = 'other@mail' WHERE name = 'Secretname'");
    });
    REQUIRE(f.is_left("first secret story"));
    f.run([](northstar::Database& database, northstar::SqlConnection& sql) {
        CHECK(sql.execute("ERASE FROM person WHERE name = 'Secretname'").tag == "ERASE 1");
        CHECK(database.verify().ok());
        CHECK(northstar::verify_sql(database).empty());
    });
    for (const char* const version : {"first", "second", "third"})
        CHECK_FALSE(f.is_left(std::string(version) + " secret story"));
    CHECK(f.is_left("kept story"));
    // Neither as a value of the row, nor as the row's key in the value of an index entry.
    CHECK_FALSE(f.is_left("secretcity"));
}

TEST_CASE("erased keys stay in the log as keys, and the warning names what they were made of", "[sql]") {
    const Fixture f;
    f.run([](northstar::Database& database, northstar::SqlConnection& sql) {
        sql.execute_script(k_create);
        const northstar::SqlResult erased = sql.execute("ERASE FROM person WHERE name = 'Secretname'");
        REQUIRE(erased.notices.size() == 1);
        CHECK(erased.notices[0] == "values of keys and indexes stay in the log: name, email, upper(city)");
        database.checkpoint();
    });
    CHECK(f.is_left("Secretname"));
    CHECK(f.is_left("secret@mail"));
    CHECK(f.is_left("SECRETCITY"));
}

TEST_CASE("rows that a foreign key deletes along with an erased one are erased as well", "[sql]") {
    const Fixture f;
    f.run([](northstar::Database&, northstar::SqlConnection& sql) {
        sql.execute_script("CREATE TABLE person (id int PRIMARY KEY);"
                           "CREATE TABLE note (id int PRIMARY KEY, owner int REFERENCES person ON DELETE CASCADE,"
                           "                   t text);"
                           "INSERT INTO person VALUES (1), (2);"
                           "INSERT INTO note VALUES (1, 1, 'a secret note'), (2, 2, 'a kept note');"
                           "UPDATE note SET t = 'another secret note' WHERE id = 1");
        CHECK(sql.execute("ERASE FROM person WHERE id = 1").tag == "ERASE 1");
    });
    CHECK_FALSE(f.is_left("a secret note"));
    CHECK_FALSE(f.is_left("another secret note"));
    CHECK(f.is_left("a kept note"));
}

TEST_CASE("rows of tables that inherit are erased with those of the table that is named", "[sql]") {
    const Fixture f;
    f.run([](northstar::Database&, northstar::SqlConnection& sql) {
        sql.execute_script("CREATE TABLE person (id int, story text); CREATE TABLE pupil () INHERITS (person);"
                           "INSERT INTO person VALUES (1, 'a secret story');"
                           "INSERT INTO pupil VALUES (1, 'a pupil story')");
        CHECK(sql.execute("ERASE FROM person WHERE id = 1").tag == "ERASE 2");
    });
    CHECK_FALSE(f.is_left("a secret story"));
    CHECK_FALSE(f.is_left("a pupil story"));
}

TEST_CASE("versions that lay under another primary key stay, until the row is erased under that key", "[sql]") {
    const Fixture f;
    f.run([](northstar::Database&, northstar::SqlConnection& sql) {
        sql.execute_script("CREATE TABLE person (id int PRIMARY KEY, story text);"
                           "INSERT INTO person VALUES (1, 'an old secret story')");
        sql.execute("UPDATE person SET id = 2, story = 'a new secret story'");
        sql.execute("ERASE FROM person WHERE id = 2");
    });
    CHECK_FALSE(f.is_left("a new secret story"));
    CHECK(f.is_left("an old secret story"));
    f.run([](northstar::Database&, northstar::SqlConnection& sql) {
        sql.execute("INSERT INTO person VALUES (1, '')");
        sql.execute("ERASE FROM person WHERE id = 1");
    });
    CHECK_FALSE(f.is_left("an old secret story"));
}

TEST_CASE("the statements that sys.commits keeps have none of the erased values", "[sql]") {
    const Fixture f;
    f.run([](northstar::Database&, northstar::SqlConnection& sql) {
        sql.execute_script("CREATE TABLE person (id int, story text); INSERT INTO person VALUES (1, 'a secret story')");
        CHECK(sql.execute("ERASE FROM person WHERE story = 'a secret story' REASON 'asked'").tag == "ERASE 1");
        CHECK(sql.execute("SELECT count(*) FROM sys.commits WHERE reason = 'asked'").rows[0][0] != "0");
    });
    CHECK_FALSE(f.is_left("a secret story"));
}
