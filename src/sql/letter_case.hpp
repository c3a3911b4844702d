// letter_case.hpp -- upper and lower case of Unicode characters.  Layer: sql.  Threads: any.
//
// One character becomes one character, as in PostgreSQL with a UTF-8 character type: the simple mappings of the Unicode
// Character Database 14.0, which know no languages and leave a sharp s alone. Bytes that are no UTF-8 stay as they are.
//
// [CASE-1] ASCII text costs one look at each byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// O(log of some 200 ranges) beyond ASCII.
std::uint32_t lower_case(std::uint32_t point);
std::uint32_t upper_case(std::uint32_t point);

/// Letters, digits and marks. Beyond ASCII everything but the signs of Latin-1 and the blocks of punctuation and
/// symbols.
bool is_letter_or_digit(std::uint32_t point);

std::string lower_case_text(std::string_view text);
std::string upper_case_text(std::string_view text);
/// The first letter of every run of letters and digits in upper case, the others in lower case.
std::string initial_case_text(std::string_view text);

}  // namespace northstar::inline v0::sql
