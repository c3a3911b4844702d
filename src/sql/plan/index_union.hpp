// index_union.hpp -- a = 1 OR b = 2, where each of the two has an index: the rows that either leads to.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Where every arm of an OR narrows some index, so far that looking up what they lead to is quicker than reading all of
/// the `whole` rows of the table, their paths become those of the scan (Plan::united). The conditions stay: a path may
/// lead to more. O(arms) choices of a path; arms may have ORs of their own.
void choose_index_union(Plan& scan, double whole);

}  // namespace northstar::inline v0::sql
