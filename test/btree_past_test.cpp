// What a reader of the past needs: which leaves changed after a txn, where they begin and end, nothing
// forgotten.
#include "btree_support.hpp"

#include "format/node_edit.hpp"

#include <set>

namespace {

using namespace northstar_test;

std::string row(std::uint64_t number) {
    const std::string text = std::to_string(number);
    return std::string(7 - text.size(), '0') + text;
}

void load(RootStore& store, std::uint64_t rows) {
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        TreeAppender appender(writer, tree);
        for (std::uint64_t i = 0; i < rows; ++i) appender.append(row(i), std::string(50, 'v'));
    });
}

}  // namespace

TEST_CASE("a leaf walk visits exactly the leaves that changed after a txn", "[btree]") {
    RootStore store(4096);
    load(store, 40000);
    Random random(12);
    std::map<std::string, std::uint64_t> changed;
    for (int t = 0; t < 30; ++t) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            const std::string key = row(random.below(40000));
            if (random.chance(1, 2)) {
                tree_erase(writer, tree, key);
            } else {
                tree_put(writer, tree, key, "changed");
            }
            changed[key] = writer.txn();
        });
    }
    const Ref root = store.tree().root;
    for (std::uint64_t txn = 0; txn <= store.txn(); ++txn) {
        std::vector<std::uint64_t> all;
        TreeCursor cursor(store.source(), root);
        for (bool on = cursor.seek_leaf(""); on; on = cursor.next_leaf()) {
            if (cursor.leaf_max_txn() > txn) all.push_back(cursor.page_ref(cursor.depth()).bits());
        }
        std::vector<std::uint64_t> forward;
        std::string low;
        std::string high;
        std::set<std::string> covered;
        for (bool on = cursor.first_changed_leaf(txn); on; on = cursor.next_changed_leaf(txn)) {
            forward.push_back(cursor.page_ref(cursor.depth()).bits());
            const bool has_low = cursor.low_fence(low);
            const bool has_high = cursor.high_fence(high);
            for (const auto& [key, at] : changed) {
                if (at > txn && (!has_low || key >= low) && (!has_high || key < high)) covered.insert(key);
            }
        }
        REQUIRE(forward == all);
        std::vector<std::uint64_t> backward;
        for (bool on = cursor.last_changed_leaf(txn); on; on = cursor.prev_changed_leaf(txn)) {
            backward.insert(backward.begin(), cursor.page_ref(cursor.depth()).bits());
        }
        REQUIRE(backward == all);
        std::set<std::string> expected;
        for (const auto& [key, at] : changed) {
            if (at > txn) expected.insert(key);
        }
        REQUIRE(covered == expected);
        if (txn > 5) REQUIRE(all.size() <= 3 * (store.txn() - txn));
    }
}

TEST_CASE("unchanged subtrees are not entered", "[btree]") {
    RootStore store(4096);
    load(store, 400000);
    ImageSource image(4096);
    TreeRoot tree{image.place(store.tree().root), store.tree().count};
    FrameArena arena(4096);
    PageWriter writer(arena, image);
    writer.set_txn(2);
    tree_put(writer, tree, row(200000), "changed");
    const TreeStatistics seen = require_sound(store.source(), store.tree());
    REQUIRE(seen.depth == 3);
    TreeCursor cursor(image, tree.root);
    unsigned leaves = 0;
    for (bool on = cursor.first_changed_leaf(1); on; on = cursor.next_changed_leaf(1)) ++leaves;
    REQUIRE(leaves >= 1);
    REQUIRE(leaves <= 2);
    // The inner pages below the root and the leaves below one of them.
    REQUIRE(image.verifications() < seen.inner_pages + seen.leaves / (seen.inner_pages - 1) + 100);
}

TEST_CASE("a cursor that finds no changed leaf stands nowhere", "[btree]") {
    const std::uint64_t count = GENERATE(2u, 20000u);
    RootStore store(4096);
    load(store, count);
    TreeCursor cursor(store.source(), store.tree().root);
    REQUIRE(cursor.first());
    CHECK_FALSE(cursor.first_changed_leaf(store.txn()));
    CHECK_FALSE(cursor.valid());
}

