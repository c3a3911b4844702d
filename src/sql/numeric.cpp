#include "sql/numeric.hpp"

#include "sql/error.hpp"
#include "sql/numeric_wide.hpp"
#include "sql/type.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace northstar::inline v0::sql {

namespace numeric_file {

bool fits_small(Int128 value) { return value > -k_numeric_small_limit && value < k_numeric_small_limit; }

Numeric small_of(std::int64_t coefficient, std::int64_t scale) {
    Numeric result;
    result.small = coefficient;
    result.scale = static_cast<std::uint16_t>(scale);
    return result;
}

LimbSpan span_of(const Numeric& value) { return {value.limbs, value.count}; }

/// Leading digits of |value| (up to 18) and the power of ten of the first one; nothing of zero.
bool leading(const Numeric& value, std::uint64_t& digits, std::int64_t& exponent) {
    if (value.is_small()) {
        digits = static_cast<std::uint64_t>(value.small < 0 ? -value.small : value.small);
        exponent = decimal_digits(digits) - 1 - static_cast<std::int64_t>(value.scale);
    } else {
        const std::uint32_t* limbs = value.limbs;
        digits = limbs[value.count - 1] * std::uint64_t{k_limb_base} + limbs[value.count - 2];
        exponent = limbs_digits(span_of(value)) - 1 - static_cast<std::int64_t>(value.scale);
    }
    return digits != 0;
}

struct Group {
    std::int64_t weight = 0;
    std::int64_t digit = 0;
};

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/// The first digit to base 10000 and its place, as PostgreSQL lays numbers out.
Group first_group(const Numeric& value) {
    std::uint64_t digits = 0;
    std::int64_t exponent = 0;
    if (!leading(value, digits, exponent)) return {};
    Group group;
    group.weight = floor_divide(exponent, 4);
    const int wanted = static_cast<int>(exponent - group.weight * 4 + 1);
    const int have = decimal_digits(digits);
    group.digit = static_cast<std::int64_t>(have >= wanted ? digits / power_of_ten(have - wanted)
                                                           : digits * power_of_ten(wanted - have));
    return group;
}

std::strong_ordering order_kind(const Numeric& a, const Numeric& b) {
    const auto rank = [](const Numeric& value) {
        if (value.is_nan()) return 2;
        return value.is_infinite() ? static_cast<int>(value.small) : 0;
    };
    return rank(a) <=> rank(b);
}

/// Sum of numbers that are not all finite.
Numeric special_sum(const Numeric& a, const Numeric& b) {
    if (a.is_nan() || b.is_nan()) return Numeric::nan();
    if (a.is_infinite() && b.is_infinite() && a.small != b.small) return Numeric::nan();
    return a.is_infinite() ? a : b;
}

Int128 round_quotient(Int128 dividend, Int128 divisor) {
    Int128 quotient = dividend / divisor;
    const Int128 rest = dividend % divisor;
    const Int128 twice = (rest < 0 ? -rest : rest) * 2;
    if (twice >= (divisor < 0 ? -divisor : divisor)) quotient += (dividend < 0) == (divisor < 0) ? 1 : -1;
    return quotient;
}

}  // namespace numeric_file

// ---- the working form ----

std::int64_t Wide::weight() const { return is_zero() ? 0 : numeric_file::floor_divide(exponent(), 4); }

double Wide::to_double() const {
    std::string text = limbs_to_text(limbs);
    if (text.empty()) return 0;
    if (negative) text.insert(0, 1, '-');
    text += 'e';
    text += std::to_string(-scale);
    double result = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
    if (error == std::errc::result_out_of_range) {
        if (exponent() < 0) return 0;
        return negative ? -HUGE_VAL : HUGE_VAL;
    }
    return result;
}

Wide wide_of(const Numeric& value) {
    Wide wide;
    wide.scale = value.scale;
    if (value.is_small()) {
        wide.negative = value.small < 0;
        wide.limbs = limbs_of(static_cast<std::uint64_t>(wide.negative ? -value.small : value.small));
    } else {
        wide.negative = value.negative;
        wide.limbs.assign(value.limbs, value.limbs + value.count);
    }
    return wide;
}

Wide wide_of(std::int64_t value) {
    Wide wide;
    wide.negative = value < 0;
    wide.limbs =
        limbs_of(wide.negative ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value));
    return wide;
}

