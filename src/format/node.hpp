// node.hpp -- leaf and inner pages: their bytes, and how they are read and searched.  Layer: format.
// Threads: values.
//
// A node is one page. All numbers are little-endian. P is the page size. spec/node_format.md says the same in
// prose.
//
//   offset size
//        0   24  checksum, page number, generation (format/page.hpp); zero in memory
//       24    1  kind: 1 leaf, 2 inner
//       25    1  flags: bit 0 catalog tree, bit 1 wide cells (leaf only); other bits zero
//       26    1  level: 0 leaf, else one more than the children's
//       27    1  width of the txn in a leaf cell: 0, 2, 4 or 8 bytes; inner: 0
//       28    2  count: entries of a leaf, separators of an inner node (it has count + 1 children)
//       30    2  prefix length p
//       32    8  max txn: the largest txn that changed anything in the key range of this node, deletions too
//       40    8  leaf: base that the txns in cells are added to; inner: ref of the first child
//       48    4  heap: offset of the first byte of the heap, P when the heap is empty
//       52    4  garbage: bytes of the heap that belong to no cell
//       56    8  zero
//       64    p  prefix: bytes that every key (separator) of the node begins with
//        H  4*n  heads, H = 64 + p rounded up to a multiple of 4. A key without the prefix is its suffix; a
//                head is the first four bytes of a suffix as a big-endian number (stored little-endian),
//                zeros for missing bytes
//     leaf  2*n  slots: offset of the entry's cell
//    inner  8*n  refs: child i + 1, whose keys are >= separator i
//           2*n  slots: 0..4 the length of a suffix that the head holds entirely, else offset of the cell
//                free gap, undefined
//     heap       cells in any order, up to the end of the page
//
//   leaf cell    length of the suffix (u8, wide: u16), length of the value (u8, wide: u16; all ones: large),
//                txn - base (0, 2, 4, 8 bytes), the suffix from its fifth byte on, value.
//                A large value is 16 bytes: ref of its run, u64 length.
//   inner cell   u16 length of the suffix (> 4), the suffix from its fifth byte on.
//
// The keys of child i of an inner node are >= separator i - 1 and < separator i, where there are such. In a
// catalog tree the first eight bytes of every value are the ref of the root of another tree, or zero.
//
// [NODE-1] Keys ascend strictly: heads never descend, equal heads are ordered by the rest of the suffix, then
//          by length.
// [NODE-2] Arrays end at or before the heap; every cell lies in the heap; cells do not overlap, so that
//          P - heap - garbage is the sum of their sizes. What passed validate_node() is searched unchecked.
// [NODE-3] A leaf without entries is the root of its tree. An inner node may have a single child.
// [NODE-4] max txn >= the txn of every entry, and of every child's max txn.
#pragma once

#include "base/bytes.hpp"
#include "format/page.hpp"
#include "format/ref.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>  // amalgamation: keep
#endif

