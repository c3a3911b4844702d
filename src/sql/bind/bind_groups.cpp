// GROUP BY: what rows are grouped by, in which sets, and how expressions read above the aggregation.
#include "sql/bind/select_steps.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <charconv>

namespace northstar::inline v0::sql {

using syntax::ExprKind;

namespace bind_groups {

/// All pairs of a set of one list and a set of the other.
GroupingSets cross(const GroupingSets& a, const GroupingSets& b) {
    GroupingSets out;
    for (const auto& left : a)
        for (const auto& right : b) {
            std::vector<std::size_t> both = left;
            for (const std::size_t item : right)
                if (std::find(both.begin(), both.end(), item) == both.end()) both.push_back(item);
            out.push_back(std::move(both));
            if (out.size() > 4096)
                raise(sqlstate::statement_too_complex, "too many grouping sets present (maximum 4096)");
        }
    return out;
}

/// Does GROUP BY ask for more than one set? Only then two targets that are alike can differ in their groups.
bool asks_for_sets(const syntax::List<const syntax::Expr*>& items) {
    return std::any_of(items.begin(), items.end(), [](const syntax::Expr* item) {
        return item->kind == ExprKind::grouping_sets || (item->kind == ExprKind::row && asks_for_sets(item->args));
    });
}

}  // namespace bind_groups

/// A name in GROUP BY is a column of FROM, else an output column; a number is an output column.
std::size_t SelectSteps::group_target(const syntax::Expr& node) const {
    if (node.kind == ExprKind::integer) {
        std::size_t place = 0;
        const auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), place);
        if (error != std::errc() || place < 1 || place > visible_)
            raise_at(sqlstate::invalid_column_reference,
                     "GROUP BY position " + std::string(node.text) + " is not in select list", node.position);
        return place - 1;
    }
    if (is_other_constant(node))
        raise_at(sqlstate::syntax_error, "non-integer constant in GROUP BY", node.position);
    std::size_t found = Grouping::k_no_target;
    if (node.kind != ExprKind::column || node.names.size() != 1) return found;
    for (const VisibleColumn& column : scope_->columns)
        if (column.column.name == node.names[0]) return found;
    for (std::size_t i = 0; i < visible_; ++i) {
        if (targets_[i].name != node.names[0]) continue;
        if (found == Grouping::k_no_target) found = i;
        else if (!same_expr(*targets_[found].expr, *targets_[i].expr))
            raise_at(sqlstate::ambiguous_column, "GROUP BY \"" + targets_[i].name + "\" is ambiguous", node.position);
    }
    return found;
}

/// An expression that a target is as well groups by that target.
BoundExpr* SelectSteps::group_expr(const syntax::Expr& node, std::size_t& target) {
    target = group_target(node);
    if (target != Grouping::k_no_target) return targets_[target].expr;
    BoundExpr* expr = binder_.resolve_unknown(binder_.expr(node));
    for (std::size_t i = visible_; i-- > 0;)
        if (same_expr(*targets_[i].expr, *expr)) target = i;
    return expr;
}

std::size_t SelectSteps::group_place(const syntax::Expr& node) {
    std::size_t target = 0;
    BoundExpr* expr = group_expr(node, target);
    for (const ColumnId id : used_columns(expr)) {
        for (const GatheredCall& call : scope_->aggregates)
            if (call.id == id)
                raise_at(sqlstate::grouping_error, "aggregate functions are not allowed in GROUP BY", node.position);
        for (const GatheredCall& call : scope_->windows)
            if (call.id == id)
                raise_at(sqlstate::windowing_error, "window functions are not allowed in GROUP BY", node.position);
    }
    binder_.require_order(expr->type, "equality", node.position);
    const bool by_target = bind_groups::asks_for_sets(query_.group_by);
    for (std::size_t i = 0; i < grouping_.groups.size(); ++i)
        if (same_expr(*grouping_.groups[i].expr, *expr) && (!by_target || grouping_.targets[i] == target)) return i;
    // A column of a query further out is a value here, as any expression is: the rows of groups have one of their own.
    bool own = expr->kind == BoundKind::column;
    if (const auto owner = binder_.column_scope_.find(expr->column); own && owner != binder_.column_scope_.end())
        own = owner->second == scope_;
    for (const PlanColumn& group : grouping_.groups) own = own && group.id != expr->column;
    grouping_.targets.push_back(target);
    grouping_.groups.push_back({own ? expr->column : binder_.pool_.column(), expr});
    return grouping_.groups.size() - 1;
}

