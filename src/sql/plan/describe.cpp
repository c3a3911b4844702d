#include "sql/plan/describe.hpp"

#include "sql/plan/walk.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace northstar::inline v0::sql {

namespace describe {

/// The indexes that a scan reads.
std::string index_names(const Plan& plan) {
    const auto name = [&](const AccessPath& path) {
        return plan.relation->indexes[static_cast<std::size_t>(path.index)].name;
    };
    if (plan.access.index >= 0) return name(plan.access);
    std::string names;
    for (const AccessPath& path : plan.united) names += (names.empty() ? "" : ", ") + name(path);
    return names;
}

std::string scan_title(const Plan& plan) {
    const Relation& relation = *plan.relation;
    if (plan.versions.present) return "Version Scan on " + relation.name;
    if (plan.reads_all()) return "Seq Scan on " + relation.name;
    if (!plan.united.empty()) return "Index Union Scan using " + index_names(plan) + " on " + relation.name;
    std::string how = plan.access.entries_only ? "Index Only " : "Index ";
    if (plan.access.skipped > 0) how += "Skip ";
    return how + "Scan using " + index_names(plan) + " on " + relation.name;
}

std::string title(const Plan& plan) {
    static constexpr const char* joins[] = {"Join",      "Left Join", "Right Join",
                                            "Full Join", "Semi Join", "Anti Join"};
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
        case PlanKind::sort: return plan.ordered_keys > 0 ? "Incremental Sort" : "Sort";
        case PlanKind::limit: return "Limit";
        case PlanKind::distinct: return "Unique";
        case PlanKind::lock_rows: return "LockRows";
        case PlanKind::set_operation:
            return std::string(sets[static_cast<int>(plan.set)]) + (plan.all ? " All" : "");
        case PlanKind::cte_scan: return "CTE Scan on " + plan.common->name;
        case PlanKind::recursive_union: return "Recursive Union";
        case PlanKind::working_scan: return "WorkTable Scan";
    }
    return {};
}

/// Products of whole tables may be expected to give more rows than a number of 64 bits counts.
std::int64_t expected_rows(const Plan& plan) { return std::llround(std::clamp(plan.rows, 0.0, 1e18)); }

/// What a node reads besides its inputs: the query of a WITH where it is met first, and subqueries of its expressions.
struct Below {
    std::string name;  ///< "CTE x" or "SubPlan"
    const Plan* plan;
};

std::vector<Below> below(const Plan& plan, std::set<const Plan*>& seen) {
    std::vector<Below> found;
    const auto add = [&](std::string name, const Plan* query) {
        if (query != nullptr && seen.insert(query).second) found.push_back({std::move(name), query});
    };
    if (plan.kind == PlanKind::cte_scan) add("CTE " + plan.common->name, plan.common->plan);
    each_expr(const_cast<Plan&>(plan), [&](BoundExpr*& expr) {
        walk_expr(expr, [&](BoundExpr& node) {
            add("SubPlan", node.subquery);
            return true;
        });
    });
    return found;
}

OperatorActuals actuals_of(const Plan& plan, const DescribeOptions& options) {
    const auto found = options.actuals->find(&plan);
    return found == options.actuals->end() ? OperatorActuals() : found->second;
}

void lines_of(const Plan& plan, int depth, const DescribeOptions& options, std::set<const Plan*>& seen,
              std::vector<std::string>& lines) {
    const auto indent = [](int by) { return std::string(static_cast<std::size_t>(by) * 2, ' '); };
    std::string line = indent(depth);
    if (depth > 0) line += "->  ";
    line += title(plan);
    if (options.costs) line += "  (rows=" + std::to_string(expected_rows(plan)) + ")";
    if (options.actuals != nullptr) line += actuals_text(actuals_of(plan, options), options.timing);
    if (plan.point != nullptr && plan.kind == PlanKind::scan && !plan.conditions.empty())
        line += "  conditions: " + std::to_string(plan.conditions.size());
    lines.push_back(std::move(line));
    if (plan.left != nullptr) lines_of(*plan.left, depth + 1, options, seen, lines);
    if (plan.right != nullptr) lines_of(*plan.right, depth + 1, options, seen, lines);
    for (const Below& query : below(plan, seen)) {
        lines.push_back(indent(depth + 1) + query.name);
        lines_of(*query.plan, depth + 2, options, seen, lines);
    }
}

