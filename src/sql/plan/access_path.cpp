#include "sql/plan/access_path.hpp"

#include "sql/cast.hpp"
#include "sql/plan/selectivity.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace access_path {

/// column <comparison> value, where the value is known before the scan begins and has the column's type, or both are
/// integers. Comparison::none: the column is one of some values, which the condition names.
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

/// Place of the scan's column that an expression is; -1: it is none.
int place_of(const Plan& scan, const BoundExpr& expr) {
    const BoundExpr* const column = column_of(expr);
    if (column == nullptr) return -1;
    for (const ScanColumn& item : scan.scan_columns)
        if (item.id == column->column) return item.place;
    return -1;
}

/// Is a value known before the scan begins?
bool is_known(const Plan& scan, BoundExpr* value) {
    if (has_subquery(value)) return false;
    for (const ColumnId id : used_columns(value))
        if (produces(scan, id)) return false;
    return true;
}

bool fits(Oid column, Oid value) {
    return value == column || (is_plain_integer(column) && is_plain_integer(value));
}

/// column IN (..), column = ANY (array).
std::optional<Bound> read_members(const Plan& scan, BoundExpr* condition) {
    if (condition->negated || is_volatile(condition)) return std::nullopt;
    const BoundExpr& column = *condition->args[0];
    const int place = place_of(scan, column);
    if (place < 0) return std::nullopt;
    if (condition->kind == BoundKind::in_list) return Bound{place, Comparison::none, nullptr, condition};
    const OperatorEntry& operation = *condition->operation;
    if (operation.comparison != Comparison::equal || !is_known(scan, condition->args[1])) return std::nullopt;
    if (!fits(column.type, operation.right)) return std::nullopt;
    return Bound{place, Comparison::none, nullptr, condition};
}

std::optional<Bound> read(const Plan& scan, BoundExpr* condition) {
    if (condition->kind == BoundKind::in_list || condition->kind == BoundKind::quantified)
        return read_members(scan, condition);
    if (condition->kind != BoundKind::operation || condition->args.size() != 2 || is_volatile(condition))
        return std::nullopt;
    const Comparison comparison = condition->operation->comparison;
    if (comparison == Comparison::none || comparison == Comparison::not_equal) return std::nullopt;
    for (int side = 0; side < 2; ++side) {
        const BoundExpr& column = *condition->args[static_cast<std::size_t>(side)];
        BoundExpr* value = condition->args[static_cast<std::size_t>(1 - side)];
        const int place = place_of(scan, column);
        if (place < 0 || !is_known(scan, value) || !fits(column.type, value->type)) continue;
        return Bound{place, side == 0 ? comparison : turned(comparison), value, condition};
    }
    return std::nullopt;
}

bool is_lower(Comparison comparison) {
    return comparison == Comparison::greater || comparison == Comparison::greater_equal;
}

/// The share of the rows that a path leads to, where ANALYZE knows its columns; negative: it does not.
double known_share(const Plan& scan, const Index& index, const AccessPath& path, const std::vector<Bound>& bounds) {
    const bool next = path.members != nullptr || path.low != nullptr || path.high != nullptr;
    const std::size_t columns = path.equal.size() + (next ? 1 : 0);
    std::vector<BoundExpr*> conditions;
    for (std::size_t i = 0; i < columns; ++i) {
        if (statistics_of(scan, index.columns[i].column) == nullptr) return -1;
        for (const Bound& bound : bounds) {
            if (bound.column != index.columns[i].column) continue;
            bool of_path = false;
            if (i < path.equal.size()) of_path = bound.value == path.equal[i];
            else if (bound.value == nullptr) of_path = bound.condition == path.members;
            else of_path = bound.value == path.low || bound.value == path.high;
            if (of_path) conditions.push_back(bound.condition);
        }
    }
    return selectivity(conditions, scan);
}

/// Every value is the same for all rows of the statement.
bool is_fixed(const AccessPath& path) {
    const auto fixed = [](BoundExpr* value) { return value == nullptr || used_columns(value).empty(); };
    if (path.members != nullptr)
        for (std::size_t i = 1; i < path.members->args.size(); ++i)
            if (!fixed(path.members->args[i])) return false;
    return std::all_of(path.equal.begin(), path.equal.end(), fixed) && fixed(path.low) && fixed(path.high);
}

/// Is it quicker to look so many values up than to read the rows of the table one by one?
bool is_worth_looking_up(double values, double rows) {
    constexpr double k_look_up = 16;  // in rows of a scan
    return values * k_look_up < rows;
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
            const auto members = std::find_if(bounds.begin(), bounds.end(), [&](const Bound& bound) {
                return bound.column == column.column && bound.value == nullptr &&
                       access_path::is_worth_looking_up(members_of(*bound.condition), whole);
            });
            if (members != bounds.end()) {
                path.members = members->condition;
                score += 8;
                break;
            }
            for (const Bound& bound : bounds) {
                if (bound.column != column.column || bound.value == nullptr) continue;
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
        const std::size_t fixed_columns = path.equal.size() + (path.members != nullptr ? 1 : 0);
        const bool whole_unique = index.unique && fixed_columns == index.columns.size();
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
        if (whole_unique) scan.rows = path.members != nullptr ? members_of(*path.members) : 1;
        else if (share < 0 && !path.equal.empty()) scan.rows = std::min(scan.rows, std::max(4.0, whole / 1000));
    }
}

void drop_met_conditions(Plan& scan) {
    if (scan.access.index < 0 || scan.versions.present) return;
    const AccessPath& path = scan.access;
    const Index& index = scan.relation->indexes[static_cast<std::size_t>(path.index)];
    std::erase_if(scan.conditions, [&](BoundExpr* condition) {
        if (condition == path.members) return true;
        const std::optional<access_path::Bound> bound = access_path::read(scan, condition);
        if (!bound || bound->value == nullptr) return false;
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
