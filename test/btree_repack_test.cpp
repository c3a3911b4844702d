// Building leaves anew: what the tree says stays, and what was known about changes is not forgotten.
#include "btree_support.hpp"

namespace {

using namespace northstar_test;

struct Filling {
    std::size_t page_size;
    std::size_t key_size;
    std::size_t value_size;
};

}  // namespace

TEST_CASE("repacked leaves are fuller and say the same", "[btree]") {
    const Filling filling = GENERATE(Filling{4096, 16, 100}, Filling{4096, 300, 40}, Filling{4096, 12, 900},
                                     Filling{4096, 8, 5000}, Filling{16384, 40, 300});
    RootStore store(filling.page_size);
    Random random(5);
    Model model;
    for (int t = 0; t < 40; ++t) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            for (int i = 0; i < 150; ++i) {
                std::string key = std::to_string(random.below(1'000'000'000));
                key.resize(filling.key_size, '_');
                const std::string value(random.below(filling.value_size) + filling.value_size / 2, 'v');
                tree_put(writer, tree, key, value);
                model[key] = {value, writer.txn()};
            }
        });
    }
    const TreeStatistics before = require_sound(store.source(), store.tree());
    unsigned repacked = 0;
    store.commit([&](PageWriter& writer, TreeRoot& tree) { repacked = repack_all(writer, tree.root); });
    CHECK(repacked > 0);
    const TreeStatistics after = require_sound(store.source(), store.tree());
    CHECK(after.leaves < before.leaves);
    CHECK(after.large_values == before.large_values);
    require_equal(store.source(), store.tree(), model);
    // Whoever asks for what changed after a txn is led to every key that did.
    for (std::uint64_t txn = 0; txn <= 40; txn += 8) {
        TreeCursor cursor(store.source(), store.tree().root);
        std::uint64_t found = 0;
        std::uint64_t changed = 0;
        for (const auto& [key, entry] : model) changed += entry.txn > txn ? 1 : 0;
        for (bool on = cursor.first_changed_leaf(txn); on; on = cursor.next_changed_leaf(txn)) {
            const Node leaf(store.source().page(cursor.page_ref(cursor.depth())));
            for (unsigned i = 0; i < leaf.count(); ++i) found += leaf.leaf_cell(i).txn > txn ? 1 : 0;
        }
        CHECK(found == changed);
    }
}

TEST_CASE("a repacked leaf takes all entries that leave it its slack", "[btree]") {
    RootStore store(4096);
    Random random(11);
    for (int t = 0; t < 30; ++t) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            for (int i = 0; i < 150; ++i) {
                std::string key = std::to_string(random.below(1'000'000'000));
                key.resize(20, '_');
                tree_put(writer, tree, key, std::string(20 + random.below(60), 'v'));
            }
        });
    }
    unsigned pairs = 0;
    store.commit([&](PageWriter& writer, TreeRoot& tree) { REQUIRE(repack_all(writer, tree.root) > 0); });
    const Node root(store.source().page(store.tree().root));
    REQUIRE(root.level() == 1);
    for (unsigned i = 0; i < root.count(); ++i) {
        const Node leaf(store.source().page(root.child(i))), next(store.source().page(root.child(i + 1)));
        LeafSequence both;
        both.add(leaf, 0, leaf.count());
        both.add(next, 0, 1);
        INFO("leaf " << i << " of " << root.count());
        CHECK(measure(both, 0, leaf.count()).bytes <= 4096 - 4096 / 32);
        CHECK(measure(both, 0, both.size()).bytes > 4096 - 4096 / 32);
        ++pairs;
    }
    CHECK(pairs > 20);
}

// Long separators fill the node, so that the new ones do not fit beside the old ones, and what the first half of them
// begins with is not what the second half begins with.
TEST_CASE("a repacked node with long separators of two kinds leads to every key", "[btree]") {
    const int of_a_kind = GENERATE(range(190, 290, 5));
    RootStore store(4096);
    Model model;
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 2 * of_a_kind; ++i) {
            const std::string key = std::string(100, i < of_a_kind ? 'a' : 'b') + std::to_string(10000 + i);
            const std::string value(200, 'v');
            tree_put(writer, tree, key, value);
            if (i % 5 < 2) model[key] = {value, writer.txn()};
        }
    });
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 2 * of_a_kind; ++i) {
            const std::string key = std::string(100, i < of_a_kind ? 'a' : 'b') + std::to_string(10000 + i);
            if (i % 5 >= 2) CHECK(tree_erase(writer, tree, key));
        }
    });
    REQUIRE(require_sound(store.source(), store.tree()).leaves > 20);
    store.commit([&](PageWriter& writer, TreeRoot& tree) { repack_all(writer, tree.root); });
    require_sound(store.source(), store.tree());
    require_equal(store.source(), store.tree(), model);
}

TEST_CASE("a repacked node whose first separator is unlike all others leads to every key", "[btree]") {
    RootStore store(4096);
    Model model;
    const auto key = [](int i) { return (i < 10 ? "a" : "b") + std::to_string(100 + i); };
    const std::string value(900, 'v');
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 40; ++i) tree_put(writer, tree, key(i), value);
    });
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 40; ++i) {
            if (i % 2 == 0) model[key(i)] = {value, 1};
            else CHECK(tree_erase(writer, tree, key(i)));
        }
        REQUIRE(repack_all(writer, tree.root) == 1);
    });
    const Node root(store.source().page(store.tree().root));
    REQUIRE(root.count() >= 3);
    REQUIRE(root.search_child("b") == 1);
    REQUIRE(root.prefix_size() == 0);
    require_sound(store.source(), store.tree());
    require_equal(store.source(), store.tree(), model);
}

// New leaves often begin where old ones did; between the old separator and the new one there are keys that were erased.
TEST_CASE("a repacked leaf knows of every erasure in its range", "[btree][TREE-3]") {
    const std::uint64_t seed = GENERATE(range(1u, 13u));
    CAPTURE(seed);
    RootStore store(4096);
    Random random(seed);
    const auto key = [](std::uint64_t i) { return "k" + std::to_string(100000 + i); };
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 300; ++i) tree_put(writer, tree, key(i), std::string(900, 'v'));
    });
    std::map<std::string, std::uint64_t> erased;
    for (int t = 0; t < 30; ++t) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            for (int i = 0; i < 5; ++i) {
                const std::string some = key(random.below(300));
                if (tree_erase(writer, tree, some)) erased[some] = writer.txn();
            }
        });
    }
    unsigned repacked = 0;
    store.commit([&](PageWriter& writer, TreeRoot& tree) { repacked = repack_all(writer, tree.root); });
    REQUIRE(repacked > 0);
    for (const auto& [some, txn] : erased) {
        TreeCursor cursor(store.source(), store.tree().root);
        REQUIRE(cursor.seek_leaf(some));
        CAPTURE(some);
        REQUIRE(cursor.leaf_max_txn() >= txn);
    }
}
