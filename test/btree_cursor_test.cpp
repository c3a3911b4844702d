// btree_cursor_test.cpp -- cursors: values read many at a time, long bounds; fingers that stay on a leaf.
#include "btree_support.hpp"

#include <iterator>
#include <optional>
#include <span>

namespace {

using namespace northstar_test;

std::string number_key(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    return "row/" + std::string(6 - digits.size(), '0') + digits;
}

}  // namespace

TEST_CASE("many values are read at once as they are one after the other", "[btree]") {
    RootStore store(4096);
    store.commit([](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 700; ++i)
            tree_put(writer, tree, number_key(i), i % 50 == 7 ? std::string(2000, 'L') : "value " + std::to_string(i));
    });
    const Ref root = store.tree().root;
    REQUIRE_FALSE(Node(store.source().page(root)).leaf());
    const std::optional<std::string> ends[] = {std::nullopt,    "",              number_key(0),   number_key(1),
                                               number_key(250), number_key(251), number_key(699), "z"};
    const std::string beginnings[] = {"", number_key(249), number_key(250), number_key(690), "z"};
    for (const std::string& from : beginnings) {
        for (const std::optional<std::string>& end : ends) {
            for (const std::size_t room : {0u, 1u, 2u, 37u, 450u, 1000u}) {
                INFO("from " << from << " to " << (end ? *end : "the end") << ", room for " << room);
                const std::optional<std::string_view> to = end ? std::optional<std::string_view>(*end) : std::nullopt;
                TreeCursor one(store.source(), root), many(store.source(), root);
                one.lower_bound(from);
                many.lower_bound(from);
                std::vector<std::string_view> values(room + 1, "nothing was written here");
                const std::size_t count = many.read_values(std::span(values).first(room), to);
                std::size_t expected = 0;
                for (; one.valid() && expected < room && (!to || one.key() < *to); one.next())
                    REQUIRE(values[expected++] == one.value());
                REQUIRE(count == expected);
                REQUIRE(values[count] == "nothing was written here");
                REQUIRE(many.valid() == one.valid());
                if (one.valid()) {
                    REQUIRE(many.key() == one.key());
                    REQUIRE(many.value() == one.value());
                }
            }
        }
    }
}

TEST_CASE("a cursor passes bounds that are longer than a short key", "[btree]") {
    ImageSource image(4096);
    const auto key = [](char first, std::size_t size) { return std::string(size, first); };
    for (const std::size_t size : {std::size_t{255}, std::size_t{256}, std::size_t{257}, std::size_t{1000}}) {
        INFO("bounds of " << size << " bytes");
        const Ref leaves[] = {image.add(leaf_page({"a"}), 1), image.add(leaf_page({key('b', size)}), 1),
                              image.add(leaf_page({key('c', size), "d"}), 1)};
        const Ref root =
            image.add(inner_page(1, {leaves[0], leaves[1], leaves[2]}, {key('b', size), key('c', size)}), 1);
        const std::string expected[] = {"a", key('b', size), key('c', size), "d"};
        TreeCursor cursor(image, root);
        std::vector<std::string> seen;
        for (bool on = cursor.first(); on; on = cursor.next()) seen.emplace_back(cursor.key());
        CHECK(seen == std::vector<std::string>(std::begin(expected), std::end(expected)));
        seen.clear();
        for (bool on = cursor.last(); on; on = cursor.prev()) seen.emplace_back(cursor.key());
        CHECK(seen == std::vector<std::string>(std::rbegin(expected), std::rend(expected)));
        std::string fence;
        REQUIRE(cursor.seek_leaf(key('b', size)));
        CHECK(cursor.low_fence(fence));
        CHECK(fence == key('b', size));
        CHECK(cursor.high_fence(fence));
        CHECK(fence == key('c', size));
    }
}

