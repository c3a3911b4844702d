#include "format/node_edit.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace node_edit_impl {

inline constexpr std::uint32_t k_narrow_value_limit = 254;  // 255 marks a large value
inline constexpr std::uint32_t k_narrow_suffix_limit = 255;

inline void store_u8(std::byte* at, std::size_t value) { *at = static_cast<std::byte>(value); }
inline void set_count(std::byte* page, std::size_t count) {
    store_u16(page + k_node_count_offset, static_cast<std::uint16_t>(count));
}
inline void set_heap(std::byte* page, std::size_t heap) {
    store_u32(page + k_node_heap_offset, static_cast<std::uint32_t>(heap));
}
inline void add_garbage(std::byte* page, std::size_t bytes) {
    store_u32(page + k_node_garbage_offset,
              static_cast<std::uint32_t>(load_u32(page + k_node_garbage_offset) + bytes));
}

// Smallest width that holds a difference of txns.
inline unsigned width_for(std::uint64_t span) {
    return span == 0 ? 0 : span <= 0xffff ? 2 : span <= 0xffffffff ? 4 : 8;
}

inline void store_delta(std::byte* at, unsigned width, std::uint64_t delta) {
    switch (width) {
        case 0: break;
        case 2: store_u16(at, static_cast<std::uint16_t>(delta)); break;
        case 4: store_u32(at, static_cast<std::uint32_t>(delta)); break;
        default: store_u64(at, delta); break;
    }
}

// The lengths and the txn of a leaf cell; returns the place of the suffix.
inline std::byte* store_cell_header(std::byte* at, bool wide, unsigned width, std::size_t suffix_size,
                                    const LeafEntry& entry, std::uint64_t base) {
    if (wide) {
        store_u16(at, static_cast<std::uint16_t>(suffix_size));
        store_u16(at + 2, entry.large ? std::uint16_t{0xffff} : static_cast<std::uint16_t>(entry.value_size));
        at += 4;
    } else {
        store_u8(at, suffix_size);
        store_u8(at + 1, entry.large ? 0xff : entry.value_size);
        at += 2;
    }
    store_delta(at, width, entry.txn - base);
    return at + width;
}

// Can a cell be kept in the form that the page has?
inline bool fits_form(const Node& node, std::size_t suffix_size, const LeafEntry& entry) {
    if (!node.wide() &&
        (suffix_size > k_narrow_suffix_limit || (!entry.large && entry.value_size > k_narrow_value_limit))) {
        return false;
    }
    return entry.txn >= node.txn_base() && width_for(entry.txn - node.txn_base()) <= node.txn_width();
}

inline std::size_t rest_size(std::size_t suffix_size) {
    return suffix_size > k_head_size ? suffix_size - k_head_size : 0;
}

/// Pages with a smaller gap than this part of them are nearly full.
constexpr std::size_t k_tight_part = 16;
constexpr std::size_t k_longest_held_rest = 256;

/// Takes the bytes of a cell that no slot names any more out of the heap: those in front of it move up.
inline void close_hole(std::byte* page, std::size_t at, std::size_t size) {
    const Node node(page);
    const std::size_t heap = node.heap();
    std::memmove(page + heap + size, page + heap, at - heap);
    std::byte* const slots = page + (node.leaf_slots() - page);
    const std::size_t count = node.count();
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t slot = load_u16(slots + 2 * i);
        store_u16(slots + 2 * i, static_cast<std::uint16_t>(slot < at ? slot + size : slot));
    }
    set_heap(page, heap + size);
}

/// May the bytes lie in the page?
inline bool may_lie_in(const std::byte* page, const std::byte* bytes) {
    return reinterpret_cast<std::uintptr_t>(bytes) - reinterpret_cast<std::uintptr_t>(page) < k_max_page_size;
}

inline void init_header(std::byte* page, PageKind kind, unsigned level, unsigned count,
                        const NodeShape& shape, bool catalog, std::uint64_t max_txn, std::size_t heap) {
    std::memset(page, 0, k_page_header_size);
    store_u8(page + k_page_kind_offset, static_cast<std::size_t>(kind));
    store_u8(page + k_page_flags_offset,
             (catalog ? k_node_catalog_flag : 0u) | (shape.wide ? k_node_wide_flag : 0u));
    store_u8(page + k_node_level_offset, level);
    store_u8(page + k_node_txn_width_offset, shape.txn_width);
    set_count(page, count);
    store_u16(page + k_node_prefix_size_offset, static_cast<std::uint16_t>(shape.prefix_size));
    store_u64(page + k_node_max_txn_offset, max_txn);
    store_u64(page + k_node_txn_base_offset, shape.txn_base);
    set_heap(page, heap);
}

