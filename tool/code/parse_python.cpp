// The reader of Python.
//
// Logical lines by indentation; def and class open scopes that end with the next line that is not indented further.
// What it misses: functions made by assignment (f = lambda ...) or decorators that give another function, and code in
// strings, f-strings among them.
#include "calls.hpp"
#include "parsed_source.hpp"

#include <algorithm>
#include <array>

namespace northstar_tool::code {
namespace parse_python_impl {

constexpr std::array<std::string_view, 21> k_never = {
    "if", "elif", "while", "for", "return", "and", "or", "not", "in", "is", "lambda", "assert", "del", "with", "yield",
    "await", "except", "raise", "else", "import", "from"};

class Parser {
public:
    explicit Parser(std::string_view text)
        : text_(text), lexed_(lex(Language::python, text)), tokens_(text, lexed_.tokens) {}

    ParsedSource run() {
        ranges_.push_back({0, tokens_.size(), CodeRange::no_function});
        std::uint32_t last_line = 0;
        for (std::size_t i = 0; i < tokens_.size();) {
            if (tokens_[i].line > last_line && !continued(i)) logical_line(i);
            const std::size_t next = tokens_.behind(i);
            last_line = end_line(next - 1);
            i = next;
        }
        close_scopes(0, tokens_.size());
        collect_calls(tokens_, {.family = Family::python, .never = k_never}, std::move(ranges_), definitions_, source_);
        source_.comments = clean_comments(text_, lexed_.comments);
        source_.comments.insert(source_.comments.end(), docs_.begin(), docs_.end());
        std::stable_sort(source_.comments.begin(), source_.comments.end(),
                         [](const Comment& a, const Comment& b) { return a.line < b.line; });
        source_.lines = lexed_.lines;
        return std::move(source_);
    }

private:
    struct Scope {
        std::size_t indent;
        std::string name;
        bool is_class;
        std::size_t function;  // no_function: a class
        std::size_t range;     // no_function: a class
    };

    /// A string that is not closed may end with the text's last newline, behind which there is no line.
    std::uint32_t end_line(std::size_t i) const {
        const std::string_view token = tokens_.text(i);
        const auto feeds = static_cast<std::uint32_t>(std::count(token.begin(), token.end(), '\n'));
        return std::min(lexed_.lines, tokens_[i].line + feeds);
    }

    /// A backslash ended the line before.
    bool continued(std::size_t i) const {
        if (i == 0) return false;
        const std::string_view between = text_.substr(tokens_.end_of(i - 1), tokens_[i].begin - tokens_.end_of(i - 1));
        return between.find('\\') != std::string_view::npos && between.find('#') == std::string_view::npos;
    }

    std::size_t indent_of(std::size_t i) const {
        const std::size_t begin = tokens_[i].begin;
        const std::size_t feed = text_.rfind('\n', begin);
        const std::size_t line = feed == std::string_view::npos || feed >= begin ? 0 : feed + 1;
        std::size_t column = 0;
        for (std::size_t at = line; at < begin; ++at) column += text_[at] == '\t' ? 8 - column % 8 : 1;
        return column;
    }

    void close_scopes(std::size_t indent, std::size_t i) {
        while (!scopes_.empty() && scopes_.back().indent >= indent) {
            const Scope& scope = scopes_.back();
            if (scope.function != CodeRange::no_function) {
                ranges_[scope.range].end = i;
                Function& function = source_.functions[scope.function];
                function.end = tokens_.end_of(i - 1);
                function.body = std::min(function.body, function.end);
                function.end_line = end_line(i - 1);
            }
            scopes_.pop_back();
        }
    }

    void logical_line(std::size_t i) {
        const std::size_t indent = indent_of(i);
        close_scopes(indent, i);
        std::size_t at = i;
        if (tokens_.is(at, "async")) ++at;
        if (tokens_.is(at, "def") && tokens_.is_word(at + 1)) return open_function(i, at + 1, indent);
        if (tokens_.is(i, "class") && tokens_.is_word(i + 1) && scopes_.size() < k_deepest_scope) {
            definitions_.insert(i + 1);
            scopes_.push_back({indent, std::string(tokens_.text(i + 1)), true, CodeRange::no_function, 0});
            return documentation(body_of(i + 1));
        }
        if (tokens_.is(i, "import")) return import(i + 1);
        if (tokens_.is(i, "from")) return import_from(i + 1);
        if (i == 0) documentation(0);
    }

