#include "sql/syntax/lexer.hpp"

#include "sql/binary_io.hpp"
#include "sql/error.hpp"
#include "sql/utf8.hpp"

#include <string>

namespace northstar::inline v0::sql {

namespace lexer {

constexpr std::size_t k_name_limit = 63;  // NAMEDATALEN - 1
constexpr std::string_view k_operator_characters = "+-*/<>=~!@#%^&|`?";
constexpr std::string_view k_lets_sign_end = "~!@#%^&|`?";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_part(char c) { return is_name_start(c) || is_digit(c) || c == '$'; }
char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = fold(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

class Lexer {
public:
    Lexer(std::string_view text, Arena& arena) : text_(text), arena_(arena) {}

    std::vector<Token> run() {
        if (text_.size() >= 0xfffffff0u)
            raise(sqlstate::program_limit_exceeded, "statement is longer than 4 GiB");
        tokens_.reserve(text_.size() / 4 + 4);
        for (;;) {
            skip_blanks();
            start_ = at_;
            if (at_ >= text_.size()) break;
            one();
        }
        add(TokenKind::end, {});
        return std::move(tokens_);
    }

private:
    [[noreturn]] void fail(const char* message, std::size_t at, SqlState state = sqlstate::syntax_error) const {
        SqlError error(state, message);
        error.place(static_cast<std::uint32_t>(at + 1));
        throw error;
    }
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

    void add(TokenKind kind, std::string_view text, Keyword keyword = k_no_keyword) {
        const bool literal = kind >= TokenKind::integer && kind <= TokenKind::bit_string;
        tokens_.push_back({kind, keyword, static_cast<std::uint32_t>(start_), static_cast<std::uint32_t>(at_),
                           literal ? ++literals_ : 0, text});
    }

    /// White space and comments; true: there was a line break, so that string constants may continue.
    bool skip_blanks() {
        bool line_break = false;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (is_space(c)) {
                line_break |= c == '\n' || c == '\r';
                ++at_;
            } else if (c == '-' && peek(1) == '-') {
                while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
            } else if (c == '/' && peek(1) == '*') {
                skip_block_comment();
            } else {
                break;
            }
        }
        return line_break;
    }

    void skip_block_comment() {
        const std::size_t open = at_;
        int depth = 0;
        do {
            if (at_ >= text_.size()) fail("unterminated /* comment", open);
            if (peek() == '/' && peek(1) == '*') {
                ++depth;
                at_ += 2;
            } else if (peek() == '*' && peek(1) == '/') {
                --depth;
                at_ += 2;
            } else {
                ++at_;
            }
        } while (depth > 0);
    }

    void one() {
        const char c = text_[at_];
        const char next = fold(c);
        if (c == '\'') return string_constant(0);
        if (c == '"') return quoted_name(false);
        if (peek(1) == '\'' && (next == 'e' || next == 'n' || next == 'b' || next == 'x')) {
            ++at_;
            if (next == 'e') return string_constant('e');
            if (next == 'n') return string_constant(0);
            return bit_constant(next);
        }
        if (next == 'u' && peek(1) == '&' && (peek(2) == '\'' || peek(2) == '"')) {
            at_ += 2;
            return peek() == '"' ? quoted_name(true) : string_constant('u');
        }
        if (is_name_start(c)) return name();
        if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
        if (c == '$') return dollar();
        if (c == ':' && peek(1) == ':') return pair(TokenKind::type_cast);
        if (c == ':' && peek(1) == '=') return pair(TokenKind::assign);
        if (c == '.' && peek(1) == '.') return pair(TokenKind::dot_dot);
        if (std::string_view("()[],;.:").find(c) != std::string_view::npos) {
            ++at_;
            return add(TokenKind::special, text_.substr(start_, 1));
        }
        if (k_operator_characters.find(c) != std::string_view::npos) return operation();
        SqlError error(sqlstate::syntax_error,
                       std::string("syntax error at or near \"") + std::string(text_.substr(at_, 1)) + "\"");
        error.place(static_cast<std::uint32_t>(at_ + 1));
        throw error;
    }

    void pair(TokenKind kind) {
        at_ += 2;
        add(kind, text_.substr(start_, 2));
    }

    void name() {
        bool plain = true;
        while (at_ < text_.size() && is_name_part(text_[at_])) {
            plain = plain && fold(text_[at_]) == text_[at_];
            ++at_;
        }
        std::string_view word = text_.substr(start_, at_ - start_);
        if (!plain) {
            char* copy = arena_.allocate(word.size());
            for (std::size_t i = 0; i < word.size(); ++i) copy[i] = fold(word[i]);
            word = {copy, word.size()};
        }
        word = utf8_within(word, k_name_limit);
        add(TokenKind::identifier, word, find_keyword(word));
    }

    void number() {
        bool decimal = false;
        while (is_digit(peek())) ++at_;
        if (peek() == '.' && peek(1) != '.') {
            decimal = true;
            ++at_;
            while (is_digit(peek())) ++at_;
        }
        if (fold(peek()) == 'e') {
            const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
            if (is_digit(peek(sign))) {
                decimal = true;
                at_ += sign;
                while (is_digit(peek())) ++at_;
            }
        }
        if (at_ < text_.size() && is_name_start(peek())) junk("trailing junk after numeric literal");
        add(decimal ? TokenKind::decimal : TokenKind::integer, text_.substr(start_, at_ - start_));
    }

    [[noreturn]] void junk(const char* what) {
        while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
        SqlError error(sqlstate::syntax_error, std::string(what) + " at or near \"" +
                                                   std::string(text_.substr(start_, at_ - start_)) + "\"");
        error.place(static_cast<std::uint32_t>(start_ + 1));
        throw error;
    }

    /// $1, or $tag$ ... $tag$.
    void dollar() {
        if (is_digit(peek(1))) {
            ++at_;
            while (is_digit(peek())) ++at_;
            if (at_ < text_.size() && is_name_start(peek())) junk("trailing junk after parameter");
            return add(TokenKind::parameter, text_.substr(start_ + 1, at_ - start_ - 1));
        }
        std::size_t end = at_ + 1;
        if (end < text_.size() && is_name_start(text_[end]))
            while (end < text_.size() && is_name_part(text_[end]) && text_[end] != '$') ++end;
        if (end >= text_.size() || text_[end] != '$') fail("syntax error at or near \"$\"", at_);
        const std::string_view tag = text_.substr(at_, end + 1 - at_);
        const std::size_t body = end + 1;
        const std::size_t close = text_.find(tag, body);
        if (close == std::string_view::npos) fail("unterminated dollar-quoted string", start_);
        at_ = close + tag.size();
        add(TokenKind::string, text_.substr(body, close - body));
    }

    void operation() {
        std::size_t end = at_;
        while (end < text_.size() && k_operator_characters.find(text_[end]) != std::string_view::npos) {
            if (end > at_ && text_[end] == '-' && end + 1 < text_.size() && text_[end + 1] == '-') break;
            if (end > at_ && text_[end] == '/' && end + 1 < text_.size() && text_[end + 1] == '*') break;
            ++end;
        }
        // A trailing sign belongs to the operator only if a character stands before it that SQL's own operators lack.
        while (end - at_ > 1 && (text_[end - 1] == '+' || text_[end - 1] == '-') &&
               text_.substr(at_, end - at_).find_first_of(k_lets_sign_end) == std::string_view::npos)
            --end;
        std::string_view word = text_.substr(at_, end - at_);
        at_ = end;
        if (word == "!=") word = "<>";
        add(word == "=>" ? TokenKind::arrow : TokenKind::operation, word);
    }

    void quoted_name(bool unicode) {
        const std::size_t open = at_++;
        std::string name;
        for (;;) {
            if (at_ >= text_.size()) fail("unterminated quoted identifier", start_);
            const char c = text_[at_++];
            if (c == '"') {
                if (peek() != '"') break;
                ++at_;
            }
            name.push_back(c);
        }
        if (name.empty()) fail("zero-length delimited identifier at or near \"\"\"\"", open);
        if (unicode) name = decode_unicode(name, unicode_escape());
        add(TokenKind::quoted, arena_.copy(utf8_within(name, k_name_limit)));
    }

    /// The character that UESCAPE names, if it follows; a backslash otherwise.
    char unicode_escape() {
        const std::size_t before = at_;
        skip_blanks();
        std::size_t end = at_;
        while (end < text_.size() && is_name_part(text_[end])) ++end;
        std::string word(text_.substr(at_, end - at_));
        for (char& c : word) c = fold(c);
        if (word != "uescape") {
            at_ = before;
            return '\\';
        }
        at_ = end;
        skip_blanks();
        if (peek() != '\'' || at_ + 2 >= text_.size() || text_[at_ + 2] != '\'')
            fail("UESCAPE must be followed by a simple string literal", at_);
        const char escape = peek(1);
        if (hex_value(escape) >= 0 || escape == '+' || escape == '\'' || escape == '"' || is_space(escape))
            fail("invalid Unicode escape character", at_);
        at_ += 3;
        return escape;
    }

    std::string decode_unicode(const std::string& raw, char escape) const {
        std::string out;
        std::uint32_t high = 0;
        for (std::size_t i = 0; i < raw.size();) {
            if (raw[i] != escape) {
                if (high != 0) fail("invalid Unicode surrogate pair", start_);
                out.push_back(raw[i++]);
                continue;
            }
            if (i + 1 < raw.size() && raw[i + 1] == escape) {
                if (high != 0) fail("invalid Unicode surrogate pair", start_);
                out.push_back(escape);
                i += 2;
                continue;
            }
            ++i;
            std::size_t digits = 4;
            if (i < raw.size() && raw[i] == '+') {
                digits = 6;
                ++i;
            }
            std::uint32_t code = 0;
            for (std::size_t k = 0; k < digits; ++k, ++i) {
                const int value = i < raw.size() ? hex_value(raw[i]) : -1;
                if (value < 0) fail("invalid Unicode escape", start_);
                code = code * 16 + static_cast<std::uint32_t>(value);
            }
            add_code(out, high, code);
        }
        if (high != 0) fail("invalid Unicode surrogate pair", start_);
        return out;
    }

    /// Joins surrogate pairs: `high` keeps the first half between calls.
    void add_code(std::string& out, std::uint32_t& high, std::uint32_t code) const {
        if (high != 0) {
            if (code < 0xdc00 || code > 0xdfff) fail("invalid Unicode surrogate pair", start_);
            code = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00);
            high = 0;
        } else if (code >= 0xd800 && code <= 0xdbff) {
            high = code;
            return;
        }
        if (code == 0 || !append_utf8(out, code)) fail("invalid Unicode escape value", start_);
    }

