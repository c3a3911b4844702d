// registry.hpp -- how the database keeps cartridges: entries of one tree.  Layer: cartridge.  Threads: values.
//
//   'c' \0 name                            what is installed (CartridgeInfo)
//   'b' \0 name \0 txn(8, big-endian)      the bytes of the artifact built at that txn
//   'r' \0 tree                            a note of every redaction of a value of that tree: txn/redaction_note.hpp
//
// [REGISTRY-1] Both are written by one commit, which erases the artifact before: a state of the database, a past one
//              too, has what its record names.
#pragma once

#include "api/northstar.hpp"
#include "txn/redaction_note.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

inline constexpr std::string_view k_cartridges_tree = k_artifacts_tree;

/// Throws Error(invalid_argument) for a name that is empty, too long, or holds a zero byte.
void check_cartridge_name(std::string_view name);
std::string record_key(std::string_view name);
std::string artifact_key(std::string_view name, Txn built_at);
/// The prefix that all records begin with.
std::string_view records_prefix();
std::string_view artifacts_prefix();

std::string encode_record(const CartridgeInfo& info);
/// From where on states show nothing of what was redacted at a txn or later, when an artifact was installed: 0 where
/// nothing was; else the newest redaction of a value of these trees; k_never where a state may show it as empty.
inline constexpr Txn k_never = ~Txn{0};
Txn redacted_from(const Tree& registry, const std::vector<std::string>& trees, Txn installed);

/// Throws Error(corrupt).
CartridgeInfo decode_record(std::string_view name, std::string_view bytes);

struct RefreshedDue {
    struct Failure {
        std::string name;
        Error error;  ///< not cancelled, which is thrown
        std::chrono::steady_clock::duration took;
    };
    std::vector<std::string> names;
    std::vector<Failure> failures;  ///< of others
    bool left = false;              ///< one that is due was not wanted
};
/// Refreshes those whose policy says so, if they are wanted. One that fails stops no other.
RefreshedDue refresh_due(Database& database, Cartridges& cartridges, const BuildOptions& options,
                         const std::function<bool(const std::string& name)>& wanted);

}  // namespace northstar::inline v0::detail
