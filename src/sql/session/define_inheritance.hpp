// define_inheritance.hpp -- INHERITS in definitions.  Layer: sql.  Threads: one at a time.
//
// A table has the columns and the checks of those that it inherits from as its own; what ALTER TABLE does to those it
// does to their heirs. Keys and foreign keys are not inherited.
#pragma once

#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

/// The columns and checks that a table begins with. Raises 42809, 42P07, 42804.
void inherit_columns(SqlSession& session, Relation& relation, const syntax::List<syntax::QualifiedName>& parents);
/// A column that is declared again with what it inherits. Raises 42804.
void merge_inherited_column(SqlSession& session, Relation& relation, Column own);
/// ALTER TABLE .. INHERIT and NO INHERIT.
void change_inheritance(SqlSession& session, const Relation& table, const syntax::AlterAction& action);
/// What may not be altered in an heir alone. Raises 42P16.
void refuse_inherited(SqlSession& session, const Relation& table, const syntax::AlterAction& action);
/// Does this form of ALTER TABLE hold for the heirs, too?
bool spreads_to_heirs(const syntax::AlterAction& action);

}  // namespace northstar::inline v0::sql