Wide wide_of(double value) {
    char text[40];
    const auto [end, error] =
        std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 16);
    Wide wide;
    std::string digits;
    const char* at = text;
    if (*at == '-') {
        wide.negative = true;
        ++at;
    }
    for (; at != end && *at != 'e'; ++at) {
        if (*at != '.') digits += *at;
    }
    int exponent = 0;
    ++at;
    if (*at == '+') ++at;
    std::from_chars(at, end, exponent);
    wide.limbs = limbs_from_text(digits);
    wide.scale = 16 - exponent;
    if (wide.limbs.empty()) wide.negative = false;
    return wide;
}

void wide_rescale(Wide& value, std::int64_t scale, bool round) {
    if (scale > value.scale) {
        value.limbs = limbs_scale_up(value.limbs, scale - value.scale);
    } else if (scale < value.scale) {
        value.limbs = limbs_scale_down(value.limbs, value.scale - scale, round);
    }
    value.scale = scale;
    if (value.limbs.empty()) value.negative = false;
}

Wide wide_negate(Wide value) {
    value.negative = !value.negative && !value.is_zero();
    return value;
}

Wide wide_add(const Wide& a, const Wide& b) {
    if (a.scale != b.scale) {
        const std::int64_t scale = std::max(a.scale, b.scale);
        Wide left = a;
        Wide right = b;
        wide_rescale(left, scale);
        wide_rescale(right, scale);
        return wide_add(left, right);
    }
    Wide sum;
    sum.scale = a.scale;
    if (a.negative == b.negative) {
        sum.limbs = limbs_add(a.limbs, b.limbs);
        sum.negative = a.negative;
    } else {
        const int order = limbs_compare(a.limbs, b.limbs);
        sum.limbs = order >= 0 ? limbs_subtract(a.limbs, b.limbs) : limbs_subtract(b.limbs, a.limbs);
        sum.negative = order == 0 ? false : order > 0 ? a.negative : b.negative;
    }
    return sum;
}

Wide wide_multiply(const Wide& a, const Wide& b) {
    Wide product;
    product.limbs = limbs_multiply(a.limbs, b.limbs);
    product.scale = a.scale + b.scale;
    product.negative = !product.limbs.empty() && a.negative != b.negative;
    return product;
}

Wide wide_divide(const Wide& a, const Wide& b, std::int64_t scale, bool round) {
    const std::int64_t shift = scale - a.scale + b.scale;
    const Limbs dividend = shift > 0 ? limbs_scale_up(a.limbs, shift) : a.limbs;
    const Limbs divisor = shift < 0 ? limbs_scale_up(b.limbs, -shift) : b.limbs;
    Wide quotient;
    Limbs remainder;
    limbs_divide(dividend, divisor, quotient.limbs, remainder);
    if (round) {
        limbs_multiply_small(remainder, 2);
        if (limbs_compare(remainder, divisor) >= 0) {
            const std::uint32_t one = 1;
            quotient.limbs = limbs_add(quotient.limbs, {&one, 1});
        }
    }
    quotient.scale = scale;
    quotient.negative = !quotient.limbs.empty() && a.negative != b.negative;
    return quotient;
}

int wide_compare(const Wide& a, const Wide& b) {
    if (a.negative != b.negative) return a.negative ? -1 : 1;
    int order = 0;
    if (a.is_zero() || b.is_zero()) {
        order = static_cast<int>(!a.is_zero()) - static_cast<int>(!b.is_zero());
    } else if (a.exponent() != b.exponent()) {
        order = a.exponent() < b.exponent() ? -1 : 1;
    } else if (a.scale == b.scale) {
        order = limbs_compare(a.limbs, b.limbs);
    } else if (a.scale < b.scale) {
        order = limbs_compare(limbs_scale_up(a.limbs, b.scale - a.scale), b.limbs);
    } else {
        order = limbs_compare(a.limbs, limbs_scale_up(b.limbs, a.scale - b.scale));
    }
    return a.negative ? -order : order;
}

Numeric finish(const Wide& value, Arena& arena) {
    if (value.scale < 0 || value.scale > k_numeric_max_scale) {
        Wide fitting = value;
        wide_rescale(fitting, value.scale < 0 ? 0 : k_numeric_max_scale);
        return finish(fitting, arena);
    }
    if (limbs_digits(value.limbs) - value.scale > k_numeric_max_whole_digits) raise_numeric_overflow();
    if (value.limbs.size() <= 2) {
        std::int64_t small = value.limbs.empty() ? 0 : value.limbs[0];
        if (value.limbs.size() == 2) small += std::int64_t{value.limbs[1]} * k_limb_base;
        return numeric_file::small_of(value.negative ? -small : small, value.scale);
    }
    Numeric result;
    std::uint32_t* limbs = arena.allocate_array<std::uint32_t>(value.limbs.size());
    std::copy(value.limbs.begin(), value.limbs.end(), limbs);
    result.limbs = limbs;
    result.count = static_cast<std::uint32_t>(value.limbs.size());
    result.scale = static_cast<std::uint16_t>(value.scale);
    result.kind = NumericKind::big;
    result.negative = value.negative;
    return result;
}

