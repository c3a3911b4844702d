#include "sql/plan/conditions_below.hpp"

#include "sql/plan/walk.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::sql {

namespace conditions_below {

bool has_column(const std::vector<BoundExpr*>& list, ColumnId id) {
    return std::any_of(list.begin(), list.end(), [&](const BoundExpr* expr) {
        return expr->kind == BoundKind::column && expr->column == id;
    });
}

}  // namespace conditions_below

bool passes(const Plan& project, BoundExpr* condition) {
    if (is_volatile(condition)) return false;
    for (const ColumnId id : used_columns(condition)) {
        for (const PlanColumn& column : project.columns)
            if (column.id == id && (column.expr->kind != BoundKind::column || column.expr->column != id)) return false;
    }
    return true;
}

BoundExpr* moved_below(const Plan& project, BoundExpr* condition, BoundPool& pool) {
    if (is_volatile(condition) || has_subquery(condition)) return nullptr;
    std::vector<ColumnId> from, to;
    const ColumnSet used = used_columns(condition);
    for (const PlanColumn& column : project.columns) {
        if (used.count(column.id) == 0) continue;
        if (column.expr->kind != BoundKind::column) return nullptr;
        from.push_back(column.id);
        to.push_back(column.expr->column);
    }
    return renamed(*condition, from, to, pool);
}

bool selects_whole_sets(const Plan& plan, BoundExpr* condition) {
    using conditions_below::has_column;
    if (is_volatile(condition) || has_subquery(condition)) return false;
    const ColumnSet used = used_columns(condition);
    return std::all_of(used.begin(), used.end(), [&](ColumnId id) {
        // Columns of rows further out are the same for all rows.
        if (std::find(plan.output.begin(), plan.output.end(), id) == plan.output.end()) return true;
        if (plan.kind == PlanKind::distinct) return has_column(plan.distinct_on, id);
        return std::all_of(plan.windows.begin(), plan.windows.end(), [&](const WindowDefinition& window) {
            return has_column(window.partition, id);
        });
    });
}

}  // namespace northstar::inline v0::sql
