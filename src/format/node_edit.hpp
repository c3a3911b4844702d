// node_edit.hpp -- making and changing nodes in memory.  Layer: format.  Threads: one at a time per page.
//
// Two ways to change a page: in place (insert, replace, remove), which may answer "does not fit as the page
// is", and building a page anew from a sequence of entries that lie in other pages. Nothing here allocates or
// does I/O.
//
// [EDIT-1] In-place functions change nothing when they return false.
// [EDIT-2] A page is built from pages that are not written meanwhile.
#pragma once

#include "format/node.hpp"

#include <span>

namespace northstar::inline v0::detail {

/// A key as it lies in a node: prefix, head, rest. Or a plain string.
class KeyPieces {
public:
    KeyPieces() = default;
    explicit KeyPieces(std::string_view key)
        : prefix_(reinterpret_cast<const std::byte*>(key.data())), prefix_size_(key.size()) {}
    KeyPieces(const Node& node, const SuffixView& suffix)
        : prefix_(node.prefix()),
          prefix_size_(node.prefix_size()),
          rest_(suffix.rest),
          suffix_size_(suffix.size) {
        store_u32(head_, __builtin_bswap32(suffix.head));
    }
    std::size_t size() const { return prefix_size_ + suffix_size_; }
    /// Copies bytes [from, from + count) of the key.
    void copy(std::size_t from, std::size_t count, std::byte* out) const {
        if (from >= prefix_size_ + k_head_size && from + count <= size()) [[likely]] {
            std::memcpy(out, rest_ + (from - prefix_size_ - k_head_size), count);
        } else {
            copy_pieces(from, count, out);
        }
    }
    /// The first four bytes from `from` on as a head.
    std::uint32_t head(std::size_t from) const {
        // As a rule the key came from a page with the same prefix, or one that is a little shorter.
        if (from >= prefix_size_ && from - prefix_size_ < k_head_size && suffix_size_ >= 2 * k_head_size) [[likely]] {
            const std::uint64_t both = std::uint64_t{load_head(head_)} << 32 | load_head(rest_);
            return static_cast<std::uint32_t>(both << 8 * (from - prefix_size_) >> 32);
        }
        return head_of_pieces(from);
    }
    /// Number of bytes that both begin with.
    friend std::size_t common_prefix(const KeyPieces& a, const KeyPieces& b);

private:
    /// The longest stretch of bytes that begins at `at`.
    struct Piece { const std::byte* bytes; std::size_t size; };
    Piece piece(std::size_t at) const;
    void copy_pieces(std::size_t from, std::size_t count, std::byte* out) const;
    std::uint32_t head_of_pieces(std::size_t from) const;

    const std::byte* prefix_ = nullptr;
    std::size_t prefix_size_ = 0;
    const std::byte* rest_ = nullptr;
    std::size_t suffix_size_ = 0;
    std::byte head_[k_head_size] = {};
};
std::size_t common_prefix(const KeyPieces& a, const KeyPieces& b);
/// Is a before b? One page proves its own order only: where entries of several pages become one row, their neighbours
/// are compared before anything is measured.
bool ascends(const KeyPieces& a, const KeyPieces& b);

struct LeafEntry {
    KeyPieces key;
    const std::byte* value = nullptr;
    std::uint32_t value_size = 0;  // large: k_large_value_size
    bool large = false;
    std::uint64_t txn = 0;
};

struct InnerEntry {
    KeyPieces key;
    Ref child;  // whose keys are not smaller
};

/// Entries of several nodes, and new ones, as one row.
template <class Entry>
class NodeSequence {
public:
    void add(const Node& node, unsigned from, unsigned to) {
        if (from < to) parts_[parts_used_++] = Part{node.page(), from, to - from, nullptr};
        if (from < to) size_ += to - from;
    }
    void add(const Entry& entry) { add(std::span(&entry, 1)); }
    void add(std::span<const Entry> entries) {
        if (entries.empty()) return;
        const auto count = static_cast<unsigned>(entries.size());
        parts_[parts_used_++] = Part{nullptr, 0, count, entries.data()};
        size_ += count;
    }
    void add(const NodeSequence& other) {
        for (unsigned i = 0; i < other.parts_used_; ++i) parts_[parts_used_++] = other.parts_[i];
        size_ += other.size_;
    }
    unsigned size() const { return size_; }
    Entry operator[](unsigned index) const;
    /// Calls visit(const Entry&) for the entries [from, to) in turn until it returns false; cheaper than asking for
    /// one after the other.
    template <class Visit>
    void each(unsigned from, unsigned to, Visit&& visit) const {
        for (const Part* part = parts_; from < to; ++part) {
            const unsigned end = to < part->count ? to : part->count;
            if (part->entries != nullptr) {
                for (unsigned i = from; i < end; ++i) {
                    if (!visit(part->entries[i])) return;
                }
            } else {
                const Node node(part->page);
                for (unsigned i = from; i < end; ++i) {
                    if (!visit(entry_of(node, part->from + i))) return;
                }
            }
            from = from > end ? from - part->count : 0;
            to -= end;
        }
    }

