#include "sql/plan/value_list.hpp"

#include "sql/plan/walk.hpp"

namespace northstar::inline v0::sql {

namespace value_list {

bool is_value(const BoundExpr& expr) {
    return expr.kind == BoundKind::constant || expr.kind == BoundKind::parameter;
}

/// Adds the values of an arm, with the column in front of the first; false: the arm is not like that.
bool add(BoundExpr& arm, std::vector<BoundExpr*>& args) {
    BoundExpr* column = nullptr;
    std::vector<BoundExpr*> values;
    if (arm.kind == BoundKind::in_list && !arm.negated) {
        column = arm.args[0];
        values.assign(arm.args.begin() + 1, arm.args.end());
    } else if (arm.kind == BoundKind::operation && arm.args.size() == 2 &&
               arm.operation->comparison == Comparison::equal && arm.args[0]->type == arm.args[1]->type) {
        const std::size_t side = is_value(*arm.args[0]) ? 1 : 0;
        column = arm.args[side];
        values = {arm.args[1 - side]};
    }
    if (column == nullptr || column_of(*column) == nullptr) return false;
    if (args.empty()) args.push_back(column);
    if (!same_expr(*args[0], *column)) return false;
    for (BoundExpr* value : values) {
        if (!is_value(*value) || value->type != column->type) return false;
        args.push_back(value);
    }
    return true;
}

}  // namespace value_list

BoundExpr* as_value_list(BoundExpr* condition, BoundPool& pool) {
    if (condition->kind != BoundKind::disjunction) return condition;
    std::vector<BoundExpr*> args;
    for (BoundExpr* arm : condition->args)
        if (!value_list::add(*arm, args)) return condition;
    BoundExpr* const list = pool.expr(BoundKind::in_list, type::boolean);
    list->position = condition->position;
    list->args = std::move(args);
    return list;
}

}  // namespace northstar::inline v0::sql
