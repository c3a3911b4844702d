// numeric_small.hpp -- the arithmetic of numerics below 10^18 (NUM-1), put into loops over batches.  Layer: sql.
// Threads: values.
//
// Every function says false where an operand or the result is not small; then the function of numeric.hpp is asked.
#pragma once

#include "sql/numeric.hpp"

namespace northstar::inline v0::sql {

inline constexpr std::int64_t k_powers_of_ten[19] = {1,
                                                     10,
                                                     100,
                                                     1'000,
                                                     10'000,
                                                     100'000,
                                                     1'000'000,
                                                     10'000'000,
                                                     100'000'000,
                                                     1'000'000'000,
                                                     10'000'000'000,
                                                     100'000'000'000,
                                                     1'000'000'000'000,
                                                     10'000'000'000'000,
                                                     100'000'000'000'000,
                                                     1'000'000'000'000'000,
                                                     10'000'000'000'000'000,
                                                     100'000'000'000'000'000,
                                                     1'000'000'000'000'000'000};

/// Coefficients of both at the larger of the two scales.
inline bool small_operands(const Numeric& a, const Numeric& b, std::int64_t& left, std::int64_t& right,
                           std::uint16_t& scale) {
    if (!a.is_small() || !b.is_small()) return false;
    left = a.small;
    right = b.small;
    scale = a.scale;
    if (a.scale == b.scale) [[likely]] return true;
    if (a.scale > b.scale)
        return a.scale - b.scale <= 18 && !__builtin_mul_overflow(right, k_powers_of_ten[a.scale - b.scale], &right);
    scale = b.scale;
    return b.scale - a.scale <= 18 && !__builtin_mul_overflow(left, k_powers_of_ten[b.scale - a.scale], &left);
}

inline bool small_result(std::int64_t coefficient, std::uint32_t scale, Numeric& out) {
    if (coefficient >= k_numeric_small_limit || coefficient <= -k_numeric_small_limit) return false;
    out = Numeric();
    out.small = coefficient;
    out.scale = static_cast<std::uint16_t>(scale);
    return true;
}

inline bool small_compare(const Numeric& a, const Numeric& b, int& order) {
    std::int64_t left = 0, right = 0;
    std::uint16_t scale = 0;
    if (!small_operands(a, b, left, right, scale)) return false;
    order = (left > right) - (left < right);
    return true;
}

inline bool small_add(const Numeric& a, const Numeric& b, Numeric& out) {
    std::int64_t left = 0, right = 0, sum = 0;
    std::uint16_t scale = 0;
    return small_operands(a, b, left, right, scale) && !__builtin_add_overflow(left, right, &sum) &&
           small_result(sum, scale, out);
}

inline bool small_subtract(const Numeric& a, const Numeric& b, Numeric& out) {
    std::int64_t left = 0, right = 0, difference = 0;
    std::uint16_t scale = 0;
    return small_operands(a, b, left, right, scale) && !__builtin_sub_overflow(left, right, &difference) &&
           small_result(difference, scale, out);
}

inline bool small_multiply(const Numeric& a, const Numeric& b, Numeric& out) {
    std::int64_t product = 0;
    const std::uint32_t scale = std::uint32_t{a.scale} + b.scale;
    return a.is_small() && b.is_small() && scale <= static_cast<std::uint32_t>(k_numeric_max_scale) &&
           !__builtin_mul_overflow(a.small, b.small, &product) && small_result(product, scale, out);
}

/// Reads what numeric_to_stored wrote of a small number: kind and sign, a scale of one byte, the magnitude.
inline bool small_numeric_from_stored(std::string_view bytes, Numeric& out) {
    if (bytes.size() < 2 || bytes.size() > 10) return false;
    const auto* const from = reinterpret_cast<const unsigned char*>(bytes.data());
    if ((from[0] & ~4u) != static_cast<unsigned>(NumericKind::small) || from[1] >= 0x80) return false;
    std::uint64_t magnitude = 0;
    for (std::size_t i = bytes.size(); i-- > 2;) magnitude = magnitude << 8 | from[i];
    if (magnitude >= static_cast<std::uint64_t>(k_numeric_small_limit)) return false;
    const auto coefficient = static_cast<std::int64_t>(magnitude);
    return small_result((from[0] & 4) != 0 ? -coefficient : coefficient, from[1], out);
}

}  // namespace northstar::inline v0::sql
