#include "sql/plan/index_order.hpp"

#include "sql/plan/index_terms.hpp"
#include "sql/plan/read_point.hpp"
#include "sql/plan/row_range.hpp"
#include "sql/plan/same_path.hpp"
#include "sql/plan/selectivity.hpp"
#include "sql/plan/window_order.hpp"

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

/// How far an index gives an order that is asked for, and in which direction it is to be read.
struct Match {
    std::size_t keys = 0;  ///< so many of the first ones
    bool backward = false;
};

/// What the index gives of the order, from the column `from` on. `repeated`: a row of the scan may be there several
/// times above.
Match match(const Plan& scan, std::size_t number, std::size_t from, const std::vector<Key>& keys, bool repeated) {
    const std::vector<Part> parts = parts_of(scan, number, from);
    const std::size_t own = scan.relation->indexes[number].columns.size() - from;
    std::optional<bool> direction;
    std::size_t at = 0;
    std::size_t given = 0;
    for (; given < keys.size(); ++given) {
        const Key& key = keys[given];
        bool fixed = false;  // equal in all rows that are read
        for (std::size_t i = 0; i < from && key.term != k_no_term; ++i)
            fixed = fixed || term_of(scan, number, i) == key.term;
        if (fixed) continue;
        // No two rows are equal in all that came before: of what the scan reads, nothing is left to be put in order.
        const bool row_known =
            (at == own && is_unique(scan, number)) || (at == parts.size() && scan.relation->row_key() >= 0);
        if (row_known && (!repeated || key.term != k_no_term)) continue;
        if (key.term == k_no_term || at == parts.size() ||
            term_of(scan, parts[at].index, parts[at].column) != key.term)
            break;
        const KeyOrder& order = scan.relation->indexes[parts[at].index].columns[parts[at].column].order;
        const bool turned = order.descending != key.descending;
        if (may_be_null(scan, key.term) && (order.nulls_first != key.nulls_first) != turned) break;
        if (direction && *direction != turned) break;
        direction = turned;
        ++at;
    }
    return {given, direction.value_or(false)};
}

/// A scan and the path that it is to be read along; without a scan the rows come in the order already.
struct Order {
    Plan* scan = nullptr;
    AccessPath path;
    Match match;
};

/// Moves the keys below an aggregate that hands out groups as they come; false: not all are groups that it has in
/// order.
bool move_below_groups(const Plan& aggregate, std::vector<SortKey>& keys) {
    for (SortKey& key : keys) {
        if (key.expr->kind != BoundKind::column) return false;
        const auto& places = aggregate.ordered_groups;
        const auto found = std::find_if(places.begin(), places.end(), [&](std::size_t place) {
            return aggregate.groups[place].id == key.expr->column;
        });
        if (found == places.end()) return false;
        key.expr = aggregate.groups[*found].expr;
    }
    return true;
}

/// The node whose rows come out of the plan in the order in which they are read: a scan, or a sort of what comes partly
/// in order; null: there is none. Keys are made expressions over its columns.
struct LeadingNode {
    Plan* plan = nullptr;
    bool repeated = false;  ///< each of its rows may come several times: a join finds that many partners
};
LeadingNode leading_node(Plan* plan, std::vector<SortKey>& keys) {
    bool repeated = false;
    for (;;) {
        switch (plan->kind) {
            case PlanKind::scan: return {plan->versions.present || plan->sample >= 0 ? nullptr : plan, repeated};
            case PlanKind::sort: return {plan, repeated};
            case PlanKind::project:
                if (!move_below(*plan, keys)) return {};
                break;
            case PlanKind::filter:
            case PlanKind::lock_rows: break;
            case PlanKind::distinct:
                // Which rows DISTINCT ON hands on depends on the order in which it reads them.
                if (!plan->in_order || plan->distinct_on.size() < plan->output.size()) return {};
                break;
            case PlanKind::window:
                if (!plan->in_order) return {};
                break;
            case PlanKind::aggregate:
                if (!move_below_groups(*plan, keys)) return {};
                break;
            case PlanKind::join:
                if (!plan->lateral) return {};
                repeated = repeated || (plan->join != JoinType::semi && plan->join != JoinType::anti);
                break;
            default: return {};
        }
        plan = plan->left;
    }
}

/// So many entries an index has, about.
double entries_of(const Plan& scan, std::size_t index) {
    if (scan.relation->indexes[index].partial()) return scan.index_terms[index].rows;
    return scan.point->row_count(scan.relation->tree(), scan.relation->temporary);
}

