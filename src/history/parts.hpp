// parts.hpp -- what a transaction of many parts did, in the order of segments and without holding it in memory.
// Layer: history.  Threads: one at a time.
//
// Each part of a transaction is sorted, so its parts are merged like sorted runs: memory for one operation of each.
// [PARTS-1] Gives what ChangeReader gives for the same records [CHANGES-1].
#pragma once

#include "history/changes.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string_view>

namespace northstar::inline v0::detail {

class PartMerge {
public:
    /// The records of one transaction in the order of the log, its commit last; they, and their bytes, must outlive
    /// this. Error(corrupt) where a record is not in canonical order, then and later.
    explicit PartMerge(std::span<const RecordView> records);

    using VersionSink = std::function<void(std::uint64_t tree, std::string_view key, const HistoryVersion& version)>;
    using RangeSink = std::function<void(const HistoryRange& range)>;
    /// In order of (tree, key), the catalog's first. O(operations * log(parts)).
    void each_version(const VersionSink& f) const;
    /// In order of (tree, from).
    void each_range(const RangeSink& f) const;

private:
    std::span<const RecordView> records_;
    Txn txn_ = 0;
    bool any_ranges_ = false;
    std::set<std::uint64_t> dropped_;           // what was done to these trees is not wanted
    std::unique_ptr<OperationList> on_trees_;   // what catalog_ views
    CatalogChanges catalog_;
};

}  // namespace northstar::inline v0::detail
