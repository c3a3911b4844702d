// Horizons of the past through the public interface: turning history on, pruning, retention, per tree and for all.
#include "txn_support.hpp"

#include "txn/core.hpp"

#include <algorithm>
#include <filesystem>

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::Workplace;

Options lazy(History history) {
    Options options;
    options.history = history;
    options.durability = Durability::lazy;
    options.background = false;
    return options;
}

/// One txn: key `k` + n of tree gets a value that names the txn to come.
Txn put(Database& db, const std::string& tree, int n, std::size_t size = 20) {
    Transaction tx = db.begin_write();
    const std::string txn = std::to_string(tx.base_txn() + 1);
    tx.tree(tree).put("k" + std::to_string(n), txn + std::string(size, '.'));
    return tx.commit().txn;
}

std::optional<std::string> read(const Database& db, const std::string& tree, int n, Txn txn) {
    const Snapshot then = db.begin_read(AsOf::txn(txn));
    const auto value = then.tree(tree).get("k" + std::to_string(n));
    if (!value) return std::nullopt;
    return std::string(value->substr(0, value->find('.')));
}

std::vector<std::string> keys(const Tree& tree, bool backward) {
    std::vector<std::string> out;
    if (backward) {
        for (auto [key, value] : tree.all().reversed()) out.emplace_back(key);
        std::reverse(out.begin(), out.end());
    } else {
        for (auto [key, value] : tree.all()) out.emplace_back(key);
    }
    return out;
}

void check_whole(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ' ' << problem.what);
    CHECK(report.ok());
}

}  // namespace

TEST_CASE("Turning history on makes that moment the oldest readable state", "[PAST-3][PAST-4]") {
    const Workplace place;
    for (const bool checkpoint_between : {false, true}) {
        INFO("checkpoint " << checkpoint_between);
        const std::string path = place / (checkpoint_between ? "a.db" : "b.db");
        Database db = Database::open(path, lazy(History::nothing()));
        for (int i = 0; i < 100; ++i) put(db, "t", i % 40);
        db.checkpoint();
        for (int i = 0; i < 10; ++i) put(db, "t", i);
        db.set_history(History::everything());
        const Txn from = db.begin_read().txn();
        const Hash then = db.begin_read().state_hash();
        if (checkpoint_between) db.checkpoint();
        {
            Transaction tx = db.begin_write();
            WritableTree tree = tx.tree("t");
            tree.put("k3", "later");
            tree.erase("k4");
            tree.erase_range("k30", "k39");
            tx.tree("new").put("k1", "x");
            tx.commit();
        }
        for (int round = 0; round < 3; ++round) {
            INFO("round " << round);
            CHECK(db.begin_read(AsOf::txn(from)).state_hash() == then);
            CHECK(read(db, "t", 3, from) == "104");
            CHECK(read(db, "t", 4, from) == "105");
            CHECK(read(db, "t", 33, from) == "74");
            CHECK_FALSE(db.begin_read(AsOf::txn(from)).tree("new").exists());
            CHECK(code_of([&] { db.begin_read(AsOf::txn(from - 1)); }) == Errc::before_horizon);
            CHECK(db.statistics().oldest_txn == from);
            const Tree past = db.begin_read(AsOf::txn(from)).tree("t");
            const Snapshot snapshot = db.begin_read(AsOf::txn(from));
            CHECK(keys(snapshot.tree("t"), false).size() == 40);
            CHECK(keys(snapshot.tree("t"), true) == keys(snapshot.tree("t"), false));
            const std::vector<Version> versions = db.history("t", "k33");
            REQUIRE(versions.size() == 2);
            CHECK_FALSE(versions[0].value);
            CHECK(versions[1].txn == 74);
            check_whole(db);
            if (round == 0) {
                db.checkpoint();
                put(db, "t", 5);
                db.checkpoint();
            } else {
                db.close();
                db = Database::open(path, lazy(History::everything()));
            }
        }
    }
}

