// json_strings.hpp -- some strings and numbers out of a JSON object.  Layer: cartridge.  Threads: any.
//
// Strict (RFC 8259): one object and nothing behind it but blanks, well-formed UTF-8, no lone surrogates, no control
// characters in strings, at most 256 levels. What is not that is no object.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace northstar::inline v0::detail {

/// Reads the members of an object: where `place` gives a string for the name of one whose value is a string, that is
/// stored there. false: the bytes are no object, and what was stored means nothing.
bool read_json_strings(std::string_view bytes, const std::function<std::string*(std::string_view)>& place);
/// The same of members whose value is a string or, as `place` is told, a number: that is stored as it is written.
bool read_json_scalars(std::string_view bytes, const std::function<std::string*(std::string_view, bool number)>& place);

}  // namespace northstar::inline v0::detail
