// Operators and precedence: precedence climbing over PostgreSQL's table of binding strengths.
#include "sql/syntax/parse.hpp"

#include <algorithm>

namespace northstar::inline v0::sql::syntax {

Expr* Parser::node(ExprKind kind, Position position, std::vector<const Expr*> args) {
    Expr* expr = arena_.create<Expr>();
    expr->kind = kind;
    expr->position = position;
    for (const Expr* arg : args)
        if (arg != nullptr) expr->depth = std::max(expr->depth, arg->depth + 1);
    if (expr->depth > k_depth_limit) too_complex();
    expr->args = make_list(arena_, args);
    return expr;
}

const Expr* Parser::expression(int precedence, bool restricted) {
    const Nesting nesting(*this);
    const Expr* left = prefix(restricted);
    for (bool done = false; !done;) left = infix(left, precedence, restricted, done);
    return left;
}

const Expr* Parser::prefix(bool restricted) {
    const Token& token = peek();
    const Position position = here();
    if (!restricted && token.is("not"_kw)) {
        take();
        return node(ExprKind::negation, position, {expression(precedence_not)});
    }
    if (token.is_operator("-") || token.is_operator("+")) {
        take();
        const bool minus = token.text == "-";
        const Expr* operand = expression(precedence_sign, restricted);
        // -9223372036854775808 is one number, not the negation of one that does not fit.
        if (minus && (operand->kind == ExprKind::integer || operand->kind == ExprKind::decimal)) {
            Expr* number = node(operand->kind, position);
            number->number = operand->number;
            const std::string_view digits = operand->text;
            number->text = digits[0] == '-' ? digits.substr(1) : arena_.copy(std::string("-").append(digits));
            return number;
        }
        Expr* expr = node(ExprKind::operation, position, {operand});
        expr->text = token.text;
        return expr;
    }
    if (token.kind == TokenKind::operation || (token.is("operator"_kw) && at('(', 1))) {
        List<Name> names;
        const std::string_view name = operator_name(names);
        Expr* expr = node(ExprKind::operation, position, {expression(precedence_operator, restricted)});
        expr->text = name;
        expr->names = names;
        return expr;
    }
    return primary();
}

std::string_view Parser::operator_name(List<Name>& names) {
    if (peek().kind == TokenKind::operation) return take().text;
    expect("operator"_kw);
    expect('(');
    std::vector<Name> parts;
    while (peek().kind != TokenKind::operation) {
        parts.push_back(name());
        expect('.');
    }
    const std::string_view op = take().text;
    expect(')');
    names = make_list(arena_, parts);
    return op;
}

const Expr* Parser::infix(const Expr* left, int precedence, bool restricted, bool& done) {
    const Token& token = peek();
    const Position position = here();
    if (token.kind == TokenKind::identifier && token.keyword != k_no_keyword) {
        if (!restricted && (token.is("and"_kw) || token.is("or"_kw))) {
            const bool conjunction = token.is("and"_kw);
            const int strength = conjunction ? precedence_and : precedence_or;
            if (precedence >= strength) return done = true, left;
            std::vector<const Expr*> args = {left};
            while (accept(conjunction ? "and"_kw : "or"_kw)) args.push_back(expression(strength));
            return node(conjunction ? ExprKind::all_of : ExprKind::any_of, position, std::move(args));
        }
        if (token.is("is"_kw) || (!restricted && (token.is("isnull"_kw) || token.is("notnull"_kw)))) {
            if (precedence >= precedence_is) return done = true, left;
            return infix_is(left, restricted, done);
        }
        if (!restricted && token.is("at"_kw) && at("time"_kw, 1)) {
            if (precedence >= precedence_at) return done = true, left;
            take(), take();
            expect("zone"_kw);
            return call("timezone", {expression(precedence_at, restricted), left}, position);
        }
        if (!restricted && token.is("collate"_kw)) {
            if (precedence >= precedence_collate) return done = true, left;
            take();
            Expr* expr = node(ExprKind::collate, position, {left});
            expr->names = qualified_name().parts;
            return expr;
        }
        if (token.is("operator"_kw) && at('(', 1)) return infix_operator(left, precedence, restricted, done);
        if (restricted) return done = true, left;
        const bool negated = token.is("not"_kw);
        const Token& word = negated ? peek(1) : token;
        if (word.is("between"_kw) || word.is("in"_kw) || word.is("like"_kw) || word.is("ilike"_kw) ||
            (word.is("similar"_kw) && at("to"_kw, negated ? 2 : 1))) {
            if (precedence >= precedence_like) return done = true, left;
            if (negated) take();
            return word.is("in"_kw) ? infix_in(left, negated, position) : infix_match(left, negated, position);
        }
        if (token.is("overlaps"_kw) && left->kind == ExprKind::row) {
            if (precedence >= precedence_operator) return done = true, left;
            take();
            const Expr* right = expression(precedence_operator);
            if (left->args.size() != 2 || right->kind != ExprKind::row || right->args.size() != 2)
                fail(sqlstate::syntax_error, "wrong number of parameters on side of OVERLAPS expression", position);
            return call("overlaps", {left->args[0], left->args[1], right->args[0], right->args[1]}, position);
        }
        return done = true, left;
    }
    if (token.kind == TokenKind::operation) return infix_operator(left, precedence, restricted, done);
    // What ends with no operand is cast as a whole: a COLLATE "C"::text, a IS NULL::int.
    if (token.kind == TokenKind::type_cast) return casts(left);
    return done = true, left;
}

const Expr* Parser::infix_is(const Expr* left, bool restricted, bool& done) {
    const Position position = here();
    if (at("isnull"_kw) || at("notnull"_kw)) {
        Expr* expr = node(ExprKind::is_null, position, {left});
        expr->flag = take().is("notnull"_kw);
        return expr;
    }
    const std::size_t start = at_;
    take();
    const bool negated = accept("not"_kw);
    if (accept("distinct"_kw)) {
        expect("from"_kw);
        Expr* expr = node(ExprKind::is_distinct, position, {left, expression(precedence_is, restricted)});
        expr->flag = negated;
        return expr;
    }
    if (restricted) {
        at_ = start;
        return done = true, left;
    }
    if (accept("null"_kw)) {
        Expr* expr = node(ExprKind::is_null, position, {left});
        expr->flag = negated;
        return expr;
    }
    if (at("true"_kw) || at("false"_kw) || at("unknown"_kw)) {
        Expr* expr = node(ExprKind::is_truth, position, {left});
        expr->text = take().text;
        expr->flag = negated;
        return expr;
    }
    std::string form = "NFC";
    if (peek().kind == TokenKind::identifier && !at("normalized"_kw) && at("normalized"_kw, 1)) {
        form = std::string(take().text);
        for (char& c : form) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    if (accept("normalized"_kw)) {
        Expr* text = node(ExprKind::string, position);
        text->text = arena_.copy(form);
        const Expr* expr = call("is_normalized", {left, text}, position);
        return negated ? node(ExprKind::negation, position, {expr}) : expr;
    }
    unexpected();
}

const Expr* Parser::infix_match(const Expr* left, bool negated, Position position) {
    if (accept("between"_kw)) {
        const bool symmetric = accept("symmetric"_kw);
        if (!symmetric) accept("asymmetric"_kw);
        const Expr* low = restricted_expression();
        expect("and"_kw);
        Expr* expr = node(ExprKind::between, position, {left, low, expression(precedence_like)});
        expr->flag = negated;
        expr->symmetric = symmetric;
        return expr;
    }
    const std::string_view kind = take().text;
    if (kind == "similar") expect("to"_kw);
    if (at("any"_kw) || at("all"_kw) || at("some"_kw)) {
        const std::string_view op = kind == "ilike" ? (negated ? "!~~*" : "~~*") : (negated ? "!~~" : "~~");
        return quantified(left, op, {}, position);
    }
    std::vector<const Expr*> args = {left, expression(precedence_like)};
    if (accept("escape"_kw)) args.push_back(expression(precedence_like));
    Expr* expr = node(ExprKind::like, position, std::move(args));
    expr->text = kind;
    expr->flag = negated;
    return expr;
}

const Expr* Parser::infix_in(const Expr* left, bool negated, Position position) {
    expect("in"_kw);
    if (!at('(')) unexpected();
    if (at_query()) {
        take();
        Expr* expr = node(ExprKind::in_query, position, {left});
        expr->flag = negated;
        expr->query = query();
        expect(')');
        return expr;
    }
    take();
    std::vector<const Expr*> args = expression_list();
    expect(')');
    args.insert(args.begin(), left);
    Expr* expr = node(ExprKind::in_list, position, std::move(args));
    expr->flag = negated;
    return expr;
}

const Expr* Parser::infix_operator(const Expr* left, int precedence, bool restricted, bool& done) {
    const std::string_view op = peek().kind == TokenKind::operation ? peek().text : std::string_view();
    const bool comparison = op == "<" || op == ">" || op == "=" || op == "<=" || op == ">=" || op == "<>";
    int strength = precedence_operator;
    if (comparison) strength = precedence_comparison;
    else if (op == "+" || op == "-") strength = precedence_add;
    else if (op == "*" || op == "/" || op == "%") strength = precedence_multiply;
    else if (op == "^") strength = precedence_power;
    if (precedence >= strength) {
        // Comparisons do not associate: a < b < c has no meaning.
        if (comparison && precedence == precedence_comparison) unexpected();
        return done = true, left;
    }
    const Position position = here();
    List<Name> names;
    const std::string_view name = operator_name(names);
    if (at("any"_kw) || at("all"_kw) || at("some"_kw)) return quantified(left, name, names, position);
    Expr* expr = node(ExprKind::operation, position, {left, expression(strength, restricted)});
    expr->text = name;
    expr->names = names;
    return expr;
}

const Expr* Parser::quantified(const Expr* left, std::string_view op, List<Name> names, Position position) {
    const bool all = take().is("all"_kw);
    std::vector<const Expr*> args = {left};
    const Query* subquery = nullptr;
    if (!at('(')) unexpected();
    if (at_query()) {
        take();
        subquery = query();
    } else {
        take();
        args.push_back(expression());
    }
    expect(')');
    Expr* expr = node(ExprKind::quantified, position, std::move(args));
    expr->text = op;
    expr->names = names;
    expr->flag = all;
    expr->query = subquery;
    return expr;
}

std::vector<const Expr*> Parser::expression_list() {
    std::vector<const Expr*> list;
    do {
        list.push_back(expression());
    } while (accept(','));
    return list;
}

const Expr* Parser::value_or_default() {
    if (!at("default"_kw)) return expression();
    const Position position = here();
    take();
    return node(ExprKind::default_value, position);
}

std::vector<const Expr*> Parser::values_list() {
    std::vector<const Expr*> list;
    do {
        list.push_back(value_or_default());
    } while (accept(','));
    return list;
}

/// ROW (.., DEFAULT, ..) and the same without ROW.
bool Parser::at_row_with_default() const {
    std::size_t ahead = at("row"_kw) ? 1 : 0;
    if (!at('(', ahead)) return false;
    std::size_t depth = 0;
    do {
        if (at('(', ahead)) ++depth;
        if (at(')', ahead)) --depth;
        if (peek(ahead).kind == TokenKind::end) return false;
        const bool begins = depth == 1 && (at('(', ahead) || at(',', ahead));
        ++ahead;
        if (begins && at("default"_kw, ahead)) return true;
    } while (depth > 0);
    return false;
}

SortItem Parser::sort_item() {
    SortItem item;
    item.expr = expression();
    if (accept("desc"_kw)) item.descending = true;
    else if (accept("using"_kw)) {
        List<Name> names;
        item.using_operator = operator_name(names);
        // ~<~ and its kin order texts by their bytes, which is how they are ordered anyway.
        if (item.using_operator == ">" || item.using_operator == "~>~") item.descending = true;
        else if (item.using_operator != "<" && item.using_operator != "~<~")
            fail(sqlstate::wrong_object_type,
                 std::string("operator ") + std::string(item.using_operator) + " is not a valid ordering operator",
                 item.expr->position);
    } else {
        accept("asc"_kw);
    }
    if (accept("nulls"_kw)) {
        if (accept("first"_kw)) item.nulls = NullsOrder::first;
        else {
            expect("last"_kw);
            item.nulls = NullsOrder::last;
        }
    }
    return item;
}

List<SortItem> Parser::order_by() {
    expect("order"_kw);
    expect("by"_kw);
    std::vector<SortItem> items;
    do {
        items.push_back(sort_item());
    } while (accept(','));
    return make_list(arena_, items);
}

}  // namespace northstar::inline v0::sql::syntax
