#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace northstar::inline v0::detail {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
    std::fprintf(stderr, "northstar: assertion failed at %s:%d: %s\n", file, line, expression);
    std::fflush(stderr);
    std::abort();
}

}  // namespace northstar::inline v0::detail