namespace northstar::inline v0::detail {

inline constexpr std::size_t k_node_level_offset = 26;
inline constexpr std::size_t k_node_txn_width_offset = 27;
inline constexpr std::size_t k_node_count_offset = 28;
inline constexpr std::size_t k_node_prefix_size_offset = 30;
inline constexpr std::size_t k_node_max_txn_offset = 32;
inline constexpr std::size_t k_node_txn_base_offset = 40;
inline constexpr std::size_t k_node_first_child_offset = 40;
inline constexpr std::size_t k_node_heap_offset = 48;
inline constexpr std::size_t k_node_garbage_offset = 52;

inline constexpr std::uint8_t k_node_catalog_flag = 1;
inline constexpr std::uint8_t k_node_wide_flag = 2;

/// Bytes of an entry in the arrays of a leaf and of an inner node.
inline constexpr std::size_t k_leaf_array_size = 6;
inline constexpr std::size_t k_inner_array_size = 14;
/// Bytes of a suffix that live in the head.
inline constexpr std::size_t k_head_size = 4;
inline constexpr std::size_t k_large_value_size = 16;
/// Levels of a tree; more is damage.
inline constexpr unsigned k_max_depth = 40;

namespace node_impl {

/// Do two strings of the same size hold the same bytes? Short ones without a call.
inline bool equal_bytes(const std::byte* a, const std::byte* b, std::size_t size) {
    if (size >= 8) {
        std::size_t at = 0;
        for (; at + 8 <= size; at += 8) {
            if (load_u64(a + at) != load_u64(b + at)) return false;
        }
        return load_u64(a + size - 8) == load_u64(b + size - 8);
    }
    if (size >= 4) {
        return load_u32(a) == load_u32(b) && load_u32(a + size - 4) == load_u32(b + size - 4);
    }
    for (std::size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

/// Head of the suffix that begins at `from` in a key.
inline std::uint32_t head_of(const std::byte* key, std::size_t size, std::size_t from) {
    if (size >= from + k_head_size) [[likely]] return load_head(key + from);
    if (size >= k_head_size) {
        // The last four bytes of the key, moved up so that zeros stand for what is missing.
        return static_cast<std::uint32_t>(std::uint64_t{load_head(key + size - k_head_size)}
                                          << 8 * (from + k_head_size - size));
    }
    return load_head(std::string_view(reinterpret_cast<const char*>(key) + from, size - from));
}

/// Where the bytes behind the head of the suffix begin; the key's end where there are none, since it may be empty and
/// at nullptr.
inline const std::byte* behind_head(const std::byte* key, std::size_t size, std::size_t from) {
    return key + (size < from + k_head_size ? size : from + k_head_size);
}

/// Order of two suffixes whose heads are equal.
inline int compare_rest(const std::byte* a, std::size_t a_size, const std::byte* b, std::size_t b_size) {
    const std::size_t common = a_size < b_size ? a_size : b_size;
    if (common > k_head_size) {
        const int order = std::memcmp(a, b, common - k_head_size);
        if (order != 0) return order;
    }
    return a_size < b_size ? -1 : a_size > b_size ? 1 : 0;
}

/// Heads that the last step of a search looks at together. They may lie behind the array, but never behind
/// the page: at least as many bytes follow the heads in slots, refs and cells, or the node is far from full.
inline constexpr unsigned k_search_window = 16;

/// Which of the heads at `at` are the first not smaller than `head`? k_search_window: none of them.
inline unsigned first_not_smaller(const std::byte* at, std::uint32_t head) {
#if defined(__SSE2__)
    // Comparisons are signed, so both sides are moved by half the range.
    const __m128i bias = _mm_set1_epi32(static_cast<int>(0x80000000u));
    const __m128i key = _mm_set1_epi32(static_cast<int>(head ^ 0x80000000u));
    const auto smaller = [&](std::size_t i) {
        const __m128i heads = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
        return _mm_cmpgt_epi32(key, _mm_xor_si128(heads, bias));
    };
    const __m128i words = _mm_packs_epi32(smaller(0), smaller(1));
    const __m128i more_words = _mm_packs_epi32(smaller(2), smaller(3));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(words, more_words)));
    return static_cast<unsigned>(std::countr_one(mask));
#else
    unsigned count = 0;
    while (count < k_search_window && load_u32(at + count * k_head_size) < head) ++count;
    return count;
#endif
}

/// Number of heads smaller than `head`; the heads ascend. The number of steps depends on the order of
/// magnitude of count only: halving a window of one changes nothing, and an unpredictable end of the loop
/// costs more than a step.
inline unsigned count_smaller(const std::byte* heads, unsigned count, std::uint32_t head) {
    const std::byte* at = heads;
    unsigned left = count;
    while (left > k_search_window) {
        for (int step = 0; step < 2; ++step) {
            const unsigned half = left / 2;
            const std::byte* middle = at + std::size_t{half} * k_head_size;
            at = load_u32(middle - k_head_size) < head ? middle : at;
            left -= half;
        }
    }
    const auto before = static_cast<unsigned>(static_cast<std::size_t>(at - heads) / k_head_size);
    const unsigned found = before + first_not_smaller(at, head);
    return found < count ? found : count;
}

}  // namespace node_impl

/// A suffix as a node keeps it: head and what follows.
struct SuffixView {
    std::uint32_t head = 0;
    std::uint32_t size = 0;          // of the whole suffix
    const std::byte* rest = nullptr; // bytes from the fifth on
    std::size_t rest_size() const { return size > k_head_size ? size - k_head_size : 0; }
};

/// An entry of a leaf.
struct LeafCell {
    SuffixView suffix;
    const std::byte* value = nullptr;  // large: ref and length
    std::uint32_t value_size = 0;      // bytes of the cell; large: 16
    bool large = false;
    std::uint64_t txn = 0;
};

/// Read-only view of a node that was validated.
class Node {
public:
    explicit Node(const std::byte* page) : page_(page) {}
    const std::byte* page() const { return page_; }