std::int64_t clamp_display_scale(std::int64_t scale) { return std::clamp<std::int64_t>(scale, 0, 1000); }

std::int64_t division_scale(const Numeric& a, const Numeric& b) {
    const numeric_file::Group first = numeric_file::first_group(a);
    const numeric_file::Group second = numeric_file::first_group(b);
    std::int64_t weight = first.weight - second.weight;
    if (first.digit <= second.digit) --weight;
    return clamp_display_scale(std::max<std::int64_t>({16 - weight * 4, a.scale, b.scale}));
}

void raise_numeric_overflow() {
    raise(sqlstate::numeric_value_out_of_range, "value overflows numeric format");
}

// ---- making and converting ----

Numeric Numeric::of(std::int64_t coefficient, std::uint32_t scale) {
    return numeric_file::small_of(coefficient, scale);
}

Numeric Numeric::nan() {
    Numeric result;
    result.kind = NumericKind::nan;
    return result;
}

Numeric Numeric::infinity(int sign) {
    Numeric result;
    result.kind = NumericKind::infinity;
    result.small = sign;
    return result;
}

Numeric numeric_from_int(std::int64_t value, Arena& arena) {
    if (numeric_file::fits_small(value)) return numeric_file::small_of(value, 0);
    return finish(wide_of(value), arena);
}

Numeric numeric_from_int128(Int128 value, std::uint32_t scale, Arena& arena) {
    if (numeric_file::fits_small(value))
        return numeric_file::small_of(static_cast<std::int64_t>(value), scale);
    Wide wide;
    wide.negative = value < 0;
    wide.limbs = limbs_of(wide.negative ? ~static_cast<UInt128>(value) + 1 : static_cast<UInt128>(value));
    wide.scale = scale;
    return finish(wide, arena);
}

namespace numeric_file {

Numeric from_floating(double value, int digits, Arena& arena) {
    if (std::isnan(value)) return Numeric::nan();
    if (std::isinf(value)) return Numeric::infinity(value < 0 ? -1 : 1);
    char text[40];
    const auto [end, error] =
        std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits);
    return numeric_from_text({text, static_cast<std::size_t>(end - text)}, arena);
}

}  // namespace numeric_file

Numeric numeric_from_double(double value, Arena& arena) {
    return numeric_file::from_floating(value, 15, arena);
}
Numeric numeric_from_float(float value, Arena& arena) {
    return numeric_file::from_floating(static_cast<double>(value), 6, arena);
}

std::int64_t numeric_to_int(const Numeric& value, int bits) {
    const char* name = bits == 16 ? "smallint" : bits == 32 ? "integer" : "bigint";
    if (value.is_nan()) raise(sqlstate::feature_not_supported, std::string("cannot convert NaN to ") + name);
    if (value.is_infinite())
        raise(sqlstate::feature_not_supported, std::string("cannot convert infinity to ") + name);
    Int128 whole = 0;
    bool fits = true;
    if (value.is_small()) {
        whole = value.small;
        if (value.scale > 18) {
            whole = 0;
        } else if (value.scale > 0) {
            whole = numeric_file::round_quotient(whole, static_cast<Int128>(power_of_ten(value.scale)));
        }
    } else {
        Wide wide = wide_of(value);
        wide_rescale(wide, 0);
        fits = wide.limbs.size() <= 3;
        for (std::size_t i = wide.limbs.size(); fits && i-- > 0;) whole = whole * k_limb_base + wide.limbs[i];
        if (wide.negative) whole = -whole;
    }
    const Int128 limit = static_cast<Int128>(1) << (bits - 1);
    if (!fits || whole < -limit || whole >= limit) {
        raise(sqlstate::numeric_value_out_of_range, std::string(name) + " out of range");
    }
    return static_cast<std::int64_t>(whole);
}

