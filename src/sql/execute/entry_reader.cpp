#include "sql/execute/entry_reader.hpp"

#include "sql/plan/index_only.hpp"

#include <algorithm>
#include <new>

namespace northstar::inline v0::sql {

EntryReader::EntryReader(const Plan& scan, const TypeCatalog* catalog) : scan_(scan), catalog_(catalog) {
    const Relation& relation = *scan.relation;
    const Index& index = relation.indexes[static_cast<std::size_t>(scan.access.index)];
    const auto step_to = [&](std::vector<Step>& steps, const Index& of, std::size_t column) -> Step& {
        while (steps.size() <= column) {
            const IndexColumn& next = of.columns[steps.size()];
            steps.push_back(
                step_over(relation.columns[static_cast<std::size_t>(next.column)].type, next.order, catalog));
        }
        return steps[column];
    };
    row_keys_ = std::all_of(scan.scan_columns.begin(), scan.scan_columns.end(), [&](const ScanColumn& column) {
        return column.place < 0 || row_key_place(relation, column.place).has_value();
    });
    for (std::size_t i = 0; i < scan.scan_columns.size(); ++i) {
        const int column = scan.scan_columns[i].place;
        if (column < 0) {
            hidden_.push_back(i);
            continue;
        }
        const EntryPlace place =
            row_keys_ ? EntryPlace{true, *row_key_place(relation, column)} : *entry_place(relation, index, column);
        Step& step = place.in_row_key
                         ? step_to(row_key_, relation.indexes[static_cast<std::size_t>(relation.row_key())],
                                   place.column)
                         : step_to(key_, index, place.column);
        if (step.target >= 0) copies_.emplace_back(static_cast<std::size_t>(step.target), i);
        else step.target = static_cast<int>(i);
    }
}

EntryReader::Step EntryReader::step_over(Oid type, KeyOrder order, const TypeCatalog* catalog) {
    Step step{KeyColumn(type, order, catalog), {}};
    if (step.column.form == Form::integer) step.integer = IntegerKey(type, order.descending);
    return step;
}

template <bool copied>
void EntryReader::walk(const std::vector<Step>& steps, std::string_view bytes, std::size_t row, Batch& batch) const {
    for (const Step& step : steps) {
        if (step.target < 0) {
            skip_key(step.column, bytes, catalog_);
            continue;
        }
        // Made where it stays: a copy would wait for its parts.
        Value* const place = &batch.columns[static_cast<std::size_t>(step.target)][row];
        const std::size_t width = step.integer.width();
        if (step.column.form == Form::integer && bytes.size() > width && bytes[0] == k_value_tag) {
            new (place) Value(step.integer.take(bytes.data() + 1));
            bytes.remove_prefix(width + 1);
        } else if (copied) {
            new (place) Value(copy_value(decode_key(step.column, bytes, batch.arena), batch.arena));
        } else {
            new (place) Value(decode_key(step.column, bytes, batch.arena));
        }
    }
}

void EntryReader::read(std::string_view key, std::string_view row_key, Batch& batch) const {
    const std::size_t row = batch.count++;
    // The key is rebuilt in place when the cursor moves.
    walk<true>(key_, key, row, batch);
    walk<true>(row_key_, row_key, row, batch);
    for (const auto& [from, to] : copies_) batch.columns[to][row] = batch.columns[from][row];
    for (const std::size_t i : hidden_) batch.columns[i][row] = hidden(i, batch.arena.copy(row_key));
}

void EntryReader::read(const std::vector<std::string_view>& row_keys, Batch& batch) const {
    batch.make_room(scan_.scan_columns.size(), row_keys.size());
    for (std::size_t row = 0; row < row_keys.size(); ++row) {
        walk<false>(row_key_, row_keys[row], row, batch);
        for (const auto& [from, to] : copies_) batch.columns[to][row] = batch.columns[from][row];
        for (const std::size_t i : hidden_) batch.columns[i][row] = hidden(i, row_keys[row]);
    }
}

Value EntryReader::hidden(std::size_t column, std::string_view row_key) const {
    if (scan_.scan_columns[column].place == hidden_row_key) return Value::bytes(type::bytea, row_key);
    return Value::integer(type::regclass, static_cast<std::int64_t>(scan_.relation->oid));
}

}  // namespace northstar::inline v0::sql
