// SQL/JSON paths from text: tokens, and descent by precedence (or, and, not, comparison, sum, product, sign,
// accessors).

#include "sql/error.hpp"
#include "sql/jsonpath.hpp"
#include "sql/numeric.hpp"
#include "sql/regex.hpp"
#include "sql/utf8.hpp"

#include <charconv>
#include <cstring>

namespace northstar::inline v0::sql {

namespace jsonpath_parse {

enum class Token : std::uint8_t { end, symbol, name, string, number, variable };

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// What ends a name without quotes.
bool is_special(char c) { return std::strchr("?%$.[]{}()|&!=<>@#,*:-+/\\\"", c) != nullptr || c == '\0'; }
int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

struct Reader {
    explicit Reader(std::string_view source) : text(source) { advance(); }

    std::string_view text;
    std::size_t at = 0;
    Token token = Token::end;
    std::string word;  ///< symbol, name, string, digits or name of a variable

    [[noreturn]] void fail(const char* what = "syntax error") const {
        const bool over = token == Token::end;
        raise(sqlstate::syntax_error,
              std::string(what) + (over ? std::string(" at end of jsonpath input")
                                        : " at or near \"" + word + "\" of jsonpath input"));
    }
    bool is(std::string_view symbol) const { return token == Token::symbol && word == symbol; }
    bool is_word(std::string_view name) const { return token == Token::name && word == name; }
    bool accept(std::string_view symbol) {
        if (!is(symbol)) return false;
        advance();
        return true;
    }
    bool accept_word(std::string_view name) {
        if (!is_word(name)) return false;
        advance();
        return true;
    }
    void expect(std::string_view symbol) {
        if (!accept(symbol)) fail();
    }

    void advance() {
        for (;;) {
            while (at < text.size() && is_blank(text[at])) ++at;
            if (text.substr(at, 2) != "/*") break;
            const std::size_t end = text.find("*/", at + 2);
            if (end == std::string_view::npos) {
                word = "/*";
                token = Token::symbol;
                fail("unexpected end of comment");
            }
            at = end + 2;
        }
        word.clear();
        if (at == text.size()) {
            token = Token::end;
            return;
        }
        const char c = text[at];
        if (c == '"') {
            token = Token::string;
            read_string();
        } else if (c == '$' && at + 1 < text.size() && (text[at + 1] == '"' || !ends_name(at + 1))) {
            ++at;
            token = Token::variable;
            if (text[at] == '"') read_string();
            else read_name();
        } else if (is_digit(c) || (c == '.' && at + 1 < text.size() && is_digit(text[at + 1]))) {
            token = Token::number;
            read_number();
        } else if (!is_special(c) || c == '\\') {
            token = Token::name;
            read_name();
        } else {
            token = Token::symbol;
            for (const std::string_view two : {"&&", "||", "==", "<>", "!=", "<=", ">=", "**"}) {
                if (text.substr(at, 2) == two) {
                    word = two;
                    at += 2;
                    return;
                }
            }
            word = c;
            ++at;
        }
    }

private:
    bool ends_name(std::size_t place) const {
        return is_blank(text[place]) || (is_special(text[place]) && text[place] != '\\');
    }
    std::uint32_t hexadecimal(std::size_t digits) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < digits; ++i, ++at) {
            const int digit = at < text.size() ? hex_digit(text[at]) : -1;
            if (digit < 0)
                fail(digits == 2 ? "invalid hexadecimal character sequence" : "invalid Unicode escape sequence");
            value = value << 4 | static_cast<std::uint32_t>(digit);
        }
        return value;
    }
    std::uint32_t unicode_escape() {
        if (at < text.size() && text[at] == '{') {
            ++at;
            std::uint32_t value = 0;
            std::size_t digits = 0;
            for (; at < text.size() && hex_digit(text[at]) >= 0 && digits < 6; ++at, ++digits)
                value = value << 4 | static_cast<std::uint32_t>(hex_digit(text[at]));
            if (digits == 0 || at == text.size() || text[at] != '}') fail("invalid Unicode escape sequence");
            ++at;
            return value;
        }
        return hexadecimal(4);
    }
    /// Behind a backslash.
    void read_escape() {
        if (at == text.size()) fail("unexpected end after backslash");
        const char c = text[at++];
        switch (c) {
            case 'b': word += '\b'; return;
            case 'f': word += '\f'; return;
            case 'n': word += '\n'; return;
            case 'r': word += '\r'; return;
            case 't': word += '\t'; return;
            case 'v': word += '\v'; return;
            case 'x': append_point(hexadecimal(2)); return;
            case 'u': {
                std::uint32_t point = unicode_escape();
                if (point >= 0xd800 && point < 0xdc00) {
                    if (text.substr(at, 2) != "\\u") raise_surrogate("high");
                    at += 2;
                    const std::uint32_t low = unicode_escape();
                    if (low < 0xdc00 || low > 0xdfff) raise_surrogate("high");
                    point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
                } else if (point >= 0xdc00 && point <= 0xdfff) {
                    raise_surrogate("low");
                }
                append_point(point);
                return;
            }
            default: word += c;
        }
    }
    [[noreturn]] static void raise_surrogate(const char* which) {
        raise(sqlstate::invalid_text_representation, "invalid input syntax for type jsonpath",
              which == std::string_view("high")
                  ? "Unicode high surrogate must be followed by a low surrogate."
                  : "Unicode low surrogate must follow a high surrogate.");
    }
    void append_point(std::uint32_t point) {
        if (point == 0) {
            raise(sqlstate::untranslatable_character, "unsupported Unicode escape sequence",
                  "\\u0000 cannot be converted to text.");
        }
        if (point > 0x10ffff) fail("invalid Unicode escape sequence");
        utf8_append(point, word);
    }
    void read_string() {
        for (++at; at < text.size() && text[at] != '"';) {
            if (text[at] == '\\') {
                ++at;
                read_escape();
            } else {
                word += text[at++];
            }
        }
        if (at == text.size()) fail("unterminated quoted string");
        ++at;
    }
    void read_name() {
        while (at < text.size() && !ends_name(at) && text.substr(at, 2) != "/*") {
            if (text[at] == '\\') {
                ++at;
                read_escape();
            } else {
                word += text[at++];
            }
        }
    }
    void digits() {
        while (at < text.size() && is_digit(text[at])) word += text[at++];
    }
    void read_number() {
        digits();
        bool whole = true;
        if (word.size() > 1 && word[0] == '0') fail("trailing junk after numeric literal");
        if (at < text.size() && text[at] == '.') {
            whole = false;
            if (word.empty()) word = "0";
            word += text[at++];
            digits();
        }
        if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
            std::size_t behind = at + 1;
            if (behind < text.size() && (text[behind] == '+' || text[behind] == '-')) ++behind;
            if (behind < text.size() && is_digit(text[behind])) {
                whole = false;
                word += text.substr(at, behind - at);
                at = behind;
                digits();
            }
        }
        if (at < text.size() && (!is_special(text[at]) || text[at] == '\\') && !is_blank(text[at]))
            fail("trailing junk after numeric literal");
        if (whole) return;
        Arena arena;
        const Numeric number = numeric_from_text(word.back() == '.' ? word + "0" : word, arena);
        const bool dot_alone = word.back() == '.';
        word.clear();
        numeric_to_text(dot_alone ? numeric_round(number, 0, arena) : number, word);
    }
};

