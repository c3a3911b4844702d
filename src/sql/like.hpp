// like.hpp -- LIKE and ILIKE. Layer: sql. Threads: any.
#pragma once

#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// Whether the whole text matches: % any characters, _ one, \ the next one literally. At worst O(text *
/// pattern): only the last % is ever tried again. Raises 22025 where the pattern ends in its escape.
bool like_match(std::string_view text, std::string_view pattern, bool ignore_case);
/// A pattern with another escape turned to one with \. Raises 22025 where the escape is longer than a
/// character.
std::string like_escape_pattern(std::string_view pattern, std::string_view escape);

}  // namespace northstar::inline v0::sql
