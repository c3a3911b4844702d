#include "api/access.hpp"
#include "sql/session/portal.hpp"
#include "sql/session/shared_by_sessions.hpp"
#include "sql/session/temporary_tables.hpp"

#include "sql/execute/fold_constants.hpp"
#include "sql/plan/optimize.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace sql_session {

constexpr std::size_t k_kept_catalogs = 16;
constexpr unsigned k_attempts = 4;  // at a statement that meets conflicts, until it takes the writer's turn

bool ends_transaction(const syntax::Statement& statement) {
    return statement.kind == syntax::StatementKind::transaction &&
           (statement.transaction->kind == syntax::TransactionKind::commit ||
            statement.transaction->kind == syntax::TransactionKind::rollback);
}

}  // namespace sql_session

SqlSession::SqlSession(Database& database)
    : database_(database), handle_reads_(detail::CoreAccess::core(database)->options().read_only) {
    present_.session = this;
    session_.host = this;
    start_settings();
}

SqlSession::~SqlSession() {
    end_portals(true);
    for (Portal* const portal : portals_) portal->detach();
    end_work();
}

// ---- states
// ----------------------------------------------------------------------------------------------------------

Tree SqlSession::PresentPoint::tree(const std::string& name, bool temporary) {
    if (session->snapshot_ && !temporary) return session->snapshot_->tree(name);
    if (session->parts_ != nullptr) return session->parts_->tree(name, temporary);
    return session->writable(name, temporary);
}

namespace sql_session {

/// What is asked of a tree to plan with. Not through the transaction, which would have read all of that then, and
/// conflict with every change of it.
template <class Ask>
auto ask(Database& database, std::optional<Snapshot>& snapshot, const std::string& name, const Ask& question) {
    if (snapshot) return question(snapshot->tree(name));
    return question(database.begin_read().tree(name));
}

/// Whether a statement that reads the past leaves nothing of it in the present.
bool only_shows(const syntax::Statement& statement) {
    using syntax::StatementKind;
    switch (statement.kind) {
        case StatementKind::query: return statement.query->into == nullptr;
        case StatementKind::explain:
        case StatementKind::copy:
        case StatementKind::declare_cursor: return true;
        default: return false;
    }
}

}  // namespace sql_session

double SqlSession::PresentPoint::row_count(const std::string& name, bool temporary) {
    const auto count = [](const Tree& tree) { return static_cast<double>(tree.size()); };
    const double rows = temporary ? count(session->writable(name, true))
                                  : sql_session::ask(session->database_, session->snapshot_, name, count);
    if (session->binding_ != nullptr) session->binding_->sizes.push_back({name, temporary, rows});
    return rows;
}

double SqlSession::PresentPoint::entry_count(const std::string& name, bool temporary, const std::string& from,
                                             const std::string& to) {
    const std::string end = to.empty() ? "\xff" : to;  // behind every key of an index
    const auto count = [&](const Tree& tree) { return static_cast<double>(tree.estimate(from, end).count); };
    const double rows = temporary ? count(session->writable(name, true))
                                  : sql_session::ask(session->database_, session->snapshot_, name, count);
    if (session->binding_ != nullptr) session->binding_->sizes.push_back({name, temporary, rows, true, from, to});
    return rows;
}

void SqlSession::PresentPoint::show(const std::string& name, bool temporary,
                                    const std::function<void(const Tree&)>& look) {
    if (temporary) look(session->writable(name, true));
    else sql_session::ask(session->database_, session->snapshot_, name, look);
}

WritableTree SqlSession::writable(const std::string& name, bool temporary) {
    if (!temporary) return writing_transaction().tree(name);
    if (!temporary_) {
        Options options;
        options.background = false;
        temporary_.emplace(Database::open(":memory:", options));
    }
    if (!temp_) {
        temp_.emplace(temporary_->begin_write());
        ++transaction_number_;
    }
    return temp_->tree(name);
}

// ---- transactions
// ----------------------------------------------------------------------------------------------------

