// copy.hpp -- whole databases made from others: backup, restore, vacuum, replay.  Layer: txn.
//
// [COPY-1] The destination appears under its name only when it is whole and flushed.
#pragma once

#include "txn/core.hpp"

#include <optional>
#include <string>

namespace northstar::inline v0::detail {

/// A copy of state and log up to `point` (nullopt: all that is durable now).
void copy_database(DatabaseCore& source, const std::string& destination, std::optional<AsOf> point);
/// A dense copy of the present state that names its parent.
void vacuum_into(DatabaseCore& source, const std::string& destination);
/// The state at a point with log and history up to there: by replay, or, where the log does not begin with txn 1, as a
/// copy if the point is not before the newest checkpoint.
void restore(const std::string& source, const std::string& destination, AsOf point, Vfs& vfs = posix_vfs());
/// A new database built from the log of another.
void replay(const std::string& source, const std::string& destination, AsOf point, Vfs& vfs = posix_vfs());

}  // namespace northstar::inline v0::detail
