// Statements: which rule a word begins; names; the entry points of the parser.
#include "sql/syntax/parse.hpp"

#include <charconv>

namespace northstar::inline v0::sql::syntax {

void Parser::too_complex() const {
    fail(sqlstate::statement_too_complex, "stack depth limit exceeded: the statement is nested too deeply", here());
}

void Parser::unexpected(const Token& token) const {
    std::string message = "syntax error at end of input";
    if (token.kind != TokenKind::end)
        message = std::string("syntax error at or near \"")
                      .append(text_.substr(token.begin, token.end - token.begin))
                      .append("\"");
    fail(sqlstate::syntax_error, std::move(message), token.begin + 1);
}

void Parser::fail(SqlState state, std::string message, Position position) const {
    SqlError error(state, std::move(message));
    error.place(position);
    throw error;
}

std::string_view Parser::source(std::size_t first_token) const {
    const std::size_t begin = tokens_[first_token].begin;
    const std::size_t end = at_ > first_token ? tokens_[at_ - 1].end : begin;
    return text_.substr(begin, end - begin);
}

bool Parser::is_name(const Token& token) const {
    if (token.kind == TokenKind::quoted) return true;
    if (token.kind != TokenKind::identifier) return false;
    if (token.keyword == k_no_keyword) return true;
    const KeywordClass kind = keyword_entry(token.keyword).kind;
    return kind == KeywordClass::unreserved || kind == KeywordClass::column_name;
}

bool Parser::is_function_name(const Token& token) const {
    if (token.kind == TokenKind::quoted) return true;
    if (token.kind != TokenKind::identifier) return false;
    if (token.keyword == k_no_keyword) return true;
    const KeywordClass kind = keyword_entry(token.keyword).kind;
    return kind == KeywordClass::unreserved || kind == KeywordClass::type_function;
}

bool Parser::is_label(const Token& token) const {
    return token.kind == TokenKind::quoted || token.kind == TokenKind::identifier;
}

bool Parser::is_bare_label(const Token& token) const {
    if (token.kind == TokenKind::quoted) return true;
    return token.kind == TokenKind::identifier &&
           (token.keyword == k_no_keyword || keyword_entry(token.keyword).bare_label);
}

Name Parser::name() {
    if (!is_name(peek())) unexpected();
    return take().text;
}

Name Parser::label() {
    if (!is_label(peek())) unexpected();
    return take().text;
}

QualifiedName Parser::plain_name() {
    QualifiedName result;
    result.position = here();
    result.parts = make_list(arena_, std::vector<Name>{name()});
    return result;
}

QualifiedName Parser::dotted_name(std::size_t most) {
    QualifiedName result;
    result.position = here();
    std::vector<Name> parts = {name()};
    while (accept('.')) parts.push_back(label());
    if (parts.size() > most)
        fail(sqlstate::syntax_error, "improper qualified name (too many dotted names)", result.position);
    result.parts = make_list(arena_, parts);
    return result;
}

QualifiedName Parser::qualified_name() {
    const QualifiedName result = dotted_name(3);
    if (result.parts.size() == 3) with_database_.push_back(result);
    return result;
}

void Parser::note_database(List<Name> names, std::size_t parts, Position position) {
    QualifiedName name;
    name.parts = names;
    name.parts.count = static_cast<decltype(name.parts.count)>(parts);
    name.position = position;
    with_database_.push_back(name);
}

List<Name> Parser::name_list() {
    std::vector<Name> names;
    do {
        names.push_back(name());
    } while (accept(','));
    return make_list(arena_, names);
}

List<Name> Parser::name_list_in_parentheses() {
    expect('(');
    const List<Name> names = name_list();
    expect(')');
    return names;
}

std::string_view Parser::string_literal() {
    if (peek().kind != TokenKind::string) unexpected();
    return take().text;
}

std::int64_t Parser::integer_literal() {
    const bool minus = at_operator("-");
    if (minus || at_operator("+")) take();
    if (peek().kind != TokenKind::integer && peek().kind != TokenKind::decimal) unexpected();
    const std::string_view digits = peek().text;
    std::int64_t value = 0;
    std::string text(minus ? "-" : "");
    text += digits;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) unexpected();
    take();
    return value;
}

