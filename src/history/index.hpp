// index.hpp -- all sources of the history together: what a key was at any retained point.  Layer: history.
// Threads: immutable; any number of readers. A change of segments makes a new index; readers keep theirs.
//
// [INDEX-1] Sources follow each other: each begins where the one before ends.
#pragma once

#include "history/source.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

class HistoryIndex {
public:
    /// Oldest first. A source that reads memory owned by somebody else says so through its pointer.
    explicit HistoryIndex(std::vector<std::shared_ptr<const HistorySource>> sources);

    /// Asks the processor for what newest() will need first.
    void prefetch(std::uint64_t tree, std::string_view key, Txn txn) const;
    /// What became of a key at or before `txn`; nullopt: history does not know of it.
    std::optional<HistoryVersion> newest(std::uint64_t tree, std::string_view key, Txn txn) const;
    /// Largest number at or before `txn` of a range deletion that covers the key; 0: none.
    Txn newest_range(std::uint64_t tree, std::string_view key, Txn txn) const;
    /// Keys of a tree with what became of them at or before `txn`, range deletions applied. Erased keys are there too.
    std::unique_ptr<HistoryCursor> cursor(std::uint64_t tree, Txn txn) const;
    /// Versions of a key behind the txn `above`, newest first, erasing range deletions among them, until f returns
    /// false.
    /// `older`: at `above` the key had the value that this txn wrote; 0: it was not there, or nobody knows.
    void each_version(std::uint64_t tree, std::string_view key, Txn above, Txn older,
                      const std::function<bool(const HistoryVersion&)>& f) const;
    /// Where to begin reading the log to find a transaction, or the newest one at or before a time.
    std::optional<LogAnchor> anchor_of(Txn txn) const;
    std::optional<LogAnchor> anchor_at(std::uint64_t time_us) const;

    const std::vector<std::shared_ptr<const HistorySource>>& sources() const { return sources_; }

private:
    std::vector<std::shared_ptr<const HistorySource>> sources_;
};

}  // namespace northstar::inline v0::detail
