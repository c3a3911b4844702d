// The reader of JavaScript and TypeScript: function, methods of classes and objects, and functions that a name is
// given to, as in name = (x) => ... or name: function () {...}.
//
// What it misses: code inside template literals, functions that are only passed on (they belong to the one around
// them), names given by computed keys; JSX is read as if it were code.
#include "calls.hpp"
#include "parsed_source.hpp"

#include <algorithm>
#include <array>

namespace northstar_tool::code {
namespace parse_javascript_impl {

constexpr std::size_t k_none = Tokens::none;

constexpr std::array<std::string_view, 21> k_never = {
    "if", "for", "while", "switch", "return", "catch", "function", "typeof", "void",    "delete", "in",
    "of", "new", "await", "yield",  "else",   "do",    "case",     "with",   "require", "async"};
constexpr std::array<std::string_view, 8> k_before_method = {"async", "static", "get", "set", "public", "private",
                                                             "protected", "override"};

bool has(const auto& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

class Parser {
public:
    Parser(Language language, std::string_view text)
        : language_(language), text_(text), lexed_(lex(language, text)), tokens_(text, lexed_.tokens) {}

    ParsedSource run() {
        ranges_.push_back({0, tokens_.size(), CodeRange::no_function});
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            while (!scopes_.empty() && scopes_.back().end <= i) scopes_.pop_back();
            look(i);
        }
        collect_calls(tokens_,
                      {.family = Family::javascript, .never = k_never, .angles = language_ == Language::typescript},
                      std::move(ranges_), definitions_, source_);
        source_.comments = clean_comments(text_, lexed_.comments);
        source_.lines = lexed_.lines;
        return std::move(source_);
    }

private:
    struct Scope {
        std::string name;
        std::size_t end;
        bool is_class;
    };

    void look(std::size_t i) {
        if (tokens_.is_word(i)) {
            const std::string_view word = tokens_.text(i);
            if (word == "function") return function(i);
            if (word == "class" && !tokens_.is(i - 1, ".")) return type(i);
            if (word == "import" || word == "export") return import(i);
            if (word == "require" && tokens_.is(i + 1, "(") && tokens_.is_literal(i + 2)) return add_import(i + 2);
            if (tokens_.is(i + 1, "(")) return method(i, i + 1);
            if (i >= behind_type_ && (tokens_.is(i + 1, "=") || tokens_.is(i + 1, ":"))) return named_value(i);
        }
    }

    // ---- imports ----

    void add_import(std::size_t i) {
        const std::string_view literal = tokens_.text(i);
        if (literal.size() < 3) return;
        source_.imports.push_back({std::string(literal.substr(1, literal.size() - 2)), tokens_[i].line, false});
    }

    /// import x, {y} from "z"; import "z"; import("z"); export {y} from "z".
    void import(std::size_t i) {
        std::size_t at = i + 1;
        if (tokens_.is(i, "import") && tokens_.is(at, "(")) ++at;
        if (tokens_.is(i, "import") && tokens_.is_literal(at)) return add_import(at);
        constexpr std::size_t k_longest = 400;
        for (std::size_t end = std::min(tokens_.size(), at + k_longest); at < end; ++at) {
            if (tokens_.is(at, "from") && tokens_.is_literal(at + 1)) return add_import(at + 1);
            const bool list = tokens_.is_word(at) || tokens_.is(at, "{") || tokens_.is(at, "}") ||
                              tokens_.is(at, ",") || tokens_.is(at, "*");
            if (!list || tokens_.is(at, "function") || tokens_.is(at, "class") || tokens_.is(at, "const")) return;
        }
    }

    // ---- functions ----

    bool in_class() const { return !scopes_.empty() && scopes_.back().is_class; }

    std::size_t closing(std::size_t brace) const {
        return tokens_.partner(brace) == k_none ? tokens_.size() : tokens_.partner(brace);
    }

    /// The "{" of the body behind parameters that open at i; none: there is no body. Between them may stand a type.
    std::size_t body_behind(std::size_t i) const {
        std::size_t at = tokens_.behind(i);
        if (tokens_.is(at, "{")) return at;
        if (!tokens_.is(at, ":")) return k_none;
        constexpr std::size_t k_longest = 64;
        const std::size_t first = ++at;
        for (const std::size_t end = std::min(tokens_.size(), at + k_longest); at < end;) {
            const bool object_type = at == first || tokens_.is(at - 1, "|") || tokens_.is(at - 1, "&") ||
                                     tokens_.is(at - 1, "<") || tokens_.is(at - 1, ",") || tokens_.is(at - 1, "=>");
            if (tokens_.is(at, "{") && !object_type) return at;
            if (tokens_.is(at, ";") || tokens_.is(at, "}") || tokens_.is(at, "=")) return k_none;
            at = tokens_.behind(at);
        }
        return k_none;
    }

    void add(std::size_t first, std::size_t name, std::size_t begin, std::size_t end) {
        if (scopes_.size() >= k_deepest_scope) return;
        Function function;
        for (const Scope& scope : scopes_) {
            if (!scope.name.empty()) function.scope += (function.scope.empty() ? "" : ".") + scope.name;
        }
        function.method = in_class();
        function.name = tokens_.text(name);
        function.line = tokens_[name].line;
        function.begin = tokens_[first].begin;
        function.body = tokens_[begin].begin;
        const std::size_t last = std::min(end, tokens_.size() - 1);
        function.end = tokens_.end_of(last);
        function.end_line = tokens_[last].line;
        definitions_.insert(name);
        ranges_.push_back({begin, end, source_.functions.size()});
        scopes_.push_back({function.name, end, false});
        source_.functions.push_back(std::move(function));
    }

    void function(std::size_t i) {
        const std::size_t name = tokens_.is(i + 1, "*") ? i + 2 : i + 1;
        if (!tokens_.is_word(name)) return;
        std::size_t parameters = name + 1;
        if (tokens_.is(parameters, "<")) {
            const std::size_t close = tokens_.closing_angle(parameters);
            if (close != k_none) parameters = close + 1;
        }
        if (!tokens_.is(parameters, "(")) return;
        definitions_.insert(name);
        const std::size_t body = body_behind(parameters);
        if (body != k_none) add(i, name, body, closing(body));
    }

    void type(std::size_t i) {
        std::string name(tokens_.is_word(i + 1) && !tokens_.is(i + 1, "extends") ? tokens_.text(i + 1) : "");
        constexpr std::size_t k_longest = 64;
        std::size_t at = i + 1;
        for (const std::size_t end = std::min(tokens_.size(), at + k_longest); at < end && !tokens_.is(at, "{");) {
            if (tokens_.is(at, ";") || tokens_.is(at, ")") || tokens_.is(at, "=")) return;
            at = tokens_.behind(at);
        }
        if (!tokens_.is(at, "{") || scopes_.size() >= k_deepest_scope) return;
        scopes_.push_back({std::move(name), closing(at), true});
    }

    /// name(...) {...} in a class or an object.
    void method(std::size_t name, std::size_t parameters) {
        if (has(k_never, tokens_.text(name))) return;
        if (name == 0) return;
        const std::string_view before = tokens_.text(name - 1);
        const bool begins = before == "{" || before == "}" || before == ";" || before == "," || before == "*" ||
                            before == "#" || has(k_before_method, before) ||
                            (in_class() && (before == ")" || tokens_[name - 1].line < tokens_[name].line));
        if (!begins || (before == "}" && !in_class()) || (before == ";" && !in_class())) return;
        const std::size_t body = body_behind(parameters);
        if (body == k_none) return;
        if (before == "{" && !in_class() && !tokens_.is(name - 2, "(") && !tokens_.is(name - 2, "=") &&
            !tokens_.is(name - 2, ":") && !tokens_.is(name - 2, "return") && !tokens_.is(name - 2, ",") &&
            !tokens_.is(name - 2, "default")) {
            return;  // a block that begins with a call
        }
        add(name, name, body, closing(body));
    }

    /// name = function (...) {...}, name = (...) => ..., name: x => ..., name = class {...}.
    void named_value(std::size_t name) {
        std::size_t at = name + 2;
        if (tokens_.is(name + 1, ":")) {  // the type of a variable, const name: Type = ..., may stand before the value
            const std::size_t equals = value_behind_type(name + 2);
            if (equals != k_none) {
                at = equals + 1;
                behind_type_ = at;
            }
        }
        if (tokens_.is(at, "=") || tokens_.is(at, ">")) return;  // a comparison
        if (tokens_.is(at, "async")) ++at;
        if (tokens_.is(at, "function")) {
            const std::size_t star = tokens_.is(at + 1, "*") ? at + 2 : at + 1;
            if (!tokens_.is(star, "(")) return;
            const std::size_t body = body_behind(star);
            if (body != k_none) add(name, name, body, closing(body));
            return;
        }
        if (tokens_.is(at, "<")) {
            const std::size_t close = tokens_.closing_angle(at);
            if (close != k_none) at = close + 1;
        }
        std::size_t arrow = at + 1;
        if (tokens_.is(at, "(")) arrow = arrow_behind(tokens_.behind(at));
        else if (!tokens_.is_word(at)) return;
        if (!tokens_.is(arrow, "=>") || arrow + 1 >= tokens_.size()) return;
        const std::size_t body = arrow + 1;
        if (scopes_.size() >= k_deepest_scope) return;
        if (tokens_.is(body, "{")) return add(name, name, body, closing(body));
        add(name, name, body, end_of_expression(body));
    }

    std::size_t value_behind_type(std::size_t i) const {
        constexpr std::size_t k_longest = 48;
        for (const std::size_t end = std::min(tokens_.size(), i + k_longest); i < end; i = tokens_.behind(i)) {
            if (tokens_.is(i, "=")) return i;
            if (tokens_.is(i, ";") || tokens_.is(i, ",") || tokens_.is(i, "}") || tokens_.is(i, ")")) break;
            if (tokens_.is(i, "function")) break;
        }
        return k_none;
    }

    /// The "=>" behind parameters, over a type.
    std::size_t arrow_behind(std::size_t i) const {
        if (!tokens_.is(i, ":")) return i;
        constexpr std::size_t k_longest = 48;
        for (const std::size_t end = std::min(tokens_.size(), i + k_longest); i < end && !tokens_.is(i, "=>");) {
            if (tokens_.is(i, ";")) break;
            i = tokens_.behind(i);
        }
        return i;
    }

    /// Where the expression that begins at i ends: at a bracket, comma or semicolon of the level around it, or with a
    /// line behind which no operator goes on.
    std::size_t end_of_expression(std::size_t i) const {
        std::size_t at = i;
        while (at < tokens_.size()) {
            if (tokens_.is(at, ";") || tokens_.is(at, ",") || tokens_.is(at, ")") || tokens_.is(at, "]") ||
                tokens_.is(at, "}")) {
                break;
            }
            if (at > i && tokens_.is_word(at) && tokens_[at].line > tokens_[at - 1].line &&
                (tokens_[at - 1].kind != TokenKind::mark || tokens_.is(at - 1, ")") || tokens_.is(at - 1, "}") ||
                 tokens_.is(at - 1, "]"))) {
                break;
            }
            at = tokens_.behind(at);
        }
        return std::min(at, tokens_.size());
    }

    const Language language_;
    const std::string_view text_;
    const Lexed lexed_;
    const Tokens tokens_;
    ParsedSource source_;
    std::vector<Scope> scopes_;
    std::size_t behind_type_ = 0;  // up to here a variable's type was read, which names nothing
    std::vector<CodeRange> ranges_;
    std::set<std::size_t> definitions_;
};

}  // namespace parse_javascript_impl

ParsedSource parse_javascript(Language language, std::string_view text) {
    return parse_javascript_impl::Parser(language, text).run();
}

}  // namespace northstar_tool::code
