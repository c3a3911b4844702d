// ON CONFLICT: the keys that decide, and what is done to the row in the way.
#include "sql/bind/binder.hpp"
#include "sql/catalog/partition.hpp"
#include "sql/compare.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace bind_conflict {

/// Whether a condition holds wherever another one does, as far as both compare one thing with constants.
bool implies(const BoundExpr& given, const BoundExpr& wanted) {
    if (same_expr(given, wanted)) return true;
    const auto compares = [](const BoundExpr& expr) {
        return expr.kind == BoundKind::operation && expr.operation->comparison != Comparison::none &&
               expr.args.size() == 2 && expr.args[1]->kind == BoundKind::constant && !expr.args[1]->value.is_null();
    };
    if (!compares(given)) return false;
    if (wanted.kind == BoundKind::is_null && wanted.negated) return same_expr(*given.args[0], *wanted.args[0]);
    if (!compares(wanted) || given.args[1]->type != wanted.args[1]->type ||
        !same_expr(*given.args[0], *wanted.args[0]))
        return false;
    const Comparison have = given.operation->comparison;
    const int order = compare_values(given.args[1]->value, wanted.args[1]->value);
    const bool from = have == Comparison::greater || have == Comparison::greater_equal || have == Comparison::equal;
    const bool to = have == Comparison::less || have == Comparison::less_equal || have == Comparison::equal;
    // What is beyond the given constant is beyond one that lies before it, or at it where it is left out itself.
    const bool above = from && (order > 0 || (order == 0 && have == Comparison::greater));
    const bool below = to && (order < 0 || (order == 0 && have == Comparison::less));
    switch (wanted.operation->comparison) {
        case Comparison::greater: return above;
        case Comparison::greater_equal: return from && order >= 0;
        case Comparison::less: return below;
        case Comparison::less_equal: return to && order <= 0;
        case Comparison::not_equal: return above || below;
        default: return false;
    }
}

/// The key of the topmost table that a constraint of it, or of the partition that is named, stands for; 0: none.
Oid key_named(const Catalog& catalog, const Relation& root, const Relation* partition, syntax::Name name) {
    for (const Relation* const table : {partition, &root}) {
        const Index* const index = table == nullptr ? nullptr : table->find_index(name);
        if (index == nullptr || index->role == ConstraintRole::none) continue;
        if (const Index* const entries = index_with_entries(catalog, *table, *index)) return entries->oid;
    }
    return 0;
}

}  // namespace bind_conflict

