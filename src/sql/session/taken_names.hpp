// taken_names.hpp -- whether a name is free for a relation or a type.  Layer: sql, inside session/.
//
// Relations and indexes share their names. So do types and the relations that have a row type, which are tables and
// views.
#pragma once

#include "sql/session/sql_session.hpp"

#include <string>

namespace northstar::inline v0::sql {

bool is_relation_name_taken(const SqlSession& session, const std::string& schema, const std::string& name);
/// For a table, a view or a sequence that is new. Raises 42P07 where a relation, an index or a composite type has the
/// name, 42710 where another type has it.
void refuse_relation_name(const SqlSession& session, const std::string& schema, const std::string& name);
/// For a type that is new. Raises 42710.
void refuse_type_name(const SqlSession& session, const std::string& schema, const std::string& name);

}  // namespace northstar::inline v0::sql
