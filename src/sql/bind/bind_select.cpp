// SELECT: targets, windows, DISTINCT, ORDER BY; the operators they become, from FROM upwards.
#include "sql/bind/select_steps.hpp"
#include "sql/compare.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <charconv>

namespace northstar::inline v0::sql {

using syntax::ExprKind;

BoundQuery Binder::select(const syntax::Query& syntax, bool resolve_unknowns) {
    return SelectSteps(*this, syntax).run(resolve_unknowns);
}

BoundQuery SelectSteps::run(bool resolve_unknowns) {
    Binder& b = binder_;
    const bool wants_row_keys = std::exchange(b.wants_row_keys_, false);
    locking_.assign(query_.locking.begin(), query_.locking.end());
    std::move(b.handed_locking_.begin(), b.handed_locking_.end(), std::back_inserter(locking_));
    b.handed_locking_.clear();
    b.scope_storage_.push_back(std::make_unique<Scope>());
    scope_ = b.scope_storage_.back().get();
    scope_->outer = b.scope_;
    scope_->select = true;
    b.scope_ = scope_;
    for (const syntax::WindowSpec& window : query_.windows) {
        for (const NamedWindow& other : scope_->named_windows)
            if (other.name == window.name)
                raise_at(sqlstate::windowing_error, "window \"" + other.name + "\" is already defined",
                         window.position);
        scope_->named_windows.push_back({std::string(window.name), &window});
    }
    scope_->allowed = {"FROM", "FROM", "FROM"};
    const Binder::LockingClauses* const around = std::exchange(b.locking_, locking_.empty() ? nullptr : &locking_);
    Plan* plan = b.from_list(query_.from);
    b.locking_ = around;
    if (query_.where != nullptr) {
        scope_->allowed = {"WHERE", "WHERE", "WHERE"};
        BoundExpr* where = b.condition(b.expr(*query_.where), "WHERE", query_.where->position);
        Plan* filter = b.pool_.plan(PlanKind::filter);
        filter->left = plan;
        filter->output = plan->output;
        filter->rows = plan->rows;
        split_conjuncts(where, filter->conditions);
        plan = filter;
    }
    scope_->allowed = {};
    targets_ = b.targets(query_.targets);
    visible_ = targets_.size();
    for (Binder::TargetItem& target : targets_)
        if (resolve_unknowns) target.expr = b.resolve_unknown(target.expr);
    for (const syntax::WindowSpec& window : query_.windows) {
        const std::string before = std::exchange(scope_->allowed.windows, "window definitions");
        b.window_definition(window, *scope_);
        scope_->allowed.windows = before;
    }
    bind_groups();
    if (query_.having != nullptr) {
        scope_->allowed = {"", "HAVING", "HAVING"};
        having_ = b.condition(b.expr(*query_.having), "HAVING", query_.having->position);
        scope_->allowed = {};
    }
    bind_order();
    bind_distinct();
    if (wants_row_keys) add_row_keys();
    if (scope_->reads_working_table && !scope_->aggregates.empty())
        raise_at(sqlstate::invalid_recursion,
                 "aggregate functions are not allowed in a recursive query's recursive term",
                 scope_->aggregates[0].call->position);
    grouped_ = !query_.group_by.empty() || !scope_->groupings.empty() || query_.having != nullptr ||
               !scope_->aggregates.empty();
    bind_locking();
    if (grouped_) plan = aggregate_plan(plan);
    if (!scope_->windows.empty()) plan = window_plan(plan);
    plan = output_plan(plan);
    BoundQuery result;
    result.plan = plan;
    for (std::size_t i = 0; i < visible_; ++i) {
        OutputColumn column;
        column.name = targets_[i].name;
        column.type = targets_[i].expr->type;
        column.typmod = targets_[i].expr->typmod;
        column.id = target_ids_[i];
        column.declared = b.declared_type(*targets_[i].expr);
        b.note_declared(column.id, column.declared);
        column.fields = b.record_fields(*targets_[i].expr);
        if (targets_[i].expr->kind == BoundKind::column)
            for (const ScopeRelation& relation : scope_->relations)
                for (const ScopeColumn& source : relation.columns)
                    if (source.id == targets_[i].expr->column) {
                        column.table = source.table;
                        column.column = source.place;
                    }
        result.columns.push_back(std::move(column));
    }
    for (const auto& [table, target] : row_keys_) result.row_keys.emplace_back(table, target_ids_[target]);
    return result;
}

Plan* SelectSteps::window_plan(Plan* input) {
    Plan* plan = binder_.pool_.plan(PlanKind::window);
    plan->left = input;
    plan->rows = input->rows;
    plan->output = input->output;
    plan->windows = scope_->window_definitions;
    for (const GatheredCall& call : scope_->windows) {
        plan->columns.push_back({call.id, call.call});
        plan->output.push_back(call.id);
    }
    return plan;
}

// ---- ORDER BY and DISTINCT
// -------------------------------------------------------------------------------------------

std::size_t SelectSteps::hidden_target(BoundExpr* expr) {
    for (std::size_t i = 0; i < targets_.size(); ++i)
        if (same_expr(*targets_[i].expr, *expr)) return i;
    targets_.push_back({"", expr, nullptr, false});
    return targets_.size() - 1;
}

/// The keys of rows that are shown as they are: those of the only table, or of all that FOR UPDATE is about.
void SelectSteps::add_row_keys() {
    if (!query_.group_by.empty() || query_.having != nullptr || query_.distinct || !scope_->aggregates.empty() ||
        !scope_->windows.empty() || !scope_->set_functions.empty() ||
        (scope_->relations.size() != 1 && locking_.empty()))
        return;
    for (ScopeRelation& relation : scope_->relations) {
        if (relation.scan == nullptr || relation.scan->kind != PlanKind::scan || relation.nullable) continue;
        row_keys_.emplace_back(relation.scan->relation->oid, row_key_target(relation));
    }
}

/// The target with the keys of the rows of a scan, made where there is none.
std::size_t SelectSteps::row_key_target(ScopeRelation& relation) {
    Binder& b = binder_;
    if (relation.row_key == k_no_column) {
        relation.row_key = b.pool_.column();
        b.note_scope(relation.row_key, scope_);
        relation.scan->scan_columns.push_back({hidden_row_key, relation.row_key});
        relation.scan->output.push_back(relation.row_key);
    }
    BoundExpr* key = b.pool_.expr(BoundKind::column, type::bytea);
    key->column = relation.row_key;
    return hidden_target(key);
}

/// A name in ORDER BY is an output column, else a column of FROM; a number is an output column.
void SelectSteps::bind_order() {
    Binder& b = binder_;
    for (const syntax::SortItem& item : query_.order_by) {
        const syntax::Expr& node = *item.expr;
        std::size_t place = targets_.size();
        if (node.kind == ExprKind::integer) {
            const auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), place);
            if (error != std::errc() || place < 1 || place > visible_)
                raise_at(sqlstate::invalid_column_reference,
                         "ORDER BY position " + std::string(node.text) + " is not in select list", node.position);
            --place;
        } else if (is_other_constant(node)) {
            raise_at(sqlstate::syntax_error, "non-integer constant in ORDER BY", node.position);
        } else {
            if (node.kind == ExprKind::column && node.names.size() == 1) {
                std::size_t found = targets_.size();
                for (std::size_t i = 0; i < visible_; ++i) {
                    if (targets_[i].name != node.names[0]) continue;
                    if (found < targets_.size() && !same_expr(*targets_[found].expr, *targets_[i].expr))
                        raise_at(sqlstate::ambiguous_column, "ORDER BY \"" + targets_[i].name + "\" is ambiguous",
                                 node.position);
                    if (found == targets_.size()) found = i;
                }
                place = found;
            }
            if (place == targets_.size()) {
                scope_->allowed = {};
                place = hidden_target(b.resolve_unknown(b.expr(node)));
            }
        }
        BoundExpr*& expr = targets_[place].expr;
        expr = b.resolve_unknown(expr);
        order_.push_back({place, b.sort_key(expr, item)});
    }
    if (query_.distinct && query_.distinct_on.empty() && targets_.size() > visible_)
        raise_at(sqlstate::invalid_column_reference,
                 "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                 targets_.back().expr->position);
}

