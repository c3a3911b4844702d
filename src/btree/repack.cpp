#include "btree/repack.hpp"

#include "format/node_edit.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace northstar::inline v0::detail {

namespace repack_impl {

/// This part of a leaf stays free, so that not every later change splits one.
constexpr std::size_t k_slack_part = 32;
/// Repacking pays where it saves this part of the leaves.
constexpr unsigned k_saved_part = 16;
/// Leaves looked at together, as a sequence can take them.
constexpr unsigned k_window = 4;

constexpr std::size_t room_of(std::size_t page_size) { return page_size - page_size / k_slack_part; }

/// Entries below a node of level 1, from some place on.
struct Place {
    unsigned child = 0;
    unsigned entry = 0;
};

/// Is the last key of a leaf less than the first of the next one?
bool ascends(const Node& leaf, const Node& next) {
    const KeyPieces left(leaf, leaf.leaf_cell(leaf.count() - 1).suffix);
    const KeyPieces right(next, next.leaf_cell(0).suffix);
    return detail::ascends(left, right);
}

/// How many entries from the first on one page takes; one at least.
unsigned most_that_fit(const LeafSequence& entries, std::size_t room) {
    unsigned low = 1;
    unsigned high = entries.size();
    while (low < high) {
        const unsigned middle = low + (high - low + 1) / 2;
        if (measure(entries, 0, middle).bytes <= room) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

}  // namespace repack_impl

bool worth_repacking(const PageSource& source, const Node& parent) {
    const std::size_t page_size = source.page_size();
    const unsigned children = parent.count() + 1u;
    std::size_t used = 0;
    std::optional<Node> before;
    for (unsigned i = 0; i < children; ++i) {
        const Node leaf(tree_impl::node_at(source, parent.child(i), 0));
        if (leaf.count() == 0 || (before && !repack_impl::ascends(*before, leaf))) {
            tree_impl::out_of_order(parent.child(i));
        }
        before = leaf;
        used += page_size - leaf.free_bytes() - k_page_header_size;
    }
    const std::size_t room = repack_impl::room_of(page_size) - k_page_header_size;
    const std::size_t wanted = used / room + 1;
    return children > wanted && (children - wanted) * repack_impl::k_saved_part >= children;
}

std::byte* repack_leaves(PageWriter& writer, const Node& parent, std::vector<std::byte*>& leaves) {
    using namespace repack_impl;
    const std::size_t page_size = writer.page_size();
    const unsigned children = parent.count() + 1u;
    const auto leaf_at = [&](unsigned i) { return Node(tree_impl::node_at(writer.source(), parent.child(i), 0)); };
    std::vector<std::string> separators;  // in front of every leaf but the first
    leaves.clear();
    std::uint64_t before_boundary = 0;
    for (Place at; at.child < children;) {
        LeafSequence entries;
        for (unsigned i = at.child; i < children && i < at.child + k_window; ++i) {
            entries.add(leaf_at(i), i == at.child ? at.entry : 0, leaf_at(i).count());
        }
        const unsigned count = most_that_fit(entries, room_of(page_size));
        std::uint64_t max_txn = before_boundary;
        for (unsigned left = count; left != 0;) {
            const Node leaf = leaf_at(at.child);
            const unsigned here = std::min(left, leaf.count() - at.entry);
            max_txn = std::max(max_txn, leaf.max_txn());
            left -= here;
            at.entry += here;
            if (at.entry == leaf.count()) at = {at.child + 1, 0};
        }
        before_boundary = 0;
        if (at.entry == 0 && at.child < children) {
            // The new separator is another one than the old one here: what was erased between them changes its leaf.
            before_boundary = leaf_at(at.child - 1).max_txn();
            max_txn = std::max(max_txn, leaf_at(at.child).max_txn());
        }
        leaves.push_back(writer.new_page());
        build_leaf(leaves.back(), page_size, entries, 0, count, measure(entries, 0, count), false, max_txn);
        if (at.child == children) break;
        const KeyPieces last = entries[count - 1].key;
        const Node next = leaf_at(at.child);
        const KeyPieces first(next, next.leaf_cell(at.entry).suffix);
        separators.emplace_back(separator_size(last, first), '\0');
        first.copy(0, separators.back().size(), reinterpret_cast<std::byte*>(separators.back().data()));
    }
    std::vector<InnerEntry> behind;
    for (std::size_t i = 1; i < leaves.size(); ++i) {
        behind.push_back({KeyPieces(separators[i - 1]), Ref::memory(leaves[i])});
    }
    InnerSequence entries;
    entries.add(std::span<const InnerEntry>(behind));
    const NodeShape shape = measure(entries, 0, entries.size());
    // Entries that fill a large part of a page each may lie as they are in as few leaves as they can, and the new
    // separators may be longer than the old ones.
    if (leaves.size() >= children || shape.bytes > page_size) {
        for (const std::byte* leaf : leaves) writer.drop(Ref::memory(leaf));
        leaves.clear();
        return nullptr;
    }
    std::byte* page = writer.new_page();
    build_inner(page, page_size, parent.level(), Ref::memory(leaves.front()), entries, 0, entries.size(), shape,
                parent.catalog(), parent.max_txn());
    for (unsigned i = 0; i < children; ++i) writer.drop(parent.child(i));
    return page;
}

}  // namespace northstar::inline v0::detail
