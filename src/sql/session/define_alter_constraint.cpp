// ALTER TABLE: keys, checks and foreign keys that are added, validated and dropped.
#include "sql/session/define_alter.hpp"
#include "sql/session/define_inheritance.hpp"
#include "sql/session/define_partition.hpp"

namespace northstar::inline v0::sql {

namespace define_alter {

void Alteration::no_constraint(std::string_view name) {
    raise(sqlstate::undefined_object,
          "constraint \"" + std::string(name) + "\" of relation \"" + relation_->name + "\" does not exist");
}

void Alteration::add_key(const syntax::ConstraintDefinition& constraint, const std::vector<std::string>& names) {
    auto to = std::make_shared<Relation>(*relation_);
    if (constraint.kind == syntax::ConstraintKind::foreign_key) {
        make_foreign_key(session_, *to, constraint, names);
        session_.put(to);
        relation_ = to;
        if (to->foreign_keys.back().validated) validate_foreign_key(to->foreign_keys.back());
        return;
    }
    const Index index = constraint.kind == syntax::ConstraintKind::exclude
                            ? exclusion_index(session_, *to, constraint)
                        : constraint.using_index.empty() ? named_key(session_, *to, constraint, names)
                                                         : key_from_index(session_, *to, constraint);
    refuse_taken_constraint(constraint.name);
    check_unique_within_partitions(*to, index);
    if (index.role == ConstraintRole::primary_key)
        for (const IndexColumn& part : index.columns)
            each_row([&](const Value* row) {
                if (row[part.column].is_null())
                    raise(sqlstate::not_null_violation,
                          "column \"" + to->columns[static_cast<std::size_t>(part.column)].name +
                              "\" of relation \"" + to->name + "\" contains null values");
            });
    to->indexes.push_back(index);
    if (index.holds_rows()) {
        try {
            rewrite(to, [](std::vector<Value>&, Execution&) {});
        } catch (SqlError& error) {
            if (error.state() == sqlstate::unique_violation)
                raise(sqlstate::unique_violation, "could not create unique index \"" + index.name + "\"",
                      error.report().detail);
            throw;
        }
    } else {
        session_.put(to);
        relation_ = to;
        Execution execution(session_.state(), session_, session_.parameters());
        TableWriter(session_.catalog().relation(to->oid), execution, session_).build_index(to->indexes.size() - 1);
    }
}

void Alteration::refuse_taken_constraint(std::string_view wanted) const {
    if (wanted.empty()) return;
    for (const auto& [name, kind] : constraint_names())
        if (name == wanted)
            raise(sqlstate::duplicate_object, "constraint \"" + name + "\" for relation \"" + relation_->name +
                                                  "\" already exists");
}

/// A check that the table has from others, declared by itself.
bool Alteration::make_own(const syntax::ConstraintDefinition& constraint) {
    for (CheckConstraint& check : relation_->checks) {
        if (check.name != constraint.name || !check.inherited) continue;
        CheckConstraint own;
        own.name = check.name;
        own.text = session_.stored_text(constraint.source);
        own.no_inherit = constraint.no_inherit;
        merge_inherited_check(session_, *relation_, check, &own);
        check.inherited = false;
        store();
        return true;
    }
    return false;
}

void Alteration::add_constraint(const syntax::ConstraintDefinition& constraint) {
    using Kind = syntax::ConstraintKind;
    if (constraint.kind == Kind::check && make_own(constraint)) return;
    // Whether the name of a key is free for its index is asked first.
    const bool by_index =
        constraint.kind == Kind::primary_key || constraint.kind == Kind::unique || constraint.kind == Kind::exclude;
    if (!by_index) refuse_taken_constraint(constraint.name);
    std::vector<std::string> names;
    for (const syntax::Name name : constraint.columns) names.emplace_back(name);
    if (by_index || constraint.kind == Kind::foreign_key) return add_key(constraint, names);
    if (constraint.kind == Kind::period) {
        add_period(session_, *relation_, constraint);
        const CheckConstraint order = relation_->checks.back();
        store();
        return validate_check(order);
    }
    CheckConstraint check;
    check.text = session_.stored_text(constraint.source);
    check.validated = !constraint.not_valid;
    check.no_inherit = constraint.no_inherit;
    check.name = constraint.name.empty() ? name_of_check(session_, *relation_, *relation_, *constraint.expr)
                                         : std::string(constraint.name);
    relation_->checks.push_back(check);
    store();
    if (check.validated) validate_check(check);
    else check_definitions();
}

void Alteration::inherit(CheckConstraint check) {
    refuse_taken_constraint(check.name);
    check.inherited = true;
    relation_->checks.push_back(check);
    store();
    if (check.validated) validate_check(check);
    else check_definitions();
}

std::vector<std::pair<std::string, int>> Alteration::constraint_names() const {
    std::vector<std::pair<std::string, int>> names;
    for (const CheckConstraint& check : relation_->checks) names.emplace_back(check.name, 0);
    for (const ForeignKey& foreign : relation_->foreign_keys) names.emplace_back(foreign.name, 1);
    for (const Index& index : relation_->indexes)
        if (index.role != ConstraintRole::none) names.emplace_back(index.name, 2);
    return names;
}

void Alteration::validate_check(const CheckConstraint& check) {
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session_, pool, none);
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < relation_->columns.size(); ++i) ids.push_back(pool.column());
    BoundExpr* bound =
        binder.condition(binder.bind_text(check.text, *relation_, ids, "check constraints"), "CHECK", 0);
    Execution execution(session_.state(), session_, session_.parameters());
    Evaluator evaluator(*bound, {}, execution);
    Arena arena;
    each_row([&](const Value* row) {
        arena.reset();
        for (std::size_t i = 0; i < ids.size(); ++i) execution.cell(ids[i]) = row[i];
        const Value holds = evaluator.evaluate(arena);
        if (!holds.is_null() && !holds.boolean())
            raise(sqlstate::check_violation, "check constraint \"" + check.name + "\" of relation \"" +
                                                 relation_->name + "\" is violated by some row");
    });
}

