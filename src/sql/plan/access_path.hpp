// access_path.hpp -- which index a scan uses.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Chooses among the primary key and the indexes of the scan's table by what its conditions fix: equal leading columns,
/// then a range. The conditions stay, so that a choice can make a scan slower, never wrong.
void choose_access_path(Plan& scan, BoundPool& pool);

}  // namespace northstar::inline v0::sql
