// datetime_words.hpp -- the text of a date or time cut into numbers, dates, times, zones and words.  Layer: sql.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

enum class DateTimeWordKind : std::uint8_t { number, date, time, zone, word };

struct DateTimeWord {
    DateTimeWordKind kind;
    std::string text;  ///< in small letters
};

/// False: something stands there that no date or time has.
bool split_datetime(std::string_view text, std::vector<DateTimeWord>& words);

}  // namespace northstar::inline v0::sql
