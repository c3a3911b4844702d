#include "sql/plan/implies.hpp"

#include "sql/compare.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace implies_file {

bool is_known(const BoundExpr& expr) { return expr.kind == BoundKind::constant && !expr.value.is_null(); }

/// expression <comparison> constant.
struct Compared {
    const BoundExpr* expr = nullptr;
    Comparison comparison = Comparison::none;
    const Value* value = nullptr;
};

std::optional<Compared> compared(const BoundExpr& condition) {
    if (condition.kind != BoundKind::operation || condition.args.size() != 2 ||
        condition.operation->comparison == Comparison::none)
        return std::nullopt;
    const BoundExpr& left = *condition.args[0];
    const BoundExpr& right = *condition.args[1];
    const bool same_order = left.type == right.type || (is_plain_integer(left.type) && is_plain_integer(right.type));
    if (!same_order || left.type == type::json || is_known(left) == is_known(right)) return std::nullopt;
    if (is_known(right)) return Compared{&left, condition.operation->comparison, &right.value};
    return Compared{&right, turned(condition.operation->comparison), &left.value};
}

/// -1, 0, 1; nothing: the values are of types that have no common order here.
std::optional<int> order_of(const Value& a, const Value& b) {
    if (is_plain_integer(a.type()) && is_plain_integer(b.type()))
        return a.integer() < b.integer() ? -1 : a.integer() > b.integer() ? 1 : 0;
    if (a.type() != b.type()) return std::nullopt;
    return compare_values(a, b);
}

bool is_less(Comparison comparison) {
    return comparison == Comparison::less || comparison == Comparison::less_equal;
}
bool is_greater(Comparison comparison) {
    return comparison == Comparison::greater || comparison == Comparison::greater_equal;
}

/// x <fact> d makes x <claim> c true, where `order` is that of d and c.
bool follows(Comparison fact, int order, Comparison claim) {
    const bool fact_open = fact == Comparison::less || fact == Comparison::greater;
    if (fact == claim && order == 0) return true;
    if (fact == Comparison::equal) {
        switch (claim) {
            case Comparison::equal: return order == 0;
            case Comparison::not_equal: return order != 0;
            case Comparison::less: return order < 0;
            case Comparison::less_equal: return order <= 0;
            case Comparison::greater: return order > 0;
            case Comparison::greater_equal: return order >= 0;
            default: return false;
        }
    }
    if (is_less(fact)) {
        if (claim == Comparison::less || claim == Comparison::not_equal) return order < 0 || (order == 0 && fact_open);
        return claim == Comparison::less_equal && order <= 0;
    }
    if (is_greater(fact)) {
        if (claim == Comparison::greater || claim == Comparison::not_equal)
            return order > 0 || (order == 0 && fact_open);
        return claim == Comparison::greater_equal && order >= 0;
    }
    return false;
}

/// A condition as the truth of a boolean expression: x, NOT x, x = true, x IS FALSE. Where it is true, x has the value.
struct Truth {
    const BoundExpr* expr = nullptr;
    bool value = true;
};

/// Of what is NULL where x is.
Truth strict_truth_of(const BoundExpr& condition) {
    if (condition.kind == BoundKind::negation) {
        const Truth inner = strict_truth_of(*condition.args[0]);
        return {inner.expr, !inner.value};
    }
    const std::optional<Compared> found = compared(condition);
    if (!found || found->comparison != Comparison::equal || found->value->type() != type::boolean)
        return {&condition, true};
    const Truth inner = strict_truth_of(*found->expr);
    return {inner.expr, inner.value == found->value->boolean()};
}

Truth truth_of(const BoundExpr& condition) {
    if (condition.kind != BoundKind::is_truth || condition.negated || condition.number == 2)
        return strict_truth_of(condition);
    const Truth inner = strict_truth_of(*condition.args[0]);
    return {inner.expr, inner.value == (condition.number == 1)};
}

/// The expression is NULL wherever `part` is.
bool is_null_with(const BoundExpr& expr, const BoundExpr& part) {
    if (same_expr(expr, part)) return true;
    const bool strict = expr.kind == BoundKind::operation  ? expr.operation->strict
                        : expr.kind == BoundKind::function ? expr.function->strict && !expr.variadic
                                                           : expr.kind == BoundKind::negation;
    return strict && std::any_of(expr.args.begin(), expr.args.end(),
                                 [&](const BoundExpr* arg) { return is_null_with(*arg, part); });
}

