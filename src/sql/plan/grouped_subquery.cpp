#include "sql/plan/grouped_subquery.hpp"

#include "sql/plan/selectivity.hpp"
#include "sql/plan/ties.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <string_view>

namespace northstar::inline v0::sql {

namespace grouped_subquery_file {

// In rows of a scan: to start the operators of a subquery, to look a key up, to fetch a row through an index, to put a
// row into its group.
constexpr double k_start = 100, k_look_up = 30, k_fetch = 8, k_group = 3;

/// Can evaluating it fail, for any row?
bool is_safe(const BoundExpr& expr) {
    switch (expr.kind) {
        case BoundKind::column:
        case BoundKind::constant:
        case BoundKind::parameter:
            return true;
        case BoundKind::is_null:
        case BoundKind::case_when:
        case BoundKind::coalesce:
        case BoundKind::conjunction:
        case BoundKind::disjunction:
        case BoundKind::negation:
            break;
        case BoundKind::operation: {
            const std::string_view name = expr.operation->name;
            const bool harmless = name == "+" || name == "-" || name == "*";
            if (expr.operation->comparison != Comparison::none) break;
            if (expr.type != type::numeric || !harmless) return false;
            break;
        }
        default:
            return false;
    }
    return std::all_of(expr.args.begin(), expr.args.end(), [](const BoundExpr* arg) { return is_safe(*arg); });
}

bool is_count(const BoundExpr& call) { return std::string_view(call.function->name) == "count"; }

/// An aggregate that gives NULL, or 0, where there is no row, and that cannot fail.
bool is_known(const BoundExpr& call) {
    if (call.kind != BoundKind::aggregate || call.function == nullptr) return false;
    const std::string_view name = call.function->name;
    const bool known = name == "min" || name == "max" || name == "sum" || name == "avg" || name == "count" ||
                       name == "bool_and" || name == "bool_or" || name == "every";
    if (!known || !call.clauses->order.empty()) return false;
    if (call.clauses->filter != nullptr && !is_safe(*call.clauses->filter)) return false;
    return std::all_of(call.args.begin(), call.args.end(), [](const BoundExpr* arg) { return is_safe(*arg); });
}

/// The one scalar subquery of an expression that has no other.
BoundExpr* only_subquery(BoundExpr* expr) {
    BoundExpr* found = nullptr;
    int subqueries = 0;
    walk_expr(expr, [&](BoundExpr& node) {
        if (node.subquery == nullptr) return true;
        ++subqueries;
        found = &node;
        return true;
    });
    return subqueries == 1 && found->kind == BoundKind::scalar_query ? found : nullptr;
}

/// The expression with some of its nodes replaced; what is not stays shared. [EXPR-2]
template <class Replace>
BoundExpr* replaced(BoundExpr* expr, BoundPool& pool, Replace&& replace) {
    if (BoundExpr* const other = replace(*expr)) return other;
    BoundExpr* copy = nullptr;
    for (std::size_t i = 0; i < expr->args.size(); ++i) {
        BoundExpr* const arg = replaced(expr->args[i], pool, replace);
        if (arg == expr->args[i]) continue;
        if (copy == nullptr) copy = pool.copy(*expr);
        copy->args[i] = arg;
    }
    return copy == nullptr ? expr : copy;
}

/// What a column above projections is, over the columns of the aggregate.
BoundExpr* through_projections(BoundExpr* expr, const std::vector<const Plan*>& projections, std::size_t from,
                               BoundPool& pool) {
    for (std::size_t level = from; level < projections.size(); ++level)
        expr = replaced(expr, pool, [&](const BoundExpr& node) -> BoundExpr* {
            if (node.kind != BoundKind::column) return nullptr;
            for (const PlanColumn& column : projections[level]->columns)
                if (column.id == node.column && column.expr->column != node.column) return column.expr;
            return nullptr;
        });
    return expr;
}

/// NULL, and so not true, where these columns are.
bool is_null_with(const BoundExpr& expr, const Plan& groups) {
    switch (expr.kind) {
        case BoundKind::column: return produces(groups, expr.column);
        case BoundKind::operation:
            return expr.operation->strict && std::any_of(expr.args.begin(), expr.args.end(), [&](const auto* arg) {
                       return is_null_with(*arg, groups);
                   });
        default: return false;
    }
}

/// Rows that are read for one key, and what that costs: the rows of all tables where no index leads to it.
struct Costs {
    double one_key = 0;
    double all_keys = 0;
};

const Plan* scan_of(const Plan& plan, ColumnId id) {
    if (plan.kind == PlanKind::scan) return produces(plan, id) ? &plan : nullptr;
    if (plan.kind != PlanKind::join && plan.kind != PlanKind::filter) return nullptr;
    const Plan* const found = scan_of(*plan.left, id);
    return found != nullptr || plan.right == nullptr ? found : scan_of(*plan.right, id);
}

void add_rows(const Plan& plan, double& rows, int& tables) {
    if (plan.left == nullptr && plan.right == nullptr) {
        rows += plan.rows;
        ++tables;
    }
    if (plan.left != nullptr) add_rows(*plan.left, rows, tables);
    if (plan.right != nullptr) add_rows(*plan.right, rows, tables);
}

/// Rows of one key: as ANALYZE knows the first column, which is tied, or as choose_access_path() guesses.
double usual_partners(const Plan& scan, const Index& index) {
    const ColumnStatistics* const known = statistics_of(scan, index.columns[0].column);
    if (known == nullptr) return std::max(4.0, scan.rows / 1000);
    return std::max(1.0, known->usual_share(scan.relation->statistics->rows) * scan.rows);
}

Costs costs(const Plan& source, const std::vector<BoundExpr*>& keys) {
    double rows = 0;
    int tables = 0;
    add_rows(source, rows, tables);
    Costs found{k_start + rows, rows * k_group};
    for (const BoundExpr* key : keys) {
        const Plan* const scan = key->kind == BoundKind::column ? scan_of(source, key->column) : nullptr;
        if (scan == nullptr || scan->versions.present) continue;
        std::vector<int> places;
        for (const ScanColumn& column : scan->scan_columns)
            for (const BoundExpr* other : keys)
                if (other->kind == BoundKind::column && other->column == column.id) places.push_back(column.place);
        const auto is_tied = [&](const IndexColumn& column) {
            return std::find(places.begin(), places.end(), column.column) != places.end();
        };
        for (const Index& index : scan->relation->indexes) {
            if (index.partial() || !is_tied(index.columns[0])) continue;
            const bool one = index.unique && std::all_of(index.columns.begin(), index.columns.end(), is_tied);
            const double partners = one ? 1 : usual_partners(*scan, index);
            const double each = (index.holds_rows() ? 1 : k_fetch) + k_look_up * (tables - 1);
            found.one_key = std::min(found.one_key, k_start + k_look_up + partners * each);
        }
    }
    return found;
}

}  // namespace grouped_subquery_file

std::optional<GroupedSubquery> grouped_subquery(BoundExpr* condition, const Plan& outer, BoundPool& pool) {
    using namespace grouped_subquery_file;
    if (is_volatile(condition)) return std::nullopt;
    BoundExpr* const query = only_subquery(condition);
    if (query == nullptr) return std::nullopt;
    std::vector<const Plan*> projections;
    const Plan* plan = query->subquery;
    for (; plan->kind == PlanKind::project; plan = plan->left) {
        for (const PlanColumn& column : plan->columns)
            if (is_volatile(column.expr) || has_subquery(column.expr)) return std::nullopt;
        projections.push_back(plan);
    }
    if (plan->kind != PlanKind::aggregate || !plan->groups.empty() || !plan->grouping_sets.empty() ||
        plan->grouping_id != k_no_column || plan->left->kind != PlanKind::filter)
        return std::nullopt;
    Plan* const source = plan->left->left;
    if (source->kind != PlanKind::scan && source->kind != PlanKind::join && source->kind != PlanKind::cte_scan)
        return std::nullopt;
    for (const ColumnId id : free_columns(*source))
        if (produces(outer, id)) return std::nullopt;
    for (const PlanColumn& column : plan->columns)
        if (!is_known(*column.expr) || uses_any(column.expr, outer)) return std::nullopt;

    GroupedSubquery found;
    found.original = condition;
    std::vector<BoundExpr*> own, keys;
    for (BoundExpr* part : plan->left->conditions) {
        if (is_volatile(part)) return std::nullopt;
        if (!uses_any(part, outer)) {
            own.push_back(part);
            continue;
        }
        if (has_subquery(part) || !is_tie(part, outer, *source)) return std::nullopt;
        found.ties.push_back(part);
        keys.push_back(uses_any(part->args[0], *source) ? part->args[0] : part->args[1]);
    }
    if (found.ties.empty()) return std::nullopt;

    Plan* const groups = pool.plan(PlanKind::aggregate);
    groups->left = source;
    if (!own.empty()) {
        groups->left = pool.plan(PlanKind::filter);
        groups->left->left = source;
        groups->left->output = source->output;
        groups->left->rows = source->rows;
        groups->left->conditions = std::move(own);
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        BoundExpr* const key = keys[i];
        const bool plain = key->kind == BoundKind::column;
        const ColumnId id = plain ? key->column : pool.column();
        if (!produces(*groups, id)) {
            groups->groups.push_back({id, key});
            groups->output.push_back(id);
        }
        if (plain) continue;
        // Above the groups, the key is a column.
        BoundExpr* const column = pool.expr(BoundKind::column, key->type);
        column->column = id;
        column->typmod = key->typmod;
        BoundExpr* const tie = pool.copy(*found.ties[i]);
        (tie->args[0] == key ? tie->args[0] : tie->args[1]) = column;
        found.ties[i] = tie;
    }
    groups->columns = plan->columns;
    for (const PlanColumn& column : plan->columns) groups->output.push_back(column.id);
    groups->rows = std::max(1.0, source->rows / 4);
    found.groups = groups;

    BoundExpr* answer = pool.expr(BoundKind::column, query->type);
    answer->column = query->subquery->output[0];
    answer->typmod = query->typmod;
    answer = through_projections(answer, projections, 0, pool);
    bool counts = false;
    answer = replaced(answer, pool, [&](BoundExpr& node) -> BoundExpr* {
        if (node.kind != BoundKind::column) return nullptr;
        for (const PlanColumn& column : plan->columns) {
            if (column.id != node.column || !is_count(*column.expr)) continue;
            counts = true;
            BoundExpr* const zero = pool.expr(BoundKind::constant, node.type);
            zero->value = Value::integer(node.type, 0);
            BoundExpr* const known = pool.expr(BoundKind::coalesce, node.type);
            known->args = {&node, zero};
            return known;
        }
        return nullptr;
    });
    found.condition =
        replaced(condition, pool, [&](const BoundExpr& node) { return &node == query ? answer : nullptr; });
    found.rejects_missing = !counts && is_null_with(*found.condition, *groups);
    const Costs cost = costs(*source, keys);
    found.outer_rows_worth = cost.all_keys / cost.one_key;
    return found;
}

Plan* join_groups(const GroupedSubquery& grouped, Plan* outer, Plan* groups, BoundPool& pool) {
    Plan* const join = pool.plan(PlanKind::join);
    join->conditions = grouped.ties;
    join->join = grouped.rejects_missing ? JoinType::inner : JoinType::left;
    join->left = outer;
    join->right = groups;
    // The hash table is made of the right side, and its keys tell the left one which groups are asked for.
    if (grouped.rejects_missing && outer->rows < groups->rows) std::swap(join->left, join->right);
    join->output = outer->output;
    join->output.insert(join->output.end(), groups->output.begin(), groups->output.end());
    join->rows = outer->rows;
    Plan* const filter = pool.plan(PlanKind::filter);
    filter->left = join;
    filter->output = join->output;
    filter->rows = std::max(1.0, join->rows / 3);
    filter->conditions = {grouped.condition};
    return filter;
}

}  // namespace northstar::inline v0::sql
