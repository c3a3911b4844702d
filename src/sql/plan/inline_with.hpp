// inline_with.hpp -- WITH queries that are read once, as if they were subqueries.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// What makes the rows of a WITH query in place of a scan of them, with the columns of the scan: conditions above it go
/// down into it, and what nobody reads is not computed. Null: it is read elsewhere, too, it must run as a whole, once.
Plan* inlined_with(const Plan& scan, BoundPool& pool);

}  // namespace northstar::inline v0::sql
