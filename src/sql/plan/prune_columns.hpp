// prune_columns.hpp -- scans decode only the columns that somebody reads.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Takes out of every scan of the plan, its subqueries and WITH queries the columns that no expression and no output
/// uses.
void prune_columns(Plan& plan);

/// Of a projection below another one, columns that were there for an order alone, which an index gives.
void leave_out_unread(Plan& below, const Plan& reader);
/// A projection to what is there already.
bool hands_on(const Plan& project);

/// Does it call what gives other values each time, or change data?
bool is_volatile_plan(Plan& plan);
/// Does an expression, in itself or in a subquery?
bool is_volatile_inside(BoundExpr* expr);

}  // namespace northstar::inline v0::sql
