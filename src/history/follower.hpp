// follower.hpp -- keeps the history index behind the log: sealed segments in the file, a tail in memory.
// Layer: history.  Threads: index() any; the others one at a time (who makes a checkpoint, or stands on a new base).
//
// [FOLLOW-1] Nothing here is on the commit path: segments are made by checkpoints, the tail when somebody asks.
// [FOLLOW-2] The content is a function of the log: verify builds it again and compares.
#pragma once

#include "history/index.hpp"
#include "history/segment.hpp"
#include "history/segment_build.hpp"
#include "history/tail.hpp"
#include "log/store.hpp"
#include "pager/place.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace northstar::inline v0::detail {

/// A sealed segment as the ledger keeps it: a run of kind `history`.
struct StoredSegment {
    std::uint64_t page = 0;
    std::uint64_t bytes = 0;
    std::uint64_t checksum = 0;
    std::uint64_t born = 0;
    Txn after = 0;
    Txn last = 0;
    std::uint32_t tier = 0;
};

/// The value of a logged version, in place; nullopt when it was redacted. Throws Error(corrupt).
std::optional<std::string_view> logged_value(const LogStore& log, std::uint64_t tree, std::string_view key,
                                             const HistoryVersion& version);

class HistoryFollower {
public:
    using Keeps = std::function<bool(std::uint64_t tree)>;
    HistoryFollower(FilePages& pages, const LogStore& log) : pages_(pages), log_(log) {}

    /// Stands on the segments of a generation. `sealed`: the txn they end with; `position`: the log behind it.
    void load(const std::vector<StoredSegment>& segments, Txn sealed, std::uint64_t position,
              std::uint64_t generation);
    std::vector<StoredSegment> segments() const;
    Txn sealed_txn() const;

    /// Everything up to `txn`; reads the log behind the tail as far as needed. The index reads pages of the generation
    /// whose number is put into `generation`: they stay as long as that is pinned.
    std::shared_ptr<const HistoryIndex> index(Txn txn, std::uint64_t* generation = nullptr);
    /// Sparse positions without reading the log.
    std::optional<LogAnchor> anchor_of(Txn txn) const;
    std::optional<LogAnchor> anchor_at(std::uint64_t time_us) const;

    struct Sealed {
        std::vector<StoredSegment> segments;   ///< of the new generation
        std::vector<StoredSegment> dead;       ///< no longer among them
    };
    /// Seals what lies between the sealed txn and `txn`, merges segments of one tier, places what is new.
    Sealed seal(Placer& placer, Txn txn, std::uint64_t log_end, std::uint64_t generation, const Keeps& keeps);
    /// After the meta page that names them is durable.
    void adopt(const std::vector<StoredSegment>& segments, Txn sealed, std::uint64_t position,
               std::uint64_t generation);

private:
    std::shared_ptr<const SegmentView> open(const StoredSegment& segment) const;
    void extend_tail(Txn txn);
    FilePages& pages_;
    const LogStore& log_;
    mutable std::mutex mutex_;
    std::vector<StoredSegment> segments_;                        // ascending txns
    std::vector<std::shared_ptr<const SegmentView>> views_;
    std::uint64_t generation_ = 0;                               // that names them
    Txn sealed_ = 0;
    std::uint64_t sealed_position_ = 0;                          // of the log behind the sealed txn
    std::shared_ptr<HistoryTail> tail_;
    std::uint64_t tail_position_ = 0;
    std::unique_ptr<ChangeReader> changes_;
};

}  // namespace northstar::inline v0::detail
