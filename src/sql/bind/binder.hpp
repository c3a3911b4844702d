// binder.hpp -- from syntax trees to plans: names are looked up, types resolved, rules of the language checked.
// Layer: sql.
//
// [BIND-1] What leaves the binder cannot fail by name or type any more; only values fail while running.
// [BIND-2] Every table reference carries the state that it reads (ReadPoint): the present of the statement, or that of
//          AS OF. The clause nearest to the reference wins: table, then the enclosing query, then transaction, session.
// Errors carry the position of the word concerned as a byte offset plus one.
#pragma once

#include "sql/bind/kept_literals.hpp"
#include "sql/bind/literal_slots.hpp"
#include "sql/bind/scope.hpp"
#include "sql/resolve.hpp"
#include "sql/syntax/parser.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

struct BoundQuery {
    Plan* plan = nullptr;
    std::vector<OutputColumn> columns;
    /// Behind the columns: tables whose rows the query shows one by one, and columns with the keys of the rows.
    std::vector<std::pair<Oid, ColumnId>> row_keys;
};

/// Raises with a position.
[[noreturn]] void raise_at(SqlState state, std::string message, std::uint32_t position);
[[noreturn]] void raise_at(SqlState state, std::string message, std::uint32_t position, std::string detail,
                           std::string hint = {});

class SelectSteps;

class Binder {
public:
    /// `parameter_types` are the types of $n, 0 where they are to be inferred; it grows and is filled in.
    Binder(BindEnvironment& environment, BoundPool& pool, std::vector<Oid>& parameter_types)
        : environment_(environment), pool_(pool), parameter_types_(parameter_types) {}

