// walk.hpp -- visiting and rewriting bound expressions and plans.  Layer: sql.
#pragma once

#include "sql/plan/column_set.hpp"
#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Every node of an expression, parents first; not into subqueries. The visitor may return false to leave out what is
/// below.
template <class Visit>
void walk_expr(BoundExpr* expr, Visit&& visit) {
    if (expr == nullptr || !visit(*expr)) return;
    for (BoundExpr* arg : expr->args) walk_expr(arg, visit);
    if (expr->clauses == nullptr) return;
    walk_expr(expr->clauses->filter, visit);
    for (SortKey& key : expr->clauses->order) walk_expr(key.expr, visit);
}

/// Every expression that stands directly in an operator (a reference to the pointer, which may be replaced).
template <class Visit>
void each_expr(Plan& plan, Visit&& visit) {
    const auto one = [&](BoundExpr*& expr) {
        if (expr != nullptr) visit(expr);
    };
    for (BoundExpr*& expr : plan.conditions) one(expr);
    for (PlanColumn& column : plan.columns) one(column.expr);
    for (PlanColumn& column : plan.groups) one(column.expr);
    for (auto& row : plan.value_rows)
        for (BoundExpr*& expr : row) one(expr);
    const auto of_path = [&](AccessPath& path) {
        for (BoundExpr*& expr : path.equal) one(expr);
        // What the members are compared with is a column that the index has: nobody need read it for their sake.
        for (const PathMembers& list : path.members)
            for (std::size_t i = 1; i < list.condition->args.size(); ++i) one(list.condition->args[i]);
        one(path.low);
        one(path.high);
        for (BoundExpr*& expr : path.low_rest) one(expr);
        for (BoundExpr*& expr : path.high_rest) one(expr);
    };
    of_path(plan.access);
    for (AccessPath& path : plan.united) of_path(path);
    for (Plan::ScanCall& call : plan.calls) one(call.call);
    for (BoundExpr*& expr : plan.history.key) one(expr);
    for (WindowDefinition& window : plan.windows) {
        for (BoundExpr*& expr : window.partition) one(expr);
        for (SortKey& key : window.order) one(key.expr);
        one(window.begin_offset);
        one(window.end_offset);
    }
    for (SortKey& key : plan.keys) one(key.expr);
    for (SortKey& key : plan.tie_keys) one(key.expr);
    one(plan.limit);
    one(plan.offset);
    for (BoundExpr*& expr : plan.distinct_on) one(expr);
    for (RowLock& lock : plan.row_locks) one(lock.table), one(lock.key);
}

/// Columns that a plan uses and does not produce itself, subqueries included: those of rows further out.
ColumnSet free_columns(Plan& plan);
/// Columns that an expression uses, subqueries included.
void used_columns(BoundExpr* expr, ColumnSet& used);
ColumnSet used_columns(BoundExpr* expr);
/// Columns that an operator's subtree makes available to it: the outputs of its children.
bool produces(const Plan& plan, ColumnId column);

/// Equal in meaning: same shape, same columns, same constants. Volatile calls never are.
bool same_expr(const BoundExpr& a, const BoundExpr& b);
bool is_volatile(BoundExpr* expr);
bool has_subquery(BoundExpr* expr);
bool any_subquery(const std::vector<BoundExpr*>& list);
bool any_subquery(const std::vector<ColumnAssignment>& list);
bool any_subquery(Plan& plan);  ///< in an operator itself, not in those below
/// A copy over other columns: to[i] stands where from[i] did. Not of subqueries.
BoundExpr* renamed(const BoundExpr& expr, const std::vector<ColumnId>& from, const std::vector<ColumnId>& to,
                   BoundPool& pool);
bool is_constant(BoundExpr* expr);  ///< no columns, parameters, subqueries or volatile calls

/// The column that an expression is, or reads as text where it is a varchar: both have the same bytes and order. Null:
/// it is something else.
const BoundExpr* column_of(const BoundExpr& expr);
/// A varchar that is read as text.
bool reads_as_text(const BoundExpr& expr);

/// Are there values of the type whose fields may all be NULL, which IS NULL is true of?
bool may_be_record(Oid type);

/// Splits AND into conjuncts.
void split_conjuncts(BoundExpr* expr, std::vector<BoundExpr*>& conjuncts);

}  // namespace northstar::inline v0::sql
