// The reader of Go: func at the level of the file, with or without a receiver; imports with or without parentheses.
//
// What it misses: calls with explicit type arguments, f[int](x), and calls of values, a[i](x). Functions without a name
// belong to the function around them.
#include "calls.hpp"
#include "parsed_source.hpp"

#include <algorithm>
#include <array>

namespace northstar_tool::code {
namespace parse_go_impl {

constexpr std::array<std::string_view, 31> k_never = {
    "func", "if", "for", "switch", "select", "return", "range", "go", "defer", "case", "interface", "struct", "map",
    "chan", "var", "const", "type", "int", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "float32",
    "float64", "string", "byte", "rune", "uintptr"};

class Parser {
public:
    explicit Parser(std::string_view text)
        : text_(text), lexed_(lex(Language::go, text)), tokens_(text, lexed_.tokens) {}

    ParsedSource run() {
        ranges_.push_back({0, tokens_.size(), CodeRange::no_function});
        for (std::size_t i = 0; i < tokens_.size();) {
            if (tokens_.is(i, "func")) i = function(i);
            else if (tokens_.is(i, "import")) i = imports(i + 1);
            else i = tokens_.behind(i);
        }
        collect_calls(tokens_, {.family = Family::go, .never = k_never}, std::move(ranges_), definitions_, source_);
        source_.comments = clean_comments(text_, lexed_.comments);
        source_.lines = lexed_.lines;
        return std::move(source_);
    }

private:
    void import(std::size_t i) {
        const std::string_view literal = tokens_.text(i);
        if (literal.size() < 3) return;
        source_.imports.push_back({std::string(literal.substr(1, literal.size() - 2)), tokens_[i].line, false});
    }

    std::size_t imports(std::size_t i) {
        if (tokens_.is(i, "(")) {
            const std::size_t end = std::min(tokens_.behind(i), tokens_.size());
            for (std::size_t at = i + 1; at < end; ++at) {
                if (tokens_.is_literal(at)) import(at);
            }
            return end;
        }
        if (tokens_.is_word(i) || tokens_.is(i, ".")) ++i;  // another name for it
        if (tokens_.is_literal(i)) import(i++);
        return i;
    }

    /// The type of "(name *Type[T])".
    std::string receiver(std::size_t open) const {
        const std::size_t close = std::min(tokens_.behind(open), tokens_.size());
        std::string type;
        for (std::size_t i = open + 1; i < close && !tokens_.is(i, "["); ++i) {
            if (tokens_.is_word(i)) type = tokens_.text(i);
        }
        return type;
    }

    std::size_t function(std::size_t first) {
        Function function;
        std::size_t name = first + 1;
        if (tokens_.is(name, "(")) {
            function.scope = receiver(name);
            function.method = true;
            name = tokens_.behind(name);
        }
        if (!tokens_.is_word(name)) return first + 1;  // a type, or a value
        std::size_t at = name + 1;
        if (tokens_.is(at, "[")) at = tokens_.behind(at);
        if (!tokens_.is(at, "(")) return name;
        const std::size_t parameters = at;
        at = tokens_.behind(at);
        const std::uint32_t head_line = tokens_[parameters].line;
        while (at < tokens_.size() && !is_body(at)) {
            // What begins another line is a declaration behind one without a body; else a function is what comes out.
            const bool next = tokens_.is(at, "func") && tokens_[at].line != tokens_[at - 1].line;
            if (next || tokens_.is(at, "}") || tokens_[at].line > head_line + 16) return at;
            at = tokens_.behind(at);
        }
        if (at >= tokens_.size()) return at;
        const std::size_t end = tokens_.partner(at) == Tokens::none ? tokens_.size() : tokens_.partner(at);
        function.name = tokens_.text(name);
        function.line = tokens_[name].line;
        function.begin = tokens_[first].begin;
        function.body = tokens_[at].begin;
        const std::size_t last = std::min(end, tokens_.size() - 1);
        function.end = tokens_.end_of(last);
        function.end_line = tokens_[last].line;
        definitions_.insert(name);
        ranges_.push_back({at, end, source_.functions.size()});
        source_.functions.push_back(std::move(function));
        return end;
    }

    bool is_body(std::size_t i) const {
        return tokens_.is(i, "{") && !tokens_.is(i - 1, "interface") && !tokens_.is(i - 1, "struct");
    }

    const std::string_view text_;
    const Lexed lexed_;
    const Tokens tokens_;
    ParsedSource source_;
    std::vector<CodeRange> ranges_;
    std::set<std::size_t> definitions_;
};

}  // namespace parse_go_impl

ParsedSource parse_go(std::string_view text) { return parse_go_impl::Parser(text).run(); }

}  // namespace northstar_tool::code