TEST_CASE("a finger behind the last key of a leaf puts what lies behind the next leaf where it belongs", "[btree]") {
    constexpr std::uint64_t k_keys = 2500;
    RootStore store(4096);
    Model model;
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < k_keys; ++i) {
            model[number_key(i)] = {std::string(500, 'v'), writer.txn()};
            tree_put(writer, tree, number_key(i), std::string(500, 'v'));
        }
    });
    REQUIRE(require_sound(store.source(), store.tree()).depth == 3);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        TreeFinger finger;
        const auto put = [&](const std::string& key) {
            finger.put(writer, tree, key, "new");
            model[key] = {"new", writer.txn()};
        };
        for (std::uint64_t i = 0; i < k_keys; ++i) {
            put(number_key(i) + "a");  // behind the last key of every leaf once
            put(number_key(k_keys + i) + "b");
            put(number_key(i) + "c");
            put(number_key(i) + "d");
        }
    });
    require_sound(store.source(), store.tree());
    require_equal(store.source(), store.tree(), model);
}

TEST_CASE("a cursor that found nothing has no next leaf", "[btree][CURSOR-1]") {
    RootStore store(4096);
    store.commit([](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 700; ++i) tree_put(writer, tree, number_key(i), "value");
    });
    TreeCursor cursor(store.source(), store.tree().root);
    CHECK_FALSE(cursor.find("row/0000005"));
    CHECK_FALSE(cursor.in_leaf());
    CHECK_FALSE(cursor.next_leaf());
    CHECK_FALSE(cursor.prev_leaf());
    CHECK_FALSE(cursor.next());
    CHECK_FALSE(cursor.prev());
    CHECK(cursor.find(number_key(5)));
    // Behind the last key of a leaf that is not the last one.
    REQUIRE(cursor.to_end());
    const std::string last(cursor.key());
    REQUIRE(cursor.seek_leaf(last + "!"));
    CHECK_FALSE(cursor.valid());
    CHECK_FALSE(cursor.next());
    CHECK_FALSE(cursor.prev());
    CHECK(cursor.in_leaf());
    CHECK(cursor.lower_bound(last + "!"));
    CHECK(cursor.key() > last);
}

TEST_CASE("an appender that is reset goes on behind whatever was done to its tree", "[btree]") {
    RootStore store(4096);
    store.commit([](PageWriter& writer, TreeRoot& tree) {
        TreeAppender appender(writer, tree);
        for (std::uint64_t i = 0; i < 700; ++i) appender.append(number_key(i), "value");
        CHECK(tree_erase_range(writer, tree, number_key(1), std::nullopt) == 699);
        appender.reset();
        for (std::uint64_t i = 300; i < 400; ++i) appender.append(number_key(i), "value");
    });
    CHECK(require_sound(store.source(), store.tree()).entries == 101);
    CHECK(tree_get(store.source(), store.tree().root, number_key(300)));
}

TEST_CASE("a finger notes the transaction that it puts for, though it stays on its leaf", "[btree][TREE-2]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (const char* key : {"a", "z"}) tree_put(writer, tree, key, "value");
        TreeFinger finger;
        for (const char* key : {"k", "l", "m"}) finger.put(writer, tree, key, "value");
        writer.set_txn(writer.txn() + 1);
        finger.put(writer, tree, "l", "other");
        CHECK(newest_txn(writer.source(), tree.root) == writer.txn());
        CHECK(tree_get(writer.source(), tree.root, "l")->txn == writer.txn());
        writer.set_txn(writer.txn() + 1);
        finger.put(writer, tree, "n", "other");
        CHECK(newest_txn(writer.source(), tree.root) == writer.txn());
        writer.set_txn(writer.txn() + 1);
        finger.append(writer, tree, "zz", "other");
        CHECK(newest_txn(writer.source(), tree.root) == writer.txn());
        writer.set_txn(writer.txn() + 1);
        finger.append(writer, tree, "zzz", "other");
        CHECK(newest_txn(writer.source(), tree.root) == writer.txn());
        writer.set_txn(store.txn());
    });
}
