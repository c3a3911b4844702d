// Rows and keys of partitions on the move: ATTACH, DETACH, DROP, TRUNCATE.
#include "sql/catalog/partition.hpp"
#include "sql/compare.hpp"
#include "sql/session/define_inheritance.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/session/partition_bounds.hpp"
#include "sql/session/partition_indexes.hpp"

#include <algorithm>
#include <map>

namespace northstar::inline v0::sql {

namespace move_partition {

using Row = std::pair<std::string, std::vector<Value>>;

std::vector<Row> all_rows(SqlSession& session, const Relation& table, Arena& arena) {
    std::vector<Row> rows;
    for (const KeyValue entry : session.writable(table.tree(), table.temporary).all()) {
        std::vector<Value> row(table.columns.size());
        table.layout->decode(arena.copy(entry.value), row, arena);
        rows.emplace_back(std::string(entry.key), std::move(row));
    }
    return rows;
}

/// The place in `to` of each live column of `from`, by name; -1: none.
std::vector<int> places(const Relation& from, const Relation& to) {
    std::vector<int> map;
    for (const Column& column : from.columns) map.push_back(column.dropped ? -1 : to.find_column(column.name));
    return map;
}

std::vector<Value> mapped(const std::vector<Value>& row, const std::vector<int>& map, const Relation& to) {
    std::vector<Value> out;
    for (const Column& column : to.columns) out.push_back(Value::null(column.type));
    for (std::size_t i = 0; i < row.size(); ++i)
        if (map[i] >= 0) out[static_cast<std::size_t>(map[i])] = row[i];
    return out;
}

Index mapped(Index index, const std::vector<int>& map) {
    for (IndexColumn& column : index.columns)
        if (column.column >= 0) column.column = map[static_cast<std::size_t>(column.column)];
    for (int& column : index.include) column = map[static_cast<std::size_t>(column)];
    return index;
}

ForeignKey mapped(ForeignKey foreign, const std::vector<int>& map) {
    for (int& column : foreign.columns) column = map[static_cast<std::size_t>(column)];
    for (int& column : foreign.set_columns) column = map[static_cast<std::size_t>(column)];
    return foreign;
}

/// A table that inherits, is inherited from or follows a type is tied to others already. Raises 42809.
void refuse_as_partition(SqlSession& session, const Relation& table) {
    const char* const what = table.of_type != 0                                     ? "a typed table"
                             : !table.inherits.empty()                              ? "inheritance child"
                             : !session.catalog().children_of(table.oid).empty() ? "inheritance parent"
                                                                                    : nullptr;
    if (what != nullptr)
        raise(sqlstate::wrong_object_type, "cannot attach " + std::string(what) + " as partition");
}

void refuse_other_columns(const Relation& table, const Relation& parent) {
    for (const Column& column : table.columns)
        if (!column.dropped && parent.find_column(column.name) < 0)
            raise(sqlstate::datatype_mismatch, "table \"" + table.name + "\" contains column \"" + column.name +
                                                   "\" not found in parent \"" + parent.name + "\"",
                  "The new partition may contain only the columns present in parent.");
}

/// ATTACH: does a table look like the one that it is to become a part of? Raises 42804.
void check_columns(SqlSession& session, const Relation& table, const Relation& parent) {
    for (const Column& column : parent.columns) {
        if (column.dropped) continue;
        const int place = table.find_column(column.name);
        if (place < 0) raise(sqlstate::datatype_mismatch, "child table is missing column \"" + column.name + "\"");
        const Column& own = table.columns[static_cast<std::size_t>(place)];
        if (own.type != column.type || own.typmod != column.typmod)
            raise(sqlstate::datatype_mismatch, "child table \"" + table.name + "\" has different type for column \"" +
                                                   column.name + "\"");
        if (column.not_null && !own.not_null)
            raise(sqlstate::datatype_mismatch,
                  "column \"" + column.name + "\" in child table must be marked NOT NULL");
        if (column.generated_text.empty() != own.generated_text.empty())
            raise(sqlstate::datatype_mismatch,
                  "column \"" + column.name + "\" in child table must " +
                      (column.generated_text.empty() ? "not " : "") + "be a generated column");
    }
    // Checks of every level above must be known to the table under their names.
    for (auto above = session.catalog().relation(parent.oid); above != nullptr;
         above = above->is_partition() ? session.catalog().relation(above->partition_of) : nullptr)
        for (const CheckConstraint& check : above->checks) {
            const CheckConstraint* const own = find_check(table, check.name);
            if (own == nullptr)
                raise(sqlstate::datatype_mismatch, "child table is missing constraint \"" + check.name + "\"");
            if (!same_meaning(session, table, own->text, check.text))
                raise(sqlstate::datatype_mismatch, "child table \"" + table.name +
                                                       "\" has different definition for check constraint \"" +
                                                       check.name + "\"");
        }
}

/// Rows of a table against a condition over its columns.
void check_rows(SqlSession& session, const Relation& table, const std::string& condition,
                const std::vector<Row>& rows) {
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < table.columns.size(); ++i) ids.push_back(pool.column());
    BoundExpr* bound = binder.condition(binder.bind_text(condition, table, ids, "partition bounds"), "WHERE", 0);
    Execution execution(session.state(), session, session.parameters());
    Evaluator evaluator(*bound, {}, execution);
    Arena arena;
    for (const auto& [key, row] : rows) {
        for (std::size_t i = 0; i < ids.size(); ++i) execution.cell(ids[i]) = row[i];
        const Value holds = evaluator.evaluate(arena);
        if (holds.is_null() || !holds.boolean())
            raise(sqlstate::check_violation,
                  "partition constraint of relation \"" + table.name + "\" is violated by some row");
    }
}

/// Does the table's own foreign key say what one of the topmost table says already?
bool same_reference(const ForeignKey& a, const ForeignKey& b) {
    return a.table == b.table && a.columns == b.columns && a.referenced == b.referenced &&
           a.on_delete == b.on_delete && a.on_update == b.on_update && a.match_full == b.match_full;
}

bool same_key(const Index& a, const Index& b) {
    if (a.columns.size() != b.columns.size() || !a.unique || !b.unique || b.partial() || a.partial()) return false;
    for (std::size_t i = 0; i < a.columns.size(); ++i)
        if (a.columns[i].column != b.columns[i].column || a.columns[i].column < 0) return false;
    return true;
}

/// Foreign keys of the topmost table, for rows that came to it.
void check_references(SqlSession& session, const Relation& root, const std::vector<std::vector<Value>>& rows) {
    Execution execution(session.state(), session, session.parameters());
    ChangeRunner runner(execution, session);
    for (const ForeignKey& foreign : root.foreign_keys) {
        if (!foreign.validated || foreign.partition != 0) continue;
        for (const std::vector<Value>& row : rows) {
            PendingCheck pending;
            pending.table = root.oid;
            pending.constraint = foreign.name;
            pending.kind = PendingCheck::Kind::referring;
            bool null = false;
            for (const int column : foreign.columns) {
                pending.values.push_back(row[static_cast<std::size_t>(column)]);
                null |= pending.values.back().is_null();
            }
            if (!null) runner.check(pending);
        }
    }
}

/// DETACH: rows that others refer to must stay.
void check_not_referred(SqlSession& session, const Relation& root, const Relation& partition,
                        const std::vector<Row>& rows) {
    Execution execution(session.state(), session, session.parameters());
    for (const auto& [child, foreign] : session.catalog().references_to(root.oid)) {
        TableWriter referring(child, execution, session);
        for (const auto& [key, row] : rows) {
            std::vector<Value> values;
            for (const int column : foreign->referenced) values.push_back(row[static_cast<std::size_t>(column)]);
            if (!referring.find(foreign->columns, values.data()).empty())
                raise(sqlstate::foreign_key_violation, "removing partition \"" + partition.name +
                                                           "\" violates foreign key constraint \"" + foreign->name +
                                                           "\"");
        }
    }
}

/// Takes out of the topmost table what is for rows of these partitions alone.
void forget_keys(SqlSession& session, Relation& root, const std::set<Oid>& gone) {
    for (const Index& index : root.indexes)
        if (gone.count(index.partition) != 0) session.drop_tree(root.index_tree(index), root.temporary);
    root.indexes.erase(std::remove_if(root.indexes.begin(), root.indexes.end(),
                                      [&](const Index& index) { return gone.count(index.partition) != 0; }),
                       root.indexes.end());
    root.foreign_keys.erase(
        std::remove_if(root.foreign_keys.begin(), root.foreign_keys.end(),
                       [&](const ForeignKey& foreign) { return gone.count(foreign.partition) != 0; }),
        root.foreign_keys.end());
}

/// The index that a partition has for one of the topmost table; null: none.
const Index* part_with_entries(const Catalog& catalog, const Relation& partition, Oid entries) {
    for (const Index& part : partition.indexes)
        if (const Index* const found = index_with_entries(catalog, partition, part); found && found->oid == entries)
            return &part;
    return nullptr;
}

std::set<Oid> with_parts(SqlSession& session, const Relation& partition) {
    std::set<Oid> oids = {partition.oid};
    for (const auto& part : all_partitions_of(session.catalog(), partition.oid)) oids.insert(part->oid);
    return oids;
}

}  // namespace move_partition

