// Operators without state of their own: constants, filters, projections, functions in FROM and in target lists.
#include "sql/execute/operators.hpp"

#include "sql/plan/index_order.hpp"
#include "sql/record.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

namespace northstar::inline v0::sql {

namespace operators_simple {

class Single final : public Operator {
public:
    void open() override { done_ = false; }
    bool finish_run() override { return true; }
    Batch* next() override {
        if (std::exchange(done_, true)) return nullptr;
        batch_.reset(0);
        batch_.count = 1;
        return &batch_;
    }

private:
    bool done_ = false;
    Batch batch_;
};

class Values final : public Operator {
public:
    Values(Plan& plan, Execution& execution) {
        columns_ = plan.output;
        for (auto& row : plan.value_rows) {
            rows_.emplace_back();
            for (BoundExpr* expr : row) rows_.back().emplace_back(*expr, std::vector<ColumnId>{}, execution);
        }
    }
    void open() override { at_ = 0; }
    Batch* next() override {
        if (at_ >= rows_.size()) return nullptr;
        batch_.reset(columns_.size());
        for (; at_ < rows_.size() && batch_.count < k_batch_rows; ++at_, ++batch_.count)
            for (std::size_t i = 0; i < columns_.size(); ++i)
                batch_.columns[i].push_back(rows_[at_][i].evaluate(batch_.arena));
        return &batch_;
    }

private:
    std::vector<std::vector<Evaluator>> rows_;
    std::size_t at_ = 0;
    Batch batch_;
};

class Filter final : public Operator {
public:
    Filter(Plan& plan, Execution& execution)
        : input_(build_operator(*plan.left, execution)),
          conditions_(plan.conditions, input_->columns(), execution) {
        columns_ = input_->columns();
    }
    void open() override { input_->open(); }
    std::uint64_t take_refused() override { return std::exchange(refused_, 0); }
    bool finish_run() override { return input_->finish_run() && conditions_.outlasts_run(); }
    bool accept(const KeyFilter& filter, const std::vector<ColumnId>& columns) override {
        return input_->accept(filter, columns);
    }
    Batch* next() override {
        while (Batch* batch = input_->next()) {
            rows_.resize(batch->count);
            for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] = static_cast<std::uint32_t>(i);
            conditions_.select(*batch, rows_, batch->arena);
            refused_ += batch->count - rows_.size();
            if (rows_.empty()) continue;
            if (rows_.size() < batch->count) batch->keep(rows_);
            return batch;
        }
        return nullptr;
    }

private:
    std::unique_ptr<Operator> input_;
    Conditions conditions_;
    std::vector<std::uint32_t> rows_;
    std::uint64_t refused_ = 0;
};

class Project final : public Operator {
public:
    Project(Plan& plan, Execution& execution) : plan_(plan), input_(build_operator(*plan.left, execution)) {
        for (PlanColumn& column : plan.columns) {
            columns_.push_back(column.id);
            expressions_.emplace_back(*column.expr, input_->columns(), execution);
        }
    }
    void open() override { input_->open(); }
    bool finish_run() override {
        return input_->finish_run() && batch_.arena.size() <= k_kept_bytes &&
               std::all_of(expressions_.begin(), expressions_.end(),
                           [](const Evaluator& expression) { return expression.outlasts_run(); });
    }
    /// What is computed of a row may fail, and does so for one that is passed over as well.
    std::uint64_t skip(std::uint64_t rows) override {
        const bool computes = std::any_of(expressions_.begin(), expressions_.end(),
                                          [](const Evaluator& expression) { return expression.slot() < 0; });
        return computes ? 0 : input_->skip(rows);
    }
    void want_of_each_member(std::uint64_t rows) override { input_->want_of_each_member(rows); }
    void want_first(std::size_t rows, const std::vector<SortKey>& keys) override {
        std::vector<SortKey> below = keys;
        if (move_below(plan_, below)) input_->want_first(rows, below);
    }
    void accept_bound(const KeyBound& bound, ColumnId column) override {
        const auto at = std::find(columns_.begin(), columns_.end(), column) - columns_.begin();
        const int slot = expressions_[static_cast<std::size_t>(at)].slot();
        if (slot >= 0) input_->accept_bound(bound, input_->columns()[static_cast<std::size_t>(slot)]);
    }
    bool accept(const KeyFilter& filter, const std::vector<ColumnId>& columns) override {
        std::vector<ColumnId> below;
        for (const ColumnId id : columns) {
            const auto at = std::find(columns_.begin(), columns_.end(), id) - columns_.begin();
            const int slot = expressions_[static_cast<std::size_t>(at)].slot();
            if (slot < 0) return false;
            below.push_back(input_->columns()[static_cast<std::size_t>(slot)]);
        }
        return input_->accept(filter, below);
    }
    Batch* next() override {
        const Batch* from = input_->next();
        if (from == nullptr) return nullptr;
        batch_.arena.reset();
        batch_.make_room(columns_.size(), from->count);
        const Rows rows{from, every_row(from->count, every_), from->count, true};
        for (std::size_t i = 0; i < expressions_.size(); ++i)
            expressions_[i].evaluate(rows, batch_.columns[i].data(), batch_.arena);
        return &batch_;
    }

private:
    const Plan& plan_;
    std::unique_ptr<Operator> input_;
    std::vector<Evaluator> expressions_;
    std::vector<std::uint32_t> every_;
    Batch batch_;
};

constexpr std::size_t k_portion = 1024;  // rows of a series that are made at once

/// Takes the rows that a set-returning function pushes, behind those that are left out, up to a limit.
class Collector final : public RowSink {
public:
    Collector(RowStore& out, std::size_t width, bool expand, Execution& execution, Arena& arena)
        : out_(out), width_(width), expand_(expand), execution_(execution), arena_(arena) {}
    void restrict(std::size_t omitted, std::size_t limit) {
        omitted_ = omitted;
        limit_ = limit;
    }
    bool is_full() const { return limit_ == 0; }
    bool row(std::span<const Value> values) override {
        if ((++count_ & 0xfff) == 0) execution_.check_cancelled();
        if (omitted_ > 0) {
            --omitted_;
            return true;
        }
        --limit_;
        Value* to = out_.add();
        if (expand_ && values.size() == 1) {
            if (values[0].is_null()) return true;
            const RecordView record(values[0]);
            for (std::size_t i = 0; i < width_ && i < record.size(); ++i)
                if (!record.is_null(i))
                    to[i] = copy_value(record.field(i, arena_), out_.arena());
            return true;
        }
        if (width_ == 1 && values.size() > 1) {
            // A set of several columns used as one value is a record.
            to[0] = copy_value(make_record(type::record, values, arena_), out_.arena());
            return true;
        }
        for (std::size_t i = 0; i < width_ && i < values.size(); ++i) to[i] = copy_value(values[i], out_.arena());
        return !is_full();
    }

private:
    RowStore& out_;
    std::size_t width_;
    bool expand_;
    Execution& execution_;
    Arena& arena_;
    std::size_t count_ = 0, omitted_ = 0, limit_ = std::numeric_limits<std::size_t>::max();
};

/// A set-returning call with the arguments of one row. A series may be longer than memory, so it is made in portions:
/// what follows one of its values is the series that begins with that value, less its first row.
class SetCall {
public:
    SetCall(BoundExpr& call, std::vector<Evaluator>& args, std::size_t width, bool expand, Execution& execution)
        : call_(call), args_(args), width_(width), expand_(expand),
          series_(std::string_view(call.function->name) == "generate_series"), execution_(execution) {}

