// access_methods.hpp -- USING of tables and indexes, operator classes.  Layer: sql session.  Threads: any.
//
// Every table and every index is a tree of ordered keys here. What PostgreSQL's methods and classes are called, and
// what they cannot do, is judged as PostgreSQL judges it, so that a definition that fails there does not pass here.
#pragma once

#include "sql/syntax/statement.hpp"
#include "sql/type.hpp"

#include <string_view>

namespace northstar::inline v0::sql {

/// USING, or SET ACCESS METHOD, of a table; empty: the default. Raises 42704, 55000; of a partitioned table, which has
/// no rows of its own, 0A000.
void check_table_method(std::string_view name, bool partitioned);
/// Of an index: whether the method can do what is asked of it. Raises 42704, 0A000.
void check_index_method(const syntax::CreateIndex& index);
/// An operator class named behind a column or expression of the type; no name: the default. Raises 42704 where the
/// method has no such class, 42804 where it is one of another type.
void check_operator_class(const syntax::QualifiedName& name, std::string_view method, Oid type,
                          const TypeCatalog* types);

}  // namespace northstar::inline v0::sql
