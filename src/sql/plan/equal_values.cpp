#include "sql/plan/equal_values.hpp"

#include "sql/key_encoding.hpp"
#include "sql/plan/walk.hpp"
#include "sql/resolve.hpp"

namespace northstar::inline v0::sql {

namespace equal_values_file {

struct Fixed {
    const BoundExpr* expr;
    BoundExpr* value;
};

bool is_value(const BoundExpr& expr) {
    return expr.kind == BoundKind::constant || expr.kind == BoundKind::parameter;
}

/// Types among which what is equal to equals is equal.
bool are_alike(Oid a, Oid b) {
    return (a == b && a < k_first_user_oid) || (is_plain_integer(a) && is_plain_integer(b));
}

bool is_equality(BoundExpr* condition) {
    return condition->kind == BoundKind::operation && condition->args.size() == 2 &&
           condition->operation->comparison == Comparison::equal &&
           are_alike(condition->args[0]->type, condition->args[1]->type) && !is_volatile(condition) &&
           !has_subquery(condition);
}

void find_fixed(BoundExpr* condition, std::vector<Fixed>& fixed) {
    if (!is_equality(condition)) return;
    for (const std::size_t side : {0u, 1u})
        if (is_value(*condition->args[1 - side]) && !is_value(*condition->args[side]))
            fixed.push_back({condition->args[side], condition->args[1 - side]});
}

/// expr = value; nullptr: there is no operator for just these types.
BoundExpr* equality(BoundExpr* expr, BoundExpr* value, BoundPool& pool) {
    const OperatorMatch match = resolve_operator("=", expr->type, value->type, nullptr);
    if (match.entry == nullptr || match.left != expr->type || match.right != value->type) return nullptr;
    BoundExpr* const made = pool.expr(BoundKind::operation, type::boolean);
    made->operation = match.entry;
    made->args = {expr, value};
    return made;
}

/// The condition as an equality of its other side with a value; nullptr: neither side has a known one.
BoundExpr* settled(const BoundExpr& condition, const std::vector<Fixed>& fixed, BoundPool& pool) {
    for (const Fixed& known : fixed)
        for (const std::size_t side : {0u, 1u})
            if (are_alike(condition.args[1 - side]->type, known.value->type) &&
                same_expr(*condition.args[side], *known.expr))
                return equality(condition.args[1 - side], known.value, pool);
    return nullptr;
}

}  // namespace equal_values_file

void settle_equalities(std::vector<BoundExpr*>& conditions, const std::vector<BoundExpr*>& known, BoundPool& pool) {
    using namespace equal_values_file;
    std::vector<Fixed> fixed;
    for (BoundExpr* condition : known) find_fixed(condition, fixed);
    for (bool found = !fixed.empty(); found;) {
        found = false;
        for (BoundExpr*& condition : conditions) {
            if (!is_equality(condition) || is_value(*condition->args[0]) || is_value(*condition->args[1])) continue;
            BoundExpr* const made = settled(*condition, fixed, pool);
            if (made == nullptr) continue;
            made->position = condition->position;
            condition = made;
            find_fixed(made, fixed);
            found = true;
        }
    }
}

}  // namespace northstar::inline v0::sql
