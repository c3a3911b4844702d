#include "sql/like.hpp"

#include "sql/error.hpp"
#include "sql/utf8.hpp"

namespace northstar::inline v0::sql {

namespace like_file {

char fold(char c, bool ignore_case) {
    return ignore_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace like_file

bool like_match(std::string_view text, std::string_view pattern, bool ignore_case) {
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t star_pattern = std::string_view::npos;
    std::size_t star_text = 0;
    const auto retry = [&]() {
        if (star_pattern == std::string_view::npos || star_text >= text.size()) return false;
        star_text += utf8_size(text, star_text);
        t = star_text;
        p = star_pattern;
        return true;
    };
    for (;;) {
        if (p == pattern.size()) {
            if (t == text.size()) return true;
            if (!retry()) return false;
            continue;
        }
        const char c = pattern[p];
        if (c == '%') {
            while (p < pattern.size() && pattern[p] == '%') ++p;
            if (p == pattern.size()) return true;
            star_pattern = p;
            star_text = t;
            continue;
        }
        if (c == '_') {
            if (t < text.size()) {
                t += utf8_size(text, t);
                ++p;
                continue;
            }
            if (!retry()) return false;
            continue;
        }
        std::size_t literal = p;
        if (c == '\\' && ++literal == pattern.size()) {
            raise(sqlstate::invalid_escape_sequence, "LIKE pattern must not end with escape character");
        }
        if (t < text.size() &&
            like_file::fold(text[t], ignore_case) == like_file::fold(pattern[literal], ignore_case)) {
            ++t;
            p = literal + 1;
            continue;
        }
        if (!retry()) return false;
    }
}

std::string like_escape_pattern(std::string_view pattern, std::string_view escape) {
    std::string result;
    if (escape.empty()) {
        for (const char c : pattern) {
            if (c == '\\') result += '\\';
            result += c;
        }
        return result;
    }
    if (utf8_length(escape) != 1) {
        raise(sqlstate::invalid_escape_sequence, "invalid escape string", "",
              "Escape string must be empty or one character.");
    }
    if (escape == "\\") return std::string(pattern);
    bool after_escape = false;
    for (std::size_t at = 0; at < pattern.size();) {
        const std::size_t size = utf8_size(pattern, at);
        const std::string_view character = pattern.substr(at, size);
        at += size;
        if (character == escape && !after_escape) {
            result += '\\';
            after_escape = true;
        } else {
            if (character == "\\" && !after_escape) result += '\\';
            result += character;
            after_escape = false;
        }
    }
    return result;
}

}  // namespace northstar::inline v0::sql
