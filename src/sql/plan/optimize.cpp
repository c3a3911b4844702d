#include "sql/plan/optimize.hpp"

#include "sql/compare.hpp"
#include "sql/plan/access_path.hpp"
#include "sql/plan/change_columns.hpp"
#include "sql/plan/conditions_below.hpp"
#include "sql/plan/count_rows.hpp"
#include "sql/plan/deciding_groups.hpp"
#include "sql/plan/distinct_values.hpp"
#include "sql/plan/equal_values.hpp"
#include "sql/plan/exists_members.hpp"
#include "sql/plan/extremes.hpp"
#include "sql/plan/first_rows.hpp"
#include "sql/plan/grouped_subquery.hpp"
#include "sql/plan/implied_conditions.hpp"
#include "sql/plan/index_order.hpp"
#include "sql/plan/index_terms.hpp"
#include "sql/plan/inline_with.hpp"
#include "sql/plan/join_order.hpp"
#include "sql/plan/join_size.hpp"
#include "sql/plan/locked_rows.hpp"
#include "sql/plan/order_below.hpp"
#include "sql/plan/prefix_range.hpp"
#include "sql/plan/prune_columns.hpp"
#include "sql/plan/row_range.hpp"
#include "sql/plan/semi_join.hpp"
#include "sql/plan/ties.hpp"
#include "sql/plan/union_limit.hpp"
#include "sql/plan/value_list.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace northstar::inline v0::sql {

namespace optimize_plan {

class Optimizer {
public:
    explicit Optimizer(BoundPool& pool) : pool_(pool) {}

    Plan* run(Plan* plan) {
        Plan* const outer = joins_.look_into(plan);
        std::vector<BoundExpr*> nothing;
        plan = push_down(plan, nothing);
        subqueries(*plan);
        joins_.look_into(outer);
        return plan;
    }

    void expression(BoundExpr* expr, double rows) {
        asked_ = rows;
        inside(expr);
    }

private:
    /// Conditions that go no further down. Those with subqueries that can be asked for all rows at once come last.
    Plan* filter(Plan* plan, std::vector<BoundExpr*> conditions) {
        std::vector<GroupedSubquery> grouped;
        std::erase_if(conditions, [&](BoundExpr* condition) {
            std::optional<GroupedSubquery> found = grouped_subquery(condition, *plan, pool_);
            if (found) grouped.push_back(std::move(*found));
            return found.has_value();
        });
        plan = plain_filter(plan, std::move(conditions));
        for (GroupedSubquery& found : grouped) {
            if (plan->rows < found.outer_rows_worth) {
                plan = plain_filter(plan, {found.original});
                continue;
            }
            std::vector<BoundExpr*> nothing;
            Plan* const groups = push_down(found.groups, nothing);
            groups->rows = std::max(1.0, groups->left->rows / 4);
            plan = join_groups(found, plan, groups, pool_);
        }
        return plan;
    }

    Plan* plain_filter(Plan* plan, std::vector<BoundExpr*> conditions) {
        if (conditions.empty()) return plan;
        Plan* node = pool_.plan(PlanKind::filter);
        node->left = plan;
        node->output = plan->output;
        node->rows = std::max(1.0, plan->rows / 3);
        node->conditions = std::move(conditions);
        return node;
    }

    static bool within(BoundExpr* condition, const Plan& plan, const ColumnSet& elsewhere) {
        static_cast<void>(plan);
        for (const ColumnId id : used_columns(condition))
            if (elsewhere.count(id) != 0) return false;
        return true;
    }

