#include "sql/session/define_inheritance.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace define_inheritance {

std::shared_ptr<const Relation> parent_named(SqlSession& session, const Relation& relation,
                                             const syntax::QualifiedName& name) {
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    const auto parent = binder.find_relation(name, session.present(), false);
    if (parent->kind != RelationKind::table)
        raise(sqlstate::wrong_object_type, "inherited relation \"" + parent->name + "\" is not a table");
    if (parent->is_partitioned())
        raise(sqlstate::wrong_object_type, "cannot inherit from partitioned table \"" + parent->name + "\"");
    if (parent->is_partition())
        raise(sqlstate::wrong_object_type, "cannot inherit from partition \"" + parent->name + "\"");
    if (parent->temporary && !relation.temporary)
        raise(sqlstate::wrong_object_type, "cannot inherit from temporary relation \"" + parent->name + "\"");
    if (parent->period_from >= 0)
        raise(sqlstate::feature_not_supported, "a table with valid time cannot be inherited from");
    if (std::find(relation.inherits.begin(), relation.inherits.end(), parent->oid) != relation.inherits.end())
        raise(sqlstate::duplicate_table,
              "relation \"" + parent->name + "\" would be inherited from more than once");
    return parent;
}

void check_type(SqlSession& session, const Column& have, const Column& other, const char* what) {
    if (have.type == other.type && have.typmod == other.typmod) return;
    raise(sqlstate::datatype_mismatch, std::string(what) + " \"" + have.name + "\" has a type conflict",
          format_type(have.type, have.typmod, session.state().types) + " versus " +
              format_type(other.type, other.typmod, session.state().types));
}

}  // namespace define_inheritance

void inherit_columns(SqlSession& session, Relation& relation, const syntax::List<syntax::QualifiedName>& parents) {
    for (const syntax::QualifiedName& name : parents) {
        const auto parent = define_inheritance::parent_named(session, relation, name);
        relation.inherits.push_back(parent->oid);
        for (const Column& column : parent->columns) {
            if (column.dropped) continue;
            const int place = relation.find_column(column.name);
            if (place >= 0) {
                Column& have = relation.columns[static_cast<std::size_t>(place)];
                define_inheritance::check_type(session, have, column, "inherited column");
                have.not_null |= column.not_null;
                if (have.generated_text != column.generated_text)
                    raise(sqlstate::datatype_mismatch,
                          "inherited column \"" + have.name + "\" has a generation conflict");
                if (have.default_text.empty()) have.default_text = column.default_text;
                continue;
            }
            relation.columns.push_back(column);
            relation.columns.back().identity = 0;
            relation.columns.back().sequence = 0;
            relation.columns.back().missing.reset();
        }
        for (const CheckConstraint& check : parent->checks)
            if (!check.no_inherit && std::none_of(relation.checks.begin(), relation.checks.end(),
                             [&](const CheckConstraint& own) { return own.name == check.name; }))
                relation.checks.push_back(check);
    }
}

void merge_inherited_column(SqlSession& session, Relation& relation, Column own) {
    Column& have = relation.columns[static_cast<std::size_t>(relation.find_column(own.name))];
    define_inheritance::check_type(session, have, own, "column");
    session.notice(sqlstate::successful_completion,
                   "merging column \"" + own.name + "\" with inherited definition");
    if (!have.generated_text.empty() && !own.generated_text.empty())
        raise(sqlstate::invalid_column_definition, "child column \"" + own.name + "\" specifies generation expression",
              {},
              "Omit the generation expression in the definition of the child table column to inherit the generation "
              "expression from the parent table.");
    if (!have.generated_text.empty() && (!own.default_text.empty() || own.identity != 0))
        raise(sqlstate::invalid_column_definition,
              "column \"" + own.name + "\" inherits from generated column but specifies " +
                  (own.identity != 0 ? "identity" : "default"));
    have.not_null |= own.not_null;
    if (!own.default_text.empty()) have.default_text = own.default_text;
    if (!own.generated_text.empty()) have.generated_text = own.generated_text;
    if (own.identity != 0) {
        have.identity = own.identity;
        have.sequence = own.sequence;
        have.default_text.clear();
    } else if (own.sequence != 0) {
        have.sequence = own.sequence;
    }
    have.domain = own.domain;
}

