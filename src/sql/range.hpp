// range.hpp -- ranges of numbers and times.  Layer: sql.  Threads: any.
//
// Bytes: one byte of flags (1 empty, 2 lower inclusive, 4 upper inclusive, 8 lower infinite, 16 upper infinite),
// then for each
// finite bound u32 length and its stored form, lower first.
//
// [RANGE-1] Ranges of int4, int8 and date are kept as [lower, upper); an empty range has no bounds.
// [RANGE-2] lower <= upper, else 22000 ("range lower bound must be less than or equal to range upper bound").
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

struct RangeBound {
    Value value;  ///< not read when infinite
    bool infinite = false;
    bool inclusive = false;
    bool lower = false;
};

struct Range {
    bool empty = false;
    RangeBound lower;
    RangeBound upper;
};

Range read_range(const Value& value, Arena& arena);
/// Checks and normalises. NULL bounds count as infinite.
Value make_range(Oid range_type, Range range, Arena& arena);
/// Reads "[1,5)" or "empty". Raises 22P02.
Value range_from_text(Oid range_type, std::string_view text, Arena& arena, Session& session);
void range_to_text(const Value& value, std::string& out, Session& session);
int compare_bounds(const RangeBound& a, const RangeBound& b);
int compare_ranges(const Range& a, const Range& b);

}  // namespace northstar::inline v0::sql
