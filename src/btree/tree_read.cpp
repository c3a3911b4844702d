#include "btree/tree.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace northstar::inline v0::detail {

void tree_impl::astray(Ref ref) {
    if (ref.in_memory()) fail(Errc::corrupt, "A page in memory is not the node that its parent expects.");
    fail(Errc::corrupt,
         "Page " + std::to_string(ref.page()) +
             " is not the node that its parent expects; run verify, restore a copy.",
         {}, ref.page());
}

void tree_impl::out_of_order(Ref ref) {
    fail(Errc::corrupt,
         "Page " + std::to_string(ref.page()) +
             " does not belong where its parent has it; run verify, restore a copy.",
         {}, ref.page());
}

Txn newest_txn(const PageSource& source, Ref root) { return Node(tree_impl::root_page(source, root)).max_txn(); }

std::optional<TreeValue> tree_get(const PageSource& source, Ref root, std::string_view key) {
    LeafCell cell;
    if (!tree_impl::find(source, root, key, cell)) return std::nullopt;
    return tree_impl::value_of(source, cell);
}

void tree_multi_get(const PageSource& source, Ref root, std::span<const std::string_view> keys,
                    std::span<std::optional<TreeValue>> out) {
    NORTHSTAR_ASSERT(keys.size() == out.size());
    if (root.empty()) {
        std::fill(out.begin(), out.end(), std::nullopt);
        return;
    }
    constexpr std::size_t k_group = 16;
    const Node top(tree_impl::root_page(source, root));
    for (std::size_t first = 0; first < keys.size(); first += k_group) {
        const std::size_t count = std::min(k_group, keys.size() - first);
        std::array<const std::byte*, k_group> pages;
        std::array<Ref, k_group> children;
        std::fill(pages.begin(), pages.end(), top.page());
        for (unsigned level = top.level(); level != 0;) {
            for (std::size_t i = 0; i < count; ++i) {
                const Node node(pages[i]);
                children[i] = node.child(node.search_child(keys[first + i]));
                source.prefetch(children[i]);
            }
            --level;
            for (std::size_t i = 0; i < count; ++i) pages[i] = tree_impl::node_at(source, children[i], level);
        }
        std::array<Node::Candidates, k_group> candidates;
        std::uint32_t hopeful = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const Node leaf(pages[i]);
            if (!leaf.find_candidates(keys[first + i], candidates[i])) continue;
            hopeful |= 1u << i;
            const std::byte* cell = leaf.page() + leaf.leaf_slot(candidates[i].low);
            __builtin_prefetch(cell);
            __builtin_prefetch(cell + 64);
        }
        for (std::size_t i = 0; i < count; ++i) {
            LeafCell cell;
            if ((hopeful >> i & 1) != 0 &&
                Node(pages[i]).pick_candidate(keys[first + i], candidates[i], cell)) {
                out[first + i] = tree_impl::value_of(source, cell);
            } else {
                out[first + i] = std::nullopt;
            }
        }
    }
}

}  // namespace northstar::inline v0::detail
