// vector_nearness.hpp -- how near a walk came to its query, in units that the rows themselves give.  Layer: cartridge.
// Threads: any.
//
// A query like the rows is about as far from the nearest of them as these are from their own nearest. One that lies
// between clusters, or outside of all, is farther, and no width that was measured on rows says what it takes.
#pragma once

#include "cartridge/vector_walk.hpp"

#include <algorithm>
#include <limits>

namespace northstar::inline v0::detail {

inline constexpr std::size_t k_rows_of_nearness = 4;
/// Nearer than any.
inline constexpr double k_unknown_nearness = std::numeric_limits<double>::infinity();

/// Mean, over the nearest rows of a beam, of a row's distance from its nearest link divided by that from the query.
/// Unknown where that says nothing: under ip, where a row may be near whatever it is linked to, and of too few rows.
/// Bits say too little of one row, so that exact forms are compared there.
template <class Arrays>
double nearness_of(const VectorWalk<Arrays>& walk, const VectorCoder& coder, const PreparedQuery& query,
                                  const Beam& beam, PreparedQuery& room) {
    if (coder.metric() == VectorMetric::inner_product || beam.size() < k_rows_of_nearness) return k_unknown_nearness;
    const bool bits = coder.codes().kind == DistanceKind::bits;
    const RowForm& form = bits ? coder.exact() : coder.codes();
    const DistanceFunction function = bits ? distance_function(form.kind) : walk.function;
    const double noise = bits ? 0 : coder.noise_of_codes();
    const auto row_bytes = [&](std::uint32_t row, bool exact) {
        const std::size_t stride = exact ? coder.exact().stride : coder.codes().stride;
        const unsigned char* const first =
            exact ? walk.arrays.exact_of(&row, 1, stride) : walk.arrays.codes_of(&row, 1, stride);
        return first + std::uint64_t{row} * stride;
    };
    const auto distance = [&](const void* from, std::uint32_t row) {
        constexpr std::uint32_t only = 0;
        std::uint32_t found = 0;
        function(from, row_bytes(row, bits), form.stride, form.length, &only, 1, &found);
        return std::max(bits ? coder.distance_of_exact(found) : coder.distance_of_codes(found), 0.0) + noise;
    };
    double sum = 0;
    for (std::size_t i = 0; i < k_rows_of_nearness; ++i) {
        const std::uint32_t row = beam.row(i);
        const std::uint32_t other = walk.links(0, row)[0];
        if (other >= walk.rows()) {
            if (other != k_no_row) CartridgeBlocks::outside();
            return k_unknown_nearness;
        }
        if (bits) coder.query_of_row(row_bytes(row, false), row_bytes(row, true), room);
        const void* const from = bits ? room.exact : coder.query_of_codes(row_bytes(row, false), room);
        const double own = distance(bits ? query.exact : query.codes, row);
        sum += own > 0 ? distance(from, other) / own : 1;
    }
    return sum / k_rows_of_nearness;
}

}  // namespace northstar::inline v0::detail
