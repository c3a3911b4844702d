#include "sql/plan/distinct_values.hpp"

#include "sql/plan/access_path.hpp"
#include "sql/plan/index_groups.hpp"
#include "sql/plan/index_order.hpp"
#include "sql/plan/index_terms.hpp"
#include "sql/plan/read_point.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

namespace distinct_values {

constexpr double k_worth = 30;  // rows of a value: to go to the next one costs about as much as to read so many

/// Columns by which the rows of a scan are told apart, below projections.
struct Values {
    Plan* scan = nullptr;
    std::set<int> terms;    ///< but for those that the access path fixes
    std::size_t fixed = 0;  ///< columns that it fixes, of the index it uses

    bool uses_index() const { return scan->access.index >= 0; }
    std::size_t used() const { return static_cast<std::size_t>(scan->access.index); }
};

/// Nothing: some are computed, or rows are dropped by conditions that no range of keys meets.
std::optional<Values> values_of(Plan* plan, const std::vector<BoundExpr*>& exprs) {
    std::vector<SortKey> keys;
    for (BoundExpr* expr : exprs) keys.push_back({expr, false, false});
    for (; plan->kind == PlanKind::project; plan = plan->left)
        if (!move_below(*plan, keys)) return std::nullopt;
    const bool plain = plan->kind == PlanKind::scan && !plan->versions.present && plan->sample < 0 &&
                       plan->point != nullptr && !plan->point->past && plan->united.empty() &&
                       plan->access.members.empty() && plan->access.skipped == 0;
    if (!plain) return std::nullopt;
    Plan narrowed = *plan;
    drop_met_conditions(narrowed);
    if (!narrowed.conditions.empty()) return std::nullopt;
    Values values{plan, {}, plan->access.index < 0 ? 0 : plan->access.equal.size()};
    for (const SortKey& key : keys) values.terms.insert(term_of(*plan, *key.expr));
    for (std::size_t i = 0; i < values.fixed; ++i) values.terms.erase(term_of(*plan, values.used(), i));
    if (values.terms.empty() || values.terms.count(k_no_term) != 0) return std::nullopt;
    return values;
}

/// Has the index all rows, the columns side by side behind those that are fixed, and many rows of each value?
bool leads_to_values(const Values& values, std::size_t index) {
    const Plan& scan = *values.scan;
    if (values.uses_index() ? index != values.used() : !has_all_rows(scan, index)) return false;
    const std::size_t columns = values.fixed + values.terms.size();
    if (scan.relation->indexes[index].columns.size() < columns) return false;
    for (std::size_t i = values.fixed; i < columns; ++i)
        if (values.terms.count(term_of(scan, index, i)) == 0) return false;
    return entries_of_a_group(scan, index, columns) >= k_worth;
}

void read_once(const Values& values, std::size_t index, bool backward) {
    AccessPath& access = values.scan->access;
    access.index = static_cast<int>(index);
    access.once_in = values.terms.size();
    access.wasteful = false;
    access.backward = backward;
}

bool read_values_once(Plan& distinct) {
    const std::optional<Values> values = values_of(distinct.left, distinct.distinct_on);
    if (!values) return false;
    for (std::size_t i = 0; i < values->scan->relation->indexes.size(); ++i) {
        if (!leads_to_values(*values, i)) continue;
        read_once(*values, i, values->scan->access.backward);
        return true;
    }
    return false;
}

/// DISTINCT ON: the first row of each value in the order of the sort, which an index has.
bool read_first_rows_once(Plan& distinct) {
    Plan* const sort = distinct.left->kind == PlanKind::sort ? distinct.left : nullptr;
    Plan* const input = sort == nullptr ? distinct.left : sort->left;
    const std::optional<Values> values = values_of(input, distinct.distinct_on);
    if (!values) return false;
    Plan& scan = *values->scan;
    const AccessPath before = scan.access;
    if (sort != nullptr && !read_in_order(*input, sort->keys, 1)) return false;
    const bool reads_along = scan.access.index >= 0 && (before.index < 0 || before.index == scan.access.index);
    const auto index = static_cast<std::size_t>(scan.access.index);
    const bool backward = scan.access.backward;
    if (sort != nullptr) scan.access = before;
    if (!reads_along || !leads_to_values(*values, index)) return false;
    read_once(*values, index, backward);
    distinct.left = input;
    return true;
}

/// What the calls of an aggregate are the least or the largest values of: all of one column; null: they are others.
struct Extreme {
    BoundExpr* column = nullptr;
    bool largest = false;
};
Extreme extreme_of(const Plan& aggregate) {
    Extreme found;
    for (const PlanColumn& call : aggregate.columns) {
        const BoundExpr& expr = *call.expr;
        if (expr.kind != BoundKind::aggregate || expr.args.size() != 1 || expr.clauses->filter != nullptr) return {};
        const std::string_view name = expr.function->name;
        if (name != "min" && name != "max") return {};
        const Extreme next{expr.args[0], name == "max"};
        const bool same = found.column == nullptr ||
                          (found.largest == next.largest && same_expr(*found.column, *next.column));
        if (!same) return {};
        found = next;
    }
    return found;
}

}  // namespace distinct_values

