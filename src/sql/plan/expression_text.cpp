#include "sql/plan/expression_text.hpp"

#include "sql/catalog/system_relations.hpp"
#include "sql/plan/walk.hpp"
#include "sql/syntax/parser.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace expression_text {

constexpr const char* k_unnamed = "?column?";
/// Each level may double what it stands on.
constexpr int k_deepest = 8;

const char* sign_of(Comparison comparison) {
    switch (comparison) {
        case Comparison::equal: return "=";
        case Comparison::not_equal: return "<>";
        case Comparison::less: return "<";
        case Comparison::less_equal: return "<=";
        case Comparison::greater: return ">";
        case Comparison::greater_equal: return ">=";
        case Comparison::none: break;
    }
    return "?";
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
    return text;
}

const char* hidden_name(int place) {
    switch (place) {
        case hidden_commit_from: return "_commit_from";
        case hidden_commit_to: return "_commit_to";
        case hidden_system_from: return "_system_from";
        case hidden_system_to: return "_system_to";
        case hidden_whole_row: return "*";
        case hidden_table_oid: return "tableoid";
        default: return "ctid";
    }
}

std::string name_of_scan(const Plan& plan) {
    if (!plan.alias.empty()) return plan.alias;
    if (plan.virtual_table >= 0) return system_relation(static_cast<std::size_t>(plan.virtual_table)).name;
    if (plan.relation != nullptr) return plan.relation->name;
    if (plan.common != nullptr) return plan.common->name;
    if (!plan.calls.empty() && plan.calls[0].call != nullptr && plan.calls[0].call->function != nullptr)
        return plan.calls[0].call->function->name;
    return {};
}

/// Names of what a function in FROM returns, as far as it says them; a single column has the table's name where the
/// function is `alone`, else its own.
std::vector<std::string> names_of(const Plan::ScanCall& call, const std::string& table, bool alone) {
    std::vector<std::string> names;
    for (const FieldInfo& field : call.call->fields) names.emplace_back(field.name);
    std::string_view rest = call.call->function == nullptr ? "" : call.call->function->columns;
    while (names.size() < call.column_count && !rest.empty()) {
        names.emplace_back(rest.substr(0, rest.find(':')));
        rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
    }
    const bool named = !alone && call.call->function != nullptr;
    if (names.empty() && call.column_count == 1) names.push_back(named ? call.call->function->name : table);
    names.resize(call.column_count, k_unnamed);
    return names;
}

}  // namespace expression_text

ExpressionText::ExpressionText(const Plan& plan, bool qualified, Session& session)
    : session_(session), qualified_(qualified) {
    learn(plan);
    qualified_ |= tables_.size() > 1;
}

void ExpressionText::learn(const Plan& plan) {
    if (!seen_.insert(&plan).second) return;
    std::string table = expression_text::name_of_scan(plan);
    const auto is_column = [&](ColumnId id, std::string name) { scanned_[id] = {table, std::move(name)}; };
    // Numbers of an input stand under numbers of their own: by place, as long as none was left out.
    const auto by_place = [&](const std::vector<OutputColumn>& columns) {
        for (std::size_t i = 0; i < plan.output.size() && columns.size() == plan.output.size(); ++i)
            is_column(plan.output[i], columns[i].name);
    };
    const auto column_name = [](const Relation& relation, int place) {
        return relation.columns[static_cast<std::size_t>(place)].name;
    };
    std::size_t at = 0;
    switch (plan.kind) {
        case PlanKind::scan:
            tables_.insert(table);
            for (const ScanColumn& column : plan.scan_columns)
                is_column(column.id, column.place < 0 ? expression_text::hidden_name(column.place)
                                                      : column_name(*plan.relation, column.place));
            break;
        case PlanKind::values:
            for (std::size_t i = 0; i < plan.output.size(); ++i)
                is_column(plan.output[i], "column" + std::to_string(i + 1));
            break;
        case PlanKind::function_scan:
            tables_.insert(table);
            at = 0;
            for (const Plan::ScanCall& call : plan.calls)
                for (const std::string& name : expression_text::names_of(call, table, plan.calls.size() == 1))
                    if (at < plan.output.size()) is_column(plan.output[at++], name);
            if (plan.ordinality && at < plan.output.size()) is_column(plan.output[at], "ordinality");
            break;
        case PlanKind::virtual_scan:
            tables_.insert(table);
            if (plan.virtual_table < 0 || plan.relation != nullptr) break;
            at = 0;
            for (const std::string_view name :
                 column_names(system_relation(static_cast<std::size_t>(plan.virtual_table))))
                if (at < plan.output.size()) is_column(plan.output[at++], std::string(name));
            break;
        case PlanKind::cte_scan: {
            tables_.insert(table);
            by_place(plan.common->columns);
            const Plan* const query = plan.common->plan;
            if (query != nullptr && query->kind == PlanKind::recursive_union)
                working_[query->working_table] = plan.common.get();
            break;
        }
        case PlanKind::working_scan:
            if (const auto found = working_.find(plan.working_table); found != working_.end()) {
                if (table.empty()) table = found->second->name;
                by_place(found->second->columns);
            }
            break;
        default: break;
    }
    for (const PlanColumn& column : plan.columns) computed_[column.id] = column.expr;
    for (const PlanColumn& group : plan.groups) computed_[group.id] = group.expr;
    if (plan.grouping_id != k_no_column) is_column(plan.grouping_id, "grouping_set");
    learn_below(plan);
    if (plan.kind == PlanKind::set_operation && plan.left->output.size() == plan.output.size())
        for (at = 0; at < plan.output.size(); ++at)
            if (plan.output[at] != plan.left->output[at]) stands_for_[plan.output[at]] = plan.left->output[at];
}

