// keep_value.hpp -- copying values that stay, in loops over many.  Layer: sql, inside execute/.
#pragma once

#include "sql/arena.hpp"
#include "sql/value.hpp"

namespace northstar::inline v0::sql {

/// As copy_value, without a call for values that have all of their payload in themselves.
inline Value keep_value(const Value& value, Arena& arena) {
    if (value.is_null()) return value;
    const bool view = value.form() == Form::numeric ? value.numeric().kind == NumericKind::big
                                                    : value.form() >= Form::bytes;
    return view ? copy_value(value, arena) : value;
}

}  // namespace northstar::inline v0::sql
