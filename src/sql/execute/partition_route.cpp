#include "sql/execute/partition_route.hpp"

#include "sql/catalog/partition.hpp"
#include "sql/syntax/parser.hpp"
#include "sql/text_io.hpp"

namespace northstar::inline v0::sql {

namespace partition_route {

// Cells of expressions that are bound while a statement runs are not the statement's.
constexpr ColumnId k_own_columns = 0x70000000u;

std::unique_ptr<Evaluator> over_cells(BoundExpr* expr, Execution& execution) {
    return expr == nullptr ? nullptr : std::make_unique<Evaluator>(*expr, std::vector<ColumnId>{}, execution);
}

bool is_true(const Value& value) { return !value.is_null() && value.boolean(); }

}  // namespace partition_route

PartitionRoute::PartitionRoute(const Relation& root, const std::vector<ColumnId>& cells, Execution& execution,
                               WriteAccess& access)
    : root_(root), cells_(cells), execution_(execution), access_(access), pool_(partition_route::k_own_columns) {}

std::unique_ptr<Evaluator> PartitionRoute::evaluator(const std::string& text, const char* clause, bool condition) {
    if (!binder_) binder_.emplace(access_.bind_environment(), pool_, no_parameters_);
    BoundExpr* const bound = binder_->bind_text(text, root_, cells_, clause);
    return partition_route::over_cells(condition ? binder_->condition(bound, "CHECK", 0) : bound, execution_);
}

const PartitionRoute::Stop& PartitionRoute::stop_at(Oid table) {
    const auto found = stops_.find(table);
    return found != stops_.end() ? found->second : stops_.emplace(table, make_stop(table)).first->second;
}

PartitionRoute::Stop PartitionRoute::make_stop(Oid table) {
    Stop stop;
    const Catalog& catalog = *access_.bind_environment().present().catalog;
    stop.table = catalog.relation(table);
    if (stop.table == nullptr) raise(sqlstate::data_corrupted, "table \"" + root_.name + "\" lacks a partition");
    if (table != root_.oid) {
        for (const CheckConstraint& check : stop.table->checks)
            stop.checks.emplace_back(check.name, evaluator(check.text, "check constraints", true));
        for (const Column& column : stop.table->columns) {
            const int place = column.not_null && !column.dropped ? root_.find_column(column.name) : -1;
            if (place >= 0 && !root_.columns[static_cast<std::size_t>(place)].not_null)
                stop.not_null.push_back(place);
        }
    }
    if (!stop.table->is_partitioned()) return stop;
    stop.directory = catalog.directory_of(*stop.table);
    for (const PartitionKey::Part& part : stop.table->partition_key.parts) {
        const int place = root_.find_column(part.text);
        stop.key.push_back({place, place >= 0 ? nullptr : evaluator(part.text, "partition bounds", false)});
    }
    return stop;
}

Oid PartitionRoute::part_of(const Stop& stop, const Value* row, Arena& arena) {
    key_.clear();
    for (const KeyPart& part : stop.key)
        key_.push_back(part.value == nullptr ? row[part.place] : part.value->evaluate(arena));
    return stop.directory->find(key_);
}

std::optional<PartitionRoute::Refusal> PartitionRoute::refusal(const Value* row, Arena& arena) {
    Oid at = root_.oid;
    for (;;) {
        const Stop& stop = stop_at(at);
        if (auto refused = refusal_at(stop, row, arena)) return refused;
        if (stop.directory == nullptr) return std::nullopt;
        at = part_of(stop, row, arena);
        if (at != 0) continue;
        const std::string& name = stop.table->name;
        return Refusal{sqlstate::check_violation, "no partition of relation \"" + name + "\" found for row", name, "",
                       "", describe_key(*stop.table)};
    }
}

std::string PartitionRoute::describe_key(const Relation& table) const {
    constexpr std::size_t k_most_bytes = 64;
    std::string names, values;
    for (std::size_t i = 0; i < key_.size(); ++i) {
        const PartitionKey::Part& part = table.partition_key.parts[i];
        const bool column = root_.find_column(part.text) >= 0;
        names += (i == 0 ? "" : ", ") + (column ? quote_identifier(part.text) : part.text);
        std::string value = key_[i].is_null() ? "null" : value_to_text(key_[i], execution_.session());
        if (std::size_t fits = k_most_bytes; fits < value.size()) {
            while ((value[fits] & 0xc0) == 0x80) --fits;  // not within a character
            value = value.substr(0, fits) + "...";
        }
        values += (i == 0 ? "" : ", ") + value;
    }
    return "Partition key of the failing row contains (" + names + ") = (" + values + ").";
}

std::optional<PartitionRoute::Refusal> PartitionRoute::refusal_at(const Stop& stop, const Value* row,
                                                                  Arena& arena) const {
    const std::string& name = stop.table->name;
    for (const int place : stop.not_null) {
        const Column& column = root_.columns[static_cast<std::size_t>(place)];
        if (row[place].is_null())
            return Refusal{sqlstate::not_null_violation,
                           "null value in column \"" + column.name + "\" of relation \"" + name +
                               "\" violates not-null constraint",
                           name, "", column.name, ""};
    }
    for (const auto& [check, expression] : stop.checks) {
        const Value holds = expression->evaluate(arena);
        if (!holds.is_null() && !holds.boolean())
            return Refusal{sqlstate::check_violation,
                           "new row for relation \"" + name + "\" violates check constraint \"" + check + "\"", name,
                           check, "", ""};
    }
    return std::nullopt;
}

PartitionTest::PartitionTest(const Relation& root, Oid partition, Execution& execution, WriteAccess& access)
    : execution_(execution), pool_(partition_route::k_own_columns),
      binder_(access.bind_environment(), pool_, no_parameters_) {
    const Catalog& catalog = *access.bind_environment().present().catalog;
    const auto found = catalog.relation(partition);
    if (found == nullptr) raise(sqlstate::data_corrupted, "table \"" + root.name + "\" lacks a partition");
    // Numbers that neither statements nor TableWriter give to columns.
    for (std::size_t c = 0; c < root.columns.size(); ++c)
        columns_.push_back(0x60000000u + static_cast<ColumnId>(root.oid % 100000) * 1700 + static_cast<ColumnId>(c));
    const std::string bounds = partition_condition(catalog, *found, OfRest::by_directory);
    BoundExpr* bound = binder_.condition(binder_.bind_text(bounds, root, columns_, "partition bounds"), "WHERE", 0);
    condition_ = partition_route::over_cells(bound, execution);
}

bool PartitionTest::holds(const Value* row) {
    arena_.reset();
    for (std::size_t c = 0; c < columns_.size(); ++c) execution_.cell(columns_[c]) = row[c];
    return partition_route::is_true(condition_->evaluate(arena_));
}

}  // namespace northstar::inline v0::sql
