#include "sql/plan/access_path.hpp"

#include "sql/cast.hpp"
#include "sql/plan/first_rows.hpp"
#include "sql/plan/index_groups.hpp"
#include "sql/plan/index_terms.hpp"
#include "sql/plan/index_union.hpp"
#include "sql/plan/key_range.hpp"
#include "sql/plan/prune_columns.hpp"
#include "sql/plan/read_point.hpp"
#include "sql/plan/selectivity.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace northstar::inline v0::sql {

namespace access_path {

enum class Says : std::uint8_t { comparison, members, null, not_null };

/// What a condition says of a term of the table's indexes: <comparison> a value that is known before the scan begins
/// and that keys can be made from; one of some values, which the condition names; or whether it is NULL.
struct Bound {
    int term = k_no_term;
    Says kind = Says::comparison;
    Comparison comparison = Comparison::none;
    BoundExpr* value = nullptr;
    BoundExpr* condition = nullptr;

    bool is_equal() const {
        return kind == Says::null || (kind == Says::comparison && comparison == Comparison::equal);
    }
};

/// Is a value known before the scan begins? What a subquery says is, if it says the same of every row.
bool is_known(const Plan& scan, BoundExpr* value) {
    if (has_subquery(value)) return used_columns(value).empty() && !is_volatile_inside(value);
    for (const ColumnId id : used_columns(value))
        if (produces(scan, id)) return false;
    return true;
}

/// term IN (..), term = ANY (array).
std::optional<Bound> read_members(const Plan& scan, BoundExpr* condition) {
    if (condition->negated || is_volatile(condition)) return std::nullopt;
    const BoundExpr& expr = *condition->args[0];
    const int term = term_of(scan, expr);
    if (term == k_no_term) return std::nullopt;
    const Bound bound{term, Says::members, Comparison::none, nullptr, condition};
    if (condition->kind == BoundKind::in_list) return bound;
    const OperatorEntry& operation = *condition->operation;
    if (operation.comparison != Comparison::equal || !is_known(scan, condition->args[1])) return std::nullopt;
    return has_bytes_of(expr.type, operation.right) ? std::optional(bound) : std::nullopt;
}

/// term IS [NOT] NULL. A record whose fields are all NULL is a value.
std::optional<Bound> read_null(const Plan& scan, BoundExpr* condition) {
    const BoundExpr& expr = *condition->args[0];
    const int term = term_of(scan, expr);
    if (term == k_no_term || !may_be_null(scan, term) || may_be_record(expr.type)) return std::nullopt;
    const Says kind = condition->negated ? Says::not_null : Says::null;
    return Bound{term, kind, Comparison::none, nullptr, condition};
}

std::optional<Bound> read(const Plan& scan, BoundExpr* condition) {
    if (condition->kind == BoundKind::in_list || condition->kind == BoundKind::quantified)
        return read_members(scan, condition);
    if (condition->kind == BoundKind::is_null) return read_null(scan, condition);
    if (condition->kind != BoundKind::operation || condition->args.size() != 2 || is_volatile(condition))
        return std::nullopt;
    const Comparison comparison = condition->operation->comparison;
    if (comparison == Comparison::none || comparison == Comparison::not_equal) return std::nullopt;
    for (int side = 0; side < 2; ++side) {
        const BoundExpr& expr = *condition->args[static_cast<std::size_t>(side)];
        BoundExpr* value = condition->args[static_cast<std::size_t>(1 - side)];
        const int term = term_of(scan, expr);
        if (term == k_no_term || !has_keys_of(expr.type, value->type) || !is_known(scan, value)) continue;
        return Bound{term, Says::comparison, side == 0 ? comparison : turned(comparison), value, condition};
    }
    return std::nullopt;
}

bool is_lower(Comparison comparison) {
    return comparison == Comparison::greater || comparison == Comparison::greater_equal;
}

/// Do all rows of the index meet the condition?
bool is_in_predicate(const Plan& scan, std::size_t number, const BoundExpr& condition) {
    if (!scan.relation->indexes[number].partial()) return false;
    const std::vector<BoundExpr*>& predicate = scan.index_terms[number].predicate;
    return std::any_of(predicate.begin(), predicate.end(),
                       [&](const BoundExpr* part) { return same_expr(*part, condition); });
}

bool has_members(const AccessPath& path, const BoundExpr* condition) {
    return std::any_of(path.members.begin(), path.members.end(),
                       [&](const PathMembers& list) { return list.condition == condition; });
}

/// Is the bound one of those that say which value a column of the path has?
bool is_equal_in(const Plan& scan, const AccessPath& path, const Bound& bound) {
    if (!bound.is_equal()) return false;
    for (std::size_t i = 0; i < path.equal.size(); ++i)
        if (path.equal[i] == bound.value &&
            term_of(scan, static_cast<std::size_t>(path.index), path.part(i)) == bound.term)
            return true;
    return false;
}

/// Is the bound about the column of the path's range?
bool is_of_range(const Plan& scan, const AccessPath& path, const Bound& bound) {
    const auto number = static_cast<std::size_t>(path.index);
    return path.next_part() < scan.relation->indexes[number].columns.size() &&
           term_of(scan, number, path.next_part()) == bound.term;
}

/// The conditions that a path is made from.
std::vector<BoundExpr*> conditions_of(const Plan& scan, const AccessPath& path, const std::vector<Bound>& bounds) {
    std::vector<BoundExpr*> conditions;
    for (const Bound& bound : bounds) {
        bool of_path = false;
        if (bound.kind == Says::members) of_path = has_members(path, bound.condition);
        else if (is_equal_in(scan, path, bound)) of_path = true;
        else if (is_of_range(scan, path, bound))
            of_path = bound.kind == Says::not_null ? path.not_null
                                                   : bound.kind == Says::comparison &&
                                                         (bound.value == path.low || bound.value == path.high);
        if (of_path) conditions.push_back(bound.condition);
    }
    return conditions;
}

/// The share of the rows behind a path that the other conditions leave.
double rest_share(const Plan& scan, const AccessPath& path, const std::vector<Bound>& bounds) {
    const std::vector<BoundExpr*> met = conditions_of(scan, path, bounds);
    const auto number = static_cast<std::size_t>(path.index);
    std::vector<BoundExpr*> rest;
    for (BoundExpr* condition : scan.conditions) {
        const bool of_path = std::find(met.begin(), met.end(), condition) != met.end();
        if (!of_path && !is_in_predicate(scan, number, *condition)) rest.push_back(condition);
    }
    return selectivity(rest, scan);
}

/// The values of a path, where they are constants of which keys can be made without a session.
std::optional<PathValues> constants_of(const Plan& scan, const AccessPath& path) {
    const auto number = static_cast<std::size_t>(path.index);
    const auto constant = [&](const BoundExpr* value, std::size_t part) {
        return value == nullptr ||
               (value->kind == BoundKind::constant && has_bytes_of(type_of_term(scan, number, part), value->type));
    };
    for (std::size_t i = 0; i < path.equal.size(); ++i)
        if (!constant(path.equal[i], path.part(i))) return std::nullopt;
    if (!constant(path.low, path.next_part()) || !constant(path.high, path.next_part())) return std::nullopt;
    PathValues values;
    for (std::size_t i = 0; i < path.members.size(); ++i) {
        const BoundExpr& list = *path.members[i].condition;
        if (list.kind != BoundKind::in_list) return std::nullopt;
        std::vector<Value>& members = values.members.emplace_back();
        for (std::size_t k = 1; k < list.args.size(); ++k) {
            if (!constant(list.args[k], path.member_part(i))) return std::nullopt;
            members.push_back(list.args[k]->value);
        }
    }
    for (const BoundExpr* value : path.equal) values.equal.push_back(value == nullptr ? Value() : value->value);
    if (path.low != nullptr) values.low = path.low->value;
    if (path.high != nullptr) values.high = path.high->value;
    return values;
}

/// The entries of the index that a path leads to, where its values are constants, and it is not long to count them;
/// negative: they are not.
double counted_entries(const Plan& scan, const AccessPath& path) {
    constexpr double k_most_ranges = 8;
    if (scan.point == nullptr || combinations_of(path) > k_most_ranges) return -1;
    std::optional<PathValues> values = constants_of(scan, path);
    if (!values) return -1;
    KeyRange keys;
    if (!make_key_range(scan, path, *values, nullptr, keys)) return 0;
    const Relation& relation = *scan.relation;
    const Index& index = relation.indexes[static_cast<std::size_t>(path.index)];
    const std::string tree = index.holds_rows() ? relation.tree() : relation.index_tree(index);
    if (path.members.empty()) return scan.point->entry_count(tree, relation.temporary, keys.from, keys.to);
    double entries = 0;
    for (const std::string& start : keys.starts) {
        const double found = scan.point->entry_count(tree, relation.temporary, start + keys.from,
                                                     keys.to.empty() ? key_successor(start) : start + keys.to);
        if (found < 0) return found;
        entries += found;
    }
    return entries;
}

/// Does ANALYZE know the columns whose values a path is made from?
bool is_analyzed(const Plan& scan, const AccessPath& path) {
    const auto number = static_cast<std::size_t>(path.index);
    const auto known = [&](std::size_t part) { return statistics_of(scan, term_of(scan, number, part)) != nullptr; };
    for (std::size_t i = 0; i < path.equal.size(); ++i)
        if (!known(path.part(i))) return false;
    for (std::size_t i = 0; i < path.members.size(); ++i)
        if (!known(path.member_part(i))) return false;
    return !path.has_range() || known(path.next_part());
}

/// The share of the rows that the conditions of a path leave.
double share_of(const Plan& scan, const AccessPath& path, const std::vector<Bound>& bounds, double whole) {
    const auto number = static_cast<std::size_t>(path.index);
    const bool partial = scan.relation->indexes[number].partial();
    return selectivity(conditions_of(scan, path, bounds), scan) *
           (partial ? std::min(1.0, scan.index_terms[number].rows / whole) : 1);
}

/// The share of the rows that a path leads to, where its entries can be counted or ANALYZE knows its columns; negative:
/// neither.
double known_share(const Plan& scan, const AccessPath& path, const std::vector<Bound>& bounds, double whole) {
    if (const double counted = counted_entries(scan, path); counted >= 0) return std::min(1.0, counted / whole);
    return is_analyzed(scan, path) ? share_of(scan, path, bounds, whole) : -1;
}

/// Every value is the same for all rows of the statement.
bool is_fixed(const AccessPath& path) {
    const auto fixed = [](BoundExpr* value) { return value == nullptr || used_columns(value).empty(); };
    for (const PathMembers& list : path.members)
        for (std::size_t i = 1; i < list.condition->args.size(); ++i)
            if (!fixed(list.condition->args[i])) return false;
    return std::all_of(path.equal.begin(), path.equal.end(), fixed) && fixed(path.low) && fixed(path.high);
}

/// Is it quicker to look each member up behind what the path has so far than to read all of that?
bool is_worth_dividing(const Plan& scan, const std::vector<Bound>& bounds, double whole, const AccessPath& path,
                       const BoundExpr& members) {
    const double look_ups = combinations_of(path) * members_of(members);
    if (path.equal.empty() && path.members.empty()) return is_worth_looking_up(look_ups, whole);
    const bool in_rows = scan.relation->indexes[static_cast<std::size_t>(path.index)].holds_rows();
    const double rows = whole * selectivity(conditions_of(scan, path, bounds), scan);
    return is_worth_looking_up(look_ups, rows * (in_rows ? 1 : k_index_fetch));
}

/// Narrows a path by what the bounds say of the columns that come next in its index; the score says how much they do,
/// 0: not at all.
int narrow(const Plan& scan, const std::vector<Bound>& bounds, double whole, AccessPath& path) {
    const auto number = static_cast<std::size_t>(path.index);
    const Index& index = scan.relation->indexes[number];
    int score = 0;
    for (std::size_t part = path.next_part(); part < index.columns.size(); ++part) {
        const int term = term_of(scan, number, part);
        const auto find = [&](const auto& wanted) {
            return std::find_if(bounds.begin(), bounds.end(),
                                [&](const Bound& bound) { return bound.term == term && wanted(bound); });
        };
        if (const auto equal = find([](const Bound& bound) { return bound.is_equal(); }); equal != bounds.end()) {
            path.equal.push_back(equal->value);
            score += 10;
            continue;
        }
        const auto members = find([&](const Bound& bound) {
            return bound.kind == Says::members && is_worth_dividing(scan, bounds, whole, path, *bound.condition);
        });
        if (members != bounds.end()) {
            path.members.push_back({members->condition, path.equal.size()});
            score += 8;
            continue;
        }
        for (const Bound& bound : bounds) {
            if (bound.term != term || bound.kind != Says::comparison) continue;
            const bool low = is_lower(bound.comparison);
            BoundExpr*& end = low ? path.low : path.high;
            if (end != nullptr) continue;
            end = bound.value;
            (low ? path.low_inclusive : path.high_inclusive) =
                bound.comparison == Comparison::greater_equal || bound.comparison == Comparison::less_equal;
            score += 3;
        }
        if (find([](const Bound& bound) { return bound.kind == Says::not_null; }) != bounds.end()) {
            path.not_null = true;
            score += path.low == nullptr && path.high == nullptr ? 2 : 0;
        }
        break;
    }
    return score;
}

/// A path through an index that skips columns of which the bounds say nothing, to those of which they do; false: there
/// is none.
bool make_skipping_path(const Plan& scan, std::size_t number, const std::vector<Bound>& bounds, double whole,
                        AccessPath& path) {
    const std::size_t parts = scan.relation->indexes[number].columns.size();
    path.index = static_cast<int>(number);
    narrow(scan, bounds, whole, path);
    if (!path.members.empty() || path.has_range()) return false;
    path.skipped_behind = path.equal.size();
    while (path.skipped_behind + ++path.skipped < parts)
        if (narrow(scan, bounds, whole, path) > 0) return true;
    return false;
}

/// What a path that skips columns visits, about: as ANALYZE knows them, or counted in the index where there are few.
/// Nothing: too many combinations of values to be worth it, or it is not known how many.
std::optional<GroupCounts> groups_of(const Plan& scan, const AccessPath& path, const std::vector<Bound>& bounds,
                                     double whole, double most) {
    constexpr double k_most_counted = 64;
    const auto number = static_cast<std::size_t>(path.index);
    double combinations = 1;
    for (std::size_t i = path.skipped_behind; i < path.skipped_behind + path.skipped && combinations > 0; ++i) {
        const ColumnStatistics* const known = statistics_of(scan, term_of(scan, number, i));
        const double values = known == nullptr ? 0 : known->distinct_of(whole);
        combinations *= values <= 0 ? 0 : values + (known->null_share > 0 ? 1 : 0);
    }
    const GroupCounts analyzed{std::min(combinations, whole), whole * share_of(scan, path, bounds, whole)};
    if (combinations > 0 && is_analyzed(scan, path))
        return analyzed.groups <= most ? std::optional(analyzed) : std::nullopt;
    std::optional<PathValues> values = path.members.empty() ? constants_of(scan, path) : std::nullopt;
    if (!values && path.skipped_behind > 0) return std::nullopt;
    KeyRange keys;
    if (values && !make_key_range(scan, path, *values, nullptr, keys)) return std::nullopt;
    std::optional<GroupCounts> counted =
        count_groups(scan, path, keys, static_cast<std::size_t>(std::min(most, k_most_counted)));
    if (counted && !values) counted->entries = analyzed.entries;
    return counted;
}

/// Instead of the path that the scan has, which costs so much in rows of a scan, one that skips columns, where it costs
/// much less. Its entries alone may be worth reading where the rows are not.
void choose_skipping_path(Plan& scan, const std::vector<Bound>& bounds, double whole, double cost) {
    constexpr double k_group = 40;  // in rows of a scan: two look-ups
    if (scan.point == nullptr || scan.versions.present || bounds.empty()) return;
    double least = cost / k_times_less;
    for (std::size_t i = 0; i < scan.relation->indexes.size(); ++i) {
        const Index& index = scan.relation->indexes[i];
        AccessPath path;
        if (index.columns.size() < 2 || !has_all_rows(scan, i) || !make_skipping_path(scan, i, bounds, whole, path) ||
            !is_fixed(path))
            continue;
        const double members = combinations_of(path);
        const std::optional<GroupCounts> found = groups_of(scan, path, bounds, whole, least / (members * k_group));
        if (!found || found->groups == 0) continue;
        const double look_ups = found->groups * members * k_group;
        const double fetched = look_ups + found->entries * (index.holds_rows() ? 1 : k_index_fetch);
        path.wasteful = fetched >= least;
        if (path.wasteful && (scan.access.index >= 0 || look_ups + found->entries >= least)) continue;
        scan.access = path;
        scan.rows = std::max(1.0, found->entries * rest_share(scan, path, bounds));
        if (!path.wasteful) least = fetched;
    }
}

}  // namespace access_path

