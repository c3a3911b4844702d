#include "sql/plan/implied_conditions.hpp"

#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace implied_conditions_file {

using Arms = std::vector<std::vector<BoundExpr*>>;

/// The conjuncts of each arm of an OR, without those that may not be checked early.
Arms arms_of(BoundExpr& disjunction) {
    Arms arms;
    for (BoundExpr* arg : disjunction.args) {
        std::vector<BoundExpr*> parts;
        split_conjuncts(arg, parts);
        parts.erase(std::remove_if(parts.begin(), parts.end(),
                                   [](BoundExpr* part) { return is_volatile(part) || has_subquery(part); }),
                    parts.end());
        arms.push_back(std::move(parts));
    }
    return arms;
}

bool has_same(const std::vector<BoundExpr*>& parts, const BoundExpr& wanted) {
    return std::any_of(parts.begin(), parts.end(), [&](const BoundExpr* part) { return same_expr(*part, wanted); });
}

/// Of the inputs, the part uses this one alone.
bool uses_only(BoundExpr* part, const Plan& input, const std::vector<Plan*>& inputs) {
    bool uses = false;
    for (const ColumnId id : used_columns(part)) {
        uses = uses || produces(input, id);
        for (const Plan* other : inputs)
            if (other != &input && produces(*other, id)) return false;
    }
    return uses;
}

BoundExpr* combined(BoundKind kind, std::vector<BoundExpr*> parts, BoundPool& pool) {
    if (parts.size() == 1) return parts[0];
    BoundExpr* const whole = pool.expr(kind, type::boolean);
    whole->args = std::move(parts);
    return whole;
}

/// What all arms say of one input, as an OR; nullptr: an arm says nothing of it.
BoundExpr* said_of(const Plan& input, const Arms& arms, const std::vector<Plan*>& inputs, BoundPool& pool) {
    std::vector<BoundExpr*> alternatives;
    for (const std::vector<BoundExpr*>& arm : arms) {
        std::vector<BoundExpr*> own;
        for (BoundExpr* part : arm)
            if (uses_only(part, input, inputs)) own.push_back(part);
        if (own.empty()) return nullptr;
        alternatives.push_back(combined(BoundKind::conjunction, std::move(own), pool));
    }
    return combined(BoundKind::disjunction, std::move(alternatives), pool);
}

}  // namespace implied_conditions_file

std::vector<BoundExpr*> implied_conditions(const std::vector<BoundExpr*>& conditions, const std::vector<Plan*>& inputs,
                                           BoundPool& pool) {
    using namespace implied_conditions_file;
    std::vector<BoundExpr*> implied;
    for (BoundExpr* condition : conditions) {
        if (condition->kind != BoundKind::disjunction || condition->args.empty()) continue;
        Arms arms = arms_of(*condition);
        std::vector<BoundExpr*> common;
        for (BoundExpr* part : arms[0])
            if (std::all_of(arms.begin() + 1, arms.end(), [&](const auto& arm) { return has_same(arm, *part); }))
                common.push_back(part);
        implied.insert(implied.end(), common.begin(), common.end());
        // An OR about one input goes down as it is.
        if (inputs.size() < 2 || std::any_of(inputs.begin(), inputs.end(), [&](const Plan* input) {
                return uses_only(condition, *input, inputs);
            }))
            continue;
        for (std::vector<BoundExpr*>& arm : arms)
            arm.erase(std::remove_if(arm.begin(), arm.end(),
                                     [&](const BoundExpr* part) { return has_same(common, *part); }),
                      arm.end());
        for (const Plan* input : inputs)
            if (BoundExpr* said = said_of(*input, arms, inputs, pool)) implied.push_back(said);
    }
    return implied;
}

}  // namespace northstar::inline v0::sql