    /// Literals that have numbers become parameters from here on. Not for statements with parameters of their own.
    void free_literals(LiteralSlots& slots) { literals_ = &slots; }
    /// Literals mean what they meant when they were kept; others are.
    void keep_literals(KeptLiterals& kept) { kept_literals_ = &kept; }
    /// An operator for set-returning calls. Calls that are alike are one, which literals decide.
    Plan* new_sets() {
        if (literals_ != nullptr) literals_->fix_all();
        return pool_.plan(PlanKind::project_set);
    }
    BoundQuery bind_query(const syntax::Query& query);
    /// The next query is that of a cursor: it has row_keys, as far as changes WHERE CURRENT OF it make sense.
    void want_row_keys() { wants_row_keys_ = true; }
    /// From here on it is noted which relations the bound query names, without those in its views.
    void note_names() { notes_names_ = true; }
    /// prepare_change() of the topmost table for rows that must belong to a partition of it.
    void prepare_partition_change(BoundChange& change, std::shared_ptr<const Relation> partition);
    /// What is bound does not run: it may read materialized views without data.
    void bind_definition_only() { definition_only_ = true; }
    const std::vector<NamedRelation>& named() const { return named_; }
    /// Primary keys without which the query would not be allowed: ungrouped columns depend on them.
    const std::set<Oid>& needed_keys() const { return needed_keys_; }
    /// Relations and columns are called so from here on; others are called what they are.
    void know_as(const std::vector<NamedRelation>& names) { names_then_ = &names; }
    BoundChange* bind_change(const syntax::Statement& statement);
    /// An expression without tables, e.g. of EXECUTE, LIMIT, SET.
    BoundExpr* bind_standalone(const syntax::Expr& expr, std::string clause);
    /// An expression over the columns of one table (default, check, index), columns numbered by `columns`.
    BoundExpr* bind_over_table(const syntax::Expr& expr, const Relation& relation, const std::vector<ColumnId>& columns,
                               std::string clause);
    /// The same from text that the catalog keeps.
    BoundExpr* bind_over_scope(const syntax::Expr& node, const ScopeRelation& relation, Permissions allowed);
    const syntax::Query& one_row_as_select(const syntax::Query& query);
    BoundExpr* bind_text(const std::string& text, const Relation& relation, const std::vector<ColumnId>& columns,
                         std::string clause);
    BoundExpr* coerce(BoundExpr* expr, Oid target, std::int32_t typmod, CastContext context, std::uint32_t position);
    /// As INSERT and UPDATE store a value: assignment casts, checks of the column's domain.
    BoundExpr* coerce_for_column(BoundExpr* expr, const Column& column, std::uint32_t position);
    BoundExpr* condition(BoundExpr* expr, const char* clause, std::uint32_t position);
    /// What a column of this expression is called, where nobody says; "?column?": nothing of it has a name.
    std::string target_name(const syntax::Expr& node) const;
    // Domains (bind_domain.cpp).
    BoundExpr* checked_as(BoundExpr* expr, Oid declared, std::uint32_t position);
    Oid declared_type(const BoundExpr& expr) const;
    bool has_checks(Oid declared) const;
    /// What the statement says of its parameters, where that is a domain or an array of one; 0: nothing.
    void declare_parameters(std::vector<Oid> declared) { declared_parameters_ = std::move(declared); }
    /// Type and modifier that a type name means; domains, and arrays of them, give `domain` as well.
    struct TypeMeaning {
        Oid type = 0;
        std::int32_t typmod = k_no_typmod;
        Oid domain = 0;
    };
    TypeMeaning resolve_type(const syntax::TypeName& name);
    /// The relation of a name; nullptr where there is none and `missing_ok`.
    std::shared_ptr<const Relation> find_relation(const syntax::QualifiedName& name, ReadPoint& point, bool missing_ok);
    std::string relation_message(const syntax::QualifiedName& name) const;
    /// Where commit numbers and times of AS OF lead.
    std::uint64_t resolve_point(const syntax::TimePoint& point);
    PointExpr bind_point(const syntax::TimePoint& point);
    /// Fills in what storing rows of a table needs: defaults (those of `names`, which is the table under other names),
    /// generated columns, checks.
    void prepare_change(BoundChange& change, const Relation* names = nullptr);
    /// left `name` right, which is null of a prefix operator. Raises 42883 where there is no such operator.
    BoundExpr* make_operation(std::string_view name, BoundExpr* left, BoundExpr* right, std::uint32_t position);
    /// WITH queries that change data and that the query itself does not read; they run all the same.
    const std::vector<std::shared_ptr<CommonTablePlan>>& common_changes() const { return common_changes_; }
    BindEnvironment& environment() { return environment_; }
    BoundPool& pool() { return pool_; }
    /// Parameters that are still without a type raise 42P18.
    void check_parameters() const;

private:
    friend class SelectSteps;
    using LockingClauses = std::vector<syntax::LockingClause>;
    // ---- scopes ----
    BoundExpr* column_of(const ScopeColumn& column, std::uint32_t position);
    std::vector<FieldInfo> record_fields(const BoundExpr& record);
    static void refuse_lateral(const ScopeRelation& relation, std::uint32_t position);
    void note_scope(ColumnId id, Scope* scope) { column_scope_[id] = scope; }

