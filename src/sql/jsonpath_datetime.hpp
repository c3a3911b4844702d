// jsonpath_datetime.hpp -- the .datetime() method of SQL/JSON paths. Layer: sql. Threads: any.
//
// [JSONPATH-5] A template is read by the standard's rules (ISO/IEC 9075-2:2016, 9.44): fields of digits, a separator
//              matches itself alone, and nothing may be left over.
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// A date, time, timetz, timestamp or timestamptz, and the zone that a timestamptz was written in.
struct PathTime {
    Value value;
    std::int32_t zone_west = 0;
};

struct PathTimeError {
    SqlState state;
    std::string message;
};

/// By a template; the error tells what does not fit.
std::optional<PathTime> path_time_from_text(std::string_view text, std::string_view format, Session& session,
                                            PathTimeError& error);
/// By the formats of ISO 8601; nothing: none fits.
std::optional<PathTime> path_time_from_iso(std::string_view text, Session& session);
std::string path_time_to_text(const PathTime& time);
const char* path_time_type(const PathTime& time);

/// Order of two, -1, 0 or 1; nothing where they cannot be compared. Raises 0A000 where the session's zone would
/// decide and `zones` is not set.
std::optional<int> path_time_compare(const PathTime& a, const PathTime& b, bool zones, Session& session);

}  // namespace northstar::inline v0::sql
