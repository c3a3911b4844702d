// Several statements in one text: what they are together beside other sessions, and how their answers come.
// What of it is PostgreSQL's is in test/slt/own/scripts_as_one_transaction.test.
#include "northstar.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace northstar;

namespace {

/// Notes what it is told; may fail at the end of a statement.
class NotingSink final : public SqlScriptSink {
public:
    void begin(const std::vector<SqlColumn>& columns) override { heard += "(" + columns.at(0).name + ") "; }
    void row(std::vector<SqlValue> values) override {
        ++rows;
        if (rows <= 3) heard += values.at(0).value_or("NULL") + " ";
    }
    void end(const std::string& tag, Txn txn) override {
        heard += tag + (txn != 0 ? "! " : ", ");
        if (tag == fails_at) throw std::string("enough");
    }
    std::string heard, fails_at;
    std::size_t rows = 0;
};

std::string one(SqlConnection& sql, const std::string& statement) {
    return sql.execute(statement).rows.at(0).at(0).value_or("NULL");
}

std::string sqlstate_of(SqlConnection& sql, const std::string& script) {
    try {
        sql.simple_query(script);
        return "";
    } catch (const SqlFailure& failure) {
        return failure.sqlstate;
    }
}

}  // namespace

TEST_CASE("answers of a script come as they arise, and the commit with the last one", "[sql][SCRIPT-1]") {
    Database db = Database::open(":memory:");
    SqlConnection sql(db);
    NotingSink sink;
    sql.simple_query("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2) RETURNING a; SELECT count(*) FROM t",
                       sink);
    CHECK(sink.heard == "CREATE TABLE, (a) 1 2 INSERT 0 2, (count) 2 SELECT 1! ");
    CHECK_FALSE(sql.in_transaction());

    NotingSink failed;
    CHECK_THROWS_AS(sql.simple_query("DELETE FROM t; SELECT a, 1 / (a - 2) FROM t UNION ALL SELECT 7, 1 / 0", failed),
                    SqlFailure);
    CHECK(failed.heard.starts_with("DELETE 2, "));
    CHECK(one(sql, "SELECT count(*) FROM t") == "2");

    // More rows than are computed at once.
    NotingSink many;
    sql.simple_query("SELECT i FROM generate_series(1, 1000) i; SELECT 'x'", many);
    CHECK(many.rows == 1001);
    CHECK(many.heard == "(i) 1 2 3 SELECT 1000, (?column?) SELECT 1, ");
    NotingSink nothing;
    sql.simple_query(" ; ; -- nothing\n", nothing);
    CHECK(nothing.heard.empty());
}

TEST_CASE("rows of a script that come as they arise have all of their columns", "[sql][SCRIPT-1]") {
    struct KeepingSink final : SqlScriptSink {
        void begin(const std::vector<SqlColumn>&) override {}
        void row(std::vector<SqlValue> values) override {
            std::string text;
            for (const SqlValue& value : values) text += value.value_or("NULL") + "|";
            rows.push_back(std::move(text));
        }
        void end(const std::string&, Txn) override {}
        std::vector<std::string> rows;
    } sink;
    Database db = Database::open(":memory:");
    SqlConnection sql(db);
    sql.simple_query("SELECT i, 'text ' || i, NULL, i * 2 FROM generate_series(1, 600) i;"
                     "VALUES ('a', 'b'), ('c', 'd')",
                     sink);
    REQUIRE(sink.rows.size() == 602);
    for (int i = 1; i <= 600; ++i) {
        const std::string number = std::to_string(i);
        CHECK(sink.rows[static_cast<std::size_t>(i - 1)] ==
              number + "|text " + number + "|NULL|" + std::to_string(2 * i) + "|");
    }
    CHECK(sink.rows[600] == "a|b|");
    CHECK(sink.rows[601] == "c|d|");
}

TEST_CASE("a sink that fails ends the script and undoes it", "[sql][SCRIPT-1]") {
    Database db = Database::open(":memory:");
    SqlConnection sql(db);
    sql.execute("CREATE TABLE t (a int)");
    NotingSink sink;
    sink.fails_at = "SELECT 1";
    CHECK_THROWS_AS(sql.simple_query("INSERT INTO t VALUES (1); SELECT 1; INSERT INTO t VALUES (2)", sink),
                    std::string);
    CHECK_FALSE(sql.in_transaction());
    CHECK(one(sql, "SELECT count(*) FROM t") == "0");
    // A block that was begun has failed, as by any statement.
    CHECK_THROWS_AS(sql.simple_query("BEGIN; INSERT INTO t VALUES (1); SELECT 1; SELECT 2", sink), std::string);
    CHECK(sql.transaction_failed());
    sql.execute("ROLLBACK");
    CHECK(one(sql, "SELECT count(*) FROM t") == "0");
}