/// Does reading entries in an order until so many of their rows meet the conditions cost much less than to fetch all
/// that do?
bool is_quicker_in_order(const Plan& scan, std::size_t index, double few) {
    constexpr double k_much = 4;  // conditions and order may depend on each other
    if (few == 0 || scan.point == nullptr) return false;
    return entries_of(scan, index) * few / std::max(1.0, scan.rows) * k_much < scan.rows * k_index_fetch;
}

std::vector<Key> keys_over(const Plan& scan, const std::vector<SortKey>& sort_keys) {
    std::vector<Key> keys;
    for (const SortKey& key : sort_keys) keys.push_back({term_of(scan, *key.expr), key.descending, key.nulls_first});
    return keys;
}

/// Is it quicker to fetch a few rows in an order than to read all that lie in the range of the table?
bool is_quicker_than_rows(const Plan& scan, double few) {
    return few > 0 && few * k_index_fetch * k_times_less < scan.rows;
}

/// How the scan is read along an index whose order is asked for: by the conditions that narrow what it reads now, where
/// they narrow this index as well. One that reads all rows may read them along another index for a few of them.
std::optional<AccessPath> path_along(const Plan& scan, std::size_t index, double few) {
    const AccessPath& access = scan.access;
    if (access.index == static_cast<int>(index))
        return !access.wasteful || few > 0 ? std::optional(access) : std::nullopt;
    if (access.once_in > 0) return std::nullopt;
    const bool of_rows = access.index >= 0 &&
                         scan.relation->indexes[static_cast<std::size_t>(access.index)].holds_rows();
    if (std::optional<AccessPath> same = same_path(scan, index);
        same && (access.wasteful ? few > 0 : !of_rows || is_quicker_than_rows(scan, few)))
        return same;
    if (!has_all_rows(scan, index)) return std::nullopt;
    const bool narrowed = !scan.reads_all() && !access.wasteful;
    // What narrows the scan may be what an index has in its predicate.
    const bool as_few = narrowed && !of_rows && scan.relation->indexes[index].partial() &&
                        scan.index_terms[index].rows <= scan.rows;
    if (!as_few) {
        if (narrowed && !is_quicker_in_order(scan, index, few)) return std::nullopt;
        if (few == 0 && !scan.relation->indexes[index].holds_rows()) return std::nullopt;
    }
    AccessPath path;
    path.index = static_cast<int>(index);
    return path;
}

/// Indexes of the scan's table, the one that is used first.
std::vector<std::size_t> indexes_of(const Plan& scan) {
    std::vector<std::size_t> indexes;
    for (std::size_t i = 0; i < scan.relation->indexes.size(); ++i) {
        const bool used = scan.access.index == static_cast<int>(i);
        indexes.insert(used ? indexes.begin() : indexes.end(), i);
    }
    return indexes;
}

std::optional<Order> find_order(Plan* plan, std::vector<SortKey> sort_keys, double few) {
    const auto [node, repeated] = leading_node(plan, sort_keys);
    if (node == nullptr) return std::nullopt;
    if (node->kind == PlanKind::sort)
        return begins(sort_keys, node->keys) ? std::optional<Order>(Order{}) : std::nullopt;
    const std::vector<Key> keys = keys_over(*node, sort_keys);
    for (const std::size_t i : indexes_of(*node)) {
        std::optional<AccessPath> path = path_along(*node, i, few);
        if (!path) continue;
        const Match found = match(*node, i, path->fixed_parts(), keys, repeated);
        if (found.keys == keys.size()) return Order{node, std::move(*path), found};
    }
    return std::nullopt;
}

/// So many rows have equal values in the first keys, about.
double rows_of_a_value(const Plan& scan, const std::vector<Key>& keys, std::size_t count) {
    constexpr double k_usual = 100;
    const double all = scan.point == nullptr ? scan.rows
                                             : scan.point->row_count(scan.relation->tree(), scan.relation->temporary);
    double values = 1;
    for (std::size_t i = 0; i < count; ++i) {
        const bool is_column = static_cast<std::size_t>(keys[i].term) < scan.relation->columns.size();
        const ColumnStatistics* const known = is_column ? statistics_of(scan, keys[i].term) : nullptr;
        values *= known == nullptr ? k_usual : std::max(1.0, known->distinct_of(all));
    }
    return all / std::min(all, values);
}

