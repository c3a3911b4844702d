#include "sql/plan/row_range.hpp"

#include "sql/plan/index_terms.hpp"
#include "sql/plan/key_range.hpp"
#include "sql/plan/ties.hpp"
#include "sql/plan/walk.hpp"
#include "sql/resolve.hpp"

#include <optional>

namespace northstar::inline v0::sql {

namespace row_range_parts {

/// The side that is to be in a range, and the side that says where the range ends.
struct Sides {
    const std::vector<BoundExpr*>& inside;
    const std::vector<BoundExpr*>& end;
    bool from_end_on;  ///< the range begins there
};

/// Nothing: the condition compares no rows, or by = or <>.
std::optional<Sides> sides_of(const BoundExpr& condition, bool turned) {
    if (condition.kind != BoundKind::row_compare || condition.args[0]->kind != BoundKind::row ||
        condition.args[1]->kind != BoundKind::row || condition.args[0]->args.empty() || condition.args[1]->args.empty())
        return std::nullopt;
    const auto compared = static_cast<Comparison>(condition.number);
    const bool more = compared == Comparison::greater || compared == Comparison::greater_equal;
    if (!more && compared != Comparison::less && compared != Comparison::less_equal) return std::nullopt;
    return Sides{condition.args[turned ? 1 : 0]->args, condition.args[turned ? 0 : 1]->args, more != turned};
}

/// A column of an index, or of the key of the row behind it.
struct Part {
    int term = k_no_term;
    KeyOrder order;
};

std::optional<Part> part_at(const Plan& scan, std::size_t number, std::size_t at) {
    const Relation& relation = *scan.relation;
    const Index& index = relation.indexes[number];
    if (at < index.columns.size()) return Part{term_of(scan, number, at), index.columns[at].order};
    if (index.unique || index.holds_rows() || relation.row_key() < 0) return std::nullopt;
    const auto key = static_cast<std::size_t>(relation.row_key());
    at -= index.columns.size();
    if (at >= relation.indexes[key].columns.size()) return std::nullopt;
    return Part{term_of(scan, key, at), relation.indexes[key].columns[at].order};
}

void go_on(Plan& scan, const BoundExpr& condition, bool turned) {
    const std::optional<Sides> sides = sides_of(condition, turned);
    AccessPath& path = scan.access;
    if (!sides || path.index < 0 || (sides->from_end_on ? path.low : path.high) != sides->end[0]) return;
    const auto number = static_cast<std::size_t>(path.index);
    const KeyOrder first = scan.relation->indexes[number].columns[path.next_part()].order;
    std::vector<BoundExpr*>& rest = sides->from_end_on ? path.low_rest : path.high_rest;
    for (std::size_t i = 1; i < sides->inside.size(); ++i) {
        const std::optional<Part> part = part_at(scan, number, path.next_part() + i);
        const BoundExpr& inside = *sides->inside[i];
        BoundExpr* const end = sides->end[i];
        if (!part || part->term != term_of(scan, inside) || part->order.descending != first.descending ||
            !has_keys_of(inside.type, end->type) || is_volatile(end) || has_subquery(end) || uses_any(end, scan))
            return;
        rest.push_back(end);
    }
}

}  // namespace row_range_parts

BoundExpr* row_range(const BoundExpr& condition, bool turned, BoundPool& pool) {
    const std::optional<row_range_parts::Sides> sides = row_range_parts::sides_of(condition, turned);
    if (!sides) return nullptr;
    BoundExpr* const left = sides->inside[0];
    BoundExpr* const right = sides->end[0];
    // Types that users make are compared by operators that only the binder finds.
    if (left->type >= k_first_user_oid || right->type >= k_first_user_oid) return nullptr;
    const OperatorMatch match = resolve_operator(sides->from_end_on ? ">=" : "<=", left->type, right->type, nullptr);
    if (match.entry == nullptr || match.left != left->type || match.right != right->type) return nullptr;
    BoundExpr* const range = pool.expr(BoundKind::operation, type::boolean);
    range->position = condition.position;
    range->operation = match.entry;
    range->args = {left, right};
    return range;
}

void continue_row_ranges(Plan& scan) {
    for (const BoundExpr* condition : scan.conditions)
        for (const bool turned : {false, true}) row_range_parts::go_on(scan, *condition, turned);
}

}  // namespace northstar::inline v0::sql