// Weight of an entry when a sequence is cut; differences in prefixes do not matter much.
inline std::size_t weight(const LeafEntry& entry) { return entry.key.size() + entry.value_size + 8; }
inline std::size_t weight(const InnerEntry& entry) { return entry.key.size() + k_inner_array_size; }

// Index in [1, size - 1] near the middle of the weights for which cost(k) is smallest.
template <class Entry, class Cost>
unsigned choose_cut(const NodeSequence<Entry>& entries, Cost&& cost) {
    const unsigned size = entries.size();
    std::size_t total = 0;
    entries.each(0, size, [&](const Entry& entry) {
        total += weight(entry);
        return true;
    });
    const std::size_t low = total / 2 - total / 20;
    const std::size_t high = total / 2 + total / 20;
    std::size_t left = 0;
    unsigned best = 0;
    std::size_t best_cost = 0;
    std::size_t best_distance = 0;
    unsigned k = 1;
    entries.each(0, size - 1, [&](const Entry& before) {
        if (left > high) return false;
        left += weight(before);
        const std::size_t distance = left > total / 2 ? left - total / 2 : total / 2 - left;
        const bool inside = left >= low && left <= high;
        // Outside of the window only the nearest cut counts, and only until one inside is found.
        const std::size_t price = inside ? cost(k) : ~std::size_t{0};
        if (best == 0 || price < best_cost || (price == best_cost && distance < best_distance)) {
            best = k;
            best_cost = price;
            best_distance = distance;
        }
        ++k;
        return true;
    });
    return best;
}

}  // namespace node_edit_impl

KeyPieces::Piece KeyPieces::piece(std::size_t at) const {
    if (at < prefix_size_) return {prefix_ + at, prefix_size_ - at};
    at -= prefix_size_;
    if (at < k_head_size) return {head_ + at, (suffix_size_ < k_head_size ? suffix_size_ : k_head_size) - at};
    return {rest_ + (at - k_head_size), suffix_size_ - at};
}

void KeyPieces::copy_pieces(std::size_t from, std::size_t count, std::byte* out) const {
    while (count != 0) {
        const Piece part = piece(from);
        const std::size_t size = std::min(part.size, count);
        std::memcpy(out, part.bytes, size);
        out += size;
        from += size;
        count -= size;
    }
}

std::uint32_t KeyPieces::head_of_pieces(std::size_t from) const {
    std::byte bytes[k_head_size] = {};
    copy(from, std::min(k_head_size, size() - from), bytes);
    return load_head(bytes);
}

std::size_t common_prefix(const KeyPieces& a, const KeyPieces& b) {
    const std::size_t limit = std::min(a.size(), b.size());
    std::size_t at = a.prefix_ == b.prefix_ ? std::min({a.prefix_size_, b.prefix_size_, limit}) : 0;
    while (at < limit) {
        const KeyPieces::Piece x = a.piece(at);
        const KeyPieces::Piece y = b.piece(at);
        const std::size_t size = std::min({x.size, y.size, limit - at});
        std::size_t same = 0;
        while (same + 8 <= size && load_u64(x.bytes + same) == load_u64(y.bytes + same)) same += 8;
        while (same < size && x.bytes[same] == y.bytes[same]) ++same;
        at += same;
        if (same < size) break;
    }
    return at;
}

bool ascends(const KeyPieces& a, const KeyPieces& b) {
    const std::size_t common = common_prefix(a, b);
    if (common == b.size()) return false;
    return common == a.size() || a.head(common) >> 24 < b.head(common) >> 24;
}

