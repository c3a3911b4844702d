// scope.hpp -- names that an expression can see, and what a SELECT gathers while its expressions are bound.  Layer:
// sql.
#pragma once

#include "sql/bind/environment.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

struct ScopeRelation;

/// A column that a view computes, for statements that change the view: its expression, over what the view reads.
struct ComputedColumn {
    const syntax::Expr* expr = nullptr;
    std::shared_ptr<const ScopeRelation> over;
};

struct ScopeColumn {
    std::string name;
    ColumnId id = k_no_column;
    Oid type = 0;
    std::int32_t typmod = k_no_typmod;
    bool hidden = false;  ///< found by name, not in *
    Oid table = 0;
    int place = -1;
    std::vector<FieldInfo> fields = {};  ///< of an anonymous record
    std::shared_ptr<const ComputedColumn> computed = {};  ///< then there is no id
    BoundExpr* merged = nullptr;  ///< of USING: a column of the joined tables as the type that both have in common
};

struct ScopeRelation {
    std::string alias;
    std::string schema;
    std::vector<ScopeColumn> columns;
    std::shared_ptr<const Relation> relation;
    Plan* scan = nullptr;    ///< of a table: hidden columns are added to it when they are asked for
    ColumnId row_key = k_no_column;  ///< of a table with heirs, where rows are locked; tableoid says whose it is
    std::vector<ColumnId> stored;  ///< of a row that a change stores: its columns by physical place
    Oid stored_in = 0;             ///< the table of that row, which may be an heir of `relation`
    bool visible = true;     ///< LATERAL and JOIN ON see some of the relations only
    bool lateral_refused = false;  ///< found, but may not be used: the table of UPDATE, the far side of an outer join
    bool nullable = false;   ///< on the far side of an outer join
    bool subquery = false;
    bool scalar = false;     ///< a function that returns one plain column: its name is the value
};

/// A column that is found without qualification: of a relation, or merged by USING.
struct VisibleColumn {
    ScopeColumn column;
    std::size_t relation = 0;
    bool star = true;        ///< part of *
};

struct GatheredCall {
    ColumnId id = k_no_column;
    BoundExpr* call = nullptr;
};

struct NamedWindow {
    std::string name;
    const syntax::WindowSpec* spec = nullptr;
    int definition = -1;  ///< place among the window definitions, once it is bound
};

/// Why a call, a column or a subquery is not allowed somewhere: the name of the clause for the message; empty: allowed.
struct Permissions {
    std::string aggregates;
    std::string windows;
    std::string sets;
    std::string columns = {};     ///< one of the clause
    std::string subqueries = {};  ///< one of the clause
};

struct CommonTableScope {
    std::string name;
    std::shared_ptr<CommonTablePlan> common;
    int working_table = -1;   ///< >= 0: inside the recursive part
    ColumnId round = k_no_column;
    std::vector<OutputColumn> working_columns;
    std::size_t starred_columns = 0;  ///< of those, the ones that * means: not what SEARCH and CYCLE add
    CommonTableScope* outer = nullptr;
    bool forbidden = false;   ///< not recursive, and still being bound
};

/// What INSERT, UPDATE, DELETE change: a table, perhaps under the names that a view gives to its columns, or as far as
/// a partition of it goes.
struct ChangeTarget {
    std::shared_ptr<const Relation> relation;  ///< the table
    std::shared_ptr<const Relation> partition; ///< of it, where rows of that alone are changed
    std::shared_ptr<const Relation> parent;    ///< what the statement names, where the table only inherits from it
    std::shared_ptr<const Relation> names;     ///< the same columns in the same places, under the statement's names
    std::vector<int> order;                    ///< places in the order of the view; -1: computed, or shown before
    std::vector<int> shown;                    ///< the same with the places of columns that were shown before
    std::vector<std::string> called;           ///< names in that order; empty: those of `names`
    std::vector<Oid> types;                    ///< of a view: types in that order
    std::vector<const syntax::Expr*> values;   ///< of a view: expressions in that order; nullptr: the column of a *
    std::shared_ptr<const ChangeTarget> source;  ///< of a view: what it reads, under the names that it knows
    std::vector<std::string> computed;         ///< names of columns that are computed
    /// A view between the statement and the table, the innermost first.
    struct Level {
        std::shared_ptr<const Relation> names;  ///< what the condition sees
        const syntax::Expr* where = nullptr;
        std::string view;
        int check_option = 0;
        std::shared_ptr<const ChangeTarget> source;  ///< of a view: what the condition sees, with computed columns
    };
    std::vector<Level> levels;
    bool insert = false;                       ///< for messages
};

struct Scope;

/// While one lives, calls that return sets are refused: they cannot be computed for some of the rows only.
class NoSets {
public:
    /// Without a name nothing is refused.
    NoSets(Scope* scope, const char* construct);
    ~NoSets();
    NoSets(const NoSets&) = delete;
    NoSets& operator=(const NoSets&) = delete;

private:
    Scope* scope_;
    std::string before_;
};

struct Scope {
    Scope* outer = nullptr;
    std::vector<ScopeRelation> relations;
    std::vector<VisibleColumn> columns;
    // what a SELECT gathers
    bool select = false;
    bool in_aggregate = false;
    bool reads_working_table = false;  ///< the recursive reference of a WITH query is in FROM
    Permissions allowed;
    std::vector<GatheredCall> aggregates;
    std::vector<GatheredCall> windows;
    std::vector<GatheredCall> set_functions;
    std::vector<WindowDefinition> window_definitions;
    std::vector<NamedWindow> named_windows;
    std::vector<GatheredCall> groupings;
};

inline NoSets::NoSets(Scope* scope, const char* construct) : scope_(*construct == '\0' ? nullptr : scope) {
    if (scope_ != nullptr) before_ = std::exchange(scope_->allowed.sets, construct);
}
inline NoSets::~NoSets() {
    if (scope_ != nullptr) scope_->allowed.sets = std::move(before_);
}

}  // namespace northstar::inline v0::sql
