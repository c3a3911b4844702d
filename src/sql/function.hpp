// function.hpp -- functions, operators, casts and aggregates: what they are, and the tables they stand in.
// Layer: sql.  Threads: tables are read by any; a call belongs to one.
//
// Every entry has PostgreSQL's name, argument types, result, strictness and volatility. Tables are constant data,
// one per
// subject (functions_*.cpp); the index over them by name is built at first use.
//
// [FUN-1] A body is called with arguments of exactly the types of its entry (polymorphic ones replaced by what
//         resolution found), never with NULL where the entry is strict: the caller answers NULL itself.
// [FUN-2] What a body returns lives in the arena of the call, in its arguments, or for ever; it has the type
//         Call::result_type, or is NULL.
// [FUN-3] An aggregate's state is plain bytes: moved by memcpy, never destroyed; what it points to lives in the
//         arena of
//         its AggregateCall.
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

/// What a body may know besides its arguments.
struct Call {
    Arena& arena;  ///< for the result and for scratch
    Session& session;
    Oid result_type = 0;  ///< polymorphic results replaced
    std::int32_t result_typmod = k_no_typmod;
    std::span<const Oid>
        argument_types;  ///< as resolved; may be empty for operators and casts without need of it
    /// Kept between the calls of one expression: a body may put what it compiled (a regular expression) here,
    /// created in a way that survives `arena` (see CallCache). May be null.
    class CallCache* cache = nullptr;
    /// Of a function that returns record: what the column definition list behind it says.
    std::span<const FieldInfo> result_fields = {};
    /// The last argument was marked VARIADIC: an array that stands for further arguments.
    bool variadic_array = false;
};

/// What one place of a statement remembers from row to row, e.g. a compiled pattern. Owned by the executor,
/// one for each call expression.
class CallCache {
public:
    struct Entry {
        virtual ~Entry() = default;
    };
    std::unique_ptr<Entry> entry;
};

using ScalarBody = Value (*)(Call& call, const Value* arguments, std::size_t count);

/// Set-returning functions: open() makes the rows; a row has one value for each result column.
struct RowSink {
    virtual ~RowSink() = default;
    /// The values are copied before the call returns. False: no further row is wanted.
    virtual bool row(std::span<const Value> values) = 0;
};
using SetBody = void (*)(Call& call, const Value* arguments, std::size_t count, RowSink& rows);

/// How an argument of WITHIN GROUP is sorted.
struct ArgumentOrder {
    bool descending = false;
    bool nulls_first = false;
};

struct AggregateCall {
    Arena& arena;  ///< lives as long as the states
    Session& session;
    Oid result_type = 0;
    std::span<const Oid> argument_types;
    /// Direct arguments of an ordered-set aggregate (the fraction of percentile_cont), constant for a group.
    std::span<const Value> direct_arguments;
    std::span<const ArgumentOrder> orders = {};  ///< of the arguments of WITHIN GROUP
    /// Of WITHIN GROUP: so many steps are taken in all, known from the first one on.
    std::uint64_t row_count = 0;
};

/// A state machine. All states of a call have state_size bytes, aligned to 16; init() is called on zeroed
/// bytes.
struct AggregateBody {
    std::size_t state_size = 0;
    void (*init)(AggregateCall& call, void* state) = nullptr;
    /// One row. Strict aggregates (FunctionEntry::strict) are not given rows with a NULL argument.
    /// Ordered-set aggregates are given the arguments of WITHIN GROUP alone, in their order.
    void (*step)(AggregateCall& call, void* state, const Value* arguments, std::size_t count) = nullptr;
    /// Adds what `other` saw, as if its rows came behind. nullptr: not possible.
    void (*combine)(AggregateCall& call, void* state, const void* other) = nullptr;
    /// Takes a row out again that step added, for window frames that move. nullptr: start the frame anew.
    void (*inverse)(AggregateCall& call, void* state, const Value* arguments, std::size_t count) = nullptr;
    /// The result; the state stays good for further steps. Lives in call.arena, in the state, or in its
    /// arguments.
    Value (*final)(AggregateCall& call, void* state) = nullptr;
    /// step() for many rows, as loops that step() is part of; both or neither. Of an aggregate without arguments, or
    /// with one that it is strict in: NULLs are left out here. step_rows: the state of row k lies at
    /// states[k] + offset. step_run: all rows go into one state.
    void (*step_rows)(AggregateCall& call, char* const* states, std::size_t offset, const Value* arguments,
                      std::size_t count) = nullptr;
    void (*step_run)(AggregateCall& call, void* state, const Value* arguments, std::size_t count) = nullptr;
    /// The result is the same to the last digit however the rows are divided among combined states, which are small.
    bool combines_in_any_groups = false;
};

