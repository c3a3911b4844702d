// ALTER TYPE of composite types, and what it means for the tables of such a type.
#include "sql/session/define_alter.hpp"
#include "sql/session/typed_table.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace define_composite {

std::vector<TypeField>::iterator attribute_named(UserType& type, std::string_view name) {
    return std::find_if(type.fields.begin(), type.fields.end(),
                        [&](const TypeField& field) { return field.name == name; });
}

[[noreturn]] void no_attribute(const UserType& type, std::string_view name) {
    raise(sqlstate::undefined_column,
          "column \"" + std::string(name) + "\" of relation \"" + type.name + "\" does not exist");
}

[[noreturn]] void refuse_type_of_tables(const UserType& type) {
    raise(sqlstate::dependent_objects_still_exist,
          "cannot alter type \"" + type.name + "\" because it is the type of a typed table", {},
          "Use ALTER ... CASCADE to alter the typed tables too.");
}

/// Does to tables of a type what was done to the type, which may have another number now.
template <class Change>
void alter_tables_of_type(SqlSession& session, const std::vector<std::shared_ptr<const Relation>>& tables, Oid type,
                          Change&& change) {
    for (const auto& table : tables) {
        auto loose = std::make_shared<Relation>(*session.catalog().relation(table->oid));
        loose->of_type = 0;
        session.put(loose);
        change(session.catalog().relation(table->oid));
        auto typed = std::make_shared<Relation>(*session.catalog().relation(table->oid));
        typed->of_type = type;
        session.put(typed);
    }
}

/// Whether a check of a domain can be read as it is now: the fields that it names are there, and its operators know
/// their types. Raises what reading it raises, but for a field that is gone.
bool can_be_read(SqlSession& session, const UserType& domain, const CheckConstraint& check) {
    auto probe = std::make_shared<UserType>(domain);
    probe->checks = {check};
    probe->not_null = false;
    probe->parent = 0;
    session.put(probe);
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    BoundExpr* const value = pool.expr(BoundKind::constant, domain.base);
    value->value = Value::null(domain.base);
    try {
        binder.checked_as(value, domain.oid, 0);
    } catch (const SqlError& error) {
        if (error.state() == sqlstate::undefined_column) return false;
        throw;
    }
    return true;
}

/// A field was dropped, or has another type: checks of a domain over the type may name it. CASCADE drops such a check.
void follow_fields(SqlSession& session, const UserType& domain, const syntax::AlterTable& syntax) {
    auto changed = std::make_shared<UserType>(domain);
    std::erase_if(changed->checks, [&](const CheckConstraint& check) {
        if (can_be_read(session, domain, check)) return false;
        for (const syntax::AlterAction& action : syntax.actions)
            if (action.kind == syntax::AlterKind::drop_column && !action.cascade)
                raise(sqlstate::dependent_objects_still_exist,
                      "cannot drop column " + std::string(action.name) + " of composite type " +
                          std::string(syntax.name.last()) + " because other objects depend on it",
                      "constraint " + check.name + " of domain " + domain.name + " depends on it",
                      "Use DROP ... CASCADE to drop the dependent objects too.");
        return true;
    });
    session.put(changed);
}

}  // namespace define_composite

void refuse_pseudo_type(SqlSession& session, Oid type, const std::string& column) {
    if (type_info(type, session.state().types).category == Category::pseudo || type == type::unknown)
        raise(sqlstate::invalid_table_definition,
              "column \"" + column + "\" has pseudo-type " + format_type(type, k_no_typmod, session.state().types));
}

void refuse_own_member(const SqlSession& session, Oid type, Oid composite, const std::string& name) {
    if (composite != 0 && session.catalog().holds_type(type, composite))
        raise(sqlstate::invalid_table_definition,
              "composite type \"" + name + "\" cannot be made a member of itself");
}

