// What the isolation level asks for when a statement of a block begins.
//
// READ COMMITTED: the block moves on to the newest state, its own changes above it. REPEATABLE READ and SERIALIZABLE:
// it stays on the state that it began on. What changes stand on is compared at commit at every level; what queries
// alone have read is compared by SERIALIZABLE only, and where they lock rows (FOR UPDATE).
#include "sql/session/sql_session.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace session_isolation {

/// A block that has made more changes stays on its state: to move on means to make them again.
constexpr std::size_t k_most_changes_moved = 1000;

bool changes_data(const syntax::Query& query) {
    return query.into != nullptr ||
           (query.with != nullptr &&
            std::any_of(query.with->tables.begin(), query.with->tables.end(), [](const syntax::CommonTable& table) {
                return table.body->kind != syntax::StatementKind::query;
            }));
}

/// Whether all that a statement does is to show what it reads, so that no change stands on that.
bool only_shows(const syntax::Statement& statement) {
    using syntax::StatementKind;
    switch (statement.kind) {
        case StatementKind::query: return !changes_data(*statement.query);
        case StatementKind::declare_cursor: return !changes_data(*statement.cursor->query);
        case StatementKind::explain: return only_shows(*statement.explain->statement);
        case StatementKind::copy:
            return !statement.copy->from && (statement.copy->query == nullptr || !changes_data(*statement.copy->query));
        default: return false;
    }
}

}  // namespace session_isolation

void SqlSession::begin_in_block(const syntax::Statement& statement) {
    using syntax::StatementKind;
    // These read nothing: SET TRANSACTION may still follow.
    switch (statement.kind) {
        case StatementKind::show:
        case StatementKind::set_variable:
        case StatementKind::reset:
        case StatementKind::listen:
        case StatementKind::unlisten:
        case StatementKind::notify: return;
        default: break;
    }
    const std::string_view level = setting("transaction_isolation");
    if (snapshot_) {
        // Through a handle that only reads: nothing can come in conflict with what a block does there.
        if (level.starts_with("read ")) {
            close_past();
            snapshot_.emplace(database_.begin_read());
            ++transaction_number_;
            present_.txn = snapshot_->txn();
            load_catalog();
        }
        block_started_ = true;
        return;
    }
    main_->validate_reads(true);
    // The first one moves on as well: SAVEPOINT, or what BEGIN evaluates, may have opened a state before it.
    if (level.starts_with("read ")) {
        // Rows that are locked are to stay what they are. Without them nothing read so far matters any more.
        if (!block_locks_rows_) {
            main_->forget_reads();
            if (!block_wrote_) ++transaction_number_;  // writers that were kept read marks again
        }
        const bool moved = !has_turn_ && main_->refresh(session_isolation::k_most_changes_moved);
        if (moved) {
            ++transaction_number_;  // trees that writers have kept end here
            present_.txn = main_->base_txn();
            close_past();
        }
        // The same state has the same catalog.
        if (moved || !block_wrote_) load_catalog();
        // Rows may have come with values that the block took as well: a conflict, not a key that is there twice.
        for (const auto& [oid, generation] : moved_sequences_) {
            const auto sequence = moved ? catalog().relation(oid) : nullptr;
            if (sequence == nullptr || own_sequences_.contains(oid)) continue;
            const StoredSequence unmoved{{sequence->sequence.start, false}, 0};
            if (sequences().look(oid, stored_sequence(*sequence).value_or(unmoved)).generation != generation)
                raise(sqlstate::serialization_failure, "could not serialize access due to concurrent changes",
                      "Another process has moved a sequence whose values this transaction took.",
                      "The transaction might succeed if retried.");
        }
    }
    // What queries tell of definitions has been read as well.
    if (level == "serializable") main_->tree(k_catalog_tree).contains("version");
    block_started_ = true;
    const syntax::Statement& query = query_of(statement);
    statement_locks_rows_ = query.locks_rows;
    block_locks_rows_ |= query.locks_rows;
    main_->validate_reads(!session_isolation::only_shows(query) || query.locks_rows || level == "serializable");
}

}  // namespace northstar::inline v0::sql
