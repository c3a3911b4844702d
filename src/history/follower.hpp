// follower.hpp -- the history index of one generation: its sealed segments in the file, and a tail in memory.
// Layer: history.  Threads: any.
//
// [FOLLOW-1] Nothing here is on the commit path: segments are made by checkpoints, the tail when somebody asks.
// [FOLLOW-2] The content is a function of the log: verify builds it again and compares.
// [FOLLOW-3] Who stands on a generation reads the past through that generation's follower: its segments stay where they
//            are as long as the generation is in use.
#pragma once

#include "history/index.hpp"
#include "history/rewrite.hpp"
#include "history/segment_build.hpp"
#include "history/segment_set.hpp"
#include "history/tail.hpp"
#include "log/store.hpp"
#include "pager/place.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace northstar::inline v0::detail {

/// A sealed segment as the ledger keeps it: a run of kind `history`. Neighbours of the same transactions are pieces of
/// one set.
struct StoredSegment {
    std::uint64_t page = 0;
    std::uint64_t bytes = 0;
    std::uint64_t checksum = 0;
    std::uint64_t born = 0;
    Txn after = 0;
    Txn last = 0;
    std::uint32_t tier = 0;
    friend bool operator==(const StoredSegment&, const StoredSegment&) = default;
};
/// The tier of what a rewrite made: never merged with what is sealed behind it.
inline constexpr std::uint32_t k_rewritten_tier = 32;

/// Writes a segment into the file.
StoredSegment place_segment(Placer& placer, std::span<const std::byte> content, Txn after, Txn last,
                            std::uint64_t generation, std::uint32_t tier);
/// The sets that stored segments make, to be read in place.
std::vector<std::shared_ptr<const SegmentSet>> open_sets(const FilePages& pages,
                                                         std::span<const StoredSegment> segments);

/// The value of a logged version, in place; nullopt when it was redacted. Throws Error(corrupt). Without extents, what
/// the log knows is asked.
std::optional<std::string_view> logged_value(const LogStore& log, std::uint64_t tree, std::string_view key,
                                             const HistoryVersion& version);
std::optional<std::string_view> logged_value(const LogStore& log, const ExtentDirectory& extents, std::uint64_t tree,
                                             std::string_view key, const HistoryVersion& version);

/// Memory that sealing may take, and what is worth it.
struct SealBudget {
    std::uint64_t gathered = 128u << 20;                  ///< by versions that are in no segment yet
    RewriteBudget merge{64u << 20, ~std::uint64_t{0}};    ///< by a piece of a merge
    /// Bytes of the log: less is indexed when it is asked for, since a segment has a price of its own.
    std::uint64_t least = 1u << 20;
};

class HistoryFollower {
public:
    using Keeps = std::function<bool(std::uint64_t tree)>;
    using HasRoom = std::function<bool(std::uint64_t bytes)>;
    /// `sealed`: the txn that the segments end with; `position`: the log behind it. `before`: the follower of a
    /// generation before, whose tail is gone on with, and whose sets where they are the same.
    HistoryFollower(FilePages& pages, const LogStore& log, std::vector<StoredSegment> segments, Txn sealed,
                    std::uint64_t position, const HistoryFollower* before);

    const std::vector<StoredSegment>& segments() const { return segments_; }
    const std::vector<std::shared_ptr<const SegmentSet>>& sets() const { return sets_; }
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
        Txn last = 0;                          ///< the segments end with it
        std::uint64_t position = 0;            ///< of the log behind it
    };
    /// What this generation has.
    Sealed sealed() const { return {segments_, {}, sealed_, position_}; }
    /// Goes on from `before` to `txn`: seals what lies between, merges segments of one tier but for those up to the txn
    /// `fixed`, places what is new. nullopt: there is no room for it.
    std::optional<Sealed> seal(Placer& placer, const Sealed& before, Txn txn, std::uint64_t log_end,
                               std::uint64_t generation, const Keeps& keeps, Txn fixed, const HasRoom& has_room,
                               const SealBudget& budget) const;

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
    // A segment in memory, of (after, last].
    struct Stretch {
        Txn after = 0;
        Txn last = 0;
        std::vector<std::byte> bytes;
    };
    bool build(Placer& placer, const Sealed& before, Txn txn, std::uint64_t log_end, std::uint64_t generation,
               const Keeps& keeps, const HasRoom& has_room, const SealBudget& budget,
               std::vector<StoredSegment>& placed, std::vector<Stretch>& rest) const;

    FilePages& pages_;
    const LogStore& log_;
    const std::vector<StoredSegment> segments_;                  // ascending txns
    std::vector<std::shared_ptr<const SegmentSet>> sets_;
    const Txn sealed_;
    const std::uint64_t position_;                               // of the log behind the sealed txn
    std::shared_ptr<Unsealed> unsealed_;
    std::shared_ptr<const HistoryIndex> index_;                  // sets_ and the tail
};

}  // namespace northstar::inline v0::detail
