// tree.hpp -- one ordered map from keys to values as a copy-on-write B+tree.  Layer: btree.
// Threads: reading a root: any number. Changing a tree: the thread of its PageWriter.
//
// A tree is the ref of its root page and the number of its entries. Changing it through a PageWriter copies
// each page at its first touch, so an older root goes on showing what it showed.
//
// [TREE-1] A page that the writer does not own is never written.
// [TREE-2] max txn of every page on the path to a changed key is at least the txn that changed it.
// [TREE-3] A page that takes over a range of keys from another (merge, moved separator, dropped sibling,
//          deleted range) takes the txn of that change as its max txn, and so does every page on that edge
//          down to the leaf. So for every T, a key whose state changed after T belongs to a leaf with max txn
//          > T, be it there or not.
// [TREE-4] Descents are loops; every step goes exactly one level down, so refs that lead astray cannot make
//          them long. Whoever walks over pages of a file checks that their keys go on ascending, so a page
//          that hangs in several places cannot make a walk long.
//
// Bytes of file pages were validated by the source (validate_node); what single pages cannot show is found
// here and raised as Error(corrupt), or by check_tree().
#pragma once

#include "format/node.hpp"
#include "pager/frames.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace northstar::inline v0::detail {

struct TreeRoot {
    Ref root;                 // empty: never had an entry
    std::uint64_t count = 0;  // entries
    friend bool operator==(const TreeRoot&, const TreeRoot&) = default;
};

/// Catalog pages carry a flag: each value begins with the ref of another tree's root.
enum class TreeKind : std::uint8_t { plain, catalog };

/// An entry as a reader sees it. The value lives as long as its page.
struct TreeValue {
    std::string_view value;
    std::uint64_t txn = 0;
};

/// No entry was written, and none erased, by a later txn. O(1). The root is not empty.
Txn newest_txn(const PageSource& source, Ref root);
/// The value of a key. No allocation, no lock.
std::optional<TreeValue> tree_get(const PageSource& source, Ref root, std::string_view key);

/// The values of many keys: out[i] belongs to keys[i]. Descends in step, so that misses of the cache overlap.
void tree_multi_get(const PageSource& source, Ref root, std::span<const std::string_view> keys,
                    std::span<std::optional<TreeValue>> out);

/// Sets a key; true: it was there before. Too long keys and values are refused before anything changes. Key
/// and value may lie in pages of the tree itself.
bool tree_put(PageWriter& writer, TreeRoot& tree, std::string_view key, std::string_view value,
              TreeKind kind = TreeKind::plain);
/// Removes a key; false: it was not there and nothing changed.
bool tree_erase(PageWriter& writer, TreeRoot& tree, std::string_view key);
/// Removes the keys in [from, to), without `to` all from `from` on; returns how many. Whole subtrees are
/// unhooked.
std::uint64_t tree_erase_range(PageWriter& writer, TreeRoot& tree, std::string_view from,
                               std::optional<std::string_view> to);
/// Reports every page and large value of a tree to the writer as dropped; the tree is empty afterwards.
void tree_drop(PageWriter& writer, TreeRoot& tree);

/// The leaf that the last put into a tree went to, so that a key near the one before need not be looked for from the
/// root. The tree must not be changed otherwise between two calls, and no savepoint taken or rewound; lift() allows
/// that.
class TreeFinger {
public:
    /// As tree_put, of a plain tree.
    bool put(PageWriter& writer, TreeRoot& tree, std::string_view key, std::string_view value);
    /// Puts a key that is larger than all others, and fills pages completely. Errc::invalid_argument where it is not.
    void append(PageWriter& writer, TreeRoot& tree, std::string_view key, std::string_view value,
                TreeKind kind = TreeKind::plain);
    /// The same if the last leaf is the one that is known and takes the entry as it is; false: nothing was done.
    bool append_in_place(PageWriter& writer, TreeRoot& tree, std::string_view key, std::string_view value);
    void lift() { leaf_ = nullptr; }

private:
    enum class Outcome : std::uint8_t { added, replaced, elsewhere };
    Outcome put_in_place(PageWriter& writer, TreeRoot& tree, std::string_view key, std::string_view value);

    std::byte* leaf_ = nullptr;  // owned; it and the pages above carry the txn
    unsigned next_ = 0;          // place behind the last put
    bool last_ = false;          // it is the rightmost leaf
    bool warm_ = false;          // two puts one after the other went to it
};

/// Puts keys that arrive in order behind the last one of a tree.
class TreeAppender {
public:
    TreeAppender(PageWriter& writer, TreeRoot& tree, TreeKind kind = TreeKind::plain)
        : writer_(writer), tree_(tree), kind_(kind) {}
    void append(std::string_view key, std::string_view value) { finger_.append(writer_, tree_, key, value, kind_); }
    void reset() { finger_.lift(); }

private:
    PageWriter& writer_;
    TreeRoot& tree_;
    TreeKind kind_;
    TreeFinger finger_;
};

namespace tree_impl {

[[noreturn]] void astray(Ref ref);
[[noreturn]] void out_of_order(Ref ref);

/// A child page, or the root, of a given level.
inline const std::byte* node_at(const PageSource& source, Ref ref, unsigned level) {
    const std::byte* page = source.page(ref);
    if (!Node(page).is_level(level)) [[unlikely]] astray(ref);
    return page;
}
inline const std::byte* root_page(const PageSource& source, Ref ref) {
    const std::byte* page = source.page(ref);
    const Node node(page);
    if (node.level() >= k_max_depth || !node.is_level(node.level())) [[unlikely]] astray(ref);
    return page;
}
/// The leaf whose range holds a key. The root is not empty.
inline Node find_leaf(const PageSource& source, Ref root, std::string_view key) {
    Node node(root_page(source, root));
    for (unsigned level = node.level(); level != 0;) {
        const Ref child = node.child(node.search_child(key));
        source.prefetch(child);
        node = Node(node_at(source, child, --level));
    }
    return node;
}
/// The entry of a key; false: there is none.
inline bool find(const PageSource& source, Ref root, std::string_view key, LeafCell& out) {
    if (root.empty()) return false;
    const Node leaf = find_leaf(source, root, key);
    Node::Candidates candidates;
    return leaf.find_candidates(key, candidates) && leaf.pick_candidate(key, candidates, out);
}
/// The value of a cell, large ones included.
inline TreeValue value_of(const PageSource& source, const LeafCell& cell) {
    if (cell.large) [[unlikely]]
        return {source.run(Ref(load_u64(cell.value)), load_u64(cell.value + 8)), cell.txn};
    return {{reinterpret_cast<const char*>(cell.value), cell.value_size}, cell.txn};
}

}  // namespace tree_impl

}  // namespace northstar::inline v0::detail
