// tail.hpp -- the history of what no segment holds yet, in memory.  Layer: history.
// Threads: add() by one thread at a time, everything else by any number beside it.
//
// [TAIL-1] A tail only grows. Sealing its front makes a new tail of the rest (rest_of); whoever still reads the old one
//          keeps it alive, so that views into it stay valid.
#pragma once

#include "history/changes.hpp"
#include "history/source.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail {

/// Range deletions in memory, searched by key and transaction. Sorted runs whose sizes double: adding costs
/// O(log n) amortised, a search O(log^2 n) where ranges seldom overlap.
class RangeIndex {
public:
    /// In order of txn.
    void add(HistoryRange range);
    Txn newest(std::string_view key, Txn txn) const;
    template <class F>
    void each(F&& f) const {
        for (const Run& run : runs_) {
            for (const HistoryRange& range : run.ranges) f(range);
        }
    }

private:
    struct Node {
        const HistoryRange* high = nullptr;  // the range that reaches furthest
        Txn oldest = 0, newest = 0;
    };
    struct Run {
        std::vector<HistoryRange> ranges;         // by start
        std::vector<std::vector<Node>> levels;    // summaries of k_fan entries of the level below
    };
    static constexpr std::size_t k_fan = 16;
    static void summarise(Run& run);
    static void search(const Run& run, std::size_t level, std::size_t index, std::string_view key, Txn txn,
                       Txn& newest);
    std::vector<Run> runs_;  // largest first
};

class HistoryTail final : public HistorySource {
public:
    /// The first commit to come is after + 1. `keeps` as in SegmentBuilder.
    explicit HistoryTail(Txn after, std::function<bool(std::uint64_t)> keeps = {});

    /// One commit. Where memory ran out it is not there yet, and adding it again goes on where that happened.
    void add(const ChangeReader& changes);
    /// A tail of what this one knows behind `txn`.
    std::shared_ptr<HistoryTail> rest_of(Txn txn) const;
    /// Memory in use, about.
    std::uint64_t bytes() const;

    Txn after() const override { return after_; }
    Txn last() const override;
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
    friend class TailCursor;
    using Key = std::pair<std::uint64_t, std::string>;
    using KeyView = std::pair<std::uint64_t, std::string_view>;
    struct Less {
        using is_transparent = void;
        template <class A, class B>
        bool operator()(const A& a, const B& b) const {
            return a.first != b.first ? a.first < b.first : std::string_view(a.second) < std::string_view(b.second);
        }
    };
    using Map = std::map<Key, std::vector<HistoryVersion>, Less>;
    struct Ranges {
        std::deque<std::pair<std::string, std::string>> texts;
        RangeIndex index;
    };

    void add_version(std::uint64_t tree, std::string_view key, HistoryVersion version);
    void add_range(const HistoryRange& range);
    static const HistoryVersion* newest_of(const std::vector<HistoryVersion>& versions, Txn txn);

    const Txn after_;
    const std::function<bool(std::uint64_t)> keeps_;
    mutable std::shared_mutex mutex_;
    Txn last_;
    Map versions_;                            // versions oldest first
    std::deque<std::string> values_;          // what inlined versions view
    std::map<std::uint64_t, Ranges> ranges_;  // by tree
    std::vector<LogAnchor> anchors_;
    std::uint64_t bytes_ = 0;
    std::size_t added_ = 0;  // changes of the commit behind last_ that are in already
};

}  // namespace northstar::inline v0::detail
