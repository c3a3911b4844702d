// CREATE VIEW, SEQUENCE, TYPE, SCHEMA, CREATE TABLE AS, ANALYZE and the statements that change nothing.
#include "sql/catalog/partition.hpp"
#include "sql/compare.hpp"
#include "sql/execute/fold_constants.hpp"
#include "sql/plan/immutable.hpp"
#include "sql/plan/optimize.hpp"
#include "sql/plan/walk.hpp"
#include "sql/session/analyze.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/session/lock_table.hpp"
#include "sql/session/result_columns.hpp"
#include "sql/session/storage_options.hpp"
#include "sql/session/taken_names.hpp"
#include "sql/session/typed_table.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::sql {

namespace define_object_parts {

/// A kind of object as the tags of DROP and ALTER have it.
std::string object_words(syntax::ObjectKind kind) {
    static constexpr const char* k_words[] = {
        "TABLE", "INDEX", "VIEW", "MATERIALIZED VIEW", "SCHEMA", "SEQUENCE", "TYPE", "DOMAIN",
        "TABLE", "TABLE", "FUNCTION", "TRIGGER", "EXTENSION", "DATABASE", "ROLE"};
    return k_words[static_cast<std::size_t>(kind)];
}

StatementResult tag(std::string text) {
    StatementResult result;
    result.tag = std::move(text);
    return result;
}

void collect_relations(const Plan& plan, std::set<Oid>& found) {
    if (plan.relation != nullptr) found.insert(plan.relation->oid);
    if (plan.left != nullptr) collect_relations(*plan.left, found);
    if (plan.right != nullptr) collect_relations(*plan.right, found);
    if (plan.common != nullptr && plan.common->plan != nullptr) collect_relations(*plan.common->plan, found);
    each_expr(const_cast<Plan&>(plan), [&](BoundExpr*& expr) {
        walk_expr(expr, [&](BoundExpr& node) {
            if (node.subquery != nullptr) collect_relations(*node.subquery, found);
            return true;
        });
    });
}

/// What a view depends on: the relations that its query reads, and those that it names, which may be views.
void note_dependencies(SqlSession& session, const Plan& plan, const Binder& binder, Relation& view) {
    std::set<Oid> depends;
    collect_relations(plan, depends);
    // A view over a table reads its heirs, whatever they are by then.
    for (const Oid oid : std::set<Oid>(depends))
        for (const auto& heir : session.catalog().heirs_of(oid)) depends.erase(heir->oid);
    for (const NamedRelation& name : binder.named()) depends.insert(name.oid);
    for (const Oid oid : depends) {
        const auto used = session.catalog().relation(oid);
        if (used == nullptr) continue;
        if (used->temporary) view.temporary = true;
        view.depends.push_back(oid);
    }
    for (const Oid key : binder.needed_keys()) view.depends.push_back(key);
}

bool depends_on(SqlSession& session, const Relation& relation, Oid oid, std::set<Oid>& seen) {
    return std::any_of(relation.depends.begin(), relation.depends.end(), [&](Oid used) {
        if (used == oid) return true;
        const auto other = seen.insert(used).second ? session.catalog().relation(used) : nullptr;
        return other != nullptr && depends_on(session, *other, oid, seen);
    });
}

/// Runs a query to the end; the rows go into `rows`. `view`: the materialized view that it belongs to; what that calls
/// relations is noted there if it was not known.
std::vector<OutputColumn> run(SqlSession& session, const syntax::Query& query, bool with_data, KeptRows& rows,
                              Relation& view) {
    std::vector<NamedRelation>& names = view.names;
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    binder.know_as(names);
    if (names.empty()) binder.note_names();
    if (!with_data) binder.bind_definition_only();
    std::optional<UnderSearchPath> stored;
    const std::shared_ptr<const Catalog> catalog = session.present().catalog;
    if (!names.empty()) stored.emplace(session, catalog->stored_path());
    BoundQuery bound = binder.bind_query(query);
    stored.reset();
    if (names.empty()) {
        names = binder.named();
        note_dependencies(session, *bound.plan, binder, view);
    }
    rows.reset(bound.columns.size(), session.memory_limit());
    if (!with_data) return bound.columns;
    Execution execution(session.state(), session, session.parameters());
    std::vector<ColumnId> wanted;
    for (const OutputColumn& column : bound.columns) wanted.push_back(column.id);
    Plan* const plan = optimize(bound.plan, pool);
    ConstantFolder(pool, session.state(), session).fold(*plan);
    run_plan(*plan, wanted, execution, rows);
    return bound.columns;
}

/// CONCURRENTLY tells old rows from new ones, and so no two may be the same.
void refuse_same_rows(const Relation& view, KeptRows& rows, Session& session) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::span<const Value> row(rows.row(i), rows.width());
        if (std::any_of(row.begin(), row.end(), [](const Value& value) { return value.is_null(); })) continue;
        std::string text;
        for (const Value& value : row) text += value_to_text(value, session) + '\0';
        if (!seen.insert(std::move(text)).second)
            raise(sqlstate::cardinality_violation, "new data for materialized view \"" + view.name +
                                                       "\" contains duplicate rows without any null columns");
    }
}

