// pg_catalog and information_schema: what tools ask of them is answered, and the answers fit the objects.
#include "northstar.hpp"
#include "skip.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Rows = std::vector<std::vector<northstar::SqlValue>>;

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() {
        sql.execute_script(
            "CREATE TYPE mood AS ENUM ('sad', 'happy');"
            "CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
            "CREATE TABLE owner (id serial PRIMARY KEY, name varchar(40) NOT NULL UNIQUE, state mood DEFAULT 'sad');"
            "CREATE TABLE item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner_id int REFERENCES owner "
            "ON DELETE CASCADE, price numeric(10,2) CHECK (price >= 0), weight positive, tags text[]);"
            "CREATE INDEX item_price ON item (price DESC, lower(tags[1])) WHERE price > 10;"
            "CREATE VIEW cheap AS SELECT id, price FROM item WHERE price < 5;"
            "COMMENT ON TABLE item IS 'what is sold'; COMMENT ON COLUMN item.price IS 'in euro';");
    }
    Rows rows(const std::string& text) { return sql.execute(text).rows; }
    std::string one(const std::string& text) {
        const Rows found = rows(text);
        return found.size() == 1 && found[0][0] ? *found[0][0] : "(no value)";
    }
};

/// The catalog probes of a file of recorded statements: those before its heading "2.".
std::vector<std::string> recorded(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> statements;
    std::string text;
    const auto flush = [&] {
        if (text.find_first_not_of(" \n;") != std::string::npos) statements.push_back(text);
        text.clear();
    };
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("-- ======== 2", 0) == 0) break;
        if (line.rfind("-- [", 0) == 0 || line.rfind("-- =", 0) == 0) flush();
        else text += line + "\n";
    }
    flush();
    if (!statements.empty()) statements.erase(statements.begin());  // the remarks at the head of the file
    return statements;
}

std::size_t parameters_of(const std::string& statement) {
    std::size_t most = 0;
    for (std::size_t i = 0; i + 1 < statement.size(); ++i)
        if (statement[i] == '$' && statement[i + 1] >= '1' && statement[i + 1] <= '9')
            most = std::max<std::size_t>(most, static_cast<std::size_t>(std::atoi(statement.c_str() + i + 1)));
    return most;
}

}  // namespace

// Found by statements out of a grammar: the default was nextval('N 4_a_seq'), which names another sequence.
TEST_CASE("a serial column is filled whatever its table and schema are called", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE \"N 4\" (\"A b\" serial, c int); INSERT INTO \"N 4\" (c) VALUES (7);"
                         "CREATE SCHEMA aside; CREATE TABLE aside.t (a serial, c int);"
                         "INSERT INTO aside.t (c) VALUES (8)");
    CHECK(f.one("SELECT \"A b\" FROM \"N 4\"") == "1");
    CHECK(f.one("SELECT a FROM aside.t") == "1");
}

TEST_CASE("pg_class and pg_attribute show tables, columns and their types", "[sql]") {
    Fixture f;
    CHECK(f.rows("SELECT relname, relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
                 "n.nspname = 'public' AND relkind IN ('r', 'v', 'S') ORDER BY relname") ==
          Rows{{"cheap", "v"}, {"item", "r"}, {"item_id_seq", "S"}, {"owner", "r"}, {"owner_id_seq", "S"}});
    CHECK(f.rows("SELECT attname, format_type(atttypid, atttypmod), attnotnull, attidentity FROM pg_attribute WHERE "
                 "attrelid = 'item'::regclass AND attnum > 0 ORDER BY attnum") ==
          Rows{{"id", "bigint", "t", "a"}, {"owner_id", "integer", "f", ""}, {"price", "numeric(10,2)", "f", ""},
               {"weight", "positive", "f", ""}, {"tags", "text[]", "f", ""}});
}

TEST_CASE("objects are described in SQL", "[sql]") {
    Fixture f;
    CHECK(f.one("SELECT pg_get_indexdef('item_price'::regclass)") ==
          "CREATE INDEX item_price ON public.item USING btree (price DESC, lower(tags[1])) WHERE (price > 10)");
    CHECK(f.rows("SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = "
                 "'item'::regclass ORDER BY 1") ==
          Rows{{"item_owner_id_fkey", "f", "FOREIGN KEY (owner_id) REFERENCES owner(id) ON DELETE CASCADE"},
               {"item_pkey", "p", "PRIMARY KEY (id)"},
               {"item_price_check", "c", "CHECK ((price >= 0))"}});
    CHECK(f.one("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'owner'::regclass AND adnum = 1") ==
          "nextval('owner_id_seq'::regclass)");
    CHECK(f.one("SELECT pg_get_serial_sequence('owner', 'id')") == "public.owner_id_seq");
    CHECK(f.one("SELECT obj_description('item'::regclass, 'pg_class')") == "what is sold");
    CHECK(f.one("SELECT col_description('item'::regclass, 3)") == "in euro");
    CHECK(f.one("SELECT 'item'::regclass::oid::regclass::text") == "item");
    CHECK(f.one("SELECT to_regclass('nothing') IS NULL") == "t");
}

