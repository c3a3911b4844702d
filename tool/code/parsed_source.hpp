// parsed_source.hpp -- what a lexical reader finds in one source file: functions, calls, imports, comments.
//
// [CODE-1] Any bytes are a source file: readers never fail, never recurse into the input, and take time and memory in
//          proportion to it. What they do not understand they pass over.
// [CODE-2] Pure functions of language and text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "language.hpp"

namespace northstar_tool::code {

/// A call as it is written: "f", "X::f" (the last qualifier only), "x.f", or ".f" where what stands before the dot says
/// nothing.
struct Call {
    std::string written;
    std::uint32_t line = 0;
};

/// A definition with a body.
struct Function {
    std::string scope;      ///< classes and functions that it is in, outermost first, between "::" or "."; may be empty
    std::string space;      ///< namespaces or modules that it is in, between "::"; no part of its identity
    std::string name;
    bool macro = false;     ///< a macro with parameters
    bool method = false;    ///< of a class, an implementation, a receiver
    bool local = false;     ///< not visible outside its file
    std::uint32_t line = 0; ///< of its name, from 1
    std::uint32_t end_line = 0;
    std::size_t begin = 0;  ///< bytes of the text: its head ...
    std::size_t body = 0;   ///< ... up to its body ...
    std::size_t end = 0;    ///< ... and the end of that
    std::vector<Call> calls;
};

/// Another file that is included or imported, as it is written.
struct Import {
    std::string written;    ///< path, dotted or colon-separated name
    std::uint32_t line = 0;
    bool optional = false;  ///< may as well be something inside a file: nobody misses it
};

struct Comment {
    std::string text;       ///< without its marks
    std::uint32_t line = 0;
    std::uint32_t end_line = 0;
};

struct ParsedSource {
    std::vector<Function> functions;  ///< in the order of their heads
    std::vector<Call> calls;          ///< outside functions
    std::vector<Import> imports;
    std::vector<Comment> comments;    ///< neighbouring lines are one
    std::uint32_t lines = 0;
};

/// Functions inside functions and classes deeper than this belong to the one around them.
inline constexpr std::size_t k_deepest_scope = 24;

ParsedSource parse_source(Language language, std::string_view text);

// One reader a family; `text` is read by the rules of `language`.
ParsedSource parse_c(Language language, std::string_view text);
ParsedSource parse_python(std::string_view text);
ParsedSource parse_go(std::string_view text);
ParsedSource parse_rust(std::string_view text);
ParsedSource parse_javascript(Language language, std::string_view text);
/// Sections under their headings, as comments.
ParsedSource parse_markdown(std::string_view text);

}  // namespace northstar_tool::code