void SqlSession::begin_work(Work work) {
    if (main_ || snapshot_) return;
    // Outside of a block the statement is the transaction.
    if (!in_block_) session_.statement_time = session_.transaction_time = clock_now();
    if (work != Work::reading && !handle_reads_) {
        if (work == Work::exclusive) take_turn();
        else main_.emplace(database_.begin_optimistic(write_options()));
        ++transaction_number_;
        present_.txn = main_->base_txn();
        load_catalog();
        return;
    }
    snapshot_.emplace(database_.begin_read());
    present_.txn = snapshot_->txn();
    if (known_catalog_ != nullptr && known_txn_ == present_.txn && !temporary_) {
        present_.catalog = known_catalog_;
        types_.set_present(known_catalog_);
        session_.types = &types_;
        return;
    }
    load_catalog();
    if (temporary_) return;
    known_catalog_ = present_.catalog;
    known_txn_ = present_.txn;
}

/// A query that moves a sequence, or notifies, begins to write only then.
Transaction& SqlSession::writing_transaction() {
    if (!main_) {
        main_.emplace(database_.begin_optimistic(write_options()));
        ++transaction_number_;
    }
    return *main_;
}

const syntax::Statement& SqlSession::query_of(const syntax::Statement& statement) const {
    if (statement.kind != syntax::StatementKind::execute) return statement;
    const auto found = prepared_.find(std::string(statement.prepare->name));
    return found == prepared_.end() ? statement : *found->second->statement;
}

/// A statement waits for the writer's turn no longer than its time is, or until it is cancelled.
WriteOptions SqlSession::write_options() const {
    WriteOptions options;
    if (timeout_ms_ != 0) options.timeout_ms = static_cast<std::uint32_t>(timeout_ms_);
    options.gives_up = [this] { return run_state_.load(std::memory_order_relaxed) == k_cancelled; };
    return options;
}

void SqlSession::take_turn() {
    try {
        main_.emplace(database_.begin_write(write_options()));
    } catch (const Error& error) {
        if (error.code() != Errc::timeout || timeout_ms_ == 0) throw;
        raise(sqlstate::query_canceled, "canceling statement due to statement timeout");
    }
}

bool SqlSession::only_reads(const syntax::Statement& executed) const {
    using syntax::StatementKind;
    const syntax::Statement& statement = query_of(executed);
    switch (statement.kind) {
        case StatementKind::query: break;
        case StatementKind::set_variable:
        case StatementKind::show:
        case StatementKind::reset:
        case StatementKind::prepare:
        case StatementKind::deallocate:
        case StatementKind::listen:
        case StatementKind::unlisten: return true;
        case StatementKind::explain: return only_reads(*statement.explain->statement);
        default: return false;
    }
    if (statement.query->into != nullptr) return false;
    if (statement.query->with == nullptr) return true;
    for (const syntax::CommonTable& table : statement.query->with->tables)
        if (table.body->kind != StatementKind::query) return false;
    return true;
}

void SqlSession::end_work() noexcept {
    ++transaction_number_;
    snapshot_.reset();
    if (main_) main_->rollback();
    main_.reset();
    if (temp_) temp_->rollback();
    temp_.reset();
    transaction_id_ = 0;
    close_past();
    marks_.clear();
    advisory_.end_transaction();
    row_locks_.return_to(0);
    notifications_.rolled_back();
    deferred_.clear();
    types_.forget_uncommitted_labels();
    constraint_modes_.clear();
    all_constraints_deferred_.reset();
    redactions_.clear();
    moved_sequences_.clear();
    own_sequences_.clear();
    defined_version_.clear();
    statements_.clear();
    block_point_.reset();
    if (in_block_) return;
    // What SET LOCAL and set_config said outside of a block was for the statement.
    for (const auto& [name, value] : std::exchange(local_settings_, {})) apply_setting(name, settings_[name] = value);
}

std::string SqlSession::catalog_version() {
    std::string version(present_.tree(std::string(k_catalog_tree), false).get("version").value_or(""));
    if (temporary_)
        version += "|" + std::string(writable(std::string(k_catalog_tree), true).get("version").value_or(""));
    return version;
}

