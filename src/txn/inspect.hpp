// inspect.hpp -- statistics, verification and differences of states.  Layer: txn.
#pragma once

#include "txn/core.hpp"

#include <vector>

namespace northstar::inline v0::detail {

Statistics statistics(DatabaseCore& core);
VerifyReport verify(DatabaseCore& core, const VerifyOptions& options);
std::vector<Change> diff(const Database& database, DatabaseCore& core, AsOf from, AsOf to);

}  // namespace northstar::inline v0::detail
