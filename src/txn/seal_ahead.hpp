// seal_ahead.hpp -- history that a checkpoint seals before it freezes a root.  Layer: txn.
// Threads: one at a time, with the checkpoint mutex.
//
// While a root is frozen no page that it has is used again, so every commit pays for fresh memory: what reads the log
// alone is done before.
// [AHEAD-1] Space is carved from the making to the end of this: no other process makes a generation in between. What
//           others announced before, also behind the newest visible commit, is learned first and is not free.
// [AHEAD-2] What was not taken is named nowhere: its pages are given back, or the map of space is read anew.
// [AHEAD-3] What is committed while it works is left to the next checkpoint, unless it is much: until then its past is
//           read from the log.
#pragma once

#include "history/follower.hpp"
#include "txn/core.hpp"

#include <cstdint>
#include <map>

namespace northstar::inline v0::detail {

struct DatabaseCore::SealedAhead {
    explicit SealedAhead(DatabaseCore& database);
    ~SealedAhead();
    SealedAhead(const SealedAhead&) = delete;
    SealedAhead& operator=(const SealedAhead&) = delete;

    /// Would the same trees be left out with this filter?
    bool holds_with(const HistoryFollower::Keeps& keeps) const;
    /// What was sealed is the checkpoint's from now on.
    HistoryFollower::Sealed take();
    /// Gives its pages back.
    void discard();

    DatabaseCore& core;
    HistoryFollower::Sealed sealed;
    std::map<std::uint64_t, bool> kept;  // what was asked of trees, and answered
    std::uint64_t generation = 0;        // the one being made
    bool done_with = false;              // taken, or discarded
};

}  // namespace northstar::inline v0::detail