/// Nobody waits for a REFRESH here, but CONCURRENTLY asks for what it asks for in PostgreSQL.
void refuse_concurrently(const Relation& view, bool with_no_data) {
    if (!view.populated)
        raise(sqlstate::feature_not_supported,
              "CONCURRENTLY cannot be used when the materialized view is not populated");
    if (with_no_data)
        raise(sqlstate::syntax_error, "REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together");
    const auto names_rows = [](const Index& index) {
        return index.unique && index.predicate.empty() &&
               std::all_of(index.columns.begin(), index.columns.end(),
                           [](const IndexColumn& column) { return column.column >= 0; });
    };
    if (std::none_of(view.indexes.begin(), view.indexes.end(), names_rows))
        raise(sqlstate::object_not_in_prerequisite_state,
              "cannot refresh materialized view \"" + view.schema + "." + view.name + "\" concurrently", {},
              "Create a unique index with no WHERE clause on one or more columns of the materialized view.");
}

/// WITH CHECK OPTION is for views that can be changed.
void refuse_check_option(SqlSession& session, const Relation& view) {
    Arena arena;
    const std::string name = quote_identifier(view.schema) + "." + quote_identifier(view.name);
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    try {
        binder.bind_change(*parse_script(arena.copy("DELETE FROM " + name), arena).front());
    } catch (const SqlError& error) {
        if (!(error.state() == sqlstate::object_not_in_prerequisite_state)) throw;
        raise(sqlstate::feature_not_supported,
              "WITH CHECK OPTION is supported only on automatically updatable views", {},
              error.report().detail);
    }
}

