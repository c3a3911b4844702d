// cursor.hpp -- moving over the entries and the leaves of a root in key order.  Layer: btree.  Threads: one
// at a time.
//
// A cursor keeps the path from the root to its leaf. It reads a root that does not change: after a write
// through the same root's writer it must be thrown away.
//
// [CURSOR-1] Valid means on an entry. A step off either end, or an error, leaves the cursor not valid; it
//            stays so until it is positioned again.
// [CURSOR-2] No allocation while keys are not longer than 256 bytes.
#pragma once

#include "btree/tree.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace northstar::inline v0::detail {

class TreeCursor {
    enum class Way : std::uint8_t { forward, back };

public:
    TreeCursor(const PageSource& source, Ref root) : source_(&source), root_(root) {}
    TreeCursor(const TreeCursor&) = delete;
    TreeCursor& operator=(const TreeCursor&) = delete;

    /// Each returns valid().
    bool first();
    bool last();
    bool lower_bound(std::string_view key);  ///< first entry >= key
    bool upper_bound(std::string_view key);  ///< first entry > key
    bool find(std::string_view key);         ///< the entry itself
    bool before(std::string_view key);       ///< last entry < key
    bool next() {
        if (!valid_) return false;
        if (++index_ < count_) [[likely]] {
            fetch_ahead();
            load_cell();
            return true;
        }
        return next_leaf();
    }
    bool prev() {
        if (!valid_) return false;
        if (index_ != 0) [[likely]] {
            if (ahead_way_ != Way::back) look_ahead(Way::back);
            fetch_ahead();
            --index_;
            load_cell();
            return true;
        }
        return prev_leaf() && to_end();
    }
    /// Values from the present entry on, of keys below `to`, as many as there are and fit, a leaf at a time; then
    /// stands behind them. Returns how many. Does what value() and next() do, called for each.
    std::size_t read_values(std::span<std::string_view> out, std::optional<std::string_view> to = std::nullopt);
    bool valid() const { return valid_; }

    /// Lives until the cursor moves.
    std::string_view key() const {
        if (key_index_ != index_) make_key();
        return {reinterpret_cast<const char*>(key_), prefix_size_ + cell_.suffix.size};
    }
    /// Lives as long as the root.
    std::string_view value() const { return tree_impl::value_of(*source_, cell_).value; }
    bool large_value() const { return cell_.large; }
    std::uint64_t txn() const { return cell_.txn; }

    // Leaves. A cursor stands in a leaf after each of these returned true; it is valid if there is an entry,
    // too.

    /// The leaf whose range holds the key; on its first entry >= key. False: the root is empty.
    bool seek_leaf(std::string_view key);
    /// To the first entry of the next leaf, or of the leaf before.
    bool next_leaf() { return step_leaf(Way::forward, nullptr); }
    bool prev_leaf() { return step_leaf(Way::back, nullptr); }
    /// The same for the nearest leaf that changed after a txn; subtrees that did not are not entered.
    bool next_changed_leaf(std::uint64_t txn) { return step_leaf(Way::forward, &txn); }
    bool prev_changed_leaf(std::uint64_t txn) { return step_leaf(Way::back, &txn); }
    /// The first, the last such leaf of the tree.
    bool first_changed_leaf(std::uint64_t txn) { return edge_leaf(Way::forward, &txn); }
    bool last_changed_leaf(std::uint64_t txn) { return edge_leaf(Way::back, &txn); }
    bool in_leaf() const { return in_leaf_; }
    std::uint64_t leaf_max_txn() const { return Node(leaf_).max_txn(); }
    unsigned leaf_count() const { return count_; }
    unsigned leaf_index() const { return index_; }
    /// To the last entry of the leaf.
    bool to_end();
    /// Bounds of the leaf's range: keys are >= low and < high. False: there is no such bound.
    bool low_fence(std::string& out) const;
    bool high_fence(std::string& out) const;

    // The path, for comparing two roots: step 0 is the root, step depth() the leaf.
    unsigned depth() const { return depth_; }
    Ref page_ref(unsigned step) const {
        return step == 0 ? root_ : Node(path_[step - 1].page).child(path_[step - 1].index);
    }
    unsigned page_index(unsigned step) const { return step == depth_ ? index_ : path_[step].index; }
    /// Two cursors stand in the same page, reached at these steps: both leave it, and the pages that follow
    /// it in both parents alike without reading them, for the next entry of each.
    static void skip_shared(TreeCursor& a, unsigned a_step, TreeCursor& b, unsigned b_step);

private:
    struct Step {
        const std::byte* page;
        unsigned index;  // of the child taken
        unsigned count;  // index of the last child
    };
    static constexpr std::size_t k_inline_key = 256;
    static constexpr unsigned k_no_index = ~0u;

    bool enter_root();
    void descend(std::string_view key);
    void enter_leaf(const std::byte* page, Way way);
    /// The leaf on that side of the present one is to be fetched, if it has the same parent.
    void look_ahead(Way way);
    bool leave();
    bool step_leaf(Way way, const std::uint64_t* txn);
    bool edge_leaf(Way way, const std::uint64_t* txn);
    bool climb(Way way, const std::uint64_t* txn);
    bool resume();
    void check_place(Way way, const Node& node, Ref ref) const;
    bool fence(unsigned step, unsigned separator, std::string& out) const;
    void make_key() const;
    void make_key_room(std::size_t size) const;

    bool set_index(unsigned index) {
        index_ = index;
        valid_ = index < count_;
        if (valid_) load_cell();
        return valid_;
    }
    void load_cell() {
        cell_ = Node(leaf_).leaf_cell(index_);
    }
    /// Spreads fetching the leaf ahead over the steps through this one.
    void fetch_ahead() {
        if (ahead_ >= ahead_end_) return;
        __builtin_prefetch(ahead_);
        __builtin_prefetch(ahead_ + 64);
        ahead_ += 128;
    }

    const PageSource* source_;
    Ref root_;
    const std::byte* leaf_ = nullptr;
    unsigned index_ = 0;
    unsigned count_ = 0;
    bool valid_ = false;
    bool in_leaf_ = false;
    LeafCell cell_;
    Way ahead_way_ = Way::forward;
    const std::byte* ahead_ = nullptr;
    const std::byte* ahead_end_ = nullptr;
    unsigned depth_ = 0;  // steps above the leaf

    mutable unsigned key_index_ = k_no_index;
    mutable bool prefix_made_ = false;
    std::size_t prefix_size_ = 0;
    mutable std::byte* key_ = inline_key_;
    mutable std::size_t key_room_ = k_inline_key;
    mutable std::unique_ptr<std::byte[]> long_key_;
    mutable std::byte inline_key_[k_inline_key + 8];
    Step path_[k_max_depth];
};

}  // namespace northstar::inline v0::detail
