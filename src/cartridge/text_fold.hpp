// text_fold.hpp -- what becomes of a character before words are compared.  Layer: cartridge.  Threads: any.
//
// Covered: case in Latin, Greek, Cyrillic, Armenian, Georgian and full-width letters; accents and other marks of Latin,
// Greek and Cyrillic letters, written as one code point (canonical decomposition takes them off) or behind the letter
// (U+0300 to U+036F and the other blocks of combining marks for letters); strokes of d, h, l, o, t and b; ae, oe,
// ij, ss, th and ff, fi, fl, ffi, ffl, st, where they are one code point. Marks of other scripts belong to their
// words. Letters of other scripts with case (Cherokee, Deseret and rarer ones) stay as they are.
//
// [TEXT-1] Folding what was folded changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace northstar::inline v0::detail {

struct FoldedCode {
    enum class Kind : std::uint8_t {
        separator = 0,  ///< no part of any word
        mark = 1,       ///< belongs to the letter before it, and is left out
        letter = 2,     ///< part of a word
        alone = 3,      ///< a word of its own: scripts that are written without spaces
    };
    Kind kind = Kind::separator;
    std::uint8_t count = 0;  ///< of code points
    char32_t codes[3] = {};
};

/// Of a code point from U+0080 on.
FoldedCode fold(char32_t code);

/// Reads one code point from well-formed UTF-8, whose length in bytes it returns; 0: the bytes are not well-formed
/// there (overlong, a surrogate, beyond U+10FFFF, cut off).
std::size_t read_utf8(std::string_view bytes, char32_t& code);
/// Writes at most four bytes; returns how many.
std::size_t write_utf8(char32_t code, char* to);

}  // namespace northstar::inline v0::detail
