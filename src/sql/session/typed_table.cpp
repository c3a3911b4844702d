#include "sql/session/typed_table.hpp"

namespace northstar::inline v0::sql {

namespace typed_table_impl {

std::shared_ptr<const UserType> composite_named(SqlSession& session, const syntax::QualifiedName& name) {
    auto type = find_type(session, name);
    if (type == nullptr) {
        BoundPool pool;
        std::vector<Oid> none;
        // The type of a table's rows follows the table, and nothing can follow the type.
        if (Binder(session, pool, none).find_relation(name, session.present(), true) == nullptr)
            return type_named(session, name);
    }
    if (type == nullptr || type->kind != 'c')
        raise_at(sqlstate::wrong_object_type,
                 "type " + quote_identifier(name.last()) + " is not a composite type", name.position);
    return type;
}

void add_columns(Relation& table, const UserType& type) {
    for (const TypeField& field : type.fields) {
        Column& column = table.columns.emplace_back();
        column.name = field.name;
        column.type = field.type;
        column.typmod = field.typmod;
        column.domain = field.domain;
    }
}

}  // namespace typed_table_impl

void take_columns_of_type(SqlSession& session, Relation& table, const syntax::QualifiedName& name) {
    const auto type = typed_table_impl::composite_named(session, name);
    table.of_type = type->oid;
    typed_table_impl::add_columns(table, *type);
}

std::shared_ptr<const Relation> relation_of_type(SqlSession& session, const syntax::QualifiedName& name) {
    const auto type = find_type(session, name);
    if (type == nullptr || type->kind != 'c') return nullptr;
    auto relation = std::make_shared<Relation>();
    relation->schema = type->schema;
    relation->name = type->name;
    typed_table_impl::add_columns(*relation, *type);
    return relation;
}

void refuse_typed(const Relation& table, const syntax::AlterAction& action) {
    using Kind = syntax::AlterKind;
    if (table.of_type == 0) return;
    const char* const what = action.kind == Kind::add_column    ? "add column to"
                             : action.kind == Kind::drop_column ? "drop column from"
                             : action.kind == Kind::set_type    ? "alter column type of"
                                                                : nullptr;
    if (what != nullptr) raise(sqlstate::wrong_object_type, "cannot " + std::string(what) + " typed table");
}

void change_type_of_table(SqlSession& session, const Relation& table, const syntax::AlterAction& action) {
    auto changed = std::make_shared<Relation>(table);
    if (action.kind == syntax::AlterKind::not_of_type) {
        if (table.of_type == 0) raise(sqlstate::wrong_object_type, "\"" + table.name + "\" is not a typed table");
        changed->of_type = 0;
        return session.put(changed);
    }
    const auto type = typed_table_impl::composite_named(session, action.partition);
    if (!table.inherits.empty() || table.is_partition())
        raise(sqlstate::wrong_object_type, "typed tables cannot inherit");
    const auto refuse = [](const std::string& message) { raise(sqlstate::datatype_mismatch, message); };
    auto field = type->fields.begin();
    for (const Column& column : table.columns) {
        if (column.dropped) continue;
        if (field == type->fields.end()) refuse("table has extra column \"" + column.name + "\"");
        if (field->name != column.name)
            refuse("table has column \"" + column.name + "\" where type requires \"" + field->name + "\"");
        if (field->type != column.type || field->typmod != column.typmod || field->domain != column.domain)
            refuse("table \"" + table.name + "\" has different type for column \"" + column.name + "\"");
        ++field;
    }
    if (field != type->fields.end()) refuse("table is missing column \"" + field->name + "\"");
    changed->of_type = type->oid;
    session.put(changed);
}

std::vector<std::shared_ptr<const Relation>> tables_of_type(const SqlSession& session, Oid type) {
    std::vector<std::shared_ptr<const Relation>> tables;
    for (const auto& [key, relation] : session.catalog().relations())
        if (relation->of_type == type) tables.push_back(relation);
    return tables;
}

}  // namespace northstar::inline v0::sql
