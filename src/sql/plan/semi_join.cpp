#include "sql/plan/semi_join.hpp"

#include "sql/plan/access_path.hpp"
#include "sql/plan/first_rows.hpp"
#include "sql/plan/index_terms.hpp"
#include "sql/plan/ties.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

Plan* semi_join(BoundExpr* condition, Plan* outer, BoundPool& pool) {
    const bool negated = condition->kind == BoundKind::negation;
    BoundExpr* const exists = negated ? condition->args[0] : condition;
    if (exists->kind != BoundKind::exists) return nullptr;
    // What is selected does not matter to EXISTS; what else stands above the conditions might.
    Plan* inner = exists->subquery;
    while (inner->kind == PlanKind::project) {
        for (const PlanColumn& column : inner->columns)
            if (is_volatile(column.expr) || has_subquery(column.expr)) return nullptr;
        inner = inner->left;
    }
    if (inner->kind != PlanKind::filter) return nullptr;
    Plan* const source = inner->left;
    if (source->kind != PlanKind::scan && source->kind != PlanKind::join && source->kind != PlanKind::cte_scan)
        return nullptr;
    for (const ColumnId id : free_columns(*source))
        if (produces(*outer, id)) return nullptr;
    std::vector<BoundExpr*> ties, own;
    bool tied = false;
    for (BoundExpr* part : inner->conditions) {
        if (is_volatile(part)) return nullptr;
        if (!uses_any(part, *outer)) {
            own.push_back(part);
            continue;
        }
        if (has_subquery(part)) return nullptr;
        tied = tied || is_tie(part, *outer, *source);
        ties.push_back(part);
    }
    if (!tied) return nullptr;
    Plan* right = source;
    if (!own.empty()) {
        right = pool.plan(PlanKind::filter);
        right->left = source;
        right->output = source->output;
        right->rows = source->rows;
        right->conditions = std::move(own);
    }
    Plan* const join = pool.plan(PlanKind::join);
    join->join = negated ? JoinType::anti : JoinType::semi;
    join->left = outer;
    join->right = right;
    join->output = outer->output;
    join->conditions = std::move(ties);
    join->rows = outer->rows / 2;
    return join;
}

Plan* members_join(BoundExpr* condition, Plan* outer, double wanted, BoundPool& pool) {
    if (condition->kind != BoundKind::in_query || condition->negated || condition->args.size() != 1 ||
        condition->operators[0]->comparison != Comparison::equal || condition->subquery->kind != PlanKind::project)
        return nullptr;
    const Plan* table = outer;
    while (table->kind == PlanKind::join && (table->join == JoinType::semi || table->join == JoinType::anti))
        table = table->left;
    if (table->kind != PlanKind::scan) return nullptr;
    const Plan& members = *condition->subquery;
    const auto member = std::find_if(members.columns.begin(), members.columns.end(), [&](const PlanColumn& column) {
        return column.id == members.output[0];
    });
    if (member == members.columns.end() || column_of(*member->expr) == nullptr) return nullptr;
    Plan* const filter = pool.plan(PlanKind::filter);
    filter->left = members.left;
    if (members.left->kind == PlanKind::filter) {
        filter->left = members.left->left;
        filter->conditions = members.left->conditions;
    }
    const Plan& scan = *filter->left;
    if (scan.kind != PlanKind::scan) return nullptr;
    const int term = term_of(scan, *member->expr);
    bool indexed = false;
    for (std::size_t i = 0; i < scan.relation->indexes.size(); ++i)
        indexed = indexed || (term_of(scan, i, 0) == term && has_all_rows(scan, i));
    if (!indexed) return nullptr;
    // Few members are looked up in the table.
    Plan found = scan;
    found.conditions = filter->conditions;
    choose_access_path(found);
    if (wanted * k_times_wanted >= std::min(found.rows, table->rows)) return nullptr;
    BoundExpr* const equal = pool.expr(BoundKind::operation, type::boolean);
    equal->operation = condition->operators[0];
    equal->args = {condition->args[0], member->expr};
    filter->output = scan.output;
    filter->conditions.push_back(equal);
    BoundExpr exists;
    exists.kind = BoundKind::exists;
    exists.subquery = filter;
    return semi_join(&exists, outer, pool);
}

void become_anti_join(Plan& left_join, std::vector<BoundExpr*>& conditions) {
    const auto wants_no_partner = [&](const BoundExpr* condition) {
        if (condition->kind != BoundKind::is_null || condition->negated) return false;
        const BoundExpr& column = *condition->args[0];
        if (column.kind != BoundKind::column || may_be_record(column.type) ||
            !produces(*left_join.right, column.column))
            return false;
        // What is strict is not true of NULL.
        return std::any_of(left_join.conditions.begin(), left_join.conditions.end(), [&](const BoundExpr* on) {
            return on->kind == BoundKind::operation && on->operation->strict &&
                   std::any_of(on->args.begin(), on->args.end(), [&](const BoundExpr* side) {
                       return side->kind == BoundKind::column && side->column == column.column;
                   });
        });
    };
    if (std::erase_if(conditions, wants_no_partner) > 0) left_join.join = JoinType::anti;
}

}  // namespace northstar::inline v0::sql