void ExpressionText::learn_below(const Plan& plan) {
    if (plan.left != nullptr) learn(*plan.left);
    if (plan.right != nullptr) learn(*plan.right);
    if (plan.kind == PlanKind::cte_scan && plan.common->plan != nullptr) learn(*plan.common->plan);
    each_expr(const_cast<Plan&>(plan), [&](BoundExpr*& expr) {
        walk_expr(expr, [&](BoundExpr& node) {
            if (node.subquery != nullptr) learn(*node.subquery);
            return true;
        });
    });
}

bool ExpressionText::knows(ColumnId id) const {
    return scanned_.count(id) != 0 || computed_.count(id) != 0 || stands_for_.count(id) != 0;
}

std::string ExpressionText::column(ColumnId id) const {
    while (stands_for_.count(id) != 0) id = stands_for_.at(id);
    if (const auto found = scanned_.find(id); found != scanned_.end()) {
        const auto& [table, name] = found->second;
        if (!qualified_ || table.empty() || table == name) return quote_identifier(name);
        return quote_identifier(table) + "." + (name == "*" ? name : quote_identifier(name));
    }
    const auto found = computed_.find(id);
    if (found == computed_.end() || found->second == nullptr) return expression_text::k_unnamed;
    if (depth_ == expression_text::k_deepest) return expression_text::k_unnamed;
    ++depth_;
    std::string spelled = text(*found->second);
    --depth_;
    return spelled;
}

std::string ExpressionText::constant(const Value& value, Oid type) const {
    if (value.is_null()) return "NULL::" + format_type(type, k_no_typmod, session_.types);
    std::string text = value_to_text(value, session_);
    switch (type) {
        case type::boolean: return text == "t" ? "true" : "false";
        case type::int2:
        case type::int4:
        case type::int8:
        case type::numeric:
            if (text.find_first_not_of("0123456789.") == std::string::npos) return text;
            break;
        default: break;
    }
    return quote_literal(text) + "::" + format_type(type, k_no_typmod, session_.types);
}

std::string ExpressionText::list(const BoundExpr& expr, std::size_t from) const {
    std::vector<std::string> parts;
    for (std::size_t i = from; i < expr.args.size(); ++i)
        if (expr.args[i] != nullptr) parts.push_back(text(*expr.args[i]));
    return expression_text::joined(parts, ", ");
}

std::string ExpressionText::call(const BoundExpr& expr) const {
    std::string out = expr.function == nullptr ? "" : expr.function->name;
    out += "(";
    const CallClauses* const clauses = expr.clauses;
    if (clauses != nullptr && clauses->distinct) out += "DISTINCT ";
    out += clauses != nullptr && clauses->star ? "*" : list(expr);
    if (clauses != nullptr && !clauses->order.empty()) {
        std::vector<std::string> keys;
        for (const SortKey& key : clauses->order) keys.push_back(this->key(key));
        out += " ORDER BY " + expression_text::joined(keys, ", ");
    }
    out += ")";
    if (clauses != nullptr && clauses->filter != nullptr) out += " FILTER (WHERE " + text(*clauses->filter) + ")";
    if (expr.kind == BoundKind::window) out += " OVER (?)";
    return out;
}

std::string ExpressionText::operation(const BoundExpr& expr) const {
    const std::string name = expr.operation->name;
    if (expr.args.size() == 1) return "(" + name + " " + text(*expr.args[0]) + ")";
    return "(" + text(*expr.args[0]) + " " + name + " " + text(*expr.args[1]) + ")";
}

