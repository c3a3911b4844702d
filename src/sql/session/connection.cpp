// The public interface (api/northstar_sql.hpp) over a session: texts in, texts out, failures with their SQLSTATE.
#include "sql/binary_io.hpp"
#include "sql/session/portal.hpp"
#include "sql/session/statement_state.hpp"
#include "sql/text_io.hpp"

namespace northstar::inline v0 {

namespace connection {

std::vector<SqlColumn> public_columns(sql::SqlSession& session, const std::vector<sql::OutputColumn>& columns) {
    std::vector<SqlColumn> out;
    for (const sql::OutputColumn& column : columns)
        out.push_back({column.name, column.type, sql::format_type(column.type, column.typmod, session.state().types)});
    return out;
}

/// The i-th row of `rows`, which have `width` columns.
std::vector<SqlValue> row_of_texts(sql::SqlSession& session, const sql::RowStore& rows, std::size_t i,
                                   std::size_t width) {
    std::vector<SqlValue> row;
    for (std::size_t c = 0; c < width; ++c) {
        const sql::Value& value = rows.row(i)[c];
        if (value.is_null()) row.emplace_back();
        else row.emplace_back(sql::value_to_text(value, session.state()));
    }
    return row;
}

SqlResult to_texts(sql::SqlSession& session, const sql::StatementResult& from) {
    SqlResult result;
    result.has_rows = from.has_rows;
    result.tag = from.tag;
    result.txn = from.txn;
    result.columns = public_columns(session, from.columns);
    for (std::size_t i = 0; i < from.rows.size(); ++i)
        result.rows.push_back(row_of_texts(session, from.rows, i, from.columns.size()));
    for (const sql::SqlReport& notice : session.take_notices()) result.notices.push_back(notice.message);
    return result;
}

/// Keeps what the statements of a script answer.
class ScriptResults final : public sql::ScriptTaker {
public:
    explicit ScriptResults(sql::SqlSession& session) : session_(session) {}
    bool takes_parts() const override { return false; }
    void begin(const std::vector<sql::OutputColumn>& columns) override {
        open_.has_rows = true;
        open_.columns = public_columns(session_, columns);
    }
    void rows(const sql::RowStore& rows) override {
        for (std::size_t i = 0; i < rows.size(); ++i)
            open_.rows.push_back(row_of_texts(session_, rows, i, open_.columns.size()));
    }
    void end(const std::string& tag, std::uint64_t txn) override {
        open_.tag = tag;
        open_.txn = txn;
        for (const sql::SqlReport& notice : session_.take_notices()) open_.notices.push_back(notice.message);
        results_.push_back(std::exchange(open_, {}));
    }
    bool take_back(std::size_t count) override {
        results_.resize(results_.size() - count);
        open_ = {};
        return true;
    }
    std::vector<SqlResult> results() { return std::move(results_); }

private:
    sql::SqlSession& session_;
    std::vector<SqlResult> results_;
    SqlResult open_;
};

/// Hands them on. Their notices go with none of them.
class ScriptSink final : public sql::ScriptTaker {
public:
    ScriptSink(sql::SqlSession& session, SqlScriptSink& sink) : session_(session), sink_(sink) {}
    bool takes_parts() const override { return true; }
    void begin(const std::vector<sql::OutputColumn>& columns) override {
        seen_ = true;
        width_ = columns.size();
        sink_.begin(public_columns(session_, columns));
    }
    void rows(const sql::RowStore& rows) override {
        for (std::size_t i = 0; i < rows.size(); ++i) sink_.row(row_of_texts(session_, rows, i, width_));
    }
    void end(const std::string& tag, std::uint64_t txn) override {
        seen_ = true;
        session_.take_notices();
        sink_.end(tag, txn);
    }
    bool take_back(std::size_t) override { return !seen_; }

private:
    sql::SqlSession& session_;
    SqlScriptSink& sink_;
    std::size_t width_ = 0;
    bool seen_ = false;
};

/// The texts as values of the types that the statement gives its parameters.
std::vector<sql::Value> values_of(sql::SqlSession& session, const sql::PreparedPlan& plan,
                                  const std::vector<SqlValue>& parameters, sql::Arena& arena) {
    std::vector<sql::Value> values;
    try {
        const std::vector<sql::Oid>& types = plan.bound.declared;
        if (parameters.empty() && !types.empty())
            sql::raise(sql::sqlstate::undefined_parameter, "there is no parameter $1");
        if (types.size() != parameters.size())
            sql::raise(sql::sqlstate::syntax_error, "the statement needs " + std::to_string(types.size()) +
                                                        " parameters, but " + std::to_string(parameters.size()) +
                                                        " were given");
        for (std::size_t i = 0; i < types.size(); ++i)
            values.push_back(parameters[i] ? sql::value_from_text(types[i], sql::k_no_typmod, *parameters[i], arena,
                                                                  session.state())
                                           : sql::Value::null(types[i]));
    } catch (...) {
        session.translate_failure(plan.text);
    }
    return values;
}

std::unique_ptr<sql::StatementState> state_of(sql::SqlSession& session, std::string_view statement) {
    try {
        return std::make_unique<sql::StatementState>(session, statement);
    } catch (...) {
        session.translate_failure(statement);
    }
}

}  // namespace connection

SqlConnection::SqlConnection(Database& database) : session_(std::make_unique<sql::SqlSession>(database)) {}
SqlConnection::SqlConnection(SqlConnection&&) noexcept = default;
SqlConnection& SqlConnection::operator=(SqlConnection&&) noexcept = default;
SqlConnection::~SqlConnection() = default;

SqlResult SqlConnection::execute(std::string_view statement, const std::vector<SqlValue>& parameters) {
    try {
        sql::StatementResult result;
        if (parameters.empty() && session_->execute_by_shape(statement, result))
            return connection::to_texts(*session_, result);
        sql::PreparedPlan& plan = session_->prepared(statement);
        if (plan.statement == nullptr) return {};
        sql::Arena arena;
        std::vector<sql::Value> values;
        if (!parameters.empty() || plan.statement->parameters > 0) {
            session_->describe(plan);
            values = connection::values_of(*session_, plan, parameters, arena);
        }
        session_->execute(plan, values, result);
        if (result.has_rows && result.columns.empty())
            result.columns = plan.bound.change != nullptr ? plan.bound.change->returning_columns
                                                          : plan.bound.query.columns;
        return connection::to_texts(*session_, result);
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

SqlStatement SqlConnection::prepare(std::string_view statement) {
    try {
        auto state = connection::state_of(*session_, statement);
        session_->describe(state->plan);
        state->start();
        return SqlStatement(std::move(state));
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

std::vector<SqlResult> SqlConnection::execute_script(std::string_view script) {
    try {
        connection::ScriptResults results(*session_);
        session_->execute_script(script, false, results);
        return results.results();
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

std::vector<SqlResult> SqlConnection::simple_query(std::string_view text) {
    try {
        connection::ScriptResults results(*session_);
        session_->execute_script(text, true, results);
        return results.results();
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

void SqlConnection::simple_query(std::string_view text, SqlScriptSink& sink) {
    try {
        connection::ScriptSink taker(*session_, sink);
        session_->execute_script(text, true, taker);
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

void SqlConnection::copy_streams(SqlCopySource* source, SqlCopySink* sink) noexcept {
    session_->copy_streams(source, sink);
}

bool SqlConnection::in_transaction() const noexcept { return session_->in_transaction(); }
bool SqlConnection::transaction_failed() const noexcept { return session_->failed(); }
void SqlConnection::cancel() noexcept { session_->cancel(); }
std::vector<SqlNotification> SqlConnection::notifications() {
    try {
        return session_->notifications();
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

std::optional<SqlNotification> SqlConnection::wait_for_notification(std::uint32_t timeout_ms) {
    try {
        return session_->wait_for_notification(timeout_ms);
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

void SqlConnection::on_notice(SqlNoticeHandler handler, void* context) noexcept {
    session_->on_notice(handler, context);
}

SqlDescription SqlConnection::describe(std::string_view statement, const std::vector<std::uint32_t>& parameter_types) {
    try {
        const sql::Portal portal(*session_, statement, parameter_types);
        SqlDescription description;
        description.parameter_types = portal.parameter_types();
        description.has_rows = portal.has_rows();
        description.columns = connection::public_columns(*session_, portal.columns());
        return description;
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}


// ---- portals ----

struct SqlPortal::State {
    State(sql::SqlSession& session, std::string_view text, const std::vector<std::uint32_t>& types)
        : portal(session, text, types), columns(connection::public_columns(session, portal.columns())) {}

    SqlFormat format(std::size_t column) const {
        if (formats.empty()) return SqlFormat::text;
        return formats.size() == 1 ? formats[0] : formats[column];
    }

    sql::Portal portal;
    std::vector<SqlColumn> columns;
    std::vector<SqlFormat> formats;
    sql::RowStore rows;
};

SqlPortal SqlConnection::open_portal(std::string_view statement, const std::vector<SqlParameter>& parameters,
                                     const std::vector<SqlFormat>& formats,
                                     const std::vector<std::uint32_t>& parameter_types) {
    try {
        auto state = std::make_unique<SqlPortal::State>(*session_, statement, parameter_types);
        sql::Portal& portal = state->portal;
        const std::vector<sql::Oid>& types = portal.parameter_types();
        if (types.size() != parameters.size())
            sql::raise("08P01", "bind message supplies " + std::to_string(parameters.size()) +
                                    " parameters, but prepared statement "" requires " +
                                    std::to_string(types.size()));
        if (formats.size() > 1 && formats.size() != portal.columns().size())
            sql::raise("08P01", "bind message has " + std::to_string(formats.size()) +
                                    " result formats but query has " + std::to_string(portal.columns().size()) +
                                    " columns");
        state->formats = formats;
        std::vector<sql::Value> values;
        for (std::size_t i = 0; i < types.size(); ++i) {
            const SqlParameter& from = parameters[i];
            if (!from.value) values.push_back(sql::Value::null(types[i]));
            else if (from.format == SqlFormat::binary)
                values.push_back(sql::value_from_binary(types[i], sql::k_no_typmod, *from.value, portal.arena(),
                                                        session_->state()));
            else
                values.push_back(sql::value_from_text(types[i], sql::k_no_typmod, *from.value, portal.arena(),
                                                      session_->state()));
        }
        portal.bind(std::move(values));
        return SqlPortal(std::move(state));
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

SqlPortal::SqlPortal(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
SqlPortal::SqlPortal(SqlPortal&&) noexcept = default;
SqlPortal& SqlPortal::operator=(SqlPortal&&) noexcept = default;
SqlPortal::~SqlPortal() = default;

bool SqlPortal::has_rows() const noexcept { return state_->portal.has_rows(); }
const std::vector<SqlColumn>& SqlPortal::columns() const noexcept { return state_->columns; }
bool SqlPortal::done() const noexcept { return state_->portal.done(); }
const std::string& SqlPortal::tag() const noexcept { return state_->portal.tag(); }
Txn SqlPortal::txn() const noexcept { return state_->portal.txn(); }

std::vector<std::vector<SqlValue>> SqlPortal::fetch(std::size_t limit) {
    State& state = *state_;
    try {
        state.portal.fetch(limit, state.rows);
        sql::SqlSession& session = *state.portal.session();
        // What EXECUTE answers with is known once it ran.
        if (state.columns.size() != state.portal.columns().size())
            state.columns = connection::public_columns(session, state.portal.columns());
        std::vector<std::vector<SqlValue>> out;
        out.reserve(state.rows.size());
        for (std::size_t i = 0; i < state.rows.size(); ++i) {
            std::vector<SqlValue>& row = out.emplace_back(state.columns.size());
            for (std::size_t c = 0; c < row.size(); ++c) {
                const sql::Value& value = state.rows.row(i)[c];
                if (value.is_null()) continue;
                std::string& text = row[c].emplace();
                if (state.format(c) == SqlFormat::binary) sql::value_to_binary(value, text, session.state());
                else sql::value_to_text(value, text, session.state());
            }
        }
        return out;
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

}  // namespace northstar::inline v0
