// analyze.hpp -- ANALYZE.  Layer: sql.  Threads: one at a time.
//
// [ANALYZE-1] Statistics are part of the definition of a table: they come by a commit, have history, and change no
//             answer, only how it is found.
#pragma once

#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

/// Describes tables, or all that there are, by a sample of some 30000 rows; every row is looked at to choose them:
/// O(rows). Raises 42P01, 42703, 42701, 25006.
void analyze_tables(SqlSession& session, const syntax::TableList& list);

}  // namespace northstar::inline v0::sql