/// What is read of it here is not compared at commit: marks say whether changes of it matter [MARK-2].
void SqlSession::load_catalog() {
    if (main_) main_->validate_reads(false);
    const std::string version = catalog_version();
    std::shared_ptr<const Catalog>& kept = kept_catalog(version);
    if (kept == nullptr) kept = find_catalog(version);
    if (main_) main_->validate_reads(true);
    present_.catalog = kept;
    types_.set_present(kept);
    session_.types = &types_;
}

std::shared_ptr<const Catalog> SqlSession::find_catalog(const std::string& version) {
    if (temporary_) {
        const Tree temporary = writable(std::string(k_catalog_tree), true);
        return Catalog::load(present_.tree(std::string(k_catalog_tree), false), &temporary, present_.catalog.get());
    }
    if (auto found = shared_catalogs().find(version)) return found;
    const auto known = present_.catalog != nullptr ? present_.catalog : shared_catalogs().newest();
    const std::shared_ptr<const Catalog> made =
        Catalog::load(present_.tree(std::string(k_catalog_tree), false), nullptr, known.get());
    shared_catalogs().keep(version, made);
    return made;
}

SharedCatalogs& SqlSession::shared_catalogs() {
    if (shared_catalogs_ == nullptr) shared_catalogs_ = shared_by_sessions<SharedCatalogs>(database_name());
    return *shared_catalogs_;
}

std::string SqlSession::database_name() const { return database_.uuid() + " " + database_.path(); }

std::shared_ptr<const Catalog>& SqlSession::kept_catalog(const std::string& version) {
    auto found = std::find_if(catalogs_.begin(), catalogs_.end(),
                              [&version](const auto& kept) { return kept.first == version; });
    if (found == catalogs_.end()) {
        if (catalogs_.size() < sql_session::k_kept_catalogs) catalogs_.emplace_back();
        found = catalogs_.end() - 1;
        *found = {version, nullptr};
    }
    std::rotate(catalogs_.begin(), found, found + 1);
    return catalogs_.front().second;
}

std::uint64_t SqlSession::commit_work() {
    if (main_) main_->validate_reads(true);
    run_deferred(true);
    if (!main_ && !temp_ && !temporary_ && moved_sequences_.empty() && !notifications_.any()) {
        end_work();
        return 0;
    }
    if (temporary_) clear_temporary_tables(*this);
    std::uint64_t txn = 0;
    bool sequences_written = false;
    close_past();
    try {
        write_sequences();
        sequences_written = true;
        write_notifications();
        if (main_) {
            annotate_commit();
            if (lazy_) main_->set_durability(Durability::lazy);
            txn = main_->commit().txn;
        }
        main_.reset();
        if (temp_) temp_->commit();
        temp_.reset();
        notifications_.committed();
        if (!own_sequences_.empty()) forget_moved_sequences();
        if (!defined_version_.empty() && !temporary_)
            if (const auto& made = kept_catalog(defined_version_)) shared_catalogs().keep(defined_version_, made);
    } catch (const SqlError&) {
        end_work();
        throw;
    } catch (const Error& error) {
        if (sequences_written) forget_moved_sequences();
        const bool conflict = error.code() == Errc::conflict;
        end_work();
        if (conflict)
            raise(sqlstate::serialization_failure, "could not serialize access due to concurrent changes", {},
                  "The transaction might succeed if retried.");
        throw;
    }
    const std::vector<Redaction> redactions = std::exchange(redactions_, {});
    end_work();
    redact(redactions);
    return txn;
}

void SqlSession::rollback_work() {
    end_work();
    std::erase_if(cursors_, [](const auto& cursor) { return !cursor.second.held; });
}

/// Those WITH HOLD stay, but their rows are none that a later transaction may change by them.
void SqlSession::end_cursors() {
    std::erase_if(cursors_, [](const auto& cursor) { return !cursor.second.hold; });
    for (auto& [name, cursor] : cursors_) cursor.held = true;
}