TEST_CASE("a changed page without a changed leaf below it leads nowhere", "[btree]") {
    ImageSource image(4096);
    const Ref left = image.add(leaf_page({"a"}), 1);
    const Ref right = image.add(leaf_page({"z"}), 1);
    TreeCursor cursor(image, image.add(inner_page(1, {left, right}, {"m"}, 9), 1));
    CHECK_FALSE(cursor.first_changed_leaf(5));
    CHECK_FALSE(cursor.last_changed_leaf(5));
    CHECK_FALSE(cursor.in_leaf());
    REQUIRE(cursor.seek_leaf("a"));
    CHECK_FALSE(cursor.next_changed_leaf(5));
    CHECK_FALSE(cursor.valid());
    CHECK_FALSE(cursor.in_leaf());
    REQUIRE(cursor.first_changed_leaf(0));
    CHECK(cursor.key() == "a");
}

TEST_CASE("a tree from which all was erased says when", "[btree]") {
    for (const bool at_once : {true, false}) {
        RootStore store(4096);
        load(store, 40000);
        REQUIRE(require_sound(store.source(), store.tree()).depth == 3);
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            if (at_once) {
                REQUIRE(tree_erase_range(writer, tree, "", std::nullopt) == 40000);
            } else {
                for (std::uint64_t i = 40000; i-- != 0;) REQUIRE(tree_erase(writer, tree, row(i)));
            }
        });
        REQUIRE(store.tree().count == 0);
        REQUIRE(require_sound(store.source(), store.tree()).leaves == 1);
        TreeCursor cursor(store.source(), store.tree().root);
        REQUIRE(!cursor.first());
        REQUIRE(!cursor.last());
        REQUIRE(!cursor.lower_bound(""));
        REQUIRE(cursor.seek_leaf("x"));
        REQUIRE(cursor.leaf_max_txn() == store.txn());
        REQUIRE(cursor.first_changed_leaf(store.txn() - 1));
        REQUIRE(!cursor.first_changed_leaf(store.txn()));
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            REQUIRE(!tree_put(writer, tree, "again", "v"));
            TreeAppender appender(writer, tree);
            appender.append("b", "w");
        });
        REQUIRE(store.tree().count == 2);
        require_sound(store.source(), store.tree());
    }
}

TEST_CASE("the leaf next to an inner page that ran empty says when", "[btree][PAST-1]") {
    // Full inner pages do not merge with one that runs empty, so that it goes as a whole.
    const unsigned child = GENERATE(0u, 1u);
    INFO("child " << child << " of the root");
    RootStore store(4096);
    load(store, 100000);
    const Node root(store.tree().root.address());
    REQUIRE(root.level() == 2);
    REQUIRE(root.count() >= 3);
    const auto separator = [&](unsigned index) {
        const KeyPieces pieces(root, root.separator(index));
        std::string key(pieces.size(), '\0');
        pieces.copy(0, key.size(), reinterpret_cast<std::byte*>(key.data()));
        return key;
    };
    const std::string from = child == 0 ? "" : separator(child - 1);
    const std::string to = separator(child);
    const unsigned before = root.count();
    std::set<std::string> missing;
    TreeCursor all(store.source(), store.tree().root);
    for (bool on = all.lower_bound(from); on && all.key() < to; on = all.next()) missing.emplace(all.key());
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (const std::string& key : missing) REQUIRE(tree_erase(writer, tree, key));
    });
    require_sound(store.source(), store.tree());
    REQUIRE(Node(store.tree().root.address()).count() == before - 1);
    TreeCursor cursor(store.source(), store.tree().root);
    std::string low;
    std::string high;
    for (bool on = cursor.first_changed_leaf(1); on; on = cursor.next_changed_leaf(1)) {
        const auto first = cursor.low_fence(low) ? missing.lower_bound(low) : missing.begin();
        const auto last = cursor.high_fence(high) ? missing.lower_bound(high) : missing.end();
        missing.erase(first, last);
    }
    REQUIRE(missing == std::set<std::string>{});
}

