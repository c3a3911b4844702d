#include "sql/plan/change_columns.hpp"

#include "sql/plan/walk.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace northstar::inline v0::sql {

namespace change_columns {

/// Columns whose old values keys, indexes and foreign keys are told of; nothing: maybe all of them.
struct OldValues {
    std::set<int> places;
    bool all = false;

    void add(const std::vector<int>& columns) { places.insert(columns.begin(), columns.end()); }
};

OldValues looked_at(const BoundChange& change, const Catalog& catalog) {
    const Relation& relation = *change.relation;
    OldValues old;
    old.all = change.portion.present || change.redact || relation.hidden_valid_time || relation.period_from >= 0;
    for (const Index& index : relation.indexes) {
        if (index.partial() || index.without_overlaps) old.all = true;
        // The key of the row says what an index that is the rows would be asked for, unless it changes.
        if (index.holds_rows() && change.kind == ChangeKind::erase) continue;
        for (const IndexColumn& column : index.columns) {
            if (column.column < 0) old.all = true;
            old.places.insert(column.column);
        }
    }
    for (const ForeignKey& foreign : relation.foreign_keys) {
        if (foreign.partition != 0 || foreign.period) old.all = true;
        if (change.kind == ChangeKind::update) old.add(foreign.columns);
    }
    for (const auto& [child, foreign] : catalog.references_to(relation.oid)) {
        if (foreign->referenced_partition != 0 || foreign->period) old.all = true;
        old.add(foreign->referenced);
    }
    return old;
}

ColumnSet read_columns(BoundChange& change, const OldValues& old) {
    ColumnSet read{change.row_key};
    for (const ColumnAssignment& assignment : change.assignments) used_columns(assignment.value, read);
    for (BoundExpr* expr : change.returning) used_columns(expr, read);
    std::set<int> replaced;
    for (const ColumnAssignment& assignment : change.assignments) replaced.insert(assignment.column);
    for (std::size_t i = 0; i < change.old_columns.size(); ++i) {
        const int place = static_cast<int>(i);
        const bool kept = change.kind == ChangeKind::update ? replaced.count(place) == 0
                                                            : read.count(change.new_columns[i]) != 0;
        if (old.all || kept || old.places.count(place) != 0) read.insert(change.old_columns[i]);
    }
    return read;
}

}  // namespace change_columns

void leave_out_unread(BoundChange& change, const Catalog& catalog) {
    if (change.kind != ChangeKind::update && change.kind != ChangeKind::erase) return;
    const ColumnSet read = change_columns::read_columns(change, change_columns::looked_at(change, catalog));
    const auto unread = [&](ColumnId id) { return read.count(id) == 0; };
    std::erase_if(change.source->output, unread);
    std::replace_if(change.old_columns.begin(), change.old_columns.end(), unread, k_no_column);
}

}  // namespace northstar::inline v0::sql
