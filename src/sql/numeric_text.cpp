// Numerics as text and bytes.

#include "sql/error.hpp"
#include "sql/numeric.hpp"
#include "sql/numeric_wide.hpp"

#include <algorithm>
#include <charconv>

namespace northstar::inline v0::sql {

namespace numeric_text_file {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
        if (c != lower[i]) return false;
    }
    return true;
}

/// The coefficient's digits and sign of a finite number.
std::string digits_of(const Numeric& value) {
    if (value.is_small()) {
        char text[24];
        const std::int64_t magnitude = value.small < 0 ? -value.small : value.small;
        const auto [end, error] = std::to_chars(text, text + sizeof text, magnitude);
        return {text, end};
    }
    return limbs_to_text({value.limbs, value.count});
}

/// Bytes of a big-endian number.
void put_big_endian(std::string& out, std::uint32_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

[[noreturn]] void damaged() { raise(sqlstate::data_corrupted, "a stored numeric is malformed"); }

// First bytes of keys, in the order of the numbers.
constexpr char k_key_minus_infinity = 0x05;
constexpr char k_key_negative = 0x10;
constexpr char k_key_zero = 0x20;
constexpr char k_key_positive = 0x30;
constexpr char k_key_infinity = 0x3a;
constexpr char k_key_nan = 0x3f;
constexpr std::int64_t k_key_bias = 64;  // of exponents that fit one byte
constexpr std::int64_t k_key_far_bias = 0x800000;

}  // namespace numeric_text_file

Numeric numeric_from_text(std::string_view text, Arena& arena) {
    using namespace numeric_text_file;
    const auto bad = [&]() {
        raise(sqlstate::invalid_text_representation,
              "invalid input syntax for type numeric: \"" + std::string(text) + '"');
    };
    std::string_view rest = text;
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
    if (equals_ignoring_case(rest, "nan")) return Numeric::nan();
    bool negative = false;
    if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
        negative = rest.front() == '-';
        rest.remove_prefix(1);
    }
    if (equals_ignoring_case(rest, "inf") || equals_ignoring_case(rest, "infinity")) {
        return Numeric::infinity(negative ? -1 : 1);
    }
    // The small case without any copy: up to 18 digits and no exponent.
    std::size_t at = 0;
    std::int64_t small = 0;
    std::int64_t scale = 0;
    std::size_t digits = 0;
    bool point = false;
    for (; at < rest.size(); ++at) {
        const char c = rest[at];
        if (c == '.' && !point) {
            point = true;
        } else if (is_digit(c)) {
            if (++digits <= 18) small = small * 10 + (c - '0');
            if (point) ++scale;
        } else {
            break;
        }
    }
    if (digits == 0) bad();
    if (at == rest.size() && digits <= 18) {
        return Numeric::of(negative ? -small : small, static_cast<std::uint32_t>(scale));
    }
    std::int64_t exponent = 0;
    const std::size_t mantissa = at;
    if (at < rest.size()) {
        if (rest[at] != 'e' && rest[at] != 'E') bad();
        ++at;
        bool negative_exponent = false;
        if (at < rest.size() && (rest[at] == '-' || rest[at] == '+')) negative_exponent = rest[at++] == '-';
        if (at == rest.size()) bad();
        for (; at < rest.size(); ++at) {
            if (!is_digit(rest[at])) bad();
            if (exponent < 2'000'000'000) exponent = exponent * 10 + (rest[at] - '0');
        }
        if (exponent >= 0x3fffffff) raise_numeric_overflow();
        if (negative_exponent) exponent = -exponent;
    }
    std::string all;
    for (const char c : rest.substr(0, mantissa)) {
        if (c != '.' && (c != '0' || !all.empty())) all += c;
    }
    Wide wide;
    wide.scale = scale - exponent;
    if (!all.empty() && static_cast<std::int64_t>(all.size()) - wide.scale > k_numeric_max_whole_digits)
        raise_numeric_overflow();
    if (wide.scale > k_numeric_max_scale) raise_numeric_overflow();
    wide.limbs = limbs_from_text(all);
    wide.negative = negative && !wide.limbs.empty();
    if (wide.scale < 0) wide_rescale(wide, 0);
    return finish(wide, arena);
}

