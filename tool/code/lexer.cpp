#include "lexer.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "text.hpp"

namespace northstar_tool::code {
namespace lexer_impl {

constexpr std::size_t k_longest_word = 255;     // longer ones are data
constexpr std::size_t k_longest_types = 64;     // tokens between < and > that are looked at
constexpr std::size_t k_longest_raw_mark = 16;  // C++ allows so many characters in R"mark(

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_byte(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
public:
    Lexer(Language language, std::string_view text, std::uint32_t first_line)
        : language_(language), family_(family_of(language)), text_(text), line_(first_line) {}

    Lexed run() {
        while (at_ < text_.size()) step();
        out_.lines = text_.empty() ? 0 : line_ - (text_.back() == '\n' ? 1 : 0);
        return std::move(out_);
    }

private:
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    bool starts(std::string_view with) const { return text_.substr(at_, with.size()) == with; }

    void step() {
        const char c = text_[at_];
        if (c == '\n') {
            ++line_;
            ++at_;
            fresh_ = true;
            return;
        }
        if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
            ++at_;
            return;
        }
        if (comment()) return;
        const bool fresh = std::exchange(fresh_, false);
        if (c == '#' && family_ == Family::c && fresh) return directive();
        if (c == '\\' && peek(1) == '\n') {  // a line that goes on
            at_ += 2;
            ++line_;
            return;
        }
        if (literal()) return;
        if (is_digit(c)) return number();
        if (is_word_byte(c) || (c == '$' && family_ == Family::javascript)) return word();
        mark();
    }

    void add(TokenKind kind, std::size_t begin, std::uint32_t line) {
        out_.tokens.push_back({kind, line, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_ - begin)});
    }

    void count_lines(std::size_t from) {
        line_ += static_cast<std::uint32_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(from),
                                                       text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
    }

    // ---- comments and directives ----

