// ties.hpp -- conditions of a subquery that tie its rows to those of the query around it.  Layer: sql.
#pragma once

#include "sql/plan/walk.hpp"

namespace northstar::inline v0::sql {

/// Does an expression use a column that the plan produces?
inline bool uses_any(BoundExpr* expr, const Plan& plan) {
    for (const ColumnId id : used_columns(expr))
        if (produces(plan, id)) return true;
    return false;
}

/// Are values of these types that are equal found by one hash?
inline bool hash_alike(Oid a, Oid b) {
    const auto integer = [](Oid type) { return type == type::int2 || type == type::int4 || type == type::int8; };
    const auto real = [](Oid type) { return type == type::float4 || type == type::float8; };
    return a == b || (integer(a) && integer(b)) || (real(a) && real(b));
}

inline bool is_moment(Oid type) {
    return type == type::date || type == type::timestamp || type == type::timestamptz;
}

/// Types of which a join can look up equal values: those above, and moments of two kinds, of which it makes one.
inline bool joins_by_hash(Oid a, Oid b) { return hash_alike(a, b) || (is_moment(a) && is_moment(b)); }

/// a = b with columns of one plan on one side only, and of the other on the other.
inline bool is_tie(const BoundExpr* condition, const Plan& outer, const Plan& inner) {
    if (condition->kind != BoundKind::operation || condition->operation->comparison != Comparison::equal ||
        condition->args.size() != 2 || !joins_by_hash(condition->args[0]->type, condition->args[1]->type))
        return false;
    BoundExpr* const a = condition->args[0];
    BoundExpr* const b = condition->args[1];
    return (uses_any(a, inner) && !uses_any(a, outer) && uses_any(b, outer) && !uses_any(b, inner)) ||
           (uses_any(b, inner) && !uses_any(b, outer) && uses_any(a, outer) && !uses_any(a, inner));
}

}  // namespace northstar::inline v0::sql
