// CREATE INDEX, ALTER INDEX.
#include "sql/catalog/partition.hpp"
#include "sql/plan/immutable.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/session/storage_options.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::sql {

namespace define_index_parts {

/// CREATE INDEX on a partition: an index of the topmost table over the rows of the partition.
std::shared_ptr<const Relation> indexed_table(SqlSession& session, const Relation& relation) {
    return relation.is_partition() ? partition_root(session.catalog(), relation)
                                   : session.catalog().relation(relation.oid);
}

/// Do two indexes have the same entries for a row that both have?
bool same_entries(const Index& a, const Index& b) {
    const auto same = [](const IndexColumn& x, const IndexColumn& y) {
        return x.column == y.column && x.text == y.text && x.order.descending == y.order.descending &&
               x.order.nulls_first == y.order.nulls_first;
    };
    return a.unique == b.unique && a.nulls_not_distinct == b.nulls_not_distinct && a.predicate == b.predicate &&
           a.include == b.include &&
           std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(), same);
}

/// Is a partition a part of another one, or that one itself?
bool lies_in(const Catalog& catalog, Oid partition, Oid above) {
    while (partition != 0 && partition != above) {
        const auto relation = catalog.relation(partition);
        partition = relation == nullptr ? 0 : relation->partition_of;
    }
    return partition != 0;
}

/// The index of a partitioned table has the rows of all partitions: that of one partition is not needed beside it.
void attach(SqlSession& session, const Relation& table, const Index& whole, const syntax::QualifiedName& name) {
    const auto found = index_named(session, name);
    const Relation* const owner = found.first.get();
    const Index* const part = found.second;
    const auto refuse = [&](SqlState state, const std::string& detail) {
        raise(state, "cannot attach index \"" + part->name + "\" as a partition of index \"" + whole.name + "\"",
              detail);
    };
    const bool above = whole.partition == 0 || lies_in(session.catalog(), part->partition, whole.partition);
    if (owner->oid != table.oid || part->partition == 0 || part->oid == whole.oid || !above)
        refuse(sqlstate::object_not_in_prerequisite_state,
               "Index \"" + part->name + "\" is not an index on any partition of table \"" + table.name + "\".");
    if (!same_entries(whole, *part))
        refuse(sqlstate::invalid_object_definition, "The index definitions do not match.");
    const Oid gone = part->oid;
    auto changed = std::make_shared<Relation>(*owner);
    session.drop_tree(owner->index_tree(*part), owner->temporary);
    std::erase_if(changed->indexes, [&](const Index& index) { return index.oid == gone; });
    session.put(changed);
}

/// ALTER COLUMN n SET STATISTICS: a column that is an expression has some. How exact they are is not kept.
void check_statistics(const Relation& table, const Index& index, std::string_view number) {
    const std::size_t place = number.size() > 4 ? 0 : std::stoul(std::string(number));
    if (place < 1 || place > index.columns.size() + index.include.size())
        raise(sqlstate::undefined_column, "column number " + std::string(number) + " of relation \"" + index.name +
                                              "\" does not exist");
    const int column = place > index.columns.size() ? index.include[place - index.columns.size() - 1]
                                                    : index.columns[place - 1].column;
    if (column < 0) return;
    const std::string kind = place > index.columns.size() ? "included" : "non-expression";
    raise(sqlstate::feature_not_supported,
          "cannot alter statistics on " + kind + " column \"" + table.columns[static_cast<std::size_t>(column)].name +
              "\" of index \"" + index.name + "\"",
          {}, place > index.columns.size() ? "" : "Alter statistics on table column instead.");
}

}  // namespace define_index_parts

std::pair<std::shared_ptr<const Relation>, const Index*> find_index(SqlSession& session,
                                                                    const syntax::QualifiedName& name) {
    if (!name.schema().empty()) return session.catalog().index(name.schema(), name.last());
    for (const std::string& schema : session.search_path())
        if (const auto found = session.catalog().index(schema, name.last()); found.second != nullptr) return found;
    return {nullptr, nullptr};
}

std::pair<std::shared_ptr<const Relation>, const Index*> index_named(SqlSession& session,
                                                                     const syntax::QualifiedName& name) {
    if (const auto found = find_index(session, name); found.second != nullptr) return found;
    check_schema_of(session, name);
    BoundPool pool;
    std::vector<Oid> types;
    raise(sqlstate::undefined_table, Binder(session, pool, types).relation_message(name));
}