Document document_of(const Plan& plan, const char* relationship, const std::string& name,
                     const DescribeOptions& options, std::set<const Plan*>& seen) {
    Document node = Document::object();
    std::string type = title(plan);
    const bool scan = plan.kind == PlanKind::scan;
    if (scan) type = type.substr(0, std::min(type.find(" using "), type.find(" on ")));
    if (plan.kind == PlanKind::cte_scan) type = "CTE Scan";
    node.set("Node Type", Document::string(type));
    if (relationship != nullptr) node.set("Parent Relationship", Document::string(relationship));
    if (!name.empty()) node.set("Subplan Name", Document::string(name));
    if (scan) {
        node.set("Relation Name", Document::string(plan.relation->name));
        node.set("Schema", Document::string(plan.relation->schema));
        if (!plan.reads_all()) node.set("Index Name", Document::string(index_names(plan)));
    }
    if (plan.kind == PlanKind::cte_scan) node.set("CTE Name", Document::string(plan.common->name));
    if (options.costs) node.set("Plan Rows", Document::integer(expected_rows(plan)));
    if (options.actuals != nullptr) set_actuals(actuals_of(plan, options), options.timing, node);
    Document plans = Document::array();
    if (plan.left != nullptr) plans.push(document_of(*plan.left, "Outer", {}, options, seen));
    if (plan.right != nullptr) plans.push(document_of(*plan.right, "Inner", {}, options, seen));
    for (const Below& query : below(plan, seen))
        plans.push(document_of(*query.plan, query.name == "SubPlan" ? "SubPlan" : "InitPlan", query.name, options,
                               seen));
    if (!plans.items().empty()) node.set("Plans", std::move(plans));
    return node;
}

}  // namespace describe

void describe_plan(const Plan& plan, int depth, const DescribeOptions& options, std::vector<std::string>& lines) {
    std::set<const Plan*> seen;
    describe::lines_of(plan, depth, options, seen, lines);
}

Document describe_plan(const Plan& plan, const DescribeOptions& options) {
    std::set<const Plan*> seen;
    return describe::document_of(plan, nullptr, {}, options, seen);
}

std::string actuals_text(const OperatorActuals& actuals, bool timing) {
    if (actuals.loops == 0) return " (never executed)";
    std::string text = " (actual ";
    if (timing)
        text += "time=" + milliseconds_text(actuals.startup_nanos / actuals.loops) + ".." +
                milliseconds_text(actuals.total_nanos / actuals.loops) + " ";
    return text + "rows=" + std::to_string((actuals.rows + actuals.loops / 2) / actuals.loops) +
           " loops=" + std::to_string(actuals.loops) + ")";
}

void set_actuals(const OperatorActuals& actuals, bool timing, Document& node) {
    const std::uint64_t loops = std::max<std::uint64_t>(actuals.loops, 1);
    if (timing) {
        node.set("Actual Startup Time", Document::number(milliseconds_text(actuals.startup_nanos / loops)));
        node.set("Actual Total Time", Document::number(milliseconds_text(actuals.total_nanos / loops)));
    }
    node.set("Actual Rows", Document::integer(static_cast<std::int64_t>((actuals.rows + loops / 2) / loops)));
    node.set("Actual Loops", Document::integer(static_cast<std::int64_t>(actuals.loops)));
}

std::string milliseconds_text(std::uint64_t nanos) {
    const std::uint64_t micros = nanos / 1000;
    std::string rest = std::to_string(micros % 1000);
    rest.insert(0, 3 - rest.size(), '0');
    return std::to_string(micros / 1000) + "." + rest;
}

}  // namespace northstar::inline v0::sql
