// value_list.hpp -- x = 1 OR x = 2 as x IN (1, 2): one look at a hash table, or an index.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// An OR of equalities of one column with values that are there before rows are read, all of one type, as an IN list;
/// other conditions as they are.
BoundExpr* as_value_list(BoundExpr* condition, BoundPool& pool);

}  // namespace northstar::inline v0::sql
