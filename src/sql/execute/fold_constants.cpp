#include "sql/execute/fold_constants.hpp"

#include "sql/execute/evaluate.hpp"
#include "sql/plan/immutable.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

namespace fold_constants_file {

bool is_constant(const BoundExpr& expr) { return expr.kind == BoundKind::constant; }

/// A literal of a shape, or an array of such.
bool is_literal(const BoundExpr& expr) {
    if (expr.kind != BoundKind::array) return expr.kind == BoundKind::parameter && expr.literal;
    return std::all_of(expr.args.begin(), expr.args.end(),
                       [](const BoundExpr* arg) { return is_constant(*arg) || is_literal(*arg); });
}

/// Comparisons have a value whatever is compared.
bool may_fail(const BoundExpr& expr) {
    switch (expr.kind) {
        case BoundKind::function:
        case BoundKind::cast:
        case BoundKind::typmod:
        case BoundKind::subscript: return true;
        case BoundKind::operation: {
            const std::string_view name = expr.operation->name;
            return name != "=" && name != "<>" && name != "<" && name != "<=" && name != ">" && name != ">=";
        }
        default: return false;
    }
}

}  // namespace fold_constants_file

void ConstantFolder::fold(Plan& plan) {
    if (!seen_.insert(&plan).second) return;
    if (plan.left != nullptr) fold(*plan.left);
    if (plan.right != nullptr) fold(*plan.right);
    if (plan.common != nullptr && plan.common->plan != nullptr) fold(*plan.common->plan);
    fold(plan.conditions);
    each_expr(plan, [this](BoundExpr*& expr) { expr = folded(expr); });
}

/// Conditions are an AND that was taken apart.
void ConstantFolder::fold(std::vector<BoundExpr*>& conditions) {
    using fold_constants_file::is_constant;
    for (BoundExpr*& condition : conditions) {
        BoundExpr* const simpler = condition = folded(condition);
        if (!is_constant(*simpler) || simpler->value.is_null() || simpler->value.boolean()) continue;
        conditions = {simpler};
        return;
    }
}

void ConstantFolder::fold(BoundChange& change) {
    if (change.source != nullptr) fold(*change.source);
    const auto each = [this](std::vector<ColumnAssignment>& assignments) {
        for (ColumnAssignment& assignment : assignments)
            if (assignment.value != nullptr) assignment.value = folded(assignment.value);
    };
    each(change.assignments);
    each(change.conflict_assignments);
    fold(change.conflict_where);
    for (MergeBranch& branch : change.branches) {
        fold(branch.condition);
        each(branch.assignments);
    }
    for (BoundExpr*& expr : change.returning) expr = folded(expr);
}

BoundExpr* ConstantFolder::folded(BoundExpr* expr) {
    if (expr == nullptr) return nullptr;
    switch (expr->kind) {
        case BoundKind::constant:
        case BoundKind::column:
        case BoundKind::parameter:
        case BoundKind::default_value: return expr;
        case BoundKind::conjunction:
        case BoundKind::disjunction: return folded_logic(expr);
        case BoundKind::case_when: return folded_case(expr);
        case BoundKind::coalesce: return folded_coalesce(expr);
        default: break;
    }
    if (expr->subquery != nullptr) fold(*expr->subquery);
    BoundExpr* const simpler = with_folded_arguments(expr);
    return can_compute(*simpler) ? computed(simpler) : simpler;
}

BoundExpr* ConstantFolder::with_folded_arguments(BoundExpr* expr) {
    BoundExpr* out = expr;
    const auto own = [&] { return out == expr ? out = pool_.copy(*expr) : out; };
    // Checks of a domain are made with each value.
    const bool checks = expr->kind == BoundKind::check_domain || expr->kind == BoundKind::check_parts;
    const std::size_t count = checks ? 1 : expr->args.size();
    for (std::size_t i = 0; i < count; ++i) {
        BoundExpr* const arg = folded(expr->args[i]);
        if (arg != expr->args[i]) own()->args[i] = arg;
    }
    if (expr->clauses == nullptr) return out;
    CallClauses* const clauses = pool_.clauses();
    *clauses = *expr->clauses;
    clauses->filter = folded(clauses->filter);
    for (SortKey& key : clauses->order) key.expr = folded(key.expr);
    own()->clauses = clauses;
    return out;
}