    void begin(const Batch& batch, std::uint32_t row) {
        arguments_arena_.reset();
        values_.assign(args_.size(), Value());
        types_.clear();
        begun_ = false;
        bool null = false;
        const Rows one{&batch, &row, 1};
        for (std::size_t i = 0; i < args_.size(); ++i) {
            args_[i].evaluate(one, &values_[i], arguments_arena_);
            null |= values_[i].is_null();
            types_.push_back(args_[i].type());
        }
        more_ = !(null && call_.function->strict);
        if (more_ && call_.function->set == nullptr)
            raise(sqlstate::feature_not_supported,
                  std::string("function ") + call_.function->name + " is not supported");
    }
    bool has_more() const { return more_; }
    /// The rows that are left, of a series as many as a portion has.
    void add_to(RowStore& out) {
        execution_.check_cancelled();
        Arena arena;
        Collector sink(out, width_, expand_, execution_, arena);
        if (series_) sink.restrict(begun_ ? 1 : 0, k_portion);
        CallCache cache;
        Call context{arena, execution_.session(), call_.type, call_.typmod, types_, &cache, call_.fields};
        call_.function->set(context, values_.data(), values_.size(), sink);
        begun_ = true;
        more_ = sink.is_full();
        if (!more_) return;
        start_arena_.reset();
        values_[0] = copy_value(out.row(out.size() - 1)[0], start_arena_);
    }
    void add_all(RowStore& out) {
        while (more_) add_to(out);
    }

private:
    BoundExpr& call_;
    std::vector<Evaluator>& args_;
    std::size_t width_;
    bool expand_;
    bool series_;
    Execution& execution_;
    std::vector<Value> values_;
    std::vector<Oid> types_;
    Arena arguments_arena_, start_arena_;
    bool begun_ = false, more_ = false;
};

/// Set-returning calls of a target list: each input row once for each row of the longest set, shorter ones filled up
/// with NULL.
class ProjectSet final : public Operator {
public:
    ProjectSet(Plan& plan, Execution& execution)
        : execution_(execution), input_(build_operator(*plan.left, execution)) {
        columns_ = input_->columns();
        // Calls inside arguments of other calls come first, calls without such arguments among them; each call sees
        // the columns of those before it.
        const std::vector<std::size_t> depths = depths_of(plan.columns);
        std::vector<std::size_t> pending(plan.columns.size());
        std::iota(pending.begin(), pending.end(), std::size_t{0});
        std::stable_sort(pending.begin(), pending.end(),
                         [&](std::size_t a, std::size_t b) { return depths[a] < depths[b]; });
        for (const std::size_t place : pending) {
            const PlanColumn& column = plan.columns[place];
            Item item;
            item.call = column.expr;
            item.depth = depths[place];
            for (BoundExpr* arg : column.expr->args) item.args.emplace_back(*arg, columns_, execution);
            columns_.push_back(column.id);
            items_.push_back(std::move(item));
        }
        if (items_.size() == 1) only_.emplace(*items_[0].call, items_[0].args, 1, false, execution);
    }
    void open() override {
        input_->open();
        from_ = nullptr;
        rows_.reset(columns_.size());
        reader_.start(rows_);
    }
    Batch* next() override {
        for (;;) {
            if (Batch* batch = reader_.next(batch_)) return batch;
            rows_.reset(columns_.size());
            if (from_ == nullptr) {
                from_ = input_->next();
                row_ = 0;
                if (from_ == nullptr) return nullptr;
                if (only_ && from_->count > 0) only_->begin(*from_, 0);
            }
            while (row_ < from_->count && rows_.size() < k_portion) {
                if (!only_) expand(*from_, row_++);
                else expand_only();
            }
            if (row_ == from_->count) from_ = nullptr;
            reader_.start(rows_);
        }
    }

private:
    struct Item {
        BoundExpr* call = nullptr;
        std::vector<Evaluator> args;
        std::size_t depth = 0;
    };

