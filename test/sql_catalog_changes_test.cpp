// [CAT-4] A session that follows changes of definitions, its own and those of others, knows what one knows that reads
// all of them anew.
#include "base/random.hpp"
#include "northstar.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::uint64_t k_seed = 20241130;

/// What the catalog says of everything, as text, and rows that it has to do with.
std::string picture(northstar::SqlConnection& sql) {
    std::string out;
    const auto add = [&](const std::string& query) {
        for (const auto& row : sql.execute(query).rows) {
            for (const auto& value : row) out += (value ? *value : "null") + "|";
            out += "\n";
        }
    };
    add("SELECT c.oid, relnamespace::regnamespace, relname, relkind, reltype::regtype, relhassubclass FROM pg_class c "
        "WHERE relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema') ORDER BY 1");
    add("SELECT attrelid::regclass, attname, atttypid::regtype, attnum, attisdropped, attinhcount FROM pg_attribute "
        "WHERE attrelid >= 16384 AND attnum > 0 ORDER BY attrelid, attnum");
    add("SELECT oid, typname, typnamespace::regnamespace, typtype, typelem::regtype FROM pg_type WHERE oid >= 16384 "
        "ORDER BY 1");
    add("SELECT conname, conrelid::regclass, confrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint "
        "ORDER BY conname, conrelid");
    add("SELECT enumtypid::regtype, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder");
    add("SELECT inhrelid::regclass, inhparent::regclass FROM pg_inherits ORDER BY 1, 2");
    add("SELECT indexrelid::regclass, indrelid::regclass FROM pg_index ORDER BY indexrelid");
    add("SELECT nspname FROM pg_namespace ORDER BY oid");
    const auto tables = sql.execute("SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r' AND "
                                    "relnamespace::regnamespace::text LIKE 's%' ORDER BY c.oid").rows;
    for (const auto& table : tables) add("SELECT t::text FROM " + *table[0] + " t ORDER BY 1");
    return out;
}

/// In a copy nobody has known anything yet.
std::string picture_of_copy(northstar::Database& database) {
    const northstar::test::TemporaryDirectory folder;
    database.backup(folder / "copy.db");
    northstar::Database copy = northstar::Database::open(folder / "copy.db");
    northstar::SqlConnection sql(copy);
    return picture(sql);
}

/// Statements that change definitions; many fail, which is right.
class Changes {
public:
    explicit Changes(std::uint64_t seed) : random_{seed} {}

    std::string next() {
        switch (below(19)) {
            case 0: case 1: case 2:
                return "CREATE TABLE " + table() + " (a int PRIMARY KEY, b text UNIQUE, c int" + reference() + ")";
            case 3: return "CREATE TABLE " + table() + " (d " + type() + ") INHERITS (" + table() + ")";
            case 4: return "DROP TABLE " + table() + " CASCADE";
            case 5: return "ALTER TABLE " + table() + " RENAME TO t" + number();
            case 6: return "ALTER TABLE " + table() + " SET SCHEMA s" + std::to_string(below(2));
            case 7: return "INSERT INTO " + table() + " (a) VALUES (" + std::to_string(below(50)) + ")";
            case 8:
                return "ALTER TABLE " + table() + " ADD COLUMN v" + number() + " " + type() + " DEFAULT '" + label() +
                       "'";
            case 9: return "ALTER TABLE " + table() + " DROP COLUMN v" + number();
            case 10: return "CREATE TYPE " + type() + " AS ENUM ('la', 'lb')";
            case 11: return "ALTER TYPE " + type() + " RENAME VALUE '" + label() + "' TO '" + label() + "'";
            case 12: return "ALTER TYPE " + type() + " ADD VALUE '" + label() + "' BEFORE '" + label() + "'";
            case 13: return "DROP TYPE " + type() + " CASCADE";
            case 14: return "ALTER TYPE " + type() + " RENAME TO e" + number();
            case 15: return "CREATE INDEX i" + number() + " ON " + table() + " (c)";
            case 16: return "ANALYZE " + table();
            case 17: return "CREATE VIEW " + table() + " AS SELECT a, c FROM " + table();
            default: return below(3) == 0 ? "DROP SCHEMA s1 CASCADE" : "CREATE SCHEMA s1";
        }
    }
    std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

private:
    std::string number() { return std::to_string(below(8)); }
    std::string table() { return "s" + std::to_string(below(2)) + ".t" + number(); }
    std::string type() { return "s" + std::to_string(below(2)) + ".e" + std::to_string(below(3)); }
    std::string label() { return "l" + std::string(1, static_cast<char>('a' + below(4))); }
    std::string reference() { return below(2) == 0 ? "" : " REFERENCES " + table(); }
    northstar::detail::Random random_;
};

}  // namespace

