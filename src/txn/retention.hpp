// retention.hpp -- the history part of a checkpoint.  Layer: txn.  Threads: the holder of the checkpoint lock.
#pragma once

#include "history/follower.hpp"
#include "history/horizon.hpp"

#include <cstdint>

namespace northstar::inline v0::detail {

/// What a checkpoint keeps of the past.
struct KeptPast {
    HistoryFollower::Sealed sealed;
    Horizon horizon;
    std::uint64_t log_begin = 0;  ///< the log before it is let go
};

}  // namespace northstar::inline v0::detail
