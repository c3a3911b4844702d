// implied_conditions.hpp -- what an OR says of each input of a join.  Layer: sql.
//
// (a AND b) OR (a AND c) holds only where a does, and (x = 1 AND y = 1) OR (x = 2 AND y = 2) only where x = 1 OR x = 2
// and y = 1 OR y = 2 do: conditions that an input can be read by, or joined along, before the OR can be checked.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Conditions that follow from those given, which stay necessary.
std::vector<BoundExpr*> implied_conditions(const std::vector<BoundExpr*>& conditions, const std::vector<Plan*>& inputs,
                                           BoundPool& pool);

}  // namespace northstar::inline v0::sql