GroupingSets SelectSteps::group_sets(const syntax::Expr& node) {
    if (node.kind == ExprKind::row && !node.flag) {
        std::vector<std::size_t> all;
        for (const syntax::Expr* item : node.args) {
            const bool list = item->kind == ExprKind::row && !item->flag;
            const GroupingSets inner = list ? group_sets(*item) : GroupingSets{{group_place(*item)}};
            all.insert(all.end(), inner[0].begin(), inner[0].end());
        }
        return {all};
    }
    if (node.kind != ExprKind::grouping_sets) return {{group_place(node)}};
    grouping_.plain = false;
    if (node.text == "sets") {
        GroupingSets out;
        for (const syntax::Expr* item : node.args)
            for (auto& set : group_sets(*item)) out.push_back(std::move(set));
        return out;
    }
    std::vector<std::vector<std::size_t>> items;
    for (const syntax::Expr* item : node.args) {
        GroupingSets inner = group_sets(*item);
        items.push_back(inner[0]);
    }
    GroupingSets out;
    if (node.text == "rollup") {
        for (std::size_t n = items.size() + 1; n-- > 0;) {
            std::vector<std::size_t> set;
            for (std::size_t i = 0; i < n; ++i) set.insert(set.end(), items[i].begin(), items[i].end());
            out.push_back(std::move(set));
        }
        return out;
    }
    if (items.size() > 12) raise_at(sqlstate::too_many_columns, "CUBE is limited to 12 elements", node.position);
    for (std::size_t bits = std::size_t{1} << items.size(); bits-- > 0;) {
        std::vector<std::size_t> set;
        for (std::size_t i = 0; i < items.size(); ++i)
            if (bits & (std::size_t{1} << (items.size() - 1 - i)))
                set.insert(set.end(), items[i].begin(), items[i].end());
        out.push_back(std::move(set));
    }
    return out;
}

void SelectSteps::bind_groups() {
    if (query_.group_by.empty()) return;
    scope_->allowed = {"GROUP BY", "GROUP BY", ""};
    GroupingSets sets = {{}};
    for (const syntax::Expr* item : query_.group_by) sets = bind_groups::cross(sets, group_sets(*item));
    if (query_.group_distinct) {
        GroupingSets distinct;
        for (auto& set : sets) {
            std::vector<std::size_t> sorted = set;
            std::sort(sorted.begin(), sorted.end());
            const bool known = std::any_of(distinct.begin(), distinct.end(), [&](std::vector<std::size_t> other) {
                std::sort(other.begin(), other.end());
                return other == sorted;
            });
            if (!known) distinct.push_back(std::move(set));
        }
        sets = std::move(distinct);
    }
    if (sets.size() == 1 && sets[0].empty() && grouping_.groups.empty()) grouping_.plain = false;
    if (!grouping_.plain) grouping_.sets = std::move(sets);
    scope_->allowed = {};
}

/// Columns of a table whose primary key is grouped by, in every set, depend on it.
void SelectSteps::add_dependent_columns() {
    const auto in_all_sets = [&](std::size_t group) {
        return grouping_.plain ||
               std::all_of(grouping_.sets.begin(), grouping_.sets.end(), [&](const std::vector<std::size_t>& set) {
                   return std::find(set.begin(), set.end(), group) != set.end();
               });
    };
    const std::size_t declared = grouping_.groups.size();
    for (const ScopeRelation& relation : scope_->relations) {
        if (relation.relation == nullptr || relation.relation->kind != RelationKind::table) continue;
        const int key = relation.relation->primary_key();
        if (key < 0 || relation.relation->indexes[static_cast<std::size_t>(key)].deferrable) continue;
        bool whole = true;
        for (const IndexColumn& part : relation.relation->indexes[static_cast<std::size_t>(key)].columns) {
            bool found = false;
            for (const ScopeColumn& column : relation.columns)
                for (std::size_t i = 0; i < declared; ++i)
                    found |= column.place == part.column && grouping_.groups[i].id == column.id &&
                             grouping_.groups[i].expr->kind == BoundKind::column && in_all_sets(i);
            whole = whole && found;
        }
        if (!whole) continue;
        for (const ScopeColumn& column : relation.columns) {
            bool known = false;
            for (const PlanColumn& group : grouping_.groups) known |= group.id == column.id;
            if (known) continue;
            for (std::vector<std::size_t>& set : grouping_.sets) set.push_back(grouping_.groups.size());
            grouping_.groups.push_back({column.id, binder_.column_of(column, 0)});
            dependent_[column.id] = relation.relation->indexes[static_cast<std::size_t>(key)].oid;
        }
    }
}

std::string SelectSteps::describe(const BoundExpr& column) const {
    for (const ScopeRelation& relation : scope_->relations)
        for (const ScopeColumn& candidate : relation.columns)
            if (candidate.id == column.column) return relation.alias + "." + candidate.name;
    return "?";
}

