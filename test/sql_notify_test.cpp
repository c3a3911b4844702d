// sql_notify_test.cpp -- what NOTIFY tells those who LISTEN, between sessions, threads and processes.
#include "northstar.hpp"
#include "txn_support.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace northstar;

/// Long enough for a slow machine; nobody waits for it where all is well.
constexpr std::uint32_t k_long_ms = 60'000;

std::string one(SqlConnection& sql, const std::string& text) {
    return sql.execute(text).rows.at(0).at(0).value_or("NULL");
}

template <class F>
std::string failure_of(F&& run) {
    try {
        run();
    } catch (const SqlFailure& failure) {
        return failure.sqlstate;
    }
    return "";
}

/// What has arrived, as "channel:payload channel:payload".
std::string arrived(SqlConnection& sql) {
    std::string all;
    for (const SqlNotification& told : sql.notifications())
        all += (all.empty() ? "" : " ") + told.channel + ":" + told.payload;
    return all;
}

struct Sessions {
    Database db = Database::open(":memory:");
    SqlConnection a{db}, b{db}, c{db};
};

}  // namespace

TEST_CASE("who listens is told what others commit, and what it commits itself", "[sql][NOTIFY-1][NOTIFY-2]") {
    Sessions s;
    s.b.execute("NOTIFY jobs, 'too early'");
    s.a.execute("LISTEN jobs");
    CHECK(arrived(s.a) == "");
    s.b.execute("NOTIFY jobs");
    s.b.execute("NOTIFY others, 'x'");
    s.a.execute("NOTIFY jobs, 'own'");
    s.c.execute("SELECT pg_notify('jobs', n::text) FROM generate_series(1, 3) AS n");
    const std::vector<SqlNotification> all = s.a.notifications();
    REQUIRE(all.size() == 5);
    CHECK(all[0].payload == "");
    CHECK(all[1].payload == "own");
    CHECK(all[4].payload == "3");
    CHECK(all[4].channel == "jobs");
    CHECK(std::to_string(all[0].process) == one(s.b, "SELECT pg_backend_pid()"));
    CHECK(std::to_string(all[1].process) == one(s.a, "SELECT pg_backend_pid()"));
    CHECK(std::to_string(all[2].process) == one(s.c, "SELECT pg_backend_pid()"));
    CHECK(all[0].process > 0);
    CHECK(all[0].process != all[1].process);
    CHECK(all[1].txn == all[0].txn + 2);
    CHECK(all[2].txn == all[4].txn);
    CHECK(s.a.notifications().empty());
    CHECK(s.c.notifications().empty());
    // Another one begins to listen behind all of that.
    s.c.execute_script("LISTEN jobs; LISTEN others");
    CHECK(s.c.notifications().empty());
    for (const char* told : {"NOTIFY others, '1'", "NOTIFY jobs, '2'", "NOTIFY others, '1'"}) s.b.execute(told);
    CHECK(arrived(s.c) == "others:1 jobs:2 others:1");
    CHECK(arrived(s.a) == "jobs:2");
}

