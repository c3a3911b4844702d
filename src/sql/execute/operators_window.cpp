// Window functions: the input is kept, sorted for each window, and its partitions are walked row by row.
//
// A kept row has the columns of the input, the results, and behind them the values that the windows ask for and that
// are no columns of the input. Rows that fit into memory stay where they are and are sorted by their addresses. Others
// pass through the windows one after the other: sorted with the help of files, partition by partition.
//
// Where the input comes in order and few rows may be wanted, so much of it is read that the first rows are known, as if
// that were all; if more are asked for, four times as much is, and computed anew.
//
// Frames move forward only; an aggregate over a frame that begins at the partition's start takes each row once, others
// use the inverse step where the aggregate has one, or combine parts (sliding_aggregate.hpp), or start anew.
#include "sql/execute/aggregate_state.hpp"
#include "sql/execute/operators.hpp"
#include "sql/execute/row_sorter.hpp"
#include "sql/execute/sliding_aggregate.hpp"
#include "sql/execute/window_frames.hpp"
#include "sql/plan/walk.hpp"
#include "sql/plan/window_order.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace operators_window {

/// A value that a kept row has behind its columns: computed of those of the input.
struct Computed {
    Computed(BoundExpr& expr, const std::vector<ColumnId>& input, Execution& execution, std::size_t at)
        : value(expr, input, execution), place(at) {}
    Evaluator value;
    std::size_t place;
    std::size_t filter = k_no_filter;  // place of a condition: there is no value where that is not true
    std::vector<Value> values;         // of a batch

    static constexpr std::size_t k_no_filter = ~std::size_t{0};
};

/// A call and how far it is in the present partition.
struct WindowCall {
    BoundExpr* call = nullptr;
    std::size_t column = 0;              // of its result
    std::vector<std::size_t> arguments;  // places
    std::size_t filter = Computed::k_no_filter;
    // Of an aggregate: its state holds the rows of a frame.
    std::unique_ptr<AggregateRunner> runner;
    AggregateRunner::Group group;
    std::unique_ptr<SlidingAggregate> sliding;
    Frame held;
    bool is_fresh = false;  // `last` is the result of that frame
    Value last;
    Arena last_arena, finish_arena;
    std::vector<Value> row;
};

/// A window and its calls.
struct Stage {
    Stage(const WindowDefinition& definition, std::vector<std::size_t> order_places, Execution& execution)
        : window(definition), order(order_places), frames(definition, std::move(order_places), execution) {}
    const WindowDefinition& window;
    std::vector<std::size_t> partition, order;  // places
    std::vector<SortKey> keys;                  // those of the partition and of the order
    std::vector<std::size_t> key_places;
    std::vector<std::size_t> only_here;         // places of values that no other window asks for
    std::vector<WindowCall> calls;
    WindowFrames frames;

    bool same_partition(const Value* a, const Value* b) const {
        for (std::size_t i = 0; i < partition.size(); ++i)
            if (compare_by_key(a[partition[i]], b[partition[i]], keys[i]) != 0) return false;
        return true;
    }
};

class Window final : public Operator {
public:
    Window(Plan& plan, Execution& execution)
        : plan_(plan), execution_(execution), input_(build_operator(*plan.left, execution)) {
        columns_ = input_->columns();
        for (PlanColumn& column : plan.columns) columns_.push_back(column.id);
        width_ = columns_.size();
        for (const std::size_t window : running_order()) add_stage(window);
    }

    void open() override {
        limit_ = execution_.host().memory_limit();
        start_sorter(sorter_, 0);
        output_.reset();
        handed_out_ = 0;
        ended_ = false;
        is_prepared_ = false;
        in_files_ = false;
        reader_ = StoreReader();
        wanted_ = plan_.in_order ? k_first_rows : ~std::size_t{0};
        input_->open();
        read_on();
    }
    Batch* next() override {
        for (;;) {
            if (output_ != nullptr) return output_->read(batch_) ? &batch_ : nullptr;
            if (Batch* batch = reader_.next(batch_)) return batch;
            if (ended_) return nullptr;
            read_on();
        }
    }

private:
    static constexpr std::size_t k_first_rows = 64;
    static constexpr std::size_t k_growth = 4;

