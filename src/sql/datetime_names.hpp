// datetime_names.hpp -- English names of months and days in small letters, as dates are read.  Layer: sql.
// Threads: any.
#pragma once

#include <string_view>

namespace northstar::inline v0::sql {

/// 1 to 12, or 0; the name may be cut to three letters.
int month_named(std::string_view word);
/// With the abbreviations that PostgreSQL knows.
bool is_day_name(std::string_view word);

}  // namespace northstar::inline v0::sql
