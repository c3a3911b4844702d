#include "sql/scalar_text.hpp"

#include "sql/error.hpp"
#include "sql/int128.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace northstar::inline v0::sql {

namespace scalar_file {

const char* integer_name(int bits) { return bits == 16 ? "smallint" : bits == 32 ? "integer" : "bigint"; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_word(std::string_view text, std::string_view word) {
    if (text.size() != word.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (lower(text[i]) != word[i]) return false;
    }
    return true;
}

/// Value of a hexadecimal digit, or -1.
int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

template <class T>
T float_from_text(std::string_view text, const char* name) {
    const std::string_view trimmed = trim_blanks(text);
    std::string_view rest = trimmed;
    bool negative = false;
    if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
        negative = rest[0] == '-';
        rest.remove_prefix(1);
    }
    if (same_word(rest, "nan")) return std::numeric_limits<T>::quiet_NaN();
    if (same_word(rest, "infinity") || same_word(rest, "inf")) {
        return negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    }
    if (rest.empty() || !((rest[0] >= '0' && rest[0] <= '9') || rest[0] == '.')) raise_bad_text(name, text);
    T value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error == std::errc::invalid_argument || end != rest.data() + rest.size()) raise_bad_text(name, text);
    if (error == std::errc::result_out_of_range) {
        raise(sqlstate::numeric_value_out_of_range,
              '"' + std::string(trimmed) + "\" is out of range for type " + name);
    }
    return negative ? -value : value;
}

/// Whether decimal digits ("d.ddde+xx") name a number that lies half way between two of the type.
template <class T>
bool is_half_way(std::string_view text) {
    std::uint64_t digits = 0;  // seventeen at most
    int exponent = 0, behind = 0;
    bool fraction = false;
    const std::size_t mark = text.find('e');
    for (const char c : text.substr(0, mark)) {
        if (c == '.') fraction = true;
        if (c < '0' || c > '9') continue;
        digits = digits * 10 + static_cast<std::uint64_t>(c - '0');
        behind += fraction ? 1 : 0;
    }
    const std::string_view power = text.substr(mark + (text[mark + 1] == '+' ? 2 : 1));
    std::from_chars(power.data(), power.data() + power.size(), exponent);
    // Such a number is odd, with one bit more than the type has, times a power of two: few tens divide it.
    constexpr int bits = std::numeric_limits<T>::digits + 1;
    exponent -= behind;
    if (exponent > 23 || digits == 0) return false;
    for (; exponent < 0; ++exponent) {
        if (digits % 5 != 0) return false;
        digits /= 5;
    }
    UInt128 odd = digits;
    for (; exponent > 0; --exponent) odd *= 5;
    while (odd % 2 == 0) odd /= 2;
    return odd >> (bits - 1) == 1;
}

template <class T>
void float_to_text(T value, std::string& out, int precision, int widest) {
    if (std::isnan(value)) {
        out += "NaN";
        return;
    }
    if (std::isinf(value)) {
        out += value < 0 ? "-Infinity" : "Infinity";
        return;
    }
    char buffer[64];
    if (precision > 0) {
        const auto [end, error] =
            std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, precision);
        out.append(buffer, end);
        return;
    }
    char* end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
    // The shortest digits that any reader takes for the number: those in the middle may be read as its neighbour.
    bool sure = !is_half_way<T>({buffer, end});
    for (int behind = 0; !sure && behind < std::numeric_limits<T>::max_digits10; ++behind) {
        end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific, behind).ptr;
        T again = 0;
        std::from_chars(buffer, end, again);
        sure = again == value && !is_half_way<T>({buffer, end});
    }
    // d.ddde+xx: as it is where the exponent is far off, else with the point in its place.
    const char* mark = end - 1;
    while (*mark != 'e') --mark;
    int exponent = 0;
    std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, exponent);
    if (exponent < -4 || exponent >= widest) {
        out.append(buffer, end);
        return;
    }
    std::string digits;
    const char* at = buffer;
    if (*at == '-') {
        out += '-';
        ++at;
    }
    for (; at < mark; ++at) {
        if (*at != '.') digits += *at;
    }
    if (exponent < 0) {
        out += "0.";
        out.append(static_cast<std::size_t>(-exponent - 1), '0');
        out += digits;
        return;
    }
    const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
    if (digits.size() <= whole) {
        out += digits;
        out.append(whole - digits.size(), '0');
    } else {
        out.append(digits, 0, whole);
        out += '.';
        out.append(digits, whole, std::string::npos);
    }
}

}  // namespace scalar_file