/// The condition is not true where `part` is NULL.
bool rejects_null(const BoundExpr& condition, const BoundExpr& part) {
    switch (condition.kind) {
        case BoundKind::in_list: return is_null_with(*condition.args[0], part);
        case BoundKind::quantified:
            return !condition.negated && condition.operation->strict && is_null_with(*condition.args[0], part);
        case BoundKind::is_null: return condition.negated && is_null_with(*condition.args[0], part);
        case BoundKind::is_truth:
            return !condition.negated && condition.number != 2 && is_null_with(*condition.args[0], part);
        default: return is_null_with(condition, part);
    }
}

bool proves(BoundExpr& fact, BoundExpr& claim);

/// What a list of values says of `list`'s expression holds for each of them.
bool every_member_proves(const BoundExpr& list, const BoundExpr& claim) {
    const std::optional<Compared> wanted = compared(claim);
    const bool of_list = claim.kind == BoundKind::in_list && !claim.negated;
    if (!wanted && !of_list) return false;
    if (!same_expr(*list.args[0], wanted ? *wanted->expr : *claim.args[0])) return false;
    return std::all_of(list.args.begin() + 1, list.args.end(), [&](const BoundExpr* member) {
        if (member->kind != BoundKind::constant) return false;
        if (member->value.is_null()) return true;  // nothing is equal to it
        if (wanted) {
            const std::optional<int> order = order_of(member->value, *wanted->value);
            return order && follows(Comparison::equal, *order, wanted->comparison);
        }
        return std::any_of(claim.args.begin() + 1, claim.args.end(), [&](const BoundExpr* other) {
            return is_known(*other) && order_of(member->value, other->value) == std::optional<int>(0);
        });
    });
}

bool proves(BoundExpr& fact, BoundExpr& claim) {
    if (same_expr(fact, claim)) return true;
    if (fact.kind == BoundKind::conjunction) return implies(fact.args, claim);
    if (fact.kind == BoundKind::disjunction)
        return std::all_of(fact.args.begin(), fact.args.end(), [&](BoundExpr* arm) { return implies({arm}, claim); });
    if (claim.kind == BoundKind::is_null && claim.negated && !may_be_record(claim.args[0]->type))
        return rejects_null(fact, *claim.args[0]);
    if (fact.kind == BoundKind::in_list && !fact.negated) return every_member_proves(fact, claim);
    const std::optional<Compared> given = compared(fact);
    if (claim.kind == BoundKind::in_list && !claim.negated)
        return given && given->comparison == Comparison::equal && same_expr(*given->expr, *claim.args[0]) &&
               std::any_of(claim.args.begin() + 1, claim.args.end(), [&](const BoundExpr* member) {
                   return is_known(*member) && order_of(*given->value, member->value) == std::optional<int>(0);
               });
    const std::optional<Compared> wanted = compared(claim);
    if (given && wanted && same_expr(*given->expr, *wanted->expr)) {
        const std::optional<int> order = order_of(*given->value, *wanted->value);
        if (order && follows(given->comparison, *order, wanted->comparison)) return true;
    }
    const Truth known = truth_of(fact);
    if (claim.kind == BoundKind::is_truth && claim.negated && claim.number != 2) {
        const Truth denied = strict_truth_of(*claim.args[0]);
        return same_expr(*known.expr, *denied.expr) && (known.value == denied.value) != (claim.number == 1);
    }
    const Truth asked = truth_of(claim);
    return known.value == asked.value && same_expr(*known.expr, *asked.expr);
}

}  // namespace implies_file

bool implies(const std::vector<BoundExpr*>& facts, BoundExpr& claim) {
    if (is_volatile(&claim)) return false;
    if (claim.kind == BoundKind::conjunction)
        return std::all_of(claim.args.begin(), claim.args.end(),
                           [&](BoundExpr* part) { return implies(facts, *part); });
    if (claim.kind == BoundKind::disjunction &&
        std::any_of(claim.args.begin(), claim.args.end(), [&](BoundExpr* arm) { return implies(facts, *arm); }))
        return true;
    return std::any_of(facts.begin(), facts.end(), [&](BoundExpr* fact) { return implies_file::proves(*fact, claim); });
}

}  // namespace northstar::inline v0::sql
