#include "sql/plan/locked_rows.hpp"

#include "sql/error.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace northstar::inline v0::sql {

namespace locked_rows {

/// Does a join make NULLs of a column on its way up from the scan that reads it, and hand them on? `tested` are the
/// columns of conditions above: they may refuse the NULLs in ways that only PostgreSQL's planner finds out.
bool is_nullable(const Plan& plan, ColumnId column, ColumnSet tested) {
    const auto go_on = [&](const Plan& below, ColumnId there) {
        for (BoundExpr* condition : plan.conditions) used_columns(condition, tested);
        return is_nullable(below, there, std::move(tested));
    };
    switch (plan.kind) {
        case PlanKind::project: {
            const auto made = std::find_if(plan.columns.begin(), plan.columns.end(),
                                           [&](const PlanColumn& each) { return each.id == column; });
            if (made == plan.columns.end()) return go_on(*plan.left, column);
            return made->expr->kind == BoundKind::column && go_on(*plan.left, made->expr->column);
        }
        case PlanKind::join: {
            const bool left = produces(*plan.left, column);
            const Plan& side = left ? *plan.left : *plan.right;
            const bool nulls = plan.join == JoinType::full ||
                               (left ? plan.join == JoinType::right
                                     : plan.join == JoinType::left || plan.join == JoinType::anti);
            if (!nulls) return go_on(side, column);
            return std::none_of(side.output.begin(), side.output.end(),
                                [&](ColumnId each) { return tested.count(each) != 0; });
        }
        // Heirs of a table are side by side.
        case PlanKind::set_operation: return false;
        default: return plan.left != nullptr && go_on(*plan.left, column);
    }
}

}  // namespace locked_rows

void refuse_nullable(LockStrength strength) {
    raise(sqlstate::feature_not_supported,
          std::string(clause_name(strength)) + " cannot be applied to the nullable side of an outer join");
}

void check_locked_rows(const Plan& lock_rows) {
    for (const RowLock& lock : lock_rows.row_locks)
        if (!lock.handed_on && locked_rows::is_nullable(*lock_rows.left, lock.key->column, {}))
            refuse_nullable(lock.strength);
}

}  // namespace northstar::inline v0::sql