std::string ExpressionText::cast(const BoundExpr& expr) const {
    const BoundExpr& from = *expr.args[0];
    const std::string to = format_type(expr.type, expr.typmod, session_.types);
    // A length is applied behind the cast to its type, which says the same.
    if (expr.kind == BoundKind::typmod && from.kind == BoundKind::cast && from.type == expr.type)
        return "(" + text(*from.args[0]) + ")::" + to;
    return "(" + text(from) + ")::" + to;
}

std::string ExpressionText::field(const BoundExpr& expr) const {
    const BoundExpr& record = *expr.args[0];
    const auto number = static_cast<std::size_t>(expr.number);
    std::span<const FieldInfo> fields = record.fields;
    if (fields.empty() && session_.types != nullptr) fields = session_.types->fields(record.type);
    const std::string name = number < fields.size() ? std::string(fields[number].name) : std::to_string(number + 1);
    return "(" + text(record) + ")." + quote_identifier(name);
}

std::string ExpressionText::subscript(const BoundExpr& expr) const {
    std::string out = "(" + text(*expr.args[0]) + ")";
    const auto bound = [&](std::size_t i) {
        const BoundExpr& at = *expr.args[i];
        const bool open = at.kind == BoundKind::default_value || (at.kind == BoundKind::constant && at.value.is_null());
        return open ? std::string() : text(at);
    };
    for (std::size_t i = 1; i < expr.args.size(); ++i) {
        out += "[" + bound(i);
        if (expr.negated && i + 1 < expr.args.size()) out += ":" + bound(++i);
        out += "]";
    }
    return out;
}

std::string ExpressionText::case_when(const BoundExpr& expr) const {
    std::string out = "CASE";
    std::size_t i = 0;
    for (; i + 1 < expr.args.size(); i += 2)
        out += " WHEN " + text(*expr.args[i]) + " THEN " + text(*expr.args[i + 1]);
    if (i < expr.args.size() && expr.args[i] != nullptr) out += " ELSE " + text(*expr.args[i]);
    return out + " END";
}

std::string ExpressionText::of_subquery(const BoundExpr& expr) const {
    const std::string before = expr.args.empty() ? "" : expr.args.size() == 1 ? text(*expr.args[0])
                                                                              : "ROW(" + list(expr) + ")";
    switch (expr.kind) {
        case BoundKind::exists: return expr.negated ? "(NOT EXISTS(SubPlan))" : "EXISTS(SubPlan)";
        case BoundKind::in_query:
            return expr.negated ? "(" + before + " <> ALL (SubPlan))" : "(" + before + " = ANY (SubPlan))";
        case BoundKind::quantified_query:
            return "(" + before + " " + (expr.operation == nullptr ? "=" : expr.operation->name) +
                   (expr.negated ? " ALL (SubPlan))" : " ANY (SubPlan))");
        case BoundKind::array_query: return "ARRAY(SubPlan)";
        default: return "(SubPlan)";
    }
}

std::string ExpressionText::text(const BoundExpr& expr) const {
    const auto arg = [&](std::size_t i) { return text(*expr.args[i]); };
    const auto listed = [&](const char* name) { return std::string(name) + "(" + list(expr) + ")"; };
    switch (expr.kind) {
        case BoundKind::constant: return constant(expr.value, expr.type);
        case BoundKind::column: return column(expr.column);
        case BoundKind::parameter: return "$" + std::to_string(expr.number);
        case BoundKind::function:
        case BoundKind::aggregate:
        case BoundKind::window:
        case BoundKind::set_function: return call(expr);
        case BoundKind::operation: return operation(expr);
        case BoundKind::cast:
        case BoundKind::typmod: return cast(expr);
        case BoundKind::conjunction:
        case BoundKind::disjunction: {
            std::vector<std::string> parts;
            for (const BoundExpr* part : expr.args) parts.push_back(text(*part));
            return "(" + expression_text::joined(parts, expr.kind == BoundKind::conjunction ? " AND " : " OR ") + ")";
        }
        case BoundKind::negation: return "(NOT " + arg(0) + ")";
        case BoundKind::is_null: return "(" + arg(0) + (expr.negated ? " IS NOT NULL)" : " IS NULL)");
        case BoundKind::is_truth:
            return "(" + arg(0) + (expr.negated ? " IS NOT " : " IS ") +
                   (expr.number == 1 ? "TRUE)" : expr.number == 0 ? "FALSE)" : "UNKNOWN)");
        case BoundKind::is_distinct:
            return "(" + arg(0) + (expr.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ") + arg(1) + ")";
        case BoundKind::case_when: return case_when(expr);
        case BoundKind::coalesce: return listed("COALESCE");
        case BoundKind::greatest: return listed("GREATEST");
        case BoundKind::least: return listed("LEAST");
        case BoundKind::in_list:
            return "(" + arg(0) + (expr.negated ? " NOT IN (" : " IN (") + list(expr, 1) + "))";
        case BoundKind::nullif:
            return "NULLIF(" + arg(0) + ", " + text(*expr.args[1]->args.back()) + ")";
        case BoundKind::quantified:
            return "(" + arg(0) + " " + expr.operation->name + (expr.negated ? " ALL (" : " ANY (") + arg(1) + "))";
        case BoundKind::array: return "ARRAY[" + list(expr) + "]";
        case BoundKind::row: return listed("ROW");
        case BoundKind::subscript: return subscript(expr);
        case BoundKind::field: return field(expr);
        case BoundKind::row_compare:
            return "(" + arg(0) + " " + expression_text::sign_of(static_cast<Comparison>(expr.number)) + " " + arg(1) +
                   ")";
        case BoundKind::scalar_query:
        case BoundKind::exists:
        case BoundKind::in_query:
        case BoundKind::quantified_query:
        case BoundKind::array_query: return of_subquery(expr);
        case BoundKind::default_value: return "DEFAULT";
        case BoundKind::grouping: return listed("GROUPING");
        case BoundKind::sequence_next: return "nextval(" + std::to_string(expr.number) + "::regclass)";
        case BoundKind::with_value: return arg(1);
        case BoundKind::array_assign:
        case BoundKind::check_domain:
        case BoundKind::check_parts: return arg(0);
    }
    return expression_text::k_unnamed;
}

