#include "sql/plan/describe.hpp"

#include "sql/catalog/system_relations.hpp"
#include "sql/plan/expression_text.hpp"
#include "sql/plan/walk.hpp"
#include "sql/syntax/parser.hpp"

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

/// How a table is read: what stands before "using" or "on".
std::string scan_type(const Plan& plan) {
    if (plan.versions.present) return "Version Scan";
    if (plan.reads_all()) return "Seq Scan";
    if (!plan.united.empty()) return "Index Union Scan";
    std::string how = plan.access.entries_only ? "Index Only " : "Index ";
    if (plan.access.skipped > 0) how += "Skip ";
    return how + "Scan";
}

/// " t", or what the statement calls it behind that.
std::string alias_of(const Plan& plan, std::string_view name) {
    return plan.alias.empty() || plan.alias == name ? std::string() : " " + quote_identifier(plan.alias);
}

std::string scan_title(const Plan& plan, bool verbose) {
    const Relation& relation = *plan.relation;
    std::string text = scan_type(plan);
    if (plan.access.backward) text += " Backward";
    if (!plan.versions.present && !plan.reads_all()) text += " using " + index_names(plan);
    text += " on ";
    if (verbose) text += quote_identifier(relation.schema) + ".";
    return text + quote_identifier(relation.name) + alias_of(plan, relation.name);
}

std::string function_title(const Plan& plan) {
    const BoundExpr* const call = plan.calls.empty() ? nullptr : plan.calls[0].call;
    if (call == nullptr || call->function == nullptr || plan.calls.size() > 1) return "Function Scan";
    const std::string name = call->function->name;
    return "Function Scan on " + quote_identifier(name) + alias_of(plan, name);
}

std::string computed_title(const Plan& plan) {
    if (plan.virtual_table < 0) return "Computed Scan";
    const std::string name = system_relation(static_cast<std::size_t>(plan.virtual_table)).name;
    return "Computed Scan on " + name + alias_of(plan, name);
}

bool is_equality(const BoundExpr& condition) {
    return condition.kind == BoundKind::operation && condition.operation->comparison == Comparison::equal;
}

