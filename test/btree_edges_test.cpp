// btree_edges_test.cpp -- trees without pages, sources that fail, and what a check says of large values.
#include "btree_support.hpp"

#include "btree/tree_compare.hpp"
#include "btree/tree_space.hpp"

namespace {

using namespace northstar_test;

/// A file that cannot be read from some page on.
class FailingSource : public ImageSource {
public:
    explicit FailingSource(std::size_t page_size) : ImageSource(page_size) {}
    std::uint64_t fails_from = ~std::uint64_t{0};
    bool runs_fail = false;

protected:
    const std::byte* verify_page(Ref ref) const override {
        if (ref.page() >= fails_from) fail(Errc::io, "The file cannot be read.");
        return ImageSource::verify_page(ref);
    }
    const std::byte* verify_run(Ref ref, std::uint64_t length) const override {
        if (runs_fail || ref.page() >= fails_from) fail(Errc::io, "The file cannot be read.");
        return ImageSource::verify_run(ref, length);
    }
};

std::vector<TreeProblem> problems_of(const PageSource& source, const TreeRoot& tree, std::uint64_t value_pages) {
    std::vector<TreeProblem> found;
    check_tree(source, tree, value_pages, [&](const TreeProblem& problem) { found.push_back(problem); });
    return found;
}

}  // namespace

TEST_CASE("in a tree without pages a cursor stands nowhere and nothing is found", "[btree]") {
    ImageSource image(4096);
    const Ref none;
    TreeCursor cursor(image, none);
    CHECK_FALSE(cursor.first());
    CHECK_FALSE(cursor.last());
    CHECK_FALSE(cursor.lower_bound("a"));
    CHECK_FALSE(cursor.upper_bound("a"));
    CHECK_FALSE(cursor.find("a"));
    CHECK_FALSE(cursor.before("a"));
    CHECK_FALSE(cursor.seek_leaf("a"));
    CHECK_FALSE(cursor.next_leaf());
    CHECK_FALSE(cursor.prev_leaf());
    CHECK_FALSE(cursor.first_changed_leaf(0));
    CHECK_FALSE(cursor.last_changed_leaf(0));
    CHECK_FALSE(cursor.valid());
    CHECK_FALSE(cursor.in_leaf());
    CHECK_FALSE(cursor.to_end());
    CHECK(cursor.leaf_count() == 0);
    CHECK_FALSE(tree_get(image, none, "a"));
    const std::string_view keys[] = {"a", "b"};
    std::optional<TreeValue> values[] = {TreeValue{}, TreeValue{}};
    tree_multi_get(image, none, keys, values);
    CHECK_FALSE(values[0]);
    CHECK_FALSE(values[1]);
    CHECK(tree_estimate(image, {none, 0}, "", std::nullopt).high == 0);
    CHECK_FALSE(tree_range_differs({image, none}, {image, none}, "", std::nullopt));
    FrameArena arena(4096);
    PageWriter writer(arena, image);
    writer.set_txn(1);
    TreeRoot tree;
    CHECK_FALSE(tree_erase(writer, tree, "a"));
    CHECK(tree_erase_range(writer, tree, "", std::nullopt) == 0);
    CHECK(tree.root.empty());
}

TEST_CASE("a transaction copies each page of a tree once", "[btree][TREE-1]") {
    RootStore store(4096);
    store.commit([](PageWriter& writer, TreeRoot& tree) {
        for (int i = 1000; i < 3000; ++i) tree_put(writer, tree, std::to_string(i), "value");
    });
    const Ref before = store.tree().root;
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        tree_put(writer, tree, "1500", "other");
        const Ref copied = tree.root;
        CHECK(copied != before);
        const std::uint64_t made = writer.pages_made();
        tree_put(writer, tree, "1501", "other");
        CHECK(tree_erase(writer, tree, "1502"));
        CHECK(tree_erase_range(writer, tree, "1503", "1505") == 2);
        CHECK(tree.root == copied);
        CHECK(writer.pages_made() == made);
    });
    // A range up to a key, in which there is none, is no change.
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        const Ref root = tree.root;
        CHECK(tree_erase_range(writer, tree, "1600x", "1601") == 0);
        CHECK(tree.root == root);
        CHECK(writer.pages_made() == 0);
    });
    CHECK(tree_get(store.source(), before, "1500")->value == "value");
}