    /// How deep other calls are nested in the arguments of each call.
    static std::vector<std::size_t> depths_of(const std::vector<PlanColumn>& calls) {
        std::vector<std::size_t> depths(calls.size(), 0);
        for (std::size_t round = 0; round < calls.size(); ++round)
            for (std::size_t i = 0; i < calls.size(); ++i) {
                const ColumnSet used = used_columns(calls[i].expr);
                for (std::size_t k = 0; k < calls.size(); ++k)
                    if (used.count(calls[k].id) != 0) depths[i] = std::max(depths[i], depths[k] + 1);
            }
        return depths;
    }

    /// The rows of a call that is alone, or a portion of them.
    void expand_only() {
        set_.clear(1);
        if (only_->has_more()) only_->add_to(set_);
        const std::size_t given = from_->columns.size();
        for (std::size_t k = 0; k < set_.size(); ++k) {
            Value* out = rows_.add();
            for (std::size_t i = 0; i < given; ++i) out[i] = from_->columns[i][row_];
            out[given] = copy_value(set_.row(k)[0], rows_.arena());
        }
        if (!only_->has_more() && ++row_ < from_->count) only_->begin(*from_, static_cast<std::uint32_t>(row_));
    }

    /// Sets in step; those whose arguments hold other sets are expanded for each row of these.
    void expand(const Batch& from, std::size_t row) {
        Batch one;
        one.reset(columns_.size());
        const std::size_t width = from.columns.size();
        for (std::size_t i = 0; i < width; ++i) one.columns[i].push_back(from.columns[i][row]);
        one.count = 1;
        expand_level(one, 0, width);
    }