    /// Moves conditions (of the operators above) as far down as their columns allow; what remains becomes a filter.
    Plan* push_down(Plan* plan, std::vector<BoundExpr*> conditions) {
        std::optional<FirstRows> wanted = std::exchange(first_rows_, std::nullopt);
        switch (plan->kind) {
            case PlanKind::filter: {
                Plan* below = plan->left;
                for (BoundExpr* condition : plan->conditions) {
                    if (Plan* join = semi_join(condition, below, pool_)) below = join;
                    else if (Plan* const looked_up =
                                 wanted ? members_join(condition, below, wanted->rows, pool_) : nullptr)
                        below = looked_up;
                    else conditions.push_back(condition);
                }
                first_rows_ = std::move(wanted);
                return push_down(below, std::move(conditions));
            }
            case PlanKind::join: return push_into_join(plan, std::move(conditions), wanted);
            case PlanKind::scan: {
                std::vector<BoundExpr*> last;
                for (BoundExpr* condition : conditions)
                    (grouped_subquery(condition, *plan, pool_) ? last : plan->conditions).push_back(condition);
                for (BoundExpr*& condition : plan->conditions) condition = as_value_list(condition, pool_);
                raw_.emplace(plan, plan->rows);
                choose_access_path_by_prefix(*plan);
                if (Plan* join = look_up_members(*plan)) return filter(join, std::move(last));
                // Versions are found by whole keys at most, and every condition is checked above.
                if (plan->versions.present) plan = filter(plan, std::exchange(plan->conditions, {}));
                return filter(plan, std::move(last));
            }
            case PlanKind::project: {
                // A condition on columns that the projection passes through goes below it.
                std::vector<BoundExpr*> below, above;
                for (BoundExpr* condition : conditions)
                    if (passes(*plan, condition)) below.push_back(condition);
                    else if (BoundExpr* const moved = moved_below(*plan, condition, pool_)) below.push_back(moved);
                    else above.push_back(condition);
                if (wanted && above.empty() && move_below(*plan, wanted->keys)) first_rows_ = std::move(wanted);
                plan->left = push_down(plan->left, std::move(below));
                plan->rows = plan->left->rows;
                leave_out_unread(*plan->left, *plan);
                return filter(hands_on(*plan) ? plan->left : plan, std::move(above));
            }
            case PlanKind::sort:
                if (wanted) first_rows_ = FirstRows{wanted->rows, plan->keys};
                plan->left = push_down(plan->left, std::move(conditions));
                plan->rows = plan->left->rows;
                if (Plan* ordered = ordered_input(*plan, 0)) return ordered;
                if (wanted && wanted->rows * k_times_wanted < plan->rows) return sort_for_few(plan, wanted->rows);
                return plan;
            case PlanKind::lock_rows: {
                // Rows that are not shown are not locked.
                std::vector<BoundExpr*> below, above;
                for (BoundExpr* condition : conditions)
                    (is_volatile_inside(condition) ? above : below).push_back(condition);
                if (above.empty()) first_rows_ = std::move(wanted);
                plan->left = push_down(plan->left, std::move(below));
                check_locked_rows(*plan);
                plan->rows = plan->left->rows;
                return filter(plan, std::move(above));
            }
            case PlanKind::limit: {
                std::vector<BoundExpr*> nothing;
                const double first = rows_wanted(*plan);
                if (first > 0) first_rows_ = FirstRows{first, {}};
                plan->left = push_down(plan->left, nothing);
                const bool few = plan->limit != nullptr && (plan->limit->kind == BoundKind::parameter ||
                                                            rows_paid_for(*plan, first) * k_times_wanted <
                                                                plan->left->rows);
                Plan*& input = plan->left->kind == PlanKind::lock_rows ? plan->left->left : plan->left;
                if (input->kind == PlanKind::sort && few) {
                    input = sort_for_few(input, first);
                    if (input->kind == PlanKind::sort && input == plan->left)
                        limit_branches(*plan, *input, first, pool_, &sort_for_few);
                }
                tell_scan(*plan);
                return filter(plan, std::move(conditions));
            }
            case PlanKind::aggregate: {
                find_deciding_groups(*plan);
                // Conditions on group columns select groups as a whole.
                std::vector<BoundExpr*> below, above;
                for (BoundExpr* condition : conditions) {
                    bool groups_only = plan->grouping_sets.empty() && !plan->groups.empty() && !is_volatile(condition);
                    for (const ColumnId id : used_columns(condition)) {
                        bool group = false;
                        for (const PlanColumn& column : plan->groups)
                            group |= column.id == id && column.expr->kind == BoundKind::column &&
                                     column.expr->column == id;
                        if (produces(*plan, id) && !group) groups_only = false;
                    }
                    (groups_only ? below : above).push_back(condition);
                }
                const auto order = wanted ? order_below(*plan, *wanted) : std::nullopt;
                plan->left = push_down(plan->left, std::move(below));
                plan->rows = grouped_rows(*plan, raw_);
                count_rows(*plan);
                aggregate_values_once(*plan, pool_);
                if (Plan* extremes = extremes_by_index(*plan, pool_)) plan = extremes;
                else if (order) read_below_in_order(*plan, *order, *wanted, pool_);
                read_extremes_of_groups(*plan);
                return filter(plan, std::move(above));
            }
            case PlanKind::window:
            case PlanKind::distinct: {
                std::vector<BoundExpr*> below, above;
                for (BoundExpr* condition : conditions)
                    (selects_whole_sets(*plan, condition) ? below : above).push_back(condition);
                // The sort that DISTINCT ON takes its rows from has its own order.
                const bool sorted = plan->kind == PlanKind::distinct && plan->left->kind == PlanKind::sort;
                const auto order = wanted && !sorted ? order_below(*plan, *wanted) : std::nullopt;
                if (wanted && (sorted || order))
                    first_rows_ = FirstRows{wanted->rows, sorted ? std::vector<SortKey>() : *order};
                plan->left = push_down(plan->left, std::move(below));
                if (plan->kind == PlanKind::window) plan->rows = plan->left->rows;
                if (order) read_below_in_order(*plan, *order, *wanted, pool_);
                if (plan->kind == PlanKind::distinct) read_values_once(*plan);
                return filter(plan, std::move(above));
            }
            case PlanKind::cte_scan:
                if (reruns_ == 0)
                    if (Plan* const inlined = inlined_with(*plan, pool_))
                        return push_down(inlined, std::move(conditions));
                return filter(plan, std::move(conditions));
            case PlanKind::set_operation:
                return filter(plan, push_into_union(*plan, conditions));
            default: {
                std::vector<BoundExpr*> nothing;
                if (plan->left != nullptr) plan->left = push_down(plan->left, nothing);
                if (plan->kind == PlanKind::recursive_union)
                    expect_rounds(*plan->right, plan->working_table, plan->left->rows * k_round_growth);
                reruns_ += plan->kind == PlanKind::recursive_union;
                if (plan->right != nullptr) plan->right = push_down(plan->right, nothing);
                reruns_ -= plan->kind == PlanKind::recursive_union;
                return filter(plan, std::move(conditions));
            }
        }
    }