NodeShape measure(const LeafSequence& entries, unsigned from, unsigned to, unsigned min_width,
                  std::size_t most_prefix) {
    NodeShape shape;
    if (from == to) {
        shape.bytes = k_page_header_size;
        return shape;
    }
    shape.prefix_size = std::min(common_prefix(entries[from].key, entries[to - 1].key), most_prefix);
    std::uint64_t low = ~std::uint64_t{0};
    std::uint64_t high = 0;
    std::size_t cells = 0;
    entries.each(from, to, [&](const LeafEntry& entry) {
        const std::size_t suffix = entry.key.size() - shape.prefix_size;
        shape.wide |= suffix > node_edit_impl::k_narrow_suffix_limit ||
                      (!entry.large && entry.value_size > node_edit_impl::k_narrow_value_limit);
        low = std::min(low, entry.txn);
        high = std::max(high, entry.txn);
        cells += node_edit_impl::rest_size(suffix) + entry.value_size;
        return true;
    });
    shape.txn_base = low;
    shape.txn_width = std::max(node_edit_impl::width_for(high - low), min_width);
    shape.bytes = Node::heads_offset(shape.prefix_size) + cells +
                  std::size_t{to - from} * (k_leaf_array_size + (shape.wide ? 4u : 2u) + shape.txn_width);
    return shape;
}

NodeShape measure(const InnerSequence& entries, unsigned from, unsigned to) {
    NodeShape shape;
    shape.bytes = k_page_header_size;
    if (from == to) return shape;
    shape.prefix_size = common_prefix(entries[from].key, entries[to - 1].key);
    std::size_t cells = 0;
    entries.each(from, to, [&](const InnerEntry& entry) {
        const std::size_t suffix = entry.key.size() - shape.prefix_size;
        if (suffix > k_head_size) cells += 2 + suffix - k_head_size;
        return true;
    });
    shape.bytes = Node::heads_offset(shape.prefix_size) + cells + std::size_t{to - from} * k_inner_array_size;
    return shape;
}

void build_leaf(std::byte* page, std::size_t page_size, const LeafSequence& entries, unsigned from,
                unsigned to, const NodeShape& shape, bool catalog, std::uint64_t max_txn) {
    const unsigned count = to - from;
    node_edit_impl::init_header(page, PageKind::leaf, 0, count, shape, catalog, max_txn, page_size);
    if (count == 0) return;
    const std::size_t prefix = shape.prefix_size;
    entries[from].key.copy(0, prefix, page + k_page_header_size);
    std::byte* head = page + Node::heads_offset(prefix);
    std::byte* slot = head + std::size_t{count} * k_head_size;
    std::size_t heap = page_size;
    const std::size_t lengths = shape.wide ? 4u : 2u;
    const std::size_t fixed = lengths + shape.txn_width;
    const auto add = [&](const LeafEntry& entry) {
        const std::size_t suffix = entry.key.size() - prefix;
        const std::size_t rest = node_edit_impl::rest_size(suffix);
        heap -= fixed + rest + entry.value_size;
        store_u32(head, entry.key.head(prefix));
        store_u16(slot, static_cast<std::uint16_t>(heap));
        std::byte* at = node_edit_impl::store_cell_header(page + heap, shape.wide, shape.txn_width, suffix,
                                                          entry, shape.txn_base);
        if (rest != 0) entry.key.copy(prefix + k_head_size, rest, at);
        if (entry.value_size != 0) std::memcpy(at + rest, entry.value, entry.value_size);
        head += k_head_size;
        slot += 2;
    };
    const auto add_cells = [&](const Node& node, unsigned first, unsigned end) {
        if (node.prefix_size() != prefix || node.wide() != shape.wide) {
            for (unsigned i = first; i < end; ++i) add(LeafSequence::entry_of(node, i));
            return;
        }
        // Heads and lengths are the same, the rest of a key and its value lie side by side.
        std::memcpy(head, node.heads() + std::size_t{first} * k_head_size, std::size_t{end - first} * k_head_size);
        head += std::size_t{end - first} * k_head_size;
        for (unsigned i = first; i < end; ++i) {
            const std::size_t place = node.leaf_slot(i);
            const LeafCell cell = node.leaf_cell_at(place);
            const std::size_t bytes = cell.suffix.rest_size() + cell.value_size;
            heap -= fixed + bytes;
            std::memcpy(page + heap, node.page() + place, lengths);
            node_edit_impl::store_delta(page + heap + lengths, shape.txn_width, cell.txn - shape.txn_base);
            std::memcpy(page + heap + fixed, cell.suffix.rest, bytes);
            store_u16(slot, static_cast<std::uint16_t>(heap));
            slot += 2;
        }
    };
    entries.each_part(from, to, add_cells, add);
    node_edit_impl::set_heap(page, heap);
}

