// lock_table.hpp -- LOCK TABLE.  Layer: sql session.  Threads: those of its session.
//
// Nobody waits for a lock. A block that locked a table in a mode beside which others may not change rows (SHARE and
// those that keep off more) is refused (40001) where others have changed rows of it, or its definition, before it
// commits. Beside the other modes they may, and there is nothing to keep.
#pragma once

#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

/// A view stands for what it reads, a table for all that inherit from it, too. Raises 25P01, 42P01, 42809.
void lock_tables(SqlSession& session, const syntax::Statement& statement);

}  // namespace northstar::inline v0::sql
