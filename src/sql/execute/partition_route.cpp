#include "sql/execute/partition_route.hpp"

#include "sql/catalog/partition.hpp"
#include "sql/compare.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace partition_route {

std::unique_ptr<Evaluator> over_cells(BoundExpr* expr, Execution& execution) {
    return expr == nullptr ? nullptr : std::make_unique<Evaluator>(*expr, std::vector<ColumnId>{}, execution);
}

bool is_true(const Value& value) { return !value.is_null() && value.boolean(); }

/// Comparisons of a bound with constants that its rows begin with, or are equal to.
void starting_comparisons(BoundExpr* bound, std::vector<BoundExpr*>& found) {
    if (bound->kind == BoundKind::conjunction || bound->kind == BoundKind::disjunction) {
        for (BoundExpr* arg : bound->args) starting_comparisons(arg, found);
        return;
    }
    if (bound->kind != BoundKind::operation || bound->args.size() != 2) return;
    const Comparison comparison = bound->operation->comparison;
    const BoundExpr& value = *bound->args[1];
    if ((comparison == Comparison::equal || comparison == Comparison::greater_equal) &&
        value.kind == BoundKind::constant && !value.value.is_null() && value.type == bound->args[0]->type)
        found.push_back(bound);
}

}  // namespace partition_route

PartitionRoute::PartitionRoute(const Relation& relation, const PartitionNode& node, Execution& execution)
    : relation_(relation), node_(node), bound_(partition_route::over_cells(node.bound, execution)) {
    for (const auto& [name, check] : node.checks) checks_.push_back(partition_route::over_cells(check, execution));
    for (const PartitionNode& part : node.parts)
        parts_.push_back(std::make_unique<PartitionRoute>(relation, part, execution));
    find_starts(execution);
}

void PartitionRoute::find_starts(Execution& execution) {
    BoundExpr* key = nullptr;
    for (std::size_t i = 0; i < node_.parts.size(); ++i) {
        std::vector<BoundExpr*> comparisons;
        if (node_.parts[i].bound != nullptr) partition_route::starting_comparisons(node_.parts[i].bound, comparisons);
        for (BoundExpr* comparison : comparisons) {
            if (key == nullptr) key = comparison->args[0];
            if (same_expr(*key, *comparison->args[0])) starts_.push_back({comparison->args[1]->value, i});
        }
    }
    if (key == nullptr) return;
    key_ = partition_route::over_cells(key, execution);
    std::stable_sort(starts_.begin(), starts_.end(), [](const Start& a, const Start& b) {
        return compare_values(a.value, b.value) < 0;
    });
}

/// The partition whose start lies last before the row's key, which its bound is still to be asked about.
std::size_t PartitionRoute::likely_part(Arena& arena) {
    if (key_ == nullptr) return parts_.size();
    const Value key = key_->evaluate(arena);
    if (key.is_null()) return parts_.size();
    const auto behind =
        std::upper_bound(starts_.begin(), starts_.end(), key, [](const Value& value, const Start& start) {
            return compare_values(value, start.value) < 0;
        });
    return behind == starts_.begin() ? parts_.size() : (behind - 1)->part;
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
    if (const std::size_t likely = likely_part(arena); likely < parts_.size())
        if (PartitionRoute& part = *parts_[likely]; partition_route::is_true(part.bound_->evaluate(arena)))
            return part.refusal(row, arena);
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