TEST_CASE("a transaction tells what it commits, alike things once", "[sql][NOTIFY-1]") {
    Sessions s;
    s.a.execute_script("LISTEN a; LISTEN b");
    s.b.execute_script("BEGIN; NOTIFY a, '1'; NOTIFY b, '1'; NOTIFY a, '2'; NOTIFY a, '1'; SAVEPOINT s");
    s.b.execute_script("NOTIFY a, '3'; NOTIFY a, '2'; SAVEPOINT t; NOTIFY b, '4'; ROLLBACK TO s; NOTIFY b, '4'");
    CHECK(arrived(s.a) == "");
    const Txn txn = s.b.execute("COMMIT").txn;
    CHECK(txn != 0);
    CHECK(arrived(s.a) == "a:1 b:1 a:2 b:4");
    s.b.execute_script("BEGIN; NOTIFY a, 'gone'; ROLLBACK");
    s.b.execute_script("BEGIN; NOTIFY a, 'gone'");
    CHECK(failure_of([&] { s.b.execute("SELECT 1/0"); }) == "22012");
    s.b.execute("COMMIT");
    s.b.execute_script("BEGIN; SAVEPOINT s; NOTIFY a, 'gone'");
    CHECK(failure_of([&] { s.b.execute("SELECT 1/0"); }) == "22012");
    s.b.execute_script("ROLLBACK TO s; NOTIFY a, 'kept'; COMMIT");
    CHECK(failure_of([&] { s.b.execute("SELECT pg_notify('a', 'gone'), 1 / (random() * 0)::int"); }) == "22012");
    CHECK(arrived(s.a) == "a:kept");
    // What a statement told that ran again was told once.
    s.b.execute_script("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)");
    std::atomic<bool> done{false};
    std::thread other([&] {
        while (!done) s.c.execute("UPDATE t SET n = n + 1 WHERE id = 2");
    });
    for (int i = 0; i < 50; ++i)
        s.b.execute("UPDATE t SET n = n + (SELECT count(*) FROM t WHERE n >= 0) "
                    "WHERE id = 1 AND pg_notify('b', random()::text) IS NOT NULL");
    done = true;
    other.join();
    CHECK(s.a.notifications().size() == 50);
}

TEST_CASE("channels change when the transaction commits", "[sql][NOTIFY-1]") {
    Sessions s;
    s.a.execute_script("BEGIN; LISTEN a");
    s.b.execute("NOTIFY a, 'too early'");
    s.a.execute_script("NOTIFY a, 'own'; COMMIT");
    s.b.execute("NOTIFY a, '1'");
    CHECK(arrived(s.a) == "a:own a:1");
    s.a.execute_script("BEGIN; UNLISTEN a; LISTEN b; ROLLBACK");
    s.b.execute_script("NOTIFY a, '2'; NOTIFY b, 'x'");
    // What was told before it changed its channels arrives, and nothing that was told of the new ones before.
    s.a.execute_script("BEGIN; UNLISTEN a; NOTIFY a, 'own'; LISTEN b; COMMIT");
    s.b.execute_script("NOTIFY a, '3'; NOTIFY b, '4'");
    CHECK(arrived(s.a) == "a:2 b:4");
    s.b.execute("NOTIFY b, '5'");
    s.a.execute("UNLISTEN *");
    s.b.execute("NOTIFY b, '6'");
    CHECK(arrived(s.a) == "b:5");
    s.a.execute("LISTEN b");
    s.b.execute("NOTIFY b, '7'");
    s.a.execute("DISCARD ALL");
    s.b.execute("NOTIFY b, '8'");
    CHECK(arrived(s.a) == "b:7");
    // A commit that is refused changes no channel.
    s.b.execute_script("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)");
    s.a.execute("LISTEN kept");
    s.a.execute_script("BEGIN ISOLATION LEVEL REPEATABLE READ; UPDATE t SET n = 1; LISTEN c; "
                       "UNLISTEN kept; NOTIFY kept, 'gone'");
    s.b.execute("UPDATE t SET n = 2");
    CHECK(failure_of([&] { s.a.execute("COMMIT"); }) == "40001");
    s.b.execute_script("NOTIFY c, 'x'; NOTIFY kept, '9'");
    CHECK(arrived(s.a) == "kept:9");
}

TEST_CASE("nothing arrives inside of a block", "[sql]") {
    Sessions s;
    s.a.execute("LISTEN a");
    s.b.execute("NOTIFY a, '1'");
    s.a.execute("BEGIN");
    CHECK(arrived(s.a) == "");
    CHECK(failure_of([&] { s.a.wait_for_notification(k_long_ms); }) == "25001");
    CHECK_FALSE(s.a.transaction_failed());
    s.b.execute("NOTIFY a, '2'");
    s.a.execute("COMMIT");
    CHECK(arrived(s.a) == "a:1 a:2");
}

