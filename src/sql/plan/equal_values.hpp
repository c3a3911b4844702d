// equal_values.hpp -- what is equal to something that has a known value.  Layer: sql.
//
// a = b AND a = 5 says the same as a = 5 AND b = 5, by which b can be looked up before it is joined. Each condition is
// taken once, so that estimates do not count it twice.
#pragma once

#include "sql/plan/plan.hpp"

#include <vector>

namespace northstar::inline v0::sql {

/// Turns equalities of two expressions into equalities with a constant or a parameter, where one of the two has that
/// value by one of `known`, or by another of the conditions that was turned. All of them are true together.
void settle_equalities(std::vector<BoundExpr*>& conditions, const std::vector<BoundExpr*>& known, BoundPool& pool);

}  // namespace northstar::inline v0::sql
