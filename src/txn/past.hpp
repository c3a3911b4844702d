// past.hpp -- a state of the past: the present where nothing changed since, the history elsewhere.  Layer: txn.
// Threads: a PastState any; a PastCursor one at a time.
//
// [PAST-1] A key's state at T is its present entry if that was written at or before T; else its newest version at or
//          before T in the history; else its entry in the retained base, if that was written at or before T.
//          [HORIZON-1] Where nothing of a tree was ever forgotten the first two agree, and their order is a matter of
//          speed.
// [PAST-2] A leaf of the present whose max txn is at or before T holds the whole state of its range at T.
// [PAST-3] Everything is read as the generation that the view stands on has it, whatever later ones do.
#pragma once

#include "btree/cursor.hpp"
#include "history/follower.hpp"
#include "txn/root.hpp"
#include "txn/workspace.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

class PastTree;

/// What an AS OF snapshot needs beside the root it stands on. What it learns meanwhile is kept in it.
struct PastState {
    PastState() = default;
    PastState(const PastState&) = delete;
    PastState& operator=(const PastState&) = delete;
    ~PastState();

    Txn txn = 0;
    std::uint64_t root = 0;  ///< number of the root it stands on, where it may be used again; else 0
    std::shared_ptr<const HistoryIndex> history;
    bool base_kept = true;   ///< the generation kept the past of some tree: its index and retained base count
    /// Trees that were looked up, and their names: only added to.
    struct Known;
    struct Named;
    mutable std::atomic<const Known*> known{nullptr};
    mutable std::atomic<const Named*> named{nullptr};
    /// Commit time of the txn, once somebody asked; k_not_asked before.
    static constexpr std::uint64_t k_not_asked = ~std::uint64_t{0};
    mutable std::atomic<std::uint64_t> time_us{k_not_asked};
};

/// States of closed snapshots, for the next ones that are opened at the same point of the same root: programs that read
/// the past do it at one point again and again, and finding out what that was costs more than to read a key there.
/// A root has its number alone, and one on which a snapshot can be opened has its pages: what a state knows of them
/// holds as long as there are snapshots to use it. Threads: any.
class KeptPasts {
public:
    KeptPasts() = default;
    ~KeptPasts() { clear(); }
    KeptPasts(const KeptPasts&) = delete;
    KeptPasts& operator=(const KeptPasts&) = delete;
    /// The state of a txn upon a root; nullptr: none is kept.
    std::unique_ptr<PastState> take(std::uint64_t root, Txn txn) noexcept {
        std::unique_ptr<PastState> kept(slot(txn).exchange(nullptr, std::memory_order_acquire));
        if (kept != nullptr && (kept->root != root || kept->txn != txn)) kept.reset();
        return kept;
    }
    /// Keeps a state, in place of another one.
    void give(std::unique_ptr<PastState> state) noexcept {
        std::atomic<PastState*>& to = slot(state->txn);
        delete to.exchange(state.release(), std::memory_order_acq_rel);
    }
    void clear() noexcept {
        for (std::atomic<PastState*>& kept : kept_) delete kept.exchange(nullptr, std::memory_order_acq_rel);
    }

private:
    static constexpr std::size_t k_slots = 8;
    std::atomic<PastState*>& slot(Txn txn) { return kept_[txn % k_slots]; }
    std::atomic<PastState*> kept_[k_slots] = {};
};

/// One tree at a point of the past.
class PastTree {
public:
    /// `present`: the tree's root in the snapshot's root, empty where it is gone. The state's txn may be any.
    PastTree(const ReadView& view, const PastState& state, std::uint64_t id, Ref present);
    std::uint64_t id() const { return id_; }
    std::optional<TreeValue> get(std::string_view key) const;
    /// What the history alone says of a key; nullopt: nothing, so that the retained base decides.
    std::optional<HistoryVersion> version(std::string_view key) const;
    std::optional<TreeValue> value_of(std::string_view key, const HistoryVersion& version) const;
    /// Its value was erased lawfully.
    bool redacted(std::string_view key, const HistoryVersion& version) const;
    /// The key's entry in the retained base, if it was written at or before the point.
    std::optional<TreeValue> base_entry(std::string_view key) const;
    /// What the history has up to here is of no use: history was off then.
    Txn stale() const { return stale_; }

private:
    friend class PastCursor;
    std::optional<std::string_view> logged(std::string_view key, const HistoryVersion& version) const;
    std::optional<TreeValue> unchanged(std::string_view key) const;
    const PageSource* source_;
    const LogStore* log_;
    const PastState* state_;
    const Base* base_;
    std::uint64_t id_;
    Ref present_;
    Ref retained_;
    Txn stale_ = 0;
    bool whole_ = false;  // the history knows every version
    /// The key that was looked up last had changed since: as a rule the next one has too, and the present is not asked.
    struct Guess {
        Guess() = default;
        Guess(const Guess&) {}
        std::atomic<bool> changed{false};
    };
    mutable Guess guess_;
};

struct PastState::Known {
    PastTree tree;
    const Known* next;
};

struct PastState::Named {
    std::string name;
    CatalogEntry entry;
    const Named* next;
};

/// Commit time of a snapshot of the past.
std::uint64_t time_of_past(const ReadView& view);

/// From where on the past of a tree can be read, as a view has it; nullopt: it has none.
std::optional<Txn> tree_horizon(const ReadView& view, std::uint64_t id);
/// Trees by name and keys by tree, in a view of the present or the past. Throws Error(before_horizon) for a tree whose
/// past begins later.
bool find_tree_in_view(const ReadView& view, std::string_view name, CatalogEntry& entry);
std::vector<std::string> tree_names_in_view(const ReadView& view);
/// Retention as it was at the point of a view, of a tree and by default.
History tree_history_in_view(const ReadView& view, std::string_view name, const CatalogEntry& now);
History default_history_in_view(const ReadView& view);
/// A tree of a view of the past; lives as long as the view.
const PastTree& past_tree(const ReadView& view, std::uint64_t id, Ref present);
std::optional<TreeValue> past_get(const ReadView& view, std::uint64_t id, Ref present, std::string_view key);

/// Moves over a tree of the past, a batch of entries at a time: a leaf of the present where it did not change; else a
/// part of its range, merged from the present, the history and the retained base. A leaf may stand for any number of
/// keys of the past, all that were deleted since, so a batch is small behind a jump and grows while the cursor goes on.
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
    enum class Way : std::uint8_t { forward, back };
    class Merge;
    static constexpr std::size_t k_least_batch = 16;
    static constexpr std::size_t k_most_batch = 512;

    void note_leaf();
    bool take_leaf();
    void load_forward(std::string_view from);
    void load_back(std::optional<std::string_view> to);
    bool next_range();
    bool prev_range();
    bool settle_forward();
    bool settle_backward();

    PastTree tree_;
    std::unique_ptr<TreeCursor> present_;   // stands in the leaf whose range holds the batch
    std::vector<Entry> batch_;              // all there is from low_ on, in front of high_
    std::size_t at_ = 0;
    std::size_t most_ = k_least_batch;      // entries of the next batch
    bool valid_ = false;
    bool has_low_ = false;
    bool has_high_ = false;
    std::string low_;
    std::string high_;
    // The range of that leaf; without a present tree, everything.
    bool has_leaf_low_ = false;
    bool has_leaf_high_ = false;
    std::string leaf_low_;
    std::string leaf_high_;
};

}  // namespace northstar::inline v0::detail
