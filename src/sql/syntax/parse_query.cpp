// Queries: SELECT, VALUES, TABLE, set operations, WITH.
#include "sql/syntax/parse.hpp"

#include <algorithm>

namespace northstar::inline v0::sql::syntax {

const Query* Parser::query() {
    const Nesting nesting(*this);
    TimeClause setting;
    const bool has_setting = at("setting"_kw) && at("default"_kw, 1);
    if (has_setting) setting = setting_prefix();
    const WithClause* with = at("with"_kw) ? with_clause() : nullptr;
    Query* result = query_body(0);
    // What stands in parentheses may have its own; a branch of a set operation keeps it apart.
    if (!result->order_by.empty() && at("order"_kw))
        fail(sqlstate::syntax_error, "multiple ORDER BY clauses not allowed", here());
    if (result->limit != nullptr && (at("limit"_kw) || at("fetch"_kw)))
        fail(sqlstate::syntax_error, "multiple LIMIT clauses not allowed", here());
    select_tail(*result);
    if (with != nullptr) {
        if (result->with != nullptr)
            fail(sqlstate::syntax_error, "multiple WITH clauses not allowed", result->position);
        result->with = with;
    }
    if (has_setting) {
        if (result->time.system.kind == RangeKind::none) result->time.system = setting.system;
        if (result->time.valid.kind == RangeKind::none) result->time.valid = setting.valid;
    }
    return result;
}

/// UNION and EXCEPT bind alike, INTERSECT stronger.
Query* Parser::query_body(int precedence) {
    Query* left = query_primary();
    for (;;) {
        const bool intersect = at("intersect"_kw);
        if (!intersect && !at("union"_kw) && !at("except"_kw)) return left;
        const int strength = intersect ? 2 : 1;
        if (precedence >= strength) return left;
        Query* both = arena_.create<Query>();
        both->kind = QueryKind::set_operation;
        both->position = here();
        both->operation = intersect       ? SetOperation::intersect
                          : at("union"_kw) ? SetOperation::union_
                                           : SetOperation::except;
        take();
        both->all = accept("all"_kw);
        if (!both->all) accept("distinct"_kw);
        const bool parenthesised = at('(');
        Query* right = query_body(strength);
        if (!parenthesised && right->kind != QueryKind::set_operation) {
            // A clause about time behind the last branch is one of the whole.
            both->time = right->time;
            right->time = {};
        }
        both->left = left;
        both->right = right;
        const bool goes_on = both->united() != nullptr;
        both->unions = goes_on ? left->unions + 1 : 1;
        both->depth = std::max(goes_on ? left->depth - 1 : left->depth, right->depth) + 1;
        if (both->depth > k_depth_limit || both->unions > k_union_limit) too_complex();
        left = both;
    }
}

Query* Parser::query_primary() {
    const Nesting nesting(*this);
    if (at('(')) {
        take();
        const Query* inner = query();
        expect(')');
        // Clauses behind the parenthesis would overwrite those inside it; keep them apart.
        return arena_.create<Query>(*inner);
    }
    if (at("values"_kw)) {
        Query* query = arena_.create<Query>();
        query->position = here();
        take();
        query->kind = QueryKind::values;
        values_rows(*query);
        return query;
    }
    if (at("table"_kw)) {
        Query* query = arena_.create<Query>();
        query->position = here();
        take();
        FromItem item;
        item.position = here();
        item.only = accept("only"_kw);
        item.table = qualified_name();
        accept('*');
        Target all;
        all.expr = node(ExprKind::star, item.position);
        const std::vector<Target> list = {all};
        const std::vector<const FromItem*> from = {arena_.create<FromItem>(item)};
        query->targets = make_list(arena_, list);
        query->from = make_list(arena_, from);
        return query;
    }
    if (!at("select"_kw)) unexpected();
    return select_core();
}

void Parser::values_rows(Query& query) {
    std::vector<List<const Expr*>> rows;
    do {
        expect('(');
        std::vector<const Expr*> row = values_list();
        expect(')');
        rows.push_back(make_list(arena_, row));
    } while (accept(','));
    query.rows = make_list(arena_, rows);
}

Query* Parser::select_core() {
    Query* query = arena_.create<Query>();
    query->position = here();
    expect("select"_kw);
    if (accept("distinct"_kw)) {
        query->distinct = true;
        if (accept("on"_kw)) {
            expect('(');
            query->distinct_on = make_list(arena_, expression_list());
            expect(')');
        }
    } else {
        accept("all"_kw);
    }
    const bool no_targets = at("from"_kw) || at("where"_kw) || at("into"_kw) || at(')') || at_end() ||
                            at("union"_kw) || at("intersect"_kw) || at("except"_kw) || at("group"_kw) ||
                            at("order"_kw) || at("limit"_kw) || at("having"_kw) || at("window"_kw) ||
                            at("offset"_kw) || at("fetch"_kw) || at("for"_kw);
    if (!no_targets) query->targets = make_list(arena_, targets());
    if (accept("into"_kw)) {
        IntoClause into;
        into.temporary = accept("temp"_kw) || accept("temporary"_kw);
        if (!into.temporary) into.unlogged = accept("unlogged"_kw);
        accept("table"_kw);
        into.name = qualified_name();
        query->into = arena_.create<IntoClause>(into);
    }
    if (accept("from"_kw)) query->from = from_list();
    time_clause(query->time);
    if (accept("where"_kw)) query->where = expression();
    time_clause(query->time);
    if (accept("group"_kw)) {
        expect("by"_kw);
        if (accept("distinct"_kw)) query->group_distinct = true;
        else accept("all"_kw);
        query->group_by = make_list(arena_, group_items());
    }
    if (accept("having"_kw)) query->having = expression();
    if (accept("window"_kw)) {
        std::vector<WindowSpec> windows;
        do {
            const Position position = here();
            const Name window_name = name();
            expect("as"_kw);
            WindowSpec window = window_specification();
            window.name = window_name;
            window.position = position;
            windows.push_back(window);
        } while (accept(','));
        query->windows = make_list(arena_, windows);
    }
    time_clause(query->time);
    return query;
}

std::vector<const Expr*> Parser::group_items() {
    std::vector<const Expr*> items;
    do {
        items.push_back(group_item());
    } while (accept(','));
    return items;
}

const Expr* Parser::group_item() {
    const Nesting nesting(*this);
    const Position position = here();
    if (at('(') && at(')', 1)) {
        take(), take();
        return node(ExprKind::row, position);
    }
    const bool sets = at("grouping"_kw) && at("sets"_kw, 1);
    if (sets || ((at("rollup"_kw) || at("cube"_kw)) && at('(', 1))) {
        const std::string_view kind = sets ? "sets" : peek().text;
        take();
        if (sets) take();
        expect('(');
        Expr* expr = node(ExprKind::grouping_sets, position, sets ? group_items() : expression_list());
        expr->text = kind;
        expect(')');
        return expr;
    }
    return expression();
}

std::vector<Target> Parser::targets() {
    std::vector<Target> list;
    do {
        Target target;
        if (at_operator("*")) {
            target.expr = node(ExprKind::star, here());
            take();
        } else {
            target.expr = expression();
            if (at("as"_kw) && !at_time_clause()) {
                take();
                target.alias = label();
            } else if (is_bare_label(peek()) && !at_time_clause()) {
                target.alias = take().text;
            }
        }
        list.push_back(target);
    } while (accept(','));
    return list;
}

/// ORDER BY, LIMIT, OFFSET, FETCH, FOR UPDATE and clauses about time, in the orders that PostgreSQL takes them.
void Parser::select_tail(Query& query) {
    time_clause(query.time);
    if (at("order"_kw)) query.order_by = order_by();
    time_clause(query.time);
    bool skips_locked = false;
    for (;;) {
        if (at("limit"_kw)) {
            if (query.limit != nullptr) fail(sqlstate::syntax_error, "multiple LIMIT clauses not allowed", here());
            take();
            if (accept("all"_kw)) query.limit = node(ExprKind::null, 0);
            else query.limit = expression();
            if (at(',')) fail(sqlstate::syntax_error, "LIMIT #,# syntax is not supported", here());
        } else if (at("offset"_kw)) {
            if (query.offset != nullptr) fail(sqlstate::syntax_error, "multiple OFFSET clauses not allowed", here());
            take();
            query.offset = expression();
            if (!accept("row"_kw)) accept("rows"_kw);
        } else if (at("fetch"_kw)) {
            if (query.limit != nullptr) fail(sqlstate::syntax_error, "multiple LIMIT clauses not allowed", here());
            take();
            if (!accept("first"_kw)) expect("next"_kw);
            if (at("row"_kw) || at("rows"_kw)) {
                Expr* one = node(ExprKind::integer, here());
                one->text = "1";
                query.limit = one;
            } else {
                query.limit = expression(precedence_add);
            }
            if (!accept("row"_kw)) expect("rows"_kw);
            if (accept("with"_kw)) {
                expect("ties"_kw);
                query.limit_with_ties = true;
                if (query.order_by.empty())
                    fail(sqlstate::syntax_error, "WITH TIES cannot be specified without ORDER BY clause", here());
            } else {
                expect("only"_kw);
            }
        } else if (at("for"_kw) && at("read"_kw, 1)) {
            take(), take();
            expect("only"_kw);
        } else if (at("for"_kw) && (at("update"_kw, 1) || at("share"_kw, 1) || at("no"_kw, 1) || at("key"_kw, 1))) {
            std::vector<LockingClause> clauses(query.locking.begin(), query.locking.end());
            clauses.push_back(locking_clause());
            skips_locked = skips_locked || clauses.back().wait == LockWait::skip;
            query.locking = make_list(arena_, clauses);
        } else {
            const std::size_t before = at_;
            time_clause(query.time);
            if (at_ != before) continue;
            if (skips_locked && query.limit_with_ties)
                fail(sqlstate::syntax_error, "SKIP LOCKED and WITH TIES options cannot be used together", here());
            return;
        }
    }
}

LockingClause Parser::locking_clause() {
    locks_rows_ = true;
    take();
    LockingClause clause;
    if (accept("no"_kw)) {
        expect("key"_kw), expect("update"_kw);
        clause.strength = LockStrength::no_key_update;
    } else if (accept("key"_kw)) {
        expect("share"_kw);
        clause.strength = LockStrength::key_share;
    } else if (accept("share"_kw)) {
        clause.strength = LockStrength::share;
    } else {
        expect("update"_kw);
    }
    std::vector<LockedName> names;
    if (accept("of"_kw)) do {
        const QualifiedName name = qualified_name();
        if (!name.schema().empty())
            fail(sqlstate::syntax_error,
                 std::string(clause_name(clause.strength)) + " must specify unqualified relation names",
                 name.position);
        names.push_back({name.last(), name.position});
    } while (accept(','));
    clause.of = make_list(arena_, names);
    if (accept("skip"_kw)) {
        expect("locked"_kw);
        clause.wait = LockWait::skip;
    } else if (accept("nowait"_kw)) {
        clause.wait = LockWait::refuse;
    }
    return clause;
}

const WithClause* Parser::with_clause() {
    const Nesting nesting(*this);
    expect("with"_kw);
    WithClause with;
    with.recursive = accept("recursive"_kw);
    std::vector<CommonTable> tables;
    do {
        tables.push_back(common_table());
    } while (accept(','));
    with.tables = make_list(arena_, tables);
    return arena_.create<WithClause>(with);
}

CommonTable Parser::common_table() {
    CommonTable table;
    table.position = here();
    table.name = name();
    if (at('(')) table.columns = name_list_in_parentheses();
    expect("as"_kw);
    if (accept("materialized"_kw)) table.materialized = 1;
    else if (at("not"_kw)) {
        take();
        expect("materialized"_kw);
        table.materialized = -1;
    }
    expect('(');
    table.body = preparable();
    expect(')');
    if (accept("search"_kw)) {
        if (accept("breadth"_kw)) table.search_breadth = true;
        else expect("depth"_kw);
        expect("first"_kw);
        expect("by"_kw);
        table.search_columns = name_list();
        expect("set"_kw);
        table.search_set = name();
    }
    if (accept("cycle"_kw)) {
        table.cycle_columns = name_list();
        expect("set"_kw);
        table.cycle_mark = name();
        if (accept("to"_kw)) {
            table.cycle_value = expression();
            expect("default"_kw);
            table.cycle_default = expression();
        }
        expect("using"_kw);
        table.cycle_path = name();
    }
    return table;
}

}  // namespace northstar::inline v0::sql::syntax
