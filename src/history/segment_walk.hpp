// segment_walk.hpp -- every key of a segment in order, each with all its versions.  Layer: history.
// Threads: one at a time.
//
// [WALK-1] Keys come in ascending order of (tree, key), each once, whatever the bytes are: Error(corrupt) otherwise.
#pragma once

#include "history/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

class SegmentWalk {
public:
    explicit SegmentWalk(const SegmentView& segment);
    bool done() const { return done_; }
    std::uint64_t tree() const { return keys_.tree; }
    std::string_view key() const { return keys_.key(index_); }
    /// Appends the key's versions, newest first, and goes on to the next key.
    void take(std::vector<HistoryVersion>& out);

private:
    const SegmentView* segment_;
    SegmentView::Keys keys_;
    std::size_t index_ = 0;
    bool done_ = false;
};

/// Segments that were to be merged do not follow each other. Error(corrupt).
[[noreturn]] void segments_out_of_order();

/// The walk that stands on the least key; nullptr: all are done. Of those on one key the first.
const SegmentWalk* least_of(const std::vector<SegmentWalk>& walks);

/// All versions of a key, newest first, from walks in order of time (oldest first).
void take_key(std::vector<SegmentWalk>& walks, std::uint64_t tree, std::string_view key,
              std::vector<HistoryVersion>& out);

}  // namespace northstar::inline v0::detail
