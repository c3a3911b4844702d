// tree.hpp -- the syntax tree: what was written, before any name is looked up.  Layer: sql.
//
// [SYNTAX-1] Nodes live in the arena of their statement, are trivially destructible and never change once parsed.
// [SYNTAX-2] `position` is a byte offset into the text plus one; 0: none.
// [SYNTAX-3] No chain of nodes is deeper than k_depth_limit; deeper text is refused with 54001 while parsing, so that
//            everything that walks a tree may recurse. But for one: UNIONs that follow each other (Query::united), of
//            which there may be k_union_limit, and which are walked in a loop.
#pragma once

#include "sql/arena.hpp"
#include "sql/row_lock.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql::syntax {

inline constexpr std::uint32_t k_depth_limit = 1500;
inline constexpr std::uint32_t k_union_limit = 20000;

/// A sequence in an arena; copies share it.
template <class T>
struct List {
    const T* data = nullptr;
    std::size_t count = 0;
    const T* begin() const { return data; }
    const T* end() const { return data + count; }
    std::size_t size() const { return count; }
    bool empty() const { return count == 0; }
    const T& operator[](std::size_t i) const { return data[i]; }
    const T& back() const { return data[count - 1]; }
};

template <class T>
List<T> make_list(Arena& arena, const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (values.empty()) return {};
    T* copy = arena.allocate_array<T>(values.size());
    std::memcpy(static_cast<void*>(copy), values.data(), sizeof(T) * values.size());
    return {copy, values.size()};
}

using Name = std::string_view;
using Position = std::uint32_t;

struct Expr;
struct Query;
struct TypeName;
struct WindowSpec;

/// schema.name, or catalog.schema.name, or name.
struct QualifiedName {
    List<Name> parts;
    Position position = 0;
    Name last() const { return parts.empty() ? Name() : parts.back(); }
    Name schema() const { return parts.size() > 1 ? parts[parts.size() - 2] : Name(); }
};

enum class ExprKind : std::uint8_t {
    null, boolean,        ///< boolean: flag
    integer, decimal, string, bit_string,  ///< text; number: place among the literals of the text, 0: not numbered
    parameter,            ///< number
    column,               ///< names: qualifiers and name
    star,                 ///< names: qualifiers (none: plain *)
    default_value,        ///< DEFAULT in VALUES and SET
    cast,                 ///< args[0] as type
    operation,            ///< text (operator), name.schema in names; one or two args
    all_of, any_of,       ///< AND, OR over args
    negation,             ///< NOT args[0]
    is_null,              ///< args[0] IS [NOT: flag] NULL
    is_truth,             ///< args[0] IS [NOT: flag] TRUE/FALSE/UNKNOWN (text)
    is_distinct,          ///< args[0] IS [NOT: flag] DISTINCT FROM args[1]
    between,              ///< args[0] [NOT: flag] BETWEEN [SYMMETRIC: symmetric] args[1] AND args[2]
    in_list,              ///< args[0] [NOT: flag] IN (args[1..])
    in_query,             ///< args[0] [NOT: flag] IN (query)
    like,                 ///< args[0] [NOT: flag] text (like, ilike, similar) args[1] [ESCAPE args[2]]
    quantified,           ///< args[0] text ANY/ALL (flag: ALL) args[1] or query
    exists,               ///< EXISTS (query)
    scalar_query,         ///< (query)
    array_query,          ///< ARRAY(query)
    case_when,            ///< args: [operand if flag], when, then, when, then ..., else (or null node)
    function,             ///< names(args)
    coalesce, nullif, greatest, least,
    array,                ///< ARRAY[args]; nested brackets are array nodes
    row,                  ///< ROW(args) or (a, b)
    subscript,            ///< args[0] [ args[1] ], slice: symmetric with args[1], args[2] (null pointers: open)
    field,                ///< (args[0]).text
    field_star,           ///< (args[0]).*
    collate,              ///< args[0] COLLATE names
    grouping,             ///< GROUPING(args)
    special_value,        ///< CURRENT_DATE and its kin: text; args[0]: precision
    named_argument,       ///< text => args[0]
    current_of,           ///< WHERE CURRENT OF text
    grouping_sets,        ///< in GROUP BY: text is rollup, cube or sets; args; an empty set is a row without args
};

