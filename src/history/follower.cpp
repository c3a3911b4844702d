#include "history/follower.hpp"

#include "base/error.hpp"
#include "history/parts.hpp"
#include "history/segment_build.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace northstar::inline v0::detail {

namespace follower_impl {

/// So many segments of a tier become one of the next.
constexpr std::size_t k_fan = 6;
/// A tier holds segments up to this much larger than the one below.
constexpr std::uint64_t k_first_tier_bytes = 1u << 20;
/// Pieces of a transaction of several parts are no larger: who makes one has little memory.
constexpr std::uint64_t k_most_piece_bytes = 8u << 20;

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

std::shared_ptr<const SegmentView> open(const FilePages& pages, const StoredSegment& segment) {
    const std::byte* at = pages.raw(segment.page * pages.page_size(), k_page_header_size + segment.bytes);
    return std::make_shared<SegmentView>(
        std::span<const std::byte>(at + k_page_header_size, static_cast<std::size_t>(segment.bytes)));
}

/// Segments of the same transactions from one on.
std::size_t set_size(std::span<const StoredSegment> segments, std::size_t first) {
    std::size_t end = first + 1;
    while (end < segments.size() && segments[end].after == segments[first].after &&
           segments[end].last == segments[first].last) {
        ++end;
    }
    return end - first;
}

/// Where the segments begin that are merged with a new one of so many bytes; their number: none is. Those of a tier
/// make one of a higher one, with which the same may then be true of that.
std::size_t first_to_merge(std::span<const StoredSegment> segments, std::uint64_t bytes, Txn fixed) {
    std::size_t first = segments.size();
    for (;;) {
        const std::uint32_t tier = tier_of(bytes);
        std::size_t begin = first;
        std::size_t sets = 0;
        std::uint64_t more = 0;
        while (begin > 0 && segments[begin - 1].tier <= tier && segments[begin - 1].after >= fixed) {
            --begin;
            more += segments[begin].bytes;
            if (begin == 0 || segments[begin - 1].after != segments[begin].after) ++sets;
        }
        if (sets + 1 < k_fan) return first;
        first = begin;
        bytes += more;
    }
}

}  // namespace follower_impl

StoredSegment place_segment(Placer& placer, std::span<const std::byte> content, Txn after, Txn last,
                            std::uint64_t generation, std::uint32_t tier) {
    const Ref ref = placer.place_run(PageKind::history, content);
    StoredSegment stored;
    stored.page = ref.page();
    stored.bytes = content.size();
    stored.checksum = ref.checksum();
    stored.born = generation;
    stored.after = after;
    stored.last = last;
    stored.tier = tier;
    return stored;
}

namespace follower_impl {

/// Places what one transaction of several parts did, the last of which is its commit, in pieces of bounded size.
void place_parts(Placer& placer, std::span<const RecordView> parts, std::uint64_t log_from, std::uint64_t generation,
                 const HistoryFollower::Keeps& keeps, const RewriteBudget& budget, std::vector<StoredSegment>& out) {
    const RecordView& commit = parts.back();
    const Txn txn = commit.txn();
    const std::uint64_t time_us = commit.header().time_us;
    const SegmentWriter::Frame frame{txn - 1, txn, log_from};
    const std::size_t first = out.size();
    std::uint64_t bytes = 0;
    std::optional<SegmentWriter> writer(frame);
    const auto place = [&] {
        const std::vector<std::byte> segment = writer->finish({time_us, time_us, log_from, commit.end(), 0});
        bytes += segment.size();
        out.push_back(place_segment(placer, segment, txn - 1, txn, generation, 0));
        writer.emplace(frame);
    };
    const std::uint64_t most = std::min(budget.bytes_written, k_most_piece_bytes);
    std::uint64_t asked = k_catalog_tree;  // keeps was asked last for this tree
    bool kept = true;
    const auto wanted = [&](std::uint64_t tree) {
        if (std::exchange(asked, tree) != tree) kept = tree == k_catalog_tree || !keeps || keeps(tree);
        if (kept && writer->bytes() >= most) place();
        return kept;
    };
    const PartMerge merge(parts);
    merge.each_version([&](std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
        if (wanted(tree)) writer->add(tree, key, version);
    });
    merge.each_range([&](const HistoryRange& range) {
        if (wanted(range.tree)) writer->add_range(range);
    });
    writer->add_anchor({txn, time_us, parts.front().position(), commit.header().epoch});
    place();
    for (std::size_t i = first; i < out.size(); ++i) out[i].tier = tier_of(bytes);
}

}  // namespace follower_impl

