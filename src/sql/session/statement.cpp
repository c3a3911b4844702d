// SqlStatement: values in and out without texts between.
#include "sql/session/statement_state.hpp"

#include "sql/text_io.hpp"

#include <cmath>

namespace northstar::inline v0 {

void connection::fail(const sql::SqlError& error) {
    SqlFailure failure(error.code(), error.what());
    static_cast<Error&>(failure) = error;
    const sql::SqlReport& report = error.report();
    failure.sqlstate = report.state.view();
    failure.detail = report.detail;
    failure.hint = report.hint;
    failure.context = report.context;
    failure.schema = report.schema;
    failure.table = report.table;
    failure.column = report.column;
    failure.constraint = report.constraint;
    failure.position = report.position;
    throw failure;
}

namespace sql {

StatementState::StatementState(SqlSession& owner, std::string_view text) : session(owner), plan(text) {
    if (plan.statement == nullptr) raise(sqlstate::syntax_error, "the statement is empty");
}

void StatementState::start() {
    for (const Oid type : plan.bound.declared) parameters.push_back(Value::null(type));
    texts.resize(parameters.size());
    arenas.resize(parameters.size());
}

Oid StatementState::type_of(std::size_t n) const {
    if (n == 0 || n > parameters.size())
        throw Error(Errc::invalid_argument, "the statement has no parameter $" + std::to_string(n));
    return plan.bound.declared[n - 1];
}

void StatementState::set(std::size_t n, const Value& value) { parameters[n - 1] = value; }

const Value& StatementState::value(std::size_t column) const {
    if (row == 0 || row > result.rows.size())
        throw Error(Errc::invalid_argument, "the statement stands on no row; call step() and look at what it returned");
    if (column >= result.rows.width())
        throw Error(Errc::invalid_argument, "the row has no column " + std::to_string(column));
    return result.rows.row(row - 1)[column];
}

}  // namespace sql

namespace statement {

/// The value of any type that the text means.
sql::Value from_text(sql::StatementState& state, std::size_t n, std::string_view value) {
    std::string& kept = state.texts[n - 1];
    kept.assign(value);
    const sql::Oid type = state.plan.bound.declared[n - 1];
    try {
        if (type == sql::type::text) return sql::Value::text(kept);
        sql::Arena& arena = state.arenas[n - 1];
        arena.reset();
        return sql::value_from_text(type, sql::k_no_typmod, kept, arena, state.session.state());
    } catch (const sql::SqlError& error) {
        connection::fail(error);
    }
}

double nearest(const sql::Value& value) {
    switch (value.form()) {
        case sql::Form::integer: return static_cast<double>(value.integer());
        case sql::Form::real: return value.real();
        case sql::Form::numeric: return sql::numeric_to_double(value.numeric());
        default: throw Error(Errc::invalid_argument, "the column is no number");
    }
}

}  // namespace statement

SqlStatement::SqlStatement(std::unique_ptr<sql::StatementState> state) : state_(std::move(state)) {}
SqlStatement::SqlStatement(SqlStatement&&) noexcept = default;
SqlStatement& SqlStatement::operator=(SqlStatement&&) noexcept = default;
SqlStatement::~SqlStatement() = default;

std::size_t SqlStatement::parameter_count() const noexcept { return state_->parameters.size(); }
std::uint32_t SqlStatement::parameter_type(std::size_t n) const { return state_->type_of(n); }

std::size_t SqlStatement::column_count() const noexcept {
    const sql::BoundStatement& bound = state_->plan.bound;
    return bound.change != nullptr ? bound.change->returning_columns.size() : bound.query.columns.size();
}

SqlColumn SqlStatement::column(std::size_t i) const {
    if (i >= column_count()) throw Error(Errc::invalid_argument, "the statement has no column " + std::to_string(i));
    const sql::BoundStatement& bound = state_->plan.bound;
    const sql::OutputColumn& column =
        bound.change != nullptr ? bound.change->returning_columns[i] : bound.query.columns[i];
    return {column.name, column.type, sql::format_type(column.type, column.typmod, state_->session.state().types)};
}

void SqlStatement::bind_null(std::size_t n) { state_->set(n, sql::Value::null(state_->type_of(n))); }

void SqlStatement::bind_integer(std::size_t n, std::int64_t value) {
    using namespace sql;
    const Oid type = state_->type_of(n);
    const bool fits = type == type::int8 || (type == type::int4 && value == static_cast<std::int32_t>(value)) ||
                      (type == type::int2 && value == static_cast<std::int16_t>(value));
    if (fits) state_->set(n, Value::integer(type, value));
    else state_->set(n, statement::from_text(*state_, n, std::to_string(value)));
}

void SqlStatement::bind_real(std::size_t n, double value) {
    const sql::Oid type = state_->type_of(n);
    if (type == sql::type::float8) {
        state_->set(n, sql::Value::float8(value));
        return;
    }
    const std::string text = sql::value_to_text(sql::Value::float8(value), state_->session.state());
    state_->set(n, statement::from_text(*state_, n, text));
}

void SqlStatement::bind_boolean(std::size_t n, bool value) {
    if (state_->type_of(n) == sql::type::boolean) state_->set(n, sql::Value::boolean(value));
    else state_->set(n, statement::from_text(*state_, n, value ? "true" : "false"));
}

void SqlStatement::bind_text(std::size_t n, std::string_view value) {
    state_->type_of(n);
    state_->set(n, statement::from_text(*state_, n, value));
}

bool SqlStatement::step() {
    sql::StatementState& state = *state_;
    if (!state.running) {
        state.row = 0;
        try {
            state.session.execute(state.plan, state.parameters, state.result);
        } catch (const sql::SqlError& error) {
            connection::fail(error);
        }
        state.running = true;
    }
    if (state.row < state.result.rows.size()) {
        ++state.row;
        return true;
    }
    reset();
    return false;
}

void SqlStatement::reset() noexcept {
    state_->running = false;
    state_->row = 0;
}

bool SqlStatement::is_null(std::size_t i) const { return state_->value(i).is_null(); }

std::int64_t SqlStatement::integer(std::size_t i) const {
    const sql::Value& value = state_->value(i);
    if (value.is_null()) return 0;
    if (value.form() != sql::Form::integer) throw Error(Errc::invalid_argument, "the column is no integer");
    return value.integer();
}

double SqlStatement::real(std::size_t i) const {
    const sql::Value& value = state_->value(i);
    return value.is_null() ? 0 : statement::nearest(value);
}

bool SqlStatement::boolean(std::size_t i) const {
    const sql::Value& value = state_->value(i);
    if (value.is_null()) return false;
    if (value.form() != sql::Form::boolean) throw Error(Errc::invalid_argument, "the column is no boolean");
    return value.boolean();
}

std::string_view SqlStatement::bytes(std::size_t i) const {
    const sql::Value& value = state_->value(i);
    if (value.is_null()) return {};
    const bool address = value.type() == sql::type::inet || value.type() == sql::type::cidr;
    if (value.form() != sql::Form::bytes || address) throw Error(Errc::invalid_argument, "the column is no string");
    return value.bytes();
}

std::string SqlStatement::text(std::size_t i) const {
    const sql::Value& value = state_->value(i);
    return value.is_null() ? std::string() : sql::value_to_text(value, state_->session.state());
}

const std::string& SqlStatement::tag() const noexcept { return state_->result.tag; }
Txn SqlStatement::txn() const noexcept { return state_->result.txn; }

}  // namespace northstar::inline v0
