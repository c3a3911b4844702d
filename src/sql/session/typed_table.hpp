// typed_table.hpp -- CREATE TABLE .. OF type, ALTER TABLE .. OF and NOT OF.  Layer: sql session.  Threads: those of its
// session.
//
// A typed table has the columns of a composite type, in its order, and what is done to the type is done to it. Its
// columns are changed by ALTER TYPE .. CASCADE alone.
#pragma once

#include "sql/session/sql_session.hpp"

#include <memory>
#include <vector>

namespace northstar::inline v0::sql {

/// The columns that a table of a type begins with. Raises 42704, 42809.
void take_columns_of_type(SqlSession& session, Relation& table, const syntax::QualifiedName& name);
/// A composite type as a relation, which LIKE may name; null: there is no such type.
std::shared_ptr<const Relation> relation_of_type(SqlSession& session, const syntax::QualifiedName& name);
/// What may not be altered in a typed table itself. Raises 42809.
void refuse_typed(const Relation& table, const syntax::AlterAction& action);
/// ALTER TABLE .. OF, NOT OF. Raises 42704, 42809, 42804.
void change_type_of_table(SqlSession& session, const Relation& table, const syntax::AlterAction& action);
/// Raises 42P16 where a field, or a column, would have a type that has no values of its own.
void refuse_pseudo_type(SqlSession& session, Oid type, const std::string& column);
/// The tables of a type. O(relations).
std::vector<std::shared_ptr<const Relation>> tables_of_type(const SqlSession& session, Oid type);

}  // namespace northstar::inline v0::sql