TEST_CASE("an estimate of an empty range is none, and one of what lies in a leaf is exact", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 1000; i < 9000; ++i) tree_put(writer, tree, std::to_string(i), "value");
    });
    const auto estimate = [&](std::string_view from, std::optional<std::string_view> to) {
        return tree_estimate(store.source(), store.tree(), from, to);
    };
    for (const auto& [from, to] : {std::pair("2000", "2000"), std::pair("2001", "2000"), std::pair("9", "10")}) {
        const TreeEstimate none = estimate(from, to);
        CHECK(none.count == 0);
        CHECK(none.low == 0);
        CHECK(none.high == 0);
    }
    const TreeEstimate some = estimate("2000", "2007");
    CHECK(some.count == 7);
    CHECK(some.low == 7);
    CHECK(some.high == 7);
    const TreeEstimate last = estimate("8990", std::nullopt);
    CHECK(last.count == 10);
    CHECK(last.high == 10);
    const TreeEstimate all = estimate("", std::nullopt);
    CHECK(all.low <= 8000);
    CHECK(all.high >= 8000);
}

TEST_CASE("a check of a file that cannot be read says that it failed, not that the tree is damaged", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 300; ++i) tree_put(writer, tree, std::to_string(i), std::string(100, 'v'));
        tree_put(writer, tree, "large", std::string(9000, 'L'));
    });
    FailingSource image(4096);
    const TreeRoot tree{image.place(store.tree().root), store.tree().count};
    REQUIRE(problems_of(image, tree, 1000).empty());
    for (std::uint64_t page = 1; page < image.pages(); ++page) {
        INFO("page " << page);
        image.open();
        image.fails_from = page;
        try {
            problems_of(image, tree, 1000);
            FAIL("nothing failed");
        } catch (const northstar::Error& error) {
            CHECK(error.code() == Errc::io);
        }
    }
    image.open();
    image.fails_from = ~std::uint64_t{0};
    image.runs_fail = true;
    CHECK_THROWS_AS(problems_of(image, tree, 1000), northstar::Error);
}

TEST_CASE("a check of pages in memory says which of them is no node", "[btree]") {
    RootStore store(4096);
    store.commit([](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 300; ++i) tree_put(writer, tree, std::to_string(i), std::string(100, 'v'));
    });
    std::byte* const leaf = Node(store.source().page(store.tree().root)).child(1).address();
    REQUIRE(problems_of(store.source(), store.tree(), 0).empty());
    leaf[56] ^= std::byte{1};
    const std::vector<TreeProblem> found = problems_of(store.source(), store.tree(), 0);
    leaf[56] ^= std::byte{1};
    REQUIRE(found.size() == 1);
    CHECK(found[0].what == "a node's reserved bytes are not zero");
}

TEST_CASE("a value of more than 4 GiB is refused before it is read", "[btree][KV-4]") {
    RootStore store(4096);
    store.commit([](PageWriter& writer, TreeRoot& tree) {
        tree_put(writer, tree, "k", "value");
        const Ref root = tree.root;
        const std::string_view much("value", std::size_t{1} << 32);
        for (const std::string_view key : {"k", "other"}) {
            CHECK_THROWS_AS(tree_put(writer, tree, key, much), northstar::Error);
            TreeFinger finger;
            CHECK_THROWS_AS(finger.append(writer, tree, key, much), northstar::Error);
        }
        CHECK(tree.root == root);
        CHECK(tree.count == 1);
    });
    CHECK(tree_get(store.source(), store.tree().root, "k")->value == "value");
}

