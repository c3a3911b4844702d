#include "format/node.hpp"

namespace northstar::inline v0::detail {

namespace node_impl {

// Everything the header says, and where the arrays end. nullptr: sound.
inline const char* check_header(const Node& node, std::size_t page_size) {
    const bool leaf = node.kind() == PageKind::leaf;
    if (!leaf && node.kind() != PageKind::inner) return "a page of a tree is neither leaf nor inner";
    if (leaf != (node.level() == 0) || node.level() >= k_max_depth)
        return "a node's level does not fit its kind";
    const unsigned flags_known = leaf ? k_node_catalog_flag | k_node_wide_flag : k_node_catalog_flag;
    if ((node.flags() & ~flags_known) != 0) return "a node has unknown flags";
    const unsigned width = node.txn_width();
    if (width != 0 && (!leaf || (width != 2 && width != 4 && width != 8)))
        return "a node's txn width is not possible";
    if (node.prefix_size() > max_key_size(page_size)) return "a node's prefix is too long";
    if (node.heap() > page_size || node.gap() > node.heap()) return "a node's arrays and heap overlap";
    if (node.garbage() > page_size - node.heap()) return "a node has more garbage than heap";
    if (load_u64(node.page() + 56) != 0) return "a node's reserved bytes are not zero";
    return nullptr;
}

// Two neighbours in the arrays, in order? Heads that are longer than their suffix are filled with zeros.
inline const char* check_order(const SuffixView& before, const SuffixView& suffix, bool first) {
    if (suffix.size < k_head_size && (suffix.head << 8 * suffix.size) != 0)
        return "a head is longer than its key";
    if (first) return nullptr;
    if (suffix.head > before.head) return nullptr;
    if (suffix.head == before.head && compare_rest(before.rest, before.size, suffix.rest, suffix.size) < 0) {
        return nullptr;
    }
    return "the keys of a node are out of order";
}

inline const char* check_leaf(const Node& node, std::size_t page_size, bool in_file) {
    const std::size_t fixed = (node.wide() ? 4u : 2u) + node.txn_width();
    const std::size_t heap = node.heap();
    const std::uint64_t max_txn = node.max_txn();
    const std::size_t key_room = max_key_size(page_size) - node.prefix_size();
    std::size_t used = 0;
    SuffixView before;
    for (unsigned i = 0; i < node.count(); ++i) {
        const std::size_t offset = node.leaf_slot(i);
        if (offset < heap || offset + fixed > page_size) return "a slot points outside of the heap";
        const LeafCell cell = node.leaf_cell(i);
        const std::size_t size = fixed + cell.suffix.rest_size() + cell.value_size;
        if (size > page_size - offset) return "a cell reaches behind its page";
        if (cell.suffix.size > key_room) return "a key is too long";
        if (!cell.large && cell.value_size > max_inline_value_size(page_size))
            return "a value is too long for a leaf";
        if (cell.txn < node.txn_base() || cell.txn > max_txn) return "an entry is newer than its page";
        if (const char* wrong = check_order(before, cell.suffix, i == 0)) return wrong;
        if (cell.large) {
            const Ref ref(load_u64(cell.value));
            if (ref.empty() || (in_file && (ref.in_memory() || ref.page() == 0)))
                return "a large value has no run";
            if (load_u64(cell.value + 8) > 0xffffffffu) return "a large value is too large";
        }
        if (node.catalog()) {
            if (cell.large || cell.value_size < 8) return "a catalog entry has no root";
            const Ref ref(load_u64(cell.value));
            if (in_file && !ref.empty() && (ref.in_memory() || ref.page() == 0))
                return "a catalog entry's root is no page";
        }
        used += size;
        before = cell.suffix;
    }
    return used == page_size - heap - node.garbage() ? nullptr
                                                     : "the cells of a leaf do not add up to its heap";
}

inline const char* check_inner(const Node& node, std::size_t page_size, bool in_file) {
    const std::size_t heap = node.heap();
    const std::size_t key_room = max_key_size(page_size) - node.prefix_size();
    std::size_t used = 0;
    SuffixView before;
    for (unsigned i = 0; i < node.count(); ++i) {
        const std::size_t slot = load_u16(node.inner_slots() + 2 * std::size_t{i});
        if (slot > k_head_size) {
            if (slot < heap || slot + 2 > page_size) return "a slot points outside of the heap";
            const std::size_t length = load_u16(node.page() + slot);
            if (length <= k_head_size) return "a separator's cell is superfluous";
            if (length - k_head_size > page_size - slot - 2) return "a cell reaches behind its page";
            used += 2 + length - k_head_size;
        }
        const SuffixView suffix = node.separator(i);
        if (suffix.size > key_room) return "a separator is too long";
        if (const char* wrong = check_order(before, suffix, i == 0)) return wrong;
        before = suffix;
    }
    for (unsigned i = 0; i <= node.count(); ++i) {
        const Ref ref = node.child(i);
        if (ref.empty() || (in_file && (ref.in_memory() || ref.page() == 0))) return "a child is no page";
    }
    return used == page_size - heap - node.garbage() ? nullptr
                                                     : "the cells of an inner node do not add up to its heap";
}

}  // namespace node_impl

const char* validate_node(const std::byte* page, std::size_t page_size, bool in_file) noexcept {
    const Node node(page);
    if (const char* wrong = node_impl::check_header(node, page_size)) return wrong;
    return node.leaf() ? node_impl::check_leaf(node, page_size, in_file)
                       : node_impl::check_inner(node, page_size, in_file);
}

}  // namespace northstar::inline v0::detail