std::vector<std::pair<std::string, std::vector<Value>>> partition_rows(SqlSession& session, const Relation& root,
                                                                       Oid partition, Arena& arena) {
    Execution execution(session.state(), session, session.parameters());
    PartitionTest test(root, partition, execution, session);
    std::vector<move_partition::Row> rows;
    for (move_partition::Row& row : move_partition::all_rows(session, root, arena))
        if (test.holds(row.second.data())) rows.push_back(std::move(row));
    return rows;
}

void erase_partition_rows(SqlSession& session, const Relation& partition) {
    const auto root = partition_root(session.catalog(), partition);
    Arena arena;
    const auto rows = partition_rows(session, *root, partition.oid, arena);
    Execution execution(session.state(), session, session.parameters());
    TableWriter writer(root, execution, session);
    for (const auto& [key, row] : rows) writer.erase(key, row.data());
}

void drop_partitions(SqlSession& session, const Relation& relation) {
    if (relation.is_partition()) {
        erase_partition_rows(session, relation);
        auto root = std::make_shared<Relation>(*partition_root(session.catalog(), relation));
        move_partition::forget_keys(session, *root, move_partition::with_parts(session, relation));
        session.put(root);
    }
    for (const auto& part : all_partitions_of(session.catalog(), relation.oid)) session.remove(*part);
}

