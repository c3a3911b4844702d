// compare.hpp -- do the sealed history and the log say the same?  Layer: history.  Threads: one at a time.
//
// [COMPARE-1] Memory grows with the number of trees and of redacted values, not with that of versions. Both sides come
//             in any order: of each tree the digests of its versions, and of its range deletions, are added up.
// [COMPARE-2] Digests are keyed with a secret, so that no file can be made whose differences cancel out.
#pragma once

#include "history/changes.hpp"
#include "history/segment_set.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace northstar::inline v0::detail {

class HistoryComparison {
public:
    /// What lies at or before a tree's horizon does not count; nullopt: nothing of the tree does.
    using HorizonOf = std::function<std::optional<Txn>(std::uint64_t tree)>;
    using Secret = std::array<std::byte, 16>;

    HistoryComparison(HorizonOf horizon, const Secret& secret) : horizon_(std::move(horizon)), secret_(secret) {}

    /// What a transaction did, as the log has it. Before anything stored.
    void add_logged(const ChangeReader& changes);
    /// A value that a redaction has not erased everywhere yet: where the log has lost it, the segments may still have
    /// it. Before anything stored.
    void expect_erased(std::uint64_t tree, std::string_view key, Txn txn);
    /// All of the same transactions. Error(corrupt) where the segments make no sense.
    void add_stored(const SegmentSet& stored);
    /// Empty: both say the same; else what differs, in a few words.
    std::string difference() const;

private:
    /// Two sums of halves of digests, and how many there were.
    struct Sum {
        std::uint64_t low = 0, high = 0, count = 0;
        void add(const std::pair<std::uint64_t, std::uint64_t>& digest) {
            low += digest.first;
            high += digest.second;
            ++count;
        }
        friend bool operator==(const Sum&, const Sum&) = default;
    };
    struct Sums {
        Sum logged, stored;
    };
    struct OfTree {
        std::optional<Txn> horizon;
        Sums versions, ranges;
        bool counts(Txn txn) const { return horizon && txn > *horizon; }
    };
    using Digest = std::pair<std::uint64_t, std::uint64_t>;

    OfTree& of(std::uint64_t tree);
    bool is_gone(const HistoryVersion& version, const Digest& redacted) const;
    Digest digest(std::uint64_t tree, std::string_view key, const HistoryVersion& version) const;
    Digest digest(const HistoryRange& range) const;

    const HorizonOf horizon_;
    const Secret secret_;
    std::map<std::uint64_t, OfTree> trees_;
    std::uint64_t last_tree_ = 0;
    OfTree* last_ = nullptr;
    std::set<Digest> redacted_;  // in the log; the segments may still say where the value was
    std::set<Digest> erasing_;   // by redactions that are not finished; the segments may still have the value
};

}  // namespace northstar::inline v0::detail
