#include "sql/session/statement_text.hpp"

namespace northstar::inline v0::sql {

namespace statement_text {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

/// The place behind a quoted run that begins at `at`; a doubled quote is part of it, and so is one behind a backslash.
std::size_t behind_quotes(std::string_view text, std::size_t at, bool backslashes) {
    const char quote = text[at];
    for (std::size_t i = at + 1; i < text.size(); ++i) {
        if (backslashes && text[i] == '\\') ++i;
        else if (text[i] == quote && i + 1 < text.size() && text[i + 1] == quote) ++i;
        else if (text[i] == quote) return i + 1;
    }
    return text.size();
}

/// The place behind $tag$ .. $tag$, or `at` where none begins there.
std::size_t behind_dollars(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end >= text.size() || text[end] != '$' || (end > at + 1 && is_digit(text[at + 1]))) return at;
    const std::string_view tag = text.substr(at, end + 1 - at);
    const std::size_t close = text.find(tag, end + 1);
    return close == std::string_view::npos ? text.size() : close + tag.size();
}

/// The place behind a comment, or `at` where none begins there. Block comments nest.
std::size_t behind_comment(std::string_view text, std::size_t at) {
    const std::string_view two = text.substr(at, 2);
    if (two == "--") {
        const std::size_t end = text.find('\n', at);
        return end == std::string_view::npos ? text.size() : end;
    }
    if (two != "/*") return at;
    int depth = 0;
    for (std::size_t i = at; i + 1 < text.size(); ++i) {
        const std::string_view mark = text.substr(i, 2);
        if (mark != "/*" && mark != "*/") continue;
        depth += mark == "/*" ? 1 : -1;
        ++i;
        if (depth == 0) return i + 1;
    }
    return text.size();
}

}  // namespace statement_text

std::string statement_without_literals(std::string_view text, std::size_t limit) {
    using namespace statement_text;
    std::string out;
    for (std::size_t i = 0; i < text.size() && out.size() < limit;) {
        const char c = text[i];
        const bool in_word = !out.empty() && is_word(out.back());
        if (const std::size_t behind = behind_comment(text, i); behind != i || is_blank(c)) {
            i = behind != i ? behind : i + 1;
            if (!out.empty() && out.back() != ' ') out.push_back(' ');
        } else if (c == '\'') {
            // E'..', B'..', X'..', N'..' and U&'..' are literals with their letter.
            const bool letter = in_word && (out.size() == 1 || !is_word(out[out.size() - 2]));
            const bool escapes = letter && (out.back() == 'e' || out.back() == 'E');
            if (letter) out.pop_back();
            else if (out.size() > 1 && out.back() == '&') out.resize(out.size() - 2);
            i = behind_quotes(text, i, escapes);
            out.push_back('?');
        } else if (c == '"') {
            const std::size_t end = behind_quotes(text, i, false);
            out.append(text.substr(i, end - i));
            i = end;
        } else if (c == '$' && !in_word && behind_dollars(text, i) != i) {
            i = behind_dollars(text, i);
            out.push_back('?');
        } else if (is_digit(c) && !in_word && (out.empty() || out.back() != '$')) {
            const auto part_of_number = [&] {
                const bool sign = text[i] == '-' || text[i] == '+';
                return is_word(text[i]) || text[i] == '.' || (sign && (text[i - 1] == 'e' || text[i - 1] == 'E'));
            };
            while (i < text.size() && part_of_number()) ++i;
            out.push_back('?');
        } else {
            out.push_back(c);
            ++i;
        }
    }
    while (!out.empty() && (out.back() == ' ' || out.back() == ';')) out.pop_back();
    if (out.size() <= limit) return out;
    // Not in the middle of a character.
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
    out.resize(end);
    return out;
}

}  // namespace northstar::inline v0::sql
