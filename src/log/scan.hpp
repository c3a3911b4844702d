// scan.hpp -- reading the log in order, and judging where it ends.  Layer: log.  Threads: one at a time.
//
// The end rule
// [SCAN-1] A record counts when it is intact, names its own position, and
//            commit, part, mark, extents, next: has the epoch of the last epoch record before it;
//            epoch: has a larger one;
//            commit: has the number after the last; others: the number of the last.
//          The log ends before the first record that does not count.
// [SCAN-2] Behind the end, in any extent announced, a header that names its own position and an epoch at least the
//            current one, in an intact record whose durable position is behind the end, vouches for bytes that are
//            gone: corruption. So does a durable position that the caller knows from elsewhere.
// [SCAN-3] Otherwise it is the end. Bytes that are not zero behind it may be a record that was not finished: whoever
//            appends writes an epoch record first (next_epoch()) and flushes it.
// [SCAN-4] Work is bounded: scanning reads each byte at most twice; judging the end reads each announced byte once and
//            checks at most k_judge_budget times as many bytes of candidates, shortest first.
#pragma once

#include "log/extents.hpp"
#include "log/record.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

/// Bytes of the file, as the scanner reads them.
class LogBytes {
public:
    virtual ~LogBytes() = default;
    /// Up to `length` bytes of the file from `offset` on; fewer (or none) where the file ends. They stay as they are
    /// until the next call. The implementation bounds what it allocates by the size of the file; where others write
    /// the file at the same time it returns a copy.
    virtual std::span<const std::byte> read(std::uint64_t offset, std::uint64_t length) = 0;
};

/// Where a scan begins, and where it stands.
struct LogCursor {
    std::uint64_t position = 0;  ///< of the next record
    std::uint64_t epoch = 0;
    Txn txn = 0;                 ///< last commit
    std::uint64_t time_us = 0;   ///< of the last record
    std::uint64_t durable = 0;   ///< everything before it was durable: the largest that anybody vouched for
};

/// What lies behind the end.
struct LogTail {
    enum class Kind : std::uint8_t {
        clean,    ///< zeros in every announced extent
        unused,   ///< bytes that are not zero: an epoch record is needed before anything is appended
        damaged,  ///< records that were durable are missing
    };
    Kind kind = Kind::clean;
    std::uint64_t end = 0;             ///< where the log ends
    std::uint64_t largest_epoch = 0;   ///< seen anywhere, counting records or not
    std::uint64_t voucher = 0;         ///< damaged: position of the record that vouches, or end where the caller did
    std::uint64_t vouched = 0;         ///< damaged: bytes up to here were durable
};

/// Epoch number for an epoch record: larger than any seen, its lower half random, so that bytes which a user put into
/// values cannot have been made to fit it. The first epoch of a database is next_epoch(0, random).
constexpr std::uint64_t next_epoch(std::uint64_t largest_seen, std::uint32_t random) {
    return ((largest_seen >> 32) + 1) << 32 | random;
}

/// Reads the intact record at a position, whatever its epoch and number. nullopt: there is none.
std::optional<RecordView> read_record(LogBytes& bytes, const ExtentDirectory& extents, std::uint64_t position,
                                      std::uint32_t seed);
/// The same where one must be: Error(corrupt) otherwise.
RecordView expect_record(LogBytes& bytes, const ExtentDirectory& extents, std::uint64_t position,
                         std::uint32_t seed);

class LogScanner {
public:
    /// `extents` gains what the records announce. `start` is the position behind a commit (or of the first record);
    /// the parts of a transaction never lie on both sides of it.
    LogScanner(LogBytes& bytes, ExtentDirectory& extents, std::uint32_t seed, const LogCursor& start)
        : bytes_(bytes), extents_(extents), seed_(seed), cursor_(start) {}

    /// Reads the next record that counts; false: the log ends at cursor().position (it may go on later: call again).
    /// The record's bytes stay valid until the next call. Error(corrupt): intact bytes that make no sense.
    bool next(RecordView& record);

    /// State behind the last record that counted.
    const LogCursor& cursor() const { return cursor_; }
    /// After a commit with parts: their positions, in order.
    std::span<const std::uint64_t> parts() const { return commit_parts_; }
    /// The newest chain hash that a record carried.
    const std::optional<ChainPoint>& chain() const { return chain_; }

    /// Judges what lies behind the end [SCAN-2, SCAN-3]. `known_durable`: bytes that the caller knows were durable
    /// (a meta page's log position).
    LogTail judge_end(std::uint64_t known_durable);
    /// Error(corrupt) that tells what a damaged tail means.
    [[noreturn]] static void fail_damaged(const LogTail& tail);

    static constexpr std::uint64_t k_judge_budget = 8;

private:
    bool counts(const RecordHeader& header) const;
    void accept(const RecordView& record);

    LogBytes& bytes_;
    ExtentDirectory& extents_;
    std::uint32_t seed_;
    LogCursor cursor_;
    std::vector<std::uint64_t> pending_parts_;  // since the last commit
    std::vector<std::uint64_t> commit_parts_;
    std::optional<ChainPoint> chain_;
};

}  // namespace northstar::inline v0::detail
