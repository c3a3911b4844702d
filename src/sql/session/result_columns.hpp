// result_columns.hpp -- columns of what is made from a query: views, tables, materialized views.  Layer: sql session.
#pragma once

#include "sql/session/sql_session.hpp"

#include <string>

namespace northstar::inline v0::sql {

/// A column as the query gives it, behind those that are there. Raises 42701, and 42P16 for a pseudo-type.
void add_result_column(SqlSession& session, Relation& relation, std::string name, const OutputColumn& result);

}  // namespace northstar::inline v0::sql
