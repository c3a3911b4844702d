// Transactions, settings, prepared statements, cursors, EXPLAIN, COPY and the smaller statements.
#include "sql/syntax/parse.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace northstar::inline v0::sql::syntax {

const Statement* Parser::begin() {
    TransactionStatement transaction;
    transaction.start = take().is("start"_kw);
    if (transaction.start) expect("transaction"_kw);
    else if (!accept("work"_kw)) accept("transaction"_kw);
    transaction_modes(transaction);
    Statement* statement = make_statement(StatementKind::transaction);
    statement->transaction = arena_.create<TransactionStatement>(transaction);
    return statement;
}

void Parser::transaction_modes(TransactionStatement& transaction) {
    for (;;) {
        if (accept("isolation"_kw)) {
            expect("level"_kw);
            if (accept("serializable"_kw)) transaction.isolation = Isolation::serializable;
            else if (accept("repeatable"_kw)) {
                expect("read"_kw);
                transaction.isolation = Isolation::repeatable_read;
            } else {
                expect("read"_kw);
                transaction.isolation = at("committed"_kw) ? Isolation::read_committed : Isolation::read_uncommitted;
                if (!accept("committed"_kw)) expect("uncommitted"_kw);
            }
        } else if (accept("read"_kw)) {
            transaction.read_only = accept("only"_kw) ? 1 : 0;
            if (transaction.read_only == 0) expect("write"_kw);
        } else if (at("deferrable"_kw)) {
            take();
        } else if (at("not"_kw) && at("deferrable"_kw, 1)) {
            take(), take();
        } else if (at("with"_kw) && at('(', 1)) {
            take();
            transaction.options = options_in_parentheses();
        } else if (at_time_clause()) {
            time_clause(transaction.time);
        } else {
            return;
        }
        accept(',');
    }
}

const Statement* Parser::commit_or_rollback() {
    TransactionStatement transaction;
    const Token& word = take();
    const bool commit = word.is("commit"_kw) || word.is("end"_kw);
    transaction.kind = commit ? TransactionKind::commit : TransactionKind::rollback;
    if (at("prepared"_kw) || (commit && at("prepared"_kw)))
        fail(sqlstate::feature_not_supported, "prepared transactions are not supported", here());
    if (!accept("work"_kw)) accept("transaction"_kw);
    if (word.is("rollback"_kw) && accept("to"_kw)) {
        accept("savepoint"_kw);
        transaction.kind = TransactionKind::rollback_to;
        transaction.savepoint = name();
    } else if (accept("and"_kw)) {
        transaction.chain = !accept("no"_kw);
        expect("chain"_kw);
    } else if (commit && at("with"_kw)) {
        take();
        transaction.options = options_in_parentheses();
    }
    Statement* statement = make_statement(StatementKind::transaction);
    statement->transaction = arena_.create<TransactionStatement>(transaction);
    return statement;
}

const Statement* Parser::savepoint() {
    TransactionStatement transaction;
    if (accept("savepoint"_kw)) transaction.kind = TransactionKind::savepoint;
    else {
        expect("release"_kw);
        accept("savepoint"_kw);
        transaction.kind = TransactionKind::release;
    }
    transaction.savepoint = name();
    Statement* statement = make_statement(StatementKind::transaction);
    statement->transaction = arena_.create<TransactionStatement>(transaction);
    return statement;
}

Name Parser::variable_name() {
    std::string result(name());
    while (accept('.')) result.append(".").append(name());
    return arena_.copy(result);
}

const Statement* Parser::set() {
    expect("set"_kw);
    if (accept("constraints"_kw)) {
        SetConstraints constraints;
        constraints.all = accept("all"_kw);
        if (!constraints.all) {
            std::vector<QualifiedName> names;
            do {
                names.push_back(qualified_name());
            } while (accept(','));
            constraints.names = make_list(arena_, names);
        }
        constraints.deferred = accept("deferred"_kw);
        if (!constraints.deferred) expect("immediate"_kw);
        Statement* statement = make_statement(StatementKind::set_constraints);
        statement->constraints = arena_.create<SetConstraints>(constraints);
        return statement;
    }
    const bool session = accept("session"_kw);
    const bool local = !session && accept("local"_kw);
    if (at("transaction"_kw) || (session && at("characteristics"_kw))) {
        TransactionStatement transaction;
        transaction.kind = TransactionKind::set;
        transaction.session = take().is("characteristics"_kw);
        if (transaction.session) expect("as"_kw), expect("transaction"_kw);
        if (at_end()) unexpected();
        transaction_modes(transaction);
        Statement* statement = make_statement(StatementKind::transaction);
        statement->transaction = arena_.create<TransactionStatement>(transaction);
        return statement;
    }
    return set_variable(local);
}

