// The reader for each language.
#include "parsed_source.hpp"

namespace northstar_tool::code {

ParsedSource parse_source(Language language, std::string_view text) {
    switch (language) {
    case Language::c:
    case Language::cpp: return parse_c(language, text);
    case Language::python: return parse_python(text);
    case Language::go: return parse_go(text);
    case Language::rust: return parse_rust(text);
    case Language::javascript:
    case Language::typescript: return parse_javascript(language, text);
    case Language::markdown: return parse_markdown(text);
    case Language::none: break;
    }
    return {};
}

}  // namespace northstar_tool::code
