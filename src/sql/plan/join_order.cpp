#include "sql/plan/join_order.hpp"

#include "sql/plan/access_path.hpp"
#include "sql/plan/index_groups.hpp"
#include "sql/plan/index_only.hpp"
#include "sql/plan/index_order.hpp"
#include "sql/plan/index_terms.hpp"
#include "sql/plan/selectivity.hpp"
#include "sql/plan/ties.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace northstar::inline v0::sql {

namespace join_order_file {

constexpr double k_much_less = 0.5;  // estimates are rough, and small inputs lead to few rows at first

bool is_equality(const BoundExpr* condition) {
    return condition->kind == BoundKind::operation && condition->operation->comparison == Comparison::equal &&
           condition->args.size() == 2;
}

bool is_comparison(const BoundExpr* condition) {
    return condition->kind == BoundKind::operation && condition->args.size() == 2 &&
           condition->operation->comparison != Comparison::none;
}

bool connects(const ColumnSet& have, const Plan& next, BoundExpr* condition) {
    if (!is_equality(condition)) return false;
    bool left = false, right = false;
    for (const ColumnId id : used_columns(condition)) {
        if (have.count(id) != 0) left = true;
        else if (produces(next, id)) right = true;
    }
    return left && right;
}

/// Those of the conditions that compare a column of one side with one of the other.
std::vector<BoundExpr*> between(const ColumnSet& have, const Plan& next,
                                const std::vector<BoundExpr*>& conditions) {
    std::vector<BoundExpr*> found;
    for (BoundExpr* condition : conditions)
        if (connects(have, next, condition)) found.push_back(condition);
    return found;
}

/// Takes the conditions that need none of these inputs.
std::vector<BoundExpr*> take_ready(std::vector<BoundExpr*>& conditions, const std::vector<Plan*>& inputs) {
    std::vector<BoundExpr*> ready, later;
    for (BoundExpr* condition : conditions) {
        const ColumnSet used = used_columns(condition);
        const bool waits = std::any_of(inputs.begin(), inputs.end(), [&](const Plan* input) {
            return std::any_of(used.begin(), used.end(), [&](ColumnId id) { return produces(*input, id); });
        });
        (waits ? later : ready).push_back(condition);
    }
    conditions = std::move(later);
    return ready;
}

Plan* take(std::vector<Plan*>& inputs, std::size_t at) {
    Plan* const input = inputs[at];
    inputs.erase(inputs.begin() + static_cast<std::ptrdiff_t>(at));
    return input;
}

/// Columns that operators read; those that a projection hands on are read where somebody above names them.
void read_columns(Plan& plan, ColumnSet& read) {
    each_expr(plan, [&](BoundExpr*& expr) {
        if (plan.kind == PlanKind::project && expr->kind == BoundKind::column &&
            std::any_of(plan.columns.begin(), plan.columns.end(), [&](const PlanColumn& column) {
                return column.expr == expr && column.id == expr->column;
            }))
            return;
        used_columns(expr, read);
    });
    if (plan.kind == PlanKind::set_operation || plan.kind == PlanKind::recursive_union)
        for (const Plan* side : {plan.left, plan.right}) read.insert(side->output.begin(), side->output.end());
    for (Plan* below : {plan.left, plan.right})
        if (below != nullptr) read_columns(*below, read);
}

/// Is it only supposed how many rows the values of a path's first columns have, since ANALYZE does not know them?
bool is_supposed(const Plan& scan) {
    const AccessPath& path = scan.access;
    const auto number = static_cast<std::size_t>(path.index);
    const Index& index = scan.relation->indexes[number];
    if (!path.members.empty() || path.skipped > 0 || (index.unique && path.equal.size() == index.columns.size()))
        return false;
    for (std::size_t i = 0; i < path.equal.size(); ++i)
        if (statistics_of(scan, term_of(scan, number, i)) == nullptr) return true;
    return false;
}

/// While it lives, the rows of a plan before conditions are known.
struct Known {
    Known(WholeRows& all, const Plan* of, double rows) : raw(all), plan(of), added(all.emplace(of, rows).second) {}
    ~Known() {
        if (added) raw.erase(plan);
    }
    WholeRows& raw;
    const Plan* plan;
    bool added;
};

}  // namespace join_order_file

Plan joined(Plan* left, Plan* right, double rows) {
    Plan join;
    join.kind = PlanKind::join;
    join.left = left;
    join.right = right;
    join.output = left->output;
    join.output.insert(join.output.end(), right->output.begin(), right->output.end());
    join.rows = rows;
    return join;
}

