// What a session does through a handle that was opened for reading only.
#include "northstar.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace northstar;

TEST_CASE("a session of a handle for reading has settings, prepared statements and plans", "[sql][SWARM-8]") {
    const test::TemporaryDirectory folder;
    {
        Database db = Database::open(folder / "a.db");
        SqlConnection(db).execute_script("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)");
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