double numeric_to_double(const Numeric& value) {
    if (value.is_nan()) return std::nan("");
    if (value.is_infinite()) return value.small < 0 ? -HUGE_VAL : HUGE_VAL;
    if (value.is_small()) {
        // Both exactly representable: one rounding, as if read from text.
        if (value.scale <= 22 && value.small > -(std::int64_t{1} << 53) &&
            value.small < (std::int64_t{1} << 53)) {
            static constexpr double k_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
            return static_cast<double>(value.small) / k_powers[value.scale];
        }
    }
    const Wide wide = wide_of(value);
    const double result = wide.to_double();
    if (std::isinf(result) || (result == 0 && !wide.is_zero())) {
        std::string text;
        numeric_to_text(value, text);
        raise(sqlstate::numeric_value_out_of_range,
              '"' + text + "\" is out of range for type double precision");
    }
    return result;
}

std::optional<std::int64_t> numeric_to_int_exactly(const Numeric& value) {
    if (!value.is_finite()) return std::nullopt;
    Wide wide = wide_of(value);
    const Wide before = wide;
    wide_rescale(wide, 0, false);
    if (wide_compare(wide, before) != 0 || wide.limbs.size() > 3) return std::nullopt;
    Int128 whole = 0;
    for (std::size_t i = wide.limbs.size(); i-- > 0;) whole = whole * k_limb_base + wide.limbs[i];
    if (wide.negative) whole = -whole;
    if (whole < INT64_MIN || whole > INT64_MAX) return std::nullopt;
    return static_cast<std::int64_t>(whole);
}

// ---- arithmetic ----

Numeric numeric_add(const Numeric& a, const Numeric& b, Arena& arena) {
    if (a.is_small() && b.is_small()) [[likely]] {
        const int shift = static_cast<int>(a.scale) - static_cast<int>(b.scale);
        if (shift >= -18 && shift <= 18) {
            Int128 left = a.small;
            Int128 right = b.small;
            if (shift < 0) left *= static_cast<Int128>(power_of_ten(-shift));
            if (shift > 0) right *= static_cast<Int128>(power_of_ten(shift));
            return numeric_from_int128(left + right, std::max(a.scale, b.scale), arena);
        }
    }
    if (!a.is_finite() || !b.is_finite()) return numeric_file::special_sum(a, b);
    return finish(wide_add(wide_of(a), wide_of(b)), arena);
}

Numeric numeric_negate(const Numeric& value, Arena&) {
    Numeric result = value;
    if (value.is_small() || value.is_infinite()) {
        result.small = -value.small;
    } else if (value.kind == NumericKind::big) {
        result.negative = !value.negative;
    }
    return result;
}

Numeric numeric_abs(const Numeric& value, Arena& arena) {
    return value.sign() < 0 ? numeric_negate(value, arena) : value;
}

Numeric numeric_subtract(const Numeric& a, const Numeric& b, Arena& arena) {
    return numeric_add(a, numeric_negate(b, arena), arena);
}

Numeric numeric_multiply(const Numeric& a, const Numeric& b, Arena& arena) {
    if (a.is_small() && b.is_small()) [[likely]] {
        const std::uint32_t scale = std::uint32_t{a.scale} + b.scale;
        if (scale <= static_cast<std::uint32_t>(k_numeric_max_scale)) {
            return numeric_from_int128(static_cast<Int128>(a.small) * b.small, scale, arena);
        }
    }
    if (a.is_nan() || b.is_nan()) return Numeric::nan();
    if (a.is_infinite() || b.is_infinite()) {
        const int sign = a.sign() * b.sign();
        return sign == 0 ? Numeric::nan() : Numeric::infinity(sign);
    }
    return finish(wide_multiply(wide_of(a), wide_of(b)), arena);
}

namespace numeric_file {

/// What a quotient or remainder is where an operand is not finite or the divisor is zero; false: compute it.
bool special_quotient(const Numeric& a, const Numeric& b, Numeric& result) {
    if (a.is_nan() || b.is_nan()) {
        result = Numeric::nan();
        return true;
    }
    if (a.is_infinite()) {
        if (b.is_infinite()) {
            result = Numeric::nan();
            return true;
        }
        if (b.sign() == 0) raise(sqlstate::division_by_zero, "division by zero");
        result = Numeric::infinity(a.sign() * b.sign());
        return true;
    }
    if (b.is_infinite()) {
        result = Numeric::of(0);
        return true;
    }
    if (b.sign() == 0) raise(sqlstate::division_by_zero, "division by zero");
    return false;
}

}  // namespace numeric_file