Plan* JoinOrder::look_into(Plan* whole) {
    read_.reset();
    return std::exchange(whole_, whole);
}

bool JoinOrder::is_read_alone(const Plan& scan, const Index& index) const {
    if (!read_) {
        read_.emplace(whole_->output.begin(), whole_->output.end());
        join_order_file::read_columns(*whole_, *read_);
    }
    return std::all_of(scan.scan_columns.begin(), scan.scan_columns.end(), [&](const ScanColumn& column) {
        return read_->count(column.id) == 0 ||
               (column.place >= 0 && entry_place(*scan.relation, index, column.place).has_value());
    });
}

double JoinOrder::raw(const Plan* plan) const {
    const auto found = raw_.find(plan);
    return std::max(plan->rows, found == raw_.end() ? plan->rows : found->second);
}

/// Rows of a scan as it is; those that its conditions drop are read as well.
double JoinOrder::rows_read(const Plan& plan) const {
    return plan.kind == PlanKind::scan && !plan.reads_all() ? plan.rows : raw(&plan);
}

/// The input to be joined next: by an equality, so that the fewest rows are left; else the smallest one.
JoinOrder::Next JoinOrder::next_input(const Plan& plan, const ColumnSet& have,
                                      const std::vector<Plan*>& inputs,
                                      const std::vector<BoundExpr*>& conditions) const {
    Next next{inputs.size(), 0, false};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::vector<BoundExpr*> along = join_order_file::between(have, *inputs[i], conditions);
        if (along.empty()) continue;
        const double rows = joined_rows(plan, *inputs[i], along, raw_);
        if (next.connected && (rows > next.rows || (rows == next.rows && inputs[i]->rows >= inputs[next.input]->rows)))
            continue;
        next = {i, rows, true};
    }
    if (next.connected) return next;
    next.input = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i]->rows < inputs[next.input]->rows) next.input = i;
    next.rows = plan.rows * inputs[next.input]->rows;
    return next;
}

/// What joins cost in rows of a scan, one input after the other, where they begin with this one; no less than `most`:
/// so much at least.
double JoinOrder::cost_of_order(std::vector<Plan*> inputs, std::size_t first,
                                const std::vector<BoundExpr*>& conditions, double most) {
    std::vector<Plan> joins;
    joins.reserve(inputs.size());  // they stay where they are
    Plan* plan = join_order_file::take(inputs, first);
    ColumnSet have(plan->output.begin(), plan->output.end());
    double cost = rows_read(*plan);
    while (!inputs.empty() && cost < most) {
        const Next found = next_input(*plan, have, inputs, conditions);
        Plan* const next = join_order_file::take(inputs, found.input);
        joins.push_back(joined(plan, next, found.rows));
        joins.back().conditions = join_order_file::between(have, *next, conditions);
        const std::optional<double> look_up = cost_of_look_up(joins.back(), true, trial_);
        cost += look_up.value_or(rows_read(*next)) + found.rows;
        have.insert(next->output.begin(), next->output.end());
        raw_[&joins.back()] = std::max(raw(plan), raw(next));
        plan = &joins.back();
    }
    for (const Plan& join : joins) raw_.erase(&join);
    return cost;
}

/// The input to begin with: the smallest one, unless one of the next ones costs much less.
std::size_t JoinOrder::first_input(const std::vector<Plan*>& inputs, const std::vector<BoundExpr*>& conditions) {
    constexpr std::size_t k_tried = 4;
    std::vector<std::size_t> order(inputs.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return inputs[a]->rows < inputs[b]->rows; });
    if (inputs.size() < 3) return order[0];
    std::size_t first = order[0];
    double least = cost_of_order(inputs, first, conditions) * join_order_file::k_much_less;
    for (std::size_t i = 1; i < std::min(order.size(), k_tried); ++i) {
        const double cost = cost_of_order(inputs, order[i], conditions, least);
        if (cost >= least) continue;
        first = order[i];
        least = cost;
    }
    return first;
}