    /// So many times more rows than a recursion begins with are in its working table, as PostgreSQL supposes.
    static constexpr double k_round_growth = 10;

    static void expect_rounds(Plan& step, int working_table, double rows) {
        if (step.kind == PlanKind::working_scan && step.working_table == working_table) step.rows = rows;
        for (Plan* below : {step.left, step.right})
            if (below != nullptr) expect_rounds(*below, working_table, rows);
    }

    /// The sort of which few rows are wanted, or its input where that can be read in order.
    static Plan* sort_for_few(Plan* sort, double few) {
        if (sort->ordered_keys > 0 || read_members_in_order(*sort->left, sort->keys, few, true)) return sort;
        if (Plan* ordered = ordered_input(*sort, few)) return ordered;
        sort->ordered_keys = read_partly_in_order(*sort->left, sort->keys, few);
        if (sort->ordered_keys == 0) read_members_in_order(*sort->left, sort->keys, few, false);
        return sort;
    }

    /// Conditions on the rows of a UNION ALL are conditions on the rows of its branches. The others are handed back.
    std::vector<BoundExpr*> push_into_union(Plan& plan, const std::vector<BoundExpr*>& conditions) {
        std::vector<BoundExpr*> above, left, right;
        const bool all = plan.set == SetKind::union_ && plan.all;
        for (BoundExpr* condition : conditions) {
            if (!all || is_volatile(condition) || has_subquery(condition)) {
                above.push_back(condition);
                continue;
            }
            left.push_back(renamed(*condition, plan.output, plan.left->output, pool_));
            right.push_back(renamed(*condition, plan.output, plan.right->output, pool_));
        }
        plan.left = push_down(plan.left, std::move(left));
        plan.right = push_down(plan.right, std::move(right));
        switch (plan.set) {
            case SetKind::union_: plan.rows = plan.left->rows + plan.right->rows; break;
            case SetKind::intersect: plan.rows = std::min(plan.left->rows, plan.right->rows); break;
            case SetKind::except: plan.rows = plan.left->rows; break;
        }
        return above;
    }