enum class NullsOrder : std::uint8_t { standard, first, last };

struct SortItem {
    const Expr* expr = nullptr;
    bool descending = false;
    NullsOrder nulls = NullsOrder::standard;
    Name using_operator;  ///< USING op, WITH op of EXCLUDE; empty: none
    std::string_view source;  ///< text of the expression, in CREATE INDEX
};

/// What a function call has beyond name and arguments.
struct CallDetail {
    bool distinct = false;
    bool star = false;      ///< f(*)
    bool variadic = false;  ///< the last argument
    bool within_group = false;
    List<SortItem> order_by;
    const Expr* filter = nullptr;
    const WindowSpec* over = nullptr;
};

struct Expr {
    ExprKind kind = ExprKind::null;
    bool flag = false;
    bool symmetric = false;
    Position position = 0;
    std::uint32_t depth = 1;
    std::uint32_t number = 0;
    std::string_view text;
    List<Name> names;
    List<const Expr*> args;
    const TypeName* type = nullptr;
    const Query* query = nullptr;
    const CallDetail* call = nullptr;
};

struct TypeName {
    List<Name> names;             ///< as PostgreSQL names it inside: int4, bpchar, timestamptz, ...
    List<const Expr*> modifiers;
    int array_dimensions = 0;
    bool setof = false;
    std::uint32_t interval_fields = 0;  ///< bits of IntervalField, 0: all
    Position position = 0;
};

enum IntervalField : std::uint32_t { year = 1, month = 2, day = 4, hour = 8, minute = 16, second = 32 };

// ---- windows
// ---------------------------------------------------------------------------------------------------------

enum class FrameMode : std::uint8_t { range, rows, groups };
enum class FrameBound : std::uint8_t {
    unbounded_preceding, offset_preceding, current_row, offset_following, unbounded_following
};
enum class FrameExclusion : std::uint8_t { none, current_row, group, ties };

struct WindowSpec {
    Name name;        ///< OVER name, or the name in a WINDOW clause
    Name base;        ///< the window that this one refines
    bool reference = false;  ///< OVER name without parentheses
    List<const Expr*> partition_by;
    List<SortItem> order_by;
    bool has_frame = false;
    FrameMode mode = FrameMode::range;
    FrameBound begin = FrameBound::unbounded_preceding;
    FrameBound end = FrameBound::current_row;
    const Expr* begin_offset = nullptr;
    const Expr* end_offset = nullptr;
    FrameExclusion exclusion = FrameExclusion::none;
    Position position = 0;
};

// ---- time
// ------------------------------------------------------------------------------------------------------------

enum class PointKind : std::uint8_t { expression, timestamp, tag, latest };
/// A moment: AS OF 812, AS OF TIMESTAMP '...', AS OF TAG 'v1', AS OF LATEST.
struct TimePoint {
    PointKind kind = PointKind::expression;
    const Expr* value = nullptr;
    Position position = 0;
};

enum class RangeKind : std::uint8_t { none, as_of, from_to, between, contained_in, all };
struct TimeRange {
    RangeKind kind = RangeKind::none;
    TimePoint first, second;
};

/// AS OF and VALID AT of a statement, or FOR SYSTEM_TIME and FOR VALID_TIME of a table.
struct TimeClause {
    TimeRange system, valid;
};

// ---- queries
// ---------------------------------------------------------------------------------------------------------

enum class FromKind : std::uint8_t { table, query, function, rows_from, join };
enum class JoinKind : std::uint8_t { inner, left, right, full, cross };

struct ColumnDefinition {  ///< AS t(a int, b text) behind a function that returns record
    Name name;
    const TypeName* type = nullptr;
};