    void expand_level(const Batch& one, std::size_t first, std::size_t width) {
        if (first == items_.size()) {
            // Those of the input stay where they are until all of this is read: an array may be as long as its set.
            Value* out = rows_.add();
            const std::size_t given = input_->columns().size();
            for (std::size_t i = 0; i < columns_.size(); ++i) {
                if (one.columns[i].empty()) out[i] = Value();
                else out[i] = i < given ? one.columns[i][0] : copy_value(one.columns[i][0], rows_.arena());
            }
            return;
        }
        std::size_t last = first + 1;
        while (last < items_.size() && items_[last].depth == items_[first].depth) ++last;
        std::size_t longest = 0;
        std::vector<RowStore> sets(last - first);
        for (std::size_t i = first; i < last; ++i) {
            sets[i - first].reset(1);
            SetCall call(*items_[i].call, items_[i].args, 1, false, execution_);
            call.begin(one, 0);
            call.add_all(sets[i - first]);
            longest = std::max(longest, sets[i - first].size());
        }
        Batch step;
        for (std::size_t k = 0; k < longest; ++k) {
            step.reset(columns_.size());
            step.count = 1;
            for (std::size_t i = 0; i < width + first; ++i)
                step.columns[i].push_back(one.columns[i].empty() ? Value() : one.columns[i][0]);
            for (std::size_t i = first; i < last; ++i) {
                const RowStore& set = sets[i - first];
                step.columns[width + i].push_back(k < set.size() ? set.row(k)[0]
                                                                 : Value::null(items_[i].call->type));
            }
            expand_level(step, last, width);
        }
    }

    Execution& execution_;
    std::unique_ptr<Operator> input_;
    std::vector<Item> items_;
    std::optional<SetCall> only_;  // where there is one call
    const Batch* from_ = nullptr;  // of the input; the rows made refer to it
    std::size_t row_ = 0;
    RowStore set_;
    RowStore rows_;
    StoreReader reader_;
    Batch batch_;
};

class FunctionScan final : public Operator {
public:
    FunctionScan(Plan& plan, Execution& execution) : plan_(plan), execution_(execution) {
        columns_ = plan.output;
        for (Plan::ScanCall& call : plan.calls) {
            args_.emplace_back();
            if (is_set(*call.call))
                for (BoundExpr* arg : call.call->args)
                    args_.back().emplace_back(*arg, std::vector<ColumnId>{}, execution);
            else
                args_.back().emplace_back(*call.call, std::vector<ColumnId>{}, execution);
        }
        const Plan::ScanCall& first = plan.calls.front();
        if (plan.calls.size() == 1 && is_set(*first.call))
            only_.emplace(*first.call, args_[0], first.column_count, first.expand_record, execution);
    }
    void open() override {
        Batch one;
        one.count = 1;
        number_ = 0;
        if (only_) {
            only_->begin(one, 0);
            return next_portion();
        }
        rows_.reset(columns_.size());
        std::size_t longest = 0;
        std::vector<RowStore> sets;
        Arena arena;
        for (std::size_t i = 0; i < plan_.calls.size(); ++i) {
            Plan::ScanCall& call = plan_.calls[i];
            sets.emplace_back(call.column_count);
            if (is_set(*call.call)) {
                SetCall set(*call.call, args_[i], call.column_count, call.expand_record, execution_);
                set.begin(one, 0);
                set.add_all(sets.back());
            } else {
                add_scalar(call, args_[i][0].evaluate(arena), sets.back(), arena);
            }
            longest = std::max(longest, sets.back().size());
        }
        for (std::size_t k = 0; k < longest; ++k) {
            Value* out = rows_.add();
            std::size_t at = 0;
            for (const RowStore& set : sets)
                for (std::size_t c = 0; c < set.width(); ++c, ++at)
                    if (k < set.size()) out[at] = copy_value(set.row(k)[c], rows_.arena());
            if (plan_.ordinality) out[at] = Value::int8(++number_);
        }
        reader_.start(rows_);
    }
    Batch* next() override {
        for (;;) {
            if (Batch* batch = reader_.next(batch_)) return batch;
            if (!only_ || !only_->has_more()) return nullptr;
            next_portion();
        }
    }

private:
    static bool is_set(const BoundExpr& call) { return call.kind == BoundKind::set_function; }