Statement* Parser::make_statement(StatementKind kind) {
    Statement* statement = arena_.create<Statement>();
    statement->kind = kind;
    return statement;
}

bool Parser::at_preparable() const {
    return at("select"_kw) || at("values"_kw) || at("table"_kw) || at("with"_kw) || at('(') || at("insert"_kw) ||
           at("update"_kw) || at("delete"_kw) || at("merge"_kw) || (at("setting"_kw) && at("default"_kw, 1));
}

/// A query or a change of data: what WITH, PREPARE, EXPLAIN and COPY take.
const Statement* Parser::preparable() {
    const Nesting nesting(*this);
    std::size_t word = 0;
    if (at("with"_kw)) {
        // The statement's word stands behind the last closing parenthesis of the clause, or behind the name of the
        // last column that SEARCH or CYCLE adds.
        int depth = 0;
        for (; peek(word).kind != TokenKind::end; ++word) {
            if (at('(', word)) ++depth;
            if (at(')', word)) --depth;
            if (depth < 0) break;
            const bool added = word > 0 && (at("set"_kw, word - 1) || at("using"_kw, word - 1)) && is_name(peek(word));
            if (depth == 0 && (added || at(')', word))) {
                const Token& next = peek(word + 1);
                if (next.is("insert"_kw) || next.is("update"_kw) || next.is("delete"_kw) || next.is("merge"_kw)) {
                    const WithClause* with = with_clause();
                    if (at("insert"_kw)) return insert(with);
                    if (at("update"_kw)) return update(with);
                    if (at("delete"_kw)) return erase(with);
                    return merge(with);
                }
                if (next.is("select"_kw) || next.is("values"_kw) || next.is("table"_kw)) break;
            }
        }
    } else {
        if (at("insert"_kw)) return insert(nullptr);
        if (at("update"_kw)) return update(nullptr);
        if (at("delete"_kw)) return erase(nullptr);
        if (at("merge"_kw)) return merge(nullptr);
    }
    if (!at_preparable()) unexpected();
    Statement* statement = make_statement(StatementKind::query);
    statement->query = query();
    return statement;
}

const Statement* Parser::statement() {
    if (at_preparable()) return preparable();
    const Token& token = peek();
    switch (token.kind == TokenKind::identifier ? token.keyword : k_no_keyword) {
        case "create"_kw: return create();
        case "drop"_kw: return drop();
        case "alter"_kw: return alter();
        case "truncate"_kw: return truncate();
        case "comment"_kw: return comment();
        case "grant"_kw: return privileges("GRANT");
        case "revoke"_kw: return privileges("REVOKE");
        case "begin"_kw:
        case "start"_kw: return begin();
        case "commit"_kw:
        case "end"_kw:
        case "rollback"_kw:
        case "abort"_kw: return commit_or_rollback();
        case "savepoint"_kw:
        case "release"_kw: return savepoint();
        case "set"_kw: return set();
        case "show"_kw: return show();
        case "reset"_kw: return show();
        case "discard"_kw: {
            take();
            const Name what = label();
            if (what != "all" && what != "plans" && what != "sequences" && what != "temp" && what != "temporary")
                unexpected();
            Statement* statement = make_statement(StatementKind::discard);
            statement->discard = what;
            return statement;
        }
        case "prepare"_kw: return prepare();
        case "execute"_kw: return execute();
        case "deallocate"_kw: return deallocate();
        case "listen"_kw:
        case "unlisten"_kw: return listen();
        case "notify"_kw: return notify();
        case "do"_kw: return run_block();
        case "declare"_kw: return declare_cursor();
        case "fetch"_kw: return fetch(false);
        case "move"_kw: return fetch(true);
        case "close"_kw: {
            take();
            Cursor cursor;
            cursor.all = accept("all"_kw);
            if (!cursor.all) cursor.name = name();
            Statement* statement = make_statement(StatementKind::close_cursor);
            statement->cursor = arena_.create<Cursor>(cursor);
            return statement;
        }
        case "explain"_kw: return explain();
        case "copy"_kw: return copy();
        case "analyze"_kw:
        case "analyse"_kw: return table_list(StatementKind::analyze);
        case "vacuum"_kw: return table_list(StatementKind::vacuum);
        case "checkpoint"_kw: take(); return make_statement(StatementKind::checkpoint);
        case "lock"_kw: return lock();
        case "refresh"_kw: return refresh();
        case "reindex"_kw: return reindex();
        case "revert"_kw: return revert();
        case "erase"_kw: return redact();
        default: unexpected();
    }
}

