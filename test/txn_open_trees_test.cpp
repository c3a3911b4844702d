// A transaction finds the trees open that the one before it left open. They must be those of the root it begins on.
#include "txn_support.hpp"

#include <string>

namespace {

using namespace northstar;

void put(Database& db, const std::string& tree, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree(tree).put(key, value);
    tx.commit();
}

std::string value_of(Database& db, const std::string& tree, const std::string& key) {
    const Snapshot snapshot = db.begin_read();
    const Tree found = snapshot.tree(tree);
    const std::optional<std::string_view> value = found.get(key);
    return value ? std::string(*value) : "absent";
}

}  // namespace

TEST_CASE("a transaction sees what the one before it wrote", "[txn][WORK-1]") {
    Database db = Database::open(":memory:");
    for (int i = 0; i < 200; ++i) {
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree("a");
        REQUIRE(tree.size() == static_cast<std::uint64_t>(i));
        tree.put("key " + std::to_string(i), std::to_string(i));
        tx.commit();
    }
    REQUIRE(db.begin_read().tree("a").size() == 200);
}

TEST_CASE("a tree that was dropped is not there in the next transaction", "[txn][WORK-1]") {
    Database db = Database::open(":memory:");
    put(db, "a", "k", "first");
    put(db, "b", "k", "other");
    {
        Transaction tx = db.begin_write();
        REQUIRE(tx.drop_tree("a"));
        tx.commit();
    }
    {
        Transaction tx = db.begin_write();
        REQUIRE(!tx.tree("a").exists());
        REQUIRE(tx.tree("b").exists());
        tx.tree("a").put("k", "second");
        tx.commit();
    }
    put(db, "a", "l", "third");
    REQUIRE(value_of(db, "a", "k") == "second");
    REQUIRE(value_of(db, "a", "l") == "third");
    REQUIRE(db.begin_read().tree("a").size() == 2);
}

TEST_CASE("what a rolled back transaction did is not there in the next one", "[txn][WORK-1]") {
    Database db = Database::open(":memory:");
    put(db, "a", "k", "first");
    {
        Transaction tx = db.begin_write();
        tx.tree("a").put("k", "never");
        tx.tree("c").put("k", "never");
        tx.rollback();
    }
    {
        Transaction tx = db.begin_write();
        REQUIRE(tx.tree("a").get("k") == "first");
        REQUIRE(!tx.tree("c").exists());
        tx.tree("a").put("l", "second");
        tx.commit();
    }
    REQUIRE(db.begin_read().tree("a").size() == 2);
    REQUIRE(value_of(db, "a", "k") == "first");
}

TEST_CASE("a value that was put only if there was none is neither in the tree nor in the log where there was one",
          "[txn][TRUTH-1]") {
    Options options;
    options.history = History::everything();
    Database db = Database::open(":memory:", options);
    Transaction tx = db.begin_write();
    CHECK(tx.tree("t").put_if_absent("key", "first"));
    CHECK_FALSE(tx.tree("t").put_if_absent("key", "second"));
    const Txn txn = tx.commit().txn;
    CHECK(db.begin_read().tree("t").get("key") == "first");
    const std::optional<CommitRecord> record = db.commit(txn);
    REQUIRE(record);
    CHECK(record->operations.back().value == "first");
}

TEST_CASE("an optimistic commit and a checkpoint between two transactions are seen", "[txn][WORK-1]") {
    const txn_test::Workplace place;
    Database db = Database::open(place / "a.db");
    put(db, "a", "k", "1");
    for (int i = 0; i < 20; ++i) {
        Transaction beside = db.begin_optimistic();
        put(db, "a", "own " + std::to_string(i), "2");
        beside.tree("a").put("beside " + std::to_string(i), "3");
        beside.commit();
        if (i % 3 == 0) db.checkpoint();
        put(db, "b", "k", std::to_string(i));
    }
    const Snapshot snapshot = db.begin_read();
    REQUIRE(snapshot.tree("a").size() == 41);
    REQUIRE(snapshot.tree("a").get("beside 0") == "3");
    REQUIRE(snapshot.tree("b").get("k") == "19");
    db.close();
    Database again = Database::open(place / "a.db");
    REQUIRE(again.begin_read().tree("a").size() == 41);
}
