#include "sql/plan/row_range.hpp"

#include "sql/resolve.hpp"

namespace northstar::inline v0::sql {

BoundExpr* row_range(const BoundExpr& condition, bool turned, BoundPool& pool) {
    if (condition.kind != BoundKind::row_compare || condition.args[0]->kind != BoundKind::row ||
        condition.args[1]->kind != BoundKind::row || condition.args[0]->args.empty() || condition.args[1]->args.empty())
        return nullptr;
    const auto compared = static_cast<Comparison>(condition.number);
    const bool more = compared == Comparison::greater || compared == Comparison::greater_equal;
    if (!more && compared != Comparison::less && compared != Comparison::less_equal) return nullptr;
    BoundExpr* const left = condition.args[turned ? 1 : 0]->args[0];
    BoundExpr* const right = condition.args[turned ? 0 : 1]->args[0];
    // Types that users make are compared by operators that only the binder finds.
    if (left->type >= k_first_user_oid || right->type >= k_first_user_oid) return nullptr;
    const OperatorMatch match = resolve_operator(more != turned ? ">=" : "<=", left->type, right->type, nullptr);
    if (match.entry == nullptr || match.left != left->type || match.right != right->type) return nullptr;
    BoundExpr* const range = pool.expr(BoundKind::operation, type::boolean);
    range->position = condition.position;
    range->operation = match.entry;
    range->args = {left, right};
    return range;
}

}  // namespace northstar::inline v0::sql