TEST_CASE("who may only read, or reads the past, notifies and listens", "[sql]") {
    Sessions s;
    s.a.execute("CREATE TABLE t (n int)");
    const Txn past = s.a.execute("INSERT INTO t VALUES (1)").txn;
    s.a.execute("LISTEN a");
    s.b.execute_script("BEGIN READ ONLY; NOTIFY a, '1'; COMMIT");
    s.b.execute("DELETE FROM t");
    s.b.execute("BEGIN READ ONLY AS OF " + std::to_string(past));
    s.b.execute_script("SELECT pg_notify('a', count(*)::text || ' row') FROM t; COMMIT");
    s.b.execute_script("SET default_transaction_read_only = on; NOTIFY a, '2'; SELECT pg_notify('a', '3')");
    CHECK(arrived(s.a) == "a:1 a:1 row a:2 a:3");
}

TEST_CASE("every way to run a statement notifies", "[sql]") {
    Sessions s;
    s.a.execute("LISTEN a");
    SqlStatement prepared = s.b.prepare("SELECT pg_notify('a', $1)");
    prepared.bind_text(1, "prepared");
    while (prepared.step()) {}
    CHECK(prepared.txn() != 0);
    SqlPortal portal = s.b.open_portal("SELECT pg_notify('a', n::text) FROM generate_series(1, 3) AS n");
    portal.fetch(2);
    CHECK(arrived(s.a) == "a:prepared");
    while (!portal.done()) portal.fetch(1);
    CHECK(portal.txn() != 0);
    CHECK(arrived(s.a) == "a:1 a:2 a:3");
    {
        SqlPortal left = s.b.open_portal("SELECT pg_notify('a', n::text) FROM generate_series(1, 3) AS n");
        left.fetch(1);
    }
    CHECK(arrived(s.a) == "");
    for (const std::string text : {"'x'", "'y'", "'z'"}) s.b.execute("SELECT pg_notify('a', " + text + ")");
    s.b.execute_script("PREPARE p (text) AS SELECT pg_notify('a', $1); EXECUTE p ('p')");
    CHECK(arrived(s.a) == "a:x a:y a:z a:p");
    s.b.execute("SET synchronous_commit = off");
    s.b.execute("NOTIFY a, 'lazy'");
    CHECK(arrived(s.a) == "a:lazy");
}

TEST_CASE("what is told stands in the log, and makes a commit by itself", "[sql][TX-9]") {
    Sessions s;
    s.a.execute("SET northstar.author = 'ada'");
    const Txn before = s.a.execute("CREATE TABLE t (n int)").txn;
    CHECK(s.a.execute("LISTEN a").txn == 0);
    CHECK(s.a.execute("UNLISTEN a").txn == 0);
    CHECK(s.a.execute("SELECT 1").txn == 0);
    const Txn txn = s.a.execute("NOTIFY \"a b\", E'say \"x\"\n'").txn;
    CHECK(txn == before + 1);
    const std::optional<CommitRecord> record = s.db.commit(txn);
    REQUIRE(record);
    CHECK(record->operations.empty());
    REQUIRE(record->annotations.size() == 3);
    CHECK(record->annotations[0].second == "ada");
    CHECK(record->annotations[1].first == "northstar.notify");
    CHECK(record->annotations[1].second ==
          "{\"process\": " + one(s.a, "SELECT pg_backend_pid()") + ", \"notify\": [[\"a b\", \"say \\\"x\\\"\\n\"]]}");
    CHECK(record->annotations[2].second == "NOTIFY \"a b\", ?");
    Feed feed = s.db.feed(txn);
    const std::optional<CommitRecord> fed = feed.next(0);
    REQUIRE(fed);
    CHECK(fed->txn == txn);
    // With changes it is in their commit.
    s.a.execute_script("BEGIN; INSERT INTO t VALUES (1); NOTIFY a");
    CHECK(s.a.execute("COMMIT").txn == txn + 1);
    CHECK(s.db.verify().ok());
}

