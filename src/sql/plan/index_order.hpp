// index_order.hpp -- ORDER BY that an index answers.  Layer: sql.
//
// Rows come in the order of an index through projections, filters, windows and groups that are told so, and joins that
// look up the partners of each row.
#pragma once

#include "sql/plan/first_rows.hpp"
#include "sql/plan/plan.hpp"

#include <optional>
#include <vector>

namespace northstar::inline v0::sql {

/// The input of the sort where reading it along an index gives the order that is asked for; the scan is told so. Where
/// the scan does not use that index already, `few` rows must be wanted (0: not so). nullptr: the sort is needed.
Plan* ordered_input(Plan& sort, double few);

/// Has the plan read in the order of the keys, under the same conditions; false: no index gives it, nothing is changed.
bool read_in_order(Plan& plan, const std::vector<SortKey>& keys, double few);
/// Where no index gives the whole order, one may give its beginning, so that few rows are found by sorting those alone
/// that are equal in it. How many keys that is; 0: it costs no less than to sort all rows, nothing is changed.
std::size_t read_partly_in_order(Plan& plan, std::vector<SortKey> keys, double few);

/// Where a scan visits several members of a list, each in the order of the keys: few rows are found by reading so many
/// of each. False: it does not, or that costs no less; nothing is changed. `sooner`: nor are they found sooner than by
/// reading all rows in that order until enough of them are of a member.
bool read_members_in_order(Plan& plan, std::vector<SortKey> keys, double few, bool sooner);

/// What a row of the leading scan costs, in rows of one that reads all, if the plan is read in that order; nothing: no
/// index gives it.
std::optional<double> price_in_order(Plan& plan, const FirstRows& wanted);

/// The keys as expressions over what is below a projection; false: some are computed by it.
bool move_below(const Plan& project, std::vector<SortKey>& keys);

}  // namespace northstar::inline v0::sql