    void string_constant(char mode) {
        std::string value;
        std::string_view whole;  // while it is one piece without escapes, no copy is made
        bool copied = false;
        for (bool again = true; again;) {
            ++at_;
            const std::size_t begin = at_;
            bool simple = true;
            std::string piece;
            for (;;) {
                if (at_ >= text_.size()) fail("unterminated quoted string", start_);
                const char c = text_[at_++];
                if (c == '\'') {
                    if (peek() != '\'') break;
                    if (simple) piece.assign(text_.substr(begin, at_ - 1 - begin));
                    simple = false;
                    piece.push_back('\'');
                    ++at_;
                } else if (c == '\\' && mode == 'e') {
                    if (simple) piece.assign(text_.substr(begin, at_ - 1 - begin));
                    simple = false;
                    escape(piece);
                } else if (!simple) {
                    piece.push_back(c);
                }
            }
            const std::string_view body = simple ? text_.substr(begin, at_ - 1 - begin) : std::string_view(piece);
            const std::size_t before = at_;
            again = skip_blanks() && peek() == '\'';
            if (!again) at_ = before;
            if (!copied && simple && !again) whole = body;
            else {
                copied = true;
                value.append(body);
            }
        }
        if (mode == 'u') {
            if (!copied) value.assign(whole);
            copied = true;
            value = decode_unicode(value, unicode_escape());
        }
        // Bytes that escapes make must be characters.
        if (mode == 'e' && copied) checked_text(value);
        add(TokenKind::string, copied ? arena_.copy(value) : whole);
    }