    // ---- expressions ----
    BoundExpr* expr(const syntax::Expr& expr);
    BoundExpr* expr_of_kind(const syntax::Expr& expr);
    BoundExpr* expr_or_null(const syntax::Expr* node) { return node == nullptr ? nullptr : expr(*node); }
    BoundExpr* constant(Value value, std::uint32_t position);
    BoundExpr* null_constant(std::uint32_t position);
    BoundExpr* literal(const syntax::Expr& node);
    BoundExpr* fixed_literal(const syntax::Expr& node);
    BoundExpr* literal_parameter(std::uint32_t number, Oid type, std::uint32_t position);
    BoundExpr* integer_literal(const syntax::Expr& node);
    BoundExpr* column_reference(const syntax::Expr& node);
    BoundExpr* find_unqualified(std::string_view name, std::uint32_t position);
    BoundExpr* find_qualified(std::string_view schema, std::string_view table, std::string_view name,
                              std::uint32_t position);
    BoundExpr* whole_row(ScopeRelation& relation, std::uint32_t position);
    BoundExpr* hidden_column(ScopeRelation& relation, std::string_view name, std::uint32_t position);
    BoundExpr* valid_bound(ScopeRelation& relation, std::string_view name, std::uint32_t position);
    BoundExpr* field_of(BoundExpr* record, std::string_view name, std::uint32_t position);
    BoundExpr* parameter(const syntax::Expr& node);
    BoundExpr* cast(const syntax::Expr& node);
    BoundExpr* operation(const syntax::Expr& node);
    BoundExpr* null_by_strictness(BoundExpr* call, bool strict);
    BoundExpr* make_comparison(std::string_view name, BoundExpr* left, BoundExpr* right, std::uint32_t position);
    BoundExpr* row_comparison(std::string_view name, BoundExpr* left, BoundExpr* right, std::uint32_t position);
    BoundExpr* logical(const syntax::Expr& node);
    BoundExpr* boolean_argument(const syntax::Expr& node, const char* construct);
    BoundExpr* is_null(const syntax::Expr& node);
    BoundExpr* is_distinct(const syntax::Expr& node);
    BoundExpr* make_distinct(BoundExpr* left, BoundExpr* right, bool negated, std::uint32_t position);
    BoundExpr* between(const syntax::Expr& node);
    BoundExpr* in_list(const syntax::Expr& node);
    BoundExpr* like(const syntax::Expr& node);
    BoundExpr* case_when(const syntax::Expr& node);
    BoundExpr* branches(const syntax::Expr& node, BoundExpr* operand);
    BoundExpr* over_one_value(BoundExpr* value, const std::function<BoundExpr*(BoundExpr*)>& make);
    BoundExpr* common_type_call(const syntax::Expr& node, BoundKind kind, const char* construct);
    BoundExpr* nullif(const syntax::Expr& node);
    BoundExpr* array(const syntax::Expr& node, Oid wanted);
    BoundExpr* make_array(std::vector<BoundExpr*> items, Oid wanted, std::uint32_t position, const char* construct);
    BoundExpr* row(const syntax::Expr& node);
    BoundExpr* subscript(const syntax::Expr& node);
    BoundExpr* special_value(const syntax::Expr& node);
    BoundExpr* grouping(const syntax::Expr& node);
    BoundExpr* quantified(const syntax::Expr& node);
    BoundExpr* subquery(const syntax::Expr& node);
    BoundExpr* in_query(const syntax::Expr& node);
    BoundExpr* make_in_query(BoundExpr* left, const BoundQuery& query, std::string_view op, bool all, bool negated,
                             std::uint32_t position);
    BoundExpr* negate(BoundExpr* expr);
    std::vector<BoundExpr*> expand_arguments(const syntax::List<const syntax::Expr*>& args);

    // ---- functions ----
    BoundExpr* function(const syntax::Expr& node);
    BoundExpr* make_call(std::string_view name, std::vector<BoundExpr*> args, std::uint32_t position);
    BoundExpr* finish_call(const FunctionMatch& match, std::vector<BoundExpr*> args, std::uint32_t position);
    BoundExpr* aggregate(const syntax::Expr& node, const FunctionMatch& match, std::vector<BoundExpr*> args,
                         std::vector<SortKey> order);
    void match_hypothetical(std::vector<BoundExpr*>& args, std::size_t sorted, std::uint32_t position);
    BoundExpr* window(const syntax::Expr& node, const FunctionMatch& match, std::vector<BoundExpr*> args);
    BoundExpr* set_function(BoundExpr* call, std::uint32_t position);
    /// Names and types of the columns of a set with several, as the registry says them ("name:type,name:type").
    static std::vector<FieldInfo> result_fields(const FunctionEntry& function);
    int window_definition(const syntax::WindowSpec& spec, Scope& scope);
    void window_offsets(WindowDefinition& window, const syntax::WindowSpec& spec);
    std::vector<SortKey> sort_keys(const syntax::List<syntax::SortItem>& items);
    SortKey sort_key(BoundExpr* expr, const syntax::SortItem& item);
    Scope* aggregate_scope(const std::vector<BoundExpr*>& args, BoundExpr* filter);