void create_view(SqlSession& session, const syntax::CreateView& syntax) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    const syntax::Query* query = syntax.query;
    Arena arena;
    std::string text = session.stored_text(syntax.source);
    if (syntax.recursive) {
        text = "WITH RECURSIVE " + quote_identifier(syntax.name.last()) + " (";
        for (std::size_t i = 0; i < syntax.columns.size(); ++i)
            text += (i == 0 ? "" : ", ") + quote_identifier(syntax.columns[i]);
        text += ") AS (" + session.stored_text(syntax.source) + ") SELECT * FROM ";
        text += quote_identifier(syntax.name.last());
        query = parse_query(arena.copy(text), arena);
    }
    if (query->into != nullptr)
        raise_at(sqlstate::feature_not_supported, "views must not contain SELECT INTO", query->into->name.position);
    binder.note_names();
    binder.bind_definition_only();
    const BoundQuery bound = binder.bind_query(*query);
    if (!types.empty()) raise(sqlstate::undefined_parameter, "there is no parameter $1");
    auto view = std::make_shared<Relation>();
    view->kind = RelationKind::view;
    view->temporary = syntax.temporary;
    note_dependencies(session, *bound.plan, binder, *view);
    view->schema = session.creation_schema(syntax.name, view->temporary);
    view->name = syntax.name.last();
    view->query = text;
    view->names = binder.named();
    view->check_option = syntax.check_option;
    check_storage_options(syntax.options, StorageOf::view);
    for (const syntax::Option& option : syntax.options)
        if (option.name == "check_option") view->check_option = check_option_of(option);
    if (syntax.columns.size() > bound.columns.size())
        raise(sqlstate::syntax_error, "CREATE VIEW specifies more column names than columns");
    for (std::size_t i = 0; i < bound.columns.size(); ++i)
        add_result_column(session, *view,
                          i < syntax.columns.size() ? std::string(syntax.columns[i]) : bound.columns[i].name,
                          bound.columns[i]);
    const auto old = session.catalog().relation(view->schema, view->name);
    if (syntax.replace && session.catalog().index(view->schema, view->name).second != nullptr)
        raise(sqlstate::wrong_object_type, "\"" + view->name + "\" is not a view");
    if (old == nullptr || !syntax.replace) refuse_relation_name(session, view->schema, view->name);
    if (old != nullptr) {
        if (old->kind != RelationKind::view)
            raise(sqlstate::wrong_object_type, "\"" + view->name + "\" is not a view");
        for (std::size_t i = 0; i < old->columns.size(); ++i) {
            if (i >= view->columns.size())
                raise(sqlstate::invalid_table_definition, "cannot drop columns from view");
            if (old->columns[i].name != view->columns[i].name)
                raise(sqlstate::invalid_table_definition, "cannot change name of view column \"" +
                                                              old->columns[i].name + "\" to \"" +
                                                              view->columns[i].name + "\"");
            const auto type_of = [&](const Column& column) {
                return format_type(column.domain != 0 ? column.domain : column.type, column.typmod,
                                   session.state().types);
            };
            if (old->columns[i].type != view->columns[i].type || old->columns[i].typmod != view->columns[i].typmod ||
                old->columns[i].domain != view->columns[i].domain)
                raise(sqlstate::invalid_table_definition,
                      "cannot change data type of view column \"" + old->columns[i].name + "\" from " +
                          type_of(old->columns[i]) + " to " + type_of(view->columns[i]));
        }
        // It could not be read, and what follows dependencies would not come to an end.
        if (std::set<Oid> seen; depends_on(session, *view, old->oid, seen))
            raise(sqlstate::invalid_object_definition,
                  "infinite recursion detected in rules for relation \"" + view->name + "\"");
        view->oid = old->oid;
        view->row_type = old->row_type;
    } else {
        view->oid = session.allocate_oid(view->temporary);
        view->row_type = session.allocate_oid(view->temporary);
    }
    session.put(view);
    if (view->check_option != 0) refuse_check_option(session, *view);
}

void create_enum(SqlSession& session, const syntax::CreateType& syntax) {
    auto type = std::make_shared<UserType>();
    type->schema = session.creation_schema(syntax.name, false);
    type->name = syntax.name.last();
    refuse_type_name(session, type->schema, type->name);
    std::int64_t number = 0;
    for (const syntax::Name label : syntax.labels) {
        for (const auto& [other, unused] : type->labels)
            if (other == label)
                raise(sqlstate::unique_violation, "enum label \"" + std::string(label) + "\" used more than once");
        if (label.size() > 63) raise(sqlstate::invalid_name, "invalid enum label \"" + std::string(label) + "\"");
        number += std::int64_t{1} << 32;
        type->labels.emplace_back(std::string(label), number);
    }
    type->oid = session.allocate_oid(false);
    type->array = session.allocate_oid(false);
    session.put(type);
}

void create_composite(SqlSession& session, const syntax::CreateType& syntax) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    auto type = std::make_shared<UserType>();
    type->kind = 'c';
    type->schema = session.creation_schema(syntax.name, false);
    type->name = syntax.name.last();
    refuse_type_name(session, type->schema, type->name);
    for (const syntax::ColumnDefinition& definition : syntax.fields) {
        for (const TypeField& other : type->fields)
            if (other.name == definition.name)
                raise(sqlstate::duplicate_column, "column \"" + other.name + "\" specified more than once");
        const Binder::TypeMeaning meaning = binder.resolve_type(*definition.type);
        refuse_pseudo_type(session, meaning.type, std::string(definition.name));
        type->fields.push_back({std::string(definition.name), meaning.type, meaning.typmod, meaning.domain});
    }
    type->oid = session.allocate_oid(false);
    type->array = session.allocate_oid(false);
    session.put(type);
}

