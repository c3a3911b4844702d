// describe_object.hpp -- definitions of objects as SQL text, as PostgreSQL's pg_get_... functions give them.
// Layer: sql.  Threads: any.
//
// Expressions are shown as they were written (schema.hpp keeps them so), where PostgreSQL shows its own reading of
// them.
#pragma once

#include "sql/catalog/catalog.hpp"

#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// "CREATE UNIQUE INDEX i ON public.t USING btree (a, b DESC) WHERE c".
std::string index_definition(const Relation& relation, const Index& index);
/// Column `number` of an index, from 1, as it stands in the definition; empty: there is none.
std::string index_column_definition(const Relation& relation, const Index& index, int number);
/// What the definition says behind a key column: " DESC", " NULLS FIRST"; often nothing.
std::string order_of_index_column(const IndexColumn& column);

/// "PRIMARY KEY (a)", "UNIQUE (a) DEFERRABLE".
std::string constraint_definition(const Relation& relation, const Index& index);
/// "FOREIGN KEY (a) REFERENCES t(b) ON DELETE CASCADE". `names`: as whom it is read.
std::string constraint_definition(const TypeCatalog& names, const Catalog& catalog, const Relation& relation,
                                  const ForeignKey& foreign);
/// The condition of a partial index, in parentheses unless it is a name; empty: none.
std::string index_predicate(const Index& index);
/// "CHECK ((a > 0))".
std::string constraint_definition(const CheckConstraint& check);

/// The default or generating expression of a column; empty: none.
std::string default_definition(const Catalog& catalog, const Column& column);

/// 'a', 'r', 'c', 'n', 'd' of pg_constraint.
char action_letter(ForeignAction action);

}  // namespace northstar::inline v0::sql
