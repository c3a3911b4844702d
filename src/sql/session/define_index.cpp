// CREATE INDEX, ALTER INDEX.
#include "sql/catalog/partition.hpp"
#include "sql/plan/immutable.hpp"
#include "sql/session/access_methods.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/session/partition_indexes.hpp"
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
    if (find_index(session, syntax.name).second == nullptr) {
        BoundPool pool;
        std::vector<Oid> types;
        if (Binder(session, pool, types).find_relation(syntax.name, session.present(), true) != nullptr)
            raise(sqlstate::wrong_object_type, "\"" + std::string(syntax.name.last()) + "\" is not an index");
    }
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
            case Kind::attach_partition: attach_index(session, *table, *index, action.partition); break;
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

void reindex(SqlSession& session, const syntax::Reindex& syntax) {
    using Kind = syntax::Reindex::Kind;
    if (syntax.concurrently && session.in_transaction())
        raise(sqlstate::active_sql_transaction, "REINDEX CONCURRENTLY cannot run inside a transaction block");
    if (syntax.kind != Kind::index && syntax.kind != Kind::table)
        return define_index_parts::reindex_all(session, syntax);
    const auto [owner, index] = find_index(session, syntax.name);
    if (syntax.kind == Kind::index && index != nullptr) {
        const Index* const entries = index_with_entries(session.catalog(), *owner, *index);
        return define_index_parts::rebuild(session, *define_index_parts::indexed_table(session, *owner), entries);
    }
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
    std::vector<ColumnId> columns;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) columns.push_back(pool.column());
    std::set<std::string> parts;  // of the name
    for (std::size_t i = 0; i < syntax.columns.size(); ++i) {
        const syntax::SortItem& item = syntax.columns[i];
        IndexColumn column;
        BoundExpr* bound = binder.bind_over_table(*item.expr, relation, columns, "index expressions");
        if (bound->kind == BoundKind::column)
            column.column =
                static_cast<int>(std::find(columns.begin(), columns.end(), bound->column) - columns.begin());
        else column.text = session.stored_text(item.source);
        if (bound->type == type::record)
            raise(sqlstate::invalid_table_definition, "column \"row\" has pseudo-type record");
        check_operator_class(syntax.operator_classes[i], syntax.method, bound->type, session.state().types);
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
        names += "_" + std::string(name);
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
    if (syntax.concurrently && session.in_transaction())
        raise(sqlstate::active_sql_transaction, "CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
    const auto named = binder.find_relation(syntax.table, session.present(), false);
    if (syntax.concurrently && named->is_partitioned())
        raise(sqlstate::feature_not_supported,
              "cannot create index on partitioned table \"" + named->name + "\" concurrently");
    const auto old = define_index_parts::indexed_table(session, *named);
    if (!old->stores_rows())
        raise(sqlstate::wrong_object_type, "cannot create index on relation \"" + old->name + "\"");
    check_index_method(syntax);
    check_storage_options(syntax.options, StorageOf::index, syntax.method);
    if (!syntax.name.empty() && (session.catalog().index(old->schema, syntax.name).second != nullptr ||
                                 session.catalog().relation(old->schema, syntax.name) != nullptr)) {
        if (!syntax.if_not_exists)
            raise(sqlstate::duplicate_table, "relation \"" + std::string(syntax.name) + "\" already exists");
        session.notice(sqlstate::duplicate_table,
                       "relation \"" + std::string(syntax.name) + "\" already exists, skipping");
        return;
    }
    session.refuse_pending_checks(*old, "CREATE INDEX");
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
    if (named->is_partitioned() && !syntax.only) make_index_parts(session, named->oid, index.oid);
}

}  // namespace northstar::inline v0::sql
