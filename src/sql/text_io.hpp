// text_io.hpp -- values as text, every type.  Layer: sql.  Threads: any.
//
// [TEXT-1] Output of a value is its PostgreSQL output; input of that output is the value again.
// [TEXT-2] Bad text raises the SQLSTATE and message of PostgreSQL's input function (22P02, 22007, 22008, 22003, ...).
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// Reads text as a value of a type, as a literal 'x'::type does. The payload lives in the arena.
Value value_from_text(Oid type, std::int32_t typmod, std::string_view text, Arena& arena, Session& session);
/// Appends the output of a value that is not NULL.
void value_to_text(const Value& value, std::string& out, Session& session);
std::string value_to_text(const Value& value, Session& session);

/// Raises 55P04 where the transaction that runs has added the label: it could be stored, and the label rolled back.
void refuse_uncommitted_label(const EnumLabel& label, Oid type, Session& session);

}  // namespace northstar::inline v0::sql