void alter_enum(SqlSession& session, const syntax::CreateType& syntax) {
    const std::shared_ptr<const UserType> old = type_named(session, syntax.name);
    if (old->kind != 'e') raise(sqlstate::wrong_object_type, "\"" + old->name + "\" is not an enum");
    auto type = std::make_shared<UserType>(*old);
    const std::string label(syntax.labels[0]);
    const auto find = [&](std::string_view wanted) {
        return std::find_if(type->labels.begin(), type->labels.end(),
                            [&](const auto& item) { return item.first == wanted; });
    };
    if (!syntax.rename_from.empty()) {
        const auto from = find(syntax.rename_from);
        if (from == type->labels.end())
            raise(sqlstate::invalid_parameter_value,
                  "\"" + std::string(syntax.rename_from) + "\" is not an existing enum label");
        if (find(label) != type->labels.end())
            raise(sqlstate::duplicate_object, "enum label \"" + label + "\" already exists");
        from->first = label;
        session.put(type);
        rename_label_in_texts(session, *type, syntax.rename_from, label);
        return;
    }
    if (label.size() > 63) raise(sqlstate::invalid_name, "invalid enum label \"" + label + "\"");
    if (find(label) != type->labels.end()) {
        if (!syntax.if_not_exists) raise(sqlstate::duplicate_object, "enum label \"" + label + "\" already exists");
        session.notice(sqlstate::duplicate_object, "enum label \"" + label + "\" already exists, skipping");
        return;
    }
    auto at = type->labels.end();
    if (!syntax.neighbour.empty()) {
        at = find(syntax.neighbour);
        if (at == type->labels.end())
            raise(sqlstate::invalid_parameter_value,
                  "\"" + std::string(syntax.neighbour) + "\" is not an existing enum label");
        if (!syntax.before) ++at;
    }
    // A number between the neighbours keeps stored values and their order.
    const std::int64_t low = at == type->labels.begin() ? 0 : std::prev(at)->second;
    const std::int64_t high = at == type->labels.end() ? low + (std::int64_t{2} << 32) : at->second;
    if (high - low < 2) raise(sqlstate::program_limit_exceeded, "too many enum labels were added at the same place");
    const std::int64_t number = low + (high - low) / 2;
    type->labels.insert(at, {label, number});
    session.put(type);
    session.note_uncommitted_label(type->oid, number);
}

StatementResult create_as(SqlSession& session, const syntax::CreateTable& syntax) {
    const std::string schema = session.creation_schema(syntax.name, syntax.temporary);
    if (syntax.query != nullptr && session.catalog().relation(schema, syntax.name.last()) != nullptr) {
        // What is wrong with the query is said before that there is nothing to create.
        BoundPool pool;
        std::vector<Oid> types;
        Binder(session, pool, types).bind_query(*syntax.query);
    }
    if (syntax.if_not_exists && session.catalog().relation(schema, syntax.name.last()) != nullptr) {
        session.notice(sqlstate::duplicate_table,
                       "relation \"" + std::string(syntax.name.last()) + "\" already exists, skipping");
        return tag(syntax.materialized_view ? "CREATE MATERIALIZED VIEW" : "CREATE TABLE AS");
    }
    if (session.catalog().relation(schema, syntax.name.last()) != nullptr)
        raise(sqlstate::duplicate_table, "relation \"" + std::string(syntax.name.last()) + "\" already exists");
    KeptRows rows;
    std::vector<OutputColumn> columns;
    Relation asked;
    if (syntax.execute != nullptr) {
        StatementResult result = session.run_nested(*syntax.execute);
        columns = result.columns;
        rows = KeptRows(std::move(result.rows));
    } else {
        columns = run(session, *syntax.query, syntax.with_data, rows, asked);
    }
    if (syntax.materialized_view && asked.temporary)
        raise(sqlstate::feature_not_supported, "materialized views must not use temporary tables or views");
    const std::uint64_t count = create_table_as(session, syntax, columns, rows);
    if (syntax.materialized_view) {
        auto view = std::make_shared<Relation>(*session.catalog().relation(schema, syntax.name.last()));
        view->query = session.stored_text(syntax.source);
        view->names = asked.names;
        view->depends = asked.depends;
        session.put(view);
    }
    if (!syntax.with_data) return tag(syntax.materialized_view ? "CREATE MATERIALIZED VIEW" : "CREATE TABLE AS");
    return tag("SELECT " + std::to_string(count));
}

/// Raises 42P15 where an element of a schema says that it belongs to another one, 42P16 where it is temporary.
void check_element(const syntax::QualifiedName& name, bool temporary, const std::string& schema) {
    if (temporary)
        raise_at(sqlstate::invalid_table_definition, "cannot create temporary relation in non-temporary schema",
                 name.position);
    if (!name.schema().empty() && name.schema() != schema)
        raise_at(sqlstate::invalid_schema_definition,
                 "CREATE specifies a schema (" + std::string(name.schema()) +
                     ") different from the one being created (" + schema + ")",
                 name.position);
}