void build_inner(std::byte* page, std::size_t page_size, unsigned level, Ref first_child,
                 const InnerSequence& entries, unsigned from, unsigned to, const NodeShape& shape,
                 bool catalog, std::uint64_t max_txn) {
    const unsigned count = to - from;
    node_edit_impl::init_header(page, PageKind::inner, level, count, shape, catalog, max_txn, page_size);
    store_u64(page + k_node_first_child_offset, first_child.bits());
    if (count == 0) return;
    const std::size_t prefix = shape.prefix_size;
    entries[from].key.copy(0, prefix, page + k_page_header_size);
    std::byte* head = page + Node::heads_offset(prefix);
    std::byte* ref = head + std::size_t{count} * k_head_size;
    std::byte* slot = ref + std::size_t{count} * 8;
    std::size_t heap = page_size;
    entries.each(from, to, [&](const InnerEntry& entry) {
        const std::size_t suffix = entry.key.size() - prefix;
        store_u32(head, entry.key.head(prefix));
        store_u64(ref, entry.child.bits());
        std::size_t place = suffix;
        if (suffix > k_head_size) {
            const std::size_t rest = suffix - k_head_size;
            heap -= 2 + rest;
            place = heap;
            store_u16(page + heap, static_cast<std::uint16_t>(suffix));
            entry.key.copy(prefix + k_head_size, rest, page + heap + 2);
        }
        store_u16(slot, static_cast<std::uint16_t>(place));
        head += k_head_size;
        ref += 8;
        slot += 2;
        return true;
    });
    node_edit_impl::set_heap(page, heap);
}

unsigned choose_leaf_cut(const LeafSequence& entries, std::size_t page_size) {
    const unsigned size = entries.size();
    if (size < 2) return 0;
    const auto left_fits = [&](unsigned k) { return measure(entries, 0, k).bytes <= page_size; };
    const auto right_fits = [&](unsigned k) { return measure(entries, k, size).bytes <= page_size; };
    const unsigned best = node_edit_impl::choose_cut(
        entries, [&](unsigned k) { return separator_size(entries[k - 1].key, entries[k].key); });
    const bool left = left_fits(best);
    const bool right = right_fits(best);
    if (left && right) return best;
    if (!left && !right) return 0;
    // Sides grow and shrink with k, and an entry alone fits: look for the nearest cut where the larger side fits,
    // then at the other one.
    unsigned good = left ? size - 1 : 1;
    unsigned bad = best;
    NORTHSTAR_ASSERT(left ? right_fits(good) : left_fits(good));
    while (good > bad ? good - bad > 1 : bad - good > 1) {
        const unsigned middle = (good + bad) / 2;
        (left ? right_fits(middle) : left_fits(middle)) ? good = middle : bad = middle;
    }
    return (left ? left_fits(good) : right_fits(good)) ? good : 0;
}

unsigned choose_inner_cut(const InnerSequence& entries, std::size_t page_size) {
    const unsigned size = entries.size();
    NORTHSTAR_ASSERT(size >= 3);
    unsigned best = node_edit_impl::choose_cut(entries, [&](unsigned k) { return entries[k].key.size(); });
    best = std::clamp(best, 1u, size - 2);
    const auto left_fits = [&](unsigned k) { return measure(entries, 0, k).bytes <= page_size; };
    const auto right_fits = [&](unsigned k) { return measure(entries, k + 1, size).bytes <= page_size; };
    // A side shrinks towards its own end, where it fits: what the row was before one entry came fits, and so
    // does one.
    for (unsigned low = 1; !left_fits(best);) {
        const unsigned middle = (low + best) / 2;
        if (left_fits(middle) && !left_fits(middle + 1)) best = middle;
        else if (left_fits(middle)) low = middle + 1;
        else best = middle;
    }
    for (unsigned high = size - 2; !right_fits(best);) {
        const unsigned middle = (best + high + 1) / 2;
        if (right_fits(middle) && !right_fits(middle - 1)) best = middle;
        else if (right_fits(middle)) high = middle - 1;
        else best = middle;
    }
    NORTHSTAR_ASSERT(left_fits(best) && right_fits(best));
    return best;
}

void copy_node(const std::byte* from, std::byte* to, std::size_t page_size) {
    const Node node(from);
    const std::size_t heap = node.heap();
    std::memset(to, 0, k_page_kind_offset);
    std::memcpy(to + k_page_kind_offset, from + k_page_kind_offset, node.gap() - k_page_kind_offset);
    std::memcpy(to + heap, from + heap, page_size - heap);
}