Plan* JoinOrder::join(std::vector<Plan*> inputs, std::vector<BoundExpr*>& conditions) {
    Plan* plan = join_order_file::take(inputs, first_input(inputs, conditions));
    ColumnSet have(plan->output.begin(), plan->output.end());
    while (!inputs.empty()) {
        const Next found = next_input(*plan, have, inputs, conditions);
        Plan* const next = join_order_file::take(inputs, found.input);
        Plan* const join = pool_.plan(PlanKind::join);
        *join = joined(plan, next, found.rows);
        have.insert(next->output.begin(), next->output.end());
        join->conditions = join_order_file::take_ready(conditions, inputs);
        raw_[join] = found.connected ? std::max(raw(plan), raw(next)) : join->rows;
        // The hash table is made of the right side.
        if (!look_up_instead(*join) && found.connected && next->rows > plan->rows) std::swap(join->left, join->right);
        plan = join;
    }
    return plan;
}

/// How many partners a row of the left side has in the right one, about.
double JoinOrder::partners(const Plan& join) const {
    const double left_rows = std::max(1.0, join.left->rows);
    return joined_rows(*join.left, *join.right, join.conditions, raw_) / left_rows;
}

/// How the right side is looked up, where it is a table with an index on what joins them; nothing: there is none, or
/// (where that `matters`) it costs less to read the table as a whole, once if an equality joins them, else for each
/// row.
std::optional<JoinOrder::LookUp> JoinOrder::find_look_up(const Plan& join, bool matters) const {
    LookUp look_up;
    const std::optional<double> cost = cost_of_look_up(join, matters, look_up.scan);
    if (!cost) return std::nullopt;
    look_up.cost = *cost;
    return look_up;
}

std::optional<double> JoinOrder::cost_of_look_up(const Plan& join, bool matters, Plan& trial) const {
    using namespace join_order_file;
    // In rows of a scan: of a range of keys, and of one row by its whole key, without a cursor and, in a table of so
    // many rows at most, without waiting for memory.
    constexpr double k_range = 30, k_row = 15, k_near_rows = 32768;
    // Rows between two ends, and on one side of one.
    constexpr double k_between = 0.005, k_side = 0.35;
    const Plan& scan = *join.right;
    if (scan.kind != PlanKind::scan || scan.versions.present || scan.sample >= 0 || scan.point == nullptr)
        return std::nullopt;
    const double left_rows = std::max(1.0, join.left->rows);
    const bool equality = std::any_of(join.conditions.begin(), join.conditions.end(), is_equality);
    const double whole = equality ? rows_read(scan) : left_rows * rows_read(scan);
    if (matters && left_rows * k_row >= whole) return std::nullopt;
    trial = scan;
    trial.access = AccessPath();
    trial.rows = raw(&scan);
    for (BoundExpr* condition : join.conditions)
        if (is_comparison(condition) && !has_subquery(condition) && !is_volatile(condition))
            trial.conditions.push_back(condition);
    choose_access_path(trial);
    const auto of_left = [&](BoundExpr* value) { return value != nullptr && uses_any(value, *join.left); };
    const AccessPath& path = trial.access;
    const bool by_key = std::any_of(path.equal.begin(), path.equal.end(), of_left);
    if (!by_key && (equality || (!of_left(path.low) && !of_left(path.high)))) return std::nullopt;
    const Index& index = scan.relation->indexes[static_cast<std::size_t>(trial.access.index)];
    double found = raw(&scan) * (path.low != nullptr && path.high != nullptr ? k_between : k_side);
    if (by_key) found = partners(join) * raw(&scan) / std::max(1.0, scan.rows);
    if (index.unique && path.equal.size() == index.columns.size()) found = std::min(found, 1.0);
    const bool one_side = join.join == JoinType::semi || join.join == JoinType::anti;
    if (one_side && by_key && trial.conditions.size() == path.equal.size()) {
        found = std::min(found, 1.0);
        trial.access.first_rows = 1;
    }
    const bool fetches = found > 0 && !index.holds_rows() && !is_read_alone(scan, index);
    const bool one_row =
        index.holds_rows() && path.equal.size() == index.columns.size() && raw(&scan) <= k_near_rows;
    const double look_up = (one_row ? k_row : k_range) * combinations_of(path);
    const auto cost_of = [&](double partners) {
        return left_rows * (look_up + partners * (fetches ? k_index_fetch : 1));
    };
    double cost = cost_of(found);
    // What was supposed is looked at in the index before it rules a look-up out.
    if (matters && cost >= whole && by_key && is_supposed(trial))
        if (const double seen = entries_of_a_group(trial, static_cast<std::size_t>(path.index), path.equal.size());
            seen > 0)
            cost = cost_of(std::min(found, seen));
    return matters && cost >= whole ? std::nullopt : std::optional(cost);
}

