#include "sql/syntax/statement_shape.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace northstar::inline v0::sql {

namespace statement_shape {

constexpr std::size_t k_most_literals = 256;

/// What may begin with a byte.
enum class Byte : std::uint8_t { refused, blank, plain, word, digit, point, quote, name_quote, minus, slash, end };

constexpr std::array<Byte, 256> k_bytes = [] {
    std::array<Byte, 256> bytes{};
    for (std::size_t c = 0; c < 256; ++c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (letter) bytes[c] = Byte::word;
        else if (c >= '0' && c <= '9') bytes[c] = Byte::digit;
    }
    for (const char c : std::string_view(" \t\n\r\f\v")) bytes[static_cast<std::size_t>(c)] = Byte::blank;
    for (const char c : std::string_view("()[],:+*<>=~!@#%^&|`?")) bytes[static_cast<std::size_t>(c)] = Byte::plain;
    bytes['.'] = Byte::point;
    bytes['\''] = Byte::quote;
    bytes['"'] = Byte::name_quote;
    bytes['-'] = Byte::minus;
    bytes['/'] = Byte::slash;
    bytes[';'] = Byte::end;
    return bytes;
}();

class Reader {
public:
    Reader(std::string_view text, StatementShape& shape) : text_(text), shape_(shape) {}

    bool run() {
        while (at_ < text_.size()) {
            const Byte next = kind(at_);
            if (next == Byte::blank || opens_comment()) {
                if (!blank()) return false;
                continue;
            }
            if (ended_ && next != Byte::end) return false;
            switch (next) {
                case Byte::blank:
                case Byte::minus:
                case Byte::slash:
                case Byte::plain: ++at_; break;
                case Byte::word:
                    if (opens_literal()) return false;
                    while (at_ < text_.size() && is_name_part(at_)) ++at_;
                    break;
                case Byte::point:
                    if (kind(at_ + 1) != Byte::digit) {
                        ++at_;
                        break;
                    }
                    [[fallthrough]];
                case Byte::digit:
                    if (!number()) return false;
                    break;
                case Byte::quote:
                    if (!string()) return false;
                    break;
                case Byte::name_quote:
                    if (!quoted_name()) return false;
                    break;
                case Byte::end:
                    ended_ = true;
                    ++at_;
                    break;
                case Byte::refused: return false;
            }
            last_ = at_;
        }
        // A comment at the end, as tracers write them, is not the same from text to text.
        shape_.key.append(text_.substr(copied_, last_ - copied_));
        return !shape_.literals.empty() && shape_.literals.size() <= k_most_literals;
    }

private:
    char peek(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
    Byte kind(std::size_t at) const {
        return at < text_.size() ? k_bytes[static_cast<unsigned char>(text_[at])] : Byte::refused;
    }
    bool is_name_part(std::size_t at) const {
        return kind(at) == Byte::word || kind(at) == Byte::digit || text_[at] == '$';
    }

    bool opens_comment() const {
        return (text_[at_] == '-' && peek(at_ + 1) == '-') || (text_[at_] == '/' && peek(at_ + 1) == '*');
    }

    /// One blank, or a comment; those of C are nested. False: it does not end.
    bool blank() {
        if (text_[at_] == '-') at_ = std::min(text_.find('\n', at_), text_.size());
        else if (text_[at_] != '/') ++at_;
        else
            for (std::size_t depth = 0;;) {
                at_ = text_.find_first_of("/*", at_);
                if (at_ >= text_.size() - 1) return false;
                const bool opens = text_[at_] == '/' && text_[at_ + 1] == '*';
                const bool closes = text_[at_] == '*' && text_[at_ + 1] == '/';
                at_ += opens || closes ? 2 : 1;
                depth += opens ? 1 : 0;
                depth -= closes ? 1 : 0;
                if (depth == 0) return true;
            }
        return true;
    }

    /// E'', N'', B'', X'', U&'' and U&"".
    bool opens_literal() const {
        const char letter = static_cast<char>(text_[at_] | 0x20);
        if (peek(at_ + 1) == '\'') return letter == 'e' || letter == 'n' || letter == 'b' || letter == 'x';
        return letter == 'u' && peek(at_ + 1) == '&' && (peek(at_ + 2) == '\'' || peek(at_ + 2) == '"');
    }

    void add(LiteralClass kind, std::size_t begin, std::string_view text, std::int64_t number, bool doubled) {
        shape_.key.append(text_.substr(copied_, begin - copied_));
        shape_.key.push_back('\1');
        shape_.key.push_back(static_cast<char>(kind));
        shape_.literals.push_back({kind, doubled, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_),
                                   number, text});
        copied_ = at_;
    }

    /// As the lexer reads numbers.
    bool number() {
        const std::size_t begin = at_;
        bool decimal = false;
        while (kind(at_) == Byte::digit) ++at_;
        if (peek(at_) == '.' && peek(at_ + 1) != '.') {
            decimal = true;
            ++at_;
            while (kind(at_) == Byte::digit) ++at_;
        }
        if ((peek(at_) | 0x20) == 'e') {
            const std::size_t sign = peek(at_ + 1) == '+' || peek(at_ + 1) == '-' ? 2 : 1;
            if (kind(at_ + sign) == Byte::digit) {
                decimal = true;
                at_ += sign;
                while (kind(at_) == Byte::digit) ++at_;
            }
        }
        if (kind(at_) == Byte::word) return false;
        const std::string_view digits = text_.substr(begin, at_ - begin);
        if (decimal) {
            add(LiteralClass::decimal, begin, digits, 0, false);
            return true;
        }
        std::int64_t value = 0;
        if (digits.size() > 18) return false;
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        // It fits with a minus alone.
        if (value == -std::int64_t{INT32_MIN}) return false;
        add(value <= INT32_MAX ? LiteralClass::medium : LiteralClass::large, begin, digits, value, false);
        return true;
    }

    bool string() {
        const std::size_t begin = at_++;
        bool doubled = false;
        for (;;) {
            const std::size_t quote = text_.find('\'', at_);
            if (quote == std::string_view::npos) return false;
            at_ = quote + 1;
            if (peek(at_) != '\'') break;
            doubled = true;
            ++at_;
        }
        add(LiteralClass::string, begin, text_.substr(begin + 1, at_ - begin - 2), 0, doubled);
        return true;
    }

    bool quoted_name() {
        ++at_;
        for (;;) {
            const std::size_t quote = text_.find('"', at_);
            if (quote == std::string_view::npos) return false;
            at_ = quote + 1;
            if (peek(at_) != '"') return true;
            ++at_;
        }
    }

    std::string_view text_;
    StatementShape& shape_;
    std::size_t at_ = 0;
    std::size_t copied_ = 0;  // the key has the text up to here
    std::size_t last_ = 0;    // behind the last byte that is no blank and in no comment
    bool ended_ = false;      // by a semicolon
};

}  // namespace statement_shape

std::string_view ShapeLiteral::value(Arena& arena) const {
    if (!doubled_quotes) return text;
    char* const copy = arena.allocate(text.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        copy[size++] = text[i];
        if (text[i] == '\'') ++i;
    }
    return {copy, size};
}

bool read_shape(std::string_view text, StatementShape& shape) {
    shape.key.clear();
    shape.literals.clear();
    return statement_shape::Reader(text, shape).run();
}

}  // namespace northstar::inline v0::sql
