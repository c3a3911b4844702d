#include "sql/plan/join_size.hpp"

#include "sql/plan/selectivity.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

namespace join_size {

constexpr double k_usual_keys = 200;  // different values of a column that no unique index is on
constexpr double k_usual_group = 4;   // rows that have the same values of columns of which nothing is known

// Columns that are compared, by scan; one that is equal to several others counts once.
using Keys = std::vector<std::pair<const Plan*, std::vector<int>>>;

void add_key(Keys& keys, const Origin& from) {
    auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& each) { return each.first == from.scan; });
    if (found == keys.end()) found = keys.insert(found, {from.scan, {}});
    if (std::find(found->second.begin(), found->second.end(), from.place) == found->second.end())
        found->second.push_back(from.place);
}

/// Different values of the columns together, as far as ANALYZE knows them.
std::optional<double> known_keys(const Plan& scan, const std::vector<int>& places, double rows) {
    double keys = 1;
    for (const int place : places) {
        const ColumnStatistics* const column = statistics_of(scan, place);
        if (column == nullptr) return std::nullopt;
        keys *= std::max(1.0, column->distinct_of(rows));
    }
    return keys;
}

struct Different {
    double keys = k_usual_keys;
    bool all = false;    ///< each key of the other side is taken to be among them
    bool known = false;  ///< as far as ANALYZE knows the columns
};

/// A condition of a scan that says which value a column has; nullptr: there is none.
BoundExpr* value_of_column(const Plan& scan, int place) {
    for (BoundExpr* condition : scan.conditions) {
        if (condition->kind != BoundKind::operation || condition->operation->comparison != Comparison::equal ||
            condition->args.size() != 2)
            continue;
        const BoundExpr* const column = column_of(*condition->args[0]);
        const BoundKind value = condition->args[1]->kind;
        if (column == nullptr || (value != BoundKind::constant && value != BoundKind::parameter)) continue;
        for (const ScanColumn& each : scan.scan_columns)
            if (each.id == column->column && each.place == place) return condition;
    }
    return nullptr;
}

/// Different keys of one side: those of the scan that is known to have most.
Different different_keys(const Keys& keys, const WholeRows& whole) {
    Different most;
    if (!keys.empty()) most.keys = 0;
    for (const auto& [scan, places] : keys) {
        const auto known = whole.find(scan);
        const double table_rows = known == whole.end() ? scan->rows : known->second;
        const std::optional<double> analyzed = known_keys(*scan, places, table_rows);
        double found = std::min(table_rows, analyzed.value_or(k_usual_keys));
        if (keys.size() == 1) most.known = analyzed.has_value();
        for (const Index& index : scan->relation->indexes) {
            if (!index.unique || !index.predicate.empty()) continue;
            std::vector<BoundExpr*> values;
            const auto compared = [&scan = scan, &places = places, &values](const IndexColumn& column) {
                if (std::find(places.begin(), places.end(), column.column) != places.end()) return true;
                BoundExpr* const fixed = value_of_column(*scan, column.column);
                if (fixed != nullptr) values.push_back(fixed);
                return fixed != nullptr;
            };
            if (!std::all_of(index.columns.begin(), index.columns.end(), compared)) continue;
            found = std::max(1.0, table_rows * selectivity(values, *scan));
            most.all = keys.size() == 1;
        }
        most.keys = std::max(most.keys, found);
    }
    return most;
}

/// Columns of both sides that are compared, of one type.
struct Pair {
    Origin left;
    Origin right;
};

/// Share of all pairs of rows whose values are equal, where ANALYZE found common values of both columns: those that
/// both have meet each other, those of one side alone meet the rare ones of the other, as do the rare ones. Nothing:
/// one of them has no common values. (What PostgreSQL does as well; Ioannidis and Poosala, "Balancing Histogram
/// Optimality and Practicality for Query Result Size Estimation", SIGMOD 1995: end-biased histograms.)
std::optional<double> share_of_equals(const Pair& pair, const WholeRows& whole) {
    const ColumnStatistics* const a = statistics_of(*pair.left.scan, pair.left.place);
    const ColumnStatistics* const b = statistics_of(*pair.right.scan, pair.right.place);
    if (a == nullptr || b == nullptr || a->common.empty() || b->common.empty()) return std::nullopt;
    const auto rows = [&](const Plan* scan) {
        const auto known = whole.find(scan);
        return known == whole.end() ? scan->rows : known->second;
    };
    std::map<std::string_view, double> common;
    for (const ColumnStatistics::Common& value : a->common) common.emplace(value.key, value.share);
    double meeting = 0, matched_a = 0, matched_b = 0, matches = 0, alone_a = 0, alone_b = 0;
    for (const ColumnStatistics::Common& value : b->common) {
        const auto found = common.find(value.key);
        if (found == common.end()) {
            alone_b += value.share;
            continue;
        }
        meeting += found->second * value.share;
        matched_a += found->second;
        matched_b += value.share;
        ++matches;
        common.erase(found);
    }
    for (const auto& [key, share] : common) alone_a += share;
    const double rare_a = std::max(0.0, 1 - a->null_share - matched_a - alone_a);
    const double rare_b = std::max(0.0, 1 - b->null_share - matched_b - alone_b);
    // How often rows of one side meet those of the other, which has so many different values.
    const auto total = [&](double alone, double rare, double others_alone, double others_rare, double values,
                           std::size_t others_common) {
        double share = meeting;
        if (const double others = values - static_cast<double>(others_common); others >= 1)
            share += alone * others_rare / others;
        if (const double others = values - matches; others >= 1) share += rare * (others_rare + others_alone) / others;
        return share;
    };
    return std::min(total(alone_a, rare_a, alone_b, rare_b, b->distinct_of(rows(pair.right.scan)), b->common.size()),
                    total(alone_b, rare_b, alone_a, rare_a, a->distinct_of(rows(pair.left.scan)), a->common.size()));
}

