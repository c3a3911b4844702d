#include "sql/plan/exists_members.hpp"

#include "sql/plan/index_terms.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace exists_members {

/// The sides of inner = outer: columns, which have a value for every row.
struct Tie {
    BoundExpr* inner = nullptr;
    BoundExpr* outer = nullptr;
    const OperatorEntry* operation = nullptr;
};

Tie tie_of(const BoundExpr& condition, const Plan& source) {
    if (condition.kind != BoundKind::operation || condition.args.size() != 2 ||
        condition.operation->comparison != Comparison::equal || condition.operation->left != condition.operation->right)
        return {};
    for (std::size_t side = 0; side < 2; ++side) {
        const BoundExpr* const inner = column_of(*condition.args[side]);
        const BoundExpr* const outer = column_of(*condition.args[1 - side]);
        if (inner != nullptr && outer != nullptr && produces(source, inner->column) &&
            !produces(source, outer->column))
            return {condition.args[side], condition.args[1 - side], condition.operation};
    }
    return {};
}

bool depends_on_others(BoundExpr* condition, const Plan& source) {
    const std::set<ColumnId> used = used_columns(condition);
    return std::any_of(used.begin(), used.end(), [&](ColumnId id) { return !produces(source, id); });
}

bool has_index_for(const Plan& scan, const BoundExpr& expr) {
    const int term = term_of(scan, expr);
    for (std::size_t i = 0; i < scan.relation->indexes.size(); ++i)
        if (!scan.relation->indexes[i].partial() && term_of(scan, i, 0) == term) return true;
    return false;
}

}  // namespace exists_members

void ask_for_members(BoundExpr& exists, double rows, BoundPool& pool) {
    using namespace exists_members;
    constexpr double k_worth = 8;  // in times that it is asked
    if (exists.kind != BoundKind::exists || rows < k_worth) return;
    // What is selected does not matter to EXISTS.
    const Plan* inner = exists.subquery;
    while (inner->kind == PlanKind::project) {
        for (const PlanColumn& column : inner->columns)
            if (is_volatile(column.expr) || has_subquery(column.expr)) return;
        inner = inner->left;
    }
    if (inner->kind != PlanKind::filter || inner->left->kind != PlanKind::scan) return;
    Plan* const source = inner->left;
    if (source->versions.present || source->sample >= 0 || source->point == nullptr) return;
    Tie tie;
    std::vector<BoundExpr*> own;
    for (BoundExpr* condition : inner->conditions) {
        if (is_volatile(condition)) return;
        if (!depends_on_others(condition, *source)) {
            own.push_back(condition);
            continue;
        }
        if (tie.inner != nullptr) return;
        tie = tie_of(*condition, *source);
        if (tie.inner == nullptr) return;
    }
    if (tie.inner == nullptr || has_index_for(*source, *tie.inner)) return;
    Plan* members = source;
    if (!own.empty()) {
        members = pool.plan(PlanKind::filter);
        members->left = source;
        members->output = source->output;
        members->rows = source->rows;
        members->conditions = std::move(own);
    }
    Plan* const keys = pool.plan(PlanKind::project);
    keys->left = members;
    keys->rows = members->rows;
    keys->columns = {{pool.column(), tie.inner}};
    keys->output = {keys->columns[0].id};
    BoundExpr* const asked = pool.expr(BoundKind::in_query, type::boolean);
    asked->position = exists.position;
    asked->args = {tie.outer};
    asked->operators = {tie.operation};
    asked->subquery = keys;
    exists.kind = BoundKind::is_truth;
    exists.number = 1;
    exists.args = {asked};
    exists.subquery = nullptr;
}

}  // namespace northstar::inline v0::sql
