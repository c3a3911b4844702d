// chunks.hpp -- pieces of text that are searched by words and compared by vectors: comments and functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsed_source.hpp"

namespace northstar_tool::code {

/// One entry of code/chunks, and what its vector is made of.
struct Chunk {
    std::string key;      ///< function's id, or "path#" and eight hexadecimal digits of its text
    std::string row;      ///< JSON: kind, file, line, name, text
    std::string content;  ///< what is compared
};

/// What an entry of code/chunks says.
struct ChunkRow {
    std::string kind;  ///< function, macro, comment, section
    std::string file;
    std::uint32_t line = 0;
    std::string name;
    std::string text;
};
/// A Failure where it is none.
ChunkRow decode_chunk(std::string_view key, std::string_view row);

/// Longest text of a chunk in bytes; longer comments are several.
inline constexpr std::size_t k_longest_chunk = 2000;
/// Of a function so much of its body is compared.
inline constexpr std::size_t k_longest_body = 6000;

/// Chunks of a file, by key. A comment that ends on the line before a function, or begins its body, is told with it.
std::vector<Chunk> chunks_of(const std::string& path, Language language, std::string_view text,
                             const ParsedSource& source);

/// Bytes as well-formed UTF-8: what is none becomes U+FFFD.
std::string as_utf8(std::string_view bytes);

}  // namespace northstar_tool::code
