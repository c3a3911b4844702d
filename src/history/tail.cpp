#include "history/tail.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>

namespace northstar::inline v0::detail {

namespace tail_impl {

bool reaches_further(const HistoryRange& a, const HistoryRange& b) {
    if (a.to_the_end != b.to_the_end) return a.to_the_end;
    return a.to > b.to;
}

bool reaches_behind(const HistoryRange& range, std::string_view key) {
    return range.to_the_end || range.to > key;
}

}  // namespace tail_impl

void RangeIndex::add(HistoryRange range) {
    runs_.emplace_back();
    runs_.back().ranges.push_back(range);
    while (runs_.size() > 1 && runs_[runs_.size() - 2].ranges.size() <= runs_.back().ranges.size()) {
        Run merged;
        std::vector<HistoryRange>& a = runs_[runs_.size() - 2].ranges;
        std::vector<HistoryRange>& b = runs_.back().ranges;
        merged.ranges.reserve(a.size() + b.size());
        std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged.ranges),
                   [](const HistoryRange& x, const HistoryRange& y) { return x.from < y.from; });
        runs_.pop_back();
        runs_.back() = std::move(merged);
    }
    summarise(runs_.back());
}

void RangeIndex::summarise(Run& run) {
    run.levels.clear();
    std::size_t below = run.ranges.size();
    while (below > k_fan) {
        std::vector<Node> level((below + k_fan - 1) / k_fan);
        for (std::size_t i = 0; i < below; ++i) {
            Node part;
            if (run.levels.empty()) {
                part = {&run.ranges[i], run.ranges[i].txn, run.ranges[i].txn};
            } else {
                part = run.levels.back()[i];
            }
            Node& node = level[i / k_fan];
            if (node.high == nullptr) {
                node = part;
            } else {
                if (tail_impl::reaches_further(*part.high, *node.high)) node.high = part.high;
                node.oldest = std::min(node.oldest, part.oldest);
                node.newest = std::max(node.newest, part.newest);
            }
        }
        below = level.size();
        run.levels.push_back(std::move(level));
    }
}

// Looks at entries [index, index + k_fan) of a level (0: the ranges themselves), from the last on.
void RangeIndex::search(const Run& run, std::size_t level, std::size_t index, std::string_view key, Txn txn,
                        Txn& newest) {
    const std::size_t size = level == 0 ? run.ranges.size() : run.levels[level - 1].size();
    std::size_t width = 1;
    for (std::size_t i = 0; i < level; ++i) width *= k_fan;
    for (std::size_t i = std::min(index + k_fan, size); i-- > index;) {
        if (run.ranges[i * width].from > key) continue;
        if (level == 0) {
            const HistoryRange& range = run.ranges[i];
            if (range.txn <= txn && range.txn > newest && range.covers(key)) newest = range.txn;
            continue;
        }
        const Node& node = run.levels[level - 1][i];
        if (node.newest <= newest || node.oldest > txn || !tail_impl::reaches_behind(*node.high, key)) continue;
        search(run, level - 1, i * k_fan, key, txn, newest);
    }
}

Txn RangeIndex::newest(std::string_view key, Txn txn) const {
    Txn newest = 0;
    // The smallest run is the youngest.
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
        const std::size_t levels = run->levels.size();
        const std::size_t top = levels == 0 ? run->ranges.size() : run->levels.back().size();
        for (std::size_t i = 0; i < top; i += k_fan) search(*run, levels, i, key, txn, newest);
    }
    return newest;
}

HistoryTail::HistoryTail(Txn after, std::function<bool(std::uint64_t)> keeps)
    : after_(after), keeps_(std::move(keeps)), last_(after) {}

void HistoryTail::add_version(std::uint64_t tree, std::string_view key, HistoryVersion version) {
    if (version.kind == HistoryVersion::Kind::inlined) {
        values_.emplace_back(version.value);
        version.value = values_.back();
        bytes_ += sizeof(std::string) + version.value.size();
    }
    // A key without versions is never there, even where memory runs out.
    if (const auto found = versions_.find(KeyView(tree, key)); found != versions_.end()) {
        found->second.push_back(version);
    } else {
        versions_.emplace(Key(tree, key), std::vector<HistoryVersion>{version});
        bytes_ += key.size() + 128;
    }
    bytes_ += sizeof(HistoryVersion);
}

