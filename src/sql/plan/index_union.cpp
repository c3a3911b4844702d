#include "sql/plan/index_union.hpp"

#include "sql/plan/access_path.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace northstar::inline v0::sql {

namespace index_union {

constexpr std::size_t k_most_paths = 64;

struct Union {
    std::vector<AccessPath> paths;
    double rows = 0;  ///< estimate
};

bool is_divided(BoundExpr* condition) {
    return condition->kind == BoundKind::disjunction && !has_subquery(condition) && !is_volatile(condition);
}

/// The paths of all arms; nothing: one of them has none.
std::optional<Union> of_arms(const Plan& scan, const BoundExpr& condition, double whole) {
    Union found;
    for (BoundExpr* arm : condition.args) {
        Plan trial = scan;
        trial.access = AccessPath();
        trial.united.clear();
        trial.rows = whole;
        std::erase_if(trial.conditions, [](BoundExpr* other) { return other->kind == BoundKind::disjunction; });
        split_conjuncts(arm, trial.conditions);
        choose_access_path(trial);
        if (trial.access.index >= 0 && !trial.access.wasteful) found.paths.push_back(std::move(trial.access));
        else if (!trial.united.empty())
            found.paths.insert(found.paths.end(), trial.united.begin(), trial.united.end());
        else return std::nullopt;
        found.rows += trial.rows;
        if (found.paths.size() > k_most_paths || !is_worth_looking_up(found.rows, whole)) return std::nullopt;
    }
    return found;
}

}  // namespace index_union

void choose_index_union(Plan& scan, double whole) {
    if (scan.versions.present || scan.sample >= 0 || scan.point == nullptr || !is_worth_looking_up(2, whole)) return;
    std::optional<index_union::Union> best;
    for (BoundExpr* condition : scan.conditions) {
        if (!index_union::is_divided(condition)) continue;
        std::optional<index_union::Union> found = index_union::of_arms(scan, *condition, whole);
        if (found && (!best || found->rows < best->rows)) best = std::move(found);
    }
    if (!best) return;
    scan.access = AccessPath();
    scan.united = std::move(best->paths);
    scan.rows = std::max(1.0, std::min(scan.rows, best->rows));
}

}  // namespace northstar::inline v0::sql
