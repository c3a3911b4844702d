#include "sql/plan/describe.hpp"

#include <cmath>
#include <algorithm>

namespace northstar::inline v0::sql {

namespace describe {

std::string scan_title(const Plan& plan) {
    const Relation& relation = *plan.relation;
    if (plan.versions.present) return "Version Scan on " + relation.name;
    if (plan.access.index < 0) return "Seq Scan on " + relation.name;
    const Index& index = relation.indexes[static_cast<std::size_t>(plan.access.index)];
    return (plan.access.entries_only ? "Index Only Scan using " : "Index Scan using ") + index.name + " on " +
           relation.name;
}

std::string title(const Plan& plan) {
    static constexpr const char* joins[] = {"Join", "Left Join", "Full Join", "Semi Join", "Anti Join"};
    static constexpr const char* sets[] = {"Union", "Intersect", "Except"};
    switch (plan.kind) {
        case PlanKind::single: return "Result";
        case PlanKind::values: return "Values Scan";
        case PlanKind::scan: return scan_title(plan);
        case PlanKind::function_scan: return "Function Scan";
        case PlanKind::virtual_scan: return "Computed Scan";
        case PlanKind::filter: return "Filter";
        case PlanKind::project: return "Project";
        case PlanKind::project_set: return "ProjectSet";
        case PlanKind::join: {
            bool equality = false;
            for (const BoundExpr* condition : plan.conditions)
                equality |= condition->kind == BoundKind::operation &&
                            condition->operation->comparison == Comparison::equal;
            const char* how = plan.lateral ? "Nested Loop " : equality ? "Hash " : "Nested Loop ";
            return how + std::string(joins[static_cast<int>(plan.join)]);
        }
        case PlanKind::aggregate: return plan.groups.empty() ? "Aggregate" : "HashAggregate";
        case PlanKind::window: return "WindowAgg";
        case PlanKind::sort: return "Sort";
        case PlanKind::limit: return "Limit";
        case PlanKind::distinct: return "Unique";
        case PlanKind::set_operation:
            return std::string(sets[static_cast<int>(plan.set)]) + (plan.all ? " All" : "");
        case PlanKind::cte_scan: return "CTE Scan on " + plan.common->name;
        case PlanKind::recursive_union: return "Recursive Union";
        case PlanKind::working_scan: return "WorkTable Scan";
    }
    return {};
}

}  // namespace describe

void describe_plan(const Plan& plan, int depth, bool costs, std::vector<std::string>& lines) {
    std::string line(static_cast<std::size_t>(depth) * 2, ' ');
    if (depth > 0) line += "->  ";
    line += describe::title(plan);
    if (costs) line += "  (rows=" + std::to_string(std::llround(plan.rows)) + ")";
    if (plan.point != nullptr && plan.kind == PlanKind::scan && !plan.conditions.empty())
        line += "  conditions: " + std::to_string(plan.conditions.size());
    lines.push_back(std::move(line));
    if (plan.left != nullptr) describe_plan(*plan.left, depth + 1, costs, lines);
    if (plan.right != nullptr) describe_plan(*plan.right, depth + 1, costs, lines);
}

Document describe_plan(const Plan& plan, bool costs) {
    Document node = Document::object();
    std::string title = describe::title(plan);
    const bool scan = plan.kind == PlanKind::scan;
    if (scan) title = title.substr(0, std::min(title.find(" using "), title.find(" on ")));
    if (plan.kind == PlanKind::cte_scan) title = "CTE Scan";
    node.set("Node Type", Document::string(title));
    if (scan) {
        node.set("Relation Name", Document::string(plan.relation->name));
        node.set("Schema", Document::string(plan.relation->schema));
        if (plan.access.index >= 0)
            node.set("Index Name",
                     Document::string(plan.relation->indexes[static_cast<std::size_t>(plan.access.index)].name));
    }
    if (plan.kind == PlanKind::cte_scan) node.set("CTE Name", Document::string(plan.common->name));
    if (costs) node.set("Plan Rows", Document::integer(static_cast<std::int64_t>(plan.rows)));
    Document below = Document::array();
    if (plan.left != nullptr) below.push(describe_plan(*plan.left, costs));
    if (plan.right != nullptr) below.push(describe_plan(*plan.right, costs));
    if (!below.items().empty()) node.set("Plans", std::move(below));
    return node;
}

}  // namespace northstar::inline v0::sql
