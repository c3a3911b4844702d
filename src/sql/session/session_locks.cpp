// Locks by number, and how long they are waited for; locks of rows, which nobody waits for.
#include "api/access.hpp"
#include "sql/catalog/partition.hpp"
#include "sql/session/sql_session.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace northstar::inline v0::sql {

bool SqlSession::take_lock(const AdvisoryLock& lock, bool wait) {
    using std::chrono::milliseconds, std::chrono::steady_clock;
    constexpr milliseconds k_longest_pause{16};
    const auto begin = steady_clock::now();
    for (milliseconds pause{1}; !advisory_.try_take(lock); pause = std::min(pause * 2, k_longest_pause)) {
        if (!wait) return false;
        check_cancelled();
        if (lock_timeout_ms_ != 0 && steady_clock::now() - begin >= milliseconds(lock_timeout_ms_))
            raise(sqlstate::lock_not_available, "canceling statement due to lock timeout");
        std::this_thread::sleep_for(pause);
    }
    return true;
}

bool SqlSession::lock_row(Oid table, std::string_view key, LockStrength strength, LockWait wait) {
    const auto relation = catalog().relation(table);
    if (relation == nullptr || relation->temporary) return true;
    // A view may ask for it.
    if (is_read_only())
        raise(sqlstate::read_only_sql_transaction,
              std::string("cannot execute SELECT ") + clause_name(strength) + " in a read-only transaction");
    // Outside of a block it would be given back before anybody can think about the row.
    if (wait == LockWait::block && !in_block_) return true;
    const std::string tree = partition_root(catalog(), *relation)->tree();
    const std::size_t before = row_locks_.mark();
    const bool taken = row_locks_.try_take(tree, key, strength);
    if (!taken && wait == LockWait::refuse)
        raise(sqlstate::lock_not_available, "could not obtain lock on row in relation \"" + relation->name + "\"");
    if (!taken && wait == LockWait::skip) return false;
    if (!main_) return true;
    // Whoever had it before may have changed it since the statement began.
    if (wait == LockWait::skip && detail::CoreAccess::txn(*main_).changed_by_others(tree, key)) {
        if (!setting("transaction_isolation").starts_with("read "))
            raise(sqlstate::serialization_failure, "could not serialize access due to concurrent update");
        row_locks_.return_to(before);
        return false;
    }
    // What the query itself asks to lock is watched as it is read; not what a view asks for, nor with SKIP LOCKED.
    if (wait != LockWait::skip && statement_locks_rows_) return true;
    block_locks_rows_ = block_locks_rows_ || in_block_;
    main_->validate_reads(true);
    main_->tree(tree).contains(key);
    watch_reads_as_asked();
    return true;
}

void SqlSession::watch_reads(bool on) {
    unwatched_ = on ? unwatched_ - 1 : unwatched_ + 1;
    if (main_) watch_reads_as_asked();
}

void SqlSession::watch_reads_as_asked() {
    main_->validate_reads(unwatched_ == 0 || setting("transaction_isolation") == "serializable");
}

}  // namespace northstar::inline v0::sql