TEST_CASE("a commit that does nothing but notify is one like others", "[sql][TX-9]") {
    const txn_test::Workplace place;
    Txn told = 0;
    {
        Database db = Database::open(place / "a.db");
        SqlConnection sql(db);
        sql.execute("NOTIFY a, 'first'");
        for (int i = 0; i < 3; ++i) {
            sql.execute("CREATE TABLE t" + std::to_string(i) + " (n int)");
            for (int n = 0; n < 50; ++n) sql.execute("NOTIFY a, '" + std::to_string(n) + "'");
            db.checkpoint();
        }
        told = sql.execute("NOTIFY a, 'last'").txn;
        CHECK(told == 155);
        CHECK(db.commit(1)->operations.empty());
        CHECK(db.verify().ok());
    }
    Database db = Database::open(place / "a.db");
    CHECK(db.verify().ok());
    CHECK(db.begin_read().txn() == told);
    CHECK(db.commit(told)->annotations.at(0).first == "northstar.notify");
    SqlConnection sql(db);
    CHECK(one(sql, "SELECT count(*) FROM pg_class WHERE relname IN ('t0', 't1', 't2') AS OF 54") == "2");
    db.backup(place / "backup.db");
    db.close();
    Database::restore(place / "a.db", place / "restored.db", AsOf::txn(102));
    Database::replay(place / "a.db", place / "replayed.db", AsOf::txn(told));
    for (const std::string name : {"backup.db", "restored.db", "replayed.db"}) {
        Database copy = Database::open(place / name);
        CHECK(copy.verify().ok());
        CHECK(copy.begin_read().txn() == (name == "restored.db" ? 102 : told));
        CHECK(copy.commit(54)->annotations.size() == 2);
    }
}

TEST_CASE("a program without SQL notifies by the annotation", "[sql]") {
    Sessions s;
    s.a.execute("LISTEN a");
    const auto annotate = [&](const std::string& value) {
        Transaction transaction = s.db.begin_write();
        transaction.tree("t").put("k", value);
        transaction.annotate("northstar.notify", value);
        transaction.commit();
    };
    annotate(R"({"process": 7, "notify": [["a", "1"], ["b", "2"], ["a", ""]], "more": [[1]]})");
    const std::vector<SqlNotification> told = s.a.notifications();
    REQUIRE(told.size() == 2);
    CHECK(told[0].process == 7);
    CHECK(told[1].payload == "");
    for (const std::string value : {"no JSON", "[]x", R"({"notify": [["a"]]})"}) {
        annotate(value);
        s.b.execute("NOTIFY a, 'behind'");
        CHECK(arrived(s.a) == "a:behind");
        CHECK(failure_of([&] { s.a.notifications(); }) == "XX001");
        CHECK(arrived(s.a) == "");
    }
}

TEST_CASE("who waits is told at once, ends with its time, or is cancelled", "[sql]") {
    using std::chrono::steady_clock, std::chrono::milliseconds, std::chrono::seconds;
    Sessions s;
    CHECK_FALSE(s.a.wait_for_notification(0));
    CHECK_FALSE(s.a.wait_for_notification(5));
    s.a.execute("LISTEN a");
    CHECK_FALSE(s.a.wait_for_notification(0));
    const auto begin = steady_clock::now();
    CHECK_FALSE(s.a.wait_for_notification(30));
    CHECK(steady_clock::now() - begin >= milliseconds(30));
    s.b.execute_script("NOTIFY a, '1'; NOTIFY a, '2'");
    CHECK(s.a.wait_for_notification(0)->payload == "1");
    CHECK(s.a.wait_for_notification(k_long_ms)->payload == "2");
    for (int round = 0; round < 50; ++round) {
        std::thread notifier([&] {
            if (round % 2 == 1) std::this_thread::sleep_for(milliseconds(2));
            s.b.execute("NOTIFY a, '" + std::to_string(round) + "'");
        });
        const std::optional<SqlNotification> told = s.a.wait_for_notification(k_long_ms);
        notifier.join();
        REQUIRE(told);
        CHECK(told->payload == std::to_string(round));
    }
    for (const bool listens : {true, false}) {
        if (!listens) s.a.execute("UNLISTEN *");
        std::atomic<bool> ended{false};
        std::thread canceller([&] {
            while (!ended) {
                s.a.cancel();
                std::this_thread::sleep_for(milliseconds(1));
            }
        });
        CHECK(failure_of([&] { s.a.wait_for_notification(k_long_ms); }) == "57014");
        ended = true;
        canceller.join();
    }
    CHECK(one(s.a, "SELECT 1") == "1");
}

