// Scripts: the statements of one text, each by itself or as a simple query of PostgreSQL's protocol runs them.
//
// [SCRIPT-1] Nothing runs of a text that cannot be parsed. In a simple query several statements outside of a block are
//            one transaction: an implicit block, which goes on until the text ends, one of them ends it, or BEGIN makes
//            it a block that outlives the text. What fails undoes it, and ends the script.
// [SCRIPT-2] An implicit block that meets a conflict runs again, as a statement outside of blocks does, as long as
//            nobody has seen its answers and its statements leave nothing behind when they are undone.
#include "sql/session/portal.hpp"
#include "sql/session/sql_session.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace session_script {

constexpr unsigned k_attempts = 4;          // at an implicit block, until it takes the writer's turn
constexpr std::size_t k_rows_at_once = 256;

/// Does a rollback undo all that the statement did?
bool is_undone(const syntax::Statement& statement) {
    using syntax::StatementKind;
    switch (statement.kind) {
        case StatementKind::set_constraints:
        case StatementKind::set_variable:
        case StatementKind::show:
        case StatementKind::reset:
        case StatementKind::explain:
        case StatementKind::analyze:
        case StatementKind::lock_table: return true;
        default: return statement.kind <= StatementKind::comment;
    }
}

/// Called while an exception is handled.
bool is_conflict() {
    try {
        throw;
    } catch (const SqlError& error) {
        return error.state() == sqlstate::serialization_failure;
    } catch (...) {
        return false;
    }
}

}  // namespace session_script

void SqlSession::start_implicit_block(bool with_turn) {
    session_.statement_time = script_time_;
    end_work();
    start_block();
    implicit_ = true;
    if (!with_turn) return;
    begin_work(Work::exclusive);
    has_turn_ = true;
}

void SqlSession::run_in_script(const syntax::Statement& statement, std::string_view text, bool last,
                               ScriptTaker& taker) {
    static const std::vector<Value> nothing;
    std::string tag;
    std::uint64_t txn = 0;
    if (taker.takes_parts() && Portal::streams(statement)) {
        Portal portal(*this, statement, text);
        RowStore rows;
        std::size_t count = 0;
        for (bool first = true; !portal.done(); first = false) {
            portal.fetch(session_script::k_rows_at_once, rows);
            if (first) taker.begin(portal.columns());
            taker.rows(rows);
            count += rows.size();
        }
        tag = "SELECT " + std::to_string(count);
        txn = portal.txn();
    } else {
        const StatementResult result = execute(statement, text, nothing);
        if (result.has_rows) {
            taker.begin(result.columns);
            taker.rows(result.rows);
        }
        tag = result.tag;
        txn = result.txn;
    }
    if (last && implicit_) {
        try {
            end_portals(false);
            txn = commit_block({});
            end_block(true);
        } catch (...) {
            translate_failure(text);
        }
    }
    taker.end(tag, txn);
}

void SqlSession::execute_script(std::string_view text, bool together, ScriptTaker& taker) {
    const Running running(*this);
    Arena arena;
    std::vector<const syntax::Statement*> statements;
    try {
        statements = parse_script(text, arena);
    } catch (...) {
        translate_failure(text);
    }
    struct OneTime {
        std::int64_t& time;
        OneTime(std::int64_t& script_time, bool one) : time(script_time) { time = one ? clock_now() : 0; }
        ~OneTime() { time = 0; }
        OneTime(const OneTime&) = delete;
        OneTime& operator=(const OneTime&) = delete;
    } const one_time(script_time_, together);
    const bool may_start_over = std::all_of(statements.begin(), statements.end(), [](const auto* statement) {
        return session_script::is_undone(*statement);
    });
    std::size_t first = 0;  // of the implicit block
    unsigned attempt = 1;   // at it
    std::size_t notices = notices_.size();
    AdvisoryHolder::Held locks = advisory_.of_session();
    for (std::size_t i = 0; i < statements.size(); ++i) {
        const bool begins = together && statements.size() > 1 && !in_block_;
        const bool implicit = begins || implicit_;
        if (begins) {
            if (first != i) attempt = 1;
            first = i;
            notices = notices_.size();
            locks = advisory_.of_session();
        }
        try {
            if (begins) start_implicit_block(attempt > session_script::k_attempts);
            run_in_script(*statements[i], text, i + 1 == statements.size(), taker);
        } catch (...) {
            if (in_block_ && !implicit_) failed_ = true;  // where it is the taker that throws
            if (in_block_ && implicit_) {
                end_portals(false);
                rollback_work();
                end_block(false);
            }
            const bool again = implicit && may_start_over && attempt <= session_script::k_attempts &&
                               session_script::is_conflict();
            if (!again || !taker.take_back(i - first)) throw;
            notices_.resize(std::min(notices_.size(), notices));
            advisory_.return_session_to(locks);
            ++attempt;
            i = first - 1;
        }
    }
}

}  // namespace northstar::inline v0::sql
