#include "sql/plan/walk.hpp"

#include "sql/row_format.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace northstar::inline v0::sql {

namespace walk {

struct Columns {
    std::vector<ColumnId> used, made;
    std::set<const CommonTablePlan*> commons;  ///< that were looked into
};

void gather(BoundExpr& expr, std::vector<ColumnId>& used);

void collect(Plan& plan, Columns& columns) {
    auto& [used, made, commons] = columns;
    if (plan.left != nullptr) collect(*plan.left, columns);
    if (plan.right != nullptr) collect(*plan.right, columns);
    if (plan.common != nullptr && plan.common->plan != nullptr && commons.insert(plan.common.get()).second)
        collect(*plan.common->plan, columns);
    made.insert(made.end(), plan.output.begin(), plan.output.end());
    for (const PlanColumn& column : plan.columns) made.push_back(column.id);
    for (const PlanColumn& column : plan.groups) made.push_back(column.id);
    for (const ScanColumn& column : plan.scan_columns) made.push_back(column.id);
    if (plan.grouping_id != k_no_column) made.push_back(plan.grouping_id);
    if (plan.round != k_no_column) (plan.kind == PlanKind::recursive_union ? made : used).push_back(plan.round);
    std::vector<ColumnId>& all = used;
    each_expr(plan, [&](BoundExpr*& expr) { gather(*expr, all); });
}

/// Columns of an expression, some of them more than once.
void gather(BoundExpr& expr, std::vector<ColumnId>& used) {
    const std::size_t before = used.size();
    std::vector<ColumnId> own;  // stand for values that the expression makes
    walk_expr(&expr, [&](BoundExpr& node) {
        if (node.kind == BoundKind::column) used.push_back(node.column);
        if (node.kind == BoundKind::with_value) own.push_back(node.column);
        if (node.subquery != nullptr) {
            const ColumnSet free = free_columns(*node.subquery);
            used.insert(used.end(), free.begin(), free.end());
        }
        return true;
    });
    for (const ColumnId column : own)
        used.erase(std::remove(used.begin() + static_cast<std::ptrdiff_t>(before), used.end(), column), used.end());
}

}  // namespace walk

ColumnSet free_columns(Plan& plan) {
    walk::Columns columns;
    walk::collect(plan, columns);
    const ColumnSet made(columns.made.begin(), columns.made.end());
    std::erase_if(columns.used, [&](ColumnId column) { return made.count(column) != 0; });
    return {columns.used.begin(), columns.used.end()};
}

void used_columns(BoundExpr* expr, ColumnSet& used) {
    std::vector<ColumnId> own;  // stand for values that the expression makes
    walk_expr(expr, [&](BoundExpr& node) {
        if (node.kind == BoundKind::column) used.insert(node.column);
        if (node.kind == BoundKind::with_value) own.push_back(node.column);
        if (node.subquery != nullptr) {
            const ColumnSet free = free_columns(*node.subquery);
            used.insert(free.begin(), free.end());
        }
        return true;
    });
    for (const ColumnId column : own) used.erase(column);
}

ColumnSet used_columns(BoundExpr* expr) {
    ColumnSet used;
    used_columns(expr, used);
    return used;
}

bool produces(const Plan& plan, ColumnId column) {
    return std::find(plan.output.begin(), plan.output.end(), column) != plan.output.end();
}

namespace walk {

/// Compares expressions, and subqueries in them: those have numbers of their own for the columns that they make, which
/// stand for one another where they are made in the same way.
class Likeness {
public:
    bool alike(const BoundExpr& a, const BoundExpr& b) {
        if (a.kind != b.kind || a.type != b.type || a.typmod != b.typmod || a.negated != b.negated ||
            !stands_for(a.column, b.column) || a.number != b.number || a.function != b.function ||
            a.operation != b.operation || a.args.size() != b.args.size() || a.variadic != b.variadic)
            return false;
        if (a.kind == BoundKind::constant) {
            if (a.value.is_null() != b.value.is_null()) return false;
            if (!a.value.is_null()) {
                // Equal is not enough: 1.0 is not 1.00, nor a month 30 days.
                std::string of_a, of_b;
                stored_bytes(a.value, of_a);
                stored_bytes(b.value, of_b);
                if (of_a != of_b) return false;
            }
        }
        if (a.function != nullptr && a.function->volatility == Volatility::changing) return false;
        if (a.subquery != b.subquery &&
            (a.subquery == nullptr || b.subquery == nullptr || !alike(*a.subquery, *b.subquery)))
            return false;
        for (std::size_t i = 0; i < a.args.size(); ++i)
            if (!alike(*a.args[i], *b.args[i])) return false;
        return a.operators == b.operators;
    }

private:
    /// Of the kinds that are compared, what is inside. Others are never alike.
    bool alike(const Plan& a, const Plan& b) {
        if (a.kind != b.kind || !both(a.left, b.left) || !both(a.right, b.right)) return false;
        switch (a.kind) {
            case PlanKind::single: break;
            case PlanKind::scan:
                if (a.relation->oid != b.relation->oid || a.point != b.point || a.versions.present ||
                    b.versions.present || a.sample >= 0 || b.sample >= 0 ||
                    a.scan_columns.size() != b.scan_columns.size())
                    return false;
                for (std::size_t i = 0; i < a.scan_columns.size(); ++i) {
                    if (a.scan_columns[i].place != b.scan_columns[i].place) return false;
                    pair(a.scan_columns[i].id, b.scan_columns[i].id);
                }
                break;
            case PlanKind::cte_scan:
                if (a.output.size() != b.output.size()) return false;
                if (a.common != b.common && !alike(*a.common, *b.common)) return false;
                break;
            case PlanKind::values:
                if (!std::equal(a.value_rows.begin(), a.value_rows.end(), b.value_rows.begin(), b.value_rows.end(),
                                [&](const auto& one, const auto& other) { return all_alike(one, other); }) ||
                    a.output.size() != b.output.size())
                    return false;
                break;
            case PlanKind::set_operation:
                if (a.set != b.set || a.all != b.all || a.output.size() != b.output.size()) return false;
                break;
            case PlanKind::distinct:
                if (!all_alike(a.distinct_on, b.distinct_on)) return false;
                break;
            case PlanKind::filter:
            case PlanKind::project: break;
            case PlanKind::join:
                if (a.join != b.join || a.lateral != b.lateral) return false;
                break;
            case PlanKind::aggregate:
                if (!a.grouping_sets.empty() || !b.grouping_sets.empty()) return false;
                break;
            case PlanKind::sort: break;
            case PlanKind::limit:
                if (a.with_ties || b.with_ties || !both(a.limit, b.limit) || !both(a.offset, b.offset)) return false;
                break;
            default: return false;
        }
        return columns(a.groups, b.groups) && columns(a.columns, b.columns) &&
               all_alike(a.conditions, b.conditions) && keys(a.keys, b.keys) && outputs(a, b);
    }

