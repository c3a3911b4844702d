// extremes.hpp -- min and max out of an index.  Layer: sql.
//
// Where an index has the rows that are read in the order of a column, its smallest and largest value stand at an end.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// An aggregation of a whole table, or of what an index narrows it to, that asks for nothing but min and max of columns
/// which an index has in order: each reads one row. Null: it is another one. The rows of `aggregate` stay as they are.
Plan* extremes_by_index(const Plan& aggregate, BoundPool& pool);

}  // namespace northstar::inline v0::sql
