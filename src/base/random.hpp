// random.hpp -- a small, fast, seeded generator (xoshiro256**).  Layer: base.  Threads: one at a time.
//
// The same seed gives the same numbers on every machine. Not for secrets: those come from Vfs::random.
#pragma once

#include "base/check.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace northstar::inline v0::detail {

class Random {
public:
    explicit Random(std::uint64_t seed) {
        for (std::uint64_t& word : state_) word = scramble(seed);
    }

    /// 64 random bits.
    std::uint64_t next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }
    /// Evenly in [0, limit).
    std::uint64_t below(std::uint64_t limit) {
        NORTHSTAR_ASSERT(limit > 0);
        // Numbers under 2^64 mod limit would favour small results.
        const std::uint64_t reject = (0 - limit) % limit;
        for (;;) {
            const std::uint64_t value = next();
            if (value >= reject) return value % limit;
        }
    }
    /// Evenly in [low, high].
    std::uint64_t between(std::uint64_t low, std::uint64_t high) {
        NORTHSTAR_ASSERT(low <= high);
        return high - low == ~std::uint64_t{0} ? next() : low + below(high - low + 1);
    }
    /// True in `part` of `whole` cases.
    bool chance(std::uint64_t part, std::uint64_t whole) { return below(whole) < part; }
    /// Evenly in [0, 1).
    double real() { return static_cast<double>(next() >> 11) * 0x1p-53; }
    void fill(std::span<std::byte> out) {
        std::size_t at = 0;
        while (at < out.size()) {
            std::uint64_t bits = next();
            for (int i = 0; i < 8 && at < out.size(); ++i, bits >>= 8) out[at++] = static_cast<std::byte>(bits);
        }
    }

private:
    // splitmix64: seeds that differ in one bit give unrelated states, and never the all-zero one.
    static std::uint64_t scramble(std::uint64_t& seed) {
        seed += 0x9e3779b97f4a7c15u;
        std::uint64_t z = seed;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }
    std::uint64_t state_[4];
};

}  // namespace northstar::inline v0::detail
