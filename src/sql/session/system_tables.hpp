// system_tables.hpp -- rows of the relations that are computed: pg_catalog, information_schema, sys.schema.
// Layer: sql, inside session/. Threads: those of the session.
//
// The list of them, with columns and the text of those that are views, is in catalog/system_relations.cpp. A catalog of
// the past gives the rows of the past.
#pragma once

#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

/// -1: there is none. An empty schema means pg_catalog.
int find_system_table(std::string_view schema, std::string_view name);
const VirtualTable& system_table(int number);
/// Appends all rows: columns as declared, then tableoid where the relation has a number.
void system_rows(const VirtualTable& table, const Catalog& catalog, SqlSession& session, RowStore& rows);

}  // namespace northstar::inline v0::sql
