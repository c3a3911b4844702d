// advisory_locks.hpp -- locks that programs take by number, pg_advisory_lock and its kin.  Layer: sql session.
//
// A lock is shared or exclusive, and of a session or of its transaction.
// [ADV-1] A session is never in its own way: it may take a lock several times, and gives it back as many times.
// Nobody finds out that two sessions wait for each other; who waits ends with statement_timeout or lock_timeout.
#pragma once

#include "sql/session.hpp"
#include "sql/session/numbered_locks.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>

namespace northstar::inline v0::sql {

/// What one session holds. Gives everything back at its end. Threads: those of its session.
class AdvisoryHolder {
public:
    explicit AdvisoryHolder(const Database& database) : database_(database) {}
    AdvisoryHolder(const AdvisoryHolder&) = delete;
    AdvisoryHolder& operator=(const AdvisoryHolder&) = delete;
    ~AdvisoryHolder();

    /// How often each lock is held.
    using Held = std::map<std::tuple<LockName, bool>, std::uint32_t>;

    bool try_take(const AdvisoryLock& lock);
    /// Of the session; false: it has none.
    bool release(const AdvisoryLock& lock);
    void release_all();
    /// What a transaction took goes with it.
    void end_transaction() noexcept;
    const Held& of_session() const { return session_; }
    const Held& of_transaction() const { return transaction_; }
    /// Gives back what was taken since.
    void return_session_to(const Held& before) { return_to(session_, before); }
    void return_transaction_to(const Held& before) { return_to(transaction_, before); }

private:
    void return_to(Held& held, const Held& before);

    const Database& database_;
    std::shared_ptr<NumberedLocks> locks_;  // null: nothing was taken yet
    Held session_, transaction_;
};

}  // namespace northstar::inline v0::sql