const Statement* Parser::set_variable(bool local) {
    SetVariable variable;
    variable.local = local;
    if (at("time"_kw) && at("zone"_kw, 1)) {
        take(), take();
        variable.name = "timezone";
        if (accept("local"_kw) || accept("default"_kw)) variable.to_default = true;
        else {
            if (peek().kind == TokenKind::operation && !at_operator("-") && !at_operator("+")) unexpected();
            const std::vector<const Expr*> values = {
                peek().kind == TokenKind::identifier && !at("interval"_kw) ? column_or_function() : expression()};
            variable.values = make_list(arena_, values);
        }
    } else {
        // SET NAMES 'x', SET SCHEMA 'x', SET ROLE x and SET SESSION AUTHORIZATION x have neither TO nor =.
        const bool names = at("names"_kw) && !at("to"_kw, 1) && !at_operator("=", 1);
        const bool role = at("role"_kw) && !at("to"_kw, 1) && !at_operator("=", 1);
        const bool authorization = at("authorization"_kw);
        const bool schema = at("schema"_kw) && peek(1).kind == TokenKind::string;
        if (names || role || authorization || schema) {
            take();
            variable.name = names    ? "client_encoding"
                            : role   ? "role"
                            : schema ? "search_path"
                                     : "session_authorization";
        } else {
            variable.name = variable_name();
            if (!accept("to"_kw)) {
                if (!at_operator("=")) unexpected();
                take();
            }
        }
        if (accept("default"_kw)) {
            variable.to_default = true;
        } else {
            std::vector<const Expr*> values;
            do {
                // Words are strings here: SET x TO on.
                const Token& token = peek();
                const bool word = token.kind == TokenKind::identifier;
                const bool truth = at("true"_kw) || at("false"_kw) || at("on"_kw);
                if (word && !truth && token.keyword != k_no_keyword &&
                    keyword_entry(token.keyword).kind == KeywordClass::reserved)
                    unexpected();
                if (word || token.kind == TokenKind::quoted) {
                    Expr* text = node(ExprKind::string, here());
                    text->text = take().text;
                    values.push_back(text);
                } else {
                    values.push_back(expression());
                }
            } while (accept(','));
            variable.values = make_list(arena_, values);
        }
    }
    Statement* statement = make_statement(StatementKind::set_variable);
    statement->variable = arena_.create<SetVariable>(variable);
    return statement;
}

/// SHOW x, RESET x.
const Statement* Parser::show() {
    const StatementKind kind = take().is("show"_kw) ? StatementKind::show : StatementKind::reset;
    SetVariable variable;
    variable.to_default = true;
    if (at("time"_kw) && at("zone"_kw, 1)) {
        take(), take();
        variable.name = "timezone";
    } else if (at("transaction"_kw) && at("isolation"_kw, 1)) {
        take(), take();
        expect("level"_kw);
        variable.name = "transaction_isolation";
    } else if (at("session"_kw) && at("authorization"_kw, 1)) {
        take(), take();
        variable.name = "session_authorization";
    } else if (!accept("all"_kw)) {
        variable.name = variable_name();
    }
    Statement* statement = make_statement(kind);
    statement->variable = arena_.create<SetVariable>(variable);
    return statement;
}

const Statement* Parser::prepare() {
    expect("prepare"_kw);
    if (at("transaction"_kw)) fail(sqlstate::feature_not_supported, "prepared transactions are not supported", here());
    Prepare result;
    result.name = name();
    if (accept('(')) {
        std::vector<const TypeName*> types;
        do {
            types.push_back(type_name());
        } while (accept(','));
        result.types = make_list(arena_, types);
        expect(')');
    }
    expect("as"_kw);
    const std::size_t first = at_;
    Statement* inner = arena_.create<Statement>(*preparable());
    inner->parameters = parameters_;
    inner->locks_rows = locks_rows_;
    parameters_ = 0;
    result.statement = inner;
    result.source = source(first);
    Statement* statement = make_statement(StatementKind::prepare);
    statement->prepare = arena_.create<Prepare>(result);
    return statement;
}