void raise_bad_text(const char* type_name, std::string_view text) {
    raise(sqlstate::invalid_text_representation,
          std::string("invalid input syntax for type ") + type_name + ": \"" + std::string(text) + '"');
}

bool is_sql_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && is_sql_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_sql_blank(text.back())) text.remove_suffix(1);
    return text;
}

bool boolean_from_text(std::string_view text) {
    const std::string_view word = trim_blanks(text);
    const auto prefix_of = [&](std::string_view whole, std::size_t least) {
        return word.size() >= least && word.size() <= whole.size() &&
               scalar_file::same_word(word, whole.substr(0, word.size()));
    };
    if (prefix_of("true", 1) || prefix_of("yes", 1) || prefix_of("on", 2) || word == "1") return true;
    if (prefix_of("false", 1) || prefix_of("no", 1) || prefix_of("off", 2) || word == "0") return false;
    raise_bad_text("boolean", text);
}

std::int64_t integer_from_text(std::string_view text, int bits) {
    std::string_view digits = trim_blanks(text);
    bool negative = false;
    if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) {
        negative = digits[0] == '-';
        digits.remove_prefix(1);
    }
    if (digits.empty()) raise_bad_text(scalar_file::integer_name(bits), text);
    const std::uint64_t limit = (std::uint64_t{1} << (bits - 1)) - (negative ? 0 : 1);
    std::uint64_t value = 0;
    bool overflow = false;
    for (const char c : digits) {
        if (c < '0' || c > '9') raise_bad_text(scalar_file::integer_name(bits), text);
        const std::uint64_t digit = static_cast<std::uint64_t>(c - '0');
        overflow = overflow || value > (limit - digit) / 10;
        if (!overflow) value = value * 10 + digit;
    }
    if (overflow) {
        raise(sqlstate::numeric_value_out_of_range, "value \"" + std::string(text) +
                                                        "\" is out of range for type " +
                                                        scalar_file::integer_name(bits));
    }
    return negative ? static_cast<std::int64_t>(~value + 1) : static_cast<std::int64_t>(value);
}

