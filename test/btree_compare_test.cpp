// Comparing roots and estimating ranges.
#include "btree_support.hpp"

#include "btree/tree_compare.hpp"

#include <set>

namespace {

using namespace northstar_test;

std::string number_key(std::uint64_t number) {
    std::string key = std::to_string(number);
    return "row/" + std::string(8 - key.size(), '0') + key;
}

}  // namespace

TEST_CASE("two roots differ exactly in the keys that changed between them", "[btree]") {
    const std::uint64_t seed = 4711;
    INFO("seed " << seed);
    Random random(seed);
    RootStore store(4096);
    Model model;
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 20000; ++i) {
            tree_put(writer, tree, number_key(i), "first");
            model[number_key(i)] = {"first", writer.txn()};
        }
    });
    for (int round = 0; round < 60; ++round) {
        const TreeRoot before = store.tree();
        std::set<std::string> changed;
        const std::uint64_t transactions = random.below(3);
        for (std::uint64_t t = 0; t < transactions; ++t) {
            store.commit([&](PageWriter& writer, TreeRoot& tree) {
                for (std::uint64_t k = random.below(6); k != 0; --k) {
                    const std::string key = number_key(random.below(22000));
                    if (random.chance(1, 3)) {
                        if (tree_erase(writer, tree, key)) changed.insert(key);
                    } else {
                        tree_put(writer, tree, key, std::string(random.below(60), 'x'));
                        changed.insert(key);
                    }
                }
                if (random.chance(1, 6)) {
                    const std::uint64_t from = random.below(20000);
                    TreeCursor cursor(store.source(), tree.root);
                    for (cursor.lower_bound(number_key(from));
                         cursor.valid() && cursor.key() < number_key(from + 200); cursor.next()) {
                        changed.insert(std::string(cursor.key()));
                    }
                    tree_erase_range(writer, tree, number_key(from), number_key(from + 200));
                }
            });
        }
        const TreeView a{store.source(), before.root};
        const TreeView b{store.source(), store.tree().root};
        // A key that was put and erased again is in neither.
        std::erase_if(changed, [&](const std::string& key) { return !tree_key_differs(a, b, key); });
        std::set<std::string> seen;
        REQUIRE(tree_diff(a, b, "", std::nullopt, [&](const TreeCursor* x, const TreeCursor* y) {
            REQUIRE((x != nullptr || y != nullptr));
            if (x != nullptr && y != nullptr) REQUIRE(x->key() == y->key());
            seen.insert(std::string((x != nullptr ? x : y)->key()));
            return true;
        }));
        REQUIRE(seen == changed);
        for (int i = 0; i < 200; ++i) {
            const std::uint64_t from = random.below(22000);
            const std::string low = number_key(from);
            const std::string high = number_key(from + random.below(random.chance(1, 2) ? 50 : 5000));
            const auto first = changed.lower_bound(low);
            const bool expected = first != changed.end() && *first < high;
            if (tree_range_differs(a, b, low, high) != expected)
                REQUIRE(tree_range_differs(a, b, low, high) == expected);
            REQUIRE(tree_range_differs(b, a, low, std::nullopt) == (first != changed.end()));
        }
    }
}

TEST_CASE("a comparison does not read what both roots share", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 50000; ++i) tree_put(writer, tree, number_key(i), "value");
    });
    // The same pages as a file that counts which of them are read.
    ImageSource image(4096);
    const Ref base = image.place(store.tree().root);
    REQUIRE(image.pages() > 150);
    FrameArena arena(4096);
    PageWriter writer(arena, image);
    TreeRoot tree{base, store.tree().count};
    writer.set_txn(9);
    tree_put(writer, tree, number_key(25000), "other");
    unsigned differences = 0;
    const std::uint64_t before = image.verifications();
    tree_diff({image, base}, {image, tree.root}, "", std::nullopt,
              [&](const TreeCursor* x, const TreeCursor* y) {
                  REQUIRE(x->key() == number_key(25000));
                  REQUIRE(x->value() == "value");
                  REQUIRE(y->value() == "other");
                  ++differences;
                  return true;
              });
    REQUIRE(differences == 1);
    // Beside the changed path: a page is entered before it is known to be shared, once per page on the path.
    REQUIRE(image.verifications() < before + 8);
    REQUIRE(!tree_range_differs({image, base}, {image, tree.root}, number_key(30000), std::nullopt));
    REQUIRE(image.verifications() < before + 12);
}

