// numeric.hpp -- exact decimal numbers with PostgreSQL's rules of scale.  Layer: sql.  Threads: values.
//
// A numeric is coefficient * 10^-scale with a sign, or NaN, or plus or minus infinity. The scale is the number of
// digits
// shown behind the point (0 to k_numeric_max_scale).
//
// [NUM-1] Coefficients below 10^18 lie in the value itself and cost no memory (`small`); larger ones are arrays of
//         digits
//         to base 10^9, lowest first, without superfluous zeros at the top, in an arena. One number has one form.
// [NUM-2] There is no negative zero.
// [NUM-3] A result is rounded half away from zero, at the scale that PostgreSQL 15 chooses for the operation.
// [NUM-4] What has more than 131072 digits before the point raises numeric_value_out_of_range.
#pragma once

#include "sql/arena.hpp"
#include "sql/int128.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

inline constexpr int k_numeric_max_scale = 16383;          ///< digits behind the point
inline constexpr int k_numeric_max_whole_digits = 131072;  ///< digits before the point
inline constexpr std::int64_t k_numeric_small_limit =
    1'000'000'000'000'000'000;  ///< coefficients below are small

enum class NumericKind : std::uint8_t { small = 0, big = 1, nan = 2, infinity = 3 };

/// 16 bytes, copied freely; a big one is a view into the arena of its operation.
struct Numeric {
    union {
        std::int64_t small = 0;      ///< signed coefficient of a small one; of an infinity its sign (1 or -1)
        const std::uint32_t* limbs;  ///< of a big one: digits to base 10^9, lowest first
    };
    std::uint32_t count = 0;  ///< limbs of a big one
    std::uint16_t scale = 0;
    NumericKind kind = NumericKind::small;
    bool negative = false;  ///< of a big one

    bool is_small() const { return kind == NumericKind::small; }
    bool is_nan() const { return kind == NumericKind::nan; }
    bool is_infinite() const { return kind == NumericKind::infinity; }
    bool is_finite() const { return kind <= NumericKind::big; }
    /// -1, 0 or 1; NaN is 1.
    int sign() const {
        if (kind == NumericKind::big) return negative ? -1 : 1;
        if (is_nan()) return 1;
        return small < 0 ? -1 : small > 0;
    }

    static Numeric of(std::int64_t coefficient,
                      std::uint32_t scale = 0);  ///< |coefficient| < k_numeric_small_limit
    static Numeric nan();
    static Numeric infinity(int sign);
};
static_assert(sizeof(Numeric) == 16);

// Conversions. Those into a machine number raise 22003 with PostgreSQL's words ("integer out of range"), and
// 0A000 for NaN and infinity ("cannot convert NaN to integer").
Numeric numeric_from_int(std::int64_t value, Arena& arena);
Numeric numeric_from_int128(Int128 value, std::uint32_t scale, Arena& arena);
Numeric numeric_from_double(double value, Arena& arena);      ///< 15 significant digits, as PostgreSQL's cast
Numeric numeric_from_float(float value, Arena& arena);        ///< 6 significant digits
std::int64_t numeric_to_int(const Numeric& value, int bits);  ///< rounded; bits 16, 32 or 64
double numeric_to_double(const Numeric& value);
std::optional<std::int64_t> numeric_to_int_exactly(
    const Numeric& value);  ///< nothing: has a fraction or is too large

/// Reads PostgreSQL's numeric syntax with blanks around it. Raises 22P02, or 22003 where it is too large.
Numeric numeric_from_text(std::string_view text, Arena& arena);
void numeric_to_text(const Numeric& value, std::string& out);
/// d.ddde+xx with `digits` behind the point; for to_char's EEEE.
std::string numeric_to_scientific(const Numeric& value, int digits);

// Arithmetic. Raises 22012 for division by zero, 22003 for what is too large.
Numeric numeric_add(const Numeric& a, const Numeric& b, Arena& arena);
Numeric numeric_subtract(const Numeric& a, const Numeric& b, Arena& arena);
Numeric numeric_multiply(const Numeric& a, const Numeric& b, Arena& arena);
Numeric numeric_divide(const Numeric& a, const Numeric& b, Arena& arena);
Numeric numeric_divide_whole(const Numeric& a, const Numeric& b,
                             Arena& arena);                                ///< div(): quotient towards zero
Numeric numeric_modulo(const Numeric& a, const Numeric& b, Arena& arena);  ///< sign of the dividend
Numeric numeric_negate(const Numeric& value, Arena& arena);
Numeric numeric_abs(const Numeric& value, Arena& arena);

/// -1, 0, 1. NaN equals NaN and is greater than everything.
int numeric_compare(const Numeric& a, const Numeric& b);
std::uint64_t numeric_hash(const Numeric& value);  ///< equal numbers have equal hashes, whatever their scales

// Rounding; `scale` may be negative: round(123, -1) = 120.
Numeric numeric_round(const Numeric& value, int scale, Arena& arena);
Numeric numeric_truncate(const Numeric& value, int scale, Arena& arena);
Numeric numeric_floor(const Numeric& value, Arena& arena);
Numeric numeric_ceil(const Numeric& value, Arena& arena);
Numeric numeric_trim_scale(const Numeric& value, Arena& arena);
int numeric_min_scale(const Numeric& value);
/// Rounds to the modifier; raises 22003 ("numeric field overflow" with its detail) where it does not fit.
Numeric numeric_apply_typmod(const Numeric& value, std::int32_t typmod, Arena& arena);

// Functions (numeric_math.cpp). Domain errors: 2201F for sqrt and power, 2201E for logarithms.
Numeric numeric_sqrt(const Numeric& value, Arena& arena);
/// The root rounded at a given scale; `value` is finite and not negative.
Numeric numeric_sqrt_at_scale(const Numeric& value, int scale, Arena& arena);
Numeric numeric_exp(const Numeric& value, Arena& arena);
Numeric numeric_ln(const Numeric& value, Arena& arena);
Numeric numeric_log(const Numeric& base, const Numeric& value, Arena& arena);
Numeric numeric_power(const Numeric& base, const Numeric& exponent, Arena& arena);
Numeric numeric_factorial(std::int64_t n, Arena& arena);
Numeric numeric_gcd(const Numeric& a, const Numeric& b, Arena& arena);
Numeric numeric_lcm(const Numeric& a, const Numeric& b, Arena& arena);
/// width_bucket: count + 1 buckets over [low, high); raises 2201G.
std::int32_t numeric_width_bucket(const Numeric& value, const Numeric& low, const Numeric& high,
                                  std::int32_t count, Arena& arena);

// Bytes. `stored` is compact and little-endian (row_format.hpp); `key` compares by memcmp as numeric_compare
// does, equal numbers have equal keys (key_encoding.hpp); `wire` is PostgreSQL's binary form.
void numeric_to_stored(const Numeric& value, std::string& out);
Numeric numeric_from_stored(std::string_view bytes, Arena& arena);  ///< raises data_corrupted
void numeric_to_wire(const Numeric& value, std::string& out);
Numeric numeric_from_wire(std::string_view bytes, Arena& arena);  ///< raises 22P03
void numeric_to_key(const Numeric& value, std::string& out);
/// Reads a key written by numeric_to_key from the front of `bytes`; the scale is the smallest that shows the
/// number.
Numeric numeric_from_key(std::string_view& bytes, Arena& arena);

}  // namespace northstar::inline v0::sql
