// From plan nodes to operators, and running a plan to its end.
#include "sql/execute/operators.hpp"

#include "sql/execute/spill_file.hpp"
#include "sql/plan/walk.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <chrono>

namespace northstar::inline v0::sql {

namespace build_file {

std::unique_ptr<Operator> make_operator(Plan& plan, Execution& execution) {
    switch (plan.kind) {
        case PlanKind::single: return make_single(plan, execution);
        case PlanKind::values: return make_values(plan, execution);
        case PlanKind::scan: return plan.versions.present ? make_stored_rows(plan, execution)
                                                          : make_scan(plan, execution);
        case PlanKind::function_scan: return make_function_scan(plan, execution);
        case PlanKind::virtual_scan:
        case PlanKind::cte_scan:
        case PlanKind::working_scan: return make_stored_rows(plan, execution);
        case PlanKind::filter: return make_filter(plan, execution);
        case PlanKind::project: return make_project(plan, execution);
        case PlanKind::project_set: return make_project_set(plan, execution);
        case PlanKind::join: return make_join(plan, execution);
        case PlanKind::aggregate: return make_aggregate(plan, execution);
        case PlanKind::window: return make_window(plan, execution);
        case PlanKind::sort: return make_sort(plan, execution);
        case PlanKind::limit: return make_limit(plan, execution);
        case PlanKind::distinct: return make_distinct(plan, execution);
        case PlanKind::lock_rows: return make_lock_rows(plan, execution);
        case PlanKind::set_operation: return make_set_operation(plan, execution);
        case PlanKind::recursive_union: return make_recursive_union(plan, execution);
    }
    raise(sqlstate::internal_error, "a plan of unknown kind was run");
}

class Measured final : public Operator {
public:
    Measured(std::unique_ptr<Operator> op, OperatorActuals& actuals) : op_(std::move(op)), actuals_(actuals) {
        columns_ = op_->columns();
    }
    void open() override {
        ++actuals_.loops;
        first_ = true;
        timed(false, [&] { op_->open(); });
    }
    Batch* next() override {
        Batch* batch = nullptr;
        timed(true, [&] { batch = op_->next(); });
        actuals_.refused += op_->take_refused();
        if (batch != nullptr) actuals_.rows += batch->count;
        return batch;
    }
    std::optional<std::uint64_t> take_count() override {
        std::optional<std::uint64_t> count;
        timed(true, [&] { count = op_->take_count(); });
        actuals_.rows += count.value_or(0);
        return count;
    }
    std::uint64_t skip(std::uint64_t rows) override {
        std::uint64_t skipped = 0;
        timed(true, [&] { skipped = op_->skip(rows); });
        actuals_.rows += skipped;
        return skipped;
    }
    void want_of_each_member(std::uint64_t rows) override { op_->want_of_each_member(rows); }
    void want_first(std::size_t rows, const std::vector<SortKey>& keys) override { op_->want_first(rows, keys); }
    void accept_bound(const KeyBound& bound, ColumnId column) override { op_->accept_bound(bound, column); }
    bool accept(const KeyFilter& filter, const std::vector<ColumnId>& columns) override {
        return op_->accept(filter, columns);
    }

private:
    /// Up to and with the first rows the time is that of starting, too. A statement runs in one thread.
    template <class Work>
    void timed(bool makes_rows, Work&& work) {
        const std::uint64_t put_aside = bytes_put_aside();
        const auto begin = std::chrono::steady_clock::now();
        work();
        const auto nanos = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count());
        actuals_.total_nanos += nanos;
        actuals_.put_aside += bytes_put_aside() - put_aside;
        if (first_) actuals_.startup_nanos += nanos;
        if (makes_rows) first_ = false;
    }

    std::unique_ptr<Operator> op_;
    OperatorActuals& actuals_;
    bool first_ = true;
};

/// Where the columns wanted stand in what an operator makes.
std::vector<std::size_t> places_of(const std::vector<ColumnId>& wanted, const std::vector<ColumnId>& columns) {
    std::vector<std::size_t> places;
    for (const ColumnId id : wanted)
        places.push_back(static_cast<std::size_t>(std::find(columns.begin(), columns.end(), id) - columns.begin()));
    return places;
}

}  // namespace build_file

