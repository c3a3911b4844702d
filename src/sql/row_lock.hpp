// row_lock.hpp -- what FOR UPDATE and its kin ask for.  Layer: sql.
#pragma once

#include <cstdint>

namespace northstar::inline v0::sql {

/// What others may not do with a row meanwhile; each keeps off more than the one before.
enum class LockStrength : std::uint8_t { key_share, share, no_key_update, update };
/// What becomes of a row that somebody else has locked: NOWAIT fails, SKIP LOCKED leaves it out. Of several clauses
/// about one table the last of these counts.
enum class LockWait : std::uint8_t { block, skip, refuse };

constexpr const char* clause_name(LockStrength strength) {
    constexpr const char* names[] = {"FOR KEY SHARE", "FOR SHARE", "FOR NO KEY UPDATE", "FOR UPDATE"};
    return names[static_cast<int>(strength)];
}

}  // namespace northstar::inline v0::sql