/// The elements of a schema, whatever their order, so that each finds what it is made of: sequences, tables, views,
/// indexes, and what else there is.
std::vector<const syntax::Statement*> in_order_of_use(const syntax::List<const syntax::Statement*>& elements,
                                                      const std::string& schema) {
    using syntax::StatementKind;
    std::vector<std::pair<int, const syntax::Statement*>> ranked;
    for (const syntax::Statement* const element : elements) {
        int rank = 4;
        if (element->kind == StatementKind::create_sequence) {
            check_element(element->sequence->name, element->sequence->temporary, schema);
            rank = 0;
        } else if (element->kind == StatementKind::create_table) {
            check_element(element->create_table->name, element->create_table->temporary, schema);
            rank = 1;
        } else if (element->kind == StatementKind::create_view) {
            check_element(element->create_view->name, element->create_view->temporary, schema);
            rank = 2;
        } else if (element->kind == StatementKind::create_index) {
            check_element(element->create_index->table, false, schema);
            rank = 3;
        }
        ranked.emplace_back(rank, element);
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<const syntax::Statement*> ordered;
    for (const auto& [rank, element] : ranked) ordered.push_back(element);
    return ordered;
}

/// CREATE SCHEMA s CREATE TABLE ..: names without a schema mean the new one.
void create_elements(SqlSession& session, const std::string& schema,
                     const syntax::List<const syntax::Statement*>& elements) {
    std::vector<std::string> path = session.search_path();
    path.insert(path.begin(), schema);
    const UnderSearchPath under(session, path);
    for (const syntax::Statement* const element : in_order_of_use(elements, schema)) session.run_nested(*element);
}

}  // namespace define_object_parts

int check_option_of(const syntax::Option& option) {
    const std::string_view value = option.value == nullptr ? std::string_view() : option.value->text;
    if (value == "local") return 1;
    if (value == "cascaded") return 2;
    raise_at(sqlstate::invalid_parameter_value,
             "invalid value for enum option \"check_option\": " + std::string(value), option.position,
             "Valid values are \"local\" and \"cascaded\".");
}