TEST_CASE("a value of a quarter of a page lies in its leaf, and a longer one in a run", "[btree]") {
    for (const std::size_t page_size : {std::size_t{4096}, std::size_t{16384}}) {
        RootStore store(page_size);
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            tree_put(writer, tree, "a", std::string(page_size / 4, 'v'));
            tree_put(writer, tree, "b", std::string(page_size / 4 + 1, 'v'));
        });
        TreeCursor cursor(store.source(), store.tree().root);
        REQUIRE(cursor.find("a"));
        CHECK_FALSE(cursor.large_value());
        REQUIRE(cursor.find("b"));
        CHECK(cursor.large_value());
    }
}

TEST_CASE("a tree that loses entries loses levels", "[btree]") {
    RootStore store(4096);
    const auto key = [](int i) { return std::to_string(10000 + i); };
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 3000; ++i) tree_put(writer, tree, key(i), std::string(400, 'v'));
    });
    REQUIRE(require_sound(store.source(), store.tree()).depth == 3);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 1; i < 3000; ++i) CHECK(tree_erase(writer, tree, key(i)));
    });
    CHECK(require_sound(store.source(), store.tree()).depth == 1);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 1; i < 3000; ++i) tree_put(writer, tree, key(i), std::string(400, 'v'));
        CHECK(tree_erase_range(writer, tree, key(1), std::nullopt) == 2999);
    });
    CHECK(require_sound(store.source(), store.tree()).depth == 1);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 1; i < 3000; ++i) tree_put(writer, tree, key(i), std::string(400, 'v'));
        CHECK(tree_erase_range(writer, tree, key(1), key(2990)) == 2989);
    });
    CHECK(require_sound(store.source(), store.tree()).entries == 11);
    CHECK(tree_get(store.source(), store.tree().root, key(0)));
    for (int i = 2990; i < 3000; ++i) CHECK(tree_get(store.source(), store.tree().root, key(i)));
}

// The page holds as many of the shortest entries as there can be, none with a txn of its own. The new one makes all
// that share its page longer, so that it cannot be in either half.
TEST_CASE("an entry that is put long after those around it splits them where it stands", "[btree]") {
    std::vector<std::string> keys;
    for (int i = 0; i < 500; ++i) keys.push_back({static_cast<char>(i / 100 + 1), static_cast<char>(i % 100)});
    std::vector<LeafEntry> entries;
    for (const std::string& key : keys) {
        LeafEntry entry;
        entry.key = KeyPieces(key);
        entry.txn = 1;
        entries.push_back(entry);
    }
    LeafSequence row;
    row.add(std::span<const LeafEntry>(entries));
    std::vector<std::byte> page(4096);
    build_leaf(page.data(), 4096, row, 0, 500, measure(row, 0, 500), false, 1);
    for (const bool replaced : {true, false}) {
        ImageSource image(4096);
        FrameArena arena(4096);
        PageWriter writer(arena, image);
        writer.set_txn(std::uint64_t{1} << 33);
        TreeRoot tree{image.add(page, 1), 500};
        const std::string key = replaced ? keys[250] : keys[250] + "new", value(300, 'v');
        CHECK(tree_put(writer, tree, key, value) == replaced);
        CHECK(require_sound(image, tree).entries == (replaced ? 500 : 501));
        for (const std::string& other : keys)
            REQUIRE(tree_get(image, tree.root, other)->value == (other == key ? value : ""));
        CHECK(tree_get(image, tree.root, key)->value == value);
        CHECK(tree_get(image, tree.root, key)->txn == writer.txn());
    }
}

