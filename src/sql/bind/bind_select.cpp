// SELECT: targets, grouping, windows, DISTINCT, ORDER BY; the operators they become, from FROM upwards.
#include "sql/bind/binder.hpp"
#include "sql/compare.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <charconv>

namespace northstar::inline v0::sql {

using syntax::ExprKind;

namespace bind_select {

/// What GROUP BY asks for: expressions, and which of them belong to each grouping set.
struct Grouping {
    std::vector<PlanColumn> groups;
    std::vector<std::vector<std::size_t>> sets;
    bool plain = true;  ///< one set of all groups
};

using Sets = std::vector<std::vector<std::size_t>>;

/// All pairs of a set of one list and a set of the other.
Sets cross(const Sets& a, const Sets& b) {
    Sets out;
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

}  // namespace bind_select

/// The SELECT that is being bound: the steps share its scope and its parts.
class SelectSteps {
public:
    SelectSteps(Binder& binder, const syntax::Query& query) : binder_(binder), query_(query) {}

    BoundQuery run(bool resolve_unknowns);

private:
    void bind_groups();
    std::size_t group_place(const syntax::Expr& node);
    bind_select::Sets group_sets(const syntax::Expr& node);
    BoundExpr* group_expr(const syntax::Expr& node);
    void add_dependent_columns();
    void check_grouped(BoundExpr* expr);
    BoundExpr* above_groups(BoundExpr* expr);
    Plan* grouped_sets(Plan* input);
    Plan* with_columns(Plan* input, const std::vector<PlanColumn>& more);
    Plan* aggregate_plan(Plan* input);
    BoundExpr* grouping_value(const BoundExpr& call);
    void bind_order();
    void bind_distinct();
    std::size_t hidden_target(BoundExpr* expr);
    void add_row_keys();
    Plan* window_plan(Plan* input);
    Plan* output_plan(Plan* input);
    bool uses_sets(BoundExpr* expr) const;
    bool sets_come_late() const;
    void choose_late_targets();
    Plan* with_sets(Plan* input);
    std::vector<PlanColumn> early_columns(const Plan& input, const std::vector<PlanColumn>& columns);
    std::string describe(const BoundExpr& column) const;

