// prefix_range.hpp -- what LIKE 'abc%' says of a column's order.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

#include <vector>

namespace northstar::inline v0::sql {

/// Of column LIKE pattern, where that is a constant which begins with characters that stand for themselves: column >=
/// the prefix, and column < the first text behind all that begin with it. Of other conditions nothing.
std::vector<BoundExpr*> prefix_range(const BoundExpr& condition, BoundPool& pool);

}  // namespace northstar::inline v0::sql