    // ---- what windows ask for ----

    void add_stage(std::size_t number) {
        const WindowDefinition& window = plan_.windows[number];
        const std::size_t first_computed = width_;
        const auto is_called = [number](const PlanColumn& column) {
            return column.expr->clauses->window == static_cast<int>(number);
        };
        if (std::none_of(plan_.columns.begin(), plan_.columns.end(), is_called)) return;
        std::vector<std::size_t> order;
        for (const SortKey& key : window.order) order.push_back(place_of(*key.expr));
        Stage stage(window, order, execution_);
        for (std::size_t i = 0; i < plan_.columns.size(); ++i)
            if (is_called(plan_.columns[i])) add_call(stage, *plan_.columns[i].expr, input_->columns().size() + i);
        for (BoundExpr* expr : window.partition) stage.partition.push_back(place_of(*expr));
        stage.keys = keys_of_window(window);
        stage.key_places = stage.partition;
        stage.key_places.insert(stage.key_places.end(), order.begin(), order.end());
        for (std::size_t place = first_computed; place < width_; ++place) stage.only_here.push_back(place);
        stages_.push_back(std::move(stage));
    }

    void add_call(Stage& stage, BoundExpr& expr, std::size_t column) {
        WindowCall call;
        call.call = &expr;
        call.column = column;
        if (expr.clauses->filter != nullptr) call.filter = place_of(*expr.clauses->filter);
        for (BoundExpr* arg : expr.args) call.arguments.push_back(place_of(*arg, call.filter));
        call.row.resize(std::max<std::size_t>(call.arguments.size(), 1));  // count(*) is given a row, too
        if (expr.function->kind == FunctionKind::aggregate)
            call.runner = std::make_unique<AggregateRunner>(expr, input_->columns(), std::vector<ColumnId>(),
                                                            execution_);
        stage.calls.push_back(std::move(call));
    }

