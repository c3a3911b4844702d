// numeric_limbs.hpp -- whole numbers of any size to base 10^9, under numeric. Layer: sql. Threads: values.
//
// [LIMB-1] Limbs lie lowest first, each below 10^9, without zeros at the top; no limbs are zero.
#pragma once

#include "sql/int128.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

inline constexpr std::uint32_t k_limb_base = 1'000'000'000;
inline constexpr int k_limb_digits = 9;

using Limbs = std::vector<std::uint32_t>;
using LimbSpan = std::span<const std::uint32_t>;

/// 10^n of a machine word; n at most 19.
std::uint64_t power_of_ten(int n);
int decimal_digits(std::uint64_t value);  ///< of zero: 1

Limbs limbs_of(UInt128 value);
void limbs_trim(Limbs& value);
std::int64_t limbs_digits(LimbSpan value);  ///< decimal digits; of zero: 0
int limbs_compare(LimbSpan a, LimbSpan b);
Limbs limbs_add(LimbSpan a, LimbSpan b);
Limbs limbs_subtract(LimbSpan a, LimbSpan b);  ///< needs a >= b
/// Schoolbook multiplication: O(size(a) * size(b)).
Limbs limbs_multiply(LimbSpan a, LimbSpan b);
void limbs_multiply_small(Limbs& value, std::uint32_t factor);
/// Quotient and remainder: Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D.
void limbs_divide(LimbSpan a, LimbSpan b, Limbs& quotient, Limbs& remainder);
/// Divides in place; returns the remainder.
std::uint32_t limbs_divide_small(Limbs& value, std::uint32_t divisor);
Limbs limbs_scale_up(LimbSpan value, std::int64_t digits);  ///< * 10^digits
/// / 10^digits towards zero, or rounded half away from zero.
Limbs limbs_scale_down(LimbSpan value, std::int64_t digits, bool round);
/// floor(sqrt(value)) by Newton's iteration from above.
Limbs limbs_square_root(LimbSpan value);
std::string limbs_to_text(LimbSpan value);  ///< of zero: ""
Limbs limbs_from_text(std::string_view digits);

}  // namespace northstar::inline v0::sql
