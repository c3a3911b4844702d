// open_trees.hpp -- the trees that a workspace has looked up, found again by name or number.  Layer: txn.
// Threads: one at a time.
//
// Every operation of a transaction looks its tree up, mostly the one that the operation before did. Few trees are
// looked through, the newest first; of many the names and numbers are kept in hash tables, which are brought up to
// date when somebody looks.
// [OPENTREES-1] Indexes and addresses of trees stay as they are until clear() or operator=.
// [OPENTREES-2] Of several trees with one name the newest is found: all others were dropped.
#pragma once

#include "btree/tree.hpp"
#include "log/record.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace northstar::inline v0::detail {

struct OpenTree {
    std::uint64_t id = 0;
    TreeRoot root;
    History history;
    bool own_history = false;
    Txn created = 0;
    std::string name;
    bool dirty = false;
    bool dropped = false;
};

class OpenTrees {
public:
    OpenTrees() = default;
    OpenTrees(const OpenTrees& other) : list_(other.list_) {}
    OpenTrees(OpenTrees&& other) : list_(std::move(other.list_)) { other.clear(); }
    OpenTrees& operator=(const OpenTrees& other) {
        clear();
        list_ = other.list_;
        return *this;
    }
    OpenTrees& operator=(OpenTrees&& other) {
        clear();
        list_ = std::move(other.list_);
        other.clear();
        return *this;
    }
    ~OpenTrees() = default;

    /// Index of the newest tree with a name, or a number, dropped ones included; -1: there is none. O(1).
    int find(std::string_view name) const {
        if (latest_ >= 0 && latest_name_ == name) return latest_;
        return find_again(name);
    }
    int find(std::uint64_t id) const;
    /// The index that it has from now on. A tree's name and number do not change.
    int add(OpenTree tree);
    void clear() noexcept;

    OpenTree& operator[](int index) { return list_[static_cast<std::size_t>(index)]; }
    const OpenTree& operator[](int index) const { return list_[static_cast<std::size_t>(index)]; }
    std::size_t size() const { return list_.size(); }
    auto begin() { return list_.begin(); }
    auto end() { return list_.end(); }
    auto begin() const { return list_.begin(); }
    auto end() const { return list_.end(); }

private:
    int find_again(std::string_view name) const;
    bool is_short() const { return list_.size() <= k_short; }
    void bring_up_to_date() const;

    /// So many are looked through in less time than a name takes to be hashed.
    static constexpr std::size_t k_short = 8;

    std::deque<OpenTree> list_;
    // Of the first `indexed_` trees. Names are views of those in the list.
    mutable std::unordered_map<std::string_view, int> by_name_;
    mutable std::unordered_map<std::uint64_t, int> by_id_;
    mutable std::size_t indexed_ = 0;
    // What was found by name last, unless there is a newer tree; -1: nothing.
    mutable int latest_ = -1;
    mutable std::string_view latest_name_;
};

}  // namespace northstar::inline v0::detail
