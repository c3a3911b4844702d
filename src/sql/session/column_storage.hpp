// column_storage.hpp -- STORAGE and COMPRESSION of columns.  Layer: sql session.  Threads: any.
//
// Long values are stored as the engine sees fit. What was said is judged as PostgreSQL judges it, kept and shown, and
// tables that inherit contradict each other by it.
#pragma once

#include "sql/catalog/schema.hpp"
#include "sql/syntax/statement.hpp"

#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// How PostgreSQL stores values of a type where nothing is said: 'p' plain, 'm' main, 'x' extended.
char default_storage(const TypeInfo& type);
/// The letter of a word behind STORAGE. Raises 22023, and 0A000 where the type cannot be stored so.
char storage_named(std::string_view word, Oid type, const TypeCatalog* types);
/// The letter of a word behind COMPRESSION: 'p' pglz, 'l' lz4, 0 default. Raises 22023, and 0A000 for a type whose
/// values are never compressed.
char compression_named(std::string_view word, Oid type, const TypeCatalog* types);
/// SET STORAGE, SET COMPRESSION.
void set_column_storage(Column& column, const syntax::AlterAction& action, const TypeCatalog* types);
/// A column that a table has from several sides: takes over what only `other` says. Raises 42804 where both say
/// something, and not the same. `inherited`: of two tables that are inherited from, which store it somehow even where
/// nothing was said.
void merge_storage(Column& column, const Column& other, bool inherited, const TypeCatalog* types);

}  // namespace northstar::inline v0::sql