std::vector<std::shared_ptr<const SegmentSet>> open_sets(const FilePages& pages,
                                                         std::span<const StoredSegment> segments) {
    std::vector<std::shared_ptr<const SegmentSet>> out;
    for (std::size_t first = 0; first < segments.size();) {
        const std::size_t count = follower_impl::set_size(segments, first);
        std::vector<std::shared_ptr<const SegmentView>> pieces;
        for (const StoredSegment& segment : segments.subspan(first, count)) {
            pieces.push_back(follower_impl::open(pages, segment));
        }
        out.push_back(std::make_shared<SegmentSet>(std::move(pieces)));
        first += count;
    }
    return out;
}

namespace follower_impl {

std::optional<std::string_view> logged_value_at(const LogStore& log, const std::optional<ExtentDirectory::Place>& place,
                                                std::uint64_t tree, std::string_view key,
                                                const HistoryVersion& version) {
    MappedLog bytes(log.pages());
    const std::size_t page_size = log.pages().page_size();
    try {
        return read_logged_value(bytes, place, page_size, tree, key, version);
    } catch (const Error& error) {
        if (error.code() != Errc::corrupt) throw;
        if (const std::optional<RecordView> record = log.restated(version.position)) {
            const std::optional<LogOperation> operation = record->find(tree, key);
            if (operation && operation->position == version.position && operation->redacted) return std::nullopt;
        }
        // It may be about to be redacted just now.
        if (!log.settled()) throw;
    }
    return read_logged_value(bytes, place, page_size, tree, key, version);
}

}  // namespace follower_impl

std::optional<std::string_view> logged_value(const LogStore& log, std::uint64_t tree, std::string_view key,
                                             const HistoryVersion& version) {
    return follower_impl::logged_value_at(log, log.place(version.position), tree, key, version);
}

std::optional<std::string_view> logged_value(const LogStore& log, const ExtentDirectory& extents, std::uint64_t tree,
                                             std::string_view key, const HistoryVersion& version) {
    return follower_impl::logged_value_at(log, extents.find(version.position), tree, key, version);
}

HistoryFollower::HistoryFollower(FilePages& pages, const LogStore& log, std::vector<StoredSegment> segments, Txn sealed,
                                 std::uint64_t position, const HistoryFollower* before)
    : pages_(pages), log_(log), segments_(std::move(segments)), sealed_(sealed), position_(position) {
    if (before != nullptr && before->segments_ == segments_) {
        sets_ = before->sets_;  // with what was verified of them
    } else {
        sets_ = open_sets(pages_, segments_);
    }
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
    std::vector<std::shared_ptr<const HistorySource>> sources(sets_.begin(), sets_.end());
    sources.push_back(unsealed_->tail);
    index_ = std::make_shared<HistoryIndex>(std::move(sources));
}