/// The same for columns that are all equal to each other; of several pairs that with the most, which tells most of the
/// common values.
std::optional<double> share_of_equals(const std::vector<Pair>& pairs, const Keys& left, const Keys& right,
                                      const WholeRows& whole) {
    const auto single = [](const auto& keys) { return keys.second.size() == 1; };
    if ((left.size() != 1 && right.size() != 1) || !std::all_of(left.begin(), left.end(), single) ||
        !std::all_of(right.begin(), right.end(), single))
        return std::nullopt;
    std::optional<double> most;
    for (const Pair& pair : pairs) {
        const std::optional<double> share = share_of_equals(pair, whole);
        if (share && (!most || *share > *most)) most = share;
    }
    return most;
}

}  // namespace join_size

Origin origin_of(const Plan& plan, ColumnId id) {
    if (plan.kind == PlanKind::scan) {
        for (const ScanColumn& column : plan.scan_columns)
            if (column.id == id) return {&plan, column.place};
        return {};
    }
    if (plan.kind != PlanKind::join && plan.kind != PlanKind::filter) return {};
    const Origin left = origin_of(*plan.left, id);
    return left.scan != nullptr || plan.right == nullptr ? left : origin_of(*plan.right, id);
}

double joined_rows(const Plan& left, const Plan& right, const std::vector<BoundExpr*>& conditions,
                   const WholeRows& whole) {
    using namespace join_size;
    Keys left_keys, right_keys;
    std::vector<Pair> pairs;
    for (const BoundExpr* condition : conditions) {
        if (condition->kind != BoundKind::operation || condition->operation->comparison != Comparison::equal ||
            condition->args.size() != 2)
            continue;
        Pair pair;
        for (const BoundExpr* side : condition->args) {
            const BoundExpr* const column = column_of(*side);
            if (column == nullptr) continue;
            if (const Origin from = origin_of(left, column->column); from.scan != nullptr) {
                add_key(left_keys, from);
                pair.left = from;
            } else if (const Origin origin = origin_of(right, column->column); origin.scan != nullptr) {
                add_key(right_keys, origin);
                pair.right = origin;
            }
        }
        if (pair.left.scan != nullptr && pair.right.scan != nullptr &&
            condition->operation->left == condition->operation->right)
            pairs.push_back(pair);
    }
    if (const std::optional<double> share = share_of_equals(pairs, left_keys, right_keys, whole))
        return std::max(1.0, left.rows * right.rows * *share);
    // A key that is unique on one side is what the other side refers to: it has no other keys, unless ANALYZE saw more.
    const Different a = different_keys(left_keys, whole), b = different_keys(right_keys, whole);
    double keys = std::max(a.keys, b.keys);
    if (a.all && !b.all && !b.known) keys = a.keys;
    if (b.all && !a.all && !a.known) keys = b.keys;
    return std::max(1.0, left.rows * right.rows / std::max(1.0, keys));
}

double grouped_rows(const Plan& aggregate, const WholeRows& whole) {
    using namespace join_size;
    if (aggregate.groups.empty()) return 1;
    // Several sets of groups, as those of ROLLUP, make up the finest of them and fewer of each other.
    if (!aggregate.grouping_sets.empty()) {
        const auto sets = static_cast<double>(aggregate.grouping_sets.size());
        return std::max(sets, aggregate.left->rows / k_usual_group);
    }
    const double input = aggregate.left->rows;
    double groups = 1;
    const std::size_t deciding =
        aggregate.deciding_groups == 0 ? aggregate.groups.size() : aggregate.deciding_groups;
    for (std::size_t i = 0; i < deciding; ++i) {
        const PlanColumn& group = aggregate.groups[i];
        const BoundExpr* const column = column_of(*group.expr);
        const Origin from = column == nullptr ? Origin{} : origin_of(*aggregate.left, column->column);
        const ColumnStatistics* const known = from.scan == nullptr ? nullptr : statistics_of(*from.scan, from.place);
        if (known == nullptr) return std::max(1.0, input / k_usual_group);
        const auto rows = whole.find(from.scan);
        groups *= std::max(1.0, known->distinct_of(rows == whole.end() ? from.scan->rows : rows->second));
    }
    return std::max(1.0, std::min(groups, input));
}

}  // namespace northstar::inline v0::sql
