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
    const ColumnSet used = used_columns(condition);
    return std::any_of(used.begin(), used.end(), [&](ColumnId id) { return !produces(source, id); });
}

/// Tables, or joins of tables: the same rows whenever they are read.
bool is_of_tables(const Plan& source) {
    if (source.kind == PlanKind::scan) return !source.versions.present && source.sample < 0 && source.point != nullptr;
    if (source.kind == PlanKind::filter)
        return std::none_of(source.conditions.begin(), source.conditions.end(), is_volatile) &&
               is_of_tables(*source.left);
    if (source.kind != PlanKind::join || source.lateral) return false;
    return std::none_of(source.conditions.begin(), source.conditions.end(), is_volatile) &&
           is_of_tables(*source.left) && is_of_tables(*source.right);
}

/// Is there an index that leads from one of the columns to its rows?
bool has_index_for(const Plan& source, const BoundExpr& expr) {
    if (source.kind != PlanKind::scan) {
        return (source.left != nullptr && has_index_for(*source.left, expr)) ||
               (source.right != nullptr && has_index_for(*source.right, expr));
    }
    if (!produces(source, column_of(expr)->column)) return false;
    const int term = term_of(source, expr);
    for (std::size_t i = 0; i < source.relation->indexes.size(); ++i)
        if (!source.relation->indexes[i].partial() && term_of(source, i, 0) == term) return true;
    return false;
}

/// A join may give a key many times more often than a table has rows.
Plan* each_once(Plan& keys, BoundPool& pool) {
    Plan* const distinct = pool.plan(PlanKind::distinct);
    distinct->left = &keys;
    distinct->output = keys.output;
    distinct->rows = keys.rows;
    for (const PlanColumn& column : keys.columns) {
        BoundExpr* const key = pool.expr(BoundKind::column, column.expr->type);
        key->column = column.id;
        distinct->distinct_on.push_back(key);
    }
    return distinct;
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
    if (inner->kind != PlanKind::filter) return;
    Plan* const source = inner->left;
    if (!is_of_tables(*source) || !free_columns(*source).empty()) return;
    std::vector<Tie> ties;
    std::vector<BoundExpr*> own;
    for (BoundExpr* condition : inner->conditions) {
        if (is_volatile(condition)) return;
        if (!depends_on_others(condition, *source)) {
            own.push_back(condition);
            continue;
        }
        ties.push_back(tie_of(*condition, *source));
        if (ties.back().inner == nullptr || has_index_for(*source, *ties.back().inner)) return;
    }
    if (ties.empty()) return;
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
    BoundExpr* const asked = pool.expr(BoundKind::in_query, type::boolean);
    asked->position = exists.position;
    asked->number = 1;
    for (const Tie& tie : ties) {
        keys->columns.push_back({pool.column(), tie.inner});
        keys->output.push_back(keys->columns.back().id);
        asked->args.push_back(tie.outer);
        asked->operators.push_back(tie.operation);
    }
    asked->subquery = source->kind == PlanKind::scan ? keys : each_once(*keys, pool);
    exists.kind = BoundKind::is_truth;
    exists.number = 1;
    exists.args = {asked};
    exists.subquery = nullptr;
}

}  // namespace northstar::inline v0::sql
