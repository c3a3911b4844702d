// api_reading_test.cpp -- ordinary reading through the public interface: snapshots, trees, cursors, ranges, the past.
#include "txn_support.hpp"

#include <algorithm>
#include <array>
#include <thread>

namespace {

using namespace northstar;
using txn_test::Workplace;

Options quiet() {
    Options options;
    options.background = false;
    return options;
}

Txn put(Database& db, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree("t").put(key, value);
    return tx.commit().txn;
}

std::string keys_of(Range range) {
    std::string out;
    for (auto [key, value] : range) {
        if (!out.empty()) out += ' ';
        out += key;
    }
    return out;
}

/// a0 a1 ... e9 in tree t, values are the keys twice.
void fill(Database& db) {
    Transaction tx = db.begin_write();
    for (char c = 'a'; c <= 'e'; ++c) {
        for (char d = '0'; d <= '9'; ++d) {
            const std::string key{c, d};
            tx.tree("t").put(key, key + key);
        }
    }
    tx.commit();
}

/// Calls `look` with a tree of three thousand entries from key10000 on, their values `value_of` their number, as a
/// snapshot of the present, one of the past and a transaction show it.
template <class ValueOf, class Look>
void in_every_view(ValueOf&& value_of, Look&& look) {
    for (const bool past : {false, true}) {
        for (const bool in_transaction : {false, true}) {
            if (past && in_transaction) continue;
            INFO("past " << past << ", in a transaction " << in_transaction);
            Database db = Database::open(":memory:", quiet());
            db.update([&](Transaction& tx) {
                for (int i = 0; i < 3000; ++i) tx.tree("t").put("key" + std::to_string(10000 + i), value_of(i));
            });
            if (past) db.update([](Transaction& tx) { tx.tree("t").erase_range("key10100", "key12000"); });
            const Snapshot snapshot = past ? db.begin_read(AsOf::txn(1)) : db.begin_read();
            std::optional<Transaction> tx;
            if (in_transaction) tx = db.begin_write();
            look(in_transaction ? Tree(tx->tree("t")) : snapshot.tree("t"));
        }
    }
}

}  // namespace

TEST_CASE("A new database is empty at txn 0", "[KV-1][ONE-3]") {
    for (const bool memory : {true, false}) {
        const Workplace place;
        const Database db = Database::open(memory ? ":memory:" : place / "a.db", quiet());
        const Snapshot now = db.begin_read();
        CHECK(now.txn() == 0);
        CHECK(now.tree_names().empty());
        const Tree tree = now.tree("t");
        CHECK(tree.name() == "t");
        CHECK_FALSE(tree.exists());
        CHECK(tree.size() == 0);
        CHECK_FALSE(tree.get("a").has_value());
        CHECK_FALSE(tree.txn_of("a").has_value());
        CHECK(keys_of(tree.all()).empty());
        CHECK(keys_of(tree.all().reversed()).empty());
        Cursor cursor = tree.cursor();
        CHECK_FALSE(cursor.first());
        CHECK_FALSE(cursor.last());
        CHECK_FALSE(cursor.lower_bound(""));
        CHECK(tree.estimate("a", "z").high == 0);
        CHECK(now.state_hash() == db.begin_read(AsOf::txn(0)).state_hash());
        CHECK(db.verify().ok());
    }
}

TEST_CASE("A snapshot stays as it was opened, a moved one too", "[SNAP-1]") {
    Database db = Database::open(":memory:", quiet());
    put(db, "a", "1");
    Snapshot first = db.begin_read();
    put(db, "a", "2");
    Snapshot second = db.begin_read();
    CHECK(first.txn() == 1);
    CHECK(second.txn() == 2);
    CHECK(first.tree("t").get("a") == "1");
    const Tree tree = second.tree("t");
    const Snapshot moved = std::move(second);
    CHECK(tree.get("a") == "2");
    CHECK(moved.txn() == 2);
    first = db.begin_read();
    CHECK(first.tree("t").get("a") == "2");
    CHECK(first.tree("t").txn_of("a") == 2);
    CHECK(db.statistics().snapshots_open == 2);
}

