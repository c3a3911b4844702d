// distinct_values.hpp -- one row of each combination of values that an index begins with.  Layer: sql.
//
// Where many rows have the same values, the first entry of each is enough for DISTINCT, and for the least or largest of
// what comes next in the index: the scan goes from one value to the next and leaves out what lies between (known as a
// loose index scan, or a skip scan). Whether it is worth it is seen in the index, O(log n).
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Tells the scan below a DISTINCT, whose access path is chosen, to read one row of each combination of its columns,
/// where an index has them side by side and combinations have many rows each; of DISTINCT ON the one that its sort
/// would put first, where the index has that order. Otherwise nothing is changed.
void read_values_once(Plan& distinct);

/// count(DISTINCT column) and the like, alone, as an aggregate over a DISTINCT that reads values once.
void aggregate_values_once(Plan& aggregate, BoundPool& pool);

/// GROUP BY columns of which the least or the largest value of another one is asked for, as the latest row of each.
void read_extremes_of_groups(Plan& aggregate);

}  // namespace northstar::inline v0::sql
