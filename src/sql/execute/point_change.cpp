#include "sql/execute/point_change.hpp"

#include "sql/execute/change_target.hpp"
#include "sql/plan/key_range.hpp"
#include "sql/plan/walk.hpp"
#include "sql/key_encoding.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace point_change {

const Index& index_of(const Plan& scan) {
    return scan.relation->indexes[static_cast<std::size_t>(scan.access.index)];
}

/// Does the scan look one row up by its whole primary key? A subquery keeps answers from one row to the next, and would
/// keep them from one run to the next.
bool is_look_up(const Plan& scan) {
    if (scan.kind != PlanKind::scan || scan.point == nullptr || scan.point->past || scan.versions.present ||
        scan.sample >= 0 || scan.access.index < 0)
        return false;
    const Index& index = index_of(scan);
    if (!index.holds_rows() || scan.access.equal.size() != index.columns.size() ||
        scan.access.low != nullptr || scan.access.high != nullptr || any_subquery(scan.access.equal) ||
        any_subquery(scan.conditions))
        return false;
    for (std::size_t i = 0; i < index.columns.size(); ++i)
        if (!has_bytes_of(scan.relation->columns[static_cast<std::size_t>(index.columns[i].column)].type,
                          scan.access.equal[i]->type))
            return false;
    return std::all_of(scan.scan_columns.begin(), scan.scan_columns.end(), [](const ScanColumn& column) {
        return column.place >= 0 || column.place == hidden_row_key || column.place == hidden_table_oid;
    });
}

}  // namespace point_change

/// What is kept from one run to the next.
struct PointChange::Ready {
    Ready(BoundChange& change, const std::vector<ColumnId>& columns, Session& session, ExecutionHost& host,
          WriteAccess& access, const std::vector<Value>& parameters)
        : execution(session, host, parameters), runner(execution, access),
          target(change, columns, execution, access) {}

    /// A parameter or a constant is itself; everything else is evaluated.
    struct Item {
        BoundExpr* expr = nullptr;
        std::unique_ptr<Evaluator> evaluator;
    };
    Item item(BoundExpr* expr) {
        const bool plain = expr->kind == BoundKind::parameter || expr->kind == BoundKind::constant;
        return {expr, plain ? nullptr : std::make_unique<Evaluator>(*expr, std::vector<ColumnId>{}, execution)};
    }
    Value value(Item& item) {
        if (item.expr->kind == BoundKind::parameter) return execution.parameter(item.expr->number);
        if (item.expr->kind == BoundKind::constant) return item.expr->value;
        return item.evaluator->evaluate(target.arena);
    }

    Execution execution;
    ChangeRunner runner;
    ChangeRunner::Target target;
    std::vector<std::vector<Item>> rows;    // INSERT: the values of each
    std::vector<Item> key;                  // UPDATE, DELETE: columns of the primary key
    std::unique_ptr<Conditions> conditions; // where the key is not all that is asked for
    std::string key_bytes;
    std::vector<std::uint32_t> selected;
};

bool PointChange::fits(const BoundChange& change) {
    using namespace point_change;
    if (!change.heirs.empty() || change.leads_through_partitions() || change.partition_check != nullptr) return false;
    if (change.redact || change.portion.present || any_subquery(change.assignments) ||
        any_subquery(change.returning) || any_subquery(change.conflict_assignments) ||
        any_subquery(change.conflict_where) || any_subquery(change.view_checks) ||
        std::any_of(change.conflict_shown.begin(), change.conflict_shown.end(),
                    [](const auto& shown) { return has_subquery(shown.second); }))
        return false;
    const Plan& source = *change.source;
    switch (change.kind) {
        case ChangeKind::insert:
            if (source.kind == PlanKind::single) return true;
            return source.kind == PlanKind::values &&
                   std::none_of(source.value_rows.begin(), source.value_rows.end(),
                                [](const std::vector<BoundExpr*>& row) { return any_subquery(row); });
        case ChangeKind::update:
        case ChangeKind::erase: return is_look_up(source);
        case ChangeKind::merge: return false;
    }
    return false;
}

