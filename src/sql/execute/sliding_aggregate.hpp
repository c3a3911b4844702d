// sliding_aggregate.hpp -- an aggregate over a frame whose ends move forward, from parts.  Layer: sql.
//
// The rows of the frame are two runs. Of the front one the state of every rest of it is kept, from each row to the
// end of the run, so that rows leave by looking at the next rest; the back one is one state, which rows join. A frame
// is its rest and the back combined. When the front is used up, the rows that are left become the front. So each row is
// stepped twice and combined twice, however long the frame is, and without a step that could be taken back. (Two stacks
// as a queue; see K. Tangwongsan, M. Hirzel, S. Schneider, Low-latency sliding-window aggregation in worst-case
// constant time, 2017, section 2.)
#pragma once

#include "sql/execute/aggregate_state.hpp"

#include <cstring>
#include <vector>

namespace northstar::inline v0::sql {

class SlidingAggregate {
public:
    /// The runner must be able to combine (AggregateRunner::can_slide), and has no states but those here.
    explicit SlidingAggregate(AggregateRunner& runner)
        : runner_(runner), size_((runner.state_size() + 15) / 16 * 16), back_(size_ / 16), whole_(size_ / 16) {}

    /// The value of the frame [begin, end), neither of which moved back. `load` gives the arguments of a row by its
    /// place, null where the row does not count; what the value refers to is made in the arena. Amortised O(1) for each
    /// place that the ends pass.
    template <class Load>
    Value value(std::size_t begin, std::size_t end, Load&& load, Arena& arena) {
        if (begin >= front_end_) make_front(begin, std::max(begin, end_), load);
        for (; end_ < end; ++end_)
            if (const Value* const row = load(end_)) runner_.step(bytes(back_), row);
        start(whole_);
        if (begin < std::min(end, front_end_)) runner_.combine(bytes(whole_), rest(begin));
        if (front_end_ < end) runner_.combine(bytes(whole_), bytes(back_));
        return runner_.finish(bytes(whole_), arena);
    }

private:
    struct alignas(16) Unit {
        char bytes[16];
    };
    static char* bytes(std::vector<Unit>& state) { return state.front().bytes; }
    char* rest(std::size_t place) { return front_[(place - front_begin_) * (size_ / 16)].bytes; }

    void start(std::vector<Unit>& state) {
        std::memset(bytes(state), 0, size_);
        runner_.init(bytes(state));
    }

    template <class Load>
    void make_front(std::size_t begin, std::size_t end, Load&& load) {
        runner_.forget_states();
        front_begin_ = begin;
        front_end_ = end_ = end;
        front_.resize((end - begin) * (size_ / 16));
        if (!front_.empty()) std::memset(front_.data(), 0, front_.size() * sizeof(Unit));
        for (std::size_t place = end; place-- > begin;) {
            runner_.init(rest(place));
            if (const Value* const row = load(place)) runner_.step(rest(place), row);
            if (place + 1 < end) runner_.combine(rest(place), rest(place + 1));
        }
        start(back_);
    }

    AggregateRunner& runner_;
    std::size_t size_;
    std::vector<Unit> front_, back_, whole_;
    std::size_t front_begin_ = 0, front_end_ = 0;  // places
    std::size_t end_ = 0;                          // of the rows in the back
};

}  // namespace northstar::inline v0::sql