    // ---- coercions ----
    BoundExpr* common_coerce(BoundExpr* expr, Oid target, std::uint32_t position);
    BoundExpr* with_typmod(BoundExpr* expr, std::int32_t typmod, CastContext context);
    BoundExpr* resolve_unknown(BoundExpr* expr);
    /// That of a literal, read as the type.
    Value literal_value(Oid target, std::int32_t typmod, std::string_view text);
    BoundExpr* coerce_value(BoundExpr* expr, Oid target, std::int32_t typmod, CastContext context,
                            std::uint32_t position);
    std::shared_ptr<const UserType> domain_type(Oid declared) const;
    Oid domain_of_array(Oid declared) const;
    Oid declared_element(Oid declared) const;
    Oid array_of_declared(Oid declared) const;
    Oid declared_result(Oid result, std::span<const Oid> wanted, std::span<BoundExpr* const> args) const;
    void note_declared(ColumnId column, Oid declared);
    BoundExpr* with_checks(BoundExpr* expr, Oid declared, std::uint32_t position);
    BoundExpr* domain_checks(BoundExpr* expr, const UserType& domain, std::uint32_t position);
    void require_order(Oid type, const char* what, std::uint32_t position);
    std::string type_name(Oid type) const;

    // ---- queries ----
    BoundQuery query(const syntax::Query& query, bool resolve_unknowns);
    static void refuse_into(const syntax::Query& query);
    void refuse_subquery(const syntax::Expr& node);
    BoundQuery query_body(const syntax::Query& query, bool resolve_unknowns);
    BoundQuery select(const syntax::Query& query, bool resolve_unknowns);
    BoundQuery values(const syntax::Query& query, bool resolve_unknowns);
    BoundQuery set_operation(const syntax::Query& query);
    /// UNION ALL of what is read by place.
    Plan* union_of(std::span<Plan* const> parts);
    void divide_union(Plan& both, std::span<Plan* const> parts);
    void unify_branches(BoundQuery& left, BoundQuery& right, std::string_view construct, std::uint32_t position);
    void coerce_output(BoundQuery& query, std::size_t column, Oid type, std::int32_t typmod, std::uint32_t position);
    void order_output(BoundQuery& result, const syntax::Query& query);
    /// `own`: the scope whose columns LIMIT and OFFSET must not name; nullptr: none of it can be named.
    void limit_output(BoundQuery& result, const syntax::Query& query, std::vector<SortKey> tie_keys, const Scope* own);
    /// outermost: of the statement itself, whose WITH alone may change data.
    void bind_with(const syntax::WithClause& with, bool outermost);
    void bind_common_table(const syntax::CommonTable& table, bool recursive);
    void bind_recursive(const syntax::CommonTable& table, CommonTableScope& scope);
    void check_search_and_cycle(const syntax::CommonTable& table, const std::vector<OutputColumn>& columns);
    void search_and_cycle(const syntax::CommonTable& table, BoundQuery& start, BoundQuery& step,
                          std::vector<OutputColumn>& columns, const std::vector<OutputColumn>& working);
    Plan* project(Plan* input, std::vector<PlanColumn> columns);
    OutputColumn output_column(const std::string& name, BoundExpr* expr);
    void expand_star(const syntax::Expr& node, std::vector<std::pair<std::string, BoundExpr*>>& targets);
    void expand_fields(BoundExpr* record, std::vector<std::pair<std::string, BoundExpr*>>& targets,
                       std::uint32_t position);
    struct TargetItem {
        std::string name;
        BoundExpr* expr = nullptr;
        const syntax::Expr* source = nullptr;
        bool aliased = false;
    };
    std::vector<TargetItem> targets(const syntax::List<syntax::Target>& list);

