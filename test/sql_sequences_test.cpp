// Sequences: outside of transactions, shared by sessions, and never the same value twice.
#include "northstar.hpp"
#include "sql/session/sequences.hpp"
#include "test/os_support.hpp"
#include "test/peer.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace sql = northstar::sql;

std::string value(northstar::SqlConnection& connection, const std::string& text) {
    const auto rows = connection.execute(text).rows;
    REQUIRE(rows.size() == 1);
    return rows[0][0].value_or("NULL");
}

std::string state_of(northstar::SqlConnection& connection, const std::string& text) {
    try {
        connection.execute(text);
    } catch (const northstar::SqlFailure& failure) {
        return failure.sqlstate;
    }
    return "00000";
}

struct Sessions {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection one{database};
    northstar::SqlConnection two{database};
    Sessions() { one.execute("CREATE TABLE t (id serial PRIMARY KEY, v int)"); }
};

const sql::StoredSequence k_new{{1, false}, 1};

sql::SequenceState next(sql::SequenceState state) { return {state.called ? state.value + 1 : state.value, true}; }

}  // namespace

TEST_CASE("blocks that insert at the same time take values of one sequence, and all commit", "[sql]") {
    Sessions s;
    s.one.execute("BEGIN");
    s.two.execute("BEGIN");
    CHECK(value(s.one, "INSERT INTO t (v) VALUES (1) RETURNING id") == "1");
    CHECK(value(s.two, "INSERT INTO t (v) VALUES (2) RETURNING id") == "2");
    CHECK(value(s.one, "INSERT INTO t (v) VALUES (3) RETURNING id") == "3");
    s.two.execute("COMMIT");
    s.one.execute("COMMIT");
    CHECK(value(s.one, "SELECT string_agg(id || ':' || v, ' ' ORDER BY id) FROM t") == "1:1 2:2 3:3");
    CHECK(value(s.two, "SELECT nextval('t_id_seq')") == "4");
}

TEST_CASE("a value that was taken in a block that rolled back is used up", "[sql]") {
    Sessions s;
    s.one.execute_script("BEGIN; INSERT INTO t (v) VALUES (1); ROLLBACK");
    CHECK(value(s.two, "INSERT INTO t (v) VALUES (1) RETURNING id") == "2");
    s.one.execute_script("BEGIN; SAVEPOINT a; INSERT INTO t (v) VALUES (1); ROLLBACK TO a");
    CHECK(value(s.one, "INSERT INTO t (v) VALUES (1) RETURNING id") == "4");
}

TEST_CASE("setval is for everybody at once, and is not rolled back", "[sql]") {
    Sessions s;
    s.one.execute("BEGIN");
    CHECK(value(s.one, "SELECT setval('t_id_seq', 100)") == "100");
    CHECK(value(s.two, "SELECT nextval('t_id_seq')") == "101");
    s.one.execute("ROLLBACK");
    CHECK(value(s.two, "SELECT nextval('t_id_seq')") == "102");
    CHECK(value(s.one, "SELECT last_value FROM t_id_seq") == "102");
    s.one.execute("SELECT setval('t_id_seq', 7, false)");
    CHECK(value(s.two, "SELECT nextval('t_id_seq')") == "7");
}

TEST_CASE("RESTART and TRUNCATE .. RESTART IDENTITY belong to their transaction", "[sql]") {
    Sessions s;
    s.one.execute("INSERT INTO t (v) VALUES (1), (2), (3)");
    for (const std::string back : {"ALTER SEQUENCE t_id_seq RESTART", "TRUNCATE t RESTART IDENTITY"}) {
        s.one.execute_script("SELECT setval('t_id_seq', 10); BEGIN; " + back);
        CHECK(value(s.one, "SELECT nextval('t_id_seq')") == "1");
        s.one.execute("ROLLBACK");
        CHECK(value(s.one, "SELECT nextval('t_id_seq')") == "11");
        s.one.execute_script("BEGIN; SAVEPOINT a; " + back + "; ROLLBACK TO a");
        CHECK(value(s.one, "SELECT nextval('t_id_seq')") == "12");
        s.one.execute_script(back + "; COMMIT");
        CHECK(value(s.two, "SELECT nextval('t_id_seq')") == "1");
    }
}

TEST_CASE("a sequence goes on where it stood when the database is opened again", "[sql]") {
    const northstar::test::TemporaryDirectory directory;
    for (int round = 0; round < 3; ++round) {
        auto database = northstar::Database::open(directory / "sequence.db");
        northstar::SqlConnection connection(database);
        if (round == 0) connection.execute("CREATE SEQUENCE q");
        CHECK(value(connection, "SELECT nextval('q')") == std::to_string(2 * round + 1));
        CHECK(value(connection, "SELECT nextval('q')") == std::to_string(2 * round + 2));
    }
}

TEST_CASE("the past of a sequence is read as it was", "[sql]") {
    Sessions s;
    s.one.execute("INSERT INTO t (v) VALUES (1)");  // commit 2
    s.one.execute("INSERT INTO t (v) VALUES (1)");
    CHECK(value(s.one, "SELECT last_value FROM t_id_seq AS OF 2") == "1");
    CHECK(value(s.one, "SELECT last_value FROM t_id_seq") == "2");
}

