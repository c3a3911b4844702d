// Comments as text: marks off, neighbouring lines together, empty ones away.
#include "lexer.hpp"
#include "parsed_source.hpp"

#include <algorithm>

namespace northstar_tool::code {
namespace comments_impl {

std::string_view trimmed(std::string_view line, std::string_view what) {
    const std::size_t begin = line.find_first_not_of(what);
    if (begin == std::string_view::npos) return {};
    return line.substr(begin, line.find_last_not_of(what) - begin + 1);
}

/// A line without the marks around it and the rules that people draw.
std::string_view inside(std::string_view line) {
    line = trimmed(line, " \t\r\f\v");
    if (line.substr(0, 2) == "//") {
        line = line.substr(line.find_first_not_of('/') == std::string_view::npos ? line.size()
                                                                                 : line.find_first_not_of('/'));
        if (!line.empty() && (line.front() == '!' || line.front() == '<')) line.remove_prefix(1);
    } else if (!line.empty() && (line.front() == '#' || line.front() == '*' || line.substr(0, 2) == "/*")) {
        line = line.substr(std::min(line.find_first_not_of("#/*!"), line.size()));
    }
    if (line.size() >= 2 && line.substr(line.size() - 2) == "*/") line.remove_suffix(2);
    line = trimmed(line, " \t\r\f\v");
    return line.find_first_not_of("-=*_~#/ ") == std::string_view::npos ? std::string_view() : line;
}

void append_lines(std::string& out, std::string_view raw) {
    for (std::size_t at = 0; at <= raw.size();) {
        const std::size_t end = std::min(raw.find('\n', at), raw.size());
        const std::string_view line = inside(raw.substr(at, end - at));
        if (!line.empty()) {
            if (!out.empty()) out += '\n';
            out += line;
        }
        at = end + 1;
    }
}

/// Three letters or bytes of other scripts.
bool says_something(std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
           }) >= 3;
}

}  // namespace comments_impl

std::vector<Comment> clean_comments(std::string_view text, const std::vector<RawComment>& raw) {
    std::vector<Comment> comments;
    bool joinable = false;
    for (const RawComment& comment : raw) {
        const std::string_view bytes = text.substr(comment.begin, comment.size);
        const bool line_comment = bytes.substr(0, 2) == "//" || bytes.substr(0, 1) == "#";
        if (!(joinable && line_comment && comment.alone && comments.back().end_line + 1 == comment.line)) {
            if (!comments.empty() && !comments_impl::says_something(comments.back().text)) comments.pop_back();
            comments.push_back({{}, comment.line, comment.end_line});
        }
        comments_impl::append_lines(comments.back().text, bytes);
        comments.back().end_line = comment.end_line;
        joinable = line_comment && comment.alone;
    }
    if (!comments.empty() && !comments_impl::says_something(comments.back().text)) comments.pop_back();
    return comments;
}

}  // namespace northstar_tool::code