/// So many ranges of keys the scan's path has, for its members and for values of columns that it skips; 0: it is not
/// known how many.
double ranges_of(const Plan& scan) {
    const AccessPath& path = scan.access;
    double ranges = combinations_of(path);
    for (std::size_t i = path.skipped_behind; i < path.skipped_behind + path.skipped; ++i) {
        const auto number = static_cast<std::size_t>(path.index);
        const ColumnStatistics* const known = statistics_of(scan, term_of(scan, number, i));
        ranges *= known == nullptr ? 0 : known->distinct_of(scan.relation->statistics->rows) + 1;
    }
    return ranges;
}

void read_along(Plan& scan, const AccessPath& path, bool backward) {
    AccessPath& access = scan.access;
    const bool other = access.index != path.index;
    access = path;
    access.wasteful = false;
    access.ordered = true;
    access.backward = backward;
    if (!other) return;
    scan.united.clear();
    continue_row_ranges(scan);
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
    if (order->scan == nullptr) return 1;
    return order->scan->relation->indexes[static_cast<std::size_t>(order->path.index)].holds_rows() ? 1 : k_index_fetch;
}

Plan* ordered_input(Plan& sort, double few) {
    if (!read_in_order(*sort.left, sort.keys, few)) return nullptr;
    return sort.left;
}

bool read_in_order(Plan& plan, const std::vector<SortKey>& keys, double few) {
    const std::optional<index_order::Order> order = index_order::find_order(&plan, keys, few);
    if (!order) return false;
    if (order->scan != nullptr) index_order::read_along(*order->scan, order->path, order->match.backward);
    return true;
}

std::size_t read_partly_in_order(Plan& plan, std::vector<SortKey> sort_keys, double few) {
    using namespace index_order;
    const auto [scan, repeated] = leading_node(&plan, sort_keys);
    if (scan == nullptr || scan->kind != PlanKind::scan || scan->point == nullptr || few == 0) return 0;
    const std::vector<Key> keys = keys_over(*scan, sort_keys);
    const double all = scan->point->row_count(scan->relation->tree(), scan->relation->temporary);
    Order best;
    double least = 0;
    for (const std::size_t i : indexes_of(*scan)) {
        std::optional<AccessPath> path = path_along(*scan, i, few);
        if (!path) continue;
        const Match found = match(*scan, i, path->fixed_parts(), keys, repeated);
        if (found.keys == 0) continue;
        const bool used = scan->access.index == static_cast<int>(i);
        const double fetch = scan->relation->indexes[i].holds_rows() ? 1 : k_index_fetch;
        const double read = few * all / std::max(1.0, scan->rows) + rows_of_a_value(*scan, keys, found.keys);
        if (!used && read * fetch * k_times_less >= all) continue;
        if (best.scan != nullptr && read * fetch >= least) continue;
        least = read * fetch;
        best = {scan, std::move(*path), found};
    }
    if (best.scan == nullptr) return 0;
    read_along(*scan, best.path, best.match.backward);
    return best.match.keys;
}

bool read_members_in_order(Plan& plan, std::vector<SortKey> sort_keys, double few, bool sooner) {
    using namespace index_order;
    Plan* scan = &plan;
    while (scan->kind == PlanKind::project && move_below(*scan, sort_keys)) scan = scan->left;
    if (scan->kind != PlanKind::scan || few == 0 || (scan->access.members.empty() && scan->access.skipped == 0))
        return false;
    const double ranges = ranges_of(*scan);
    if (ranges == 0 || few * ranges * k_times_less >= scan->rows) return false;
    if (sooner && (scan->point == nullptr || ranges * std::max(1.0, scan->rows) >
                      scan->point->row_count(scan->relation->tree(), scan->relation->temporary)))
        return false;
    const std::vector<Key> keys = keys_over(*scan, sort_keys);
    for (const std::size_t i : indexes_of(*scan)) {
        const bool used = scan->access.index == static_cast<int>(i);
        const std::optional<AccessPath> path = used ? scan->access : same_path(*scan, i);
        if (!path) continue;
        const Match found = match(*scan, i, path->next_part(), keys, false);
        if (found.keys < keys.size()) continue;
        read_along(*scan, *path, found.backward);
        scan->access.members_in_order = true;
        return true;
    }
    return false;
}

}  // namespace northstar::inline v0::sql
