// display_width.hpp -- characters as people count them, and the columns that a terminal gives them.
//
// A character is a code point with what is joined to it: combining marks, variation selectors, what a zero width joiner
// ties on, the second half of a flag. East Asian wide characters and emoji take two columns (Unicode 15, Standard Annex
// 11); control characters and bytes that are no UTF-8 are shown as \xHH, four columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace northstar_tool::shell {

/// Bytes of the character at `at`, which is before the end; at least 1.
std::size_t character_size(std::string_view text, std::size_t at);
/// Where the character before `at` begins; 0 at the beginning.
std::size_t character_before(std::string_view text, std::size_t at);
/// Columns of a text without control characters. O(bytes).
std::size_t display_width(std::string_view text);
/// The text with control characters and bytes that are no UTF-8 as \xHH; line feeds and tabs too unless kept.
std::string visible(std::string_view text, bool keep_line_feeds = false);
/// As many characters from the front as fit into the columns.
std::string_view fitting(std::string_view text, std::size_t columns);

}  // namespace northstar_tool::shell
