#include "txn/past.hpp"

#include "base/error.hpp"
#include "txn/core.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

namespace past_impl {

constexpr unsigned k_gets_per_trial = 16;

}  // namespace past_impl

PastState::~PastState() {
    const auto drop = [](const auto* at) {
        while (at != nullptr) delete std::exchange(at, at->next);
    };
    drop(known.load());
    drop(named.load());
}

PastTree::PastTree(const ReadView& view, const PastState& state, std::uint64_t id, Ref present)
    : source_(&view.core->source()), log_(&view.core->log()), state_(&state), base_(view.root->base), id_(id),
      present_(present) {
    const Meta& meta = base_->meta;
    if (id == k_catalog_tree) {
        if (!state.base_kept) stale_ = meta.txn;
        return;
    }
    whole_ = tree_horizon(view, id) == Txn{0};
    CatalogEntry entry;
    const YoungBase* const young = base_->horizon.young_base(id);
    if (find_tree(*source_, Ref(meta.catalog.root), id, entry) &&
        (entry.own_history ? entry.history : meta.history).kind == History::Kind::nothing) {
        // Turned on since: the generation's own tree is what the log behind it goes on from.
        retained_ = entry.root.root;
        stale_ = meta.txn;
    } else if (young != nullptr) {
        if (find_tree(*source_, Ref(young->kept.root), id, entry)) retained_ = entry.root.root;
        stale_ = young->kept.txn;
    } else if (meta.retained_txn != 0 && find_tree(*source_, Ref(meta.retained.root), id, entry)) {
        retained_ = entry.root.root;
    }
}

std::optional<HistoryVersion> PastTree::version(std::string_view key) const {
    std::optional<HistoryVersion> found = state_->history->newest(id_, key, state_->txn);
    if (found && found->txn <= stale_) found.reset();
    return found;
}

std::optional<TreeValue> PastTree::value_of(std::string_view key, const HistoryVersion& version) const {
    switch (version.kind) {
        case HistoryVersion::Kind::erased: return std::nullopt;
        case HistoryVersion::Kind::inlined: return TreeValue{version.value, version.txn};
        case HistoryVersion::Kind::redacted: return TreeValue{{}, version.txn};
        case HistoryVersion::Kind::logged: break;
    }
    return TreeValue{logged(key, version).value_or(std::string_view()), version.txn};
}

std::optional<std::string_view> PastTree::logged(std::string_view key, const HistoryVersion& version) const {
    if (version.position < base_->extents->end()) return logged_value(*log_, *base_->extents, id_, key, version);
    return logged_value(*log_, id_, key, version);
}

bool PastTree::redacted(std::string_view key, const HistoryVersion& version) const {
    return version.kind == HistoryVersion::Kind::redacted ||
           (version.kind == HistoryVersion::Kind::logged && !logged(key, version));
}

std::optional<TreeValue> PastTree::base_entry(std::string_view key) const {
    if (retained_.empty()) return std::nullopt;
    std::optional<TreeValue> found = tree_get(*source_, retained_, key);
    if (found && found->txn > state_->txn) found.reset();
    return found;
}

/// The present entry, if that is what the key had.
std::optional<TreeValue> PastTree::unchanged(std::string_view key) const {
    if (present_.empty()) return std::nullopt;
    std::optional<TreeValue> now = tree_get(*source_, present_, key);
    if (now && now->txn > state_->txn) now.reset();
    return now;
}

std::optional<TreeValue> PastTree::get(std::string_view key) const {
    // Now and then the present is asked all the same, to notice where it knows the answer, which costs less there.
    static thread_local unsigned gets = 0;
    std::atomic<bool>& changed = guess_.changed;
    const bool history_first = changed.load(std::memory_order_relaxed) && ++gets % past_impl::k_gets_per_trial != 0;
    if (!history_first) {
        state_->history->prefetch(id_, key, state_->txn);
        if (std::optional<TreeValue> now = unchanged(key)) {
            if (changed.load(std::memory_order_relaxed)) changed.store(false, std::memory_order_relaxed);
            return now;
        }
    }
    if (const std::optional<HistoryVersion> then = version(key)) {
        if (whole_ && !changed.load(std::memory_order_relaxed)) changed.store(true, std::memory_order_relaxed);
        return value_of(key, *then);
    }
    if (history_first) {
        if (std::optional<TreeValue> now = unchanged(key)) return now;
    }
    return base_entry(key);
}