void attach_partition(SqlSession& session, const Relation& parent, const syntax::AlterAction& action) {
    using namespace move_partition;
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    const auto table = binder.find_relation(action.partition, session.present(), false);
    const PartitionBound bound = read_partition_bound(session, parent, action.values);
    if (table->kind != RelationKind::table)
        raise(sqlstate::wrong_object_type, "\"" + table->name + "\" is not a table");
    if (table->is_partition())
        raise(sqlstate::wrong_object_type, "\"" + table->name + "\" is already a partition");
    refuse_as_partition(session, *table);
    const auto old_root = partition_root(session.catalog(), parent);
    if (old_root->oid == table->oid) raise(sqlstate::duplicate_table, "circular inheritance not allowed",
                                           "\"" + parent.name + "\" is already a child of \"" + table->name + "\".");
    if (table->temporary != parent.temporary)
        raise(sqlstate::wrong_object_type,
              std::string("cannot attach a ") + (table->temporary ? "temporary" : "permanent") +
                  " relation as partition of " + (parent.temporary ? "temporary" : "permanent") + " relation \"" +
                  parent.name + "\"");
    if (table->period_from >= 0 || !session.catalog().references_to(table->oid).empty())
        raise(sqlstate::feature_not_supported, "a table with valid time, or that foreign keys refer to, cannot become "
                                               "a partition");
    refuse_other_columns(*table, parent);
    check_partition_bound(session, parent, bound, table->name);
    check_columns(session, *table, parent);
    Arena arena;
    const std::vector<Row> rows = all_rows(session, *table, arena);
    const Catalog& before = session.catalog();
    const std::string above =
        parent.is_partition() ? " AND " + partition_condition(before, parent, OfRest::by_directory) : "";
    check_rows(session, *table,
               "(" + bound_condition(before, parent, bound, table->oid, OfRest::by_directory) + ")" + above, rows);

    const std::vector<int> map = places(*table, *old_root);
    auto root = std::make_shared<Relation>(*old_root);
    for (const Index& index : table->indexes) {
        Index moved = mapped(index, map);
        const bool has_it = std::any_of(root->indexes.begin(), root->indexes.end(),
                                        [&](const Index& other) { return same_key(moved, other); });
        if (moved.role == ConstraintRole::primary_key && root->primary_key() >= 0 && !has_it)
            raise(sqlstate::invalid_table_definition,
                  "multiple primary keys for table \"" + table->name + "\" are not allowed");
        if (moved.role == ConstraintRole::primary_key) moved.role = ConstraintRole::unique;
        if (moved.partition == 0) moved.partition = table->oid;
        root->indexes.push_back(std::move(moved));
    }
    for (const ForeignKey& foreign : table->foreign_keys) {
        ForeignKey moved = mapped(foreign, map);
        if (std::any_of(root->foreign_keys.begin(), root->foreign_keys.end(),
                        [&](const ForeignKey& other) { return same_reference(moved, other); }))
            continue;
        if (moved.partition == 0) moved.partition = table->oid;
        root->foreign_keys.push_back(std::move(moved));
    }
    session.drop_trees(*table);
    auto partition = std::make_shared<Relation>(*table);
    partition->columns.erase(std::remove_if(partition->columns.begin(), partition->columns.end(),
                                            [](const Column& column) { return column.dropped; }),
                             partition->columns.end());
    partition->indexes.clear();
    partition->foreign_keys.clear();
    partition->checks.erase(
        std::remove_if(partition->checks.begin(), partition->checks.end(),
                       [&](const CheckConstraint& check) {
                           return std::any_of(root->checks.begin(), root->checks.end(),
                                              [&](const CheckConstraint& own) { return own.name == check.name; });
                       }),
        partition->checks.end());
    partition->partition_of = parent.oid;
    partition->bound = bound;
    partition->layout = nullptr;
    session.put(partition);
    session.put(root);
    make_parts_of_partition(session, partition->oid);
    const auto stored = session.catalog().relation(root->oid);
    Execution execution(session.state(), session, session.parameters());
    TableWriter writer(stored, execution, session);
    std::vector<std::vector<Value>> arrived;
    for (const auto& [key, row] : rows) {
        arrived.push_back(mapped(row, map, *stored));
        writer.insert(arrived.back().data());
    }
    writer.check_suspects();
    check_references(session, *stored, arrived);
}