    /// Where the value of an expression stands in a row.
    std::size_t place_of(BoundExpr& expr, std::size_t filter = Computed::k_no_filter) {
        computed_.emplace_back(expr, input_->columns(), execution_, width_);
        Computed& added = computed_.back();
        if (const int slot = added.value.slot(); slot >= 0) {
            computed_.pop_back();
            return static_cast<std::size_t>(slot);
        }
        added.filter = filter;
        return width_++;
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

    // ---- reading ----

    void start_sorter(RowSorter& sorter, std::size_t stage) const {
        if (stage < stages_.size()) sorter.start(width_, stages_[stage].key_places, stages_[stage].keys);
        else sorter.start(width_, {}, {});
    }

    void read_on() {
        RowStore& rows = sorter_.rows();
        while (!ended_ && (rows.size() < wanted_ || sorter_.has_runs())) {
            const Batch* batch = input_->next();
            ended_ = batch == nullptr;
            if (ended_) break;
            keep(*batch);
            if (rows.bytes() > limit_) sorter_.put_aside();
        }
        if (sorter_.has_runs()) return run_in_files();
        wanted_ = rows.size() * k_growth;
        known_ = rows.size();
        for (Stage& stage : stages_) run_in_memory(stage);
        reader_.start(rows, handed_out_, known_, columns_.size());
        handed_out_ = known_;
    }

    void keep(const Batch& batch) {
        RowStore& rows = sorter_.rows();
        const std::size_t first = rows.size();
        for (std::size_t row = 0; row < batch.count; ++row) rows.add();
        const auto put = [&](std::size_t place, const Value* values) {
            for (std::size_t row = 0; row < batch.count; ++row)
                rows.row(first + row)[place] = keep_value(values[row], rows.arena());
        };
        for (std::size_t c = 0; c < input_->columns().size(); ++c) put(c, batch.columns[c].data());
        const Rows all{&batch, every_row(batch.count, every_), batch.count, true};
        computed_arena_.reset();
        for (Computed& computed : computed_) {
            if (computed.filter == Computed::k_no_filter) {
                put(computed.place, computed.value.view(all, computed.values, computed_arena_));
                continue;
            }
            // The arguments may have no value for rows that FILTER leaves out.
            chosen_.clear();
            for (std::uint32_t row = 0; row < batch.count; ++row)
                if (is_true(rows.row(first + row)[computed.filter])) chosen_.push_back(row);
            if (chosen_.empty()) continue;
            computed.values.resize(chosen_.size());
            computed.value.evaluate(Rows{&batch, chosen_.data(), chosen_.size(), false}, computed.values.data(),
                                    computed_arena_);
            for (std::size_t i = 0; i < chosen_.size(); ++i)
                rows.row(first + chosen_[i])[computed.place] = keep_value(computed.values[i], rows.arena());
        }
    }
    static bool is_true(const Value& value) { return !value.is_null() && value.boolean(); }

    // ---- rows in memory ----

    void run_in_memory(Stage& stage) {
        RowStore& rows = sorter_.rows();
        if (rows.size() == 0) return;
        prepare();
        if (!plan_.in_order) {
            sorter_.set_keys(stage.key_places, stage.keys);
            sorter_.sort();
        }
        std::size_t last_partition = 0, last_peers = 0;  // where they begin
        for (std::size_t begin = 0; begin < rows.size();) {
            execution_.check_cancelled();
            std::size_t end = begin + 1;
            while (end < rows.size() && stage.same_partition(rows.row(end - 1), rows.row(end))) ++end;
            const PartitionRows partition(rows.rows().data() + begin, end - begin);
            start_partition(stage, partition);
            for (std::size_t i = 0; i < partition.size(); ++i) {
                stage.frames.move_to(i);
                Value* const row = rows.row(begin + i);
                for (WindowCall& call : stage.calls) row[call.column] = value_of(stage, call, partition, i);
            }
            last_partition = begin;
            if (!ended_) last_peers = begin + stage.frames.peers().begin;
            begin = end;
        }
        if (ended_) return;
        for (const WindowCall& call : stage.calls) {
            const std::optional<Ahead> ahead = rows_ahead(stage.window, *call.call);
            const std::size_t end = !ahead ? last_partition : ahead->peers ? last_peers : rows.size();
            const std::size_t behind = !ahead ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(ahead->rows, end));
            known_ = std::min(known_, std::max(last_partition, end - behind));
        }
    }

    // ---- rows in files ----

    /// To the end of the input: what is known of the first rows is found again and passed over.
    void run_in_files() {
        in_files_ = true;
        output_ = std::make_unique<SpillFile>(columns_.size());
        passed_over_ = 0;
        prepare();
        RowSorter other;
        RowSorter* from = &sorter_;
        RowSorter* to = &other;
        from->sort();
        for (std::size_t i = 0; i < stages_.size(); ++i) {
            const bool last = i + 1 == stages_.size();
            start_sorter(*to, i + 1);
            run_stage(stages_[i], *from, last ? nullptr : to);
            from->clear();
            std::swap(from, to);
            if (!last) from->sort();
        }
        for (; stages_.empty() && from->front() != nullptr; from->pop()) put_out(from->front());
        output_->rewind();
    }

    void run_stage(Stage& stage, RowSorter& from, RowSorter* to) {
        KeptRows kept;
        while (from.front() != nullptr) {
            kept.reset(width_, limit_);
            do {
                if (kept.size() % k_batch_rows == 0) execution_.check_cancelled();
                kept.add(from.front());
                from.pop();
            } while (from.front() != nullptr && stage.same_partition(kept.row(0), from.front()));
            const PartitionRows partition(kept);
            start_partition(stage, partition);
            for (std::size_t i = 0; i < partition.size(); ++i) {
                if (i % k_batch_rows == 0) execution_.check_cancelled();
                pass_on(stage, partition, i, to);
            }
        }
    }

