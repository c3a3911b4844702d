// Partitions: scans and changes of one are scans and changes of the topmost table under a condition.
#include "sql/bind/binder.hpp"
#include "sql/catalog/partition.hpp"
#include "sql/plan/walk.hpp"

namespace northstar::inline v0::sql {

namespace bind_partition {

/// Columns of a scan by physical place.
std::vector<ColumnId> by_place(const Plan& scan) {
    std::vector<ColumnId> ids(scan.relation->columns.size(), k_no_column);
    for (const ScanColumn& column : scan.scan_columns)
        if (column.place >= 0) ids[static_cast<std::size_t>(column.place)] = column.id;
    return ids;
}

/// A directory is asked of the present catalog alone.
OfRest by_present(const Catalog& catalog, BindEnvironment& environment) {
    return &catalog == environment.present().catalog.get() ? OfRest::by_directory : OfRest::of_no_sibling;
}

}  // namespace bind_partition

Plan* Binder::partition_scan(std::shared_ptr<const Relation> partition, ReadPoint& point, ScopeRelation& into) {
    const auto root = partition_root(*point.catalog, *partition);
    ScopeRelation whole;
    Plan* plan = scan(root, point, whole, partition->oid);
    const std::vector<ColumnId> ids = bind_partition::by_place(*plan);
    const OfRest rest = bind_partition::by_present(*point.catalog, environment_);
    const std::string bounds = partition_condition(*point.catalog, *partition, rest);
    split_conjuncts(condition(bind_text(bounds, *root, ids, "partition bounds"), "WHERE", 0), plan->conditions);
    into.scan = plan;
    for (const int place : places_in_root(*root, *partition)) {
        if (place < 0) raise(sqlstate::data_corrupted, "a partition has a column that its table lacks");
        const Column& column = root->columns[static_cast<std::size_t>(place)];
        into.columns.push_back({column.name, ids[static_cast<std::size_t>(place)], column.type, column.typmod,
                                column.hidden, partition->oid, place});
    }
    into.relation = std::move(partition);
    return plan;
}

ChangeTarget Binder::partition_target(std::shared_ptr<const Relation> partition) {
    const Catalog& catalog = *environment_.present().catalog;
    ChangeTarget target;
    target.relation = partition_root(catalog, *partition);
    target.order = places_in_root(*target.relation, *partition);
    // The table under the partition's name, with the partition's own defaults.
    auto names = std::make_shared<Relation>(*target.relation);
    names->name = partition->name;
    names->schema = partition->schema;
    std::size_t at = 0;
    for (const Column& column : partition->columns) {
        if (column.dropped) continue;
        const int place = target.order[at++];
        if (place < 0) raise(sqlstate::data_corrupted, "a partition has a column that its table lacks");
        Column& named = names->columns[static_cast<std::size_t>(place)];
        named.default_text = column.default_text;
        named.identity = column.identity;
        named.sequence = column.sequence;
    }
    target.names = names;
    texts_.push_back(std::make_unique<Arena>());
    Arena& arena = *texts_.back();
    const std::string bounds = partition_condition(catalog, *partition, OfRest::by_directory);
    const syntax::Expr* where = parse_expression(arena.copy(bounds), arena);
    target.levels.push_back({names, where, partition->name, 0, nullptr});
    target.partition = std::move(partition);
    return target;
}

void Binder::prepare_partition_change(BoundChange& change, std::shared_ptr<const Relation> partition) {
    const ChangeTarget target = partition_target(std::move(partition));
    prepare_change(change, target.names.get());
    check_option(target, change);
}

/// tableoid of a row of a table that is divided, or of a row that is being stored.
BoundExpr* Binder::partition_of_row(const ScopeRelation& relation, std::uint32_t position) {
    if (!relation.relation->is_partitioned())
        return constant(
            Value::integer(type::oid, relation.stored_in != 0 && !relation.relation->is_partition()
                                          ? relation.stored_in
                                          : relation.relation->oid),
            position);
    const ReadPoint& point = relation.scan != nullptr ? *relation.scan->point : environment_.present();
    const auto root = partition_root(*point.catalog, *relation.relation);
    const OfRest rest = bind_partition::by_present(*point.catalog, environment_);
    return bind_text(sql::partition_of_row(*point.catalog, *relation.relation, rest), *root,
                     relation.scan != nullptr ? bind_partition::by_place(*relation.scan) : relation.stored,
                     "partition bounds");
}

}  // namespace northstar::inline v0::sql
