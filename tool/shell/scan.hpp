// scan.hpp -- SQL text as words, strings and comments: enough to split scripts, to colour and to complete.
//
// PostgreSQL's lexical rules: strings and quoted identifiers with doubled quotes, backslashes in E'' strings, $tag$
// strings, nested comments. The database reads statements by rules of its own; here nothing is ever refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace northstar_tool::shell {

enum class SpanKind : std::uint8_t { end, space, word, number, string, quoted, comment, parameter, symbol };

struct Span {
    SpanKind kind = SpanKind::end;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool open = false;  ///< a string, quoted identifier or comment that is not closed
};

/// The span that begins at `at`; kind end behind the text.
Span next_span(std::string_view text, std::size_t at);

/// Where the first statement of a text ends.
struct StatementEnd {
    enum class Why : std::uint8_t {
        semicolon,  ///< `at` is behind it
        backslash,  ///< a command of the shell begins at `at`
        text_ends,
    };
    Why why = Why::text_ends;
    std::size_t at = 0;
    char inside = 0;     ///< what is open where the text ends: ' " $ * (comment) ( or 0
    bool empty = true;   ///< nothing but blanks and comments
};
StatementEnd end_of_statement(std::string_view text);

/// Without blanks and comments in front and blanks behind.
std::string_view trim_statement(std::string_view text);
/// First word, in lower case.
std::string first_word(std::string_view text);
std::string lower_case(std::string_view text);

}  // namespace northstar_tool::shell