bool JoinOrder::look_up_instead(Plan& join) {
    std::optional<LookUp> look_up = find_look_up(join);
    if (!look_up) return false;
    // A condition between types that the index cannot use stays with the join alone.
    *join.right = std::move(look_up->scan);
    join.lateral = true;
    return true;
}

/// What it takes to begin with this input until so many rows are there; nothing: some partners cannot be looked up.
std::optional<JoinOrder::FewJoin> JoinOrder::few_join(std::vector<Plan*> inputs, std::size_t first,
                                                      std::vector<BoundExpr*> conditions, double few, double price) {
    FewJoin made{0, {join_order_file::take(inputs, first)}, {}, {}};
    std::deque<Plan> whole{*made.inputs[0]};
    const join_order_file::Known known(raw_, &whole[0], raw(made.inputs[0]));
    ColumnSet have(whole[0].output.begin(), whole[0].output.end());
    while (!inputs.empty()) {
        const Next found = next_input(whole.back(), have, inputs, conditions);
        if (!found.connected) return std::nullopt;
        Plan* const next = join_order_file::take(inputs, found.input);
        made.inputs.push_back(next);
        whole.push_back(joined(&whole.back(), next, found.rows));
        have.insert(next->output.begin(), next->output.end());
        whole.back().conditions = join_order_file::take_ready(conditions, inputs);
    }
    if (!conditions.empty() || few * k_times_wanted >= whole.back().rows) return std::nullopt;
    const double share = few / whole.back().rows;
    made.cost = share * rows_read(*made.inputs[0]) * price;
    for (Plan& step : whole) step.rows *= share;
    for (std::size_t i = 1; i < whole.size(); ++i) {
        std::optional<LookUp> look_up = find_look_up(whole[i], false);
        if (!look_up) return std::nullopt;
        made.cost += look_up->cost;
        made.look_ups.push_back(std::move(*look_up));
        made.joins.push_back(whole[i]);
        made.joins.back().rows /= share;
    }
    return made;
}

Plan* JoinOrder::join_for_few(const std::vector<Plan*>& inputs, const std::vector<BoundExpr*>& conditions,
                              const FirstRows& wanted) {
    double least =
        cost_of_order(inputs, first_input(inputs, conditions), conditions) * join_order_file::k_much_less;
    std::optional<FewJoin> best;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::optional<double> price =
            inputs[i]->kind == PlanKind::scan ? price_in_order(*inputs[i], wanted) : std::nullopt;
        if (!price) continue;
        std::optional<FewJoin> made = few_join(inputs, i, conditions, wanted.rows, *price);
        if (!made || made->cost >= least) continue;
        least = made->cost;
        best = std::move(made);
    }
    if (!best) return nullptr;
    Plan* plan = best->inputs[0];
    for (std::size_t i = 0; i < best->joins.size(); ++i) {
        Plan* const next = best->inputs[i + 1];
        Plan* const join = pool_.plan(PlanKind::join);
        *join = std::move(best->joins[i]);
        raw_[join] = std::max(raw(plan), raw(next));
        *next = std::move(best->look_ups[i].scan);
        join->left = plan;
        join->lateral = true;
        plan = join;
    }
    return plan;
}

std::optional<JoinOrder::FewLeft> JoinOrder::left_rows_for_few(const Plan& join, const FirstRows& wanted) {
    if (join.lateral || join.join == JoinType::inner || join.join == JoinType::full) return std::nullopt;
    for (const SortKey& key : wanted.keys)
        for (const ColumnId id : used_columns(key.expr))
            if (!produces(*join.left, id)) return std::nullopt;
    const double all = join.left->rows;
    const join_order_file::Known known(raw_, join.left, all);
    // Of rows with so many partners on average, as many have none as if partners were chosen at random.
    const double alone = std::exp(-partners(join));
    const double kept = join.join == JoinType::anti ? alone : join.join == JoinType::semi ? 1 - alone : 1;
    const double rows = wanted.rows / std::max(kept, 1e-9);
    if (rows >= all) return std::nullopt;
    join.left->rows = rows;
    std::optional<LookUp> look_up = find_look_up(join, false);
    join.left->rows = all;
    // The left side is to be read as a whole otherwise, as well.
    if (!look_up || look_up->cost >= join_order_file::k_much_less * (all + rows_read(*join.right)))
        return std::nullopt;
    return FewLeft{{rows, wanted.keys}, std::move(*look_up)};
}

}  // namespace northstar::inline v0::sql
