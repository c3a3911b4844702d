// dependencies.hpp -- what objects of the catalog need of one another.  Layer: sql, inside session/. Threads: those of
// the session.
//
// Nothing records it: it is read from the definitions each time, as the catalog keeps them. pg_depend says it of all
// objects with the letters of PostgreSQL 15 (52.18): n, needed; a, goes with it; i, a part of it; P and S, the parts of
// an index over partitions. What everybody needs, such as the types that are built in, is not told.
#pragma once

#include "sql/session/row_maker.hpp"

#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// Columns that a text over the rows of a relation names, in the order of the text; -1: the row.
std::vector<int> columns_named_by(SqlSession& session, const Relation& relation, const std::string& text);
/// Does the query of a view name this column of a table? True where it cannot be read.
bool view_may_name(SqlSession& session, const Relation& view, Oid table, int place);
/// The index of the key that a foreign key leads to; 0: there is none.
Oid referenced_index(const Catalog& catalog, const ForeignKey& foreign);
/// The rows of pg_depend. O(objects), and every view is bound.
void dependency_rows(RowMaker& maker, const Catalog& catalog, SqlSession& session);

}  // namespace northstar::inline v0::sql
