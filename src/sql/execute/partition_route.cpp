#include "sql/execute/partition_route.hpp"

#include "sql/catalog/partition.hpp"

namespace northstar::inline v0::sql {

namespace partition_route {

std::unique_ptr<Evaluator> over_cells(BoundExpr* expr, Execution& execution) {
    return expr == nullptr ? nullptr : std::make_unique<Evaluator>(*expr, std::vector<ColumnId>{}, execution);
}

bool is_true(const Value& value) { return !value.is_null() && value.boolean(); }

}  // namespace partition_route

PartitionRoute::PartitionRoute(const Relation& relation, const PartitionNode& node, Execution& execution)
    : relation_(relation), node_(node), bound_(partition_route::over_cells(node.bound, execution)) {
    for (const auto& [name, check] : node.checks) checks_.push_back(partition_route::over_cells(check, execution));
    for (const PartitionNode& part : node.parts)
        parts_.push_back(std::make_unique<PartitionRoute>(relation, part, execution));
}

std::optional<PartitionRoute::Refusal> PartitionRoute::refusal(const Value* row, Arena& arena) {
    for (const int place : node_.not_null) {
        const Column& column = relation_.columns[static_cast<std::size_t>(place)];
        if (row[place].is_null())
            return Refusal{sqlstate::not_null_violation,
                           "null value in column \"" + column.name + "\" of relation \"" + node_.name +
                               "\" violates not-null constraint",
                           node_.name, "", column.name};
    }
    for (std::size_t i = 0; i < checks_.size(); ++i) {
        const Value holds = checks_[i]->evaluate(arena);
        if (!holds.is_null() && !holds.boolean())
            return Refusal{sqlstate::check_violation,
                           "new row for relation \"" + node_.name + "\" violates check constraint \"" +
                               node_.checks[i].first + "\"",
                           node_.name, node_.checks[i].first, ""};
    }
    if (!node_.divided) return std::nullopt;
    for (const auto& part : parts_)
        if (part->bound_ == nullptr || partition_route::is_true(part->bound_->evaluate(arena)))
            return part->refusal(row, arena);
    return Refusal{sqlstate::check_violation, "no partition of relation \"" + node_.name + "\" found for row",
                   node_.name, "", "", false};
}

PartitionTest::PartitionTest(const Relation& root, Oid partition, Execution& execution, WriteAccess& access)
    : execution_(execution), binder_(access.bind_environment(), pool_, no_parameters_) {
    const Catalog& catalog = *access.bind_environment().present().catalog;
    const auto found = catalog.relation(partition);
    if (found == nullptr) raise(sqlstate::data_corrupted, "table \"" + root.name + "\" lacks a partition");
    // Numbers that neither statements nor TableWriter give to columns.
    for (std::size_t c = 0; c < root.columns.size(); ++c)
        columns_.push_back(0x60000000u + static_cast<ColumnId>(root.oid % 100000) * 1700 + static_cast<ColumnId>(c));
    BoundExpr* bound = binder_.condition(
        binder_.bind_text(partition_condition(catalog, *found), root, columns_, "partition bounds"), "WHERE", 0);
    condition_ = partition_route::over_cells(bound, execution);
}

bool PartitionTest::holds(const Value* row) {
    arena_.reset();
    for (std::size_t c = 0; c < columns_.size(); ++c) execution_.cell(columns_[c]) = row[c];
    return partition_route::is_true(condition_->evaluate(arena_));
}

}  // namespace northstar::inline v0::sql
