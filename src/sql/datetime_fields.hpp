// datetime_fields.hpp -- extract, date_part and date_trunc. Layer: sql. Threads: any.
//
// A unit that does not belong to a type raises 0A000, an unknown one 22023.
#pragma once

#include "sql/function.hpp"

namespace northstar::inline v0::sql {

Value extract_field(Call& call, const Value* arguments, std::size_t count);  ///< numeric, exact
Value date_part(Call& call, const Value* arguments, std::size_t count);      ///< the same as float8
Value date_trunc(Call& call, const Value* arguments, std::size_t count);

}  // namespace northstar::inline v0::sql
