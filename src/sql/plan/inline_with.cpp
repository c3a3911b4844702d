#include "sql/plan/inline_with.hpp"

#include "sql/plan/prune_columns.hpp"
#include "sql/plan/walk.hpp"

#include <map>
#include <set>

namespace northstar::inline v0::sql {

namespace inline_with {

bool is_recursive(const Plan& plan) {
    return plan.kind == PlanKind::recursive_union || (plan.left != nullptr && is_recursive(*plan.left)) ||
           (plan.right != nullptr && is_recursive(*plan.right));
}

/// Gives columns other numbers wherever the plan makes or uses them.
class Renumbering {
public:
    void add(ColumnId from, ColumnId to) { numbers_[from] = to; }

    void plan(Plan& node) {
        if (!seen_.insert(&node).second) return;
        for (ColumnId& id : node.output) number(id);
        for (PlanColumn& column : node.columns) number(column.id);
        for (PlanColumn& column : node.groups) number(column.id);
        for (ScanColumn& column : node.scan_columns) number(column.id);
        number(node.grouping_id);
        number(node.round);
        each_expr(node, [&](BoundExpr*& expr) { expression(expr); });
        for (IndexTerms& terms : node.index_terms) {
            for (BoundExpr* part : terms.parts) expression(part);
            for (BoundExpr* part : terms.predicate) expression(part);
        }
        if (node.common != nullptr && node.common->plan != nullptr) plan(*node.common->plan);
        if (node.left != nullptr) plan(*node.left);
        if (node.right != nullptr) plan(*node.right);
    }

private:
    void number(ColumnId& id) const {
        if (const auto found = numbers_.find(id); found != numbers_.end()) id = found->second;
    }

    void expression(BoundExpr* expr) {
        walk_expr(expr, [&](BoundExpr& node) {
            number(node.column);
            if (node.subquery != nullptr) plan(*node.subquery);
            return true;
        });
    }

    std::map<ColumnId, ColumnId> numbers_;
    std::set<const Plan*> seen_;
};

}  // namespace inline_with

Plan* inlined_with(const Plan& scan, BoundPool& pool) {
    CommonTablePlan& common = *scan.common;
    if (common.references != 1 || common.plan == nullptr || inline_with::is_recursive(*common.plan) ||
        is_volatile_plan(*common.plan))
        return nullptr;
    inline_with::Renumbering renumbering;
    std::map<ColumnId, ColumnId> first;  // of a column that the query has more than once
    std::vector<PlanColumn> columns;
    for (std::size_t i = 0; i < scan.output.size(); ++i) {
        OutputColumn& made = common.columns[i];
        const auto [found, is_first] = first.emplace(made.id, scan.output[i]);
        if (is_first) renumbering.add(made.id, scan.output[i]);
        BoundExpr* const column = pool.expr(BoundKind::column, made.type);
        column->column = found->second;
        column->typmod = made.typmod;
        column->declared = made.declared;
        columns.push_back({scan.output[i], column});
        made.id = found->second;
    }
    renumbering.plan(*common.plan);
    ++common.references;  // a copy of the scan reads its rows
    Plan* const plan = pool.plan(PlanKind::project);
    plan->left = common.plan;
    plan->output = scan.output;
    plan->columns = std::move(columns);
    plan->rows = common.plan->rows;
    return plan;
}

}  // namespace northstar::inline v0::sql
