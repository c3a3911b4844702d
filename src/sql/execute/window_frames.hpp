// window_frames.hpp -- the rows of a window's partition, and peers and frame of each of them.
// Layer: sql, inside execute/.
//
// A partition is walked from its first row to its last. The ends of frames and of groups of peers move forward only, so
// each of them is found from where it was, in O(1) amortised, and nothing is kept for each row.
#pragma once

#include "sql/execute/execution.hpp"
#include "sql/execute/kept_rows.hpp"

#include <cstddef>
#include <vector>

namespace northstar::inline v0::sql {

/// In the order of the window: in memory, or kept with the help of a file.
class PartitionRows {
public:
    PartitionRows(Value* const* rows, std::size_t count) : near_(rows), count_(count) {}
    explicit PartitionRows(KeptRows& rows) : kept_(&rows), count_(rows.size()) {}
    std::size_t size() const { return count_; }
    /// Of kept rows valid as [KEPT-2] says.
    const Value* row(std::size_t place) const { return near_ != nullptr ? near_[place] : kept_->row(place); }

private:
    Value* const* near_ = nullptr;
    KeptRows* kept_ = nullptr;
    std::size_t count_;
};

/// Places of a partition, from the first one to that behind the last one.
struct Frame {
    std::size_t begin = 0;
    std::size_t end = 0;
};

class WindowFrames {
public:
    /// The values of the window's ORDER BY stand at `order` of a row.
    WindowFrames(const WindowDefinition& window, std::vector<std::size_t> order, Execution& execution)
        : window_(window), order_(std::move(order)), execution_(execution) {}
    /// Computes the offsets of frames. Raises 22004, 22013.
    void prepare();
    /// Before the first row of a partition, which is not empty and stays while it is walked.
    void start(const PartitionRows& rows);
    void move_to(std::size_t place);

    const Frame& frame() const { return frame_; }
    /// The rows that are equal to the present one in the order.
    const Frame& peers() {
        go_to_peers();
        return peers_.rows;
    }
    /// How many groups of peers come before that of the present row.
    std::size_t group() {
        go_to_peers();
        return peers_.group;
    }
    bool omits_rows() const { return window_.omission != FrameOmission::none; }
    /// Does EXCLUDE leave a row of the present frame out?
    bool omits(std::size_t place);

private:
    /// A group of peers; at first that before the first one.
    struct Peers {
        Frame rows;
        std::size_t group = ~std::size_t{0};
    };
    /// An end of frames.
    struct Edge {
        Peers peers;            // GROUPS: that it lies at
        std::size_t place = 0;  // RANGE
    };
    bool ends_with_rows() const { return window_.unit == FrameUnit::rows; }
    void go_to_peers() {
        while (peers_.rows.end <= place_) next_group(peers_);
    }
    Value offset_of(BoundExpr* expr, const char* which);
    std::size_t end_of_group(std::size_t begin) const;
    void next_group(Peers& peers) const;
    std::size_t find(FrameEdge which, const Value& offset, Edge& edge, bool first);
    std::size_t find_row(FrameEdge which, std::uint64_t distance, bool first) const;
    std::size_t find_group(FrameEdge which, std::uint64_t distance, Edge& edge, bool first);
    std::size_t find_value(FrameEdge which, const Value& offset, Edge& edge, bool first);

    const WindowDefinition& window_;
    std::vector<std::size_t> order_;
    Execution& execution_;
    Arena offset_arena_, bound_arena_;
    Value begin_offset_, end_offset_;
    const PartitionRows* rows_ = nullptr;
    std::size_t place_ = 0;
    bool found_ = false;  // the frame of the present peers is
    Frame frame_;
    Peers peers_;
    Edge begin_, end_;
};

}  // namespace northstar::inline v0::sql
