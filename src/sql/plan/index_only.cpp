#include "sql/plan/index_only.hpp"

#include "sql/plan/row_range.hpp"
#include "sql/plan/same_path.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

namespace index_only {

/// A key is walked from its front, and nothing but columns of the table is known to be stepped over.
std::optional<std::size_t> find(const Index& index, int column) {
    for (std::size_t i = 0; i < index.columns.size() && index.columns[i].column >= 0; ++i)
        if (index.columns[i].column == column) return i;
    return std::nullopt;
}

bool has_all_columns(const Plan& scan, const Index& index) {
    // The entries of the primary key are the rows.
    if (index.holds_rows()) return false;
    return std::all_of(scan.scan_columns.begin(), scan.scan_columns.end(), [&](const ScanColumn& column) {
        // Who asks for the key of a row wants to change the row or to hold it: it is to count as read, so that no other
        // session changes what has no entry.
        return column.place == hidden_table_oid ||
               (column.place >= 0 && entry_place(*scan.relation, index, column.place).has_value());
    });
}

/// A path along an index that has all columns, instead of one that does not and may lead to several rows.
bool take_other_path(Plan& scan) {
    const std::vector<Index>& indexes = scan.relation->indexes;
    const Index& present = indexes[static_cast<std::size_t>(scan.access.index)];
    if (scan.access.ordered || present.holds_rows() ||
        (present.unique && scan.access.equal.size() == present.columns.size()))
        return false;
    for (std::size_t i = 0; i < indexes.size(); ++i) {
        if (!has_all_columns(scan, indexes[i])) continue;
        std::optional<AccessPath> other = same_path(scan, i);
        if (!other) continue;
        scan.access = std::move(*other);
        continue_row_ranges(scan);
        return true;
    }
    return false;
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
    const Index& index = scan.relation->indexes[static_cast<std::size_t>(scan.access.index)];
    scan.access.entries_only = index_only::has_all_columns(scan, index) || index_only::take_other_path(scan);
}

}  // namespace northstar::inline v0::sql
