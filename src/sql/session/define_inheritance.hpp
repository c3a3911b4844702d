// define_inheritance.hpp -- INHERITS in definitions.  Layer: sql.  Threads: one at a time.
//
// A table has the columns and the checks of those that it inherits from as its own; what ALTER TABLE does to those it
// does to their heirs. Keys and foreign keys are not inherited. What a table has declared itself, too, it keeps when
// those that it inherits from lose it.
#pragma once

#include "sql/session/sql_session.hpp"

#include <set>
#include <string>

namespace northstar::inline v0::sql {

/// The check of a name; null: there is none.
const CheckConstraint* find_check(const Relation& table, std::string_view name);
/// Whether any table that it inherits from has a column, or a check for its heirs, of a name.
bool inherits_column(const SqlSession& session, const Relation& heir, std::string_view name);
bool inherits_check(const SqlSession& session, const Relation& heir, std::string_view name);

/// The columns and checks that a table begins with, and the names of columns whose defaults contradict each other.
/// Raises 42809, 42P07, 42804, 42710.
std::set<std::string> inherit_columns(SqlSession& session, Relation& relation,
                                      const syntax::List<syntax::QualifiedName>& parents);
/// A column that is declared again with what it inherits. Raises 42804.
void merge_inherited_column(SqlSession& session, Relation& relation, Column own);
/// Whether two expressions over a table, as the catalog keeps them, mean the same.
bool same_meaning(SqlSession& session, const Relation& table, const std::string& a, const std::string& b);
/// ALTER TABLE .. INHERIT and NO INHERIT.
void change_inheritance(SqlSession& session, const Relation& table, const syntax::AlterAction& action);
/// Whether a table that is to have an inherited check has it already: `own`, of its name, if there is one. Raises 42710
/// where that says something else, 42P17 where it does not hold for what the other one holds for.
bool merge_inherited_check(SqlSession& session, const Relation& heir, const CheckConstraint& check,
                           const CheckConstraint* own);
/// What may not be altered in an heir alone. Raises 42P16.
void refuse_inherited(SqlSession& session, const Relation& table, const syntax::AlterAction& action);
/// What may not be altered without the heirs (ONLY). Raises 42P16.
void refuse_only(SqlSession& session, const Relation& table, const syntax::AlterAction& action);
/// A column that an heir has from tables that are not altered with this one, too. Raises 42P16.
void refuse_column_of_others(SqlSession& session, const Relation& table, std::string_view column, const char* what);
/// An action that was done to a table, which was so before, is done to its heirs as far as it is about what they have
/// of it. `only`: they keep what it lost.
void alter_heirs(SqlSession& session, const Relation& before, const syntax::AlterAction& action, bool only);

}  // namespace northstar::inline v0::sql
