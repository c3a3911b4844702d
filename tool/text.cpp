#include "text.hpp"

#include <array>
#include <cstdio>
#include <limits>

namespace northstar_tool {
namespace text_impl {

constexpr std::string_view k_base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view k_hex = "0123456789abcdef";

unsigned char byte_at(std::string_view text, std::size_t index) { return static_cast<unsigned char>(text[index]); }

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::array<signed char, 256> base64_values() {
    std::array<signed char, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < k_base64.size(); ++i) {
        values[static_cast<unsigned char>(k_base64[i])] = static_cast<signed char>(i);
    }
    return values;
}

/// Length of the UTF-8 sequence that starts at index, 0 if it is malformed.
std::size_t sequence_length(std::string_view bytes, std::size_t index) noexcept {
    const unsigned char lead = byte_at(bytes, index);
    if (lead < 0x80) return 1;
    std::size_t length = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        if (lead == 0xe0) low = 0xa0;
        if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        if (lead == 0xf0) low = 0x90;
        if (lead == 0xf4) high = 0x8f;
    } else {
        return 0;
    }
    if (bytes.size() - index < length) return 0;
    const unsigned char second = byte_at(bytes, index + 1);
    if (second < low || second > high) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        const unsigned char byte = byte_at(bytes, index + i);
        if (byte < 0x80 || byte > 0xbf) return 0;
    }
    return length;
}

std::optional<std::uint64_t> scaled(std::string_view digits, std::uint64_t unit) noexcept {
    const auto number = parse_unsigned(digits);
    if (!number) return std::nullopt;
    if (unit != 0 && *number > std::numeric_limits<std::uint64_t>::max() / unit) return std::nullopt;
    return *number * unit;
}

struct Unit {
    std::string_view suffix;
    std::uint64_t factor;
};

template <std::size_t N>
std::optional<std::uint64_t> with_unit(std::string_view text, const std::array<Unit, N>& units) noexcept {
    const std::size_t digits = text.find_first_not_of("0123456789");
    const std::string_view suffix = digits == std::string_view::npos ? std::string_view{} : text.substr(digits);
    for (const Unit& unit : units) {
        if (suffix == unit.suffix) return scaled(text.substr(0, text.size() - suffix.size()), unit.factor);
    }
    return std::nullopt;
}

}  // namespace text_impl

bool valid_utf8(std::string_view bytes) noexcept {
    for (std::size_t i = 0; i < bytes.size();) {
        const std::size_t length = text_impl::sequence_length(bytes, i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

std::string base64_encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    const auto digit = [](unsigned value) { return text_impl::k_base64[value & 63u]; };
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const unsigned group = (unsigned{text_impl::byte_at(bytes, i)} << 16) |
                               (unsigned{text_impl::byte_at(bytes, i + 1)} << 8) | text_impl::byte_at(bytes, i + 2);
        out += digit(group >> 18);
        out += digit(group >> 12);
        out += digit(group >> 6);
        out += digit(group);
    }
    if (bytes.size() - i == 1) {
        const unsigned group = unsigned{text_impl::byte_at(bytes, i)} << 16;
        out += digit(group >> 18);
        out += digit(group >> 12);
        out += "==";
    } else if (bytes.size() - i == 2) {
        const unsigned group =
            (unsigned{text_impl::byte_at(bytes, i)} << 16) | (unsigned{text_impl::byte_at(bytes, i + 1)} << 8);
        out += digit(group >> 18);
        out += digit(group >> 12);
        out += digit(group >> 6);
        out += '=';
    }
    return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
    static const std::array<signed char, 256> values = text_impl::base64_values();
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        std::size_t digits = 4;
        if (last && text[i + 3] == '=') digits = text[i + 2] == '=' ? 2 : 3;
        unsigned group = 0;
        for (std::size_t j = 0; j < digits; ++j) {
            const int value = values[text_impl::byte_at(text, i + j)];
            if (value < 0) return std::nullopt;
            group |= static_cast<unsigned>(value) << (18 - 6 * j);
        }
        if (digits == 2 && (group & 0xffffu) != 0) return std::nullopt;
        if (digits == 3 && (group & 0xffu) != 0) return std::nullopt;
        for (std::size_t j = 0; j + 1 < digits; ++j) {
            out += static_cast<char>(static_cast<unsigned char>((group >> (16 - 8 * j)) & 0xffu));
        }
    }
    return out;
}

