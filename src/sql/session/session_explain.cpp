// EXPLAIN: the plan of a statement, and with ANALYZE what each operator did when it ran.
#include "sql/plan/describe.hpp"
#include "sql/session/bound_statement.hpp"
#include "sql/session/explain_format.hpp"
#include "sql/session/sql_session.hpp"

#include <chrono>
#include <optional>

namespace northstar::inline v0::sql {

namespace session_explain {

enum class Format : std::uint8_t { text, json, xml, yaml };

struct ExplainOptions {
    bool analyze = false;
    Format format = Format::text;
    bool costs = true;
    bool timing = true;
    std::optional<bool> summary;  ///< as ANALYZE says where it is not given
    bool buffers = false;
    bool verbose = false;
    bool settings = false;
};

/// Settings that plans, or the rows they read, depend on.
constexpr std::string_view k_of_plans[] = {"northstar.as_of", "northstar.valid_at", "plan_cache_mode", "search_path",
                                           "work_mem"};


ExplainOptions read_explain_options(const syntax::List<syntax::Option>& list) {
    ExplainOptions options;
    for (const syntax::Option& option : list) {
        const std::string value = option.value == nullptr ? "" : std::string(option.value->text);
        const bool off = value == "off" || value == "false" || value == "0" ||
                         (option.value != nullptr && option.value->kind == syntax::ExprKind::boolean &&
                          !option.value->flag);
        if (option.name == "analyze") {
            options.analyze = !off;
        } else if (option.name == "format") {
            if (value == "text") options.format = Format::text;
            else if (value == "json") options.format = Format::json;
            else if (value == "xml") options.format = Format::xml;
            else if (value == "yaml") options.format = Format::yaml;
            else
                raise_at(sqlstate::invalid_parameter_value,
                         "unrecognized value for EXPLAIN option \"format\": \"" + value + "\"", option.position);
        } else if (option.name == "costs") {
            options.costs = !off;
        } else if (option.name == "timing") {
            options.timing = !off;
        } else if (option.name == "summary") {
            options.summary = !off;
        } else if (option.name == "buffers") {
            options.buffers = !off;
        } else if (option.name == "verbose") {
            options.verbose = !off;
        } else if (option.name == "settings") {
            options.settings = !off;
        } else if (option.name == "wal") {
            // A statement has written its part of the log only when its transaction commits.
            if (!off)
                raise_at(sqlstate::feature_not_supported, "EXPLAIN option \"wal\" is not supported", option.position);
        } else {
            raise_at(sqlstate::syntax_error, "unrecognized EXPLAIN option \"" + std::string(option.name) + "\"",
                     option.position);
        }
    }
    return options;
}

using Clock = std::chrono::steady_clock;

std::uint64_t nanos_since(Clock::time_point begin) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
}

const char* verb_of(const BoundChange& change) {
    static constexpr const char* names[] = {"Insert", "Update", "Delete", "Merge"};
    return names[static_cast<int>(change.kind)];
}

/// How far the plan of a change's rows is moved to the right.
constexpr std::size_t k_below_change = 2;

std::vector<std::string> lines_of(const BoundStatement& bound, const OperatorActuals& whole,
                                  const DescribeOptions& options) {
    std::vector<std::string> lines;
    if (bound.change == nullptr) {
        describe_plan(*bound.query.plan, 0, options, lines);
        return lines;
    }
    const Relation& relation = *bound.change->relation;
    lines.push_back(std::string(verb_of(*bound.change)) + " on " +
                    (options.verbose ? quote_identifier(relation.schema) + "." : "") + quote_identifier(relation.name));
    if (options.actuals != nullptr) lines.back() += actuals_text(whole, options.timing);
    describe_plan(*bound.change->source, k_below_change, options, lines);
    return lines;
}

Document document_of(const BoundStatement& bound, const OperatorActuals& whole, const DescribeOptions& options) {
    if (bound.change == nullptr) return describe_plan(*bound.query.plan, options);
    Document change = Document::object();
    change.set("Node Type", Document::string("ModifyTable"));
    change.set("Operation", Document::string(verb_of(*bound.change)));
    change.set("Relation Name", Document::string(bound.change->relation->name));
    if (options.actuals != nullptr) set_actuals(whole, options.timing, change);
    Document below = Document::array();
    below.push(describe_plan(*bound.change->source, options));
    change.set("Plans", std::move(below));
    return change;
}

}  // namespace session_explain

