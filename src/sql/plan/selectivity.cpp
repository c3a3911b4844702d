#include "sql/plan/selectivity.hpp"

#include "sql/array.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <string>

namespace northstar::inline v0::sql {

namespace selectivity_parts {

struct Known {
    const ColumnStatistics* column = nullptr;
    double rows = 0;
};

/// The column of the scan that an expression is, with what is known of it.
Known known_of(const BoundExpr& expr, const Plan& scan) {
    const BoundExpr* const read = column_of(expr);
    if (read == nullptr || scan.relation->statistics == nullptr) return {};
    for (const ScanColumn& column : scan.scan_columns)
        if (column.id == read->column) return {statistics_of(scan, column.place), scan.relation->statistics->rows};
    return {};
}

/// The key of a constant as a value of the column's type; empty: it is not known, or of another type.
std::string key_of(const BoundExpr& value, Oid column) {
    std::string key;
    if (value.kind != BoundKind::constant || value.value.is_null()) return key;
    if (value.type == column) encode_key(value.value, {}, key);
    else if (is_plain_integer(value.type) && is_plain_integer(column))
        encode_key(Value::integer(column, value.value.integer()), {}, key);
    return key;
}

struct Comparing {
    const BoundExpr* column;
    const BoundExpr* value;
    Comparison comparison;
    Known known;
};

/// column <comparison> value, either way round, of a column that something is known of.
bool read(const BoundExpr& condition, const Plan& scan, Comparing& out) {
    if (condition.kind != BoundKind::operation || condition.args.size() != 2) return false;
    out.comparison = condition.operation->comparison;
    if (out.comparison == Comparison::none) return false;
    for (int side = 0; side < 2; ++side) {
        out.column = condition.args[static_cast<std::size_t>(side)];
        out.value = condition.args[static_cast<std::size_t>(1 - side)];
        out.known = known_of(*out.column, scan);
        if (out.known.column != nullptr) return true;
        out.comparison = turned(out.comparison);
    }
    return false;
}

/// The rows whose value lies on the asked side of a value that is known; negative: it is not.
double share_of_side(const Comparing& condition) {
    const std::string key = key_of(*condition.value, condition.column->type);
    if (key.empty()) return -1;
    const ColumnStatistics& column = *condition.known.column;
    const double before = column.share_before(key);
    const double here = column.share_of(key, condition.known.rows);
    const double all = 1 - column.null_share;
    switch (condition.comparison) {
        case Comparison::less: return std::min(before, all);
        case Comparison::less_equal: return std::min(before + here, all);
        case Comparison::greater: return std::max(0.0, all - before - here);
        default: return std::max(0.0, all - before);
    }
}

bool is_side(Comparison comparison) {
    return comparison != Comparison::none && comparison != Comparison::equal && comparison != Comparison::not_equal;
}
bool is_lower_end(Comparison comparison) {
    return comparison == Comparison::greater || comparison == Comparison::greater_equal;
}

constexpr double k_usual_side = 0.35, k_usual_range = 0.05;

/// The column of the scan that one end of a range is given for, by a value that is not one of the scan's.
struct End {
    ColumnId column = k_no_column;
    bool lower = false;
};

End end_of(const BoundExpr& condition, const Plan& scan) {
    if (condition.kind != BoundKind::operation || condition.args.size() != 2) return {};
    const Comparison comparison = condition.operation->comparison;
    if (!is_side(comparison)) return {};
    const auto of_scan = [&](const BoundExpr& expr) {
        return expr.kind == BoundKind::column &&
               std::any_of(scan.scan_columns.begin(), scan.scan_columns.end(),
                           [&](const ScanColumn& column) { return column.id == expr.column; });
    };
    const bool left = of_scan(*condition.args[0]), right = of_scan(*condition.args[1]);
    if (left == right) return {};
    return {condition.args[left ? 0 : 1]->column, is_lower_end(comparison) == left};
}

double of_comparison(const BoundExpr& condition, const Plan& scan) {
    Comparing found{};
    const Comparison comparison = condition.operation->comparison;
    if (read(condition, scan, found)) {
        const ColumnStatistics& column = *found.known.column;
        if (is_side(comparison)) {
            const double share = share_of_side(found);
            return share < 0 ? k_usual_side : share;
        }
        const std::string key = key_of(*found.value, found.column->type);
        const double equal =
            key.empty() ? column.usual_share(found.known.rows) : column.share_of(key, found.known.rows);
        return comparison == Comparison::equal ? equal : std::max(0.0, 1 - column.null_share - equal);
    }
    switch (comparison) {
        case Comparison::equal: return 0.02;
        case Comparison::not_equal: return 0.95;
        case Comparison::none: return 0.1;  // LIKE and its kin
        default: return k_usual_side;
    }
}

/// Of = ANY the array, of which no more is looked at than how long it is.
double of_array(const BoundExpr& condition, const Plan& scan) {
    const Known known = known_of(*condition.args[0], scan);
    const double share = known.column == nullptr ? 0.02 : known.column->usual_share(known.rows);
    return std::min(share * members_of(condition), known.column == nullptr ? 0.5 : 1.0);
}

double of_members(const BoundExpr& condition, const Plan& scan) {
    const Known known = known_of(*condition.args[0], scan);
    double share = 0;
    for (std::size_t i = 1; i < condition.args.size(); ++i) {
        if (known.column == nullptr) {
            share = std::min(0.5, 0.02 * static_cast<double>(condition.args.size()));
            break;
        }
        const std::string key = key_of(*condition.args[i], condition.args[0]->type);
        share += key.empty() ? known.column->usual_share(known.rows) : known.column->share_of(key, known.rows);
    }
    share = std::min(share, 1.0);
    return condition.negated ? 1 - share : share;
}

}  // namespace selectivity_parts

const ColumnStatistics* statistics_of(const Plan& scan, int place) {
    if (scan.relation == nullptr || scan.relation->statistics == nullptr) return nullptr;
    const auto found = scan.relation->statistics->columns.find(place);
    return found == scan.relation->statistics->columns.end() ? nullptr : &found->second;
}

double members_of(const BoundExpr& condition) {
    constexpr double k_usual_array = 10;
    if (condition.kind == BoundKind::in_list) return static_cast<double>(condition.args.size() - 1);
    const BoundExpr& array = *condition.args[1];
    if (array.kind == BoundKind::array) return static_cast<double>(array.args.size());
    if (array.kind != BoundKind::constant || array.value.is_null()) return k_usual_array;
    return static_cast<double>(ArrayView(array.value).size());
}

double combinations_of(const AccessPath& path) {
    double combinations = 1;
    for (const PathMembers& list : path.members) combinations *= members_of(*list.condition);
    return combinations;
}

double selectivity(const BoundExpr& condition, const Plan& scan) {
    using namespace selectivity_parts;
    switch (condition.kind) {
        case BoundKind::operation: return of_comparison(condition, scan);
        case BoundKind::in_list: return of_members(condition, scan);
        case BoundKind::quantified:
            if (condition.negated || condition.operation->comparison != Comparison::equal) return k_usual_side;
            return of_array(condition, scan);
        case BoundKind::negation: return 1 - selectivity(*condition.args[0], scan);
        case BoundKind::conjunction: return selectivity(condition.args, scan);
        case BoundKind::disjunction: {
            double rest = 1;
            for (const BoundExpr* part : condition.args) rest *= 1 - selectivity(*part, scan);
            return 1 - rest;
        }
        case BoundKind::is_null: {
            const Known known = known_of(*condition.args[0], scan);
            const double null = known.column == nullptr ? 0.05 : known.column->null_share;
            return condition.negated ? 1 - null : null;
        }
        case BoundKind::column: {
            const Known known = known_of(condition, scan);
            if (known.column == nullptr || condition.type != type::boolean) return k_usual_side;
            std::string key;
            encode_key(Value::boolean(true), {}, key);
            return known.column->share_of(key, known.rows);
        }
        default: return k_usual_side;
    }
}

double selectivity(const std::vector<BoundExpr*>& conditions, const Plan& scan) {
    using namespace selectivity_parts;
    struct Ends {
        const ColumnStatistics* column;
        double low, high;
    };
    double share = 1;
    std::vector<Ends> ranges;
    std::vector<End> unknown;
    for (const BoundExpr* condition : conditions) {
        Comparing found{};
        const double side = read(*condition, scan, found) && is_side(found.comparison) ? share_of_side(found) : -1;
        if (side < 0) {
            // Who gives both ends of a range means a small part.
            const End end = end_of(*condition, scan);
            const bool has_other = std::any_of(unknown.begin(), unknown.end(), [&](const End& other) {
                return other.column == end.column && other.lower != end.lower;
            });
            share *= has_other ? k_usual_range / k_usual_side : selectivity(*condition, scan);
            if (end.column != k_no_column) unknown.push_back(end);
            continue;
        }
        auto range = std::find_if(ranges.begin(), ranges.end(),
                                  [&](const Ends& other) { return other.column == found.known.column; });
        if (range == ranges.end()) {
            const double all = 1 - found.known.column->null_share;
            range = ranges.insert(ranges.end(), {found.known.column, all, all});
        }
        double& end = is_lower_end(found.comparison) ? range->low : range->high;
        end = std::min(end, side);
    }
    for (const Ends& range : ranges) {
        const double all = 1 - range.column->null_share;
        share *= std::max(0.0, range.low + range.high - all);
    }
    return share;
}

}  // namespace northstar::inline v0::sql
