// distinct_values.hpp -- DISTINCT of columns that an index begins with.  Layer: sql.
//
// Where many rows have the same values, the first entry of each is enough: the scan goes from one value to the next
// and leaves out what lies between (known as a loose index scan, or a skip scan).
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Tells the scan below a DISTINCT of all of its columns, whose access path is chosen, to read one row of each
/// combination of them, where an index has them side by side and combinations have many rows each; false: it reads all
/// that it is asked for, nothing is changed. Looks into the index, O(log n).
bool read_values_once(Plan& distinct);

/// count(DISTINCT column) and the like, alone, as an aggregate over a DISTINCT that reads values once.
void aggregate_values_once(Plan& aggregate, BoundPool& pool);

}  // namespace northstar::inline v0::sql
