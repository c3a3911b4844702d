// registry.hpp -- how the database keeps cartridges: entries of one tree.  Layer: cartridge.  Threads: values.
//
//   'c' \0 name                            what is installed (CartridgeInfo)
//   'b' \0 name \0 txn(8, big-endian)      the bytes of the artifact built at that txn
//
// [REGISTRY-1] Both are written by one commit, which erases the artifact before: a state of the database, a past one
//              too, has what its record names.
#pragma once

#include "api/northstar.hpp"

#include <string>
#include <string_view>

namespace northstar::inline v0::detail {

inline constexpr std::string_view k_cartridges_tree = "northstar.cartridges";

/// Throws Error(invalid_argument) for a name that is empty, too long, or holds a zero byte.
void check_cartridge_name(std::string_view name);
std::string record_key(std::string_view name);
std::string artifact_key(std::string_view name, Txn built_at);
/// The prefix that all records begin with.
std::string_view records_prefix();
std::string_view artifacts_prefix();

std::string encode_record(const CartridgeInfo& info);
/// Throws Error(corrupt).
CartridgeInfo decode_record(std::string_view name, std::string_view bytes);

}  // namespace northstar::inline v0::detail