void copy_node_clean(const std::byte* from, std::byte* to, std::size_t page_size) {
    const Node node(from);
    const std::size_t gap = node.gap();
    const std::size_t heap = node.heap();
    std::memcpy(to, from, gap);
    std::memset(to + gap, 0, heap - gap);
    if (!node.leaf() || node.garbage() == 0) {
        std::memcpy(to + heap, from + heap, page_size - heap);
        return;
    }
    std::memset(to + heap, 0, page_size - heap);
    for (unsigned i = 0; i < node.count(); ++i) {
        const std::size_t slot = node.leaf_slot(i);
        std::memcpy(to + slot, from + slot, node.leaf_cell_size(node.leaf_cell(i)));
    }
}

void set_max_txn(std::byte* page, std::uint64_t txn) { store_u64(page + k_node_max_txn_offset, txn); }

void set_child(std::byte* page, unsigned index, Ref child) {
    store_u64(page + (Node(page).child_place(index) - page), child.bits());
}

bool leaf_insert(std::byte* page, std::size_t, unsigned index, std::string_view key, const LeafEntry& entry) {
    const Node node(page);
    const unsigned count = node.count();
    const std::size_t prefix = node.prefix_size();
    const auto* bytes = reinterpret_cast<const std::byte*>(key.data());
    if (count == 0 || node.compare_prefix(bytes, key.size()) != 0) return false;
    const std::size_t suffix = key.size() - prefix;
    if (!node_edit_impl::fits_form(node, suffix, entry)) return false;
    const std::size_t rest = node_edit_impl::rest_size(suffix);
    const std::size_t size = (node.wide() ? 4u : 2u) + node.txn_width() + rest + entry.value_size;
    std::size_t heap = node.heap();
    if (heap - node.gap() < size + k_leaf_array_size) return false;
    heap -= size;
    std::byte* at = node_edit_impl::store_cell_header(page + heap, node.wide(), node.txn_width(), suffix,
                                                      entry, node.txn_base());
    if (rest != 0) std::memcpy(at, bytes + prefix + k_head_size, rest);
    if (entry.value_size != 0) std::memcpy(at + rest, entry.value, entry.value_size);
    // Heads behind the place move by one head, slots by one head and, behind the place, one slot more.
    std::byte* heads = page + node.heads_offset();
    std::byte* slots = heads + std::size_t{count} * k_head_size;
    const std::size_t behind = count - index;
    std::byte* head = heads + std::size_t{index} * k_head_size;
    if (behind != 0) {
        std::memmove(slots + 2 * std::size_t{index} + k_leaf_array_size, slots + 2 * std::size_t{index}, 2 * behind);
    }
    std::memmove(slots + k_head_size, slots, 2 * std::size_t{index});
    if (behind != 0) std::memmove(head + k_head_size, head, behind * k_head_size);
    store_u32(head, node_impl::head_of(bytes, key.size(), prefix));
    store_u16(slots + k_head_size + 2 * std::size_t{index}, static_cast<std::uint16_t>(heap));
    node_edit_impl::set_count(page, count + 1);
    node_edit_impl::set_heap(page, heap);
    return true;
}

bool may_fit_behind(const Node& leaf, const LeafEntry& entry) {
    const unsigned count = leaf.count();
    const std::size_t prefix = common_prefix(KeyPieces(leaf, leaf.leaf_cell(0).suffix), entry.key);
    const std::size_t longer = prefix > leaf.prefix_size() ? prefix - leaf.prefix_size() : 0;
    // Each cell may lose what the prefix gains, and two bytes where the page need not be wide any more.
    const std::size_t room = leaf.free_bytes() + count * (longer + (leaf.wide() ? 2u : 0u));
    return room >= k_leaf_array_size + 2 + leaf.txn_width() +
                       node_edit_impl::rest_size(entry.key.size() - prefix) + entry.value_size;
}

