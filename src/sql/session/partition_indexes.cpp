#include "sql/session/partition_indexes.hpp"

#include "sql/catalog/partition.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/syntax/parser.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::sql {

namespace partition_indexes_impl {

bool same_column(const IndexColumn& a, const IndexColumn& b) {
    return a.column == b.column && a.text == b.text && a.order.descending == b.order.descending &&
           a.order.nulls_first == b.order.nulls_first;
}

/// Do two indexes over the same columns have the same entries for a row that both have?
bool same_entries(const Index& a, const Index& b) {
    return a.unique == b.unique && a.nulls_not_distinct == b.nulls_not_distinct && a.predicate == b.predicate &&
           a.include == b.include &&
           std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(), same_column);
}

/// What an index of the topmost table says, over the columns of a partition, under the name that the part has.
Index part_named(const Index& entries, const Index& named, const Relation& root, const Relation& partition) {
    Index part = over_partition(root, partition, entries);
    part.partition = 0;
    part.oid = named.oid;
    part.name = named.name;
    part.whole = named.whole;
    part.comment = named.comment;
    part.constraint_comment = named.constraint_comment;
    return part;
}

const Index* find_oid(const std::vector<Index>& indexes, Oid oid) {
    const auto found =
        std::find_if(indexes.begin(), indexes.end(), [&](const Index& index) { return index.oid == oid; });
    return found == indexes.end() ? nullptr : &*found;
}

const Index* part_of(const Relation& partition, Oid whole) {
    const auto found = std::find_if(partition.indexes.begin(), partition.indexes.end(),
                                    [&](const Index& index) { return index.whole == whole; });
    return found == partition.indexes.end() ? nullptr : &*found;
}

/// The partition's own index becomes its part of another one: its entries are among those of that one.
void adopt(SqlSession& session, const Relation& partition, const Index& own, const Index& entries, Oid whole) {
    auto root = std::make_shared<Relation>(*partition_root(session.catalog(), partition));
    Index named = own;
    named.whole = whole;
    auto changed = std::make_shared<Relation>(*session.catalog().relation(partition.oid));
    changed->indexes.push_back(part_named(entries, named, *root, *changed));
    session.drop_tree(root->index_tree(named), root->temporary);
    std::erase_if(root->indexes, [&](const Index& index) { return index.oid == named.oid; });
    session.put(root);
    session.put(changed);
}

/// `whole`: of the table right above the partition. `entries`: a copy of the topmost table's.
void make_part(SqlSession& session, const std::shared_ptr<const Relation>& partition, Oid whole,
               const Index& entries) {
    check_unique_within_partitions(
        *partition, over_partition(*partition_root(session.catalog(), *partition), *partition, entries));
    const Index* const have = part_of(*partition, whole);
    Oid made = have != nullptr ? have->oid : 0;
    if (made == 0) {
        const auto root = partition_root(session.catalog(), *partition);
        const auto like_it = std::find_if(root->indexes.begin(), root->indexes.end(), [&](const Index& own) {
            return own.partition == partition->oid && same_entries(own, entries) &&
                   (entries.role == ConstraintRole::none || own.role != ConstraintRole::none);
        });
        if (like_it != root->indexes.end()) {
            made = like_it->oid;
            adopt(session, *partition, *like_it, entries, whole);
        } else {
            Index named;
            named.oid = made = session.allocate_oid(partition->temporary);
            named.whole = whole;
            auto changed = std::make_shared<Relation>(*partition);
            Index part = part_named(entries, named, *root, *partition);
            part.name = index_name_of_its_own(session, *partition, part);
            changed->indexes.push_back(std::move(part));
            session.put(changed);
        }
    }
    if (!partition->is_partitioned()) return;
    for (const auto& below : partitions_of(session.catalog(), partition->oid)) make_part(session, below, made, entries);
}

/// Raises 42P17 where the name is that of a table, 42P01.
std::pair<std::shared_ptr<const Relation>, const Index*> index_to_attach(SqlSession& session,
                                                                         const syntax::QualifiedName& name) {
    BoundPool pool;
    std::vector<Oid> none;
    if (find_index(session, name).second == nullptr &&
        Binder(session, pool, none).find_relation(name, session.present(), true) != nullptr)
        raise(sqlstate::invalid_object_definition, "\"" + std::string(name.last()) + "\" is not an index");
    return index_named(session, name);
}

}  // namespace partition_indexes_impl

void make_index_parts(SqlSession& session, Oid table, Oid index) {
    using namespace partition_indexes_impl;
    const auto owner = session.catalog().relation(table);
    const Index* found = find_oid(owner->indexes, index);
    if (found == nullptr) found = find_oid(partition_root(session.catalog(), *owner)->indexes, index);
    const Index* const entries = index_with_entries(session.catalog(), *owner, *found);
    if (entries == nullptr) return;
    const Index copy = *entries;
    for (const auto& below : partitions_of(session.catalog(), table)) make_part(session, below, index, copy);
}