    /// Where a column that LIKE asks for stands in an index, with the range that the pattern begins with; and so with
    /// the first elements of rows that are compared.
    void choose_access_path_by_prefix(Plan& scan) {
        std::vector<BoundExpr*> implied;
        const auto imply = [&](const std::vector<BoundExpr*>& range) {
            if (range.empty() || range[0] == nullptr) return;
            const int term = term_of(scan, *range[0]->args[0]);
            if (term != k_no_term && is_indexed(scan, term))
                implied.insert(implied.end(), range.begin(), range.end());
        };
        for (const BoundExpr* condition : scan.conditions) {
            imply(prefix_range(*condition, pool_));
            for (const bool turned : {false, true}) imply({row_range(*condition, turned, pool_)});
        }
        scan.conditions.insert(scan.conditions.end(), implied.begin(), implied.end());
        choose_access_path(scan);
        continue_row_ranges(scan);
        std::erase_if(scan.conditions, [&](const BoundExpr* condition) {
            if (std::find(implied.begin(), implied.end(), condition) == implied.end()) return false;
            return condition->args[1] != scan.access.low && condition->args[1] != scan.access.high;
        });
    }

    /// column IN (subquery), where that gives few rows and the table has an index on the column: each of them is looked
    /// up. Null: it is not worth it.
    Plan* look_up_members(const Plan& scan) {
        if (!scan.reads_all()) return nullptr;
        for (BoundExpr* condition : scan.conditions) {
            if (condition->kind != BoundKind::in_query || condition->negated || condition->args.size() != 1) continue;
            BoundExpr* const left = condition->args[0];
            const OperatorEntry* const operation = condition->operators[0];
            if (operation->comparison != Comparison::equal || operation->left != operation->right ||
                operation->left != left->type || column_of(*left) == nullptr || is_volatile(condition))
                continue;
            const ColumnSet outer = free_columns(*condition->subquery);
            if (std::any_of(outer.begin(), outer.end(), [&](ColumnId id) { return produces(scan, id); })) continue;
            inside(condition);
            Plan* const members = pool_.plan(PlanKind::distinct);
            members->left = condition->subquery;
            members->output = members->left->output;
            members->rows = members->left->rows;
            BoundExpr* const member = pool_.expr(BoundKind::column, left->type);
            member->column = members->output[0];
            members->distinct_on = {member};
            Plan* const rest = pool_.plan(PlanKind::scan);
            *rest = scan;
            std::erase(rest->conditions, condition);
            rest->rows = joins_.raw(&scan);
            raw_.emplace(rest, rest->rows);
            choose_access_path(*rest);
            BoundExpr* const equal = pool_.expr(BoundKind::operation, type::boolean);
            equal->operation = operation;
            equal->args = {left, member};
            Plan* const join = pool_.plan(PlanKind::join);
            *join = joined(members, rest, std::max(1.0, std::min(scan.rows, members->rows)));
            join->conditions = {equal};
            if (joins_.look_up_instead(*join)) return join;
        }
        return nullptr;
    }

    // ---- joins ----

    struct Inputs {
        std::vector<Plan*> plans;
        std::vector<BoundExpr*> conditions;
    };

    /// The inputs of a tree of inner joins without LATERAL.
    void flatten(Plan* plan, Inputs& inputs) {
        if (plan->kind == PlanKind::join && plan->join == JoinType::inner && !plan->lateral) {
            flatten(plan->left, inputs);
            flatten(plan->right, inputs);
            for (BoundExpr* condition : plan->conditions) inputs.conditions.push_back(condition);
        } else if (plan->kind == PlanKind::filter && plan->left->kind == PlanKind::join) {
            flatten(plan->left, inputs);
            for (BoundExpr* condition : plan->conditions) inputs.conditions.push_back(condition);
        } else {
            inputs.plans.push_back(plan);
        }
    }