void Alteration::validate_foreign_key(const ForeignKey& foreign) {
    Execution execution(session_.state(), session_, session_.parameters());
    ChangeRunner runner(execution, session_);
    const std::size_t width = foreign.columns.size();
    RowStore keys(width);
    each_row([&](const Value* row) {
        Value* to = keys.add();
        bool null = false, all_null = true;
        for (std::size_t i = 0; i < width; ++i) {
            to[i] = copy_value(row[foreign.columns[i]], keys.arena());
            null |= to[i].is_null();
            all_null = all_null && to[i].is_null();
        }
        if (null && foreign.match_full && !all_null)
            raise(sqlstate::foreign_key_violation,
                  "insert or update on table \"" + relation_->name + "\" violates foreign key constraint \"" +
                      foreign.name + "\"",
                  "MATCH FULL does not allow mixing of null and nonnull key values.");
        if (null) keys.truncate(keys.size() - 1);
    });
    PendingCheck pending;
    pending.table = relation_->oid;
    pending.constraint = foreign.name;
    pending.kind = PendingCheck::Kind::referring;
    for (const Value* const key : keys.rows()) {
        pending.values.assign(key, key + width);
        runner.check(pending);
    }
}

void Alteration::validate(const syntax::AlterAction& action) {
    for (CheckConstraint& check : relation_->checks)
        if (check.name == action.name) {
            validate_check(check);
            check.validated = true;
            return store();
        }
    for (ForeignKey& foreign : relation_->foreign_keys)
        if (foreign.name == action.name) {
            validate_foreign_key(foreign);
            foreign.validated = true;
            return store();
        }
    no_constraint(action.name);
}

void Alteration::drop_reference(Oid table, const std::string& name) {
    const auto named = [&](const ForeignKey& foreign) { return foreign.name == name; };
    const bool own = table == relation_->oid;
    auto changed = std::make_shared<Relation>(own ? *relation_ : *session_.catalog().relation(table));
    std::erase_if(changed->foreign_keys, named);
    if (own) relation_ = changed;
    else session_.put(changed);
}

