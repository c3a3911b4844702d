// plan.hpp -- trees of relational operators over columns that are numbered once per statement.  Layer: sql.
//
// The binder makes them in the order of the text, the optimizer (plan/optimize.hpp) rearranges them, the executor
// (execute/) builds its operators from them. One struct serves all kinds; what a kind uses is said at its members.
//
// [PLAN-1] `output` lists the columns that an operator produces, in order; a parent uses nothing else of it, except
//          columns of rows further out (expr.hpp).
#pragma once

#include "sql/catalog/catalog.hpp"
#include "sql/catalog/period.hpp"
#include "sql/plan/expr.hpp"
#include "sql/row_lock.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

enum class PlanKind : std::uint8_t {
    single,           ///< one row without columns
    values,           ///< rows
    scan,             ///< a table
    function_scan,    ///< calls, with ordinality
    virtual_scan,     ///< a relation that the session computes (virtual_table)
    filter,           ///< conditions
    project,          ///< columns
    project_set,      ///< columns, some of them set_function
    join,
    aggregate,        ///< groups, columns (aggregates), grouping sets
    window,           ///< columns (windows)
    sort, limit, distinct,
    lock_rows,        ///< row_locks: rows come one by one, those that are locked
    set_operation,
    cte_scan,         ///< of a common table
    recursive_union,  ///< left: start, right: step over the working table
    working_scan,     ///< the working table of a recursive union
};

/// right: each row of the right side at least once. The binder makes no right joins; the optimizer does, of left ones.
/// anti: columns of the right side that it hands on are NULL.
enum class JoinType : std::uint8_t { inner, left, right, full, semi, anti };

struct PlanColumn {
    ColumnId id = k_no_column;
    BoundExpr* expr = nullptr;
};

/// A state of the database that a scan reads: the statement's own, or one of the past.
struct ReadPoint;

/// What a scan may ask for besides stored columns: the key of the row, and hidden columns about its time.
enum HiddenColumn : int { hidden_row_key = -1, hidden_commit_from = -2, hidden_commit_to = -3, hidden_system_from = -4,
                          hidden_system_to = -5, hidden_whole_row = -6, hidden_table_oid = -7 };

struct ScanColumn {
    int place = 0;  ///< physical column, or a HiddenColumn
    ColumnId id = k_no_column;
};

/// FOR UPDATE or its kin of one table in FROM.
struct RowLock {
    BoundExpr* table = nullptr;  ///< whose row it is, as regclass
    BoundExpr* key = nullptr;    ///< hidden_row_key
    LockStrength strength = LockStrength::update;
    LockWait wait = LockWait::block;
    bool handed_on = false;      ///< asked for by a query around the one that has the table
};

/// A column of an index that has one of some values.
struct PathMembers {
    BoundExpr* condition = nullptr;  ///< in_list, or quantified by = ANY: the values
    std::size_t behind = 0;          ///< so many of `equal` stand before it
};

/// Which entries of a tree a scan visits: those whose leading columns have given values, some of them one of several,
/// and then a range of the next column. Columns between may be skipped: then it visits those entries for each
/// combination of values that the tree has in them.
struct AccessPath {
    int index = -1;                  ///< of relation->indexes; -1: the rows themselves, all of them
    bool entries_only = false;       ///< the entries of the index have all that is asked for (plan/index_only.hpp)
    std::uint32_t first_rows = 0;    ///< so many are wanted, maybe more; 0: not known
    std::vector<BoundExpr*> equal;   ///< of the column's type, or integers of any width; null: the column is NULL
    std::vector<PathMembers> members;  ///< in the order of the index; none before columns that are skipped
    BoundExpr* low = nullptr;
    BoundExpr* high = nullptr;
    bool low_inclusive = true;
    bool high_inclusive = true;
    /// Of rows that are compared, what an end goes on with in the columns behind, those of the row's key last; such an
    /// end is inclusive.
    std::vector<BoundExpr*> low_rest, high_rest;
    bool not_null = false;           ///< the next column is not NULL; where there is a range, that says so
    std::size_t skipped = 0;         ///< so many columns of the index are skipped, behind the first ones of `equal`,
    std::size_t skipped_behind = 0;  ///< so many
    bool backward = false;
    bool ordered = false;            ///< the plan above relies on the order of the entries
    /// Of rows that are equal in so many columns of the index behind `equal`, only the first is wanted; 0: all of them.
    std::size_t once_in = 0;
    bool once_not_null = false;      ///< the first whose next column is not NULL, if there is one
    bool members_in_order = false;   ///< the rows of each member come in the order of the sort above
    /// It leads to so many rows that reading all of them is quicker, unless its entries alone are enough.
    bool wasteful = false;