bool is_predicate_op(PathOp op) { return op >= PathOp::equal; }

class Parser {
public:
    explicit Parser(std::string_view text) : reader_(text) {}

    JsonPath parse() {
        if (reader_.accept_word("strict")) path_.lax = false;
        else reader_.accept_word("lax");
        if (reader_.token == Token::end) reader_.fail();
        path_.start = parse_either();
        if (reader_.token != Token::end) reader_.fail();
        return std::move(path_);
    }

private:
    using Id = std::int32_t;

    Id add(PathOp op, Id left = k_no_path_node, Id right = k_no_path_node) {
        PathNode node;
        node.op = op;
        node.left = left;
        node.right = right;
        path_.nodes.push_back(std::move(node));
        return static_cast<Id>(path_.nodes.size() - 1);
    }
    PathNode& node(Id id) { return path_.nodes[static_cast<std::size_t>(id)]; }
    Id word_node(PathOp op) {
        const Id id = add(op);
        node(id).text = reader_.word;
        reader_.advance();
        return id;
    }
    bool is_predicate(Id id) { return is_predicate_op(node(id).op) && node(id).next == k_no_path_node; }
    Id need_value(Id id) {
        if (is_predicate(id)) reader_.fail();
        return id;
    }
    Id need_predicate(Id id) {
        if (!is_predicate(id)) reader_.fail();
        return id;
    }

    struct Deeper {
        explicit Deeper(Parser& parser) : parser_(parser) {
            if (++parser_.depth_ > k_json_max_depth / 16)
                raise(sqlstate::statement_too_complex, "jsonpath is nested too deeply");
        }
        ~Deeper() { --parser_.depth_; }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;
        Parser& parser_;
    };

