// definition_marks.hpp -- which tables a change of a definition concerns.  Layer: sql.
//
// [MARK-1] The catalog's entry "changed/OID" of a table that stores rows has another value after every change of a
//          definition that rows written under the old one might break: its own, that of a key or a table that refers to
//          it or inherits from it, of its partitions, of a type that its rows hold; and none once the table is gone.
//          What ANALYZE finds is no such change.
// [MARK-2] Who writes rows of a table has read its mark. So a transaction that changed rows conflicts with what others
//          defined meanwhile only where that concerns one of its tables; who defines reads the catalog's version, and
//          conflicts with whoever else did. At SERIALIZABLE everybody does.
// Threads: any.
#pragma once

#include "sql/catalog/catalog.hpp"

#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// Key of the mark of a table that has a tree of rows.
std::string definition_mark(Oid table);

/// Tables whose rows a change concerns, each once: of the catalogs before and behind it; old or changed may be null,
/// but not both. O(1) as a rule; of a table that others inherit from, their number.
std::vector<Oid> tables_concerned(const Catalog& before, const Catalog& after, const Relation* old,
                                  const Relation* changed);
/// Tables whose rows hold values of a type, or of one that stands on it. O(columns of all tables).
std::vector<Oid> tables_that_hold(const Catalog& catalog, Oid type);

}  // namespace northstar::inline v0::sql