std::string ExpressionText::key(const SortKey& key) const {
    std::string out = text(*key.expr);
    if (key.descending) out += " DESC";
    if (key.nulls_first != key.descending) out += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    return out;
}

std::string ExpressionText::all_of(const std::vector<BoundExpr*>& conditions) const {
    std::vector<std::string> parts;
    for (const BoundExpr* condition : conditions) parts.push_back(text(*condition));
    const std::string all = expression_text::joined(parts, " AND ");
    return parts.size() > 1 ? "(" + all + ")" : all;
}

std::string ExpressionText::index_part(const Plan& scan, const AccessPath& path, std::size_t part) const {
    const Relation& relation = *scan.relation;
    auto number = static_cast<std::size_t>(path.index);
    // Behind its own columns an index has those of the key that rows lie under.
    if (part >= relation.indexes[number].columns.size() && relation.row_key() >= 0) {
        part -= relation.indexes[number].columns.size();
        number = static_cast<std::size_t>(relation.row_key());
    }
    const Index& index = relation.indexes[number];
    if (part >= index.columns.size()) return expression_text::k_unnamed;
    if (number < scan.index_terms.size() && part < scan.index_terms[number].parts.size() &&
        scan.index_terms[number].parts[part] != nullptr)
        return text(*scan.index_terms[number].parts[part]);
    const IndexColumn& column = index.columns[part];
    if (column.column < 0) return column.text;
    const std::string name = quote_identifier(relation.columns[static_cast<std::size_t>(column.column)].name);
    return qualified_ ? quote_identifier(expression_text::name_of_scan(scan)) + "." + name : name;
}

std::string ExpressionText::path(const Plan& scan, const AccessPath& path) const {
    std::vector<std::string> parts;
    const auto compared = [&](std::size_t part, const char* sign, const BoundExpr& value) {
        parts.push_back("(" + index_part(scan, path, part) + " " + sign + " " + text(value) + ")");
    };
    for (std::size_t i = 0; i < path.equal.size(); ++i) {
        const std::size_t part = path.part(i);
        if (path.equal[i] == nullptr) parts.push_back("(" + index_part(scan, path, part) + " IS NULL)");
        else compared(part, "=", *path.equal[i]);
    }
    for (const PathMembers& members : path.members) parts.push_back(text(*members.condition));
    const auto end = [&](const BoundExpr& value, const std::vector<BoundExpr*>& rest, const char* sign) {
        if (rest.empty()) return compared(path.next_part(), sign, value);
        std::string columns = index_part(scan, path, path.next_part()), values = text(value);
        for (std::size_t i = 0; i < rest.size(); ++i) {
            columns += ", " + index_part(scan, path, path.next_part() + 1 + i);
            values += ", " + text(*rest[i]);
        }
        parts.push_back("(ROW(" + columns + ") " + sign + " ROW(" + values + "))");
    };
    if (path.low != nullptr) end(*path.low, path.low_rest, path.low_inclusive ? ">=" : ">");
    if (path.high != nullptr) end(*path.high, path.high_rest, path.high_inclusive ? "<=" : "<");
    if (path.not_null && path.low == nullptr && path.high == nullptr)
        parts.push_back("(" + index_part(scan, path, path.next_part()) + " IS NOT NULL)");
    const std::string all = expression_text::joined(parts, " AND ");
    return parts.size() > 1 ? "(" + all + ")" : all;
}

}  // namespace northstar::inline v0::sql