    /// Behind a backslash in E''.
    void escape(std::string& out) {
        const char c = peek();
        ++at_;
        switch (c) {
            case 'b': out.push_back('\b'); return;
            case 'f': out.push_back('\f'); return;
            case 'n': out.push_back('\n'); return;
            case 'r': out.push_back('\r'); return;
            case 't': out.push_back('\t'); return;
            case 'x': {
                if (hex_value(peek()) < 0) return out.push_back('x');
                int code = 0;
                for (int i = 0; i < 2 && hex_value(peek()) >= 0; ++i, ++at_) code = code * 16 + hex_value(peek());
                return add_byte(out, code);
            }
            case 'u':
            case 'U': return unicode_in_escape(out, c == 'u' ? 4 : 8);
            default: break;
        }
        if (c >= '0' && c <= '7') {
            int code = c - '0';
            for (int i = 0; i < 2 && peek() >= '0' && peek() <= '7'; ++i, ++at_) code = code * 8 + (peek() - '0');
            return add_byte(out, code & 0xff);
        }
        if (at_ > text_.size()) fail("unterminated quoted string", start_);
        out.push_back(c);
    }

    void add_byte(std::string& out, int code) const {
        if (code == 0)
            fail("invalid byte sequence for encoding \"UTF8\": 0x00", start_, sqlstate::character_not_in_repertoire);
        out.push_back(static_cast<char>(code));
    }

