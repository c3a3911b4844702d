// semi_join.hpp -- EXISTS, and the absence of partners, as a join.  Layer: sql.
//
// EXISTS (SELECT .. FROM inner WHERE inner.a = outer.b AND ..) keeps the outer rows that have a partner: a semi-join;
// NOT EXISTS an anti-join. The inner side is then read once instead of once for each outer row. (Dayal, "Of nests and
// trees", VLDB 1987.)
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// The join that keeps the rows of `outer` for which the condition holds; nullptr where it is no EXISTS, or one that is
/// not tied to the outer rows by an equality.
Plan* semi_join(BoundExpr* condition, Plan* outer, BoundPool& pool);

/// The same of column IN (subquery), for a table of which few rows are wanted and members that are many and indexed, so
/// that it is quicker to look each row up than to read all members; nullptr: it is not so, or not known to be.
Plan* members_join(BoundExpr* condition, Plan* outer, double wanted, BoundPool& pool);

/// A left join becomes an anti-join where one of the conditions above it wants a column of the right side to be NULL
/// that is NULL in no row with a partner. Such conditions are taken away.
void become_anti_join(Plan& left_join, std::vector<BoundExpr*>& conditions);

}  // namespace northstar::inline v0::sql
