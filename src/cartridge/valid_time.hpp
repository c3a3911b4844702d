// valid_time.hpp -- when a document was valid, as it says itself.  Layer: cartridge.  Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace northstar::inline v0::detail {

/// Microseconds since 1970-01-01 00:00 UTC, out of a date of RFC 3339 (2024-05-31) or a date and a time
/// (2024-05-31T12:30:00Z, with a fraction of the second or not, Z or +hh:mm or -hh:mm behind it; a blank for the T).
/// nullopt: it is none, or lies before 1970.
std::optional<std::uint64_t> parse_time(std::string_view text);

/// The member of a JSON object: a number that is whole and not negative, in microseconds, or a string as above. The
/// last, where a name comes twice. nullopt: the value is no object, or there is no such member.
std::optional<std::uint64_t> time_of_member(std::string_view value, std::string_view name);

}  // namespace northstar::inline v0::detail