std::uint64_t HistoryFollower::versions() const {
    std::uint64_t versions = 0;
    for (const auto& set : sets_) versions += set->versions();
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

/// Reads (before.last, txn]. Where transactions of several parts are among them, `placed` gets what ends with the last
/// of these. `rest` gets what is behind: one segment at least, more where it is much. False: there is no room.
bool HistoryFollower::build(Placer& placer, const Sealed& before, Txn txn, std::uint64_t log_end,
                            std::uint64_t generation, const Keeps& keeps, const HasRoom& has_room,
                            const SealBudget& budget, std::vector<StoredSegment>& placed,
                            std::vector<Stretch>& rest) const {
    std::optional<SegmentBuilder> builder(std::in_place, before.last, before.position, keeps);
    std::vector<RecordView> parts;
    for (std::uint64_t at = before.position; builder->last() < txn && at < log_end;) {
        const RecordView record = log_.read(at);
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() == RecordKind::part) parts.push_back(record);
        if (record.kind() != RecordKind::commit) continue;
        const PartsOf of = record.parts();
        if (of.count == 0) builder->add(record);
        const bool much = builder->bytes() > budget.gathered && builder->last() < txn;
        const std::uint64_t log_from = builder->log_to();
        if (builder->last() != builder->after() && (much || of.count != 0)) {
            rest.push_back({builder->after(), builder->last(), builder->finish()});
        }
        if (of.count != 0) {
            // What is made of the log takes less than the log.
            if (placed.empty() && !has_room(log_end - before.position)) return false;
            builder->expect_next(record.txn());
            for (const Stretch& stretch : std::exchange(rest, {})) {
                placed.push_back(place_segment(placer, stretch.bytes, stretch.after, stretch.last, generation,
                                               follower_impl::tier_of(stretch.bytes.size())));
            }
            // Parts of a transaction that never came to its commit lie in front.
            std::erase_if(parts, [&](const RecordView& part) { return part.position() < of.first; });
            parts.push_back(record);
            follower_impl::place_parts(placer, parts, log_from, generation, keeps, budget.merge, placed);
        }
        if (much || of.count != 0) builder.emplace(record.txn(), record.end(), keeps);
        parts.clear();
    }
    if (builder->last() != builder->after() || (rest.empty() && placed.empty())) {
        rest.push_back({builder->after(), builder->last(), builder->finish()});
    }
    return true;
}

std::optional<HistoryFollower::Sealed> HistoryFollower::seal(Placer& placer, const Sealed& before, Txn txn,
                                                             std::uint64_t log_end, std::uint64_t generation,
                                                             const Keeps& keeps, Txn fixed, const HasRoom& has_room,
                                                             const SealBudget& budget) const {
    Sealed out = before;
    if (txn == before.last) return out;
    out.last = txn;
    out.position = log_end;
    std::vector<StoredSegment> placed;
    std::vector<Stretch> newest;
    if (!build(placer, before, txn, log_end, generation, keeps, has_room, budget, placed, newest)) return std::nullopt;
    std::uint64_t bytes = 0;
    for (const Stretch& stretch : newest) bytes += stretch.bytes.size();
    if (placed.empty() && !has_room(bytes)) return std::nullopt;
    const std::size_t first = follower_impl::first_to_merge(before.segments, bytes, fixed);
    const std::span<const StoredSegment> merged = std::span(before.segments).subspan(first);
    for (const StoredSegment& segment : merged) bytes += segment.bytes;
    // Behind a transaction of several parts the next checkpoints merge.
    if (!placed.empty() || (merged.empty() && newest.size() == 1) || !has_room(bytes)) {
        out.segments.insert(out.segments.end(), placed.begin(), placed.end());
        for (const Stretch& stretch : newest) {
            out.segments.push_back(place_segment(placer, stretch.bytes, stretch.after, stretch.last, generation,
                                                 follower_impl::tier_of(stretch.bytes.size())));
        }
        return out;
    }
    out.dead.insert(out.dead.end(), merged.begin(), merged.end());
    out.segments.resize(first);
    std::vector<std::shared_ptr<const SegmentSet>> sets = open_sets(pages_, merged);
    for (const Stretch& stretch : newest) {
        std::vector<std::shared_ptr<const SegmentView>> view{std::make_shared<SegmentView>(stretch.bytes)};
        sets.push_back(std::make_shared<SegmentSet>(std::move(view)));
    }
    const Txn after = merged.empty() ? before.last : merged.front().after;
    bytes = 0;
    const RewriteOptions options = unchanged_history();
    RewritePlace place;
    while (place.stage != RewritePlace::Stage::done) {
        const bool whole = out.segments.size() == first;
        RewrittenPiece piece = rewrite_piece(sets, options, place, budget.merge, whole);
        place = std::move(piece.next);
        if (piece.segment.empty()) continue;
        bytes += piece.segment.size();
        out.segments.push_back(place_segment(placer, piece.segment, after, txn, generation, 0));
    }
    for (std::size_t i = first; i < out.segments.size(); ++i) out.segments[i].tier = follower_impl::tier_of(bytes);
    return out;
}

}  // namespace northstar::inline v0::detail