void SelectSteps::bind_distinct() {
    Binder& b = binder_;
    if (!query_.distinct) return;
    if (query_.distinct_on.empty()) {
        for (std::size_t i = 0; i < visible_; ++i)
            b.require_order(targets_[i].expr->type, "equality", targets_[i].expr->position);
        return;
    }
    for (const syntax::Expr* node : query_.distinct_on) {
        std::size_t place = targets_.size();
        if (node->kind == ExprKind::integer) {
            const auto [end, error] = std::from_chars(node->text.data(), node->text.data() + node->text.size(), place);
            if (error != std::errc() || place < 1 || place > visible_)
                raise_at(sqlstate::invalid_column_reference,
                         "SELECT DISTINCT ON position " + std::string(node->text) + " is not in select list",
                         node->position);
            --place;
        } else if (is_other_constant(*node)) {
            raise_at(sqlstate::syntax_error, "non-integer constant in DISTINCT ON", node->position);
        } else {
            if (node->kind == ExprKind::column && node->names.size() == 1)
                for (std::size_t i = 0; i < visible_ && place == targets_.size(); ++i)
                    if (targets_[i].name == node->names[0]) place = i;
            if (place == targets_.size()) place = hidden_target(b.resolve_unknown(b.expr(*node)));
        }
        distinct_on_.push_back(place);
    }
    for (std::size_t i = 0; i < order_.size() && i < distinct_on_.size(); ++i)
        if (std::find(distinct_on_.begin(), distinct_on_.end(), order_[i].target) == distinct_on_.end())
            raise_at(sqlstate::invalid_column_reference,
                     "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
                     query_.distinct_on[0]->position);
}

