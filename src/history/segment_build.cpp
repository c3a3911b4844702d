#include "history/segment_build.hpp"

#include "base/check.hpp"
#include "history/segment_format.hpp"
#include "history/segment_walk.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

namespace northstar::inline v0::detail {

namespace segment_build_impl {

constexpr std::size_t k_arena_block = std::size_t{1} << 16;
/// Where runs are shorter than this on the average, sorting is quicker than merging them.
constexpr std::size_t k_least_run = 16;

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
    if (text.size() > arena_left_) {
        const std::size_t size = std::max(segment_build_impl::k_arena_block, text.size());
        arena_.push_back(std::make_unique_for_overwrite<char[]>(size));
        arena_at_ = arena_.back().get();
        arena_left_ = size;
        arena_bytes_ += size;
    }
    std::memcpy(arena_at_, text.data(), text.size());
    const std::string_view kept(arena_at_, text.size());
    arena_at_ += text.size();
    arena_left_ -= text.size();
    return kept;
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
    changes.expect_behind(last_);
    for (const ChangeReader::Change& change : changes.changes()) {
        if (!wanted(change.tree)) continue;
        HistoryVersion version = change.version;
        version.value = keep(version.value);
        versions_.push_back({change.tree, segment::head_of(change.key), keep(change.key), version});
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
    const auto before = [](const Entry& a, const Entry& b) {
        if (a.tree != b.tree) return a.tree < b.tree;
        if (a.head != b.head) return a.head < b.head;
        if (const int order = a.key.compare(b.key); order != 0) return order < 0;
        return a.version.txn > b.version.txn;
    };
    segment_build_impl::sort_runs(versions_, before);
    segment_build_impl::sort_ranges(ranges_);
    SegmentWriter writer({after_, last_, log_from_});
    for (const Entry& entry : versions_) writer.add(entry.tree, entry.key, entry.version);
    for (const HistoryRange& range : ranges_) writer.add_range(range);
    for (const LogAnchor& anchor : anchors_) writer.add_anchor(anchor);
    return writer.finish({time_from_, time_to_, log_from_, log_to_, 0});
}

std::vector<std::byte> merge_segments(const std::vector<const SegmentView*>& segments, const MergeOptions& options) {
    NORTHSTAR_ASSERT(!segments.empty());
    const segment::Header& oldest = segments.front()->header();
    const segment::Header& newest = segments.back()->header();
    std::uint64_t position_base = oldest.position_base;
    SegmentWriter::Span span;
    span.log_from = oldest.log_from;
    span.log_to = newest.log_to;
    bool dated = false;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const segment::Header& here = segments[i]->header();
        position_base = std::min(position_base, here.position_base);
        if (i > 0 && (segments[i - 1]->last() != here.after || segments[i - 1]->header().log_to > here.log_from)) {
            segments_out_of_order();
        }
        if (here.last == here.after) continue;  // no commit, no time
        if (dated && here.time_from < span.time_to) segments_out_of_order();
        if (!dated) span.time_from = here.time_from;
        span.time_to = here.time_to;
        dated = true;
    }
    SegmentWriter writer({oldest.after, newest.last, position_base});
    Txn forgotten = 0;
    for (const SegmentView* segment : segments) forgotten = std::max(forgotten, segment->header().horizon);
    const auto horizon_of = [&](std::uint64_t tree) -> Txn { return options.horizon ? options.horizon(tree) : 0; };

    std::vector<SegmentWalk> walks;
    walks.reserve(segments.size());
    for (const SegmentView* segment : segments) walks.emplace_back(*segment);
    std::vector<HistoryVersion> versions;
    std::string key;
    bool any_tree = false;
    std::uint64_t tree = 0;
    Txn horizon = 0;
    for (;;) {
        const SegmentWalk* const least = least_of(walks);
        if (least == nullptr) break;
        if (!any_tree || tree != least->tree()) {
            any_tree = true;
            tree = least->tree();
            horizon = horizon_of(tree);
            if (horizon != k_forget_tree) forgotten = std::max(forgotten, std::min<Txn>(horizon, newest.last));
        }
        key = least->key();
        take_key(walks, tree, key, versions);
        if (horizon == k_forget_tree) continue;
        for (HistoryVersion version : versions) {
            const bool base = version.txn <= horizon;
            if (base && options.bottom) {
                // The state at the horizon: a key that is not there needs no words.
                if (version.kind == HistoryVersion::Kind::erased) break;
                Txn covered = 0;
                for (const SegmentView* segment : segments) {
                    covered = std::max(covered, segment->newest_range(tree, key, horizon));
                }
                if (covered > version.txn) break;
            }
            if (version.kind == HistoryVersion::Kind::logged || version.kind == HistoryVersion::Kind::inlined) {
                if (options.redacted && options.redacted(tree, key, version.txn)) {
                    version = HistoryVersion{HistoryVersion::Kind::redacted, version.txn, 0, 0, 0, {}};
                }
            }
            if (version.kind == HistoryVersion::Kind::logged && version.position < options.carry_below) {
                const std::optional<std::string_view> value = options.value(tree, key, version);
                version = HistoryVersion{
                    value ? HistoryVersion::Kind::inlined : HistoryVersion::Kind::redacted, version.txn, 0, 0, 0, {}};
                if (value) version.value = *value;
            }
            writer.add(tree, key, version);
            if (base) break;
        }
    }

    std::vector<HistoryRange> ranges;
    for (const SegmentView* segment : segments) {
        segment->all_ranges([&](const HistoryRange& range) {
            const Txn limit = horizon_of(range.tree);
            if (limit == k_forget_tree || (options.bottom && range.txn <= limit)) return;
            ranges.push_back(range);
        });
    }
    segment_build_impl::sort_ranges(ranges);
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const auto rank = [](const HistoryRange& range) { return std::tuple(range.tree, range.from, ~range.txn); };
        if (i > 0 && rank(ranges[i - 1]) == rank(ranges[i])) segments_out_of_order();
        writer.add_range(ranges[i]);
    }
    std::uint64_t position = 0;
    for (const SegmentView* segment : segments) {
        for (std::uint32_t i = 0; i < segment->anchors(); ++i) {
            const LogAnchor anchor = segment->anchor(i);
            if (anchor.position < position) segments_out_of_order();
            position = anchor.position;
            writer.add_anchor(anchor);
        }
    }
    span.horizon = forgotten;
    return writer.finish(span);
}

}  // namespace northstar::inline v0::detail
