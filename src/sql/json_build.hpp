// json_build.hpp -- any SQL value as JSON text. Layer: sql. Threads: any.
#pragma once

#include "sql/jsonb_writer.hpp"
#include "sql/session.hpp"
#include "sql/value.hpp"

#include <string>

namespace northstar::inline v0::sql {

/// Appends a value as to_json writes it: numbers and booleans as they are, json in place, arrays and records
/// as containers without blanks, times in ISO 8601, everything else as a string of its output. `lines`: a line for each
/// element or field of the outermost container.
void append_json(const Value& value, std::string& out, Session& session, bool lines = false);
/// The same as a node of a jsonb value.
void append_jsonb(const Value& value, JsonbWriter& out, Session& session);

}  // namespace northstar::inline v0::sql
