// advisory_locks.hpp -- locks that programs take by number, pg_advisory_lock and its kin.  Layer: sql session.
//
// A lock is shared or exclusive, and of a session or of its transaction. Sessions of one process keep out of each
// other's way in a table that they share; processes by a lock of the operating system on one byte of the database file,
// far behind its end, which is given up when the process dies.
// [ADV-1] A session is never in its own way: it may take a lock several times, and gives it back as many times.
// [ADV-2] Different numbers are different locks within a process. Between processes two of them share a byte, and keep
//         off each other, once in 2^59.
// Nobody finds out that two sessions wait for each other; who waits ends with statement_timeout or lock_timeout.
#pragma once

#include "api/northstar.hpp"
#include "sql/session.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

namespace northstar::inline v0::sql {

/// What the sessions of one process hold of a database's locks. Threads: any.
class AdvisoryLocks {
public:
    using Key = std::pair<bool, std::uint64_t>;  ///< of two numbers, or of one
    using Owner = const void*;

    /// False: somebody else's lock is in the way. Raises Error where the system refuses.
    bool try_take(const Database& database, const Key& key, bool shared, Owner owner);
    /// One that the owner has.
    void release(const Database& database, const Key& key, bool shared, Owner owner);

private:
    enum class Kind : std::uint8_t { none, shared, exclusive };
    struct Counts {
        std::uint32_t shared = 0, exclusive = 0;
    };
    struct Lock {
        std::map<Owner, Counts> owners;
        Kind system = Kind::none;  ///< what this process has of the byte
    };
    static Kind needed(const Lock& lock);
    static void give_back(const Database& database, const Key& key, Lock& lock);
    void forget_unused(const Key& key, Owner owner);

    std::mutex mutex_;
    std::map<Key, Lock> locks_;
};

/// What one session holds. Gives everything back at its end. Threads: those of its session.
class AdvisoryHolder {
public:
    explicit AdvisoryHolder(const Database& database) : database_(database) {}
    AdvisoryHolder(const AdvisoryHolder&) = delete;
    AdvisoryHolder& operator=(const AdvisoryHolder&) = delete;
    ~AdvisoryHolder();

    /// How often each lock is held.
    using Held = std::map<std::tuple<AdvisoryLocks::Key, bool>, std::uint32_t>;

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
    std::shared_ptr<AdvisoryLocks> locks_;  // null: nothing was taken yet
    Held session_, transaction_;
};

}  // namespace northstar::inline v0::sql