TEST_CASE("many threads notify, and every listener is told all of it in one order", "[sql][NOTIFY-2]") {
    constexpr int k_notifiers = 3, k_each = 100;
    Database db = Database::open(":memory:");
    std::vector<std::string> heard[2];
    SqlConnection listeners[2] = {SqlConnection(db), SqlConnection(db)};
    for (SqlConnection& listener : listeners) listener.execute("LISTEN a");
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&, i] {
            while (heard[i].size() < k_notifiers * k_each) {
                const std::optional<SqlNotification> told = listeners[i].wait_for_notification(k_long_ms);
                if (!told) return;
                heard[i].push_back(told->payload);
            }
        });
    for (int i = 0; i < k_notifiers; ++i)
        threads.emplace_back([&, i] {
            SqlConnection sql(db);
            for (int n = 0; n < k_each; ++n)
                sql.execute("SELECT pg_notify('a', $1)", {std::to_string(i) + "/" + std::to_string(n)});
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(heard[0].size() == k_notifiers * k_each);
    CHECK(heard[0] == heard[1]);
    int next[k_notifiers] = {};
    for (const std::string& payload : heard[0]) {
        const int from = payload[0] - '0';
        CHECK(payload.substr(2) == std::to_string(next[from]++));
    }
}

TEST_CASE("another process is told, and tells", "[sql][NOTIFY-2]") {
    const txn_test::Workplace place;
    const std::string path = place / "a.db";
    Database db = Database::open(path);
    SqlConnection sql(db);
    sql.execute("LISTEN up");
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        Database own = Database::open(path);
        SqlConnection session(own);
        session.execute("LISTEN down");
        session.execute("NOTIFY up, 'ready'");
        bool good = true;
        for (int i = 0; i < 20; ++i) {
            const std::optional<SqlNotification> down = session.wait_for_notification(k_long_ms);
            good = good && down && down->payload == std::to_string(i);
            session.execute("SELECT pg_notify('up', $1)", {std::to_string(i)});
        }
        _exit(good ? 7 : 1);
    }
    const auto next = [&] {
        const std::optional<SqlNotification> up = sql.wait_for_notification(k_long_ms);
        return up ? up->payload : "nothing";
    };
    CHECK(next() == "ready");
    for (int i = 0; i < 20; ++i) {
        sql.execute("SELECT pg_notify('down', $1)", {std::to_string(i)});
        CHECK(next() == std::to_string(i));
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 7);
    db.close();
    // A session that outlives its database says so.
    CHECK_THROWS_AS(sql.notifications(), SqlFailure);
}