void HistoryTail::add_range(const HistoryRange& range) {
    Ranges& ranges = ranges_[range.tree];
    ranges.texts.emplace_back(range.from, range.to);
    HistoryRange kept = range;
    kept.from = ranges.texts.back().first;
    kept.to = ranges.texts.back().second;
    ranges.index.add(kept);
    bytes_ += 256 + range.from.size() + range.to.size();
}

void HistoryTail::add(const ChangeReader& changes) {
    const std::unique_lock lock(mutex_);
    const LogAnchor& anchor = changes.anchor();
    expect_behind(anchor.txn, last_);
    const auto wanted = [&](std::uint64_t tree) { return tree == k_catalog_tree || !keeps_ || keeps_(tree); };
    const std::vector<ChangeReader::Change>& points = changes.changes();
    const std::vector<HistoryRange>& ranges = changes.ranges();
    for (; added_ < points.size(); ++added_) {
        const ChangeReader::Change& change = points[added_];
        if (wanted(change.tree)) add_version(change.tree, change.key, change.version);
    }
    for (; added_ < points.size() + ranges.size(); ++added_) {
        const HistoryRange& range = ranges[added_ - points.size()];
        if (wanted(range.tree)) add_range(range);
    }
    if (anchors_.empty() || anchors_.back().position / k_anchor_stretch != anchor.position / k_anchor_stretch) {
        anchors_.push_back(anchor);
    }
    last_ = anchor.txn;
    added_ = 0;
}

std::shared_ptr<HistoryTail> HistoryTail::rest_of(Txn txn) const {
    const std::shared_lock lock(mutex_);
    NORTHSTAR_ASSERT(txn >= after_ && txn <= last_);
    std::shared_ptr<HistoryTail> rest = std::make_shared<HistoryTail>(txn, keeps_);
    rest->last_ = last_;
    // What is there of a commit on which memory ran out is added again as a whole.
    const auto wanted = [&](Txn of) { return of > txn && of <= last_; };
    for (const auto& [key, versions] : versions_) {
        for (const HistoryVersion& version : versions) {
            if (wanted(version.txn)) rest->add_version(key.first, key.second, version);
        }
    }
    for (const auto& [tree, ranges] : ranges_) {
        std::vector<HistoryRange> later;
        ranges.index.each([&](const HistoryRange& range) {
            if (wanted(range.txn)) later.push_back(range);
        });
        std::stable_sort(later.begin(), later.end(),
                         [](const HistoryRange& a, const HistoryRange& b) { return a.txn < b.txn; });
        for (const HistoryRange& range : later) rest->add_range(range);
    }
    for (const LogAnchor& anchor : anchors_) {
        if (anchor.txn > txn) rest->anchors_.push_back(anchor);
    }
    return rest;
}

std::uint64_t HistoryTail::bytes() const {
    const std::shared_lock lock(mutex_);
    return bytes_;
}

Txn HistoryTail::last() const {
    const std::shared_lock lock(mutex_);
    return last_;
}

const HistoryVersion* HistoryTail::newest_of(const std::vector<HistoryVersion>& versions, Txn txn) {
    const auto behind = std::partition_point(versions.begin(), versions.end(),
                                             [&](const HistoryVersion& version) { return version.txn <= txn; });
    return behind == versions.begin() ? nullptr : &*std::prev(behind);
}

std::optional<HistoryVersion> HistoryTail::newest_point(std::uint64_t tree, std::string_view key, Txn txn) const {
    const std::shared_lock lock(mutex_);
    const auto found = versions_.find(KeyView(tree, key));
    if (found == versions_.end()) return std::nullopt;
    const HistoryVersion* version = newest_of(found->second, txn);
    return version == nullptr ? std::nullopt : std::optional(*version);
}

Txn HistoryTail::newest_range(std::uint64_t tree, std::string_view key, Txn txn) const {
    const std::shared_lock lock(mutex_);
    const auto found = ranges_.find(tree);
    return found == ranges_.end() ? 0 : found->second.index.newest(key, txn);
}

