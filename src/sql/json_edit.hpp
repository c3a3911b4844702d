// json_edit.hpp -- jsonb documents with something set, inserted, deleted or joined. Layer: sql. Threads: any.
//
// A change copies the document once; what does not lie on the path is copied as bytes.
#pragma once

#include "sql/function.hpp"

#include <optional>
#include <string_view>

namespace northstar::inline v0::sql {

/// A step of a path as a position in an array; nothing: it is no whole number.
std::optional<std::int64_t> json_path_index(std::string_view step);

Value jsonb_set(Call& call, const Value* arguments, std::size_t count);
Value jsonb_insert(Call& call, const Value* arguments, std::size_t count);
Value jsonb_delete_path(Call& call, const Value* arguments, std::size_t count);
Value jsonb_delete_key(Call& call, const Value* arguments, std::size_t count);
Value jsonb_delete_keys(Call& call, const Value* arguments, std::size_t count);
Value jsonb_delete_index(Call& call, const Value* arguments, std::size_t count);
Value jsonb_concatenate(Call& call, const Value* arguments, std::size_t count);
/// (document or NULL, new value or NULL, keys and positions ...): what SET document[..] = value stores.
Value jsonb_subscript_assign(Call& call, const Value* arguments, std::size_t count);
Value jsonb_set_lax(Call& call, const Value* arguments, std::size_t count);
Value jsonb_strip_nulls(Call& call, const Value* arguments, std::size_t count);

}  // namespace northstar::inline v0::sql
