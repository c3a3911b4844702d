// parse.hpp -- the recursive descent parser: state, helpers, and one method per rule.  Layer: sql, inside syntax/.
//
// The rules live in parse_*.cpp, one file per part of the grammar. Every rule that recurses holds a Nesting.
#pragma once

#include "sql/error.hpp"
#include "sql/syntax/lexer.hpp"
#include "sql/syntax/parser.hpp"
#include "sql/syntax/statement.hpp"

#include <string>
#include <vector>

namespace northstar::inline v0::sql::syntax {

/// Binding strengths of PostgreSQL's grammar, weakest first.
enum Precedence : int {
    precedence_lowest = 0, precedence_or, precedence_and, precedence_not, precedence_is, precedence_comparison,
    precedence_like, precedence_operator, precedence_add, precedence_multiply, precedence_power, precedence_at,
    precedence_collate, precedence_sign
};

class Parser {
public:
    Parser(std::string_view text, Arena& arena) : text_(text), arena_(arena), tokens_(lex(text, arena)) {}

    /// From here on literals get their numbers.
    void number_literals() { numbers_literals_ = true; }
    std::vector<const Statement*> script();
    const Expr* whole_expression();
    const Query* whole_query();
    const TypeName* whole_type();

private:
    /// Counts how deep rules are nested and refuses to go too deep.
    class Nesting {
    public:
        explicit Nesting(Parser& parser) : parser_(parser) {
            if (++parser_.nesting_ > k_nesting_limit) parser_.too_complex();
        }
        ~Nesting() { --parser_.nesting_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;

    private:
        Parser& parser_;
    };
    static constexpr int k_nesting_limit = 600;
    [[noreturn]] void too_complex() const;

    // ---- tokens ----
    const Token& peek(std::size_t ahead = 0) const {
        const std::size_t at = at_ + ahead;
        return at < tokens_.size() ? tokens_[at] : tokens_.back();
    }
    const Token& take() {
        const Token& token = tokens_[at_];
        if (at_ + 1 < tokens_.size()) ++at_;
        return token;
    }
    bool at(Keyword word, std::size_t ahead = 0) const { return peek(ahead).is(word); }
    bool at(char special, std::size_t ahead = 0) const { return peek(ahead).is(special); }
    bool at_operator(std::string_view name, std::size_t ahead = 0) const { return peek(ahead).is_operator(name); }
    bool at_end() const { return peek().kind == TokenKind::end || at(';'); }
    bool accept(Keyword word) { return at(word) ? (take(), true) : false; }
    bool accept(Keyword first, Keyword second) { return at(first) && at(second, 1) ? (take(), take(), true) : false; }
    bool accept(char special) { return at(special) ? (take(), true) : false; }
    void expect(Keyword word) {
        if (!accept(word)) unexpected();
    }
    void expect(char special) {
        if (!accept(special)) unexpected();
    }
    [[noreturn]] void unexpected() const { unexpected(peek()); }
    [[noreturn]] void unexpected(const Token& token) const;
    [[noreturn]] void fail(SqlState state, std::string message, Position position) const;
    Position here() const { return peek().begin + 1; }
    std::string_view source(std::size_t first_token) const;  ///< text from that token up to the last one taken

    // ---- names ----
    bool is_name(const Token& token) const;            ///< ColId
    bool is_function_name(const Token& token) const;   ///< type_function_name
    bool is_label(const Token& token) const;           ///< ColLabel
    bool is_bare_label(const Token& token) const;
    Name name();
    Name label();
    QualifiedName plain_name();
    /// At most so many names with dots between them.
    QualifiedName dotted_name(std::size_t most);
    /// [[database.]schema.]name; the statement remembers the names that have a database.
    QualifiedName qualified_name();
    /// Remembers that a name begins with a database, which must be this one.
    void note_database(List<Name> names, std::size_t parts, Position position);
    List<Name> name_list();         ///< a, b, c
    List<Name> name_list_in_parentheses();
    std::string_view string_literal();
    std::int64_t integer_literal();  ///< signed

    // ---- expressions (parse_expression.cpp, parse_primary.cpp, parse_function.cpp) ----
    const Expr* expression(int precedence = precedence_lowest, bool restricted = false);
    const Expr* restricted_expression() { return expression(precedence_lowest, true); }  ///< b_expr
    const Expr* prefix(bool restricted);
    const Expr* infix(const Expr* left, int precedence, bool restricted, bool& done);
    const Expr* infix_is(const Expr* left, bool restricted, bool& done);
    const Expr* infix_match(const Expr* left, bool negated, Position position);
    const Expr* infix_in(const Expr* left, bool negated, Position position);
    const Expr* infix_operator(const Expr* left, int precedence, bool restricted, bool& done);
    const Expr* quantified(const Expr* left, std::string_view op, List<Name> names, Position position);
    const Expr* primary();
    const Expr* primary_keyword();
    Expr* literal();
    const Expr* literal_cast(const TypeName* type, Position position);
    const Expr* casts(const Expr* expr);
    const Expr* suffixes(const Expr* expr);
    const Expr* plain_call(bool special);
    const Expr* subscript(const Expr* base);
    const Expr* parenthesised();
    const Expr* column_or_function();
    const Expr* case_expression();
    const Expr* array_constructor();
    const Expr* array_elements(Position position);
    const Expr* row_constructor();
    const Expr* function_call(List<Name> names, Position position);
    const Expr* special_function(Keyword word);
    const Expr* call(std::string_view name, std::vector<const Expr*> arguments, Position position);
    const WindowSpec* over_clause();
    WindowSpec window_specification();
    void window_frame(WindowSpec& window);
    void frame_bound(FrameBound& bound, const Expr*& offset);
    std::vector<const Expr*> expression_list();
    /// An expression, or DEFAULT where a column is given a value.
    const Expr* value_or_default();
    std::vector<const Expr*> values_list();
    bool at_row_with_default() const;
    List<SortItem> order_by();
    SortItem sort_item();
    Name collation();
    SortItem index_element(std::vector<QualifiedName>& classes);
    Expr* node(ExprKind kind, Position position, std::vector<const Expr*> args = {});
    std::string_view operator_name(List<Name>& names);
    bool at_query() const;