Numeric numeric_divide(const Numeric& a, const Numeric& b, Arena& arena) {
    Numeric special;
    if (numeric_file::special_quotient(a, b, special)) return special;
    const std::int64_t scale = division_scale(a, b);
    if (a.is_small() && b.is_small()) {
        const std::int64_t shift = scale - a.scale + b.scale;
        if (shift >= 0 && shift <= 19) {
            const Int128 dividend =
                static_cast<Int128>(a.small) * static_cast<Int128>(power_of_ten(static_cast<int>(shift)));
            return numeric_from_int128(numeric_file::round_quotient(dividend, b.small),
                                       static_cast<std::uint32_t>(scale), arena);
        }
    }
    return finish(wide_divide(wide_of(a), wide_of(b), scale), arena);
}

Numeric numeric_divide_whole(const Numeric& a, const Numeric& b, Arena& arena) {
    Numeric special;
    if (numeric_file::special_quotient(a, b, special)) return special;
    return finish(wide_divide(wide_of(a), wide_of(b), 0, false), arena);
}

Numeric numeric_modulo(const Numeric& a, const Numeric& b, Arena& arena) {
    if (a.is_nan() || b.is_nan()) return Numeric::nan();
    if (a.is_infinite()) {
        if (b.sign() == 0) raise(sqlstate::division_by_zero, "division by zero");
        return Numeric::nan();
    }
    if (b.is_infinite()) return a;
    if (b.sign() == 0) raise(sqlstate::division_by_zero, "division by zero");
    const std::uint32_t scale = std::max(a.scale, b.scale);
    if (a.is_small() && b.is_small() && scale <= 18) {
        const Int128 left = static_cast<Int128>(a.small) *
                            static_cast<Int128>(power_of_ten(static_cast<int>(scale - a.scale)));
        const Int128 right = static_cast<Int128>(b.small) *
                             static_cast<Int128>(power_of_ten(static_cast<int>(scale - b.scale)));
        return numeric_from_int128(left % right, scale, arena);
    }
    Wide left = wide_of(a);
    Wide right = wide_of(b);
    wide_rescale(left, scale);
    wide_rescale(right, scale);
    Wide rest;
    Limbs quotient;
    limbs_divide(left.limbs, right.limbs, quotient, rest.limbs);
    rest.scale = scale;
    rest.negative = left.negative && !rest.limbs.empty();
    return finish(rest, arena);
}

int numeric_compare(const Numeric& a, const Numeric& b) {
    if (a.is_small() && b.is_small()) [[likely]] {
        if (a.scale == b.scale) return a.small < b.small ? -1 : a.small > b.small;
        const int shift = static_cast<int>(a.scale) - static_cast<int>(b.scale);
        if (shift >= -19 && shift <= 19) {
            Int128 left = a.small;
            Int128 right = b.small;
            if (shift < 0) left *= static_cast<Int128>(power_of_ten(-shift));
            if (shift > 0) right *= static_cast<Int128>(power_of_ten(shift));
            return left < right ? -1 : left > right;
        }
    }
    if (!a.is_finite() || !b.is_finite()) {
        const auto order = numeric_file::order_kind(a, b);
        return order < 0 ? -1 : order > 0;
    }
    return wide_compare(wide_of(a), wide_of(b));
}

std::uint64_t numeric_hash(const Numeric& value) {
    const auto mix = [](std::uint64_t hash, std::uint64_t word) {
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        return hash ^ (hash >> 29);
    };
    if (value.is_nan()) return 0x7ff8000000000000u;
    if (value.is_infinite()) return value.small < 0 ? 0xfff0000000000000u : 0x7ff0000000000000u;
    if (value.is_small()) {
        std::int64_t coefficient = value.small;
        std::int64_t scale = value.scale;
        if (coefficient == 0) return 0;
        while (coefficient % 10 == 0) {
            coefficient /= 10;
            --scale;
        }
        return mix(mix(1, static_cast<std::uint64_t>(coefficient)), static_cast<std::uint64_t>(scale));
    }
    Wide wide = wide_of(value);
    std::string digits = limbs_to_text(wide.limbs);
    const std::size_t last = digits.find_last_not_of('0');
    wide.scale -= static_cast<std::int64_t>(digits.size() - 1 - last);
    digits.resize(last + 1);
    if (digits.size() <= 18) {
        std::int64_t coefficient = 0;
        for (const char digit : digits) coefficient = coefficient * 10 + (digit - '0');
        if (wide.negative) coefficient = -coefficient;
        return mix(mix(1, static_cast<std::uint64_t>(coefficient)), static_cast<std::uint64_t>(wide.scale));
    }
    std::uint64_t hash = mix(wide.negative ? 3 : 2, static_cast<std::uint64_t>(wide.scale));
    for (const char digit : digits) hash = mix(hash, static_cast<std::uint64_t>(digit));
    return hash;
}

