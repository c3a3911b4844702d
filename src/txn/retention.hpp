// retention.hpp -- the history part of a checkpoint.  Layer: txn.  Threads: the holder of the checkpoint lock.
#pragma once

#include "txn/horizon_move.hpp"

#include <cstdint>
#include <optional>

namespace northstar::inline v0::detail {

/// What a checkpoint keeps of the past.
struct KeptPast {
    HistoryFollower::Sealed sealed;
    Horizon horizon;
    std::optional<HorizonMove> move;
    std::uint64_t log_begin = 0;  ///< the log before it is let go
};

}  // namespace northstar::inline v0::detail
