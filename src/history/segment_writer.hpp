// segment_writer.hpp -- makes the bytes of a segment from sorted input.  Layer: history.  Threads: one at a time.
//
// [SEGWRITE-1] The bytes depend on what was added and nothing else: two ways to the same versions, range deletions and
//              anchors give equal segments.
#pragma once

#include "history/segment_format.hpp"
#include "history/version.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

class SegmentWriter {
public:
    /// What must be known before the first version: transactions (after, last] and the smallest log position that any
    /// version names. The rest of the header is set before finish().
    struct Frame {
        Txn after = 0;
        Txn last = 0;
        std::uint64_t position_base = 0;
    };
    explicit SegmentWriter(const Frame& frame);

    /// About so many bytes are to come: memory is taken at once. A hint.
    void expect_bytes(std::size_t bytes) { out_.reserve(out_.size() + bytes); }

    /// In order of (tree, key, txn descending), no two equal.
    void add(std::uint64_t tree, std::string_view key, const HistoryVersion& version);
    /// In order of (tree, from, txn descending), after all versions.
    void add_range(const HistoryRange& range);
    /// Bytes so far, about.
    std::size_t bytes() const {
        return out_.size() + entries_.size() + group_.size() + range_entries_.size() + anchors_.size();
    }
    /// In order of position; of those in the same stretch of the log only the first is kept.
    void add_anchor(const LogAnchor& anchor);

    struct Span {
        std::uint64_t time_from = 0, time_to = 0;
        std::uint64_t log_from = 0, log_to = 0;
        Txn horizon = 0;
    };
    std::vector<std::byte> finish(const Span& span);

private:
    // The least query (tree, key, txn descending) that a block answers; `all_versions`: from the key's newest on.
    struct Separator {
        std::uint64_t tree = 0;
        std::string key;
        bool all_versions = true;
        Txn txn = 0;
        std::uint32_t child = 0;
    };
    struct Summary {
        std::uint64_t tree_low = 0;
        std::string from_low;
        std::uint64_t tree_high = 0;
        bool to_the_end = false;
        std::string to_high;
        Txn oldest = 0, newest = 0;
        std::uint32_t child = 0;
    };
    struct Place {
        std::uint64_t offset, length, checksum;
    };

    bool block_open() const { return !entries_.empty() || group_count_ > 0; }
    void open_block(std::uint64_t tree, std::string_view key);
    void open_group(std::string_view key);
    void close_group();
    void close_block();
    std::uint32_t append_block(const std::vector<std::byte>& block);
    static std::vector<std::byte> guides(std::span<const Separator> separators);
    std::uint32_t build_separators();
    void close_range_block();
    std::uint32_t build_summaries();
    void append_chunks(segment::Chunk kind, const std::vector<std::byte>& entries, std::size_t per_chunk);
    void append_filter();

    segment::Header header_;
    std::vector<std::byte> out_;
    std::vector<Place> places_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::byte> anchors_;
    std::uint64_t last_stretch_ = 0;

    // the open block of versions
    std::uint64_t tree_ = 0;
    std::vector<std::byte> entries_;
    std::vector<std::uint32_t> restarts_;
    std::size_t since_restart_ = 0;
    std::string block_key_;          // last key written to the block
    // the open group: one key's versions in this block
    std::string key_;
    std::vector<std::byte> group_;
    std::vector<std::byte> group_skips_;
    std::uint32_t group_count_ = 0;
    std::size_t group_shared_ = 0;
    bool group_restarts_ = false;
    // the last version added
    bool any_ = false;
    Txn txn_ = 0;
    std::vector<Separator> separators_;

    // the open block of range deletions
    std::vector<std::byte> range_entries_;
    std::uint32_t range_count_ = 0;
    Summary summary_;
    std::vector<Summary> summaries_;
    HistoryRange last_range_;
    std::string last_range_from_;
};

}  // namespace northstar::inline v0::detail
