// index_order.hpp -- ORDER BY that an index answers.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// The input of the sort where reading it along an index gives the order that is asked for; the scan is told so. Where
/// the scan does not use that index already, `few` rows must be wanted. nullptr: the sort is needed.
Plan* ordered_input(Plan& sort, bool few);

}  // namespace northstar::inline v0::sql