    /// A row with its results goes to where the next window sorts its rows, or out.
    void pass_on(Stage& stage, const PartitionRows& partition, std::size_t i, RowSorter* to) {
        row_arena_.reset();
        results_.clear();
        stage.frames.move_to(i);
        for (WindowCall& call : stage.calls) results_.push_back(value_of(stage, call, partition, i));
        row_.assign(partition.row(i), partition.row(i) + width_);
        for (std::size_t c = 0; c < stage.calls.size(); ++c) row_[stage.calls[c].column] = results_[c];
        if (to == nullptr) return put_out(row_.data());
        for (const std::size_t place : stage.only_here) row_[place] = Value();
        RowStore& rows = to->rows();
        Value* const added = rows.add();
        for (std::size_t c = 0; c < width_; ++c) added[c] = keep_value(row_[c], rows.arena());
        if (rows.bytes() > limit_) to->put_aside();
    }

    void put_out(const Value* row) {
        if (passed_over_ < handed_out_) ++passed_over_;
        else output_->add(row);
    }

    // ---- calls ----

    /// Offsets of frames are computed when there is a row.
    void prepare() {
        if (std::exchange(is_prepared_, true)) return;
        for (Stage& stage : stages_) stage.frames.prepare();
    }

    void start_partition(Stage& stage, const PartitionRows& partition) {
        stage.frames.start(partition);
        for (WindowCall& call : stage.calls) {
            if (call.runner == nullptr) continue;
            call.runner->reset(limit_);
            call.sliding.reset();
            call.group = call.runner->start();
            call.held = Frame();
            call.is_fresh = false;
        }
    }

    /// A value of a row as a result: payloads of rows in files go away.
    Value kept(const Value& value) { return in_files_ ? keep_value(value, row_arena_) : value; }

