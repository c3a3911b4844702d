// txn_trees_by_name_test.cpp -- the trees that a workspace has open: few are looked through, many are looked up.
#include "txn/open_trees.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace {

using northstar::detail::OpenTree;
using northstar::detail::OpenTrees;

constexpr int k_many = 40;

std::string name_of(int i) { return "tree " + std::to_string(i); }

int add(OpenTrees& trees, const std::string& name, std::uint64_t id) {
    OpenTree tree;
    tree.name = name;
    tree.id = id;
    return trees.add(tree);
}

/// Trees 0 to count - 1, whose numbers are 100 more.
OpenTrees some(int count) {
    OpenTrees trees;
    for (int i = 0; i < count; ++i) add(trees, name_of(i), 100 + static_cast<std::uint64_t>(i));
    return trees;
}

bool finds_all(const OpenTrees& trees, int count) {
    for (int i = 0; i < count; ++i) {
        if (trees.find(name_of(i)) != i || trees.find(100 + static_cast<std::uint64_t>(i)) != i) return false;
    }
    return trees.find(name_of(count)) == -1 && trees.find(100 + static_cast<std::uint64_t>(count)) == -1;
}

}  // namespace

TEST_CASE("Each open tree is found by its name and its number, however many there are", "[OPENTREES-1]") {
    for (int count = 0; count <= k_many; ++count) {
        CAPTURE(count);
        CHECK(finds_all(some(count), count));
    }
}

TEST_CASE("A tree that is opened after others were looked for is found", "[OPENTREES-1]") {
    OpenTrees trees;
    for (int i = 0; i < k_many; ++i) {
        REQUIRE(finds_all(trees, i));
        REQUIRE(add(trees, name_of(i), 100 + static_cast<std::uint64_t>(i)) == i);
    }
    CHECK(finds_all(trees, k_many));
}

TEST_CASE("Of trees with one name the newest is found", "[OPENTREES-2]") {
    for (const int others : {0, k_many}) {
        CAPTURE(others);
        OpenTrees trees = some(others);
        const int older = add(trees, "again", 1);
        CHECK(trees.find("again") == older);
        trees[older].dropped = true;
        const int newer = add(trees, "again", 2);
        CHECK(trees.find("again") == newer);
        CHECK(trees.find(std::uint64_t{1}) == older);
    }
}

TEST_CASE("A copy of open trees outlives them, and finds its own", "[OPENTREES-1]") {
    for (const int count : {3, k_many}) {
        CAPTURE(count);
        OpenTrees copy;
        {
            OpenTrees trees = some(count);
            REQUIRE(finds_all(trees, count));
            copy = trees;
            add(trees, "behind the copy", 7);
        }
        CHECK(finds_all(copy, count));
        CHECK(copy.find("behind the copy") == -1);
    }
}

TEST_CASE("Open trees that were cleared or moved away are none", "[OPENTREES-1]") {
    OpenTrees trees = some(k_many);
    REQUIRE(finds_all(trees, k_many));
    OpenTrees moved = std::move(trees);
    CHECK(finds_all(moved, k_many));
    add(moved, name_of(k_many), 100 + k_many);
    CHECK(finds_all(moved, k_many + 1));
    moved.clear();
    CHECK(finds_all(moved, 0));
    add(moved, name_of(0), 100);
    CHECK(finds_all(moved, 1));
}
