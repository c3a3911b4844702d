#include "display_width.hpp"

#include <algorithm>
#include <iterator>

namespace northstar_tool::shell {
namespace display_width_impl {

struct Range {
    std::uint32_t first;
    std::uint32_t last;
};

// Marks that take no column of their own: general categories Mn, Me and Cf of the scripts in use.
constexpr Range k_zero[] = {
    {0x0300, 0x036f},   {0x0483, 0x0489},   {0x0591, 0x05bd},   {0x05bf, 0x05bf},   {0x05c1, 0x05c2},
    {0x05c4, 0x05c5},   {0x05c7, 0x05c7},   {0x0610, 0x061a},   {0x064b, 0x065f},   {0x0670, 0x0670},
    {0x06d6, 0x06dc},   {0x06df, 0x06e4},   {0x06e7, 0x06e8},   {0x06ea, 0x06ed},   {0x0711, 0x0711},
    {0x0730, 0x074a},   {0x07a6, 0x07b0},   {0x07eb, 0x07f3},   {0x0816, 0x0819},   {0x081b, 0x0823},
    {0x0825, 0x082d},   {0x0859, 0x085b},   {0x08d3, 0x0902},   {0x093a, 0x093a},   {0x093c, 0x093c},
    {0x0941, 0x0948},   {0x094d, 0x094d},   {0x0951, 0x0957},   {0x0962, 0x0963},   {0x0981, 0x0981},
    {0x09bc, 0x09bc},   {0x09c1, 0x09c4},   {0x09cd, 0x09cd},   {0x0a01, 0x0a02},   {0x0a3c, 0x0a3c},
    {0x0a41, 0x0a51},   {0x0a70, 0x0a71},   {0x0abc, 0x0abc},   {0x0ac1, 0x0ac8},   {0x0acd, 0x0acd},
    {0x0b3c, 0x0b3c},   {0x0b41, 0x0b44},   {0x0b4d, 0x0b4d},   {0x0bc0, 0x0bc0},   {0x0bcd, 0x0bcd},
    {0x0c3e, 0x0c40},   {0x0c46, 0x0c56},   {0x0cbc, 0x0cbc},   {0x0ccc, 0x0ccd},   {0x0d41, 0x0d44},
    {0x0d4d, 0x0d4d},   {0x0dca, 0x0dca},   {0x0dd2, 0x0dd6},   {0x0e31, 0x0e31},   {0x0e34, 0x0e3a},
    {0x0e47, 0x0e4e},   {0x0eb1, 0x0eb1},   {0x0eb4, 0x0ebc},   {0x0ec8, 0x0ecd},   {0x0f35, 0x0f35},
    {0x0f37, 0x0f37},   {0x0f39, 0x0f39},   {0x0f71, 0x0f7e},   {0x0f80, 0x0f84},   {0x102d, 0x1030},
    {0x1032, 0x1037},   {0x1039, 0x103a},   {0x135d, 0x135f},   {0x17b4, 0x17b5},   {0x17b7, 0x17bd},
    {0x17c6, 0x17c6},   {0x17c9, 0x17d3},   {0x180b, 0x180e},   {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff},
    {0x200b, 0x200f},   {0x202a, 0x202e},   {0x2060, 0x2064},   {0x20d0, 0x20f0},   {0x302a, 0x302d},
    {0x3099, 0x309a},   {0xa66f, 0xa672},   {0xa6f0, 0xa6f1},   {0xa802, 0xa802},   {0xfb1e, 0xfb1e},
    {0xfe00, 0xfe0f},   {0xfe20, 0xfe2f},   {0xfeff, 0xfeff},   {0x1f3fb, 0x1f3ff}, {0xe0020, 0xe007f},
    {0xe0100, 0xe01ef},
};

constexpr Range k_wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
    {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
    {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x16fe0, 0x16ff1}, {0x17000, 0x18cff}, {0x1aff0, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f1e6, 0x1f202}, {0x1f210, 0x1f23b}, {0x1f240, 0x1f248},
    {0x1f250, 0x1f251}, {0x1f260, 0x1f265}, {0x1f300, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c},
    {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4},
    {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e},
    {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f},
    {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6d7}, {0x1f6dc, 0x1f6df},
    {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb}, {0x1f7f0, 0x1f7f0}, {0x1f90c, 0x1f93a},
    {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x2fffd}, {0x30000, 0x3fffd},
};

constexpr std::uint32_t k_joiner = 0x200d;
constexpr std::uint32_t k_bad = 0xffffffff;

template <std::size_t n>
bool is_in(const Range (&ranges)[n], std::uint32_t code) {
    const Range* const found = std::lower_bound(std::begin(ranges), std::end(ranges), code,
                                                [](const Range& range, std::uint32_t c) { return range.last < c; });
    return found != std::end(ranges) && found->first <= code;
}

/// The code point at `at`, and its bytes; k_bad and 1 where there is none.
std::uint32_t decode(std::string_view text, std::size_t at, std::size_t& size) {
    const auto lead = static_cast<unsigned char>(text[at]);
    size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size == 1) return lead;
    if (size == 0 || at + size > text.size()) {
        size = 1;
        return k_bad;
    }
    std::uint32_t code = lead & (0xffu >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        const auto next = static_cast<unsigned char>(text[at + i]);
        if ((next & 0xc0u) != 0x80u) {
            size = 1;
            return k_bad;
        }
        code = code << 6 | (next & 0x3fu);
    }
    return code;
}

bool is_flag_half(std::uint32_t code) { return code >= 0x1f1e6 && code <= 0x1f1ff; }

bool is_control(std::uint32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == k_bad; }

/// Printable ASCII, as most of what is shown is.
bool is_plain(std::string_view text) {
    unsigned char strange = 0;
    for (const char c : text) strange |= static_cast<unsigned char>(c) - 0x20u < 0x5fu ? 0 : 1;
    return strange == 0;
}

}  // namespace display_width_impl