/// Every column of FROM must be grouped; those inside aggregates were taken out already.
void SelectSteps::check_grouped(BoundExpr* expr) {
    walk_expr(expr, [&](BoundExpr& node) {
        const auto check = [&](ColumnId id, const BoundExpr& at, bool outer) {
            if (const auto found = dependent_.find(id); found != dependent_.end())
                binder_.needed_keys_.insert(found->second);
            if (above_.count(id) != 0) return;
            const auto owner = binder_.column_scope_.find(id);
            if (owner == binder_.column_scope_.end() || owner->second != scope_) return;
            BoundExpr column = at;
            column.column = id;
            raise_at(sqlstate::grouping_error,
                     outer ? "subquery uses ungrouped column \"" + describe(column) + "\" from outer query"
                           : "column \"" + describe(column) +
                                 "\" must appear in the GROUP BY clause or be used in an aggregate function",
                     at.position);
        };
        if (node.kind == BoundKind::column) check(node.column, node, false);
        if (node.subquery != nullptr)
            for (const ColumnId id : free_columns(*node.subquery)) check(id, node, true);
        return true;
    });
}

/// Where each grouping set has groups of its own, a target that is grouped by is that group and not one like it.
BoundExpr* SelectSteps::target_above_groups(std::size_t place) {
    BoundExpr* expr = targets_[place].expr;
    if (!grouping_.plain)
        for (std::size_t i = 0; i < grouping_.targets.size(); ++i)
            if (grouping_.targets[i] == place) return group_column(grouping_.groups[i], *expr);
    return above_groups(expr);
}

BoundExpr* SelectSteps::group_column(const PlanColumn& group, const BoundExpr& expr) {
    BoundExpr* column = binder_.pool_.expr(BoundKind::column, expr.type);
    column->column = group.id;
    column->typmod = expr.typmod;
    column->declared = expr.declared;
    column->position = expr.position;
    return column;
}

/// The expression as it reads above the aggregation: grouped expressions become columns.
BoundExpr* SelectSteps::above_groups(BoundExpr* expr) {
    if (expr == nullptr) return nullptr;
    for (const PlanColumn& group : grouping_.groups) {
        if (!same_expr(*group.expr, *expr)) continue;
        if (expr->kind == BoundKind::column && expr->column == group.id) return expr;
        if (expr->kind == BoundKind::constant && expr->args.empty() && grouping_.plain) return expr;
        return group_column(group, *expr);
    }
    if (expr->args.empty() && expr->clauses == nullptr) return expr;
    BoundExpr* copy = binder_.pool_.copy(*expr);
    for (BoundExpr*& arg : copy->args) arg = above_groups(arg);
    if (copy->clauses != nullptr) {
        CallClauses* clauses = binder_.pool_.clauses();
        *clauses = *copy->clauses;
        clauses->filter = above_groups(clauses->filter);
        for (SortKey& key : clauses->order) key.expr = above_groups(key.expr);
        copy->clauses = clauses;
    }
    return copy;
}

/// GROUPING(a, b): for each grouping set a number whose bits say which arguments the set leaves out.
BoundExpr* SelectSteps::grouping_value(const BoundExpr& call) {
    Binder& b = binder_;
    std::vector<std::size_t> places;
    for (BoundExpr* arg : call.args) {
        std::size_t place = grouping_.groups.size();
        for (std::size_t i = grouping_.groups.size(); i-- > 0;)
            if (same_expr(*grouping_.groups[i].expr, *arg)) place = i;
        if (place == grouping_.groups.size())
            raise_at(sqlstate::grouping_error,
                     "arguments to GROUPING must be grouping expressions of the associated query level",
                     arg->position);
        places.push_back(place);
    }
    if (grouping_.plain) return b.constant(Value::int4(0), call.position);
    if (grouping_id_ == k_no_column) grouping_id_ = b.pool_.column();
    BoundExpr* result = b.pool_.expr(BoundKind::case_when, type::int4);
    for (std::size_t set = 0; set < grouping_.sets.size(); ++set) {
        std::int64_t bits = 0;
        for (const std::size_t place : places) {
            const auto& members = grouping_.sets[set];
            bits = bits * 2 + (std::find(members.begin(), members.end(), place) == members.end() ? 1 : 0);
        }
        BoundExpr* id = b.pool_.expr(BoundKind::column, type::int4);
        id->column = grouping_id_;
        result->args.push_back(
            b.make_operation("=", id, b.constant(Value::int4(static_cast<std::int64_t>(set)), 0), 0));
        result->args.push_back(b.constant(Value::int4(bits), 0));
    }
    result->args.push_back(b.constant(Value::null(type::int4), 0));
    return result;
}

