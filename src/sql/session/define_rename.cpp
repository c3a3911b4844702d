// ALTER .. RENAME and SET SCHEMA: expressions that the catalog keeps as text follow the new name.
#include "sql/catalog/partition.hpp"
#include "sql/catalog/stored_names.hpp"
#include "sql/session/define_alter.hpp"
#include "sql/session/define_inheritance.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/session/partition_indexes.hpp"
#include "sql/session/sql_session.hpp"
#include "sql/syntax/lexer.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::sql {

namespace define_rename {

/// A column and what the table says of it.
void rename_column(Relation& relation, std::string_view from, const std::string& to) {
    const int place = relation.find_column(from);
    if (place < 0) return;
    relation.columns[static_cast<std::size_t>(place)].name = to;
    for (CheckConstraint& check : relation.checks) check.text = rename_identifier(check.text, from, to);
    for (Column& column : relation.columns)
        if (!column.generated_text.empty()) column.generated_text = rename_identifier(column.generated_text, from, to);
    for (Index& index : relation.indexes) {
        if (!index.predicate.empty()) index.predicate = rename_identifier(index.predicate, from, to);
        for (IndexColumn& column : index.columns)
            if (column.column < 0) column.text = rename_identifier(column.text, from, to);
    }
}

/// Of relations and indexes of a schema no two have one name.
void refuse_taken_name(const SqlSession& session, const std::string& schema, const std::string& name) {
    if (session.catalog().relation(schema, name) != nullptr || session.catalog().index(schema, name).second != nullptr)
        raise(sqlstate::duplicate_table, "relation \"" + name + "\" already exists");
}

/// Every expression and query that the catalog keeps as text.
template <class Visit>
void each_text(Relation& relation, Visit&& visit) {
    for (Column& column : relation.columns) {
        visit(column.default_text);
        visit(column.generated_text);
    }
    for (CheckConstraint& check : relation.checks) visit(check.text);
    for (Index& index : relation.indexes) {
        visit(index.predicate);
        for (IndexColumn& column : index.columns) visit(column.text);
    }
    for (PartitionKey::Part& part : relation.partition_key.parts) visit(part.text);
    visit(relation.query);
}
template <class Visit>
void each_text(UserType& type, Visit&& visit) {
    visit(type.default_text);
    for (CheckConstraint& check : type.checks) visit(check.text);
}

/// Texts that name an object go on to mean it, in its new schema and by its new name.
void keep_meaning(SqlSession& session, Oid kind, Oid oid, const std::string& schema, const std::string& name) {
    const std::string written =
        (schema == k_public_schema ? std::string() : quote_identifier(schema) + ".") + quote_identifier(name);
    std::vector<std::shared_ptr<Relation>> relations;
    std::vector<std::shared_ptr<UserType>> types;
    const auto gather = [&](const auto& objects, auto& changed_objects) {
        for (const auto& [key, object] : objects) {
            auto changed = std::make_shared<std::remove_cvref_t<decltype(*changed_objects[0])>>(*object);
            bool any = false;
            each_text(*changed, [&](std::string& text) {
                std::string renamed = rename_in_text(session.catalog(), text, kind, oid, written);
                any |= renamed != text;
                text = std::move(renamed);
            });
            if (any) changed_objects.push_back(std::move(changed));
        }
    };
    gather(session.catalog().relations(), relations);
    gather(session.catalog().types(), types);
    for (const auto& relation : relations) session.put(relation);
    for (const auto& changed : types) session.put(changed);
}

void rename_type(SqlSession& session, const UserType& type, const std::string& schema, const std::string& name) {
    if (session.catalog().user_type(schema, name) != nullptr || session.catalog().relation(schema, name) != nullptr)
        raise(sqlstate::duplicate_object, "type \"" + name + "\" already exists");
    keep_meaning(session, type::regtype, type.oid, schema, name);
    auto renamed = std::make_shared<UserType>(*session.catalog().user_type(type.oid));
    renamed->schema = schema;
    renamed->name = name;
    session.put(renamed);
}

/// The type of a table's rows has its name.
void rename_relation(SqlSession& session, Oid oid, const std::string& schema, const std::string& name) {
    keep_meaning(session, type::regclass, oid, schema, name);
    if (const Oid row = session.catalog().relation(oid)->row_type; row != 0)
        keep_meaning(session, type::regtype, row, schema, name);
    auto renamed = std::make_shared<Relation>(*session.catalog().relation(oid));
    renamed->schema = schema;
    renamed->name = name;
    session.put(renamed);
}

/// SET SCHEMA: sequences that columns own go along, and not without their table.
void move_relation(SqlSession& session, const Relation& relation, const std::string& schema) {
    if (relation.kind == RelationKind::sequence && relation.sequence.owner_table != 0)
        raise(sqlstate::feature_not_supported, "cannot move an owned sequence into another schema",
              "Sequence \"" + relation.name + "\" is linked to table \"" +
                  session.catalog().relation(relation.sequence.owner_table)->name + "\".");
    std::vector<std::shared_ptr<const Relation>> moved = {session.catalog().relation(relation.oid)};
    for (const auto& [key, other] : session.catalog().relations())
        if (other->kind == RelationKind::sequence && other->sequence.owner_table == relation.oid)
            moved.push_back(other);
    for (const auto& each : moved) {
        refuse_taken_name(session, schema, each->name);
        rename_relation(session, each->oid, schema, each->name);
    }
}

/// What lies in the schema goes over to the new name.
void rename_schema(SqlSession& session, const std::string& from, const std::string& to) {
    if (!session.catalog().has_schema(from)) no_schema(from);
    refuse_schema_name(session, to);
    std::vector<std::shared_ptr<const Relation>> relations;
    std::vector<std::shared_ptr<const UserType>> types;
    for (const auto& [key, relation] : session.catalog().relations())
        if (relation->schema == from && !relation->temporary) relations.push_back(relation);
    for (const auto& [key, type] : session.catalog().types())
        if (type->schema == from) types.push_back(type);
    session.add_schema(to, session.catalog().schema_comment(from));
    for (const auto& type : types) rename_type(session, *type, to, type->name);
    for (const auto& relation : relations) rename_relation(session, relation->oid, to, relation->name);
    session.remove_schema(from);
}

/// The heirs of a table have its check by the name that it has there.
void rename_inherited_check(SqlSession& session, const Relation& table, const syntax::Rename& syntax) {
    if (inherits_check(session, table, syntax.part))
        raise(sqlstate::invalid_table_definition,
              "cannot rename inherited constraint \"" + std::string(syntax.part) + "\"");
    const auto heirs = session.catalog().heirs_of(table.oid);
    if (syntax.only && !heirs.empty())
        raise(sqlstate::invalid_table_definition,
              "inherited constraint \"" + std::string(syntax.part) + "\" must be renamed in child tables too");
    for (const auto& heir : heirs) {
        auto changed = std::make_shared<Relation>(*heir);
        for (CheckConstraint& check : changed->checks)
            if (check.name == syntax.part) check.name = syntax.to;
        session.put(changed);
    }
}

/// The text with every field `from` of a value, (a).from or a[1].from, spelled `to`.
std::string rename_field(const std::string& text, std::string_view from, std::string_view to) {
    Arena arena;
    const std::vector<Token> tokens = lex(text, arena);
    std::string result;
    std::size_t done = 0;
    for (std::size_t i = 2; i < tokens.size(); ++i) {
        const Token& token = tokens[i];
        const bool name = token.kind == TokenKind::identifier || token.kind == TokenKind::quoted;
        const bool field = tokens[i - 1].is('.') && (tokens[i - 2].is(')') || tokens[i - 2].is(']'));
        if (!name || !field || token.text != from) continue;
        result += text.substr(done, token.begin - done) + quote_identifier(to);
        done = token.end;
    }
    return result + text.substr(done);
}

/// Has the relation a column of the type, or does its query read one that has?
bool has_values_of(const SqlSession& session, const Relation& relation, const UserType& type, std::set<Oid>& seen) {
    for (const Column& column : relation.columns)
        if (!column.dropped && (column.type == type.oid || column.type == type.array)) return true;
    return std::any_of(relation.depends.begin(), relation.depends.end(), [&](Oid oid) {
        const auto read = seen.insert(oid).second ? session.catalog().relation(oid) : nullptr;
        return read != nullptr && has_values_of(session, *read, type, seen);
    });
}

/// ALTER TABLE is said of any relation, the others of their own kind.
void require_kind(const Relation& relation, syntax::ObjectKind said) {
    using Kind = syntax::ObjectKind;
    const char* const wrong =
        said == Kind::view && relation.kind != RelationKind::view                             ? "a view"
        : said == Kind::materialized_view && relation.kind != RelationKind::materialized_view ? "a materialized view"
        : said == Kind::sequence && relation.kind != RelationKind::sequence                   ? "a sequence"
                                                                                              : nullptr;
    if (wrong != nullptr) raise(sqlstate::wrong_object_type, "\"" + relation.name + "\" is not " + wrong);
}

}  // namespace define_rename

