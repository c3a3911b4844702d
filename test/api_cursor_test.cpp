// api_cursor_test.cpp -- cursors of a transaction where its other steps change what lies ahead of them.
#include "txn_support.hpp"

#include <functional>
#include <utility>

namespace {

using namespace northstar;

/// A transaction with some keys, and a cursor that stands on the last of them.
struct AtTheEnd {
    AtTheEnd() : db(Database::open(":memory:")), tx(db.begin_write()), tree(tx.tree("t")), cursor(tree.cursor()) {
        for (int i = 10; i < 20; ++i) tree.put("k" + std::to_string(i), "v");
        REQUIRE(cursor.last());
    }
    Database db;
    Transaction tx;
    WritableTree tree;
    Cursor cursor;
};

}  // namespace

TEST_CASE("A cursor on the last key goes on to what is written behind it, in whatever way", "[KV-3]") {
    const std::pair<const char*, std::function<void(WritableTree&)>> ways[] = {
        {"put", [](WritableTree& tree) { tree.put("k20", "v"); }},
        {"append", [](WritableTree& tree) { tree.append("k20", "v"); }},
        {"put_if_absent", [](WritableTree& tree) { tree.put_if_absent("k20", "v"); }},
        {"compare_and_swap", [](WritableTree& tree) { tree.compare_and_swap("k20", std::nullopt, "v"); }},
    };
    for (const auto& [name, write] : ways) {
        CAPTURE(name);
        AtTheEnd at;
        write(at.tree);
        REQUIRE(at.cursor.next());
        CHECK(at.cursor.key() == "k20");
    }
}

TEST_CASE("A cursor does not go on to what was rolled back ahead of it", "[KV-3][TX-6]") {
    AtTheEnd at;
    const Savepoint before = at.tx.savepoint();
    at.tree.put("k20", "v");
    REQUIRE(at.cursor.find("k19"));
    at.tx.rollback_to(before);
    CHECK_FALSE(at.cursor.next());
}

TEST_CASE("A cursor has nowhere to go where everything ahead of it was erased", "[KV-3]") {
    AtTheEnd at;
    REQUIRE(at.cursor.first());
    at.tree.erase_range("k11", std::nullopt);
    CHECK_FALSE(at.cursor.next());
}

TEST_CASE("A cursor has nowhere to go where its tree was dropped", "[KV-3][KV-1]") {
    AtTheEnd at;
    REQUIRE(at.cursor.first());
    at.tx.drop_tree("t");
    CHECK_FALSE(at.cursor.next());
}
