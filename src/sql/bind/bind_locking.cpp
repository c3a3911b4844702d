// FOR UPDATE and its kin: which rows are locked, and where that has no meaning.
#include "sql/bind/select_steps.hpp"
#include "sql/plan/locked_rows.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace bind_locking {

/// The item of FROM that a name means in FOR UPDATE OF, which reaches into joins with names of their own as well.
const syntax::FromItem* named_item(const syntax::FromItem& item, std::string_view name) {
    using syntax::FromKind;
    if (item.kind == FromKind::join) {
        if ((item.alias.empty() ? item.join_using_alias : item.alias) == name) return &item;
        const syntax::FromItem* const left = named_item(*item.left, name);
        return left != nullptr ? left : named_item(*item.right, name);
    }
    if (!item.alias.empty()) return item.alias == name ? &item : nullptr;
    if (item.kind == FromKind::table) return item.table.last() == name ? &item : nullptr;
    const bool function = item.kind == FromKind::function && !item.functions[0]->names.empty();
    return function && item.functions[0]->names.back() == name ? &item : nullptr;
}

}  // namespace bind_locking

/// FOR UPDATE OF names a table or subquery of FROM.
void SelectSteps::check_locked(const syntax::LockedName& locked, LockStrength strength) {
    using syntax::FromKind;
    const syntax::FromItem* item = nullptr;
    for (const syntax::FromItem* each : query_.from)
        if (item == nullptr) item = bind_locking::named_item(*each, locked.name);
    const std::string clause = clause_name(strength);
    if (item == nullptr)
        raise_at(sqlstate::undefined_table,
                 "relation \"" + std::string(locked.name) + "\" in " + clause + " clause not found in FROM clause",
                 locked.position);
    const char* what = nullptr;
    if (item->kind == FromKind::join) what = "a join";
    if (item->kind == FromKind::function || item->kind == FromKind::rows_from) what = "a function";
    if (item->kind == FromKind::table && item->table.schema().empty() &&
        binder_.find_common(item->table.last()) != nullptr)
        what = "a WITH query";
    if (what != nullptr)
        raise_at(sqlstate::feature_not_supported, clause + " cannot be applied to " + what, locked.position);
}

void SelectSteps::bind_locking() {
    if (locking_.empty()) return;
    const char* with = nullptr;
    if (query_.distinct) with = "DISTINCT clause";
    else if (!query_.group_by.empty()) with = "GROUP BY clause";
    else if (query_.having != nullptr) with = "HAVING clause";
    else if (grouped_) with = "aggregate functions";
    else if (!scope_->windows.empty()) with = "window functions";
    else if (!scope_->set_functions.empty()) with = "set-returning functions in the target list";
    if (with != nullptr)
        raise_at(sqlstate::feature_not_supported,
                 std::string(clause_name(locking_[0].strength)) + " is not allowed with " + with, query_.position);
    for (const syntax::LockingClause& clause : query_.locking)
        for (const syntax::LockedName& name : clause.of) check_locked(name, clause.strength);
    for (ScopeRelation& relation : scope_->relations) {
        if (relation.relation == nullptr && !relation.subquery) continue;
        Lock asked;
        bool found = false;
        for (const syntax::LockingClause& clause : locking_) {
            const bool named =
                std::any_of(clause.of.begin(), clause.of.end(),
                            [&](const syntax::LockedName& of) { return of.name == relation.alias; });
            if (!named && !clause.of.empty()) continue;
            asked.lock.strength = found ? std::max(asked.lock.strength, clause.strength) : clause.strength;
            asked.lock.wait = std::max(asked.lock.wait, clause.wait);
            found = true;
        }
        if (!found) continue;
        asked.lock.handed_on = query_.locking.empty();
        const bool table = relation.scan != nullptr || relation.row_key != k_no_column;
        // Of a table the planner refuses it, which may find that the join makes no NULLs. Of others it is refused where
        // nothing but ON could keep those off.
        const bool one_join = scope_->relations.size() == 2 && query_.where == nullptr;
        if (!table && relation.nullable && one_join) refuse_nullable(asked.lock.strength);
        const bool present = relation.scan != nullptr && relation.scan->kind == PlanKind::scan &&
                             relation.scan->point == &binder_.environment_.present() &&
                             !relation.scan->versions.present;
        // Views hand it on to what they read. Nobody changes rows of the past.
        if (!present && relation.row_key == k_no_column) continue;
        asked.key = row_key_target(relation);
        const auto whose = std::find_if(relation.columns.begin(), relation.columns.end(),
                                        [](const ScopeColumn& column) { return column.name == "tableoid"; });
        if (relation.scan == nullptr)
            asked.table = hidden_target(binder_.column_of(*whose, 0));
        else
            asked.lock.table = binder_.constant(Value::integer(type::oid, relation.relation->oid), 0);
        locks_.push_back(asked);
    }
}

/// Above the sort and below LIMIT: rows that nobody sees are not locked, as far as the order is known without them.
Plan* SelectSteps::lock_plan(Plan* input) {
    Binder& b = binder_;
    Plan* plan = b.pool_.plan(PlanKind::lock_rows);
    plan->left = input;
    plan->output = input->output;
    plan->rows = input->rows;
    const auto read = [&](std::size_t target) {
        BoundExpr* column = b.pool_.expr(BoundKind::column, targets_[target].expr->type);
        column->column = target_ids_[target];
        return column;
    };
    for (const Lock& asked : locks_) {
        plan->row_locks.push_back(asked.lock);
        RowLock& lock = plan->row_locks.back();
        if (lock.table == nullptr) lock.table = read(asked.table);
        lock.key = read(asked.key);
    }
    return plan;
}

}  // namespace northstar::inline v0::sql
