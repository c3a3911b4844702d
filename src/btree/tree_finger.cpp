#include "btree/tree_edit.hpp"

namespace northstar::inline v0::detail {

namespace tree_finger_impl {

constexpr std::size_t k_line = 64;
/// So far in front of the newest cell: a few small ones.
constexpr std::size_t k_near = 6 * k_line;

// What is too long for a leaf goes the long way, and so does what is refused there.
inline bool is_inline(const PageWriter& writer, std::string_view key, std::string_view value) {
    const std::size_t page_size = writer.page_size();
    return value.size() <= max_inline_value_size(page_size) && key.size() <= max_key_size(page_size);
}

inline LeafEntry entry_of(const PageWriter& writer, std::string_view value) {
    LeafEntry entry;
    entry.txn = writer.txn();
    entry.value = reinterpret_cast<const std::byte*>(value.data());
    entry.value_size = static_cast<std::uint32_t>(value.size());
    return entry;
}

/// Asks the processor for the lines of memory between `near` and `far` bytes in front of the heap of a page that is
/// being filled: who writes to memory that nobody used lately waits for each of them otherwise. Inline at once, or g++
/// takes the calls out, as they have no effect.
[[gnu::always_inline]] inline void fetch_for_cells(const std::byte* page, std::size_t near, std::size_t far) {
    const std::size_t heap = Node(page).heap();
    for (std::size_t distance = near; distance < far && distance < heap; distance += k_line) {
        __builtin_prefetch(page + heap - distance, 1);
    }
}

}  // namespace tree_finger_impl

bool TreeFinger::append_in_place(PageWriter& writer, TreeRoot& tree, std::string_view key, std::string_view value) {
    using namespace tree_finger_impl;
    if (leaf_ == nullptr || !last_ || !is_inline(writer, key, value)) return false;
    const Node leaf(leaf_);
    if (!leaf.behind_last(key) || leaf.max_txn() != writer.txn()) return false;
    if (!leaf_insert(leaf_, writer.page_size(), leaf.count(), key, entry_of(writer, value))) return false;
    fetch_for_cells(leaf_, k_near, k_near + key.size() + value.size());
    ++tree.count;
    return true;
}

/// A key between the first and the last one of the leaf can be nowhere else.
TreeFinger::Outcome TreeFinger::put_in_place(PageWriter& writer, TreeRoot& tree, std::string_view key,
                                             std::string_view value) {
    using namespace tree_finger_impl;
    if (leaf_ == nullptr || !warm_ || !is_inline(writer, key, value)) return Outcome::elsewhere;
    const Node leaf(leaf_);
    if (leaf.max_txn() != writer.txn()) return Outcome::elsewhere;
    Node::Place place{next_, next_ < leaf.count() && leaf.is_key(next_, key)};
    if (!place.equal) place = leaf.search_leaf(key);
    if (place.equal) {
        if (leaf.leaf_cell(place.index).large || !leaf_replace(leaf_, place.index, entry_of(writer, value)))
            return Outcome::elsewhere;
    } else {
        if (place.index == 0 || place.index == leaf.count() ||
            !leaf_insert(leaf_, writer.page_size(), place.index, key, entry_of(writer, value)))
            return Outcome::elsewhere;
        ++tree.count;
    }
    next_ = place.index + 1;
    return place.equal ? Outcome::replaced : Outcome::added;
}

bool TreeFinger::put(PageWriter& writer, TreeRoot& tree, std::string_view key, std::string_view value) {
    using namespace tree_finger_impl;
    if (append_in_place(writer, tree, key, value)) return false;
    if (const Outcome outcome = put_in_place(writer, tree, key, value); outcome != Outcome::elsewhere)
        return outcome == Outcome::replaced;
    const std::byte* const before = leaf_;
    lift();
    TreeEditor editor(writer, tree, TreeKind::plain);
    const bool replaced = editor.put(key, value);
    leaf_ = editor.landing().leaf;
    next_ = editor.landing().index + 1;
    last_ = editor.landing().last;
    warm_ = leaf_ != nullptr && leaf_ == before;
    if (last_ && leaf_ != nullptr) fetch_for_cells(leaf_, k_line, k_near + key.size() + value.size());
    return replaced;
}

void TreeFinger::append(PageWriter& writer, TreeRoot& tree, std::string_view key, std::string_view value,
                        TreeKind kind) {
    using namespace tree_finger_impl;
    if (append_in_place(writer, tree, key, value)) return;
    lift();
    leaf_ = TreeEditor(writer, tree, kind).append(key, value);
    last_ = true;
    warm_ = false;
    fetch_for_cells(leaf_, k_line, k_near + key.size() + value.size());
}

}  // namespace northstar::inline v0::detail
