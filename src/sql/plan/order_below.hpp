// order_below.hpp -- orders in which the first windows, groups and tuples are known early.  Layer: sql.
//
// Where few rows are wanted of an operator that takes its whole input otherwise, its input is read in an order in which
// it can hand out the first ones, if an index gives that order or its beginning.
#pragma once

#include "sql/plan/first_rows.hpp"
#include "sql/plan/plan.hpp"

#include <optional>
#include <vector>

namespace northstar::inline v0::sql {

/// In which order the input of windows, groups or DISTINCT is to be read, so that rows come out in the order that is
/// wanted; nothing: none does, or it is of no use.
std::optional<std::vector<SortKey>> order_below(const Plan& plan, const FirstRows& wanted);
/// Where few rows are wanted of the plan, whose input is pushed down already: has the input come in that order.
void read_below_in_order(Plan& plan, const std::vector<SortKey>& order, const FirstRows& wanted, BoundPool& pool);

}  // namespace northstar::inline v0::sql