bool is_worth_looking_up(double values, double rows) {
    constexpr double k_look_up = 16;  // in rows of a scan
    return values * k_look_up < rows;
}

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
        if ((bounds.empty() && !index.partial()) || !has_all_rows(scan, i)) continue;
        AccessPath path;
        path.index = static_cast<int>(i);
        int score = access_path::narrow(scan, bounds, whole, path);
        if (index.partial()) score += 5;
        if (score == 0) continue;
        const bool null = std::find(path.equal.begin(), path.equal.end(), nullptr) != path.equal.end();
        const std::size_t fixed_columns = path.equal.size() + path.members.size();
        const bool whole_unique = index.unique && fixed_columns == index.columns.size() && !null;
        const double share = whole_unique ? -1 : access_path::known_share(scan, path, bounds, whole);
        path.wasteful = share > k_wasteful && !index.holds_rows() && access_path::is_fixed(path);
        if (path.wasteful) score = 1;
        if (whole_unique) score += 100;
        if (index.holds_rows()) score += 2;
        const bool both_known = share >= 0 && best_share >= 0;
        if (both_known && share != best_share ? share > best_share : score <= best_score) continue;
        best_score = score;
        best_share = share;
        scan.access = path;
        // Who makes an index expects few rows for a value of it.
        if (whole_unique) scan.rows = combinations_of(path);
        else if (share >= 0) scan.rows = std::max(1.0, whole * share * access_path::rest_share(scan, path, bounds));
        else if (!path.equal.empty()) scan.rows = std::min(scan.rows, std::max(4.0, whole / 1000));
    }
    scan.united.clear();
    if (scan.access.index < 0 || scan.access.wasteful) access_path::choose_skipping_path(scan, bounds, whole, whole);
    else if (best_share >= 0)
        access_path::choose_skipping_path(scan, bounds, whole, whole * best_share * k_index_fetch);
    if (scan.access.index < 0 || scan.access.wasteful) choose_index_union(scan, whole);
}

bool drop_met_conditions(Plan& scan) {
    using access_path::Says;
    if (scan.access.index < 0 || scan.versions.present) return false;
    const AccessPath& path = scan.access;
    const auto number = static_cast<std::size_t>(path.index);
    return 0 < std::erase_if(scan.conditions, [&](BoundExpr* condition) {
        if (access_path::has_members(path, condition) || access_path::is_in_predicate(scan, number, *condition))
            return true;
        const std::optional<access_path::Bound> bound = access_path::read(scan, condition);
        if (!bound || bound->kind == Says::members) return false;
        if (access_path::is_equal_in(scan, path, *bound)) return true;
        if (!access_path::is_of_range(scan, path, *bound)) return false;
        if (bound->kind == Says::not_null) return path.not_null;
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
