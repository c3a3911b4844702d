// calls.hpp -- finds calls among tokens and gives each to the innermost function around it; shared by all languages.
#pragma once

#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "lexer.hpp"
#include "parsed_source.hpp"

namespace northstar_tool::code {

/// Tokens [begin, end) that one function's calls are looked for in; several may lie inside each other.
struct CodeRange {
    static constexpr std::size_t no_function = ~std::size_t{0};
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t function = no_function;  ///< its place in ParsedSource::functions; no_function: the file itself
};

struct CallSyntax {
    Family family = Family::c;
    std::span<const std::string_view> never = {};  ///< words before "(" that call nothing
    bool angles = false;                           ///< f<T>(x) is a call of f
    bool marks = false;                            ///< f!(x) is a call of f (Rust's macros)
};

/// Adds to each function, and to source.calls, the calls of the ranges. A word that names a definition (its token is in
/// `definitions`) is no call. Time in proportion to the tokens.
void collect_calls(const Tokens& tokens, const CallSyntax& syntax, std::vector<CodeRange> ranges,
                   const std::set<std::size_t>& definitions, ParsedSource& source);

/// Whether a word can stand before the name in a call, as in "return f(x)"; any other word makes it a declaration.
bool precedes_value(std::string_view word) noexcept;

}  // namespace northstar_tool::code
