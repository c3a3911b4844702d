// expr.hpp -- bound expressions: every name resolved, every type known.  Layer: sql.
//
// A column is a number that is unique in its statement (ColumnId), not a place in a row: operators that produce it and
// expressions that use it agree on the number, so plans can be rearranged without renumbering. An expression that uses
// a column which nothing below its operator produces is correlated: the value comes from a row further out.
//
// [EXPR-1] Arguments of a call have exactly the types that its entry asks for; coercions are nodes of their own.
// [EXPR-2] Nodes live in the pool of their Plan tree (BoundPool) and may be shared; rewriting copies.
// [EXPR-3] A constant that a strict call became because of a NULL keeps its arguments until the statement is bound;
//          they are never evaluated.
#pragma once

#include "sql/cast.hpp"
#include "sql/function.hpp"
#include "sql/value.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

struct Plan;

using ColumnId = std::uint32_t;
inline constexpr ColumnId k_no_column = 0;

enum class BoundKind : std::uint8_t {
    constant,
    column,           ///< column
    parameter,        ///< number, from 1
    function,         ///< function entry
    operation,        ///< operator entry
    cast,             ///< path, type, typmod
    typmod,           ///< apply_typmod to args[0]
    conjunction, disjunction,
    negation,
    is_null,          ///< negated: IS NOT NULL; of a record: all fields
    is_truth,         ///< IS [NOT] TRUE/FALSE/UNKNOWN: number 1, 0, 2
    is_distinct,      ///< args of one type
    case_when,        ///< when, then, ..., else
    coalesce, greatest, least,
    in_list,          ///< args[0] compared by = with the constants behind it, all of one type
    nullif,           ///< args[0], and args[1]: its comparison with the other
    quantified,       ///< args[0] operator ANY/ALL(negated) of the array args[1]
    array, row,       ///< row: of all columns of a relation (number 1), NULL where all of them are (negated)
    array_assign,     ///< args[0] with the element at args[2..] replaced by args[1]; slice (negated)
    subscript,        ///< array, then indexes; slice (negated): pairs of lower and upper, null constants where open
    field,            ///< number: field of the record args[0]
    row_compare,      ///< records args[0], args[1] by comparison `number` (Comparison), element-wise
    scalar_query,     ///< subquery
    exists,
    in_query,         ///< args (left side, one or several) = ANY row; comparison per column in operators; number 1:
                      ///< only whether it is true matters
    quantified_query, ///< args[0] operator ANY/ALL(negated) (subquery)
    array_query,
    aggregate,        ///< only while a SELECT is bound; replaced by a column
    window,           ///< likewise
    set_function,     ///< a set-returning function in a target list; replaced by a column
    default_value,    ///< DEFAULT in VALUES of an INSERT
    check_domain,     ///< args[0], and checks of a domain in args[1..] over column `column`
    check_parts,      ///< args[0]; args[1..] are evaluated with column `column` as it, or as each element (negated)
    grouping,         ///< GROUPING(): replaced while grouping is bound
    sequence_next,    ///< nextval of sequence `number`
    with_value,       ///< args[1], in which column `column` is the value of args[0]
};

struct BoundExpr;

struct SortKey {
    BoundExpr* expr = nullptr;
    bool descending = false;
    bool nulls_first = false;
};

/// What an aggregate or window call has beyond a function.
struct CallClauses {
    bool distinct = false;
    bool star = false;
    BoundExpr* filter = nullptr;
    std::vector<SortKey> order;      ///< ORDER BY inside the call, or WITHIN GROUP
    std::size_t direct_count = 0;
    int window = -1;                 ///< place in the windows of the SELECT
};

struct BoundExpr {
    BoundKind kind = BoundKind::constant;
    bool negated = false;
    bool variadic = false;           ///< arguments from argument_count - 1 on are elements of the last
    bool literal = false;            ///< a parameter that stands for a literal of the text (bind/literal_slots.hpp)
    Oid type = 0;
    std::int32_t typmod = k_no_typmod;
    std::uint32_t position = 0;
    ColumnId column = k_no_column;
    Oid declared = 0;                ///< the domain, or array of one, whose values have `type`; `type` itself: none
    std::int64_t number = 0;
    Value value;
    const FunctionEntry* function = nullptr;
    const OperatorEntry* operation = nullptr;
    CastPath cast;
    CastContext context = CastContext::explicit_;
    std::vector<BoundExpr*> args;
    Plan* subquery = nullptr;
    std::vector<const OperatorEntry*> operators;
    CallClauses* clauses = nullptr;
    std::string text;                ///< message part: domain or constraint name
    std::vector<FieldInfo> fields;   ///< of an anonymous record: names of its fields; of a call: its result columns
};

}  // namespace northstar::inline v0::sql
