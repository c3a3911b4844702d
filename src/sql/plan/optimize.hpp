// optimize.hpp -- a plan that does the same in less time.  Layer: sql.
//
// Rules, in order: conditions move down to where their columns are known; inner joins are put into an order that joins
// along equalities, small sides first; EXISTS and IN of correlated subqueries become semi- and anti-joins where their
// correlation is a plain condition; scans use an index where conditions give a range; columns that nobody reads are not
// decoded.
//
// [OPT-1] The result has the same rows; only an order that the query does not ask for may differ.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// The optimized plan; nodes of the old one are reused. Subqueries of expressions are optimized as well.
Plan* optimize(Plan* plan, BoundPool& pool);

}  // namespace northstar::inline v0::sql
