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
void vacuum_into(const Database& source, DatabaseCore& core, const std::string& destination);
void restore(const std::string& source, const std::string& destination, AsOf point);
void replay(const std::string& source, const std::string& destination, AsOf point);

}  // namespace northstar::inline v0::detail