TEST_CASE("of two roots that differ in one leaf a comparison reads that leaf and one beside it", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 4000; ++i) tree_put(writer, tree, number_key(i), "value");
    });
    ImageSource image(4096);
    const Ref base = image.place(store.tree().root);
    REQUIRE(Node(image.page(base)).level() == 1);
    // The first leaf, one between others, the last one.
    for (const std::uint64_t number : {0u, 2000u, 3999u}) {
        INFO("key " << number);
        FrameArena arena(4096);
        PageWriter writer(arena, image);
        TreeRoot tree{base, store.tree().count};
        writer.set_txn(9);
        tree_put(writer, tree, number_key(number), "other");
        for (const bool swapped : {false, true}) {
            image.open();  // as if nothing had been read
            const std::uint64_t before = image.verifications();
            const TreeView old_one{image, base}, new_one{image, tree.root};
            unsigned differences = 0;
            tree_diff(swapped ? new_one : old_one, swapped ? old_one : new_one, "", std::nullopt,
                      [&](const TreeCursor*, const TreeCursor*) {
                          ++differences;
                          return true;
                      });
            CHECK(differences == 1);
            // The old root, its leaf, the first one, where both cursors begin, and the one behind the changed leaf,
            // which is entered before it is known to be shared.
            CHECK(image.verifications() - before == (number == 2000 ? 4 : 3));
        }
    }
}

TEST_CASE("a comparison passes over whole subtrees that both roots share", "[btree]") {
    const auto key = [](std::uint64_t i) { return number_key(i) + std::string(300, 'k'); };
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 12'000; ++i) tree_put(writer, tree, key(i), "value");
    });
    ImageSource image(4096);
    const Ref base = image.place(store.tree().root);
    REQUIRE(Node(image.page(base)).level() >= 2);
    REQUIRE(Node(image.page(base)).count() >= 2);
    FrameArena arena(4096);
    PageWriter writer(arena, image);
    TreeRoot tree{base, store.tree().count};
    writer.set_txn(9);
    tree_put(writer, tree, key(0), "other");
    image.open();
    const std::uint64_t before = image.verifications();
    CHECK_FALSE(tree_range_differs({image, base}, {image, tree.root}, key(1), std::nullopt));
    tree_diff({image, base}, {image, tree.root}, "", std::nullopt,
              [&](const TreeCursor*, const TreeCursor*) { return true; });
    // On each level at most the page on the way, one beside it, and where the second walk begins.
    CHECK(image.verifications() - before <= 3 * (Node(image.page(base)).level() + 1u));
}

TEST_CASE("a comparison in parts takes no more steps than it may, and meets every difference once", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 2000; ++i) tree_put(writer, tree, number_key(i), "value");
    });
    const Ref before = store.tree().root;
    std::set<std::string> changed;
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 2000; i += 7) {
            tree_put(writer, tree, number_key(i), "other");
            changed.insert(number_key(i));
        }
    });
    const TreeView a{store.source(), before}, b{store.source(), store.tree().root};
    for (const std::size_t steps : {std::size_t{1}, std::size_t{10}, std::size_t{100'000}}) {
        INFO(steps << " steps");
        std::set<std::string> seen;
        unsigned parts = 0;
        for (std::optional<std::string> from = ""; from;) {
            std::size_t most = steps;
            const std::size_t seen_before = seen.size();
            from = tree_diff_part(a, b, *from, most, [&](const TreeCursor* x, const TreeCursor* y) {
                REQUIRE((x != nullptr && y != nullptr));
                REQUIRE(seen.insert(std::string(y->key())).second);
                return true;
            });
            CHECK(seen.size() - seen_before <= steps);
            CHECK(most <= steps);
            if (from) CHECK(most == 0);
            REQUIRE(++parts < 3000);
        }
        CHECK(seen == changed);
        CHECK((steps == 100'000 ? parts == 1 : parts >= 2000 / (steps + 1)));
    }
}

TEST_CASE("a comparison in parts ends its part where what both roots share follows", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 2000; ++i) tree_put(writer, tree, number_key(i), "value");
    });
    const Ref before = store.tree().root;
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        tree_put(writer, tree, number_key(0), "other");
        tree_put(writer, tree, number_key(500) + "x", "new");
        tree_erase(writer, tree, number_key(1000));
        tree_put(writer, tree, number_key(1999), "other");
    });
    const std::vector<std::string> changed{number_key(0), number_key(500) + "x", number_key(1000), number_key(1999)};
    const TreeView a{store.source(), before}, b{store.source(), store.tree().root};
    for (std::size_t steps = 1; steps < 400; ++steps) {
        std::vector<std::string> seen;
        for (std::optional<std::string> from = ""; from;) {
            std::size_t most = steps;
            from = tree_diff_part(a, b, *from, most, [&](const TreeCursor* x, const TreeCursor* y) {
                seen.push_back(std::string((x != nullptr ? x : y)->key()));
                return true;
            });
            REQUIRE(most <= steps);
        }
        REQUIRE(seen == changed);
    }
}

