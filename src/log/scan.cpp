#include "log/scan.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <queue>

namespace northstar::inline v0::detail {

namespace scan_impl {

constexpr std::uint64_t k_chunk = std::uint64_t{1} << 20;
constexpr std::size_t k_max_candidates = 1 << 16;
// In each extent so many records are asked what they announce, of so many bytes at most.
constexpr std::size_t k_max_announcing = 256;
constexpr std::uint64_t k_max_announcement = 1 << 16;
// An epoch this far ahead was not made by counting up; such a header is taken for chance.
constexpr std::uint64_t k_epoch_window = std::uint64_t{1} << 48;

// Header at a position, if the bytes can be one and the record fits into its extent.
std::optional<RecordHeader> header_at(LogBytes& bytes, const ExtentDirectory& extents, std::uint64_t position,
                                      ExtentDirectory::Place& place) {
    const std::optional<ExtentDirectory::Place> found = extents.find(position);
    if (!found || found->remaining < k_record_header_size) return std::nullopt;
    place = *found;
    const std::optional<RecordHeader> header = peek_record(bytes.read(place.offset, k_record_header_size));
    if (!header || header->position != position || header->length > place.remaining) return std::nullopt;
    return header;
}

std::optional<RecordView> body_at(LogBytes& bytes, const ExtentDirectory::Place& place, const RecordHeader& header,
                                  std::uint32_t seed) {
    const std::span<const std::byte> all = bytes.read(place.offset, header.length);
    // The header may have changed between two reads of a file that others write: judge what is in hand.
    const std::optional<RecordHeader> again = peek_record(all);
    if (!again || again->position != header.position || !record_intact(all, *again, seed)) return std::nullopt;
    return RecordView(all);
}

/// Adds what a record behind the end announces; what cannot be is no announcement.
void learn(const RecordView& record, ExtentDirectory& extents) {
    try {
        for (std::uint32_t i = 0; i < record.extents(); ++i) extents.add(record.extent(i));
    } catch (const Error& error) {
        if (error.code() != Errc::corrupt) throw;
    }
}

struct Candidate {
    std::uint64_t length;
    std::uint64_t position;
    std::uint64_t durable;
    bool operator<(const Candidate& other) const { return length < other.length; }
};

}  // namespace scan_impl

std::optional<RecordView> read_record(LogBytes& bytes, const ExtentDirectory& extents, std::uint64_t position,
                                      std::uint32_t seed) {
    ExtentDirectory::Place place;
    const std::optional<RecordHeader> header = scan_impl::header_at(bytes, extents, position, place);
    if (!header) return std::nullopt;
    return scan_impl::body_at(bytes, place, *header, seed);
}

RecordView expect_record(LogBytes& bytes, const ExtentDirectory& extents, std::uint64_t position,
                         std::uint32_t seed) {
    std::optional<RecordView> record = read_record(bytes, extents, position, seed);
    if (!record) {
        const std::optional<ExtentDirectory::Place> place = extents.find(position);
        fail(Errc::corrupt,
             "the log record at position " + std::to_string(position) +
                 " is missing or damaged; run verify and restore the file from a backup",
             {}, place ? place->offset / extents.page_size() : Error::no_page);
    }
    return *record;
}

bool LogScanner::counts(const RecordHeader& header) const {
    if (header.kind == RecordKind::epoch ? header.epoch <= cursor_.epoch : header.epoch != cursor_.epoch) return false;
    return header.txn == cursor_.txn + (header.kind == RecordKind::commit ? 1 : 0);
}

bool LogScanner::next(RecordView& record) {
    ExtentDirectory::Place place;
    const std::optional<RecordHeader> header = scan_impl::header_at(bytes_, extents_, cursor_.position, place);
    if (!header || !counts(*header)) return false;
    const std::optional<RecordView> found = scan_impl::body_at(bytes_, place, *header, seed_);
    if (!found || !counts(found->header())) return false;
    accept(*found);
    record = *found;
    return true;
}

void LogScanner::accept(const RecordView& record) {
    const RecordHeader& header = record.header();
    commit_parts_.clear();
    switch (header.kind) {
        case RecordKind::part: pending_parts_.push_back(header.position); break;
        case RecordKind::commit: {
            const PartsOf of = record.parts();
            if (of.count != 0) {
                const auto first = std::find(pending_parts_.begin(), pending_parts_.end(), of.first);
                if (pending_parts_.end() - first != static_cast<std::ptrdiff_t>(of.count)) {
                    fail(Errc::corrupt, "the log record at position " + std::to_string(header.position) +
                                            " names parts that do not lie before it; restore the file from a backup");
                }
                commit_parts_.assign(first, pending_parts_.end());
            }
            pending_parts_.clear();
            break;
        }
        case RecordKind::extents:
        case RecordKind::next:
            for (std::uint32_t i = 0; i < record.extents(); ++i) extents_.add(record.extent(i));
            if (header.kind == RecordKind::next && !extents_.find(record.continues_at())) {
                fail(Errc::corrupt, "the log record at position " + std::to_string(header.position) +
                                        " continues in no extent; restore the file from a backup");
            }
            break;
        case RecordKind::epoch:
        case RecordKind::mark: break;
    }
    if (const std::optional<ChainPoint> point = record.chain()) chain_ = point;
    cursor_.position = header.kind == RecordKind::next ? record.continues_at() : record.end();
    cursor_.epoch = header.epoch;
    cursor_.txn = header.txn;
    cursor_.time_us = std::max(cursor_.time_us, header.time_us);
    cursor_.durable = std::max(cursor_.durable, header.durable);
}

LogTail LogScanner::judge_end(std::uint64_t known_durable) {
    LogTail tail;
    tail.end = cursor_.position;
    tail.largest_epoch = cursor_.epoch;
    // Candidates for vouchers; the longest are let go when there are too many.
    std::priority_queue<scan_impl::Candidate> candidates;
    std::uint64_t space = 0;
    bool zeros = true;
    // What lies behind the damage may go on in extents that it announces itself.
    ExtentDirectory extents = extents_;
    for (std::size_t i = extents.at_or_after(tail.end); i < extents.size(); ++i) {
        const Extent extent = extents[i];
        const std::uint64_t extent_end = extents.end_of(extent);
        std::vector<std::uint64_t> announcing;
        std::uint64_t position = std::max(tail.end, extent.logical);
        space += extent_end - position;
        while (position < extent_end) {
            const std::uint64_t offset = extent.page * extents.page_size() + (position - extent.logical);
            const std::uint64_t wanted = std::min(scan_impl::k_chunk, extent_end - position);
            // A header may begin near the end of a chunk: read that much more.
            const std::span<const std::byte> chunk =
                bytes_.read(offset, std::min(wanted + k_record_header_size, extent_end - position));
            const std::uint64_t here = std::min<std::uint64_t>(wanted, chunk.size());
            for (std::uint64_t at = 0; at + k_record_align <= here; at += k_record_align) {
                if (load_u64(chunk.data() + at) != 0) zeros = false;
                if (chunk.size() - at < k_record_header_size ||
                    load_u64(chunk.data() + at + 8) != position + at) {
                    continue;
                }
                const std::optional<RecordHeader> header = peek_record(chunk.subspan(static_cast<std::size_t>(at)));
                if (!header || header->length > extent_end - header->position) continue;
                if (header->epoch > cursor_.epoch && header->epoch - cursor_.epoch > scan_impl::k_epoch_window) {
                    continue;
                }
                tail.largest_epoch = std::max(tail.largest_epoch, header->epoch);
                if (header->epoch < cursor_.epoch) continue;
                const bool announces = header->kind == RecordKind::next || header->kind == RecordKind::extents;
                if (announces && header->length <= scan_impl::k_max_announcement &&
                    announcing.size() < scan_impl::k_max_announcing) {
                    announcing.push_back(header->position);
                }
                if (header->durable <= tail.end) continue;
                candidates.push({header->length, header->position, header->durable});
                if (candidates.size() > scan_impl::k_max_candidates) candidates.pop();
            }
            if (here < wanted) break;  // the file ends here
            position += wanted;
        }
        for (const std::uint64_t from : announcing) {
            if (const std::optional<RecordView> record = read_record(bytes_, extents, from, seed_)) {
                scan_impl::learn(*record, extents);
            }
        }
    }
    tail.kind = zeros ? LogTail::Kind::clean : LogTail::Kind::unused;
    if (known_durable > tail.end || cursor_.durable > tail.end) {
        tail.kind = LogTail::Kind::damaged;
        tail.voucher = tail.end;
        tail.vouched = std::max(known_durable, cursor_.durable);
        return tail;
    }
    std::vector<scan_impl::Candidate> shortest_first;
    for (; !candidates.empty(); candidates.pop()) shortest_first.push_back(candidates.top());
    std::reverse(shortest_first.begin(), shortest_first.end());
    std::uint64_t budget = k_judge_budget * space;
    for (const scan_impl::Candidate& candidate : shortest_first) {
        if (candidate.length > budget) break;
        budget -= candidate.length;
        const std::optional<RecordView> record = read_record(bytes_, extents, candidate.position, seed_);
        if (!record) continue;
        tail.kind = LogTail::Kind::damaged;
        tail.voucher = candidate.position;
        tail.vouched = candidate.durable;
        break;
    }
    return tail;
}

void LogScanner::fail_damaged(const LogTail& tail) {
    fail(Errc::corrupt, "the log is damaged at position " + std::to_string(tail.end) + ": records up to position " +
                            std::to_string(tail.vouched) +
                            " were durable and cannot be read; restore the file from a backup");
}

}  // namespace northstar::inline v0::detail