TEST_CASE("Each snapshot finds the trees that it has, dropped and made again under one name or not", "[SNAP-1][KV-1]") {
    // Snapshots of three states take turns at asking, so that what one of them found helps none of the others.
    constexpr int k_trees = 100;
    Database db = Database::open(":memory:", quiet());
    const auto name = [](int tree) { return "the tree with the number " + std::to_string(tree); };
    const auto make = [&](int step, const char* value) {
        db.update([&](Transaction& tx) {
            for (int tree = 0; tree < k_trees; tree += step) tx.tree(name(tree)).put("key", value);
        });
    };
    make(1, "first");
    const Snapshot first = db.begin_read();
    db.update([&](Transaction& tx) {
        for (int tree = 0; tree < k_trees; tree += 2) CHECK(tx.drop_tree(name(tree)));
    });
    const Snapshot dropped = db.begin_read();
    make(4, "again");
    const Snapshot again = db.begin_read();
    for (int round = 0; round < 2; ++round) {
        for (int tree = 0; tree < k_trees; ++tree) {
            INFO(name(tree));
            CHECK(again.tree(name(tree)).get("key").value_or("none") ==
                  (tree % 4 == 0 ? "again" : tree % 2 == 0 ? "none" : "first"));
            CHECK(first.tree(name(tree)).get("key") == "first");
            CHECK(dropped.tree(name(tree)).exists() == (tree % 2 != 0));
        }
    }
}

TEST_CASE("Values read in pieces are those that a cursor finds step by step", "[KV-3][PAST-1]") {
    const auto value_of = [](int i) {
        return std::string(i % 500 == 7 ? 60000 : static_cast<std::size_t>(i) % 90, 'v');
    };
    in_every_view(value_of, [](const Tree& tree) {
        std::vector<std::string> expected;
        Cursor cursor = tree.cursor();
        for (bool there = cursor.lower_bound("key10005"); there; there = cursor.next())
            expected.emplace_back(cursor.value());
        CHECK(expected.size() == 2995);
        CHECK(cursor.read_values({}) == 0);
        std::vector<std::string> found;
        std::vector<std::string_view> piece(173);
        REQUIRE(cursor.lower_bound("key10005"));
        CHECK(cursor.read_values({}) == 0);
        while (const std::size_t count = cursor.read_values(piece)) {
            for (std::size_t i = 0; i < count; ++i) found.emplace_back(piece[i]);
            if (cursor.valid()) CHECK(cursor.value() == expected[found.size()]);
        }
        CHECK_FALSE(cursor.valid());
        CHECK(found == expected);
        // Up to a key, which is not read: in the middle of a leaf, far behind, before the first one.
        for (const char* const to : {"key10006", "key10099", "key10099x", "key12500", "key19999", "z", "a"}) {
            INFO("to " << to);
            std::vector<std::string> below, all;
            for (auto [key, value] : tree.range("key10005", std::max(std::string("key10005"), std::string(to))))
                below.emplace_back(value);
            REQUIRE(cursor.lower_bound("key10005"));
            while (const std::size_t count = cursor.read_values(piece, to))
                for (std::size_t i = 0; i < count; ++i) all.emplace_back(piece[i]);
            CHECK(all == below);
            if (cursor.valid()) CHECK(cursor.key() >= to);
        }
    });
}

TEST_CASE("Entries that are read at once are those that are read one by one", "[KV-3][PAST-1]") {
    const auto value_of = [](int i) {
        return i == 500 ? std::string(20000, 'l')
                        : std::to_string(i) + std::string(static_cast<std::size_t>(i) % 50, 'x');
    };
    in_every_view(value_of, [](const Tree& tree) {
        Cursor cursor = tree.cursor();
        std::string bytes = "what was there";
        std::vector<KeyValue> piece(173);
        CHECK(cursor.read_entries(piece, bytes) == 0);
        for (const std::optional<std::string_view> to :
             {std::optional<std::string_view>(), std::optional<std::string_view>("key10006"),
              std::optional<std::string_view>("key12500x"), std::optional<std::string_view>("a")}) {
            INFO("to " << to.value_or("the end"));
            std::vector<std::pair<std::string, std::string>> expected, found;
            for (bool there = cursor.lower_bound("key10005"); there && (!to || cursor.key() < *to);
                 there = cursor.next())
                expected.emplace_back(cursor.key(), cursor.value());
            REQUIRE(cursor.lower_bound("key10005"));
            CHECK(cursor.read_entries({}, bytes) == 0);
            while (const std::size_t count = cursor.read_entries(piece, bytes, to))
                for (std::size_t i = 0; i < count; ++i) found.emplace_back(piece[i].key, piece[i].value);
            CHECK(found == expected);
            CHECK(cursor.valid() == to.has_value());
            if (cursor.valid()) CHECK(cursor.key() >= *to);
        }
    });
}