struct FromItem {
    FromKind kind = FromKind::table;
    bool lateral = false;
    bool only = false;
    bool ordinality = false;
    bool natural = false;
    JoinKind join = JoinKind::inner;
    Position position = 0;
    std::uint32_t depth = 1;
    QualifiedName table;
    Name alias;
    List<Name> column_aliases;
    List<ColumnDefinition> column_definitions;
    const Query* query = nullptr;
    List<const Expr*> functions;
    List<List<ColumnDefinition>> function_columns;  ///< of ROWS FROM: what AS (..) behind each function says
    const FromItem* left = nullptr;
    const FromItem* right = nullptr;
    const Expr* on = nullptr;
    List<Name> using_columns;
    Name join_using_alias;
    TimeClause time;
    Name sample_method;
    List<const Expr*> sample_arguments;
    const Expr* sample_seed = nullptr;
};

struct Target {
    const Expr* expr = nullptr;
    Name alias;
};

struct Statement;

struct CommonTable {
    Name name;
    List<Name> columns;
    int materialized = 0;  ///< 1 MATERIALIZED, -1 NOT MATERIALIZED
    const Statement* body = nullptr;
    Position position = 0;
    bool search_breadth = false;
    List<Name> search_columns;
    Name search_set;
    List<Name> cycle_columns;
    Name cycle_mark, cycle_path;
    const Expr* cycle_value = nullptr;
    const Expr* cycle_default = nullptr;
};

struct WithClause {
    bool recursive = false;
    List<CommonTable> tables;
};

enum class QueryKind : std::uint8_t { select, values, set_operation };
enum class SetOperation : std::uint8_t { union_, intersect, except };
struct IntoClause {
    QualifiedName name;
    bool temporary = false;
    bool unlogged = false;
};

/// A name behind FOR UPDATE OF or its kin.
struct LockedName {
    Name name;
    Position position = 0;
};

/// FOR UPDATE or its kin.
struct LockingClause {
    LockStrength strength = LockStrength::update;
    LockWait wait = LockWait::block;
    List<LockedName> of;    ///< none: all of FROM
    bool of_view = false;   ///< handed on by a view, which is not refused for what its query is
};

struct Query {
    QueryKind kind = QueryKind::select;
    Position position = 0;
    std::uint32_t depth = 1;
    const WithClause* with = nullptr;
    // select
    bool distinct = false;
    List<const Expr*> distinct_on;
    List<Target> targets;
    const IntoClause* into = nullptr;
    List<const FromItem*> from;
    const Expr* where = nullptr;
    bool group_distinct = false;
    List<const Expr*> group_by;
    const Expr* having = nullptr;
    List<WindowSpec> windows;
    // values
    List<List<const Expr*>> rows;
    // set operation
    SetOperation operation = SetOperation::union_;
    bool all = false;
    const Query* left = nullptr;
    const Query* right = nullptr;
    std::uint32_t unions = 1;  ///< that follow each other, up to this one
    // all of them
    List<SortItem> order_by;
    const Expr* limit = nullptr;
    bool limit_with_ties = false;
    const Expr* offset = nullptr;
    List<LockingClause> locking;
    TimeClause time;

    /// Of a UNION: the one on its left whose rows it takes as they come; null: what stands there is something else, or
    /// has clauses of its own.
    const Query* united() const {
        const auto is_union = [](const Query& query) {
            return query.kind == QueryKind::set_operation && query.operation == SetOperation::union_;
        };
        if (!is_union(*this) || !is_union(*left)) return nullptr;
        const bool plain = left->with == nullptr && left->order_by.empty() && left->limit == nullptr &&
                           left->offset == nullptr && left->locking.empty() &&
                           left->time.system.kind == RangeKind::none && left->time.valid.kind == RangeKind::none;
        return plain ? left : nullptr;
    }
};

}  // namespace northstar::inline v0::sql::syntax
