// compare.hpp -- the order and the equality of values.  Layer: sql.  Threads: any.
//
// The order is that of PostgreSQL's default operator classes with collation C: strings by bytes, char(n) without
// blanks at the end, NaN above all numbers, false before true, jsonb by its own rules, arrays element by element.
#pragma once

#include "sql/value.hpp"

#include <cstdint>

namespace northstar::inline v0::sql {

/// -1, 0 or 1 of two values of one type, neither NULL. Raises undefined_function (42883) for types without an
/// order (json).
int compare_values(const Value& a, const Value& b);
bool equal_values(const Value& a,
                  const Value& b);  ///< the same as compare_values == 0, faster for some types
/// Equal values have equal hashes (1.0 and 1.00, -0.0 and 0.0, '1 day' and '24 hours'). NULL hashes as well.
std::uint64_t hash_value(const Value& value);
/// True where the type has an order (and so may be sorted, grouped, unique and indexed).
bool is_orderable(Oid type, const TypeCatalog* catalog);

}  // namespace northstar::inline v0::sql
