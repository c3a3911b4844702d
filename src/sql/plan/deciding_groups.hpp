// deciding_groups.hpp -- columns of GROUP BY that others depend on.  Layer: sql.
//
// Rows that have the same primary key of a table have all of its columns the same: where the key is grouped by, its
// other columns make no further groups, and those that nobody reads need not be kept. In the rows that an outer join
// fills up all of them are NULL.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Puts the groups of an aggregate that decide all others first, and says how many they are. Not of grouping sets.
void find_deciding_groups(Plan& aggregate);

}  // namespace northstar::inline v0::sql