    // ---- FROM ----
    Plan* from_list(const syntax::List<const syntax::FromItem*>& items);
    Plan* from_item(const syntax::FromItem& item);
    Plan* from_table(const syntax::FromItem& item);
    Plan* from_common(const syntax::FromItem& item, CommonTableScope& common);
    Plan* from_query(const syntax::FromItem& item);
    LockingClauses locking_of(const syntax::FromItem& item) const;
    Plan* from_function(const syntax::FromItem& item);
    struct FromCall {
        const syntax::Expr* node;
        syntax::List<syntax::ColumnDefinition> columns;  ///< what AS says of the record that it returns
    };
    std::vector<FromCall> from_calls(const syntax::FromItem& item);
    Plan* from_join(const syntax::FromItem& item);
    Plan* from_view(const syntax::FromItem& item, const Relation& view, ReadPoint& point);
    Plan* from_system_view(const syntax::FromItem& item, const VirtualTable& view, ReadPoint& point);
    BoundQuery view_query(const std::string& text, ReadPoint& point, std::uint32_t position,
                          const std::vector<NamedRelation>* names = nullptr);
    Plan* temporal_function(const syntax::FromItem& item);
    void join_using(const syntax::FromItem& item, Plan& join, std::size_t left_columns, std::size_t right_columns,
                    std::vector<std::string> names);
    /// `partition`: the rows of this one alone are read.
    Plan* scan(std::shared_ptr<const Relation> relation, ReadPoint& point, ScopeRelation& into, Oid partition = 0);
    void bind_index_terms(Plan& scan, Oid partition);
    /// May an index be used, or not, by the values of literals in the expression?
    bool decides_index(const syntax::Expr& node) const;
    // partitions (bind_partition.cpp)
    Plan* partition_scan(std::shared_ptr<const Relation> partition, ReadPoint& point, ScopeRelation& into);
    ChangeTarget partition_target(std::shared_ptr<const Relation> partition);
    BoundExpr* partition_of_row(const ScopeRelation& relation, std::uint32_t position);
    // tables that inherit (bind_inheritance.cpp)
    Plan* with_heirs(Plan* plan, ReadPoint& point, ScopeRelation& into);
    ChangeTarget heir_target(std::shared_ptr<const Relation> parent);
    void bind_heirs(const syntax::Statement& statement, BoundChange& bound);
    BoundChange* bind_target_change(const syntax::Statement& statement);
    void call_as_then(ScopeRelation& relation, const syntax::FromItem& item);
    void add_relation(ScopeRelation relation, const syntax::FromItem& item);
    void apply_aliases(ScopeRelation& relation, const syntax::FromItem& item);
    ReadPoint& point_of(const syntax::TimeClause& time, VersionRange& versions);
    Value axis_value(const syntax::Expr& node, syntax::PointKind kind, Oid axis, const char* clause);
    Value valid_point(const syntax::TimePoint& point, Oid axis);
    Value present_moment(Oid axis);
    void overlap_conditions(const Period& period, const Relation& relation, const ScopeRelation& target,
                            const Range& span, std::vector<BoundExpr*>& out);
    void filter_valid_time(Plan& plan, const ScopeRelation& target, const syntax::TimeRange& own);
    CommonTableScope* find_common(std::string_view name);
    void check_duplicate_aliases(std::size_t first, std::size_t middle, std::uint32_t position);

    // ---- changes ----
    BoundChange* insert(const syntax::DataChange& change);
    BoundChange* update(const syntax::DataChange& change);
    BoundChange* erase(const syntax::DataChange& change);
    BoundChange* merge(const syntax::DataChange& change);
    ChangeTarget change_target(const syntax::DataChange& change, const char* verb);
    Plan* target_scan(BoundChange& change, const syntax::DataChange& syntax, const ChangeTarget& target,
                      ScopeRelation& relation);
    BoundExpr* on_cursor(const syntax::DataChange& syntax, const ChangeTarget& target, const BoundChange& change);
    void bind_portion(BoundChange& bound, const syntax::DataChange& change, Plan* scan, const ScopeRelation& target);
    void assignments(const syntax::List<syntax::Assignment>& list, const Relation& relation,
                     std::vector<ColumnAssignment>& out, const ScopeRelation* target);
    // parts of columns (bind_assignment.cpp)
    BoundExpr* assigned_part(const syntax::List<const syntax::Expr*>& steps, std::size_t at, BoundExpr* old,
                             const Column& whole, BoundExpr* value, std::uint32_t position);
    BoundExpr* assigned_field(const syntax::List<const syntax::Expr*>& steps, std::size_t at, BoundExpr* old,
                              const Column& whole, BoundExpr* value, std::uint32_t position);
    BoundExpr* assigned_element(const syntax::List<const syntax::Expr*>& steps, std::size_t at, BoundExpr* old,
                                const Column& whole, BoundExpr* value, std::uint32_t position);
    BoundExpr* assigned_member(const syntax::List<const syntax::Expr*>& steps, BoundExpr* old, BoundExpr* value,
                               std::uint32_t position);
    void insert_part(const syntax::ColumnTarget& target, int place, const Column& column, BoundQuery& rows,
                     std::size_t at, BoundChange& bound);
    std::pair<Oid, std::int32_t> type_of_part(const syntax::List<const syntax::Expr*>& steps, const Column& column,
                                              std::uint32_t position);
    static std::string default_of_part(const syntax::Expr& last);
    Plan* joined_and_filtered(const syntax::DataChange& change, Plan* plan, const ScopeRelation& target);
    void conflict(const syntax::DataChange& change, const ChangeTarget& into, BoundChange& bound);
    void conflict_arbiters(const syntax::ConflictClause& clause, syntax::Name alias, const ChangeTarget& into,
                           BoundChange& bound);
    void returning(const syntax::DataChange& change, const ChangeTarget& into, BoundChange& bound);
    int target_column(const Relation& relation, std::string_view name, std::uint32_t position);
    void refuse_generated(const Relation& relation, int column, bool default_value, std::uint32_t position);
    ChangeTarget view_target(const syntax::DataChange& change, const Relation& view, const char* verb);
    void source_columns(const ChangeTarget& source, const std::vector<ColumnId>& ids, ScopeRelation& into);
    BoundExpr* bind_level(const ChangeTarget::Level& level, const std::vector<ColumnId>& ids);
    [[noreturn]] static void twice(const Relation& relation, int place, std::uint32_t position);
    void change_columns(const ChangeTarget& target, const std::vector<ColumnId>& ids, ScopeRelation& into);
    void check_option(const ChangeTarget& target, BoundChange& bound);

