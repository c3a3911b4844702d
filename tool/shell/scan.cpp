#include "scan.hpp"

#include <algorithm>

namespace northstar_tool::shell {
namespace scan_impl {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) { return begins_word(c) || is_digit(c) || c == '$'; }

/// Behind the closing quote; quotes are doubled inside. `escapes`: a backslash takes the next character along.
std::size_t end_of_quoted(std::string_view text, std::size_t at, char quote, bool escapes, bool& open) {
    for (; at < text.size(); ++at) {
        if (escapes && text[at] == '\\') {
            ++at;
            continue;
        }
        if (text[at] != quote) continue;
        if (at + 1 < text.size() && text[at + 1] == quote) {
            ++at;
            continue;
        }
        return at + 1;
    }
    open = true;
    return text.size();
}

std::size_t end_of_comment(std::string_view text, std::size_t at, bool& open) {
    std::size_t depth = 1;
    for (at += 2; at + 1 < text.size(); ++at) {
        if (text[at] == '/' && text[at + 1] == '*') {
            ++depth;
            ++at;
        } else if (text[at] == '*' && text[at + 1] == '/') {
            ++at;
            if (--depth == 0) return at + 1;
        }
    }
    open = true;
    return text.size();
}

/// The tag of a dollar quote at `at`, both dollars with it; empty: there is none.
std::string_view dollar_tag(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && text[end] != '$' && continues_word(text[end]) &&
           !(end == at + 1 && is_digit(text[end])))
        ++end;
    return end < text.size() && text[end] == '$' ? text.substr(at, end + 1 - at) : std::string_view();
}

}  // namespace scan_impl

Span next_span(std::string_view text, std::size_t at) {
    using namespace scan_impl;
    Span span;
    span.begin = span.end = at;
    if (at >= text.size()) return span;
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    const auto take_while = [&](auto&& belongs) {
        while (span.end < text.size() && belongs(text[span.end])) ++span.end;
    };
    if (is_space(c)) {
        span.kind = SpanKind::space;
        take_while(is_space);
    } else if (c == '-' && next == '-') {
        span.kind = SpanKind::comment;
        span.end = std::min(text.find('\n', at), text.size());
    } else if (c == '/' && next == '*') {
        span.kind = SpanKind::comment;
        span.end = end_of_comment(text, at, span.open);
    } else if (c == '\'') {
        span.kind = SpanKind::string;
        span.end = end_of_quoted(text, at + 1, '\'', false, span.open);
    } else if (c == '"') {
        span.kind = SpanKind::quoted;
        span.end = end_of_quoted(text, at + 1, '"', false, span.open);
    } else if ((c == 'e' || c == 'E') && next == '\'') {
        span.kind = SpanKind::string;
        span.end = end_of_quoted(text, at + 2, '\'', true, span.open);
    } else if (c == '$' && is_digit(next)) {
        span.kind = SpanKind::parameter;
        span.end = at + 1;
        take_while(is_digit);
    } else if (const std::string_view tag = c == '$' ? dollar_tag(text, at) : std::string_view(); !tag.empty()) {
        span.kind = SpanKind::string;
        const std::size_t close = text.find(tag, at + tag.size());
        span.open = close == std::string_view::npos;
        span.end = span.open ? text.size() : close + tag.size();
    } else if (begins_word(c)) {
        span.kind = SpanKind::word;
        take_while(continues_word);
    } else if (is_digit(c)) {
        span.kind = SpanKind::number;
        take_while([](char d) { return is_digit(d) || d == '.' || begins_word(d); });
    } else {
        span.kind = SpanKind::symbol;
        span.end = at + 1;
    }
    return span;
}

StatementEnd end_of_statement(std::string_view text) {
    StatementEnd end;
    std::size_t depth = 0;
    for (std::size_t at = 0;;) {
        const Span span = next_span(text, at);
        end.at = span.end;
        if (span.kind == SpanKind::end) {
            if (end.inside == 0 && depth > 0) end.inside = '(';
            return end;
        }
        if (span.open) {
            end.inside = span.kind == SpanKind::comment ? '*' : text[span.begin] == '$' ? '$'
                         : span.kind == SpanKind::quoted ? '"' : '\'';
        }
        if (span.kind == SpanKind::symbol) {
            const char c = text[span.begin];
            if (c == '(') ++depth;
            if (c == ')' && depth > 0) --depth;
            if (c == ';' && depth == 0) {
                end.why = StatementEnd::Why::semicolon;
                return end;
            }
            if (c == '\\') {
                end.why = StatementEnd::Why::backslash;
                end.at = span.begin;
                return end;
            }
        }
        if (span.kind != SpanKind::space && span.kind != SpanKind::comment) end.empty = false;
        at = span.end;
    }
}

std::string_view trim_statement(std::string_view text) {
    for (;;) {
        const Span span = next_span(text, 0);
        if (span.kind != SpanKind::space && span.kind != SpanKind::comment) break;
        text.remove_prefix(span.end);
    }
    while (!text.empty() && scan_impl::is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string first_word(std::string_view text) {
    text = trim_statement(text);
    const Span span = next_span(text, 0);
    return span.kind == SpanKind::word ? lower_case(text.substr(0, span.end)) : std::string();
}

std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

}  // namespace northstar_tool::shell