PointChange::PointChange(BoundChange& change, Session& session, ExecutionHost& host, WriteAccess& access)
    : change_(change), session_(session), host_(host), access_(access) {}

PointChange::~PointChange() = default;

ChangeRunner& PointChange::runner() { return ready_->runner; }

void PointChange::make_ready(const std::vector<Value>& parameters) {
    Plan& source = *change_.source;
    std::vector<ColumnId> columns = source.output;
    if (source.kind == PlanKind::scan) {
        columns.clear();
        for (const ScanColumn& column : source.scan_columns) columns.push_back(column.id);
    }
    auto made = std::make_unique<Ready>(change_, columns, session_, host_, access_, parameters);
    for (const std::vector<BoundExpr*>& row : source.value_rows) {
        made->rows.emplace_back();
        for (BoundExpr* expr : row) made->rows.back().push_back(made->item(expr));
    }
    if (source.kind == PlanKind::scan) {
        for (BoundExpr* expr : source.access.equal) made->key.push_back(made->item(expr));
        if (!source.conditions.empty())
            made->conditions = std::make_unique<Conditions>(source.conditions, columns, made->execution);
    }
    ready_ = std::move(made);
}

std::uint64_t PointChange::run(const std::vector<Value>& parameters, RowStore& returned) {
    if (ready_ == nullptr) make_ready(parameters);
    Ready& ready = *ready_;
    ready.execution.set_parameters(parameters);
    ready.target.start_again();
    KeptRows kept(std::move(returned));
    ready.target.returned = &kept;
    ready.target.writer->renew();
    ready.runner.start_again(access_.transaction_number());
    if (change_.kind == ChangeKind::insert) add_rows();
    else find_row();
    ready.runner.apply(change_, ready.target);
    ready.runner.settle();
    returned = kept.release();
    return ready.target.count;
}

void PointChange::add_rows() {
    Ready& ready = *ready_;
    Batch& source = ready.target.kept;
    for (std::vector<Ready::Item>& row : ready.rows)
        for (std::size_t i = 0; i < row.size(); ++i) source.columns[i].push_back(ready.value(row[i]));
    source.count = change_.source->kind == PlanKind::single ? 1 : ready.rows.size();
}

void PointChange::find_row() {
    Ready& ready = *ready_;
    ChangeRunner::Target& target = ready.target;
    const Plan& scan = *change_.source;
    const Index& index = point_change::index_of(scan);
    ready.key_bytes.clear();
    for (std::size_t i = 0; i < ready.key.size(); ++i) {
        Value value = ready.value(ready.key[i]);
        const Column& column = scan.relation->columns[static_cast<std::size_t>(index.columns[i].column)];
        if (value.is_null() || fit_key(value, column.type) != KeyFit::fits) return;
        encode_key(value, index.columns[i].order, ready.key_bytes);
    }
    const std::optional<std::string_view> found = target.writer->rows().get(ready.key_bytes);
    if (!found) return;
    // A copy: the view ends with the write that follows.
    const std::string_view bytes = target.arena.copy(*found);
    const RowLayout& layout = *scan.relation->layout;
    for (std::size_t i = 0; i < scan.scan_columns.size(); ++i) {
        const int place = scan.scan_columns[i].place;
        std::vector<Value>& column = target.kept.columns[i];
        if (place >= 0) column.push_back(layout.column_of(bytes, static_cast<std::size_t>(place), target.arena));
        else if (place == hidden_row_key) column.push_back(Value::bytes(type::bytea, ready.key_bytes));
        else column.push_back(Value::integer(type::regclass, static_cast<std::int64_t>(scan.relation->oid)));
    }
    target.kept.count = 1;
    if (ready.conditions == nullptr) return;
    ready.selected.assign(1, 0);
    ready.conditions->select(target.kept, ready.selected, target.arena);
    if (ready.selected.empty()) target.kept.count = 0;
}

}  // namespace northstar::inline v0::sql