    /// The same for the entries of a node at a time, visit_cells(const Node&, from, to), and one by one for new ones.
    template <class VisitCells, class Visit>
    void each_part(unsigned from, unsigned to, VisitCells&& visit_cells, Visit&& visit) const {
        for (const Part* part = parts_; from < to; ++part) {
            const unsigned end = to < part->count ? to : part->count;
            if (part->entries != nullptr) {
                for (unsigned i = from; i < end; ++i) visit(part->entries[i]);
            } else if (from < end) {
                visit_cells(Node(part->page), part->from + from, part->from + end);
            }
            from = from > end ? from - part->count : 0;
            to -= end;
        }
    }
    static Entry entry_of(const Node& node, unsigned index);

private:
    struct Part {
        const std::byte* page;
        unsigned from;
        unsigned count;
        const Entry* entries;
    };
    Part parts_[5] = {};
    unsigned parts_used_ = 0;
    unsigned size_ = 0;
};
template <>
inline LeafEntry NodeSequence<LeafEntry>::entry_of(const Node& node, unsigned index) {
    const LeafCell cell = node.leaf_cell(index);
    return {KeyPieces(node, cell.suffix), cell.value, cell.value_size, cell.large, cell.txn};
}
template <>
inline InnerEntry NodeSequence<InnerEntry>::entry_of(const Node& node, unsigned index) {
    return {KeyPieces(node, node.separator(index)), node.child(index + 1)};
}
template <class Entry>
Entry NodeSequence<Entry>::operator[](unsigned index) const {
    const Part* part = parts_;
    while (index >= part->count) index -= (part++)->count;
    return part->entries != nullptr ? part->entries[index] : entry_of(Node(part->page), part->from + index);
}
using LeafSequence = NodeSequence<LeafEntry>;
using InnerSequence = NodeSequence<InnerEntry>;

/// How a range of entries looks as one page.
struct NodeShape {
    std::size_t bytes = 0;  // of the page, without the gap
    std::size_t prefix_size = 0;
    bool wide = false;
    unsigned txn_width = 0;
    std::uint64_t txn_base = 0;
};
/// Cells keep at least `min_width` bytes of txn; the prefix has `most_prefix` bytes at most.
NodeShape measure(const LeafSequence& entries, unsigned from, unsigned to, unsigned min_width = 0,
                  std::size_t most_prefix = ~std::size_t{0});
NodeShape measure(const InnerSequence& entries, unsigned from, unsigned to);

/// Writes entries [from, to) into a page; the shape is the measured one and fits.
void build_leaf(std::byte* page, std::size_t page_size, const LeafSequence& entries, unsigned from,
                unsigned to, const NodeShape& shape, bool catalog, std::uint64_t max_txn);
/// The same for an inner node; entries carry the children behind the first.
void build_inner(std::byte* page, std::size_t page_size, unsigned level, Ref first_child,
                 const InnerSequence& entries, unsigned from, unsigned to, const NodeShape& shape,
                 bool catalog, std::uint64_t max_txn);

/// Where to cut a sequence so that both sides [0, k) and [k, size) fit into pages: near the middle, where the
/// separator is shortest. 0: nowhere.
unsigned choose_leaf_cut(const LeafSequence& entries, std::size_t page_size);
/// The entry k that moves up: both [0, k) and (k, size) fit.
unsigned choose_inner_cut(const InnerSequence& entries, std::size_t page_size);
/// Size of the shortest separator between two neighbours: it is a beginning of the right one.
inline std::size_t separator_size(const KeyPieces& left, const KeyPieces& right) {
    return common_prefix(left, right) + 1;
}

/// Copies the used bytes of a node and clears what only the file has.
void copy_node(const std::byte* from, std::byte* to, std::size_t page_size);

/// Copies a node for the file: what belongs to no entry, and may be left of a value that is gone, becomes zeros.
void copy_node_clean(const std::byte* from, std::byte* to, std::size_t page_size);

void set_max_txn(std::byte* page, std::uint64_t txn);
void set_child(std::byte* page, unsigned index, Ref child);

/// Inserts an entry before `index`.
bool leaf_insert(std::byte* page, std::size_t page_size, unsigned index, std::string_view key,
                 const LeafEntry& entry);
/// Could a leaf that has entries, built anew, take one more behind its last? False: no; true: measure() tells. O(1).
bool may_fit_behind(const Node& leaf, const LeafEntry& entry);
/// Gives the entry at `index` another value and txn. Other cells may move, as by leaf_erase().
bool leaf_replace(std::byte* page, unsigned index, const LeafEntry& entry);
/// Removes an entry. Where the page is nearly full, what its cell took is room at once, for which other cells move:
/// keys and values that lie in the page are not what they were.
void leaf_erase(std::byte* page, std::size_t page_size, unsigned index);
/// Removes the entries [from, to).
void leaf_remove(std::byte* page, std::size_t page_size, unsigned from, unsigned to);

/// Inserts separator `index`, with the child on its right.
bool inner_insert(std::byte* page, unsigned index, std::string_view key, Ref child);
/// Changes separator `index`.
bool inner_replace(std::byte* page, unsigned index, std::string_view key);
/// Removes the children [from, to); at least one stays. Of the separators around them the last one stays.
void inner_remove(std::byte* page, std::size_t page_size, unsigned from, unsigned to);

}  // namespace northstar::inline v0::detail
