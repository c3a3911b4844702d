// row_locks.hpp -- rows that a transaction has locked with FOR UPDATE or its kin.  Layer: sql session.
//
// They keep nobody from changing a row: whether what a transaction stands on is still true is found at its commit.
// They tell those who ask, with NOWAIT or SKIP LOCKED, which rows others have taken.
// [ROWLOCK-1] A row is its table's tree and its key there; two rows share a lock once in 2^64.
// [ROWLOCK-2] Locks of rows stand for themselves up to k_most_rows of a table. Then its owner has the whole table,
//             unless others have rows of it, so that neither memory nor the system's list grows with the table.
#pragma once

#include "sql/row_lock.hpp"
#include "sql/session/numbered_locks.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

/// What one transaction holds. Gives everything back at its end. Threads: those of its session.
class RowLocks {
public:
    static constexpr std::size_t k_most_rows = 1000;

    explicit RowLocks(const Database& database) : database_(database) {}
    RowLocks(const RowLocks&) = delete;
    RowLocks& operator=(const RowLocks&) = delete;
    ~RowLocks() { return_to(0); }

    /// False: somebody else's lock is in the way. O(log locks).
    bool try_take(const std::string& tree, std::string_view key, LockStrength strength);
    /// How far return_to() goes back; those taken before stay.
    std::size_t mark() const { return taken_.size(); }
    void return_to(std::size_t mark) noexcept;

private:
    struct Table {
        LockName name;
        std::size_t rows = 0;
        std::size_t next_try = k_most_rows;  ///< to have the table as a whole
        bool whole = false;
    };
    struct Taken {
        LockName name;
        bool shared = false;
        bool above = false;  ///< a shared one, which stays
        Table* table = nullptr;
    };
    bool take(const LockName& name, bool shared, Table& table);
    Table* lock_table(const std::string& tree);

    const Database& database_;
    std::shared_ptr<NumberedLocks> locks_;  // null: nothing was taken yet
    std::map<std::string, Table, std::less<>> tables_;
    std::vector<Taken> taken_;              // in order
    std::map<LockName, bool> held_;         // shared alone?
};

}  // namespace northstar::inline v0::sql