TEST_CASE("results and notices of a script belong to their statements", "[sql][SCRIPT-1]") {
    Database db = Database::open(":memory:");
    SqlConnection sql(db);
    const std::vector<SqlResult> results =
        sql.simple_query("SELECT 1; DROP TABLE IF EXISTS nothing; CREATE TABLE t (a int); COMMIT; SELECT 2");
    REQUIRE(results.size() == 5);
    CHECK(results[0].rows.at(0).at(0) == "1");
    CHECK(results[0].notices.empty());
    CHECK(results[1].notices.size() == 1);
    CHECK(results[2].txn == 0);
    CHECK(results[3].txn != 0);
    CHECK(results[3].notices.size() == 1);
    CHECK(results[4].txn == 0);
}

TEST_CASE("a script that meets a conflict runs again as long as it may", "[sql][SCRIPT-2]") {
    const test::TemporaryDirectory folder;
    Database db = Database::open(folder / "a.db");
    SqlConnection sql(db);
    sql.simple_query("CREATE TABLE counters (id int PRIMARY KEY, n int); INSERT INTO counters VALUES (1, 0), (2, 0)");
    constexpr int k_threads = 4, k_rounds = 40;
    std::vector<std::thread> threads;
    for (int t = 0; t < k_threads; ++t)
        threads.emplace_back([&] {
            SqlConnection own(db);
            for (int i = 0; i < k_rounds; ++i)
                own.simple_query("UPDATE counters SET n = n + 1 WHERE id = 1;"
                                   "UPDATE counters SET n = (SELECT n FROM counters WHERE id = 1) WHERE id = 2");
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(one(sql, "SELECT n FROM counters WHERE id = 1") == std::to_string(k_threads * k_rounds));
    CHECK(one(sql, "SELECT n FROM counters WHERE id = 2") == std::to_string(k_threads * k_rounds));
}

TEST_CASE("a script whose answers were handed out, or which leaves something behind, is refused", "[sql][SCRIPT-2]") {
    Database db = Database::open(":memory:");
    SqlConnection sql(db), other(db);
    sql.simple_query("CREATE TABLE t (a int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)");
    // Between two statements of a script another session changes what the first one has read.
    class Meddler final : public SqlScriptSink {
    public:
        explicit Meddler(SqlConnection& meddles) : other(meddles) {}
        void begin(const std::vector<SqlColumn>&) override {}
        void row(std::vector<SqlValue>) override {}
        void end(const std::string&, Txn) override {
            if (!std::exchange(done, true)) other.execute("UPDATE t SET n = n + 10");
        }
        SqlConnection& other;
        bool done = false;
    } meddler(other);
    try {
        sql.simple_query("UPDATE t SET n = n + 1; SELECT 1", meddler);
        FAIL("no conflict");
    } catch (const SqlFailure& failure) {
        CHECK(failure.sqlstate == "40001");
    }
    CHECK_FALSE(sql.in_transaction());
    CHECK(one(sql, "SELECT n FROM t") == "10");
}

TEST_CASE("a script in a block that was begun is part of it", "[sql][SCRIPT-1]") {
    Database db = Database::open(":memory:");
    SqlConnection sql(db);
    sql.execute("CREATE TABLE t (a int)");
    sql.execute("BEGIN");
    sql.simple_query("INSERT INTO t VALUES (1); SAVEPOINT s; INSERT INTO t VALUES (2)");
    CHECK(sql.in_transaction());
    CHECK(sqlstate_of(sql, "INSERT INTO t VALUES (3); SELECT 1 / 0") == "22012");
    CHECK(sql.transaction_failed());
    sql.simple_query("ROLLBACK TO s; COMMIT");
    CHECK(one(sql, "SELECT count(*) FROM t") == "1");
    // What has begun a block in a text leaves it open.
    sql.simple_query("INSERT INTO t VALUES (4); BEGIN; INSERT INTO t VALUES (5)");
    CHECK(sql.in_transaction());
    sql.execute("ROLLBACK");
    CHECK(one(sql, "SELECT count(*) FROM t") == "1");
    CHECK(sqlstate_of(sql, "SELECT 1; SELEKT") == "42601");
    CHECK_FALSE(sql.in_transaction());
}