/// Sets that rows are grouped by are computed before they are grouped.
Plan* SelectSteps::grouped_sets(Plan* input) {
    ColumnSet used;
    for (const PlanColumn& group : grouping_.groups) used_columns(group.expr, used);
    Plan* sets = nullptr;
    for (auto call = scope_->set_functions.begin(); call != scope_->set_functions.end();) {
        if (used.count(call->id) == 0) {
            ++call;
            continue;
        }
        if (sets == nullptr) {
            sets = binder_.new_sets();
            sets->left = input;
            sets->output = input->output;
            sets->rows = input->rows * 10;
        }
        sets->columns.push_back({call->id, call->call});
        sets->output.push_back(call->id);
        call = scope_->set_functions.erase(call);
    }
    return sets == nullptr ? input : sets;
}

/// What `input` gives, and columns computed from it.
Plan* SelectSteps::with_columns(Plan* input, const std::vector<PlanColumn>& more) {
    std::vector<PlanColumn> columns;
    const auto pass = [&](ColumnId id, Oid type) {
        BoundExpr* column = binder_.pool_.expr(BoundKind::column, type);
        column->column = id;
        columns.push_back({id, column});
    };
    for (const PlanColumn& group : input->groups) pass(group.id, group.expr->type);
    for (const PlanColumn& call : input->columns) pass(call.id, call.expr->type);
    columns.insert(columns.end(), more.begin(), more.end());
    return binder_.project(input, std::move(columns));
}

Plan* SelectSteps::aggregate_plan(Plan* input) {
    Binder& b = binder_;
    if (query_.group_by.empty() && scope_->aggregates.empty()) {
        // HAVING alone: one group whatever the rows are, so none is read.
        input = b.pool_.plan(PlanKind::single);
        input->rows = 1;
    }
    input = grouped_sets(input);
    add_dependent_columns();
    for (const PlanColumn& group : grouping_.groups) above_.insert(group.id);
    for (const GatheredCall& call : scope_->groupings) above_.insert(call.id);
    for (const GatheredCall& call : scope_->aggregates) above_.insert(call.id);
    for (const GatheredCall& call : scope_->windows) above_.insert(call.id);
    for (const GatheredCall& call : scope_->set_functions) above_.insert(call.id);
    for (std::size_t i = 0; i < targets_.size(); ++i)
        check_grouped(targets_[i].expr = target_above_groups(i));
    // Direct arguments of ordered-set aggregates are computed from the groups.
    for (GatheredCall& call : scope_->aggregates)
        for (std::size_t i = 0; i < call.call->clauses->direct_count; ++i) {
            call.call->args[i] = above_groups(call.call->args[i]);
            check_grouped(call.call->args[i]);
        }
    having_ = above_groups(having_);
    check_grouped(having_);
    for (GatheredCall& call : scope_->windows) {
        call.call = above_groups(call.call);
        check_grouped(call.call);
    }
    for (GatheredCall& call : scope_->set_functions) {
        call.call = above_groups(call.call);
        check_grouped(call.call);
    }
    for (WindowDefinition& window : scope_->window_definitions) {
        for (BoundExpr*& expr : window.partition) check_grouped(expr = above_groups(expr));
        for (SortKey& key : window.order) check_grouped(key.expr = above_groups(key.expr));
    }
    std::vector<PlanColumn> groupings;
    for (const GatheredCall& call : scope_->groupings) groupings.push_back({call.id, grouping_value(*call.call)});
    Plan* plan = b.pool_.plan(PlanKind::aggregate);
    plan->left = input;
    plan->groups = grouping_.groups;
    plan->grouping_sets = grouping_.sets;
    plan->grouping_id = grouping_id_;
    for (const PlanColumn& group : plan->groups) plan->output.push_back(group.id);
    for (const GatheredCall& call : scope_->aggregates) {
        plan->columns.push_back({call.id, call.call});
        plan->output.push_back(call.id);
    }
    if (grouping_id_ != k_no_column) plan->output.push_back(grouping_id_);
    plan->rows = plan->groups.empty() ? 1 : std::max(1.0, input->rows / 4);
    if (!groupings.empty()) plan = with_columns(plan, groupings);
    if (having_ == nullptr) return plan;
    Plan* filter = b.pool_.plan(PlanKind::filter);
    filter->left = plan;
    filter->output = plan->output;
    filter->rows = plan->rows / 2;
    split_conjuncts(having_, filter->conditions);
    return filter;
}

}  // namespace northstar::inline v0::sql