/// What decides against the rest ends it; what says nothing is left out.
BoundExpr* ConstantFolder::folded_logic(BoundExpr* expr) {
    const bool deciding = expr->kind == BoundKind::disjunction;
    std::vector<BoundExpr*> args;
    bool changed = false;
    for (BoundExpr* const arg : expr->args) {
        BoundExpr* const simpler = folded(arg);
        changed |= simpler != arg;
        if (fold_constants_file::is_constant(*simpler)) {
            const Value& value = simpler->value;
            if (!value.is_null() && value.boolean() == deciding) return constant(*expr, value);
            if (!value.is_null()) {
                changed = true;
                continue;
            }
        }
        args.push_back(simpler);
    }
    if (!changed) return expr;
    if (args.empty()) return constant(*expr, Value::boolean(!deciding));
    if (args.size() == 1) return args[0];
    BoundExpr* const out = pool_.copy(*expr);
    out->args = std::move(args);
    return out;
}

/// A CASE or COALESCE of what is left of it.
BoundExpr* ConstantFolder::with_arguments(const BoundExpr& expr, std::vector<BoundExpr*> args) {
    if (args.empty()) return constant(expr, Value::null(expr.type));
    if (args.size() == 1 && args[0]->type == expr.type) return args[0];
    BoundExpr* const out = pool_.copy(expr);
    out->args = std::move(args);
    return out;
}

BoundExpr* ConstantFolder::folded_case(BoundExpr* expr) {
    std::vector<BoundExpr*> args;
    bool changed = false, decided = false;
    const std::size_t pairs = expr->args.size() / 2;
    for (std::size_t i = 0; i < pairs && !decided; ++i) {
        BoundExpr* const when = folded(expr->args[2 * i]);
        if (fold_constants_file::is_constant(*when)) {
            const Value& value = when->value;
            changed = true;
            if (value.is_null() || !value.boolean()) continue;
            decided = true;
            args.push_back(folded(expr->args[2 * i + 1]));
            continue;
        }
        args.push_back(when);
        args.push_back(folded(expr->args[2 * i + 1]));
        changed |= when != expr->args[2 * i] || args.back() != expr->args[2 * i + 1];
    }
    if (!decided && expr->args.size() % 2 == 1) {
        args.push_back(folded(expr->args.back()));
        changed |= args.back() != expr->args.back();
    }
    return changed ? with_arguments(*expr, std::move(args)) : expr;
}

BoundExpr* ConstantFolder::folded_coalesce(BoundExpr* expr) {
    std::vector<BoundExpr*> args;
    bool changed = false;
    for (BoundExpr* const arg : expr->args) {
        BoundExpr* const simpler = folded(arg);
        changed |= simpler != arg;
        const bool known = fold_constants_file::is_constant(*simpler);
        if (known && simpler->value.is_null()) {
            changed = true;
            continue;
        }
        args.push_back(simpler);
        if (!known) continue;
        changed |= args.size() < expr->args.size();
        break;
    }
    return changed ? with_arguments(*expr, std::move(args)) : expr;
}

bool ConstantFolder::can_compute(BoundExpr& expr) {
    using namespace fold_constants_file;
    switch (expr.kind) {
        case BoundKind::function:
        case BoundKind::operation:
        case BoundKind::cast:
        case BoundKind::typmod:
        case BoundKind::negation:
        case BoundKind::is_null:
        case BoundKind::is_truth:
        case BoundKind::is_distinct:
        case BoundKind::nullif:
        case BoundKind::array:
        case BoundKind::in_list:
        case BoundKind::quantified:
        case BoundKind::subscript: break;
        default: return false;
    }
    bool literals = false;
    for (const BoundExpr* arg : expr.args) {
        if (is_constant(*arg)) continue;
        if (!is_literal(*arg)) return false;
        literals = true;
    }
    if (!is_immutable(&expr, session_.types)) return false;
    if (!literals) return true;
    if (may_fail(expr)) literals_->fix_all();
    return false;
}

BoundExpr* ConstantFolder::computed(BoundExpr* expr) {
    if (!execution_) execution_.emplace(session_, host_, no_parameters_);
    Arena arena;
    try {
        return constant(*expr, Evaluator(*expr, {}, *execution_).evaluate(arena));
    } catch (const SqlError&) {
        if (!keeps_failures_) throw;
        kept_failures_ = true;
        return expr;
    }
}

BoundExpr* ConstantFolder::constant(const BoundExpr& from, const Value& value) {
    BoundExpr* const out = pool_.expr(BoundKind::constant, from.type);
    out->typmod = from.typmod;
    out->declared = from.declared;
    out->position = from.position;
    out->fields = from.fields;
    out->value = value.is_null() ? Value::null(from.type) : copy_value(value, pool_.arena());
    return out;
}

}  // namespace northstar::inline v0::sql
