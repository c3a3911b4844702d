// INSERT, UPDATE, DELETE, MERGE, ERASE, TRUNCATE.
#include "sql/syntax/parse.hpp"

namespace northstar::inline v0::sql::syntax {

void Parser::change_target(DataChange& change) {
    change.only = accept("only"_kw);
    const bool wrapped = change.only && accept('(');
    change.table = qualified_name();
    if (wrapped) expect(')');
    if (at_operator("*")) take();
}

void Parser::portion(DataChange& change) {
    if (!(at("for"_kw) && at("portion"_kw, 1))) return;
    take(), take();
    expect("of"_kw);
    change.portion.period = name();
    expect("from"_kw);
    change.portion.from = expression();
    expect("to"_kw);
    change.portion.to = expression();
}

ColumnTarget Parser::column_target() {
    ColumnTarget target;
    target.position = here();
    target.name = name();
    std::vector<const Expr*> subscripts;
    while (at('[') || at('.')) {
        if (at('.')) {
            take();
            Expr* field = node(ExprKind::field, here());
            field->text = label();
            subscripts.push_back(field);
        } else {
            subscripts.push_back(subscript(nullptr));
        }
    }
    target.subscripts = make_list(arena_, subscripts);
    return target;
}

const Statement* Parser::insert(const WithClause* with) {
    expect("insert"_kw);
    expect("into"_kw);
    DataChange change;
    change.with = with;
    change.table = qualified_name();
    if (accept("as"_kw)) change.alias = name();
    if (at('(') && !at_query()) {
        take();
        std::vector<ColumnTarget> columns;
        do {
            columns.push_back(column_target());
        } while (accept(','));
        change.columns = make_list(arena_, columns);
        expect(')');
    }
    if (accept("overriding"_kw)) {
        change.overriding = at("user"_kw) ? Overriding::user : Overriding::system;
        if (!accept("user"_kw)) expect("system"_kw);
        expect("value"_kw);
    }
    if (change.columns.empty() && at("default"_kw) && at("values"_kw, 1)) take(), take();
    else change.source = query();
    if (at("on"_kw) && at("conflict"_kw, 1)) conflict_clause(change.conflict);
    change.returning = returning();
    Statement* statement = make_statement(StatementKind::insert);
    statement->change = arena_.create<DataChange>(change);
    return statement;
}

void Parser::conflict_clause(ConflictClause& conflict) {
    conflict.position = here();
    take(), take();
    conflict.present = true;
    if (accept("on"_kw)) {
        expect("constraint"_kw);
        conflict.constraint = name();
    } else if (accept('(')) {
        std::vector<SortItem> target;
        do {
            SortItem item = sort_item();
            if (is_name(peek())) qualified_name();  // an operator class
            target.push_back(item);
        } while (accept(','));
        conflict.target = make_list(arena_, target);
        expect(')');
        if (accept("where"_kw)) conflict.target_where = expression();
    }
    expect("do"_kw);
    if (accept("nothing"_kw)) return;
    expect("update"_kw);
    expect("set"_kw);
    conflict.do_update = true;
    conflict.assignments = assignments();
    if (accept("where"_kw)) conflict.where = expression();
}

List<Assignment> Parser::assignments() {
    std::vector<Assignment> list;
    do {
        list.push_back(assignment());
    } while (accept(','));
    return make_list(arena_, list);
}

Assignment Parser::assignment() {
    Assignment result;
    result.position = here();
    if (at('(')) {
        result.row = true;
        result.columns = name_list_in_parentheses();
    } else {
        const ColumnTarget target = column_target();
        const std::vector<Name> names = {target.name};
        result.columns = make_list(arena_, names);
        result.subscripts = target.subscripts;
    }
    if (!at_operator("=")) unexpected();
    take();
    if (!result.row || !at_row_with_default()) {
        result.value = result.row ? expression() : value_or_default();
        return result;
    }
    const Position position = here();
    accept("row"_kw);
    expect('(');
    Expr* const row = node(ExprKind::row, position, values_list());
    row->flag = true;
    expect(')');
    result.value = row;
    return result;
}

List<Target> Parser::returning() {
    if (!accept("returning"_kw)) return {};
    return make_list(arena_, targets());
}

/// WHERE condition, or WHERE CURRENT OF cursor.
void Parser::change_condition(DataChange& change) {
    if (!accept("where"_kw)) return;
    if (!at("current"_kw) || !at("of"_kw, 1)) {
        change.where = expression();
        return;
    }
    take();
    take();
    change.current_of = name();
}

const Statement* Parser::update(const WithClause* with) {
    expect("update"_kw);
    DataChange change;
    change.with = with;
    change_target(change);
    portion(change);
    if (accept("as"_kw)) change.alias = name();
    else if (is_name(peek()) && !at("set"_kw)) change.alias = name();
    expect("set"_kw);
    change.assignments = assignments();
    if (accept("from"_kw)) change.from = from_list();
    time_clause(change.time);
    change_condition(change);
    time_clause(change.time);
    change.returning = returning();
    Statement* statement = make_statement(StatementKind::update);
    statement->change = arena_.create<DataChange>(change);
    return statement;
}

const Statement* Parser::erase(const WithClause* with) {
    expect("delete"_kw);
    expect("from"_kw);
    DataChange change;
    change.with = with;
    change_target(change);
    portion(change);
    if (!at_time_clause()) {
        if (accept("as"_kw)) change.alias = name();
        else if (is_name(peek())) change.alias = name();
    }
    if (accept("using"_kw)) change.from = from_list();
    time_clause(change.time);
    change_condition(change);
    time_clause(change.time);
    change.returning = returning();
    Statement* statement = make_statement(StatementKind::erase);
    statement->change = arena_.create<DataChange>(change);
    return statement;
}

/// ERASE FROM t [WHERE ..] [REASON '..']: the bytes go, in every version.
const Statement* Parser::redact() {
    expect("erase"_kw);
    expect("from"_kw);
    DataChange change;
    change.redact = true;
    change_target(change);
    if (accept("where"_kw)) change.where = expression();
    if (peek().kind == TokenKind::identifier && peek().text == "reason") {
        take();
        change.reason = expression();
    }
    Statement* statement = make_statement(StatementKind::erase);
    statement->change = arena_.create<DataChange>(change);
    return statement;
}

const Statement* Parser::merge(const WithClause* with) {
    expect("merge"_kw);
    expect("into"_kw);
    DataChange change;
    change.with = with;
    change_target(change);
    if (accept("as"_kw)) change.alias = name();
    else if (is_name(peek())) change.alias = name();
    expect("using"_kw);
    const std::vector<const FromItem*> from = {from_item()};
    change.from = make_list(arena_, from);
    expect("on"_kw);
    change.where = expression();
    std::vector<MergeAction> actions;
    while (at("when"_kw)) actions.push_back(merge_action());
    if (actions.empty()) unexpected();
    change.merge_actions = make_list(arena_, actions);
    Statement* statement = make_statement(StatementKind::merge);
    statement->change = arena_.create<DataChange>(change);
    return statement;
}

MergeAction Parser::merge_action() {
    MergeAction action;
    action.position = here();
    expect("when"_kw);
    action.matched = !accept("not"_kw);
    expect("matched"_kw);
    if (accept("and"_kw)) action.condition = expression();
    expect("then"_kw);
    if (accept("do"_kw)) {
        expect("nothing"_kw);
        return action;
    }
    if (action.matched) {
        if (accept("delete"_kw)) {
            action.kind = MergeAction::Kind::erase;
            return action;
        }
        expect("update"_kw);
        expect("set"_kw);
        action.kind = MergeAction::Kind::update;
        action.assignments = assignments();
        return action;
    }
    expect("insert"_kw);
    action.kind = MergeAction::Kind::insert;
    if (at('(')) action.columns = name_list_in_parentheses();
    if (accept("overriding"_kw)) {
        action.overriding = at("user"_kw) ? Overriding::user : Overriding::system;
        if (!accept("user"_kw)) expect("system"_kw);
        expect("value"_kw);
    }
    if (accept("default"_kw, "values"_kw)) {
        action.default_values = true;
        return action;
    }
    expect("values"_kw);
    expect('(');
    action.values = make_list(arena_, values_list());
    expect(')');
    return action;
}

const Statement* Parser::truncate() {
    expect("truncate"_kw);
    accept("table"_kw);
    Truncate result;
    std::vector<QualifiedName> tables;
    std::vector<std::uint8_t> only;
    do {
        only.push_back(accept("only"_kw) ? 1 : 0);
        tables.push_back(qualified_name());
        if (at_operator("*")) take();
    } while (accept(','));
    result.tables = make_list(arena_, tables);
    result.only = make_list(arena_, only);
    if (accept("restart"_kw)) {
        expect("identity"_kw);
        result.restart_identity = true;
    } else if (accept("continue"_kw)) {
        expect("identity"_kw);
    }
    result.cascade = accept("cascade"_kw);
    if (!result.cascade) accept("restrict"_kw);
    Statement* statement = make_statement(StatementKind::truncate);
    statement->truncate = arena_.create<Truncate>(result);
    return statement;
}

}  // namespace northstar::inline v0::sql::syntax
