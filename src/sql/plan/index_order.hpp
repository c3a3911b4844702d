// index_order.hpp -- ORDER BY that an index answers.  Layer: sql.
//
// Rows come in the order of an index through projections, filters, and joins that look up the partners of each row.
#pragma once

#include "sql/plan/first_rows.hpp"
#include "sql/plan/plan.hpp"

#include <optional>
#include <vector>

namespace northstar::inline v0::sql {

/// The input of the sort where reading it along an index gives the order that is asked for; the scan is told so. Where
/// the scan does not use that index already, `few` rows must be wanted (0: not so). nullptr: the sort is needed.
Plan* ordered_input(Plan& sort, double few);

/// What a row of the leading scan costs, in rows of one that reads all, if the plan is read in that order; nothing: no
/// index gives it.
std::optional<double> price_in_order(Plan& plan, const FirstRows& wanted);

/// The keys as expressions over what is below a projection; false: some are computed by it.
bool move_below(const Plan& project, std::vector<SortKey>& keys);

}  // namespace northstar::inline v0::sql
