#include "sql/plan/index_only.hpp"

namespace northstar::inline v0::sql {

namespace index_only {

/// A key is walked from its front, and nothing but columns of the table is known to be stepped over.
std::optional<std::size_t> find(const Index& index, int column) {
    for (std::size_t i = 0; i < index.columns.size() && index.columns[i].column >= 0; ++i)
        if (index.columns[i].column == column) return i;
    return std::nullopt;
}

}  // namespace index_only

std::optional<std::size_t> row_key_place(const Relation& relation, int column) {
    const ColumnLayout& layout = relation.layout->column(static_cast<std::size_t>(column));
    const int primary = relation.row_key();
    if (primary < 0 || !is_key_exact(layout.type, layout.form)) return std::nullopt;
    return index_only::find(relation.indexes[static_cast<std::size_t>(primary)], column);
}

std::optional<EntryPlace> entry_place(const Relation& relation, const Index& index, int column) {
    const ColumnLayout& layout = relation.layout->column(static_cast<std::size_t>(column));
    if (!is_key_exact(layout.type, layout.form)) return std::nullopt;
    if (const auto place = index_only::find(index, column)) return EntryPlace{false, *place};
    const auto place = row_key_place(relation, column);
    return place ? std::optional(EntryPlace{true, *place}) : std::nullopt;
}

void read_entries_only(Plan& scan) {
    scan.access.entries_only = false;
    if (scan.access.index < 0 || scan.versions.present || scan.point == nullptr) return;
    const Relation& relation = *scan.relation;
    const Index& index = relation.indexes[static_cast<std::size_t>(scan.access.index)];
    // The entries of the primary key are the rows.
    if (index.holds_rows()) return;
    for (const ScanColumn& column : scan.scan_columns) {
        if (column.place == hidden_table_oid) continue;
        // Who asks for the key of a row wants to change the row or to hold it: it is to count as read, so that no other
        // session changes what has no entry.
        if (column.place < 0 || !entry_place(relation, index, column.place)) return;
    }
    scan.access.entries_only = true;
}

}  // namespace northstar::inline v0::sql