TEST_CASE("a leaf that covers an erased key says so when nothing else was done", "[btree][PAST-1]") {
    // Another operation of the same transaction would touch the pages that the first one merged.
    const std::uint64_t seed = 17;
    INFO("seed " << seed);
    Random random(seed);
    constexpr std::uint64_t k_keys = 40000;
    RootStore store(4096);
    load(store, k_keys);
    REQUIRE(require_sound(store.source(), store.tree()).depth == 3);
    std::vector<std::uint64_t> order(k_keys);
    for (std::uint64_t i = 0; i < k_keys; ++i) std::swap(order[i] = i, order[random.below(i + 1)]);
    for (const std::uint64_t number : order) {
        const std::string key = row(number);
        store.commit([&](PageWriter& writer, TreeRoot& tree) { REQUIRE(tree_erase(writer, tree, key)); });
        store.release_before(store.txn());
        TreeCursor cursor(store.source(), store.tree().root);
        std::string low;
        std::string high;
        bool covered = false;
        for (bool on = cursor.first_changed_leaf(store.txn() - 1); on && !covered;
             on = cursor.next_changed_leaf(store.txn() - 1)) {
            covered = (!cursor.low_fence(low) || low <= key) && (!cursor.high_fence(high) || key < high);
        }
        INFO("key " << key);
        REQUIRE(covered);
    }
}

TEST_CASE("a range that holds nothing changes nothing", "[btree]") {
    RootStore store(4096);
    load(store, 1000);
    const TreeRoot before = store.tree();
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        REQUIRE(tree_erase_range(writer, tree, row(5) + "a", row(5) + "z") == 0);
        REQUIRE(tree_erase_range(writer, tree, "z", std::nullopt) == 0);
        REQUIRE(tree_erase_range(writer, tree, row(9), row(3)) == 0);
        REQUIRE(!tree_erase(writer, tree, "absent"));
        REQUIRE(writer.pages_made() == 0);
    });
    REQUIRE(store.tree() == before);
}

TEST_CASE("appending in order fills pages and refuses what is out of order", "[btree][KV-7]") {
    for (const std::size_t page_size : {std::size_t{4096}, std::size_t{16384}, std::size_t{65536}}) {
        RootStore store(page_size);
        Model model;
        std::uint64_t next = 0;
        for (int t = 0; t < 5; ++t) {
            store.commit([&](PageWriter& writer, TreeRoot& tree) {
                TreeAppender appender(writer, tree);
                for (int i = 0; i < 20000; ++i) {
                    const std::string key = row(next++);
                    const std::string value(i % 1000 == 0 ? page_size : 40, 'v');
                    appender.append(key, value);
                    model[key] = {value, writer.txn()};
                    if (i == 7000) {
                        const PageWriter::Mark mark = writer.mark();
                        const TreeRoot saved = tree;
                        appender.reset();
                        appender.append("7", "gone again");
                        writer.rewind(mark);
                        tree = saved;
                        appender.reset();
                    }
                }
                REQUIRE_THROWS_AS(appender.append(row(next - 1), "same"), northstar::Error);
                REQUIRE_THROWS_AS(appender.append(row(1), "smaller"), northstar::Error);
            });
        }
        const TreeStatistics seen = require_sound(store.source(), store.tree());
        require_equal(store.source(), store.tree(), model);
        REQUIRE(static_cast<double>(seen.used_bytes) >
                0.97 * static_cast<double>(seen.leaves) * static_cast<double>(page_size));
        // Separators of these keys take less than 20 bytes; two pages may not be full yet.
        REQUIRE(seen.inner_pages <= 2 + seen.leaves * 20 / page_size);
    }
}

TEST_CASE("updates of the same size do not split pages that were filled in order", "[btree]") {
    RootStore store(4096);
    load(store, 20000);
    const std::uint64_t leaves = require_sound(store.source(), store.tree()).leaves;
    for (std::uint64_t t = 0; t < 100; ++t) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            for (std::uint64_t i = t; i < 20000; i += 100) {
                REQUIRE(tree_put(writer, tree, row(i), std::string(50, 'w')));
            }
        });
    }
    REQUIRE(require_sound(store.source(), store.tree()).leaves == leaves);
}

