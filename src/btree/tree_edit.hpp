// tree_edit.hpp -- changing a tree: the path from the root to a leaf, and what happens to it.  Layer: btree.
// Threads: the writer's.
//
// An editor works on one tree through one writer. It walks down, making every page on the way the writer's
// own, edits the leaf, and repairs upward: a page that overflows gives to a sibling or splits, one that runs
// empty merges.
//
// [EDITOR-1] Pages on the path are owned and carry the txn of the writer as max txn (the leaf only once it is
//            edited).
// [EDITOR-2] A page is dropped only after everything that is built from it was built.
#pragma once

#include "btree/tree.hpp"
#include "format/node_edit.hpp"

#include <string>

namespace northstar::inline v0::detail {

class TreeEditor {
public:
    TreeEditor(PageWriter& writer, TreeRoot& tree, TreeKind kind)
        : writer_(writer), tree_(tree), page_size_(writer.page_size()), catalog_(kind == TreeKind::catalog) {}

    bool put(std::string_view key, std::string_view value);
    /// After put(): where the entry is. No leaf: the pages around it were arranged anew.
    struct Landing {
        std::byte* leaf = nullptr;
        unsigned index = 0;
        bool last = false;  ///< the key was new and became the largest
    };
    const Landing& landing() const { return landing_; }
    bool erase(std::string_view key);
    std::uint64_t erase_range(std::string_view from, std::optional<std::string_view> to);
    /// Drops the pages below a ref, and itself; returns the number of entries.
    std::uint64_t drop_subtree(Ref ref, unsigned level);
    /// Puts a key that is larger than all others; returns the rightmost leaf.
    std::byte* append(std::string_view key, std::string_view value);

private:
    struct Step {
        std::byte* page;
        unsigned index;  // child taken, or place in the leaf
    };
    enum class Edge : std::uint8_t { left, right };

    void check_sizes(std::string_view key, std::string_view value) const;
    /// The entry to store for a value; a large one is copied to a buffer of its own.
    LeafEntry make_entry(std::string_view value);

    // Owned copies.
    std::byte* own(Ref& ref, unsigned level);
    std::byte* own_root();
    std::byte* own_child(std::byte* parent, unsigned index);
    void descend(std::string_view key);
    void descend_last();
    void touch_edge(std::byte* parent, unsigned index, Edge edge);

    // Pages in the place of others.
    void set_page(unsigned depth, std::byte* page);
    void drop_page(const std::byte* page) { writer_.drop(Ref::memory(page)); }
    void drop_value(const LeafCell& cell);
    std::byte* built_leaf(const LeafSequence& entries, unsigned from, unsigned to, const NodeShape& shape,
                          std::uint64_t max_txn);
    std::byte* built_inner(unsigned level, Ref first, const InnerSequence& entries, unsigned from,
                           unsigned to, const NodeShape& shape);

    // Overflow.
    bool overflow_leaf(LeafEntry& entry, Node::Place place);
    void split_behind(const LeafEntry& entry);
    void split_leaf(const LeafSequence& entries, unsigned cut, std::uint64_t left_txn,
                    std::uint64_t right_txn);
    bool shift_leaf(const LeafSequence& entries);
    void insert_child(unsigned depth, std::string_view separator, Ref left, Ref right);
    void grow_root(std::string_view separator, Ref left, Ref right);
    bool at_end() const;

    // Underflow.
    void repair();
    void merge_leaf(unsigned depth);
    void merge_inner(unsigned depth);
    bool remove_child(unsigned depth);
    void collapse_root();

    // Ranges.
    std::uint64_t remove_children(std::byte* page, unsigned from, unsigned to);
    std::uint64_t remove_entries(std::byte* page, unsigned from, unsigned to);
    std::uint64_t cut_behind(unsigned depth, std::string_view from);
    std::uint64_t cut_before(std::byte* page, std::string_view to);

    Node node(unsigned depth) const { return Node(path_[depth].page); }
    std::uint64_t txn() const { return writer_.txn(); }

    PageWriter& writer_;
    TreeRoot& tree_;
    const std::size_t page_size_;
    bool catalog_;
    Step path_[k_max_depth];
    unsigned depth_ = 0;            // of the leaf in path_
    std::uint64_t leaf_txn_ = 0;    // max txn of the leaf before this change
    Landing landing_;
    std::string kept_key_;          // copies for a second try
    std::string kept_value_;
    std::byte large_[k_large_value_size];  // what the leaf keeps of a large value
};

}  // namespace northstar::inline v0::detail