StatementResult define_object(SqlSession& session, const syntax::Statement& statement, std::string_view) {
    using namespace define_object_parts;
    using syntax::StatementKind;
    switch (statement.kind) {
        case StatementKind::create_table: create_table(session, *statement.create_table); return tag("CREATE TABLE");
        case StatementKind::create_table_as: return create_as(session, *statement.create_table);
        case StatementKind::create_index: create_index(session, *statement.create_index); return tag("CREATE INDEX");
        case StatementKind::create_view: create_view(session, *statement.create_view); return tag("CREATE VIEW");
        case StatementKind::create_schema: {
            const std::string name(statement.drop->names[0].last());
            if (statement.drop->if_exists && session.catalog().has_schema(name)) {
                session.notice(sqlstate::duplicate_schema, "schema \"" + name + "\" already exists, skipping");
            } else {
                refuse_schema_name(session, name);
                session.add_schema(name);
                create_elements(session, name, statement.elements);
            }
            return tag("CREATE SCHEMA");
        }
        case StatementKind::create_sequence: {
            const syntax::CreateSequence& syntax = *statement.sequence;
            const std::string schema = session.creation_schema(syntax.name, syntax.temporary);
            const std::string name(syntax.name.last());
            if (syntax.if_not_exists && is_relation_name_taken(session, schema, name)) {
                session.notice(sqlstate::duplicate_table, "relation \"" + name + "\" already exists, skipping");
                return tag("CREATE SEQUENCE");
            }
            refuse_relation_name(session, schema, name);
            BoundPool pool;
            std::vector<Oid> types;
            Binder binder(session, pool, types);
            Oid type = type::int8;
            if (syntax.type != nullptr) type = binder.resolve_type(*syntax.type).type;
            if (type != type::int2 && type != type::int4 && type != type::int8)
                raise(sqlstate::invalid_parameter_value, "sequence type must be smallint, integer, or bigint");
            session.put(make_sequence(session, schema, name, schema == k_temporary_schema, type, syntax.options));
            return tag("CREATE SEQUENCE");
        }
        case StatementKind::alter_sequence: alter_sequence(session, *statement.sequence); return tag("ALTER SEQUENCE");
        case StatementKind::create_enum: create_enum(session, *statement.type); return tag("CREATE TYPE");
        case StatementKind::create_composite: create_composite(session, *statement.type); return tag("CREATE TYPE");
        case StatementKind::alter_enum: alter_enum(session, *statement.type); return tag("ALTER TYPE");
        case StatementKind::create_domain: create_domain(session, *statement.type); return tag("CREATE DOMAIN");
        case StatementKind::create_extension:
            create_extension(session, *statement.extension);
            return tag("CREATE EXTENSION");
        case StatementKind::drop: drop_objects(session, *statement.drop);
            return tag("DROP " + object_words(statement.drop->kind));
        case StatementKind::truncate: truncate_tables(session, *statement.truncate); return tag("TRUNCATE TABLE");
        case StatementKind::alter_table: alter_table(session, *statement.alter);
            return tag("ALTER " + object_words(statement.alter->kind));
        case StatementKind::rename:
        case StatementKind::set_schema:
            rename_object(session, *statement.rename, statement.kind == StatementKind::set_schema);
            return tag("ALTER " + object_words(statement.rename->of));
        case StatementKind::comment: define_comment(session, *statement.comment); return tag("COMMENT");
        case StatementKind::privileges:
            warn_of_privileges(session, statement.privileges);
            return tag(std::string(statement.privileges));
        case StatementKind::refresh_view: {
            BoundPool pool;
            std::vector<Oid> types;
            Binder binder(session, pool, types);
            const auto old = binder.find_relation(statement.drop->names[0], session.present(), false);
            if (old->kind != RelationKind::materialized_view)
                raise(sqlstate::wrong_object_type, "\"" + old->name + "\" is not a materialized view");
            if (statement.drop->cascade) refuse_concurrently(*old, statement.drop->if_exists);
            auto view = std::make_shared<Relation>(*old);
            view->populated = !statement.drop->if_exists;
            session.writable(view->tree(), view->temporary).erase_range("", std::nullopt);
            for (const Index& index : view->indexes)
                session.writable(view->index_tree(index), view->temporary).erase_range("", std::nullopt);
            session.put(view);
            if (view->populated) {
                Arena arena;
                KeptRows rows;
                run(session, *parse_query(arena.copy(view->query), arena), true, rows, *view);
                Execution execution(session.state(), session, session.parameters());
                TableWriter writer(session.catalog().relation(view->oid), execution, session);
                try {
                    for (std::size_t i = 0; i < rows.size(); ++i) writer.insert(rows.row(i));
                } catch (const SqlError& error) {
                    if (statement.drop->cascade && error.state() == sqlstate::unique_violation)
                        refuse_same_rows(*view, rows, session.state());
                    throw;
                }
            }
            return tag("REFRESH MATERIALIZED VIEW");
        }
        case StatementKind::reindex: reindex(session, *statement.reindex); return tag("REINDEX");
        case StatementKind::analyze: analyze_tables(session, *statement.tables); return tag("ANALYZE");
        case StatementKind::vacuum: {
            BoundPool pool;
            std::vector<Oid> types;
            Binder binder(session, pool, types);
            for (const syntax::QualifiedName& name : statement.tables->tables)
                binder.find_relation(name, session.present(), false);
            for (const auto& columns : statement.tables->columns)
                if (!columns.empty() && !statement.tables->analyze)
                    raise(sqlstate::feature_not_supported,
                          "ANALYZE option must be specified when a column list is provided");
            if (session.in_transaction())
                raise(sqlstate::active_sql_transaction, "VACUUM cannot run inside a transaction block");
            if (statement.tables->analyze) analyze_tables(session, *statement.tables);
            session.database().checkpoint();  // pages of versions that nobody reads become free there
            if (statement.tables->full) session.database().compact();  // tables share the file
            return tag("VACUUM");
        }
        case StatementKind::lock_table: lock_tables(session, statement); return tag("LOCK TABLE");
        case StatementKind::checkpoint: session.database().checkpoint(); return tag("CHECKPOINT");
        case StatementKind::discard: return tag(session.discard(statement.discard));
        default: raise(sqlstate::feature_not_supported, "this statement is not supported");
    }
}

}  // namespace northstar::inline v0::sql
