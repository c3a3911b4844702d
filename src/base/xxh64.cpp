#include "base/xxh64.hpp"

#include "base/bytes.hpp"

#include <bit>

namespace northstar::inline v0::detail {

namespace xxh64_impl {

inline constexpr std::uint64_t k_prime_1 = 0x9e3779b185ebca87u;
inline constexpr std::uint64_t k_prime_2 = 0xc2b2ae3d27d4eb4fu;
inline constexpr std::uint64_t k_prime_3 = 0x165667b19e3779f9u;
inline constexpr std::uint64_t k_prime_4 = 0x85ebca77c2b2ae63u;
inline constexpr std::uint64_t k_prime_5 = 0x27d4eb2f165667c5u;

inline std::uint64_t round(std::uint64_t lane, std::uint64_t word) {
    return std::rotl(lane + word * k_prime_2, 31) * k_prime_1;
}
inline std::uint64_t merge(std::uint64_t sum, std::uint64_t lane) {
    return (sum ^ round(0, lane)) * k_prime_1 + k_prime_4;
}

}  // namespace xxh64_impl

std::uint64_t xxh64(const void* bytes, std::size_t size, std::uint64_t seed) noexcept {
    using namespace xxh64_impl;
    const auto* p = static_cast<const std::byte*>(bytes);
    std::size_t left = size;
    std::uint64_t sum;
    if (left >= 32) {
        std::uint64_t lane_1 = seed + k_prime_1 + k_prime_2;
        std::uint64_t lane_2 = seed + k_prime_2;
        std::uint64_t lane_3 = seed;
        std::uint64_t lane_4 = seed - k_prime_1;
        for (; left >= 32; p += 32, left -= 32) {
            lane_1 = round(lane_1, load_u64(p));
            lane_2 = round(lane_2, load_u64(p + 8));
            lane_3 = round(lane_3, load_u64(p + 16));
            lane_4 = round(lane_4, load_u64(p + 24));
        }
        sum = std::rotl(lane_1, 1) + std::rotl(lane_2, 7) + std::rotl(lane_3, 12) + std::rotl(lane_4, 18);
        sum = merge(merge(merge(merge(sum, lane_1), lane_2), lane_3), lane_4);
    } else {
        sum = seed + k_prime_5;
    }
    sum += size;
    for (; left >= 8; p += 8, left -= 8) sum = std::rotl(sum ^ round(0, load_u64(p)), 27) * k_prime_1 + k_prime_4;
    if (left >= 4) {
        sum = std::rotl(sum ^ load_u32(p) * k_prime_1, 23) * k_prime_2 + k_prime_3;
        p += 4;
        left -= 4;
    }
    for (; left > 0; ++p, --left) {
        sum = std::rotl(sum ^ std::to_integer<std::uint64_t>(*p) * k_prime_5, 11) * k_prime_1;
    }
    sum = (sum ^ sum >> 33) * k_prime_2;
    sum = (sum ^ sum >> 29) * k_prime_3;
    return sum ^ sum >> 32;
}

}  // namespace northstar::inline v0::detail
