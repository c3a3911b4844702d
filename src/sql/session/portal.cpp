#include "sql/session/portal.hpp"

#include "sql/execute/fold_constants.hpp"
#include "sql/plan/optimize.hpp"

#include <algorithm>
#include <stdexcept>

namespace northstar::inline v0::sql {

Portal::Portal(SqlSession& session, std::string_view text, std::vector<Oid> types)
    : session_(&session), own_text_(text), text_(own_text_), parameter_types_(std::move(types)) {
    const SqlSession::Running running(session);
    session.suspend_portals();
    try {
        const std::vector<const syntax::Statement*> parsed = parse_script(text_, arena_);
        if (parsed.size() > 1)
            raise(sqlstate::syntax_error, "cannot insert multiple commands into a prepared statement");
        if (!parsed.empty()) {
            statement_ = parsed[0];
            session.describe_statement(*statement_, parameter_types_, columns_);
            has_rows_ = !columns_.empty() || streams(*statement_);
        }
    } catch (...) {
        session.translate_failure(text_);
    }
    in_block_ = session.in_transaction();
    session.portals_.push_back(this);
}

Portal::Portal(SqlSession& session, const syntax::Statement& statement, std::string_view text)
    : session_(&session), text_(text), statement_(&statement), has_rows_(true), in_block_(session.in_transaction()) {
    session.portals_.push_back(this);
}

Portal::~Portal() {
    if (session_ == nullptr) return;
    if (state_ == State::running) {
        stop();
        if (!in_block_) session_->end_work();
    }
    std::erase(session_->portals_, this);
}

bool Portal::streams(const syntax::Statement& statement) {
    if (statement.kind != syntax::StatementKind::query || statement.query->into != nullptr) return false;
    const syntax::WithClause* const with = statement.query->with;
    if (with == nullptr) return true;
    for (const syntax::CommonTable& table : with->tables)
        if (table.body->kind != syntax::StatementKind::query) return false;
    return true;
}

void Portal::fetch(std::size_t limit, RowStore& rows) {
    if (session_ == nullptr || state_ == State::ended)
        raise(sqlstate::invalid_cursor_name, "portal does not exist: its transaction has ended");
    rows.reset(columns_.size());
    if (state_ == State::done) return;
    if (statement_ == nullptr) {
        state_ = State::done;
        return;
    }
    const SqlSession::Running running(*session_);
    if (state_ == State::ready) {
        start();
        rows.reset(columns_.size());  // a portal that was not described knows its columns only now
    }
    if (state_ == State::running) {
        try {
            session_->parameters_ = &parameters_;
            take(limit, rows);
        } catch (...) {
            stop();
            state_ = State::ended;
            if (!in_block_) session_->rollback_work();
            session_->translate_failure(text_);
        }
    } else if (state_ == State::kept) {
        for (; kept_row_ < kept_.size() && (limit == 0 || rows.size() < limit); ++kept_row_) {
            const Value* const from = kept_.row(kept_row_);
            Value* const to = rows.add();
            for (std::size_t i = 0; i < columns_.size(); ++i) to[i] = copy_value(from[i], rows.arena());
        }
        if (kept_row_ == kept_.size()) {
            kept_ = KeptRows();
            kept_row_ = 0;
            if (kept_error_ != nullptr) {
                state_ = State::ended;
                try {
                    std::rethrow_exception(std::exchange(kept_error_, nullptr));
                } catch (...) {
                    session_->translate_failure(text_);
                }
            }
            state_ = State::done;
        }
    }
    if (statement_->kind == syntax::StatementKind::query && has_rows_) tag_ = "SELECT " + std::to_string(rows.size());
}

void Portal::start() {
    in_block_ = session_->in_transaction();
    if (!streams(*statement_)) {
        StatementResult result = session_->execute(*statement_, text_, parameters_);
        has_rows_ = result.has_rows;
        columns_ = std::move(result.columns);
        kept_ = KeptRows(std::move(result.rows));
        tag_ = std::move(result.tag);
        txn_ = result.txn;
        in_block_ = session_->in_transaction();
        state_ = State::kept;
        return;
    }
    session_->suspend_portals();
    if (session_->failed_) session_->refuse_in_failed_block();
    try {
        session_->refuse_other_databases(*statement_);
        start_query();
    } catch (...) {
        stop();
        state_ = State::ended;
        if (!in_block_) session_->rollback_work();
        session_->translate_failure(text_);
    }
}

void Portal::start_query() {
    SqlSession& session = *session_;
    if (statement_->locks_rows && session.is_read_only())
        raise(sqlstate::read_only_sql_transaction, "cannot execute SELECT FOR UPDATE in a read-only transaction");
    session.types_.forget_past();
    session.takes_past_types_ = true;
    session.parameters_ = &parameters_;
    session.text_ = text_;
    session.start_clock();
    session.begin_work(!in_block_ && session.only_reads(*statement_) ? SqlSession::Work::reading
                                                                     : SqlSession::Work::optimistic);
    if (in_block_) session.begin_in_block(*statement_);
    pool_ = std::make_unique<BoundPool>();
    binder_ = std::make_unique<Binder>(session, *pool_, parameter_types_);
    BoundQuery bound = binder_->bind_query(*statement_->query);
    columns_ = bound.columns;
    Plan* const plan = optimize(bound.plan, *pool_);
    ConstantFolder(*pool_, session.state(), session).fold(*plan);
    execution_ = std::make_unique<Execution>(session.state(), session, parameters_);
    root_ = build_operator(*plan, *execution_);
    places_.clear();
    for (const OutputColumn& column : columns_)
        places_.push_back(static_cast<std::size_t>(
            std::find(root_->columns().begin(), root_->columns().end(), column.id) - root_->columns().begin()));
    root_->open();
    batch_ = nullptr;
    batch_row_ = 0;
    state_ = State::running;
    session.streaming_ = this;
}

void Portal::take(std::size_t limit, RowStore& rows) {
    while (limit == 0 || rows.size() < limit) {
        if (batch_ == nullptr || batch_row_ >= batch_->count) {
            batch_ = root_->next();
            batch_row_ = 0;
            if (batch_ == nullptr) {
                finish();
                return;
            }
        }
        for (; batch_row_ < batch_->count && (limit == 0 || rows.size() < limit); ++batch_row_) {
            Value* const to = rows.add();
            for (std::size_t i = 0; i < places_.size(); ++i)
                to[i] = copy_value(batch_->columns[places_[i]][batch_row_], rows.arena());
        }
    }
}

void Portal::finish() {
    stop();
    state_ = State::done;
    // A query may have moved a sequence: that is committed.
    if (!in_block_) txn_ = session_->commit_work();
}

/// Gives back what the running query stands on.
void Portal::stop() noexcept {
    batch_ = nullptr;
    root_.reset();
    execution_.reset();
    binder_.reset();
    pool_.reset();
    if (session_->streaming_ == this) session_->streaming_ = nullptr;
}

void Portal::keep_rest() {
    kept_.reset(columns_.size(), session_->memory_limit());
    kept_row_ = 0;
    try {
        session_->parameters_ = &parameters_;
        RowStore rows(columns_.size());
        do {
            take(k_batch_rows, rows);
            kept_.take(rows);
        } while (state_ == State::running);
    } catch (...) {
        kept_error_ = std::current_exception();
        stop();
        if (!in_block_) session_->rollback_work();
    }
    state_ = State::kept;
}

void Portal::end() noexcept {
    if (state_ == State::running) stop();
    if (state_ == State::done) return;
    state_ = State::ended;
    kept_ = KeptRows();
}

void Portal::detach() noexcept {
    end();
    session_ = nullptr;
}

// ---- what the session does for its portals ----

void SqlSession::describe_statement(const syntax::Statement& statement, std::vector<Oid>& parameter_types,
                                    std::vector<OutputColumn>& columns) {
    const auto text_column = [&](std::string name) {
        OutputColumn column;
        column.name = std::move(name);
        column.type = type::text;
        columns.push_back(std::move(column));
    };
    using syntax::StatementKind;
    const bool ends_block = statement.kind == StatementKind::transaction;
    if (failed_ && !ends_block) refuse_in_failed_block();
    refuse_other_databases(statement);
    switch (statement.kind) {
        case StatementKind::explain: text_column("QUERY PLAN"); return;
        case StatementKind::show:
            text_column(statement.variable->name.empty() ? "name" : shown_setting_name(statement.variable->name));
            if (statement.variable->name.empty()) text_column("setting");
            return;
        case StatementKind::fetch:
            if (const auto found = cursors_.find(std::string(statement.cursor->name));
                found != cursors_.end() && !statement.cursor->move)
                columns = found->second.columns;
            return;
        default: break;
    }
    if (parameter_types.size() < statement.parameters) parameter_types.resize(statement.parameters, 0);
    if (statement.kind != StatementKind::query && statement.change == nullptr) return;
    static const std::vector<Value> nothing;
    parameters_ = &nothing;
    begin_work();
    describing_ = true;
    try {
        BoundPool pool;
        Binder binder(*this, pool, parameter_types);
        if (statement.kind == StatementKind::query) columns = binder.bind_query(*statement.query).columns;
        else columns = binder.bind_change(statement)->returning_columns;
        if (statement.kind == StatementKind::query && statement.query->into != nullptr) columns.clear();
        binder.check_parameters();
    } catch (...) {
        describing_ = false;
        if (!in_block_) end_work();
        throw;
    }
    describing_ = false;
    if (!in_block_) end_work();
}

void SqlSession::refuse_in_failed_block() {
    raise(sqlstate::in_failed_sql_transaction,
          "current transaction is aborted, commands ignored until end of transaction block");
}

void SqlSession::translate_failure(std::string_view text) {
    if (in_block_) failed_ = true;
    try {
        throw;
    } catch (SqlError& error) {
        if (error.report().position > 0) {
            // From bytes to characters.
            const std::size_t bytes = std::min<std::size_t>(error.report().position - 1, text.size());
            std::uint32_t characters = 1;
            for (std::size_t i = 0; i < bytes; ++i)
                characters += (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 ? 1 : 0;
            error.edit().position = characters;
        }
        throw;
    } catch (const Error& error) {
        if (error.code() == Errc::conflict)
            raise(sqlstate::serialization_failure, "could not serialize access due to concurrent changes", {},
                  "The transaction might succeed if retried.");
        SqlError failure(sqlstate_of(error.code()), error.what());
        static_cast<Error&>(failure) = error;  // code, file and page say more than a SQLSTATE
        throw failure;
    } catch (const std::bad_alloc&) {
        raise(sqlstate::out_of_memory, "out of memory");
    } catch (const std::length_error&) {
        raise(sqlstate::program_limit_exceeded, "a value would be larger than memory can hold");
    }
}

void SqlSession::check_cancelled() {
    if (run_state_.load(std::memory_order_relaxed) == k_cancelled) [[unlikely]]
        raise(sqlstate::query_canceled, "canceling statement due to user request");
    if (deadline_ != 0 && clock_now() > deadline_)
        raise(sqlstate::query_canceled, "canceling statement due to statement timeout");
}

void SqlSession::notice(SqlReport report) {
    if (making_plan_) {
        ++outside_uses_;
        return;
    }
    const std::string_view least = setting("client_min_messages");
    if (least == "error" || (least == "warning" && report.severity != Severity::warning)) return;
    if (notice_handler_ == nullptr) {
        notices_.push_back(std::move(report));
        return;
    }
    SqlNotice notice;
    notice.severity = report.severity == Severity::warning ? "WARNING" : "NOTICE";
    notice.sqlstate = report.state.view();
    notice.message = std::move(report.message);
    notice.detail = std::move(report.detail);
    notice.hint = std::move(report.hint);
    notice_handler_(notice_context_, notice);
}

void SqlSession::suspend_portals() {
    if (streaming_ != nullptr) streaming_->keep_rest();
}

void SqlSession::end_portals(bool all) noexcept {
    for (Portal* const portal : portals_)
        if (all || portal->in_block()) portal->end();
}

}  // namespace northstar::inline v0::sql
