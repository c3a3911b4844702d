// The reader of Rust: fn, impl, trait, mod, use, macro_rules.
//
// What it misses: code that macros make, and functions behind paths with generics in odd places. Patterns such as
// Some(x) look like calls; so do the calls of macros, name!(...), and are wanted.
#include "calls.hpp"
#include "parsed_source.hpp"

#include <algorithm>
#include <array>

namespace northstar_tool::code {
namespace parse_rust_impl {

constexpr std::array<std::string_view, 22> k_never = {
    "if",   "while", "for",   "match", "return", "in",  "let", "mut", "fn",    "loop",   "else",
    "move", "ref",   "where", "as",    "impl",   "dyn", "pub", "Fn",  "FnMut", "FnOnce", "crate"};
constexpr std::size_t k_deepest_use = 16;

class Parser {
public:
    explicit Parser(std::string_view text)
        : text_(text), lexed_(lex(Language::rust, text)), tokens_(text, lexed_.tokens) {}

    ParsedSource run() {
        ranges_.push_back({0, tokens_.size(), CodeRange::no_function});
        for (std::size_t i = 0; i < tokens_.size();) {
            while (!scopes_.empty() && scopes_.back().end <= i) scopes_.pop_back();
            i = item(i);
        }
        collect_calls(tokens_, {.family = Family::rust, .never = k_never, .angles = true, .marks = true},
                      std::move(ranges_), definitions_, source_);
        source_.comments = clean_comments(text_, lexed_.comments);
        source_.lines = lexed_.lines;
        return std::move(source_);
    }

private:
    struct Scope {
        std::string name;
        std::size_t end;
        bool module;
        bool type;
    };

    std::size_t item(std::size_t i) {
        if (tokens_.is(i, "#")) {  // attributes
            const std::size_t open = tokens_.is(i + 1, "!") ? i + 2 : i + 1;
            return tokens_.is(open, "[") ? tokens_.behind(open) : i + 1;
        }
        if (!tokens_.is_word(i)) return i + 1;
        const std::string_view word = tokens_.text(i);
        if (word == "fn" && tokens_.is_word(i + 1)) return function(i);
        if (word == "impl" && begins_item(i)) return implementation(i);
        if (word == "trait" && tokens_.is_word(i + 1))
            return scope(i + 1, {std::string(tokens_.text(i + 1)), 0, false, true});
        if (word == "mod" && tokens_.is_word(i + 1)) return module(i);
        if (word == "use" && begins_item(i)) return use(i + 1);
        if (word == "macro_rules" && tokens_.is(i + 1, "!") && tokens_.is_word(i + 2)) return macro(i);
        return i + 1;
    }

    bool begins_item(std::size_t i) const {
        if (i == 0) return true;
        const std::string_view before = tokens_.text(i - 1);
        return before == "}" || before == ";" || before == "{" || before == "]" || before == "unsafe" ||
               before == "default" || before == "pub" || before == ")";
    }

    /// The "{" or ";" that ends a head.
    std::size_t end_of_head(std::size_t i) const {
        while (i < tokens_.size() && !tokens_.is(i, "{") && !tokens_.is(i, ";") && !tokens_.is(i, "}")) {
            i = tokens_.is(i, "(") || tokens_.is(i, "[") ? tokens_.behind(i) : i + 1;
        }
        return i;
    }

    std::size_t closing(std::size_t brace) const {
        return tokens_.partner(brace) == Tokens::none ? tokens_.size() : tokens_.partner(brace);
    }

    std::size_t scope(std::size_t from, Scope scope) {
        const std::size_t brace = end_of_head(from);
        if (!tokens_.is(brace, "{")) return brace + 1;
        if (scopes_.size() >= k_deepest_scope) return brace + 1;
        scope.end = closing(brace);
        scopes_.push_back(std::move(scope));
        return brace + 1;
    }

    /// "impl<T> Trait for Type<T>": its functions are the type's.
    std::size_t implementation(std::size_t i) {
        std::size_t at = i + 1;
        if (tokens_.is(at, "<")) {
            const std::size_t close = tokens_.closing_angle(at);
            at = close == Tokens::none ? at + 1 : close + 1;
        }
        const std::size_t end = end_of_head(at);
        std::string type;
        while (at < end) {
            if (tokens_.is(at, "where")) break;
            if (tokens_.is(at, "for")) type.clear();
            else if (tokens_.is_word(at)) type = tokens_.text(at);
            const std::size_t close = tokens_.is(at, "<") ? tokens_.closing_angle(at) : Tokens::none;
            at = close != Tokens::none && close < end ? close + 1 : at + 1;
        }
        return scope(at, {type, 0, false, true});
    }