std::string title(const Plan& plan, bool verbose) {
    static constexpr const char* joins[] = {"Join",      "Left Join", "Right Join",
                                            "Full Join", "Semi Join", "Anti Join"};
    static constexpr const char* sets[] = {"Union", "Intersect", "Except"};
    switch (plan.kind) {
        case PlanKind::single: return "Result";
        case PlanKind::values: return "Values Scan";
        case PlanKind::scan: return scan_title(plan, verbose);
        case PlanKind::function_scan: return function_title(plan);
        case PlanKind::virtual_scan: return computed_title(plan);
        case PlanKind::filter: return "Filter";
        case PlanKind::project: return "Project";
        case PlanKind::project_set: return "ProjectSet";
        case PlanKind::join: {
            bool equality = false;
            for (const BoundExpr* condition : plan.conditions) equality |= is_equality(*condition);
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
        case PlanKind::cte_scan: return "CTE Scan on " + plan.common->name + alias_of(plan, plan.common->name);
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

/// A line of what an operator says of itself: one text or number, or a list.
struct Detail {
    enum class Kind : std::uint8_t { text, number, kilobytes, list };
    const char* name;
    std::vector<std::string> parts;
    Kind kind = Kind::text;
};

class Describer {
public:
    Describer(const Plan& plan, const DescribeOptions& options)
        : options_(options), spelled_(plan, options.verbose, *options.session) {}

    void lines_of(const Plan& plan, std::size_t indent, std::vector<std::string>& lines);
    Document document_of(const Plan& plan, const char* relationship, const std::string& name);

private:
    std::vector<Detail> details_of(const Plan& plan) const;
    void add_conditions(const Plan& plan, std::vector<Detail>& details) const;
    std::vector<std::string> keys_of(const std::vector<SortKey>& keys, std::size_t count) const;
    std::vector<std::string> output_of(const Plan& plan) const;

    const DescribeOptions& options_;
    ExpressionText spelled_;
    std::set<const Plan*> seen_;
};

void Describer::add_conditions(const Plan& plan, std::vector<Detail>& details) const {
    const auto add = [&](const char* name, const std::string& text) {
        if (!text.empty()) details.push_back({name, {text}});
    };
    if (plan.kind == PlanKind::join) {
        std::vector<BoundExpr*> hashed, others;
        for (BoundExpr* condition : plan.conditions)
            (!plan.lateral && is_equality(*condition) ? hashed : others).push_back(condition);
        add("Hash Cond", spelled_.all_of(hashed));
        add("Join Filter", spelled_.all_of(others));
        return;
    }
    if (plan.kind == PlanKind::scan) {
        if (plan.access.index >= 0) add("Index Cond", spelled_.path(plan, plan.access));
        std::string united;
        for (const AccessPath& path : plan.united)
            united += (united.empty() ? "" : " OR ") + spelled_.path(plan, path);
        add("Index Cond", plan.united.size() > 1 ? "(" + united + ")" : united);
    }
    add("Filter", spelled_.all_of(plan.conditions));
    if (plan.conditions.empty() || options_.actuals == nullptr) return;
    const OperatorActuals actuals = actuals_of(plan, options_);
    const std::uint64_t refused = actuals.loops == 0 ? 0 : actuals.refused / actuals.loops;
    if (refused > 0) details.push_back({"Rows Removed by Filter", {std::to_string(refused)}, Detail::Kind::number});
}

std::vector<std::string> Describer::keys_of(const std::vector<SortKey>& keys, std::size_t count) const {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < std::min(count, keys.size()); ++i) texts.push_back(spelled_.key(keys[i]));
    return texts;
}

std::vector<std::string> Describer::output_of(const Plan& plan) const {
    std::vector<std::string> texts;
    for (const ColumnId id : plan.output)
        if (spelled_.knows(id)) texts.push_back(spelled_.column(id));
    return texts;
}

std::vector<Detail> Describer::details_of(const Plan& plan) const {
    std::vector<Detail> details;
    if (options_.verbose) {
        std::vector<std::string> output = output_of(plan);
        if (!output.empty()) details.push_back({"Output", std::move(output), Detail::Kind::list});
    }
    switch (plan.kind) {
        case PlanKind::sort:
            details.push_back({"Sort Key", keys_of(plan.keys, plan.keys.size()), Detail::Kind::list});
            if (plan.ordered_keys > 0)
                details.push_back({"Presorted Key", keys_of(plan.keys, plan.ordered_keys), Detail::Kind::list});
            break;
        case PlanKind::aggregate: {
            const auto group_keys = [&](const std::vector<std::size_t>& places) {
                std::vector<std::string> texts;
                for (const std::size_t place : places) texts.push_back(spelled_.text(*plan.groups[place].expr));
                details.push_back({"Group Key", std::move(texts), Detail::Kind::list});
            };
            std::vector<std::size_t> all(plan.groups.size());
            for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
            if (plan.grouping_sets.empty() && !all.empty()) group_keys(all);
            for (const std::vector<std::size_t>& set : plan.grouping_sets) group_keys(set);
            break;
        }
        default: break;
    }
    add_conditions(plan, details);
    if (options_.actuals != nullptr) {
        // What is below has counted its own.
        std::uint64_t bytes = actuals_of(plan, options_).put_aside;
        for (const Plan* const input : {plan.left, plan.right})
            if (input != nullptr) bytes -= std::min(bytes, actuals_of(*input, options_).put_aside);
        if (bytes > 0)
            details.push_back({"Disk Usage", {std::to_string((bytes + 1023) / 1024)}, Detail::Kind::kilobytes});
    }
    return details;
}

void Describer::lines_of(const Plan& plan, std::size_t indent, std::vector<std::string>& lines) {
    // As PostgreSQL lays it out: what belongs to an operator begins two places behind its name.
    std::string line(indent, ' ');
    if (indent > 0) line += "->  ";
    const std::size_t inner = indent == 0 ? 2 : indent + 6;
    line += title(plan, options_.verbose);
    if (options_.costs) line += "  (rows=" + std::to_string(expected_rows(plan)) + ")";
    if (options_.actuals != nullptr) line += actuals_text(actuals_of(plan, options_), options_.timing);
    lines.push_back(std::move(line));
    for (const Detail& detail : details_of(plan)) {
        std::string all;
        for (const std::string& part : detail.parts) all += (all.empty() ? "" : ", ") + part;
        if (detail.parts.empty()) all = "()";
        if (detail.kind == Detail::Kind::kilobytes) all += "kB";
        lines.push_back(std::string(inner, ' ') + detail.name + ": " + all);
    }
    if (plan.left != nullptr) lines_of(*plan.left, inner, lines);
    if (plan.right != nullptr) lines_of(*plan.right, inner, lines);
    for (const Below& query : below(plan, seen_)) {
        lines.push_back(std::string(inner, ' ') + query.name);
        lines_of(*query.plan, inner + 2, lines);
    }
}

Document Describer::document_of(const Plan& plan, const char* relationship, const std::string& name) {
    Document node = Document::object();
    const bool scan = plan.kind == PlanKind::scan;
    std::string type = scan ? scan_type(plan) : title(plan, false);
    if (plan.kind == PlanKind::cte_scan || plan.kind == PlanKind::function_scan ||
        plan.kind == PlanKind::virtual_scan)
        type = type.substr(0, type.find(" on "));
    node.set("Node Type", Document::string(type));
    if (relationship != nullptr) node.set("Parent Relationship", Document::string(relationship));
    if (!name.empty()) node.set("Subplan Name", Document::string(name));
    if (scan) {
        if (plan.access.index >= 0)
            node.set("Scan Direction", Document::string(plan.access.backward ? "Backward" : "Forward"));
        node.set("Relation Name", Document::string(plan.relation->name));
        node.set("Schema", Document::string(plan.relation->schema));
        node.set("Alias", Document::string(plan.alias.empty() ? plan.relation->name : plan.alias));
        if (!plan.reads_all()) node.set("Index Name", Document::string(index_names(plan)));
    }
    if (plan.kind == PlanKind::cte_scan) node.set("CTE Name", Document::string(plan.common->name));
    if (options_.costs) node.set("Plan Rows", Document::integer(expected_rows(plan)));
    if (options_.actuals != nullptr) set_actuals(actuals_of(plan, options_), options_.timing, node);
    Document sets = Document::array();
    for (const Detail& detail : details_of(plan)) {
        if (detail.kind != Detail::Kind::list) {
            const bool number = detail.kind != Detail::Kind::text;
            node.set(detail.name, number ? Document::number(detail.parts[0]) : Document::string(detail.parts[0]));
            continue;
        }
        Document list = Document::array();
        for (const std::string& part : detail.parts) list.push(Document::string(part));
        if (plan.grouping_sets.size() > 1 && std::string_view(detail.name) == "Group Key") sets.push(std::move(list));
        else node.set(detail.name, std::move(list));
    }
    if (!sets.items().empty()) node.set("Grouping Sets", std::move(sets));
    Document plans = Document::array();
    if (plan.left != nullptr) plans.push(document_of(*plan.left, "Outer", {}));
    if (plan.right != nullptr) plans.push(document_of(*plan.right, "Inner", {}));
    for (const Below& query : below(plan, seen_))
        plans.push(document_of(*query.plan, query.name == "SubPlan" ? "SubPlan" : "InitPlan", query.name));
    if (!plans.items().empty()) node.set("Plans", std::move(plans));
    return node;
}

}  // namespace describe

void describe_plan(const Plan& plan, std::size_t indent, const DescribeOptions& options,
                   std::vector<std::string>& lines) {
    describe::Describer(plan, options).lines_of(plan, indent, lines);
}

Document describe_plan(const Plan& plan, const DescribeOptions& options) {
    return describe::Describer(plan, options).document_of(plan, nullptr, {});
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
