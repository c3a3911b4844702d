// immutable.hpp -- whether an expression means the same at all times and in all sessions.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// True where the same arguments give the same value whatever the clock, the data and the settings (time zone, style of
/// dates) are: what an index, a generated column or a partition may be made from. Reading and writing a type as text
/// depends on settings where PostgreSQL says so.
bool is_immutable(BoundExpr* expr, const TypeCatalog* catalog);

}  // namespace northstar::inline v0::sql
