// segment_build.hpp -- makes segments from records of the log.  Layer: history.  Threads: one at a time.
//
// [SEGBUILD-1] Rewriting the segments of (a, b] and (b, c] as they are (rewrite.hpp) gives the bytes that building
//              (a, c] from the log gives, as long as nothing was forgotten and no value was carried over from the log.
#pragma once

#include "history/changes.hpp"
#include "history/segment.hpp"
#include "history/segment_writer.hpp"
#include "os/block_arena.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// Collects what records say and makes one segment of it. Memory: about 110 bytes and the key per version.
class SegmentBuilder {
public:
    /// The first commit to come is after + 1; `log_from` is the position its records begin at. `keeps(tree)`: false
    /// leaves a tree out (not asked for the catalog); empty: every tree is kept.
    SegmentBuilder(Txn after, std::uint64_t log_from, std::function<bool(std::uint64_t)> keeps = {});

    /// Takes every record in order; true: a commit was completed.
    bool add(const RecordView& record);
    /// Also what a source of changes already read: one commit.
    void add(const ChangeReader& changes, std::uint64_t log_to);

    Txn after() const { return after_; }
    Txn last() const { return last_; }
    /// Error(corrupt) unless `txn` is the one behind last().
    void expect_next(Txn txn) const { expect_behind(txn, last_); }
    /// Position behind the last commit.
    std::uint64_t log_to() const { return log_to_; }
    std::uint64_t versions() const { return versions_; }
    /// Memory in use, about.
    std::uint64_t bytes() const { return arena_.bytes(); }
    /// The segment of (after, last()].
    std::vector<std::byte> finish();

private:
    struct Entry {
        std::uint64_t tree;
        std::string_view key;
        HistoryVersion version;
        const Entry* next;  // the one that was added behind it
    };
    std::string_view keep(std::string_view text);
    bool wanted(std::uint64_t tree);

    std::function<bool(std::uint64_t)> keeps_;
    std::uint64_t asked_ = k_catalog_tree;  // keeps_ was asked last for this tree
    bool asked_wanted_ = true;
    ChangeReader reader_;
    Txn after_;
    Txn last_;
    std::uint64_t log_from_;
    std::uint64_t log_to_;
    std::uint64_t time_from_ = 0;
    std::uint64_t time_to_ = 0;
    const Entry* first_ = nullptr;
    Entry* newest_ = nullptr;
    std::uint64_t versions_ = 0;
    std::uint64_t text_bytes_ = 0;  // of keys and values
    std::vector<HistoryRange> ranges_;
    std::vector<LogAnchor> anchors_;
    BlockArena arena_;
};

}  // namespace northstar::inline v0::detail
