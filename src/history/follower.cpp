#include "history/follower.hpp"

#include "base/error.hpp"

#include <algorithm>

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

}  // namespace follower_impl

std::optional<std::string_view> logged_value(const LogStore& log, std::uint64_t tree, std::string_view key,
                                             const HistoryVersion& version) {
    follower_impl::MappedLog bytes(log.pages());
    const auto read = [&] {
        return log.with_extents([&](const ExtentDirectory& extents) {
            return read_logged_value(bytes, extents, tree, key, version);
        });
    };
    try {
        return read();
    } catch (const Error& error) {
        // It may be about to be redacted just now.
        if (error.code() != Errc::corrupt || !log.settled()) throw;
    }
    return read();
}

std::shared_ptr<const SegmentView> HistoryFollower::open(const StoredSegment& segment) const {
    const std::byte* at = pages_.raw(segment.page * pages_.page_size(), k_page_header_size + segment.bytes);
    return std::make_shared<SegmentView>(
        std::span<const std::byte>(at + k_page_header_size, static_cast<std::size_t>(segment.bytes)));
}

void HistoryFollower::load(const std::vector<StoredSegment>& segments, Txn sealed, std::uint64_t position,
                           std::uint64_t generation) {
    std::vector<std::shared_ptr<const SegmentView>> views;
    for (const StoredSegment& segment : segments) views.push_back(open(segment));
    const std::lock_guard lock(mutex_);
    segments_ = segments;
    views_ = std::move(views);
    generation_ = generation;
    sealed_ = sealed;
    sealed_position_ = position;
    tail_ = std::make_shared<HistoryTail>(sealed);
    tail_position_ = position;
    changes_ = std::make_unique<ChangeReader>();
}

std::vector<StoredSegment> HistoryFollower::segments() const {
    const std::lock_guard lock(mutex_);
    return segments_;
}

Txn HistoryFollower::sealed_txn() const {
    const std::lock_guard lock(mutex_);
    return sealed_;
}

void HistoryFollower::extend_tail(Txn txn) {
    while (tail_->last() < txn) {
        const RecordView record = log_.read(tail_position_);
        if (record.kind() == RecordKind::part || record.kind() == RecordKind::commit) {
            if (changes_->add(record)) tail_->add(*changes_);
        }
        tail_position_ = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
}

std::shared_ptr<const HistoryIndex> HistoryFollower::index(Txn txn, std::uint64_t* generation) {
    const std::lock_guard lock(mutex_);
    if (generation != nullptr) *generation = generation_;
    if (txn > sealed_) extend_tail(txn);
    std::vector<std::shared_ptr<const HistorySource>> sources(views_.begin(), views_.end());
    sources.push_back(tail_);
    return std::make_shared<HistoryIndex>(std::move(sources));
}

std::optional<LogAnchor> HistoryFollower::anchor_of(Txn txn) const {
    const std::lock_guard lock(mutex_);
    if (std::optional<LogAnchor> found = tail_->anchor_of(txn)) return found;
    for (auto view = views_.rbegin(); view != views_.rend(); ++view) {
        if (std::optional<LogAnchor> found = (*view)->anchor_of(txn)) return found;
    }
    return std::nullopt;
}

std::optional<LogAnchor> HistoryFollower::anchor_at(std::uint64_t time_us) const {
    const std::lock_guard lock(mutex_);
    if (std::optional<LogAnchor> found = tail_->anchor_at(time_us)) return found;
    for (auto view = views_.rbegin(); view != views_.rend(); ++view) {
        if (std::optional<LogAnchor> found = (*view)->anchor_at(time_us)) return found;
    }
    return std::nullopt;
}

HistoryFollower::Sealed HistoryFollower::seal(Placer& placer, Txn txn, std::uint64_t log_end, std::uint64_t generation,
                                              const Keeps& keeps) {
    Sealed out;
    std::uint64_t at;
    {
        const std::lock_guard lock(mutex_);
        out.segments = segments_;
        at = sealed_position_;
    }
    if (txn == sealed_) return out;
    SegmentBuilder builder(sealed_, at, keeps);
    while (at < log_end) {
        const RecordView record = log_.read(at);
        if (record.kind() == RecordKind::part || record.kind() == RecordKind::commit) builder.add(record);
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
    std::vector<std::byte> bytes = builder.finish();
    const auto place = [&](std::span<const std::byte> content, Txn after, Txn last) {
        const Ref ref = placer.place_run(PageKind::history, content);
        StoredSegment stored;
        stored.page = ref.page();
        stored.bytes = content.size();
        stored.checksum = ref.checksum();
        stored.born = generation;
        stored.after = after;
        stored.last = last;
        stored.tier = follower_impl::tier_of(content.size());
        return stored;
    };
    // Merge before placing: the newest segment with those of its tier that lie right before it.
    Txn after = sealed_;
    for (;;) {
        const std::uint32_t tier = follower_impl::tier_of(bytes.size());
        std::size_t first = out.segments.size();
        while (first > 0 && out.segments[first - 1].tier <= tier) --first;
        if (out.segments.size() - first + 1 < follower_impl::k_fan) break;
        std::vector<std::shared_ptr<const SegmentView>> open_segments;
        std::vector<const SegmentView*> parts;
        for (std::size_t i = first; i < out.segments.size(); ++i) {
            open_segments.push_back(open(out.segments[i]));
            parts.push_back(open_segments.back().get());
            out.dead.push_back(out.segments[i]);
        }
        const SegmentView newest(bytes);
        parts.push_back(&newest);
        after = out.segments[first].after;
        std::vector<std::byte> merged = merge_segments(parts, MergeOptions{});
        out.segments.resize(first);
        bytes = std::move(merged);
    }
    out.segments.push_back(place(bytes, after, txn));
    return out;
}

void HistoryFollower::adopt(const std::vector<StoredSegment>& segments, Txn sealed, std::uint64_t position,
                            std::uint64_t generation) {
    std::vector<std::shared_ptr<const SegmentView>> views;
    for (const StoredSegment& segment : segments) views.push_back(open(segment));
    const std::lock_guard lock(mutex_);
    segments_ = segments;
    views_ = std::move(views);
    generation_ = generation;
    if (sealed == sealed_) {
        // The same point of the log may have two positions: the end of an extent and the start of the one behind it.
        if (tail_->last() == sealed) tail_position_ = std::max(tail_position_, position);
        sealed_position_ = std::max(sealed_position_, position);
        return;
    }
    sealed_ = sealed;
    sealed_position_ = position;
    if (tail_->last() > sealed) {
        tail_ = tail_->rest_of(sealed);
    } else {
        tail_ = std::make_shared<HistoryTail>(sealed);
        tail_position_ = position;
        changes_ = std::make_unique<ChangeReader>();
    }
}

}  // namespace northstar::inline v0::detail
