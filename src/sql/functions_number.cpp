// Operators, casts and functions of integers, floats and numerics.

#include "sql/array.hpp"
#include "sql/compare.hpp"
#include "sql/error.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"

#include <cmath>
#include <numbers>

namespace northstar::inline v0::sql {

namespace number_functions_file {

[[noreturn]] void out_of_range(Oid type) {
    raise(sqlstate::numeric_value_out_of_range, std::string(type == type::int2   ? "smallint"
                                                            : type == type::int4 ? "integer"
                                                                                 : "bigint") +
                                                    " out of range");
}
[[noreturn]] void division_by_zero() { raise(sqlstate::division_by_zero, "division by zero"); }

template <Oid Type>
Value integer_result(Int128 value) {
    constexpr int bits = Type == type::int2 ? 16 : Type == type::int4 ? 32 : 64;
    constexpr Int128 limit = static_cast<Int128>(1) << (bits - 1);
    if (value < -limit || value >= limit) [[unlikely]]
        out_of_range(Type);
    return Value::integer(Type, static_cast<std::int64_t>(value));
}

template <Oid Type>
Value integer_add(Call&, const Value* a, std::size_t) {
    return integer_result<Type>(static_cast<Int128>(a[0].integer()) + a[1].integer());
}
template <Oid Type>
Value integer_subtract(Call&, const Value* a, std::size_t) {
    return integer_result<Type>(static_cast<Int128>(a[0].integer()) - a[1].integer());
}
template <Oid Type>
Value integer_multiply(Call&, const Value* a, std::size_t) {
    return integer_result<Type>(static_cast<Int128>(a[0].integer()) * a[1].integer());
}
template <Oid Type>
Value integer_divide(Call&, const Value* a, std::size_t) {
    if (a[1].integer() == 0) division_by_zero();
    return integer_result<Type>(static_cast<Int128>(a[0].integer()) / a[1].integer());
}
template <Oid Type>
Value integer_modulo(Call&, const Value* a, std::size_t) {
    if (a[1].integer() == 0) division_by_zero();
    return Value::integer(Type, a[1].integer() == -1 ? 0 : a[0].integer() % a[1].integer());
}
template <Oid Type>
Value integer_negate(Call&, const Value* a, std::size_t) {
    return integer_result<Type>(-static_cast<Int128>(a[0].integer()));
}
template <Oid Type>
Value integer_abs(Call&, const Value* a, std::size_t) {
    const Int128 value = a[0].integer();
    return integer_result<Type>(value < 0 ? -value : value);
}
Value same(Call&, const Value* a, std::size_t) { return a[0]; }
Value bit_and(Call& call, const Value* a, std::size_t) {
    return Value::integer(call.result_type, a[0].integer() & a[1].integer());
}
Value bit_or(Call& call, const Value* a, std::size_t) {
    return Value::integer(call.result_type, a[0].integer() | a[1].integer());
}
Value bit_xor(Call& call, const Value* a, std::size_t) {
    return Value::integer(call.result_type, a[0].integer() ^ a[1].integer());
}
Value bit_not(Call& call, const Value* a, std::size_t) {
    return Value::integer(call.result_type, ~a[0].integer());
}
/// Shifts as the machine does: the distance counts modulo the width.
template <Oid Type>
Value shift_left(Call&, const Value* a, std::size_t) {
    constexpr int bits = Type == type::int8 ? 64 : 32;
    const std::uint64_t shifted = static_cast<std::uint64_t>(a[0].integer()) << (a[1].integer() & (bits - 1));
    if (Type == type::int2) return Value::integer(Type, static_cast<std::int16_t>(shifted));
    return Value::integer(
        Type, Type == type::int4 ? static_cast<std::int32_t>(shifted) : static_cast<std::int64_t>(shifted));
}
template <Oid Type>
Value shift_right(Call&, const Value* a, std::size_t) {
    constexpr int bits = Type == type::int8 ? 64 : 32;
    return Value::integer(Type, a[0].integer() >> (a[1].integer() & (bits - 1)));
}

template <Oid Type>
Value integer_gcd(Call&, const Value* a, std::size_t) {
    Int128 x = a[0].integer();
    Int128 y = a[1].integer();
    x = x < 0 ? -x : x;
    y = y < 0 ? -y : y;
    while (y != 0) {
        const Int128 rest = x % y;
        x = y;
        y = rest;
    }
    return integer_result<Type>(x);
}
template <Oid Type>
Value integer_lcm(Call& call, const Value* a, std::size_t count) {
    if (a[0].integer() == 0 || a[1].integer() == 0) return Value::integer(Type, 0);
    const std::int64_t divisor = integer_gcd<Type>(call, a, count).integer();
    const Int128 product = static_cast<Int128>(a[0].integer()) / divisor * a[1].integer();
    return integer_result<Type>(product < 0 ? -product : product);
}

// ---- floats ----

[[noreturn]] void overflow() { raise(sqlstate::numeric_value_out_of_range, "value out of range: overflow"); }
[[noreturn]] void underflow() {
    raise(sqlstate::numeric_value_out_of_range, "value out of range: underflow");
}

Value real_result(Oid type, double value) {
    return type == type::float4 ? Value::float4(static_cast<float>(value)) : Value::float8(value);
}

template <char Op>
Value real_operation(Call& call, const Value* a, std::size_t) {
    const double x = a[0].real();
    const double y = a[1].real();
    double result = 0;
    if (Op == '+') result = x + y;
    if (Op == '-') result = x - y;
    if (Op == '*') result = x * y;
    if (Op == '/') {
        if (y == 0 && !std::isnan(x)) division_by_zero();
        result = x / y;
    }
    if (call.result_type == type::float4) result = static_cast<double>(static_cast<float>(result));
    if (std::isinf(result) && !std::isinf(x) && !std::isinf(y)) overflow();
    if (result == 0 && ((Op == '*' && x != 0 && y != 0) || (Op == '/' && x != 0 && !std::isinf(y))))
        underflow();
    return real_result(call.result_type, result);
}
Value real_negate(Call& call, const Value* a, std::size_t) {
    return real_result(call.result_type, -a[0].real());
}
Value real_abs(Call& call, const Value* a, std::size_t) {
    return real_result(call.result_type, std::fabs(a[0].real()));
}

// libm by names that are not overloaded.
double libm_acos(double x) { return std::acos(x); }
double libm_acosh(double x) { return std::acosh(x); }
double libm_asin(double x) { return std::asin(x); }
double libm_asinh(double x) { return std::asinh(x); }
double libm_atan(double x) { return std::atan(x); }
double libm_atanh(double x) { return std::atanh(x); }
double libm_cbrt(double x) { return std::cbrt(x); }
double libm_ceil(double x) { return std::ceil(x); }
double libm_cos(double x) { return std::cos(x); }
double libm_cosh(double x) { return std::cosh(x); }
double libm_floor(double x) { return std::floor(x); }
double libm_log(double x) { return std::log(x); }
double libm_log10(double x) { return std::log10(x); }
double libm_nearbyint(double x) { return std::nearbyint(x); }
double libm_sin(double x) { return std::sin(x); }
double libm_sinh(double x) { return std::sinh(x); }
double libm_tan(double x) { return std::tan(x); }
double libm_tanh(double x) { return std::tanh(x); }
double libm_trunc(double x) { return std::trunc(x); }

/// A function of libm that is undefined for what gives NaN from a number.
template <double (*Function)(double)>
Value real_function(Call&, const Value* a, std::size_t) {
    const double x = a[0].real();
    const double result = Function(x);
    if (std::isnan(result) && !std::isnan(x))
        raise(sqlstate::numeric_value_out_of_range, "input is out of range");
    if (std::isinf(result) && !std::isinf(x)) overflow();
    return Value::float8(result);
}
/// The same of one that may be infinite.
template <double (*Function)(double)>
Value unbounded_function(Call&, const Value* a, std::size_t) {
    const double result = Function(a[0].real());
    if (std::isnan(result) && !std::isnan(a[0].real())) {
        raise(sqlstate::numeric_value_out_of_range, "input is out of range");
    }
    return Value::float8(result);
}
Value real_sqrt(Call&, const Value* a, std::size_t) {
    if (a[0].real() < 0)
        raise(sqlstate::invalid_argument_for_power_function, "cannot take square root of a negative number");
    return Value::float8(std::sqrt(a[0].real()));
}
Value real_exp(Call&, const Value* a, std::size_t) {
    const double x = a[0].real();
    const double result = std::exp(x);
    if (std::isinf(result) && !std::isinf(x)) overflow();
    if (result == 0 && !std::isinf(x)) underflow();
    return Value::float8(result);
}
template <double (*Function)(double)>
Value real_logarithm(Call&, const Value* a, std::size_t) {
    if (a[0].real() == 0) raise(sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of zero");
    if (a[0].real() < 0)
        raise(sqlstate::invalid_argument_for_logarithm, "cannot take logarithm of a negative number");
    return Value::float8(Function(a[0].real()));
}
Value real_power(Call&, const Value* a, std::size_t) {
    const double x = a[0].real();
    const double y = a[1].real();
    if (std::isnan(x)) return Value::float8(y == 0 ? 1 : x);
    if (std::isnan(y)) return Value::float8(x == 1 ? 1 : y);
    if (x == 0 && y < 0)
        raise(sqlstate::invalid_argument_for_power_function, "zero raised to a negative power is undefined");
    if (x < 0 && !std::isinf(y) && std::floor(y) != y) {
        raise(sqlstate::invalid_argument_for_power_function,
              "a negative number raised to a non-integer power yields a complex result");
    }
    const double result = std::pow(x, y);
    if (std::isinf(result) && !std::isinf(x) && !std::isinf(y)) overflow();
    if (result == 0 && x != 0 && !std::isinf(x) && !std::isinf(y)) underflow();
    return Value::float8(result);
}
Value real_atan2(Call&, const Value* a, std::size_t) {
    return Value::float8(std::atan2(a[0].real(), a[1].real()));
}
double cotangent(double x) { return 1 / std::tan(x); }
double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
double to_degrees(double x) { return x / (std::numbers::pi / 180); }
double to_radians(double x) { return x * (std::numbers::pi / 180); }

// Trigonometry in degrees gives exact results at the multiples of 30 and 45 degrees.
double sine_of_quadrant(double x) {
    const double rad = std::numbers::pi / 180;
    if (x <= 30) return std::sin(x * rad) / std::sin(30 * rad) / 2;
    return 1 - (1 - std::cos((90 - x) * rad)) / (1 - std::cos(60 * rad)) / 2;
}
double cosine_of_quadrant(double x) { return sine_of_quadrant(90 - x); }
double sine_degrees(double x) {
    x = std::fmod(x, 360);
    double sign = 1;
    if (x < 0) {
        x = -x;
        sign = -sign;
    }
    if (x > 180) {
        x = 360 - x;
        sign = -sign;
    }
    if (x > 90) x = 180 - x;
    return sign * sine_of_quadrant(x);
}
double cosine_degrees(double x) {
    x = std::fabs(std::fmod(x, 360));
    double sign = 1;
    if (x > 180) x = 360 - x;
    if (x > 90) {
        x = 180 - x;
        sign = -sign;
    }
    return sign * cosine_of_quadrant(x);
}
double tangent_degrees(double x) {
    const double scale = sine_of_quadrant(45) / cosine_of_quadrant(45);
    const double cosine = cosine_degrees(x);
    const double result = sine_degrees(x) / cosine / scale;
    return result == 0 ? 0 : result;
}
double cotangent_degrees(double x) {
    const double scale = cosine_of_quadrant(45) / sine_of_quadrant(45);
    const double result = cosine_degrees(x) / sine_degrees(x) / scale;
    return result == 0 ? 0 : result;
}
template <double (*Function)(double)>
Value degrees_function(Call&, const Value* a, std::size_t) {
    if (std::isinf(a[0].real())) raise(sqlstate::numeric_value_out_of_range, "input is out of range");
    return Value::float8(Function(a[0].real()));
}
double arc_sine_degrees(double x) {
    if (std::fabs(x) <= 0.5) return std::asin(x) / std::asin(0.5) * 30;
    return x > 0 ? 90 - std::acos(x) / std::acos(0.5) * 60 : -90 + std::acos(-x) / std::acos(0.5) * 60;
}
double arc_cosine_degrees(double x) {
    if (x < 0) return 180 - arc_cosine_degrees(-x);
    return x <= 0.5 ? 90 - std::asin(x) / std::asin(0.5) * 30 : std::acos(x) / std::acos(0.5) * 60;
}
double arc_tangent_degrees(double x) { return std::atan(x) / std::atan(1.0) * 45; }
Value real_atan2d(Call&, const Value* a, std::size_t) {
    return Value::float8(std::atan2(a[0].real(), a[1].real()) / std::atan(1.0) * 45);
}
template <double (*Function)(double)>
Value arc_degrees(Call&, const Value* a, std::size_t) {
    if (std::fabs(a[0].real()) > 1) raise(sqlstate::numeric_value_out_of_range, "input is out of range");
    return Value::float8(Function(a[0].real()));
}
Value pi(Call&, const Value*, std::size_t) { return Value::float8(std::numbers::pi); }

Value real_width_bucket(Call&, const Value* a, std::size_t) {
    const auto bad = [](const char* message) {
        raise(sqlstate::invalid_argument_for_width_bucket_function, message);
    };
    const double value = a[0].real();
    const double low = a[1].real();
    const double high = a[2].real();
    const std::int64_t count = a[3].integer();
    if (count <= 0) bad("count must be greater than zero");
    if (std::isnan(value) || std::isnan(low) || std::isnan(high))
        bad("operand, lower bound, and upper bound cannot be NaN");
    if (std::isinf(low) || std::isinf(high)) bad("lower and upper bounds must be finite");
    if (low == high) bad("lower bound cannot equal upper bound");
    const bool rising = low < high;
    if (rising ? value < low : value > low) return Value::int4(0);
    if (rising ? value >= high : value <= high) {
        if (count == INT32_MAX) out_of_range(type::int4);
        return Value::int4(count + 1);
    }
    const double share =
        rising ? (value / 2 - low / 2) / (high / 2 - low / 2) : (low / 2 - value / 2) / (low / 2 - high / 2);
    std::int64_t bucket = static_cast<std::int64_t>(static_cast<double>(count) * share);
    if (bucket >= count) bucket = count - 1;
    return Value::int4(bucket + 1);
}

// ---- numerics ----

template <Numeric (*Function)(const Numeric&, const Numeric&, Arena&)>
Value numeric_binary(Call& call, const Value* a, std::size_t) {
    return Value::numeric(Function(a[0].numeric(), a[1].numeric(), call.arena));
}
template <Numeric (*Function)(const Numeric&, Arena&)>
Value numeric_unary(Call& call, const Value* a, std::size_t) {
    return Value::numeric(Function(a[0].numeric(), call.arena));
}
Value round_to(Call& call, const Value* a, std::size_t) {
    return Value::numeric(numeric_round(a[0].numeric(), static_cast<int>(a[1].integer()), call.arena));
}
Value truncate_to(Call& call, const Value* a, std::size_t) {
    return Value::numeric(numeric_truncate(a[0].numeric(), static_cast<int>(a[1].integer()), call.arena));
}
Value round_whole(Call& call, const Value* a, std::size_t) {
    return Value::numeric(numeric_round(a[0].numeric(), 0, call.arena));
}
Value truncate_whole(Call& call, const Value* a, std::size_t) {
    return Value::numeric(numeric_truncate(a[0].numeric(), 0, call.arena));
}
Value numeric_log10(Call& call, const Value* a, std::size_t) {
    return Value::numeric(numeric_log(Numeric::of(10), a[0].numeric(), call.arena));
}
Value numeric_sign(Call&, const Value* a, std::size_t) {
    return a[0].numeric().is_nan() ? a[0] : Value::numeric(Numeric::of(a[0].numeric().sign()));
}
Value scale(Call&, const Value* a, std::size_t) {
    return a[0].numeric().is_finite() ? Value::int4(a[0].numeric().scale) : Value::null(type::int4);
}
Value min_scale(Call&, const Value* a, std::size_t) {
    return a[0].numeric().is_finite() ? Value::int4(numeric_min_scale(a[0].numeric()))
                                      : Value::null(type::int4);
}
Value factorial(Call& call, const Value* a, std::size_t) {
    return Value::numeric(numeric_factorial(a[0].integer(), call.arena));
}
Value numeric_inc(Call& call, const Value* a, std::size_t) {
    return Value::numeric(numeric_add(a[0].numeric(), Numeric::of(1), call.arena));
}
Value width_bucket(Call& call, const Value* a, std::size_t) {
    return Value::int4(numeric_width_bucket(a[0].numeric(), a[1].numeric(), a[2].numeric(),
                                            static_cast<std::int32_t>(a[3].integer()), call.arena));
}

/// Thresholds in rising order: how many of them the value reaches.
Value width_bucket_of_array(Call& call, const Value* a, std::size_t) {
    const ArrayView thresholds(a[1]);
    if (thresholds.dimensions().size() > 1)
        raise(sqlstate::array_subscript_error, "thresholds must be one-dimensional array");
    std::size_t low = 0, high = thresholds.size();
    for (std::size_t i = 0; i < high; ++i)
        if (thresholds.is_null(i))
            raise(sqlstate::null_value_not_allowed, "thresholds array must not contain NULLs");
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (compare_values(a[0], thresholds.element(middle, call.arena)) < 0) high = middle;
        else low = middle + 1;
    }
    return Value::int4(static_cast<std::int64_t>(low));
}

// ---- casts ----

template <Oid Target>
Value integer_to_integer(Call&, const Value* a, std::size_t) {
    return integer_result<Target>(a[0].integer());
}
Value integer_to_float4(Call&, const Value* a, std::size_t) {
    return Value::float4(static_cast<float>(a[0].integer()));
}
Value integer_to_float8(Call&, const Value* a, std::size_t) {
    return Value::float8(static_cast<double>(a[0].integer()));
}
Value integer_to_numeric(Call& call, const Value* a, std::size_t) {
    return Value::numeric(numeric_from_int(a[0].integer(), call.arena));
}
Value integer_to_boolean(Call&, const Value* a, std::size_t) { return Value::boolean(a[0].integer() != 0); }
Value boolean_to_integer(Call&, const Value* a, std::size_t) { return Value::int4(a[0].boolean() ? 1 : 0); }
Value integer_to_oid(Call& call, const Value* a, std::size_t) {
    if (a[0].type() == type::int8 && (a[0].integer() < 0 || a[0].integer() > 0xffffffffll)) {
        raise(sqlstate::numeric_value_out_of_range, "OID out of range");
    }
    return Value::integer(call.result_type,
                          static_cast<std::int64_t>(static_cast<std::uint32_t>(a[0].integer())));
}
Value oid_to_int4(Call&, const Value* a, std::size_t) {
    return Value::int4(static_cast<std::int32_t>(static_cast<std::uint32_t>(a[0].integer())));
}
Value oid_to_int8(Call&, const Value* a, std::size_t) { return Value::int8(a[0].integer()); }

template <Oid Target>
Value real_to_integer(Call&, const Value* a, std::size_t) {
    const double rounded = std::nearbyint(a[0].real());
    constexpr double limit = Target == type::int2   ? 32768.0
                             : Target == type::int4 ? 2147483648.0
                                                    : 9223372036854775808.0;
    if (!(rounded >= -limit && rounded < limit)) out_of_range(Target);
    return Value::integer(Target, static_cast<std::int64_t>(rounded));
}
Value float4_to_float8(Call&, const Value* a, std::size_t) { return Value::float8(a[0].real()); }
Value float8_to_float4(Call&, const Value* a, std::size_t) {
    const float result = static_cast<float>(a[0].real());
    if (std::isinf(result) && !std::isinf(a[0].real())) overflow();
    if (result == 0 && a[0].real() != 0) underflow();
    return Value::float4(result);
}
Value real_to_numeric(Call& call, const Value* a, std::size_t) {
    if (a[0].type() == type::float4)
        return Value::numeric(numeric_from_float(static_cast<float>(a[0].real()), call.arena));
    return Value::numeric(numeric_from_double(a[0].real(), call.arena));
}
template <Oid Target>
Value numeric_to_integer(Call&, const Value* a, std::size_t) {
    return Value::integer(Target, numeric_to_int(a[0].numeric(), Target == type::int2   ? 16
                                                                 : Target == type::int4 ? 32
                                                                                        : 64));
}
Value numeric_to_float8(Call&, const Value* a, std::size_t) {
    return Value::float8(numeric_to_double(a[0].numeric()));
}
Value numeric_to_float4(Call&, const Value* a, std::size_t) {
    if (!a[0].numeric().is_finite())
        return Value::float4(static_cast<float>(numeric_to_double(a[0].numeric())));
    std::string text;
    numeric_to_text(a[0].numeric(), text);
    return Value::float4(float4_from_text(text));
}

// ---- random numbers ----

std::uint64_t next_random(Session& session) {
    // xorshift128+: S. Vigna, Further scramblings of Marsaglia's xorshift generators.
    std::uint64_t x = session.random_state[0];
    const std::uint64_t y = session.random_state[1];
    session.random_state[0] = y;
    x ^= x << 23;
    session.random_state[1] = x ^ y ^ (x >> 17) ^ (y >> 26);
    return session.random_state[1] + y;
}
Value random(Call& call, const Value*, std::size_t) {
    return Value::float8(static_cast<double>(next_random(call.session) >> 11) * 0x1.0p-53);
}
Value set_seed(Call& call, const Value* a, std::size_t) {
    const double seed = a[0].real();
    if (!(seed >= -1 && seed <= 1)) {
        raise(sqlstate::invalid_parameter_value,
              "setseed parameter " + std::to_string(seed) + " is out of allowed range [-1,1]");
    }
    const std::uint64_t bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(seed * 2147483647.0));
    call.session.random_state[0] = (bits + 1) * 0x9e3779b97f4a7c15u;
    call.session.random_state[1] = (bits ^ 0x5851f42d4c957f2du) * 0xbf58476d1ce4e5b9u | 1;
    return Value::text("").as(type::void_);
}

constexpr FunctionSource k_functions[] = {
    {"abs(int2) int2", &integer_abs<type::int2>},
    {"abs(int4) int4", &integer_abs<type::int4>},
    {"abs(int8) int8", &integer_abs<type::int8>},
    {"abs(float4) float4", &real_abs},
    {"abs(float8) float8", &real_abs},
    {"abs(numeric) numeric", &numeric_unary<&numeric_abs>},
    {"mod(int2,int2) int2", &integer_modulo<type::int2>},
    {"mod(int4,int4) int4", &integer_modulo<type::int4>},
    {"mod(int8,int8) int8", &integer_modulo<type::int8>},
    {"mod(numeric,numeric) numeric", &numeric_binary<&numeric_modulo>},
    {"gcd(int4,int4) int4", &integer_gcd<type::int4>},
    {"gcd(int8,int8) int8", &integer_gcd<type::int8>},
    {"gcd(numeric,numeric) numeric", &numeric_binary<&numeric_gcd>},
    {"lcm(int4,int4) int4", &integer_lcm<type::int4>},
    {"lcm(int8,int8) int8", &integer_lcm<type::int8>},
    {"lcm(numeric,numeric) numeric", &numeric_binary<&numeric_lcm>},
    {"div(numeric,numeric) numeric", &numeric_binary<&numeric_divide_whole>},
    {"round(numeric) numeric", &round_whole},
    {"round(numeric,int4) numeric", &round_to},
    {"round(float8) float8", &real_function<&libm_nearbyint>},
    {"trunc(numeric) numeric", &truncate_whole},
    {"trunc(numeric,int4) numeric", &truncate_to},
    {"trunc(float8) float8", &real_function<&libm_trunc>},
    {"ceil(numeric) numeric", &numeric_unary<&numeric_ceil>},
    {"ceil(float8) float8", &real_function<&libm_ceil>},
    {"ceiling(numeric) numeric", &numeric_unary<&numeric_ceil>},
    {"ceiling(float8) float8", &real_function<&libm_ceil>},
    {"floor(numeric) numeric", &numeric_unary<&numeric_floor>},
    {"floor(float8) float8", &real_function<&libm_floor>},
    {"sign(numeric) numeric", &numeric_sign},
    {"sign(float8) float8", &real_function<&sign_of>},
    {"sqrt(numeric) numeric", &numeric_unary<&numeric_sqrt>},
    {"sqrt(float8) float8", &real_sqrt},
    {"cbrt(float8) float8", &real_function<&libm_cbrt>},
    {"exp(numeric) numeric", &numeric_unary<&numeric_exp>},
    {"exp(float8) float8", &real_exp},
    {"ln(numeric) numeric", &numeric_unary<&numeric_ln>},
    {"ln(float8) float8", &real_logarithm<&libm_log>},
    {"log(numeric) numeric", &numeric_log10},
    {"log(float8) float8", &real_logarithm<&libm_log10>},
    {"log(numeric,numeric) numeric", &numeric_binary<&numeric_log>},
    {"log10(numeric) numeric", &numeric_log10},
    {"log10(float8) float8", &real_logarithm<&libm_log10>},
    {"power(float8,float8) float8", &real_power},
    {"power(numeric,numeric) numeric", &numeric_binary<&numeric_power>},
    {"pow(float8,float8) float8", &real_power},
    {"pow(numeric,numeric) numeric", &numeric_binary<&numeric_power>},
    {"scale(numeric) int4", &scale},
    {"min_scale(numeric) int4", &min_scale},
    {"trim_scale(numeric) numeric", &numeric_unary<&numeric_trim_scale>},
    {"factorial(int8) numeric", &factorial},
    {"width_bucket(numeric,numeric,numeric,int4) int4", &width_bucket},
    {"width_bucket(float8,float8,float8,int4) int4", &real_width_bucket},
    {"width_bucket(anycompatible,anycompatiblearray) int4", &width_bucket_of_array},
    {"numeric_inc(numeric) numeric", &numeric_inc},
    {"sin(float8) float8", &real_function<&libm_sin>},
    {"cos(float8) float8", &real_function<&libm_cos>},
    {"tan(float8) float8", &real_function<&libm_tan>},
    {"cot(float8) float8", &unbounded_function<&cotangent>},
    {"asin(float8) float8", &real_function<&libm_asin>},
    {"acos(float8) float8", &real_function<&libm_acos>},
    {"atan(float8) float8", &real_function<&libm_atan>},
    {"atan2(float8,float8) float8", &real_atan2},
    {"sinh(float8) float8", &unbounded_function<&libm_sinh>},
    {"cosh(float8) float8", &unbounded_function<&libm_cosh>},
    {"tanh(float8) float8", &real_function<&libm_tanh>},
    {"asinh(float8) float8", &real_function<&libm_asinh>},
    {"acosh(float8) float8", &real_function<&libm_acosh>},
    {"atanh(float8) float8", &unbounded_function<&libm_atanh>},
    {"sind(float8) float8", &degrees_function<&sine_degrees>},
    {"cosd(float8) float8", &degrees_function<&cosine_degrees>},
    {"tand(float8) float8", &degrees_function<&tangent_degrees>},
    {"cotd(float8) float8", &degrees_function<&cotangent_degrees>},
    {"asind(float8) float8", &arc_degrees<&arc_sine_degrees>},
    {"acosd(float8) float8", &arc_degrees<&arc_cosine_degrees>},
    {"atand(float8) float8", &real_function<&arc_tangent_degrees>},
    {"atan2d(float8,float8) float8", &real_atan2d},
    {"degrees(float8) float8", &real_function<&to_degrees>},
    {"radians(float8) float8", &real_function<&to_radians>},
    {"pi() float8", &pi},
    {"random() float8 volatile", &random},
    {"setseed(float8) void volatile", &set_seed},
};

template <bool Equal>
Value compare_xids(Call&, const Value* a, std::size_t) {
    return Value::boolean((a[0].integer() == a[1].integer()) == Equal);
}

/// Without the times that the shorter numbers came round.
Value short_xid(Call&, const Value* a, std::size_t) {
    return Value::integer(type::xid, a[0].integer() & 0xffffffff);
}

constexpr OperatorSource k_operators[] = {
    {"xid = xid bool", &compare_xids<true>, "xideq"},
    {"xid = int4 bool", &compare_xids<true>, "xideqint4"},
    {"xid <> xid bool", &compare_xids<false>, "xidneq"},
    {"xid <> int4 bool", &compare_xids<false>, "xidneqint4"},
    {"int2 + int2 int2", &integer_add<type::int2>, "int2pl"},
    {"int4 + int4 int4", &integer_add<type::int4>, "int4pl"},
    {"int8 + int8 int8", &integer_add<type::int8>, "int8pl"},
    {"int2 + int4 int4", &integer_add<type::int4>, "int24pl"},
    {"int4 + int2 int4", &integer_add<type::int4>, "int42pl"},
    {"int2 + int8 int8", &integer_add<type::int8>, "int28pl"},
    {"int8 + int2 int8", &integer_add<type::int8>, "int82pl"},
    {"int4 + int8 int8", &integer_add<type::int8>, "int48pl"},
    {"int8 + int4 int8", &integer_add<type::int8>, "int84pl"},
    {"int2 - int2 int2", &integer_subtract<type::int2>, "int2mi"},
    {"int4 - int4 int4", &integer_subtract<type::int4>, "int4mi"},
    {"int8 - int8 int8", &integer_subtract<type::int8>, "int8mi"},
    {"int2 - int4 int4", &integer_subtract<type::int4>, "int24mi"},
    {"int4 - int2 int4", &integer_subtract<type::int4>, "int42mi"},
    {"int2 - int8 int8", &integer_subtract<type::int8>, "int28mi"},
    {"int8 - int2 int8", &integer_subtract<type::int8>, "int82mi"},
    {"int4 - int8 int8", &integer_subtract<type::int8>, "int48mi"},
    {"int8 - int4 int8", &integer_subtract<type::int8>, "int84mi"},
    {"int2 * int2 int2", &integer_multiply<type::int2>, "int2mul"},
    {"int4 * int4 int4", &integer_multiply<type::int4>, "int4mul"},
    {"int8 * int8 int8", &integer_multiply<type::int8>, "int8mul"},
    {"int2 * int4 int4", &integer_multiply<type::int4>, "int24mul"},
    {"int4 * int2 int4", &integer_multiply<type::int4>, "int42mul"},
    {"int2 * int8 int8", &integer_multiply<type::int8>, "int28mul"},
    {"int8 * int2 int8", &integer_multiply<type::int8>, "int82mul"},
    {"int4 * int8 int8", &integer_multiply<type::int8>, "int48mul"},
    {"int8 * int4 int8", &integer_multiply<type::int8>, "int84mul"},
    {"int2 / int2 int2", &integer_divide<type::int2>, "int2div"},
    {"int4 / int4 int4", &integer_divide<type::int4>, "int4div"},
    {"int8 / int8 int8", &integer_divide<type::int8>, "int8div"},
    {"int2 / int4 int4", &integer_divide<type::int4>, "int24div"},
    {"int4 / int2 int4", &integer_divide<type::int4>, "int42div"},
    {"int2 / int8 int8", &integer_divide<type::int8>, "int28div"},
    {"int8 / int2 int8", &integer_divide<type::int8>, "int82div"},
    {"int4 / int8 int8", &integer_divide<type::int8>, "int48div"},
    {"int8 / int4 int8", &integer_divide<type::int8>, "int84div"},
    {"int2 % int2 int2", &integer_modulo<type::int2>, "int2mod"},
    {"int4 % int4 int4", &integer_modulo<type::int4>, "int4mod"},
    {"int8 % int8 int8", &integer_modulo<type::int8>, "int8mod"},
    {"- + int2 int2", &same, "int2up"},
    {"- + int4 int4", &same, "int4up"},
    {"- + int8 int8", &same, "int8up"},
    {"- + float4 float4", &same, "float4up"},
    {"- + float8 float8", &same, "float8up"},
    {"- + numeric numeric", &same, "numeric_uplus"},
    {"- - int2 int2", &integer_negate<type::int2>, "int2um"},
    {"- - int4 int4", &integer_negate<type::int4>, "int4um"},
    {"- - int8 int8", &integer_negate<type::int8>, "int8um"},
    {"- - float4 float4", &real_negate, "float4um"},
    {"- - float8 float8", &real_negate, "float8um"},
    {"- - numeric numeric", &numeric_unary<&numeric_negate>, "numeric_uminus"},
    {"- @ int2 int2", &integer_abs<type::int2>, "int2abs"},
    {"- @ int4 int4", &integer_abs<type::int4>, "int4abs"},
    {"- @ int8 int8", &integer_abs<type::int8>, "int8abs"},
    {"- @ float4 float4", &real_abs, "float4abs"},
    {"- @ float8 float8", &real_abs, "float8abs"},
    {"- @ numeric numeric", &numeric_unary<&numeric_abs>, "numeric_abs"},
    {"int2 & int2 int2", &bit_and, "int2and"},
    {"int4 & int4 int4", &bit_and, "int4and"},
    {"int8 & int8 int8", &bit_and, "int8and"},
    {"int2 | int2 int2", &bit_or, "int2or"},
    {"int4 | int4 int4", &bit_or, "int4or"},
    {"int8 | int8 int8", &bit_or, "int8or"},
    {"int2 # int2 int2", &bit_xor, "int2xor"},
    {"int4 # int4 int4", &bit_xor, "int4xor"},
    {"int8 # int8 int8", &bit_xor, "int8xor"},
    {"- ~ int2 int2", &bit_not, "int2not"},
    {"- ~ int4 int4", &bit_not, "int4not"},
    {"- ~ int8 int8", &bit_not, "int8not"},
    {"int2 << int4 int2", &shift_left<type::int2>, "int2shl"},
    {"int4 << int4 int4", &shift_left<type::int4>, "int4shl"},
    {"int8 << int4 int8", &shift_left<type::int8>, "int8shl"},
    {"int2 >> int4 int2", &shift_right<type::int2>, "int2shr"},
    {"int4 >> int4 int4", &shift_right<type::int4>, "int4shr"},
    {"int8 >> int4 int8", &shift_right<type::int8>, "int8shr"},
    {"float4 + float4 float4", &real_operation<'+'>, "float4pl"},
    {"float8 + float8 float8", &real_operation<'+'>, "float8pl"},
    {"float4 + float8 float8", &real_operation<'+'>, "float48pl"},
    {"float8 + float4 float8", &real_operation<'+'>, "float84pl"},
    {"float4 - float4 float4", &real_operation<'-'>, "float4mi"},
    {"float8 - float8 float8", &real_operation<'-'>, "float8mi"},
    {"float4 - float8 float8", &real_operation<'-'>, "float48mi"},
    {"float8 - float4 float8", &real_operation<'-'>, "float84mi"},
    {"float4 * float4 float4", &real_operation<'*'>, "float4mul"},
    {"float8 * float8 float8", &real_operation<'*'>, "float8mul"},
    {"float4 * float8 float8", &real_operation<'*'>, "float48mul"},
    {"float8 * float4 float8", &real_operation<'*'>, "float84mul"},
    {"float4 / float4 float4", &real_operation<'/'>, "float4div"},
    {"float8 / float8 float8", &real_operation<'/'>, "float8div"},
    {"float4 / float8 float8", &real_operation<'/'>, "float48div"},
    {"float8 / float4 float8", &real_operation<'/'>, "float84div"},
    {"float8 ^ float8 float8", &real_power, "dpow"},
    {"numeric ^ numeric numeric", &numeric_binary<&numeric_power>, "numeric_power"},
    {"- |/ float8 float8", &real_sqrt, "dsqrt"},
    {"- ||/ float8 float8", &real_function<&libm_cbrt>, "dcbrt"},
    {"numeric + numeric numeric", &numeric_binary<&numeric_add>, "numeric_add"},
    {"numeric - numeric numeric", &numeric_binary<&numeric_subtract>, "numeric_sub"},
    {"numeric * numeric numeric", &numeric_binary<&numeric_multiply>, "numeric_mul"},
    {"numeric / numeric numeric", &numeric_binary<&numeric_divide>, "numeric_div"},
    {"numeric % numeric numeric", &numeric_binary<&numeric_modulo>, "numeric_mod"},
};

constexpr CastSource k_casts[] = {
    {"xid8 xid e", &short_xid},
    {"int2 int4 i", &integer_to_integer<type::int4>},
    {"int2 int8 i", &integer_to_integer<type::int8>},
    {"int2 float4 i", &integer_to_float4},
    {"int2 float8 i", &integer_to_float8},
    {"int2 numeric i", &integer_to_numeric},
    {"int4 int2 a", &integer_to_integer<type::int2>},
    {"int4 int8 i", &integer_to_integer<type::int8>},
    {"int4 float4 i", &integer_to_float4},
    {"int4 float8 i", &integer_to_float8},
    {"int4 numeric i", &integer_to_numeric},
    {"int4 bool e", &integer_to_boolean},
    {"int8 int2 a", &integer_to_integer<type::int2>},
    {"int8 int4 a", &integer_to_integer<type::int4>},
    {"int8 float4 i", &integer_to_float4},
    {"int8 float8 i", &integer_to_float8},
    {"int8 numeric i", &integer_to_numeric},
    {"bool int4 e", &boolean_to_integer},
    {"float4 float8 i", &float4_to_float8},
    {"float4 int2 a", &real_to_integer<type::int2>},
    {"float4 int4 a", &real_to_integer<type::int4>},
    {"float4 int8 a", &real_to_integer<type::int8>},
    {"float4 numeric a", &real_to_numeric},
    {"float8 float4 a", &float8_to_float4},
    {"float8 int2 a", &real_to_integer<type::int2>},
    {"float8 int4 a", &real_to_integer<type::int4>},
    {"float8 int8 a", &real_to_integer<type::int8>},
    {"float8 numeric a", &real_to_numeric},
    {"numeric int2 a", &numeric_to_integer<type::int2>},
    {"numeric int4 a", &numeric_to_integer<type::int4>},
    {"numeric int8 a", &numeric_to_integer<type::int8>},
    {"numeric float4 i", &numeric_to_float4},
    {"numeric float8 i", &numeric_to_float8},
    {"int2 oid i", &integer_to_oid},
    {"int4 oid i", &integer_to_oid},
    {"int8 oid i", &integer_to_oid},
    {"oid int4 a", &oid_to_int4},
    {"oid int8 a", &oid_to_int8},
    {"int2 regclass i", &integer_to_oid},
    {"int4 regclass i", &integer_to_oid},
    {"int8 regclass i", &integer_to_oid},
    {"oid regclass i"},
    {"regclass oid i"},
    {"regclass int4 a", &oid_to_int4},
    {"regclass int8 a", &oid_to_int8},
    {"int2 regproc i", &integer_to_oid},
    {"regproc int4 a", &oid_to_int4},
    {"regproc int8 a", &oid_to_int8},
    {"int2 regprocedure i", &integer_to_oid},
    {"int4 regprocedure i", &integer_to_oid},
    {"int8 regprocedure i", &integer_to_oid},
    {"regprocedure int4 a", &oid_to_int4},
    {"regprocedure int8 a", &oid_to_int8},
    {"int2 regnamespace i", &integer_to_oid},
    {"regnamespace int4 a", &oid_to_int4},
    {"regnamespace int8 a", &oid_to_int8},
    {"int2 regrole i", &integer_to_oid},
    {"regrole int4 a", &oid_to_int4},
    {"regrole int8 a", &oid_to_int8},
    {"int2 regtype i", &integer_to_oid},
    {"int4 regtype i", &integer_to_oid},
    {"int8 regtype i", &integer_to_oid},
    {"oid regtype i"},
    {"regtype oid i"},
    {"regtype int4 a", &oid_to_int4},
    {"regtype int8 a", &oid_to_int8},
    {"oid regproc i"},
    {"regproc oid i"},
};

}  // namespace number_functions_file

std::span<const FunctionSource> number_functions() { return number_functions_file::k_functions; }
std::span<const OperatorSource> number_operators() { return number_functions_file::k_operators; }
std::span<const CastSource> number_casts() { return number_functions_file::k_casts; }

}  // namespace northstar::inline v0::sql
