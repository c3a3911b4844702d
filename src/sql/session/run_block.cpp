// DO: runs the steps of a block inside of the transaction of its statement.
//
// [DO-1] Nothing runs of a block that cannot be parsed, its statements included.
// [DO-2] A block with handlers is undone up to its beginning before one of them runs. A failed commit, a cancelled
//        statement and what is no error of SQL are left to nobody.
#include "sql/condition_names.hpp"
#include "sql/session/sql_session.hpp"
#include "sql/syntax/block.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

namespace run_block_file {

SqlState state_of(std::string_view text) {
    SqlState state;
    std::copy_n(text.begin(), std::min<std::size_t>(text.size(), 5), state.text);
    return state;
}

bool is_caught(const SqlError& error, const syntax::BlockBranch& handler) {
    const std::string_view state = error.state().view();
    const bool by_others = error.state() != sqlstate::query_canceled && state != "P0004";
    return std::any_of(handler.states.begin(), handler.states.end(), [&](const std::string& named) {
        return named == "others" ? by_others : state_belongs_to(state, named);
    });
}

}  // namespace run_block_file

/// One run of a DO statement.
class BlockRun {
public:
    explicit BlockRun(SqlSession& session) : session_(session) {}

    void check(const std::vector<syntax::BlockStep>& steps) {
        for (const syntax::BlockStep& step : steps) {
            if (step.kind == syntax::BlockStepKind::statement) check_statement(step.text);
            if (step.kind == syntax::BlockStepKind::perform || step.kind == syntax::BlockStepKind::execute)
                check_query(step.text);
            for (const std::string_view argument : step.arguments) check_query(argument);
            for (const auto& [name, value] : step.options) check_query(value);
            for (const syntax::BlockBranch& branch : step.branches) {
                if (!branch.condition.empty()) check_query(branch.condition);
                check(branch.steps);
            }
            check(step.block);
        }
    }
    void check(const syntax::Block& block) {
        check(block.steps);
        for (const syntax::BlockBranch& handler : block.handlers) check(handler.steps);
    }

    void run(const syntax::Block& block) {
        if (block.handlers.empty()) return run(block.steps);
        if (!session_.handle_reads_) session_.writing_transaction();
        const SqlSession::Mark mark = session_.mark("block");
        try {
            run(block.steps);
        } catch (const SqlError& error) {
            const auto handler = std::find_if(block.handlers.begin(), block.handlers.end(), [&](const auto& each) {
                return run_block_file::is_caught(error, each);
            });
            if (handler == block.handlers.end()) throw;
            session_.rollback_to(mark);
            session_.take_settings_of(mark);
            const Handling handling(caught_, error);
            run(handler->steps);
        }
    }

private:
    /// While one lives its handler runs.
    class Handling {
    public:
        Handling(const SqlError*& caught, const SqlError& error)
            : caught_(caught), outer_(std::exchange(caught, &error)) {}
        ~Handling() { caught_ = outer_; }
        Handling(const Handling&) = delete;
        Handling& operator=(const Handling&) = delete;

    private:
        const SqlError*& caught_;
        const SqlError* const outer_;
    };

    static void check_query(std::string_view text) {
        Arena arena;
        parse_script(std::string("SELECT ").append(text), arena);
    }

    static void check_statement(std::string_view text) {
        Arena arena;
        for (const syntax::Statement* statement : parse_script(arena.copy(text), arena)) {
            if (statement->kind == syntax::StatementKind::transaction)
                raise(sqlstate::feature_not_supported, "unsupported transaction command in PL/pgSQL");
            if (statement->kind == syntax::StatementKind::query)
                raise(sqlstate::syntax_error, "query has no destination for result data", {},
                      "If you want to discard the results of a SELECT, use PERFORM instead.");
        }
    }

    void run(const std::vector<syntax::BlockStep>& steps) {
        using syntax::BlockStepKind;
        for (const syntax::BlockStep& step : steps) {
            if (finished_) return;
            session_.check_cancelled();
            switch (step.kind) {
                case BlockStepKind::statement: statements(std::string(step.text)); break;
                case BlockStepKind::perform: statements("SELECT " + std::string(step.text)); break;
                case BlockStepKind::execute: execute(step); break;
                case BlockStepKind::conditional: conditional(step); break;
                case BlockStepKind::raise: raise_report(step); break;
                case BlockStepKind::block: run(step.block); break;
                case BlockStepKind::finish: finished_ = true; break;
            }
        }
    }

    void execute(const syntax::BlockStep& step) {
        const Value text = value_of(step.text);
        if (text.is_null())
            raise(sqlstate::null_value_not_allowed, "query string argument of EXECUTE is null");
        statements(to_text(text));
    }

    void conditional(const syntax::BlockStep& step) {
        for (const syntax::BlockBranch& branch : step.branches) {
            if (!branch.condition.empty()) {
                const Value holds = value_of("(" + std::string(branch.condition) + ")::boolean");
                if (holds.is_null() || !holds.boolean()) continue;
            }
            return run(branch.steps);
        }
    }

