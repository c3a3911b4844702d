// text.hpp -- bytes as text: UTF-8, base64, hexadecimal, and numbers as people read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace northstar_tool {

/// How keys and values are written on the command line and in text output.
enum class Encoding { text, hex, base64 };

/// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool valid_utf8(std::string_view bytes) noexcept;

std::string base64_encode(std::string_view bytes);
/// Strict: padded, no white space, unused bits zero; nullopt otherwise.
std::optional<std::string> base64_decode(std::string_view text);
std::string hex_encode(std::string_view bytes);
/// Strict: an even number of hexadecimal digits; nullopt otherwise.
std::optional<std::string> hex_decode(std::string_view text);

/// Bytes of an operand or field written in this encoding; nullopt if it is not well-formed.
std::optional<std::string> decode(std::string_view text, Encoding encoding);
std::string encode(std::string_view bytes, Encoding encoding);

/// For people: printable UTF-8 as it is, everything else (and backslash) as \n, \t, \xHH. One line always.
std::string printable(std::string_view bytes);
/// encode() for hex and base64, printable() for text.
std::string display(std::string_view bytes, Encoding encoding);

/// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t number);
/// 1536 -> "1.5 KiB".
std::string human_bytes(std::uint64_t bytes);
/// "1 commit", "2 commits".
std::string counted(std::uint64_t number, std::string_view singular, std::string_view plural);

/// Decimal digits only, no sign, no overflow; nullopt otherwise.
std::optional<std::uint64_t> parse_unsigned(std::string_view text) noexcept;
/// Bytes: a number with an optional K, M, G, KiB, MiB, GiB (powers of 1024); nullopt otherwise.
std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;
/// Microseconds: a number with one of us, ms, s, m, h, d, w; nullopt otherwise.
std::optional<std::uint64_t> parse_duration(std::string_view text) noexcept;

}  // namespace northstar_tool