TEST_CASE("Entries that are read at once are those that the transaction wrote meanwhile", "[KV-3]") {
    Database db = Database::open(":memory:", quiet());
    fill(db);
    Transaction tx = db.begin_write();
    WritableTree tree = tx.tree("t");
    Cursor cursor = tree.cursor();
    std::string bytes;
    std::vector<KeyValue> piece(2);
    REQUIRE(cursor.lower_bound("a3"));
    REQUIRE(cursor.read_entries(piece, bytes) == 2);
    CHECK(piece[1].key == "a4");
    tree.put("a5", "changed");
    tree.erase("a6");
    REQUIRE(cursor.read_entries(piece, bytes) == 2);
    CHECK(piece[0].value == "changed");
    CHECK(piece[1].key == "a7");
}

TEST_CASE("Cursors go both ways, turn round, and end at both ends", "[KV-3][PAST-1]") {
    for (const bool past : {false, true}) {
        for (const bool in_transaction : {false, true}) {
            if (past && in_transaction) continue;
            INFO("past " << past << ", in a transaction " << in_transaction);
            Database db = Database::open(":memory:", quiet());
            fill(db);
            if (past) {
                Transaction tx = db.begin_write();
                tx.tree("t").erase_range("b", "d");
                tx.tree("t").put("a5", "changed");
                tx.tree("t").put("new", "entry");
                tx.commit();
            }
            const Snapshot snapshot = past ? db.begin_read(AsOf::txn(1)) : db.begin_read();
            std::optional<Transaction> tx;
            if (in_transaction) tx = db.begin_write();
            const Tree tree = in_transaction ? Tree(tx->tree("t")) : snapshot.tree("t");
            CHECK(tree.size() == 50);
            Cursor cursor = tree.cursor();
            REQUIRE(cursor.first());
            CHECK(cursor.key() == "a0");
            CHECK(cursor.value() == "a0a0");
            CHECK(cursor.txn() == 1);
            int count = 1;
            std::string before(cursor.key());
            while (cursor.next()) {
                ++count;
                CHECK(before < cursor.key());
                before = cursor.key();
            }
            CHECK(count == 50);
            CHECK_FALSE(cursor.valid());
            REQUIRE(cursor.last());
            CHECK(cursor.key() == "e9");
            while (cursor.prev()) --count;
            CHECK(count == 1);
            REQUIRE(cursor.lower_bound("b55"));
            CHECK(cursor.key() == "b6");
            REQUIRE(cursor.prev());
            CHECK(cursor.key() == "b5");
            REQUIRE(cursor.next());
            CHECK(cursor.key() == "b6");
            REQUIRE(cursor.lower_bound("c3"));
            CHECK(cursor.key() == "c3");
            REQUIRE(cursor.upper_bound("c3"));
            CHECK(cursor.key() == "c4");
            REQUIRE(cursor.find("d0"));
            CHECK(cursor.value() == "d0d0");
            CHECK_FALSE(cursor.find("d"));
            CHECK_FALSE(cursor.valid());
            CHECK_FALSE(cursor.lower_bound("z"));
            CHECK_FALSE(cursor.upper_bound("e9"));
            CHECK(keys_of(tree.prefix("c")) == "c0 c1 c2 c3 c4 c5 c6 c7 c8 c9");
            CHECK(keys_of(tree.range("a8", "b2")) == "a8 a9 b0 b1");
            CHECK(keys_of(tree.range("a8", "b2").reversed()) == "b1 b0 a9 a8");
            CHECK(keys_of(tree.range("a8", "b2").reversed().reversed()) == "a8 a9 b0 b1");
            CHECK(keys_of(tree.from("e7")) == "e7 e8 e9");
            CHECK(keys_of(tree.from("e7").reversed()) == "e9 e8 e7");
            CHECK(keys_of(tree.prefix("c").reversed()) == "c9 c8 c7 c6 c5 c4 c3 c2 c1 c0");
            CHECK(keys_of(tree.range("b2", "a8")).empty());
            CHECK(keys_of(tree.range("b2", "b2")).empty());
            CHECK(keys_of(tree.range("b2", "a8").reversed()).empty());
            CHECK(keys_of(tree.range("", "a1")) == "a0");
            CHECK(keys_of(tree.prefix("")) == keys_of(tree.all()));
            CHECK(keys_of(tree.prefix("x")).empty());
        }
    }
}