/// ENABLE and DISABLE TRIGGER ALL. What was stored meanwhile is not looked at, so foreign keys of the table, and to it,
/// are not known to hold any more: VALIDATE CONSTRAINT sees to that.
void Alteration::check_foreign_keys(bool checks) {
    relation_->unchecked = !checks;
    if (!checks)
        for (ForeignKey& foreign : relation_->foreign_keys) foreign.validated = false;
    store();
    if (checks) return;
    std::set<Oid> others;
    for (const auto& [child, foreign] : session_.catalog().references_to(relation_->oid)) others.insert(child->oid);
    others.erase(relation_->oid);
    for (const Oid oid : others) {
        auto child = std::make_shared<Relation>(*session_.catalog().relation(oid));
        for (ForeignKey& foreign : child->foreign_keys)
            if (foreign.table == relation_->oid) foreign.validated = false;
        session_.put(child);
    }
}

void Alteration::drop_constraint(const syntax::AlterAction& action) {
    const auto gone = [&](auto& list) {
        const auto found = std::find_if(list.begin(), list.end(),
                                        [&](const auto& item) { return item.name == action.name; });
        if (found == list.end()) return false;
        list.erase(found);
        return true;
    };
    // Rows that a key refers to may wait for it, too.
    for (const ForeignKey& foreign : relation_->foreign_keys)
        if (foreign.name == action.name)
            if (const auto parent = session_.catalog().relation(foreign.table))
                session_.refuse_pending_checks(*parent, "ALTER TABLE");
    if (gone(relation_->checks) || gone(relation_->foreign_keys)) return store();
    const Index* const found = relation_->find_index(action.name);
    if (found == nullptr || found->role == ConstraintRole::none) {
        if (!action.if_exists) no_constraint(action.name);
        session_.notice(sqlstate::undefined_object, "constraint \"" + std::string(action.name) +
                                                        "\" of relation \"" + relation_->name +
                                                        "\" does not exist, skipping");
        return;
    }
    const Index index = *found;  // references that go may take the relation's list along
    for (const auto& [child, foreign] : session_.catalog().references_to(relation_->oid)) {
        bool same = foreign->referenced.size() == index.columns.size();
        for (const IndexColumn& part : index.columns)
            same = same && std::find(foreign->referenced.begin(), foreign->referenced.end(), part.column) !=
                               foreign->referenced.end();
        if (!same) continue;
        if (!action.cascade)
            raise(sqlstate::dependent_objects_still_exist,
                  "cannot drop constraint " + index.name + " on table " + relation_->name +
                      " because other objects depend on it",
                  "constraint " + foreign->name + " on table " + child->name + " depends on index " + index.name,
                  "Use DROP ... CASCADE to drop the dependent objects too.");
        drop_reference(child->oid, foreign->name);
    }
    const Oid oid = index.oid;
    std::vector<std::shared_ptr<const Relation>> views;
    for (const auto& [key, view] : session_.catalog().relations())
        if (std::find(view->depends.begin(), view->depends.end(), oid) != view->depends.end())
            views.push_back(view);
    for (const auto& view : views) {
        if (!action.cascade)
            raise(sqlstate::dependent_objects_still_exist,
                  "cannot drop constraint " + index.name + " on table " + relation_->name +
                      " because other objects depend on it",
                  "view " + view->name + " depends on constraint " + index.name + " on table " + relation_->name,
                  "Use DROP ... CASCADE to drop the dependent objects too.");
        if (session_.catalog().relation(view->oid) != nullptr) drop_with_users(session_, view);
    }
    auto to = std::make_shared<Relation>(*relation_);
    const bool holds_rows = index.holds_rows();
    if (!holds_rows) session_.drop_tree(relation_->index_tree(index), relation_->temporary);
    to->indexes.erase(std::remove_if(to->indexes.begin(), to->indexes.end(),
                                     [&](const Index& other) { return other.oid == oid; }),
                      to->indexes.end());
    if (holds_rows) rewrite(to, [](std::vector<Value>&, Execution&) {});
    else session_.put(to);
}

}  // namespace define_alter

}  // namespace northstar::inline v0::sql