PastCursor::PastCursor(const PastTree& tree) : tree_(tree) {
    if (!tree_.present_.empty()) present_ = std::make_unique<TreeCursor>(*tree_.source_, tree_.present_);
}

/// The sources of a tree of the past in step: at each key what became of it.
class PastCursor::Merge {
public:
    Merge(const PastTree& tree, Way way) : tree_(tree), way_(way) {
        if (!tree.retained_.empty()) base_.emplace(*tree.source_, tree.retained_);
        changed_ = tree.state_->history->cursor(tree.id_, tree.state_->txn);
        if (!tree.present_.empty()) present_.emplace(*tree.source_, tree.present_);
    }

    /// To the first key at or behind it.
    void seek(std::string_view key) {
        if (base_) base_->lower_bound(key);
        changed_->seek(key);
        if (present_) present_->lower_bound(key);
        choose();
    }
    /// To the last key in front of it, or of all.
    void seek_before(std::optional<std::string_view> key) {
        if (base_) static_cast<void>(key ? base_->before(*key) : base_->last());
        changed_->seek_before(key);
        if (present_) static_cast<void>(key ? present_->before(*key) : present_->last());
        choose();
    }
    bool valid() const { return valid_; }
    const std::string& key() const { return key_; }

    /// What the key had, if it was there; and on to the next key.
    std::optional<TreeValue> take() {
        const PastState& state = *tree_.state_;
        std::optional<TreeValue> value;
        if (base_ && base_->valid() && base_->key() == key_) {
            // Range deletions name no keys: each key of the base is asked for.
            const Txn txn = base_->txn();
            if (txn <= state.txn && state.history->newest_range(tree_.id_, key_, state.txn) <= txn) {
                value = TreeValue{base_->value(), txn};
            }
            step(*base_);
        }
        if (changed_->valid() && changed_->key() == key_) {
            if (changed_->version().txn > tree_.stale_) value = tree_.value_of(key_, changed_->version());
            step(*changed_);
        }
        if (present_ && present_->valid() && present_->key() == key_) {
            // Where an entry of the present is old enough it is the newest there is.
            if (present_->txn() <= state.txn) value = TreeValue{present_->value(), present_->txn()};
            step(*present_);
        }
        choose();
        return value;
    }

private:
    template <class Cursor>
    void step(Cursor& cursor) {
        static_cast<void>(way_ == Way::forward ? cursor.next() : cursor.prev());
    }
    void choose() {
        valid_ = false;
        std::string_view nearest;
        const auto consider = [&](std::string_view key) {
            if (!valid_ || (way_ == Way::forward ? key < nearest : key > nearest)) nearest = key;
            valid_ = true;
        };
        if (base_ && base_->valid()) consider(base_->key());
        if (changed_->valid()) consider(changed_->key());
        if (present_ && present_->valid()) consider(present_->key());
        key_ = nearest;
    }

    const PastTree& tree_;
    const Way way_;
    std::optional<TreeCursor> base_;
    std::unique_ptr<HistoryCursor> changed_;
    std::optional<TreeCursor> present_;
    bool valid_ = false;
    std::string key_;
};

void PastCursor::note_leaf() {
    const bool in_leaf = present_ != nullptr && present_->in_leaf();
    has_leaf_low_ = in_leaf && present_->low_fence(leaf_low_);
    has_leaf_high_ = in_leaf && present_->high_fence(leaf_high_);
}

/// Unchanged since, the leaf is the answer for its range. [PAST-2]
bool PastCursor::take_leaf() {
    if (present_ == nullptr || !present_->in_leaf() || present_->leaf_max_txn() > tree_.state_->txn) return false;
    TreeCursor walk(*tree_.source_, tree_.present_);
    if (walk.seek_leaf(has_leaf_low_ ? std::string_view(leaf_low_) : std::string_view())) {
        const unsigned count = walk.leaf_count();
        bool there = walk.valid();
        for (unsigned i = 0; there && i < count; ++i) {
            batch_.push_back({std::string(walk.key()), walk.value(), walk.txn()});
            if (i + 1 < count) there = walk.next();
        }
    }
    if ((has_low_ = has_leaf_low_)) low_ = leaf_low_;
    if ((has_high_ = has_leaf_high_)) high_ = leaf_high_;
    return true;
}

