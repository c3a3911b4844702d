// Text becomes syntax trees by PostgreSQL's grammar: precedence, literals, positions of errors, clauses about time.
#include "sql/error.hpp"
#include "sql/syntax/parser.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace northstar::sql;
using namespace northstar::sql::syntax;

namespace {

/// The shape of an expression with every operator in parentheses.
std::string shape(const Expr* expr) {
    const auto join = [&](const char* op) {
        std::string text = "(";
        for (std::size_t i = 0; i < expr->args.size(); ++i) text += (i == 0 ? "" : op) + shape(expr->args[i]);
        return text + ")";
    };
    switch (expr->kind) {
        case ExprKind::column: return std::string(expr->names.back());
        case ExprKind::integer:
        case ExprKind::decimal: return std::string(expr->text);
        case ExprKind::string: return "'" + std::string(expr->text) + "'";
        case ExprKind::operation:
            if (expr->args.size() == 1) return "(" + std::string(expr->text) + " " + shape(expr->args[0]) + ")";
            return join((" " + std::string(expr->text) + " ").c_str());
        case ExprKind::all_of: return join(" and ");
        case ExprKind::any_of: return join(" or ");
        case ExprKind::negation: return "(not " + shape(expr->args[0]) + ")";
        case ExprKind::cast: return "(" + shape(expr->args[0]) + "::" + std::string(expr->type->names.back()) + ")";
        case ExprKind::is_null: return "(" + shape(expr->args[0]) + " is null)";
        case ExprKind::between: return join(" between ");
        default: return "?";
    }
}

std::string parsed(const std::string& text) {
    northstar::sql::Arena arena;
    return shape(parse_expression(text, arena));
}

std::string literal(const std::string& text) {
    northstar::sql::Arena arena;
    return std::string(parse_expression(text, arena)->text);
}

struct Failure {
    std::string state;
    std::string message;
    std::uint32_t position;
};

Failure failure(const std::string& text) {
    northstar::sql::Arena arena;
    try {
        parse_script(text, arena);
    } catch (const SqlError& error) {
        return {std::string(error.state().view()), error.what(), error.report().position};
    }
    return {"00000", "", 0};
}

}  // namespace

TEST_CASE("operators bind as in PostgreSQL", "[sql]") {
    CHECK(parsed("a + b * c") == "(a + (b * c))");
    CHECK(parsed("a - b - c") == "((a - b) - c)");
    CHECK(parsed("- a ^ b") == "((- a) ^ b)");
    CHECK(parsed("-a::text") == "(- (a::text))");
    CHECK(parsed("not a = b and c") == "((not (a = b)) and c)");
    CHECK(parsed("a or b and c") == "(a or (b and c))");
    CHECK(parsed("a || b + c") == "(a || (b + c))");
    CHECK(parsed("a = b is null") == "((a = b) is null)");
    CHECK(parsed("a between b and c and d") == "((a between b between c) and d)");
    CHECK(parsed("-9223372036854775808") == "-9223372036854775808");
}

TEST_CASE("comparisons do not associate", "[sql]") { CHECK(failure("select 1 < 2 < 3").state == "42601"); }

TEST_CASE("string constants follow PostgreSQL's lexical rules", "[sql]") {
    CHECK(literal("'it''s'") == "it's");
    CHECK(literal("'a\\n'") == "a\\n");
    CHECK(literal("E'a\\n\\x41\\101\\u00e9'") == "a\nAA\xc3\xa9");
    CHECK(literal("U&'d\\0061t\\+000061'") == "data");
    CHECK(literal("U&'d!0061t' UESCAPE '!'") == "dat");
    CHECK(literal("$$a'b$$") == "a'b");
    CHECK(literal("$x$ $$ $x$") == " $$ ");
    CHECK(literal("'a'\n  'b'") == "ab");
}

TEST_CASE("comments nest and stand wherever blanks may", "[sql]") {
    CHECK(parsed("a /* x /* y */ z */ + -- end\n b") == "(a + b)");
    CHECK(failure("select /* /* */ 1").state == "42601");
}

TEST_CASE("errors carry the place of the offending word", "[sql]") {
    const Failure middle = failure("select 1 from t whre x");
    CHECK(middle.state == "42601");
    CHECK(middle.message == "syntax error at or near \"x\"");
    CHECK(middle.position == 22);
    CHECK(failure("select (1").message == "syntax error at end of input");
    CHECK(failure("select 'x").message == "unterminated quoted string");
    CHECK(failure("select 1a").message == "trailing junk after numeric literal at or near \"1a\"");
}

TEST_CASE("nesting has a limit instead of an overflow of the stack", "[sql]") {
    CHECK(failure("select " + std::string(100000, '(') + "1").state == "54001");
    std::string sum = "select 1";
    for (int i = 0; i < 100000; ++i) sum += "+1";
    CHECK(failure(sum).state == "54001");
    std::string any = "select a = 1";
    for (int i = 0; i < 20000; ++i) any += " or a = 1";
    CHECK(failure(any).state == "00000");  // a list is not deep
}

TEST_CASE("clauses about time belong to the statement or to a table", "[sql]") {
    northstar::sql::Arena arena;
    const Query* query = parse_query("select * from t as of 12 order by x", arena);
    CHECK(query->time.system.kind == RangeKind::as_of);
    query = parse_query("select * from t where a = 1 valid at 1000 as of timestamp '2024-01-01'", arena);
    CHECK(query->time.valid.kind == RangeKind::as_of);
    CHECK(query->time.system.first.value != nullptr);
    query = parse_query("select * from t for system_time from 1 to 2 as x", arena);
    CHECK(query->from[0]->time.system.kind == RangeKind::from_to);
    CHECK(query->from[0]->alias == "x");
    query = parse_query("select 1 union select 2 from t as of 3", arena);
    CHECK(query->time.system.kind == RangeKind::as_of);
}

TEST_CASE("words of clauses about time stay usable as names", "[sql]") {
    northstar::sql::Arena arena;
    CHECK(parse_query("select * from t as of, u valid where 1 = 1", arena)->from[0]->alias == "of");
    CHECK(parse_query("select valid, period, history from t as of where 1 = 1", arena)->targets.size() == 3);
}

TEST_CASE("identifiers are quoted only where they must be", "[sql]") {
    CHECK(quote_identifier("plain_1") == "plain_1");
    CHECK(quote_identifier("Mixed") == "\"Mixed\"");
    CHECK(quote_identifier("select") == "\"select\"");
    CHECK(quote_identifier("a\"b") == "\"a\"\"b\"");
    CHECK(rename_identifier("a > 0 and \"a\" < length(a) and a(1) = 'a'", "a", "x y") ==
          "\"x y\" > 0 and \"x y\" < length(\"x y\") and a(1) = 'a'");
}
