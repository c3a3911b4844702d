// prune_columns.hpp -- scans decode only the columns that somebody reads.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Takes out of every scan of the plan, its subqueries and WITH queries the columns that no expression and no output
/// uses.
void prune_columns(Plan& plan);

/// Does it call what gives other values each time, or change data?
bool is_volatile_plan(Plan& plan);

}  // namespace northstar::inline v0::sql
