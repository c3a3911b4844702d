// lexer.hpp -- cuts source text into words, numbers, literals and marks, by the rules of its language.
//
// [LEX-1] Whatever is not closed ends with its line, or with the text where its language lets it span lines.
// [LEX-2] Brackets that have no counterpart have none: partner() says so, and nothing else changes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "language.hpp"

namespace northstar_tool::code {

enum class TokenKind : std::uint8_t {
    word,
    number,
    literal,    ///< string, character, regular expression
    mark,       ///< one character, or one of :: -> =>
    directive,  ///< C and C++: a whole logical line that begins with #
};

struct Token {
    TokenKind kind = TokenKind::mark;
    std::uint32_t line = 0;  ///< of its first byte, from 1
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
};

/// A comment with its marks.
struct RawComment {
    std::uint32_t line = 0;
    std::uint32_t end_line = 0;
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
    bool alone = false;  ///< nothing but blanks before it on its line
};

struct Lexed {
    std::vector<Token> tokens;
    std::vector<RawComment> comments;
    std::uint32_t lines = 0;
};

/// The text must be shorter than 4 GiB. first_line: number of its first line.
Lexed lex(Language language, std::string_view text, std::uint32_t first_line = 1);

/// Tokens with their texts and the brackets that belong together.
class Tokens {
public:
    static constexpr std::size_t none = ~std::size_t{0};

    Tokens(std::string_view text, std::vector<Token> tokens);
    std::size_t size() const noexcept { return tokens_.size(); }
    const Token& operator[](std::size_t i) const { return tokens_[i]; }
    std::string_view text(std::size_t i) const {
        return i < tokens_.size() ? source_.substr(tokens_[i].begin, tokens_[i].size) : std::string_view();
    }
    bool is(std::size_t i, std::string_view text) const {
        return i < tokens_.size() && tokens_[i].kind != TokenKind::literal && this->text(i) == text;
    }
    bool is_word(std::size_t i) const { return i < tokens_.size() && tokens_[i].kind == TokenKind::word; }
    bool is_literal(std::size_t i) const { return i < tokens_.size() && tokens_[i].kind == TokenKind::literal; }
    /// The other bracket of ( ) [ ] { }; none: there is none, or it is no bracket.
    std::size_t partner(std::size_t i) const { return i < tokens_.size() ? partners_[i] : none; }
    /// Behind the bracket's counterpart, or the next token where it has none.
    std::size_t behind(std::size_t i) const { return partner(i) != none && partner(i) > i ? partner(i) + 1 : i + 1; }
    /// The ">" that closes the "<" at i, if what lies between could be types; none otherwise.
    std::size_t closing_angle(std::size_t i) const;
    /// The "<" that the ">" at i closes, the same way.
    std::size_t opening_angle(std::size_t i) const;
    std::size_t end_of(std::size_t i) const { return std::size_t{tokens_[i].begin} + tokens_[i].size; }
    std::string_view source() const noexcept { return source_; }

private:
    bool in_types(std::size_t i) const;

    std::string_view source_;
    std::vector<Token> tokens_;
    std::vector<std::size_t> partners_;
};

/// Comments of neighbouring lines joined, without their marks and without those that say nothing.
struct Comment;
std::vector<Comment> clean_comments(std::string_view text, const std::vector<RawComment>& raw);

}  // namespace northstar_tool::code
