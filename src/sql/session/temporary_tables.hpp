// temporary_tables.hpp -- ON COMMIT of temporary tables.  Layer: sql session.  Threads: those of its session.
#pragma once

#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

/// What Relation::on_commit is to say. Raises 42P16 where another table than a temporary one is told what to do.
char on_commit_of(const syntax::CreateTable& syntax, bool temporary);
/// Before a commit: empties the tables ON COMMIT DELETE ROWS, each alone whatever are its parts, then takes away those
/// ON COMMIT DROP and what depends on them. Raises 0A000 where a table that keeps its rows refers to one that does not.
void clear_temporary_tables(SqlSession& session);

}  // namespace northstar::inline v0::sql