TEST_CASE("A past state of many pages is read backward as forward, changed since or not", "[KV-3][PAST-1]") {
    constexpr int k_keys = 2000;
    Database db = Database::open(":memory:", quiet());
    const auto key_of = [](int i) { return "key" + std::to_string(10'000 + i); };
    db.update([&](Transaction& tx) {
        for (int i = 0; i < k_keys; ++i) tx.tree("t").put(key_of(i), "value of " + std::to_string(i));
    });
    const Txn then = db.begin_read().txn();
    // A few keys of some pages, all of others, and none of most.
    db.update([&](Transaction& tx) {
        for (int i = 300; i < k_keys; i += 500) tx.tree("t").put(key_of(i), "changed");
        tx.tree("t").erase_range(key_of(900), key_of(1300));
        for (int i = 0; i < 400; ++i) tx.tree("t").put("key0" + std::to_string(10'000 + i), "new");
    });
    const Snapshot past = db.begin_read(AsOf::txn(then));
    const Tree tree = past.tree("t");
    std::vector<std::string> forward;
    for (const KeyValue entry : tree.all()) forward.emplace_back(entry.key);
    REQUIRE(forward.size() == k_keys);
    CHECK(forward.front() == key_of(0));
    CHECK(forward.back() == key_of(k_keys - 1));
    Cursor cursor = tree.cursor();
    std::vector<std::string> backward;
    for (bool there = cursor.last(); there; there = cursor.prev()) {
        backward.emplace_back(cursor.key());
        CHECK(cursor.value() == "value of " + std::to_string(k_keys - static_cast<int>(backward.size())));
    }
    std::reverse(backward.begin(), backward.end());
    CHECK(backward == forward);
    for (const int i : {1500, 20, 1999, 950, 310, 0, 1301}) {
        CAPTURE(i);
        REQUIRE(cursor.last());
        REQUIRE(cursor.lower_bound(key_of(i)));
        CHECK(cursor.key() == key_of(i));
        CHECK(cursor.prev() == (i > 0));
        if (i > 0) CHECK(cursor.key() == key_of(i - 1));
    }
}

TEST_CASE("Prefixes of the largest byte have no end to run over", "[KV-3][KV-1]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    for (const std::string key : {"\xfe", "\xfe\xff", "\xff", "\xff\x01", "\xff\xff", "\xff\xff\xff"}) {
        tx.tree("t").put(key, "v");
    }
    tx.tree("t").put(std::string("\0", 1), "zero");
    tx.tree("t").put("", "empty");
    tx.commit();
    const Snapshot now = db.begin_read();
    const Tree tree = now.tree("t");
    CHECK(std::ranges::distance(tree.prefix("\xff")) == 4);
    CHECK(std::ranges::distance(tree.prefix("\xff\xff")) == 2);
    CHECK(std::ranges::distance(tree.prefix("\xfe")) == 2);
    CHECK(std::ranges::distance(tree.all()) == 8);
    Cursor cursor = tree.cursor();
    REQUIRE(cursor.first());
    CHECK(cursor.key().empty());
    CHECK(cursor.value() == "empty");
    REQUIRE(cursor.next());
    CHECK(cursor.key() == std::string_view("\0", 1));
}

TEST_CASE("multi_get gives what get gives, in any number and order", "[KV-2]") {
    Database db = Database::open(":memory:", quiet());
    fill(db);
    put(db, "a1", "new");
    for (const bool past : {false, true}) {
        const Snapshot snapshot = past ? db.begin_read(AsOf::txn(1)) : db.begin_read();
        const Tree tree = snapshot.tree("t");
        for (const std::size_t count : {0u, 1u, 31u, 32u, 33u, 100u}) {
            std::vector<std::string> keys;
            for (std::size_t i = 0; i < count; ++i) {
                keys.push_back(std::string{static_cast<char>('a' + i * 7 % 6), static_cast<char>('0' + i % 10)});
            }
            const std::vector<std::string_view> views(keys.begin(), keys.end());
            std::vector<std::optional<std::string_view>> out(count, "stale");
            tree.multi_get(views, out);
            for (std::size_t i = 0; i < count; ++i) CHECK(out[i] == tree.get(keys[i]));
        }
    }
}

TEST_CASE("Estimates bracket the truth, counts are exact", "[KV-5]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    for (int i = 0; i < 20000; ++i) tx.tree("t").append("k" + std::to_string(100000 + i), "value");
    tx.commit();
    const Snapshot now = db.begin_read();
    CHECK(now.tree("t").size() == 20000);
    for (const int width : {0, 1, 10, 1000, 19999}) {
        const Estimate estimate = now.tree("t").estimate("k100000", "k" + std::to_string(100000 + width));
        INFO(width << ": " << estimate.low << " " << estimate.count << " " << estimate.high);
        CHECK(estimate.low <= static_cast<std::uint64_t>(width));
        CHECK(estimate.high >= static_cast<std::uint64_t>(width));
        CHECK(estimate.low <= estimate.count);
        CHECK(estimate.count <= estimate.high);
        // An error of a fifth and two leaves at most.
        CHECK(estimate.count <= static_cast<std::uint64_t>(width) + static_cast<std::uint64_t>(width) / 5 + 1000);
    }
    CHECK(now.tree("t").estimate("b", "a").high == 0);
}

TEST_CASE("The space of a tree is told of snapshots and transactions, not of the past", "[KV-5]") {
    Database db = Database::open(":memory:", quiet());
    const Txn first = put(db, "k", "v");
    Transaction tx = db.begin_write();
    for (int i = 0; i < 5000; ++i) tx.tree("t").put("k" + std::to_string(i), std::string(100, 'v'));
    tx.tree("large").put("k", std::string(20000, 'v'));
    const TreeSpace inside = tx.tree("t").space();
    CHECK(inside.depth == 2);
    CHECK(inside.inner_pages == 1);
    CHECK(inside.leaf_pages > 5000 * 100 / 4096);
    CHECK(tx.tree("nothing").space().bytes == 0);
    tx.commit();
    const Snapshot now = db.begin_read();
    CHECK(now.tree("t").space().bytes == inside.bytes);
    const TreeSpace large = now.tree("large").space();
    CHECK(large.depth == 1);
    CHECK(large.leaf_pages == 1);
    CHECK(large.value_pages == 5);
    CHECK(large.bytes == 6 * 4096);
    CHECK(now.tree("nothing").space().depth == 0);
    const Snapshot then = db.begin_read(AsOf::txn(first));
    try {
        static_cast<void>(then.tree("t").space());
        FAIL("the past has no pages of its own");
    } catch (const Error& error) {
        CHECK(error.code() == Errc::invalid_argument);
    }
}

TEST_CASE("The past is read by txn and by time", "[PAST-1][PAST-6][PAST-7]") {
    const Workplace place;
    for (const bool reopen : {false, true}) {
        const std::string path = place / (reopen ? "b.db" : "a.db");
        std::optional<Database> db(Database::open(path, quiet()));
        for (std::uint64_t i = 1; i <= 5; ++i) {
            Transaction tx = db->begin_write();
            tx.tree("t").put("a", std::to_string(i));
            tx.tree("t").put("only " + std::to_string(i), "x");
            if (i == 4) tx.tree("t").erase("only 2");
            tx.set_time_us(i * 1000);
            CHECK(tx.commit().time_us == i * 1000);
        }
        if (reopen) {
            db.reset();
            db.emplace(Database::open(path, quiet()));
        }
        for (Txn txn = 1; txn <= 5; ++txn) {
            const Snapshot then = db->begin_read(AsOf::txn(txn));
            CHECK(then.txn() == txn);
            CHECK(then.time_us() == txn * 1000);
            CHECK(then.tree("t").get("a") == std::to_string(txn));
            CHECK(then.tree("t").size() == (txn < 4 ? txn + 1 : txn));
            CHECK(then.tree("t").contains("only 2") == (txn == 2 || txn == 3));
            CHECK(db->begin_read(AsOf::time(txn * 1000)).txn() == txn);
            CHECK(db->begin_read(AsOf::time(txn * 1000 + 999)).txn() == txn);
            CHECK(db->begin_read(AsOf::time(txn * 1000 - 1)).txn() == txn - 1);
        }
        CHECK(db->begin_read(AsOf::time(1ull << 60)).txn() == 5);
        CHECK(db->begin_read(AsOf::time(0)).txn() == 0);
        CHECK_FALSE(db->begin_read(AsOf::txn(0)).tree("t").exists());
        const std::vector<Change> changes = db->diff(AsOf::txn(1), AsOf::txn(4));
        REQUIRE(changes.size() == 3);
        CHECK(changes[0].tree == "t");
        CHECK(changes[0].key == "a");
        CHECK(changes[0].before == "1");
        CHECK(changes[0].after == "4");
        CHECK(changes[1].key == "only 3");
        CHECK_FALSE(changes[1].before.has_value());
        CHECK(changes[2].key == "only 4");
        const std::vector<Change> back = db->diff(AsOf::txn(4), AsOf::txn(1));
        REQUIRE(back.size() == 3);
        CHECK(back[0].before == "4");
        CHECK(back[1].before == "x");
        CHECK(db->diff(AsOf::txn(3), AsOf::txn(3)).empty());
        const std::vector<Version> versions = db->history("t", "only 2");
        REQUIRE(versions.size() == 2);
        CHECK(versions[0].txn == 4);
        CHECK(versions[0].time_us == 4000);
        CHECK_FALSE(versions[0].value.has_value());
        CHECK(versions[1].txn == 2);
        CHECK(versions[1].value == "x");
        CHECK(db->history("t", "never").empty());
        CHECK(db->history("never", "a").empty());
    }
}

TEST_CASE("The state before the first commit has no time, and no tree", "[PAST-1][PAST-6]") {
    Database db = Database::open(":memory:", quiet());
    db.update([](Transaction& tx) { tx.tree("t").put("a", "1"); });
    const Snapshot before = db.begin_read(AsOf::txn(0));
    CHECK(before.time_us() == 0);
    CHECK(before.tree_names().empty());
    CHECK_FALSE(before.tree("t").exists());
}

TEST_CASE("State hashes are of content, not of layout or way", "[TRUTH-4]") {
    const Workplace place;
    Database one = Database::open(place / "one.db", quiet());
    Options other_pages = quiet();
    other_pages.page_size = 16384;
    Database two = Database::open(place / "two.db", other_pages);
    {
        Transaction tx = one.begin_write();
        for (int i = 0; i < 500; ++i) tx.tree("t").put("k" + std::to_string(i), std::string(50, 'x'));
        tx.commit();
    }
    for (int i = 499; i >= 0; --i) {
        Transaction tx = two.begin_write({Durability::lazy, std::nullopt});
        tx.tree("t").put("k" + std::to_string(i), std::string(50, 'x'));
        if (i % 50 == 0) tx.tree("t").put("passing", "y");
        if (i % 50 == 49) tx.tree("t").erase("passing");
        tx.commit();
    }
    {
        Transaction tx = two.begin_write();
        tx.tree("t").erase("passing");
        tx.commit();
    }
    CHECK(one.begin_read().state_hash() == two.begin_read().state_hash());
    CHECK(one.begin_read().state_hash().hex().size() == 64);
    put(one, "k1", "other");
    CHECK_FALSE(one.begin_read().state_hash() == two.begin_read().state_hash());
    CHECK(one.begin_read(AsOf::txn(1)).state_hash() == two.begin_read().state_hash());
    two.checkpoint();
    CHECK(one.begin_read(AsOf::txn(1)).state_hash() == two.begin_read().state_hash());
}

TEST_CASE("Commits are read back as they were made", "[TRUTH-1][TX-7]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Database db = Database::open(path, quiet());
    {
        Transaction tx = db.begin_write();
        tx.annotate("zeta", "first");
        tx.annotate("alpha", "second");
        tx.annotate("zeta", "replaced");
        tx.tree("t").put("b", "2");
        tx.tree("t").put("a", "0");
        tx.tree("t").put("a", "1");
        tx.tree("u").put("x", std::string(20000, 'x'));
        tx.commit();
    }
    {
        Transaction tx = db.begin_write();
        tx.tree("t").erase("a");
        tx.tree("t").erase_range("b", "c");
        tx.drop_tree("u");
        tx.commit();
    }
    std::vector<CommitRecord> records;
    for (const CommitRecord& record : db.commits()) records.push_back(record);
    db.close();
    REQUIRE(records.size() == 2);
    CHECK(records[0].txn == 1);
    REQUIRE(records[0].annotations.size() == 2);
    CHECK(std::is_sorted(records[0].annotations.begin(), records[0].annotations.end()));
    CHECK(records[0].annotations[0] == std::pair<std::string_view, std::string_view>("alpha", "second"));
    CHECK(records[0].annotations[1] == std::pair<std::string_view, std::string_view>("zeta", "replaced"));
    std::string first;
    for (const Operation& op : records[0].operations) {
        first += std::to_string(static_cast<int>(op.kind)) + " " + std::string(op.tree) + " " + std::string(op.key) +
                 " " + std::to_string(op.value.size()) + "\n";
    }
    CHECK(first == "4 t  0\n4 u  0\n1 t a 1\n1 t b 1\n1 u x 20000\n");
    std::string second;
    for (const Operation& op : records[1].operations) {
        second += std::to_string(static_cast<int>(op.kind)) + " " + std::string(op.tree) + " " + std::string(op.key) +
                  " " + std::string(op.to.value_or("-")) + "\n";
    }
    CHECK(second == "5 u  -\n3 t b c\n2 t a -\n");
    CHECK_FALSE(records[0].digest == records[1].digest);

    const Database again = Database::open(path, quiet());
    const std::optional<CommitRecord> one = again.commit(1);
    REQUIRE(one.has_value());
    CHECK(one->digest == records[0].digest);
    CHECK(again.commit(2)->operations.size() == 3);
    CHECK_FALSE(again.commit(3).has_value());
    int count = 0;
    for (const CommitRecord& record : again.commits(2)) {
        CHECK(record.txn == 2);
        ++count;
    }
    CHECK(count == 1);
    CHECK_FALSE(again.chain_hash(1) == again.chain_hash(2));
}

TEST_CASE("A feed waits for commits and ends its wait in time", "[PAST-8]") {
    Database db = Database::open(":memory:", {});
    put(db, "a", "1");
    Feed feed = db.feed(1);
    REQUIRE(feed.next(0).has_value());
    CHECK_FALSE(feed.next(20).has_value());
    CHECK(feed.position().txn == 1);
    std::thread writer([&] { put(db, "b", "2"); });
    const std::optional<CommitRecord> record = feed.next(20000);
    writer.join();
    REQUIRE(record.has_value());
    CHECK(record->txn == 2);
    CHECK(record->operations.back().key == "b");
    Feed later = db.feed(3);
    CHECK_FALSE(later.next(0).has_value());
    put(db, "c", "3");
    REQUIRE(later.next(1000).has_value());
    CHECK(later.position().txn == 3);
}

TEST_CASE("Named consumers keep their position in the database", "[PAST-8]") {
    const Workplace place;
    const std::string path = place / "a.db";
    FeedPosition position;
    {
        Database db = Database::open(path, quiet());
        put(db, "a", "1");
        put(db, "b", "2");
        Feed feed = db.feed(1);
        REQUIRE(feed.next(0).has_value());
        position = feed.position();
        CHECK_FALSE(db.consumer("mirror").has_value());
        db.acknowledge("mirror", position);
    }
    Database db = Database::open(path, quiet());
    const std::optional<FeedPosition> kept = db.consumer("mirror");
    REQUIRE(kept.has_value());
    CHECK(kept->txn == 1);
    CHECK(kept->chain == position.chain);
    Feed feed = db.feed(*kept);
    const std::optional<CommitRecord> next = feed.next(0);
    REQUIRE(next.has_value());
    CHECK(next->txn == 2);
    CHECK_FALSE(db.consumer("nobody").has_value());
}

TEST_CASE("A read-only handle works alone and beside a writer", "[SWARM-8]") {
    const Workplace place;
    const std::string path = place / "a.db";
    {
        Database db = Database::open(path, quiet());
        fill(db);
    }
    Options read_only = quiet();
    read_only.read_only = true;
    {
        const Database db = Database::open(path, read_only);
        CHECK(db.begin_read().tree("t").size() == 50);
        CHECK(db.begin_read(AsOf::txn(0)).tree_names().empty());
        CHECK(db.history("t", "a0").size() == 1);
        CHECK(db.verify().ok());
        CHECK(db.begin_read().tree("t").get("a0") == "a0a0");
    }
    {
        Options pread = read_only;
        pread.read_mode = ReadMode::pread;
        const Database db = Database::open(path, pread);
        CHECK(db.begin_read().tree("t").get("e9") == "e9e9");
    }
}

TEST_CASE("Readers on other threads see constant sums while writers transfer", "[SNAP-1][SNAP-3][TX-3][slow]") {
    Options options;
    options.overlay_limit = 4u << 20;
    options.checkpoint_log_bytes = 128u << 10;
    options.lazy_flush_ms = 10;
    const Workplace place;
    Database db = Database::open(place / "a.db", options);
    constexpr int k_accounts = 20;
    {
        Transaction tx = db.begin_write();
        for (int i = 0; i < k_accounts; ++i) tx.tree("t").put(std::to_string(100 + i), "100");
        tx.commit();
    }
    const auto sum = [&](const Snapshot& snapshot) {
        int total = 0;
        for (auto [key, value] : snapshot.tree("t").all()) total += std::stoi(std::string(value));
        return total;
    };
    std::atomic<int> writing{3};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (std::uint64_t w = 0; w < 3; ++w) {
        threads.emplace_back([&, w] {
            txn_test::Dice dice(w + 1);
            for (int i = 0; i < txn_test::scaled(300); ++i) {
                const auto move = [&](Transaction& tx) {
                    WritableTree tree = tx.tree("t");
                    const std::string from = std::to_string(100 + dice.below(k_accounts));
                    const std::string to = std::to_string(100 + dice.below(k_accounts));
                    if (from == to) return;
                    const int amount = static_cast<int>(dice.below(20));
                    tree.put(from, std::to_string(std::stoi(std::string(*tree.get(from))) - amount));
                    tree.put(to, std::to_string(std::stoi(std::string(*tree.get(to))) + amount));
                };
                const Durability durability = i % 50 == 0 ? Durability::full : Durability::lazy;
                if (w == 2 && i % 10 == 0) {
                    Transaction tx = db.begin_write({durability, std::nullopt});
                    move(tx);
                    tx.commit();
                } else {
                    db.update(move, {durability, std::nullopt});
                }
                if (i % 60 == 30) db.checkpoint();
            }
            --writing;
        });
    }
    for (int r = 0; r < 2; ++r) {
        threads.emplace_back([&] {
            Txn last = 0;
            std::vector<Snapshot> held;
            while (writing != 0) {
                Snapshot now = db.begin_read();
                if (now.txn() < last || sum(now) != 100 * k_accounts) ++wrong;
                last = now.txn();
                if (last % 16 == 0 && sum(db.begin_read(AsOf::txn(last / 2 + 1))) != 100 * k_accounts) ++wrong;
                if (held.size() < 20) held.push_back(std::move(now));
                std::this_thread::yield();
            }
            for (const Snapshot& snapshot : held) {
                if (sum(snapshot) != 100 * k_accounts) ++wrong;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(sum(db.begin_read()) == 100 * k_accounts);
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
}
