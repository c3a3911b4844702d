// changes.hpp -- what differs in a tree between two snapshots.  Layer: cartridge.  Threads: any.
//
// Two ways to the same answer, both as long as what changed. Where little log lies between the two, its commits name
// the keys. Else leaves of the newest state that did not change since the older of the two are passed over, with the
// subtrees that hold them. [TREE-3] makes that right: a key whose state changed lies, there or not, in the range of a
// leaf that carries a later txn.
#pragma once

#include "api/northstar.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace northstar::inline v0::detail {

/// A key and its value in each of two states; nullopt: it is not there.
using ChangeSink = std::function<void(std::string_view key, std::optional<std::string_view> before,
                                      std::optional<std::string_view> after)>;

/// Log between two states up to which its records are read: more than that may be values of other trees.
inline constexpr std::uint64_t k_most_log_read = std::uint64_t{32} << 20;

/// Calls `sink` for every key of a tree whose value differs, ascending, and for some where both are empty, one of which
/// may have been redacted.
void each_change(const Snapshot& before, const Snapshot& after, std::string_view tree, const ChangeSink& sink,
                 std::uint64_t most_log_read = k_most_log_read);

/// May a tree of the snapshot's state differ from what it was after `txn`? False: it does not. Reads a page or two, and
/// needs no history; nothing is known (true) of a snapshot of the past.
bool may_differ(const Snapshot& snapshot, std::string_view tree, Txn txn);

}  // namespace northstar::inline v0::detail