void numeric_to_text(const Numeric& value, std::string& out) {
    if (value.is_nan()) {
        out += "NaN";
        return;
    }
    if (value.is_infinite()) {
        out += value.small < 0 ? "-Infinity" : "Infinity";
        return;
    }
    const std::string digits = numeric_text_file::digits_of(value);
    if (value.sign() < 0) out += '-';
    const std::size_t scale = value.scale;
    if (scale == 0) {
        out += digits;
    } else if (digits.size() > scale) {
        out.append(digits, 0, digits.size() - scale);
        out += '.';
        out.append(digits, digits.size() - scale, scale);
    } else {
        out += "0.";
        out.append(scale - digits.size(), '0');
        out += digits;
    }
}

std::string numeric_to_scientific(const Numeric& value, int digits) {
    if (!value.is_finite()) {
        std::string text;
        numeric_to_text(value, text);
        return text;
    }
    Wide wide = wide_of(value);
    std::int64_t exponent = wide.exponent();
    if (!wide.is_zero()) {
        // 9.99 rounds to 10.0: then one digit moves.
        Wide rounded = wide;
        wide_rescale(rounded, digits - exponent);
        if (rounded.exponent() != exponent) ++exponent;
        wide_rescale(wide, digits - exponent);
    }
    std::string text =
        wide.is_zero() ? std::string(static_cast<std::size_t>(digits) + 1, '0') : limbs_to_text(wide.limbs);
    if (digits > 0) text.insert(1, 1, '.');
    if (wide.negative) text.insert(0, 1, '-');
    text += 'e';
    text += exponent < 0 ? '-' : '+';
    const std::string power = std::to_string(exponent < 0 ? -exponent : exponent);
    if (power.size() < 2) text += '0';
    return text + power;
}

// ---- stored ----
// One byte: kind in the low two bits, sign in the third. Finite: the scale as LEB128, then the magnitude: of
// a small one its bytes without zeros at the top, of a big one its limbs.

void numeric_to_stored(const Numeric& value, std::string& out) {
    const bool negative = value.is_finite() || value.is_infinite() ? value.sign() < 0 : false;
    out += static_cast<char>(static_cast<unsigned>(value.kind) | (negative ? 4u : 0u));
    if (!value.is_finite()) return;
    std::uint32_t scale = value.scale;
    for (; scale >= 0x80; scale >>= 7) out += static_cast<char>((scale & 0x7f) | 0x80);
    out += static_cast<char>(scale);
    if (value.is_small()) {
        for (std::uint64_t rest = static_cast<std::uint64_t>(negative ? -value.small : value.small);
             rest != 0; rest >>= 8) {
            out += static_cast<char>(rest & 0xff);
        }
        return;
    }
    for (std::uint32_t i = 0; i < value.count; ++i) {
        for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value.limbs[i] >> shift & 0xff);
    }
}

Numeric numeric_from_stored(std::string_view bytes, Arena& arena) {
    using namespace numeric_text_file;
    const auto byte = [&](std::size_t at) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at]));
    };
    if (bytes.empty() || byte(0) > 7) damaged();
    const NumericKind kind = static_cast<NumericKind>(byte(0) & 3);
    const bool negative = (byte(0) & 4) != 0;
    if (kind == NumericKind::nan || kind == NumericKind::infinity) {
        if (bytes.size() != 1) damaged();
        return kind == NumericKind::nan ? Numeric::nan() : Numeric::infinity(negative ? -1 : 1);
    }
    std::uint32_t scale = 0;
    std::size_t at = 1;
    for (int shift = 0;; shift += 7) {
        if (at == bytes.size() || shift > 14) damaged();
        const std::uint32_t part = byte(at++);
        scale |= (part & 0x7f) << shift;
        if (part < 0x80) break;
    }
    if (scale > static_cast<std::uint32_t>(k_numeric_max_scale)) damaged();
    const std::size_t size = bytes.size() - at;
    if (kind == NumericKind::small) {
        if (size > 8) damaged();
        std::uint64_t magnitude = 0;
        for (std::size_t i = size; i-- > 0;) magnitude = magnitude << 8 | byte(at + i);
        if (magnitude >= static_cast<std::uint64_t>(k_numeric_small_limit)) damaged();
        const std::int64_t small = static_cast<std::int64_t>(magnitude);
        return Numeric::of(negative ? -small : small, scale);
    }
    if (size % 4 != 0 || size < 12) damaged();
    Wide wide;
    wide.negative = negative;
    wide.scale = scale;
    for (; at < bytes.size(); at += 4) {
        const std::uint32_t limb = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
        if (limb >= k_limb_base) damaged();
        wide.limbs.push_back(limb);
    }
    if (wide.limbs.back() == 0) damaged();
    return finish(wide, arena);
}

