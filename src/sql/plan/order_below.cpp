#include "sql/plan/order_below.hpp"

#include "sql/plan/index_order.hpp"
#include "sql/plan/walk.hpp"
#include "sql/plan/window_order.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace order_below_file {

std::optional<std::vector<SortKey>> order_of_windows(const Plan& plan, const FirstRows& wanted) {
    const std::optional<std::vector<SortKey>> own = keys_of_windows(plan);
    if (!own || !is_known_early(plan)) return std::nullopt;
    if (begins(wanted.keys, *own)) return own;
    const bool above = std::any_of(wanted.keys.begin(), wanted.keys.end(), [&](const SortKey& key) {
        const ColumnSet used = used_columns(key.expr);
        return std::any_of(plan.columns.begin(), plan.columns.end(),
                           [&](const PlanColumn& column) { return used.count(column.id) != 0; });
    });
    return above || !begins(*own, wanted.keys) ? std::nullopt : std::optional(wanted.keys);
}

/// The group that a key of the output is; none: the number of groups.
std::size_t group_of(const Plan& aggregate, const SortKey& key) {
    const auto found = std::find_if(aggregate.groups.begin(), aggregate.groups.end(), [&](const PlanColumn& group) {
        return key.expr->kind == BoundKind::column && key.expr->column == group.id;
    });
    return static_cast<std::size_t>(found - aggregate.groups.begin());
}

std::optional<std::vector<SortKey>> order_of_groups(const Plan& plan, const FirstRows& wanted) {
    if (!plan.grouping_sets.empty() || wanted.keys.empty()) return std::nullopt;
    std::vector<SortKey> keys = wanted.keys;
    for (SortKey& key : keys) {
        const std::size_t group = group_of(plan, key);
        if (group == plan.groups.size()) return std::nullopt;
        key.expr = plan.groups[group].expr;
    }
    return keys;
}

/// Tuples that are equal come one behind the other only where all of their columns are in order.
std::vector<SortKey> order_of_tuples(const Plan& plan, const FirstRows& wanted) {
    std::vector<SortKey> keys = wanted.keys;
    for (BoundExpr* expr : plan.distinct_on) {
        const bool there = std::any_of(keys.begin(), keys.end(),
                                       [&](const SortKey& key) { return same_expr(*key.expr, *expr); });
        if (!there) keys.push_back({expr, false, false});
    }
    return keys;
}

}  // namespace order_below_file

std::optional<std::vector<SortKey>> order_below(const Plan& plan, const FirstRows& wanted) {
    using namespace order_below_file;
    switch (plan.kind) {
        case PlanKind::window: return order_of_windows(plan, wanted);
        case PlanKind::aggregate: return order_of_groups(plan, wanted);
        case PlanKind::distinct: return order_of_tuples(plan, wanted);
        default: return std::nullopt;
    }
}

void read_below_in_order(Plan& plan, const std::vector<SortKey>& order, const FirstRows& wanted, BoundPool& pool) {
    const double made = plan.kind == PlanKind::aggregate ? plan.rows : plan.left->rows;
    if (wanted.rows * k_times_wanted >= made) return;
    const double few = wanted.rows * plan.left->rows / made;
    if (!order.empty() && !read_in_order(*plan.left, order, few)) {
        const std::size_t ordered = read_partly_in_order(*plan.left, order, few);
        if (ordered == 0) return;
        Plan* const sort = pool.plan(PlanKind::sort);
        sort->left = plan.left;
        sort->output = plan.left->output;
        sort->rows = plan.left->rows;
        sort->keys = order;
        sort->ordered_keys = ordered;
        plan.left = sort;
    }
    plan.in_order = true;
    if (plan.kind != PlanKind::aggregate) return;
    for (const SortKey& key : wanted.keys) plan.ordered_groups.push_back(order_below_file::group_of(plan, key));
}

}  // namespace northstar::inline v0::sql
