// UPDATE and DELETE FOR PORTION OF a period: the part of a row that lies in the portion changes, the rest of it
// stays as rows of its own with the values that they had (SQL:2011, 14.9 and 14.14; PostgreSQL 19).
#include "sql/execute/change_target.hpp"

namespace northstar::inline v0::sql {

/// Cuts the period of a changed row to the portion; false: they have nothing in common.
bool ChangeRunner::clip(BoundChange& change, Target& target, const std::vector<Value>& old_row,
                        std::vector<Value>& row) {
    const BoundChange::Portion& portion = change.portion;
    const Range whole = read_period(portion.period, old_row.data(), target.arena);
    if (!spans_overlap(whole, portion.span)) return false;
    write_period(portion.period, *change.relation, common_span(whole, portion.span), row.data(), target.arena);
    return true;
}

/// Stores what of the old row lies before and behind the portion.
void ChangeRunner::keep_rest(BoundChange& change, Target& target, const std::vector<Value>& old_row) {
    const BoundChange::Portion& portion = change.portion;
    const Range whole = read_period(portion.period, old_row.data(), target.arena);
    for (const std::optional<Range>& rest : {span_before(whole, portion.span), span_behind(whole, portion.span)}) {
        if (!rest) continue;
        std::vector<Value> row = old_row;
        write_period(portion.period, *change.relation, *rest, row.data(), target.arena);
        finish_row(change, target, row);
        changed(target, target.writer->insert(row.data()));
        note(*change.relation, nullptr, row.data());
    }
}

}  // namespace northstar::inline v0::sql