const Statement* Parser::execute() {
    expect("execute"_kw);
    Prepare result;
    result.name = name();
    if (accept('(')) {
        result.arguments = make_list(arena_, expression_list());
        expect(')');
    }
    Statement* statement = make_statement(StatementKind::execute);
    statement->prepare = arena_.create<Prepare>(result);
    return statement;
}

const Statement* Parser::deallocate() {
    expect("deallocate"_kw);
    accept("prepare"_kw);
    Prepare result;
    if (!accept("all"_kw)) result.name = name();
    Statement* statement = make_statement(StatementKind::deallocate);
    statement->prepare = arena_.create<Prepare>(result);
    return statement;
}

/// LISTEN, UNLISTEN.
const Statement* Parser::listen() {
    Statement* statement = make_statement(take().is("listen"_kw) ? StatementKind::listen : StatementKind::unlisten);
    if (statement->kind == StatementKind::unlisten && at_operator("*")) take();
    else statement->channel = name();
    return statement;
}

const Statement* Parser::notify() {
    expect("notify"_kw);
    Statement* statement = make_statement(StatementKind::notify);
    statement->channel = name();
    if (!accept(',')) return statement;
    if (peek().kind != TokenKind::string) unexpected();
    statement->payload = take().text;
    return statement;
}

/// DO, whose block is parsed when it runs.
const Statement* Parser::run_block() {
    expect("do"_kw);
    Statement* statement = make_statement(StatementKind::run_block);
    const auto language = [&] {
        if (!statement->channel.empty() || peek().kind != TokenKind::identifier || peek().text != "language") return;
        take();
        if (peek().kind == TokenKind::string) statement->channel = take().text;
        else statement->channel = name();
    };
    language();
    if (peek().kind != TokenKind::string) unexpected();
    statement->payload = take().text;
    language();
    return statement;
}

const Statement* Parser::declare_cursor() {
    expect("declare"_kw);
    Cursor cursor;
    cursor.name = name();
    for (; !(peek().kind == TokenKind::identifier && peek().text == "cursor");) {
        if (accept("no"_kw)) {
            if (peek().text != "scroll") unexpected();
            take();
            cursor.no_scroll = true;
        } else if (peek().text == "scroll") {
            take();
            cursor.scroll = true;
        } else if (accept("binary"_kw)) {
            continue;
        } else if (peek().text == "insensitive" || peek().text == "asensitive") {
            (peek().text == "insensitive" ? cursor.insensitive : cursor.asensitive) = true;
            take();
        } else {
            unexpected();
        }
    }
    take();
    if (at("with"_kw) || at("without"_kw)) {
        cursor.hold = take().is("with"_kw);
        expect("hold"_kw);
    }
    expect("for"_kw);
    cursor.query = query();
    Statement* statement = make_statement(StatementKind::declare_cursor);
    statement->cursor = arena_.create<Cursor>(cursor);
    return statement;
}

const Statement* Parser::fetch(bool move) {
    take();
    Cursor cursor;
    cursor.move = move;
    const auto word = [&](std::string_view text) {
        if (peek().kind != TokenKind::identifier || peek().text != text || !(is_name(peek(1)) || at("from"_kw, 1) ||
            at("in"_kw, 1) || at("all"_kw, 1) || peek(1).kind == TokenKind::integer || at_operator("-", 1)))
            return false;
        take();
        return true;
    };
    const auto count = [&] {
        if (accept("all"_kw)) cursor.all = true;
        else if (peek().kind == TokenKind::integer || at_operator("-") || at_operator("+"))
            cursor.count = integer_literal();
    };
    if (word("next")) cursor.count = 1;
    else if (word("prior")) cursor.direction = Cursor::Direction::backward;
    else if (word("first")) {
        cursor.direction = Cursor::Direction::absolute;
        cursor.count = 1;
    } else if (word("last")) {
        cursor.direction = Cursor::Direction::absolute;
        cursor.count = -1;
    } else if (word("absolute")) {
        cursor.direction = Cursor::Direction::absolute;
        cursor.count = integer_literal();
    } else if (word("relative")) {
        cursor.direction = Cursor::Direction::relative;
        cursor.count = integer_literal();
    } else if (word("forward")) {
        count();
    } else if (word("backward")) {
        cursor.direction = Cursor::Direction::backward;
        count();
    } else {
        count();
    }
    if (!accept("from"_kw)) accept("in"_kw);
    cursor.name = name();
    Statement* statement = make_statement(StatementKind::fetch);
    statement->cursor = arena_.create<Cursor>(cursor);
    return statement;
}