bool leaf_replace(std::byte* page, unsigned index, const LeafEntry& entry) {
    const Node node(page);
    const std::size_t offset = node.leaf_slot(index);
    const LeafCell old = node.leaf_cell(index);
    if (!node_edit_impl::fits_form(node, old.suffix.size, entry)) return false;
    const std::size_t rest = old.suffix.rest_size();
    if (old.value_size == entry.value_size) {
        std::byte* at = node_edit_impl::store_cell_header(page + offset, node.wide(), node.txn_width(),
                                                          old.suffix.size, entry, node.txn_base());
        if (entry.value_size != 0) std::memmove(at + rest, entry.value, entry.value_size);
        return true;
    }
    const std::size_t size = (node.wide() ? 4u : 2u) + node.txn_width() + rest + entry.value_size;
    const std::size_t old_size = node.leaf_cell_size(old);
    const std::byte* kept = old.suffix.rest;
    std::byte held[node_edit_impl::k_longest_held_rest];
    if (node.heap() - node.gap() >= size) {
        node_edit_impl::add_garbage(page, old_size);
    } else {
        // The new cell takes the room of the old one.
        if (node.heap() - node.gap() + old_size < size || rest > sizeof held ||
            node_edit_impl::may_lie_in(page, entry.value))
            return false;
        if (rest != 0) std::memcpy(held, kept, rest);
        kept = held;
        node_edit_impl::close_hole(page, offset, old_size);
    }
    const std::size_t heap = node.heap() - size;
    std::byte* at = node_edit_impl::store_cell_header(page + heap, node.wide(), node.txn_width(),
                                                      old.suffix.size, entry, node.txn_base());
    if (rest != 0) std::memcpy(at, kept, rest);
    if (entry.value_size != 0) std::memcpy(at + rest, entry.value, entry.value_size);
    node_edit_impl::set_heap(page, heap);
    store_u16(page + (node.leaf_slots() - page) + 2 * std::size_t{index}, static_cast<std::uint16_t>(heap));
    return true;
}

void leaf_erase(std::byte* page, std::size_t page_size, unsigned index) {
    const Node node(page);
    const std::size_t place = node.leaf_slot(index);
    const std::size_t size = node.leaf_cell_size(node.leaf_cell(index));
    leaf_remove(page, page_size, index, index + 1);
    if (node.heap() - node.gap() >= page_size / node_edit_impl::k_tight_part) return;
    store_u32(page + k_node_garbage_offset, static_cast<std::uint32_t>(node.garbage() - size));
    node_edit_impl::close_hole(page, place, size);
}

void leaf_remove(std::byte* page, std::size_t page_size, unsigned from, unsigned to) {
    const Node node(page);
    const unsigned count = node.count();
    std::size_t gone = 0;
    for (unsigned i = from; i < to; ++i) gone += node.leaf_cell_size(node.leaf_cell(i));
    const std::size_t heads_gone = std::size_t{to - from} * k_head_size;
    std::byte* heads = page + node.heads_offset();
    std::byte* slots = heads + std::size_t{count} * k_head_size;
    std::memmove(heads + std::size_t{from} * k_head_size, heads + std::size_t{to} * k_head_size,
                 std::size_t{count - to} * k_head_size + 2 * std::size_t{from});
    std::byte* moved = slots - heads_gone;  // where the slots begin now
    std::memmove(moved + 2 * std::size_t{from}, slots + 2 * std::size_t{to}, 2 * std::size_t{count - to});
    node_edit_impl::set_count(page, count - (to - from));
    if (from == 0 && to == count) {
        node_edit_impl::set_heap(page, page_size);
        store_u32(page + k_node_garbage_offset, 0);
    } else {
        node_edit_impl::add_garbage(page, gone);
    }
}