    void next_portion() {
        rows_.reset(columns_.size());
        if (only_->has_more()) only_->add_to(rows_);
        if (plan_.ordinality)
            for (Value* row : rows_.rows()) row[columns_.size() - 1] = Value::int8(++number_);
        reader_.start(rows_);
    }

    void add_scalar(const Plan::ScanCall& call, const Value& value, RowStore& out, Arena& arena) {
        Value* row = out.add();
        if (!call.expand_record) {
            row[0] = copy_value(value, out.arena());
            return;
        }
        if (value.is_null()) return;
        const RecordView record(value);
        const std::vector<FieldInfo>& defined = call.call->fields;
        if (!defined.empty() && record.size() != call.column_count)
            raise(sqlstate::datatype_mismatch, "function return row and query-specified return row do not match",
                  "Returned row contains " + std::to_string(record.size()) + " attributes, but query expects " +
                      std::to_string(call.column_count) + ".");
        for (std::size_t i = 0; i < call.column_count && i < record.size(); ++i) {
            if (record.is_null(i)) continue;
            const Value field = record.field(i, arena);
            if (i < defined.size() && field.type() != defined[i].type) {
                const TypeCatalog* types = execution_.session().types;
                raise(sqlstate::datatype_mismatch, "function return row and query-specified return row do not match",
                      "Returned type " + format_type(field.type(), k_no_typmod, types) + " at ordinal position " +
                          std::to_string(i + 1) + ", but query expects " +
                          format_type(defined[i].type, k_no_typmod, types) + ".");
            }
            row[i] = copy_value(field, out.arena());
        }
    }

