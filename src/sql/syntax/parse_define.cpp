// CREATE of everything but tables, DROP, COMMENT.
#include "sql/collation.hpp"
#include "sql/syntax/parse.hpp"

namespace northstar::inline v0::sql::syntax {

const Statement* Parser::create() {
    expect("create"_kw);
    bool replace = false;
    if (accept("or"_kw)) {
        expect("replace"_kw);
        replace = true;
    }
    const bool scoped = accept("local"_kw) || accept("global"_kw);
    const bool temporary = accept("temp"_kw) || accept("temporary"_kw);
    if (scoped && !temporary) unexpected();
    const bool unlogged = !temporary && accept("unlogged"_kw);
    if (unlogged && at("materialized"_kw))
        fail(sqlstate::feature_not_supported, "materialized views cannot be unlogged", here());
    if (unlogged && (at("view"_kw) || at("recursive"_kw)))
        fail(sqlstate::syntax_error, "views cannot be unlogged because they do not have storage", here());
    if (accept("recursive"_kw)) return create_view(replace, temporary, true);
    if (at("view"_kw)) return create_view(replace, temporary, false);
    if (replace) {
        refuse_kind("CREATE OR REPLACE");
        unexpected();
    }
    if (at("table"_kw)) return create_table(temporary, unlogged);
    if (at("sequence"_kw)) return create_sequence(temporary);
    if (at("unique"_kw) && at("index"_kw, 1)) return take(), create_index(true);
    if (at("index"_kw)) return create_index(false);
    if (at("schema"_kw)) return create_schema();
    if (at("type"_kw)) return create_type();
    if (at("domain"_kw)) return create_domain();
    if (at("extension"_kw)) return create_extension();
    if (at("materialized"_kw)) {
        take();
        expect("view"_kw);
        CreateTable table;
        table.materialized_view = true;
        if (at("if"_kw)) {
            take();
            expect("not"_kw);
            expect("exists"_kw);
            table.if_not_exists = true;
        }
        table.name = qualified_name();
        return create_table_as(table);
    }
    refuse_kind("CREATE");
    unexpected();
}

/// COLLATE and a name.
Name Parser::collation() {
    const Position position = here();
    expect("collate"_kw);
    const Name name = qualified_name().last();
    if (!is_known_collation(name))
        fail(sqlstate::undefined_object, "collation \"" + std::string(name) + "\" for encoding \"UTF8\" does not exist",
             position);
    return name;
}

/// A column or expression of an index, and how it is ordered; its operator class goes to `classes`.
SortItem Parser::index_element(std::vector<QualifiedName>& classes) {
    SortItem item;
    const std::size_t first = at_ + (at('(') ? 1 : 0);
    if (at('(')) {
        take();
        item.expr = expression();
        item.source = source(first);
        expect(')');
    } else {
        const bool special =
            at('(', 1) && (at("cast"_kw) || at("coalesce"_kw) || at("extract"_kw) || at("greatest"_kw) ||
                           at("least"_kw) || at("normalize"_kw) || at("nullif"_kw) || at("overlay"_kw) ||
                           at("position"_kw) || at("substring"_kw) || at("trim"_kw));
        if (special || at('(', 1) || at('.', 1)) {
            item.expr = plain_call(special);
        } else {
            Expr* column = node(ExprKind::column, here());
            column->names = make_list(arena_, std::vector<Name>{name()});
            item.expr = column;
        }
        item.source = source(first);
    }
    if (at("collate"_kw)) collation();
    classes.push_back(is_name(peek()) && !at("nulls"_kw) ? qualified_name() : QualifiedName());
    if (accept("desc"_kw)) item.descending = true;
    else accept("asc"_kw);
    if (accept("nulls"_kw)) {
        item.nulls = at("first"_kw) ? NullsOrder::first : NullsOrder::last;
        if (!accept("first"_kw)) expect("last"_kw);
    }
    return item;
}

const Statement* Parser::create_index(bool unique) {
    expect("index"_kw);
    CreateIndex index;
    index.unique = unique;
    index.concurrently = accept("concurrently"_kw);
    if (at("if"_kw) && at("not"_kw, 1)) {
        take(), take();
        expect("exists"_kw);
        index.if_not_exists = true;
    }
    if (!at("on"_kw) || index.if_not_exists) index.name = name();
    expect("on"_kw);
    index.only = accept("only"_kw);
    index.table = qualified_name();
    if (accept("using"_kw)) index.method = name();
    expect('(');
    std::vector<SortItem> columns;
    std::vector<QualifiedName> classes;
    do {
        columns.push_back(index_element(classes));
    } while (accept(','));
    expect(')');
    index.columns = make_list(arena_, columns);
    index.operator_classes = make_list(arena_, classes);
    if (accept("include"_kw)) index.include = name_list_in_parentheses();
    if (accept("nulls"_kw)) {
        index.nulls_not_distinct = accept("not"_kw);
        expect("distinct"_kw);
    }
    if (accept("with"_kw)) index.options = options_in_parentheses();
    if (accept("tablespace"_kw)) name();
    if (accept("where"_kw)) {
        const std::size_t first = at_;
        index.where = expression();
        index.where_source = source(first);
    }
    Statement* statement = make_statement(StatementKind::create_index);
    statement->create_index = arena_.create<CreateIndex>(index);
    return statement;
}

const Statement* Parser::create_view(bool replace, bool temporary, bool recursive) {
    expect("view"_kw);
    CreateView view;
    view.replace = replace;
    view.temporary = temporary;
    view.recursive = recursive;
    view.name = qualified_name();
    if (at('(')) view.columns = name_list_in_parentheses();
    if (accept("with"_kw)) view.options = options_in_parentheses();
    expect("as"_kw);
    const std::size_t first = at_;
    view.query = query();
    view.source = source(first);
    if (accept("with"_kw)) {
        view.check_option = 2;
        if (accept("local"_kw)) view.check_option = 1;
        else accept("cascaded"_kw);
        expect("check"_kw);
        expect("option"_kw);
    }
    Statement* statement = make_statement(StatementKind::create_view);
    statement->create_view = arena_.create<CreateView>(view);
    return statement;
}

const Statement* Parser::create_schema() {
    expect("schema"_kw);
    Drop schema;
    schema.kind = ObjectKind::schema;
    if (at("if"_kw) && at("not"_kw, 1)) {
        take(), take();
        expect("exists"_kw);
        schema.if_exists = true;
    }
    const bool named = !at("authorization"_kw);
    QualifiedName own = named ? plain_name() : QualifiedName();
    if (accept("authorization"_kw)) {
        // There is one role, which these words mean as well.
        const bool whose = at("current_user"_kw) || at("current_role"_kw) || at("session_user"_kw);
        if (named && whose) take();
        else if (const QualifiedName owner = plain_name(); !named) own = owner;  // which is called as its owner is
    }
    schema.names = make_list(arena_, std::vector<QualifiedName>{own});
    std::vector<const Statement*> elements;
    while (at("create"_kw)) {
        if (schema.if_exists)
            fail(sqlstate::feature_not_supported, "CREATE SCHEMA IF NOT EXISTS cannot include schema elements", here());
        elements.push_back(create());
    }
    Statement* statement = make_statement(StatementKind::create_schema);
    statement->drop = arena_.create<Drop>(schema);
    statement->elements = make_list(arena_, elements);
    return statement;
}

List<Option> Parser::sequence_options(const TypeName*& type) {
    std::vector<Option> options;
    for (;;) {
        Option option;
        option.position = here();
        const auto number = [&] {
            Expr* value = node(ExprKind::integer, here());
            const std::size_t first = at_;
            integer_literal();
            value->text = source(first);
            option.value = value;
        };
        if (at("as"_kw)) {
            if (type != nullptr) fail(sqlstate::syntax_error, "conflicting or redundant options", option.position);
            take();
            type = type_name();
            continue;
        }
        if (accept("increment"_kw)) {
            option.name = "increment";
            accept("by"_kw);
            number();
        } else if (accept("start"_kw)) {
            option.name = "start";
            accept("with"_kw);
            number();
        } else if (accept("restart"_kw)) {
            option.name = "restart";
            accept("with"_kw);
            if (peek().kind == TokenKind::integer || at_operator("-")) number();
        } else if (accept("minvalue"_kw)) {
            option.name = "minvalue";
            number();
        } else if (accept("maxvalue"_kw)) {
            option.name = "maxvalue";
            number();
        } else if (accept("cache"_kw)) {
            option.name = "cache";
            number();
        } else if (accept("cycle"_kw)) {
            option.name = "cycle";
        } else if (accept("no"_kw)) {
            if (accept("minvalue"_kw)) option.name = "no minvalue";
            else if (accept("maxvalue"_kw)) option.name = "no maxvalue";
            else {
                expect("cycle"_kw);
                option.name = "no cycle";
            }
        } else if (accept("owned"_kw)) {
            expect("by"_kw);
            option.name = "owned";
            if (accept("none"_kw)) option.names = {};
            else option.names = dotted_name(3).parts;
        } else if (at("sequence"_kw) && at("name"_kw, 1)) {
            take(), take();
            option.name = "sequence name";
            option.names = qualified_name().parts;
        } else {
            return make_list(arena_, options);
        }
        const auto kind = [](Name name) { return name.starts_with("no ") ? name.substr(3) : name; };
        for (const Option& other : options)
            if (kind(other.name) == kind(option.name))
                fail(sqlstate::syntax_error, "conflicting or redundant options", option.position);
        options.push_back(option);
    }
}

const Statement* Parser::create_sequence(bool temporary) {
    expect("sequence"_kw);
    CreateSequence sequence;
    sequence.temporary = temporary;
    if (at("if"_kw) && at("not"_kw, 1)) {
        take(), take();
        expect("exists"_kw);
        sequence.if_not_exists = true;
    }
    sequence.name = qualified_name();
    sequence.options = sequence_options(sequence.type);
    Statement* statement = make_statement(StatementKind::create_sequence);
    statement->sequence = arena_.create<CreateSequence>(sequence);
    return statement;
}

const Statement* Parser::create_type() {
    expect("type"_kw);
    CreateType type;
    const Position position = here();
    type.name = qualified_name();
    if (at("as"_kw) && at('(', 1)) {
        take(), take();
        std::vector<ColumnDefinition> fields;
        if (!at(')')) do {
            ColumnDefinition& field = fields.emplace_back();
            field.name = name();
            field.type = type_name();
            if (at("collate"_kw)) collation();
        } while (accept(','));
        expect(')');
        type.fields = make_list(arena_, fields);
        Statement* composite = make_statement(StatementKind::create_composite);
        composite->type = arena_.create<CreateType>(type);
        return composite;
    }
    if (at("as"_kw) && !at("enum"_kw, 1) && !at("range"_kw, 1)) {
        take();
        unexpected();
    }
    if (!at("as"_kw) || !at("enum"_kw, 1))
        fail(sqlstate::feature_not_supported, "only enum and composite types can be created", position);
    take(), take();
    expect('(');
    std::vector<Name> labels;
    if (!at(')')) do {
        labels.push_back(string_literal());
    } while (accept(','));
    expect(')');
    type.labels = make_list(arena_, labels);
    Statement* statement = make_statement(StatementKind::create_enum);
    statement->type = arena_.create<CreateType>(type);
    return statement;
}

const Statement* Parser::create_domain() {
    expect("domain"_kw);
    CreateType type;
    type.name = qualified_name();
    accept("as"_kw);
    type.base = type_name();
    std::vector<ConstraintDefinition> constraints;
    for (;;) {
        if (at("collate"_kw)) collation();
        else if (!column_constraint(constraints)) break;
    }
    type.constraints = make_list(arena_, constraints);
    Statement* statement = make_statement(StatementKind::create_domain);
    statement->type = arena_.create<CreateType>(type);
    return statement;
}

const Statement* Parser::create_extension() {
    expect("extension"_kw);
    CreateExtension extension;
    if (at("if"_kw) && at("not"_kw, 1)) {
        take(), take();
        expect("exists"_kw);
        extension.if_not_exists = true;
    }
    extension.name = name();
    accept("with"_kw);
    for (;;) {
        if (accept("schema"_kw)) extension.schema = name();
        else if (accept("version"_kw)) extension.version = peek().kind == TokenKind::string ? string_literal() : name();
        else if (!accept("cascade"_kw)) break;
    }
    Statement* statement = make_statement(StatementKind::create_extension);
    statement->extension = arena_.create<CreateExtension>(extension);
    return statement;
}

/// Objects that PostgreSQL has and this engine has not. `verb`: what was to be done to one.
void Parser::refuse_kind(std::string_view verb) const {
    static constexpr std::string_view k_kinds[] = {
        "access", "aggregate", "cast", "collation", "conversion", "database", "event", "foreign",
        "function", "group", "language", "large", "operator", "policy", "procedural", "procedure", "publication",
        "role", "routine", "rule", "server", "statistics", "subscription", "system", "tablespace", "text",
        "transform", "trigger", "user"};
    if (peek().kind != TokenKind::identifier) return;
    for (const std::string_view kind : k_kinds) {
        if (peek().text != kind) continue;
        std::string words(verb);
        words += ' ';
        for (const char c : kind) words += static_cast<char>(c - 'a' + 'A');
        SqlReport report;
        report.state = sqlstate::feature_not_supported;
        report.message = words + " is not supported";
        if (kind == "database") report.hint = "A file is one database; another one is another file.";
        SqlError error(std::move(report));
        error.place(here());
        throw error;
    }
}

ObjectKind Parser::object_kind() {
    const Token& token = take();
    switch (token.kind == TokenKind::identifier ? token.keyword : k_no_keyword) {
        case "table"_kw: return ObjectKind::table;
        case "index"_kw: return ObjectKind::index;
        case "view"_kw: return ObjectKind::view;
        case "materialized"_kw: expect("view"_kw); return ObjectKind::materialized_view;
        case "schema"_kw: return ObjectKind::schema;
        case "sequence"_kw: return ObjectKind::sequence;
        case "type"_kw: return ObjectKind::type;
        case "domain"_kw: return ObjectKind::domain;
        case "column"_kw: return ObjectKind::column;
        case "constraint"_kw: return ObjectKind::constraint;
        case "function"_kw: return ObjectKind::function;
        case "trigger"_kw: return ObjectKind::trigger;
        case "extension"_kw: return ObjectKind::extension;
        case "database"_kw: return ObjectKind::database;
        case "role"_kw:
        case "user"_kw: return ObjectKind::role;
        default: unexpected(token);
    }
}

/// DROP DATABASE .. WITH (FORCE)
void Parser::force_option() {
    if (accept("with"_kw) && !at('(')) unexpected();
    if (!accept('(')) return;
    do {
        expect("force"_kw);
    } while (accept(','));
    expect(')');
}

const Statement* Parser::drop() {
    expect("drop"_kw);
    if (at("column"_kw) || at("constraint"_kw)) unexpected();
    Drop result;
    result.kind = object_kind();
    if (result.kind == ObjectKind::index) result.concurrently = accept("concurrently"_kw);
    if (at("if"_kw) && at("exists"_kw, 1)) {
        take(), take();
        result.if_exists = true;
    }
    std::vector<QualifiedName> names;
    do {
        names.push_back(result.kind == ObjectKind::schema ? plain_name() : qualified_name());
        if (result.kind == ObjectKind::function && at('(')) {
            take();
            while (!at(')') && peek().kind != TokenKind::end) take();
            expect(')');
        }
        if (result.kind == ObjectKind::trigger && accept("on"_kw)) qualified_name();
    } while (accept(','));
    result.names = make_list(arena_, names);
    if (result.kind == ObjectKind::database) force_option();
    result.cascade = accept("cascade"_kw);
    if (!result.cascade) accept("restrict"_kw);
    Statement* statement = make_statement(StatementKind::drop);
    statement->drop = arena_.create<Drop>(result);
    return statement;
}

const Statement* Parser::comment() {
    expect("comment"_kw);
    expect("on"_kw);
    if (!at("database"_kw)) refuse_kind("COMMENT ON");
    Comment result;
    result.kind = object_kind();
    const bool of_column = result.kind == ObjectKind::column;
    result.name = of_column ? dotted_name(4) : qualified_name();
    if (of_column) {
        if (result.name.parts.size() < 2) unexpected();
        result.part = result.name.parts.back();
        result.name.parts.count -= 1;
        if (result.name.parts.size() == 3) with_database_.push_back(result.name);
    }
    if (result.kind == ObjectKind::constraint) {
        result.part = result.name.last();
        expect("on"_kw);
        result.of_domain = accept("domain"_kw);
        result.name = qualified_name();
    }
    expect("is"_kw);
    if (at("null"_kw)) take(), result.text = node(ExprKind::null, 0);
    else {
        Expr* text = node(ExprKind::string, here());
        text->text = string_literal();
        result.text = text;
    }
    Statement* statement = make_statement(StatementKind::comment);
    statement->comment = arena_.create<Comment>(result);
    return statement;
}

}  // namespace northstar::inline v0::sql::syntax