void change_inheritance(SqlSession& session, const Relation& table, const syntax::AlterAction& action) {
    auto changed = std::make_shared<Relation>(table);
    if (action.if_exists) {  // NO INHERIT
        BoundPool pool;
        std::vector<Oid> none;
        Binder binder(session, pool, none);
        const auto parent = binder.find_relation(action.partition, session.present(), false);
        const auto found = std::find(changed->inherits.begin(), changed->inherits.end(), parent->oid);
        if (found == changed->inherits.end())
            raise(sqlstate::undefined_table,
                  "relation \"" + parent->name + "\" is not a parent of relation \"" + table.name + "\"");
        changed->inherits.erase(found);
        return session.put(changed);
    }
    const auto parent = define_inheritance::parent_named(session, table, action.partition);
    const auto heirs = session.catalog().heirs_of(table.oid);
    if (parent->oid == table.oid ||
        std::any_of(heirs.begin(), heirs.end(), [&](const auto& heir) { return heir->oid == parent->oid; }))
        raise(sqlstate::duplicate_table, "circular inheritance not allowed");
    for (const Column& column : parent->columns) {
        if (column.dropped) continue;
        const int place = table.find_column(column.name);
        if (place < 0) raise(sqlstate::datatype_mismatch, "child table is missing column \"" + column.name + "\"");
        const Column& own = table.columns[static_cast<std::size_t>(place)];
        if (own.type != column.type || own.typmod != column.typmod)
            raise(sqlstate::datatype_mismatch,
                  "child table \"" + table.name + "\" has different type for column \"" + column.name + "\"");
        if (column.not_null && !own.not_null)
            raise(sqlstate::datatype_mismatch,
                  "column \"" + column.name + "\" in child table must be marked NOT NULL");
        if (!column.generated_text.empty() && own.generated_text.empty())
            raise(sqlstate::datatype_mismatch,
                  "column \"" + column.name + "\" in child table must be a generated column");
        if (!column.generated_text.empty() && own.generated_text != column.generated_text)
            raise(sqlstate::datatype_mismatch,
                  "column \"" + column.name + "\" in child table has a conflicting generation expression");
    }
    for (const CheckConstraint& check : parent->checks)
        if (!check.no_inherit && std::none_of(table.checks.begin(), table.checks.end(),
                         [&](const CheckConstraint& own) { return own.name == check.name; }))
            raise(sqlstate::datatype_mismatch, "child table is missing constraint \"" + check.name + "\"");
    changed->inherits.push_back(parent->oid);
    session.put(changed);
}

void refuse_inherited(SqlSession& session, const Relation& table, const syntax::AlterAction& action) {
    using Kind = syntax::AlterKind;
    const bool column = action.kind == Kind::drop_column || action.kind == Kind::set_type;
    if (!column && action.kind != Kind::drop_constraint) return;
    for (const Oid oid : table.inherits) {
        const auto parent = session.catalog().relation(oid);
        if (parent == nullptr) continue;
        if (column && parent->find_column(action.name) >= 0)
            raise(sqlstate::invalid_table_definition,
                  std::string(action.kind == Kind::drop_column ? "cannot drop" : "cannot alter") +
                      " inherited column \"" + std::string(action.name) + "\"");
        if (!column && std::any_of(parent->checks.begin(), parent->checks.end(),
                                   [&](const CheckConstraint& check) { return check.name == action.name; }))
            raise(sqlstate::invalid_table_definition, "cannot drop inherited constraint \"" +
                                                          std::string(action.name) + "\" of relation \"" + table.name +
                                                          "\"");
    }
}

bool spreads_to_heirs(const syntax::AlterAction& action) {
    using Kind = syntax::AlterKind;
    switch (action.kind) {
        case Kind::add_column:
        case Kind::drop_column:
        case Kind::set_type:
        case Kind::set_default:
        case Kind::drop_default:
        case Kind::set_not_null:
        case Kind::drop_not_null:
        case Kind::drop_expression:
        case Kind::drop_constraint: return true;
        case Kind::add_constraint:
            return action.constraint.kind == syntax::ConstraintKind::check && !action.constraint.no_inherit;
        default: return false;
    }
}

}  // namespace northstar::inline v0::sql