/// Makes the batch that of the leaf, or what its range has from a key on.
void PastCursor::load_forward(std::string_view from) {
    batch_.clear();
    if (take_leaf()) return;
    has_low_ = true;
    low_ = from;
    Merge merge(tree_, Way::forward);
    for (merge.seek(from); merge.valid() && (!has_leaf_high_ || merge.key() < leaf_high_);) {
        if (batch_.size() == most_) {
            has_high_ = true;
            high_ = merge.key();
            most_ = std::min(2 * most_, k_most_batch);
            return;
        }
        std::string key = merge.key();
        if (const std::optional<TreeValue> value = merge.take()) {
            batch_.push_back({std::move(key), value->value, value->txn});
        }
    }
    if ((has_high_ = has_leaf_high_)) high_ = leaf_high_;
}

/// The same for what lies in front of a key; nullopt: at the end.
void PastCursor::load_back(std::optional<std::string_view> to) {
    batch_.clear();
    if (take_leaf()) return;
    if ((has_high_ = to.has_value())) high_ = *to;
    Merge merge(tree_, Way::back);
    bool whole = true;
    for (merge.seek_before(to); merge.valid() && (!has_leaf_low_ || merge.key() >= leaf_low_);) {
        if (batch_.size() == most_) {
            whole = false;
            most_ = std::min(2 * most_, k_most_batch);
            break;
        }
        low_ = merge.key();
        if (const std::optional<TreeValue> value = merge.take()) batch_.push_back({low_, value->value, value->txn});
    }
    std::reverse(batch_.begin(), batch_.end());
    has_low_ = !whole || has_leaf_low_;
    if (whole && has_leaf_low_) low_ = leaf_low_;
}

bool PastCursor::next_range() {
    if (!has_high_) return false;
    const std::string from = high_;
    if (has_leaf_high_ && from >= leaf_high_) {
        if (!present_->seek_leaf(from)) return false;
        note_leaf();
    }
    load_forward(from);
    return true;
}

bool PastCursor::prev_range() {
    if (!has_low_) return false;
    const std::string to = low_;
    if (has_leaf_low_ && to <= leaf_low_) {
        if (!present_->seek_leaf(to) || !present_->in_leaf()) return false;
        present_->prev_leaf();
        if (!present_->in_leaf()) return false;
        note_leaf();
    }
    load_back(to);
    return true;
}

bool PastCursor::settle_forward() {
    while (at_ >= batch_.size()) {
        if (!next_range()) return valid_ = false;
        at_ = 0;
    }
    return valid_ = true;
}

bool PastCursor::settle_backward() {
    while (batch_.empty()) {
        if (!prev_range()) return valid_ = false;
    }
    at_ = batch_.size() - 1;
    return valid_ = true;
}

bool PastCursor::first() { return lower_bound({}); }

bool PastCursor::lower_bound(std::string_view key) {
    const std::string from(key);  // it may be one of the batch
    most_ = k_least_batch;
    if (present_ != nullptr) present_->seek_leaf(from);
    note_leaf();
    load_forward(from);
    at_ = static_cast<std::size_t>(std::lower_bound(batch_.begin(), batch_.end(), from,
                                                    [](const Entry& e, const std::string& k) { return e.key < k; }) -
                                   batch_.begin());
    return settle_forward();
}

bool PastCursor::upper_bound(std::string_view key) {
    const std::string from(key);
    const bool there = lower_bound(from);
    return there && this->key() == from ? next() : there;
}

bool PastCursor::find(std::string_view key) {
    const std::string wanted(key);
    valid_ = lower_bound(wanted) && this->key() == wanted;
    return valid_;
}

bool PastCursor::last() {
    most_ = k_least_batch;
    if (present_ != nullptr) {
        present_->last();
        if (!present_->in_leaf()) present_->seek_leaf({});
    }
    note_leaf();
    load_back(std::nullopt);
    return settle_backward();
}

bool PastCursor::next() {
    if (!valid_) return false;
    ++at_;
    return settle_forward();
}

bool PastCursor::prev() {
    if (!valid_) return false;
    if (at_ > 0) {
        --at_;
        return true;
    }
    if (!prev_range()) return valid_ = false;
    return settle_backward();
}

}  // namespace northstar::inline v0::detail
