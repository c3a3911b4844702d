// exists_members.hpp -- EXISTS inside of an expression as a question about members.  Layer: sql.
//
// EXISTS (SELECT .. FROM inner WHERE inner.a = outer.b AND ..), where it is no condition of its own and so no semi-join
// (semi_join.hpp): under OR, in CASE, in a list of columns. It is (b IN (SELECT a FROM inner WHERE ..)) IS TRUE, which
// depends on no outer row: the inner rows are hashed once, not looked through for each outer row. Of several such ties
// it is ((b, d) IN (SELECT a, c FROM inner WHERE ..)) IS TRUE. PostgreSQL has both
// plans for it and chooses while it runs.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Changes the expression that way where it is such an EXISTS over tables, or a join of them, that have no index for
/// the columns; `rows`: so often it is asked, as far as is known. It means the same.
void ask_for_members(BoundExpr& exists, double rows, BoundPool& pool);

}  // namespace northstar::inline v0::sql