TEST_CASE("A copy made by vacuum_into keeps its past from its first state on", "[PAST-4][SPACE-5]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::everything()));
    for (int i = 0; i < 300; ++i) put(db, "t", i % 50);
    const Hash now = db.begin_read().state_hash();
    db.vacuum_into(place / "b.db");
    Database copy = Database::open(place / "b.db", lazy(History::everything()));
    const Txn from = copy.begin_read().txn();
    put(copy, "t", 7);
    copy.checkpoint();
    put(copy, "t", 8);
    CHECK(copy.begin_read(AsOf::txn(from)).state_hash() == now);
    CHECK(code_of([&] { copy.begin_read(AsOf::txn(from - 1)); }) == Errc::before_horizon);
    check_whole(copy);
}

TEST_CASE("The past goes on where in one transaction one tree ceases to keep it and another begins to",
          "[PAST-4][TRUTH-1]") {
    // Out of the log it is done in the order of trees, which ended the past of the database before it began anew.
    const bool drops = GENERATE(false, true);
    CAPTURE(drops);
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::nothing()));
    db.update([](Transaction& tx) {
        tx.tree("first").put("k", "v");
        tx.tree("second").put("k", "v");
        tx.set_history("first", History::everything());
    });
    const Txn before = db.begin_read().txn();
    db.update([&](Transaction& tx) {
        tx.set_history("second", History::last(5));
        if (drops) tx.drop_tree("first");
        else tx.set_history("first", History::nothing());
    });
    db.sync();
    std::filesystem::copy_file(place / "a.db", place / "b.db");
    CHECK(db.begin_read(AsOf::txn(before)).txn() == before);
    CHECK(Database::open(place / "b.db").begin_read(AsOf::txn(before)).txn() == before);
}

TEST_CASE("History of one tree begins when it is turned on for it", "[PAST-3][PAST-4]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::everything()));
    {
        Transaction tx = db.begin_write();
        tx.set_history("cache", History::nothing());
        tx.commit();
    }
    for (int i = 0; i < 30; ++i) put(db, "cache", i % 10), put(db, "kept", i % 10);
    db.checkpoint();
    for (int i = 0; i < 30; ++i) put(db, "cache", i % 10), put(db, "kept", i % 10);
    {
        const Snapshot then = db.begin_read(AsOf::txn(40));
        CHECK(then.tree("kept").get("k1"));
        CHECK(code_of([&] { then.tree("cache"); }) == Errc::before_horizon);
    }
    Txn from = 0;
    {
        Transaction tx = db.begin_write();
        tx.set_history("cache", History::everything());
        from = tx.commit().txn;
    }
    const Hash then = db.begin_read().state_hash();
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 5; ++i) put(db, "cache", i), put(db, "kept", i);
        CHECK(db.begin_read(AsOf::txn(from)).state_hash() == then);
        CHECK(code_of([&] { db.begin_read(AsOf::txn(from - 1)).tree("cache"); }) == Errc::before_horizon);
        CHECK(read(db, "kept", 1, 5) == "5");
        CHECK(read(db, "cache", 7, from) == "116");
        check_whole(db);
        db.checkpoint();
    }
    // Off and on again: what was kept the first time is worthless.
    {
        Transaction tx = db.begin_write();
        tx.set_history("cache", History::nothing());
        tx.commit();
    }
    put(db, "cache", 3);
    db.checkpoint();
    put(db, "cache", 3);
    {
        Transaction tx = db.begin_write();
        tx.set_history("cache", History::last(1000));
        from = tx.commit().txn;
    }
    const Hash again = db.begin_read().state_hash();
    for (int round = 0; round < 2; ++round) {
        put(db, "cache", 3);
        CHECK(db.begin_read(AsOf::txn(from)).state_hash() == again);
        CHECK(code_of([&] { db.begin_read(AsOf::txn(from - 2)).tree("cache"); }) == Errc::before_horizon);
        check_whole(db);
        db.checkpoint();
    }
}

