#include "txn/past.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <map>

namespace northstar::inline v0::detail {

PastTree::PastTree(const PageSource& source, const LogStore& log, const PastState& state, std::uint64_t id, Ref present)
    : source_(&source), log_(&log), state_(&state), id_(id), present_(present) {
    CatalogEntry entry;
    if (state.retained_txn != 0 && find_tree(source, state.retained.root, id, entry)) retained_ = entry.root.root;
}

std::optional<HistoryVersion> PastTree::version(std::string_view key) const {
    // Newest source first: the first that knows of the key has its newest version.
    for (const std::shared_ptr<const HistorySource>& part : state_->history) {
        if (part->after() >= state_->txn) continue;
        if (std::optional<HistoryVersion> found = part->newest(id_, key, state_->txn)) return found;
    }
    return std::nullopt;
}

std::optional<TreeValue> PastTree::value_of(const HistoryVersion& version) const {
    switch (version.kind) {
        case HistoryVersion::Kind::erased: return std::nullopt;
        case HistoryVersion::Kind::inlined: return TreeValue{version.value, version.txn};
        case HistoryVersion::Kind::redacted: return TreeValue{{}, version.txn};
        case HistoryVersion::Kind::logged: break;
    }
    return TreeValue{logged_value(*log_, version), version.txn};
}

std::optional<TreeValue> PastTree::get(std::string_view key) const {
    if (!present_.empty()) {
        const std::optional<TreeValue> now = tree_get(*source_, present_, key);
        if (now && now->txn <= state_->txn) return now;
    }
    if (const std::optional<HistoryVersion> then = version(key)) return value_of(*then);
    if (retained_.empty()) return std::nullopt;
    return tree_get(*source_, retained_, key);
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
    const std::optional<std::string_view> to =
        has_high_ ? std::optional<std::string_view>(high_) : std::nullopt;
    const auto inside = [&](std::string_view key) { return !to || key < *to; };
    std::map<std::string, TreeValue, std::less<>> merged;
    // Oldest first: what is newer replaces it.
    if (!tree_.retained_.empty()) {
        TreeCursor base(*tree_.source_, tree_.retained_);
        for (bool there = base.lower_bound(from); there && inside(base.key()); there = base.next()) {
            merged[std::string(base.key())] = {base.value(), base.txn()};
        }
    }
    for (auto part = state.history.rbegin(); part != state.history.rend(); ++part) {
        const HistorySource& source = **part;
        if (source.after() >= state.txn) continue;
        source.each_range(tree_.id_, from, to, [&](const HistoryRange& range) {
            if (range.txn > state.txn) return;
            auto at = merged.lower_bound(range.from);
            while (at != merged.end() && range.covers(at->first)) {
                at = at->second.txn < range.txn ? merged.erase(at) : std::next(at);
            }
        });
        const std::unique_ptr<HistoryCursor> cursor = source.cursor(tree_.id_, state.txn);
        for (bool there = cursor->seek(from); there && inside(cursor->key()); there = cursor->next()) {
            const HistoryVersion& version = cursor->version();
            const Txn range = source.newest_range(tree_.id_, cursor->key(), state.txn);
            const std::optional<TreeValue> value =
                range > version.txn ? std::nullopt : tree_.value_of(version);
            if (value) {
                merged[std::string(cursor->key())] = *value;
            } else if (const auto at = merged.find(cursor->key()); at != merged.end()) {
                merged.erase(at);
            }
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
    return lower_bound(key) && this->key() == key ? true : valid_ = false;
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
