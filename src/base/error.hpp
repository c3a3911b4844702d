// error.hpp -- raising Error without repeating its constructor everywhere.  Layer: base.  Threads: any.
//
// A message is one sentence: what happened, where, and what to do.
#pragma once

#include "api/northstar.hpp"

#include <cstdint>
#include <string>

namespace northstar::inline v0::detail {

/// Throws Error with these members.
[[noreturn]] void fail(Errc code, std::string message, std::string file = {}, std::uint64_t page = Error::no_page);

}  // namespace northstar::inline v0::detail