std::unique_ptr<Operator> measured(std::unique_ptr<Operator> op, const Plan& plan, Execution& execution) {
    PlanActuals* const actuals = execution.host().actuals();
    if (actuals == nullptr) return op;
    return std::make_unique<build_file::Measured>(std::move(op), (*actuals)[&plan]);
}

std::unique_ptr<Operator> build_operator(Plan& plan, Execution& execution) {
    return measured(build_file::make_operator(plan, execution), plan, execution);
}

namespace build_file {

template <class Rows>
void run(Plan& plan, const std::vector<ColumnId>& wanted, Execution& execution, Rows& rows) {
    const std::unique_ptr<Operator> root = build_operator(plan, execution);
    const std::vector<std::size_t> places = places_of(wanted, root->columns());
    root->open();
    while (const Batch* batch = root->next()) rows.add(*batch, places);
}

}  // namespace build_file

void run_plan(Plan& plan, const std::vector<ColumnId>& wanted, Execution& execution, RowStore& rows) {
    build_file::run(plan, wanted, execution, rows);
}
void run_plan(Plan& plan, const std::vector<ColumnId>& wanted, Execution& execution, KeptRows& rows) {
    build_file::run(plan, wanted, execution, rows);
}

PlanRun::PlanRun(Plan& plan, const std::vector<ColumnId>& wanted, Session& session, ExecutionHost& host,
                 const std::vector<Value>& parameters)
    : execution_(session, host, parameters), snapshot_(host.reads_snapshot()), root_(build_operator(plan, execution_)),
      places_(build_file::places_of(wanted, root_->columns())) {}

bool PlanRun::run(RowStore& rows) {
    root_->open();
    while (const Batch* batch = root_->next()) rows.add(*batch, places_);
    return root_->finish_run();
}

bool Execution::is_same(const Value& a, const Value& b) const {
    if (a.is_null() || b.is_null()) return a.is_null() == b.is_null();
    if (a.type() != b.type()) return false;
    return a.form() == Form::integer ? a.integer() == b.integer()
           : a.form() == Form::bytes ? a.bytes() == b.bytes()
                                     : value_to_text(a, session_) == value_to_text(b, session_);
}

bool Execution::is_current(const CommonTablePlan& table, const Shared& shared) {
    for (std::size_t i = 0; i < table.outer.size(); ++i)
        if (!is_same(cell(table.outer[i]), shared.outer[i])) return false;
    return true;
}

Execution::Shared& Execution::shared(CommonTablePlan& table) {
    if (!std::exchange(table.outer_known, true) && table.plan != nullptr)
        for (const ColumnId id : free_columns(*table.plan)) table.outer.push_back(id);
    std::unique_ptr<Shared>& found = shared_[&table];
    if (found == nullptr) found = std::make_unique<Shared>();
    Shared& shared = *found;
    if (std::exchange(shared.started, true) && is_current(table, shared)) return shared;
    shared.outer.clear();
    shared.outer_arena.reset();
    for (const ColumnId id : table.outer) shared.outer.push_back(copy_value(cell(id), shared.outer_arena));
    shared.rows.reset(table.columns.size(), host_.memory_limit());
    if (table.change != nullptr) {
        host_.run_change(*this, *table.change, shared.rows);
        return shared;
    }
    if (shared.source == nullptr) {
        std::vector<ColumnId> wanted;
        for (const OutputColumn& column : table.columns) wanted.push_back(column.id);
        shared.source = build_operator(*table.plan, *this);
        shared.places = build_file::places_of(wanted, shared.source->columns());
    }
    shared.ended = false;
    shared.source->open();
    return shared;
}

KeptRows& Execution::common(CommonTablePlan& table) { return shared(table).rows; }

bool Execution::extend(CommonTablePlan& table) {
    Shared& shared = this->shared(table);
    if (shared.source == nullptr || shared.ended) return false;
    if (const Batch* batch = shared.source->next()) {
        shared.rows.add(*batch, shared.places);
        return true;
    }
    shared.ended = true;
    if (table.outer.empty()) shared.source.reset();
    return false;
}

}  // namespace northstar::inline v0::sql
