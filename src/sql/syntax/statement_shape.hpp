// statement_shape.hpp -- what texts have in common that differ in nothing but their literals.  Layer: sql.
//
// One pass over the bytes cuts the literals out; the rest is the shape. It costs a fraction of what the lexer costs,
// and is all that a text pays whose shape has a plan. Comments belong to the shape, but for those at the end. Texts
// that need more than this pass to tell where their literals are (E'' and dollar quotes, parameters, several
// statements) have no shape.
//
// [SHAPE-1] Two texts with equal keys have the same tokens in the same order, and literals of the same classes: a class
//           says what type a literal has by itself, whatever sign stands before it.
// Threads: values.
#pragma once

#include "sql/arena.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

enum class LiteralClass : char {
    medium = '4',   ///< integer
    large = '8',    ///< bigint
    decimal = 'd',
    string = 's',
};

/// A literal of a text; views into the text.
struct ShapeLiteral {
    LiteralClass kind = LiteralClass::string;
    bool doubled_quotes = false;  ///< '' stands for ' in `text`
    std::uint32_t begin = 0;      ///< byte offset in the text, with quotes
    std::uint32_t end = 0;
    std::int64_t number = 0;      ///< of integers
    std::string_view text;        ///< digits, or what stands between the quotes

    /// What the lexer would read; a copy in the arena where quotes are doubled.
    std::string_view value(Arena& arena) const;
};

struct StatementShape {
    std::string key;
    std::vector<ShapeLiteral> literals;
};

/// Reads the shape of a text into `shape`, whose memory is used again; false: it has no shape, or no literals.
/// O(bytes).
bool read_shape(std::string_view text, StatementShape& shape);

}  // namespace northstar::inline v0::sql