// ---- wire: digits to base 10000 behind i16 count, weight, sign and scale ----

void numeric_to_wire(const Numeric& value, std::string& out) {
    using namespace numeric_text_file;
    if (!value.is_finite()) {
        put_big_endian(out, 0, 2);
        put_big_endian(out, 0, 2);
        put_big_endian(out, value.is_nan() ? 0xc000 : value.small < 0 ? 0xf000 : 0xd000, 2);
        put_big_endian(out, value.is_nan() ? 0 : 0x20, 2);
        return;
    }
    std::string digits = digits_of(value);
    // Aligned so that the point falls between groups of four.
    if (value.scale > digits.size()) digits.insert(0, value.scale - digits.size(), '0');
    digits.insert(0, (4 - (digits.size() - value.scale) % 4) % 4, '0');
    std::int64_t weight = static_cast<std::int64_t>((digits.size() - value.scale) / 4) - 1;
    digits.append((4 - digits.size() % 4) % 4, '0');
    std::vector<std::uint32_t> groups;
    for (std::size_t i = 0; i < digits.size(); i += 4) {
        std::uint32_t group = 0;
        for (std::size_t j = i; j < i + 4; ++j)
            group = group * 10 + static_cast<std::uint32_t>(digits[j] - '0');
        groups.push_back(group);
    }
    while (!groups.empty() && groups.back() == 0) groups.pop_back();
    std::size_t first = 0;
    while (first < groups.size() && groups[first] == 0) {
        ++first;
        --weight;
    }
    if (groups.empty()) weight = 0;
    put_big_endian(out, static_cast<std::uint32_t>(groups.size() - first), 2);
    put_big_endian(out, static_cast<std::uint32_t>(weight) & 0xffff, 2);
    put_big_endian(out, value.sign() < 0 ? 0x4000 : 0, 2);
    put_big_endian(out, value.scale, 2);
    for (std::size_t i = first; i < groups.size(); ++i) put_big_endian(out, groups[i], 2);
}

Numeric numeric_from_wire(std::string_view bytes, Arena& arena) {
    const auto bad = [](const char* what) {
        raise(sqlstate::invalid_binary_representation,
              std::string("invalid ") + what + " in external \"numeric\" value");
    };
    const auto word = [&](std::size_t at) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])) << 8 |
               static_cast<unsigned char>(bytes[at + 1]);
    };
    if (bytes.size() < 8 || bytes.size() != 8 + 2 * std::size_t{word(0)}) bad("length");
    const std::uint32_t sign = word(4);
    if (sign == 0xc000) return Numeric::nan();
    if (sign == 0xd000 || sign == 0xf000) return Numeric::infinity(sign == 0xf000 ? -1 : 1);
    if (sign != 0 && sign != 0x4000) bad("sign");
    const std::uint32_t scale = word(6);
    if (scale > static_cast<std::uint32_t>(k_numeric_max_scale)) bad("scale");
    std::string digits;
    for (std::size_t at = 8; at < bytes.size(); at += 2) {
        const std::uint32_t group = word(at);
        if (group >= 10000) bad("digit");
        const std::string text = std::to_string(group);
        digits.append(4 - text.size(), '0');
        digits += text;
    }
    const std::int64_t weight = static_cast<std::int16_t>(word(2));
    Wide wide;
    wide.limbs = limbs_from_text(digits);
    wide.scale = static_cast<std::int64_t>(word(0)) * 4 - (weight + 1) * 4;
    wide.negative = sign == 0x4000 && !wide.limbs.empty();
    if (!wide.is_zero() && wide.exponent() >= k_numeric_max_whole_digits) raise_numeric_overflow();
    wide_rescale(wide, scale, false);
    return finish(wide, arena);
}