void HistoryTail::each_version(std::uint64_t tree, std::string_view key,
                               const std::function<bool(const HistoryVersion&)>& f) const {
    std::vector<HistoryVersion> versions;
    {
        const std::shared_lock lock(mutex_);
        const auto found = versions_.find(KeyView(tree, key));
        if (found == versions_.end()) return;
        versions = found->second;
    }
    for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
        if (!f(*version)) return;
    }
}

void HistoryTail::each_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to,
                             const std::function<void(const HistoryRange&)>& f) const {
    std::vector<HistoryRange> found;
    {
        const std::shared_lock lock(mutex_);
        const auto ranges = ranges_.find(tree);
        if (ranges == ranges_.end()) return;
        ranges->second.index.each([&](const HistoryRange& range) {
            if ((!to || range.from < *to) && tail_impl::reaches_behind(range, from)) found.push_back(range);
        });
    }
    for (const HistoryRange& range : found) f(range);
}

std::optional<LogAnchor> HistoryTail::anchor_of(Txn txn) const {
    const std::shared_lock lock(mutex_);
    const auto behind = std::partition_point(anchors_.begin(), anchors_.end(),
                                             [&](const LogAnchor& anchor) { return anchor.txn <= txn; });
    return behind == anchors_.begin() ? std::nullopt : std::optional(*std::prev(behind));
}

std::optional<LogAnchor> HistoryTail::anchor_at(std::uint64_t time_us) const {
    const std::shared_lock lock(mutex_);
    const auto behind = std::partition_point(anchors_.begin(), anchors_.end(),
                                             [&](const LogAnchor& anchor) { return anchor.time_us <= time_us; });
    return behind == anchors_.begin() ? std::nullopt : std::optional(*std::prev(behind));
}

// Finds its key again at every step, as the map may have grown since.
class TailCursor final : public HistoryCursor {
public:
    TailCursor(const HistoryTail& tail, std::uint64_t tree, Txn txn) : tail_(tail), tree_(tree), txn_(txn) {}

    bool seek(std::string_view key) override {
        const std::shared_lock lock(tail_.mutex_);
        return forward(tail_.versions_.lower_bound(HistoryTail::KeyView(tree_, key)));
    }
    bool seek_before(std::optional<std::string_view> key) override {
        const std::shared_lock lock(tail_.mutex_);
        if (key) return backward(tail_.versions_.lower_bound(HistoryTail::KeyView(tree_, *key)));
        return backward(tree_ == ~std::uint64_t{0}
                            ? tail_.versions_.end()
                            : tail_.versions_.lower_bound(HistoryTail::KeyView(tree_ + 1, {})));
    }
    bool next() override {
        NORTHSTAR_ASSERT(valid_);
        const std::shared_lock lock(tail_.mutex_);
        return forward(tail_.versions_.upper_bound(HistoryTail::KeyView(tree_, key_)));
    }
    bool prev() override {
        NORTHSTAR_ASSERT(valid_);
        const std::shared_lock lock(tail_.mutex_);
        return backward(tail_.versions_.lower_bound(HistoryTail::KeyView(tree_, key_)));
    }
    bool valid() const override { return valid_; }
    std::string_view key() const override { return key_; }
    const HistoryVersion& version() const override { return version_; }

private:
    bool stand_on(HistoryTail::Map::const_iterator at) {
        const HistoryVersion* version = HistoryTail::newest_of(at->second, txn_);
        if (version == nullptr) return false;
        key_ = at->first.second;
        version_ = *version;
        return valid_ = true;
    }
    bool forward(HistoryTail::Map::const_iterator at) {
        valid_ = false;
        for (; at != tail_.versions_.end() && at->first.first == tree_; ++at) {
            if (stand_on(at)) return true;
        }
        return false;
    }
    bool backward(HistoryTail::Map::const_iterator at) {
        valid_ = false;
        while (at != tail_.versions_.begin() && std::prev(at)->first.first == tree_) {
            if (stand_on(--at)) return true;
        }
        return false;
    }

    const HistoryTail& tail_;
    const std::uint64_t tree_;
    const Txn txn_;
    bool valid_ = false;
    std::string key_;
    HistoryVersion version_;
};

std::unique_ptr<HistoryCursor> HistoryTail::cursor(std::uint64_t tree, Txn txn) const {
    return std::make_unique<TailCursor>(*this, tree, txn);
}

}  // namespace northstar::inline v0::detail
