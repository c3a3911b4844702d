// union_limit.hpp -- ORDER BY .. LIMIT above a UNION ALL.  Layer: sql.
//
// The first rows of all branches together are among the first rows of each: a branch that an index has in order need
// not be read as a whole, and the sort above has few rows left.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Gives each branch of a UNION ALL below the sort, which the limit stands on, a sort and a limit of its own, and
/// `for_few` the sort: it returns what gives the first `few` rows in that order. Nothing is changed where there is no
/// such union, where ties count, where a key is not the same for each look at a row, or where it is not known how many
/// rows the limit and its OFFSET ask for together.
void limit_branches(const Plan& limit, Plan& sort, double few, BoundPool& pool,
                    Plan* (*for_few)(Plan* sort, double few));

}  // namespace northstar::inline v0::sql