void alter_index(SqlSession& session, const syntax::AlterTable& syntax) {
    using Kind = syntax::AlterKind;
    try {
        index_named(session, syntax.name);
    } catch (const SqlError& error) {
        if (!syntax.if_exists) throw;
        session.notice(error.state(), std::string(error.what()) + ", skipping");
        return;
    }
    for (const syntax::AlterAction& action : syntax.actions) {
        const auto [table, index] = index_named(session, syntax.name);
        switch (action.kind) {
            case Kind::attach_partition: define_index_parts::attach(session, *table, *index, action.partition); break;
            case Kind::set_statistics: define_index_parts::check_statistics(*table, *index, action.name); break;
            case Kind::set_options: check_storage_options(action.options, StorageOf::index); break;
            // What PostgreSQL keeps of these speaks of its storage.
            case Kind::owner:
            case Kind::reset_options: break;
            default: raise(sqlstate::feature_not_supported, "this form of ALTER INDEX is not supported");
        }
    }
}

namespace define_index_parts {

/// Makes the entries of an index anew, of all where none is named. What holds the rows is no more than the rows.
void rebuild(SqlSession& session, const Relation& table, const Index* only) {
    Execution execution(session.state(), session, session.parameters());
    for (std::size_t i = 0; i < table.indexes.size(); ++i) {
        const Index& index = table.indexes[i];
        if (index.holds_rows() || (only != nullptr && only->oid != index.oid)) continue;
        session.writable(table.index_tree(index), table.temporary).erase_range("", std::nullopt);
        TableWriter(session.catalog().relation(table.oid), execution, session).build_index(i);
    }
}

void reindex_all(SqlSession& session, const syntax::Reindex& syntax) {
    using Kind = syntax::Reindex::Kind;
    const std::string name(syntax.name.last());
    const bool in_schema = syntax.kind == Kind::schema;
    if (session.in_transaction())
        raise(sqlstate::active_sql_transaction, std::string("REINDEX ") +
                                                    (in_schema                      ? "SCHEMA"
                                                     : syntax.kind == Kind::system ? "SYSTEM"
                                                                                    : "DATABASE") +
                                                    " cannot run inside a transaction block");
    if (in_schema && !session.catalog().has_schema(name)) no_schema(name);
    if (!in_schema && name != session.current_database())
        raise(sqlstate::feature_not_supported, "can only reindex the currently open database");
    if (syntax.kind == Kind::system) return;  // what describes the tables has no indexes
    std::vector<std::shared_ptr<const Relation>> tables;
    for (const auto& [key, relation] : session.catalog().relations())
        if (relation->stores_rows() && (!in_schema || relation->schema == name)) tables.push_back(relation);
    for (const auto& table : tables) rebuild(session, *table, nullptr);
}

}  // namespace define_index_parts

void check_index_method(const syntax::CreateIndex& index) {
    struct Method {
        std::string_view name;
        bool unique, several_columns, include, order;
    };
    static constexpr Method k_methods[] = {
        {"btree", true, true, true, true}, {"hash", false, false, false, false}, {"gist", false, true, true, false},
        {"gin", false, true, false, false}, {"spgist", false, false, true, false}, {"brin", false, true, false, false},
        {"rtree", false, true, true, false},
    };
    const std::string_view name = index.method.empty() ? std::string_view("btree") : index.method;
    const auto* const method = std::find_if(std::begin(k_methods), std::end(k_methods),
                                            [&](const Method& known) { return known.name == name; });
    if (method == std::end(k_methods))
        raise(sqlstate::undefined_object, "access method \"" + std::string(name) + "\" does not exist");
    const auto refuse = [&](const char* what) {
        raise(sqlstate::feature_not_supported,
              "access method \"" + std::string(name) + "\" does not support " + what);
    };
    if (index.unique && !method->unique) refuse("unique indexes");
    if (!index.include.empty() && !method->include) refuse("included columns");
    if (index.columns.size() > 1 && !method->several_columns) refuse("multicolumn indexes");
    for (const syntax::SortItem& column : index.columns) {
        if (column.descending && !method->order) refuse("ASC/DESC options");
        if (column.nulls != syntax::NullsOrder::standard && !method->order) refuse("NULLS FIRST/LAST options");
    }
}

void reindex(SqlSession& session, const syntax::Reindex& syntax) {
    using Kind = syntax::Reindex::Kind;
    if (syntax.concurrently && session.in_transaction())
        raise(sqlstate::active_sql_transaction, "REINDEX CONCURRENTLY cannot run inside a transaction block");
    if (syntax.kind != Kind::index && syntax.kind != Kind::table)
        return define_index_parts::reindex_all(session, syntax);
    const auto [owner, index] = find_index(session, syntax.name);
    if (syntax.kind == Kind::index && index != nullptr) return define_index_parts::rebuild(session, *owner, index);
    const std::string name(syntax.name.last());
    if (index != nullptr) raise(sqlstate::wrong_object_type, "\"" + name + "\" is not a table or materialized view");
    BoundPool pool;
    std::vector<Oid> types;
    const auto table = Binder(session, pool, types).find_relation(syntax.name, session.present(), false);
    if (syntax.kind == Kind::index) raise(sqlstate::wrong_object_type, "\"" + name + "\" is not an index");
    if (!table->stores_rows() && !table->is_partition() && !table->is_partitioned())
        raise(sqlstate::wrong_object_type, "\"" + name + "\" is not a table or materialized view");
    const auto whole = define_index_parts::indexed_table(session, *table);
    if (whole->indexes.empty())
        session.notice(sqlstate::successful_completion, "table \"" + name + "\" has no indexes to reindex");
    define_index_parts::rebuild(session, *whole, nullptr);
}

