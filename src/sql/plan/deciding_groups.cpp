#include "sql/plan/deciding_groups.hpp"

#include "sql/plan/join_size.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace northstar::inline v0::sql {

namespace deciding_groups {

/// The table whose column a group is.
Origin origin_of_group(const Plan& aggregate, const PlanColumn& group) {
    if (group.expr->kind != BoundKind::column) return {};
    const Origin origin = origin_of(*aggregate.left, group.expr->column);
    return origin.scan == nullptr || origin.scan->versions.present || origin.place < 0 ? Origin{} : origin;
}

}  // namespace deciding_groups

void find_deciding_groups(Plan& aggregate) {
    using namespace deciding_groups;
    if (!aggregate.grouping_sets.empty() || aggregate.groups.size() < 2) return;
    std::vector<Origin> origins;
    for (const PlanColumn& group : aggregate.groups) origins.push_back(origin_of_group(aggregate, group));
    // Whether a group belongs to the primary key of its table, and all columns of that are groups.
    const auto is_of_key = [&](const Origin& of) {
        const Index& key = of.scan->relation->indexes[static_cast<std::size_t>(of.scan->relation->primary_key())];
        return std::any_of(key.columns.begin(), key.columns.end(),
                           [&](const IndexColumn& column) { return column.column == of.place; });
    };
    std::set<const Plan*> known;
    for (const Origin& origin : origins) {
        if (origin.scan == nullptr || origin.scan->relation->primary_key() < 0) continue;
        const Index& key =
            origin.scan->relation->indexes[static_cast<std::size_t>(origin.scan->relation->primary_key())];
        const bool whole = std::all_of(key.columns.begin(), key.columns.end(), [&](const IndexColumn& column) {
            return std::any_of(origins.begin(), origins.end(), [&](const Origin& other) {
                return other.scan == origin.scan && other.place == column.column;
            });
        });
        if (whole && !key.deferrable) known.insert(origin.scan);
    }
    std::vector<PlanColumn> deciding, others;
    for (std::size_t i = 0; i < origins.size(); ++i) {
        const bool depends = known.count(origins[i].scan) != 0 && !is_of_key(origins[i]);
        (depends ? others : deciding).push_back(aggregate.groups[i]);
    }
    if (others.empty()) return;
    aggregate.deciding_groups = deciding.size();
    deciding.insert(deciding.end(), others.begin(), others.end());
    aggregate.groups = std::move(deciding);
}

}  // namespace northstar::inline v0::sql