TEST_CASE("a catalog that follows changes is the one that is read anew", "[sql]") {
    INFO("seed " << k_seed);
    Changes changes(k_seed);
    const northstar::test::TemporaryDirectory folder;
    northstar::Database database = northstar::Database::open(folder / "a.db");
    northstar::SqlConnection first(database), second(database);
    for (northstar::SqlConnection* const sql : {&first, &second}) sql->execute("SET synchronous_commit = off");
    first.execute("CREATE SCHEMA s0");
    int done = 0;
    for (int step = 0; step < 1500; ++step) {
        northstar::SqlConnection& chosen = changes.below(3) == 0 ? second : first;
        const std::string statement = changes.next();
        INFO("step " << step << ": " << statement);
        try {
            if (changes.below(8) == 0) {
                chosen.execute("BEGIN");
                chosen.execute(statement);
                chosen.execute(changes.below(2) == 0 ? "ROLLBACK" : "COMMIT");
            } else {
                chosen.execute(statement);
            }
            ++done;
        } catch (const northstar::SqlFailure&) {
            if (chosen.in_transaction()) chosen.execute("ROLLBACK");
        }
        if (step % 25 != 0) continue;
        const std::string expected = picture_of_copy(database);
        REQUIRE(picture(first) == expected);
        REQUIRE(picture(second) == expected);
    }
    CHECK(done > 300);
}

TEST_CASE("sessions of several threads share what they know of the catalog", "[sql]") {
    INFO("seed " << k_seed);
    const northstar::test::TemporaryDirectory folder;
    northstar::Database database = northstar::Database::open(folder / "a.db");
    northstar::SqlConnection(database).execute("CREATE SCHEMA s0");
    std::vector<std::thread> threads;
    for (std::uint64_t number = 0; number < 4; ++number)
        threads.emplace_back([&database, number] {
            Changes changes(k_seed + number);
            for (int round = 0; round < 25; ++round) {
                northstar::SqlConnection sql(database);
                sql.execute("SET synchronous_commit = off");
                for (int step = 0; step < 4; ++step) {
                    try {
                        sql.execute(changes.next());
                    } catch (const northstar::SqlFailure&) {
                        continue;  // most changes of what is not there
                    }
                }
            }
        });
    northstar::SqlConnection watching(database);
    for (int look = 0; look < 20; ++look) {
        watching.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
        picture(watching);
        watching.execute("COMMIT");
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(picture(watching) == picture_of_copy(database));
}

TEST_CASE("temporary objects are followed beside those that others change", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection own(database), other(database);
    own.execute_script("CREATE TEMP TABLE t (a int PRIMARY KEY); CREATE TYPE pg_temp.e AS ENUM ('x');"
                       "INSERT INTO t VALUES (1)");
    other.execute_script("CREATE TABLE t (b text); CREATE TYPE e AS ENUM ('y')");
    CHECK(own.execute("SELECT a FROM t").rows.size() == 1);
    CHECK(own.execute("SELECT 'x'::pg_temp.e").rows.size() == 1);
    CHECK(other.execute("SELECT b FROM t").rows.empty());
    own.execute_script("DROP TABLE t; DROP TYPE pg_temp.e");
    CHECK(own.execute("SELECT b FROM t").rows.empty());
    CHECK_THROWS_AS(own.execute("SELECT 'x'::pg_temp.e"), northstar::SqlFailure);
    CHECK(own.execute("SELECT 'y'::e").rows.size() == 1);
}

TEST_CASE("a table of a past state is found when it is no more", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    sql.execute_script("CREATE TYPE e AS ENUM ('x'); CREATE TABLE t (a e); INSERT INTO t VALUES ('x')");
    const std::string then = *sql.execute("SELECT max(txn) FROM sys.commits").rows[0][0];
    sql.execute_script("DROP TABLE t; DROP TYPE e; CREATE TABLE t (b int); CREATE TEMP TABLE u (c int)");
    CHECK(*sql.execute("SELECT a FROM t AS OF " + then).rows[0][0] == "x");
    CHECK(sql.execute("SELECT b FROM t").rows.empty());
    CHECK(sql.execute("SELECT c FROM u").rows.empty());
}