// ---- rounding ----

namespace numeric_file {

Numeric to_scale(const Numeric& value, int scale, bool round, Arena& arena) {
    if (!value.is_finite()) return value;
    scale = std::clamp(scale, -k_numeric_max_whole_digits - 1, k_numeric_max_scale);  // what is below rounds to nothing
    if (value.is_small() && scale >= 0) {
        if (scale == static_cast<int>(value.scale)) return value;
        const int shift = static_cast<int>(value.scale) - scale;
        if (shift > 18) return Numeric::of(0, static_cast<std::uint32_t>(scale));
        if (shift > 0) {
            const Int128 divisor = static_cast<Int128>(power_of_ten(shift));
            const Int128 result = round ? round_quotient(value.small, divisor) : value.small / divisor;
            return small_of(static_cast<std::int64_t>(result), scale);
        }
        if (shift >= -18) {
            return numeric_from_int128(
                static_cast<Int128>(value.small) * static_cast<Int128>(power_of_ten(-shift)),
                static_cast<std::uint32_t>(scale), arena);
        }
    }
    Wide wide = wide_of(value);
    wide_rescale(wide, scale, round);
    return finish(wide, arena);
}

}  // namespace numeric_file

Numeric numeric_round(const Numeric& value, int scale, Arena& arena) {
    return numeric_file::to_scale(value, scale, true, arena);
}
Numeric numeric_truncate(const Numeric& value, int scale, Arena& arena) {
    return numeric_file::to_scale(value, scale, false, arena);
}

Numeric numeric_floor(const Numeric& value, Arena& arena) {
    const Numeric whole = numeric_truncate(value, 0, arena);
    if (value.sign() < 0 && numeric_compare(whole, value) != 0)
        return numeric_subtract(whole, Numeric::of(1), arena);
    return whole;
}

Numeric numeric_ceil(const Numeric& value, Arena& arena) {
    const Numeric whole = numeric_truncate(value, 0, arena);
    if (value.sign() > 0 && numeric_compare(whole, value) != 0)
        return numeric_add(whole, Numeric::of(1), arena);
    return whole;
}

int numeric_min_scale(const Numeric& value) {
    if (value.is_small()) {
        std::int64_t coefficient = value.small;
        int scale = value.scale;
        if (coefficient == 0) return 0;
        while (scale > 0 && coefficient % 10 == 0) {
            coefficient /= 10;
            --scale;
        }
        return scale;
    }
    const std::string digits = limbs_to_text(numeric_file::span_of(value));
    const std::size_t zeros = digits.size() - 1 - digits.find_last_not_of('0');
    return std::max(0, static_cast<int>(value.scale) - static_cast<int>(zeros));
}

Numeric numeric_trim_scale(const Numeric& value, Arena& arena) {
    return value.is_finite() ? numeric_truncate(value, numeric_min_scale(value), arena) : value;
}

Numeric numeric_apply_typmod(const Numeric& value, std::int32_t typmod, Arena& arena) {
    if (typmod < 4 || value.is_nan()) return value;
    const int precision = numeric_precision(typmod);
    const int scale = numeric_scale(typmod);
    const auto overflow = [&](const std::string& why) {
        raise(sqlstate::numeric_value_out_of_range, "numeric field overflow",
              "A field with precision " + std::to_string(precision) + ", scale " + std::to_string(scale) +
                  ' ' + why);
    };
    if (value.is_infinite()) overflow("cannot hold an infinite value.");
    // A negative scale rounds before the point; the number then has no digits behind it.
    const Numeric rounded = numeric_round(value, scale, arena);
    std::uint64_t digits = 0;
    std::int64_t exponent = 0;
    if (numeric_file::leading(rounded, digits, exponent) && exponent + 1 > precision - scale) {
        overflow(precision == scale ? std::string("must round to an absolute value less than 1.")
                                    : "must round to an absolute value less than 10^" +
                                          std::to_string(precision - scale) + '.');
    }
    return rounded;
}

}  // namespace northstar::inline v0::sql