    PageKind kind() const { return static_cast<PageKind>(page_[k_page_kind_offset]); }
    std::uint8_t flags() const { return std::to_integer<std::uint8_t>(page_[k_page_flags_offset]); }
    bool catalog() const { return (flags() & k_node_catalog_flag) != 0; }
    bool wide() const { return (flags() & k_node_wide_flag) != 0; }
    unsigned level() const { return std::to_integer<unsigned>(page_[k_node_level_offset]); }
    bool leaf() const { return kind() == PageKind::leaf; }
    /// Is this a node of that level? One comparison; guards descents against refs that lead astray.
    bool is_level(unsigned level) const {
        const auto kind = static_cast<std::uint32_t>(level == 0 ? PageKind::leaf : PageKind::inner);
        return (load_u32(page_ + k_page_kind_offset) & 0x00ff00ffu) == (kind | level << 16);
    }
    unsigned txn_width() const { return std::to_integer<unsigned>(page_[k_node_txn_width_offset]); }
    unsigned count() const { return load_u16(page_ + k_node_count_offset); }
    std::size_t prefix_size() const { return load_u16(page_ + k_node_prefix_size_offset); }
    std::uint64_t max_txn() const { return load_u64(page_ + k_node_max_txn_offset); }
    std::uint64_t txn_base() const { return load_u64(page_ + k_node_txn_base_offset); }
    std::size_t heap() const { return load_u32(page_ + k_node_heap_offset); }
    std::size_t garbage() const { return load_u32(page_ + k_node_garbage_offset); }

    const std::byte* prefix() const { return page_ + k_page_header_size; }
    std::size_t heads_offset() const { return heads_offset(prefix_size()); }
    static std::size_t heads_offset(std::size_t prefix_size) {
        return (k_page_header_size + prefix_size + 3) & ~std::size_t{3};
    }
    const std::byte* heads() const { return page_ + heads_offset(); }
    std::uint32_t head(unsigned index) const { return load_u32(heads() + std::size_t{index} * k_head_size); }
    std::size_t array_size() const { return leaf() ? k_leaf_array_size : k_inner_array_size; }
    /// Offset of the free gap.
    std::size_t gap() const { return heads_offset() + count() * array_size(); }
    /// Bytes that new cells and array places could take, after a compaction.
    std::size_t free_bytes() const { return heap() - gap() + garbage(); }