    Binder& binder_;
    const syntax::Query& query_;
    Scope* scope_ = nullptr;
    std::vector<Binder::TargetItem> targets_;  // visible ones first, then those that only ORDER BY needs
    std::size_t visible_ = 0;
    BoundExpr* having_ = nullptr;
    bool grouped_ = false;
    bind_select::Grouping grouping_;
    ColumnId grouping_id_ = k_no_column;
    struct OrderItem {
        std::size_t target;
        SortKey key;
    };
    std::vector<OrderItem> order_;
    std::vector<std::size_t> distinct_on_;
    std::set<std::size_t> late_;  // targets that are computed for rows in order
    std::vector<ColumnId> target_ids_;
    std::vector<std::pair<Oid, std::size_t>> row_keys_;  // tables, and targets with the keys of their rows
    std::set<ColumnId> above_;  // columns that exist above the aggregation
    std::map<ColumnId, Oid> dependent_;  // of those, the ones that primary keys determine
};

BoundQuery Binder::select(const syntax::Query& syntax, bool resolve_unknowns) {
    return SelectSteps(*this, syntax).run(resolve_unknowns);
}

BoundQuery SelectSteps::run(bool resolve_unknowns) {
    Binder& b = binder_;
    const bool wants_row_keys = std::exchange(b.wants_row_keys_, false);
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
    Plan* plan = b.from_list(query_.from);
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
    if (query_.locking && (grouped_ || query_.distinct))
        raise_at(sqlstate::feature_not_supported,
                 grouped_ ? "FOR UPDATE is not allowed with aggregate functions"
                          : "FOR UPDATE is not allowed with DISTINCT clause",
                 query_.position);
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

// ---- grouping
// --------------------------------------------------------------------------------------------------------

/// A name in GROUP BY is a column of FROM, else an output column; a number is an output column.
BoundExpr* SelectSteps::group_expr(const syntax::Expr& node) {
    if (node.kind == ExprKind::integer) {
        std::size_t place = 0;
        const auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), place);
        if (error != std::errc() || place < 1 || place > visible_)
            raise_at(sqlstate::invalid_column_reference,
                     "GROUP BY position " + std::string(node.text) + " is not in select list", node.position);
        return targets_[place - 1].expr;
    }
    if (is_other_constant(node))
        raise_at(sqlstate::syntax_error, "non-integer constant in GROUP BY", node.position);
    if (node.kind == ExprKind::column && node.names.size() == 1) {
        bool in_from = false;
        for (const VisibleColumn& column : scope_->columns) in_from |= column.column.name == node.names[0];
        if (!in_from) {
            BoundExpr* found = nullptr;
            for (std::size_t i = 0; i < visible_; ++i) {
                if (targets_[i].name != node.names[0]) continue;
                if (found != nullptr && !same_expr(*found, *targets_[i].expr))
                    raise_at(sqlstate::ambiguous_column,
                             "GROUP BY \"" + targets_[i].name + "\" is ambiguous", node.position);
                found = targets_[i].expr;
            }
            if (found != nullptr) return found;
        }
    }
    return binder_.resolve_unknown(binder_.expr(node));
}

std::size_t SelectSteps::group_place(const syntax::Expr& node) {
    BoundExpr* expr = group_expr(node);
    for (const ColumnId id : used_columns(expr)) {
        for (const GatheredCall& call : scope_->aggregates)
            if (call.id == id)
                raise_at(sqlstate::grouping_error, "aggregate functions are not allowed in GROUP BY", node.position);
        for (const GatheredCall& call : scope_->windows)
            if (call.id == id)
                raise_at(sqlstate::windowing_error, "window functions are not allowed in GROUP BY", node.position);
    }
    binder_.require_order(expr->type, "equality", node.position);
    for (std::size_t i = 0; i < grouping_.groups.size(); ++i)
        if (same_expr(*grouping_.groups[i].expr, *expr)) return i;
    // A column of a query further out is a value here, as any expression is: the rows of groups have one of their own.
    bool own = expr->kind == BoundKind::column;
    if (const auto owner = binder_.column_scope_.find(expr->column); own && owner != binder_.column_scope_.end())
        own = owner->second == scope_;
    grouping_.groups.push_back({own ? expr->column : binder_.pool_.column(), expr});
    return grouping_.groups.size() - 1;
}

bind_select::Sets SelectSteps::group_sets(const syntax::Expr& node) {
    using namespace bind_select;
    if (node.kind == ExprKind::row && !node.flag) {
        std::vector<std::size_t> all;
        for (const syntax::Expr* item : node.args) {
            const bool list = item->kind == ExprKind::row && !item->flag;
            const Sets inner = list ? group_sets(*item) : Sets{{group_place(*item)}};
            all.insert(all.end(), inner[0].begin(), inner[0].end());
        }
        return {all};
    }
    if (node.kind != ExprKind::grouping_sets) return {{group_place(node)}};
    grouping_.plain = false;
    if (node.text == "sets") {
        Sets out;
        for (const syntax::Expr* item : node.args)
            for (auto& set : group_sets(*item)) out.push_back(std::move(set));
        return out;
    }
    std::vector<std::vector<std::size_t>> items;
    for (const syntax::Expr* item : node.args) {
        Sets inner = group_sets(*item);
        items.push_back(inner[0]);
    }
    Sets out;
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
    bind_select::Sets sets = {{}};
    for (const syntax::Expr* item : query_.group_by) sets = bind_select::cross(sets, group_sets(*item));
    if (query_.group_distinct) {
        bind_select::Sets distinct;
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

/// Columns of a table whose primary key is grouped by depend on it.
void SelectSteps::add_dependent_columns() {
    if (!grouping_.plain) return;
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
                             grouping_.groups[i].expr->kind == BoundKind::column;
            whole = whole && found;
        }
        if (!whole) continue;
        for (const ScopeColumn& column : relation.columns) {
            bool known = false;
            for (const PlanColumn& group : grouping_.groups) known |= group.id == column.id;
            if (known) continue;
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

/// The expression as it reads above the aggregation: grouped expressions become columns.
BoundExpr* SelectSteps::above_groups(BoundExpr* expr) {
    if (expr == nullptr) return nullptr;
    for (const PlanColumn& group : grouping_.groups) {
        if (!same_expr(*group.expr, *expr)) continue;
        if (expr->kind == BoundKind::column && expr->column == group.id) return expr;
        if (expr->kind == BoundKind::constant && expr->args.empty() && grouping_.plain) return expr;
        BoundExpr* column = binder_.pool_.expr(BoundKind::column, expr->type);
        column->column = group.id;
        column->typmod = expr->typmod;
        column->declared = expr->declared;
        column->position = expr->position;
        return column;
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
        for (std::size_t i = 0; i < grouping_.groups.size(); ++i)
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
    std::set<ColumnId> used;
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
    for (Binder::TargetItem& target : targets_) {
        target.expr = above_groups(target.expr);
        check_grouped(target.expr);
    }
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
        (scope_->relations.size() != 1 && !query_.locking))
        return;
    Binder& b = binder_;
    for (ScopeRelation& relation : scope_->relations) {
        if (relation.scan == nullptr || relation.scan->kind != PlanKind::scan || relation.nullable) continue;
        BoundExpr* key = b.pool_.expr(BoundKind::column, type::bytea);
        key->column = b.pool_.column();
        b.note_scope(key->column, scope_);
        relation.scan->scan_columns.push_back({hidden_row_key, key->column});
        relation.scan->output.push_back(key->column);
        row_keys_.emplace_back(relation.scan->relation->oid, hidden_target(key));
    }
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
    const std::set<ColumnId> used = used_columns(expr);
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
    std::set<ColumnId> needed, made;
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
    std::set<ColumnId> taken;
    for (const Binder::TargetItem& target : targets_) {
        // A column of a row further out is produced anew here: under its own number it would hide the outer one.
        const bool own = target.expr->kind == BoundKind::column && produces(*input, target.expr->column);
        ColumnId id = own ? target.expr->column : b.pool_.column();
        if (!taken.insert(id).second) id = b.pool_.column();
        columns.push_back({id, target.expr});
        target_ids_.push_back(id);
    }
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
