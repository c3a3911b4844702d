// Changes of data: one statement's, several of one statement (WITH), and what is deferred to the end of a transaction.
#include "sql/plan/walk.hpp"
#include "sql/session/sql_session.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

namespace session_changes {

std::string tag(const syntax::Statement& statement, std::uint64_t count) {
    std::string text;
    switch (statement.kind) {
        case syntax::StatementKind::insert: text = "INSERT 0 "; break;
        case syntax::StatementKind::update: text = "UPDATE "; break;
        case syntax::StatementKind::merge: text = "MERGE "; break;
        default: text = statement.change->redact ? "ERASE " : "DELETE ";
    }
    return text += std::to_string(count);
}

/// Are there subqueries that run between one changed row and the next?
bool reads_back(const BoundChange& change) {
    return any_subquery(change.returning) || any_subquery(change.conflict_where) ||
           std::any_of(change.conflict_shown.begin(), change.conflict_shown.end(),
                       [](const auto& shown) { return has_subquery(shown.second); }) ||
           any_subquery(change.conflict_assignments) ||
           std::any_of(change.branches.begin(), change.branches.end(), [](const MergeBranch& branch) {
               return any_subquery(branch.condition) || any_subquery(branch.assignments);
           });
}

}  // namespace session_changes

StatementResult SqlSession::run_change_statement(const syntax::Statement& statement, BoundStatement& bound) {
    if (statement.change->redact && in_block_)
        raise(sqlstate::active_sql_transaction, "ERASE cannot run inside a transaction block");
    BoundChange* const change = bound.change;
    StatementResult result;
    if (bound.point_change != nullptr && actuals_ == nullptr) {
        run_point_change(statement, bound, result);
        result.columns = change->returning_columns;
        return result;
    }
    result.has_rows = !change->returning.empty();
    result.columns = change->returning_columns;
    Execution execution(session_, *this, *parameters_);
    Parts parts(*this, execution, *bound.binder, session_changes::reads_back(*change));
    KeptRows returned(change->returning.size());
    const std::uint64_t count = run_change(execution, *change, returned);
    result.rows = returned.release();
    parts.finish();
    if (change->redact) {
        Arena arena;
        redaction_reason_ = "erased";
        if (change->reason != nullptr) {
            const Value reason = evaluate(*change->reason, arena);
            if (!reason.is_null()) redaction_reason_ = std::string(reason.bytes());
        }
        // The kernel erases values. Keys of its trees hold columns too.
        std::string names;
        for (const Index& index : change->relation->indexes)
            for (const IndexColumn& column : index.columns)
                names += (names.empty() ? "" : ", ") +
                         (column.column < 0 ? column.text
                                            : change->relation->columns[static_cast<std::size_t>(column.column)].name);
        if (!names.empty() && count > 0)
            notice(sqlstate::warning, "values of keys and indexes stay in the log: " + names);
    }
    result.tag = session_changes::tag(statement, count);
    return result;
}

void SqlSession::run_point_change(const syntax::Statement& statement, BoundStatement& bound,
                                  StatementResult& result) {
    if (read_only_) raise(sqlstate::read_only_sql_transaction, "cannot change data in a read-only transaction");
    const BoundChange& change = *bound.change;
    result.has_rows = !change.returning.empty();
    result.columns.clear();
    result.rows.clear(change.returning.size());
    result.txn = 0;
    const std::uint64_t count = bound.point_change->run(*parameters_, result.rows);
    block_wrote_ = block_wrote_ || (in_block_ && count > 0 && !change.relation->temporary);
    std::vector<PendingCheck>& pending = bound.point_change->runner().deferred();
    std::move(pending.begin(), pending.end(), std::back_inserter(deferred_));
    pending.clear();
    if (!in_block_) run_deferred(true);
    result.tag = session_changes::tag(statement, count);
}

namespace session_changes {

/// A foreign key or a unique key: does it wait for the end of the transaction?
template <class Constraint>
bool waits(const Constraint& constraint, const std::map<std::string, bool>& modes, std::optional<bool> all) {
    if (!constraint.deferrable) return false;
    const auto found = modes.find(constraint.name);
    if (found != modes.end()) return found->second;
    return all.value_or(constraint.initially_deferred);
}

}  // namespace session_changes

bool SqlSession::is_deferred(const ForeignKey& foreign) const {
    return session_changes::waits(foreign, constraint_modes_, all_constraints_deferred_);
}

bool SqlSession::is_deferred(const Index& key) const {
    return session_changes::waits(key, constraint_modes_, all_constraints_deferred_);
}

/// Takes what a runner leaves to be done when the statement, or the transaction, is.
void SqlSession::take_over(ChangeRunner& runner, Execution& execution) {
    for (PendingCheck& pending : std::exchange(runner.deferred(), {})) deferred_.push_back(std::move(pending));
    for (const auto& [table, key] : std::exchange(runner.redactions(), {}))
        plan_redaction(execution, catalog().relation(table), key);
}

