// statement_text.hpp -- what of a statement is kept beside its commit.  Layer: sql.  Threads: any.
//
// [TEXT-1] No literal of the statement is in the result: what was erased from a table must not live on in the log as
//          the text that once inserted it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// The text with ? for every literal, without comments, runs of blanks as one blank, and at most `limit` bytes.
/// O(limit) where the text is short of literals, O(text) at worst.
std::string statement_without_literals(std::string_view text, std::size_t limit);

}  // namespace northstar::inline v0::sql
