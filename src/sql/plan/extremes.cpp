#include "sql/plan/extremes.hpp"

#include "sql/plan/access_path.hpp"
#include "sql/plan/index_order.hpp"
#include "sql/plan/index_terms.hpp"
#include "sql/plan/walk.hpp"

#include <string_view>

namespace northstar::inline v0::sql {

namespace extremes {

/// The call's row alone: the first or last one of an index whose column is not NULL.
Plan* one_row(const PlanColumn& column, const Plan& scan, BoundPool& pool) {
    const BoundExpr& call = *column.expr;
    if (call.kind != BoundKind::aggregate || call.args.size() != 1 || column_of(*call.args[0]) == nullptr)
        return nullptr;
    const std::string_view name = call.function->name;
    if ((name != "min" && name != "max") || call.clauses->filter != nullptr || !call.clauses->order.empty())
        return nullptr;
    Plan* const rows = pool.plan(PlanKind::scan);
    *rows = scan;
    Plan sort;
    sort.kind = PlanKind::sort;
    sort.left = rows;
    const bool largest = name == "max";
    BoundExpr* const value = pool.copy(*column_of(*call.args[0]));
    sort.keys = {{value, largest, largest}};
    if (ordered_input(sort, 1) == nullptr) return nullptr;
    if (const int term = term_of(*rows, *value); term == k_no_term || may_be_null(*rows, term)) {
        BoundExpr* const there = pool.expr(BoundKind::is_null, type::boolean);
        there->args = {value};
        there->negated = true;
        rows->conditions.push_back(there);
        AccessPath& path = rows->access;
        const auto number = static_cast<std::size_t>(path.index);
        const bool next = path.next_part() < scan.relation->indexes[number].columns.size() &&
                          term_of(*rows, number, path.next_part()) == term;
        path.not_null = path.not_null || (next && path.low == nullptr && path.high == nullptr);
    }
    rows->access.first_rows = 1;
    BoundExpr* const one = pool.expr(BoundKind::constant, type::int8);
    one->value = Value::int8(1);
    Plan* const limit = pool.plan(PlanKind::limit);
    limit->left = rows;
    limit->output = rows->output;
    limit->limit = one;
    limit->rows = 1;
    Plan* const extreme = pool.plan(PlanKind::aggregate);
    extreme->left = limit;
    extreme->columns = {column};
    extreme->output = {column.id};
    extreme->rows = 1;
    return extreme;
}

/// A row that meets conditions which the index does not know is looked for from its end on, maybe through all rows:
/// once, instead of reading all rows anyway, and where many are expected to meet them.
bool are_soon_found(const Plan& aggregate, const Plan& scan) {
    constexpr double k_many = 64;  // a row costs eight times as much through an index
    return aggregate.columns.size() == 1 && scan.reads_all() && scan.rows >= k_many;
}

}  // namespace extremes

Plan* extremes_by_index(const Plan& aggregate, BoundPool& pool) {
    const Plan& scan = *aggregate.left;
    if (!aggregate.groups.empty() || !aggregate.grouping_sets.empty() || aggregate.columns.empty() ||
        scan.kind != PlanKind::scan || scan.relation->indexes.empty())
        return nullptr;
    Plan narrowed = scan;
    drop_met_conditions(narrowed);
    if (!narrowed.access.members.empty()) return nullptr;
    if (!narrowed.conditions.empty() && !extremes::are_soon_found(aggregate, scan)) return nullptr;
    Plan* joined = nullptr;
    for (const PlanColumn& column : aggregate.columns) {
        Plan* const next = extremes::one_row(column, scan, pool);
        if (next == nullptr) return nullptr;
        if (joined == nullptr) {
            joined = next;
            continue;
        }
        Plan* const join = pool.plan(PlanKind::join);
        join->left = joined;
        join->right = next;
        join->output = joined->output;
        join->output.push_back(column.id);
        join->rows = 1;
        joined = join;
    }
    return joined->output == aggregate.output ? joined : nullptr;
}

}  // namespace northstar::inline v0::sql