    Plan& plan_;
    Execution& execution_;
    std::vector<std::vector<Evaluator>> args_;
    std::optional<SetCall> only_;  // where there is one call
    std::int64_t number_ = 0;
    RowStore rows_;
    StoreReader reader_;
    Batch batch_;
};

/// Rows that are there already, or are computed at once: WITH queries, working tables, relations of the session.
class StoredRows final : public Operator {
public:
    StoredRows(Plan& plan, Execution& execution) : plan_(plan), execution_(execution) { columns_ = plan.output; }
    void open() override {
        switch (plan_.kind) {
            case PlanKind::cte_scan: kept_.start(execution_.common(*plan_.common)); return;
            case PlanKind::working_scan: kept_.start(*execution_.working_table(plan_.working_table)); return;
            case PlanKind::virtual_scan:
                rows_.reset(columns_.size());
                execution_.host().virtual_rows(execution_, plan_, rows_);
                break;
            default:
                rows_.reset(columns_.size());
                execution_.host().version_rows(execution_, plan_, rows_);
        }
        reader_.start(rows_);
    }
    Batch* next() override {
        const bool kept = plan_.kind == PlanKind::cte_scan || plan_.kind == PlanKind::working_scan;
        Batch* batch = kept ? kept_.next(batch_) : reader_.next(batch_);
        if (plan_.kind == PlanKind::cte_scan)
            while (batch == nullptr && execution_.extend(*plan_.common)) batch = kept_.next(batch_);
        // A branch of several columns may ask for fewer than the store has.
        if (batch != nullptr && batch->columns.size() > columns_.size()) batch->columns.resize(columns_.size());
        return batch;
    }

private:
    Plan& plan_;
    Execution& execution_;
    RowStore rows_;
    StoreReader reader_;
    KeptReader kept_;
    Batch batch_;
};

/// start UNION step: the step runs over the rows that the last round added, until none is added.
class RecursiveUnion final : public Operator {
public:
    RecursiveUnion(Plan& plan, Execution& execution)
        : plan_(plan), execution_(execution), start_(build_operator(*plan.left, execution)),
          step_(build_operator(*plan.right, execution)) {
        columns_ = plan.output;
        width_ = plan.left->output.size();
    }
    void open() override {
        limit_ = execution_.host().memory_limit();
        seen_.reset(width_);
        rows_.reset(width_, limit_);
        start_->open();
        source_ = start_.get();
        reader_.start(rows_);
    }
    Batch* next() override {
        for (;;) {
            if (Batch* batch = reader_.next(batch_)) {
                batch->columns.resize(columns_.size());
                return batch;
            }
            // Rows go out as they come, so that a reader may stop in the middle of a round without end.
            if (source_ != nullptr) {
                if (const Batch* from = source_->next()) take(*from);
                else source_ = nullptr;
                continue;
            }
            if (rows_.size() == 0) return nullptr;
            execution_.check_cancelled();
            working_.reset(width_, limit_);
            std::swap(working_, rows_);
            execution_.working_table(plan_.working_table) = &working_;
            // Counted on through all runs of this union: nothing that was kept of an earlier one is taken for its own.
            Value& round = execution_.cell(plan_.round);
            round = Value::int8(round.is_null() ? 1 : round.integer() + 1);
            step_->open();
            source_ = step_.get();
            reader_.start(rows_);
        }
    }

private:
    void take(const Batch& batch) {
        std::vector<Value> tuple(width_);
        for (std::size_t row = 0; row < batch.count; ++row) {
            if (!plan_.all) {
                bool added = false;
                for (std::size_t i = 0; i < width_; ++i) tuple[i] = batch.columns[i][row];
                seen_.insert(tuple.data(), added);
                if (!added) continue;
            }
            rows_.add(batch, row);
        }
    }

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Operator> start_;
    std::unique_ptr<Operator> step_;
    Operator* source_ = nullptr;  ///< of the two, the one that makes rows now
    std::size_t width_ = 0;
    std::size_t limit_ = 0;
    TupleTable seen_;
    KeptRows rows_;
    KeptRows working_;
    KeptReader reader_;
    Batch batch_;
};

}  // namespace operators_simple

std::unique_ptr<Operator> make_single(Plan&, Execution&) { return std::make_unique<operators_simple::Single>(); }
std::unique_ptr<Operator> make_values(Plan& plan, Execution& execution) {
    return std::make_unique<operators_simple::Values>(plan, execution);
}
std::unique_ptr<Operator> make_filter(Plan& plan, Execution& execution) {
    return std::make_unique<operators_simple::Filter>(plan, execution);
}
std::unique_ptr<Operator> make_project(Plan& plan, Execution& execution) {
    return std::make_unique<operators_simple::Project>(plan, execution);
}
std::unique_ptr<Operator> make_project_set(Plan& plan, Execution& execution) {
    return std::make_unique<operators_simple::ProjectSet>(plan, execution);
}
std::unique_ptr<Operator> make_function_scan(Plan& plan, Execution& execution) {
    return std::make_unique<operators_simple::FunctionScan>(plan, execution);
}
std::unique_ptr<Operator> make_stored_rows(Plan& plan, Execution& execution) {
    return std::make_unique<operators_simple::StoredRows>(plan, execution);
}
std::unique_ptr<Operator> make_recursive_union(Plan& plan, Execution& execution) {
    return std::make_unique<operators_simple::RecursiveUnion>(plan, execution);
}

}  // namespace northstar::inline v0::sql
