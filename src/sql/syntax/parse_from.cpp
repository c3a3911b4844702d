// FROM: tables, subqueries, functions, joins, aliases.
#include "sql/syntax/parse.hpp"

#include <algorithm>

namespace northstar::inline v0::sql::syntax {

List<const FromItem*> Parser::from_list() {
    std::vector<const FromItem*> items;
    do {
        items.push_back(from_item());
    } while (accept(','));
    return make_list(arena_, items);
}

const FromItem* Parser::from_item() {
    const Nesting nesting(*this);
    return join_chain(from_primary());
}

const FromItem* Parser::join_chain(const FromItem* left) {
    for (;;) {
        FromItem join;
        join.kind = FromKind::join;
        join.position = here();
        join.natural = accept("natural"_kw);
        if (accept("cross"_kw)) {
            if (join.natural) unexpected();
            join.join = JoinKind::cross;
        } else if (accept("inner"_kw)) {
            join.join = JoinKind::inner;
        } else if (at("left"_kw) || at("right"_kw) || at("full"_kw)) {
            const Token& side = take();
            join.join = side.is("left"_kw) ? JoinKind::left : side.is("right"_kw) ? JoinKind::right : JoinKind::full;
            accept("outer"_kw);
        } else if (!at("join"_kw)) {
            if (join.natural) unexpected();
            return left;
        }
        expect("join"_kw);
        join.left = left;
        join.right = from_primary();
        if (join.join != JoinKind::cross && !join.natural) {
            // a JOIN b JOIN c ON .. ON ..: the inner condition belongs to the inner pair.
            if (!at("on"_kw) && !at("using"_kw)) join.right = join_chain(join.right);
            if (accept("on"_kw)) {
                join.on = expression();
            } else {
                expect("using"_kw);
                join.using_columns = name_list_in_parentheses();
                if (accept("as"_kw)) join.join_using_alias = name();
            }
        }
        join.depth = std::max(join.left->depth, join.right->depth) + 1;
        if (join.depth > k_depth_limit) too_complex();
        left = arena_.create<FromItem>(join);
    }
}

const FromItem* Parser::from_primary() {
    const Nesting nesting(*this);
    FromItem item;
    item.position = here();
    item.lateral = accept("lateral"_kw);
    if (at('(')) {
        if (at_query()) {
            take();
            item.kind = FromKind::query;
            item.query = query();
            expect(')');
            table_time(item.time);
            alias_clause(item);
            if (item.alias.empty())
                fail(sqlstate::syntax_error,
                     item.query->kind == QueryKind::values ? "VALUES in FROM must have an alias"
                                                           : "subquery in FROM must have an alias",
                     item.position);
            return arena_.create<FromItem>(item);
        }
        if (item.lateral) unexpected();
        take();
        const FromItem* inner = from_item();
        expect(')');
        if (inner->kind != FromKind::join) unexpected();
        FromItem copy = *inner;
        alias_clause(copy);
        return arena_.create<FromItem>(copy);
    }
    if (at("rows"_kw) && at("from"_kw, 1) && at('(', 2)) {
        take(), take(), take();
        item.kind = FromKind::rows_from;
        std::vector<const Expr*> functions;
        std::vector<List<ColumnDefinition>> columns;
        do {
            functions.push_back(primary());
            columns.push_back(accept("as"_kw) ? column_definitions() : List<ColumnDefinition>());
        } while (accept(','));
        expect(')');
        item.functions = make_list(arena_, functions);
        item.function_columns = make_list(arena_, columns);
        if (accept("with"_kw, "ordinality"_kw)) item.ordinality = true;
        alias_clause(item);
        return arena_.create<FromItem>(item);
    }
    // A function: a name followed by a parenthesis, or one of the functions that need none.
    std::size_t ahead = 1;
    while (at('.', ahead)) ahead += 2;
    const Keyword word = peek().kind == TokenKind::identifier ? peek().keyword : k_no_keyword;
    const bool special = word == "current_date"_kw || word == "current_time"_kw || word == "current_timestamp"_kw ||
                         word == "localtime"_kw || word == "localtimestamp"_kw || word == "current_user"_kw ||
                         word == "current_role"_kw || word == "session_user"_kw || word == "user"_kw ||
                         word == "current_catalog"_kw || word == "current_schema"_kw || word == "cast"_kw ||
                         (at('(', 1) && (word == "coalesce"_kw || word == "greatest"_kw || word == "least"_kw ||
                                         word == "nullif"_kw || word == "extract"_kw || word == "overlay"_kw ||
                                         word == "position"_kw || word == "substring"_kw || word == "trim"_kw ||
                                         word == "normalize"_kw));
    if ((at('(', ahead) && !at("only"_kw)) || special) {
        item.kind = FromKind::function;
        const std::vector<const Expr*> functions = {plain_call(special)};
        item.functions = make_list(arena_, functions);
        if (accept("with"_kw, "ordinality"_kw)) item.ordinality = true;
        alias_clause(item);
        return arena_.create<FromItem>(item);
    }
    if (item.lateral) unexpected();
    item.only = accept("only"_kw);
    const bool wrapped = item.only && accept('(');
    item.table = qualified_name();
    if (wrapped) expect(')');
    if (at_operator("*")) take();
    table_time(item.time);
    alias_clause(item);
    table_time(item.time);
    table_sample(item);
    return arena_.create<FromItem>(item);
}

void Parser::alias_clause(FromItem& item) {
    if (at_time_clause()) return;
    if (accept("as"_kw)) {
        if (item.kind == FromKind::function && at('(')) {
            item.column_definitions = column_definitions();
            return;
        }
        item.alias = name();
    } else if (is_name(peek()) && !at("tablesample"_kw)) {
        item.alias = take().text;
    } else {
        return;
    }
    if (!at('(')) return;
    // f() AS t(a int, b text) defines columns; t(a, b) renames them.
    if (item.kind == FromKind::function && !at(',', 2) && !at(')', 2)) item.column_definitions = column_definitions();
    else item.column_aliases = name_list_in_parentheses();
}

List<ColumnDefinition> Parser::column_definitions() {
    expect('(');
    std::vector<ColumnDefinition> columns;
    do {
        ColumnDefinition column;
        column.name = name();
        column.type = type_name();
        if (at("collate"_kw)) collation();
        columns.push_back(column);
    } while (accept(','));
    expect(')');
    return make_list(arena_, columns);
}

void Parser::table_sample(FromItem& item) {
    if (!accept("tablesample"_kw)) return;
    item.sample_method = qualified_name().last();
    expect('(');
    item.sample_arguments = make_list(arena_, expression_list());
    expect(')');
    if (accept("repeatable"_kw)) {
        expect('(');
        item.sample_seed = expression();
        expect(')');
    }
}

}  // namespace northstar::inline v0::sql::syntax