/// AggregateBody::step_rows and step_run of a step. `arguments` is null where there are none.
template <auto Step>
void aggregate_step_rows(AggregateCall& call, char* const* states, std::size_t offset, const Value* arguments,
                         std::size_t count) {
    for (std::size_t k = 0; k < count; ++k)
        if (arguments == nullptr || !arguments[k].is_null())
            Step(call, states[k] + offset, arguments == nullptr ? nullptr : arguments + k, 1);
}
/// The state is worked on as a copy, which the compiler may keep in registers.
template <class State, auto Step>
void aggregate_step_run(AggregateCall& call, void* state, const Value* arguments, std::size_t count) {
    State copy;
    std::memcpy(&copy, state, sizeof copy);
    for (std::size_t k = 0; k < count; ++k)
        if (arguments == nullptr || !arguments[k].is_null())
            Step(call, &copy, arguments == nullptr ? nullptr : arguments + k, 1);
    std::memcpy(state, &copy, sizeof copy);
}

enum class FunctionKind : char { scalar = 'f', aggregate = 'a', window = 'w', set = 's' };
enum class Volatility : char { immutable = 'i', stable = 's', changing = 'v' };
/// pg_aggregate.aggkind: ordered-set aggregates take their input from WITHIN GROUP (ORDER BY ...).
enum class AggregateKind : char { normal = 'n', ordered_set = 'o', hypothetical = 'h' };

/// Window functions that are no aggregates; the executor computes them from frames and peers.
enum class WindowFunction : std::uint8_t {
    none,
    row_number,
    rank,
    dense_rank,
    percent_rank,
    cume_dist,
    ntile,
    lag,
    lead,
    first_value,
    last_value,
    nth_value
};

inline constexpr std::size_t k_max_declared_arguments = 9;

struct FunctionEntry {
    const char* name = "";
    Oid result = 0;
    std::uint8_t argument_count = 0;  ///< declared ones, the variadic one included
    std::uint8_t default_count =
        0;  ///< how many of the last ones may be left out; `defaults` says their values
    Oid arguments[k_max_declared_arguments] = {};
    Oid variadic = 0;  ///< element type of a variadic last argument; type::any takes anything
    FunctionKind kind = FunctionKind::scalar;
    bool strict = true;
    Volatility volatility = Volatility::immutable;
    ScalarBody scalar = nullptr;
    SetBody set = nullptr;
    const AggregateBody* aggregate = nullptr;
    AggregateKind aggregate_kind = AggregateKind::normal;
    std::uint8_t direct_count = 0;  ///< direct arguments of an ordered-set aggregate
    WindowFunction window = WindowFunction::none;
    const char* argument_names = "";  ///< for name => value: "years,months,..."; empty: none
    const char* defaults = "";        ///< text of the default values, separated by '|'
    const char* columns = "";         ///< of a set with several columns: "key:25,value:3802" (name:OID)
    std::uint32_t oid = 0;  ///< pg_proc.oid where catalogs of clients ask for it; 0: assigned by place
};

/// How an operator compares, for index use and joins.
enum class Comparison : std::uint8_t { none, equal, not_equal, less, less_equal, greater, greater_equal };

/// The same with its sides changed: b > a of a < b.
constexpr Comparison turned(Comparison comparison) {
    switch (comparison) {
        case Comparison::less: return Comparison::greater;
        case Comparison::less_equal: return Comparison::greater_equal;
        case Comparison::greater: return Comparison::less;
        case Comparison::greater_equal: return Comparison::less_equal;
        default: return comparison;
    }
}

struct OperatorEntry {
    const char* name = "";
    Oid left = 0;  ///< type::none: prefix operator
    Oid right = 0;
    Oid result = 0;
    ScalarBody body = nullptr;
    Comparison comparison = Comparison::none;
    /// Both sides may be compared by compare_values as they are, or after a cast to `common` (0:
    /// incomparable).
    Oid common = 0;
    bool strict = true;
    Volatility volatility = Volatility::immutable;
    const char* function = "";  ///< the function behind it, e.g. "int4pl"
};

enum class CastContext : std::uint8_t { implicit = 0, assignment = 1, explicit_ = 2 };

struct CastEntry {
    Oid source = 0;
    Oid target = 0;
    CastContext context = CastContext::explicit_;  ///< the weakest in which the cast happens by itself
    ScalarBody body = nullptr;                     ///< nullptr: the payload stays (binary-coercible)
};

// ---- the registry ----

/// Entries of a name, in the order of the tables; empty: there is no such function. O(1).
std::span<const FunctionEntry* const> find_functions(std::string_view name);
std::span<const OperatorEntry* const> find_operators(std::string_view name);
/// Built-in casts; nullptr: none in pg_cast's sense (see cast.hpp for the whole rule).
const CastEntry* find_builtin_cast(Oid source, Oid target);

/// Everything, for pg_proc, pg_operator, pg_cast.
std::span<const FunctionEntry* const> all_functions();
std::span<const OperatorEntry* const> all_operators();
std::span<const CastEntry> all_casts();

}  // namespace northstar::inline v0::sql
