// Trees whose pages are each well-formed but do not belong together: found, named, and never a long walk.
#include "btree_support.hpp"

#include "btree/tree_compare.hpp"

#include <chrono>

namespace {

using namespace northstar_test;

std::vector<std::string> problems_of(const PageSource& source, const TreeRoot& tree) {
    std::vector<std::string> found;
    check_tree(source, tree, [&](const TreeProblem& problem) { found.push_back(problem.what); });
    return found;
}

template <class Action>
void require_corrupt(Action&& action) {
    try {
        action();
        FAIL("the damage was not noticed");
    } catch (const northstar::Error& error) {
        REQUIRE(error.code() == northstar::Errc::corrupt);
        REQUIRE(error.page() != northstar::Error::no_page);
    }
}

void walk_forward(const PageSource& source, Ref root) {
    TreeCursor cursor(source, root);
    for (bool on = cursor.first(); on; on = cursor.next()) {}
}
void walk_back(const PageSource& source, Ref root) {
    TreeCursor cursor(source, root);
    for (bool on = cursor.last(); on; on = cursor.prev()) {}
}

}  // namespace

TEST_CASE("a page that hangs in many places does not make a walk long", "[btree][DMG-6]") {
    for (const bool single : {false, true}) {
        ImageSource image(4096);
        Ref ref = image.add(leaf_page({"a", "b", "c", "d"}), 1);
        // Three ways down on every level, always to the same page: 3^38 leaves if one believes it.
        for (unsigned level = 1; level < 39; ++level) {
            if (single && level % 2 == 0) {
                ref = image.add(inner_page(level, {ref}, {}), 1);
            } else {
                ref = image.add(inner_page(level, {ref, ref, ref}, {"b", "c"}), 1);
            }
        }
        const auto start = std::chrono::steady_clock::now();
        require_corrupt([&] { walk_forward(image, ref); });
        require_corrupt([&] { walk_back(image, ref); });
        require_corrupt([&] {
            FrameArena arena(4096);
            PageWriter writer(arena, image);
            TreeRoot tree{ref, 4};
            tree_drop(writer, tree);
        });
        require_corrupt([&] {
            TreeCursor cursor(image, ref);
            for (bool on = cursor.first_changed_leaf(0); on; on = cursor.next_changed_leaf(0)) {}
        });
        // Leaves that are not entered, since they did not change.
        const Ref quiet = image.add(leaf_page({"a"}, 1), 1);
        Ref top = image.add(inner_page(1, {quiet, quiet, quiet}, {"b", "c"}, 9), 1);
        for (unsigned level = 2; level < 39; ++level)
            top = image.add(inner_page(level, {top, top, top}, {"b", "c"}, 9), 1);
        require_corrupt([&] {
            TreeCursor cursor(image, top);
            for (bool on = cursor.first_changed_leaf(5); on; on = cursor.next_changed_leaf(5)) {}
        });
        REQUIRE(!problems_of(image, {ref, 4}).empty());
        REQUIRE(!problems_of(image, {top, 4}).empty());
        tree_get(image, ref, "b");
        tree_estimate(image, {ref, 4}, "a", "d");
        REQUIRE(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
    }
}

TEST_CASE("an empty key that lies nowhere is a key", "[btree]") {
    // Its place and its head were reckoned from nullptr, which only UndefinedBehaviorSanitizer minds.
    const std::vector<std::byte> page = leaf_page({"", "a", "abcde"});
    const Node node(page.data());
    const Node::Place place = node.search(std::string_view());
    CHECK(place.equal);
    CHECK(place.index == 0);
    Node::Candidates among{};
    REQUIRE(node.find_candidates(std::string_view(), among));
    LeafCell cell;
    CHECK(node.pick_candidate(std::string_view(), among, cell));
}

TEST_CASE("a child of the wrong level or kind is refused", "[btree]") {
    ImageSource image(4096);
    const Ref leaf = image.add(leaf_page({"m", "n"}), 1);
    const Ref low = image.add(inner_page(1, {leaf}, {}), 1);
    const Ref gap = image.add(inner_page(3, {low, low}, {"m"}), 1);
    require_corrupt([&] { tree_get(image, gap, "m"); });
    require_corrupt([&] { walk_forward(image, gap); });
    require_corrupt([&] {
        std::string_view key = "m";
        std::optional<TreeValue> out;
        tree_multi_get(image, gap, {&key, 1}, {&out, 1});
    });
    require_corrupt([&] {
        FrameArena arena(4096);
        PageWriter writer(arena, image);
        TreeRoot tree{gap, 2};
        tree_put(writer, tree, "m", "x");
    });
    REQUIRE(!problems_of(image, {gap, 2}).empty());

    std::vector<std::byte> run(4096);
    run[k_page_kind_offset] = static_cast<std::byte>(PageKind::run);
    const Ref other = image.add(std::move(run), 1);
    require_corrupt([&] { tree_get(image, other, "m"); });
}

TEST_CASE("the structural check names each kind of damage", "[btree]") {
    ImageSource image(4096);
    const Ref ab = image.add(leaf_page({"a", "b"}), 1);
    const Ref mn = image.add(leaf_page({"m", "n"}), 1);
    const Ref empty = image.add(leaf_page({}), 1);
    const Ref young = image.add(leaf_page({"m", "n"}), 9);
    const Ref newer = image.add(leaf_page({"m", "n"}, 5), 1);
    const auto under = [&](Ref second, const char* separator) {
        return image.add(inner_page(1, {ab, second}, {separator}), 2);
    };
    CHECK(problems_of(image, {under(mn, "m"), 4}).empty());
    CHECK(problems_of(image, {under(mn, "m"), 5}).size() == 1);
    CHECK(problems_of(image, {under(mn, "n"), 4}).size() == 1);
    CHECK(problems_of(image, {under(mn, "b"), 4}).size() == 1);
    CHECK(problems_of(image, {under(empty, "m"), 2}).size() == 1);
    CHECK(problems_of(image, {under(young, "m"), 4}).size() == 1);
    CHECK(problems_of(image, {under(newer, "m"), 4}).size() == 2);
    const Ref between = image.add(inner_page(1, {ab, newer}, {"m"}, 5), 1);
    CHECK(problems_of(image, {image.add(inner_page(2, {between}, {}), 2), 4}).size() == 2);
    std::vector<std::byte> of_a_catalog = inner_page(1, {ab, mn}, {"m"});
    of_a_catalog[k_page_flags_offset] = std::byte{k_node_catalog_flag};
    CHECK(problems_of(image, {image.add(std::move(of_a_catalog), 2), 4}).size() == 2);
    const std::vector<std::byte> in_memory = leaf_page({"m", "n"});
    CHECK(problems_of(image, {under(Ref::memory(in_memory.data()), "m"), 4}).size() == 1);
    const Ref nowhere = Ref::file(4000, 1);
    CHECK(problems_of(image, {under(nowhere, "m"), 2}).size() == 1);
    const Ref wrong_sum = Ref::file(mn.page(), mn.checksum() ^ 1);
    CHECK(problems_of(image, {under(wrong_sum, "m"), 2}).size() == 1);
    CHECK(problems_of(image, {}).empty());
    CHECK(problems_of(image, {Ref(), 3}).size() == 1);
}

TEST_CASE("pages whose order their parent does not tell are never made one", "[btree][DMG-6]") {
    // Every checksum fitted, each page was in order, and the pages together were not: the prefix of the
    // joined page, which its first and last key have in common, was longer than a key between them, and the
    // copy ran out of the page.
    ImageSource image(4096);
    FrameArena arena(4096);
    PageWriter writer(arena, image);
    SECTION("when a leaf that is nearly empty merges") {
        const Ref left = image.add(leaf_page({"xab", "xac"}), 1);
        const Ref right = image.add(leaf_page({"a", "xae"}), 1);
        TreeRoot tree{image.add(inner_page(1, {left, right}, {"xad"}), 1), 4};
        require_corrupt([&] { tree_erase(writer, tree, "xab"); });
    }
    const auto key = [](char c) { return std::string(900, c); };
    SECTION("when a full leaf gives entries to its neighbour") {
        const Ref low = image.add(leaf_page({"a"}), 1);
        const Ref astray = image.add(leaf_page({key('m'), key('n'), key('o'), key('p')}), 1);
        const Ref high = image.add(leaf_page({"cc"}), 1);
        TreeRoot tree{image.add(inner_page(1, {low, astray, high}, {"b", "c"}), 1), 6};
        require_corrupt([&] { tree_put(writer, tree, key('b'), "value"); });
    }
    SECTION("when what a full leaf gives to its neighbour lies behind the one after that") {
        const Ref low = image.add(leaf_page({"a"}), 1);
        const Ref astray = image.add(leaf_page({key('m'), key('n'), key('o'), key('p')}), 1);
        const Ref high = image.add(leaf_page({"q"}), 1);
        const Ref last = image.add(leaf_page({"z"}), 1);
        TreeRoot tree{image.add(inner_page(1, {low, astray, high, last}, {"b", "c", "d"}), 1), 7};
        require_corrupt([&] { tree_put(writer, tree, key('b'), "value"); });
    }
    const Ref small = image.add(leaf_page({key('A'), key('B'), key('C'), key('D')}), 1);
    const Ref large = image.add(leaf_page({key('m'), key('n'), key('o'), key('p')}), 1);
    SECTION("when a full leaf splits that lies behind its place") {
        TreeRoot tree{image.add(inner_page(1, {small, large, large}, {"b", "c"}), 1), 12};
        require_corrupt([&] { tree_put(writer, tree, key('b'), "value"); });
    }
    SECTION("when a full leaf splits that lies before its place") {
        TreeRoot tree{image.add(inner_page(1, {small, small, large}, {"b", "c"}), 1), 12};
        require_corrupt([&] { tree_put(writer, tree, key('b'), "value"); });
    }
    // No leaf is so empty that it would merge.
    const Ref leaf = image.add(leaf_page({key('a'), key('b'), key('c')}), 1);
    const Ref other = image.add(leaf_page({key('d'), key('e'), key('f')}), 1);
    SECTION("when an inner page that is nearly empty merges with one behind it") {
        const Ref left = image.add(inner_page(1, {leaf, other}, {"d"}), 1);
        const Ref right = image.add(inner_page(1, {leaf, other}, {"e"}), 1);
        TreeRoot tree{image.add(inner_page(2, {left, right}, {"f"}), 1), 12};
        require_corrupt([&] { tree_erase(writer, tree, key('a')); });
    }
    SECTION("when an inner page that is nearly empty reaches behind what its parent says") {
        const Ref left = image.add(inner_page(1, {leaf, other}, {"x"}), 1);
        const Ref right = image.add(inner_page(1, {leaf, other}, {"y"}), 1);
        TreeRoot tree{image.add(inner_page(2, {left, right}, {"f"}), 1), 12};
        require_corrupt([&] { tree_erase(writer, tree, key('a')); });
    }
}

TEST_CASE("cursors that leave a page together stand nowhere when what follows is damaged", "[btree][CURSOR-1]") {
    ImageSource image(4096);
    const Ref shared = image.add(leaf_page({"a", "b"}), 1);
    const Ref astray = image.add(leaf_page({"c"}), 1);
    const Ref sound = image.add(leaf_page({"y"}), 1);
    const Ref damaged_root = image.add(inner_page(1, {shared, astray}, {"x"}), 1);
    const Ref sound_root = image.add(inner_page(1, {shared, sound}, {"x"}), 1);
    for (const bool first : {true, false}) {
        TreeCursor a(image, first ? damaged_root : sound_root), b(image, first ? sound_root : damaged_root);
        REQUIRE(a.first());
        REQUIRE(b.first());
        require_corrupt([&] { TreeCursor::skip_shared(a, 1, b, 1); });
        CHECK(a.valid() == !first);
        CHECK_FALSE(b.valid());
    }
}

TEST_CASE("leaves that do not lie one behind the other are not repacked", "[btree][DMG-6]") {
    ImageSource image(4096);
    const Ref ab = image.add(leaf_page({"a", "b"}), 1);
    const Ref bc = image.add(leaf_page({"b", "c"}), 1);
    const Ref empty = image.add(leaf_page({}), 1);
    for (const Ref second : {bc, empty}) {
        const Ref parent = image.add(inner_page(1, {ab, second}, {"b"}), 1);
        require_corrupt([&] { worth_repacking(image, Node(image.page(parent))); });
    }
}

TEST_CASE("a tree that is as deep as can be does not grow any further", "[btree][DMG-6]") {
    // All nodes on one way are full and so are those beside them, so that a split reaches the root.
    ImageSource image(4096);
    const std::string middle(899, 'm'), value(900, 'v');
    const std::string keys[] = {middle + "a", middle + "b", middle + "d"};
    std::vector<LeafEntry> entries;
    for (const std::string& key : keys) {
        LeafEntry entry;
        entry.key = KeyPieces(key);
        entry.value = reinterpret_cast<const std::byte*>(value.data());
        entry.value_size = static_cast<std::uint32_t>(value.size());
        entry.txn = 1;
        entries.push_back(entry);
    }
    LeafSequence row;
    row.add(std::span<const LeafEntry>(entries));
    std::vector<std::byte> leaf(4096);
    build_leaf(leaf.data(), 4096, row, 0, 3, measure(row, 0, 3), false, 1);
    const Ref full = image.add(std::move(leaf), 1);
    Ref ref = full;
    const auto wall = [](unsigned byte) { return std::string(900, static_cast<char>(byte)); };
    for (unsigned level = 1; level < k_max_depth; ++level) {
        const unsigned low = 'm' - 2 * level, high = 'm' + 2 * level;
        ref = image.add(inner_page(level, {full, full, ref, full, full},
                                   {wall(low - 1), wall(low), wall(high), wall(high + 1)}),
                        1);
    }
    FrameArena arena(4096);
    PageWriter writer(arena, image);
    writer.set_txn(2);
    TreeRoot tree{ref, 100};
    try {
        tree_put(writer, tree, middle + "c", value);
        FAIL("the tree has a level more than there may be");
    } catch (const northstar::Error& error) {
        CHECK(error.code() == northstar::Errc::corrupt);
    }
}

TEST_CASE("a writer that fails half-way leaves the old root as it was", "[btree]") {
    // Every change of a tree in a file meets a damaged page sooner or later.
    const std::uint64_t seed = 77;
    INFO("seed " << seed);
    Random random(seed);
    RootStore store(4096);
    Model model;
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 20000; ++i) {
            const std::string key = std::to_string(random.next());
            tree_put(writer, tree, key, "value");
            model[key] = {"value", writer.txn()};
        }
    });
    ImageSource image(4096);
    const TreeRoot placed{image.place(store.tree().root), store.tree().count};
    const std::vector<std::byte> sound = image.image();
    unsigned failures = 0;
    for (int round = 0; round < 40; ++round) {
        // As a process that has read nothing yet; a page that holds no part of the root is spoiled.
        ImageSource damaged(4096);
        damaged.image() = sound;
        const std::uint64_t victim = 1 + random.below(image.pages() - 2);
        damaged.image()[victim * 4096 + 100 + random.below(3000)] ^= std::byte{4};
        damaged.open();
        FrameArena arena(4096);
        {
            PageWriter writer(arena, damaged);
            writer.set_txn(2);
            TreeRoot tree = placed;
            try {
                for (int i = 0; i < 3000; ++i) {
                    const std::string key = std::to_string(random.next());
                    if (random.chance(1, 3)) {
                        tree_put(writer, tree, key, "other");
                    } else if (random.chance(1, 300)) {
                        tree_erase_range(writer, tree, key, key + "5");
                    } else {
                        tree_erase(
                            writer, tree,
                            model.lower_bound(key) == model.end() ? key : model.lower_bound(key)->first);
                    }
                }
            } catch (const northstar::Error& error) {
                REQUIRE(error.code() == northstar::Errc::corrupt);
                ++failures;
            }
        }
        REQUIRE(arena.bytes_in_use() == 0);
    }
    REQUIRE(failures > 20);
    require_equal(image, placed, model);
}
