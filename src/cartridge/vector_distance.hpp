// vector_distance.hpp -- how far rows are from a query, many rows in one call.  Layer: cartridge.  Threads: any.
//
// [VECTOR-1] A distance is the same number on every machine and with every compiler: whole numbers are summed exactly,
//            and floats in eight sums of doubles, number i into sum i mod 8, each term a product of two floats, which a
//            double holds exactly. So it makes no difference whether multiplying and adding are one instruction.
// Distances are unsigned numbers whose order is that of the distances they stand for. An inner product p of whole
// numbers is 2^31 - p; a float f (l2: the square of the distance; otherwise 1 - p) has the bits of f, those of a
// negative one turned over, and the sign bit turned over otherwise.
//
// Source of the kernels' shape: measurements of loops on 128 to 768 dimensions; a query is widened to 16 bits once, so
// that a row of bytes needs one widening load, a subtraction and one multiply-add of pairs for 16 of its numbers.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace northstar::inline v0::detail {

/// Rows and what is computed of them. Numbers behind the last are zero in query and row.
enum class DistanceKind : std::uint8_t {
    l2_u8,     ///< query i16, rows u8; length a multiple of 16
    dot_u8,    ///< query i16, rows u8
    dot_i8,    ///< query i16, rows i8
    l2_f32,    ///< query f32, rows f32; length a multiple of 8
    dot_f32,
    l2_bf16,   ///< query f32, rows the upper halves of f32
    dot_bf16,
    bits,      ///< query and rows words of 64 bits: how many bits differ
};
inline constexpr std::size_t k_distance_kinds = 8;

/// Distances of `count` rows, which lie `stride` bytes apart and are `length` numbers (bits: words) long, from the
/// query. Query and rows need the alignment of their numbers only.
using DistanceFunction = void (*)(const void* query, const unsigned char* rows, std::size_t stride, std::size_t length,
                                  const std::uint32_t* ids, std::size_t count, std::uint32_t* distances);

/// The fastest for this processor.
DistanceFunction distance_function(DistanceKind kind);
/// The one for any processor, which gives the same numbers.
DistanceFunction portable_distance_function(DistanceKind kind);

inline std::uint32_t ordered_bits(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
}
inline float float_of_ordered(std::uint32_t ordered) {
    return std::bit_cast<float>((ordered >> 31) != 0 ? ordered & 0x7fffffffu : ~ordered);
}

}  // namespace northstar::inline v0::detail
