// binary_io.hpp -- values as PostgreSQL's binary forms, every type: what its send and receive functions do.
// Layer: sql.  Threads: any.
//
// Numbers are big-endian; times are those of value.hpp. The bytes of a value stand alone; inside arrays, ranges and
// records each part is led by its length as int32, -1 for NULL. (PostgreSQL 15, src/backend/utils/adt: *send, *recv.)
//
// [BINARY-1] Reading what was written gives the value again.
// [BINARY-2] Bytes that are no value raise 22P03, 22021 (text that is no UTF-8), 22003 or 22008 (out of range), and
//            08P01 where there are too few; no byte reaches an assertion.
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// Appends the binary form of a value that is not NULL.
void value_to_binary(const Value& value, std::string& out, Session& session);
/// Reads one value from all of `bytes` and fits it to the modifier. The payload lives in the arena.
Value value_from_binary(Oid type, std::int32_t typmod, std::string_view bytes, Arena& arena, Session& session);
/// The text itself, which is well-formed UTF-8 without NUL. Raises 22021 where it is not.
std::string_view checked_text(std::string_view text);

}  // namespace northstar::inline v0::sql
