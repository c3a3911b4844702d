#include "sql/execute/entry_reader.hpp"

#include "sql/plan/index_only.hpp"

namespace northstar::inline v0::sql {

EntryReader::EntryReader(const Plan& scan, const TypeCatalog* catalog) : scan_(scan), catalog_(catalog) {
    const Relation& relation = *scan.relation;
    const Index& index = relation.indexes[static_cast<std::size_t>(scan.access.index)];
    const auto step_to = [&](std::vector<Step>& steps, const Index& of, std::size_t column) -> Step& {
        while (steps.size() <= column) {
            const IndexColumn& next = of.columns[steps.size()];
            steps.push_back({KeyColumn(relation.columns[static_cast<std::size_t>(next.column)].type, next.order,
                                       catalog)});
        }
        return steps[column];
    };
    for (std::size_t i = 0; i < scan.scan_columns.size(); ++i) {
        const int column = scan.scan_columns[i].place;
        if (column < 0) {
            hidden_.push_back(i);
            continue;
        }
        const EntryPlace place = *entry_place(relation, index, column);
        Step& step = place.in_row_key
                         ? step_to(row_key_, relation.indexes[static_cast<std::size_t>(relation.row_key())],
                                   place.column)
                         : step_to(key_, index, place.column);
        if (step.target >= 0) copies_.emplace_back(static_cast<std::size_t>(step.target), i);
        else step.target = static_cast<int>(i);
    }
}

void EntryReader::walk(const std::vector<Step>& steps, std::string_view bytes, Batch& batch) const {
    for (const Step& step : steps) {
        if (step.target < 0) {
            skip_key(step.column.type, step.column.order, bytes, catalog_);
            continue;
        }
        // The key is rebuilt in place when the cursor moves.
        batch.columns[static_cast<std::size_t>(step.target)].push_back(
            copy_value(decode_key(step.column, bytes, batch.arena), batch.arena));
    }
}

void EntryReader::read(std::string_view key, std::string_view row_key, Batch& batch) const {
    walk(key_, key, batch);
    walk(row_key_, row_key, batch);
    for (const auto& [from, to] : copies_) batch.columns[to].push_back(batch.columns[from].back());
    for (const std::size_t i : hidden_)
        batch.columns[i].push_back(
            scan_.scan_columns[i].place == hidden_row_key
                ? Value::bytes(type::bytea, batch.arena.copy(row_key))
                : Value::integer(type::regclass, static_cast<std::int64_t>(scan_.relation->oid)));
    ++batch.count;
}

}  // namespace northstar::inline v0::sql
