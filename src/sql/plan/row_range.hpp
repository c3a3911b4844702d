// row_range.hpp -- what a comparison of rows says of their first elements.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Of (a, b) > (x, y), as a list is read on behind its last row: a >= x, or turned round x <= a; of < likewise. Of
/// other conditions nullptr.
BoundExpr* row_range(const BoundExpr& condition, bool turned, BoundPool& pool);
/// Where the scan's path has such a range of one of its conditions: goes on with the other elements, as far as they are
/// columns behind that one, in the same direction, and known before the scan begins.
void continue_row_ranges(Plan& scan);

}  // namespace northstar::inline v0::sql
