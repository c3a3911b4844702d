// locked_rows.hpp -- FOR UPDATE and its kin beside outer joins.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Raises 0A000: there may be no row to lock.
[[noreturn]] void refuse_nullable(LockStrength strength);

/// Refuses locks of rows that an outer join may not have, as the joins below stand once they are optimized. What is
/// asked for by a query further out is not refused: its conditions may make such joins inner ones.
void check_locked_rows(const Plan& lock_rows);

}  // namespace northstar::inline v0::sql
