// period.hpp -- valid time of a table: which columns say from when until when a row holds.  Layer: sql.  Threads: any.
//
// A period is a pair of columns (PERIOD FOR p (a, b)) or one column of a range type. It is half-open: a row holds at
// its first moment and not at its last. NULL in a column of a pair is an open end. A table has one valid time: its
// declared period, the range of its key WITHOUT OVERLAPS, or the hidden columns _valid_from and _valid_to.
//
// [PERIOD-1] The axis is a type with an order; the bounds of a row read as a Range over it.
#pragma once

#include "sql/catalog/schema.hpp"
#include "sql/range.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

inline constexpr std::string_view k_valid_from = "_valid_from";
inline constexpr std::string_view k_valid_to = "_valid_to";

struct Period {
    std::string name;
    int from = -1;   ///< physical columns of a pair
    int to = -1;
    int range = -1;  ///< or the one of a range
    Oid axis = 0;    ///< type of its bounds
};

/// The valid time of a table: what VALID AT and FOR VALID_TIME look at.
std::optional<Period> valid_time_of(const Relation& relation);
/// The period that FOR PORTION OF and WITHOUT OVERLAPS name: the declared one, valid_time, or a column of a range type.
std::optional<Period> find_period(const Relation& relation, std::string_view name);
/// The period of a key WITHOUT OVERLAPS.
Period period_of_key(const Relation& relation, const Index& index);

/// The span of a row. Bounds may view into the row.
Range read_period(const Period& period, const Value* row, Arena& arena);
/// Sets the span of a row.
void write_period(const Period& period, const Relation& relation, const Range& span, Value* row, Arena& arena);

/// Not empty, of a pair: the first bound lies before the second.
bool is_empty_span(const Range& span);
bool spans_overlap(const Range& a, const Range& b);
/// What two spans that overlap have in common.
Range common_span(const Range& a, const Range& b);
/// The part of `whole` before, or behind, `part`; nothing: none.
std::optional<Range> span_before(const Range& whole, const Range& part);
std::optional<Range> span_behind(const Range& whole, const Range& part);
/// [from, to) of bounds on one axis; NULL is an open end.
Range make_span(const Value& from, const Value& to);

}  // namespace northstar::inline v0::sql
