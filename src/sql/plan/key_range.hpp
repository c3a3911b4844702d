// key_range.hpp -- the keys of an index that values lead to: from values to bytes.  Layer: sql.
//
// A value may be an integer of another width than the column. Where it does not fit, what it means is known without it:
// nothing is equal to it, and everything lies on one side of it.
// [RANGE-1] The keys in the range are those of the rows that meet the conditions which the path was made from.
#pragma once

#include "sql/key_encoding.hpp"
#include "sql/plan/plan.hpp"

#include <string>
#include <vector>

namespace northstar::inline v0::sql {

enum class KeyFit : std::uint8_t { fits, below, above };

/// Gives an integer the width of a key column; other values are left alone. O(1).
KeyFit fit_key(Value& value, Oid type);

/// Values of a path for one run, as its expressions; those of IS NULL are not looked at.
struct PathValues {
    std::vector<Value> equal;
    Value low, high;
};

struct KeyRange {
    std::string from;    ///< the first key that counts
    std::string to;      ///< the first behind those that count; empty: there is none
    std::string prefix;  ///< the columns that are equal
};

/// The keys of a path through an index, without its members; false: nothing can match.
bool make_key_range(const Plan& scan, PathValues& values, KeyRange& out);

}  // namespace northstar::inline v0::sql