    bool comment() {
        const bool hash = family_ == Family::python;
        const bool line_comment = hash ? peek() == '#' : peek() == '/' && peek(1) == '/';
        const bool block_comment = !hash && peek() == '/' && peek(1) == '*';
        if (!line_comment && !block_comment) return false;
        const std::size_t begin = at_;
        const std::uint32_t line = line_;
        if (line_comment) {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else if (family_ == Family::rust) {
            nested_comment();
        } else {
            const std::size_t close = text_.find("*/", at_ + 2);
            at_ = close == std::string_view::npos ? text_.size() : close + 2;
        }
        count_lines(begin);
        out_.comments.push_back({line, line_, static_cast<std::uint32_t>(begin),
                                 static_cast<std::uint32_t>(at_ - begin), fresh_});
        return true;
    }

    void nested_comment() {
        std::size_t depth = 0;
        do {
            if (starts("/*")) {
                ++depth;
                at_ += 2;
            } else if (starts("*/")) {
                --depth;
                at_ += 2;
            } else {
                ++at_;
            }
        } while (depth > 0 && at_ < text_.size());
        at_ = std::min(at_, text_.size());
    }

    void directive() {
        const std::size_t begin = at_;
        const std::uint32_t line = line_;
        while (at_ < text_.size() && text_[at_] != '\n') {
            if (starts("//")) {
                add(TokenKind::directive, begin, line);
                return;
            }
            if (starts("/*")) {
                const std::size_t close = text_.find("*/", at_ + 2);
                at_ = close == std::string_view::npos ? text_.size() : close + 2;
                continue;
            }
            const bool goes_on = text_[at_] == '\\' && (peek(1) == '\n' || (peek(1) == '\r' && peek(2) == '\n'));
            at_ += !goes_on ? 1 : peek(1) == '\n' ? 2 : 3;
        }
        add(TokenKind::directive, begin, line);
        count_lines(begin);
    }

    // ---- literals ----

    /// A string up to the quote, which a backslash protects. over_lines: a line feed does not end it.
    void quoted(char quote, bool over_lines) {
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size() && (over_lines || text_[at_ + 1] != '\r')) {
                ++at_;
            } else if (text_[at_] == '\n' && !over_lines) {
                return;
            } else if (text_[at_] == quote) {
                ++at_;
                return;
            }
        }
        at_ = text_.size();
    }

    bool finish_literal(std::size_t begin, std::uint32_t line) {
        add(TokenKind::literal, begin, line);
        count_lines(begin);
        return true;
    }

    bool literal() {
        const std::size_t begin = at_;
        const std::uint32_t line = line_;
        bool found = false;
        switch (family_) {
        case Family::c: found = c_literal(); break;
        case Family::python: found = python_literal(); break;
        case Family::go: found = go_literal(); break;
        case Family::rust: found = rust_literal(); break;
        case Family::javascript: found = javascript_literal(); break;
        case Family::none: break;
        }
        return found && finish_literal(begin, line);
    }

    bool c_literal() {
        if (language_ == Language::cpp) {
            for (const std::string_view prefix : {"R\"", "u8R\"", "LR\"", "uR\"", "UR\""}) {
                if (!starts(prefix)) continue;
                const std::size_t open = text_.find('(', at_);
                const std::size_t mark = at_ + prefix.size();
                if (open == std::string_view::npos || open - mark > k_longest_raw_mark) break;
                const std::string close = ")" + std::string(text_.substr(mark, open - mark)) + "\"";
                const std::size_t end = text_.find(close, open);
                if (end == std::string_view::npos) break;
                at_ = end + close.size();
                return true;
            }
        }
        if (peek() != '"' && peek() != '\'') return false;
        quoted(peek(), false);
        return true;
    }

    bool python_literal() {
        std::size_t quote = 0;
        while (quote < 2 && std::string_view("rRbBfFuU").find(peek(quote)) != std::string_view::npos &&
               peek(quote) != '\0') {
            ++quote;
        }
        const char c = peek(quote);
        if (c != '"' && c != '\'') return false;
        at_ += quote;
        if (peek(1) != c || peek(2) != c) {
            quoted(c, false);
            return true;
        }
        const std::string close(3, c);
        at_ += 3;
        for (; at_ < text_.size() && !starts(close); ++at_) {
            if (text_[at_] == '\\') ++at_;
        }
        at_ = std::min(at_ + 3, text_.size());
        return true;
    }

    bool go_literal() {
        if (peek() == '`') {
            const std::size_t close = text_.find('`', at_ + 1);
            at_ = close == std::string_view::npos ? text_.size() : close + 1;
            return true;
        }
        if (peek() != '"' && peek() != '\'') return false;
        quoted(peek(), false);
        return true;
    }

    bool rust_literal() {
        std::size_t quote = peek() == 'b' || peek() == 'c' ? 1 : 0;
        if (peek(quote) == 'r') {
            std::size_t hashes = 0;
            while (peek(quote + 1 + hashes) == '#') ++hashes;
            if (peek(quote + 1 + hashes) == '"') {
                const std::string close = "\"" + std::string(hashes, '#');
                const std::size_t end = text_.find(close, at_ + quote + 2 + hashes);
                at_ = end == std::string_view::npos ? text_.size() : end + close.size();
                return true;
            }
        }
        if (peek(quote) == '"') {
            at_ += quote;
            quoted('"', true);
            return true;
        }
        if (peek(quote) != '\'') return false;
        // 'a' is a character, 'a a lifetime.
        std::size_t length = 1;
        while (length < 4 && (static_cast<unsigned char>(peek(quote + 1 + length)) & 0xc0) == 0x80) ++length;
        if (peek(quote + 1) != '\\' && peek(quote + 1 + length) != '\'') return false;
        at_ += quote;
        quoted('\'', false);
        return true;
    }

    bool javascript_literal() {
        const char c = peek();
        if (c == '"' || c == '\'') {
            quoted(c, false);
            return true;
        }
        if (c == '`') {
            template_literal();
            return true;
        }
        return c == '/' && expects_value() && regular_expression();
    }

    /// `text ${ code } text`: the code may hold templates of its own.
    void template_literal() {
        std::vector<std::size_t> braces;  // open braces in the code of each template that is not closed
        ++at_;
        bool in_text = true;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '\\') {
                ++at_;
            } else if (in_text && c == '$' && peek(1) == '{') {
                braces.push_back(0);
                in_text = false;
                ++at_;
            } else if (in_text && c == '`') {
                if (braces.empty()) {
                    ++at_;
                    return;
                }
                in_text = false;
            } else if (!in_text && c == '`') {
                in_text = true;
            } else if (!in_text && c == '{') {
                ++braces.back();
            } else if (!in_text && c == '}') {
                if (braces.back() == 0) {
                    braces.pop_back();
                    in_text = true;
                } else {
                    --braces.back();
                }
            }
            ++at_;
        }
        at_ = text_.size();
    }

    /// Whether a / here begins a regular expression rather than divides.
    bool expects_value() const {
        if (out_.tokens.empty()) return true;
        const Token& last = out_.tokens.back();
        const std::string_view before = text_.substr(last.begin, last.size);
        if (last.kind == TokenKind::mark) return before != ")" && before != "]" && before != "}";
        constexpr std::array<std::string_view, 13> words = {"return", "typeof", "case", "in", "of", "delete", "void",
                                                            "throw", "new", "do", "else", "yield", "await"};
        return last.kind == TokenKind::word && std::find(words.begin(), words.end(), before) != words.end();
    }

    bool regular_expression() {
        bool in_class = false;
        constexpr std::size_t k_longest = 2000;
        const std::size_t end = std::min(text_.size(), at_ + k_longest);
        for (std::size_t i = at_ + 1; i < end && text_[i] != '\n'; ++i) {
            if (text_[i] == '\\') ++i;
            else if (text_[i] == '[') in_class = true;
            else if (text_[i] == ']') in_class = false;
            else if (text_[i] == '/' && !in_class) {
                at_ = i + 1;
                return true;
            }
        }
        return false;
    }

    // ---- the rest ----

    void number() {
        const std::size_t begin = at_;
        while (at_ < text_.size() &&
               (is_word_byte(text_[at_]) || (text_[at_] == '.' && is_digit(peek(1))) ||
                (text_[at_] == '\'' && family_ == Family::c && is_word_byte(peek(1))) ||
                ((text_[at_] == '+' || text_[at_] == '-') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') &&
                 text_.substr(begin, 2) != "0x" && text_.substr(begin, 2) != "0X"))) {
            ++at_;
        }
        add(TokenKind::number, begin, line_);
    }

    void word() {
        const std::size_t begin = at_;
        while (at_ < text_.size() &&
               (is_word_byte(text_[at_]) || (text_[at_] == '$' && family_ == Family::javascript))) {
            ++at_;
        }
        // Names are kept as text: bytes that are none name nothing.
        const std::string_view name = text_.substr(begin, at_ - begin);
        add(name.size() > k_longest_word || !valid_utf8(name) ? TokenKind::number : TokenKind::word, begin, line_);
    }

    void mark() {
        const std::size_t begin = at_;
        at_ += starts("::") || starts("->") || starts("=>") ? 2 : 1;
        add(TokenKind::mark, begin, line_);
    }

    const Language language_;
    const Family family_;
    const std::string_view text_;
    std::size_t at_ = 0;
    std::uint32_t line_;
    bool fresh_ = true;  // nothing but blanks and comments on this line so far
    Lexed out_;
};

}  // namespace lexer_impl

