// grouped_subquery.hpp -- an aggregate over rows that belong to a row further out, computed for all of them at once.
// Layer: sql.
//
// x = (SELECT min(y) FROM .. WHERE k = outer.k) asks the same question for each k. All answers together are one grouped
// query, SELECT k, min(y) FROM .. GROUP BY k, joined by k. (Kim, "On Optimizing an SQL-like Nested Query", TODS 7(3),
// 1982; that a key without rows has an answer, too: Ganski, Wong, "Optimization of Nested SQL Queries Revisited",
// SIGMOD 1987.)
//
// [GROUPED-1] A key without rows is NULL to every aggregate but count, which is 0: an outer join and a coalesce say so.
// [GROUPED-2] Answers are computed for keys that nobody asks for. So what is aggregated there must not be able to fail.
#pragma once

#include "sql/plan/plan.hpp"

#include <optional>
#include <vector>

namespace northstar::inline v0::sql {

/// The parts of a condition with such a subquery.
struct GroupedSubquery {
    BoundExpr* original = nullptr;  ///< the condition as it was
    BoundExpr* condition = nullptr; ///< over the columns of the outer rows and those of the groups
    Plan* groups = nullptr;         ///< the grouped query
    std::vector<BoundExpr*> ties;   ///< equalities between both
    bool rejects_missing = false;   ///< the condition is not true where there is no group
    double outer_rows_worth = 0;    ///< from so many outer rows on it costs less than to run the subquery for each
};

/// Nothing: the condition has no subquery of the kind. Neither the condition nor the subquery is changed.
std::optional<GroupedSubquery> grouped_subquery(BoundExpr* condition, const Plan& outer, BoundPool& pool);

/// Joins outer rows, whose conditions are below, with the groups.
Plan* join_groups(const GroupedSubquery& grouped, Plan* outer, Plan* groups, BoundPool& pool);

}  // namespace northstar::inline v0::sql
