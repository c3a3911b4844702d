// storage_options.hpp -- storage parameters of tables, indexes and views (WITH (..), SET (..)).  Layer: sql session.
// Threads: those of its session.
//
// PostgreSQL's speak of how it stores and cleans up, and have nothing to set here: they are judged as PostgreSQL judges
// them and taken. What nobody knows is refused, so that a misspelt one is not taken for one that does something.
#pragma once

#include "sql/syntax/statement.hpp"

#include <string_view>

namespace northstar::inline v0::sql {

enum class StorageOf : std::uint8_t { table, partitioned_table, index, view, column };

/// Raises 22023 for a parameter that is unknown there, is said twice or has a value that it cannot have, 0A000 for WITH
/// (oids). `method`: of an index; empty: btree.
void check_storage_options(const syntax::List<syntax::Option>& options, StorageOf what, std::string_view method = {});

}  // namespace northstar::inline v0::sql
