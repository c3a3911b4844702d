// segment_set.hpp -- the sealed history of one stretch of transactions: one segment, or several pieces that share it.
// Layer: history.  Threads: any number of readers; see source.hpp.
//
// A history that is rewritten becomes pieces of bounded size, each a segment of the same transactions.
// [SET-1] Together pieces hold what one segment would, in its order: versions, then range deletions, then anchors. A
//         piece goes on where the one before ends, if need be between two versions of a key.
// [SET-2] Where a piece begins is read at the first search, not when it is opened.
#pragma once

#include "history/segment.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// Segments that belong together do not follow each other. Error(corrupt).
[[noreturn]] void segments_out_of_order();

/// A place in the order of versions, (tree, key, txn descending).
struct VersionPlace {
    std::uint64_t tree = 0;
    std::string key;
    Txn below = ~Txn{0};  ///< what comes next of this key is older than this txn
};

class SegmentSet final : public HistorySource {
public:
    /// One at least, all of the same transactions. Error(corrupt) where they are not.
    explicit SegmentSet(std::vector<std::shared_ptr<const SegmentView>> pieces);

    Txn after() const override { return pieces_.front()->after(); }
    Txn last() const override { return pieces_.front()->last(); }
    const std::vector<std::shared_ptr<const SegmentView>>& pieces() const { return pieces_; }
    std::uint64_t versions() const;
    /// The piece in which a search for a key's newest version before a txn begins; its answer may lie in the next.
    std::size_t piece_for(std::uint64_t tree, std::string_view key, Txn txn) const;
    /// Does a piece begin with a version of this key?
    bool begins_with(std::size_t piece, std::uint64_t tree, std::string_view key) const;
    /// The first tree of which a piece has versions; none: the largest number.
    std::uint64_t first_tree(std::size_t piece) const;

    void prefetch(std::uint64_t tree, std::string_view key) const override;
    std::optional<HistoryVersion> newest_point(std::uint64_t tree, std::string_view key, Txn txn) const override;
    Txn newest_range(std::uint64_t tree, std::string_view key, Txn txn) const override;
    void each_version(std::uint64_t tree, std::string_view key,
                      const std::function<bool(const HistoryVersion&)>& f) const override;
    void each_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to,
                    const std::function<void(const HistoryRange&)>& f) const override;
    std::unique_ptr<HistoryCursor> cursor(std::uint64_t tree, Txn txn) const override;
    std::optional<LogAnchor> anchor_of(Txn txn) const override;
    std::optional<LogAnchor> anchor_at(std::uint64_t time_us) const override;

private:
    struct Start {
        std::uint64_t tree = ~std::uint64_t{0};
        std::string key;
        Txn txn = 0;
    };
    const std::vector<Start>& starts() const;

    const std::vector<std::shared_ptr<const SegmentView>> pieces_;
    std::size_t with_versions_ = 0;              // the first so many pieces
    std::vector<const SegmentView*> with_ranges_;
    std::vector<const SegmentView*> with_anchors_;
    mutable std::mutex mutex_;                   // while starts_ is made
    mutable std::atomic<bool> known_{false};
    mutable std::vector<Start> starts_;          // of the pieces with versions
};

/// Moves over the versions of a set, a run at a time: what one block holds of one key.  Threads: one at a time.
/// [WALK-1] They come in the order of (tree, key, txn descending), each once, whatever the bytes are; Error(corrupt)
///          otherwise.
class RunWalk {
public:
    explicit RunWalk(const SegmentSet& set) : set_(&set) {}
    /// To the first run that may hold something at or behind a place.
    void seek(const VersionPlace& place);
    bool done() const { return done_; }
    std::uint64_t tree() const { return keys_.tree; }
    std::string_view key() const { return keys_.key(index_); }
    /// Newest first.
    const std::vector<HistoryVersion>& versions() const { return versions_; }
    void next();
    /// Bytes of the blocks that were read, about.
    std::uint64_t bytes_read() const { return bytes_read_; }

private:
    bool load(std::size_t piece, std::uint32_t ordinal);
    void take();
    const SegmentSet* set_;
    std::size_t piece_ = 0;
    SegmentView::Keys keys_;
    std::size_t index_ = 0;
    std::vector<HistoryVersion> versions_;
    std::uint64_t bytes_read_ = 0;
    bool done_ = true;
};

}  // namespace northstar::inline v0::detail