    std::size_t module(std::size_t i) {
        if (!tokens_.is(i + 2, ";")) return scope(i + 2, {std::string(tokens_.text(i + 1)), 0, true, false});
        source_.imports.push_back({"self::" + std::string(tokens_.text(i + 1)), tokens_[i].line, false});
        return i + 3;
    }

    /// "use a::{b, c::d as e};" as a::b and a::c::d. The last part may be something inside a module.
    std::size_t use(std::size_t i) {
        std::vector<std::string> outer;
        std::string path;
        const auto flush = [&](std::uint32_t line) {
            if (!path.empty() && path != "self") {
                const std::string whole = (outer.empty() ? "" : outer.back()) + path;
                source_.imports.push_back({whole, line, true});
            } else if (path == "self" && !outer.empty()) {
                source_.imports.push_back({outer.back().substr(0, outer.back().size() - 2), line, true});
            }
            path.clear();
        };
        for (; i < tokens_.size() && !tokens_.is(i, ";"); ++i) {
            if (tokens_.is(i, "{")) {
                if (outer.size() == k_deepest_use) break;
                outer.push_back((outer.empty() ? "" : outer.back()) + path);
                path.clear();
            } else if (tokens_.is(i, "}")) {
                flush(tokens_[i].line);
                if (outer.empty()) break;
                outer.pop_back();
            } else if (tokens_.is(i, ",")) {
                flush(tokens_[i].line);
            } else if (tokens_.is(i, "as")) {
                ++i;
            } else if (tokens_.is_word(i) || tokens_.is(i, "::")) {
                path += tokens_.text(i);
            } else if (tokens_.is(i, "*")) {
                if (path.size() > 2) path.resize(path.size() - 2);
            } else {
                break;
            }
        }
        if (tokens_.is(i, ";")) flush(tokens_[i].line);
        return i + 1;
    }

    void place(Function& function, std::size_t first, std::size_t name, std::size_t brace) const {
        for (const Scope& scope : scopes_) {
            std::string& path = scope.module ? function.space : function.scope;
            if (!scope.name.empty()) path += (path.empty() ? "" : "::") + scope.name;
        }
        function.method = !scopes_.empty() && scopes_.back().type;
        function.name = tokens_.text(name);
        function.line = tokens_[name].line;
        function.begin = tokens_[first].begin;
        function.body = tokens_[brace].begin;
        const std::size_t last = std::min(closing(brace), tokens_.size() - 1);
        function.end = tokens_.end_of(last);
        function.end_line = tokens_[last].line;
    }

    std::size_t function(std::size_t i) {
        const std::size_t brace = end_of_head(i + 2);
        definitions_.insert(i + 1);
        if (!tokens_.is(brace, "{")) return brace + 1;  // declared only
        if (scopes_.size() >= k_deepest_scope) return brace + 1;
        Function function;
        place(function, i, i + 1, brace);
        ranges_.push_back({brace, closing(brace), source_.functions.size()});
        scopes_.push_back({function.name, closing(brace), false, false});
        source_.functions.push_back(std::move(function));
        return brace + 1;
    }

    std::size_t macro(std::size_t i) {
        const std::size_t brace = i + 3;
        if (!tokens_.is(brace, "{") && !tokens_.is(brace, "(")) return i + 1;
        Function function;
        place(function, i, i + 2, brace);
        function.macro = true;
        definitions_.insert(i + 2);
        definitions_.insert(i);
        ranges_.push_back({brace, closing(brace), source_.functions.size()});
        source_.functions.push_back(std::move(function));
        return tokens_.behind(brace);
    }

    const std::string_view text_;
    const Lexed lexed_;
    const Tokens tokens_;
    ParsedSource source_;
    std::vector<Scope> scopes_;
    std::vector<CodeRange> ranges_;
    std::set<std::size_t> definitions_;
};

}  // namespace parse_rust_impl

ParsedSource parse_rust(std::string_view text) { return parse_rust_impl::Parser(text).run(); }

}  // namespace northstar_tool::code
