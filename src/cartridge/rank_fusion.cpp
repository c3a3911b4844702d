// rank_fusion.cpp -- reciprocal rank fusion in whole numbers.
#include "cartridge/rank_fusion.hpp"

#include "api/handles.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <map>

namespace northstar::inline v0 {

namespace detail {

namespace rank_fusion_impl {

/// 2^(-2^-(i + 1)) with 32 bits behind the point, rounded.
constexpr std::uint64_t k_roots[] = {3037000500, 3611622603, 3938502376, 4112874773, 4202935003, 4248701965,
                                     4271771996, 4283353945, 4289156690, 4292061010, 4293513907, 4294240540};

}  // namespace rank_fusion_impl

/// Multiplies by a root for every bit of the fraction that is set.
std::uint64_t fusion_aged(std::uint64_t score, std::uint64_t age, std::uint64_t half_life) {
    const std::uint64_t halvings = age / half_life;
    if (halvings >= 64) return 0;
    std::uint64_t rest = age % half_life;
    for (const std::uint64_t root : rank_fusion_impl::k_roots) {
        // rest / half_life, bit by bit: doubled, it may pass 1.
        const bool set = rest >= half_life - rest;
        rest = set ? rest - (half_life - rest) : rest * 2;
        if (set) score = (score >> 32) * root + ((score & 0xffffffff) * root >> 32);
    }
    return score >> halvings;
}

}  // namespace detail

std::vector<FusedHit> reciprocal_rank_fusion(std::span<const RankedList> lists, const FusionOptions& options) try {
    if (options.k == 0 || lists.size() > 1000) {
        detail::fail(Errc::invalid_argument, "ranks are fused with a k of at least 1, and at most 1000 lists of them");
    }
    struct Sum {
        std::uint64_t score = 0;
        std::size_t lists = 0;  ///< seen in the list of this number, from 1, last
    };
    std::map<std::string_view, Sum> sums;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        if (lists[i].weight > detail::k_fusion_most_weight) {
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
            sum.score += detail::fusion_part(lists[i].weight, options.k, ++rank);
        }
    }
    struct Ranked {
        std::string_view key;
        std::uint64_t score;
    };
    std::vector<Ranked> ranked;
    for (const auto& [key, sum] : sums) {
        const bool ages = options.age && options.half_life != 0;
        ranked.push_back({key, ages ? detail::fusion_aged(sum.score, options.age(key), options.half_life) : sum.score});
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
    if (ranked.size() > options.most) ranked.resize(options.most);
    std::vector<FusedHit> hits;
    for (const Ranked& one : ranked) {
        hits.push_back({std::string(one.key), detail::fusion_points(one.score)});
    }
    return hits;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
