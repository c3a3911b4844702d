#include "calls.hpp"

#include <algorithm>
#include <array>

namespace northstar_tool::code {
namespace calls_impl {

constexpr std::size_t k_none = Tokens::none;

class Collector {
public:
    Collector(const Tokens& tokens, const CallSyntax& syntax, const std::set<std::size_t>& definitions)
        : tokens_(tokens), syntax_(syntax), definitions_(definitions) {}

    /// The call whose arguments begin at token i, if one does.
    bool call_at(std::size_t i, Call& call) const {
        const std::size_t name = name_before(i);
        if (name == k_none || definitions_.count(name) != 0) return false;
        const std::string_view word = tokens_.text(name);
        if (std::find(syntax_.never.begin(), syntax_.never.end(), word) != syntax_.never.end()) return false;
        call.line = tokens_[name].line;
        call.written = word;
        return name == 0 || qualify(name, call);
    }

private:
    /// The name in f(, f<T>(, f::<T>(, f!( and f![.
    std::size_t name_before(std::size_t i) const {
        if (i == 0) return k_none;
        if (syntax_.marks && tokens_.is(i - 1, "!") && i >= 2 && tokens_.is_word(i - 2)) return i - 2;
        if (!tokens_.is(i, "(")) return k_none;
        if (tokens_.is_word(i - 1)) return i - 1;
        if (!syntax_.angles || !tokens_.is(i - 1, ">")) return k_none;
        std::size_t angle = tokens_.opening_angle(i - 1);
        if (angle == k_none || angle == 0) return k_none;
        if (tokens_.is(angle - 1, "::") && angle >= 2) --angle;
        return tokens_.is_word(angle - 1) ? angle - 1 : k_none;
    }

    /// Looks at what stands before the name; false: it is no call.
    bool qualify(std::size_t name, Call& call) const {
        const std::size_t before = name - 1;
        if (tokens_.is(before, ".") || tokens_.is(before, "->")) {
            const std::string_view object = before > 0 && tokens_.is_word(before - 1) ? tokens_.text(before - 1) : "";
            const bool own = object == "this" || object == "self" || object == "cls" || object == "super";
            // What a variable of C++ is called says nothing; in the other languages it may be a module.
            const bool told = own || (syntax_.family != Family::c && !object.empty());
            call.written = (told ? std::string(object) : std::string()) + "." + call.written;
            return true;
        }
        if (tokens_.is(before, "::")) {
            std::size_t at = before == 0 ? k_none : before - 1;
            if (at != k_none && tokens_.is(at, ">")) {
                const std::size_t angle = tokens_.opening_angle(at);
                at = angle == k_none || angle == 0 ? k_none : angle - 1;
            }
            const bool named = at != k_none && tokens_.is_word(at) && !precedes_value(tokens_.text(at));
            // "Type Class::name(" declares or defines; "Type x = Class::name(" has a mark before it.
            if (named && at > 0 && tokens_.is_word(at - 1) && !precedes_value(tokens_.text(at - 1))) return false;
            call.written = (named ? std::string(tokens_.text(at)) : std::string()) + "::" + call.written;
            return true;
        }
        if (tokens_.is_word(before)) return precedes_value(tokens_.text(before));
        if (syntax_.family == Family::c) {
            if (tokens_.is(before, "~")) return false;
            if (tokens_.is(before, ">") && tokens_.opening_angle(before) != k_none) return false;  // list<int> name(
        }
        return true;
    }

    const Tokens& tokens_;
    const CallSyntax& syntax_;
    const std::set<std::size_t>& definitions_;
};

}  // namespace calls_impl

bool precedes_value(std::string_view word) noexcept {
    constexpr std::array<std::string_view, 41> words = {
        "return", "else",   "throw",  "case",  "do",    "co_return", "co_await", "co_yield",   "new",
        "await",  "yield",  "not",    "and",   "or",    "in",        "is",       "if",         "elif",
        "while",  "go",     "defer",  "range", "typeof", "instanceof", "of",     "void",       "delete",
        "raise",  "assert", "unsafe", "move",  "lambda", "from",     "match",    "default",    "import",
        "with",   "except", "for",    "switch", "as"};
    return std::find(words.begin(), words.end(), word) != words.end();
}

void collect_calls(const Tokens& tokens, const CallSyntax& syntax, std::vector<CodeRange> ranges,
                   const std::set<std::size_t>& definitions, ParsedSource& source) {
    std::sort(ranges.begin(), ranges.end(), [](const CodeRange& a, const CodeRange& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
    });
    const calls_impl::Collector collector(tokens, syntax, definitions);
    std::vector<const CodeRange*> around;
    std::size_t next = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        while (!around.empty() && around.back()->end <= i) around.pop_back();
        for (; next < ranges.size() && ranges[next].begin <= i; ++next) {
            if (ranges[next].end > i) around.push_back(&ranges[next]);
        }
        Call call;
        if (around.empty() || !collector.call_at(i, call)) continue;
        const std::size_t function = around.back()->function;
        auto& calls = function == CodeRange::no_function ? source.calls : source.functions[function].calls;
        calls.push_back(std::move(call));
    }
}

}  // namespace northstar_tool::code