/// Of a mark with a name.
void SqlSession::take_settings_of(const Mark& mark) {
    for (const auto& [name, value] : mark.settings)
        if (settings_[name] != value) apply_setting(name, settings_[name] = value);
    local_settings_ = mark.local_settings;
}

SqlSession::Mark SqlSession::mark(std::string name) {
    Mark made;
    made.name = std::move(name);
    if (main_) made.main = main_->savepoint();
    if (temporary_) {
        writable(std::string(k_catalog_tree), true);
        made.temporary = temp_->savepoint();
    }
    if (!made.name.empty()) {  // a statement keeps what it set
        made.settings = settings_;
        made.local_settings = local_settings_;
    }
    made.cursors = cursors_declared_;
    made.deferred = deferred_.size();
    made.own_sequences = own_sequences_;
    made.advisory = advisory_.of_transaction();
    made.row_locks = row_locks_.mark();
    made.notifications = notifications_.mark();
    return made;
}

void SqlSession::rollback_to(const Mark& mark) {
    block_wrote_ = false;
    if (main_) main_->rollback_to(mark.main);
    if (temp_) {
        if (mark.temporary.id != 0) temp_->rollback_to(mark.temporary);
        else {
            temp_->rollback();
            temp_.reset();
        }
    }
    deferred_.resize(std::min(deferred_.size(), mark.deferred));
    own_sequences_ = mark.own_sequences;
    advisory_.return_transaction_to(mark.advisory);
    row_locks_.return_to(mark.row_locks);
    notifications_.return_to(mark.notifications);
    load_catalog();
}

StatementResult SqlSession::execute(const syntax::Statement& statement, std::string_view text,
                                    const std::vector<Value>& parameters) {
    StatementResult result;
    run(statement, text, parameters, nullptr, result);
    return result;
}

void SqlSession::execute(PreparedPlan& plan, const std::vector<Value>& parameters, StatementResult& result) {
    run(*plan.statement, plan.text, parameters, &plan.bound, result);
}

void SqlSession::run(const syntax::Statement& statement, std::string_view text, const std::vector<Value>& parameters,
                     BoundStatement* bound, StatementResult& result) {
    const Running running(*this);
    if (sql_session::ends_transaction(statement)) end_portals(false);
    suspend_portals();
    parameters_ = &parameters;
    text_ = text;
    types_.forget_past();
    takes_past_types_ = sql_session::only_shows(query_of(statement));
    parameter_types_.clear();
    for (const Value& value : parameters) parameter_types_.push_back(value.type() == type::unknown ? 0 : value.type());
    if (parameter_types_.size() < statement.parameters) parameter_types_.resize(statement.parameters, 0);
    start_clock();
    const bool ends_block = statement.kind == syntax::StatementKind::transaction;
    if (failed_) {
        const bool allowed = ends_block &&
                             (statement.transaction->kind == syntax::TransactionKind::rollback ||
                              statement.transaction->kind == syntax::TransactionKind::commit ||
                              statement.transaction->kind == syntax::TransactionKind::rollback_to ||
                              statement.transaction->kind == syntax::TransactionKind::prepare);
        if (!allowed) refuse_in_failed_block();
    }
    const std::size_t notices = notices_.size();
    const AdvisoryHolder::Held locks = advisory_.of_session();
    for (unsigned attempt = 1;; ++attempt) {
        try {
            if (!statement.with_database.empty()) refuse_other_databases(statement);
            if (ends_block) result = transaction(*statement.transaction);
            else run_once(statement, text, bound, attempt > sql_session::k_attempts, result);
            return;
        } catch (...) {
            if (!runs_again(statement, attempt)) translate_failure(text);
            notices_.resize(std::min(notices_.size(), notices));
            advisory_.return_session_to(locks);
        }
    }
}

/// All statements of a script have the time at which it came, each of them as long as statement_timeout says.
void SqlSession::start_clock() {
    const std::int64_t now = clock_now();
    session_.statement_time = script_time_ != 0 ? script_time_ : now;
    deadline_ = timeout_ms_ == 0 ? 0 : now + timeout_ms_ * 1000;
}

