// ALTER TABLE: the order of its actions, and which tables each is about.
#include "sql/session/define_alter.hpp"
#include "sql/session/define_inheritance.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/session/partition_indexes.hpp"
#include "sql/session/typed_table.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

namespace define_alter {

/// The actions of a statement in the order in which they are done, which is that of PostgreSQL: what is to go, types,
/// new columns, what columns are, keys, other constraints, and the rest.
std::vector<const syntax::AlterAction*> in_passes(const syntax::AlterTable& statement) {
    using Kind = syntax::AlterKind;
    bool reads_rows = false;
    for (const syntax::AlterAction& action : statement.actions)
        reads_rows |= action.kind == Kind::set_type && action.expr != nullptr;
    const auto pass = [&](const syntax::AlterAction* action) {
        switch (action->kind) {
            case Kind::drop_default:
            case Kind::drop_constraint:
            case Kind::drop_not_null:
            case Kind::drop_identity:
            case Kind::drop_expression: return 0;
            case Kind::drop_column: return reads_rows ? 2 : 0;  // what is read for a new type goes behind it
            case Kind::set_type: return 1;
            case Kind::add_column: return 3;
            case Kind::set_not_null:
            case Kind::add_identity:
            case Kind::set_identity: return 4;
            case Kind::add_constraint:
                return action->constraint.kind == syntax::ConstraintKind::primary_key ||
                               action->constraint.kind == syntax::ConstraintKind::unique ||
                               action->constraint.kind == syntax::ConstraintKind::exclude
                           ? 5
                           : 6;
            case Kind::set_default: return 6;
            default: return 7;
        }
    };
    std::vector<const syntax::AlterAction*> actions;
    for (const syntax::AlterAction& action : statement.actions) actions.push_back(&action);
    std::stable_sort(actions.begin(), actions.end(), [&](const auto* a, const auto* b) { return pass(a) < pass(b); });
    return actions;
}

/// What a partitioned table cannot have, or not alone.
void refuse_partitioned(SqlSession& session, const Relation& table, const syntax::AlterAction& action, bool only) {
    check_partition_key_kept(session, table, action);
    if (action.kind != syntax::AlterKind::add_constraint) return;
    const syntax::ConstraintDefinition& constraint = action.constraint;
    if (constraint.kind == syntax::ConstraintKind::check && constraint.no_inherit)
        raise(sqlstate::invalid_table_definition,
              "cannot add NO INHERIT constraint to partitioned table \"" + table.name + "\"");
    if (constraint.kind != syntax::ConstraintKind::foreign_key || !(only || constraint.not_valid)) return;
    raise_at(sqlstate::wrong_object_type,
             std::string(only ? "cannot use ONLY for" : "cannot add NOT VALID") +
                 " foreign key on partitioned table \"" + table.name + "\" referencing relation \"" +
                 std::string(constraint.references.last()) + "\"",
             constraint.position);
}

/// Its partitions get what it got. ONLY: not its new indexes.
void follow_partitioned_table(SqlSession& session, const Relation& before, const syntax::AlterAction& action,
                              bool only) {
    follow_topmost_table(session, before, action);
    if (only) return;
    const auto after = session.catalog().relation(before.oid);
    for (const Index& index : after->indexes)
        if (index.partition == 0 && std::none_of(before.indexes.begin(), before.indexes.end(),
                                                 [&](const Index& old) { return old.oid == index.oid; }))
            make_index_parts(session, before.oid, index.oid);
}

void change(SqlSession& session, Oid table, const syntax::AlterAction& action, bool only) {
    using Kind = syntax::AlterKind;
    const auto now = session.catalog().relation(table);
    if (action.kind == Kind::attach_partition) return attach_partition(session, *now, action);
    if (action.kind == Kind::detach_partition) return detach_partition(session, *now, action);
    if (action.kind == Kind::inherit) return change_inheritance(session, *now, action);
    if (action.kind == Kind::of_type || action.kind == Kind::not_of_type)
        return change_type_of_table(session, *now, action);
    if (action.kind == Kind::set_access_method && now->is_partitioned())
        raise(sqlstate::wrong_object_type, "cannot change access method of a partitioned table");
    refuse_typed(*now, action);
    if (now->is_partition()) return alter_partition(session, *now, action);
    if (now->is_partitioned()) refuse_partitioned(session, *now, action, only);
    refuse_inherited(session, *now, action);
    if (only) refuse_only(session, *now, action);
    Alteration(session, now).apply(action);
    if (now->is_partitioned()) follow_partitioned_table(session, *now, action, only);
    alter_heirs(session, *now, action, only);
}

void change_types(SqlSession& session, Oid table, const std::vector<const syntax::AlterAction*>& actions, bool only) {
    const auto now = session.catalog().relation(table);
    if (now->is_partition() || now->is_partitioned()) {
        for (const syntax::AlterAction* const action : actions) change(session, table, *action, only);
        return;
    }
    for (const syntax::AlterAction* const action : actions) {
        refuse_typed(*now, *action);
        refuse_inherited(session, *now, *action);
        if (only) refuse_only(session, *now, *action);
        refuse_column_of_others(session, *now, action->name, "cannot alter");
    }
    Alteration(session, now).set_types(actions);
    for (const auto& heir : session.catalog().heirs_of(table))
        Alteration(session, session.catalog().relation(heir->oid)).set_types(actions);
}

}  // namespace define_alter

