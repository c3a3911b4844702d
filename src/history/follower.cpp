#include "history/follower.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

namespace follower_impl {

/// So many segments of a tier become one of the next.
constexpr std::size_t k_fan = 6;
/// A tier holds segments up to this much larger than the one below.
constexpr std::uint64_t k_first_tier_bytes = 1u << 20;

std::uint32_t tier_of(std::uint64_t bytes) {
    std::uint32_t tier = 0;
    for (std::uint64_t limit = k_first_tier_bytes; bytes > limit && tier < 16; limit *= k_fan) ++tier;
    return tier;
}

/// Bytes of the log in place, for the functions that read values.
class MappedLog final : public LogBytes {
public:
    MappedLog(const FilePages& pages) : pages_(pages) {}
    std::span<const std::byte> read(std::uint64_t offset, std::uint64_t length) override {
        return {pages_.raw(offset, length), static_cast<std::size_t>(length)};
    }

private:
    const FilePages& pages_;
};

StoredSegment place_segment(Placer& placer, std::span<const std::byte> content, Txn after, Txn last,
                            std::uint64_t generation) {
    const Ref ref = placer.place_run(PageKind::history, content);
    StoredSegment stored;
    stored.page = ref.page();
    stored.bytes = content.size();
    stored.checksum = ref.checksum();
    stored.born = generation;
    stored.after = after;
    stored.last = last;
    stored.tier = tier_of(content.size());
    return stored;
}

}  // namespace follower_impl

std::optional<std::string_view> logged_value(const LogStore& log, const ExtentDirectory& extents, std::uint64_t tree,
                                             std::string_view key, const HistoryVersion& version) {
    follower_impl::MappedLog bytes(log.pages());
    try {
        return read_logged_value(bytes, extents, tree, key, version);
    } catch (const Error& error) {
        // It may be about to be redacted just now.
        if (error.code() != Errc::corrupt || !log.settled()) throw;
    }
    return read_logged_value(bytes, extents, tree, key, version);
}

HistoryFollower::HistoryFollower(FilePages& pages, const LogStore& log, std::vector<StoredSegment> segments, Txn sealed,
                                 std::uint64_t position, const HistoryFollower* before)
    : pages_(pages), log_(log), segments_(std::move(segments)), sealed_(sealed), position_(position) {
    for (const StoredSegment& segment : segments_) views_.push_back(open(segment));
    if (before != nullptr && before->sealed_ == sealed) {
        unsealed_ = before->unsealed_;
        const std::lock_guard lock(unsealed_->mutex);
        // The same point of the log may have two positions: the end of an extent and the start of the one behind it.
        if (unsealed_->tail->last() == sealed) {
            unsealed_->position = std::max(unsealed_->position, position);
            unsealed_->behind = std::max(unsealed_->behind, position);
        }
    } else {
        unsealed_ = std::make_shared<Unsealed>();
        unsealed_->tail = std::make_shared<HistoryTail>(sealed);
        unsealed_->position = unsealed_->behind = position;
        if (before != nullptr && before->sealed_ < sealed) {
            Unsealed& old = *before->unsealed_;
            const std::lock_guard lock(old.mutex);
            if (old.tail->last() > sealed) {
                unsealed_->tail = old.tail->rest_of(sealed);
                unsealed_->position = unsealed_->behind = old.behind;
            }
        }
    }
    std::vector<std::shared_ptr<const HistorySource>> sources(views_.begin(), views_.end());
    sources.push_back(unsealed_->tail);
    index_ = std::make_shared<HistoryIndex>(std::move(sources));
}

std::shared_ptr<const SegmentView> HistoryFollower::open(const StoredSegment& segment) const {
    const std::byte* at = pages_.raw(segment.page * pages_.page_size(), k_page_header_size + segment.bytes);
    return std::make_shared<SegmentView>(
        std::span<const std::byte>(at + k_page_header_size, static_cast<std::size_t>(segment.bytes)));
}

std::uint64_t HistoryFollower::versions() const {
    std::uint64_t versions = 0;
    for (const auto& view : views_) versions += view->header().versions;
    return versions;
}

std::shared_ptr<const HistoryIndex> HistoryFollower::index(Txn txn) const {
    Unsealed& unsealed = *unsealed_;
    if (unsealed.tail->last() >= txn) return index_;
    const std::lock_guard lock(unsealed.mutex);
    if (std::exchange(unsealed.interrupted, true)) {
        unsealed.position = unsealed.behind;
        unsealed.changes = ChangeReader();
    }
    while (unsealed.tail->last() < txn) {
        const RecordView record = log_.read(unsealed.position);
        unsealed.position = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() != RecordKind::part && record.kind() != RecordKind::commit) continue;
        if (!unsealed.changes.add(record)) continue;
        unsealed.tail->add(unsealed.changes);
        unsealed.behind = unsealed.position;
    }
    unsealed.interrupted = false;
    return index_;
}

/// The segment of (sealed, txn].
std::vector<std::byte> HistoryFollower::build(Txn txn, std::uint64_t log_end, const Keeps& keeps) const {
    SegmentBuilder builder(sealed_, position_, keeps);
    for (std::uint64_t at = position_; builder.last() < txn && at < log_end;) {
        const RecordView record = log_.read(at);
        if (record.kind() == RecordKind::part || record.kind() == RecordKind::commit) builder.add(record);
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
    return builder.finish();
}

HistoryFollower::Sealed HistoryFollower::seal(Placer& placer, Txn txn, std::uint64_t log_end, std::uint64_t generation,
                                              const Keeps& keeps) const {
    Sealed out;
    out.segments = segments_;
    if (txn == sealed_) return out;
    std::vector<std::byte> bytes = build(txn, log_end, keeps);
    // Merge before placing: the newest segment with those of its tier that lie right before it.
    Txn after = sealed_;
    for (;;) {
        const std::uint32_t tier = follower_impl::tier_of(bytes.size());
        std::size_t first = out.segments.size();
        while (first > 0 && out.segments[first - 1].tier <= tier) --first;
        if (out.segments.size() - first + 1 < follower_impl::k_fan) break;
        std::vector<const SegmentView*> parts;
        for (std::size_t i = first; i < out.segments.size(); ++i) {
            parts.push_back(views_[i].get());
            out.dead.push_back(out.segments[i]);
        }
        const SegmentView newest(bytes);
        parts.push_back(&newest);
        after = out.segments[first].after;
        std::vector<std::byte> merged = merge_segments(parts, MergeOptions{});
        out.segments.resize(first);
        bytes = std::move(merged);
    }
    out.segments.push_back(follower_impl::place_segment(placer, bytes, after, txn, generation));
    return out;
}

HistoryFollower::Sealed HistoryFollower::rewrite(Placer& placer, Txn txn, std::uint64_t log_end,
                                                 std::uint64_t generation, const Keeps& keeps,
                                                 const RewriteOptions& options) const {
    Sealed out;
    out.dead = segments_;
    std::vector<const SegmentView*> parts;
    for (const auto& view : views_) parts.push_back(view.get());
    const std::vector<std::byte> bytes = build(txn, log_end, keeps);
    const SegmentView newest(bytes);
    if (txn > sealed_ || parts.empty()) parts.push_back(&newest);
    const std::vector<std::byte> whole = rewrite_segments(parts, options);
    out.versions = SegmentView(whole).header().versions;
    out.segments.push_back(follower_impl::place_segment(placer, whole, parts.front()->after(), txn, generation));
    return out;
}

}  // namespace northstar::inline v0::detail
