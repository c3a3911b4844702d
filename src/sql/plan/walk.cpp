#include "sql/plan/walk.hpp"

#include "sql/compare.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace walk {

struct Columns {
    std::set<ColumnId> used, made;
    std::set<const CommonTablePlan*> commons;  ///< that were looked into
};

void collect(Plan& plan, Columns& columns) {
    auto& [used, made, commons] = columns;
    if (plan.left != nullptr) collect(*plan.left, columns);
    if (plan.right != nullptr) collect(*plan.right, columns);
    if (plan.common != nullptr && plan.common->plan != nullptr && commons.insert(plan.common.get()).second)
        collect(*plan.common->plan, columns);
    for (const ColumnId column : plan.output) made.insert(column);
    for (const PlanColumn& column : plan.columns) made.insert(column.id);
    for (const PlanColumn& column : plan.groups) made.insert(column.id);
    for (const ScanColumn& column : plan.scan_columns) made.insert(column.id);
    if (plan.grouping_id != k_no_column) made.insert(plan.grouping_id);
    if (plan.round != k_no_column) (plan.kind == PlanKind::recursive_union ? made : used).insert(plan.round);
    std::set<ColumnId>& all = used;
    each_expr(plan, [&](BoundExpr*& expr) { used_columns(expr, all); });
}

}  // namespace walk

std::set<ColumnId> free_columns(Plan& plan) {
    walk::Columns columns;
    walk::collect(plan, columns);
    std::set<ColumnId> free;
    std::set_difference(columns.used.begin(), columns.used.end(), columns.made.begin(), columns.made.end(),
                        std::inserter(free, free.end()));
    return free;
}

void used_columns(BoundExpr* expr, std::set<ColumnId>& used) {
    walk_expr(expr, [&](BoundExpr& node) {
        if (node.kind == BoundKind::column) used.insert(node.column);
        if (node.subquery != nullptr)
            for (const ColumnId column : free_columns(*node.subquery)) used.insert(column);
        return true;
    });
}

std::set<ColumnId> used_columns(BoundExpr* expr) {
    std::set<ColumnId> used;
    used_columns(expr, used);
    return used;
}

bool produces(const Plan& plan, ColumnId column) {
    return std::find(plan.output.begin(), plan.output.end(), column) != plan.output.end();
}

bool same_expr(const BoundExpr& a, const BoundExpr& b) {
    if (a.kind != b.kind || a.type != b.type || a.typmod != b.typmod || a.negated != b.negated ||
        a.column != b.column || a.number != b.number || a.function != b.function || a.operation != b.operation ||
        a.subquery != b.subquery || a.args.size() != b.args.size() || a.variadic != b.variadic)
        return false;
    if (a.kind == BoundKind::constant) {
        if (a.value.is_null() != b.value.is_null()) return false;
        if (!a.value.is_null()) {
            if (a.type == type::unknown || a.type == type::jsonpath) return a.value.bytes() == b.value.bytes();
            if (a.type == type::json || !equal_values(a.value, b.value)) return false;
        }
    }
    if (a.function != nullptr && a.function->volatility == Volatility::changing) return false;
    for (std::size_t i = 0; i < a.args.size(); ++i)
        if (!same_expr(*a.args[i], *b.args[i])) return false;
    return a.operators == b.operators;
}

bool is_volatile(BoundExpr* expr) {
    bool found = false;
    walk_expr(expr, [&](BoundExpr& node) {
        if (node.function != nullptr && node.function->volatility == Volatility::changing) found = true;
        if (node.operation != nullptr && node.operation->volatility == Volatility::changing) found = true;
        if (node.kind == BoundKind::sequence_next) found = true;
        return !found;
    });
    return found;
}

bool has_subquery(BoundExpr* expr) {
    bool found = false;
    walk_expr(expr, [&](BoundExpr& node) {
        found |= node.subquery != nullptr;
        return !found;
    });
    return found;
}

bool is_constant(BoundExpr* expr) {
    bool constant = true;
    walk_expr(expr, [&](BoundExpr& node) {
        if (node.kind == BoundKind::column || node.kind == BoundKind::parameter || node.subquery != nullptr ||
            node.kind == BoundKind::sequence_next || node.kind == BoundKind::aggregate ||
            node.kind == BoundKind::window || node.kind == BoundKind::set_function ||
            node.kind == BoundKind::default_value)
            constant = false;
        if (node.function != nullptr && node.function->volatility != Volatility::immutable) constant = false;
        return constant;
    });
    return constant;
}

bool reads_as_text(const BoundExpr& expr) {
    return expr.kind == BoundKind::cast && expr.cast.method == CastMethod::relabel && expr.typmod == k_no_typmod &&
           expr.cast.source == type::varchar && expr.type == type::text;
}

const BoundExpr* column_of(const BoundExpr& expr) {
    if (expr.kind == BoundKind::column) return &expr;
    return reads_as_text(expr) && expr.args[0]->kind == BoundKind::column ? expr.args[0] : nullptr;
}

bool may_be_record(Oid type) { return type == type::record || type >= k_first_user_oid; }

void split_conjuncts(BoundExpr* expr, std::vector<BoundExpr*>& conjuncts) {
    if (expr == nullptr) return;
    if (expr->kind == BoundKind::conjunction) {
        for (BoundExpr* arg : expr->args) split_conjuncts(arg, conjuncts);
    } else {
        conjuncts.push_back(expr);
    }
}

}  // namespace northstar::inline v0::sql
