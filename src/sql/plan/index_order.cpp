#include "sql/plan/index_order.hpp"

#include "sql/plan/index_terms.hpp"
#include "sql/plan/read_point.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace index_order {

struct Key {
    int term = k_no_term;
    bool descending = false;
    bool nulls_first = false;
};

/// Column of an index, by which its entries are in order.
struct Part {
    std::size_t index;
    std::size_t column;
};

/// By what entries are in order behind the first columns: the others, then the key of the row.
std::vector<Part> parts_of(const Plan& scan, std::size_t number, std::size_t from) {
    const Relation& relation = *scan.relation;
    std::vector<Part> parts;
    for (std::size_t i = from; i < relation.indexes[number].columns.size(); ++i) parts.push_back({number, i});
    const int row_key = relation.row_key();
    if (row_key < 0 || relation.indexes[number].holds_rows()) return parts;
    const auto primary = static_cast<std::size_t>(row_key);
    for (std::size_t i = 0; i < relation.indexes[primary].columns.size(); ++i) parts.push_back({primary, i});
    return parts;
}

bool is_unique(const Plan& scan, std::size_t number) {
    const Index& index = scan.relation->indexes[number];
    if (!index.unique || index.deferrable) return false;
    for (std::size_t i = 0; i < index.columns.size(); ++i)
        if (may_be_null(scan, term_of(scan, number, i))) return false;
    return true;
}

/// Whether the index gives the order, from the column `from` on; the answer says in which direction it is to be read.
std::optional<bool> backward(const Plan& scan, std::size_t number, std::size_t from, const std::vector<Key>& keys) {
    const std::vector<Part> parts = parts_of(scan, number, from);
    const std::size_t own = scan.relation->indexes[number].columns.size() - from;
    std::optional<bool> direction;
    std::size_t at = 0;
    for (const Key& key : keys) {
        bool fixed = false;  // equal in all rows that are read
        for (std::size_t i = 0; i < from; ++i) fixed = fixed || term_of(scan, number, i) == key.term;
        if (fixed) continue;
        // No two rows are equal in all that came before: there is nothing left to be put in order.
        if ((at == own && is_unique(scan, number)) || (at == parts.size() && scan.relation->row_key() >= 0)) break;
        if (at == parts.size() || term_of(scan, parts[at].index, parts[at].column) != key.term) return std::nullopt;
        const KeyOrder& order = scan.relation->indexes[parts[at].index].columns[parts[at].column].order;
        const bool turned = order.descending != key.descending;
        if (may_be_null(scan, key.term) && (order.nulls_first != key.nulls_first) != turned) return std::nullopt;
        if (direction && *direction != turned) return std::nullopt;
        direction = turned;
        ++at;
    }
    return direction.value_or(false);
}

/// A scan and the index that it is to be read along.
struct Order {
    Plan* scan;
    std::size_t index;
    bool backward;
};

/// The scan whose rows come out of the plan in the order in which they are read; null: there is none. Keys are made
/// expressions over its columns.
Plan* leading_scan(Plan* plan, std::vector<SortKey>& keys) {
    for (;;) {
        switch (plan->kind) {
            case PlanKind::scan: return plan->versions.present || plan->sample >= 0 ? nullptr : plan;
            case PlanKind::project:
                if (!move_below(*plan, keys)) return nullptr;
                break;
            case PlanKind::filter: break;
            case PlanKind::join:
                if (!plan->lateral || (plan->join != JoinType::inner && plan->join != JoinType::left)) return nullptr;
                break;
            default: return nullptr;
        }
        plan = plan->left;
    }
}

/// Does reading rows in an order until so many of them meet the conditions cost much less than to fetch all that do?
bool is_quicker_in_order(const Plan& scan, double few) {
    constexpr double k_much = 4;  // conditions and order may depend on each other
    if (few == 0 || scan.point == nullptr) return false;
    const double all = scan.point->row_count(scan.relation->tree(), scan.relation->temporary);
    return all * few / std::max(1.0, scan.rows) * k_much < scan.rows * k_index_fetch;
}

std::optional<Order> find_order(Plan* plan, std::vector<SortKey> sort_keys, double few) {
    Plan* const scan = leading_scan(plan, sort_keys);
    if (scan == nullptr) return std::nullopt;
    std::vector<Key> keys;
    for (const SortKey& key : sort_keys) {
        const int term = term_of(*scan, *key.expr);
        if (term == k_no_term) return std::nullopt;
        keys.push_back({term, key.descending, key.nulls_first});
    }
    const AccessPath& access = scan->access;
    if (access.index >= 0 && (!access.wasteful || few > 0)) {
        const auto used = static_cast<std::size_t>(access.index);
        if (const auto direction = backward(*scan, used, access.equal.size(), keys))
            return Order{scan, used, *direction};
    }
    // One that reads all rows may read them along another index for a few of them.
    const bool narrowed = !scan->reads_all() && !access.wasteful;
    if (narrowed && !is_quicker_in_order(*scan, few)) return std::nullopt;
    for (std::size_t i = 0; i < scan->relation->indexes.size(); ++i) {
        const Index& index = scan->relation->indexes[i];
        const bool used = access.index == static_cast<int>(i);
        if (used || (few == 0 && !index.holds_rows()) || !has_all_rows(*scan, i)) continue;
        if (const auto direction = backward(*scan, i, 0, keys)) return Order{scan, i, *direction};
    }
    return std::nullopt;
}

}  // namespace index_order

bool move_below(const Plan& project, std::vector<SortKey>& keys) {
    for (SortKey& key : keys) {
        // What is computed here is the order of an index only as a whole.
        if (key.expr->kind != BoundKind::column) return false;
        for (const PlanColumn& column : project.columns)
            if (column.id == key.expr->column) {
                key.expr = column.expr;
                break;
            }
    }
    return true;
}

std::optional<double> price_in_order(Plan& plan, const FirstRows& wanted) {
    if (wanted.keys.empty()) return 1;
    const std::optional<index_order::Order> order = index_order::find_order(&plan, wanted.keys, wanted.rows);
    if (!order) return std::nullopt;
    return order->scan->relation->indexes[order->index].holds_rows() ? 1 : k_index_fetch;
}

Plan* ordered_input(Plan& sort, double few) {
    const std::optional<index_order::Order> order = index_order::find_order(sort.left, sort.keys, few);
    if (!order) return nullptr;
    AccessPath& access = order->scan->access;
    if (access.index != static_cast<int>(order->index)) {
        access = AccessPath();
        order->scan->united.clear();
    }
    access.index = static_cast<int>(order->index);
    access.wasteful = false;
    access.backward = order->backward;
    return sort.left;
}

}  // namespace northstar::inline v0::sql