void Binder::conflict_arbiters(const syntax::ConflictClause& clause, syntax::Name alias, const ChangeTarget& into,
                               BoundChange& bound) {
    const Relation& relation = *bound.relation;
    if (!clause.constraint.empty()) {
        const Oid key = bind_conflict::key_named(*environment_.present().catalog, relation, into.partition.get(),
                                                 clause.constraint);
        for (std::size_t i = 0; i < relation.indexes.size(); ++i)
            if (relation.indexes[i].oid == key) {
                if (clause.do_update && relation.indexes[i].role == ConstraintRole::exclusion)
                    raise(sqlstate::wrong_object_type,
                          "ON CONFLICT DO UPDATE not supported with exclusion constraints");
                bound.arbiters.push_back(static_cast<int>(i));
                return;
            }
        raise_at(sqlstate::undefined_object,
                 "constraint \"" + std::string(clause.constraint) + "\" for table \"" + relation.name +
                     "\" does not exist",
                 clause.position);
    }
    if (clause.target.empty()) {
        if (clause.do_update)
            raise_at(sqlstate::syntax_error,
                     "ON CONFLICT DO UPDATE requires inference specification or constraint name", clause.position, {},
                     "For example, ON CONFLICT (column_name).");
        return;
    }
    auto names = into.names;
    if (!alias.empty()) {
        auto renamed = std::make_shared<Relation>(*names);
        renamed->name = alias;
        names = std::move(renamed);
    }
    std::vector<BoundExpr*> wanted;
    for (const syntax::SortItem& item : clause.target)
        wanted.push_back(bind_over_table(*item.expr, *names, bound.new_columns, "ON CONFLICT"));
    for (std::size_t i = 0; i < relation.indexes.size(); ++i) {
        const Index& index = relation.indexes[i];
        if (!index.unique || (!index.predicate.empty() && clause.target_where == nullptr)) continue;
        // What is unique within one partition decides nothing for rows of others.
        if (index.partition != 0 &&
            (into.partition == nullptr ||
             !is_within_partition(*environment_.present().catalog, *into.partition, index.partition)))
            continue;
        std::vector<bool> used(wanted.size(), false);
        bool all = true;
        for (const IndexColumn& column : index.columns) {
            BoundExpr* part = nullptr;
            // A key of a table with hidden valid time is named by what is visible of it.
            if (column.column >= 0 && relation.columns[static_cast<std::size_t>(column.column)].hidden) continue;
            if (column.column >= 0) {
                part = pool_.expr(BoundKind::column, relation.columns[static_cast<std::size_t>(column.column)].type);
                part->column = bound.new_columns[static_cast<std::size_t>(column.column)];
                part->typmod = relation.columns[static_cast<std::size_t>(column.column)].typmod;
            } else {
                part = bind_text(column.text, relation, bound.new_columns, "index expressions");
            }
            bool found = false;
            for (std::size_t w = 0; w < wanted.size(); ++w)
                if (same_expr(*wanted[w], *part)) found = used[w] = true;
            all = all && found;
        }
        for (const bool use : used) all = all && use;
        if (!all) continue;
        if (!index.predicate.empty()) {
            BoundExpr* given = bind_over_table(*clause.target_where, *names, bound.new_columns, "ON CONFLICT");
            BoundExpr* own = bind_text(index.predicate, relation, bound.new_columns, "index predicates");
            std::vector<BoundExpr*> have, need;
            split_conjuncts(given, have);
            split_conjuncts(own, need);
            bool implied = true;
            for (const BoundExpr* n : need)
                implied = implied && std::any_of(have.begin(), have.end(),
                                                 [&](const BoundExpr* h) { return bind_conflict::implies(*h, *n); });
            if (!implied) continue;
        }
        bound.arbiters.push_back(static_cast<int>(i));
    }
    if (bound.arbiters.empty())
        raise_at(sqlstate::invalid_column_reference,
                 "there is no unique or exclusion constraint matching the ON CONFLICT specification", clause.position);
}

void Binder::conflict(const syntax::DataChange& change, const ChangeTarget& into, BoundChange& bound) {
    const syntax::ConflictClause& clause = change.conflict;
    bound.on_conflict = true;
    conflict_arbiters(clause, change.alias, into, bound);
    if (!clause.do_update) return;
    bound.conflict_update = true;
    ScopeRelation target, excluded;
    bind_portion(bound, change, nullptr, target);
    target.alias = change.alias.empty() ? into.names->name : std::string(change.alias);
    target.schema = change.alias.empty() ? into.names->schema : "";
    excluded.alias = "excluded";
    for (std::size_t i = 0; i < into.relation->columns.size(); ++i) {
        bound.existing_columns.push_back(pool_.column());
        bound.excluded_columns.push_back(pool_.column());
    }
    for (const ChangeTarget::Level& level : into.levels)
        if (level.where != nullptr)
            bound.conflict_shown.emplace_back(
                level.view, condition(bind_level(level, bound.existing_columns), "WHERE", 0));
    change_columns(into, bound.existing_columns, target);
    change_columns(into, bound.excluded_columns, excluded);
    syntax::FromItem none;
    add_relation(target, none);
    // A table may have that name, too; then who says it says nothing clear (42P09).
    for (const ScopeColumn& column : excluded.columns) {
        note_scope(column.id, scope_);
        scope_->columns.push_back({column, scope_->relations.size(), !column.hidden});
    }
    scope_->relations.push_back(std::move(excluded));
    const Permissions before = std::exchange(scope_->allowed, {"UPDATE", "UPDATE", "UPDATE"});
    assignments(clause.assignments, *into.names, bound.conflict_assignments, &scope_->relations[0]);
    if (clause.where != nullptr) {
        scope_->allowed = {"WHERE", "WHERE", "WHERE"};
        split_conjuncts(condition(expr(*clause.where), "WHERE", clause.where->position), bound.conflict_where);
    }
    scope_->allowed = before;
    scope_->relations.clear();
    scope_->columns.clear();
}

}  // namespace northstar::inline v0::sql