    Plan* push_into_join(Plan* plan, std::vector<BoundExpr*> conditions, const std::optional<FirstRows>& wanted) {
        if (plan->join != JoinType::inner || plan->lateral) return push_into_outer(plan, std::move(conditions), wanted);
        Inputs inputs;
        flatten(plan, inputs);
        for (BoundExpr* condition : conditions) inputs.conditions.push_back(condition);
        settle_equalities(inputs.conditions, inputs.conditions, pool_);
        const std::vector<BoundExpr*> implied = implied_conditions(inputs.conditions, inputs.plans, pool_);
        inputs.conditions.insert(inputs.conditions.end(), implied.begin(), implied.end());
        std::vector<BoundExpr*> rest, last;
        std::vector<std::vector<BoundExpr*>> own(inputs.plans.size());
        Plan all;
        for (const Plan* input : inputs.plans)
            all.output.insert(all.output.end(), input->output.begin(), input->output.end());
        for (BoundExpr* condition : inputs.conditions) {
            const int only = only_input(inputs, condition);
            if (only >= 0 && !is_volatile(condition)) own[static_cast<std::size_t>(only)].push_back(condition);
            else (grouped_subquery(condition, all, pool_) ? last : rest).push_back(condition);
        }
        for (std::size_t i = 0; i < inputs.plans.size(); ++i)
            inputs.plans[i] = push_down(inputs.plans[i], std::move(own[i]));
        if (wanted && last.empty())
            if (Plan* const few = joins_.join_for_few(inputs.plans, rest, *wanted)) return few;
        Plan* const join = joins_.join(inputs.plans, rest);
        return filter(filter(join, std::move(rest)), std::move(last));
    }

    static int only_input(const Inputs& inputs, BoundExpr* condition) {
        int only = -1;
        bool uses = false;
        for (const ColumnId id : used_columns(condition))
            for (std::size_t i = 0; i < inputs.plans.size(); ++i) {
                if (!produces(*inputs.plans[i], id)) continue;
                if (uses && only != static_cast<int>(i)) return -1;
                uses = true;
                only = static_cast<int>(i);
            }
        // A condition on nothing but outer columns and constants is checked at the first input.
        return uses ? only : inputs.plans.empty() ? -1 : 0;
    }

    /// Outer, semi and lateral joins: conditions of the side that is kept whole go down; of the other side those of ON.
    Plan* push_into_outer(Plan* plan, std::vector<BoundExpr*> conditions, const std::optional<FirstRows>& wanted) {
        if (plan->join == JoinType::left && !plan->lateral) {
            if (rejects_nulls(*plan, conditions)) {
                plan->join = JoinType::inner;
                return push_into_join(plan, std::move(conditions), wanted);
            }
            become_anti_join(*plan, conditions);
        }
        std::vector<BoundExpr*> left, right, above, on;
        const ColumnSet left_columns(plan->left->output.begin(), plan->left->output.end());
        const ColumnSet right_columns(plan->right->output.begin(), plan->right->output.end());
        for (BoundExpr* condition : conditions) {
            const bool to_left = plan->join != JoinType::full && !is_volatile(condition) &&
                                 within(condition, *plan, right_columns);
            (to_left ? left : above).push_back(condition);
        }
        if (!plan->lateral && plan->join != JoinType::inner && plan->join != JoinType::full)
            settle_by_left(*plan, left);
        for (BoundExpr* condition : plan->conditions) {
            const bool of_right = plan->join != JoinType::full && !is_volatile(condition) && !plan->lateral &&
                                  within(condition, *plan, left_columns);
            (of_right ? right : on).push_back(condition);
        }
        plan->conditions = std::move(on);
        const bool reruns = plan->lateral;
        reruns_ += reruns;
        plan->right = push_down(plan->right, std::move(right));
        reruns_ -= reruns;
        std::optional<JoinOrder::FewLeft> few;
        if (wanted && above.empty()) few = joins_.left_rows_for_few(*plan, *wanted);
        if (few) first_rows_ = few->rows;
        plan->left = push_down(plan->left, std::move(left));
        const bool one_side = plan->join == JoinType::semi || plan->join == JoinType::anti;
        if (one_side) plan->rows = std::max(1.0, plan->left->rows / 2);
        else if (plan->join == JoinType::left && !plan->lateral)
            plan->rows = std::max(plan->left->rows, joined_rows(*plan->left, *plan->right, plan->conditions, raw_));
        if (few && wanted->rows * k_times_wanted < plan->rows && price_in_order(*plan->left, few->rows)) {
            *plan->right = std::move(few->look_up.scan);
            plan->lateral = true;
        }
        if (plan->join != JoinType::full && !plan->lateral && !joins_.look_up_instead(*plan)) hash_fewer_rows(*plan);
        return filter(plan, std::move(above));
    }

