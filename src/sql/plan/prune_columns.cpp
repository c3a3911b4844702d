#include "sql/plan/prune_columns.hpp"

#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace prune {

struct Walk {
    std::set<ColumnId> used;
    std::set<const Plan*> seen;
    std::vector<Plan*> scans;

    void outputs(const Plan& plan) { used.insert(plan.output.begin(), plan.output.end()); }

    void expression(BoundExpr* expr) {
        walk_expr(expr, [&](BoundExpr& node) {
            if (node.kind == BoundKind::column) used.insert(node.column);
            if (node.subquery != nullptr) {
                if (node.kind != BoundKind::exists) outputs(*node.subquery);
                plan(*node.subquery);
            }
            return true;
        });
    }

    void plan(Plan& node) {
        if (!seen.insert(&node).second) return;
        if (node.kind == PlanKind::scan) {
            // Versions of rows are made by the session, column by column.
            if (node.versions.present) outputs(node);
            else scans.push_back(&node);
        }
        // What is read by place, not by number.
        if (node.kind == PlanKind::set_operation || node.kind == PlanKind::recursive_union) {
            outputs(*node.left);
            outputs(*node.right);
        }
        if (node.common != nullptr) {
            for (const OutputColumn& column : node.common->columns) used.insert(column.id);
            if (node.common->plan != nullptr) {
                outputs(*node.common->plan);
                plan(*node.common->plan);
            }
        }
        each_expr(node, [&](BoundExpr*& expr) { expression(expr); });
        if (node.left != nullptr) plan(*node.left);
        if (node.right != nullptr) plan(*node.right);
    }
};

}  // namespace prune

void prune_columns(Plan& plan) {
    prune::Walk walk;
    walk.outputs(plan);
    walk.plan(plan);
    for (Plan* scan : walk.scans) {
        auto& columns = scan->scan_columns;
        columns.erase(std::remove_if(columns.begin(), columns.end(),
                                     [&](const ScanColumn& column) { return walk.used.count(column.id) == 0; }),
                      columns.end());
    }
}

}  // namespace northstar::inline v0::sql