    // Leaf.
    const std::byte* leaf_slots() const { return heads() + std::size_t{count()} * k_head_size; }
    std::size_t leaf_slot(unsigned index) const { return load_u16(leaf_slots() + 2 * std::size_t{index}); }
    LeafCell leaf_cell(unsigned index) const {
        LeafCell cell = leaf_cell_at(leaf_slot(index));
        cell.suffix.head = head(index);
        return cell;
    }
    /// The cell at an offset; its head is not filled in.
    LeafCell leaf_cell_at(std::size_t offset) const {
        LeafCell cell;
        const std::byte* at = page_ + offset;
        if (wide()) {
            cell.suffix.size = load_u16(at);
            cell.value_size = load_u16(at + 2);
            cell.large = cell.value_size == 0xffff;
            at += 4;
        } else {
            cell.suffix.size = std::to_integer<std::uint32_t>(at[0]);
            cell.value_size = std::to_integer<std::uint32_t>(at[1]);
            cell.large = cell.value_size == 0xff;
            at += 2;
        }
        if (cell.large) cell.value_size = k_large_value_size;
        const unsigned width = txn_width();
        cell.txn = txn_base() + load_delta(at, width);
        cell.suffix.rest = at + width;
        cell.value = cell.suffix.rest + cell.suffix.rest_size();
        return cell;
    }
    /// Bytes the cell takes in the heap.
    std::size_t leaf_cell_size(const LeafCell& cell) const {
        return (wide() ? 4u : 2u) + txn_width() + cell.suffix.rest_size() + cell.value_size;
    }

    // Inner.
    const std::byte* refs() const { return heads() + std::size_t{count()} * k_head_size; }
    const std::byte* inner_slots() const { return heads() + std::size_t{count()} * (k_head_size + 8); }
    /// Children are numbered 0 .. count().
    Ref child(unsigned index) const { return Ref(load_u64(child_place(index))); }
    const std::byte* child_place(unsigned index) const {
        return index == 0 ? page_ + k_node_first_child_offset : refs() + 8 * (std::size_t{index} - 1);
    }
    SuffixView separator(unsigned index) const {
        SuffixView suffix;
        const std::size_t slot = load_u16(inner_slots() + 2 * std::size_t{index});
        suffix.head = head(index);
        if (slot <= k_head_size) {
            suffix.size = static_cast<std::uint32_t>(slot);
        } else {
            suffix.size = load_u16(page_ + slot);
            suffix.rest = page_ + slot + 2;
        }
        return suffix;
    }
    SuffixView suffix(unsigned index) const { return leaf() ? leaf_cell(index).suffix : separator(index); }

    /// A key (separator) of the node, put together in `out`; returns its size. `out` holds max_key_size
    /// bytes.
    std::size_t copy_key(unsigned index, std::byte* out) const {
        const std::size_t prefix = prefix_size();
        std::memcpy(out, this->prefix(), prefix);
        return prefix + copy_suffix(suffix(index), out + prefix);
    }
    static std::size_t copy_suffix(const SuffixView& suffix, std::byte* out) {
        std::byte head[k_head_size];
        store_u32(head, __builtin_bswap32(suffix.head));
        std::memcpy(out, head, suffix.size < k_head_size ? suffix.size : k_head_size);
        if (suffix.size > k_head_size) std::memcpy(out + k_head_size, suffix.rest, suffix.rest_size());
        return suffix.size;
    }

    /// Does the key begin with the node's prefix? Negative: it sorts before all such keys, positive: behind.
    int compare_prefix(const std::byte* key, std::size_t size) const {
        const std::size_t length = prefix_size();
        if (size >= 8 && length <= 8) [[likely]] {
            // The heads, or the gap, follow the prefix: eight bytes can always be read.
            const std::uint64_t differ = load_u64(prefix()) ^ load_u64(key);
            const std::uint64_t mask = length == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * length) - 1;
            if ((differ & mask) == 0) [[likely]] return 0;
        }
        const std::size_t common = size < length ? size : length;
        const int order = common == 0 ? 0 : std::memcmp(key, prefix(), common);  // an empty key may be at nullptr
        return order != 0 ? order : size < length ? -1 : 0;
    }