/// Called while an exception is handled: is it a conflict that running the statement again resolves?
bool SqlSession::runs_again(const syntax::Statement& statement, unsigned attempt) const {
    if (in_block_ || attempt > sql_session::k_attempts || statement.kind == syntax::StatementKind::transaction ||
        statement.kind == syntax::StatementKind::copy)
        return false;
    try {
        throw;
    } catch (const SqlError& error) {
        return error.state() == sqlstate::serialization_failure;
    } catch (const Error& error) {
        return error.code() == Errc::conflict;
    } catch (const std::exception&) {
        return false;
    }
}

void SqlSession::run_once(const syntax::Statement& statement, std::string_view text, BoundStatement* bound, bool last,
                          StatementResult& result) {
    // A change of rows that it names is short: taking the turn at once costs less than finding out that others were
    // faster.
    const bool is_short = bound != nullptr && bound->point_change != nullptr && !bound->change->relation->temporary;
    begin_work(in_block_                ? Work::optimistic
               : last || is_short       ? Work::exclusive
               : only_reads(statement) ? Work::reading
                                        : Work::optimistic);
    if (in_block_) begin_in_block(statement);
    try {
        run_bound(statement, text, bound, result);
        if (!in_block_) result.txn = commit_work();
        else close_past();
    } catch (...) {
        // In a block nobody sees what the statement changed before it is undone. [SESSION-1]
        if (in_block_) close_past();
        else rollback_work();
        throw;
    }
}

// ---- statements
// ------------------------------------------------------------------------------------------------------

bool SqlSession::is_read_only() const {
    return read_only_ || handle_reads_ || (!in_block_ && setting("default_transaction_read_only") == "on");
}

void SqlSession::refuse_changes_to_readers() {
    const bool in_the_past = block_point_.has_value() || !setting("northstar.as_of").empty();
    if (is_read_only() || in_the_past)
        raise(sqlstate::read_only_sql_transaction,
              in_the_past ? "cannot change data AS OF a point in the past"
                          : "cannot execute this statement in a read-only transaction");
}

StatementResult SqlSession::dispatch(const syntax::Statement& statement, std::string_view text,
                                     BoundStatement* bound) {
    using syntax::StatementKind;
    const bool analyzes = statement.kind == StatementKind::analyze ||
                          (statement.kind == StatementKind::vacuum && statement.tables->analyze);
    const bool writes =
        (statement.kind != StatementKind::query && statement.kind <= StatementKind::comment) || analyzes;
    const bool makes_table = statement.kind == StatementKind::query && statement.query->into != nullptr;
    if (writes || makes_table || statement.kind == StatementKind::revert) refuse_changes_to_readers();
    const bool changes_by_with =
        statement.kind == StatementKind::query && statement.query->with != nullptr && !only_reads(statement);
    if (writes || changes_by_with || statement.kind == StatementKind::revert ||
        statement.kind == StatementKind::copy || statement.kind == StatementKind::notify)
        note_statement(statement, text, bound);
    BoundStatement own;
    if (bound == nullptr) {
        own.declared = parameter_types_;
        bound = &own;
    }
    switch (statement.kind) {
        case StatementKind::query:
            if (statement.query->into != nullptr) return select_into(*statement.query);
            bind(statement, text, *bound);
            return run_bound_query(*bound);
        case StatementKind::insert:
        case StatementKind::update:
        case StatementKind::erase:
        case StatementKind::merge:
            bind(statement, text, *bound);
            return run_change_statement(statement, *bound);
        case StatementKind::set_constraints: return set_constraints(*statement.constraints);
        case StatementKind::set_variable:
        case StatementKind::show:
        case StatementKind::reset: return variable(statement);
        case StatementKind::prepare: return prepare(*statement.prepare);
        case StatementKind::execute: return execute_prepared(*statement.prepare);
        case StatementKind::deallocate: return deallocate(*statement.prepare);
        case StatementKind::declare_cursor:
        case StatementKind::fetch:
        case StatementKind::close_cursor: return cursor(statement);
        case StatementKind::copy: return run_copy(*this, *statement.copy);
        case StatementKind::explain: return explain(*statement.explain);
        case StatementKind::revert: return revert(*statement.revert);
        case StatementKind::listen:
        case StatementKind::unlisten:
        case StatementKind::notify: return notification(statement);
        case StatementKind::run_block: return run_block(statement);
        default: return define(statement, text);
    }
}