    /// What the conditions of the left side fix is fixed on the right one as well, as long as something ties them.
    void settle_by_left(Plan& join, const std::vector<BoundExpr*>& left) {
        std::vector<BoundExpr*> settled = join.conditions;
        settle_equalities(settled, left, pool_);
        if (std::any_of(settled.begin(), settled.end(),
                        [&](BoundExpr* condition) { return is_tie(condition, *join.left, *join.right); }))
            join.conditions = std::move(settled);
    }

    /// The hash table is made of the right side.
    static void hash_fewer_rows(Plan& join) {
        const auto is_hashed = [&](BoundExpr* condition) {
            return is_tie(condition, *join.left, *join.right) && !is_volatile(condition);
        };
        if (join.join != JoinType::left || join.left->rows >= join.right->rows ||
            std::none_of(join.conditions.begin(), join.conditions.end(), is_hashed))
            return;
        std::swap(join.left, join.right);
        join.join = JoinType::right;
    }

    /// A condition above a left join that is never true for NULLs of the right side drops the rows that it fills up.
    static bool rejects_nulls(const Plan& join, const std::vector<BoundExpr*>& conditions) {
        for (BoundExpr* condition : conditions) {
            const bool is_there = condition->kind == BoundKind::is_null && condition->negated &&
                                  !may_be_record(condition->args[0]->type);
            if (!is_there && (condition->kind != BoundKind::operation || !condition->operation->strict)) continue;
            for (const BoundExpr* arg : condition->args)
                if (arg->kind == BoundKind::column && produces(*join.right, arg->column)) return true;
        }
        return false;
    }

    // ---- subqueries ----

    void subqueries(Plan& plan) {
        if (plan.left != nullptr) subqueries(*plan.left);
        if (plan.right != nullptr) subqueries(*plan.right);
        if (plan.common != nullptr && plan.common->plan != nullptr && seen_.insert(plan.common.get()).second) {
            const int reruns = std::exchange(reruns_, 0);
            plan.common->plan = run(plan.common->plan);
            reruns_ = reruns;
        }
        const double outer = std::exchange(asked_, plan.left != nullptr ? plan.left->rows : joins_.raw(&plan));
        each_expr(plan, [&](BoundExpr*& expr) { inside(expr); });
        asked_ = outer;
    }

    void inside(BoundExpr* expr) {
        walk_expr(expr, [&](BoundExpr& node) {
            ask_for_members(node, asked_, pool_);
            if (node.subquery != nullptr && done_.insert(node.subquery).second) {
                Plan* before = node.subquery;
                ++reruns_;
                node.subquery = run(node.subquery);
                --reruns_;
                done_.insert(node.subquery);
                // Its columns are read by their place in the old output.
                if (node.subquery->output != before->output) {
                    std::vector<ColumnId> wanted = before->output;
                    node.subquery->output = wanted;
                }
            }
            return true;
        });
    }

    BoundPool& pool_;
    WholeRows raw_;
    JoinOrder joins_{pool_, raw_};
    std::optional<FirstRows> first_rows_;  ///< of the plan that is pushed down next
    int reruns_ = 0;    ///< so many times over, what is below may run more than once for each run of the statement
    double asked_ = 1;  ///< so often the expression is evaluated that is being looked into
    std::set<Plan*> done_;
    std::set<CommonTablePlan*> seen_;
};

}  // namespace optimize_plan

Plan* optimize(Plan* plan, BoundPool& pool) {
    pool.forget_arguments_of_constants();
    plan = optimize_plan::Optimizer(pool).run(plan);
    prune_columns(*plan);
    return plan;
}

void optimize(Plan*& query, const std::vector<BoundChange*>& changes, const Catalog& catalog, BoundPool& pool) {
    pool.forget_arguments_of_constants();
    optimize_plan::Optimizer optimizer(pool);
    if (query != nullptr) query = optimizer.run(query);
    for (BoundChange* change : changes) {
        change->source = optimizer.run(change->source);
        const double rows = change->source->rows;
        for (ColumnAssignment& assignment : change->assignments) optimizer.expression(assignment.value, rows);
        for (BoundExpr* expr : change->returning) optimizer.expression(expr, rows);
    }
    for (BoundChange* change : changes) {
        leave_out_unread(*change, catalog);
        prune_columns(*change->source);
    }
    if (query != nullptr) prune_columns(*query);
}

}  // namespace northstar::inline v0::sql
