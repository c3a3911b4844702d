// rank_fusion.cpp -- reciprocal rank fusion in whole numbers.
#include "api/handles.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <map>

namespace northstar::inline v0 {

namespace detail {

namespace rank_fusion_impl {

constexpr std::uint32_t k_most_weight = 1000;
/// A score of 1, in units: 1000 lists of weight 1000 whose ranks are 1, and k 1, fit 63 bits.
constexpr unsigned k_one_bits = 40;
constexpr std::uint64_t k_one = std::uint64_t{1} << k_one_bits;
/// 2^(-2^-(i + 1)) with 32 bits behind the point, rounded.
constexpr std::uint64_t k_roots[] = {3037000500, 3611622603, 3938502376, 4112874773, 4202935003, 4248701965,
                                     4271771996, 4283353945, 4289156690, 4292061010, 4293513907, 4294240540};

/// score * 2^(-age / half_life). Multiplies by a root for every bit of the fraction that is set.
std::uint64_t aged(std::uint64_t score, std::uint64_t age, std::uint64_t half_life) {
    const std::uint64_t halvings = age / half_life;
    if (halvings >= 64) return 0;
    std::uint64_t rest = age % half_life;
    for (const std::uint64_t root : k_roots) {
        // rest / half_life, bit by bit: doubled, it may pass 1.
        const bool set = rest >= half_life - rest;
        rest = set ? rest - (half_life - rest) : rest * 2;
        if (set) score = (score >> 32) * root + ((score & 0xffffffff) * root >> 32);
    }
    return score >> halvings;
}

}  // namespace rank_fusion_impl

}  // namespace detail

std::vector<FusedHit> reciprocal_rank_fusion(std::span<const RankedList> lists, const FusionOptions& options) try {
    using namespace detail::rank_fusion_impl;
    if (options.k == 0 || lists.size() > 1000) {
        detail::fail(Errc::invalid_argument, "ranks are fused with a k of at least 1, and at most 1000 lists of them");
    }
    struct Sum {
        std::uint64_t score = 0;
        std::size_t lists = 0;  ///< seen in the list of this number, from 1, last
    };
    std::map<std::string_view, Sum> sums;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        if (lists[i].weight > k_most_weight) {
            detail::fail(Errc::invalid_argument, "a list of ranks weighs at most 1000, not " +
                                                     std::to_string(lists[i].weight));
        }
        std::uint64_t rank = 0;
        for (const std::string_view key : lists[i].keys) {
            Sum& sum = sums[key];
            if (sum.lists == i + 1) {
                detail::fail(Errc::invalid_argument, "a list of ranks has the key '" + std::string(key) + "' twice");
            }
            sum.lists = i + 1;
            sum.score += lists[i].weight * k_one / (options.k + ++rank);
        }
    }
    struct Ranked {
        std::string_view key;
        std::uint64_t score;
    };
    std::vector<Ranked> ranked;
    for (const auto& [key, sum] : sums) {
        const bool ages = options.age && options.half_life != 0;
        ranked.push_back({key, ages ? aged(sum.score, options.age(key), options.half_life) : sum.score});
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
    if (ranked.size() > options.most) ranked.resize(options.most);
    std::vector<FusedHit> hits;
    for (const Ranked& one : ranked) {
        hits.push_back({std::string(one.key), static_cast<double>(one.score) / static_cast<double>(k_one)});
    }
    return hits;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