TEST_CASE("a handle that may only read listens, and tells nobody", "[sql]") {
    const txn_test::Workplace place;
    const std::string path = place / "a.db";
    Database db = Database::open(path);
    SqlConnection sql(db);
    sql.execute("LISTEN up");
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        Options options;
        options.read_only = true;
        Database own = Database::open(path, options);
        SqlConnection session(own);
        session.execute("LISTEN down");
        bool good = failure_of([&] { session.execute("NOTIFY up"); }) == "25006" &&
                    failure_of([&] { session.execute("SELECT pg_notify('up', 'x')"); }) == "25006";
        good = good && write(ready[1], "r", 1) == 1;
        for (int i = 0; i < 20; ++i) {
            const std::optional<SqlNotification> down = session.wait_for_notification(k_long_ms);
            good = good && down && down->payload == std::to_string(i);
        }
        _exit(good ? 7 : 1);
    }
    char word = 0;
    REQUIRE(read(ready[0], &word, 1) == 1);
    for (int i = 0; i < 20; ++i) sql.execute("SELECT pg_notify('down', $1)", {std::to_string(i)});
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 7);
    CHECK(arrived(sql) == "");
    for (const int end : ready) close(end);
}

TEST_CASE("who looks too late is told that something is lost, and goes on", "[sql][NOTIFY-2][ANNOTATION-1]") {
    const txn_test::Workplace place;
    Options options;
    options.background = false;
    options.history = History::nothing();
    Database db = Database::open(place / "a.db", options);
    SqlConnection late(db), quick(db), other(db);
    late.execute("LISTEN a");
    quick.execute("LISTEN a");
    const auto let_go_of_log = [&] {
        for (int i = 0; i < 6; ++i) {
            Transaction transaction = db.begin_write();
            transaction.tree("t").put("large", std::string(2u << 20, 'v'));
            transaction.commit();
            db.checkpoint();
        }
    };
    for (int i = 0; i < 3; ++i) {
        other.execute("NOTIFY a, '1'");
        CHECK(arrived(quick) == "a:1");
        let_go_of_log();
        CHECK(failure_of([&] { late.notifications(); }) == "72000");
        CHECK(failure_of([&] { quick.notifications(); }) == "72000");
        other.execute("NOTIFY a, '2'");
        CHECK(arrived(late) == "a:2");
        CHECK(arrived(quick) == "a:2");
    }
    // Who changes channels meanwhile is told as well, and who waits.
    other.execute("NOTIFY a, '3'");
    CHECK(arrived(quick) == "a:3");
    let_go_of_log();
    late.execute("LISTEN b");
    other.execute("NOTIFY b, '4'");
    CHECK(failure_of([&] { late.wait_for_notification(k_long_ms); }) == "72000");
    CHECK(late.wait_for_notification(k_long_ms)->payload == "4");
    CHECK(failure_of([&] { quick.notifications(); }) == "72000");
    // Checkpoints alone lose nothing.
    for (int i = 0; i < 4; ++i) db.checkpoint();
    other.execute("NOTIFY a, '5'");
    for (int i = 0; i < 4; ++i) db.checkpoint();
    CHECK(arrived(quick) == "a:5");
    CHECK(arrived(late) == "a:5");
}

TEST_CASE("what was pruned is told no more", "[sql]") {
    const txn_test::Workplace place;
    Database db = Database::open(place / "a.db");
    SqlConnection late(db), other(db);
    late.execute("LISTEN a");
    other.execute("NOTIFY a, '1'");
    other.execute("CREATE TABLE t (n int)");
    const Txn last = other.execute("INSERT INTO t VALUES (1)").txn;
    db.prune(AsOf::txn(last));
    CHECK(failure_of([&] { late.notifications(); }) == "72000");
    other.execute("NOTIFY a, '2'");
    CHECK(arrived(late) == "a:2");
}

TEST_CASE("a transaction does not tell without bounds", "[sql]") {
    Sessions s;
    s.a.execute("LISTEN a");
    const std::string many = "SELECT count(pg_notify('a', n || repeat('p', 7000))) FROM generate_series(1, $) AS n";
    const auto of = [&](const std::string& count) { return std::string(many).replace(many.find('$'), 1, count); };
    CHECK(failure_of([&] { s.b.execute(of("10000")); }) == "54000");
    CHECK(s.a.notifications().empty());
    s.b.execute(of("9000"));
    CHECK(s.a.notifications().size() == 9000);
}