std::size_t character_size(std::string_view text, std::size_t at) {
    using namespace display_width_impl;
    std::size_t size = 0;
    const std::uint32_t first = decode(text, at, size);
    std::size_t end = at + size;
    if (is_control(first)) return size;
    if (is_flag_half(first) && end < text.size() && is_flag_half(decode(text, end, size))) end += size;
    while (end < text.size()) {
        const std::uint32_t code = decode(text, end, size);
        if (code == k_bad || !is_in(k_zero, code)) break;
        end += size;
        if (code == k_joiner && end < text.size() && !is_control(decode(text, end, size))) end += size;
    }
    return end - at;
}

std::size_t character_before(std::string_view text, std::size_t at) {
    // Clusters cannot be told backwards in general; lines of input are short.
    std::size_t begin = text.rfind('\n', at == 0 ? 0 : at - 1);
    if (at == 0) return 0;
    begin = begin == std::string_view::npos ? 0 : begin;
    std::size_t last = begin;
    while (begin < at) {
        last = begin;
        begin += character_size(text, begin);
    }
    return last;
}

std::size_t display_width(std::string_view text) {
    using namespace display_width_impl;
    if (is_plain(text)) return text.size();
    std::size_t width = 0;
    for (std::size_t at = 0; at < text.size(); at += character_size(text, at)) {
        std::size_t size = 0;
        const std::uint32_t code = decode(text, at, size);
        width += is_control(code) ? 4 : is_in(k_zero, code) ? 0 : is_in(k_wide, code) ? 2 : 1;
    }
    return width;
}

std::string visible(std::string_view text, bool keep_line_feeds) {
    using namespace display_width_impl;
    if (is_plain(text)) return std::string(text);
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        std::size_t size = 0;
        const std::uint32_t code = decode(text, at, size);
        if (is_control(code) && !(keep_line_feeds && code == '\n')) {
            for (std::size_t i = 0; i < size; ++i) {
                out += "\\x";
                out += digits[static_cast<unsigned char>(text[at + i]) >> 4];
                out += digits[static_cast<unsigned char>(text[at + i]) & 15];
            }
        } else {
            out.append(text.substr(at, size));
        }
        at += size;
    }
    return out;
}

std::string_view fitting(std::string_view text, std::size_t columns) {
    std::size_t end = 0, used = 0;
    while (end < text.size()) {
        const std::size_t size = character_size(text, end);
        used += display_width(text.substr(end, size));
        if (used > columns) break;
        end += size;
    }
    return text.substr(0, end);
}

}  // namespace northstar_tool::shell
