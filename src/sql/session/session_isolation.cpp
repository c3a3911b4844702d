// What the isolation level asks for when a statement of a block begins.
//
// READ COMMITTED: the block moves on to the newest state, its own changes above it. REPEATABLE READ and SERIALIZABLE:
// it stays on the state that it began on. What changes stand on is compared at commit at every level; what queries
// alone have read is compared by SERIALIZABLE only, and where they lock rows (FOR UPDATE).
#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

namespace session_isolation {

/// A block that has made more changes stays on its state: to move on means to make them again.
constexpr std::size_t k_most_changes_moved = 1000;

}  // namespace session_isolation

void SqlSession::begin_in_block(const syntax::Statement& statement) {
    const std::string_view level = setting("transaction_isolation");
    const bool reads = only_reads(statement);
    main_->validate_reads(true);
    // The first one moves on as well: SAVEPOINT, or what BEGIN evaluates, may have opened a state before it.
    if (level.starts_with("read ")) {
        // Rows that are locked are to stay what they are. Without them nothing read so far matters any more.
        if (!block_locks_rows_) {
            main_->forget_reads();
            if (!block_wrote_) ++transaction_number_;  // writers that were kept read marks again
        }
        const bool moved = main_->refresh(session_isolation::k_most_changes_moved);
        if (moved) {
            ++transaction_number_;  // trees that writers have kept end here
            present_.txn = main_->base_txn();
            close_past();
        }
        // The same state has the same catalog.
        if (moved || !block_wrote_) load_catalog();
    }
    // What queries tell of definitions has been read as well.
    if (level == "serializable") main_->tree(k_catalog_tree).contains("version");
    block_started_ = true;
    const bool locks = reads && query_of(statement).locks_rows;
    block_locks_rows_ |= locks;
    main_->validate_reads(!reads || locks || level == "serializable");
}

}  // namespace northstar::inline v0::sql