bool inner_insert(std::byte* page, unsigned index, std::string_view key, Ref child) {
    const Node node(page);
    const unsigned count = node.count();
    const std::size_t prefix = node.prefix_size();
    const auto* bytes = reinterpret_cast<const std::byte*>(key.data());
    if (count == 0 || node.compare_prefix(bytes, key.size()) != 0) return false;
    const std::size_t suffix = key.size() - prefix;
    const std::size_t rest = node_edit_impl::rest_size(suffix);
    const std::size_t size = rest != 0 ? 2 + rest : 0;
    std::size_t heap = node.heap();
    if (heap - node.gap() < size + k_inner_array_size) return false;
    std::size_t place = suffix;
    if (rest != 0) {
        heap -= size;
        place = heap;
        store_u16(page + heap, static_cast<std::uint16_t>(suffix));
        std::memcpy(page + heap + 2, bytes + prefix + k_head_size, rest);
    }
    std::byte* heads = page + node.heads_offset();
    std::byte* refs = heads + std::size_t{count} * k_head_size;
    std::byte* slots = refs + std::size_t{count} * 8;
    const std::size_t behind = count - index;
    const std::size_t at = index;
    std::memmove(slots + 2 * at + k_inner_array_size, slots + 2 * at, 2 * behind);
    std::memmove(slots + k_head_size + 8, slots, 2 * at);
    std::memmove(refs + 8 * at + k_head_size + 8, refs + 8 * at, 8 * behind);
    std::memmove(refs + k_head_size, refs, 8 * at);
    std::byte* head = heads + at * k_head_size;
    std::memmove(head + k_head_size, head, behind * k_head_size);
    store_u32(head, node_impl::head_of(bytes, key.size(), prefix));
    store_u64(refs + k_head_size + 8 * at, child.bits());
    store_u16(slots + k_head_size + 8 + 2 * at, static_cast<std::uint16_t>(place));
    node_edit_impl::set_count(page, count + 1);
    node_edit_impl::set_heap(page, heap);
    return true;
}

bool inner_replace(std::byte* page, unsigned index, std::string_view key) {
    const Node node(page);
    const std::size_t prefix = node.prefix_size();
    const auto* bytes = reinterpret_cast<const std::byte*>(key.data());
    if (node.compare_prefix(bytes, key.size()) != 0) return false;
    const std::size_t suffix = key.size() - prefix;
    const std::size_t rest = node_edit_impl::rest_size(suffix);
    const std::size_t size = rest != 0 ? 2 + rest : 0;
    if (node.heap() - node.gap() < size) return false;
    const SuffixView old = node.separator(index);
    std::size_t place = suffix;
    if (rest != 0) {
        place = node.heap() - size;
        store_u16(page + place, static_cast<std::uint16_t>(suffix));
        std::memcpy(page + place + 2, bytes + prefix + k_head_size, rest);
        node_edit_impl::set_heap(page, place);
    }
    if (old.size > k_head_size) node_edit_impl::add_garbage(page, 2 + old.rest_size());
    store_u32(page + (node.heads() - page) + std::size_t{index} * k_head_size,
              node_impl::head_of(bytes, key.size(), prefix));
    store_u16(page + (node.inner_slots() - page) + 2 * std::size_t{index}, static_cast<std::uint16_t>(place));
    return true;
}

void inner_remove(std::byte* page, std::size_t page_size, unsigned from, unsigned to) {
    if (from == to) return;
    const Node node(page);
    const unsigned count = node.count();
    const std::size_t gone = to - from;
    NORTHSTAR_ASSERT(gone <= count);
    // Without the first child the separators [0, gone) go and the child behind them becomes the first.
    // Otherwise the separator in front of each child goes, so that the child before takes over its range.
    const std::size_t first = from == 0 ? 0 : from - 1;
    std::size_t cells = 0;
    for (std::size_t i = first; i < first + gone; ++i) {
        const SuffixView suffix = node.separator(static_cast<unsigned>(i));
        if (suffix.size > k_head_size) cells += 2 + suffix.rest_size();
    }
    if (from == 0) store_u64(page + k_node_first_child_offset, node.child(to).bits());
    std::byte* heads = page + node.heads_offset();
    std::byte* refs = heads + std::size_t{count} * k_head_size;
    std::byte* slots = refs + std::size_t{count} * 8;
    const std::size_t last = first + gone;
    const std::size_t left = count - gone;
    std::memmove(heads + first * k_head_size, heads + last * k_head_size, (count - last) * k_head_size);
    std::byte* new_refs = heads + left * k_head_size;
    std::memmove(new_refs, refs, 8 * first);
    std::memmove(new_refs + 8 * first, refs + 8 * last, 8 * (count - last));
    std::byte* new_slots = new_refs + 8 * left;
    std::memmove(new_slots, slots, 2 * first);
    std::memmove(new_slots + 2 * first, slots + 2 * last, 2 * (count - last));
    node_edit_impl::set_count(page, left);
    if (left == 0) {
        node_edit_impl::set_heap(page, page_size);
        store_u32(page + k_node_garbage_offset, 0);
        store_u16(page + k_node_prefix_size_offset, 0);
    } else {
        node_edit_impl::add_garbage(page, cells);
    }
}

}  // namespace northstar::inline v0::detail