void alter_table(SqlSession& session, const syntax::AlterTable& syntax) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    using Kind = syntax::ObjectKind;
    if (syntax.kind == Kind::schema && only_changes_owner(syntax)) {
        if (!session.catalog().has_schema(syntax.name.last())) no_schema(std::string(syntax.name.last()));
        return;
    }
    if (syntax.kind == Kind::index) return alter_index(session, syntax);
    if (syntax.kind == Kind::domain) return alter_domain(session, syntax);
    if (syntax.kind == Kind::type) return alter_composite(session, syntax);
    if (syntax.kind != Kind::table && syntax.kind != Kind::view && syntax.kind != Kind::sequence &&
        syntax.kind != Kind::materialized_view)
        raise(sqlstate::feature_not_supported, "this form of ALTER is not supported");
    const auto relation = binder.find_relation(syntax.name, session.present(), syntax.if_exists);
    if (relation == nullptr) {
        session.notice(sqlstate::undefined_table, binder.relation_message(syntax.name) + ", skipping");
        return;
    }
    const bool defaults = std::all_of(syntax.actions.begin(), syntax.actions.end(), [](const auto& action) {
        return action.kind == syntax::AlterKind::set_default || action.kind == syntax::AlterKind::drop_default;
    });
    if (syntax.kind == Kind::table && relation->kind != RelationKind::table && !only_changes_owner(syntax) &&
        !(defaults && relation->kind == RelationKind::view))
        raise(sqlstate::wrong_object_type, "\"" + relation->name + "\" is not a table");
    if (relation->kind == RelationKind::view)
        for (const syntax::AlterAction& action : syntax.actions)
            if (action.kind == syntax::AlterKind::add_column || action.kind == syntax::AlterKind::drop_column ||
                action.kind == syntax::AlterKind::set_type)
                raise(sqlstate::wrong_object_type, "ALTER action cannot be performed on relation \"" + relation->name +
                                                       "\"", "This operation is not supported for views.");
    session.refuse_pending_checks(*relation, "ALTER TABLE");
    std::vector<const syntax::AlterAction*> retyped;
    for (const syntax::AlterAction* const action : define_alter::in_passes(syntax)) {
        // All retyped at once: expressions see the rows as they were.
        if (action->kind == syntax::AlterKind::set_type) {
            retyped.push_back(action);
            continue;
        }
        if (!retyped.empty())
            define_alter::change_types(session, relation->oid, std::exchange(retyped, {}), syntax.only);
        define_alter::change(session, relation->oid, *action, syntax.only);
    }
    if (!retyped.empty()) define_alter::change_types(session, relation->oid, retyped, syntax.only);
}

void drop_table_column(SqlSession& session, const Relation& table, const std::string& column) {
    syntax::AlterAction action;
    action.kind = syntax::AlterKind::drop_column;
    action.name = column;
    action.cascade = true;
    const auto now = session.catalog().relation(table.oid);
    define_alter::Alteration(session, now).apply(action);
    if (now->is_partitioned()) follow_topmost_table(session, *now, action);
}

}  // namespace northstar::inline v0::sql