    void raise_report(const syntax::BlockStep& step) {
        if (step.again) {
            if (caught_ == nullptr)
                raise(SqlState("0Z002"), "RAISE without parameters cannot be used outside an exception handler");
            throw SqlError(caught_->report());
        }
        SqlReport report;
        report.state = step.state.empty() ? sqlstate::raise_exception : run_block_file::state_of(step.state);
        report.message = step.format.empty() ? step.condition : formatted(step);
        for (const auto& [name, expression] : step.options) set_field(report, name, text_of(expression));
        if (report.message.empty()) report.message = report.state.view();
        if (step.level == "exception") throw SqlError(std::move(report));
        if (step.level == "debug" || step.level == "log") return;  // below what client_min_messages can ask for here
        report.severity = step.level == "warning" ? Severity::warning : Severity::notice;
        if (step.state.empty()) report.state = step.level == "warning" ? sqlstate::warning : SqlState("00000");
        session_.add_notice(std::move(report));
    }

    static void set_field(SqlReport& report, const std::string& name, std::string value) {
        if (name == "message") report.message = std::move(value);
        else if (name == "detail") report.detail = std::move(value);
        else if (name == "hint") report.hint = std::move(value);
        else if (name == "column") report.column = std::move(value);
        else if (name == "constraint") report.constraint = std::move(value);
        else if (name == "datatype") report.data_type = std::move(value);
        else if (name == "table") report.table = std::move(value);
        else if (name == "schema") report.schema = std::move(value);
        else {
            const std::vector<std::string_view> named = states_named(value);
            if (named.empty() && value.size() != 5)
                raise(sqlstate::undefined_object, "unrecognized exception condition \"" + value + "\"");
            report.state = run_block_file::state_of(named.empty() ? std::string_view(value) : named.front());
        }
    }

    std::string formatted(const syntax::BlockStep& step) {
        std::string out;
        auto argument = step.arguments.begin();
        for (std::size_t i = 0; i < step.format.size(); ++i) {
            if (step.format[i] != '%') {
                out += step.format[i];
            } else if (i + 1 < step.format.size() && step.format[i + 1] == '%') {
                out += '%';
                ++i;
            } else {
                out += text_of(*argument++);
            }
        }
        return out;
    }

    /// What an argument of RAISE shows. The two names that a handler has are no columns.
    std::string text_of(std::string_view expression) {
        std::string name(expression);
        for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        if (caught_ != nullptr && name == "sqlerrm") return caught_->report().message;
        if (caught_ != nullptr && name == "sqlstate") return std::string(caught_->state().view());
        const Value value = value_of(expression);
        return value.is_null() ? "<NULL>" : to_text(value);
    }

    std::string to_text(const Value& value) { return value_to_text(value, session_.state()); }

    Value value_of(std::string_view expression) {
        const StatementResult result = one_of("SELECT " + std::string(expression));
        if (result.columns.size() != 1)
            raise(sqlstate::syntax_error, "query \"" + std::string(expression) + "\" returned " +
                                              std::to_string(result.columns.size()) + " columns");
        if (result.rows.size() > 1)
            raise(SqlState("21000"), "query \"" + std::string(expression) + "\" returned more than one row");
        if (result.rows.size() == 0) return Value::null(type::text);
        return copy_value(result.rows.row(0)[0], values_);
    }

    StatementResult one_of(const std::string& text) {
        StatementResult last;
        each_statement(text, [&](StatementResult result) { last = std::move(result); });
        return last;
    }
    void statements(const std::string& text) {
        each_statement(text, [](const StatementResult&) {});
    }

    /// Positions count in a text that nobody has: the message is given it as its context.
    template <class Take>
    void each_statement(const std::string& text, Take&& take) {
        Arena arena;
        try {
            for (const syntax::Statement* statement : parse_script(text, arena)) {
                if (statement->kind == syntax::StatementKind::transaction)
                    raise(sqlstate::feature_not_supported, "unsupported transaction command in PL/pgSQL");
                take(session_.run_nested(*statement, text));
            }
        } catch (SqlError& error) {
            error.edit().position = 0;
            if (error.report().context.empty()) error.edit().context = "SQL statement \"" + text + "\"";
            throw;
        }
    }

    SqlSession& session_;
    Arena values_;
    const SqlError* caught_ = nullptr;
    bool finished_ = false;
};

StatementResult SqlSession::run_block(const syntax::Statement& statement) {
    if (!statement.channel.empty() && statement.channel != "plpgsql") {
        if (statement.channel == "sql")
            raise(sqlstate::feature_not_supported, "language \"sql\" does not support inline code execution");
        raise(sqlstate::undefined_object, "language \"" + std::string(statement.channel) + "\" does not exist");
    }
    const std::string text(statement.payload);
    const syntax::Block block = syntax::parse_block(text);
    BlockRun run(*this);
    run.check(block);
    run.run(block);
    StatementResult result;
    result.tag = "DO";
    return result;
}

}  // namespace northstar::inline v0::sql
