// numeric_wide.hpp -- a numeric while it is being computed. Layer: sql. Threads: values.
//
// [WIDE-1] Scale and size are free here; finish() checks them and gives the one form of the number (NUM-1).
#pragma once

#include "sql/numeric.hpp"
#include "sql/numeric_limbs.hpp"

namespace northstar::inline v0::sql {

/// coefficient * 10^-scale, finite.
struct Wide {
    Limbs limbs;
    bool negative = false;
    std::int64_t scale = 0;

    bool is_zero() const { return limbs.empty(); }
    /// Power of ten of the first digit; of zero 0.
    std::int64_t exponent() const { return is_zero() ? 0 : limbs_digits(limbs) - 1 - scale; }
    /// PostgreSQL's weight: the power of 10000 of the first digit to that base; of zero 0.
    std::int64_t weight() const;
    double to_double() const;  ///< infinite where it is too large
};

Wide wide_of(const Numeric& value);  ///< of a finite one
Wide wide_of(std::int64_t value);
Wide wide_of(double value);  ///< 17 significant digits
/// Raises 22003 where the number is too large (NUM-4); a scale above k_numeric_max_scale is rounded to it.
Numeric finish(const Wide& value, Arena& arena);

void wide_rescale(Wide& value, std::int64_t scale,
                  bool round = true);  ///< also to a negative scale: stays there
Wide wide_add(const Wide& a, const Wide& b);
Wide wide_negate(Wide value);
Wide wide_multiply(const Wide& a, const Wide& b);
Wide wide_divide(const Wide& a, const Wide& b, std::int64_t scale, bool round = true);  ///< b is not zero
int wide_compare(const Wide& a, const Wide& b);

/// Digits behind the point that PostgreSQL gives a quotient: 16 significant ones, and not fewer than the
/// operands have.
std::int64_t division_scale(const Numeric& a, const Numeric& b);
/// Between 0 and 1000, the most digits that a computed scale asks for.
std::int64_t clamp_display_scale(std::int64_t scale);
[[noreturn]] void raise_numeric_overflow();

}  // namespace northstar::inline v0::sql
