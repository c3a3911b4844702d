// conditions_below.hpp -- conditions that may be asked for before a projection, a window or DISTINCT as well as behind
// it.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

#include <vector>

namespace northstar::inline v0::sql {

/// Does the projection hand on all columns that the condition uses as they are?
bool passes(const Plan& project, BoundExpr* condition);
/// The condition over the columns that a projection only gives other numbers; nullptr: some are computed.
BoundExpr* moved_below(const Plan& project, BoundExpr* condition, BoundPool& pool);
/// Does the condition select whole partitions of all windows, or whole sets of rows of which DISTINCT keeps one?
bool selects_whole_sets(const Plan& plan, BoundExpr* condition);

}  // namespace northstar::inline v0::sql
