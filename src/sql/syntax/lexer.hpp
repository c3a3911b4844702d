// lexer.hpp -- from SQL text to tokens, by PostgreSQL's lexical rules.  Layer: sql.  Threads: values.
//
// [LEX-1] The whole text becomes tokens before anything is parsed; a lexical error is raised with its position.
// [LEX-2] Views in tokens point into the text or into the arena, and live as long as both.
//
// Standard-conforming strings only: a backslash is special in E'' alone. Identifiers fold to lower case (ASCII letters)
// and are cut at 63 bytes. Comments nest.
#pragma once

#include "sql/arena.hpp"
#include "sql/syntax/keyword.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

enum class TokenKind : std::uint8_t {
    end,
    identifier,   ///< unquoted; keyword says whether the grammar knows the word
    quoted,       ///< "identifier", never a keyword
    integer,      ///< digits only
    decimal,      ///< with a point or an exponent
    string,
    bit_string,   ///< text is 'b' or 'x' and then the digits
    parameter,    ///< $n; text is the digits
    operation,    ///< operator characters; != is spelled <>
    special,      ///< one of ( ) [ ] , ; . :
    type_cast,    ///< ::
    assign,       ///< :=
    arrow,        ///< =>
    dot_dot,      ///< ..
};

struct Token {
    TokenKind kind = TokenKind::end;
    Keyword keyword = k_no_keyword;
    std::uint32_t begin = 0;  ///< byte offset in the text
    std::uint32_t end = 0;
    std::uint32_t literal = 0;  ///< its place among the literals of the text, from 1; 0: it is none
    std::string_view text;    ///< folded, unescaped

    bool is(Keyword word) const { return keyword == word && kind == TokenKind::identifier; }
    bool is(char special) const { return kind == TokenKind::special && text[0] == special; }
    bool is_operator(std::string_view name) const { return kind == TokenKind::operation && text == name; }
};

/// All tokens of the text; the last one has kind end. O(bytes). Raises 42601, 22025, 22021 with the byte offset + 1 as
/// position.
std::vector<Token> lex(std::string_view text, Arena& arena);

/// Appends a code point as UTF-8; false: not a code point.
bool append_utf8(std::string& to, std::uint32_t code);

}  // namespace northstar::inline v0::sql
