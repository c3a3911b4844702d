// feed.hpp -- reading commits out of the log in order, and waiting for the next.  Layer: txn.
// Threads: a reader belongs to one thread at a time.
//
// [FEED-1] Only durable commits are delivered to users, in order, none left out.
#pragma once

#include "txn/core.hpp"

#include <memory>
#include <optional>
#include <string>
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

struct FeedState {
    FeedState(std::shared_ptr<DatabaseCore> core, Txn from) : core_(core), reader_(std::move(core), from) {}
    std::optional<CommitRecord> next(std::uint32_t timeout_ms);
    FeedPosition position() const;

private:
    std::shared_ptr<DatabaseCore> core_;
    CommitReader reader_;
};

}  // namespace northstar::inline v0::detail