TEST_CASE("a check reads large values and counts no more of them than a file has pages for", "[btree][DMG-6]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        tree_put(writer, tree, "a", "small");
        tree_put(writer, tree, "b", std::string(9000, 'L'));
        tree_put(writer, tree, "c", "small");
        tree_put(writer, tree, "d", std::string(5000, 'M'));
    });
    // In memory they take no pages of the file.
    CHECK(problems_of(store.source(), store.tree(), 0).empty());
    std::uint64_t value_pages = 100;
    const TreeStatistics seen = check_tree(store.source(), store.tree(), value_pages, [](const TreeProblem&) {});
    CHECK(seen.large_values == 2);
    CHECK(seen.entries == 4);
    CHECK(value_pages == 100);
    ImageSource image(4096);
    const TreeRoot tree{image.place(store.tree().root), 4};
    CHECK(problems_of(image, tree, 5).empty());
    std::uint64_t left = 7;
    check_tree(image, tree, left, [](const TreeProblem&) {});
    CHECK(left == 2);
    const std::vector<TreeProblem> too_many = problems_of(image, tree, 4);
    REQUIRE(too_many.size() == 1);
    CHECK(too_many[0].page != 0);
    CHECK(problems_of(image, tree, 0).size() == 2);
    // A run that says another length.
    const Ref leaf = tree.root;
    const LeafCell cell = Node(image.page(leaf)).leaf_cell(1);
    REQUIRE(cell.large);
    const std::uint64_t run = Ref(load_u64(cell.value)).page();
    image.image()[run * 4096 + k_run_bytes_offset] ^= std::byte{1};
    image.open();
    const std::vector<TreeProblem> damaged = problems_of(image, tree, 5);
    REQUIRE(damaged.size() == 1);
    CHECK(damaged[0].page == run);
}

TEST_CASE("an empty leaf below the root is damage, whichever way it is entered", "[btree][DMG-6]") {
    ImageSource image(4096);
    const Ref ab = image.add(leaf_page({"a", "b"}), 1);
    const Ref empty = image.add(leaf_page({}), 1);
    const Ref yz = image.add(leaf_page({"y", "z"}), 1);
    const Ref root = image.add(inner_page(1, {ab, empty, yz}, {"m", "y"}), 1);
    const auto corrupt = [](const std::function<void()>& action) {
        try {
            action();
        } catch (const northstar::Error& error) {
            return error.code() == Errc::corrupt;
        }
        return false;
    };
    CHECK(corrupt([&] {
        TreeCursor cursor(image, root);
        for (bool on = cursor.first(); on; on = cursor.next()) {}
    }));
    CHECK(corrupt([&] {
        TreeCursor cursor(image, root);
        for (bool on = cursor.last(); on; on = cursor.prev()) {}
    }));
    FrameArena frames(4096);
    PageWriter dropping(frames, image);
    CHECK(corrupt([&] {
        TreeRoot damaged{root, 4};
        tree_drop(dropping, damaged);
    }));
    TreeRoot alone{empty, 0};
    tree_drop(dropping, alone);
    CHECK(alone.root.empty());
    // Alone it is the tree from which all was erased.
    TreeCursor cursor(image, empty);
    CHECK_FALSE(cursor.first());
    CHECK_FALSE(cursor.last());
    FrameArena arena(4096);
    PageWriter writer(arena, image);
    writer.set_txn(5);
    TreeRoot tree{empty, 0};
    CHECK_FALSE(tree_put(writer, tree, "k", "value"));
    CHECK(tree.count == 1);
    CHECK(tree_get(image, tree.root, "k")->value == "value");
    TreeRoot appended{empty, 0};
    {
        TreeFinger finger;
        finger.append(writer, appended, "k", "value", TreeKind::plain);
    }
    CHECK(tree_get(image, appended.root, "k")->value == "value");
    TreeRoot dropped = tree;
    tree_drop(writer, dropped);
    tree_drop(writer, appended);
    for (const auto& [ref, large] : writer.dropped()) CHECK((ref.in_memory() || ref.page() == empty.page()));
}
