// CREATE TABLE: columns, constraints, LIKE, AS.
#include "sql/syntax/parse.hpp"

#include <algorithm>

namespace northstar::inline v0::sql::syntax {

const Statement* Parser::create_table(bool temporary, bool unlogged) {
    expect("table"_kw);
    CreateTable table;
    table.temporary = temporary;
    table.unlogged = unlogged;
    if (at("if"_kw) && at("not"_kw, 1)) {
        take(), take();
        expect("exists"_kw);
        table.if_not_exists = true;
    }
    table.name = qualified_name();
    // CREATE TABLE t AS .., t (a, b) AS ..: names without types.
    std::size_t ahead = 0;
    if (at('(')) {
        ahead = 1;
        while (is_name(peek(ahead)) && (at(',', ahead + 1) || at(')', ahead + 1))) {
            ahead += 2;
            if (at(')', ahead - 1)) break;
        }
        if (ahead == 1 || !at(')', ahead - 1)) ahead = k_no_keyword;
    }
    const bool as = ahead != k_no_keyword && (at("as"_kw, ahead) || at("with"_kw, ahead) || at("using"_kw, ahead) ||
                                              at("on"_kw, ahead) || at("tablespace"_kw, ahead));
    if (as) return create_table_as(table);
    const bool typed = at("of"_kw);
    if (typed || at("partition"_kw)) {
        if (!typed) take();
        expect("of"_kw);
        (typed ? table.of_type : table.partition_of) = qualified_name();
        elements_without_types(table);
        if (!typed) table.values = partition_values();
        table_storage(table);
        Statement* statement = make_statement(StatementKind::create_table);
        statement->create_table = arena_.create<CreateTable>(table);
        return statement;
    }
    expect('(');
    std::vector<ColumnSpec> columns;
    std::vector<ConstraintDefinition> constraints;
    std::vector<LikeClause> likes;
    if (!at(')')) do {
        table_element(columns, constraints, likes);
    } while (accept(','));
    expect(')');
    table.columns = make_list(arena_, columns);
    table.constraints = make_list(arena_, constraints);
    table.likes = make_list(arena_, likes);
    if (accept("inherits"_kw)) {
        expect('(');
        std::vector<QualifiedName> parents;
        do {
            parents.push_back(qualified_name());
        } while (accept(','));
        expect(')');
        table.inherits = make_list(arena_, parents);
    }
    table_storage(table);
    Statement* statement = make_statement(StatementKind::create_table);
    statement->create_table = arena_.create<CreateTable>(table);
    return statement;
}

/// What stands behind the columns: PARTITION BY, USING, WITH, ON COMMIT, TABLESPACE.
void Parser::table_storage(CreateTable& table) {
    if (at("partition"_kw)) table.partition_by = partition_by();
    if (accept("using"_kw)) table.method = name();
    if (accept("with"_kw)) table.options = options_in_parentheses();
    else if (at("without"_kw)) take(), name();
    on_commit(table);
    if (accept("tablespace"_kw)) name();
}

void Parser::on_commit(CreateTable& table) {
    if (!accept("on"_kw)) return;
    expect("commit"_kw);
    if (accept("drop"_kw)) {
        table.on_commit = OnCommit::drop;
        return;
    }
    table.on_commit = accept("delete"_kw) ? OnCommit::erase_rows : OnCommit::preserve;
    if (table.on_commit == OnCommit::preserve) expect("preserve"_kw);
    expect("rows"_kw);
}

const Statement* Parser::create_table_as(CreateTable& table) {
    if (at('(')) table.column_names = name_list_in_parentheses();
    if (accept("using"_kw)) table.method = name();
    if (accept("with"_kw)) table.options = options_in_parentheses();
    on_commit(table);
    if (accept("tablespace"_kw)) name();
    expect("as"_kw);
    if (at("execute"_kw)) table.execute = execute();
    else {
        const std::size_t first = at_;
        table.query = query();
        table.source = source(first);
    }
    if (accept("with"_kw)) {
        table.with_data = !accept("no"_kw);
        expect("data"_kw);
    }
    Statement* statement = make_statement(StatementKind::create_table_as);
    statement->create_table = arena_.create<CreateTable>(table);
    return statement;
}

void Parser::table_element(std::vector<ColumnSpec>& columns, std::vector<ConstraintDefinition>& constraints,
                           std::vector<LikeClause>& likes) {
    if (at("like"_kw)) {
        likes.push_back(like_clause(columns.size()));
        return;
    }
    const bool period = at("period"_kw) && at("for"_kw, 1);
    if (at("constraint"_kw) || at("check"_kw) || at("primary"_kw) || at("unique"_kw) || at("foreign"_kw) ||
        at_exclusion() || period) {
        constraints.push_back(table_constraint());
        return;
    }
    columns.push_back(column_spec());
}

LikeClause Parser::like_clause(std::size_t place) {
    expect("like"_kw);
    LikeClause like;
    like.table = qualified_name();
    like.at = place;
    while (at("including"_kw) || at("excluding"_kw)) {
        const bool including = take().is("including"_kw);
        std::uint32_t bits = 0;
        switch (peek().keyword) {
            case "all"_kw: bits = like_all; break;
            case "comments"_kw: bits = like_comments; break;
            case "constraints"_kw: bits = like_constraints; break;
            case "defaults"_kw: bits = like_defaults; break;
            case "generated"_kw: bits = like_generated; break;
            case "identity"_kw: bits = like_identity; break;
            case "statistics"_kw: bits = like_statistics; break;
            case "storage"_kw: bits = like_storage; break;
            case "compression"_kw: bits = like_compression; break;
            default:
                if (peek().text != "indexes") unexpected();
                bits = like_indexes;
        }
        take();
        like.including = including ? like.including | bits : like.including & ~bits;
    }
    return like;
}

ColumnSpec Parser::column_spec() {
    ColumnSpec column;
    column.position = here();
    column.name = name();
    column.type = type_name();
    std::vector<ConstraintDefinition> constraints;
    for (;;) {
        if (at("collate"_kw)) {
            column.collation = collation();
        } else if (accept("storage"_kw)) {
            column.storage = label();
        } else if (accept("compression"_kw)) {
            column.compression = label();
        } else if (!column_constraint(constraints)) {
            break;
        }
    }
    column.constraints = make_list(arena_, constraints);
    return column;
}

/// One constraint behind a column, or attributes (DEFERRABLE) of the one before. False: something else comes.
bool Parser::column_constraint(std::vector<ConstraintDefinition>& constraints) {
    ConstraintDefinition constraint;
    constraint.position = here();
    if (at("deferrable"_kw) || at("initially"_kw) || (at("not"_kw) && at("deferrable"_kw, 1))) {
        const bool deferrable = !constraints.empty() && constraints.back().kind >= ConstraintKind::primary_key &&
                                constraints.back().kind <= ConstraintKind::foreign_key;
        if (!deferrable) fail(sqlstate::syntax_error, "misplaced DEFERRABLE clause", here());
        while (constraint_attributes(constraints.back())) {}
        return true;
    }
    if (accept("constraint"_kw)) constraint.name = name();
    if (accept("not"_kw)) {
        expect("null"_kw);
        constraint.kind = ConstraintKind::not_null;
    } else if (accept("null"_kw)) {
        constraint.kind = ConstraintKind::null;
    } else if (accept("default"_kw)) {
        constraint.kind = ConstraintKind::default_value;
        const std::size_t first = at_;
        constraint.expr = restricted_expression();
        constraint.source = source(first);
    } else if (accept("check"_kw)) {
        constraint.kind = ConstraintKind::check;
        expect('(');
        const std::size_t first = at_;
        constraint.expr = expression();
        constraint.source = source(first);
        expect(')');
        if (accept("no"_kw)) {
            label();
            constraint.no_inherit = true;
        }
    } else if (accept("primary"_kw)) {
        expect("key"_kw);
        constraint.kind = ConstraintKind::primary_key;
        key_columns(constraint);
    } else if (accept("unique"_kw)) {
        constraint.kind = ConstraintKind::unique;
        key_columns(constraint);
    } else if (at("references"_kw)) {
        constraint.kind = ConstraintKind::foreign_key;
        references(constraint);
    } else if (accept("generated"_kw)) {
        constraint.identity_always = accept("always"_kw);
        if (!constraint.identity_always) expect("by"_kw), expect("default"_kw);
        expect("as"_kw);
        if (accept("identity"_kw)) {
            constraint.kind = ConstraintKind::identity;
            const TypeName* type = nullptr;
            if (accept('(')) {
                constraint.options = sequence_options(type);
                expect(')');
            }
        } else {
            constraint.kind = ConstraintKind::generated;
            if (!constraint.identity_always)
                fail(sqlstate::syntax_error, "for a generated column, GENERATED ALWAYS must be specified",
                     constraint.position);
            expect('(');
            const std::size_t first = at_;
            constraint.expr = expression();
            constraint.source = source(first);
            expect(')');
            expect("stored"_kw);
        }
    } else {
        if (!constraint.name.empty()) unexpected();
        return false;
    }
    constraints.push_back(constraint);
    return true;
}

/// What may follow PRIMARY KEY and UNIQUE: columns (of a table constraint), NULLS, INCLUDE, WITH, USING INDEX.
void Parser::key_columns(ConstraintDefinition& constraint) {
    if (accept("nulls"_kw)) {
        constraint.nulls_not_distinct = accept("not"_kw);
        expect("distinct"_kw);
    }
    if (accept('(')) {
        std::vector<Name> columns;
        do {
            columns.push_back(name());
            if (accept("without"_kw)) {
                expect("overlaps"_kw);
                constraint.without_overlaps = true;
            }
        } while (!constraint.without_overlaps && accept(','));
        constraint.columns = make_list(arena_, columns);
        expect(')');
    } else if (accept("using"_kw)) {
        expect("index"_kw);
        constraint.using_index = name();
    }
    if (accept("include"_kw)) constraint.include = name_list_in_parentheses();
    if (accept("with"_kw)) constraint.options = options_in_parentheses();
    if (at("using"_kw) && at("index"_kw, 1)) {
        take(), take();
        if (accept("tablespace"_kw)) name();
        else constraint.using_index = name();
    }
}

/// What follows EXCLUDE.
void Parser::exclusion(ConstraintDefinition& constraint) {
    CreateIndex index;
    if (accept("using"_kw)) index.method = name();
    expect('(');
    std::vector<SortItem> elements;
    std::vector<QualifiedName> classes;
    do {
        SortItem element = index_element(classes);
        expect("with"_kw);
        List<Name> names;
        element.using_operator = operator_name(names);
        elements.push_back(element);
    } while (accept(','));
    expect(')');
    index.columns = make_list(arena_, elements);
    index.operator_classes = make_list(arena_, classes);
    if (accept("include"_kw)) index.include = name_list_in_parentheses();
    if (accept("with"_kw)) index.options = options_in_parentheses();
    if (at("using"_kw) && at("index"_kw, 1)) {
        take(), take();
        expect("tablespace"_kw);
        name();
    }
    if (accept("where"_kw)) {
        expect('(');
        const std::size_t first = at_;
        index.where = expression();
        index.where_source = source(first);
        expect(')');
    }
    constraint.exclusion = arena_.create<CreateIndex>(index);
}

void Parser::references(ConstraintDefinition& constraint) {
    expect("references"_kw);
    constraint.references = qualified_name();
    if (accept('(')) {
        std::vector<Name> columns;
        do {
            if (at("period"_kw) && is_name(peek(1))) {
                take();
                constraint.without_overlaps = true;
            }
            columns.push_back(name());
        } while (accept(','));
        constraint.referenced_columns = make_list(arena_, columns);
        expect(')');
    }
    for (;;) {
        if (accept("match"_kw)) {
            if (accept("full"_kw)) constraint.match = ReferentialMatch::full;
            else if (accept("partial"_kw)) constraint.match = ReferentialMatch::partial;
            else expect("simple"_kw);
        } else if (at("on"_kw) && at("delete"_kw, 1)) {
            take(), take();
            constraint.on_delete = referential_action(constraint, true);
        } else if (at("on"_kw) && at("update"_kw, 1)) {
            take(), take();
            constraint.on_update = referential_action(constraint, false);
        } else {
            return;
        }
    }
}

ReferentialAction Parser::referential_action(ConstraintDefinition& constraint, bool on_delete) {
    if (accept("no"_kw)) {
        expect("action"_kw);
        return ReferentialAction::no_action;
    }
    if (accept("restrict"_kw)) return ReferentialAction::restrict;
    if (accept("cascade"_kw)) return ReferentialAction::cascade;
    expect("set"_kw);
    const bool to_null = accept("null"_kw);
    if (!to_null) expect("default"_kw);
    if (at('(')) {
        const Position position = here();
        constraint.delete_columns = name_list_in_parentheses();
        if (!on_delete)
            fail(sqlstate::feature_not_supported, "a column list with SET is only supported for ON DELETE actions",
                 position);
    }
    return to_null ? ReferentialAction::set_null : ReferentialAction::set_default;
}

bool Parser::constraint_attributes(ConstraintDefinition& constraint) {
    if (accept("deferrable"_kw)) {
        constraint.deferrable = true;
    } else if (at("not"_kw) && at("deferrable"_kw, 1)) {
        take(), take();
        if (constraint.initially_deferred)
            fail(sqlstate::syntax_error, "constraint declared INITIALLY DEFERRED must be DEFERRABLE", here());
        constraint.deferrable = false;
    } else if (at("not"_kw) && at("valid"_kw, 1)) {
        take(), take();
        constraint.not_valid = true;
    } else if (accept("initially"_kw)) {
        constraint.initially_deferred = accept("deferred"_kw);
        if (constraint.initially_deferred) constraint.deferrable = true;
        else expect("immediate"_kw);
    } else if (at("no"_kw) && peek(1).text == "inherit") {
        take(), take();
        constraint.no_inherit = true;
    } else {
        return false;
    }
    return true;
}

ConstraintDefinition Parser::table_constraint() {
    ConstraintDefinition constraint;
    constraint.position = here();
    if (accept("constraint"_kw)) constraint.name = name();
    if (accept("check"_kw)) {
        constraint.kind = ConstraintKind::check;
        expect('(');
        const std::size_t first = at_;
        constraint.expr = expression();
        constraint.source = source(first);
        expect(')');
    } else if (accept("primary"_kw)) {
        expect("key"_kw);
        constraint.kind = ConstraintKind::primary_key;
        key_columns(constraint);
    } else if (accept("unique"_kw)) {
        constraint.kind = ConstraintKind::unique;
        key_columns(constraint);
    } else if (accept("foreign"_kw)) {
        expect("key"_kw);
        constraint.kind = ConstraintKind::foreign_key;
        expect('(');
        std::vector<Name> columns;
        do {
            if (at("period"_kw) && is_name(peek(1))) {
                take();
                constraint.without_overlaps = true;
            }
            columns.push_back(name());
        } while (accept(','));
        constraint.columns = make_list(arena_, columns);
        expect(')');
        references(constraint);
    } else if (accept("period"_kw)) {
        expect("for"_kw);
        constraint.kind = ConstraintKind::period;
        constraint.name = name();
        constraint.columns = name_list_in_parentheses();
        if (constraint.columns.size() != 2) unexpected();
    } else if (accept("exclude"_kw)) {
        constraint.kind = ConstraintKind::exclude;
        exclusion(constraint);
    } else {
        unexpected();
    }
    all_constraint_attributes(constraint, constraint.kind == ConstraintKind::check        ? "CHECK"
                                          : constraint.kind == ConstraintKind::primary_key ? "PRIMARY KEY"
                                          : constraint.kind == ConstraintKind::unique      ? "UNIQUE"
                                          : constraint.kind == ConstraintKind::period      ? "PERIOD"
                                                                                           : "FOREIGN KEY");
    return constraint;
}

/// The attributes behind a constraint, in any order. `kind`: what refuses those that it cannot have.
void Parser::all_constraint_attributes(ConstraintDefinition& constraint, std::string_view kind) {
    const Position position = here();
    bool not_deferrable = false, deferrable = false, deferred = false, immediate = false;
    for (;;) {
        const bool negated = at("not"_kw) && at("deferrable"_kw, 1);
        deferrable |= at("deferrable"_kw);
        deferred |= at("initially"_kw) && at("deferred"_kw, 1);
        immediate |= at("initially"_kw) && at("immediate"_kw, 1);
        not_deferrable |= negated;
        if (not_deferrable && deferred)
            fail(sqlstate::syntax_error, "constraint declared INITIALLY DEFERRED must be DEFERRABLE", here());
        if ((not_deferrable && deferrable) || (deferred && immediate))
            fail(sqlstate::syntax_error, "conflicting constraint properties", here());
        if (!constraint_attributes(constraint)) break;
    }
    const auto refuse = [&](bool said, const char* what) {
        if (said)
            fail(sqlstate::feature_not_supported,
                 std::string(kind) + " constraints cannot be marked " + what, position);
    };
    const bool check = kind == "CHECK";
    refuse((deferrable || deferred) && (check || kind == "PERIOD"), "DEFERRABLE");
    refuse(constraint.not_valid && !check && kind != "FOREIGN KEY", "NOT VALID");
    refuse(constraint.no_inherit && !check, "NO INHERIT");
}

List<Option> Parser::options_in_parentheses() {
    expect('(');
    std::vector<Option> options;
    if (!at(')')) do {
        Option option;
        option.position = here();
        option.name = label();
        while (accept('.')) option.name = arena_.copy(std::string(option.name).append(".").append(label()));
        if (at_operator("=")) take();
        if (at('(')) {
            option.names = name_list_in_parentheses();
        } else if (at_operator("*")) {
            take();
        } else if (!at(',') && !at(')')) {
            if (peek().kind == TokenKind::identifier || peek().kind == TokenKind::quoted) {
                Expr* text = node(ExprKind::string, here());
                text->text = label();
                option.value = text;
            } else {
                option.value = expression();
            }
        }
        options.push_back(option);
    } while (accept(','));
    expect(')');
    return make_list(arena_, options);
}

/// RESET (a, b): names alone.
List<Option> Parser::reset_options() {
    const List<Option> options = options_in_parentheses();
    for (const Option& option : options)
        if (option.value != nullptr)
            fail(sqlstate::syntax_error, "RESET must not include values for parameters", option.position);
    return options;
}

}  // namespace northstar::inline v0::sql::syntax