std::uint64_t SqlSession::run_change(Execution& execution, BoundChange& change, KeptRows& rows) {
    if (is_read_only()) raise(sqlstate::read_only_sql_transaction, "cannot change data in a read-only transaction");
    if (parts_ != nullptr) return parts_->run(execution, change, rows);
    ChangeRunner runner(execution, *this);
    const std::uint64_t count = runner.run(change, rows);
    take_over(runner, execution);
    if (!in_block_) run_deferred(true);
    return count;
}

std::uint64_t SqlSession::run_restore(BoundChange& change, std::vector<RestoredRow>& rows) {
    Execution execution(session_, *this, *parameters_);
    ChangeRunner runner(execution, *this);
    const std::uint64_t count = runner.restore(change, rows);
    take_over(runner, execution);
    if (!in_block_) run_deferred(true);
    return count;
}

std::uint64_t SqlSession::run_bound_change(BoundChange& change, KeptRows& input) {
    Execution execution(session_, *this, *parameters_);
    execution.working_table(0) = &input;
    KeptRows nothing;
    return run_change(execution, change, nothing);
}

// ---- several changes in one statement
// ----------------------------------------------------------------------------------------------------------

SqlSession::Parts::Parts(SqlSession& session, Execution& execution, const Binder& binder, bool reads_back)
    : session_(session), execution_(execution), binder_(binder) {
    if (binder.common_changes().empty() && !reads_back) return;
    const Mark start = session.mark("");
    main_ = start.main;
    temporary_ = start.temporary;
    runner_.emplace(execution, session);
    session.parts_ = this;
}

SqlSession::Parts::~Parts() {
    if (runner_) session_.parts_ = nullptr;
}

Tree SqlSession::Parts::tree(const std::string& name, bool temporary) {
    if (!temporary) return session_.main_->tree_at(name, main_);
    // Where there was no database for them, the statement knows no temporary tables.
    return temporary_.id != 0 ? session_.temp_->tree_at(name, temporary_) : session_.writable(name, true);
}

std::uint64_t SqlSession::Parts::run(Execution& execution, BoundChange& change, KeptRows& rows) {
    const std::uint64_t count = runner_->run_part(change, rows);
    session_.take_over(*runner_, execution);
    return count;
}

void SqlSession::Parts::finish() {
    if (!runner_) return;
    for (const auto& common : binder_.common_changes()) execution_.common(*common);
    runner_->settle();
    for (PendingCheck& pending : std::exchange(runner_->deferred(), {}))
        session_.deferred_.push_back(std::move(pending));
    if (!session_.in_block_) session_.run_deferred(true);
}

void SqlSession::run_deferred(bool all) {
    if (deferred_.empty()) return;
    Execution execution(session_, *this, *parameters_);
    ChangeRunner runner(execution, *this);
    std::vector<PendingCheck> left;
    for (PendingCheck& pending : deferred_) {
        bool deferred = false;
        if (const auto table = catalog().relation(pending.table); table != nullptr && !all) {
            for (const ForeignKey& foreign : table->foreign_keys)
                if (foreign.name == pending.constraint) deferred = is_deferred(foreign);
            if (const Index* const key = table->find_index(pending.constraint)) deferred = is_deferred(*key);
        }
        if (deferred) left.push_back(std::move(pending));
        else runner.check(pending);
    }
    deferred_ = std::move(left);
}

StatementResult SqlSession::set_constraints(const syntax::SetConstraints& statement) {
    if (statement.all) {
        constraint_modes_.clear();
        all_constraints_deferred_ = statement.deferred;
    } else {
        for (const syntax::QualifiedName& name : statement.names) {
            bool found = false, deferrable = false;
            for (const auto& [key, relation] : catalog().relations()) {
                for (const ForeignKey& foreign : relation->foreign_keys)
                    if (foreign.name == name.last()) {
                        found = true;
                        deferrable |= foreign.deferrable;
                    }
                for (const Index& index : relation->indexes)
                    if (index.name == name.last() && index.role != ConstraintRole::none) {
                        found = true;
                        deferrable |= index.deferrable;
                    }
            }
            if (!found)
                raise_at(sqlstate::undefined_object,
                         "constraint \"" + std::string(name.last()) + "\" does not exist", name.position);
            if (!deferrable)
                raise_at(sqlstate::wrong_object_type,
                         "constraint \"" + std::string(name.last()) + "\" is not deferrable", name.position);
            constraint_modes_[std::string(name.last())] = statement.deferred;
        }
    }
    if (!statement.deferred) run_deferred(false);
    StatementResult result;
    result.tag = "SET CONSTRAINTS";
    return result;
}

}  // namespace northstar::inline v0::sql