TEST_CASE("keys of an index are counted as PostgreSQL counts them", "[sql]") {
    Fixture f;
    CHECK(f.rows("SELECT indkey, indoption, indisunique, indkey[0] FROM pg_index WHERE indexrelid = "
                 "'item_price'::regclass") == Rows{{"3 0", "3 0", "f", "3"}});
    CHECK(f.rows("SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = "
                 "ANY(i.indkey) WHERE i.indrelid = 'item'::regclass AND i.indisprimary") == Rows{{"id"}});
}

TEST_CASE("information_schema describes columns and constraints", "[sql]") {
    Fixture f;
    CHECK(f.rows("SELECT column_name, data_type, udt_name, numeric_precision, is_nullable, is_identity FROM "
                 "information_schema.columns WHERE table_name = 'item' ORDER BY ordinal_position") ==
          Rows{{"id", "bigint", "int8", "64", "NO", "YES"}, {"owner_id", "integer", "int4", "32", "YES", "NO"},
               {"price", "numeric", "numeric", "10", "YES", "NO"},
               {"weight", "integer", "int4", "32", "YES", "NO"},
               {"tags", "ARRAY", "_text", std::nullopt, "YES", "NO"}});
    CHECK(f.rows("SELECT constraint_name, column_name FROM information_schema.key_column_usage WHERE table_name = "
                 "'item' ORDER BY 1") == Rows{{"item_owner_id_fkey", "owner_id"}, {"item_pkey", "id"}});
    CHECK(f.one("SELECT delete_rule FROM information_schema.referential_constraints") == "CASCADE");
    CHECK(f.one("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == "3");
}

TEST_CASE("numbers of objects do not change", "[sql]") {
    Fixture f;
    const std::string before = f.one("SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_constraint");
    const std::string schema = f.one("SELECT oid FROM pg_namespace WHERE nspname = 'public'");
    northstar::SqlConnection other(f.database);
    CHECK(*other.execute("SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_constraint").rows[0][0] == before);
    CHECK(schema == "2200");
    CHECK(f.one("SELECT 'int4'::regtype::oid") == "23");
}

TEST_CASE("a catalog of the past shows the objects of the past", "[sql]") {
    Fixture f;
    const std::string txn = f.one("SELECT max(txn) FROM sys.commits");
    f.sql.execute("DROP TABLE item CASCADE");
    CHECK(f.one("SELECT count(*) FROM pg_class WHERE relname = 'item'") == "0");
    CHECK(f.one("SELECT count(*) FROM pg_class WHERE relname = 'item' AS OF " + txn) == "1");
}

TEST_CASE("statements that clients send to the catalog are answered", "[sql]") {
    const std::string folder = "../shared/clients/probes";
    if (!std::filesystem::exists(folder)) NORTHSTAR_SKIP(folder + " is not here");
    Fixture f;
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".sql") files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    std::size_t answered = 0;
    for (const std::string& file : files) {
        for (const std::string& statement : recorded(file)) {
            std::string failed;
            try {
                f.sql.execute(statement, std::vector<northstar::SqlValue>(parameters_of(statement)));
                ++answered;
            } catch (const northstar::SqlFailure& failure) {
                // The recorded statements name tables of their own programs.
                if (failure.sqlstate != "42P01") failed = failure.sqlstate + ": " + failure.what();
                else if (std::string(failure.what()).find("pg_") != std::string::npos) failed = failure.what();
            }
            INFO(file << "\n" << statement);
            CHECK(failed == "");
        }
    }
    CHECK(answered > 100);
}

TEST_CASE("what refuses a row of a partitioned table is called as in the partition", "[sql]") {
    Fixture f;
    f.sql.execute_script(
        "CREATE TABLE p (a int, b int, PRIMARY KEY (a), UNIQUE (a, b)) PARTITION BY RANGE (a);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY LIST (a);"
        "CREATE TABLE p2x PARTITION OF p2 FOR VALUES IN (15);"
        "CREATE UNIQUE INDEX own ON p1 (b);"
        "INSERT INTO p VALUES (1, 1), (15, 15);");
    const auto refused_by = [&](const char* statement) {
        try {
            f.sql.execute(statement);
        } catch (const northstar::SqlFailure& failure) {
            return failure.table + "." + failure.constraint;
        }
        return std::string("nothing");
    };
    CHECK(refused_by("INSERT INTO p VALUES (1, 2)") == "p1.p1_pkey");
    CHECK(refused_by("INSERT INTO p2 VALUES (15, 2)") == "p2x.p2x_pkey");
    CHECK(refused_by("INSERT INTO p VALUES (2, 1)") == "p1.own");
    f.sql.execute("ALTER TABLE p1 RENAME CONSTRAINT p1_pkey TO first");
    CHECK(refused_by("UPDATE p SET a = 1 WHERE a = 15") == "p1.first");
    CHECK(northstar::verify_sql(f.database).empty());
}