    /// The column of the index that equal[i] is for.
    std::size_t part(std::size_t i) const {
        std::size_t at = i < skipped_behind ? i : i + skipped;
        for (const PathMembers& list : members) at += list.behind <= i ? 1 : 0;
        return at;
    }
    /// The column that members[i] is for.
    std::size_t member_part(std::size_t i) const { return members[i].behind + skipped + i; }
    /// The column behind all those: that of the range.
    std::size_t next_part() const { return equal.size() + skipped + members.size(); }
    bool has_range() const { return low != nullptr || high != nullptr || not_null; }
    /// So many leading columns of the index have one value each.
    std::size_t fixed_parts() const {
        if (skipped > 0) return skipped_behind;
        return members.empty() ? equal.size() : members[0].behind;
    }
};

/// What an index of a scan's table has besides columns, over the columns of the scan.
struct IndexTerms {
    std::vector<BoundExpr*> parts;      ///< by column of the index; null: a column of the table
    std::vector<BoundExpr*> predicate;  ///< conjuncts that its rows meet
    /// Its rows are those of a partition that is not the one scanned, or what it is over depends on settings.
    bool unusable = false;
    double rows = 0;                    ///< estimate, of a partial index
};

/// Versions of a row over a range of commits: FOR SYSTEM_TIME FROM .. TO, BETWEEN, ALL.
struct VersionRange {
    bool present = false;
    bool whole = false;              ///< ALL: from the oldest state that is retained
    bool empty = false;              ///< no version at all
    bool contained = false;          ///< CONTAINED IN: versions that began and ended within the range
    std::uint64_t from = 0;          ///< commits; versions that were visible at some commit in [from, to]
    std::uint64_t to = 0;
};

/// history(), diff(), changes() and blame() in FROM: what happened to the rows of `relation`, read from the commits.
enum class HistoryKind : std::uint8_t { none, history, diff, changes, blame };
struct HistoryCall {
    HistoryKind kind = HistoryKind::none;
    std::vector<BoundExpr*> key;     ///< of history and blame: leading columns of the primary key
    std::uint64_t from = 0;          ///< diff: the states compared; changes: commits behind `from` up to `to`
    std::uint64_t to = 0;            ///< history and blame: the newest commit that is looked at
};

enum class FrameUnit : std::uint8_t { range, rows, groups };
enum class FrameEdge : std::uint8_t { unbounded_preceding, preceding, current, following, unbounded_following };
enum class FrameOmission : std::uint8_t { none, current_row, group, ties };

struct WindowDefinition {
    std::vector<BoundExpr*> partition;
    std::vector<SortKey> order;
    FrameUnit unit = FrameUnit::range;
    FrameEdge begin = FrameEdge::unbounded_preceding;
    FrameEdge end = FrameEdge::current;
    BoundExpr* begin_offset = nullptr;
    BoundExpr* end_offset = nullptr;
    /// RANGE with offsets: order value minus or plus the offset, as an operator over (value, offset).
    const OperatorEntry* begin_operator = nullptr;
    const OperatorEntry* end_operator = nullptr;
    FrameOmission omission = FrameOmission::none;
};

struct OutputColumn {
    std::string name;
    Oid type = 0;
    std::int32_t typmod = k_no_typmod;
    ColumnId id = k_no_column;
    Oid declared = 0;  ///< as that of an expression
    Oid table = 0;   ///< where the column comes from, for row descriptions
    int column = -1;
    std::vector<FieldInfo> fields = {};  ///< of an anonymous record, as far as they are known
};

struct BoundChange;

