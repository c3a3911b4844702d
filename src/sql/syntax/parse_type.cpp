// Type names: SQL's spellings become the names that PostgreSQL gives the types inside (int4, bpchar, timestamptz).
#include "sql/syntax/parse.hpp"

namespace northstar::inline v0::sql::syntax {

TypeName Parser::builtin(std::string_view name, Position position) const {
    TypeName type;
    const std::vector<Name> names = {name};
    type.names = make_list(arena_, names);
    type.position = position;
    return type;
}

const TypeName* Parser::type_name() {
    const Nesting nesting(*this);
    TypeName type;
    const bool setof = accept("setof"_kw);
    simple_type(type);
    type.setof = setof;
    if (accept("array"_kw)) {
        type.array_dimensions = 1;
        if (accept('[')) {
            integer_literal();
            expect(']');
        }
    }
    while (accept('[')) {
        if (!at(']')) integer_literal();
        expect(']');
        ++type.array_dimensions;
    }
    return arena_.create<TypeName>(type);
}

void Parser::simple_type(TypeName& type) {
    const Position position = here();
    const auto modifiers = [&] {
        if (!at('(')) return;
        take();
        type.modifiers = make_list(arena_, expression_list());
        expect(')');
    };
    const auto with_zone = [&](std::string_view plain, std::string_view zoned) {
        take();
        type = builtin(plain, position);
        precision(type);
        const List<const Expr*> digits = type.modifiers;
        if ((at("with"_kw) || at("without"_kw)) && at("time"_kw, 1) && at("zone"_kw, 2)) {
            if (at("with"_kw)) type = builtin(zoned, position);
            take(), take(), take();
        }
        type.modifiers = digits;
    };
    const auto named = [&](std::string_view name, bool with_modifiers) {
        take();
        type = builtin(name, position);
        if (with_modifiers) modifiers();
    };
    const Token& token = peek();
    if (token.kind == TokenKind::identifier && !at('.', 1)) switch (token.keyword) {
        case "int"_kw:
        case "integer"_kw: return named("int4", false);
        case "smallint"_kw: return named("int2", false);
        case "bigint"_kw: return named("int8", false);
        case "real"_kw: return named("float4", false);
        case "boolean"_kw: return named("bool", false);
        case "dec"_kw:
        case "decimal"_kw:
        case "numeric"_kw: return named("numeric", true);
        case "double"_kw:
            if (!at("precision"_kw, 1)) break;
            take();
            return named("float8", false);
        case "float"_kw: {
            take();
            type = builtin("float8", position);
            if (!accept('(')) return;
            const std::int64_t bits = integer_literal();
            expect(')');
            if (bits < 1)
                fail(sqlstate::invalid_parameter_value, "precision for type float must be at least 1 bit", position);
            if (bits > 53)
                fail(sqlstate::invalid_parameter_value, "precision for type float must be less than 54 bits", position);
            if (bits <= 24) type = builtin("float4", position);
            return;
        }
        case "national"_kw:
        case "character"_kw:
        case "char"_kw:
        case "nchar"_kw:
        case "varchar"_kw: {
            if (accept("national"_kw) && !at("character"_kw) && !at("char"_kw)) unexpected();
            const bool varying = at("varchar"_kw) || at("varying"_kw, 1);
            if (!take().is("varchar"_kw)) accept("varying"_kw);
            type = builtin(varying ? "varchar" : "bpchar", position);
            precision(type);
            if (!varying && type.modifiers.empty()) {
                Expr* one = node(ExprKind::integer, 0);
                one->text = "1";
                const std::vector<const Expr*> list = {one};
                type.modifiers = make_list(arena_, list);
            }
            return;
        }
        case "bit"_kw: {
            take();
            const bool varying = accept("varying"_kw);
            type = builtin(varying ? "varbit" : "bit", position);
            modifiers();
            if (!varying && type.modifiers.empty()) {
                Expr* one = node(ExprKind::integer, 0);
                one->text = "1";
                const std::vector<const Expr*> list = {one};
                type.modifiers = make_list(arena_, list);
            }
            return;
        }
        case "timestamp"_kw: return with_zone("timestamp", "timestamptz");
        case "time"_kw: return with_zone("time", "timetz");
        case "interval"_kw:
            take();
            type = builtin("interval", position);
            if (at('(')) precision(type);
            else interval_fields(type);
            return;
        default: break;
    }
    if (!is_function_name(token)) unexpected();
    std::vector<Name> names = {take().text};
    while (accept('.')) names.push_back(label());
    type.names = make_list(arena_, names);
    type.position = position;
    if (names.size() == 3) note_database(type.names, 3, position);
    modifiers();
}

/// A length or a number of digits, in parentheses: an integer without a sign.
void Parser::precision(TypeName& type) {
    if (!accept('(')) return;
    if (peek().kind != TokenKind::integer) unexpected();
    type.modifiers = make_list(arena_, std::vector<const Expr*>{literal()});
    expect(')');
}

/// YEAR, DAY TO SECOND(3), ...
void Parser::interval_fields(TypeName& type) {
    const auto field = [&]() -> std::uint32_t {
        switch (peek().kind == TokenKind::identifier ? peek().keyword : k_no_keyword) {
            case "year"_kw: return year;
            case "month"_kw: return month;
            case "day"_kw: return day;
            case "hour"_kw: return hour;
            case "minute"_kw: return minute;
            case "second"_kw: return second;
            default: return 0;
        }
    };
    const std::uint32_t first = field();
    if (first == 0) return;
    take();
    std::uint32_t last = first;
    if (first != second && at("to"_kw)) {
        take();
        last = field();
        const bool years = first == year && last == month;
        const bool times = first >= day && last > first;
        if (!years && !times) unexpected();
        take();
    }
    for (std::uint32_t bit = first; bit <= last; bit <<= 1) type.interval_fields |= bit;
    if (last == second) precision(type);
}

}  // namespace northstar::inline v0::sql::syntax
