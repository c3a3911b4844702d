// Roots, exponentials and logarithms of numerics. Results are correctly rounded at PostgreSQL's scale but for
// ties that more than twelve further digits do not decide.

#include "sql/error.hpp"
#include "sql/numeric.hpp"
#include "sql/numeric_wide.hpp"

#include <algorithm>
#include <cmath>

namespace northstar::inline v0::sql {

namespace numeric_math_file {

constexpr std::int64_t k_significant_digits = 16;
constexpr int k_guard_digits = 12;
constexpr double k_log10_e = 0.434294481903252;
constexpr double k_ln_10 = 2.302585092994046;
constexpr double k_largest_result = 2000;  // powers of ten within which PostgreSQL computes

const Wide& one() {
    static const Wide value = wide_of(std::int64_t{1});
    return value;
}

[[noreturn]] void log_error(const char* message) { raise(sqlstate::invalid_argument_for_logarithm, message); }
[[noreturn]] void power_error(const char* message) {
    raise(sqlstate::invalid_argument_for_power_function, message);
}

/// 10^exponent as a number without digits behind the point.
Wide ten_to(std::int64_t exponent) {
    Wide value = wide_of(std::int64_t{1});
    if (exponent >= 0) {
        wide_rescale(value, exponent);
        value.scale = 0;
    } else {
        value.scale = -exponent;
    }
    return value;
}

Wide square_root(const Wide& value, std::int64_t scale) {
    // floor(sqrt(value * 10^(2 (scale + 1)))), then rounded by its last digit: a root that is not exact has
    // further digits, so a last digit of 5 rounds up as it should.
    Wide radicand = value;
    wide_rescale(radicand, 2 * (scale + 1), false);
    Wide root;
    root.limbs = limbs_square_root(radicand.limbs);
    root.scale = scale + 1;
    wide_rescale(root, scale);
    return root;
}

/// e^x rounded at `scale`, by halving x until it is small, the Taylor series, and squaring back.
Wide exponential(const Wide& x, std::int64_t scale) {
    const double approximate = x.to_double();
    if (std::fabs(approximate) >= k_largest_result * 3) {
        if (approximate > 0) raise_numeric_overflow();
        Wide zero;
        zero.scale = scale;
        return zero;
    }
    const std::int64_t whole = static_cast<std::int64_t>(approximate * k_log10_e);
    int halvings = 0;
    for (double size = std::fabs(approximate); size > 0.01; size /= 2) ++halvings;
    const std::int64_t working =
        std::max<std::int64_t>(scale + std::max<std::int64_t>(whole, 0), 0) + k_guard_digits + halvings;
    Wide small = x;
    if (halvings > 0) small = wide_divide(x, wide_of(std::int64_t{1} << halvings), working + 4);
    Wide sum = wide_add(one(), small);
    Wide term = small;
    wide_rescale(term, working + 4);
    for (std::int64_t n = 2; !term.is_zero(); ++n) {
        term = wide_multiply(term, small);
        term = wide_divide(term, wide_of(n), working + 4);
        sum = wide_add(sum, term);
    }
    for (int i = 0; i < halvings; ++i) {
        sum = wide_multiply(sum, sum);
        wide_rescale(sum, working + 4);
    }
    wide_rescale(sum, scale);
    return sum;
}

/// ln(x) of x > 0 rounded at `scale`: roots until x is near 1, then 2 * artanh((x - 1) / (x + 1)).
Wide logarithm(const Wide& x, std::int64_t scale) {
    // x = m * 10^exponent with m in [0.3, 3): the logarithm of ten is added at the end.
    std::int64_t exponent = x.exponent();
    Wide mantissa = x;
    mantissa.scale += exponent;
    if (wide_compare(mantissa, wide_of(std::int64_t{3})) > 0) {
        ++exponent;
        ++mantissa.scale;
    }
    if (exponent == 1 || exponent == -1) {
        mantissa = x;
        exponent = 0;
    }
    const std::int64_t working = std::max<std::int64_t>(scale, 0) + k_guard_digits + 8;
    const auto of = [&](Wide value) {
        std::int64_t factor = 2;
        const Wide low = wide_of(0.9);
        const Wide high = wide_of(1.1);
        while (wide_compare(value, low) < 0 || wide_compare(value, high) > 0) {
            value = square_root(value, working + 4);
            factor *= 2;
        }
        const Wide ratio =
            wide_divide(wide_add(value, wide_negate(one())), wide_add(value, one()), working + 4);
        Wide square = wide_multiply(ratio, ratio);
        wide_rescale(square, working + 4);
        Wide sum = ratio;
        Wide power = ratio;
        for (std::int64_t n = 3; !power.is_zero(); n += 2) {
            power = wide_multiply(power, square);
            wide_rescale(power, working + 4);
            sum = wide_add(sum, wide_divide(power, wide_of(n), working + 4));
        }
        return wide_multiply(sum, wide_of(factor));
    };
    Wide result = of(mantissa);
    if (exponent != 0)
        result = wide_add(result, wide_multiply(of(wide_of(std::int64_t{10})), wide_of(exponent)));
    wide_rescale(result, scale);
    return result;
}

/// Power of ten of ln(x), as PostgreSQL guesses it.
std::int64_t logarithm_exponent(const Wide& x) {
    if (wide_compare(x, wide_of(0.9)) >= 0 && wide_compare(x, wide_of(1.1)) <= 0) {
        const Wide above = wide_add(x, wide_negate(one()));
        return above.exponent();
    }
    if (x.is_zero() || x.negative) return 0;
    const std::string digits = limbs_to_text(x.limbs).substr(0, 17);
    const double leading = std::stod(digits);
    const double power =
        static_cast<double>(limbs_digits(x.limbs) - static_cast<std::int64_t>(digits.size()) - x.scale);
    return static_cast<std::int64_t>(std::log10(std::fabs(std::log(leading) + power * k_ln_10)));
}

void check_logarithm(const Numeric& value) {
    if (value.is_nan()) return;
    if (value.sign() < 0) log_error("cannot take logarithm of a negative number");
    if (value.sign() == 0) log_error("cannot take logarithm of zero");
}

bool is_whole(const Wide& value) {
    Wide whole = value;
    wide_rescale(whole, 0, false);
    return wide_compare(whole, value) == 0;
}

bool is_odd(const Wide& value) {
    Wide whole = value;
    wide_rescale(whole, 0, false);
    return !whole.is_zero() && whole.limbs[0] % 2 == 1;
}

/// base^exponent of a whole exponent that fits 32 bits.
Wide whole_power(const Wide& base, std::int64_t exponent, std::int64_t exponent_scale) {
    double size = 0;
    if (!base.is_zero()) {
        const std::string digits = limbs_to_text(base.limbs).substr(0, 17);
        const double power = static_cast<double>(limbs_digits(base.limbs) -
                                                 static_cast<std::int64_t>(digits.size()) - base.scale);
        size = static_cast<double>(exponent) * (std::log10(std::stod(digits)) + power);
    }
    if (size > 131072) raise_numeric_overflow();
    const std::int64_t scale =
        clamp_display_scale(std::max({k_significant_digits, base.scale, exponent_scale}));
    Wide result;
    if (size + 1 < -1000) {
        result.scale = scale;
        return result;
    }
    if (exponent == 0) {
        result = one();
        wide_rescale(result, scale);
        return result;
    }
    if (base.is_zero()) {
        if (exponent < 0) raise(sqlstate::division_by_zero, "division by zero");
        result.scale = scale;
        return result;
    }
    // Digits kept while multiplying: those of the result and what the rounding of each step may cost.
    std::int64_t significant = std::max<std::int64_t>(1, scale + static_cast<std::int64_t>(size) + 1);
    significant +=
        static_cast<std::int64_t>(std::log(static_cast<double>(std::abs(exponent))) + 1) * 2 + k_guard_digits;
    const auto shorten = [&](Wide& value) {
        const std::int64_t surplus = limbs_digits(value.limbs) - significant;
        if (surplus > 0) wide_rescale(value, value.scale - surplus);
    };
    std::uint64_t left = static_cast<std::uint64_t>(std::abs(exponent));
    Wide square = base;
    result = one();
    for (;;) {
        if (left % 2 == 1) {
            result = wide_multiply(result, square);
            shorten(result);
        }
        left /= 2;
        if (left == 0) break;
        square = wide_multiply(square, square);
        shorten(square);
        if (result.exponent() + square.exponent() > 2 * k_numeric_max_whole_digits && exponent > 0)
            raise_numeric_overflow();
    }
    if (exponent < 0) return wide_divide(one(), result, scale);
    wide_rescale(result, scale);
    return result;
}

Wide general_power(Wide base, const Wide& exponent) {
    Wide result;
    if (base.is_zero()) {
        result.scale = k_significant_digits;
        return result;
    }
    bool negative = false;
    if (base.negative) {
        if (!is_whole(exponent))
            power_error("a negative number raised to a non-integer power yields a complex result");
        negative = is_odd(exponent);
        base.negative = false;
    }
    const std::int64_t ln_exponent = logarithm_exponent(base);
    const std::int64_t rough_scale = std::max<std::int64_t>(8 - ln_exponent, 0);
    Wide rough_product = wide_multiply(logarithm(base, rough_scale), exponent);
    wide_rescale(rough_product, rough_scale);
    const double rough = rough_product.to_double();
    if (std::fabs(rough) > k_largest_result * 3.01) {
        if (rough > 0) raise_numeric_overflow();
        result.scale = 1000;
        return result;
    }
    const double size = rough * k_log10_e;
    const std::int64_t scale = clamp_display_scale(
        std::max({k_significant_digits - static_cast<std::int64_t>(size), base.scale, exponent.scale}));
    const std::int64_t significant = std::max<std::int64_t>(0, scale + static_cast<std::int64_t>(size));
    const std::int64_t working = std::max<std::int64_t>(0, significant - ln_exponent + 8) +
                                 std::max<std::int64_t>(0, exponent.exponent()) + k_guard_digits;
    result = exponential(wide_multiply(logarithm(base, working), exponent), scale);
    result.negative = negative && !result.is_zero();
    return result;
}

/// Powers where an operand is not finite, by the rules of POSIX for pow().
Numeric special_power(const Numeric& base, const Numeric& exponent) {
    const Numeric unit = Numeric::of(1);
    if (base.is_nan()) return exponent.is_finite() && exponent.sign() == 0 ? unit : Numeric::nan();
    if (exponent.is_nan())
        return base.is_finite() && numeric_compare(base, unit) == 0 ? unit : Numeric::nan();
    const int sign = base.sign();
    const int direction = exponent.sign();
    if (sign == 0 && direction < 0) power_error("zero raised to a negative power is undefined");
    if (sign < 0 && exponent.is_finite() && !is_whole(wide_of(exponent))) {
        power_error("a negative number raised to a non-integer power yields a complex result");
    }
    if (base.is_finite() && numeric_compare(base, unit) == 0) return unit;
    if (direction == 0) return unit;
    if (sign == 0) return Numeric::of(0);
    if (exponent.is_infinite()) {
        bool above_one = true;
        if (base.is_finite()) {
            Wide magnitude = wide_of(base);
            magnitude.negative = false;
            const int order = wide_compare(magnitude, one());
            if (order == 0) return unit;
            above_one = order > 0;
        }
        return above_one == (direction > 0) ? Numeric::infinity(1) : Numeric::of(0);
    }
    if (direction < 0) return Numeric::of(0);
    return Numeric::infinity(sign < 0 && is_odd(wide_of(exponent)) ? -1 : 1);
}

}  // namespace numeric_math_file

Numeric numeric_sqrt(const Numeric& value, Arena& arena) {
    using namespace numeric_math_file;
    if (value.is_nan()) return value;
    if (value.sign() < 0) power_error("cannot take square root of a negative number");
    if (value.is_infinite()) return value;
    const Wide wide = wide_of(value);
    const std::int64_t whole = wide.weight() * 2 + 1;
    return finish(square_root(wide, clamp_display_scale(std::max(k_significant_digits - whole, wide.scale))),
                  arena);
}

Numeric numeric_sqrt_at_scale(const Numeric& value, int scale, Arena& arena) {
    return finish(numeric_math_file::square_root(wide_of(value), scale), arena);
}

Numeric numeric_exp(const Numeric& value, Arena& arena) {
    using namespace numeric_math_file;
    if (value.is_infinite()) return value.small < 0 ? Numeric::of(0) : value;
    if (value.is_nan()) return value;
    const Wide wide = wide_of(value);
    const double size = std::clamp(wide.to_double() * k_log10_e, -k_largest_result, k_largest_result);
    const std::int64_t scale =
        clamp_display_scale(std::max(k_significant_digits - static_cast<std::int64_t>(size), wide.scale));
    return finish(exponential(wide, scale), arena);
}

Numeric numeric_ln(const Numeric& value, Arena& arena) {
    using namespace numeric_math_file;
    check_logarithm(value);
    if (!value.is_finite()) return value;
    const Wide wide = wide_of(value);
    return finish(logarithm(wide, clamp_display_scale(
                                      std::max(k_significant_digits - logarithm_exponent(wide), wide.scale))),
                  arena);
}

Numeric numeric_log(const Numeric& base, const Numeric& value, Arena& arena) {
    using namespace numeric_math_file;
    if (base.is_nan() || value.is_nan()) return Numeric::nan();
    if (base.sign() < 0 || value.sign() < 0) log_error("cannot take logarithm of a negative number");
    if (base.sign() == 0 || value.sign() == 0) log_error("cannot take logarithm of zero");
    if (base.is_infinite()) return value.is_infinite() ? Numeric::nan() : Numeric::of(0);
    if (value.is_infinite()) return value;
    const Wide b = wide_of(base);
    const Wide v = wide_of(value);
    const std::int64_t exponent = logarithm_exponent(v) - logarithm_exponent(b);
    const std::int64_t scale =
        clamp_display_scale(std::max({k_significant_digits - exponent, b.scale, v.scale}));
    const std::int64_t base_scale =
        std::max<std::int64_t>(0, scale + exponent - logarithm_exponent(b) + 8) + k_guard_digits;
    const std::int64_t value_scale =
        std::max<std::int64_t>(0, scale + exponent - logarithm_exponent(v) + 8) + k_guard_digits;
    const Wide divisor = logarithm(b, base_scale);
    if (divisor.is_zero()) raise(sqlstate::division_by_zero, "division by zero");
    return finish(wide_divide(logarithm(v, value_scale), divisor, scale), arena);
}

Numeric numeric_power(const Numeric& base, const Numeric& exponent, Arena& arena) {
    using namespace numeric_math_file;
    if (!base.is_finite() || !exponent.is_finite()) return special_power(base, exponent);
    if (base.sign() == 0 && exponent.sign() < 0) power_error("zero raised to a negative power is undefined");
    const Wide b = wide_of(base);
    const std::optional<std::int64_t> whole = numeric_to_int_exactly(exponent);
    if (whole && *whole >= INT32_MIN && *whole <= INT32_MAX)
        return finish(whole_power(b, *whole, exponent.scale), arena);
    return finish(general_power(b, wide_of(exponent)), arena);
}

Numeric numeric_factorial(std::int64_t n, Arena& arena) {
    if (n < 0) raise(sqlstate::numeric_value_out_of_range, "factorial of a negative number is undefined");
    // 32177! is the largest that numeric holds.
    if (n > 32177) raise(sqlstate::numeric_value_out_of_range, "value overflows numeric format");
    Wide result = wide_of(std::int64_t{1});
    for (std::int64_t factor = 2; factor <= n; ++factor)
        limbs_multiply_small(result.limbs, static_cast<std::uint32_t>(factor));
    return finish(result, arena);
}

Numeric numeric_gcd(const Numeric& a, const Numeric& b, Arena& arena) {
    if (!a.is_finite() || !b.is_finite()) return Numeric::nan();
    Wide left = wide_of(a);
    Wide right = wide_of(b);
    const std::int64_t scale = std::max(left.scale, right.scale);
    wide_rescale(left, scale);
    wide_rescale(right, scale);
    while (!right.limbs.empty()) {
        Limbs quotient;
        Limbs remainder;
        limbs_divide(left.limbs, right.limbs, quotient, remainder);
        left.limbs = std::move(right.limbs);
        right.limbs = std::move(remainder);
    }
    left.negative = false;
    return finish(left, arena);
}

Numeric numeric_lcm(const Numeric& a, const Numeric& b, Arena& arena) {
    if (!a.is_finite() || !b.is_finite()) return Numeric::nan();
    if (a.sign() == 0 || b.sign() == 0) return Numeric::of(0, std::max(a.scale, b.scale));
    const Numeric divisor = numeric_gcd(a, b, arena);
    const Wide quotient = wide_divide(wide_of(a), wide_of(divisor), 0, false);
    Wide product = wide_multiply(quotient, wide_of(b));
    wide_rescale(product, std::max(a.scale, b.scale));
    product.negative = false;
    return finish(product, arena);
}

std::int32_t numeric_width_bucket(const Numeric& value, const Numeric& low, const Numeric& high,
                                  std::int32_t count, Arena& arena) {
    const auto bad = [](const char* message) {
        raise(sqlstate::invalid_argument_for_width_bucket_function, message);
    };
    if (count <= 0) bad("count must be greater than zero");
    if (value.is_nan() || low.is_nan() || high.is_nan())
        bad("operand, lower bound, and upper bound cannot be NaN");
    if (low.is_infinite() || high.is_infinite()) bad("lower and upper bounds must be finite");
    const int order = numeric_compare(low, high);
    if (order == 0) bad("lower bound cannot equal upper bound");
    const auto overflow = []() { raise(sqlstate::numeric_value_out_of_range, "integer out of range"); };
    const bool rising = order < 0;
    const int to_low = numeric_compare(value, low);
    const int to_high = numeric_compare(value, high);
    if (rising ? to_low < 0 : to_low > 0) return 0;
    if (rising ? to_high >= 0 : to_high <= 0) {
        if (count == INT32_MAX) overflow();
        return count + 1;
    }
    // floor((value - low) * count / (high - low)) + 1, exactly
    const Wide from = wide_of(numeric_subtract(value, low, arena));
    const Wide width = wide_of(numeric_subtract(high, low, arena));
    const Wide bucket = wide_divide(wide_multiply(from, wide_of(std::int64_t{count})), width, 0, false);
    return static_cast<std::int32_t>(numeric_to_int(finish(bucket, arena), 32)) + 1;
}

}  // namespace northstar::inline v0::sql
