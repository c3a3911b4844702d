// api_writing_test.cpp -- ordinary writing through the public interface: transactions, trees, retention, copies.
#include "txn_support.hpp"

#include <algorithm>
#include <thread>

namespace {

using namespace northstar;
using txn_test::Workplace;

Options quiet() {
    Options options;
    options.background = false;
    return options;
}

}  // namespace

TEST_CASE("Each write does what it says", "[KV-2][KV-5]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    CHECK(tx.base_txn() == 0);
    WritableTree tree = tx.tree("t");
    CHECK_FALSE(tree.exists());
    CHECK_FALSE(tree.erase("a"));
    CHECK(tree.erase_range("", std::nullopt) == 0);
    CHECK_FALSE(tree.compare_and_swap("a", "not there", "x"));
    CHECK(tree.compare_and_swap("a", std::nullopt, std::nullopt));
    CHECK_FALSE(tree.exists());
    CHECK(tree.put_if_absent("a", "1"));
    CHECK(tree.exists());
    CHECK_FALSE(tree.put_if_absent("a", "2"));
    CHECK(tree.get("a") == "1");
    CHECK_FALSE(tree.erase("b"));
    CHECK_FALSE(tree.compare_and_swap("a", "2", "3"));
    CHECK(tree.compare_and_swap("a", "1", "3"));
    CHECK(tree.get("a") == "3");
    CHECK_FALSE(tree.compare_and_swap("a", std::nullopt, "4"));
    CHECK(tree.compare_and_swap("a", "3", std::nullopt));
    CHECK_FALSE(tree.contains("a"));
    CHECK(tree.compare_and_swap("a", std::nullopt, "5"));
    for (int i = 0; i < 1000; ++i) tree.append("k" + std::to_string(1000 + i), std::string(20, 'v'));
    CHECK(tree.size() == 1001);
    CHECK(tree.erase_range("k1100", "k1200") == 100);
    CHECK(tree.erase_range("k1200", "k1100") == 0);
    CHECK(tree.erase_range("k1900", std::nullopt) == 100);
    CHECK(tree.size() == 801);
    CHECK(tree.erase("k1000"));
    CHECK(tx.tree_names() == std::vector<std::string>{"t"});
    const Commit commit = tx.commit();
    CHECK(commit.txn == 1);
    CHECK(commit.time_us > 1'600'000'000'000'000u);
    CHECK(commit.hash() == db.chain_hash(1));
    CHECK(db.begin_read().tree("t").size() == 800);
    CHECK(db.begin_read().time_us() == commit.time_us);
    CHECK(db.verify().ok());
}

TEST_CASE("Transactions that write nothing make no txn", "[TX-9]") {
    Database db = Database::open(":memory:", quiet());
    {
        Transaction tx = db.begin_write();
        CHECK(tx.commit().txn == 0);
    }
    {
        Transaction tx = db.begin_write();
        tx.annotate("who", "nobody");
        const Savepoint start = tx.savepoint();
        tx.tree("t").put("a", "1");
        tx.rollback_to(start);
        tx.tree("t").erase("a");
        CHECK(tx.commit().txn == 0);
    }
    CHECK(db.update([](Transaction& tx) { static_cast<void>(tx.tree("t").get("a")); }).txn == 0);
    CHECK(db.begin_read().txn() == 0);
    CHECK(db.begin_read().tree_names().empty());
}

TEST_CASE("What is rolled back leaves nothing, at any depth", "[TX-5][TX-6]") {
    Database db = Database::open(":memory:", quiet());
    {
        Transaction tx = db.begin_write();
        tx.tree("t").put("dropped", "1");
        tx.tree("t").put("large", std::string(50'000, 'a'));
    }
    CHECK(db.begin_read().txn() == 0);
    Transaction tx = db.begin_write();
    WritableTree tree = tx.tree("t");
    tree.put("a", "1");
    const Savepoint first = tx.savepoint();
    tree.put("a", "2");
    tree.put("large", std::string(50'000, 'b'));
    tx.tree("u").put("x", "1");
    const Savepoint second = tx.savepoint();
    tree.erase_range("", std::nullopt);
    tx.drop_tree("u");
    CHECK(tree.size() == 0);
    CHECK(tx.tree_names() == std::vector<std::string>{"t"});
    tx.rollback_to(second);
    CHECK(tree.get("a") == "2");
    CHECK(tree.get("large") == std::string(50'000, 'b'));
    CHECK(tx.tree("u").get("x") == "1");
    CHECK(tx.tree_names() == std::vector<std::string>{"t", "u"});
    tx.rollback_to(second);
    tx.rollback_to(first);
    CHECK(tree.get("a") == "1");
    CHECK_FALSE(tree.contains("large"));
    CHECK_FALSE(tx.tree("u").exists());
    tx.rollback_to(first);
    tree.put("b", "2");
    CHECK(tx.commit().txn == 1);
    const Snapshot now = db.begin_read();
    CHECK(now.tree("t").size() == 2);
    CHECK(now.tree_names() == std::vector<std::string>{"t"});
    CHECK(db.commit(1)->operations.size() == 3);
}

// The leaf that the keys in order went to is not that of the tree any more.
TEST_CASE("The version of a key whose commit is not kept has no time", "[PAST-5]") {
    Database db = Database::open(":memory:", quiet());
    for (const char* const value : {"1", "2", "3"}) {
        db.update([&](Transaction& tx) { tx.tree("t").put(value == std::string("3") ? "other" : "a", value); });
    }
    db.prune(AsOf::txn(3));
    const std::vector<Version> versions = db.history("t", "a");
    REQUIRE(versions.size() == 1);
    CHECK(versions[0].txn == 2);
    CHECK(versions[0].time_us == 0);
    CHECK(db.history("t", "other").at(0).time_us != 0);
}

TEST_CASE("Keys in order go on behind those that were rolled back", "[TX-6]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    WritableTree tree = tx.tree("t");
    for (int i = 100; i < 110; ++i) tree.put(std::to_string(i), "kept");
    const Savepoint savepoint = tx.savepoint();
    for (int i = 110; i < 120; ++i) tree.put(std::to_string(i), "undone");
    tx.rollback_to(savepoint);
    tree.put("120", "behind");
    CHECK(tree.get("120") == "behind");
    CHECK(tree.size() == 11);
    tx.commit();
    CHECK(db.begin_read().tree("t").get("120") == "behind");
    CHECK_FALSE(db.begin_read().tree("t").get("115"));
    CHECK(db.verify().ok());
}

TEST_CASE("Keys in order go on where those before them were erased", "[KV-2]") {
    const bool as_range = GENERATE(false, true);
    CAPTURE(as_range);
    Database db = Database::open(":memory:", quiet());
    std::vector<std::string> left;
    Transaction tx = db.begin_write();
    WritableTree tree = tx.tree("t");
    int next = 1000;
    for (std::size_t round = 0; round < 30; ++round) {
        for (int i = 0; i < 60; ++i) tree.put(left.emplace_back(std::to_string(next++)), std::string(40, 'v'));
        // The end of several leaves, or most of what is in them, so that they become one.
        const std::size_t from = left.size() - std::min(left.size(), round * 7);
        if (as_range && from < left.size()) tree.erase_range(left[from], std::nullopt);
        std::vector<std::string> kept(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(from));
        for (std::size_t i = from; i < left.size() && !as_range; ++i) {
            if (i % 4 == 0) {
                kept.push_back(left[i]);
            } else {
                CHECK(tree.erase(left[i]));
            }
        }
        left = kept;
    }
    tx.commit();
    std::vector<std::string> found;
    const Snapshot now = db.begin_read();
    for (auto [key, value] : now.tree("t").all()) found.emplace_back(key);
    CHECK(found == left);
    CHECK(db.verify().ok());
}

TEST_CASE("Keys in order go on behind one that divided the last page", "[KV-2]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    WritableTree tree = tx.tree("t");
    for (int i = 1000; i < 3000; i += 2) {
        tree.put(std::to_string(i), std::string(40, 'v'));
        tree.put(std::to_string(i - 21), std::string(40, 'v'));
    }
    tx.commit();
    CHECK(db.begin_read().tree("t").size() == 2000);
    CHECK(db.begin_read().tree("t").contains("2998"));
    CHECK(db.verify().ok());
}

TEST_CASE("A tree can be read as it was at a savepoint", "[TX-6]") {
    Database db = Database::open(":memory:", quiet());
    {
        Transaction tx = db.begin_write();
        tx.tree("committed").put("a", "1");
        tx.commit();
    }
    Transaction tx = db.begin_optimistic();
    tx.tree("t").put("a", "1");
    const Savepoint first = tx.savepoint();
    tx.tree("t").put("a", "2");
    tx.tree("t").put("b", "2");
    tx.tree("committed").erase("a");
    tx.tree("later").put("c", "3");
    const Savepoint second = tx.savepoint();
    tx.tree("t").erase("a");
    const Tree then = tx.tree_at("t", first);
    CHECK(then.get("a") == "1");
    CHECK_FALSE(then.contains("b"));
    CHECK(then.size() == 1);
    CHECK(tx.tree_at("t", second).get("a") == "2");
    CHECK(tx.tree_at("committed", first).get("a") == "1");
    CHECK_FALSE(tx.tree_at("later", first).exists());
    std::string keys;
    for (const KeyValue entry : tx.tree_at("t", second).all()) keys += entry.key;
    CHECK(keys == "ab");
    CHECK(tx.tree("t").size() == 1);
    tx.rollback_to(first);
    CHECK_THROWS_AS(tx.tree_at("t", second), Error);
    CHECK_THROWS_AS(tx.tree_at("t", Savepoint{}), Error);
    CHECK(then.get("a") == "1");
    tx.commit();
    CHECK(db.begin_read().tree("t").size() == 1);
}

TEST_CASE("A savepoint takes the annotations back that were made since", "[TX-6]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    tx.annotate("kept", "1");
    const Savepoint savepoint = tx.savepoint();
    tx.annotate("undone", "2");
    tx.rollback_to(savepoint);
    tx.tree("t").put("a", "1");
    tx.commit();
    const auto record = db.commit(1);
    REQUIRE(record->annotations.size() == 1);
    CHECK(record->annotations[0] == std::pair<std::string_view, std::string_view>("kept", "1"));
}

TEST_CASE("Listing trees inside a transaction keeps its savepoints", "[TX-6]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    tx.tree("t").put("a", "1");
    const Savepoint savepoint = tx.savepoint();
    tx.tree("t").put("a", "2");
    tx.tree("u").put("b", "2");
    CHECK(tx.tree_names().size() == 2);
    tx.tree("t").put("c", "3");
    tx.rollback_to(savepoint);
    CHECK(tx.tree_names() == std::vector<std::string>{"t"});
    CHECK(tx.tree("t").get("a") == "1");
    tx.commit();
    CHECK(db.begin_read().tree("t").size() == 1);
    CHECK(db.verify().ok());
}

TEST_CASE("What a dropped tree had is found and redacted among hundreds", "[KV-1][CHAIN-3]") {
    Database db = Database::open(":memory:", quiet());
    constexpr int k_trees = 300;  // their numbers take more than a byte
    Transaction tx = db.begin_write();
    for (int i = 0; i < k_trees; ++i) tx.tree("tree " + std::to_string(i)).put("k", std::to_string(i));
    tx.commit();
    const std::string last = "tree " + std::to_string(k_trees - 1);
    Transaction drop = db.begin_write();
    CHECK(drop.drop_tree(last));
    drop.commit();
    REQUIRE_FALSE(db.history(last, "k").empty());
    CHECK(db.history(last, "k").back().value == std::to_string(k_trees - 1));
    db.redact(last, "k", 1, "asked for");
    REQUIRE_FALSE(db.history(last, "k").empty());
    CHECK(db.history(last, "k").back().redacted);
}

TEST_CASE("A dropped tree's name can be used again, its past stays", "[KV-1][PAST-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    std::optional<Database> db(Database::open(path, quiet()));
    {
        Transaction tx = db->begin_write();
        tx.tree("t").put("a", "old");
        tx.tree("t").put("b", "old");
        tx.commit();
    }
    {
        Transaction tx = db->begin_write();
        CHECK(tx.drop_tree("t"));
        CHECK_FALSE(tx.drop_tree("t"));
        CHECK_FALSE(tx.tree("t").exists());
        tx.tree("t").put("a", "new");
        CHECK(tx.tree("t").size() == 1);
        tx.commit();
    }
    for (int round = 0; round < 2; ++round) {
        CHECK(db->begin_read().tree("t").get("a") == "new");
        CHECK_FALSE(db->begin_read().tree("t").contains("b"));
        CHECK(db->begin_read(AsOf::txn(1)).tree("t").get("a") == "old");
        CHECK(db->begin_read(AsOf::txn(1)).tree("t").size() == 2);
        CHECK(db->begin_read(AsOf::txn(0)).tree("t").size() == 0);
        CHECK(db->history("t", "a").size() >= 2);
        CHECK(db->diff(AsOf::txn(1), AsOf::txn(2)).size() == 2);
        db.reset();
        db.emplace(Database::open(path, quiet()));
    }
    CHECK(db->verify().ok());
}

TEST_CASE("Cursors of a transaction follow its writes", "[KV-3][SNAP-5]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    WritableTree tree = tx.tree("t");
    Cursor early = tree.cursor();
    CHECK_FALSE(early.first());
    for (int i = 0; i < 100; ++i) tree.put("k" + std::to_string(100 + i), "v");
    REQUIRE(early.first());
    Cursor cursor = tree.cursor();
    int erased = 0;
    for (bool there = cursor.first(); there; there = cursor.next()) {
        if (erased % 2 == 0) tree.erase(cursor.key());
        ++erased;
    }
    CHECK(erased == 100);
    CHECK(tree.size() == 50);
    REQUIRE(cursor.find("k151"));
    tree.put("k151", "changed");
    CHECK(cursor.value() == "changed");
    tree.put("k1505", "between");
    REQUIRE(cursor.prev());
    CHECK(cursor.key() == "k1505");
    tree.erase("k1505");
    CHECK(txn_test::code_of([&] { static_cast<void>(cursor.value()); }) == Errc::snapshot_closed);
    REQUIRE(cursor.next());
    CHECK(cursor.key() == "k151");
    int backwards = 0;
    for (bool there = cursor.last(); there; there = cursor.prev()) {
        tree.put(cursor.key(), std::string(3000, 'x'));
        ++backwards;
    }
    CHECK(backwards == 50);
    tx.commit();
    CHECK(db.verify().ok());
}

TEST_CASE("Values and keys may come from the tree they go to", "[SNAP-5][KV-2]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    WritableTree tree = tx.tree("t");
    tree.put("a", std::string(1000, 'a'));
    tree.put("large", std::string(40'000, 'l'));
    for (int i = 0; i < 40; ++i) {
        tree.put("copy" + std::to_string(i), *tree.get("a"));
        tree.put("copy of large " + std::to_string(i), *tree.get("large"));
        tree.put("a", *tree.get("a"));
        tree.put("large", *tree.get("large"));
    }
    CHECK(tree.get("a") == std::string(1000, 'a'));
    for (int i = 0; i < 40; ++i) {
        CHECK(tree.get("copy" + std::to_string(i)) == std::string(1000, 'a'));
        CHECK(tree.get("copy of large " + std::to_string(i)) == std::string(40'000, 'l'));
    }
    Cursor cursor = tree.cursor();
    REQUIRE(cursor.first());
    CHECK(tree.compare_and_swap(cursor.key(), tree.get(cursor.key()), tree.get("large")));
    CHECK(tree.get("a") == std::string(40'000, 'l'));
    CHECK(tree.compare_and_swap("large", tree.get("large"), tree.get("copy1")));
    CHECK(tree.get("large") == std::string(1000, 'a'));
    tx.commit();
    CHECK(db.verify().ok());
}

TEST_CASE("The key to erase may come from a full page of the tree itself", "[SNAP-5][KV-2]") {
    Database db = Database::open(":memory:", quiet());
    const auto name = [](int i) { return "k" + std::to_string(100'000 + i); };
    {
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree("t");
        // The value of each is the key of the one behind it.
        for (int i = 0; i < 5000; ++i) tree.put(name(i), name(i + 1));
        for (int i = 0; i < 5000; i += 2) CHECK(tree.erase(*tree.get(name(i))));
        tx.commit();
    }
    Snapshot snapshot = db.begin_read();
    Tree tree = snapshot.tree("t");
    for (int i = 0; i < 5000; ++i) CHECK(tree.contains(name(i)) == (i % 2 == 0));
    CHECK(db.verify().ok());
}

TEST_CASE("Large values come back whole, in every way of reading", "[SNAP-5][KV-4]") {
    const Workplace place;
    txn_test::Dice dice(3);
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Options options = quiet();
        options.read_mode = mode;
        const std::string path = place / (mode == ReadMode::map ? "a.db" : "b.db");
        std::optional<Database> db(Database::open(path, options));
        std::vector<std::string> values;
        for (const std::size_t size : {0u, 1u, 900u, 1100u, 2100u, 4095u, 4096u, 4097u, 65536u, 1000000u, 5000000u}) {
            values.push_back(dice.bytes(size));
            Transaction tx = db->begin_write();
            tx.tree("t").put(std::to_string(1000 + values.size()), values.back());
            tx.commit();
        }
        for (int round = 0; round < 3; ++round) {
            const Snapshot now = db->begin_read();
            std::size_t i = 0;
            for (auto [key, value] : now.tree("t").all()) {
                INFO("value of " << values[i].size() << " bytes, round " << round);
                CHECK((value == values[i]));
                ++i;
            }
            CHECK(i == values.size());
            const Snapshot then = db->begin_read(AsOf::txn(5));
            CHECK((then.tree("t").get("1005") == values[4]));
            CHECK_FALSE(then.tree("t").contains("1006"));
            if (round == 0) db->checkpoint();
            if (round == 1) {
                db.reset();
                db.emplace(Database::open(path, options));
            }
        }
        CHECK(db->verify().ok());
    }
}

TEST_CASE("Commit times never go back", "[TRUTH-3]") {
    Database db = Database::open(":memory:", quiet());
    const auto commit_at = [&](std::uint64_t time) {
        Transaction tx = db.begin_write();
        tx.tree("t").put("a", std::to_string(time));
        tx.set_time_us(time);
        return tx.commit().time_us;
    };
    CHECK(commit_at(5000) == 5000);
    CHECK(commit_at(3000) == 5000);
    CHECK(commit_at(7000) == 7000);
    CHECK(db.begin_read(AsOf::time(5000)).txn() == 2);
    // Behind the last time that there is no commit could have one of its own, and SQL could not show it.
    constexpr std::uint64_t k_last = ~std::uint64_t{0} >> 1;
    {
        Transaction tx = db.begin_write();
        CHECK(txn_test::code_of([&] { tx.set_time_us(k_last + 1); }) == Errc::invalid_argument);
    }
    CHECK(commit_at(k_last) == k_last);
}

TEST_CASE("An optimistic transaction whose base is gone is done again on the newest state", "[TX-3]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_optimistic();
    tx.tree("t").put("mine", "1");
    tx.tree("t").put("mine too", std::string(30'000, 'x'));
    for (int i = 0; i < 3; ++i) {
        Transaction other = db.begin_write();
        other.tree(i == 0 ? "u" : "v").put("theirs " + std::to_string(i), "2");
        other.commit();
        db.checkpoint();
    }
    // A tree made by both sides is a conflict of numbers; the user tries again.
    const auto code = txn_test::code_of([&] { tx.commit(); });
    if (code) {
        CHECK(code == Errc::conflict);
        CHECK(db.update([](Transaction& again) { again.tree("t").put("mine", "1"); }).txn == 4);
    }
    Transaction second = db.begin_optimistic();
    second.tree("t").put("blind", "1");
    second.tree("t").erase_range("x", "z");
    {
        Transaction other = db.begin_write();
        other.tree("t").put("other", "2");
        other.commit();
    }
    CHECK(second.commit().txn == 6);
    const Snapshot now = db.begin_read();
    CHECK(now.tree("t").get("blind") == "1");
    CHECK(now.tree("t").get("other") == "2");
    CHECK(now.tree("u").get("theirs 0") == "2");
    CHECK(db.verify().ok());
}

TEST_CASE("update gives back what its function throws and changes nothing", "[TX-4]") {
    Database db = Database::open(":memory:", quiet());
    CHECK_THROWS_AS(db.update([](Transaction& tx) {
        tx.tree("t").put("a", "1");
        throw std::runtime_error("no");
    }),
                    std::runtime_error);
    CHECK(db.begin_read().txn() == 0);
    CHECK(db.update([](Transaction& tx) { tx.tree("t").put("a", "1"); }).txn == 1);
}

TEST_CASE("update that meets one conflict after the other has the writer's turn in the end", "[TX-4]") {
    Database db = Database::open(":memory:", quiet());
    int calls = 0;
    int changed = 0;
    std::optional<Errc> refused;
    db.update([&](Transaction& tx) {
        ++calls;
        static_cast<void>(tx.tree("t").get("n"));
        std::thread([&] {
            refused = txn_test::code_of([&] {
                Transaction other = db.begin_write({Durability::lazy, 0});
                other.tree("t").put("n", std::to_string(calls));
                other.commit();
                ++changed;
            });
        }).join();
        tx.tree("t").put("n", "mine");
    });
    CHECK(calls == changed + 1);
    CHECK(changed > 1);
    CHECK(refused == Errc::timeout);
    CHECK(db.begin_read().tree("t").get("n") == "mine");
}

TEST_CASE("Increments of several threads all count", "[TX-4][TX-3]") {
    Options options;
    options.lazy_flush_ms = 5;
    Database db = Database::open(":memory:", options);
    constexpr int k_threads = 4;
    const int each = txn_test::scaled(200);
    std::vector<std::thread> threads;
    for (int t = 0; t < k_threads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) {
                db.update(
                    [](Transaction& tx) {
                        const auto now = tx.tree("t").get("n");
                        tx.tree("t").put("n", std::to_string((now ? std::stoi(std::string(*now)) : 0) + 1));
                    },
                    {t % 2 == 0 ? Durability::lazy : Durability::full, std::nullopt});
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(db.begin_read().tree("t").get("n") == std::to_string(k_threads * each));
    CHECK(db.begin_read().txn() == static_cast<Txn>(k_threads * each));
}

TEST_CASE("Retention is kept per tree and for the database", "[PAST-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Options options = quiet();
    options.history = History::nothing();
    {
        Database db = Database::open(path, options);
        CHECK(db.history() == History::nothing());
        Transaction tx = db.begin_write();
        tx.tree("t").put("a", "1");
        tx.commit();
        db.checkpoint();
    }
    Database db = Database::open(path, quiet());
    CHECK(db.history() == History::nothing());
    db.set_history(History::everything());
    CHECK(db.history() == History::everything());
    const Txn from = db.begin_read().txn();
    for (int i = 0; i < 3; ++i) {
        Transaction tx = db.begin_write();
        tx.tree("t").put("a", std::to_string(i));
        tx.commit();
        db.checkpoint();
    }
    // The state where it was turned on is not kept: refused, or right, never something else.
    for (Txn txn = from; txn < from + 3; ++txn) {
        INFO("txn " << txn);
        const std::string wanted = txn == from ? "1" : std::to_string(txn - from - 1);
        std::string got;
        const auto code = txn_test::code_of([&] { got = db.begin_read(AsOf::txn(txn)).tree("t").get("a").value(); });
        CHECK(code.value_or(Errc::before_horizon) == Errc::before_horizon);
        if (!code) CHECK(got == wanted);
    }
    CHECK(db.begin_read().tree("t").get("a") == "2");
    CHECK(db.verify().ok());
}

TEST_CASE("A tree without history beside one with it", "[PAST-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    std::optional<Database> db(Database::open(path, quiet()));
    {
        Transaction tx = db->begin_write();
        tx.set_history("cache", History::nothing());
        CHECK(tx.tree("cache").exists());
        tx.commit();
    }
    for (int i = 0; i < 200; ++i) {
        Transaction tx = db->begin_write({Durability::lazy, std::nullopt});
        tx.tree("cache").put("c", std::to_string(i));
        tx.tree("kept").put("k", std::to_string(i));
        tx.tree("kept").put("bulk", std::string(2000, 'x'));
        tx.commit();
        if (i % 50 == 0) db->checkpoint();
    }
    db.reset();
    db.emplace(Database::open(path, quiet()));
    CHECK(db->begin_read(AsOf::txn(51)).tree("kept").get("k") == "49");
    CHECK(db->begin_read().tree("cache").get("c") == "199");
    CHECK(db->history("kept", "k").size() == 200);
    // The setting may change: what was sealed under the older one is not damage.
    {
        Transaction tx = db->begin_write();
        tx.set_history("cache", History::everything());
        tx.commit();
    }
    db->checkpoint();
    const VerifyReport report = db->verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
}

TEST_CASE("An identity belongs to a file, options are kept in it", "[ONE-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    std::string uuid;
    {
        Options options = quiet();
        options.page_size = 16384;
        options.log_align = 4096;
        const Database db = Database::open(path, options);
        uuid = db.uuid();
        CHECK(uuid.size() == 36);
        CHECK(db.parent().uuid.empty());
        CHECK(db.statistics().page_size == 16384);
        CHECK(db.max_key_size() > 1024);
    }
    const Database db = Database::open(path, quiet());
    CHECK(db.uuid() == uuid);
    CHECK(db.statistics().page_size == 16384);
    CHECK(db.path().find("a.db") != std::string::npos);
    const Database other = Database::open(place / "b.db", quiet());
    CHECK(other.uuid() != uuid);
    CHECK(std::string(version()) == NORTHSTAR_VERSION);
    CHECK(std::string(source_id()).starts_with(NORTHSTAR_VERSION));
}

TEST_CASE("Statistics count what was done") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    for (int i = 0; i < 10; ++i) {
        Transaction tx = db.begin_write({i < 5 ? Durability::full : Durability::lazy, std::nullopt});
        tx.tree("t").put("k" + std::to_string(i), std::string(1000, 'v'));
        tx.commit();
    }
    Statistics now = db.statistics();
    CHECK(now.txn == 10);
    CHECK(now.durable_txn >= 5);
    CHECK(now.commits == 10);
    CHECK(now.trees == 1);
    CHECK(now.entries == 10);
    CHECK(now.log_bytes_since_checkpoint > 10'000);
    CHECK(now.snapshots_open == 0);
    CHECK_FALSE(now.poisoned);
    db.sync();
    CHECK(db.statistics().durable_txn == 10);
    const std::uint64_t generation = now.generation;
    db.checkpoint();
    now = db.statistics();
    CHECK(now.generation == generation + 1);
    CHECK(now.checkpoints == 1);
    CHECK(now.log_bytes_since_checkpoint < 1000);
    CHECK(now.file_bytes > 0);
    const Snapshot held = db.begin_read();
    CHECK(db.statistics().snapshots_open == 1);
}

TEST_CASE("Statistics may be asked for while snapshots come and go") {
    Options options;
    options.lazy_flush_ms = 1;
    Database db = Database::open(":memory:", options);
    std::atomic<int> running{2};
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        for (int i = 0; i < 300; ++i) {
            Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
            tx.tree("t").put("k", std::to_string(i));
            tx.commit();
        }
        --running;
    });
    threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
            // More at a time than before: slots that were never used.
            std::vector<Snapshot> many;
            for (int k = 0; k < 20 * i; ++k) many.push_back(db.begin_read());
        }
        --running;
    });
    while (running != 0) {
        const Statistics now = db.statistics();
        CHECK(now.oldest_snapshot_txn <= 300);
        std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(db.statistics().snapshots_open == 0);
    CHECK(db.statistics().txn == 300);
}

TEST_CASE("Copies hold the state, the log and the past", "[SPACE-5][TRUTH-5]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    for (int i = 1; i <= 20; ++i) {
        Transaction tx = db.begin_write();
        tx.tree("t").put("k" + std::to_string(i % 7), std::to_string(i));
        tx.tree("t").put("large", std::string(static_cast<std::size_t>(i) * 1000, 'x'));
        tx.commit();
        if (i == 12) db.checkpoint();
    }
    const Hash hash = db.begin_read().state_hash();
    db.backup(place / "backup.db");
    db.vacuum_into(place / "dense.db");
    {
        const Database copy = Database::open(place / "backup.db", quiet());
        CHECK(copy.begin_read().txn() == 20);
        CHECK(copy.begin_read().state_hash() == hash);
        CHECK(copy.begin_read(AsOf::txn(5)).state_hash() == db.begin_read(AsOf::txn(5)).state_hash());
        CHECK(copy.chain_hash(20) == db.chain_hash(20));
        CHECK(copy.verify().ok());
    }
    {
        const Database dense = Database::open(place / "dense.db", quiet());
        CHECK(dense.begin_read().state_hash() == hash);
        CHECK(dense.uuid() != db.uuid());
        CHECK(dense.parent().uuid == db.uuid());
        CHECK(dense.parent().txn == 20);
        CHECK(dense.verify().ok());
    }
    const Hash tenth = db.begin_read(AsOf::txn(10)).state_hash();
    db.close();
    Database::restore(place / "a.db", place / "tenth.db", AsOf::txn(10));
    Database::replay(place / "a.db", place / "replayed.db", AsOf::txn(10));
    for (const char* name : {"tenth.db", "replayed.db"}) {
        INFO(name);
        Database copy = Database::open(place / name, quiet());
        CHECK(copy.begin_read().txn() == 10);
        CHECK(copy.begin_read().state_hash() == tenth);
        Transaction tx = copy.begin_write();
        tx.tree("t").put("goes", "on");
        CHECK(tx.commit().txn == 11);
        CHECK(copy.verify().ok());
    }
}

TEST_CASE("What is held in memory stays near its limit under a load of small transactions", "[CALM-1][slow]") {
    const Workplace place;
    Options options = quiet();
    options.overlay_limit = 16u << 20;
    options.checkpoint_log_bytes = 1u << 20;
    options.background = true;
    Database db = Database::open(place / "a.db", options);
    txn_test::Dice dice(5);
    std::uint64_t most = 0;
    for (int i = 0; i < txn_test::scaled(2000); ++i) {
        Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
        for (int k = 0; k < 10; ++k) tx.tree("t").put(std::to_string(dice.below(20000)), std::string(200, 'v'));
        tx.commit();
        if (i % 20 == 0) most = std::max(most, db.statistics().overlay_bytes);
    }
    INFO("most " << most << " of " << options.overlay_limit);
    CHECK(most <= 2 * options.overlay_limit);
    CHECK(db.verify().ok());
}

TEST_CASE("A database in memory has every ability and leaves no file", "[ONE-3]") {
    Database db = Database::open(":memory:", {});
    Database other = Database::open(":memory:", {});
    {
        Transaction tx = db.begin_write();
        tx.tree("t").put("a", "1");
        tx.commit();
    }
    CHECK(other.begin_read().txn() == 0);
    db.checkpoint();
    db.sync();
    CHECK(db.begin_read(AsOf::txn(0)).tree_names().empty());
    CHECK(db.history("t", "a").size() == 1);
    CHECK(db.verify().ok());
    CHECK_FALSE(std::filesystem::exists(":memory:"));
}
