// Operands: literals, columns, parentheses, CASE, ARRAY, ROW, and what may follow an operand (subscripts, fields,
// casts).
#include "sql/syntax/parse.hpp"

#include <charconv>

namespace northstar::inline v0::sql::syntax {

/// At a parenthesis: does it hold a query, maybe in more parentheses?
bool Parser::at_query() const {
    std::size_t ahead = 0;
    while (at('(', ahead)) ++ahead;
    if (!(at("select"_kw, ahead) || at("values"_kw, ahead) || at("with"_kw, ahead) || at("table"_kw, ahead) ||
          (at("setting"_kw, ahead) && at("default"_kw, ahead + 1))))
        return false;
    if (ahead <= 1) return ahead == 1;
    // ((SELECT 1), 2) is a list whose first element is a query; (SELECT 1) UNION ... inside is a query.
    std::size_t depth = ahead;
    for (std::size_t i = ahead; peek(i).kind != TokenKind::end; ++i) {
        if (at('(', i)) ++depth;
        if (!at(')', i)) continue;
        --depth;
        if (depth == 0) return true;
        if (depth >= ahead) continue;
        ahead = depth;
        const bool query_goes_on = at(')', i + 1) || at("union"_kw, i + 1) || at("intersect"_kw, i + 1) ||
                                   at("except"_kw, i + 1) || at("order"_kw, i + 1) || at("limit"_kw, i + 1) ||
                                   at("offset"_kw, i + 1) || at("fetch"_kw, i + 1);
        if (!query_goes_on) return false;
    }
    return false;
}

Expr* Parser::literal() {
    const Token& token = peek();
    Expr* expr = node(token.kind == TokenKind::integer   ? ExprKind::integer
                      : token.kind == TokenKind::decimal ? ExprKind::decimal
                      : token.kind == TokenKind::string  ? ExprKind::string
                                                         : ExprKind::bit_string,
                      here());
    if (numbers_literals_) expr->number = token.literal;
    expr->text = take().text;
    return expr;
}

const Expr* Parser::primary() {
    const Token& token = peek();
    const Position position = here();
    switch (token.kind) {
        case TokenKind::integer:
        case TokenKind::decimal:
        case TokenKind::string:
        case TokenKind::bit_string: return casts(literal());
        case TokenKind::parameter: {
            Expr* expr = node(ExprKind::parameter, position);
            const std::string_view digits = token.text;
            const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), expr->number);
            if (error != std::errc() || end != digits.data() + digits.size() || expr->number == 0 ||
                expr->number > 65535)
                fail(sqlstate::undefined_parameter, std::string("there is no parameter $").append(digits), position);
            parameters_ = std::max(parameters_, expr->number);
            take();
            return suffixes(expr);
        }
        case TokenKind::special:
            if (token.is('(')) return parenthesised();
            unexpected();
        case TokenKind::quoted: return column_or_function();
        case TokenKind::identifier: return token.keyword == k_no_keyword ? column_or_function() : primary_keyword();
        default: unexpected();
    }
}

const Expr* Parser::parenthesised() {
    const Position position = here();
    if (at_query()) {
        take();
        Expr* expr = node(ExprKind::scalar_query, position);
        expr->query = query();
        expect(')');
        return suffixes(expr);
    }
    take();
    const Expr* first = expression();
    if (accept(')')) {
        if (first->kind != ExprKind::subscript || !at('[')) return suffixes(first);
        // (a[1])[2] is an element of the element, not one of two dimensions.
        Expr* whole = arena_.create<Expr>(*first);
        whole->flag = true;
        return suffixes(whole);
    }
    std::vector<const Expr*> items = {first};
    while (accept(',')) items.push_back(expression());
    if (items.size() == 1) unexpected();
    expect(')');
    return casts(node(ExprKind::row, position, std::move(items)));
}

/// A type name followed by a string: DATE '2024-01-01', and what type_name() would read must not be a function call.
bool Parser::at_literal_type() const {
    std::size_t ahead = 0;
    if (at("double"_kw)) return at("precision"_kw, 1) && peek(2).kind == TokenKind::string;
    if (peek().kind != TokenKind::quoted && peek().kind != TokenKind::identifier) return false;
    while (at('.', ahead + 1)) ahead += 2;
    ++ahead;
    if (at("varying"_kw, ahead)) ++ahead;
    if (at('(', ahead)) {
        std::size_t depth = 0;
        do {
            if (at('(', ahead)) ++depth;
            if (at(')', ahead)) --depth;
            if (peek(ahead).kind == TokenKind::end) return false;
            ++ahead;
        } while (depth > 0);
    }
    if ((at("with"_kw, ahead) || at("without"_kw, ahead)) && at("time"_kw, ahead + 1) && at("zone"_kw, ahead + 2))
        ahead += 3;
    return peek(ahead).kind == TokenKind::string;
}