const Statement* Parser::explain() {
    expect("explain"_kw);
    Explain result;
    std::vector<Option> options;
    if (at('(') && !at_query()) {
        result.options = options_in_parentheses();
    } else {
        for (bool more = true; more;) {
            Option option;
            option.position = here();
            if (accept("analyze"_kw) || accept("analyse"_kw)) option.name = "analyze";
            else if (accept("verbose"_kw)) option.name = "verbose";
            else more = false;
            if (more) options.push_back(option);
        }
        result.options = make_list(arena_, options);
    }
    result.statement = at("execute"_kw) ? execute() : at("create"_kw) ? create() : preparable();
    Statement* statement = make_statement(StatementKind::explain);
    statement->explain = arena_.create<Explain>(result);
    return statement;
}

const Statement* Parser::copy() {
    expect("copy"_kw);
    Copy result;
    if (at('(')) {
        take();
        result.query = query();
        expect(')');
    } else {
        result.table = qualified_name();
        if (at('(')) result.columns = name_list_in_parentheses();
    }
    result.from = accept("from"_kw);
    if (!result.from) expect("to"_kw);
    if (peek().kind == TokenKind::string) result.file = take().text;
    else if (accept("stdin"_kw) || accept("stdout"_kw)) result.standard_stream = true;
    else unexpected();
    if (accept("with"_kw) || at('(')) {
        if (at('(')) result.options = options_in_parentheses();
    }
    if (!at("where"_kw) && !at_end()) {
        // The words of old: CSV HEADER DELIMITER ';'.
        std::vector<Option> options;
        while (!at("where"_kw) && !at_end()) {
            Option option;
            option.position = here();
            option.name = label();
            if (option.name == "csv" || option.name == "binary") {
                Expr* format = node(ExprKind::string, option.position);
                format->text = option.name;
                option.name = "format";
                option.value = format;
            } else if (option.name == "force") {
                option.name = accept("not"_kw) ? "force_not_null" : at("null"_kw) ? "force_null" : "force_quote";
                take();
                std::vector<Name> names;
                if (at_operator("*")) {
                    take();
                } else {
                    do {
                        names.push_back(name());
                    } while (accept(','));
                }
                option.names = make_list(arena_, names);
            } else {
                accept("as"_kw);
                if (peek().kind == TokenKind::string) {
                    Expr* value = node(ExprKind::string, here());
                    value->text = take().text;
                    option.value = value;
                }
            }
            options.push_back(option);
        }
        result.options = make_list(arena_, options);
    }
    if (accept("where"_kw)) result.where = expression();
    Statement* statement = make_statement(StatementKind::copy);
    statement->copy = arena_.create<Copy>(result);
    return statement;
}

/// ANALYZE, VACUUM.
const Statement* Parser::table_list(StatementKind kind) {
    take();
    TableList list;
    const bool vacuum = kind == StatementKind::vacuum;
    if (at('('))
        for (const Option& option : options_in_parentheses()) {
            const bool on = option.value == nullptr || (option.value->text != "off" && option.value->text != "false");
            if (vacuum && option.name == "full") list.full = on;
            else if (vacuum && (option.name == "analyze" || option.name == "analyse")) list.analyze = on;
            else if (option.name != "verbose" && option.name != "skip_locked" &&
                     !(vacuum && (option.name == "freeze" || option.name == "disable_page_skipping" ||
                                  option.name == "index_cleanup" || option.name == "process_toast" ||
                                  option.name == "truncate" || option.name == "parallel")))
                fail(sqlstate::syntax_error, std::string("unrecognized ") + (vacuum ? "VACUUM" : "ANALYZE") +
                                                 " option \"" + std::string(option.name) + "\"",
                     here());
        }
    while (at("verbose"_kw) ||
           (vacuum && (at("full"_kw) || at("freeze"_kw) || at("analyze"_kw) || at("analyse"_kw)))) {
        list.full |= at("full"_kw);
        list.analyze |= at("analyze"_kw) || at("analyse"_kw);
        take();
    }
    std::vector<QualifiedName> tables;
    std::vector<List<std::string_view>> columns;
    if (!at_end()) do {
        tables.push_back(qualified_name());
        columns.push_back(at('(') ? name_list_in_parentheses() : List<std::string_view>());
    } while (accept(','));
    list.columns = make_list(arena_, columns);
    list.tables = make_list(arena_, tables);
    Statement* statement = make_statement(kind);
    statement->tables = arena_.create<TableList>(list);
    return statement;
}

