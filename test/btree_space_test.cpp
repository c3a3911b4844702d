// Counting the pages of a tree.
#include "btree_support.hpp"

#include "btree/tree_space.hpp"

#include <limits>

namespace {

using namespace northstar_test;

constexpr std::uint64_t k_any = std::numeric_limits<std::uint64_t>::max();

/// Pages of all large values, counted one by one.
std::uint64_t value_pages_of(const PageSource& source, const Model& model, std::size_t least) {
    std::uint64_t pages = 0;
    for (const auto& [key, value] : model) {
        if (value.value.size() < least) continue;
        pages += (k_page_header_size + value.value.size() + source.page_size() - 1) / source.page_size();
    }
    return pages;
}

}  // namespace

TEST_CASE("a tree without entries has no pages", "[btree][KV-5]") {
    const ImageSource source(4096);
    const TreePages pages = tree_pages(source, Ref(), k_any);
    CHECK(pages.depth == 0);
    CHECK(pages.inner_pages + pages.leaf_pages + pages.value_pages == 0);
}

TEST_CASE("inner pages and leaves are those that a walk through all pages meets", "[btree][KV-5]") {
    const std::uint64_t seed = 20251;
    INFO("seed " << seed);
    Random random(seed);
    RootStore store(4096);
    for (const std::uint64_t entries : {1, 20, 400, 3000, 60000}) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            while (tree.count < entries) {
                tree_put(writer, tree, std::to_string(random.below(10'000'000)), std::string(random.below(90), 'v'));
            }
        });
        INFO(entries << " entries");
        const TreeStatistics walked = require_sound(store.source(), store.tree());
        const TreePages pages = tree_pages(store.source(), store.tree().root, k_any);
        CHECK(pages.depth == walked.depth);
        CHECK(pages.inner_pages == walked.inner_pages);
        CHECK(pages.leaf_pages == walked.leaves);
        CHECK(pages.value_pages == 0);
    }
}

TEST_CASE("pages of large values are exact up to 64 leaves, and close behind that", "[btree][KV-5]") {
    const std::uint64_t seed = 20252;
    INFO("seed " << seed);
    Random random(seed);
    RootStore store(4096);
    Model model;
    const auto grow_to = [&](std::size_t entries) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            while (model.size() < entries) {
                const std::string key = std::to_string(random.below(10'000'000));
                const std::string value(random.chance(1, 5) ? 3000 + random.below(20000) : random.below(200), 'v');
                tree_put(writer, tree, key, value);
                model[key] = {value, writer.txn()};
            }
        });
        return tree_pages(store.source(), store.tree().root, k_any);
    };
    const TreePages few = grow_to(1000);
    REQUIRE(few.leaf_pages > 10);
    REQUIRE(few.leaf_pages <= k_leaves_looked_at);
    CHECK(few.value_pages == value_pages_of(store.source(), model, 3000));
    const TreePages many = grow_to(10000);
    REQUIRE(many.leaf_pages > 4 * k_leaves_looked_at);
    const double all = static_cast<double>(value_pages_of(store.source(), model, 3000));
    CHECK(static_cast<double>(many.value_pages) > 0.75 * all);
    CHECK(static_cast<double>(many.value_pages) < 1.25 * all);
}

TEST_CASE("a tree with more pages than there are is damaged", "[btree][DMG-2]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 5000; ++i) tree_put(writer, tree, std::to_string(i), std::string(100, 'v'));
    });
    const TreePages pages = tree_pages(store.source(), store.tree().root, k_any);
    const std::uint64_t all = pages.inner_pages + pages.leaf_pages;
    CHECK(tree_pages(store.source(), store.tree().root, all).leaf_pages == pages.leaf_pages);
    const auto too_few = [&] { static_cast<void>(tree_pages(store.source(), store.tree().root, all - 1)); };
    CHECK_THROWS_AS(too_few(), Error);
}
