// rank_fusion.hpp -- the numbers of reciprocal rank fusion.  Layer: cartridge.  Threads: any.
//
// [FUSION-1] Scores are whole numbers of 2^-40; 1000 lists of weight 1000 whose ranks are 1, and k 1, fit 63 bits.
#pragma once

#include <cstdint>

namespace northstar::inline v0::detail {

inline constexpr std::uint64_t k_fusion_one = std::uint64_t{1} << 40;
inline constexpr std::uint32_t k_fusion_most_weight = 1000;

/// What a list of a weight adds to the key at a rank, from 1.
constexpr std::uint64_t fusion_part(std::uint32_t weight, std::uint32_t k, std::uint64_t rank) {
    return weight * k_fusion_one / (k + rank);
}

/// score * 2^(-age / half_life).
std::uint64_t fusion_aged(std::uint64_t score, std::uint64_t age, std::uint64_t half_life);

/// A score as the interface gives it: exactly.
constexpr double fusion_points(std::uint64_t score) {
    return static_cast<double>(score) / static_cast<double>(k_fusion_one);
}

}  // namespace northstar::inline v0::detail