    Value value_of(Stage& stage, WindowCall& call, const PartitionRows& partition, std::size_t i) {
        if (call.runner != nullptr) return aggregate(stage.frames, call, partition);
        const std::size_t n = partition.size();
        const auto argument = [&](std::size_t which, std::size_t place) -> const Value& {
            return partition.row(place)[call.arguments[which]];
        };
        switch (call.call->function->window) {
            case WindowFunction::row_number: return Value::int8(static_cast<std::int64_t>(i) + 1);
            case WindowFunction::rank: return Value::int8(static_cast<std::int64_t>(stage.frames.peers().begin) + 1);
            case WindowFunction::dense_rank: return Value::int8(static_cast<std::int64_t>(stage.frames.group()) + 1);
            case WindowFunction::percent_rank:
                return Value::float8(n <= 1 ? 0.0 : static_cast<double>(stage.frames.peers().begin) /
                                                        static_cast<double>(n - 1));
            case WindowFunction::cume_dist:
                return Value::float8(static_cast<double>(stage.frames.peers().end) / static_cast<double>(n));
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
                return Value::int4(static_cast<std::int64_t>(bucket) + 1);
            }
            case WindowFunction::lag:
            case WindowFunction::lead: {
                std::int64_t offset = 1;
                if (call.arguments.size() > 1) {
                    const Value& given = argument(1, i);
                    if (given.is_null()) break;
                    offset = given.integer();
                }
                if (call.call->function->window == WindowFunction::lag) offset = -offset;
                const std::int64_t at = static_cast<std::int64_t>(i) + offset;
                if (at >= 0 && at < static_cast<std::int64_t>(n))
                    return kept(argument(0, static_cast<std::size_t>(at)));
                if (call.arguments.size() > 2) return kept(argument(2, i));
                break;
            }
            default: return frame_value(stage.frames, call, partition, i);
        }
        return Value::null(call.call->type);
    }

    /// first_value, last_value, nth_value.
    Value frame_value(WindowFrames& frames, const WindowCall& call, const PartitionRows& partition, std::size_t i) {
        const Frame& frame = frames.frame();
        const std::size_t size = frame.end - frame.begin;
        std::uint64_t wanted = 1;
        const WindowFunction which = call.call->function->window;
        if (which == WindowFunction::nth_value) {
            const Value& given = partition.row(i)[call.arguments[1]];
            if (given.is_null()) return Value::null(call.call->type);
            if (given.integer() <= 0)
                raise(sqlstate::invalid_argument_for_nth_value, "argument of nth_value must be greater than zero");
            wanted = static_cast<std::uint64_t>(given.integer());
        }
        const bool backward = which == WindowFunction::last_value;
        const auto value_at = [&](std::uint64_t number) {
            const std::size_t at = backward ? frame.end - 1 - number : frame.begin + number;
            return kept(partition.row(at)[call.arguments[0]]);
        };
        if (!frames.omits_rows())
            return wanted <= size ? value_at(wanted - 1) : Value::null(call.call->type);
        for (std::uint64_t number = 0; number < size; ++number)
            if (!frames.omits(backward ? frame.end - 1 - number : frame.begin + number) && --wanted == 0)
                return value_at(number);
        return Value::null(call.call->type);
    }

    Value aggregate(WindowFrames& frames, WindowCall& call, const PartitionRows& partition) {
        const Frame& frame = frames.frame();
        AggregateRunner& runner = *call.runner;
        const bool whole = !frames.omits_rows();
        Frame& held = call.held;
        if (call.is_fresh && whole && frame.begin == held.begin && frame.end == held.end) return call.last;
        const auto load = [&](std::size_t place) -> const Value* {
            const Value* const row = partition.row(place);
            if (call.filter != Computed::k_no_filter && !is_true(row[call.filter])) return nullptr;
            for (std::size_t i = 0; i < call.arguments.size(); ++i) call.row[i] = row[call.arguments[i]];
            return call.row.data();
        };
        call.finish_arena.reset();
        if (whole && runner.can_slide() && (call.sliding != nullptr || (call.is_fresh && frame.begin > held.begin))) {
            if (call.sliding == nullptr || frame.begin < held.begin || frame.end < held.end)
                call.sliding = std::make_unique<SlidingAggregate>(runner);
            keep_last(call, call.sliding->value(frame.begin, frame.end, load, call.finish_arena));
            held = frame;
            return call.last;
        }
        const bool grows = whole && frame.begin >= held.begin && frame.end >= held.end &&
                           (frame.begin == held.begin || (runner.can_invert() && frame.begin <= held.end));
        if (!grows) {
            runner.reset(limit_);
            call.group = runner.start();
            held = {frame.begin, frame.begin};
        }
        for (; held.begin < frame.begin; ++held.begin)
            if (const Value* const row = load(held.begin)) runner.invert(call.group, row);
        for (; held.end < frame.end; ++held.end)
            if (!frames.omits(held.end))
                if (const Value* const row = load(held.end)) runner.step(call.group, row);
        keep_last(call, runner.finish(call.group, call.finish_arena));
        return call.last;
    }

    /// The result of a frame is that of all rows with this frame.
    void keep_last(WindowCall& call, const Value& value) {
        if (in_files_) call.last_arena.reset();
        call.last = keep_value(value, in_files_ ? call.last_arena : sorter_.rows().arena());
        call.is_fresh = true;
    }

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Operator> input_;
    std::size_t width_ = 0;          // of kept rows
    std::vector<Computed> computed_;   // values behind their columns; those of filters come before what they filter
    std::vector<Stage> stages_;      // in the order in which they run
    std::size_t limit_ = 0;
    RowSorter sorter_;               // has the rows of the input
    StoreReader reader_;
    std::size_t wanted_ = 0;         // rows of the input that are to be read
    bool ended_ = false;             // the input has
    std::size_t known_ = 0;          // so many rows will not change, whatever comes
    std::size_t handed_out_ = 0;     // of them
    bool is_prepared_ = false;
    bool in_files_ = false;
    std::unique_ptr<SpillFile> output_;  // null: the rows are in memory
    std::size_t passed_over_ = 0;        // rows that were handed out before
    std::vector<Value> row_, results_;
    Arena row_arena_, computed_arena_;
    std::vector<std::uint32_t> every_, chosen_;
    Batch batch_;
};

}  // namespace operators_window

std::unique_ptr<Operator> make_window(Plan& plan, Execution& execution) {
    return std::make_unique<operators_window::Window>(plan, execution);
}

}  // namespace northstar::inline v0::sql
