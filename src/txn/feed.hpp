// feed.hpp -- reading commits out of the log in order, and waiting for the next.  Layer: txn.
// Threads: a reader belongs to one thread at a time.
//
// [FEED-1] Only durable commits are delivered to users, in order, none left out but those that do nothing but keep
//          positions of named consumers: a consumer that acknowledges what it got would be told of that for ever.
#pragma once

#include "txn/core.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace northstar::inline v0::detail {

/// Reads commits from a txn on. Holds the generation whose log it reads.
struct CommitReader {
    /// `durable`: only commits that are; else all that are visible.
    CommitReader(std::shared_ptr<DatabaseCore> core, Txn from, bool durable = true);
    /// The next commit; false: there is none yet.
    bool next(CommitRecord& record);
    Txn last() const { return txn_; }

private:
    void locate();
    std::string_view tree_name(std::uint64_t id, CommitRecord& record,
                               std::unordered_map<std::uint64_t, std::string>& names);
    std::shared_ptr<DatabaseCore> core_;
    bool durable_ = true;
    Txn txn_ = 0;                 // last delivered
    std::uint64_t position_ = 0;  // where the next record lies; 0: not known yet
    std::unordered_map<std::uint64_t, std::string> names_;
};

/// Named consumers of the feed keep their positions in an ordinary tree, so that they are part of the log.
inline constexpr std::string_view k_consumers_tree = "northstar.consumers";

struct FeedState {
    FeedState(std::shared_ptr<DatabaseCore> core, Txn from)
        : core_(core), reader_(std::move(core), from), returned_(reader_.last()) {}
    std::optional<CommitRecord> next(std::uint32_t timeout_ms);
    FeedPosition position() const;

private:
    std::shared_ptr<DatabaseCore> core_;
    CommitReader reader_;
    Txn returned_;  // the last commit that was returned, or where it began
};

}  // namespace northstar::inline v0::detail
