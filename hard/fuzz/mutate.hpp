// mutate.hpp -- changes an input a little, without a fuzzer: what the suite does where there is no libFuzzer.
#pragma once

#include "hard/fuzz/target.hpp"

#include "base/random.hpp"

namespace northstar::hard {

/// A few changes: bytes, numbers that are often special, pieces copied, moved, dropped or taken from another input.
/// `most`: the result is not longer than that (or than the input was).
void mutate(Bytes& input, std::span<const std::byte> other, std::size_t most, detail::Random& random);

}  // namespace northstar::hard
