// build.hpp -- from a snapshot to the bytes of an artifact.  Layer: cartridge.
// Threads: one calls build_artifact(); it starts others and waits for them.
#pragma once

#include "api/northstar.hpp"

#include <string>

namespace northstar::inline v0::detail {

/// The artifact of a state. `chain`: the chain hash after it. Throws Error(cancelled) where options.progress says so.
std::string build_artifact(const CartridgeKind& kind, const CartridgeParameters& parameters, const Snapshot& snapshot,
                           const Hash& chain, const BuildOptions& options);

}  // namespace northstar::inline v0::detail