void make_parts_of_partition(SqlSession& session, Oid oid) {
    using namespace partition_indexes_impl;
    const auto partition = session.catalog().relation(oid);
    const auto above = session.catalog().relation(partition->partition_of);
    const auto root = partition_root(session.catalog(), *above);
    const Oid own_of_above = above->is_partition() ? above->oid : 0;
    for (const Index& index : root->indexes)
        if (index.partition == own_of_above) make_part(session, session.catalog().relation(oid), index.oid, index);
    if (!above->is_partition()) return;
    for (const Index& index : above->indexes)
        if (const Index* const entries = index_with_entries(session.catalog(), *above, index))
            make_part(session, session.catalog().relation(oid), index.oid, Index(*entries));
}

void follow_indexes(SqlSession& session, Oid root_oid) {
    using namespace partition_indexes_impl;
    const auto root = session.catalog().relation(root_oid);
    for (const auto& partition : all_partitions_of(session.catalog(), root_oid)) {
        if (partition->indexes.empty()) continue;
        auto changed = std::make_shared<Relation>(*partition);
        changed->indexes.clear();
        for (const Index& part : partition->indexes)
            if (const Index* const entries = index_with_entries(session.catalog(), *partition, part))
                changed->indexes.push_back(part_named(*entries, part, *root, *partition));
        session.put(changed);
    }
}

void attach_index(SqlSession& session, const Relation& owner, const Index& whole, const syntax::QualifiedName& name) {
    using namespace partition_indexes_impl;
    const auto [holder, part] = index_to_attach(session, name);
    const Catalog& catalog = session.catalog();
    const Oid table = whole.partition != 0 ? whole.partition : owner.oid;
    const auto divided = catalog.relation(table);
    const auto refuse = [&, named = part](SqlState state, const std::string& detail) {
        raise(state, "cannot attach index \"" + named->name + "\" as a partition of index \"" + whole.name + "\"",
              detail);
    };
    if (!divided->is_partitioned())
        raise(sqlstate::wrong_object_type,
              "ALTER action ATTACH PARTITION cannot be performed on relation \"" + whole.name + "\"",
              "This operation is not supported for indexes.");
    if (part->whole == whole.oid) return;
    const auto partition = catalog.relation(part->whole != 0 ? holder->oid : part->partition);
    if (part->whole != 0)
        refuse(sqlstate::object_not_in_prerequisite_state,
               "Index \"" + part->name + "\" is already attached to another index.");
    if (partition == nullptr || partition->partition_of != table)
        refuse(sqlstate::object_not_in_prerequisite_state,
               "Index \"" + part->name + "\" is not an index on any partition of table \"" + divided->name + "\".");
    if (part_of(*partition, whole.oid) != nullptr)
        refuse(sqlstate::object_not_in_prerequisite_state,
               "Another index is already attached for partition \"" + partition->name + "\".");
    const Index* const entries = index_with_entries(catalog, owner, whole);
    if (entries == nullptr || !same_entries(*entries, *part))
        refuse(sqlstate::invalid_object_definition, "The index definitions do not match.");
    if (whole.role != ConstraintRole::none && part->role == ConstraintRole::none)
        refuse(sqlstate::invalid_object_definition,
               "The index \"" + whole.name + "\" belongs to a constraint in table \"" + divided->name +
                   "\" but no constraint exists for index \"" + part->name + "\".");
    adopt(session, *partition, *part, Index(*entries), whole.oid);
}

std::string index_name_of_its_own(SqlSession& session, const Relation& table, const Index& index) {
    if (index.role == ConstraintRole::primary_key) return unique_name(session, table.schema, table.name, "", "pkey");
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    std::set<std::string> taken;
    std::string names;
    const auto add = [&](const std::string& base) {
        std::string name = base;
        for (int number = 1; !taken.insert(name).second; ++number) name = base + std::to_string(number);
        names += (names.empty() ? "" : "_") + name;
    };
    for (const IndexColumn& column : index.columns) {
        if (column.column >= 0) {
            const Column& base = table.columns[static_cast<std::size_t>(column.column)];
            if (!base.hidden) add(base.name);
            continue;
        }
        Arena arena;
        const syntax::Query* const query = parse_query(arena.copy("SELECT " + column.text), arena);
        const std::string called = binder.target_name(*query->targets[0].expr);
        add(called == "?column?" ? "expr" : called);
    }
    for (const int place : index.include) add(table.columns[static_cast<std::size_t>(place)].name);
    return unique_name(session, table.schema, table.name, names,
                       index.role == ConstraintRole::unique      ? "key"
                       : index.role == ConstraintRole::exclusion ? "excl"
                                                                 : "idx");
}

}  // namespace northstar::inline v0::sql
