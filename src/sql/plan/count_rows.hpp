// count_rows.hpp -- count(x) of what is never NULL counts rows.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Takes the argument of such calls away: x need not be read.
void count_rows(Plan& aggregate);

}  // namespace northstar::inline v0::sql
