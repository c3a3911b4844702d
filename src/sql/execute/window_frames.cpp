#include "sql/execute/window_frames.hpp"

#include "sql/execute/evaluate.hpp"
#include "sql/execute/frame_bound.hpp"
#include "sql/execute/sort_key.hpp"

#include <algorithm>
#include <string>

namespace northstar::inline v0::sql {

void WindowFrames::prepare() {
    offset_arena_.reset();
    begin_offset_ = offset_of(window_.begin_offset, "starting");
    end_offset_ = offset_of(window_.end_offset, "ending");
    if (window_.unit != FrameUnit::range) return;
    const Oid type = window_.order.empty() ? Oid{0} : window_.order[0].expr->type;
    if (window_.begin_offset != nullptr) refuse_negative_offset(type, begin_offset_);
    if (window_.end_offset != nullptr) refuse_negative_offset(type, end_offset_);
}

Value WindowFrames::offset_of(BoundExpr* expr, const char* which) {
    if (expr == nullptr) return Value();
    const Value value = copy_value(Evaluator(*expr, {}, execution_).evaluate(offset_arena_), offset_arena_);
    if (value.is_null())
        raise(sqlstate::null_value_not_allowed, std::string("frame ") + which + " offset must not be null");
    if (window_.unit != FrameUnit::range && value.integer() < 0)
        raise(sqlstate::invalid_preceding_or_following_size,
              std::string("frame ") + which + " offset must not be negative");
    return value;
}

void WindowFrames::start(const PartitionRows& rows) {
    rows_ = &rows;
    place_ = 0;
    found_ = false;
    peers_ = Peers();
    begin_ = end_ = Edge();
}

void WindowFrames::move_to(std::size_t place) {
    place_ = place;
    if (!ends_with_rows() && found_ && place < peers_.rows.end) return;  // that of its peers
    frame_.begin = find(window_.begin, begin_offset_, begin_, true);
    frame_.end = std::max(frame_.begin, find(window_.end, end_offset_, end_, false));
    found_ = true;
}

bool WindowFrames::omits(std::size_t place) {
    switch (window_.omission) {
        case FrameOmission::none: return false;
        case FrameOmission::current_row: return place == place_;
        case FrameOmission::group: return place >= peers().begin && place < peers().end;
        case FrameOmission::ties: return place != place_ && place >= peers().begin && place < peers().end;
    }
    return false;
}

// ---- peers ----

std::size_t WindowFrames::end_of_group(std::size_t begin) const {
    if (order_.empty()) return rows_->size();
    const Value* last = rows_->row(begin);
    for (std::size_t end = begin + 1; end < rows_->size(); ++end) {
        const Value* const next = rows_->row(end);
        for (std::size_t i = 0; i < order_.size(); ++i)
            if (compare_by_key(last[order_[i]], next[order_[i]], window_.order[i]) != 0) return end;
        last = next;
    }
    return rows_->size();
}

void WindowFrames::next_group(Peers& peers) const {
    peers.rows.begin = peers.rows.end;
    peers.rows.end = end_of_group(peers.rows.begin);
    ++peers.group;
}

// ---- ends of frames ----

std::size_t WindowFrames::find(FrameEdge which, const Value& offset, Edge& edge, bool first) {
    switch (which) {
        case FrameEdge::unbounded_preceding: return 0;
        case FrameEdge::unbounded_following: return rows_->size();
        case FrameEdge::current:
            if (ends_with_rows()) return first ? place_ : place_ + 1;
            return first ? peers().begin : peers().end;
        default: break;
    }
    switch (window_.unit) {
        case FrameUnit::rows: return find_row(which, static_cast<std::uint64_t>(offset.integer()), first);
        case FrameUnit::groups: return find_group(which, static_cast<std::uint64_t>(offset.integer()), edge, first);
        default: return find_value(which, offset, edge, first);
    }
}

std::size_t WindowFrames::find_row(FrameEdge which, std::uint64_t distance, bool first) const {
    const std::size_t behind = first ? 0 : 1;
    if (which == FrameEdge::preceding) return distance > place_ ? 0 : place_ - distance + behind;
    const std::size_t room = rows_->size() - place_;
    return distance >= room ? rows_->size() : place_ + distance + behind;
}

std::size_t WindowFrames::find_group(FrameEdge which, std::uint64_t distance, Edge& edge, bool first) {
    const std::size_t here = group();
    if (which == FrameEdge::preceding && distance > here) return 0;
    if (which == FrameEdge::following && distance >= rows_->size() - here) return rows_->size();
    const std::size_t wanted = which == FrameEdge::preceding ? here - distance : here + distance;
    while (edge.peers.group != wanted) {
        if (edge.peers.rows.end == rows_->size()) return rows_->size();
        next_group(edge.peers);
    }
    return first ? edge.peers.rows.begin : edge.peers.rows.end;
}

/// Rows whose order value lies within the offset; NULLs are peers of NULLs only.
std::size_t WindowFrames::find_value(FrameEdge which, const Value& offset, Edge& edge, bool first) {
    const SortKey& key = window_.order[0];
    const std::size_t column = order_[0];
    const Value here = rows_->row(place_)[column];
    if (here.is_null()) return first ? peers().begin : peers().end;
    const OperatorEntry* const op = first ? window_.begin_operator : window_.end_operator;
    bound_arena_.reset();
    Call call{bound_arena_, execution_.session(), op->result, k_no_typmod, {}, nullptr};
    const FrameBound bound(here, offset, *op, (which == FrameEdge::preceding) != key.descending,
                           first != key.descending, call);
    for (; edge.place < rows_->size(); ++edge.place) {
        const Value& value = rows_->row(edge.place)[column];
        if (value.is_null()) {
            if (key.nulls_first) continue;
            break;
        }
        const int order = key.descending ? -bound.compare(value) : bound.compare(value);
        if (first ? order >= 0 : order > 0) break;
    }
    return edge.place;
}

}  // namespace northstar::inline v0::sql
