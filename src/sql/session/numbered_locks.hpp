// numbered_locks.hpp -- locks that have a number instead of a place: of programs (advisory_locks.hpp), of rows
// (row_locks.hpp).  Layer: sql session.
//
// A lock is shared or exclusive. Sessions of one process keep out of each other's way in a table that they share;
// processes by a lock of the operating system on one byte of the database file, far behind its end, which is given up
// when the process dies.
// [NUM-1] An owner is never in its own way: it may take a lock several times, and gives it back as many times.
// [NUM-2] Different names are different locks within a process. Between processes two of them share a byte, and keep
//         off each other, once in 2^59.
#pragma once

#include "api/northstar.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace northstar::inline v0::sql {

/// What a number is one of; the same number of another kind is another lock.
enum class LockSpace : std::uint8_t { number, two_numbers, table, row, row_key };

struct LockName {
    LockSpace space = LockSpace::number;
    std::uint64_t number = 0;
    auto operator<=>(const LockName&) const = default;
};

/// What the sessions of one process hold of a database's locks. Threads: any.
class NumberedLocks {
public:
    using Owner = const void*;

    /// Those of all sessions of this process on a database.
    static std::shared_ptr<NumberedLocks> of(const Database& database);

    /// False: somebody else's lock is in the way. Raises Error where the system refuses.
    bool try_take(const Database& database, const LockName& name, bool shared, Owner owner);
    /// One that the owner has.
    void release(const Database& database, const LockName& name, bool shared, Owner owner);

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
    static void give_back(const Database& database, const LockName& name, Lock& lock);
    void forget_unused(const LockName& name, Owner owner);

    std::mutex mutex_;
    std::map<LockName, Lock> locks_;
};

}  // namespace northstar::inline v0::sql
