// jsonb.hpp -- JSON as a tree of bytes: reading, writing, walking, comparing. Layer: sql. Threads: any.
//
// A node is one tag byte and its payload (little-endian): null, false, true: nothing; number: numeric_to_stored;
// string: its UTF-8; array: u32 count, count times u32 end offset, nodes; object: u32 count, count times u32 end
// offset of a key, count times u32 end offset of a value, keys, values.
//
// [JSONB-1] Keys of an object are unique and sorted by length, then bytes; of duplicate keys the last one won.
// [JSONB-2] Nesting is limited to k_json_max_depth (54001).
#pragma once

#include "sql/arena.hpp"
#include "sql/numeric.hpp"
#include "sql/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

inline constexpr int k_json_max_depth = 6400;

enum class JsonKind : std::uint8_t {
    null = 0,
    no = 1,
    yes = 2,
    number = 3,
    string = 4,
    array = 5,
    object = 6
};

/// A view of one node; as long as its bytes.
class JsonView {
public:
    JsonView() = default;
    explicit JsonView(std::string_view bytes) : bytes_(bytes) {}
    std::string_view bytes() const { return bytes_; }
    JsonKind kind() const { return bytes_.empty() ? JsonKind::null : static_cast<JsonKind>(bytes_[0]); }
    bool is_scalar() const { return kind() < JsonKind::array; }
    bool is_boolean() const { return kind() == JsonKind::no || kind() == JsonKind::yes; }
    std::string_view string() const { return bytes_.substr(1); }
    Numeric number(Arena& arena) const { return numeric_from_stored(bytes_.substr(1), arena); }
    std::size_t size() const;                   ///< of an array or object
    JsonView element(std::size_t index) const;  ///< of an array
    std::string_view key(std::size_t index) const;
    JsonView value(std::size_t index) const;  ///< of an object
    /// O(log n). Nothing: no such key.
    std::optional<JsonView> find(std::string_view key) const;

private:
    std::string_view slice(std::size_t table, std::size_t index, std::size_t data) const;
    std::string_view bytes_;
};

/// Appends nodes. Children are built first and put in as bytes.
void json_append_null(std::string& out);
void json_append_boolean(bool value, std::string& out);
void json_append_number(const Numeric& value, std::string& out);
void json_append_string(std::string_view value, std::string& out);
using JsonMember = std::pair<std::string_view, std::string_view>;  ///< key and the bytes of its value
void json_append_array(const std::vector<std::string_view>& elements, std::string& out);
/// Sorts the members and drops all but the last one of each key.
void json_append_object(std::vector<JsonMember>& members, std::string& out);
/// Raises 54001 where a node that gets so many containers around it is nested too deeply [JSONB-2].
void check_json_depth(JsonView node, std::size_t containers);

/// Reads JSON text. Raises 22P02 with PostgreSQL's message, detail and context.
std::string jsonb_from_text(std::string_view text);
/// Checks that it is JSON; for the json type. The same errors.
void check_json(std::string_view text);
/// PostgreSQL's normal form: {"a": 1, "b": [1, 2]}; indent 4 for jsonb_pretty.
void jsonb_to_text(JsonView node, std::string& out);
void jsonb_to_pretty(JsonView node, std::string& out, int depth = 0);
/// A string with quotes and escapes.
void json_escape(std::string_view text, std::string& out);
/// A scalar without quotes, as ->> gives it; containers as their text.
void jsonb_to_plain_text(JsonView node, std::string& out);

int jsonb_compare(JsonView a, JsonView b);
std::uint64_t jsonb_hash(JsonView node);
bool jsonb_contains(JsonView whole, JsonView part);

// ---- json text, walked without being turned to jsonb ----

/// What a reader of JSON text reports; strings are without quotes and escapes, `raw` is the text of a whole
/// value.
struct JsonTextEvents {
    virtual ~JsonTextEvents() = default;
    virtual void begin_object() {}
    virtual void key(std::string_view) {}
    virtual void end_object() {}
    virtual void begin_array() {}
    virtual void end_array() {}
    virtual void string(std::string_view) {}
    virtual void number(std::string_view) {}
    virtual void literal(JsonKind) {}
};
void read_json(std::string_view text, JsonTextEvents& events);

/// Members or elements at the top of JSON text, as views into it.
struct JsonTextPart {
    std::string key;         ///< of a member
    std::string_view value;  ///< the text of the value, without blanks around it
};
struct JsonTextParts {
    JsonKind kind = JsonKind::null;  ///< object, array, or what else the text is
    std::vector<JsonTextPart> parts;
};
JsonTextParts split_json(std::string_view text);
/// Kind of the value a valid JSON text begins with.
JsonKind json_text_kind(std::string_view text);
/// A JSON string token (with quotes) without escapes.
std::string json_unescape(std::string_view token);

}  // namespace northstar::inline v0::sql