const Expr* Parser::literal_cast(const TypeName* type, Position position) {
    if (peek().kind != TokenKind::string) unexpected();
    Expr* expr = node(ExprKind::cast, position, {literal()});
    expr->type = type;
    return expr;
}

const Expr* Parser::primary_keyword() {
    const Token& token = peek();
    const Position position = here();
    const Keyword word = token.keyword;
    switch (word) {
        case "null"_kw: take(); return casts(node(ExprKind::null, position));
        case "true"_kw:
        case "false"_kw: {
            Expr* expr = node(ExprKind::boolean, position);
            expr->flag = take().is("true"_kw);
            return casts(expr);
        }
        case "default"_kw: fail(sqlstate::syntax_error, "DEFAULT is not allowed in this context", position);
        case "case"_kw: return casts(case_expression());
        case "exists"_kw: {
            if (!at('(', 1)) break;
            take();
            if (!at_query()) unexpected();
            take();
            Expr* expr = node(ExprKind::exists, position);
            expr->query = query();
            expect(')');
            return casts(expr);
        }
        case "array"_kw: return casts(array_constructor());
        case "row"_kw:
            if (at('(', 1)) return casts(row_constructor());
            break;
        case "cast"_kw: {
            take();
            expect('(');
            const Expr* operand = expression();
            expect("as"_kw);
            Expr* expr = node(ExprKind::cast, position, {operand});
            expr->type = type_name();
            expect(')');
            return casts(expr);
        }
        case "interval"_kw: {
            // INTERVAL(p) 'text' or INTERVAL 'text' fields.
            if (!at_literal_type()) break;
            take();
            TypeName type = builtin("interval", position);
            precision(type);
            if (peek().kind != TokenKind::string) unexpected();
            const Expr* text = literal();
            if (type.modifiers.empty()) interval_fields(type);
            Expr* expr = node(ExprKind::cast, position, {text});
            expr->type = arena_.create<TypeName>(type);
            return casts(expr);
        }
        case "current_date"_kw:
        case "current_time"_kw:
        case "current_timestamp"_kw:
        case "localtime"_kw:
        case "localtimestamp"_kw:
        case "current_user"_kw:
        case "current_role"_kw:
        case "session_user"_kw:
        case "system_user"_kw:
        case "user"_kw:
        case "current_catalog"_kw:
        case "current_schema"_kw: {
            if (word == "current_schema"_kw && at('(', 1)) break;
            take();
            std::vector<const Expr*> args;
            const bool has_precision = word == "current_time"_kw || word == "current_timestamp"_kw ||
                                       word == "localtime"_kw || word == "localtimestamp"_kw;
            if (has_precision && at('(')) {
                take();
                args.push_back(expression());
                expect(')');
            }
            Expr* expr = node(ExprKind::special_value, position, std::move(args));
            expr->text = token.text;
            return casts(expr);
        }
        case "coalesce"_kw:
        case "greatest"_kw:
        case "least"_kw:
        case "nullif"_kw:
        case "extract"_kw:
        case "overlay"_kw:
        case "position"_kw:
        case "substring"_kw:
        case "trim"_kw:
        case "treat"_kw:
        case "normalize"_kw:
        case "grouping"_kw:
            if (!at('(', 1)) break;
            if ((word == "substring"_kw || word == "overlay"_kw) &&
                (at(')', 2) || peek(3).kind == TokenKind::arrow || peek(3).kind == TokenKind::assign)) {
                const std::vector<Name> names = {take().text};
                return casts(function_call(make_list(arena_, names), position));
            }
            return casts(special_function(word));
        default: break;
    }
    const KeywordClass kind = keyword_entry(word).kind;
    if (kind == KeywordClass::reserved) unexpected();
    if (at_literal_type() && !at('(', 1)) return casts(literal_cast(type_name(), position));
    if (kind == KeywordClass::column_name) {
        // Names of built-in types may not name functions, but stand before a literal: bit(3) '101'.
        if (at('(', 1) && at_literal_type()) return casts(literal_cast(type_name(), position));
        if (at('(', 1)) unexpected(peek(1));
    }
    if (kind == KeywordClass::type_function && !at('(', 1)) unexpected();
    return column_or_function();
}