    /// WITH queries that only read, and not themselves.
    bool alike(const CommonTablePlan& a, const CommonTablePlan& b) {
        return a.change == nullptr && b.change == nullptr && both(a.plan, b.plan);
    }

    template <class Part>
    bool both(const Part* a, const Part* b) {
        return (a == nullptr) == (b == nullptr) && (a == nullptr || alike(*a, *b));
    }

    bool columns(const std::vector<PlanColumn>& a, const std::vector<PlanColumn>& b) {
        if (a.size() != b.size()) return false;
        for (std::size_t i = 0; i < a.size(); ++i) {
            const CallClauses* const of_a = a[i].expr->clauses;
            const CallClauses* const of_b = b[i].expr->clauses;
            if (of_a != nullptr && of_b != nullptr &&
                (of_a->distinct != of_b->distinct || of_a->star != of_b->star || of_a->window >= 0 ||
                 of_b->window >= 0 || of_a->direct_count != of_b->direct_count || !both(of_a->filter, of_b->filter) ||
                 !keys(of_a->order, of_b->order)))
                return false;
            if ((of_a == nullptr) != (of_b == nullptr) || !alike(*a[i].expr, *b[i].expr)) return false;
            pair(a[i].id, b[i].id);
        }
        return true;
    }

    bool all_alike(const std::vector<BoundExpr*>& a, const std::vector<BoundExpr*>& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                          [&](const BoundExpr* one, const BoundExpr* other) { return alike(*one, *other); });
    }

    bool keys(const std::vector<SortKey>& a, const std::vector<SortKey>& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const SortKey& one, const SortKey& other) {
            return one.descending == other.descending && one.nulls_first == other.nulls_first &&
                   alike(*one.expr, *other.expr);
        });
    }

    bool outputs(const Plan& a, const Plan& b) {
        if (a.kind == PlanKind::cte_scan || a.kind == PlanKind::values || a.kind == PlanKind::set_operation)
            for (std::size_t i = 0; i < a.output.size(); ++i) pair(a.output[i], b.output[i]);
        return std::equal(a.output.begin(), a.output.end(), b.output.begin(), b.output.end(),
                          [&](ColumnId one, ColumnId other) { return stands_for(one, other); });
    }

    void pair(ColumnId a, ColumnId b) {
        if (a != b) pairs_[a] = b;
    }

    bool stands_for(ColumnId a, ColumnId b) const {
        const auto found = pairs_.find(a);
        return found != pairs_.end() ? found->second == b : a == b;
    }

    std::map<ColumnId, ColumnId> pairs_;
};

}  // namespace walk

bool same_expr(const BoundExpr& a, const BoundExpr& b) { return walk::Likeness().alike(a, b); }

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

bool any_subquery(const std::vector<BoundExpr*>& list) { return std::any_of(list.begin(), list.end(), has_subquery); }

bool any_subquery(const std::vector<ColumnAssignment>& list) {
    return std::any_of(list.begin(), list.end(),
                       [](const ColumnAssignment& assignment) { return has_subquery(assignment.value); });
}

bool any_subquery(Plan& plan) {
    bool found = false;
    each_expr(plan, [&](BoundExpr* expr) { found = found || has_subquery(expr); });
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

BoundExpr* renamed(const BoundExpr& expr, const std::vector<ColumnId>& from, const std::vector<ColumnId>& to,
                   BoundPool& pool) {
    BoundExpr* const made = pool.copy(expr);
    const auto place = std::find(from.begin(), from.end(), made->column);
    if (made->kind == BoundKind::column && place != from.end())
        made->column = to[static_cast<std::size_t>(place - from.begin())];
    for (BoundExpr*& arg : made->args) arg = renamed(*arg, from, to, pool);
    return made;
}

}  // namespace northstar::inline v0::sql