StatementResult SqlSession::explain(const syntax::Explain& statement) {
    const session_explain::ExplainOptions options = session_explain::read_explain_options(statement.options);
    StatementResult result;
    result.has_rows = true;
    OutputColumn column;
    column.name = "QUERY PLAN";
    column.type = options.format == session_explain::Format::json ? type::json : type::text;
    const bool lines_alone = options.format == session_explain::Format::text;
    result.columns.push_back(column);
    result.rows.reset(1);
    const auto line = [&](const std::string& shown) {
        Value* row = result.rows.add();
        row[0] = Value::bytes(column.type, result.rows.arena().copy(shown));
    };
    // The plan that EXECUTE runs is the one that is kept.
    const bool executes = statement.statement->kind == syntax::StatementKind::execute;
    const syntax::Prepare* const execute = executes ? statement.statement->prepare : nullptr;
    PreparedPlan* const prepared = executes ? &prepared_plan(*execute) : nullptr;
    Arena arena;
    const std::vector<Value> values = executes ? arguments_of(*execute, *prepared, arena) : std::vector<Value>();
    std::optional<ParameterScope> scope;
    if (executes) scope.emplace(*this, values, prepared->bound.parameter_types);
    const syntax::Statement& inner = executes ? *prepared->statement : *statement.statement;
    const std::string_view text = executes ? std::string_view(prepared->text) : std::string_view();
    if (inner.kind != syntax::StatementKind::query && inner.change == nullptr)
        raise(sqlstate::feature_not_supported, "EXPLAIN of this statement is not supported");
    BoundStatement own;
    own.declared = parameter_types_;
    BoundStatement& bound = executes ? prepared->bound : own;
    const auto begin = session_explain::Clock::now();
    bind(inner, text, bound);
    const std::uint64_t planning = session_explain::nanos_since(begin);
    DescribeOptions shown;
    shown.costs = options.costs;
    shown.timing = options.timing;
    shown.verbose = options.verbose;
    shown.session = &session_;
    PlanActuals actuals;
    OperatorActuals whole;  // of the statement
    Statistics before, after;
    if (options.analyze) {
        before = database_.statistics();
        const auto started = session_explain::Clock::now();
        actuals_ = &actuals;
        try {
            whole.rows = dispatch(inner, text, &bound).rows.size();
        } catch (...) {
            actuals_ = nullptr;
            throw;
        }
        actuals_ = nullptr;
        whole.loops = 1;
        whole.startup_nanos = whole.total_nanos = session_explain::nanos_since(started);
        after = database_.statistics();
        // SELECT INTO makes a plan of its own.
        if (inner.kind != syntax::StatementKind::query || inner.query->into == nullptr) shown.actuals = &actuals;
    }
    const std::vector<std::string> lines =
        lines_alone ? session_explain::lines_of(bound, whole, shown) : std::vector<std::string>();
    Document root = Document::object();
    if (!lines_alone) root.set("Plan", session_explain::document_of(bound, whole, shown));
    for (const std::string& one : lines) line(one);
    const auto fact = [&](const char* name, const std::string& value, const char* unit) {
        if (!lines_alone) root.set(name, Document::number(value));
        else line(std::string(name) + ": " + value + unit);
    };
    if (options.settings) {
        Document set = Document::object();
        std::string texts;
        for (const std::string_view name : session_explain::k_of_plans) {
            const std::string value = setting(name, true).value_or("");
            if (value == initial_setting(name)) continue;
            texts += (texts.empty() ? "" : ", ") + std::string(name) + " = " + quote_literal(value);
            set.set(std::string(name), Document::string(value));
        }
        if (!lines_alone) root.set("Settings", std::move(set));
        else if (!texts.empty()) line("Settings: " + texts);
    }
    if (options.analyze && options.buffers) {  // of the whole handle: other threads count too
        fact("Pages Read First", std::to_string(after.pages_verified - before.pages_verified), "");
        fact("Pages Copied", std::to_string(after.pages_copied - before.pages_copied), "");
    }
    if (options.summary.value_or(options.analyze && options.timing))
        fact("Planning Time", milliseconds_text(planning), " ms");
    if (options.analyze && options.summary.value_or(options.timing))
        fact("Execution Time", milliseconds_text(whole.total_nanos), " ms");
    if (options.format == session_explain::Format::json) {
        Document all = Document::array();
        all.push(std::move(root));
        line(all.text());
    } else if (!lines_alone) {
        line(options.format == session_explain::Format::xml ? explained_as_xml(root) : explained_as_yaml(root));
    }
    result.tag = "EXPLAIN";
    return result;
}

}  // namespace northstar::inline v0::sql
