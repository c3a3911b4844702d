#include "history/segment_build.hpp"

#include "base/check.hpp"
#include "history/segment_format.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <tuple>
#include <utility>

namespace northstar::inline v0::detail {

namespace segment_build_impl {

/// Where runs are shorter than this on the average, sorting is quicker than merging them.
constexpr std::size_t k_least_run = 16;
/// What a version takes in a segment beside its key and value, filter and directory included: about, so that the bytes
/// of a segment are seldom moved while they grow.
constexpr std::size_t k_version_bytes = 24;
/// So many versions before their turn they are asked for.
constexpr std::size_t k_ahead = 8;

void sort_ranges(std::vector<HistoryRange>& ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const HistoryRange& a, const HistoryRange& b) {
        return std::tuple(a.tree, a.from, ~a.txn) < std::tuple(b.tree, b.from, ~b.txn);
    });
}

/// Sorts what largely consists of long runs that are in order, as large commits are and loads in key order.
template <class T, class Before>
void sort_runs(std::vector<T>& items, Before&& before) {
    std::vector<typename std::vector<T>::iterator> ends;  // of the runs
    const std::size_t most = items.size() / k_least_run + 1;
    for (auto at = items.begin(); at != items.end(); ends.push_back(at)) {
        if (ends.size() == most) return std::sort(items.begin(), items.end(), before);
        at = std::is_sorted_until(at, items.end(), before);
    }
    while (ends.size() > 1) {
        std::size_t merged = 0;
        for (std::size_t i = 0; i < ends.size(); i += 2) {
            if (i + 1 < ends.size()) {
                std::inplace_merge(i == 0 ? items.begin() : ends[merged - 1], ends[i], ends[i + 1], before);
            }
            ends[merged++] = ends[std::min(i + 1, ends.size() - 1)];
        }
        ends.resize(merged);
    }
}

}  // namespace segment_build_impl

SegmentBuilder::SegmentBuilder(Txn after, std::uint64_t log_from, std::function<bool(std::uint64_t)> keeps)
    : keeps_(std::move(keeps)), after_(after), last_(after), log_from_(log_from), log_to_(log_from) {}

std::string_view SegmentBuilder::keep(std::string_view text) {
    if (text.empty()) return {};
    std::byte* const kept = arena_.take(text.size());
    std::memcpy(kept, text.data(), text.size());
    text_bytes_ += text.size();
    return {reinterpret_cast<const char*>(kept), text.size()};
}

bool SegmentBuilder::add(const RecordView& record) {
    if (!reader_.add(record)) return false;
    add(reader_, record.end());
    return true;
}

bool SegmentBuilder::wanted(std::uint64_t tree) {
    if (tree != asked_) {
        asked_ = tree;
        asked_wanted_ = tree == k_catalog_tree || !keeps_ || keeps_(tree);
    }
    return asked_wanted_;
}

void SegmentBuilder::add(const ChangeReader& changes, std::uint64_t log_to) {
    const LogAnchor& anchor = changes.anchor();
    expect_behind(anchor.txn, last_);
    for (const ChangeReader::Change& change : changes.changes()) {
        if (!wanted(change.tree)) continue;
        auto* const entry = new (arena_.take(sizeof(Entry))) Entry{change.tree, {}, change.version, nullptr};
        entry->key = keep(change.key);
        entry->version.value = keep(change.version.value);
        (newest_ == nullptr ? first_ : newest_->next) = entry;
        newest_ = entry;
        ++versions_;
    }
    for (HistoryRange range : changes.ranges()) {
        if (!wanted(range.tree)) continue;
        range.from = keep(range.from);
        range.to = keep(range.to);
        ranges_.push_back(range);
    }
    if (anchors_.empty() || anchors_.back().position / k_anchor_stretch != anchor.position / k_anchor_stretch) {
        anchors_.push_back(anchor);
    }
    // Times never go back in a log; one that does must not mislead a search.
    time_to_ = std::max(time_to_, anchor.time_us);
    if (last_ == after_) time_from_ = anchor.time_us;
    last_ = anchor.txn;
    log_to_ = log_to;
}

std::vector<std::byte> SegmentBuilder::finish() {
    // What decides nearly all comparisons, beside each other.
    struct Place {
        std::uint64_t tree;
        std::uint64_t head;  // of the key
        const Entry* entry;
    };
    const auto before = [](const Place& a, const Place& b) {
        if (a.tree != b.tree) return a.tree < b.tree;
        if (a.head != b.head) return a.head < b.head;
        if (const int order = a.entry->key.compare(b.entry->key); order != 0) return order < 0;
        return a.entry->version.txn > b.entry->version.txn;
    };
    std::vector<Place> places;
    places.reserve(versions_);
    for (const Entry* entry = first_; entry != nullptr; entry = entry->next) {
        places.push_back({entry->tree, segment::head_of(entry->key), entry});
    }
    segment_build_impl::sort_runs(places, before);
    segment_build_impl::sort_ranges(ranges_);
    SegmentWriter writer({after_, last_, log_from_});
    writer.expect_bytes(text_bytes_ + versions_ * segment_build_impl::k_version_bytes);
    for (std::size_t i = 0; i < places.size(); ++i) {
        // In the order of keys they lie anywhere.
        if (i + segment_build_impl::k_ahead < places.size()) {
            __builtin_prefetch(places[i + segment_build_impl::k_ahead].entry);
            __builtin_prefetch(&places[i + segment_build_impl::k_ahead].entry->next);
        }
        writer.add(places[i].tree, places[i].entry->key, places[i].entry->version);
    }
    for (const HistoryRange& range : ranges_) writer.add_range(range);
    for (const LogAnchor& anchor : anchors_) writer.add_anchor(anchor);
    return writer.finish({time_from_, time_to_, log_from_, log_to_, 0});
}

}  // namespace northstar::inline v0::detail