void detach_partition(SqlSession& session, const Relation& parent, const syntax::AlterAction& action) {
    using namespace move_partition;
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    if (action.concurrently && session.in_transaction())
        raise(sqlstate::active_sql_transaction,
              "ALTER TABLE ... DETACH CONCURRENTLY cannot run inside a transaction block");
    if (!parent.is_partitioned())
        raise(sqlstate::invalid_object_definition, "table \"" + parent.name + "\" is not partitioned");
    if (action.concurrently)
        for (const auto& part : partitions_of(session.catalog(), parent.oid))
            if (part->bound.rest)
                raise(sqlstate::object_not_in_prerequisite_state,
                      "cannot detach partitions concurrently when a default partition exists");
    const auto partition = binder.find_relation(action.partition, session.present(), false);
    if (partition->partition_of != parent.oid)
        raise(sqlstate::undefined_table,
              "relation \"" + partition->name + "\" is not a partition of relation \"" + parent.name + "\"");
    if (action.finalize)
        raise(sqlstate::object_not_in_prerequisite_state,
              "cannot complete detaching partition \"" + partition->name + "\"",
              "There's no pending concurrent detach.");
    const Catalog& catalog = session.catalog();
    const auto old_root = partition_root(catalog, parent);
    Arena arena;
    const std::vector<Row> rows = partition_rows(session, *old_root, partition->oid, arena);
    check_not_referred(session, *old_root, *partition, rows);
    {
        Execution execution(session.state(), session, session.parameters());
        TableWriter writer(old_root, execution, session);
        for (const auto& [key, row] : rows) writer.erase(key, row.data());
    }
    auto table = std::make_shared<Relation>(*partition);
    table->partition_of = 0;
    table->bound = {};
    table->indexes.clear();
    const std::vector<int> map = places(*old_root, *table);
    const std::set<Oid> parts = with_parts(session, *partition);
    for (auto above = catalog.relation(parent.oid); above != nullptr;
         above = above->is_partition() ? catalog.relation(above->partition_of) : nullptr)
        for (const CheckConstraint& check : above->checks)
            if (std::none_of(table->checks.begin(), table->checks.end(),
                             [&](const CheckConstraint& own) { return own.name == check.name; }))
                table->checks.push_back(check);
    std::map<Oid, Oid> wholes;  // the numbers that indexes get as those of a topmost table
    for (const Index& index : old_root->indexes) {
        Index kept = mapped(index, map);
        const bool below = parts.count(index.partition) != 0 && index.partition != partition->oid;
        if (!below && index.partition != 0 && !is_within_partition(catalog, *partition, index.partition)) continue;
        kept.oid = session.allocate_oid(table->temporary);
        if (index.partition != partition->oid && !below) {
            const Index* const part = part_with_entries(catalog, *partition, index.oid);
            if (part == nullptr) continue;  // ON ONLY of a table above
            kept.comment = part->comment;
            kept.constraint_comment = part->constraint_comment;
            kept.name = part->name;
            wholes[part->oid] = kept.oid;
        } else {
            wholes[index.oid] = kept.oid;
        }
        if (!below) kept.partition = 0;
        table->indexes.push_back(std::move(kept));
    }
    const auto parts_below = all_partitions_of(catalog, partition->oid);
    for (const ForeignKey& foreign : old_root->foreign_keys) {
        const bool below = parts.count(foreign.partition) != 0 && foreign.partition != partition->oid;
        if (!below && foreign.partition != 0 && !is_within_partition(catalog, *partition, foreign.partition)) continue;
        ForeignKey kept = mapped(foreign, map);
        if (!below) kept.partition = 0;
        table->foreign_keys.push_back(std::move(kept));
    }
    auto root = std::make_shared<Relation>(*old_root);
    forget_keys(session, *root, parts);
    session.put(root);
    session.put(table);
    for (const auto& part : parts_below) {
        auto changed = std::make_shared<Relation>(*part);
        for (Index& index : changed->indexes)
            if (const auto whole = wholes.find(index.whole); whole != wholes.end()) index.whole = whole->second;
        session.put(changed);
    }
    const auto stored = session.catalog().relation(table->oid);
    Execution execution(session.state(), session, session.parameters());
    TableWriter writer(stored, execution, session);
    for (const auto& [key, row] : rows) writer.insert(mapped(row, map, *stored).data());
}

}  // namespace northstar::inline v0::sql