void rename_table_column(SqlSession& session, const std::shared_ptr<const Relation>& old,
                         const syntax::Rename& syntax) {
    auto relation = std::make_shared<Relation>(*old);
    const std::string to(syntax.to);
    if (old->of_type != 0) raise(sqlstate::wrong_object_type, "cannot rename column of typed table");
    const int place = relation->find_column(syntax.part);
    if (place < 0)
        raise(sqlstate::undefined_column, "column \"" + std::string(syntax.part) + "\" does not exist");
    if (relation->is_partition())
        raise(sqlstate::invalid_table_definition,
              "cannot rename inherited column \"" + std::string(syntax.part) + "\"");
    if (inherits_column(session, *old, syntax.part))
        raise(sqlstate::invalid_table_definition,
              "cannot rename inherited column \"" + std::string(syntax.part) + "\"");
    if (syntax.only && !(session.catalog().children_of(old->oid).empty() &&
                         partitions_of(session.catalog(), old->oid).empty()))
        raise(sqlstate::invalid_table_definition,
              "inherited column \"" + std::string(syntax.part) + "\" must be renamed in child tables too");
    refuse_column_of_others(session, *old, syntax.part, "cannot rename");
    const auto heirs = session.catalog().heirs_of(old->oid);
    const auto refuse_twin = [&](const Relation& table) {
        if (table.find_column(to) >= 0)
            raise(sqlstate::duplicate_column,
                  "column \"" + to + "\" of relation \"" + table.name + "\" already exists");
    };
    for (const auto& heir : heirs) refuse_twin(*heir);
    refuse_twin(*relation);
    define_rename::rename_column(*relation, syntax.part, to);
    rename_partition_columns(session, *relation, syntax.part, to);
    session.put(relation);
    if (relation->is_partitioned()) follow_indexes(session, relation->oid);
    for (const auto& heir : heirs) {
        auto changed = std::make_shared<Relation>(*heir);
        define_rename::rename_column(*changed, syntax.part, to);
        session.put(changed);
    }
}

