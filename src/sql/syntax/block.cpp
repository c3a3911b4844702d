#include "sql/syntax/block.hpp"

#include "sql/condition_names.hpp"
#include "sql/error.hpp"
#include "sql/syntax/lexer.hpp"

#include <algorithm>
#include <array>

namespace northstar::inline v0::sql::syntax {

namespace block_file {

constexpr int k_deepest = 200;

class BlockParser {
public:
    explicit BlockParser(std::string_view text) : text_(text), tokens_(lex(text, arena_)) {}

    Block whole() {
        Block block = this->block();
        if (peek().kind != TokenKind::end) unexpected();
        return block;
    }

private:
    const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
    bool at_word(std::string_view word, std::size_t ahead = 0) const {
        return peek(ahead).kind == TokenKind::identifier && peek(ahead).text == word;
    }
    bool accept(std::string_view word) {
        if (!at_word(word)) return false;
        ++at_;
        return true;
    }
    void expect(std::string_view word) {
        if (!accept(word)) unexpected();
    }
    bool accept(char special) {
        if (!peek().is(special)) return false;
        ++at_;
        return true;
    }
    void end_of_step() {
        if (!accept(';')) unexpected();
    }
    [[noreturn]] void unexpected() const {
        const Token& token = peek();
        if (token.kind == TokenKind::end) raise(sqlstate::syntax_error, "syntax error at end of input");
        raise(sqlstate::syntax_error, "syntax error at or near \"" +
                                          std::string(text_.substr(token.begin, token.end - token.begin)) + "\"");
    }
    [[noreturn]] static void refuse(std::string_view what) {
        raise(sqlstate::feature_not_supported, std::string(what) + " is not supported in DO blocks",
              "Blocks have statements, PERFORM, EXECUTE, IF, RAISE and handlers, and no variables.");
    }

    /// The text up to one of these words, or to a semicolon where there are none, outside of parentheses and CASE.
    std::string_view text_up_to(std::initializer_list<std::string_view> words, bool commas = false) {
        const std::size_t first = at_;
        int depth = 0;
        for (; peek().kind != TokenKind::end; ++at_) {
            if (depth == 0) {
                if (peek().is(';') || (commas && peek().is(','))) break;
                const auto here = [&](std::string_view word) { return at_word(word); };
                if (std::any_of(words.begin(), words.end(), here)) break;
            }
            if (peek().is('(') || peek().is('[') || at_word("case")) ++depth;
            if (peek().is(')') || peek().is(']') || (depth > 0 && at_word("end"))) --depth;
        }
        if (first == at_) unexpected();
        return text_.substr(tokens_[first].begin, tokens_[at_ - 1].end - tokens_[first].begin);
    }

    Block block() {
        if (at_word("declare")) refuse("DECLARE");
        if (peek().is_operator("<<")) refuse("a label");
        expect("begin");
        Block out;
        out.steps = steps();
        if (accept("exception"))
            while (accept("when")) out.handlers.push_back(handler());
        expect("end");
        accept(';');
        return out;
    }

    BlockBranch handler() {
        BlockBranch out;
        do {
            if (accept("sqlstate")) {
                if (peek().kind != TokenKind::string || peek().text.size() != 5) unexpected();
                out.states.emplace_back(peek().text);
            } else {
                if (peek().kind != TokenKind::identifier) unexpected();
                const std::string_view name = peek().text;
                const std::vector<std::string_view> states = states_named(name);
                if (name == "others") out.states.emplace_back(name);
                else if (states.empty())
                    raise(sqlstate::undefined_object, "unrecognized exception condition \"" + std::string(name) + "\"");
                out.states.insert(out.states.end(), states.begin(), states.end());
            }
            ++at_;
        } while (accept("or"));
        expect("then");
        out.steps = steps();
        return out;
    }

    /// Up to a word that ends them.
    std::vector<BlockStep> steps() {
        if (++depth_ > k_deepest) raise(sqlstate::statement_too_complex, "blocks are nested too deep");
        std::vector<BlockStep> out;
        for (;;) {
            if (peek().kind == TokenKind::end) unexpected();
            const bool ends = at_word("end") || at_word("exception") || at_word("elsif") || at_word("elseif") ||
                              at_word("else") || at_word("when");
            if (ends) break;
            if (accept("null")) end_of_step();
            else out.push_back(step());
        }
        --depth_;
        return out;
    }

