// key_range.hpp -- the keys of an index that values lead to: from values to bytes.  Layer: sql.
//
// A value may be an integer of another width than the column, or a date or timestamp where the column is another kind
// of moment. Where it does not fit, what it means is known without it: nothing is equal to it, and everything lies on
// one side of it; between two days, on one side or the other.
// [RANGE-1] The keys in the range are those of the rows that meet the conditions which the path was made from; where
//           rows are compared, all of those are among them.
#pragma once

#include "sql/key_encoding.hpp"
#include "sql/plan/plan.hpp"
#include "sql/session.hpp"

#include <string>
#include <vector>

namespace northstar::inline v0::sql {

enum class KeyFit : std::uint8_t { fits, below, above, between };

/// Gives an integer the width of a key column; other values are left alone. O(1).
KeyFit fit_key(Value& value, Oid type);
/// Makes a moment one of the column's kind, as comparisons of the two do; `between`: the value is now the last one of
/// the kind before it.
KeyFit fit_moment(Value& value, Oid type, Session& session);
/// May a column be looked up by values of the other type, and by such whose bytes are those of its keys, or integers?
bool has_keys_of(Oid column, Oid value);
constexpr bool has_bytes_of(Oid column, Oid value) {
    return value == column || (is_plain_integer(column) && is_plain_integer(value));
}

/// Values of a path for one run, as its expressions; those of IS NULL are not looked at.
struct PathValues {
    std::vector<Value> equal;
    std::vector<std::vector<Value>> members;
    Value low, high;
    std::vector<Value> low_rest, high_rest;
};

/// Of a path that skips columns, all but `lead` are what follows a combination of their values in a key. Of one with
/// members, from and to are what follows each of `starts`.
struct KeyRange {
    std::string from;    ///< the first key that counts
    std::string to;      ///< the first behind those that count; empty: there is none
    std::string lead;    ///< the columns that are equal before those that are skipped
    std::vector<std::string> starts;  ///< each combination of members with what is equal around them, in order
};

/// The keys of a path of a scan through an index; false: nothing can match. Without a session the values have the types
/// of their columns, or are integers.
bool make_key_range(const Plan& scan, const AccessPath& path, PathValues& values, Session* session, KeyRange& out);

}  // namespace northstar::inline v0::sql