TEST_CASE("equal roots are compared without reading them", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 2000; ++i) tree_put(writer, tree, number_key(i), "value");
    });
    ImageSource image(4096);
    const TreeView view{image, image.place(store.tree().root)};
    image.open();
    const std::uint64_t before = image.verifications();
    std::size_t most = 1;
    const auto none = [](const TreeCursor*, const TreeCursor*) { return false; };
    CHECK_FALSE(tree_key_differs(view, view, number_key(7)));
    CHECK_FALSE(tree_range_differs(view, view, "", std::nullopt));
    CHECK(tree_diff(view, view, "", std::nullopt, none));
    CHECK_FALSE(tree_diff_part(view, view, "", most, none));
    CHECK(image.verifications() == before);
}

TEST_CASE("an estimate encloses the true number", "[btree][KV-5]") {
    const std::uint64_t seed = 99;
    INFO("seed " << seed);
    Random random(seed);
    RootStore store(4096);
    Model model;
    for (int t = 0; t < 30; ++t) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            for (int i = 0; i < 2000; ++i) {
                const std::string key = number_key(random.below(1000000));
                tree_put(writer, tree, key, std::string(random.below(40), 'v'));
                model[key] = {"", 0};
            }
        });
    }
    REQUIRE(tree_estimate(store.source(), {}, "", std::nullopt).high == 0);
    double worst = 1;
    for (int i = 0; i < 300; ++i) {
        const std::uint64_t from = random.below(1000000);
        const std::uint64_t width = random.chance(1, 3) ? random.below(300) : random.below(600000);
        const std::string low = number_key(from);
        const std::string high = number_key(from + width);
        const bool open = random.chance(1, 10);
        const auto last = open ? model.end() : model.lower_bound(high);
        const auto truth = static_cast<std::uint64_t>(std::distance(model.lower_bound(low), last));
        const TreeEstimate guess = tree_estimate(store.source(), store.tree(), low,
                                                 open ? std::nullopt : std::optional<std::string_view>(high));
        REQUIRE(guess.low <= truth);
        REQUIRE(truth <= guess.high);
        REQUIRE(guess.low <= guess.count);
        REQUIRE(guess.count <= guess.high);
        if (truth < 100) REQUIRE(guess.count == truth);
        if (truth > 3000) {
            const double ratio = static_cast<double>(guess.count) / static_cast<double>(truth);
            worst = std::max({worst, ratio, 1 / ratio});
        }
    }
    REQUIRE(worst < 2.5);
    const TreeEstimate all = tree_estimate(store.source(), store.tree(), "", std::nullopt);
    REQUIRE(all.high == store.tree().count);
}

TEST_CASE("an estimate of a small part of a tree is not the whole of it", "[btree][KV-5]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 60'000; ++i) tree_put(writer, tree, number_key(i), "some value or other");
    });
    for (const std::uint64_t from : {0u, 20'000u, 58'000u}) {
        const TreeEstimate part =
            tree_estimate(store.source(), store.tree(), number_key(from), number_key(from + 2000));
        CHECK(part.low <= 2000);
        CHECK(part.high >= 2000);
        CHECK(part.high < 20'000);
        CHECK(part.low >= 20);
        CHECK(part.count >= 1000);
        CHECK(part.count <= 4000);
    }
}

TEST_CASE("an estimate encloses the number of entries that are as short as they can be", "[btree][KV-5]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint32_t i = 0; i < 40000; ++i) {
            std::byte key[4];
            store_u32(key, __builtin_bswap32(i));
            tree_put(writer, tree, {reinterpret_cast<const char*>(key), sizeof key}, "");
        }
    });
    // Leaves of a single txn have none of it in their entries.
    store.commit([](PageWriter& writer, TreeRoot& tree) {
        std::vector<std::byte*> leaves;
        const std::byte* page = repack_leaves(writer, Node(writer.source().page(tree.root)), leaves);
        REQUIRE(page != nullptr);
        writer.drop(tree.root);
        tree.root = Ref::memory(page);
    });
    CHECK(tree_estimate(store.source(), store.tree(), "", std::nullopt).high == 40000);
}