    BlockStep step() {
        BlockStep out;
        if (at_word("begin") || at_word("declare") || peek().is_operator("<<")) {
            out.kind = BlockStepKind::block;
            out.block = block();
            return out;
        }
        if (accept("if")) return conditional();
        if (accept("raise")) return raise_step();
        if (accept("return")) {
            out.kind = BlockStepKind::finish;
            end_of_step();
            return out;
        }
        static constexpr std::array<std::string_view, 15> k_left_out = {
            "for", "foreach", "while", "loop", "case", "exit", "continue", "get", "open", "fetch", "move", "close",
            "assert", "commit", "rollback"};
        for (const std::string_view word : k_left_out)
            if (at_word(word)) refuse(upper(word));
        if (peek(1).kind == TokenKind::assign || (peek().kind == TokenKind::identifier && peek(1).is_operator("=")))
            refuse("an assignment");
        if (at_word("perform") || at_word("execute")) {
            out.kind = at_word("perform") ? BlockStepKind::perform : BlockStepKind::execute;
            ++at_;
        }
        const std::size_t first = at_;
        out.text = text_up_to({});
        if (out.kind != BlockStepKind::perform) refuse_targets(first, out.kind == BlockStepKind::execute);
        end_of_step();
        return out;
    }

    /// INTO means a variable, but for INSERT and MERGE.
    void refuse_targets(std::size_t first, bool dynamic) const {
        for (std::size_t i = first; i < at_; ++i) {
            const auto is = [&](std::string_view word, std::size_t place) {
                return tokens_[place].kind == TokenKind::identifier && tokens_[place].text == word;
            };
            if (dynamic && is("using", i)) refuse("EXECUTE with USING");
            if (is("into", i) && (i == first || !(is("insert", i - 1) || is("merge", i - 1))))
                refuse("INTO with a variable");
        }
    }

    BlockStep conditional() {
        BlockStep out;
        out.kind = BlockStepKind::conditional;
        do {
            BlockBranch branch;
            branch.condition = text_up_to({"then"});
            expect("then");
            branch.steps = steps();
            out.branches.push_back(std::move(branch));
        } while (accept("elsif") || accept("elseif"));
        if (accept("else")) {
            out.branches.emplace_back();
            out.branches.back().steps = steps();
        }
        expect("end");
        expect("if");
        end_of_step();
        return out;
    }

    BlockStep raise_step() {
        BlockStep out;
        out.kind = BlockStepKind::raise;
        out.level = "exception";
        if (accept(';')) {
            out.again = true;
            return out;
        }
        static constexpr std::array<std::string_view, 6> k_levels = {"debug", "log", "info", "notice", "warning",
                                                                     "exception"};
        for (const std::string_view level : k_levels)
            if (accept(level)) {
                out.level = level;
                break;
            }
        if (peek().kind == TokenKind::string) {
            out.format = peek().text;
            ++at_;
            while (accept(',')) out.arguments.push_back(text_up_to({"using"}, true));
            check_arguments(out);
        } else if (accept("sqlstate")) {
            if (peek().kind != TokenKind::string || peek().text.size() != 5) unexpected();
            out.condition = out.state = peek().text;
            ++at_;
        } else if (!at_word("using")) {
            if (peek().kind != TokenKind::identifier) unexpected();
            out.condition = peek().text;
            const std::vector<std::string_view> states = states_named(out.condition);
            if (states.empty())
                raise(sqlstate::undefined_object, "unrecognized exception condition \"" + out.condition + "\"");
            out.state = states.front();
            ++at_;
        }
        if (accept("using")) do raise_option(out);
            while (accept(','));
        end_of_step();
        return out;
    }

    void raise_option(BlockStep& out) {
        static constexpr std::array<std::string_view, 9> k_options = {
            "message", "detail", "hint", "errcode", "column", "constraint", "datatype", "table", "schema"};
        if (std::find(k_options.begin(), k_options.end(), peek().text) == k_options.end()) unexpected();
        std::string name(peek().text);
        ++at_;
        if (peek().kind != TokenKind::assign && !peek().is_operator("=")) unexpected();
        ++at_;
        out.options.emplace_back(std::move(name), text_up_to({}, true));
    }

    static void check_arguments(const BlockStep& step) {
        std::size_t places = 0;
        for (std::size_t i = 0; i < step.format.size(); ++i) {
            if (step.format[i] != '%') continue;
            if (i + 1 < step.format.size() && step.format[i + 1] == '%') ++i;
            else ++places;
        }
        if (places == step.arguments.size()) return;
        raise(sqlstate::syntax_error,
              places > step.arguments.size() ? "too few parameters specified for RAISE"
                                             : "too many parameters specified for RAISE");
    }

    static std::string upper(std::string_view word) {
        std::string out(word);
        for (char& c : out) c = static_cast<char>(c - 32);
        return out;
    }

    Arena arena_;
    std::string_view text_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace block_file

Block parse_block(std::string_view text) { return block_file::BlockParser(text).whole(); }

}  // namespace northstar::inline v0::sql::syntax