std::uint32_t oid_from_text(std::string_view text) {
    std::string_view digits = trim_blanks(text);
    const bool negative = !digits.empty() && digits[0] == '-';
    if (negative || (!digits.empty() && digits[0] == '+')) digits.remove_prefix(1);
    std::uint64_t value = 0;
    if (digits.empty()) raise_bad_text("oid", text);
    for (const char c : digits) {
        if (c < '0' || c > '9') raise_bad_text("oid", text);
        if (value <= 0xffffffffu) value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (value > 0xffffffffu || (negative && value > 0x80000000u)) {
        raise(sqlstate::numeric_value_out_of_range,
              "value \"" + std::string(text) + "\" is out of range for type oid");
    }
    return negative ? ~static_cast<std::uint32_t>(value) + 1 : static_cast<std::uint32_t>(value);
}

double float8_from_text(std::string_view text) {
    return scalar_file::float_from_text<double>(text, "double precision");
}
float float4_from_text(std::string_view text) { return scalar_file::float_from_text<float>(text, "real"); }

void integer_to_text(std::int64_t value, std::string& out) {
    char buffer[24];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
    out.append(buffer, end);
}

void float8_to_text(double value, std::string& out, int extra_float_digits) {
    scalar_file::float_to_text(value, out, extra_float_digits > 0 ? 0 : std::max(1, 15 + extra_float_digits),
                               15);
}

void float4_to_text(float value, std::string& out, int extra_float_digits) {
    scalar_file::float_to_text(value, out, extra_float_digits > 0 ? 0 : std::max(1, 6 + extra_float_digits),
                               6);
}

std::string one_byte_from_text(std::string_view text) {
    const auto octal = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text.size() == 4 && text[0] == '\\' && octal(1) && octal(2) && octal(3)) {
        const int byte = ((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0')) & 0xff;
        return byte == 0 ? std::string() : std::string(1, static_cast<char>(byte));
    }
    return std::string(text.substr(0, 1));
}

void one_byte_to_text(std::string_view byte, std::string& out) {
    for (const char c : byte) {
        const auto number = static_cast<unsigned char>(c);
        if (number < 0x80) {
            out += c;
            continue;
        }
        out += '\\';
        for (int shift = 6; shift >= 0; shift -= 3) out += static_cast<char>('0' + (number >> shift & 7));
    }
}

std::string bytea_from_text(std::string_view text) {
    std::string bytes;
    if (text.substr(0, 2) == "\\x") {
        std::size_t at = 2;
        const auto bad_digit = [&]() {
            raise(sqlstate::invalid_parameter_value,
                  "invalid hexadecimal digit: \"" + std::string(1, text[at]) + '"');
        };
        while (at < text.size()) {
            if (is_sql_blank(text[at])) {
                ++at;
                continue;
            }
            const int high = scalar_file::hex_value(text[at]);
            if (high < 0) bad_digit();
            if (++at >= text.size())
                raise(sqlstate::invalid_parameter_value, "invalid hexadecimal data: odd number of digits");
            const int low = scalar_file::hex_value(text[at]);
            if (low < 0) bad_digit();
            ++at;
            bytes += static_cast<char>(high * 16 + low);
        }
        return bytes;
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\') {
            bytes += text[at];
            continue;
        }
        const auto octal = [&](std::size_t i, char highest) {
            return i < text.size() && text[i] >= '0' && text[i] <= highest;
        };
        if (at + 1 < text.size() && text[at + 1] == '\\') {
            bytes += '\\';
            ++at;
        } else if (octal(at + 1, '3') && octal(at + 2, '7') && octal(at + 3, '7')) {
            bytes += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                       (text[at + 3] - '0'));
            at += 3;
        } else {
            raise(sqlstate::invalid_text_representation, "invalid input syntax for type bytea");
        }
    }
    return bytes;
}

void bytea_to_text(std::string_view bytes, std::string& out, ByteaOutput format) {
    static constexpr char k_hex[] = "0123456789abcdef";
    if (format == ByteaOutput::hex) {
        out += "\\x";
        for (const char c : bytes) {
            out += k_hex[static_cast<unsigned char>(c) >> 4];
            out += k_hex[static_cast<unsigned char>(c) & 15];
        }
        return;
    }
    for (const char c : bytes) {
        const unsigned char byte = static_cast<unsigned char>(c);
        if (c == '\\') {
            out += "\\\\";
        } else if (byte < 0x20 || byte > 0x7e) {
            out += '\\';
            out += static_cast<char>('0' + (byte >> 6));
            out += static_cast<char>('0' + (byte >> 3 & 7));
            out += static_cast<char>('0' + (byte & 7));
        } else {
            out += c;
        }
    }
}

Uuid uuid_from_text(std::string_view text) {
    std::string_view rest = text;
    const bool braces = !rest.empty() && rest.front() == '{';
    if (braces) rest.remove_prefix(1);
    Uuid uuid;
    std::size_t at = 0;
    for (int i = 0; i < 16; ++i) {
        if (at + 1 >= rest.size()) raise_bad_text("uuid", text);
        const int high = scalar_file::hex_value(rest[at]);
        const int low = scalar_file::hex_value(rest[at + 1]);
        if (high < 0 || low < 0) raise_bad_text("uuid", text);
        uuid.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
        at += 2;
        // A hyphen may stand after every two bytes.
        if (i % 2 == 1 && i < 15 && at < rest.size() && rest[at] == '-') ++at;
    }
    if (braces) {
        if (at >= rest.size() || rest[at] != '}') raise_bad_text("uuid", text);
        ++at;
    }
    if (at != rest.size()) raise_bad_text("uuid", text);
    return uuid;
}

void uuid_to_text(const Uuid& uuid, std::string& out) {
    static constexpr char k_hex[] = "0123456789abcdef";
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        out += k_hex[uuid.bytes[i] >> 4];
        out += k_hex[uuid.bytes[i] & 15];
    }
}

}  // namespace northstar::inline v0::sql
