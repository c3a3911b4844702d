// synchronous_commit: which commits of a session wait for stable storage.

#include "northstar.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

northstar::Options quiet() {
    northstar::Options options;
    options.background = false;
    return options;
}

}  // namespace

TEST_CASE("commits wait for stable storage unless synchronous_commit is off", "[sql]") {
    const northstar::test::TemporaryDirectory folder;
    northstar::Database db = northstar::Database::open(folder / "a.db", quiet());
    northstar::SqlConnection sql(db);
    const auto waited = [&](const std::string& statement) {
        sql.execute(statement);
        return db.statistics().durable_txn == db.statistics().txn;
    };
    CHECK(waited("CREATE TABLE t (a int)"));
    sql.execute("SET synchronous_commit = off");
    CHECK_FALSE(waited("INSERT INTO t VALUES (1)"));
    CHECK_FALSE(waited("CREATE TABLE u (a int)"));
    sql.execute("SET synchronous_commit = remote_apply");
    CHECK(waited("INSERT INTO t VALUES (2)"));
}

TEST_CASE("one transaction may be lazy by itself", "[sql]") {
    const northstar::test::TemporaryDirectory folder;
    northstar::Database db = northstar::Database::open(folder / "a.db", quiet());
    northstar::SqlConnection sql(db);
    const auto durable = [&] { return db.statistics().durable_txn == db.statistics().txn; };
    sql.execute("CREATE TABLE t (a int)");
    for (const char* statement : {"BEGIN", "SET LOCAL synchronous_commit = off", "INSERT INTO t VALUES (1)", "COMMIT"})
        sql.execute(statement);
    CHECK_FALSE(durable());
    sql.execute("INSERT INTO t VALUES (2)");
    CHECK(durable());
}
