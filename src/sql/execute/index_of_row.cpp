#include "sql/execute/index_of_row.hpp"

#include "sql/catalog/partition.hpp"

namespace northstar::inline v0::sql {

namespace index_of_row_impl {

std::shared_ptr<const Relation> partition_of(const Relation& table, const Value* row, Execution& execution,
                                             WriteAccess& access) {
    const Catalog& catalog = *access.bind_environment().present().catalog;
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(access.bind_environment(), pool, none);
    std::vector<ColumnId> columns;
    // Numbers that neither statements nor TableWriter give to columns.
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        columns.push_back(0x68000000u + static_cast<ColumnId>(i));
        execution.cell(columns.back()) = row[i];
    }
    const std::string number = partition_of_row(catalog, table, OfRest::by_directory);
    BoundExpr* const bound = binder.bind_text(number, table, columns, "partition bounds");
    Arena arena;
    const Value oid = Evaluator(*bound, {}, execution).evaluate(arena);
    return oid.is_null() ? nullptr : catalog.relation(static_cast<Oid>(oid.integer()));
}

}  // namespace index_of_row_impl

IndexName index_of_row(const Relation& table, const Index& index, const Value* row, Execution& execution,
                       WriteAccess& access) {
    const IndexName own{table.schema, table.name, index.name};
    if (!table.is_partitioned()) return own;
    const auto partition = index_of_row_impl::partition_of(table, row, execution, access);
    if (partition == nullptr) return own;
    const Catalog& catalog = *access.bind_environment().present().catalog;
    for (const Index& part : partition->indexes)
        if (const Index* const entries = index_with_entries(catalog, *partition, part);
            entries != nullptr && entries->oid == index.oid)
            return {partition->schema, partition->name, part.name};
    if (index.partition == partition->oid) return {partition->schema, partition->name, index.name};
    return own;
}

}  // namespace northstar::inline v0::sql
