// Conditions: from the rows of a batch to those on which they are true.
#include "sql/execute/evaluate_parts.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

bool Conditions::outlasts_run() const {
    return std::all_of(evaluators_.begin(), evaluators_.end(),
                       [](const Evaluator& condition) { return condition.outlasts_run(); });
}

void Evaluator::select(const Batch& batch, std::vector<std::uint32_t>& rows, Arena& arena) {
    if (rows.empty()) return;
    if (expr_->kind == BoundKind::conjunction) {
        for (Evaluator& arg : args_) arg.select(batch, rows, arena);
        return;
    }
    if (expr_->kind == BoundKind::disjunction) return select_any(batch, rows, arena);
    execution_->check_cancelled();
    // Rows are numbered once each, so as many as the batch has are all of them.
    const Rows chosen{&batch, rows.data(), rows.size(), rows.size() == batch.count};
    if (gives_truth(kernel_)) {
        const Source left = argument(0, chosen, arena);
        const Source right = argument(1, chosen, arena);
        rows.resize(narrow(left, right, rows.data(), rows.size()));
        return;
    }
    if (expr_->kind == BoundKind::in_list) {
        const Source left = argument(0, chosen, arena);
        rows.resize(narrow_members(left, rows.data(), rows.size()));
        return;
    }
    truth_.resize(std::max(truth_.size(), rows.size()));
    evaluate(chosen, truth_.data(), arena);
    std::size_t kept = 0;
    for (std::size_t k = 0; k < rows.size(); ++k)
        if (!truth_[k].is_null() && truth_[k].boolean()) rows[kept++] = rows[k];
    rows.resize(kept);
}

/// OR: each arm is tried on the rows that none before it has chosen.
void Evaluator::select_any(const Batch& batch, std::vector<std::uint32_t>& rows, Arena& arena) {
    std::vector<std::uint32_t> open = rows, chosen, arm, rest, both;
    for (Evaluator& arg : args_) {
        if (open.empty()) break;
        arm = open;
        arg.select(batch, arm, arena);
        if (arm.empty()) continue;
        rest.resize(open.size());
        rest.erase(std::set_difference(open.begin(), open.end(), arm.begin(), arm.end(), rest.begin()), rest.end());
        open.swap(rest);
        both.resize(chosen.size() + arm.size());
        std::merge(chosen.begin(), chosen.end(), arm.begin(), arm.end(), both.begin());
        chosen.swap(both);
    }
    rows.swap(chosen);
}

/// A list is looked through while that takes less than hashing the value.
std::size_t Evaluator::narrow_members(const Source& left, std::uint32_t* rows, std::size_t count) const {
    constexpr std::size_t k_few = 8;
    const std::size_t members = members_->size();
    std::size_t kept = 0;
    for (std::size_t k = 0; k < count; ++k) {
        const std::uint32_t row = rows[k];
        const Value& value = left.at(k);
        if (value.is_null()) continue;
        bool member = false;
        if (members > k_few) {
            member = members_->find(&value) != TupleTable::k_none;
        } else {
            for (std::size_t i = 0; i < members && !member; ++i) member = equal_values(*members_->tuple(i), value);
        }
        // NOT IN is unknown where a NULL is in the list.
        rows[kept] = row;
        kept += (expr_->negated ? !member && !null_member_ : member) ? 1 : 0;
    }
    return kept;
}

Conditions::Conditions(const std::vector<BoundExpr*>& conditions, const std::vector<ColumnId>& input,
                       Execution& execution) {
    for (BoundExpr* condition : conditions) evaluators_.emplace_back(*condition, input, execution);
}

void Conditions::select(const Batch& batch, std::vector<std::uint32_t>& rows, Arena& arena) {
    for (Evaluator& condition : evaluators_) condition.select(batch, rows, arena);
}

}  // namespace northstar::inline v0::sql
