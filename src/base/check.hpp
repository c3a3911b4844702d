// check.hpp -- assertions.  Layer: base.
//
// An assertion states an invariant of ours; it stays on in release builds and aborts with file and line. Bytes of a
// file and errors of the system never reach an assertion: those are Error.
#pragma once

namespace northstar::inline v0::detail {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace northstar::inline v0::detail

#define NORTHSTAR_ASSERT(expression)                                                                    \
    do {                                                                                                \
        if (!(expression)) [[unlikely]]                                                                 \
            ::northstar::detail::assertion_failed(#expression, __FILE__, __LINE__);                     \
    } while (false)