    Id parse_either() {
        const Deeper deeper(*this);
        Id left = parse_both();
        while (reader_.is("||")) {
            need_predicate(left);
            reader_.advance();
            left = add(PathOp::either, left, need_predicate(parse_both()));
        }
        return left;
    }
    Id parse_both() {
        Id left = parse_negation();
        while (reader_.is("&&")) {
            need_predicate(left);
            reader_.advance();
            left = add(PathOp::both, left, need_predicate(parse_negation()));
        }
        return left;
    }
    Id parse_negation() {
        if (!reader_.is("!")) return parse_comparison();
        reader_.advance();
        if (!reader_.is("(") && !reader_.is_word("exists")) reader_.fail();
        return add(PathOp::negation, need_predicate(parse_primary()));
    }
    Id parse_comparison() {
        const Id left = parse_sum();
        if (reader_.token == Token::symbol) {
            struct Spelling { const char* symbol; PathOp op; };
            for (const Spelling& one : {Spelling{"==", PathOp::equal}, {"!=", PathOp::not_equal},
                                        {"<>", PathOp::not_equal}, {"<", PathOp::less},
                                        {"<=", PathOp::less_equal}, {">", PathOp::greater},
                                        {">=", PathOp::greater_equal}}) {
                if (!reader_.accept(one.symbol)) continue;
                need_value(left);
                return add(one.op, left, need_value(parse_sum()));
            }
        }
        if (reader_.accept_word("starts")) {
            need_value(left);
            if (!reader_.accept_word("with")) reader_.fail();
            if (reader_.token == Token::string) return add(PathOp::starts_with, left, word_node(PathOp::string));
            if (reader_.token == Token::variable) return add(PathOp::starts_with, left, word_node(PathOp::variable));
            reader_.fail();
        }
        if (reader_.accept_word("like_regex")) return parse_regex(need_value(left));
        return left;
    }
    Id parse_regex(Id left) {
        if (reader_.token != Token::string) reader_.fail();
        const Id id = word_node(PathOp::like_regex);
        node(id).left = left;
        if (reader_.accept_word("flag")) {
            if (reader_.token != Token::string) reader_.fail();
            for (const char flag : reader_.word) {
                if (flag == '\0' || std::strchr("ismxq", flag) == nullptr) {
                    raise(sqlstate::syntax_error, "invalid input syntax for type jsonpath",
                          std::string("Unrecognized flag character \"") + flag + "\" in LIKE_REGEX predicate.");
                }
            }
            std::string ordered;
            for (const char flag : {'i', 's', 'm', 'x', 'q'}) {
                if (reader_.word.find(flag) != std::string::npos) ordered += flag;
            }
            node(id).flags = ordered;
            reader_.advance();
        }
        const Regex checked(node(id).text, jsonpath_regex_options(node(id).flags));  // raises for a bad pattern
        return id;
    }
    Id parse_sum() {
        Id left = parse_product();
        while (reader_.is("+") || reader_.is("-")) {
            need_value(left);
            const PathOp op = reader_.is("+") ? PathOp::add : PathOp::subtract;
            reader_.advance();
            left = add(op, left, need_value(parse_product()));
        }
        return left;
    }
    Id parse_product() {
        Id left = parse_sign();
        while (reader_.is("*") || reader_.is("/") || reader_.is("%")) {
            need_value(left);
            const PathOp op = reader_.is("*") ? PathOp::multiply : reader_.is("/") ? PathOp::divide : PathOp::modulo;
            reader_.advance();
            left = add(op, left, need_value(parse_sign()));
        }
        return left;
    }
    Id parse_sign() {
        if (!reader_.is("+") && !reader_.is("-")) return parse_accessors();
        const Deeper deeper(*this);
        const bool minus = reader_.is("-");
        reader_.advance();
        const Id operand = need_value(parse_sign());
        if (node(operand).op != PathOp::number || node(operand).next != k_no_path_node)
            return add(minus ? PathOp::minus : PathOp::plus, operand);
        if (minus) {  // a number with its sign is one number
            std::string& text = node(operand).text;
            if (text[0] == '-') text.erase(0, 1);
            else if (text.find_first_not_of("0.") != std::string::npos) text.insert(0, 1, '-');
        }
        return operand;
    }

    /// What stands without accessors; a predicate where it is one.
    Id parse_primary() {
        switch (reader_.token) {
            case Token::string: return word_node(PathOp::string);
            case Token::number: return word_node(PathOp::number);
            case Token::variable: return word_node(PathOp::variable);
            case Token::symbol: break;
            case Token::end: reader_.fail();
            case Token::name:
                if (reader_.accept_word("null")) return add(PathOp::null);
                if (reader_.accept_word("true")) return add(PathOp::yes);
                if (reader_.accept_word("false")) return add(PathOp::no);
                if (reader_.is_word("last")) {
                    if (subscripts_ == 0)
                        raise(sqlstate::syntax_error, "LAST is allowed only in array subscripts");
                    reader_.advance();
                    return add(PathOp::last);
                }
                if (reader_.accept_word("exists")) {
                    reader_.expect("(");
                    const Id operand = need_value(parse_either());
                    reader_.expect(")");
                    return add(PathOp::exists, operand);
                }
                reader_.fail();
        }
        if (reader_.accept("$")) return add(PathOp::root);
        if (reader_.is("@")) {
            if (filters_ == 0) raise(sqlstate::syntax_error, "@ is not allowed in root expressions");
            reader_.advance();
            return add(PathOp::current);
        }
        reader_.expect("(");
        const Id inside = parse_either();
        reader_.expect(")");
        if (reader_.accept_word("is")) {
            if (!reader_.accept_word("unknown")) reader_.fail();
            return add(PathOp::is_unknown, need_predicate(inside));
        }
        return inside;
    }