TEST_CASE("random inserts leave pages four fifths full", "[btree]") {
    const std::uint64_t seed = 8;
    INFO("seed " << seed);
    Random random(seed);
    RootStore store(4096);
    for (int t = 0; t < 60; ++t) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            for (int i = 0; i < 1000; ++i) {
                char key[17];
                std::snprintf(key, sizeof key, "%016llx", static_cast<unsigned long long>(random.next()));
                tree_put(writer, tree, key, std::string(100, 'v'));
            }
        });
        store.release_before(store.txn());
    }
    const TreeStatistics seen = require_sound(store.source(), store.tree());
    REQUIRE(static_cast<double>(seen.used_bytes) > 0.8 * static_cast<double>(seen.leaves) * 4096);
    // Overhead of an entry beside its key and value, the gaps set aside.
    REQUIRE(static_cast<double>(seen.used_bytes) / static_cast<double>(seen.entries) < 116 + 12);
    // Deletes merge: what is left does not lie in nearly empty pages.
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        std::vector<std::string> gone;
        TreeCursor cursor(store.source(), tree.root);
        for (bool on = cursor.first(); on; on = cursor.next()) {
            if (!random.chance(1, 10)) gone.emplace_back(cursor.key());
        }
        for (std::size_t i = gone.size(); i > 1; --i) std::swap(gone[i - 1], gone[random.below(i)]);
        for (const std::string& key : gone) REQUIRE(tree_erase(writer, tree, key));
    });
    const TreeStatistics left = require_sound(store.source(), store.tree());
    REQUIRE(static_cast<double>(left.used_bytes) > 0.4 * static_cast<double>(left.leaves) * 4096);
}

TEST_CASE("too long keys are refused before anything changes", "[btree][KV-4]") {
    RootStore store(4096);
    load(store, 10);
    const TreeRoot before = store.tree();
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        try {
            tree_put(writer, tree, std::string(1025, 'k'), "v");
            FAIL("accepted");
        } catch (const northstar::Error& error) {
            REQUIRE(error.code() == northstar::Errc::key_too_large);
        }
        REQUIRE(writer.pages_made() == 0);
        REQUIRE(!tree_put(writer, tree, std::string(1024, 'k'), std::string(1024, 'v')));
        REQUIRE(!tree_put(writer, tree, "", ""));
        REQUIRE(tree_get(store.source(), tree.root, "")->value.empty());
    });
    REQUIRE(store.tree().count == before.count + 2);
}

TEST_CASE("wherever a key was changed or erased, a leaf that covers it says so", "[btree][PAST-1]") {
    // Few entries fill a leaf, so that pages run empty, merge, split and shift on every level.
    const std::uint64_t seed = 31;
    INFO("seed " << seed);
    Random random(seed);
    constexpr std::uint64_t k_keys = 2400;
    constexpr std::uint64_t k_looked_back = 12;
    RootStore store(4096);
    std::map<std::string, std::uint64_t> changed;
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < k_keys; ++i) tree_put(writer, tree, row(i), std::string(700, 'v'));
    });
    REQUIRE(require_sound(store.source(), store.tree()).depth >= 3);
    for (int t = 0; t < 200; ++t) {
        INFO("transaction " << store.txn() + 1);
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            const std::uint64_t first = random.below(k_keys);
            const std::uint64_t last = std::min(k_keys, first + 1 + random.below(random.chance(1, 4) ? 900 : 9));
            const std::uint64_t what = random.below(10);
            for (std::uint64_t i = first; i < last; ++i) {
                const std::string key = row(i);
                const bool there = tree_get(store.source(), tree.root, key).has_value();
                if (what < 4 ? !there : there) changed[key] = writer.txn();
                if (what < 4 && !there) tree_put(writer, tree, key, std::string(random.between(300, 1000), 'w'));
                if (what >= 4 && what < 8) tree_erase(writer, tree, key);
            }
            if (what >= 8) tree_erase_range(writer, tree, row(first), row(last - 1) + "z");
        });
        require_sound(store.source(), store.tree());
        for (std::uint64_t back = 1; back <= std::min(k_looked_back, store.txn()); ++back) {
            const std::uint64_t txn = store.txn() - back;
            std::set<std::string> missing;
            for (const auto& [key, at] : changed) {
                if (at > txn) missing.insert(key);
            }
            TreeCursor cursor(store.source(), store.tree().root);
            std::string low;
            std::string high;
            for (bool on = cursor.first_changed_leaf(txn); on; on = cursor.next_changed_leaf(txn)) {
                const auto from = cursor.low_fence(low) ? missing.lower_bound(low) : missing.begin();
                const auto to = cursor.high_fence(high) ? missing.lower_bound(high) : missing.end();
                missing.erase(from, to);
            }
            REQUIRE(missing == std::set<std::string>{});
        }
    }
}