Index describe_index(SqlSession& session, const Relation& relation, const syntax::CreateIndex& syntax,
                     std::string& names) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    Index index;
    index.oid = session.allocate_oid(relation.temporary);
    check_storage_options(syntax.options, StorageOf::index, syntax.method);
    std::vector<ColumnId> columns;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) columns.push_back(pool.column());
    std::set<std::string> parts;  // of the name
    for (const syntax::SortItem& item : syntax.columns) {
        IndexColumn column;
        BoundExpr* bound = binder.bind_over_table(*item.expr, relation, columns, "index expressions");
        if (bound->kind == BoundKind::column)
            column.column =
                static_cast<int>(std::find(columns.begin(), columns.end(), bound->column) - columns.begin());
        else column.text = session.stored_text(item.source);
        if (bound->type == type::record)
            raise(sqlstate::invalid_table_definition, "column \"row\" has pseudo-type record");
        if (bound->type == type::unknown || !is_orderable(bound->type, session.state().types))
            raise(sqlstate::undefined_object, "data type " +
                                                  format_type(bound->type, k_no_typmod, session.state().types) +
                                                  " has no default operator class for access method \"btree\"");
        if (!is_immutable(bound, session.state().types))
            raise(sqlstate::invalid_object_definition, "functions in index expression must be marked IMMUTABLE");
        column.order.descending = item.descending;
        column.order.nulls_first = item.nulls == syntax::NullsOrder::standard ? item.descending
                                                                              : item.nulls == syntax::NullsOrder::first;
        const std::string called = column.column >= 0 ? relation.columns[static_cast<std::size_t>(column.column)].name
                                                      : binder.target_name(*item.expr);
        const std::string base = called == "?column?" ? "expr" : called;
        std::string part = base;
        for (int n = 1; !parts.insert(part).second; ++n) part = base + std::to_string(n);
        names += (names.empty() ? "" : "_") + part;
        index.columns.push_back(std::move(column));
    }
    for (const syntax::Name name : syntax.include) {
        const int column = relation.find_column(name);
        if (column < 0) raise(sqlstate::undefined_column, "column \"" + std::string(name) + "\" does not exist");
        index.include.push_back(column);
    }
    if (syntax.where != nullptr) {
        BoundExpr* holds =
            binder.condition(binder.bind_over_table(*syntax.where, relation, columns, "index predicates"), "WHERE", 0);
        if (!is_immutable(holds, session.state().types))
            raise(sqlstate::invalid_object_definition, "functions in index predicate must be marked IMMUTABLE");
        index.predicate = session.stored_text(syntax.where_source);
    }
    return index;
}

void create_index(SqlSession& session, const syntax::CreateIndex& syntax) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    const auto named = binder.find_relation(syntax.table, session.present(), false);
    const auto old = define_index_parts::indexed_table(session, *named);
    if (!old->stores_rows())
        raise(sqlstate::wrong_object_type, "cannot create index on relation \"" + old->name + "\"");
    check_index_method(syntax);
    if (!syntax.name.empty() && (session.catalog().index(old->schema, syntax.name).second != nullptr ||
                                 session.catalog().relation(old->schema, syntax.name) != nullptr)) {
        if (!syntax.if_not_exists)
            raise(sqlstate::duplicate_table, "relation \"" + std::string(syntax.name) + "\" already exists");
        session.notice(sqlstate::duplicate_table,
                       "relation \"" + std::string(syntax.name) + "\" already exists, skipping");
        return;
    }
    auto relation = std::make_shared<Relation>(*old);
    std::string names;
    Index index = describe_index(session, *relation, syntax, names);
    index.partition = named->is_partition() ? named->oid : 0;
    index.unique = syntax.unique;
    index.nulls_not_distinct = syntax.nulls_not_distinct;
    index.name = syntax.name.empty() ? unique_name(session, named->schema, named->name, names, "idx")
                                     : std::string(syntax.name);
    check_unique_within_partitions(*relation, index);
    relation->indexes.push_back(index);
    session.put(relation);
    if (!relation->history_retention.empty()) set_retention(session, *relation);
    Execution execution(session.state(), session, session.parameters());
    TableWriter(session.catalog().relation(relation->oid), execution, session)
        .build_index(relation->indexes.size() - 1);
}

}  // namespace northstar::inline v0::sql