TEST_CASE("Pruning forgets what lies before a point and nothing else", "[PAST-3][PAST-5][PAST-6][PAST-7][PAST-8]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Database db = Database::open(path, lazy(History::everything()));
    std::vector<Hash> states(1);
    std::vector<Hash> chain(1);
    states[0] = db.begin_read().state_hash();
    for (int i = 1; i <= 200; ++i) {
        Transaction tx = db.begin_write();
        tx.set_time_us(static_cast<std::uint64_t>(i) * 1000);
        WritableTree tree = tx.tree("t" + std::to_string(i % 3));
        tree.put("k" + std::to_string(i % 17), std::to_string(i) + std::string(i % 5 == 0 ? 3000 : 10, '.'));
        if (i % 10 == 4) tree.erase("k" + std::to_string(i % 7));
        if (i % 25 == 8) tree.erase_range("k1", "k13");
        if (i == 90 || i == 150) tx.drop_tree("t1");
        const Commit commit = tx.commit();
        states.push_back(db.begin_read().state_hash());
        chain.push_back(commit.hash());
        if (i % 40 == 0) db.checkpoint();
    }
    const auto diff_before = db.diff(AsOf::txn(120), AsOf::txn(180));
    Snapshot old = db.begin_read(AsOf::txn(60));
    const Hash old_state = old.state_hash();
    const Txn horizon = db.prune(AsOf::txn(100));
    CHECK(horizon == 100);
    CHECK(old.state_hash() == old_state);
    const Txn newest = db.begin_read().txn();
    CHECK(newest == 201);
    for (int round = 0; round < 3; ++round) {
        INFO("round " << round);
        for (Txn txn = 100; txn <= 200; ++txn) {
            INFO("txn " << txn);
            REQUIRE(db.begin_read(AsOf::txn(txn)).state_hash() == states[txn]);
            REQUIRE(db.begin_read(AsOf::time(txn * 1000 + 5)).txn() == (txn < 200 ? txn : 200));
            REQUIRE(db.chain_hash(txn) == chain[txn]);
        }
        for (const Txn txn : {Txn{0}, Txn{1}, Txn{99}}) {
            CHECK(code_of([&] { db.begin_read(AsOf::txn(txn)); }) == Errc::before_horizon);
            CHECK(code_of([&] { db.diff(AsOf::txn(txn), AsOf::txn(150)); }) == Errc::before_horizon);
            CHECK(code_of([&] { db.feed(txn); }) == Errc::before_horizon);
            CHECK(code_of([&] { db.commits(txn); }) == Errc::before_horizon);
            if (txn != 0) CHECK(code_of([&] { db.commit(txn); }) == Errc::before_horizon);
            CHECK(code_of([&] { db.chain_hash(txn == 0 ? 1 : txn); }) == Errc::before_horizon);
        }
        CHECK(code_of([&] { db.begin_read(AsOf::time(99'999)); }) == Errc::before_horizon);
        CHECK(db.statistics().oldest_txn == 100);
        CHECK(db.prune(AsOf::txn(70)) == 100);
        CHECK(db.begin_read().txn() == newest);  // that changed nothing
        const auto diff_after = db.diff(AsOf::txn(120), AsOf::txn(180));
        REQUIRE(diff_after.size() == diff_before.size());
        for (std::size_t i = 0; i < diff_after.size(); ++i) {
            CHECK(diff_after[i].key == diff_before[i].key);
            CHECK(diff_after[i].before == diff_before[i].before);
            CHECK(diff_after[i].after == diff_before[i].after);
        }
        Txn expected = 100;
        bool recorded = false;
        for (const CommitRecord& record : db.commits(100)) {
            CHECK(record.txn == expected++);
            for (const auto& [key, value] : record.annotations) {
                recorded = recorded || (key == "northstar.prune" && value == "100");
            }
        }
        CHECK(expected == newest + 1);
        CHECK(recorded);
        check_whole(db);
        if (round == 0) {
            old.close();
            db.checkpoint();
        }
        if (round == 1) {
            db.close();
            db = Database::open(path, lazy(History::everything()));
        }
    }
    // Versions: those behind the horizon, and what there was at it.
    const std::vector<Version> versions = db.history("t2", "k5");
    REQUIRE(versions.size() >= 2);
    CHECK(std::is_sorted(versions.begin(), versions.end(),
                         [](const Version& a, const Version& b) { return a.txn > b.txn; }));
    CHECK(std::count_if(versions.begin(), versions.end(), [](const Version& v) { return v.txn < 100; }) <= 1);

    // Copies of what is left.
    db.backup(place / "backup.db");
    {
        Database copy = Database::open(place / "backup.db", lazy(History::everything()));
        CHECK(copy.begin_read(AsOf::txn(100)).state_hash() == states[100]);
        CHECK(copy.begin_read(AsOf::txn(150)).state_hash() == states[150]);
        check_whole(copy);
    }
    for (const Txn txn : {Txn{100}, Txn{101}, Txn{150}, Txn{200}}) {
        INFO("restored to " << txn);
        const std::string to = place / ("restored-" + std::to_string(txn));
        Database::restore(path, to, AsOf::txn(txn));
        Database copy = Database::open(to, lazy(History::everything()));
        CHECK(copy.begin_read().txn() == txn);
        CHECK(copy.begin_read().state_hash() == states[txn]);
        CHECK(copy.begin_read(AsOf::txn(100)).state_hash() == states[100]);
        CHECK(copy.chain_hash(txn) == chain[txn]);
        CHECK(code_of([&] { copy.begin_read(AsOf::txn(99)); }) == Errc::before_horizon);
        put(copy, "t0", 1);
        CHECK(copy.begin_read(AsOf::txn(txn)).state_hash() == states[txn]);
        copy.checkpoint();
        CHECK(copy.begin_read(AsOf::txn(txn)).state_hash() == states[txn]);
        check_whole(copy);
    }
    Database::replay(path, place / "replayed.db", AsOf::txn(180));
    CHECK(Database::open(place / "replayed.db").begin_read().state_hash() == states[180]);
    CHECK(code_of([&] { Database::restore(path, place / "no.db", AsOf::txn(99)); }) == Errc::before_horizon);
    CHECK(code_of([&] { Database::replay(path, place / "no.db", AsOf::txn(99)); }) == Errc::before_horizon);
    db.vacuum_into(place / "vacuum.db");
    CHECK(Database::open(place / "vacuum.db").begin_read().state_hash() == states[200]);
    db.compact();
    CHECK(db.begin_read(AsOf::txn(100)).state_hash() == states[100]);
    check_whole(db);
}

TEST_CASE("Pruned space is used again and given back", "[PAST-5][SPACE-1][SPACE-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Database db = Database::open(path, lazy(History::everything()));
    for (int i = 0; i < 6000; ++i) {
        put(db, "t", i % 50, 4000);
        if (i % 1000 == 999) db.checkpoint();
    }
    db.checkpoint();
    const std::uint64_t before = std::filesystem::file_size(path);
    REQUIRE(before > 20u << 20);
    db.prune(AsOf::txn(5990));
    CHECK(db.statistics().free_pages * db.statistics().page_size > before / 2);
    db.compact();
    CHECK(std::filesystem::file_size(path) < before / 2);  // the extent that the log left lies there whole
    CHECK(read(db, "t", 40, 5995) == "5991");
    check_whole(db);
}

TEST_CASE("A snapshot of the past stays readable while its past is pruned away", "[PAST-5][SNAP-1][SNAP-3][slow]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::everything()));
    for (int i = 0; i < 2000; ++i) put(db, "t", i % 40, 2000);
    db.checkpoint();
    const Snapshot held = db.begin_read(AsOf::txn(1000));
    const std::string_view view = *held.tree("t").get("k39");
    const std::string copy(view);
    const Hash state = held.state_hash();
    for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 300; ++i) put(db, "t", i % 40, 2000);
        db.prune(AsOf::txn(db.begin_read().txn() - 3));
        db.compact();
        CHECK(view == copy);
        REQUIRE(held.state_hash() == state);
    }
    check_whole(db);
}

TEST_CASE("Who asks for what is not kept, or does not exist yet, is told what there is", "[PAST-3][ERR-1]") {
    constexpr Txn k_horizon = 6;
    const Workplace place;
    const std::string path = place / "a.db";
    Database db = Database::open(path, lazy(History::everything()));
    for (int i = 1; i <= 10; ++i) put(db, "t", i);
    db.prune(AsOf::txn(k_horizon));
    const Txn newest = db.begin_read().txn();
    const auto sentence = [](const auto& fn) -> std::string {
        try {
            fn();
        } catch (const Error& error) {
            return error.what();
        }
        return "nothing";
    };
    const std::string before = std::to_string(k_horizon - 1);
    const std::string behind = std::to_string(newest + 1);
    const std::string gone = "txn " + before + " is not kept any more";
    const std::string not_yet = "txn " + behind + " does not exist yet";
    CHECK(sentence([&] { db.begin_read(AsOf::txn(k_horizon - 1)); }) ==
          "the oldest readable state of " + path + " is txn " + std::to_string(k_horizon) + "; " + gone);
    CHECK(sentence([&] { db.begin_read(AsOf::txn(newest + 1)); }) ==
          not_yet + "; the newest is " + std::to_string(newest));
    const std::string of_log = "the log of " + path + " begins with txn " + std::to_string(k_horizon) + "; " + gone;
    CHECK(sentence([&] { db.commits(k_horizon - 1); }) == of_log);
    CHECK(sentence([&] { db.commit(k_horizon - 1); }) == of_log);
    CHECK(sentence([&] { db.feed(k_horizon - 1); }) == of_log);
    CHECK(sentence([&] { db.chain_hash(k_horizon - 1); }) == "the chain hash of " + gone);
    CHECK(sentence([&] { db.chain_hash(newest + 1); }) == not_yet);
    CHECK(db.commit(k_horizon)->txn == k_horizon);
    CHECK(db.begin_read(AsOf::txn(k_horizon)).txn() == k_horizon);
    CHECK_FALSE(db.commit(newest + 1));
    Database without = Database::open(place / "b.db", lazy(History::nothing()));
    put(without, "t", 1);
    CHECK(sentence([&] { without.begin_read(AsOf::txn(0)); }) ==
          place / "b.db keeps no history; only the present can be read");
}

TEST_CASE("A feed that falls behind the horizon is told so", "[PAST-8][PAST-9]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::everything()));
    for (int i = 0; i < 50; ++i) put(db, "t", i);
    db.sync();
    Feed feed = db.feed(1);
    for (int i = 0; i < 10; ++i) REQUIRE(feed.next(1000));
    const FeedPosition position = feed.position();
    db.acknowledge("reader", position);
    Feed ahead = db.feed(30);
    db.prune(AsOf::txn(25));
    CHECK(code_of([&] { feed.next(0); }) == Errc::before_horizon);
    CHECK(code_of([&] { db.feed(position); }) == Errc::before_horizon);
    CHECK(code_of([&] { db.feed(*db.consumer("reader")); }) == Errc::before_horizon);
    REQUIRE(ahead.next(1000));
    CHECK(ahead.position().txn == 30);
    CHECK(ahead.position().chain == db.chain_hash(30));
    CHECK(db.feed(25).next(0)->txn == 25);
}

TEST_CASE("Retention by number of txns keeps at most about twice what was asked for", "[PAST-4][PAST-5]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::last(1000)));
    Txn most = 0;
    for (int i = 1; i <= 20000; ++i) {
        put(db, "t", i % 97, 500);
        if (i % 250 != 0) continue;
        db.checkpoint();
        const Statistics now = db.statistics();
        most = std::max(most, now.txn - now.oldest_txn);
        if (i >= 1000) REQUIRE(now.oldest_txn <= now.txn - 1000);
        REQUIRE(read(db, "t", i % 97, static_cast<Txn>(i)) == std::to_string(i));
        if (i > 1000) REQUIRE(read(db, "t", (i - 1000) % 97, static_cast<Txn>(i - 1000)) == std::to_string(i - 1000));
    }
    // Twice 1000 txns, and what lies behind the last sealed megabyte of the log, which is about 2000.
    CHECK(most < 2000 + 2 * 2100);
    const Statistics now = db.statistics();
    CHECK(code_of([&] { db.begin_read(AsOf::txn(now.oldest_txn - 1)); }) == Errc::before_horizon);
    CHECK(now.log_bytes < 20u << 20);
    check_whole(db);
}

TEST_CASE("Retention by duration counts from the newest commit", "[PAST-4][PAST-5]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::duration(1'000'000)));
    for (int i = 1; i <= 9000; ++i) {
        Transaction tx = db.begin_write();
        tx.set_time_us(static_cast<std::uint64_t>(i) * 1000);  // a second is 1000 txns
        tx.tree("t").put("k" + std::to_string(i % 50), std::to_string(i) + std::string(700, '.'));
        tx.commit();
        if (i % 500 == 0) db.checkpoint();
    }
    const Statistics now = db.statistics();
    CHECK(now.oldest_txn > 3000);
    CHECK(now.oldest_txn <= 8000);
    CHECK(read(db, "t", 8000 % 50, 8000) == "8000");
    CHECK(code_of([&] { db.begin_read(AsOf::time(1000)); }) == Errc::before_horizon);
    CHECK(db.begin_read(AsOf::time(8'500'999)).txn() == 8500);
    check_whole(db);
}

TEST_CASE("Retention by a duration longer than there is a time to go back to keeps everything", "[PAST-4][PAST-5]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::duration(~std::uint64_t{0})));
    for (int i = 1; i <= 4000; ++i) {
        put(db, "t", i % 97, 1500);
        if (i % 500 == 0) db.checkpoint();
    }
    CHECK(db.statistics().oldest_txn == 0);
    CHECK(read(db, "t", 1, 1) == "1");
}

// Range deletions name no keys, so that a walk over the oldest state has to ask for each of its keys.
TEST_CASE("A scan of the past leaves out what a range deletion removed from the oldest state", "[PAST-1][PAST-4]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::nothing()));
    for (int i = 0; i < 10; ++i) put(db, "t", i);
    db.set_history(History::everything());
    db.checkpoint();
    Txn erased = 0;
    {
        Transaction tx = db.begin_write();
        tx.tree("t").erase_range("k3", "k7");
        erased = tx.commit().txn;
    }
    put(db, "t", 0);  // the leaf is no longer the answer
    const Snapshot then = db.begin_read(AsOf::txn(erased));
    const std::vector<std::string> left = {"k0", "k1", "k2", "k7", "k8", "k9"};
    CHECK(keys(then.tree("t"), false) == left);
    CHECK(keys(then.tree("t"), true) == left);
}

TEST_CASE("What is merged beyond a bound of memory becomes pieces, which answer as one", "[PAST-1][PAST-6][PAST-10]") {
    constexpr std::uint64_t k_piece = 16u << 10;
    const Workplace place;
    const std::shared_ptr<detail::DatabaseCore> core =
        detail::DatabaseCore::open(place / "a.db", lazy(History::everything()));
    core->set_seal_budget({128u << 20, {k_piece, ~std::uint64_t{0}}});
    Database db = detail::make_database(core);
    // A checkpoint seals what is a megabyte of log, and six segments become one.
    for (int seal = 0; seal < 8; ++seal) {
        for (int i = 0; i < 1200; ++i) put(db, i % 3 == 0 ? "t" : "u", i, 1000);
        {
            Transaction tx = db.begin_write();
            tx.tree("u").erase_range("k1", "k2");
            tx.commit();
        }
        db.checkpoint();
    }
    const std::vector<detail::StoredSegment>& segments = core->history()->segments();
    std::size_t pieces = 1;
    for (std::size_t i = 1; i < segments.size(); ++i) {
        CHECK(segments[i].bytes < 2 * k_piece);
        if (segments[i].last == segments[0].last) ++pieces;
    }
    CHECK(pieces > 4);
    CHECK(segments.size() < pieces + 6);
    check_whole(db);
    // Each value names the txn that wrote it, and key n is written by the txns n + 1, n + 1202, ...
    for (const int n : {0, 2, 100, 402, 1199}) {
        const std::string tree = n % 3 == 0 ? "t" : "u";
        for (Txn txn = 0; txn <= db.begin_read().txn(); txn += 377) {
            const Txn round = txn / 1201;
            const Txn into = txn % 1201;
            const auto before = static_cast<Txn>(n) + 1;
            const bool written = into >= before;
            std::optional<std::string> wanted;
            if (written || round > 0) wanted = std::to_string((written ? round : round - 1) * 1201 + before);
            if (tree == "u" && std::to_string(n).starts_with('1') && !written) wanted.reset();
            INFO("key " << n << " txn " << txn);
            CHECK(read(db, tree, n, txn) == wanted);
        }
    }
    CHECK(db.history("t", "k402").size() == 8);
    CHECK(db.history("u", "k100").size() == 16);
}

TEST_CASE("The history of a key does not end with what a tree held that was dropped before its horizon",
          "[PAST-4][PAST-6]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::everything()));
    put(db, "t", 1);
    put(db, "u", 1);
    {
        Transaction tx = db.begin_write();
        tx.drop_tree("t");
        tx.commit();
    }
    REQUIRE_FALSE(db.history("t", "k1").empty());
    db.set_history(History::nothing());
    db.set_history(History::everything());
    CHECK(db.history("t", "k1").empty());
    CHECK(db.history("u", "k1").size() == 1);
}

TEST_CASE("Trees have horizons of their own", "[PAST-3][PAST-4][PAST-5]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::everything()));
    {
        Transaction tx = db.begin_write();
        tx.set_history("short", History::last(100));
        tx.commit();
    }
    for (int i = 0; i < 40000; ++i) {
        put(db, i % 20 == 0 ? "long" : "short", i % 30, 60);
        if (i % 2000 == 0) db.checkpoint();
    }
    db.checkpoint();
    const Txn newest = db.begin_read().txn();
    CHECK(db.statistics().oldest_txn == 0);
    CHECK(read(db, "long", 20, 1000));
    CHECK(read(db, "short", static_cast<int>((newest - 92) % 30), newest - 90));
    CHECK(code_of([&] { db.begin_read(AsOf::txn(1000)).tree("short"); }) == Errc::before_horizon);
    CHECK(code_of([&] { db.begin_read(AsOf::txn(1000)).state_hash(); }) == Errc::before_horizon);
    // The index forgot the short tree's versions although the log is there.
    CHECK(db.statistics().history_bytes < 3u << 20);
    CHECK(db.commit(1));
    check_whole(db);
    // What is dropped and made again under the name has its own past.
    {
        Transaction tx = db.begin_write();
        tx.drop_tree("long");
        tx.commit();
    }
    put(db, "long", 1);
    db.checkpoint();
    CHECK(read(db, "long", 20, 1000));
    CHECK_FALSE(read(db, "long", 20, db.begin_read().txn()));
    check_whole(db);
}

TEST_CASE("A tree is there in the states that had it, and in no others", "[PAST-1][PAST-4]") {
    // Also where no past is kept but that of the trees which say so.
    const History by_default = GENERATE(History::everything(), History::nothing());
    CAPTURE(by_default.kind);
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(by_default));
    db.update([](Transaction& tx) { tx.set_history("other", History::everything()); });
    const Txn before = put(db, "other", 1);
    const auto make = [](Transaction& tx) {
        tx.tree("t").put("key", "value");
        tx.set_history("t", History::everything());
    };
    db.update(make);
    db.update([](Transaction& tx) { tx.drop_tree("t"); });
    put(db, "other", 2);
    db.update(make);
    put(db, "other", 3);
    for (const bool checkpoint : {false, true}) {
        CAPTURE(checkpoint);
        if (checkpoint) db.checkpoint();
        for (const Txn since : {0, 1, 2, 3, 4}) {
            CAPTURE(since);
            // What a dropped tree was stays readable under the default.
            if (since == 1 && by_default == History::nothing()) continue;
            const Snapshot then = db.begin_read(AsOf::txn(before + since));
            const bool there = since == 1 || since == 4;
            for (int asked = 0; asked < 2; ++asked) CHECK(then.tree("t").exists() == there);
            CHECK(keys(then.tree("t"), false).size() == (there ? 1 : 0));
            CHECK(then.tree("other").exists());
            CHECK_FALSE(then.tree("never").exists());
            // Nor does it show what is kept of the names of others.
            for (const char* const name : {"never", there ? "never" : "t"}) {
                for (const char* const key : {"t", "other", "key", ""}) CHECK_FALSE(then.tree(name).get(key));
                CHECK(then.tree(name).size() == 0);
            }
        }
    }
}

TEST_CASE("The last key of a tree of the past is found where the tree is gone since", "[PAST-1]") {
    Database db = Database::open(":memory:");
    db.update([](Transaction& tx) {
        for (const char* const key : {"a", "b"}) tx.tree("t").put(key, "value");
    });
    db.update([](Transaction& tx) { tx.drop_tree("t"); });
    const Snapshot then = db.begin_read(AsOf::txn(1));
    Cursor cursor = then.tree("t").cursor();
    REQUIRE(cursor.last());
    CHECK(cursor.key() == "b");
}

TEST_CASE("A tree that was dropped soon after history was turned on is in the states between", "[PAST-1][PAST-4]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::nothing()));
    put(db, "dropped", 1);
    put(db, "t", 1);
    db.checkpoint();
    db.set_history(History::everything());
    const Txn between = put(db, "t", 2);
    const Hash then = db.begin_read().state_hash();
    db.update([](Transaction& tx) { tx.drop_tree("dropped"); });
    for (int round = 0; round < 4; ++round) {
        CAPTURE(round);
        CHECK(db.begin_read(AsOf::txn(between)).tree("dropped").contains("k1"));
        CHECK(db.begin_read(AsOf::txn(between)).state_hash() == then);
        check_whole(db);
        put(db, "t", 3);
        db.checkpoint();
    }
}

TEST_CASE("The history of a key shows a tree that was made before the horizon and dropped behind it", "[PAST-6]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::everything()));
    const Txn made = put(db, "t", 1);
    const Txn horizon = put(db, "other", 1);
    const Txn changed = put(db, "t", 1);
    db.prune(AsOf::txn(horizon));
    db.update([](Transaction& tx) { tx.drop_tree("t"); });
    const std::vector<Version> versions = db.history("t", "k1");
    REQUIRE(versions.size() == 2);
    CHECK(versions[0].txn == changed);
    CHECK(versions[1].txn == made);
    CHECK(read(db, "t", 1, horizon) == std::to_string(made));
}

TEST_CASE("What is gone from a tree without history has no versions, beside trees that keep theirs",
          "[PAST-4][PAST-6]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::everything()));
    db.update([](Transaction& tx) {
        for (const char* const tree : {"emptied", "dropped"}) tx.set_history(tree, History::nothing());
    });
    put(db, "kept", 1);
    for (const char* const tree : {"emptied", "dropped"}) put(db, tree, 1);
    db.update([](Transaction& tx) {
        tx.tree("emptied").erase("k1");
        tx.drop_tree("dropped");
    });
    for (const bool checkpoint : {false, true}) {
        CAPTURE(checkpoint);
        if (checkpoint) db.checkpoint();
        for (const char* const tree : {"emptied", "dropped"}) CHECK(db.history(tree, "k1").empty());
        CHECK(db.history("kept", "k1").size() == 1);
    }
}

TEST_CASE("Without history a key has its present version", "[PAST-4][PAST-6]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", lazy(History::nothing()));
    Txn newest = 0;
    for (int i = 0; i < 3; ++i) newest = put(db, "t", 1);
    for (const bool checkpoint : {false, true}) {
        CAPTURE(checkpoint);
        if (checkpoint) db.checkpoint();
        const std::vector<Version> versions = db.history("t", "k1");
        REQUIRE(versions.size() == 1);
        CHECK(versions[0].txn == newest);
    }
}

TEST_CASE("A time before the horizon is before it also where the log begins behind it", "[PAST-3][SPACE-5]") {
    constexpr Txn k_horizon = 5;
    constexpr Txn k_newest = 10;
    const Workplace place;
    {
        Database db = Database::open(place / "a.db", lazy(History::everything()));
        for (Txn txn = 1; txn <= k_newest; ++txn) {
            Transaction tx = db.begin_write();
            tx.set_time_us(1000 * txn);
            tx.tree("t").put("key", std::to_string(txn));
            tx.commit();
        }
        db.prune(AsOf::txn(k_horizon));
    }
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(k_newest));
    for (const char* const name : {"a.db", "b.db"}) {
        CAPTURE(name);
        const Database db = Database::open(place / name, lazy(History::everything()));
        CHECK(db.oldest_state().time_us == 1000 * k_horizon);
        for (Txn txn = k_horizon; txn < k_newest; ++txn) {
            CHECK(db.begin_read(AsOf::time(1000 * txn)).txn() == txn);
            CHECK(db.begin_read(AsOf::time(1000 * txn + 999)).txn() == txn);
        }
        for (const std::uint64_t time_us : {1000 * k_horizon - 1, std::uint64_t{0}}) {
            CHECK(code_of([&] { db.begin_read(AsOf::time(time_us)); }) == Errc::before_horizon);
        }
    }
}
