// What a session does through a handle that was opened for reading only.
#include "northstar.hpp"
#include "os_support.hpp"
#include "peer.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace northstar;

TEST_CASE("a session of a handle for reading has settings, prepared statements and plans", "[sql][SWARM-8]") {
    const test::TemporaryDirectory folder;
    {
        Database db = Database::open(folder / "a.db");
        SqlConnection writes(db);
        writes.execute("CREATE TABLE t (a int PRIMARY KEY)");
        writes.execute("INSERT INTO t VALUES (1), (2), (3)");
    }
    Options options;
    options.read_only = true;
    Database db = Database::open(folder / "a.db", options);
    SqlConnection sql(db);
    const auto answer = [&](const std::string& statement) {
        const SqlResult result = sql.execute(statement);
        return result.rows.empty() ? result.tag : result.rows[0][0].value_or("NULL");
    };
    CHECK(answer("SET work_mem = '64kB'") == "SET");
    CHECK(answer("SHOW work_mem") == "64kB");
    CHECK(answer("RESET work_mem") == "RESET");
    CHECK(answer("SET northstar.as_of = '1'") == "SET");
    CHECK(answer("SELECT count(*) FROM t") == "0");
    CHECK(answer("RESET northstar.as_of") == "RESET");
    CHECK(answer("PREPARE q AS SELECT count(*) FROM t WHERE a > $1") == "PREPARE");
    CHECK(answer("EXECUTE q (1)") == "2");
    CHECK(answer("EXPLAIN (COSTS OFF) EXECUTE q (1)").find("Aggregate") != std::string::npos);
    CHECK(answer("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT a FROM t").find("rows=3") !=
          std::string::npos);
    CHECK(answer("DEALLOCATE q") == "DEALLOCATE");
    for (const char* refused : {"INSERT INTO t VALUES (4)", "PREPARE w AS INSERT INTO t VALUES (4); EXECUTE w",
                                "EXPLAIN ANALYZE DELETE FROM t", "CREATE TABLE u (a int)", "ANALYZE t"}) {
        CAPTURE(refused);
        CHECK(test::code_of([&] { sql.execute_script(refused); }) == Errc::read_only);
    }
    CHECK(answer("SELECT count(*) FROM t") == "3");
}

TEST_CASE("a session of a handle for reading has blocks, cursors and COPY TO", "[sql][SWARM-8]") {
    const test::TemporaryDirectory folder;
    txn_test::Peer writer(folder / "a.db");
    SqlConnection writes(writer.db);
    writes.execute_script("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3); CREATE SEQUENCE q");
    Options options;
    options.read_only = true;
    txn_test::Peer reader(folder / "a.db", options);
    SqlConnection sql(reader.db);
    const auto answer = [&](const std::string& statement) {
        const SqlResult result = sql.execute(statement);
        return result.rows.empty() ? result.tag : result.rows[0][0].value_or("NULL");
    };
    const auto sqlstate = [&](const std::string& script) -> std::string {
        try {
            sql.execute_script(script);
            return "";
        } catch (const SqlFailure& failure) {
            return failure.sqlstate;
        }
    };
    CHECK(answer("SHOW transaction_read_only") == "on");
    CHECK(answer("BEGIN") == "BEGIN");
    CHECK(answer("SHOW transaction_read_only") == "on");
    CHECK(answer("SELECT count(*) FROM t") == "3");
    writes.execute("INSERT INTO t VALUES (4)");
    CHECK(answer("SELECT count(*) FROM t") == "4");
    CHECK(answer("DECLARE c SCROLL CURSOR FOR SELECT a FROM t ORDER BY a") == "DECLARE CURSOR");
    writes.execute("INSERT INTO t VALUES (5)");
    CHECK(answer("FETCH LAST FROM c") == "4");
    CHECK(answer("SAVEPOINT s") == "SAVEPOINT");
    CHECK(sqlstate("SELECT 1 / 0") == "22012");
    CHECK(sqlstate("SELECT 1") == "25P02");
    CHECK(answer("ROLLBACK TO s") == "ROLLBACK");
    CHECK(answer("SELECT count(*) FROM t") == "5");
    CHECK(answer("COMMIT") == "COMMIT");

    CHECK(answer("BEGIN ISOLATION LEVEL REPEATABLE READ") == "BEGIN");
    CHECK(answer("SELECT count(*) FROM t") == "5");
    writes.execute("CREATE TABLE u (a int)");
    writes.execute("INSERT INTO t VALUES (6)");
    CHECK(answer("SELECT count(*) FROM t") == "5");
    CHECK(answer("SELECT to_regclass('u')") == "NULL");
    CHECK(answer("ROLLBACK") == "ROLLBACK");
    CHECK(answer("SELECT to_regclass('u')") == "u");
    CHECK(sql.execute_script("SELECT count(*) FROM t; SELECT max(a) FROM t").at(1).rows.at(0).at(0) == "6");

    const std::string file = folder / "t.csv";
    CHECK(answer("COPY t TO '" + file + "' WITH (FORMAT csv)") == "COPY 6");
    CHECK(answer("EXPLAIN (COSTS OFF) DELETE FROM t").find("Delete") != std::string::npos);
    {
        // With what COPY and cursors read at one state.
        SqlPortal portal = sql.open_portal("SELECT a FROM t ORDER BY a");
        CHECK(portal.fetch(2).size() == 2);
        writes.execute("DELETE FROM t WHERE a = 6");
        CHECK(portal.fetch(0).size() == 4);
    }
    for (const char* refused :
         {"BEGIN; INSERT INTO t VALUES (9)", "SELECT nextval('q')", "SELECT a INTO v FROM t", "VACUUM", "NOTIFY jobs",
          "SELECT a FROM t FOR UPDATE", "COPY t FROM '/dev/null'", "CREATE TEMPORARY TABLE v (a int)",
          "EXPLAIN ANALYZE DELETE FROM t", "WITH d AS (DELETE FROM t RETURNING a) SELECT a FROM d",
          "BEGIN; SAVEPOINT s; DROP TABLE t", "BEGIN; DECLARE c CURSOR FOR SELECT a FROM t FOR SHARE"}) {
        CAPTURE(refused);
        CHECK(sqlstate(refused) == "25006");
        if (sql.in_transaction()) sql.execute("ROLLBACK");
    }
    CHECK(sqlstate("BEGIN READ WRITE") == "0A000");
    if (sql.in_transaction()) sql.execute("ROLLBACK");
    CHECK(answer("SELECT count(*) FROM t") == "5");
}