std::vector<const Statement*> Parser::script() {
    std::vector<const Statement*> statements;
    for (;;) {
        while (accept(';')) {}
        if (peek().kind == TokenKind::end) return statements;
        const std::size_t first = at_;
        parameters_ = 0;
        locks_rows_ = false;
        with_database_.clear();
        Statement* statement = arena_.create<Statement>(*this->statement());
        if (!at_end()) unexpected();
        statement->begin = tokens_[first].begin;
        statement->end = tokens_[at_ > first ? at_ - 1 : first].end;
        statement->parameters = parameters_;
        statement->locks_rows = locks_rows_;
        statement->with_database = make_list(arena_, with_database_);
        statements.push_back(statement);
    }
}

const Expr* Parser::whole_expression() {
    const Expr* result = expression();
    if (peek().kind != TokenKind::end) unexpected();
    return result;
}

const Query* Parser::whole_query() {
    const Query* result = query();
    if (peek().kind != TokenKind::end) unexpected();
    return result;
}

const TypeName* Parser::whole_type() {
    const TypeName* result = type_name();
    if (peek().kind != TokenKind::end) unexpected();
    return result;
}

}  // namespace northstar::inline v0::sql::syntax

namespace northstar::inline v0::sql {

std::vector<const syntax::Statement*> parse_script(std::string_view text, Arena& arena) {
    return syntax::Parser(text, arena).script();
}

std::vector<const syntax::Statement*> parse_numbered_script(std::string_view text, Arena& arena) {
    syntax::Parser parser(text, arena);
    parser.number_literals();
    return parser.script();
}

const syntax::Expr* parse_expression(std::string_view text, Arena& arena) {
    return syntax::Parser(text, arena).whole_expression();
}

const syntax::Query* parse_query(std::string_view text, Arena& arena) {
    return syntax::Parser(text, arena).whole_query();
}

const syntax::TypeName* parse_type_name(std::string_view text, Arena& arena) {
    return syntax::Parser(text, arena).whole_type();
}

std::string quote_identifier(std::string_view name) {
    bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && name[0] != '$';
    for (const char c : name)
        plain = plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$');
    if (plain) {
        const Keyword word = find_keyword(name);
        plain = word == k_no_keyword || keyword_entry(word).kind == KeywordClass::unreserved;
    }
    if (plain) return std::string(name);
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"') quoted.push_back('"');
        quoted.push_back(c);
    }
    return quoted + '"';
}

std::string quote_literal(std::string_view text) {
    std::string quoted = text.find('\\') == std::string_view::npos ? "'" : "E'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') quoted.push_back(c);
        quoted.push_back(c);
    }
    return quoted + '\'';
}

std::string rename_identifier(std::string_view text, std::string_view from, std::string_view to) {
    Arena arena;
    const std::vector<Token> tokens = lex(text, arena);
    std::string result;
    std::size_t done = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const Token& token = tokens[i];
        if ((token.kind != TokenKind::identifier && token.kind != TokenKind::quoted) || token.text != from) continue;
        if (i + 1 < tokens.size() && tokens[i + 1].is('(')) continue;  // a function of that name
        result.append(text.substr(done, token.begin - done));
        result.append(quote_identifier(to));
        done = token.end;
    }
    return result.append(text.substr(done));
}

}  // namespace northstar::inline v0::sql