/// A WITH query: run once when first asked for, its rows shared by all references.
struct CommonTablePlan {
    std::string name;
    Plan* plan = nullptr;
    BoundChange* change = nullptr;
    std::vector<OutputColumn> columns;
    int references = 0;
    /// Columns of rows further out that it reads, once it runs: other values of them make other rows.
    std::vector<ColumnId> outer;
    bool outer_known = false;
};

enum class SetKind : std::uint8_t { union_, intersect, except };

struct Plan {
    PlanKind kind = PlanKind::single;
    std::vector<ColumnId> output;
    Plan* left = nullptr;
    Plan* right = nullptr;
    std::vector<BoundExpr*> conditions;  ///< conjuncts: filter, join, scan
    std::vector<PlanColumn> columns;     ///< project, aggregate, window, project_set
    double rows = 1000;                  ///< estimate
    std::string alias;                   ///< what the statement calls what is scanned; empty: nothing was said
    // values
    std::vector<std::vector<BoundExpr*>> value_rows;
    // scan
    std::shared_ptr<const Relation> relation;
    ReadPoint* point = nullptr;
    std::vector<ScanColumn> scan_columns;
    std::vector<IndexTerms> index_terms;  ///< by index of relation; empty: all are over columns, and all rows
    AccessPath access;
    std::vector<AccessPath> united;      ///< access has no index: the rows that any of these leads to, each once
    VersionRange versions;
    double sample = -1;                  ///< TABLESAMPLE percentage
    std::int64_t sample_seed = 0;
    // function_scan
    struct ScanCall {
        BoundExpr* call = nullptr;
        std::size_t column_count = 1;
        bool expand_record = false;      ///< a composite result is spread over the columns
    };
    std::vector<ScanCall> calls;
    bool ordinality = false;
    // virtual_scan
    int virtual_table = -1;
    HistoryCall history;
    // join
    JoinType join = JoinType::inner;
    bool lateral = false;                ///< right is to be run again for each row of left
    // aggregate
    std::vector<PlanColumn> groups;
    /// The first groups, so many, decide the others: rows that are equal in them are of one group. 0: all are needed.
    std::size_t deciding_groups = 0;
    std::vector<std::vector<std::size_t>> grouping_sets;  ///< places in groups; empty: one set of all groups
    ColumnId grouping_id = k_no_column;  ///< number of the grouping set of a row
    /// Places in groups; rows come in an order of these, so that groups are done when one of them changes. Empty: in
    /// any order.
    std::vector<std::size_t> ordered_groups;
    // window
    std::vector<WindowDefinition> windows;
    /// window: rows come as each window sorts them, and few of them may be wanted; distinct: equal ones are neighbours,
    /// and rows are to stay in order.
    bool in_order = false;
    // sort
    std::vector<SortKey> keys;
    std::size_t ordered_keys = 0;        ///< rows come in the order of so many of the keys; few of them may be wanted
    // limit
    BoundExpr* limit = nullptr;
    BoundExpr* offset = nullptr;
    bool with_ties = false;
    std::vector<SortKey> tie_keys;
    // distinct: the first row of each combination of values
    std::vector<BoundExpr*> distinct_on;
    std::vector<RowLock> row_locks;
    // set_operation, recursive_union
    SetKind set = SetKind::union_;
    bool all = false;
    // cte_scan, recursive_union, working_scan
    std::shared_ptr<CommonTablePlan> common;
    int working_table = -1;
    /// recursive_union, working_scan: a column further out whose value is the round, so that what is kept of what reads
    /// a working table is kept for that round.
    ColumnId round = k_no_column;

    /// A scan that visits every row of its table.
    bool reads_all() const { return access.index < 0 && united.empty(); }
};

// ---- changes of data
// -------------------------------------------------------------------------------------------------

enum class ChangeKind : std::uint8_t { insert, update, erase, merge };

struct ColumnAssignment {
    int column = -1;                     ///< physical
    BoundExpr* value = nullptr;          ///< null: the default
};

struct MergeBranch {
    bool matched = false;
    std::vector<BoundExpr*> condition;
    enum class Action : std::uint8_t { update, erase, insert, nothing } action = Action::nothing;
    std::vector<ColumnAssignment> assignments;
};