    /// The first token of what a def or class holds.
    std::size_t body_of(std::size_t name) const {
        std::size_t at = name + 1;
        constexpr std::size_t k_longest = 400;
        const std::size_t end = std::min(tokens_.size(), at + k_longest);
        while (at < end && !tokens_.is(at, ":")) at = tokens_.behind(at);
        return at + 1;
    }

    void open_function(std::size_t first, std::size_t name, std::size_t indent) {
        if (scopes_.size() >= k_deepest_scope) return;
        Function function;
        for (const Scope& scope : scopes_) function.scope += (function.scope.empty() ? "" : ".") + scope.name;
        function.method = !scopes_.empty() && scopes_.back().is_class;
        function.name = tokens_.text(name);
        function.line = tokens_[name].line;
        function.begin = tokens_[first].begin;
        const std::size_t body = body_of(name);
        function.body = body < tokens_.size() ? tokens_[body].begin : text_.size();
        definitions_.insert(name);
        scopes_.push_back({indent, function.name, false, source_.functions.size(), ranges_.size()});
        ranges_.push_back({tokens_.is(name + 1, "(") ? tokens_.behind(name + 1) : name + 1, tokens_.size(),
                           source_.functions.size()});
        source_.functions.push_back(std::move(function));
        documentation(body);
    }

    /// A string that stands where a body begins.
    void documentation(std::size_t i) {
        if (!tokens_.is_literal(i)) return;
        std::string_view literal = tokens_.text(i);
        const std::size_t quote = literal.find_first_of("\"'");
        if (quote == std::string_view::npos) return;
        literal.remove_prefix(quote);
        const std::size_t marks = literal.substr(0, 3) == "\"\"\"" || literal.substr(0, 3) == "'''" ? 3 : 1;
        if (literal.size() < 2 * marks) return;
        const std::string inside = "/*" + std::string(literal.substr(marks, literal.size() - 2 * marks)) + "*/";
        const std::vector<Comment> comments = clean_comments(
            inside, {{tokens_[i].line, end_line(i), 0, static_cast<std::uint32_t>(inside.size()), true}});
        docs_.insert(docs_.end(), comments.begin(), comments.end());
    }

    std::string dotted(std::size_t& i) const {
        std::string name;
        while (tokens_.is(i, ".") || tokens_.is_word(i)) {
            if (tokens_.is(i, "import") || tokens_.is(i, "as")) break;
            if (tokens_.is_word(i) && !name.empty() && name.back() != '.') break;
            name += tokens_.text(i++);
        }
        return name;
    }

    void import(std::size_t i) {
        do {
            const std::uint32_t line = i < tokens_.size() ? tokens_[i].line : 0;
            const std::string name = dotted(i);
            if (!name.empty()) source_.imports.push_back({name, line, false});
            if (tokens_.is(i, "as")) i += 2;
        } while (tokens_.is(i, ",") && ++i < tokens_.size());
    }

    void import_from(std::size_t i) {
        const std::uint32_t line = i < tokens_.size() ? tokens_[i].line : 0;
        const std::string module = dotted(i);
        if (module.empty() || !tokens_.is(i, "import")) return;
        const bool only_dots = module.find_first_not_of('.') == std::string::npos;
        if (!only_dots) source_.imports.push_back({module, line, false});
        ++i;
        if (tokens_.is(i, "(")) ++i;
        // Each name may be a module of its own.
        while (tokens_.is_word(i)) {
            source_.imports.push_back({module + (only_dots ? "" : ".") + std::string(tokens_.text(i)), line, true});
            ++i;
            if (tokens_.is(i, "as")) i += 2;
            if (!tokens_.is(i, ",")) break;
            ++i;
        }
    }

    const std::string_view text_;
    const Lexed lexed_;
    const Tokens tokens_;
    ParsedSource source_;
    std::vector<Comment> docs_;
    std::vector<Scope> scopes_;
    std::vector<CodeRange> ranges_;
    std::set<std::size_t> definitions_;
};

}  // namespace parse_python_impl

ParsedSource parse_python(std::string_view text) { return parse_python_impl::Parser(text).run(); }

}  // namespace northstar_tool::code
