#include "sql/plan/union_limit.hpp"

#include "sql/plan/first_rows.hpp"
#include "sql/plan/index_order.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <limits>

namespace northstar::inline v0::sql {

namespace union_limit {

/// How many rows the limit reads at most: what it skips as well. nullptr: that may be another number at each look.
BoundExpr* rows_read(const Plan& limit, BoundPool& pool) {
    if (limit.limit == nullptr || limit.with_ties ||
        (limit.limit->kind != BoundKind::constant && limit.limit->kind != BoundKind::parameter))
        return nullptr;
    if (limit.offset == nullptr) return limit.limit;
    const auto count = [](const BoundExpr& expr) {
        return expr.kind == BoundKind::constant && !expr.value.is_null() && expr.value.type() == type::int8
                   ? expr.value.integer()
                   : -1;
    };
    const std::int64_t wanted = count(*limit.limit), skipped = count(*limit.offset);
    if (wanted < 0 || skipped < 0 || wanted > std::numeric_limits<std::int64_t>::max() - skipped) return nullptr;
    BoundExpr* const both = pool.expr(BoundKind::constant, type::int8);
    both->value = Value::int8(wanted + skipped);
    return both;
}

bool is_concatenation(const Plan& plan) {
    return plan.kind == PlanKind::set_operation && plan.set == SetKind::union_ && plan.all;
}

struct FirstOfBranch {
    BoundExpr* count;
    double few;
    BoundPool& pool;
    Plan* (*for_few)(Plan* sort, double few);

    /// The same keys over the output of a branch.
    std::vector<SortKey> keys_of(const std::vector<SortKey>& keys, const Plan& whole, const Plan& branch) const {
        std::vector<SortKey> own = keys;
        for (SortKey& key : own) key.expr = renamed(*key.expr, whole.output, branch.output, pool);
        return own;
    }

    void limit_both(Plan& all, const std::vector<SortKey>& keys) const {
        for (Plan** const side : {&all.left, &all.right}) {
            const std::vector<SortKey> own = keys_of(keys, all, **side);
            if (is_concatenation(**side)) limit_both(**side, own);
            else *side = limited(*side, own);
        }
        all.rows = all.left->rows + all.right->rows;
    }

    Plan* limited(Plan* branch, const std::vector<SortKey>& keys) const {
        Plan* const sort = pool.plan(PlanKind::sort);
        sort->left = branch;
        sort->output = branch->output;
        sort->rows = branch->rows;
        sort->keys = keys;
        Plan* const limit = pool.plan(PlanKind::limit);
        limit->left = for_few(sort, few);
        limit->output = branch->output;
        limit->limit = count;
        limit->rows = std::min(branch->rows, few);
        tell_scan(*limit);
        return limit;
    }
};

}  // namespace union_limit

void limit_branches(const Plan& limit, Plan& sort, double few, BoundPool& pool,
                    Plan* (*for_few)(Plan* sort, double few)) {
    std::vector<SortKey> keys = sort.keys;
    Plan* below = sort.left;
    while (below->kind == PlanKind::project && move_below(*below, keys)) below = below->left;
    if (!union_limit::is_concatenation(*below)) return;
    if (std::any_of(keys.begin(), keys.end(),
                    [](const SortKey& key) { return has_subquery(key.expr) || is_volatile(key.expr); }))
        return;
    BoundExpr* const count = union_limit::rows_read(limit, pool);
    if (count == nullptr) return;
    union_limit::FirstOfBranch{count, few, pool, for_few}.limit_both(*below, keys);
    sort.rows = below->rows;
}

}  // namespace northstar::inline v0::sql