TEST_CASE("a sequence that was made in a block that rolled back leaves nothing to the next one", "[sql]") {
    Sessions s;
    s.one.execute_script("BEGIN; CREATE SEQUENCE q; SELECT nextval('q'); SELECT nextval('q'); ROLLBACK");
    s.two.execute("CREATE SEQUENCE q");
    CHECK(value(s.two, "SELECT nextval('q')") == "1");
}

TEST_CASE("threads that insert into one table are given every value once", "[sql]") {
    Sessions s;
    constexpr int k_threads = 4;
    constexpr int k_rows = 50;
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < k_threads; ++i)
        threads.emplace_back([&] {
            northstar::SqlConnection connection(s.database);
            for (int row = 0; row < k_rows; ++row) {
                try {
                    connection.execute_script("BEGIN; INSERT INTO t (v) VALUES (0); COMMIT");
                } catch (const northstar::SqlFailure&) {
                    ++failures;
                    connection.execute("ROLLBACK");
                }
            }
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    CHECK(value(s.one, "SELECT count(DISTINCT id) FROM t") == std::to_string(k_threads * k_rows));
    CHECK(value(s.one, "SELECT max(id) FROM t") == std::to_string(k_threads * k_rows));
}

TEST_CASE("values taken before another process moved the sequence are refused at the commit", "[sql]") {
    sql::Sequences sequences;
    const sql::Sequences::Lease before = sequences.move(1, k_new, next);
    const sql::StoredSequence theirs{{5, true}, 2};
    CHECK_FALSE(sequences.settle(1, before.generation, theirs));
    const sql::Sequences::Lease after = sequences.move(1, theirs, next);
    CHECK(after.state.value == 6);
    CHECK(sequences.settle(1, after.generation, theirs) == "6 t 3");
}

TEST_CASE("values taken behind another process's move do not let older ones through", "[sql]") {
    sql::Sequences sequences;
    const sql::Sequences::Lease older = sequences.move(1, k_new, next);
    const sql::StoredSequence theirs{{5, true}, 2};
    const sql::Sequences::Lease newer = sequences.move(1, theirs, next);
    CHECK_FALSE(sequences.settle(1, older.generation, theirs));
    CHECK(sequences.settle(1, newer.generation, theirs) == "6 t 3");
}

TEST_CASE("a state that is behind what this process wrote is not believed", "[sql]") {
    sql::Sequences sequences;
    const sql::Sequences::Lease lease = sequences.move(1, k_new, next);
    REQUIRE(sequences.settle(1, lease.generation, k_new) == "1 t 2");
    CHECK(sequences.move(1, k_new, next).state.value == 2);
}

TEST_CASE("what is stored of a sequence is read as it was written, with and without a number", "[sql]") {
    for (const sql::StoredSequence stored : {sql::StoredSequence{{-3, true}, 9}, sql::StoredSequence{{1, false}, 0}}) {
        const sql::StoredSequence read = sql::StoredSequence::parse(stored.text());
        CHECK(read.state.value == stored.state.value);
        CHECK(read.state.called == stored.state.called);
        CHECK(read.number == stored.number);
    }
    CHECK(sql::StoredSequence::parse("12 t").state.value == 12);
    CHECK(sql::StoredSequence::parse("12 t").state.called);
    CHECK(sql::StoredSequence::parse("12 t").number == 0);
}

TEST_CASE("nextval gives no value of a row that another process has committed and not flushed yet", "[sql]") {
    // A transaction stands on such rows, while snapshots show the sequence as it was before.
    const northstar::test::TemporaryDirectory place;
    txn_test::Peer ours(place / "a.db");
    txn_test::Peer theirs(place / "./a.db");  // by another name, so that it shares no sequences either
    northstar::SqlConnection one(ours.db);
    northstar::SqlConnection two(theirs.db);
    one.execute("CREATE TABLE t (id serial PRIMARY KEY, v int)");
    CHECK(value(one, "INSERT INTO t (v) VALUES (0) RETURNING id") == "1");
    CHECK(value(two, "INSERT INTO t (v) VALUES (0) RETURNING id") == "2");
    std::string state;
    ours.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t, bool done) {
        if (call != northstar::test::FileCall::sync || done || !state.empty()) return;
        theirs.db.begin_write().rollback();  // as any other session of that process may
        // Fails where the value is 4, so that nothing waits for the flush.
        state = state_of(two, "INSERT INTO t (v) VALUES (0) RETURNING 1 / (id - 4)");
    });
    CHECK(value(one, "INSERT INTO t (v) VALUES (0) RETURNING id") == "3");
    ours.vfs.set_hook({});
    CHECK(state == "22012");
}

TEST_CASE("a block that goes on behind another process's move of its sequence is refused before its rows", "[sql]") {
    const northstar::test::TemporaryDirectory place;
    txn_test::Peer ours(place / "a.db");
    txn_test::Peer theirs(place / "./a.db");
    northstar::SqlConnection one(ours.db);
    northstar::SqlConnection two(theirs.db);
    one.execute("CREATE TABLE t (id serial PRIMARY KEY, v int)");
    two.execute("BEGIN");
    CHECK(value(two, "SELECT nextval('t_id_seq')") == "1");
    CHECK(value(one, "INSERT INTO t (v) VALUES (0) RETURNING id") == "1");
    CHECK(state_of(two, "INSERT INTO t VALUES (1, 0)") == "40001");
    two.execute("ROLLBACK");
    CHECK(value(two, "INSERT INTO t (v) VALUES (0) RETURNING id") == "2");
}
