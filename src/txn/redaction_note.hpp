// redaction_note.hpp -- what a redaction leaves for artifacts that were derived from its tree.  Layer: txn.
// Threads: values.
//
// [NOTE-1] The commit that redacts a value of a tree puts the tree's note where artifacts are kept, if there are any:
//          what was installed before that txn may hold what is gone.
// [NOTE-2] A redaction takes its value out of the present. In the copy of a state before it the value is empty and
//          stays where it was: the note says so from then on.
#pragma once

#include "txn/write_txn.hpp"

#include <string>
#include <string_view>

namespace northstar::inline v0::detail {

/// Where artifacts are kept; see cartridge/registry.hpp.
inline constexpr std::string_view k_artifacts_tree = "northstar.cartridges";

/// Key of the note of a tree.
std::string redaction_note_key(std::string_view tree);
/// The value of a note: nothing, or that redacted values may be in the present, empty.
inline constexpr std::string_view k_empty_in_the_present = "e";
/// Puts the note of a tree, by name, into a transaction that redacts one of its values.
void leave_redaction_note(WriteTxn& txn, std::string_view tree, bool empty_in_the_present);

}  // namespace northstar::inline v0::detail
