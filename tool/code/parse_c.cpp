// The reader of C and C++.
//
// Between functions it collects a head, the tokens since the last declaration ended, and decides at "{" what the head
// opens: a namespace, a class, a function or an initialiser. What it takes for a function is the first name before a
// parenthesis that is not an attribute; a macro in capitals only if there is no other. Of #if ... #else only the first
// branch is read (the second of #if 0). What it misses: functions whose heads are made by macros, K&R definitions, and
// code in branches that are passed over.
#include "calls.hpp"
#include "parsed_source.hpp"

#include <algorithm>
#include <array>

namespace northstar_tool::code {
namespace parse_c_impl {

constexpr std::size_t k_none = Tokens::none;
constexpr std::size_t k_longest_head = 2000;  // tokens; what is longer is no declaration that people write

constexpr std::array<std::string_view, 56> k_never = {
    "if", "for", "while", "switch", "return", "sizeof", "alignof", "_Alignof", "typeof", "__typeof__", "decltype",
    "catch", "static_assert", "_Static_assert", "asm", "__asm__", "__asm", "__attribute__", "__declspec", "alignas",
    "_Alignas", "noexcept", "throw", "typeid", "requires", "static_cast", "dynamic_cast", "const_cast",
    "reinterpret_cast", "int", "char", "void", "bool", "float", "double", "long", "short", "unsigned", "signed", "auto",
    "defined", "explicit", "delete", "co_await", "co_return", "co_yield", "wchar_t", "char8_t", "char16_t", "char32_t",
    "_Generic", "__builtin_choose_expr", "concept", "operator", "else", "new"};

constexpr std::array<std::string_view, 10> k_behind_parameters = {
    "const", "noexcept", "override", "final", "volatile", "requires", "mutable", "throw", "try", "&"};

bool has(const auto& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool in_capitals(std::string_view word) {
    bool letter = false;
    for (const char c : word) {
        if (c >= 'a' && c <= 'z') return false;
        letter |= c >= 'A' && c <= 'Z';
    }
    return letter && word.size() > 1;
}

std::string joined(const std::string& outer, const std::string& inner) {
    return outer.empty() ? inner : inner.empty() ? outer : outer + "::" + inner;
}

/// #if and its kin: which branch is read.
class Branches {
public:
    bool reading() const { return hidden_ == 0; }
    void directive(std::string_view name, std::string_view rest) {
        if (name == "if" || name == "ifdef" || name == "ifndef") {
            const bool never = name == "if" && (rest == "0" || rest.substr(0, 2) == "0 ");
            open_.push_back({never, !never});
            hidden_ += never ? 1 : 0;
        } else if (open_.empty()) {
            return;
        } else if (name == "else" || name == "elif" || name == "elifdef" || name == "elifndef") {
            const bool hide = open_.back().taken;
            hidden_ += (hide ? 1 : 0) - (open_.back().hidden ? 1 : 0);
            open_.back() = {hide, true};
        } else if (name == "endif") {
            hidden_ -= open_.back().hidden ? 1 : 0;
            open_.pop_back();
        }
    }

private:
    struct Branch {
        bool hidden;
        bool taken;
    };
    std::vector<Branch> open_;
    int hidden_ = 0;
};

class Parser {
public:
    Parser(Language language, std::string_view text)
        : language_(language), text_(text), lexed_(lex(language, text)), tokens_(text, visible_tokens()) {}

    ParsedSource run() {
        while (at_ < tokens_.size()) step();
        collect_calls(tokens_, syntax(), std::move(ranges_), definitions_, source_);
        source_.comments = clean_comments(text_, lexed_.comments);
        source_.lines = lexed_.lines;
        std::stable_sort(source_.functions.begin(), source_.functions.end(),
                         [](const Function& a, const Function& b) { return a.begin < b.begin; });
        return std::move(source_);
    }

private:
    struct Scope {
        enum class Kind : std::uint8_t { space, hidden_space, type, plain } kind;
        std::string name;
        std::size_t end;
    };
    /// What a head has at its own level: the tokens without what lies in brackets.
    struct Head {
        std::size_t begin = 0;
        std::size_t assign = k_none;
        std::vector<std::size_t> top;
    };
    /// A name before a parenthesis that may be a function's.
    struct Candidate {
        std::size_t name = k_none;       // token of the name, or of "operator"
        std::size_t parenthesis = k_none;
    };

    static CallSyntax syntax() { return {.family = Family::c, .never = k_never, .angles = true, .marks = false}; }

    // ---- directives ----

    std::vector<Token> visible_tokens() {
        std::vector<Token> visible;
        Branches branches;
        for (const Token& token : lexed_.tokens) {
            if (token.kind != TokenKind::directive) {
                if (branches.reading()) visible.push_back(token);
                continue;
            }
            std::string_view line = text_.substr(token.begin + 1, token.size - 1);
            line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
            const std::size_t end = std::min(line.find_first_of(" \t\"<(\\\r\n/"), line.size());
            const std::string_view name = line.substr(0, end);
            std::string_view rest = line.substr(end);
            rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
            branches.directive(name, rest.substr(0, rest.find_last_not_of(" \t\r\\") + 1));
            if (!branches.reading()) continue;
            if (name == "include" || name == "import" || name == "include_next") include(rest, token.line);
            if (name == "define") define(token);
        }
        return visible;
    }

    void include(std::string_view rest, std::uint32_t line) {
        if (rest.size() < 3 || (rest[0] != '"' && rest[0] != '<')) return;
        const std::size_t close = rest.find(rest[0] == '<' ? '>' : '"', 1);
        if (close == std::string_view::npos || close == 1) return;
        source_.imports.push_back({std::string(rest.substr(1, close - 1)), line, false});
    }

    /// A macro with parameters is a function as far as callers are concerned.
    void define(const Token& token) {
        const std::string_view whole = text_.substr(token.begin, token.size);
        const std::size_t word = whole.find("define") + 6;
        Lexed body = lex(language_, whole.substr(word), token.line);
        for (Token& part : body.tokens) part.begin += static_cast<std::uint32_t>(token.begin + word);
        const Tokens tokens(text_, std::move(body.tokens));
        if (!tokens.is_word(0) || !tokens.is(1, "(") || tokens[1].begin != tokens.end_of(0)) return;
        const std::size_t begin = tokens.behind(1);
        Function macro;
        macro.name = tokens.text(0);
        macro.macro = true;
        macro.line = tokens[0].line;
        macro.begin = token.begin;
        macro.body = begin < tokens.size() ? tokens[begin].begin : token.begin + token.size;
        macro.end = token.begin + token.size;
        macro.end_line = tokens.size() > begin ? tokens[tokens.size() - 1].line : macro.line;
        ParsedSource inside;
        inside.functions.push_back(std::move(macro));
        collect_calls(tokens, syntax(), {{begin, tokens.size(), 0}}, {}, inside);
        source_.functions.push_back(std::move(inside.functions[0]));
    }

    // ---- declarations ----

    void reset() {
        head_ = {};
        head_.begin = at_;
    }

    void step() {
        while (!scopes_.empty() && scopes_.back().end < at_) scopes_.pop_back();
        if (tokens_.is(at_, "{")) return open_brace();
        if (tokens_.is(at_, ";")) {
            if (head_.assign != k_none) ranges_.push_back({head_.assign, at_, CodeRange::no_function});
            ++at_;
            return reset();
        }
        if (tokens_.is(at_, "}")) {
            while (!scopes_.empty() && scopes_.back().end == at_) scopes_.pop_back();
            ++at_;
            return reset();
        }
        if (tokens_.is(at_, ":") && at_ > 0 && head_.top.size() <= 2 && is_access(tokens_.text(at_ - 1))) {
            ++at_;
            return reset();
        }
        if (tokens_.is(at_, "template") && tokens_.is(at_ + 1, "<")) {
            const std::size_t close = tokens_.closing_angle(at_ + 1);
            at_ = close == k_none ? at_ + 2 : close + 1;
            return;
        }
        if (tokens_.is(at_, "=") && head_.assign == k_none && !is_operator_mark(at_)) head_.assign = at_;
        if (head_.top.size() == k_longest_head) reset();
        head_.top.push_back(at_);
        at_ = tokens_.is(at_, "(") || tokens_.is(at_, "[") ? tokens_.behind(at_) : at_ + 1;
    }

    static bool is_access(std::string_view word) {
        return word == "public" || word == "private" || word == "protected" || word == "signals" || word == "slots";
    }
    bool is_operator_mark(std::size_t i) const {
        for (std::size_t back = 1; back <= 3 && back <= i; ++back) {
            if (tokens_.is(i - back, "operator")) return true;
        }
        return false;
    }

    void open_brace() {
        const std::size_t brace = at_;
        const std::size_t close = closing(brace);
        if (head_.assign != k_none) {  // x = { ... }
            ranges_.push_back({head_.assign, close, CodeRange::no_function});
            at_ = std::min(close + 1, tokens_.size());
            return;
        }
        const auto contains = [&](std::string_view word) {
            return std::any_of(head_.top.begin(), head_.top.end(), [&](std::size_t i) { return tokens_.is(i, word); });
        };
        if (contains("namespace")) return open_namespace(close);
        if (head_.top.size() == 2 && tokens_.is(head_.top[0], "extern") && tokens_.is_literal(head_.top[1])) {
            return open_scope({Scope::Kind::plain, {}, close});
        }
        const bool type = contains("class") || contains("struct") || contains("union");
        const Candidate candidate = function_of_head();
        const bool ends_like_function = !head_.top.empty() && is_parameters_end(head_.top.back());
        if (candidate.name != k_none && (!type || ends_like_function)) {
            if (is_member_initialiser(candidate, brace)) {
                at_ = std::min(close + 1, tokens_.size());
                return;
            }
            return open_function(candidate, brace, close);
        }
        if (contains("enum")) {
            at_ = std::min(close + 1, tokens_.size());
            return;
        }
        if (type) return open_scope({Scope::Kind::type, name_of_type(), close});
        ranges_.push_back({brace, close, CodeRange::no_function});
        at_ = std::min(close + 1, tokens_.size());
        reset();
    }

    /// The end of a block; where braces do not match, the next "}" that begins a line, as people write functions.
    std::size_t closing(std::size_t brace) {
        if (tokens_.partner(brace) != k_none) return tokens_.partner(brace);
        // Braces come in ascending order, so each token is looked at once.
        for (line_brace_ = std::max(line_brace_, brace + 1); line_brace_ < tokens_.size(); ++line_brace_) {
            const std::size_t begin = tokens_[line_brace_].begin;
            if (tokens_.is(line_brace_, "}") && (begin == 0 || text_[begin - 1] == '\n')) break;
        }
        return std::min(line_brace_, tokens_.size());
    }

    void open_scope(Scope scope) {
        if (scopes_.size() < k_deepest_scope) scopes_.push_back(std::move(scope));
        ++at_;
        reset();
    }

    void open_namespace(std::size_t close) {
        std::string name;
        bool behind = false;
        for (const std::size_t i : head_.top) {
            if (tokens_.is(i, "namespace")) behind = true;
            else if (behind && tokens_.is_word(i) && tokens_.text(i) != "inline")
                name = joined(name, std::string(tokens_.text(i)));
        }
        const auto kind = name.empty() ? Scope::Kind::hidden_space : Scope::Kind::space;
        open_scope({kind, std::move(name), close});
    }

    /// The last name before the base classes.
    std::string name_of_type() const {
        std::string name;
        for (std::size_t k = 0; k < head_.top.size(); ++k) {
            const std::size_t i = head_.top[k];
            if (tokens_.is(i, ":") || (tokens_.is(i, "<") && !name.empty())) break;
            if (tokens_.is_word(i) && tokens_.text(i) != "final") name = tokens_.text(i);
        }
        return name == "class" || name == "struct" || name == "union" ? std::string() : name;
    }

    bool is_parameters_end(std::size_t i) const {
        return tokens_.is(i, "(") || tokens_.is(i, ">") || has(k_behind_parameters, tokens_.text(i)) ||
               (i > 0 && tokens_.is(i - 1, "->"));
    }

    Candidate function_of_head() const {
        Candidate chosen;
        for (std::size_t k = 1; k < head_.top.size(); ++k) {
            const std::size_t i = head_.top[k];
            if (tokens_.is(i, ":") && chosen.name != k_none) break;  // member initialisers follow
            if (!tokens_.is(i, "(")) continue;
            const Candidate candidate = name_before(k);
            if (candidate.name == k_none) continue;
            if (chosen.name == k_none || in_capitals(tokens_.text(chosen.name))) {
                if (chosen.name == k_none || !in_capitals(tokens_.text(candidate.name))) chosen = candidate;
            }
        }
        return chosen;
    }

    /// The name of a function whose parameters begin at head_.top[k].
    Candidate name_before(std::size_t k) const {
        const std::size_t i = head_.top[k];
        const std::size_t before = head_.top[k - 1];
        // operator+(, operator()(, operator new(, operator std::string(
        constexpr std::size_t k_longest_operator = 12;
        for (std::size_t back = 1; back <= k_longest_operator && back <= k; ++back) {
            if (!tokens_.is(head_.top[k - back], "operator")) continue;
            const bool call = back == 1 && tokens_.is(tokens_.behind(i), "(");
            return {head_.top[k - back], call ? tokens_.behind(i) : i};
        }
        if (tokens_.is(before, ">")) {  // f<int>(
            const std::size_t angle = tokens_.opening_angle(before);
            if (angle == k_none || angle == 0 || !tokens_.is_word(angle - 1)) return {};
            return has(k_never, tokens_.text(angle - 1)) ? Candidate{} : Candidate{angle - 1, i};
        }
        if (!tokens_.is_word(before) || has(k_never, tokens_.text(before))) return {};
        return {before, i};
    }

    /// In "Name(...) : a{1}, b(2) {" the first "{" belongs to a member.
    bool is_member_initialiser(const Candidate& candidate, std::size_t brace) const {
        const auto initialisers = std::find_if(head_.top.begin(), head_.top.end(), [&](std::size_t i) {
            return i > candidate.parenthesis && tokens_.is(i, ":");
        });
        return initialisers != head_.top.end() && (tokens_.is_word(brace - 1) || tokens_.is(brace - 1, ">"));
    }

    void open_function(const Candidate& candidate, std::size_t brace, std::size_t close) {
        Function function;
        std::string name(tokens_.text(candidate.name));
        if (name == "operator") {
            for (std::size_t i = candidate.name + 1; i < candidate.parenthesis; ++i) {
                if (tokens_.is_word(i) && (i == candidate.name + 1 || tokens_.is_word(i - 1))) name += ' ';
                name += tokens_.text(i);
            }
        }
        std::size_t before = candidate.name;
        if (before > head_.begin && tokens_.is(before - 1, "~")) {
            name = "~" + name;
            --before;
        }
        function.name = std::move(name);
        std::string classes;
        for (const Scope& scope : scopes_) {
            if (scope.kind == Scope::Kind::space) function.space = joined(function.space, scope.name);
            if (scope.kind == Scope::Kind::type) classes = joined(classes, scope.name);
            if (scope.kind == Scope::Kind::hidden_space) function.local = true;
        }
        function.scope = joined(classes, qualifiers_before(before));
        function.method = !function.scope.empty();
        if (classes.empty()) {
            function.local |= std::any_of(head_.top.begin(), head_.top.end(),
                                          [&](std::size_t i) { return tokens_.is(i, "static"); });
        }
        function.line = tokens_[candidate.name].line;
        const std::size_t last = std::min(close, tokens_.size() - 1);
        function.end_line = tokens_[last].line;
        const std::size_t first = head_.top.empty() ? candidate.name : head_.top.front();
        function.begin = tokens_[first].begin;
        function.body = tokens_[brace].begin;
        function.end = tokens_.end_of(last);
        // What initialises members may call; the members' own names do not, nor those of bases.
        bool initialisers = false;
        for (std::size_t k = 1; k < head_.top.size(); ++k) {
            const std::size_t i = head_.top[k];
            if (i <= candidate.parenthesis) continue;
            initialisers |= tokens_.is(i, ":");
            if (!initialisers || !tokens_.is(i, "(")) continue;
            const std::size_t angle = tokens_.is(i - 1, ">") ? tokens_.opening_angle(i - 1) : i;
            if (angle != k_none && angle > 0) definitions_.insert(angle - 1);
        }
        ranges_.push_back({tokens_.behind(candidate.parenthesis), close, source_.functions.size()});
        source_.functions.push_back(std::move(function));
        at_ = std::min(close + 1, tokens_.size());
        reset();
    }

    /// "A::B" of "A::B<int>::" before a name.
    std::string qualifiers_before(std::size_t name) const {
        std::string qualifiers;
        std::size_t at = name;
        while (at >= head_.begin + 2 && tokens_.is(at - 1, "::")) {
            std::size_t word = at - 2;
            if (tokens_.is(word, ">")) {
                const std::size_t angle = tokens_.opening_angle(word);
                if (angle == k_none || angle == 0) break;
                word = angle - 1;
            }
            if (!tokens_.is_word(word) || word < head_.begin) break;
            qualifiers = joined(std::string(tokens_.text(word)), qualifiers);
            at = word;
        }
        return qualifiers;
    }

    const Language language_;
    const std::string_view text_;
    ParsedSource source_;
    Lexed lexed_;
    const Tokens tokens_;
    std::size_t at_ = 0;
    std::size_t line_brace_ = 0;
    Head head_;
    std::vector<Scope> scopes_;
    std::vector<CodeRange> ranges_;
    std::set<std::size_t> definitions_;
};

}  // namespace parse_c_impl

ParsedSource parse_c(Language language, std::string_view text) { return parse_c_impl::Parser(language, text).run(); }

}  // namespace northstar_tool::code
