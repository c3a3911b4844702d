// vector_build.hpp -- from entries to the sections of a cartridge of vectors.  Layer: cartridge.  Threads: one calls;
// the build's work beside it.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/vector_space.hpp"

#include <cstdint>

namespace northstar::inline v0::detail {

/// Numbers of the sections. Rows are numbered so that near ones have near numbers; their *place* is that of their key.
enum VectorSection : std::uint32_t {
    k_vector_head = 64,          ///< u32: bits of the scale, then how many rows are on level 1, 2, ...
    k_vector_codes = 65,         ///< u8, so many for each row
    k_vector_links = 66,         ///< u32, so many for each row
    k_vector_upper_links = 67,   ///< u32, of level 1, then 2, ...
    k_vector_exact = 68,         ///< u8, so many for each row; empty where codes are exact
    k_vector_key_offsets = 69,   ///< u32, one more than rows: by place
    k_vector_key_bytes = 70,     ///< u8
    k_vector_places = 71,        ///< u32: of each row
    k_vector_rows = 72,          ///< u32: at each place
    k_vector_recall = 73,        ///< u32, three each: width, millionths of the 10 and of the 100 nearest found
    k_vector_mean = 74,          ///< u32: bits of the mean of each number, where codes are bits; else empty
    k_vector_far = 75,           ///< u32: millionths of the usual nearness, then as 73, of far queries
};

void build_vectors(CartridgeBuild& build, const VectorParameters& parameters);

}  // namespace northstar::inline v0::detail
