// Window functions: the input is kept, sorted for each window, and its partitions are walked frame by frame.
//
// Where the input comes in order and few rows may be wanted, so much of it is read that the first rows are known, as if
// that were all; if more are asked for, four times as much is, and computed anew.
//
// Frames move forward only; an aggregate over a frame that begins at the partition's start takes each row once, others
// use the inverse step where the aggregate has one, or combine parts (sliding_aggregate.hpp), or start anew.
#include "sql/execute/aggregate_state.hpp"
#include "sql/execute/frame_bound.hpp"
#include "sql/execute/operators.hpp"
#include "sql/execute/sliding_aggregate.hpp"
#include "sql/plan/walk.hpp"
#include "sql/plan/window_order.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace operators_window {

/// Rows of one partition in order, and where the peers of each row are.
struct Partition {
    std::vector<std::uint32_t> rows;        // numbers in the store
    std::vector<std::size_t> peer_begin;    // by place
    std::vector<std::size_t> peer_end;
    std::vector<std::size_t> group;         // number of the peer group
    std::vector<std::pair<std::size_t, std::size_t>> groups;  // places
    std::size_t first_value = 0, last_value = 0;  // places where NULLs of the first order value end and begin again
};

struct Frame {
    std::size_t begin = 0;
    std::size_t end = 0;
};

class Window final : public Operator {
public:
    Window(Plan& plan, Execution& execution)
        : plan_(plan), execution_(execution), input_(build_operator(*plan.left, execution)) {
        columns_ = input_->columns();
        for (PlanColumn& column : plan.columns) columns_.push_back(column.id);
    }

    void open() override {
        rows_.reset(columns_.size());
        handed_out_ = 0;
        ended_ = false;
        wanted_ = plan_.in_order ? k_first_rows : ~std::size_t{0};
        input_->open();
        read_on();
    }
    Batch* next() override {
        for (;;) {
            if (Batch* batch = reader_.next(batch_)) return batch;
            if (ended_) return nullptr;
            read_on();
        }
    }

private:
    static constexpr std::size_t k_first_rows = 64;
    static constexpr std::size_t k_growth = 4;

    void read_on() {
        const std::size_t width = input_->columns().size();
        while (!ended_ && rows_.size() < wanted_) {
            const Batch* batch = input_->next();
            ended_ = batch == nullptr;
            if (ended_) break;
            for (std::size_t row = 0; row < batch->count; ++row) {
                Value* to = rows_.add();
                for (std::size_t c = 0; c < width; ++c) to[c] = copy_value(batch->columns[c][row], rows_.arena());
            }
        }
        wanted_ = rows_.size() * k_growth;
        order_.resize(rows_.size());
        for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint32_t>(i);
        known_ = rows_.size();
        for (const std::size_t window : running_order()) run_window(static_cast<int>(window));
        if (ended_) known_ = rows_.size();
        if (!plan_.in_order) {
            std::vector<Value*> ordered;
            for (const std::uint32_t row : order_) ordered.push_back(rows_.row(row));
            rows_.rows() = std::move(ordered);
        }
        reader_.start(rows_, handed_out_, known_);
        handed_out_ = known_;
    }

