// catch.hpp -- the names of Catch2 2 on top of Catch2 3, for systems that have only the newer one.
#pragma once

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>

namespace Catch {
namespace Matchers {
inline auto Contains(const std::string& part) { return ContainsSubstring(part); }
inline auto Contains(std::string& part) { return ContainsSubstring(part); }
template <std::size_t N>
auto Contains(const char (&part)[N]) {
    return ContainsSubstring(part);
}
}  // namespace Matchers
using namespace Matchers;
}  // namespace Catch

using Catch::Approx;
