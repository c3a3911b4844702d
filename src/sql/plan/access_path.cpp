#include "sql/plan/access_path.hpp"

#include "sql/cast.hpp"
#include "sql/plan/selectivity.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace access_path {

/// column <comparison> value, where the value is known before the scan begins and has the column's type, or both are
/// integers.
struct Bound {
    int column = -1;
    Comparison comparison = Comparison::none;
    BoundExpr* value = nullptr;
    BoundExpr* condition = nullptr;
};

Comparison turned(Comparison comparison) {
    switch (comparison) {
        case Comparison::less: return Comparison::greater;
        case Comparison::less_equal: return Comparison::greater_equal;
        case Comparison::greater: return Comparison::less;
        case Comparison::greater_equal: return Comparison::less_equal;
        default: return comparison;
    }
}

std::optional<Bound> read(const Plan& scan, BoundExpr* condition) {
    if (condition->kind != BoundKind::operation || condition->args.size() != 2 || is_volatile(condition))
        return std::nullopt;
    const Comparison comparison = condition->operation->comparison;
    if (comparison == Comparison::none || comparison == Comparison::not_equal) return std::nullopt;
    for (int side = 0; side < 2; ++side) {
        const BoundExpr* column = condition->args[static_cast<std::size_t>(side)];
        BoundExpr* value = condition->args[static_cast<std::size_t>(1 - side)];
        if (column->kind != BoundKind::column || has_subquery(value)) continue;
        int place = -1;
        for (const ScanColumn& item : scan.scan_columns)
            if (item.id == column->column) place = item.place;
        if (place < 0) continue;
        bool own = false;
        for (const ColumnId id : used_columns(value)) own |= produces(scan, id);
        if (own) continue;
        const bool integers = is_plain_integer(column->type) && is_plain_integer(value->type);
        if (value->type != column->type && !integers) continue;
        return Bound{place, side == 0 ? comparison : turned(comparison), value, condition};
    }
    return std::nullopt;
}

bool is_lower(Comparison comparison) {
    return comparison == Comparison::greater || comparison == Comparison::greater_equal;
}

/// The share of the rows that a path leads to, where ANALYZE knows its columns; negative: it does not.
double known_share(const Plan& scan, const Index& index, const AccessPath& path, const std::vector<Bound>& bounds) {
    const std::size_t columns = path.equal.size() + (path.low != nullptr || path.high != nullptr ? 1 : 0);
    std::vector<BoundExpr*> conditions;
    for (std::size_t i = 0; i < columns; ++i) {
        if (statistics_of(scan, index.columns[i].column) == nullptr) return -1;
        for (const Bound& bound : bounds) {
            if (bound.column != index.columns[i].column) continue;
            const bool of_path = i < path.equal.size() ? bound.value == path.equal[i]
                                                       : bound.value == path.low || bound.value == path.high;
            if (of_path) conditions.push_back(bound.condition);
        }
    }
    return selectivity(conditions, scan);
}

/// Every value is the same for all rows of the statement.
bool is_fixed(const AccessPath& path) {
    const auto fixed = [](BoundExpr* value) { return value == nullptr || used_columns(value).empty(); };
    return std::all_of(path.equal.begin(), path.equal.end(), fixed) && fixed(path.low) && fixed(path.high);
}

}  // namespace access_path

void choose_access_path(Plan& scan) {
    using access_path::Bound;
    const Relation& relation = *scan.relation;
    std::vector<Bound> bounds;
    for (BoundExpr* condition : scan.conditions)
        if (const std::optional<Bound> bound = access_path::read(scan, condition)) bounds.push_back(*bound);
    const double whole = scan.rows;
    scan.rows = std::max(1.0, whole * selectivity(scan.conditions, scan));
    // Rows that a path leads to may lie anywhere: each costs as much as several in the order in which they lie.
    constexpr double k_wasteful = 0.25;
    int best_score = 0;
    double best_share = -1;
    for (std::size_t i = 0; i < relation.indexes.size(); ++i) {
        const Index& index = relation.indexes[i];
        if (index.partial()) continue;
        AccessPath path;
        path.index = static_cast<int>(i);
        int score = 0;
        for (const IndexColumn& column : index.columns) {
            if (column.column < 0) break;
            const auto equal = std::find_if(bounds.begin(), bounds.end(), [&](const Bound& bound) {
                return bound.column == column.column && bound.comparison == Comparison::equal;
            });
            if (equal != bounds.end()) {
                path.equal.push_back(equal->value);
                score += 10;
                continue;
            }
            for (const Bound& bound : bounds) {
                if (bound.column != column.column) continue;
                const bool low = access_path::is_lower(bound.comparison);
                BoundExpr*& end = low ? path.low : path.high;
                if (end != nullptr) continue;
                end = bound.value;
                (low ? path.low_inclusive : path.high_inclusive) =
                    bound.comparison == Comparison::greater_equal || bound.comparison == Comparison::less_equal;
                score += 3;
            }
            break;
        }
        if (score == 0) continue;
        const bool whole_unique = index.unique && path.equal.size() == index.columns.size();
        if (whole_unique) score += 100;
        if (index.holds_rows()) score += 2;
        const double share = whole_unique ? -1 : access_path::known_share(scan, index, path, bounds);
        const bool both_known = share >= 0 && best_share >= 0;
        if (both_known && share != best_share ? share > best_share : score <= best_score) continue;
        best_score = score;
        best_share = share;
        scan.access = path;
        scan.access.wasteful = share > k_wasteful && !index.holds_rows() && access_path::is_fixed(path);
        // Who makes an index expects few rows for a value of it.
        if (whole_unique) scan.rows = 1;
        else if (share < 0 && !path.equal.empty()) scan.rows = std::min(scan.rows, std::max(4.0, whole / 1000));
    }
}

void drop_met_conditions(Plan& scan) {
    if (scan.access.index < 0 || scan.versions.present) return;
    const AccessPath& path = scan.access;
    const Index& index = scan.relation->indexes[static_cast<std::size_t>(path.index)];
    std::erase_if(scan.conditions, [&](BoundExpr* condition) {
        const std::optional<access_path::Bound> bound = access_path::read(scan, condition);
        if (!bound) return false;
        for (std::size_t i = 0; i < path.equal.size(); ++i)
            if (bound->comparison == Comparison::equal && path.equal[i] == bound->value &&
                index.columns[i].column == bound->column)
                return true;
        if (path.equal.size() == index.columns.size() || index.columns[path.equal.size()].column != bound->column)
            return false;
        switch (bound->comparison) {
            case Comparison::greater: return path.low == bound->value && !path.low_inclusive;
            case Comparison::greater_equal: return path.low == bound->value && path.low_inclusive;
            case Comparison::less: return path.high == bound->value && !path.high_inclusive;
            case Comparison::less_equal: return path.high == bound->value && path.high_inclusive;
            default: return false;
        }
    });
}

}  // namespace northstar::inline v0::sql