Value SqlSession::evaluate(BoundExpr& expr, Arena& arena) {
    ++outside_uses_;
    Execution execution(session_, *this, *parameters_);
    return copy_value(Evaluator(expr, {}, execution).evaluate(arena), arena);
}

std::vector<OutputColumn> SqlSession::keep_query(const syntax::Query& query, KeptRows& rows,
                                                 std::vector<Oid>* tables) {
    BoundStatement bound;
    bound.parameter_types = parameter_types_;
    bound.pool = std::make_unique<BoundPool>();
    bound.binder = std::make_unique<Binder>(*this, *bound.pool, bound.parameter_types);
    if (tables != nullptr) bound.binder->want_row_keys();
    bound.query = bound.binder->bind_query(query);
    bound.query.plan = optimize(bound.query.plan, *bound.pool);
    ConstantFolder(*bound.pool, session_, *this).fold(*bound.query.plan);
    if (tables != nullptr)
        for (const auto& [table, key] : bound.query.row_keys) tables->push_back(table);
    std::vector<ColumnId> wanted;
    for (const OutputColumn& column : bound.query.columns) wanted.push_back(column.id);
    for (const auto& [of, key] : bound.query.row_keys) wanted.push_back(key);
    rows.reset(wanted.size(), memory_limit());
    Execution execution(session_, *this, *parameters_);
    Parts parts(*this, execution, *bound.binder);
    run_plan(*bound.query.plan, wanted, execution, rows);
    parts.finish();
    return std::move(bound.query.columns);
}

StatementResult SqlSession::select_into(const syntax::Query& query) {
    KeptRows rows;
    const std::vector<OutputColumn> columns = keep_query(query, rows);
    syntax::CreateTable table;
    table.name = query.into->name;
    table.temporary = query.into->temporary;
    table.unlogged = query.into->unlogged;
    const std::uint64_t count = create_table_as(*this, table, columns, rows);
    StatementResult result;
    result.tag = "SELECT " + std::to_string(count);
    return result;
}

StatementResult SqlSession::run_bound_query(BoundStatement& bound) {
    StatementResult result;
    run_bound_query(bound, result);
    result.columns = bound.query.columns;
    return result;
}

void SqlSession::run_bound_query(BoundStatement& bound, StatementResult& result) {
    result.has_rows = true;
    result.columns.clear();
    result.txn = 0;
    std::unique_ptr<PlanRun> run = std::move(bound.kept);
    if (run == nullptr || !run->fits(*this) || actuals_ != nullptr) {
        std::vector<ColumnId> wanted;
        for (const OutputColumn& column : bound.query.columns) wanted.push_back(column.id);
        for (const auto& [table, key] : bound.query.row_keys) wanted.push_back(key);
        run = std::make_unique<PlanRun>(*bound.query.plan, wanted, session_, *this, *parameters_);
    }
    run->execution().set_parameters(*parameters_);
    Parts parts(*this, run->execution(), *bound.binder);
    result.rows.clear(bound.query.columns.size() + bound.query.row_keys.size());
    const bool again = run->run(result.rows);
    parts.finish();
    // What reads the past has states of its own.
    if (again && bound.reusable && bound.points.empty() && !block_point_ && actuals_ == nullptr)
        bound.kept = std::move(run);
    result.tag = "SELECT " + std::to_string(result.rows.size());
}

void SqlSession::notice(SqlState state, std::string message) {
    SqlReport report;
    report.severity = Severity::notice;
    report.state = state;
    report.message = std::move(message);
    notice(std::move(report));
}

}  // namespace northstar::inline v0::sql