    struct Place {
        unsigned index;  // first key that is not smaller
        bool equal;      // and it is the key itself
    };
    /// Where a key stands among the keys (separators).
    Place search(std::string_view text) const {
        return leaf() ? search_as<true>(text) : search_as<false>(text);
    }
    Place search_leaf(std::string_view text) const { return search_as<true>(text); }
    /// Is it the key of an entry of a leaf?
    bool is_key(unsigned index, std::string_view text) const {
        const auto* key = reinterpret_cast<const std::byte*>(text.data());
        const std::size_t from = prefix_size();
        if (compare_prefix(key, text.size()) != 0) return false;
        if (head(index) != node_impl::head_of(key, text.size(), from)) return false;
        const SuffixView suffix = leaf_cell_at(leaf_slot(index)).suffix;
        return suffix.size == text.size() - from &&
               node_impl::equal_bytes(suffix.rest, node_impl::behind_head(key, text.size(), from), suffix.rest_size());
    }
    /// Does a key sort behind every key of a leaf that has some?
    bool behind_last(std::string_view text) const {
        const unsigned n = count();
        if (n == 0) return false;
        const auto* key = reinterpret_cast<const std::byte*>(text.data());
        const int order = compare_prefix(key, text.size());
        if (order != 0) return order > 0;
        const std::size_t from = prefix_size();
        const std::uint32_t head = node_impl::head_of(key, text.size(), from);
        const std::uint32_t last = this->head(n - 1);
        if (head != last) return head > last;
        const SuffixView suffix = leaf_cell_at(leaf_slot(n - 1)).suffix;
        const std::byte* rest = node_impl::behind_head(key, text.size(), from);
        return node_impl::compare_rest(suffix.rest, suffix.size, rest, text.size() - from) < 0;
    }
    /// The entries of a leaf whose heads are the key's: one, as a rule. False: none, so the key is not there.
    struct Candidates {
        unsigned low;
        unsigned high;
    };
    bool find_candidates(std::string_view text, Candidates& out) const {
        const auto* key = reinterpret_cast<const std::byte*>(text.data());
        if (compare_prefix(key, text.size()) != 0) [[unlikely]] return false;
        const unsigned n = count();
        const std::uint32_t head = node_impl::head_of(key, text.size(), prefix_size());
        const std::byte* all = heads();
        const unsigned low = node_impl::count_smaller(all, n, head);
        if (low == n || load_u32(all + std::size_t{low} * k_head_size) != head) return false;
        unsigned high = low + 1;
        if (high < n && load_u32(all + std::size_t{high} * k_head_size) == head) [[unlikely]] {
            high = end_of_equal(all, high, n, head);
        }
        out = {low, high};
        return true;
    }
    /// The key's entry among its candidates. The head of the cell is not filled in.
    bool pick_candidate(std::string_view text, Candidates among, LeafCell& out) const {
        const std::size_t from = prefix_size();
        const std::size_t size = text.size() - from;
        const auto* key = reinterpret_cast<const std::byte*>(text.data());
        const std::byte* rest = node_impl::behind_head(key, text.size(), from);
        while (among.high - among.low > 1) [[unlikely]] {
            const unsigned middle = among.low + (among.high - among.low) / 2;
            const SuffixView suffix = leaf_cell_at(leaf_slot(middle)).suffix;
            if (node_impl::compare_rest(suffix.rest, suffix.size, rest, size) <= 0) {
                among.low = middle;
            } else {
                among.high = middle;
            }
        }
        out = leaf_cell_at(leaf_slot(among.low));
        return out.suffix.size == size &&
               node_impl::equal_bytes(out.suffix.rest, rest, out.suffix.rest_size());
    }

    /// The child whose range holds the key.
    unsigned search_child(std::string_view text) const {
        const Place place = search_as<false>(text);
        return place.index + (place.equal ? 1u : 0u);
    }