// ---- key: kind and sign, power of 100, digits to base 100 ----
// A digit d is written 2d + 1 where more follow and 2d where it is the last, so that no key is the beginning
// of another one. Bytes behind the first are inverted for negative numbers. (SQLite 4's key encoding has the
// same idea.)

void numeric_to_key(const Numeric& value, std::string& out) {
    using namespace numeric_text_file;
    if (value.is_nan() || value.is_infinite() || value.sign() == 0) {
        out += value.is_nan()      ? k_key_nan
               : value.sign() == 0 ? k_key_zero
               : value.sign() < 0  ? k_key_minus_infinity
                                   : k_key_infinity;
        return;
    }
    const bool negative = value.sign() < 0;
    std::string digits = digits_of(value);
    digits.resize(digits.find_last_not_of('0') + 1);
    // 0.digits * 10^power
    std::int64_t power = limbs_digits(wide_of(value).limbs) - value.scale;
    if (power % 2 != 0) {
        digits.insert(0, 1, '0');
        ++power;
    }
    if (digits.size() % 2 != 0) digits += '0';
    const std::int64_t exponent = power / 2;
    std::string key;
    if (exponent + k_key_bias >= 2 && exponent + k_key_bias <= 253) {
        key += static_cast<char>(exponent + k_key_bias);
    } else {
        key += static_cast<char>(exponent < 0 ? 1 : 254);
        put_big_endian(key, static_cast<std::uint32_t>(exponent + k_key_far_bias), 3);
    }
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int digit = (digits[i] - '0') * 10 + (digits[i + 1] - '0');
        key += static_cast<char>(2 * digit + (i + 2 < digits.size() ? 1 : 0));
    }
    out += negative ? k_key_negative : k_key_positive;
    for (const char byte : key) out += negative ? static_cast<char>(~byte) : byte;
}

Numeric numeric_from_key(std::string_view& bytes, Arena& arena) {
    using namespace numeric_text_file;
    std::size_t at = 0;
    bool negative = false;
    const auto next = [&]() {
        if (at == bytes.size()) damaged();
        const unsigned char byte = static_cast<unsigned char>(bytes[at++]);
        return static_cast<std::uint32_t>(negative ? static_cast<unsigned char>(~byte) : byte);
    };
    const char kind = static_cast<char>(next());
    Numeric result;
    if (kind == k_key_nan) {
        result = Numeric::nan();
    } else if (kind == k_key_infinity || kind == k_key_minus_infinity) {
        result = Numeric::infinity(kind == k_key_infinity ? 1 : -1);
    } else if (kind == k_key_negative || kind == k_key_positive) {
        negative = kind == k_key_negative;
        const std::uint32_t near = next();
        std::int64_t exponent = static_cast<std::int64_t>(near) - k_key_bias;
        if (near == 1 || near == 254) {
            std::uint32_t far = next() << 16;
            far |= next() << 8;
            far |= next();
            exponent = static_cast<std::int64_t>(far) - k_key_far_bias;
        }
        std::string digits;
        for (bool more = true; more;) {
            const std::uint32_t byte = next();
            more = (byte & 1) != 0;
            if (byte / 2 > 99) damaged();
            digits += static_cast<char>('0' + byte / 20);
            digits += static_cast<char>('0' + byte / 2 % 10);
        }
        if (exponent > k_numeric_max_whole_digits / 2 + 1) damaged();
        Wide wide;
        wide.scale = static_cast<std::int64_t>(digits.size()) - exponent * 2;
        if (digits.back() == '0') {
            digits.pop_back();
            --wide.scale;
        }
        wide.limbs = limbs_from_text(digits);
        wide.negative = negative;
        if (wide.scale > k_numeric_max_scale || wide.limbs.empty()) damaged();
        if (wide.scale < 0) wide_rescale(wide, 0);
        result = finish(wide, arena);
    } else if (kind != k_key_zero) {
        damaged();
    }
    bytes.remove_prefix(at);
    return result;
}

}  // namespace northstar::inline v0::sql
