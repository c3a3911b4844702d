// past.hpp -- a state of the past: the present where nothing changed since, the history elsewhere.  Layer: txn.
// Threads: a PastState any; a PastCursor one at a time.
//
// [PAST-1] A key's state at T is its present entry if that was written at or before T; else its newest version at or
//          before T in the history; else, where history was turned on later, its entry in the retained base.
// [PAST-2] A leaf of the present whose max txn is at or before T holds the whole state of its range at T.
#pragma once

#include "btree/cursor.hpp"
#include "history/follower.hpp"
#include "txn/workspace.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// What an AS OF snapshot needs beside the root it stands on.
struct PastState {
    Txn txn = 0;
    std::uint64_t time_us = 0;
    std::shared_ptr<const HistoryIndex> history;
    std::uint64_t generation = 0;  ///< that the history reads pages of; held until the snapshot closes
    TreeRoot retained;       ///< catalog of the retained base
    Txn retained_txn = 0;
};

/// One tree at a point of the past.
class PastTree {
public:
    /// `present`: the tree's root in the snapshot's root, empty where it is gone.
    PastTree(const PageSource& source, const LogStore& log, const PastState& state, std::uint64_t id, Ref present);
    std::optional<TreeValue> get(std::string_view key) const;
    /// What the history alone says of a key; nullopt: nothing, so that the retained base decides.
    std::optional<HistoryVersion> version(std::string_view key) const;
    std::optional<TreeValue> value_of(std::string_view key, const HistoryVersion& version) const;

private:
    friend class PastCursor;
    const PageSource* source_;
    const LogStore* log_;
    const PastState* state_;
    std::uint64_t id_;
    Ref present_;
    Ref retained_;
};

/// Trees by name and keys by tree, in a view of the present or the past.
bool find_tree_in_view(const ReadView& view, std::string_view name, CatalogEntry& entry);
std::vector<std::string> tree_names_in_view(const ReadView& view);
std::optional<TreeValue> past_get(const ReadView& view, std::uint64_t id, Ref present, std::string_view key);

/// Moves over a tree of the past. A leaf of the present at a time: where it did not change it is the answer; else its
/// range is merged from the present, the history and the retained base.
class PastCursor {
public:
    explicit PastCursor(const PastTree& tree);
    bool first();
    bool last();
    bool lower_bound(std::string_view key);
    bool upper_bound(std::string_view key);
    bool find(std::string_view key);
    bool next();
    bool prev();
    bool valid() const { return valid_; }
    std::string_view key() const { return batch_[at_].key; }
    std::string_view value() const { return batch_[at_].value; }
    Txn txn() const { return batch_[at_].txn; }

private:
    struct Entry {
        std::string key;
        std::string_view value;
        Txn txn;
    };
    void load_range();
    void merge_range();
    bool settle_forward();
    bool settle_backward();
    bool next_range();
    bool prev_range();

    PastTree tree_;
    std::unique_ptr<TreeCursor> present_;   // stands on the leaf that the batch covers
    std::vector<Entry> batch_;
    std::size_t at_ = 0;
    bool valid_ = false;
    bool has_low_ = false;
    bool has_high_ = false;
    std::string low_;
    std::string high_;
};

}  // namespace northstar::inline v0::detail
