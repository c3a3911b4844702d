// The reader of Markdown: every heading with what stands below it is a comment.
#include "parsed_source.hpp"

#include <algorithm>

namespace northstar_tool::code {

ParsedSource parse_markdown(std::string_view text) {
    ParsedSource source;
    bool in_code = false;
    std::uint32_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        at = end + 1;
        ++number;
        if (line.substr(0, 3) == "```" || line.substr(0, 3) == "~~~") in_code = !in_code;
        const bool heading = !in_code && !line.empty() && line[0] == '#';
        if (source.comments.empty() || heading) source.comments.push_back({{}, number, number});
        Comment& section = source.comments.back();
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        if (!section.text.empty()) section.text += '\n';
        section.text += heading ? line.substr(std::min(line.find_first_not_of("# "), line.size())) : line;
        section.end_line = number;
    }
    source.comments.erase(std::remove_if(source.comments.begin(), source.comments.end(),
                                         [](const Comment& section) { return section.text.empty(); }),
                          source.comments.end());
    source.lines = number;
    return source;
}

}  // namespace northstar_tool::code