    static std::uint64_t load_delta(const std::byte* at, unsigned width) {
        switch (width) {
            case 0: return 0;
            case 2: return load_u16(at);
            case 4: return load_u32(at);
            default: return load_u64(at);
        }
    }

private:
    template <bool Leaf>
    SuffixView suffix_as(unsigned index) const {
        if constexpr (Leaf) {
            return leaf_cell_at(leaf_slot(index)).suffix;
        } else {
            return separator(index);
        }
    }
    template <bool Leaf>
    Place search_as(std::string_view text) const {
        const auto* key = reinterpret_cast<const std::byte*>(text.data());
        const int order = compare_prefix(key, text.size());
        const unsigned n = count();
        if (order != 0) [[unlikely]] return {order < 0 ? 0 : n, false};
        const std::size_t from = prefix_size();
        const std::uint32_t head = node_impl::head_of(key, text.size(), from);
        const std::byte* all = heads();
        unsigned low = node_impl::count_smaller(all, n, head);
        if (low == n || load_u32(all + std::size_t{low} * k_head_size) != head) return {low, false};
        const std::byte* rest = node_impl::behind_head(key, text.size(), from);
        const std::size_t size = text.size() - from;
        unsigned high = low + 1;  // end of the equal heads
        if (high < n && load_u32(all + std::size_t{high} * k_head_size) == head) [[unlikely]] {
            high = end_of_equal(all, high, n, head);
        }
        while (low < high) {
            const unsigned middle = low + (high - low) / 2;
            const SuffixView suffix = suffix_as<Leaf>(middle);
            const int side = node_impl::compare_rest(suffix.rest, suffix.size, rest, size);
            if (side == 0) return {middle, true};
            if (side < 0) low = middle + 1; else high = middle;
        }
        return {low, false};
    }
    /// First index behind `from` whose head differs: doubling steps, then binary.
    static unsigned end_of_equal(const std::byte* heads, unsigned from, unsigned count, std::uint32_t head) {
        unsigned low = from;
        unsigned step = 1;
        while (low + step < count && load_u32(heads + std::size_t{low + step} * k_head_size) == head) {
            low += step;
            step *= 2;
        }
        unsigned high = low + step < count ? low + step : count;
        while (high - low > 1) {
            const unsigned middle = low + (high - low) / 2;
            if (load_u32(heads + std::size_t{middle} * k_head_size) == head) low = middle; else high = middle;
        }
        return high;
    }

    const std::byte* page_;
};

/// nullptr: the bytes are a well-formed node (NODE-1, NODE-2, and what one page can show of NODE-4), so the
/// functions above and below may be used on it without further checks. Else what is wrong. `in_file`: refs
/// must name file pages.
const char* validate_node(const std::byte* page, std::size_t page_size, bool in_file = true) noexcept;

/// Calls visit(Ref&, bool large) for every ref that a node holds: children, large values, and, when the page
/// or the caller says that it belongs to a catalog, roots of trees (unless empty). What visit assigns is
/// stored.
template <class Visit>
void for_each_ref(std::byte* page, std::size_t /*page_size*/, bool catalog, Visit&& visit) {
    const Node node(page);
    const auto at = [&](const std::byte* place, bool large) {
        Ref ref(load_u64(place));
        const Ref before = ref;
        visit(ref, large);
        if (ref != before) store_u64(page + (place - page), ref.bits());
    };
    if (!node.leaf()) {
        for (unsigned i = 0; i <= node.count(); ++i) at(node.child_place(i), false);
        return;
    }
    const bool roots = catalog || node.catalog();
    for (unsigned i = 0; i < node.count(); ++i) {
        const LeafCell cell = node.leaf_cell(i);
        if (cell.large) {
            at(cell.value, true);
        } else if (roots && cell.value_size >= 8 && load_u64(cell.value) != 0) {
            at(cell.value, false);
        }
    }
}

/// The same for reading only: visit(Ref, bool large).
template <class Visit>
void for_each_ref(const std::byte* page, std::size_t page_size, bool catalog, Visit&& visit) {
    for_each_ref(const_cast<std::byte*>(page), page_size, catalog,
                 [&](Ref& ref, bool large) { visit(Ref(ref), large); });
}

}  // namespace northstar::inline v0::detail