const Expr* Parser::column_or_function() {
    const Position position = here();
    if (at_literal_type()) {
        const std::size_t before = at_;
        const TypeName* type = type_name();
        if (peek().kind == TokenKind::string) return casts(literal_cast(type, position));
        at_ = before;
    }
    std::vector<Name> names;
    names.push_back(take().text);
    while (at('.')) {
        if (at_operator("*", 1)) {
            take(), take();
            Expr* expr = node(ExprKind::star, position);
            expr->names = make_list(arena_, names);
            if (names.size() == 3) note_database(expr->names, 3, position);
            return casts(expr);
        }
        take();
        names.push_back(label());
    }
    if (at('(')) {
        if (names.size() == 3) note_database(make_list(arena_, names), 3, position);
        return casts(function_call(make_list(arena_, names), position));
    }
    Expr* expr = node(ExprKind::column, position);
    expr->names = make_list(arena_, names);
    if (names.size() == 4) note_database(expr->names, 3, position);
    return suffixes(expr);
}

/// A call as FROM and indexes have it: no cast, FILTER or OVER stands behind it.
const Expr* Parser::plain_call(bool special) {
    if (!special && !(at('.', 1) ? is_name(peek()) : is_function_name(peek()))) unexpected();
    const bool cast = at("cast"_kw);
    const Expr* expr = special ? primary_keyword() : column_or_function();
    const CallDetail* detail = expr->call;
    const bool more = detail != nullptr &&
                      (detail->over != nullptr || detail->filter != nullptr || detail->within_group);
    if (more || expr->kind == ExprKind::column || (expr->kind == ExprKind::cast && !cast)) unexpected();
    return expr;
}

/// Casts bind closer than any operator.
const Expr* Parser::casts(const Expr* expr) {
    while (peek().kind == TokenKind::type_cast) {
        const Position position = here();
        take();
        Expr* cast = node(ExprKind::cast, position, {expr});
        cast->type = type_name();
        expr = cast;
    }
    return expr;
}

/// Subscripts and fields may stand behind columns, parameters and parentheses, and behind nothing else.
const Expr* Parser::suffixes(const Expr* expr) {
    for (;;) {
        if (at('[')) {
            expr = subscript(expr);
        } else if (at('.')) {
            const Position position = here();
            take();
            if (at_operator("*")) {
                take();
                expr = node(ExprKind::field_star, position, {expr});
            } else {
                Expr* field = node(ExprKind::field, position, {expr});
                field->text = label();
                expr = field;
            }
        } else {
            return casts(expr);
        }
    }
}

const Expr* Parser::subscript(const Expr* base) {
    const Position position = here();
    expect('[');
    const Expr* lower = nullptr;
    const Expr* upper = nullptr;
    bool slice = false;
    if (!at(':')) lower = expression();
    if (accept(':')) {
        slice = true;
        if (!at(']')) upper = expression();
    }
    expect(']');
    Expr* expr = node(ExprKind::subscript, position, {base, lower, upper});
    expr->symmetric = slice;
    return expr;
}

const Expr* Parser::case_expression() {
    const Position position = here();
    expect("case"_kw);
    std::vector<const Expr*> args;
    const bool has_operand = !at("when"_kw);
    if (has_operand) args.push_back(expression());
    if (!at("when"_kw)) unexpected();
    while (accept("when"_kw)) {
        args.push_back(expression());
        expect("then"_kw);
        args.push_back(expression());
    }
    args.push_back(accept("else"_kw) ? expression() : node(ExprKind::null, 0));
    expect("end"_kw);
    Expr* expr = node(ExprKind::case_when, position, std::move(args));
    expr->flag = has_operand;
    return expr;
}

const Expr* Parser::array_constructor() {
    const Position position = here();
    expect("array"_kw);
    if (at('(') && at_query()) {
        take();
        Expr* expr = node(ExprKind::array_query, position);
        expr->query = query();
        expect(')');
        return expr;
    }
    if (!at('[')) unexpected();
    return array_elements(position);
}

const Expr* Parser::array_elements(Position position) {
    const Nesting nesting(*this);
    expect('[');
    std::vector<const Expr*> items;
    if (!at(']')) do {
        items.push_back(at('[') ? array_elements(here()) : expression());
    } while (accept(','));
    expect(']');
    return node(ExprKind::array, position, std::move(items));
}

const Expr* Parser::row_constructor() {
    const Position position = here();
    expect("row"_kw);
    expect('(');
    std::vector<const Expr*> items;
    if (!at(')')) items = expression_list();
    expect(')');
    Expr* expr = node(ExprKind::row, position, std::move(items));
    expr->flag = true;
    return expr;
}

}  // namespace northstar::inline v0::sql::syntax
