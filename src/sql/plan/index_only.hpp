// index_only.hpp -- scans that the entries of an index answer without the rows.  Layer: sql.
//
// An entry has the columns of its index, and the key of the row: the columns of the primary key. A snapshot sees
// entries and rows of the same state, so whether a row is visible need not be asked of the row.
//
// [ENTRIES-1] A column is read from an entry where its encoding gives back exactly what was stored (is_key_exact): so
//             not where numeric has a scale to show, where -0 became 0, where char(n) lost its blanks. Nor behind an
//             expression of the index, or out of it.
#pragma once

#include "sql/plan/plan.hpp"

#include <optional>

namespace northstar::inline v0::sql {

/// Where a column of a table lies in the entries of an index.
struct EntryPlace {
    bool in_row_key = false;     ///< in the key of the row, else in the key of the entry
    std::size_t column = 0;      ///< of the primary key, or of the index
};

/// Nothing: it does not lie there, or not exactly.
std::optional<EntryPlace> entry_place(const Relation& relation, const Index& index, int column);

/// Where it lies in the key of the row, among the columns of the primary key. Nothing: not there, or not exactly.
std::optional<std::size_t> row_key_place(const Relation& relation, int column);

/// Tells the scan to leave the rows alone if it can, along another index that its conditions narrow as far where nobody
/// relies on the order of its path. What it reads must be final.
void read_entries_only(Plan& scan);

}  // namespace northstar::inline v0::sql