    /// Windows in the order in which PostgreSQL computes them (planner.c, select_active_windows): rows come out as the
    /// last one sorted them, and that is what a query without ORDER BY shows. Expressions are numbered as they are met,
    /// those of ORDER BY first; windows with higher numbers and longer lists come first.
    std::vector<std::size_t> running_order() const {
        struct SortColumn {
            std::size_t number = 0;
            bool descending = false, nulls_first = false;
        };
        std::vector<const BoundExpr*> met;
        const auto number_of = [&](const BoundExpr* expr) {
            std::size_t at = 0;
            while (at < met.size() && !same_expr(*met[at], *expr)) ++at;
            if (at == met.size()) met.push_back(expr);
            return at;
        };
        std::vector<std::vector<SortColumn>> lists;
        for (const WindowDefinition& window : plan_.windows) {
            for (const SortKey& key : window.order) number_of(key.expr);
            lists.emplace_back();
            const auto add = [&](SortColumn column) {
                for (const SortColumn& other : lists.back())
                    if (other.number == column.number) return;
                lists.back().push_back(column);
            };
            for (const BoundExpr* expr : window.partition) add({number_of(expr)});
            for (const SortKey& key : window.order) add({number_of(key.expr), key.descending, key.nulls_first});
        }
        std::vector<std::size_t> order(lists.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            for (std::size_t i = 0; i < lists[a].size() && i < lists[b].size(); ++i) {
                const SortColumn &x = lists[a][i], &y = lists[b][i];
                if (x.number != y.number) return x.number > y.number;
                if (x.descending != y.descending) return x.descending;
                if (x.nulls_first != y.nulls_first) return x.nulls_first;
            }
            return lists[a].size() > lists[b].size();
        });
        return order;
    }

    /// The stored input as one batch: expressions of windows are evaluated over it.
    void whole(Batch& batch) const {
        const std::size_t width = input_->columns().size();
        batch.reset(width);
        batch.count = rows_.size();
        for (std::size_t c = 0; c < width; ++c)
            for (std::size_t r = 0; r < rows_.size(); ++r) batch.columns[c].push_back(rows_.row(r)[c]);
    }

    void run_window(int number) {
        std::vector<std::size_t> calls;
        for (std::size_t i = 0; i < plan_.columns.size(); ++i)
            if (plan_.columns[i].expr->clauses->window == number) calls.push_back(i);
        if (calls.empty() || rows_.size() == 0) return;
        WindowDefinition& window = plan_.windows[static_cast<std::size_t>(number)];
        Batch all;
        whole(all);
        std::vector<std::uint32_t> every;
        const Rows rows{&all, every_row(all.count, every), all.count};
        std::vector<std::unique_ptr<Evaluator>> asked;  // the answers of their subqueries lie with them
        const auto values_of = [&](BoundExpr* expr) {
            std::vector<Value> values(all.count);
            asked.push_back(std::make_unique<Evaluator>(*expr, input_->columns(), execution_));
            asked.back()->evaluate(rows, values.data(), all.arena);
            return values;
        };
        const auto values_at = [&](BoundExpr* expr, const std::vector<std::uint32_t>& places) {
            std::vector<Value> values(all.count), found(places.size());
            if (places.empty()) return values;
            asked.push_back(std::make_unique<Evaluator>(*expr, input_->columns(), execution_));
            asked.back()->evaluate(Rows{rows.batch, places.data(), places.size(), false}, found.data(), all.arena);
            for (std::size_t i = 0; i < places.size(); ++i) values[places[i]] = found[i];
            return values;
        };
        std::vector<std::vector<Value>> partition_values, order_values;
        for (BoundExpr* expr : window.partition) partition_values.push_back(values_of(expr));
        for (SortKey& key : window.order) order_values.push_back(values_of(key.expr));
        const auto compare_one = [](const Value& a, const Value& b, bool descending, bool nulls_first) {
            if (a.is_null() || b.is_null())
                return a.is_null() == b.is_null() ? 0 : (a.is_null() == nulls_first ? -1 : 1);
            const int order = compare_values(a, b);
            return descending ? -order : order;
        };
        const auto compare_partition = [&](std::uint32_t a, std::uint32_t b) {
            for (const auto& values : partition_values)
                if (const int order = compare_one(values[a], values[b], false, false)) return order;
            return 0;
        };
        const auto compare_order = [&](std::uint32_t a, std::uint32_t b) {
            for (std::size_t i = 0; i < order_values.size(); ++i)
                if (const int order = compare_one(order_values[i][a], order_values[i][b], window.order[i].descending,
                                                  window.order[i].nulls_first))
                    return order;
            return 0;
        };
        std::vector<std::uint32_t>& sorted = order_;
        std::stable_sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
            const int order = compare_partition(a, b);
            return order != 0 ? order < 0 : compare_order(a, b) < 0;
        });
        prepare_offsets(window);
        std::vector<std::vector<std::vector<Value>>> arguments;
        std::vector<std::vector<Value>> filters;
        for (const std::size_t call : calls) {
            arguments.emplace_back();
            BoundExpr* filter = plan_.columns[call].expr->clauses->filter;
            filters.push_back(filter == nullptr ? std::vector<Value>() : values_of(filter));
            // The arguments may have no value for rows that FILTER leaves out.
            std::vector<std::uint32_t> kept;
            for (std::uint32_t k = 0; k < filters.back().size(); ++k)
                if (!filters.back()[k].is_null() && filters.back()[k].boolean()) kept.push_back(k);
            for (BoundExpr* arg : plan_.columns[call].expr->args)
                arguments.back().push_back(filter == nullptr ? values_of(arg) : values_at(arg, kept));
        }
        std::size_t last_partition = 0, last_peers = 0;  // where they begin
        for (std::size_t begin = 0; begin < sorted.size();) {
            execution_.check_cancelled();
            Partition partition;
            std::size_t end = begin;
            while (end < sorted.size() && compare_partition(sorted[begin], sorted[end]) == 0)
                partition.rows.push_back(sorted[end++]);
            find_peers(partition, compare_order);
            std::vector<Frame> frames;
            find_frames(window, partition, order_values, frames);
            for (std::size_t i = 0; i < calls.size(); ++i)
                run_call(window, calls[i], partition, frames, arguments[i], filters[i]);
            last_partition = begin;
            last_peers = begin + partition.groups.back().first;
            begin = end;
        }
        for (const std::size_t call : calls) {
            const std::optional<Ahead> ahead = rows_ahead(window, *plan_.columns[call].expr);
            const std::size_t end = !ahead ? last_partition : ahead->peers ? last_peers : sorted.size();
            const std::size_t behind = !ahead ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(ahead->rows, end));
            known_ = std::min(known_, std::max(last_partition, end - behind));
        }
    }

    template <class Compare>
    static void find_peers(Partition& partition, Compare&& compare) {
        const std::size_t n = partition.rows.size();
        partition.peer_begin.resize(n);
        partition.peer_end.resize(n);
        partition.group.resize(n);
        for (std::size_t begin = 0; begin < n;) {
            std::size_t end = begin + 1;
            while (end < n && compare(partition.rows[begin], partition.rows[end]) == 0) ++end;
            for (std::size_t i = begin; i < end; ++i) {
                partition.peer_begin[i] = begin;
                partition.peer_end[i] = end;
                partition.group[i] = partition.groups.size();
            }
            partition.groups.emplace_back(begin, end);
            begin = end;
        }
    }

    // ---- frames ----

    void prepare_offsets(WindowDefinition& window) {
        const auto value_of = [&](BoundExpr* expr, const char* which) {
            if (expr == nullptr) return Value();
            const Value value = copy_value(Evaluator(*expr, {}, execution_).evaluate(offset_arena_), offset_arena_);
            if (value.is_null())
                raise(sqlstate::null_value_not_allowed, std::string("frame ") + which + " offset must not be null");
            if (window.unit != FrameUnit::range && value.integer() < 0)
                raise(sqlstate::invalid_preceding_or_following_size,
                      std::string("frame ") + which + " offset must not be negative");
            return value;
        };
        begin_offset_ = value_of(window.begin_offset, "starting");
        end_offset_ = value_of(window.end_offset, "ending");
        if (window.unit != FrameUnit::range) return;
        for (const auto& [expr, offset] : {std::pair(window.begin_offset, begin_offset_),
                                           std::pair(window.end_offset, end_offset_)})
            if (expr != nullptr) refuse_negative_offset(window.order[0].expr->type, offset);
    }

    void find_frames(const WindowDefinition& window, Partition& partition,
                     const std::vector<std::vector<Value>>& order_values, std::vector<Frame>& frames) {
        const std::size_t n = partition.rows.size();
        if (!order_values.empty()) find_values(order_values[0], partition);
        frames.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            frames[i].begin = edge(window, partition, order_values, i, window.begin, begin_offset_,
                                   window.begin_operator, true);
            frames[i].end = edge(window, partition, order_values, i, window.end, end_offset_, window.end_operator,
                                 false);
            if (frames[i].end < frames[i].begin) frames[i].end = frames[i].begin;
        }
    }

    /// Place of the first row of a frame, or of the first one behind it.
    std::size_t edge(const WindowDefinition& window, const Partition& partition,
                     const std::vector<std::vector<Value>>& order_values, std::size_t i, FrameEdge which,
                     const Value& offset, const OperatorEntry* op, bool first) {
        const std::size_t n = partition.rows.size();
        switch (which) {
            case FrameEdge::unbounded_preceding: return 0;
            case FrameEdge::unbounded_following: return n;
            case FrameEdge::current:
                if (window.unit == FrameUnit::rows) return first ? i : i + 1;
                return first ? partition.peer_begin[i] : partition.peer_end[i];
            default: break;
        }
        const bool preceding = which == FrameEdge::preceding;
        if (window.unit == FrameUnit::rows) {
            const auto distance = static_cast<std::uint64_t>(offset.integer());
            if (preceding) {
                if (first) return distance > i ? 0 : i - distance;
                return distance > i ? 0 : i - distance + 1;
            }
            const std::uint64_t room = n - i;
            if (first) return distance >= room ? n : i + distance;
            return distance >= room ? n : i + distance + 1;
        }
        if (window.unit == FrameUnit::groups) {
            const auto distance = static_cast<std::uint64_t>(offset.integer());
            const std::size_t group = partition.group[i];
            const std::size_t count = partition.groups.size();
            if (preceding) {
                if (distance > group) return 0;
                const auto& [begin, end] = partition.groups[group - distance];
                return first ? begin : end;
            }
            if (distance >= count - group) return n;
            const auto& [begin, end] = partition.groups[group + distance];
            return first ? begin : end;
        }
        // RANGE: rows whose order value lies within the offset; NULLs are peers of NULLs only.
        const SortKey& key = window.order[0];
        const std::vector<Value>& values = order_values[0];
        const Value& here = values[partition.rows[i]];
        if (here.is_null()) return first ? partition.peer_begin[i] : partition.peer_end[i];
        Call call{offset_arena_, execution_.session(), op->result, k_no_typmod, {}, nullptr};
        const FrameBound bound(here, offset, *op, preceding != key.descending, first != key.descending, call);
        std::size_t low = partition.first_value;
        std::size_t high = partition.last_value;
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            int order = bound.compare(values[partition.rows[middle]]);
            if (key.descending) order = -order;
            if (first ? order < 0 : order <= 0) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    static void find_values(const std::vector<Value>& values, Partition& partition) {
        std::size_t& first = partition.first_value;
        std::size_t& last = partition.last_value;
        first = 0;
        last = partition.rows.size();
        while (first < last && values[partition.rows[first]].is_null()) ++first;
        while (last > first && values[partition.rows[last - 1]].is_null()) --last;
    }

    static bool omitted(const WindowDefinition& window, const Partition& partition, std::size_t i, std::size_t at) {
        switch (window.omission) {
            case FrameOmission::none: return false;
            case FrameOmission::current_row: return at == i;
            case FrameOmission::group: return at >= partition.peer_begin[i] && at < partition.peer_end[i];
            case FrameOmission::ties: return at != i && at >= partition.peer_begin[i] && at < partition.peer_end[i];
        }
        return false;
    }

    // ---- functions ----

    void run_call(const WindowDefinition& window, std::size_t number, const Partition& partition,
                  const std::vector<Frame>& frames, const std::vector<std::vector<Value>>& arguments,
                  const std::vector<Value>& filter) {
        BoundExpr& call = *plan_.columns[number].expr;
        const std::size_t column = input_->columns().size() + number;
        if (call.function->kind == FunctionKind::aggregate)
            return run_aggregate(window, call, column, partition, frames, arguments, filter);
        const std::size_t n = partition.rows.size();
        const auto argument = [&](std::size_t which, std::size_t place) -> const Value& {
            return arguments[which][partition.rows[place]];
        };
        for (std::size_t i = 0; i < n; ++i) {
            Value& out = rows_.row(partition.rows[i])[column];
            out = Value::null(call.type);
            switch (call.function->window) {
                case WindowFunction::row_number: out = Value::int8(static_cast<std::int64_t>(i) + 1); break;
                case WindowFunction::rank:
                    out = Value::int8(static_cast<std::int64_t>(partition.peer_begin[i]) + 1);
                    break;
                case WindowFunction::dense_rank:
                    out = Value::int8(static_cast<std::int64_t>(partition.group[i]) + 1);
                    break;
                case WindowFunction::percent_rank:
                    out = Value::float8(n <= 1 ? 0.0 : static_cast<double>(partition.peer_begin[i]) /
                                                           static_cast<double>(n - 1));
                    break;
                case WindowFunction::cume_dist:
                    out = Value::float8(static_cast<double>(partition.peer_end[i]) / static_cast<double>(n));
                    break;
                case WindowFunction::ntile: {
                    const Value& buckets = argument(0, 0);
                    if (buckets.is_null()) break;
                    if (buckets.integer() <= 0)
                        raise(sqlstate::invalid_argument_for_ntile, "argument of ntile must be greater than zero");
                    const auto count = static_cast<std::size_t>(buckets.integer());
                    const std::size_t size = n / count, larger = n % count;
                    const std::size_t bucket = i < larger * (size + 1) ? i / (size + 1)
                                               : size == 0             ? i
                                                                       : larger + (i - larger * (size + 1)) / size;
                    out = Value::int4(static_cast<std::int64_t>(bucket) + 1);
                    break;
                }
                case WindowFunction::lag:
                case WindowFunction::lead: {
                    std::int64_t offset = 1;
                    if (arguments.size() > 1) {
                        if (argument(1, i).is_null()) break;
                        offset = argument(1, i).integer();
                    }
                    if (call.function->window == WindowFunction::lag) offset = -offset;
                    const std::int64_t at = static_cast<std::int64_t>(i) + offset;
                    if (at >= 0 && at < static_cast<std::int64_t>(n)) out = argument(0, static_cast<std::size_t>(at));
                    else if (arguments.size() > 2) out = argument(2, i);
                    out = copy_value(out, rows_.arena());
                    break;
                }
                default: frame_value(window, call, partition, frames[i], i, arguments, out);
            }
        }
    }

    /// first_value, last_value, nth_value.
    void frame_value(const WindowDefinition& window, const BoundExpr& call, const Partition& partition,
                     const Frame& frame, std::size_t i, const std::vector<std::vector<Value>>& arguments, Value& out) {
        std::int64_t wanted = 1;
        const WindowFunction which = call.function->window;
        if (which == WindowFunction::nth_value) {
            const Value& given = arguments[1][partition.rows[i]];
            if (given.is_null()) return;
            wanted = given.integer();
            if (wanted <= 0)
                raise(sqlstate::invalid_argument_for_nth_value, "argument of nth_value must be greater than zero");
        }
        if (which == WindowFunction::last_value) {
            for (std::size_t at = frame.end; at-- > frame.begin;) {
                if (omitted(window, partition, i, at)) continue;
                out = copy_value(arguments[0][partition.rows[at]], rows_.arena());
                return;
            }
            return;
        }
        for (std::size_t at = frame.begin; at < frame.end; ++at) {
            if (omitted(window, partition, i, at)) continue;
            if (--wanted > 0) continue;
            out = copy_value(arguments[0][partition.rows[at]], rows_.arena());
            return;
        }
    }

    void run_aggregate(const WindowDefinition& window, BoundExpr& call, std::size_t column, const Partition& partition,
                       const std::vector<Frame>& frames, const std::vector<std::vector<Value>>& arguments,
                       const std::vector<Value>& filter) {
        AggregateRunner runner(call, input_->columns(), {}, execution_);
        AggregateRunner::Group group = runner.start();
        std::vector<Value> row(arguments.size() + 1);
        const auto load = [&](std::size_t place) {
            const std::uint32_t number = partition.rows[place];
            if (!filter.empty() && (filter[number].is_null() || !filter[number].boolean())) return false;
            for (std::size_t i = 0; i < arguments.size(); ++i) row[i] = arguments[i][number];
            return true;
        };
        const bool whole = window.omission == FrameOmission::none;
        const bool slides = whole && runner.can_slide();
        std::optional<SlidingAggregate> sliding;
        std::size_t begin = 0, end = 0;
        Value last;
        bool fresh = false;
        for (std::size_t i = 0; i < partition.rows.size(); ++i) {
            const Frame& frame = frames[i];
            Value& out = rows_.row(partition.rows[i])[column];
            const bool same = fresh && frame.begin == begin && frame.end == end && whole;
            if (!same && slides && (sliding || (fresh && frame.begin > begin))) {
                if (!sliding || frame.begin < begin || frame.end < end) sliding.emplace(runner);
                const auto row_at = [&](std::size_t place) { return load(place) ? row.data() : nullptr; };
                last = copy_value(sliding->value(frame.begin, frame.end, row_at), rows_.arena());
                begin = frame.begin;
                end = frame.end;
            } else if (!same) {
                const bool grows = whole && frame.begin >= begin && frame.end >= end &&
                                   (frame.begin == begin || (runner.can_invert() && frame.begin <= end));
                if (!grows) {
                    group = runner.start();
                    begin = end = frame.begin;
                }
                for (; begin < frame.begin; ++begin)
                    if (load(begin)) runner.invert(group, row.data());
                for (; end < frame.end; ++end)
                    if (!omitted(window, partition, i, end) && load(end)) runner.step(group, row.data());
                last = copy_value(runner.finish(group), rows_.arena());
                fresh = true;
            }
            out = last;
        }
    }

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Operator> input_;
    RowStore rows_;
    std::vector<std::uint32_t> order_;  ///< numbers of the rows as the windows so far sorted them
    StoreReader reader_;
    std::size_t wanted_ = 0;      // rows of the input that are to be read
    bool ended_ = false;          // the input has
    std::size_t known_ = 0;       // so many rows will not change, whatever comes
    std::size_t handed_out_ = 0;  // of them
    Batch batch_;
    Arena offset_arena_;
    Value begin_offset_, end_offset_;
};

}  // namespace operators_window

std::unique_ptr<Operator> make_window(Plan& plan, Execution& execution) {
    return std::make_unique<operators_window::Window>(plan, execution);
}

}  // namespace northstar::inline v0::sql