void alter_composite(SqlSession& session, const syntax::AlterTable& syntax) {
    using namespace define_composite;
    using Kind = syntax::AlterKind;
    const std::shared_ptr<const UserType> old = find_type(session, syntax.name);
    if (old == nullptr && !only_changes_owner(syntax)) {
        check_schema_of(session, syntax.name);
        raise(sqlstate::undefined_table, "relation \"" + std::string(syntax.name.last()) + "\" does not exist");
    }
    if (only_changes_owner(syntax)) return void(type_named(session, syntax.name));
    if (old->kind != 'c') raise(sqlstate::wrong_object_type, "\"" + old->name + "\" is not a composite type");
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    auto type = std::make_shared<UserType>(*old);
    const auto typed = tables_of_type(session, old->oid);
    for (const syntax::AlterAction& action : syntax.actions) {
        if (!action.cascade && !typed.empty()) refuse_type_of_tables(*old);
        // Stored values have the fields of the type that they were stored with.
        for (const auto& [key, other] : session.catalog().types()) {
            bool uses = false;
            for (const TypeField& field : other->fields) uses |= field.type == old->oid || field.type == old->array;
            if (uses)
                raise(sqlstate::feature_not_supported,
                      "cannot alter type \"" + old->name + "\" because type \"" + other->name + "\" uses it");
        }
        for (const auto& [key, relation] : session.catalog().relations())
            for (const Column& column : relation->columns)
                // Of a dropped column as well: rows still have its values.
                if (column.type == old->oid || column.type == old->array)
                    raise(sqlstate::feature_not_supported, "cannot alter type \"" + old->name + "\" because column \"" +
                                                               relation->name + "." + column.name + "\" uses it");
        if (action.kind == Kind::add_column) {
            if (attribute_named(*type, action.column.name) != type->fields.end())
                raise(sqlstate::duplicate_column, "column \"" + std::string(action.column.name) +
                                                      "\" of relation \"" + type->name + "\" already exists");
            const Binder::TypeMeaning meaning = binder.resolve_type(*action.column.type);
            refuse_pseudo_type(session, meaning.type, std::string(action.column.name));
            refuse_own_member(session, meaning.type, old->oid, old->name);
            type->fields.push_back({std::string(action.column.name), meaning.type, meaning.typmod, meaning.domain});
            continue;
        }
        const auto found = attribute_named(*type, action.name);
        if (found == type->fields.end()) {
            if (!action.if_exists) no_attribute(*type, action.name);
            session.notice(sqlstate::undefined_column, "column \"" + std::string(action.name) + "\" of relation \"" +
                                                           type->name + "\" does not exist, skipping");
        } else if (action.kind == Kind::drop_column) {
            type->fields.erase(found);
        } else if (action.kind == Kind::set_type && action.expr == nullptr) {
            const Binder::TypeMeaning meaning = binder.resolve_type(*action.type);
            refuse_pseudo_type(session, meaning.type, found->name);
            refuse_own_member(session, meaning.type, old->oid, old->name);
            found->type = meaning.type;
            found->typmod = meaning.typmod;
            found->domain = meaning.domain;
        } else {
            raise(sqlstate::syntax_error, "this form of ALTER TYPE is not known");
        }
        // The past has values of the type as it was: they keep its number, and find it there.
        if (type->oid == old->oid) {
            type->oid = session.allocate_oid(false);
            type->array = session.allocate_oid(false);
        }
    }
    std::vector<std::shared_ptr<UserType>> changed = {type};
    for (const auto& [key, other] : session.catalog().types()) {
        if (other->kind != 'd' || (other->base != old->oid && other->base != old->array)) continue;
        changed.push_back(std::make_shared<UserType>(*other));
        changed.back()->base = other->base == old->oid ? type->oid : type->array;
    }
    session.put(changed);
    for (std::size_t i = 1; i < changed.size(); ++i) follow_fields(session, *changed[i], syntax);
    alter_tables_of_type(session, typed, type->oid, [&](const std::shared_ptr<const Relation>& table) {
        for (const syntax::AlterAction& action : syntax.actions)
            define_alter::change(session, table->oid, action, false);
    });
}

void rename_attribute(SqlSession& session, const syntax::Rename& syntax) {
    using namespace define_composite;
    auto type = std::make_shared<UserType>(*type_named(session, syntax.name));
    const auto found = attribute_named(*type, syntax.part);
    if (type->kind != 'c') raise(sqlstate::wrong_object_type, "\"" + type->name + "\" is not a composite type");
    if (found == type->fields.end()) no_attribute(*type, syntax.part);
    if (attribute_named(*type, syntax.to) != type->fields.end())
        raise(sqlstate::duplicate_column,
              "column \"" + std::string(syntax.to) + "\" of relation \"" + type->name + "\" already exists");
    const auto typed = tables_of_type(session, type->oid);
    if (!syntax.cascade && !typed.empty()) refuse_type_of_tables(*type);
    found->name = syntax.to;
    session.put(type);
    rename_field_in_texts(session, *type, syntax.part, syntax.to);
    alter_tables_of_type(session, typed, type->oid, [&](const std::shared_ptr<const Relation>& table) {
        rename_table_column(session, table, syntax);
    });
}

}  // namespace northstar::inline v0::sql