    Id parse_accessors() {
        const Id first = parse_primary();
        Id tail = first;
        while (node(tail).next != k_no_path_node) tail = node(tail).next;  // ($.a).b
        for (;;) {
            const Id next = parse_accessor();
            if (next == k_no_path_node) return first;
            node(tail).next = next;
            tail = next;
        }
    }
    Id parse_accessor() {
        if (reader_.accept(".")) return parse_member();
        if (reader_.accept("?")) {
            reader_.expect("(");
            ++filters_;
            const Id condition = need_predicate(parse_either());
            --filters_;
            reader_.expect(")");
            return add(PathOp::filter, condition);
        }
        if (!reader_.accept("[")) return k_no_path_node;
        if (reader_.accept("*")) {
            reader_.expect("]");
            return add(PathOp::any_array);
        }
        std::vector<std::pair<Id, Id>> subscripts;
        ++subscripts_;
        do {
            const Id from = need_value(parse_either());
            Id to = k_no_path_node;
            if (reader_.accept_word("to")) to = need_value(parse_either());
            subscripts.emplace_back(from, to);
        } while (reader_.accept(","));
        --subscripts_;
        reader_.expect("]");
        const Id id = add(PathOp::index);
        node(id).subscripts = std::move(subscripts);
        return id;
    }
    std::uint32_t level() {
        if (reader_.accept_word("last")) return k_last_level;
        std::uint32_t value = 0;
        const std::string& word = reader_.word;
        if (reader_.token != Token::number) reader_.fail();
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (error != std::errc() || end != word.data() + word.size()) reader_.fail();
        reader_.advance();
        return value;
    }
    Id parse_member() {
        if (reader_.accept("*")) return add(PathOp::any_key);
        if (reader_.accept("**")) {
            const Id id = add(PathOp::any_level);
            if (reader_.accept("{")) {
                node(id).first = level();
                node(id).end = reader_.accept_word("to") ? level() : node(id).first;
                reader_.expect("}");
            }
            return id;
        }
        if (reader_.token == Token::string) return word_node(PathOp::key);
        if (reader_.token != Token::name) reader_.fail();
        const Id id = word_node(PathOp::key);
        if (!reader_.is("(")) return id;
        struct Method { const char* name; PathOp op; };
        for (const Method& one : {Method{"type", PathOp::type}, {"size", PathOp::size}, {"abs", PathOp::abs},
                                  {"floor", PathOp::floor}, {"ceiling", PathOp::ceiling},
                                  {"double", PathOp::to_double}, {"datetime", PathOp::datetime},
                                  {"keyvalue", PathOp::keyvalue}}) {
            if (node(id).text != one.name) continue;
            reader_.advance();
            node(id).op = one.op;
            node(id).text.clear();
            if (one.op == PathOp::datetime && reader_.token == Token::string) {
                const Id format = word_node(PathOp::string);
                node(id).left = format;
            }
            reader_.expect(")");
            return id;
        }
        reader_.fail();
    }

    Reader reader_;
    JsonPath path_;
    int depth_ = 0, filters_ = 0, subscripts_ = 0;
};

}  // namespace jsonpath_parse

RegexOptions jsonpath_regex_options(std::string_view flags) {
    const auto has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
    RegexOptions options;
    options.ignore_case = has('i');
    if (has('q')) {
        options.literal = true;
        return options;
    }
    if (has('x')) {
        raise(sqlstate::feature_not_supported,
              "XQuery \"x\" flag (expanded regular expressions) is not implemented");
    }
    options.newline_stops = !has('s');
    options.newline_anchors = has('m');
    return options;
}

JsonPath jsonpath_from_text(std::string_view text) {
    if (text.find_first_not_of(" \t\n\r\f") == std::string_view::npos) {
        raise(sqlstate::invalid_text_representation,
              "invalid input syntax for type jsonpath: \"" + std::string(text) + "\"");
    }
    return jsonpath_parse::Parser(text).parse();
}

}  // namespace northstar::inline v0::sql
