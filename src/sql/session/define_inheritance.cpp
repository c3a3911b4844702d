#include "sql/session/define_inheritance.hpp"

#include "sql/plan/walk.hpp"
#include "sql/session/column_storage.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

const CheckConstraint* find_check(const Relation& table, std::string_view name) {
    const auto found = std::find_if(table.checks.begin(), table.checks.end(),
                                    [&](const CheckConstraint& check) { return check.name == name; });
    return found == table.checks.end() ? nullptr : &*found;
}

bool inherits_column(const SqlSession& session, const Relation& heir, std::string_view name) {
    return std::any_of(heir.inherits.begin(), heir.inherits.end(), [&](Oid oid) {
        const auto parent = session.catalog().relation(oid);
        return parent != nullptr && parent->find_column(name) >= 0;
    });
}
bool inherits_check(const SqlSession& session, const Relation& heir, std::string_view name) {
    return std::any_of(heir.inherits.begin(), heir.inherits.end(), [&](Oid oid) {
        const auto parent = session.catalog().relation(oid);
        const CheckConstraint* const check = parent == nullptr ? nullptr : find_check(*parent, name);
        return check != nullptr && !check->no_inherit;
    });
}

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

/// What none of the tables that it inherits from has any more is its own.
void own_what_nobody_gives(const SqlSession& session, Relation& table) {
    for (Column& column : table.columns)
        column.inherited = column.inherited && inherits_column(session, table, column.name);
    for (CheckConstraint& check : table.checks)
        check.inherited = check.inherited && inherits_check(session, table, check.name);
}

}  // namespace define_inheritance

bool same_meaning(SqlSession& session, const Relation& table, const std::string& a, const std::string& b) {
    if (a == b) return true;
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < table.columns.size(); ++i) ids.push_back(pool.column());
    return same_expr(*binder.bind_text(a, table, ids, "check constraints"),
                     *binder.bind_text(b, table, ids, "check constraints"));
}

std::set<std::string> inherit_columns(SqlSession& session, Relation& relation,
                                      const syntax::List<syntax::QualifiedName>& parents) {
    std::set<std::string> contradictions;
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
                merge_storage(have, column, true, session.state().types);
                if (have.generated_text.empty() != column.generated_text.empty())
                    raise(sqlstate::datatype_mismatch,
                          "inherited column \"" + have.name + "\" has a generation conflict");
                if (have.generated_text != column.generated_text) contradictions.insert(have.name);
                if (have.default_text.empty()) have.default_text = column.default_text;
                else if (!column.default_text.empty() &&
                         !same_meaning(session, {}, column.default_text, have.default_text))
                    contradictions.insert(have.name);
                continue;
            }
            relation.columns.push_back(column);
            relation.columns.back().inherited = true;
            relation.columns.back().identity = 0;
            relation.columns.back().sequence = 0;
            relation.columns.back().missing.reset();
        }
        for (const CheckConstraint& check : parent->checks) {
            if (check.no_inherit) continue;
            const auto have = std::find_if(relation.checks.begin(), relation.checks.end(),
                                           [&](const CheckConstraint& own) { return own.name == check.name; });
            if (have == relation.checks.end()) {
                relation.checks.push_back(check);
                relation.checks.back().inherited = true;
            } else if (!same_meaning(session, relation, have->text, check.text)) {
                raise(sqlstate::duplicate_object, "check constraint name \"" + check.name +
                                                      "\" appears multiple times but with different expressions");
            }
        }
    }
    return contradictions;
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
    merge_storage(have, own, false, session.state().types);
    have.inherited = false;
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

bool merge_inherited_check(SqlSession& session, const Relation& heir, const CheckConstraint& check,
                           const CheckConstraint* own) {
    if (own == nullptr) return false;
    const std::string where = " on relation \"" + heir.name + "\"";
    if (!same_meaning(session, heir, check.text, own->text))
        raise(sqlstate::duplicate_object,
              "constraint \"" + check.name + "\" for relation \"" + heir.name + "\" already exists");
    if (own->no_inherit)
        raise(sqlstate::invalid_object_definition,
              "constraint \"" + check.name + "\" conflicts with non-inherited constraint" + where);
    if (!own->validated && check.validated)
        raise(sqlstate::invalid_object_definition,
              "constraint \"" + check.name + "\" conflicts with NOT VALID constraint" + where);
    session.notice(sqlstate::successful_completion,
                   "merging constraint \"" + check.name + "\" with inherited definition");
    return true;
}

void change_inheritance(SqlSession& session, const Relation& table, const syntax::AlterAction& action) {
    auto changed = std::make_shared<Relation>(table);
    if (table.of_type != 0 || table.is_partition() || (table.is_partitioned() && !action.if_exists))
        raise(sqlstate::wrong_object_type, std::string("cannot change inheritance of ") +
                                               (table.of_type != 0        ? "typed table"
                                                : table.is_partition() ? "a partition"
                                                                          : "partitioned table"));
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
        define_inheritance::own_what_nobody_gives(session, *changed);
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
    for (const CheckConstraint& check : parent->checks) {
        if (check.no_inherit) continue;
        const CheckConstraint* const own = find_check(table, check.name);
        if (own == nullptr)
            raise(sqlstate::datatype_mismatch, "child table is missing constraint \"" + check.name + "\"");
        if (!same_meaning(session, table, own->text, check.text))
            raise(sqlstate::datatype_mismatch, "child table \"" + table.name +
                                                   "\" has different definition for check constraint \"" +
                                                   check.name + "\"");
        if (own->no_inherit || !own->validated)
            raise(sqlstate::invalid_object_definition,
                  "constraint \"" + check.name + "\" conflicts with " +
                      (own->no_inherit ? "non-inherited" : "NOT VALID") + " constraint on child table \"" +
                      table.name + "\"");
    }
    changed->inherits.push_back(parent->oid);
    session.put(changed);
}

}  // namespace northstar::inline v0::sql
