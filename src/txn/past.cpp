#include "txn/past.hpp"

#include "base/error.hpp"
#include "txn/core.hpp"

#include <algorithm>
#include <map>
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
    const ExtentDirectory now = log_->extents();
    return logged_value(*log_, now, id_, key, version);
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

/// Makes the batch that of the leaf the present cursor stands in; without a present tree, of everything.
void PastCursor::load_range() {
    batch_.clear();
    has_low_ = has_high_ = false;
    if (present_ != nullptr && present_->in_leaf()) {
        has_low_ = present_->low_fence(low_);
        has_high_ = present_->high_fence(high_);
        if (present_->leaf_max_txn() <= tree_.state_->txn) {
            // Unchanged since: the leaf is the answer. [PAST-2]
            const std::string at = has_low_ ? low_ : std::string();
            TreeCursor walk(*tree_.source_, tree_.present_);
            if (walk.seek_leaf(at)) {
                const unsigned count = walk.leaf_count();
                bool there = walk.valid();
                for (unsigned i = 0; there && i < count; ++i) {
                    batch_.push_back({std::string(walk.key()), walk.value(), walk.txn()});
                    if (i + 1 < count) there = walk.next();
                }
            }
            return;
        }
    }
    merge_range();
}

void PastCursor::merge_range() {
    const PastState& state = *tree_.state_;
    const std::string_view from = has_low_ ? std::string_view(low_) : std::string_view();
    const auto inside = [&](std::string_view key) { return !has_high_ || key < high_; };
    std::map<std::string, TreeValue, std::less<>> merged;
    if (!tree_.retained_.empty()) {
        TreeCursor base(*tree_.source_, tree_.retained_);
        for (bool there = base.lower_bound(from); there && inside(base.key()); there = base.next()) {
            if (base.txn() > state.txn) continue;
            // Range deletions name no keys: each key of the base is asked for.
            if (state.history->newest_range(tree_.id_, base.key(), state.txn) > base.txn()) continue;
            merged[std::string(base.key())] = {base.value(), base.txn()};
        }
    }
    const std::unique_ptr<HistoryCursor> cursor = state.history->cursor(tree_.id_, state.txn);
    for (bool there = cursor->seek(from); there && inside(cursor->key()); there = cursor->next()) {
        if (cursor->version().txn <= tree_.stale_) continue;
        if (const std::optional<TreeValue> value = tree_.value_of(cursor->key(), cursor->version())) {
            merged[std::string(cursor->key())] = *value;
        } else {
            merged.erase(std::string(cursor->key()));
        }
    }
    // Entries of the present that are old enough need no history; they are the newest there is.
    if (!tree_.present_.empty()) {
        TreeCursor now(*tree_.source_, tree_.present_);
        for (bool there = now.lower_bound(from); there && inside(now.key()); there = now.next()) {
            if (now.txn() <= state.txn) merged[std::string(now.key())] = {now.value(), now.txn()};
        }
    }
    for (auto& [key, value] : merged) batch_.push_back({key, value.value, value.txn});
}

bool PastCursor::next_range() {
    if (present_ == nullptr || !has_high_) return false;
    const std::string at = high_;
    if (!present_->seek_leaf(at)) return false;
    load_range();
    return true;
}

bool PastCursor::prev_range() {
    if (present_ == nullptr || !has_low_) return false;
    if (!present_->seek_leaf(low_) || !present_->in_leaf()) return false;
    present_->prev_leaf();
    if (!present_->in_leaf()) return false;
    load_range();
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
    if (present_ != nullptr) present_->seek_leaf(key);
    load_range();
    at_ = static_cast<std::size_t>(std::lower_bound(batch_.begin(), batch_.end(), key,
                                                    [](const Entry& e, std::string_view k) { return e.key < k; }) -
                                   batch_.begin());
    return settle_forward();
}

bool PastCursor::upper_bound(std::string_view key) {
    const bool there = lower_bound(key);
    return there && this->key() == key ? next() : there;
}

bool PastCursor::find(std::string_view key) {
    valid_ = lower_bound(key) && this->key() == key;
    return valid_;
}

bool PastCursor::last() {
    if (present_ != nullptr) {
        present_->last();
        if (!present_->in_leaf()) present_->seek_leaf({});
    }
    load_range();
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
