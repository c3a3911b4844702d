#include "sql/plan/index_order.hpp"

#include "sql/plan/index_terms.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace index_order {

struct Key {
    int term = k_no_term;
    bool descending = false;
    bool nulls_first = false;
};

/// Whether the index gives the order, from the column `from` on; the answer says in which direction it is to be read.
std::optional<bool> backward(const Plan& scan, std::size_t number, std::size_t from, const std::vector<Key>& keys) {
    const Index& index = scan.relation->indexes[number];
    std::optional<bool> direction;
    std::size_t at = from;
    for (const Key& key : keys) {
        bool fixed = false;  // equal in all rows that are read
        for (std::size_t i = 0; i < from; ++i) fixed = fixed || term_of(scan, number, i) == key.term;
        if (fixed) continue;
        if (at == index.columns.size() || term_of(scan, number, at) != key.term) return std::nullopt;
        const KeyOrder& order = index.columns[at].order;
        const bool turned = order.descending != key.descending;
        if (may_be_null(scan, key.term) && (order.nulls_first != key.nulls_first) != turned) return std::nullopt;
        if (direction && *direction != turned) return std::nullopt;
        direction = turned;
        ++at;
    }
    return direction.value_or(false);
}

}  // namespace index_order

Plan* ordered_input(Plan& sort, bool few) {
    std::vector<const BoundExpr*> exprs;
    for (const SortKey& key : sort.keys) exprs.push_back(key.expr);
    Plan* scan = sort.left;
    while (scan->kind == PlanKind::project || scan->kind == PlanKind::filter) {
        if (scan->kind == PlanKind::project)
            for (const BoundExpr*& expr : exprs) {
                // What is computed here is the order of an index only as a whole.
                if (expr->kind != BoundKind::column) return nullptr;
                for (const PlanColumn& column : scan->columns)
                    if (column.id == expr->column) {
                        expr = column.expr;
                        break;
                    }
            }
        scan = scan->left;
    }
    if (scan->kind != PlanKind::scan || scan->versions.present || scan->sample >= 0) return nullptr;
    std::vector<index_order::Key> keys;
    for (std::size_t i = 0; i < exprs.size(); ++i) {
        const int term = term_of(*scan, *exprs[i]);
        if (term == k_no_term) return nullptr;
        keys.push_back({term, sort.keys[i].descending, sort.keys[i].nulls_first});
    }
    const Relation& relation = *scan->relation;
    for (std::size_t i = 0; i < relation.indexes.size(); ++i) {
        const Index& index = relation.indexes[i];
        const bool used = scan->access.index == static_cast<int>(i);
        if (used && scan->access.wasteful && !few) continue;
        // A scan that an index narrows keeps it; one that reads all rows may read them along another for a few of them.
        const bool narrowed = !scan->reads_all() && !scan->access.wasteful;
        if (narrowed && !used) continue;
        if (!used && ((!few && !index.holds_rows()) || !has_all_rows(*scan, i))) continue;
        const auto direction = index_order::backward(*scan, i, used ? scan->access.equal.size() : 0, keys);
        if (!direction) continue;
        if (!used) scan->access = AccessPath();
        scan->access.index = static_cast<int>(i);
        scan->access.wasteful = false;
        scan->access.backward = *direction;
        return sort.left;
    }
    return nullptr;
}

}  // namespace northstar::inline v0::sql