const Statement* Parser::lock() {
    struct Mode {
        std::string_view words;
        bool locks_rows;  // others may not change rows beside it
    };
    static constexpr Mode k_modes[] = {{"access share mode", false},       {"row share mode", false},
                                       {"row exclusive mode", false},      {"share update exclusive mode", false},
                                       {"share mode", true},               {"share row exclusive mode", true},
                                       {"exclusive mode", true},           {"access exclusive mode", true}};
    expect("lock"_kw);
    accept("table"_kw);
    TableList list;
    std::vector<QualifiedName> tables;
    do {
        accept("only"_kw);
        tables.push_back(qualified_name());
        if (at_operator("*")) take();
    } while (accept(','));
    list.tables = make_list(arena_, tables);
    const Mode* mode = &k_modes[std::size(k_modes) - 1];
    if (accept("in"_kw)) {
        for (std::string said;; said += ' ') {
            said += peek().text;
            mode = std::find_if(std::begin(k_modes), std::end(k_modes), [&](const Mode& candidate) {
                return candidate.words == said || candidate.words.starts_with(said + " ");
            });
            if (mode == std::end(k_modes) || peek().kind != TokenKind::identifier) unexpected();
            take();
            if (mode->words == said) break;
        }
    }
    locks_rows_ = mode->locks_rows;
    accept("nowait"_kw);
    Statement* statement = make_statement(StatementKind::lock_table);
    statement->tables = arena_.create<TableList>(list);
    return statement;
}

const Statement* Parser::refresh() {
    expect("refresh"_kw);
    expect("materialized"_kw);
    expect("view"_kw);
    const bool concurrently = accept("concurrently"_kw);
    Drop result;
    result.kind = ObjectKind::materialized_view;
    const std::vector<QualifiedName> names = {qualified_name()};
    result.names = make_list(arena_, names);
    if (accept("with"_kw)) {
        result.if_exists = accept("no"_kw);  // WITH NO DATA
        expect("data"_kw);
    }
    result.cascade = concurrently;
    Statement* statement = make_statement(StatementKind::refresh_view);
    statement->drop = arena_.create<Drop>(result);
    return statement;
}

const Statement* Parser::reindex() {
    expect("reindex"_kw);
    Reindex result;
    if (at('('))
        for (const Option& option : options_in_parentheses()) {
            const bool on = option.value == nullptr || (option.value->text != "off" && option.value->text != "false");
            if (option.name == "concurrently") result.concurrently = on;
            else if (option.name != "verbose" && option.name != "tablespace")
                fail(sqlstate::syntax_error, "unrecognized REINDEX option \"" + std::string(option.name) + "\"",
                     here());
        }
    using Kind = Reindex::Kind;
    if (accept("index"_kw)) result.kind = Kind::index;
    else if (accept("table"_kw)) result.kind = Kind::table;
    else if (accept("schema"_kw)) result.kind = Kind::schema;
    else if (accept("database"_kw)) result.kind = Kind::database;
    else if (accept("system"_kw)) result.kind = Kind::system;
    else unexpected();
    result.concurrently |= accept("concurrently"_kw);
    result.name = qualified_name();
    Statement* statement = make_statement(StatementKind::reindex);
    statement->reindex = arena_.create<Reindex>(result);
    return statement;
}

const Statement* Parser::revert() {
    expect("revert"_kw);
    expect("table"_kw);
    Revert result;
    result.table = qualified_name();
    expect("to"_kw);
    result.to = time_point();
    Statement* statement = make_statement(StatementKind::revert);
    statement->revert = arena_.create<Revert>(result);
    return statement;
}

}  // namespace northstar::inline v0::sql::syntax
