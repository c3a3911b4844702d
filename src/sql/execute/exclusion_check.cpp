#include "sql/execute/exclusion_check.hpp"

#include "sql/catalog/describe_object.hpp"
#include "sql/key_encoding.hpp"
#include "sql/text_io.hpp"

namespace northstar::inline v0::sql {

namespace exclusion_check_file {

/// Cells of the other row lie behind those of all rows that are written (table_writer.cpp).
constexpr ColumnId k_of_other_row = 0x20000000u;

}  // namespace exclusion_check_file

ExclusionCheck::ExclusionCheck(const Relation& relation, const Index& index, std::span<const ColumnId> cells,
                               Binder& binder, BoundPool& pool, Execution& execution)
    : relation_(&relation), index_(&index), execution_(&execution), cells_(cells.begin(), cells.end()),
      other_(relation.columns.size()) {
    for (const ColumnId cell : cells_) other_cells_.push_back(cell + exclusion_check_file::k_of_other_row);
    const auto bind = [&](const IndexColumn& element, const std::vector<ColumnId>& from) {
        if (element.column < 0) return binder.bind_text(element.text, relation, from, "index expressions");
        const Column& column = relation.columns[static_cast<std::size_t>(element.column)];
        BoundExpr* value = pool.expr(BoundKind::column, column.type);
        value->column = from[static_cast<std::size_t>(element.column)];
        value->typmod = column.typmod;
        return value;
    };
    const auto evaluator = [&](BoundExpr* expr) {
        return std::make_unique<Evaluator>(*expr, std::vector<ColumnId>{}, execution);
    };
    for (const IndexColumn& column : index.columns) {
        Element element;
        element.value = evaluator(bind(column, cells_));
        element.other = evaluator(bind(column, other_cells_));
        element.excludes = evaluator(
            binder.make_operation(column.operation, bind(column, cells_), bind(column, other_cells_), 0));
        elements_.push_back(std::move(element));
        if (column.operation == "=" && equal_ + 1 == elements_.size()) ++equal_;
    }
    neighbours_ = !index.deferrable && equal_ + 1 == index.columns.size() && index.columns.back().operation == "&&";
}

ExclusionCheck::~ExclusionCheck() = default;
ExclusionCheck::ExclusionCheck(ExclusionCheck&&) noexcept = default;
ExclusionCheck& ExclusionCheck::operator=(ExclusionCheck&&) noexcept = default;

void ExclusionCheck::fill(std::span<const ColumnId> cells, const Value* row) {
    for (std::size_t i = 0; i < cells.size(); ++i) execution_->cell(cells[i]) = row[i];
}

void ExclusionCheck::read_other(WritableTree& rows, std::string_view key, Arena& arena) {
    const std::optional<std::string_view> bytes = rows.get(key);
    if (!bytes) raise(sqlstate::data_corrupted, "an index points to a row that does not exist");
    // A copy: the view ends with the next write.
    relation_->layout->decode(arena.copy(*bytes), other_, arena);
    fill(other_cells_, other_.data());
}

bool ExclusionCheck::is_excluded(Arena& arena) {
    for (Element& element : elements_) {
        const Value excludes = element.excludes->evaluate(arena);
        if (excludes.is_null() || !excludes.boolean()) return false;
    }
    return true;
}

std::optional<std::string> ExclusionCheck::conflict(WritableTree& entries, WritableTree& rows, const Value* row,
                                                    std::string_view own, Arena& arena) {
    fill(cells_, row);
    std::string prefix, place;
    for (std::size_t i = 0; i < elements_.size(); ++i) {
        const Value value = elements_[i].value->evaluate(arena);
        if (value.is_null()) return std::nullopt;  // no operator says true of NULL
        if (i == equal_) place = prefix;
        encode_key(value, index_->columns[i].order, i < equal_ ? prefix : place);
    }
    Cursor cursor = entries.cursor();
    const std::string behind = key_successor(prefix);
    cursor.watch(prefix, behind.empty() ? std::nullopt : std::optional<std::string_view>(behind));
    const auto in_the_way = [&]() -> std::optional<std::string> {
        std::string key(cursor.value());
        if (key == own) return std::nullopt;
        read_other(rows, key, arena);
        return is_excluded(arena) ? std::optional(std::move(key)) : std::nullopt;
    };
    const auto among_equals = [&] { return cursor.key().starts_with(prefix); };
    if (neighbours_) {
        // Ranges that do not overlap end in the order in which they begin, and empty ones come before all others.
        const bool found = cursor.lower_bound(place);
        if (found && among_equals())
            if (auto key = in_the_way()) return key;
        const bool before = found ? cursor.prev() : cursor.last();
        return before && among_equals() ? in_the_way() : std::nullopt;
    }
    for (bool found = cursor.lower_bound(prefix); found && among_equals(); found = cursor.next())
        if (auto key = in_the_way()) return key;
    return std::nullopt;
}

std::string ExclusionCheck::describe(bool other, Arena& arena) {
    std::string names = "(", values = "(";
    for (std::size_t i = 0; i < elements_.size(); ++i) {
        const Value value = (other ? elements_[i].other : elements_[i].value)->evaluate(arena);
        names += (i > 0 ? ", " : "") + index_column_definition(*relation_, *index_, static_cast<int>(i) + 1);
        values += (i > 0 ? ", " : "") +
                  (value.is_null() ? std::string("null") : value_to_text(value, execution_->session()));
    }
    return names + ")=" + values + ")";
}

SqlError ExclusionCheck::violation(std::string message, const char* between, WritableTree& rows, const Value* row,
                                   const std::string& other, Arena& arena) {
    fill(cells_, row);
    read_other(rows, other, arena);
    SqlError error(sqlstate::exclusion_violation, std::move(message));
    error.edit().detail = "Key " + describe(false, arena) + between + describe(true, arena) + ".";
    error.edit().schema = relation_->schema;
    error.edit().table = relation_->name;
    error.edit().constraint = index_->name;
    return error;
}

void ExclusionCheck::refuse(WritableTree& rows, const Value* row, const std::string& other, Arena& arena) {
    throw violation("conflicting key value violates exclusion constraint \"" + index_->name + "\"",
                    " conflicts with existing key ", rows, row, other, arena);
}

void ExclusionCheck::refuse_making(WritableTree& rows, const Value* row, const std::string& other, Arena& arena) {
    throw violation("could not create exclusion constraint \"" + index_->name + "\"", " conflicts with key ", rows,
                    row, other, arena);
}

}  // namespace northstar::inline v0::sql
