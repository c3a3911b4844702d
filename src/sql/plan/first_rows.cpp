#include "sql/plan/first_rows.hpp"

#include "sql/plan/access_path.hpp"
#include "sql/plan/read_point.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace first_rows {

/// Does every row that the plan reads in an order come out of it? Then those in front are stepped over in the tree.
bool steps_over_rows(const Plan& plan) {
    if (plan.kind == PlanKind::sort || plan.kind == PlanKind::project) return steps_over_rows(*plan.left);
    if (plan.kind != PlanKind::scan || plan.point == nullptr || plan.point->past || plan.versions.present ||
        plan.sample >= 0)
        return false;
    Plan narrowed = plan;
    drop_met_conditions(narrowed);
    return narrowed.conditions.empty();
}

}  // namespace first_rows

double rows_wanted(const Plan& limit) {
    constexpr double k_usual = 100;  // of what is known when the statement runs
    const auto is_null = [](const BoundExpr& count) {
        return count.kind == BoundKind::constant && count.value.is_null();
    };
    if (limit.limit == nullptr || is_null(*limit.limit)) return 0;
    const Plan* below = limit.left;
    if (below->kind != PlanKind::sort) {
        while (below->kind == PlanKind::project || below->kind == PlanKind::filter ||
               below->kind == PlanKind::lock_rows)
            below = below->left;
        if (below->kind == PlanKind::sort) return 0;
    }
    double rows = 0;
    for (const BoundExpr* count : {limit.limit, limit.offset}) {
        if (count == nullptr || is_null(*count)) continue;
        rows += count->kind == BoundKind::constant ? static_cast<double>(count->value.integer()) : k_usual;
    }
    return std::max(1.0, rows);
}

double rows_paid_for(const Plan& limit, double wanted) {
    constexpr double k_steps = 32;  // entries that are stepped over while one row is read
    if (limit.offset == nullptr || limit.offset->kind != BoundKind::constant || limit.offset->value.is_null() ||
        !first_rows::steps_over_rows(*limit.left))
        return wanted;
    const double skipped = std::clamp(static_cast<double>(limit.offset->value.integer()), 0.0, wanted);
    return wanted - skipped + skipped / k_steps;
}

void tell_scan(const Plan& limit) {
    if (limit.limit == nullptr || limit.limit->kind != BoundKind::constant || limit.limit->value.is_null()) return;
    Plan* scan = limit.left;
    const auto hands_on_early = [](const Plan& plan) {
        switch (plan.kind) {
            case PlanKind::project:
            case PlanKind::lock_rows: return true;
            case PlanKind::join: return plan.lateral;
            case PlanKind::window:
            case PlanKind::distinct: return plan.in_order;
            case PlanKind::aggregate: return !plan.ordered_groups.empty();
            case PlanKind::sort: return plan.ordered_keys > 0;
            default: return false;
        }
    };
    while (hands_on_early(*scan)) scan = scan->left;
    const std::int64_t rows = limit.limit->value.integer();
    constexpr std::int64_t k_most = 1000;
    if (scan->kind != PlanKind::scan || rows <= 0) return;
    AccessPath& path = scan->access;
    path.first_rows = static_cast<std::uint32_t>(std::min(rows, k_most));
    // A list that goes on behind its last row begins with that row.
    if (!path.low_rest.empty() || !path.high_rest.empty()) ++path.first_rows;
}

}  // namespace northstar::inline v0::sql