void read_values_once(Plan& distinct) {
    const bool all = distinct.distinct_on.size() >= distinct.output.size();
    if (all ? distinct_values::read_values_once(distinct) : distinct_values::read_first_rows_once(distinct))
        distinct.in_order = true;
}

void aggregate_values_once(Plan& aggregate, BoundPool& pool) {
    if (!aggregate.groups.empty() || !aggregate.grouping_sets.empty() || aggregate.columns.size() != 1) return;
    BoundExpr& call = *aggregate.columns[0].expr;
    if (call.kind != BoundKind::aggregate || call.args.size() != 1 || !call.clauses->distinct ||
        call.clauses->filter != nullptr || call.args[0]->kind != BoundKind::column)
        return;
    Plan* const values = pool.plan(PlanKind::project);
    values->left = aggregate.left;
    values->rows = aggregate.left->rows;
    BoundExpr* const value = pool.copy(*call.args[0]);
    value->column = pool.column();
    values->columns = {{value->column, call.args[0]}};
    values->output = {value->column};
    Plan* const distinct = pool.plan(PlanKind::distinct);
    distinct->left = values;
    distinct->rows = values->rows;
    distinct->output = values->output;
    distinct->distinct_on = {value};
    if (!distinct_values::read_values_once(*distinct)) return;
    distinct->in_order = true;
    call.args = {value};
    aggregate.left = distinct;
}

void read_extremes_of_groups(Plan& aggregate) {
    using namespace distinct_values;
    const Extreme extreme = extreme_of(aggregate);
    if (extreme.column == nullptr || aggregate.groups.empty() || !aggregate.grouping_sets.empty() ||
        !aggregate.ordered_groups.empty())
        return;
    std::vector<BoundExpr*> groups;
    for (const PlanColumn& group : aggregate.groups) groups.push_back(group.expr);
    const std::optional<Values> values = values_of(aggregate.left, groups);
    const std::optional<Values> column = values_of(aggregate.left, {extreme.column});
    if (!values || !column) return;
    const Plan& scan = *values->scan;
    const int term = *column->terms.begin();
    for (std::size_t i = 0; i < scan.relation->indexes.size(); ++i) {
        const std::vector<IndexColumn>& columns = scan.relation->indexes[i].columns;
        const std::size_t at = values->fixed + values->terms.size();
        if (columns.size() <= at || term_of(scan, i, at) != term) continue;
        if (!leads_to_values(*values, i)) continue;
        const bool backward = extreme.largest != columns[at].order.descending;
        read_once(*values, i, backward);
        // NULL is no extreme, unless there is nothing else.
        values->scan->access.once_not_null = may_be_null(scan, term) && columns[at].order.nulls_first != backward;
        return;
    }
}

}  // namespace northstar::inline v0::sql