/// INSERT, UPDATE, DELETE, MERGE over one table.
struct BoundChange {
    ChangeKind kind = ChangeKind::insert;
    std::shared_ptr<const Relation> relation;
    Plan* source = nullptr;              ///< rows to insert; or old rows with their key (and what UPDATE FROM joins)
    ColumnId row_key = k_no_column;      ///< in source: key of the row to change
    std::vector<ColumnId> old_columns;   ///< in source: old values by physical column
    std::vector<ColumnAssignment> assignments;  ///< by column; expressions over source
    bool overriding_system = false;
    bool overriding_user = false;
    // INSERT .. ON CONFLICT
    bool on_conflict = false;
    bool conflict_update = false;
    std::vector<int> arbiters;           ///< indexes of relation->indexes; empty: any
    std::vector<ColumnId> existing_columns;  ///< columns of the row in the way, by physical column
    std::vector<ColumnId> excluded_columns;  ///< of the row proposed
    ColumnId row_was_there = k_no_column;    ///< xmax in RETURNING: 0 of rows that were inserted, 1 of others
    std::vector<ColumnAssignment> conflict_assignments;
    std::vector<BoundExpr*> conflict_where;
    /// Conditions of views over existing_columns, each with its view: rows that it does not show are not changed.
    std::vector<std::pair<std::string, BoundExpr*>> conflict_shown;
    // MERGE
    std::vector<MergeBranch> branches;
    // RETURNING: expressions over new_columns (of the row as stored, or deleted) and source
    std::vector<ColumnId> new_columns;
    std::vector<BoundExpr*> returning;
    std::vector<OutputColumn> returning_columns;
    std::vector<BoundExpr*> view_checks; ///< WITH CHECK OPTION: must not be false over new_columns
    std::string view_name;
    bool redact = false;
    BoundExpr* reason = nullptr;
    /// FOR PORTION OF: only this part of each row's period changes; what lies before and behind stays as rows of its
    /// own.
    struct Portion {
        bool present = false;
        Period period;
        Range span;                  ///< values in the arena of the pool
    } portion;
    // expressions of the table, over new_columns
    std::vector<BoundExpr*> defaults;    ///< by physical column; null: NULL
    std::vector<BoundExpr*> generated;   ///< by physical column; null: not generated
    std::vector<std::pair<std::string, BoundExpr*>> checks;
    std::vector<std::pair<int, BoundExpr*>> domain_checks;
    std::vector<BoundChange*> heirs;     ///< the same UPDATE or DELETE of tables that inherit from this one
    BoundExpr* partition_check = nullptr;  ///< a row must stay in the partition that is changed by its name
    std::string partition_name;

    /// Rows are stored in a table that is divided.
    bool leads_through_partitions() const { return relation->is_partitioned() && kind != ChangeKind::erase; }
};

/// Owner of the nodes of one bound statement.
class BoundPool {
public:
    /// Its columns have numbers above that one.
    explicit BoundPool(ColumnId last_column = 0) : last_column_(last_column) {}
    BoundExpr* expr(BoundKind kind, Oid type) {
        BoundExpr& node = exprs_.emplace_back();
        node.kind = kind;
        node.type = type;
        return &node;
    }
    BoundExpr* copy(const BoundExpr& from) { return &exprs_.emplace_back(from); }
    Plan* plan(PlanKind kind) {
        Plan& node = plans_.emplace_back();
        node.kind = kind;
        return &node;
    }
    /// Forgets what stood in calls that are NULL whatever it is ([EXPR-3]).
    void forget_arguments_of_constants() {
        for (BoundExpr& expr : exprs_)
            if (expr.kind == BoundKind::constant) expr.args.clear();
    }
    CallClauses* clauses() { return &clauses_.emplace_back(); }
    BoundChange* change() { return &changes_.emplace_back(); }
    ColumnId column() { return ++last_column_; }
    Arena& arena() { return arena_; }

private:
    Arena arena_;
    std::deque<BoundExpr> exprs_;
    std::deque<Plan> plans_;
    std::deque<CallClauses> clauses_;
    std::deque<BoundChange> changes_;
    ColumnId last_column_;
};

}  // namespace northstar::inline v0::sql
