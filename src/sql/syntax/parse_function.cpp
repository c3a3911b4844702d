// Function calls: arguments, aggregates' clauses, windows, and the functions with a grammar of their own.
#include "sql/syntax/parse.hpp"

namespace northstar::inline v0::sql::syntax {

const Expr* Parser::call(std::string_view name, std::vector<const Expr*> arguments, Position position) {
    Expr* expr = node(ExprKind::function, position, std::move(arguments));
    const std::vector<Name> names = {name};
    expr->names = make_list(arena_, names);
    return expr;
}

const Expr* Parser::function_call(List<Name> names, Position position) {
    const Nesting nesting(*this);
    expect('(');
    CallDetail detail;
    bool detailed = false;
    std::vector<const Expr*> args;
    if (at_operator("*") && at(')', 1)) {
        take();
        detail.star = detailed = true;
    } else if (!at(')')) {
        if (accept("distinct"_kw)) detail.distinct = detailed = true;
        else accept("all"_kw);
        do {
            if (accept("variadic"_kw)) detail.variadic = detailed = true;
            if (is_function_name(peek()) && (peek(1).kind == TokenKind::arrow || peek(1).kind == TokenKind::assign)) {
                const Position place = here();
                const Name argument = take().text;
                take();
                Expr* named = node(ExprKind::named_argument, place, {expression()});
                named->text = argument;
                args.push_back(named);
            } else {
                args.push_back(expression());
            }
        } while (!detail.variadic && accept(','));
        if (at("order"_kw)) {
            detail.order_by = order_by();
            detailed = true;
        }
    }
    expect(')');
    if (at("within"_kw) && at("group"_kw, 1)) {
        const auto refuse = [&](bool given, const char* message) {
            if (given) fail(sqlstate::syntax_error, message, here());
        };
        refuse(!detail.order_by.empty(), "cannot use multiple ORDER BY clauses with WITHIN GROUP");
        refuse(detail.distinct, "cannot use DISTINCT with WITHIN GROUP");
        refuse(detail.variadic, "cannot use VARIADIC with WITHIN GROUP");
        take(), take();
        expect('(');
        detail.within_group = detailed = true;
        detail.order_by = order_by();
        expect(')');
    }
    if (at("filter"_kw) && at('(', 1)) {
        take(), take();
        expect("where"_kw);
        detail.filter = expression();
        detailed = true;
        expect(')');
    }
    if (at("over"_kw) && (at('(', 1) || is_name(peek(1)))) {
        detail.over = over_clause();
        detailed = true;
    }
    Expr* expr = node(ExprKind::function, position, std::move(args));
    expr->names = names;
    if (detailed) expr->call = arena_.create<CallDetail>(detail);
    return expr;
}

const WindowSpec* Parser::over_clause() {
    expect("over"_kw);
    WindowSpec window;
    if (!at('(')) {
        window.position = here();
        window.name = name();
        window.reference = true;
    } else {
        window = window_specification();
    }
    return arena_.create<WindowSpec>(window);
}

WindowSpec Parser::window_specification() {
    WindowSpec window;
    window.position = here();
    expect('(');
    const bool clause = at("partition"_kw) || at("order"_kw) || at("range"_kw) || at("rows"_kw) || at("groups"_kw);
    if (!clause && is_name(peek())) window.base = name();
    if (accept("partition"_kw)) {
        expect("by"_kw);
        window.partition_by = make_list(arena_, expression_list());
    }
    if (at("order"_kw)) window.order_by = order_by();
    if (at("range"_kw) || at("rows"_kw) || at("groups"_kw)) window_frame(window);
    expect(')');
    return window;
}

void Parser::window_frame(WindowSpec& window) {
    window.has_frame = true;
    const Token& mode = take();
    window.mode = mode.is("range"_kw) ? FrameMode::range : mode.is("rows"_kw) ? FrameMode::rows : FrameMode::groups;
    const Position position = here();
    if (accept("between"_kw)) {
        frame_bound(window.begin, window.begin_offset);
        expect("and"_kw);
        frame_bound(window.end, window.end_offset);
    } else {
        frame_bound(window.begin, window.begin_offset);
        window.end = FrameBound::current_row;
    }
    const auto refuse = [&](const char* message) { fail(sqlstate::windowing_error, message, position); };
    if (window.begin == FrameBound::unbounded_following) refuse("frame start cannot be UNBOUNDED FOLLOWING");
    if (window.end == FrameBound::unbounded_preceding) refuse("frame end cannot be UNBOUNDED PRECEDING");
    if (window.begin == FrameBound::current_row && window.end == FrameBound::offset_preceding)
        refuse("frame starting from current row cannot have preceding rows");
    if (window.begin == FrameBound::offset_following && window.end == FrameBound::offset_preceding)
        refuse("frame starting from following row cannot have preceding rows");
    if (window.begin == FrameBound::offset_following && window.end == FrameBound::current_row)
        refuse("frame starting from following row cannot end with current row");
    if (!accept("exclude"_kw)) return;
    if (accept("current"_kw)) {
        expect("row"_kw);
        window.exclusion = FrameExclusion::current_row;
    } else if (accept("group"_kw)) {
        window.exclusion = FrameExclusion::group;
    } else if (accept("ties"_kw)) {
        window.exclusion = FrameExclusion::ties;
    } else {
        expect("no"_kw);
        expect("others"_kw);
    }
}

void Parser::frame_bound(FrameBound& bound, const Expr*& offset) {
    // Otherwise it is a name in an offset.
    if (at("unbounded"_kw) && (at("preceding"_kw, 1) || at("following"_kw, 1))) {
        take();
        if (accept("preceding"_kw)) bound = FrameBound::unbounded_preceding;
        else {
            expect("following"_kw);
            bound = FrameBound::unbounded_following;
        }
        return;
    }
    if (accept("current"_kw)) {
        expect("row"_kw);
        bound = FrameBound::current_row;
        return;
    }
    offset = expression();
    if (accept("preceding"_kw)) bound = FrameBound::offset_preceding;
    else {
        expect("following"_kw);
        bound = FrameBound::offset_following;
    }
}

const Expr* Parser::special_function(Keyword word) {
    const Position position = here();
    const Nesting nesting(*this);
    take();
    expect('(');
    const auto close = [&](ExprKind kind, std::vector<const Expr*> args) -> const Expr* {
        expect(')');
        return node(kind, position, std::move(args));
    };
    switch (word) {
        case "coalesce"_kw: return close(ExprKind::coalesce, expression_list());
        case "greatest"_kw: return close(ExprKind::greatest, expression_list());
        case "least"_kw: return close(ExprKind::least, expression_list());
        case "grouping"_kw: return close(ExprKind::grouping, expression_list());
        case "nullif"_kw: {
            const Expr* left = expression();
            expect(',');
            const Expr* right = expression();
            return close(ExprKind::nullif, {left, right});
        }
        case "extract"_kw: {
            Expr* field = node(ExprKind::string, here());
            if (peek().kind == TokenKind::string || peek().kind == TokenKind::identifier ||
                peek().kind == TokenKind::quoted)
                field->text = take().text;
            else unexpected();
            expect("from"_kw);
            const Expr* from = expression();
            expect(')');
            return call("extract", {field, from}, position);
        }
        case "overlay"_kw: {
            std::vector<const Expr*> args = {expression()};
            if (accept("placing"_kw)) {
                args.push_back(expression());
                expect("from"_kw);
                args.push_back(expression());
                if (accept("for"_kw)) args.push_back(expression());
            } else {
                while (accept(',')) args.push_back(expression());
            }
            expect(')');
            return call("overlay", std::move(args), position);
        }
        case "position"_kw: {
            const Expr* needle = restricted_expression();
            expect("in"_kw);
            const Expr* text = restricted_expression();
            expect(')');
            return call("position", {text, needle}, position);
        }
        case "substring"_kw: {
            std::vector<const Expr*> args = {expression()};
            if (accept("similar"_kw)) {
                args.push_back(expression());
                expect("escape"_kw);
                args.push_back(expression());
            } else if (accept("from"_kw)) {
                args.push_back(expression());
                if (accept("for"_kw)) args.push_back(expression());
            } else if (accept("for"_kw)) {
                const Expr* length = expression();
                if (accept("from"_kw)) {
                    args.push_back(expression());
                } else {
                    Expr* one = node(ExprKind::integer, 0);
                    one->text = "1";
                    args.push_back(one);
                }
                args.push_back(length);
            } else {
                while (accept(',')) args.push_back(expression());
            }
            expect(')');
            return call("substring", std::move(args), position);
        }
        case "trim"_kw: {
            std::string_view name = "btrim";
            if (accept("leading"_kw)) name = "ltrim";
            else if (accept("trailing"_kw)) name = "rtrim";
            else accept("both"_kw);
            std::vector<const Expr*> args;
            if (accept("from"_kw)) {
                args = expression_list();
            } else {
                args.push_back(expression());
                if (accept("from"_kw)) {
                    const Expr* characters = args[0];
                    args = expression_list();
                    args.push_back(characters);
                } else {
                    while (accept(',')) args.push_back(expression());
                }
            }
            expect(')');
            return call(name, std::move(args), position);
        }
        case "normalize"_kw: {
            std::vector<const Expr*> args = {expression()};
            if (accept(',')) {
                Expr* form = node(ExprKind::string, here());
                std::string text(label());
                for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
                form->text = arena_.copy(text);
                args.push_back(form);
            }
            expect(')');
            return call("normalize", std::move(args), position);
        }
        default: {  // TREAT
            const Expr* operand = expression();
            expect("as"_kw);
            Expr* expr = node(ExprKind::cast, position, {operand});
            expr->type = type_name();
            expect(')');
            return expr;
        }
    }
}

}  // namespace northstar::inline v0::sql::syntax
