#include "sql/plan/distinct_values.hpp"

#include "sql/key_encoding.hpp"
#include "sql/plan/access_path.hpp"
#include "sql/plan/index_order.hpp"
#include "sql/plan/index_terms.hpp"
#include "sql/plan/read_point.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace northstar::inline v0::sql {

namespace distinct_values {

constexpr double k_worth = 30;  // rows of a value: to go to the next one costs about as much as to read so many

/// The scan whose columns, as they are, a DISTINCT is of; null: there are others. Adds the columns to the keys.
Plan* scan_of_values(const Plan& distinct, std::vector<SortKey>& keys) {
    if (distinct.distinct_on.size() < distinct.output.size()) return nullptr;
    for (BoundExpr* expr : distinct.distinct_on) keys.push_back({expr, false, false});
    Plan* scan = distinct.left;
    for (; scan->kind == PlanKind::project; scan = scan->left)
        if (!move_below(*scan, keys)) return nullptr;
    const bool plain = scan->kind == PlanKind::scan && !scan->versions.present && scan->sample < 0 &&
                       scan->point != nullptr && !scan->point->past && scan->united.empty() &&
                       scan->access.members == nullptr;
    if (!plain) return nullptr;
    Plan narrowed = *scan;
    drop_met_conditions(narrowed);
    return narrowed.conditions.empty() ? scan : nullptr;
}

/// Do the columns of the index from one on have all of these terms, and no others before the last of them?
bool has_side_by_side(const Plan& scan, std::size_t index, std::size_t from, const std::set<int>& terms) {
    if (scan.relation->indexes[index].columns.size() < from + terms.size()) return false;
    for (std::size_t i = 0; i < terms.size(); ++i)
        if (terms.count(term_of(scan, index, from + i)) == 0) return false;
    return true;
}

/// How many entries have the same values in so many columns, on average over the first few combinations of them.
double entries_of_a_value(const Plan& scan, std::size_t number, std::size_t columns) {
    constexpr int k_tried = 16;
    const Relation& relation = *scan.relation;
    const Index& index = relation.indexes[number];
    const std::string name = index.holds_rows() ? relation.tree() : relation.index_tree(index);
    double entries = 0;
    scan.point->show(name, relation.temporary, [&](const Tree& tree) {
        Cursor cursor = tree.cursor();
        int tried = 0;
        for (bool there = cursor.first(); there && tried < k_tried; ++tried) {
            std::string_view rest = cursor.key();
            for (std::size_t i = 0; i < columns; ++i)
                skip_key(type_of_term(scan, number, i), index.columns[i].order, rest, scan.point->catalog.get());
            const std::string next = key_successor(cursor.key().substr(0, cursor.key().size() - rest.size()));
            there = !next.empty() && cursor.lower_bound(next);
        }
        const auto seen = cursor.valid() ? tree.estimate("", cursor.key()).count : tree.size();
        if (tried > 0) entries = static_cast<double>(seen) / tried;
    });
    return entries;
}

}  // namespace distinct_values

bool read_values_once(Plan& distinct) {
    using namespace distinct_values;
    std::vector<SortKey> keys;
    Plan* const scan = scan_of_values(distinct, keys);
    if (scan == nullptr) return false;
    AccessPath& access = scan->access;
    const auto used = static_cast<std::size_t>(access.index);
    const std::size_t fixed = access.index < 0 ? 0 : access.equal.size();
    std::set<int> terms;
    for (const SortKey& key : keys) terms.insert(term_of(*scan, *key.expr));
    for (std::size_t i = 0; i < fixed; ++i) terms.erase(term_of(*scan, used, i));
    if (terms.empty() || terms.count(k_no_term) != 0) return false;
    for (std::size_t i = 0; i < scan->relation->indexes.size(); ++i) {
        if (access.index >= 0 ? i != used : !has_all_rows(*scan, i)) continue;
        if (!has_side_by_side(*scan, i, fixed, terms) || entries_of_a_value(*scan, i, fixed + terms.size()) < k_worth)
            continue;
        access.index = static_cast<int>(i);
        access.once_in = terms.size();
        access.wasteful = false;
        distinct.in_order = true;
        return true;
    }
    return false;
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
    if (!read_values_once(*distinct)) return;
    call.args = {value};
    aggregate.left = distinct;
}

}  // namespace northstar::inline v0::sql
