// exists_members.hpp -- EXISTS inside of an expression as a question about members.  Layer: sql.
//
// EXISTS (SELECT .. FROM inner WHERE inner.a = outer.b AND ..), where it is no condition of its own and so no semi-join
// (semi_join.hpp): under OR, in CASE, in a list of columns. It is (b IN (SELECT a FROM inner WHERE ..)) IS TRUE, which
// depends on no outer row: the inner rows are hashed once, not looked through for each outer row. PostgreSQL has both
// plans for it and chooses while it runs.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Changes the expression that way where it is such an EXISTS over one table that has no index for the column; `rows`:
/// so often it is asked, as far as is known. It means the same.
void ask_for_members(BoundExpr& exists, double rows, BoundPool& pool);

}  // namespace northstar::inline v0::sql
