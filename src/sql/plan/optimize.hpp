// optimize.hpp -- a plan that does the same in less time.  Layer: sql.
//
// Rules: EXISTS becomes a semi- or anti-join where an equality ties it to its outer rows; conditions move down to where
// their columns are known, and of an OR over several inputs what it says of each of them; inner joins are put into an
// order that joins along equalities and keeps few rows; the partners of few rows are looked up in an index, those of
// many found by hash; scans use an index where conditions give a range or ORDER BY with LIMIT its order; count() of
// what is never NULL counts rows; columns that nobody reads are not decoded, and joins do not hand them on.
//
// [OPT-1] The result has the same rows; only an order that the query does not ask for may differ.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// The optimized plan; nodes of the old one are reused. Subqueries of expressions are optimized as well.
Plan* optimize(Plan* plan, BoundPool& pool);
/// The same of a statement with changes of data, all of it at once: its parts may read the same WITH queries, and what
/// was optimized must not be optimized again. `query` may be null. Sources go without what their change does not read
/// (plan/change_columns.hpp).
void optimize(Plan*& query, const std::vector<BoundChange*>& changes, const Catalog& catalog, BoundPool& pool);

}  // namespace northstar::inline v0::sql
