// implies.hpp -- whether what is known of a row makes a condition true of it.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// True where every row for which all facts are true meets the claim. False: it is not seen to follow. It is seen from
/// equal expressions, comparisons of one expression with constants, arms of OR, and what is never true of NULL.
/// O(facts x size of the claim).
bool implies(const std::vector<BoundExpr*>& facts, BoundExpr& claim);

}  // namespace northstar::inline v0::sql