Lexed lex(Language language, std::string_view text, std::uint32_t first_line) {
    return lexer_impl::Lexer(language, text, first_line).run();
}

Tokens::Tokens(std::string_view text, std::vector<Token> tokens)
    : source_(text), tokens_(std::move(tokens)), partners_(tokens_.size(), none) {
    // One stack for each kind of bracket within the others': a closing one that fits none nearby is passed over.
    constexpr std::size_t k_far = 64;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        if (tokens_[i].kind != TokenKind::mark || tokens_[i].size != 1) continue;
        const char c = text[tokens_[i].begin];
        if (c == '(' || c == '[' || c == '{') open.push_back(i);
        const char wanted = c == ')' ? '(' : c == ']' ? '[' : c == '}' ? '{' : '\0';
        if (wanted == '\0') continue;
        for (std::size_t back = 1; back <= std::min(open.size(), k_far); ++back) {
            const std::size_t candidate = open[open.size() - back];
            const char opening = text[tokens_[candidate].begin];
            if (opening == wanted) {
                partners_[candidate] = i;
                partners_[i] = candidate;
                open.resize(open.size() - back);
                break;
            }
            if (opening == '{') break;  // a ) or ] does not close what a block holds
        }
    }
}

bool Tokens::in_types(std::size_t i) const {
    if (tokens_[i].kind == TokenKind::word || tokens_[i].kind == TokenKind::number) return true;
    const std::string_view mark = text(i);
    constexpr std::string_view marks = ",*&<>.[]()'?|";
    return mark == "::" || mark == "->" || (mark.size() == 1 && marks.find(mark[0]) != std::string_view::npos);
}

std::size_t Tokens::closing_angle(std::size_t i) const {
    std::size_t depth = 0;
    for (std::size_t at = i; at < size() && at - i <= lexer_impl::k_longest_types;) {
        if (is(at, "(") || is(at, "[") || is(at, "{")) {
            at = behind(at);
            continue;
        }
        if (is(at, "<")) ++depth;
        else if (is(at, ">") && --depth == 0) return at;
        else if (is(at, ";")) return none;
        ++at;
    }
    return none;
}

std::size_t Tokens::opening_angle(std::size_t i) const {
    std::size_t depth = 0;
    for (std::size_t at = i; at != none && i - at <= lexer_impl::k_longest_types; --at) {
        if (is(at, ">")) ++depth;
        else if (is(at, "<") && --depth == 0) return at;
        if (!in_types(at) || (is(at, "&") && at > 0 && is(at - 1, "&"))) return none;
    }
    return none;
}

}  // namespace northstar_tool::code