bool SelectSteps::uses_sets(BoundExpr* expr) const {
    const ColumnSet used = used_columns(expr);
    return std::any_of(scope_->set_functions.begin(), scope_->set_functions.end(),
                       [&](const GatheredCall& call) { return used.count(call.id) != 0; });
}

/// As in PostgreSQL (make_sort_input_target), sets are computed for the sorted rows where the order does not ask for
/// them; so DISTINCT ON chooses among rows that are not multiplied yet.
bool SelectSteps::sets_come_late() const {
    if (scope_->set_functions.empty() || order_.empty() || (query_.distinct && distinct_on_.empty())) return false;
    for (const OrderItem& item : order_)
        if (uses_sets(targets_[item.target].expr)) return false;
    return std::none_of(distinct_on_.begin(), distinct_on_.end(),
                        [&](std::size_t place) { return uses_sets(targets_[place].expr); });
}

/// As in PostgreSQL, what is volatile is computed for the sorted rows and behind LIMIT, and so is what has a subquery
/// where a limit may leave most rows out.
void SelectSteps::choose_late_targets() {
    if (order_.empty() || (query_.distinct && distinct_on_.empty())) return;
    std::set<std::size_t> asked(distinct_on_.begin(), distinct_on_.end());
    for (const OrderItem& item : order_) asked.insert(item.target);
    const bool sets = sets_come_late();
    for (std::size_t i = 0; i < targets_.size(); ++i) {
        BoundExpr* const expr = targets_[i].expr;
        if (asked.count(i) != 0) continue;
        if (uses_sets(expr) ? sets : is_volatile(expr) || (query_.limit != nullptr && has_subquery(expr)))
            late_.insert(i);
    }
}