std::string hex_encode(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += text_impl::k_hex[byte >> 4];
        out += text_impl::k_hex[byte & 15u];
    }
    return out;
}

std::optional<std::string> hex_decode(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = text_impl::hex_digit(text[i]);
        const int low = text_impl::hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(static_cast<unsigned char>(high * 16 + low));
    }
    return out;
}

std::optional<std::string> decode(std::string_view text, Encoding encoding) {
    switch (encoding) {
    case Encoding::hex: return hex_decode(text);
    case Encoding::base64: return base64_decode(text);
    case Encoding::text: break;
    }
    return std::string(text);
}

std::string encode(std::string_view bytes, Encoding encoding) {
    switch (encoding) {
    case Encoding::hex: return hex_encode(bytes);
    case Encoding::base64: return base64_encode(bytes);
    case Encoding::text: break;
    }
    return std::string(bytes);
}

std::string printable(std::string_view bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes.size();) {
        const char c = bytes[i];
        const std::size_t length = text_impl::sequence_length(bytes, i);
        // C1 control characters (U+0080 .. U+009F) steer some terminals, so they are escaped as well.
        const bool c1 =
            length == 2 && text_impl::byte_at(bytes, i) == 0xc2 && text_impl::byte_at(bytes, i + 1) < 0xa0;
        if (length > 1 && !c1) {
            out.append(bytes.substr(i, length));
            i += length;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\\') out += "\\\\";
        else if (c == '\n') out += "\\n";
        else if (c == '\t') out += "\\t";
        else if (c == '\r') out += "\\r";
        else if (byte >= 0x20 && byte < 0x7f) out += c;
        else {
            out += "\\x";
            out += text_impl::k_hex[byte >> 4];
            out += text_impl::k_hex[byte & 15u];
        }
        ++i;
    }
    return out;
}

std::string display(std::string_view bytes, Encoding encoding) {
    return encoding == Encoding::text ? printable(bytes) : encode(bytes, encoding);
}

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3;) {
        i -= 3;
        digits.insert(i, 1, ',');
    }
    return digits;
}

std::string human_bytes(std::uint64_t bytes) {
    static constexpr std::array<const char*, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) return std::to_string(bytes) + " B";
    double scaled = static_cast<double>(bytes) / 1024.0;
    std::size_t unit = 0;
    while (scaled >= 1023.95 && unit + 1 < units.size()) {
        scaled /= 1024.0;
        ++unit;
    }
    char buffer[48];
    std::snprintf(buffer, sizeof buffer, "%.1f %s", scaled, units[unit]);
    return buffer;
}

std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural) {
    return grouped(number) + " " + std::string(number == 1 ? singular : plural);
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) noexcept {
    if (text.empty()) return std::nullopt;
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (number > (most - digit) / 10) return std::nullopt;
        number = number * 10 + digit;
    }
    return number;
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
    static constexpr std::array<text_impl::Unit, 8> units = {{{"", 1},
                                                              {"B", 1},
                                                              {"K", 1u << 10},
                                                              {"KiB", 1u << 10},
                                                              {"M", 1u << 20},
                                                              {"MiB", 1u << 20},
                                                              {"G", 1u << 30},
                                                              {"GiB", 1u << 30}}};
    return text_impl::with_unit(text, units);
}

std::optional<std::uint64_t> parse_duration(std::string_view text) noexcept {
    static constexpr std::uint64_t second = 1'000'000;
    static constexpr std::array<text_impl::Unit, 7> units = {{{"us", 1},
                                                              {"ms", 1000},
                                                              {"s", second},
                                                              {"m", 60 * second},
                                                              {"h", 3600 * second},
                                                              {"d", 86400 * second},
                                                              {"w", 7 * 86400 * second}}};
    return text_impl::with_unit(text, units);
}

}  // namespace northstar_tool
