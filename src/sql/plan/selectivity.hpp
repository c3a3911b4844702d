// selectivity.hpp -- which share of a table's rows a condition leaves.  Layer: sql.
//
// Out of what ANALYZE found of the columns; where it was not asked, or a value is not known yet, usual shares are
// supposed (Selinger et al., "Access Path Selection in a Relational Database Management System", SIGMOD 1979, table 1).
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Between 0 and 1. `scan` reads the columns of the condition.
double selectivity(const BoundExpr& condition, const Plan& scan);
/// Of several together: lower and upper ends of one column's range are one condition.
double selectivity(const std::vector<BoundExpr*>& conditions, const Plan& scan);
/// What ANALYZE found of a column of the scan, by physical place; null: nothing.
const ColumnStatistics* statistics_of(const Plan& scan, int place);

/// How many values an IN list or the array of = ANY has, about.
double members_of(const BoundExpr& condition);
/// So many ranges of keys a path has for its members.
double combinations_of(const AccessPath& path);

}  // namespace northstar::inline v0::sql