    // ---- types (parse_type.cpp) ----
    const TypeName* type_name();
    void simple_type(TypeName& type);
    void precision(TypeName& type);
    void interval_fields(TypeName& type);
    bool at_literal_type() const;
    TypeName builtin(std::string_view name, Position position) const;

    // ---- queries (parse_query.cpp, parse_from.cpp, parse_time.cpp) ----
    const Query* query();
    Query* query_body(int precedence);
    Query* query_primary();
    Query* select_core();
    LockingClause locking_clause();
    void select_tail(Query& query);
    const WithClause* with_clause();
    CommonTable common_table();
    const Expr* group_item();
    std::vector<const Expr*> group_items();
    std::vector<Target> targets();
    void values_rows(Query& query);
    List<const FromItem*> from_list();
    const FromItem* from_item();
    const FromItem* from_primary();
    const FromItem* join_chain(const FromItem* left);
    void alias_clause(FromItem& item);
    List<ColumnDefinition> column_definitions();
    void table_sample(FromItem& item);
    bool at_time_clause() const;
    bool at_point(std::size_t ahead) const;
    void time_clause(TimeClause& time);
    void table_time(TimeClause& time);
    TimeRange time_range();
    TimePoint time_point();
    TimeClause setting_prefix();

    // ---- statements (parse_statement.cpp, parse_change.cpp, parse_table.cpp, parse_define.cpp, parse_utility.cpp)
    // ----
    const Statement* statement();
    const Statement* preparable();
    bool at_preparable() const;
    Statement* make_statement(StatementKind kind);
    const Statement* insert(const WithClause* with);
    void change_condition(DataChange& change);
    const Statement* update(const WithClause* with);
    const Statement* erase(const WithClause* with);
    const Statement* merge(const WithClause* with);
    const Statement* redact();
    const Statement* truncate();
    void change_target(DataChange& change);
    void portion(DataChange& change);
    List<Assignment> assignments();
    Assignment assignment();
    ColumnTarget column_target();
    void conflict_clause(ConflictClause& conflict);
    List<Target> returning();
    MergeAction merge_action();

    const Statement* create();
    const Statement* create_table(bool temporary, bool unlogged);
    const Statement* create_table_as(CreateTable& table);
    void table_storage(CreateTable& table);
    void on_commit(CreateTable& table);
    void elements_without_types(CreateTable& table);
    PartitionBy partition_by();
    PartitionValues partition_values();
    void table_element(std::vector<ColumnSpec>& columns, std::vector<ConstraintDefinition>& constraints,
                       std::vector<LikeClause>& likes);
    LikeClause like_clause(std::size_t at);
    ColumnSpec column_spec();
    bool column_constraint(std::vector<ConstraintDefinition>& constraints);
    ConstraintDefinition table_constraint();
    void key_columns(ConstraintDefinition& constraint);
    /// Otherwise it is a column of that name.
    bool at_exclusion() const { return at("exclude"_kw) && (at("using"_kw, 1) || at('(', 1)); }
    void exclusion(ConstraintDefinition& constraint);
    void references(ConstraintDefinition& constraint);
    bool constraint_attributes(ConstraintDefinition& constraint);
    void all_constraint_attributes(ConstraintDefinition& constraint, std::string_view kind);
    ReferentialAction referential_action(ConstraintDefinition& constraint, bool on_delete);
    List<Option> options_in_parentheses();
    List<Option> sequence_options(const TypeName*& type);
    const Statement* create_index(bool unique);
    const Statement* create_view(bool replace, bool temporary, bool recursive);
    const Statement* create_schema();
    const Statement* create_sequence(bool temporary);
    const Statement* create_type();
    const Statement* create_domain();
    const Statement* create_extension();
    const Statement* drop();
    ObjectKind object_kind();
    const Statement* alter();
    const Statement* alter_table(ObjectKind kind);
    AlterAction alter_action(ObjectKind kind);
    AlterAction alter_column();
    AlterAction alter_index_column();
    void force_option();
    void statistics_target(AlterAction& action);
    List<Option> reset_options();
    const Statement* alter_sequence();
    const Statement* alter_type();
    const Statement* comment();

    const Statement* begin();
    const Statement* commit_or_rollback();
    const Statement* privileges(std::string_view tag);
    void refuse_kind(std::string_view verb) const;
    const Statement* savepoint();
    void transaction_modes(TransactionStatement& transaction);
    const Statement* set();
    const Statement* set_variable(bool local);
    const Statement* show();
    const Statement* prepare();
    const Statement* execute();
    const Statement* deallocate();
    const Statement* listen();
    const Statement* notify();
    const Statement* run_block();
    const Statement* declare_cursor();
    const Statement* fetch(bool move);
    const Statement* explain();
    const Statement* copy();
    const Statement* table_list(StatementKind kind);
    const Statement* lock();
    const Statement* refresh();
    const Statement* reindex();
    const Statement* revert();
    Name variable_name();

    std::string_view text_;
    Arena& arena_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int nesting_ = 0;
    std::uint32_t parameters_ = 0;
    bool locks_rows_ = false;
    std::vector<QualifiedName> with_database_;
    bool numbers_literals_ = false;
};

}  // namespace northstar::inline v0::sql::syntax
