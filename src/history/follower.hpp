// follower.hpp -- the history index of one generation: its sealed segments in the file, and a tail in memory.
// Layer: history.  Threads: any.
//
// [FOLLOW-1] Nothing here is on the commit path: segments are made by checkpoints, the tail when somebody asks.
// [FOLLOW-2] The content is a function of the log: verify builds it again and compares.
// [FOLLOW-3] Who stands on a generation reads the past through that generation's follower: its segments stay where they
//            are as long as the generation is in use.
#pragma once

#include "history/horizon.hpp"
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
std::optional<std::string_view> logged_value(const LogStore& log, const ExtentDirectory& extents, std::uint64_t tree,
                                             std::string_view key, const HistoryVersion& version);

class HistoryFollower {
public:
    using Keeps = std::function<bool(std::uint64_t tree)>;
    /// `sealed`: the txn that the segments end with; `position`: the log behind it. `before`: the follower of a
    /// generation before, whose tail is gone on with.
    HistoryFollower(FilePages& pages, const LogStore& log, std::vector<StoredSegment> segments, Txn sealed,
                    std::uint64_t position, const HistoryFollower* before);

    const std::vector<StoredSegment>& segments() const { return segments_; }
    Txn sealed_txn() const { return sealed_; }
    /// Versions in the segments.
    std::uint64_t versions() const;

    /// Everything up to `txn`; reads the log behind the tail as far as needed.
    std::shared_ptr<const HistoryIndex> index(Txn txn) const;
    /// Sparse positions without reading the log.
    std::optional<LogAnchor> anchor_of(Txn txn) const { return index_->anchor_of(txn); }
    std::optional<LogAnchor> anchor_at(std::uint64_t time_us) const { return index_->anchor_at(time_us); }

    struct Sealed {
        std::vector<StoredSegment> segments;   ///< of the new generation
        std::vector<StoredSegment> dead;       ///< no longer among them
        std::uint64_t versions = 0;            ///< of a rewrite
    };
    /// Seals what lies between the sealed txn and `txn`, merges segments of one tier, places what is new.
    Sealed seal(Placer& placer, Txn txn, std::uint64_t log_end, std::uint64_t generation, const Keeps& keeps) const;
    /// The same, and makes one segment of all under new horizons.
    Sealed rewrite(Placer& placer, Txn txn, std::uint64_t log_end, std::uint64_t generation, const Keeps& keeps,
                   const RewriteOptions& options) const;

private:
    // What no segment holds yet. Followers whose segments end with the same txn share it.
    struct Unsealed {
        std::mutex mutex;
        std::shared_ptr<HistoryTail> tail;
        std::uint64_t position = 0;   // of the log, where reading goes on
        std::uint64_t behind = 0;     // the last commit of the tail
        ChangeReader changes;
        bool interrupted = false;     // an error came while commits were added: begin again at `behind`
    };
    std::shared_ptr<const SegmentView> open(const StoredSegment& segment) const;
    std::vector<std::byte> build(Txn txn, std::uint64_t log_end, const Keeps& keeps) const;

    FilePages& pages_;
    const LogStore& log_;
    const std::vector<StoredSegment> segments_;                  // ascending txns
    std::vector<std::shared_ptr<const SegmentView>> views_;
    const Txn sealed_;
    const std::uint64_t position_;                               // of the log behind the sealed txn
    std::shared_ptr<Unsealed> unsealed_;
    std::shared_ptr<const HistoryIndex> index_;                  // views_ and the tail
};

}  // namespace northstar::inline v0::detail
