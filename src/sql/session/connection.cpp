// The public interface (api/northstar_sql.hpp) over a session: texts in, texts out, failures with their SQLSTATE.
#include "sql/session/statement_state.hpp"
#include "sql/text_io.hpp"

namespace northstar::inline v0 {

namespace connection {

SqlResult to_texts(sql::SqlSession& session, const sql::StatementResult& from) {
    SqlResult result;
    result.has_rows = from.has_rows;
    result.tag = from.tag;
    result.txn = from.txn;
    for (const sql::OutputColumn& column : from.columns)
        result.columns.push_back(
            {column.name, column.type, sql::format_type(column.type, column.typmod, session.state().types)});
    for (std::size_t i = 0; i < from.rows.size(); ++i) {
        std::vector<SqlValue> row;
        for (std::size_t c = 0; c < from.columns.size(); ++c) {
            const sql::Value& value = from.rows.row(i)[c];
            if (value.is_null()) row.emplace_back();
            else row.emplace_back(sql::value_to_text(value, session.state()));
        }
        result.rows.push_back(std::move(row));
    }
    for (const sql::SqlReport& notice : session.take_notices()) result.notices.push_back(notice.message);
    return result;
}

}  // namespace connection

SqlConnection::SqlConnection(Database& database) : session_(std::make_unique<sql::SqlSession>(database)) {}
SqlConnection::SqlConnection(SqlConnection&&) noexcept = default;
SqlConnection& SqlConnection::operator=(SqlConnection&&) noexcept = default;
SqlConnection::~SqlConnection() = default;

SqlResult SqlConnection::execute(std::string_view statement, const std::vector<SqlValue>& parameters) {
    try {
        sql::PreparedPlan& plan = session_->prepared(statement);
        if (plan.statement == nullptr) return {};
        sql::Arena arena;
        std::vector<sql::Value> values;
        if (!parameters.empty() || plan.statement->parameters > 0) {
            session_->describe(plan);
            const std::vector<sql::Oid>& types = plan.bound.declared;
            if (types.size() != parameters.size())
                sql::raise(sql::sqlstate::syntax_error, "the statement needs " + std::to_string(types.size()) +
                                                            " parameters, but " + std::to_string(parameters.size()) +
                                                            " were given");
            for (std::size_t i = 0; i < types.size(); ++i)
                values.push_back(parameters[i] ? sql::value_from_text(types[i], sql::k_no_typmod, *parameters[i], arena,
                                                                      session_->state())
                                               : sql::Value::null(types[i]));
        }
        sql::StatementResult result;
        session_->execute(plan, values, result);
        if (result.has_rows && result.columns.empty()) result.columns = plan.bound.query.columns;
        return connection::to_texts(*session_, result);
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

SqlStatement SqlConnection::prepare(std::string_view statement) {
    try {
        auto state = std::make_unique<sql::StatementState>(*session_, statement);
        session_->describe(state->plan);
        state->start();
        return SqlStatement(std::move(state));
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

std::vector<SqlResult> SqlConnection::execute_script(std::string_view script) {
    try {
        std::vector<SqlResult> results;
        for (const sql::StatementResult& result : session_->execute_script(script))
            results.push_back(connection::to_texts(*session_, result));
        return results;
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

bool SqlConnection::in_transaction() const noexcept { return session_->in_transaction(); }

}  // namespace northstar::inline v0