    void unicode_in_escape(std::string& out, int digits) {
        std::uint32_t high = 0;
        for (;;) {
            std::uint32_t code = 0;
            for (int i = 0; i < digits; ++i, ++at_) {
                const int value = hex_value(peek());
                if (value < 0) fail("invalid Unicode escape", at_, sqlstate::invalid_escape_sequence);
                code = code * 16 + static_cast<std::uint32_t>(value);
            }
            add_code(out, high, code);
            if (high == 0) return;
            if (peek() != '\\' || (peek(1) != 'u' && peek(1) != 'U')) fail("invalid Unicode surrogate pair", start_);
            digits = peek(1) == 'u' ? 4 : 8;
            at_ += 2;
        }
    }

    void bit_constant(char kind) {
        std::string value(1, kind);
        for (bool again = true; again;) {
            ++at_;
            while (peek() != '\'') {
                if (at_ >= text_.size())
                    fail(kind == 'b' ? "unterminated bit string literal" : "unterminated hexadecimal string literal",
                         start_);
                value.push_back(text_[at_++]);
            }
            ++at_;
            const std::size_t end = at_;
            again = skip_blanks() && peek() == '\'';
            if (!again) at_ = end;
        }
        add(TokenKind::bit_string, arena_.copy(value));
    }

    std::string_view text_;
    Arena& arena_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    std::size_t start_ = 0;
    std::uint32_t literals_ = 0;
};

}  // namespace lexer

bool append_utf8(std::string& to, std::uint32_t code) {
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
    const auto byte = [&](std::uint32_t value) { to.push_back(static_cast<char>(value)); };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xc0 | (code >> 6));
        byte(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        byte(0xe0 | (code >> 12));
        byte(0x80 | ((code >> 6) & 0x3f));
        byte(0x80 | (code & 0x3f));
    } else {
        byte(0xf0 | (code >> 18));
        byte(0x80 | ((code >> 12) & 0x3f));
        byte(0x80 | ((code >> 6) & 0x3f));
        byte(0x80 | (code & 0x3f));
    }
    return true;
}

std::vector<Token> lex(std::string_view text, Arena& arena) { return lexer::Lexer(text, arena).run(); }

}  // namespace northstar::inline v0::sql
