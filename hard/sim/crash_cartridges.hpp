// crash_cartridges.hpp -- a kind of cartridge that mirrors a tree, and whether what it says is the tree.  Used by the
// crash suite.
//
// A mirror says of each entry its key and a digest of its value, so that a value that is redacted is not in the
// artifact itself. Its facts depend on values in a way that the library does not know.
#pragma once

#include "hard/sim/crash_model.hpp"

#include "api/northstar.hpp"

#include <string>

namespace northstar::hard {

/// Name and parameter of a mirror are the name of its tree.
inline constexpr const char* k_mirror = "mirror";
void register_mirror();

/// What a mirror of this tree says, as bytes.
std::string facts_of(const ModelTree& tree);
/// What a cartridge says, with what changed since.
std::string facts_of(const Cartridge& cartridge);

/// The state behind the commit that builds and installs a mirror of a tree from a snapshot, upon `state`.
void apply_mirror(ModelState& state, const Database& db, const Snapshot& snapshot, const std::string& tree);
/// Is there a mirror of this tree in a state?
bool has_mirror(const ModelState& state, const std::string& tree);
/// The artifacts of a database are whole, and show its newest state.
void must_mirror(Database& db, const ModelState& state, const std::string& where);
/// What a redaction of a value of this tree leaves for those who keep artifacts.
void apply_redaction_note(ModelState& state, const std::string& tree);

}  // namespace northstar::hard