void rename_field_in_texts(SqlSession& session, const UserType& type, std::string_view from, std::string_view to) {
    using namespace define_rename;
    std::vector<std::shared_ptr<Relation>> relations;
    std::vector<std::shared_ptr<UserType>> domains;
    const auto gather = [&](const auto& object, auto& changed_objects, bool concerned) {
        auto changed = std::make_shared<std::remove_cvref_t<decltype(*object)>>(*object);
        bool any = false;
        each_text(*changed, [&](std::string& text) {
            if (text.empty() || !(concerned || text_names(session.catalog(), text, type::regtype, type.oid))) return;
            std::string renamed = rename_field(text, from, to);
            any |= renamed != text;
            text = std::move(renamed);
        });
        if (any) changed_objects.push_back(std::move(changed));
    };
    for (const auto& [key, relation] : session.catalog().relations()) {
        std::set<Oid> seen;
        gather(relation, relations, has_values_of(session, *relation, type, seen));
    }
    for (const auto& [key, other] : session.catalog().types())
        gather(other, domains, other->kind == 'd' && (other->base == type.oid || other->base == type.array));
    for (const auto& relation : relations) session.put(relation);
    for (const auto& domain : domains) session.put(domain);
}

void rename_object(SqlSession& session, const syntax::Rename& syntax, bool to_schema) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    using Kind = syntax::ObjectKind;
    if (syntax.kind == Kind::constraint && syntax.of_domain) return rename_domain_constraint(session, syntax);
    if (syntax.kind == Kind::column && syntax.of == Kind::type) return rename_attribute(session, syntax);
    if (syntax.kind == Kind::type || syntax.kind == Kind::domain) {
        const auto type = type_named(session, syntax.name);
        const std::string to(syntax.to);
        if (!to_schema) return define_rename::rename_type(session, *type, type->schema, to);
        if (!session.catalog().has_schema(to)) no_schema(to);
        if (to == type->schema) return;  // it lies there already
        return define_rename::rename_type(session, *type, to, type->name);
    }
    if (syntax.kind == Kind::schema) {
        return define_rename::rename_schema(session, std::string(syntax.name.last()), std::string(syntax.to));
    }
    if (syntax.kind == Kind::index) {
        const auto [owner, index] = find_index(session, syntax.name);
        if (index == nullptr) {
            // Said of a table, it means the table.
            if (binder.find_relation(syntax.name, session.present(), true) != nullptr) {
                syntax::Rename table = syntax;
                table.kind = table.of = Kind::table;
                return rename_object(session, table, to_schema);
            }
            if (syntax.if_exists) return;
            check_schema_of(session, syntax.name);
            raise(sqlstate::undefined_table, binder.relation_message(syntax.name));
        }
        define_rename::refuse_taken_name(session, owner->schema, std::string(syntax.to));
        define_rename::keep_meaning(session, type::regclass, index->oid, owner->schema, std::string(syntax.to));
        auto changed = std::make_shared<Relation>(*session.catalog().relation(owner->oid));
        for (Index& other : changed->indexes)
            if (other.oid == index->oid) other.name = syntax.to;
        session.put(changed);
        return;
    }
    const bool table = syntax.kind == Kind::table && !to_schema;
    if (table && binder.find_relation(syntax.name, session.present(), true) == nullptr &&
        find_index(session, syntax.name).second != nullptr) {
        syntax::Rename index = syntax;
        index.kind = index.of = Kind::index;
        return rename_object(session, index, false);
    }
    const auto old = binder.find_relation(syntax.name, session.present(), syntax.if_exists);
    if (old == nullptr) {
        session.notice(sqlstate::undefined_table, binder.relation_message(syntax.name) + ", skipping");
        return;
    }
    define_rename::require_kind(*old, syntax.of);
    auto relation = std::make_shared<Relation>(*old);
    const std::string to(syntax.to);
    if (syntax.kind == Kind::column) return rename_table_column(session, old, syntax);
    if (syntax.kind == Kind::constraint) {
        // The constraint of an index is named as a relation is.
        const Index* const key = relation->find_index(syntax.part);
        const bool of_index = key != nullptr && key->role != ConstraintRole::none;
        const auto has = [&](std::string_view name, bool with_keys) {
            const auto named = [&](const auto& item) { return item.name == name; };
            const auto is_key = [&](const Index& index) { return index.role != ConstraintRole::none && named(index); };
            return std::any_of(relation->checks.begin(), relation->checks.end(), named) ||
                   std::any_of(relation->foreign_keys.begin(), relation->foreign_keys.end(), named) ||
                   (with_keys && std::any_of(relation->indexes.begin(), relation->indexes.end(), is_key));
        };
        if (has(syntax.part, true) && has(to, !of_index))
            raise(sqlstate::duplicate_object, "constraint \"" + to + "\" for relation \"" + relation->name +
                                                  "\" already exists");
        if (of_index) define_rename::refuse_taken_name(session, relation->schema, to);
        if (const CheckConstraint* const check = find_check(*old, syntax.part); check != nullptr && !check->no_inherit)
            define_rename::rename_inherited_check(session, *old, syntax);
        bool found = false;
        for (CheckConstraint& check : relation->checks)
            if (check.name == syntax.part) found = true, check.name = to;
        for (ForeignKey& foreign : relation->foreign_keys)
            if (foreign.name == syntax.part) found = true, foreign.name = to;
        for (Index& index : relation->indexes)
            if (of_index && index.name == syntax.part) found = true, index.name = to;
        if (!found)
            raise(sqlstate::undefined_object, "constraint \"" + std::string(syntax.part) + "\" for table \"" +
                                                  relation->name + "\" does not exist");
        session.put(relation);
        return;
    }
    if (to_schema) {
        if (!session.catalog().has_schema(to)) no_schema(to);
        if (to != relation->schema) define_rename::move_relation(session, *relation, to);
        return;
    }
    define_rename::refuse_taken_name(session, relation->schema, to);
    define_rename::rename_relation(session, relation->oid, relation->schema, to);
}

}  // namespace northstar::inline v0::sql
