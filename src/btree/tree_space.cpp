#include "btree/tree_space.hpp"

#include "pager/file_pages.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace northstar::inline v0::detail {

namespace tree_space_impl {

/// An inner node right above leaves, and how many leaves are before its first.
struct Parent {
    Ref ref;
    std::uint64_t leaves_before = 0;
};

std::uint64_t value_pages_of(const PageSource& source, const Node& leaf) {
    std::uint64_t pages = 0;
    for (unsigned i = 0; i < leaf.count(); ++i) {
        const LeafCell cell = leaf.leaf_cell(i);
        if (cell.large) pages += run_pages(load_u64(cell.value + 8), source.page_size());
    }
    return pages;
}

/// Walks down to the parents of leaves and counts what it meets.
std::vector<Parent> parents_of_leaves(const PageSource& source, Ref root, std::uint64_t most, TreePages& pages) {
    struct Open {
        const std::byte* page;
        unsigned next;  // child to enter
    };
    std::vector<Parent> parents;
    std::array<Open, k_max_depth> path;
    unsigned open = 0;
    const auto enter = [&](Ref ref, const std::byte* page) {
        const Node node(page);
        if (node.level() == 1) {
            parents.push_back({ref, pages.leaf_pages});
            pages.leaf_pages += node.count() + 1u;
        } else {
            path[open++] = {page, 0};
        }
        if (++pages.inner_pages + pages.leaf_pages > most) tree_impl::astray(ref);
    };
    enter(root, tree_impl::root_page(source, root));
    while (open > 0) {
        Open& top = path[open - 1];
        const Node node(top.page);
        if (top.next > node.count()) {
            --open;
            continue;
        }
        const Ref child = node.child(top.next++);
        enter(child, tree_impl::node_at(source, child, node.level() - 1));
    }
    return parents;
}

}  // namespace tree_space_impl

TreePages tree_pages(const PageSource& source, Ref root, std::uint64_t most) {
    TreePages pages;
    if (root.empty()) return pages;
    const Node top(tree_impl::root_page(source, root));
    pages.depth = top.level() + 1;
    if (top.leaf()) {
        pages.leaf_pages = 1;
        pages.value_pages = tree_space_impl::value_pages_of(source, top);
        return pages;
    }
    const std::vector<tree_space_impl::Parent> parents =
        tree_space_impl::parents_of_leaves(source, root, most, pages);
    const std::uint64_t looked_at = std::min(pages.leaf_pages, k_leaves_looked_at);
    std::uint64_t found = 0;
    for (std::uint64_t i = 0; i < looked_at; ++i) {
        const std::uint64_t leaf = i * pages.leaf_pages / looked_at;
        const auto behind = std::partition_point(parents.begin(), parents.end(),
                                                 [&](const auto& parent) { return parent.leaves_before <= leaf; });
        const tree_space_impl::Parent& parent = *(behind - 1);
        const Node above(tree_impl::node_at(source, parent.ref, 1));
        const Ref child = above.child(static_cast<unsigned>(leaf - parent.leaves_before));
        found += tree_space_impl::value_pages_of(source, Node(tree_impl::node_at(source, child, 0)));
    }
    pages.value_pages = found * pages.leaf_pages / looked_at;
    return pages;
}

}  // namespace northstar::inline v0::detail