    BindEnvironment& environment_;
    BoundPool& pool_;
    std::vector<Oid>& parameter_types_;
    Scope* scope_ = nullptr;
    CommonTableScope* commons_ = nullptr;
    std::vector<std::unique_ptr<CommonTableScope>> common_storage_;
    std::vector<std::unique_ptr<Scope>> scope_storage_;
    std::vector<std::unique_ptr<Arena>> texts_;
    std::map<ColumnId, Scope*> column_scope_;
    std::map<ColumnId, Oid> declared_columns_;    ///< columns whose values are of domains, or arrays of them
    std::vector<Oid> declared_parameters_;
    std::vector<ReadPoint*> points_;      ///< AS OF of enclosing queries
    std::vector<const syntax::TimeRange*> valids_;  ///< VALID AT of enclosing queries
    std::vector<std::shared_ptr<CommonTablePlan>> common_changes_;
    const ChangeTarget* change_target_ = nullptr;  ///< of the change that is being bound
    std::shared_ptr<const Relation> heir_;         ///< the table that is changed in place of one that it inherits from
    bool only_ = false;                            ///< tables that inherit are left alone
    int next_working_table_ = 0;
    int view_depth_ = 0;
    int check_depth_ = 0;  ///< of parts of values that are checked
    bool notes_names_ = false;
    bool definition_only_ = false;
    std::set<Oid> needed_keys_;
    BoundChange* returning_of_ = nullptr;  ///< the INSERT whose RETURNING is being bound
    bool wants_row_keys_ = false;
    const LockingClauses* locking_ = nullptr;  // of the query whose FROM is being bound
    LockingClauses handed_locking_;            // what a query around the next one asks for all that it reads
    bool outermost_ = true;       ///< what is bound next is the statement itself, not a part of it
    bool values_apart_ = false;   ///< rows of the VALUES that is bound next need not have types in common
    std::vector<NamedRelation> named_;                     ///< relations that the query itself names
    const std::vector<NamedRelation>* names_then_ = nullptr;  ///< what the view that is being bound calls relations
    BoundExpr* domain_value_ = nullptr;   ///< what VALUE means in a check of a domain
    LiteralSlots* literals_ = nullptr;    ///< where literals become parameters; null: nowhere
    KeptLiterals* kept_literals_ = nullptr;  ///< null: literals are read each time
    bool literals_fixed_ = false;         ///< what is being bound needs its literals' values
    /// Columns that indexes of the tables bound so far use in expressions, and in conditions on their rows.
    std::set<std::string> index_expression_names_, index_predicate_names_;
};

/// A constant that numbers no column of the result, which ORDER BY, GROUP BY and DISTINCT ON refuse.
bool is_other_constant(const syntax::Expr& node);

}  // namespace northstar::inline v0::sql
