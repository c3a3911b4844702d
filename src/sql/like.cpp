#include "sql/like.hpp"

#include "sql/error.hpp"
#include "sql/letter_case.hpp"
#include "sql/utf8.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace like_file {

char fold(char c, bool ignore_case) {
    return ignore_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace like_file

bool like_match(std::string_view text, std::string_view pattern, bool ignore_case) {
    if (ignore_case && !(like_file::is_ascii(text) && like_file::is_ascii(pattern)))
        return like_match(lower_case_text(text), lower_case_text(pattern), false);
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
            // As in PostgreSQL, of a text that ends before it nothing more is looked at.
            if (t == text.size()) return false;
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

std::unique_ptr<LikePattern> LikePattern::make(std::string_view pattern) {
    if (pattern.find_first_of("_\\") != std::string_view::npos) return nullptr;
    auto made = std::make_unique<LikePattern>();
    std::size_t at = pattern.find('%');
    made->begin_ = pattern.substr(0, at);
    if (at == std::string_view::npos) return made;
    made->open_ = true;
    for (;;) {
        const std::size_t from = at + 1;
        at = pattern.find('%', from);
        if (at == std::string_view::npos) {
            made->end_ = pattern.substr(from);
            return made;
        }
        if (at > from) made->middle_.emplace_back(pattern.substr(from, at - from));
    }
}

// Bytes are compared: in UTF-8, whole characters are found at the beginning of a character only.
bool LikePattern::matches(std::string_view text) const {
    if (!open_) return text == begin_;
    if (text.size() < begin_.size() + end_.size() || !text.starts_with(begin_) || !text.ends_with(end_)) return false;
    text = text.substr(begin_.size(), text.size() - begin_.size() - end_.size());
    for (const std::string& piece : middle_) {
        const std::size_t found = text.find(piece);
        if (found == std::string_view::npos) return false;
        text.remove_prefix(found + piece.size());
    }
    return true;
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