/// A set of which nothing is left in the targets, since a strict call of it is NULL, multiplies no rows.
void SelectSteps::drop_unread_sets() {
    ColumnSet read;
    const auto note = [&](BoundExpr* expr) {
        walk_expr(expr, [&](BoundExpr& node) {
            if (node.kind == BoundKind::column) read.insert(node.column);
            return node.kind != BoundKind::constant || !node.value.is_null();
        });
    };
    for (const Binder::TargetItem& target : targets_) note(target.expr);
    // A call stands behind those that its arguments read.
    std::vector<GatheredCall>& calls = scope_->set_functions;
    for (std::size_t i = calls.size(); i-- > 0;) {
        if (read.count(calls[i].id) != 0) note(calls[i].call);
        else calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

Plan* SelectSteps::with_sets(Plan* input) {
    if (scope_->set_functions.empty()) return input;
    Plan* sets = binder_.new_sets();
    sets->left = input;
    sets->output = input->output;
    for (const GatheredCall& call : scope_->set_functions) {
        sets->columns.push_back({call.id, call.call});
        sets->output.push_back(call.id);
    }
    sets->rows = input->rows * 10;
    return sets;
}

/// Output columns that are not late, and what the others are computed from.
std::vector<PlanColumn> SelectSteps::early_columns(const Plan& input, const std::vector<PlanColumn>& columns) {
    std::vector<PlanColumn> early;
    ColumnSet needed, made;
    if (sets_come_late())
        for (const GatheredCall& call : scope_->set_functions) used_columns(call.call, needed);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (late_.count(i) != 0) {
            used_columns(columns[i].expr, needed);
            continue;
        }
        early.push_back(columns[i]);
        made.insert(columns[i].id);
    }
    for (const ColumnId id : needed) {
        if (made.count(id) != 0 || !produces(input, id)) continue;
        BoundExpr* column = binder_.pool_.expr(BoundKind::column, 0);
        column->column = id;
        early.push_back({id, column});
    }
    return early;
}

Plan* SelectSteps::output_plan(Plan* input) {
    Binder& b = binder_;
    std::vector<PlanColumn> columns;
    ColumnSet taken;
    for (const Binder::TargetItem& target : targets_) {
        // A column of a row further out is produced anew here: under its own number it would hide the outer one.
        const bool own = target.expr->kind == BoundKind::column && produces(*input, target.expr->column);
        ColumnId id = own ? target.expr->column : b.pool_.column();
        if (!taken.insert(id)) id = b.pool_.column();
        columns.push_back({id, target.expr});
        target_ids_.push_back(id);
    }
    drop_unread_sets();
    choose_late_targets();
    const bool late_sets = sets_come_late();
    Plan* plan = late_sets ? input : with_sets(input);
    plan = b.project(plan, early_columns(*plan, columns));
    const auto key_of = [&](std::size_t target) {
        BoundExpr* column = b.pool_.expr(BoundKind::column, targets_[target].expr->type);
        column->column = target_ids_[target];
        return column;
    };
    std::vector<SortKey> keys;
    for (const OrderItem& item : order_) {
        SortKey key = item.key;
        key.expr = key_of(item.target);
        keys.push_back(key);
    }
    const auto sort = [&](std::vector<SortKey> by) {
        Plan* sorted = b.pool_.plan(PlanKind::sort);
        sorted->left = plan;
        sorted->output = plan->output;
        sorted->rows = plan->rows;
        sorted->keys = std::move(by);
        plan = sorted;
    };
    if (query_.distinct) {
        std::vector<BoundExpr*> on;
        if (distinct_on_.empty()) {
            for (std::size_t i = 0; i < visible_; ++i) on.push_back(key_of(i));
        } else {
            for (const std::size_t place : distinct_on_) on.push_back(key_of(place));
            // The first row of each group in the order asked for; groups in the order of their key.
            std::vector<SortKey> by = keys;
            for (const std::size_t place : distinct_on_) {
                bool known = false;
                for (const OrderItem& item : order_) known |= item.target == place;
                if (!known) by.insert(by.begin() + static_cast<std::ptrdiff_t>(std::min(by.size(), order_.size())),
                                      {key_of(place), false, false});
            }
            sort(by);
        }
        Plan* distinct = b.pool_.plan(PlanKind::distinct);
        distinct->left = plan;
        distinct->output = plan->output;
        distinct->distinct_on = std::move(on);
        distinct->rows = std::max(1.0, plan->rows / 2);
        plan = distinct;
    }
    if (!keys.empty() && distinct_on_.empty()) sort(keys);
    if (late_sets) plan = with_sets(plan);
    if (!locks_.empty()) plan = lock_plan(plan);
    const auto show_late = [&] {
        if (late_.empty()) return;
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (late_.count(i) == 0 && columns[i].expr->kind != BoundKind::constant) columns[i].expr = key_of(i);
        plan = b.project(plan, columns);
    };
    // Rows that OFFSET leaves out are computed.
    if (query_.offset != nullptr) show_late();
    BoundQuery result;
    result.plan = plan;
    b.limit_output(result, query_, keys, b.scope_);
    plan = result.plan;
    if (query_.offset == nullptr) show_late();
    if (targets_.size() == visible_) return plan;
    std::vector<PlanColumn> shown;
    for (std::size_t i = 0; i < visible_; ++i) shown.push_back({target_ids_[i], key_of(i)});
    for (const auto& [table, target] : row_keys_) shown.push_back({target_ids_[target], key_of(target)});
    return b.project(plan, shown);
}

}  // namespace northstar::inline v0::sql
