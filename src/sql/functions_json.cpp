// Operators, casts and functions of json and jsonb. (Changing documents: json_edit.cpp.)

#include "sql/aggregate_state.hpp"
#include "sql/array.hpp"
#include "sql/error.hpp"
#include "sql/json_build.hpp"
#include "sql/json_edit.hpp"
#include "sql/jsonb.hpp"
#include "sql/record.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"
#include "sql/text_io.hpp"

#include <optional>

namespace northstar::inline v0::sql {

namespace json_functions_file {

Value text_of(Call& call, std::string_view text) { return Value::text(call.arena.copy(text)); }
/// JSON text as the type of the result.
Value json_result(Call& call, std::string_view text) {
    if (call.result_type == type::jsonb) return Value::jsonb(call.arena.copy(jsonb_from_text(text)));
    return Value::bytes(call.result_type, call.arena.copy(text));
}
Value jsonb_of(Call& call, std::string_view bytes) { return Value::jsonb(call.arena.copy(bytes)); }

[[noreturn]] void invalid(std::string message) {
    raise(sqlstate::invalid_parameter_value, std::move(message));
}

/// A child by a step of a path: a key of an object, a position of an array (negative from its end).
std::optional<JsonView> child(JsonView node, std::string_view step) {
    if (node.kind() == JsonKind::object) return node.find(step);
    if (node.kind() != JsonKind::array) return std::nullopt;
    const std::optional<std::int64_t> index = json_path_index(step);
    if (!index) return std::nullopt;
    const std::int64_t size = static_cast<std::int64_t>(node.size());
    const std::int64_t at = *index < 0 ? *index + size : *index;
    if (at < 0 || at >= size) return std::nullopt;
    return node.element(static_cast<std::size_t>(at));
}
/// Escapes in json are read when something is taken out of it, not before: all of them, wherever they are.
void check_escapes(std::string_view text) {
    if (text.find("\\u") == std::string_view::npos) return;
    for (std::size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', at)) {
        std::size_t end = at + 1;
        while (text[end] != '"') end += text[end] == '\\' ? 2 : 1;
        json_unescape(text.substr(at, end + 1 - at));
        at = end + 1;
    }
}
std::optional<std::string_view> text_child(std::string_view text, std::string_view step,
                                           JsonTextParts& parts) {
    check_escapes(text);
    parts = split_json(text);
    if (parts.kind == JsonKind::object) {
        std::optional<std::string_view> found;
        for (const JsonTextPart& part : parts.parts) {
            if (part.key == step) found = part.value;  // the last one counts
        }
        return found;
    }
    if (parts.kind != JsonKind::array) return std::nullopt;
    const std::optional<std::int64_t> index = json_path_index(step);
    if (!index) return std::nullopt;
    const std::int64_t size = static_cast<std::int64_t>(parts.parts.size());
    const std::int64_t at = *index < 0 ? *index + size : *index;
    if (at < 0 || at >= size) return std::nullopt;
    return parts.parts[static_cast<std::size_t>(at)].value;
}

/// What was found, as json, jsonb or text.
Value present(Call& call, const std::optional<JsonView>& found) {
    if (!found) return Value::null(call.result_type);
    if (call.result_type == type::jsonb) return Value::jsonb(found->bytes());
    if (found->kind() == JsonKind::null) return Value::null(type::text);
    std::string text;
    jsonb_to_plain_text(*found, text);
    return text_of(call, text);
}
Value present_text(Call& call, const std::optional<std::string_view>& found) {
    if (!found) return Value::null(call.result_type);
    if (call.result_type == type::json) return Value::bytes(type::json, *found);
    switch (json_text_kind(*found)) {
        case JsonKind::null:
            return Value::null(type::text);
        case JsonKind::string:
            return text_of(call, json_unescape(*found));
        default:
            return Value::text(*found);
    }
}

Value get_key(Call& call, const Value* a, std::size_t) {
    const JsonView node(a[0].bytes());
    return present(call, node.kind() == JsonKind::object ? node.find(a[1].bytes()) : std::nullopt);
}
Value get_index(Call& call, const Value* a, std::size_t) {
    const JsonView node(a[0].bytes());
    // A scalar by itself counts as an array of one.
    if (node.kind() != JsonKind::array && node.kind() != JsonKind::object)
        return present(call, a[1].integer() == 0 || a[1].integer() == -1 ? std::optional(node) : std::nullopt);
    return present(
        call, node.kind() == JsonKind::array ? child(node, std::to_string(a[1].integer())) : std::nullopt);
}
Value get_key_of_text(Call& call, const Value* a, std::size_t) {
    JsonTextParts parts;
    if (json_text_kind(a[0].bytes()) != JsonKind::object) return Value::null(call.result_type);
    return present_text(call, text_child(a[0].bytes(), a[1].bytes(), parts));
}
Value get_index_of_text(Call& call, const Value* a, std::size_t) {
    JsonTextParts parts;
    if (json_text_kind(a[0].bytes()) != JsonKind::array) return Value::null(call.result_type);
    return present_text(call, text_child(a[0].bytes(), std::to_string(a[1].integer()), parts));
}

/// Steps of a path: an array of text, or the further arguments.
std::optional<std::vector<std::string>> path_of(const Value* a, std::size_t count) {
    std::vector<std::string> path;
    if (count == 2 && a[1].form() == Form::array) {
        const ArrayView view(a[1]);
        Arena arena;
        for (std::size_t i = 0; i < view.size(); ++i) {
            if (view.is_null(i)) return std::nullopt;
            path.emplace_back(view.element(i, arena).bytes());
        }
        return path;
    }
    for (std::size_t i = 1; i < count; ++i) path.emplace_back(a[i].bytes());
    return path;
}
Value get_path(Call& call, const Value* a, std::size_t count) {
    const std::optional<std::vector<std::string>> path = path_of(a, count);
    std::optional<JsonView> node;
    if (path) {
        node = JsonView(a[0].bytes());
        for (const std::string& step : *path) {
            if (node) node = child(*node, step);
        }
    }
    return present(call, node);
}
Value get_path_of_text(Call& call, const Value* a, std::size_t count) {
    const std::optional<std::vector<std::string>> path = path_of(a, count);
    std::optional<std::string_view> text;
    if (path) {
        text = a[0].bytes();
        JsonTextParts parts;
        for (const std::string& step : *path) {
            if (text) text = text_child(*text, step, parts);
        }
    }
    return present_text(call, text);
}

Value contains(Call&, const Value* a, std::size_t) {
    return Value::boolean(jsonb_contains(JsonView(a[0].bytes()), JsonView(a[1].bytes())));
}
Value contained(Call&, const Value* a, std::size_t) {
    return Value::boolean(jsonb_contains(JsonView(a[1].bytes()), JsonView(a[0].bytes())));
}

bool has_key(JsonView node, std::string_view key) {
    if (node.kind() == JsonKind::object) return node.find(key).has_value();
    if (node.kind() == JsonKind::string) return node.string() == key;
    if (node.kind() != JsonKind::array) return false;
    for (std::size_t i = 0; i < node.size(); ++i) {
        const JsonView element = node.element(i);
        if (element.kind() == JsonKind::string && element.string() == key) return true;
    }
    return false;
}
Value exists(Call&, const Value* a, std::size_t) {
    return Value::boolean(has_key(JsonView(a[0].bytes()), a[1].bytes()));
}
template <bool All>
Value exists_of(Call& call, const Value* a, std::size_t) {
    const ArrayView keys(a[1]);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys.is_null(i)) continue;
        if (has_key(JsonView(a[0].bytes()), keys.element(i, call.arena).bytes()) != All)
            return Value::boolean(!All);
    }
    return Value::boolean(All);
}

// ---- asking ----

const char* kind_name(JsonKind kind) {
    switch (kind) {
        case JsonKind::null:
            return "null";
        case JsonKind::no:
        case JsonKind::yes:
            return "boolean";
        case JsonKind::number:
            return "number";
        case JsonKind::string:
            return "string";
        case JsonKind::array:
            return "array";
        case JsonKind::object:
            return "object";
    }
    return "";
}
Value type_of_jsonb(Call&, const Value* a, std::size_t) {
    return Value::text(kind_name(JsonView(a[0].bytes()).kind()));
}
Value type_of_json(Call&, const Value* a, std::size_t) {
    return Value::text(kind_name(json_text_kind(a[0].bytes())));
}
[[noreturn]] void no_length(JsonKind kind) {
    invalid(kind == JsonKind::object ? "cannot get array length of a non-array"
                                     : "cannot get array length of a scalar");
}
Value jsonb_length(Call&, const Value* a, std::size_t) {
    const JsonView node(a[0].bytes());
    if (node.kind() != JsonKind::array) no_length(node.kind());
    return Value::int4(static_cast<std::int64_t>(node.size()));
}
Value json_length(Call&, const Value* a, std::size_t) {
    const JsonTextParts parts = split_json(a[0].bytes());
    if (parts.kind != JsonKind::array) no_length(parts.kind);
    return Value::int4(static_cast<std::int64_t>(parts.parts.size()));
}
Value pretty(Call& call, const Value* a, std::size_t) {
    std::string text;
    jsonb_to_pretty(JsonView(a[0].bytes()), text);
    return text_of(call, text);
}

// ---- sets ----

void keys_of_jsonb(Call&, const Value* a, std::size_t, RowSink& rows) {
    const JsonView node(a[0].bytes());
    if (node.kind() == JsonKind::array) invalid("cannot call jsonb_object_keys on an array");
    if (node.kind() != JsonKind::object) invalid("cannot call jsonb_object_keys on a scalar");
    for (std::size_t i = 0; i < node.size(); ++i) {
        const Value row[] = {Value::text(node.key(i))};
        if (!rows.row(row)) return;
    }
}
void keys_of_json(Call&, const Value* a, std::size_t, RowSink& rows) {
    const JsonTextParts parts = split_json(a[0].bytes());
    if (parts.kind == JsonKind::array) invalid("cannot call json_object_keys on an array");
    if (parts.kind != JsonKind::object) invalid("cannot call json_object_keys on a scalar");
    for (const JsonTextPart& part : parts.parts) {
        const Value row[] = {Value::text(part.key)};
        if (!rows.row(row)) return;
    }
}
template <bool Text>
void each_of_jsonb(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const JsonView node(a[0].bytes());
    if (node.kind() != JsonKind::object)
        invalid(std::string("cannot call jsonb_each") + (Text ? "_text" : "") + " on a non-object");
    Call one{call.arena, call.session, Text ? type::text : type::jsonb, k_no_typmod, {}, nullptr};
    for (std::size_t i = 0; i < node.size(); ++i) {
        const Value row[] = {Value::text(node.key(i)), present(one, node.value(i))};
        if (!rows.row(row)) return;
    }
}
template <bool Text>
void each_of_json(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const JsonTextParts parts = split_json(a[0].bytes());
    if (parts.kind == JsonKind::array) invalid("cannot deconstruct an array as an object");
    if (parts.kind != JsonKind::object) invalid("cannot deconstruct a scalar");
    Call one{call.arena, call.session, Text ? type::text : type::json, k_no_typmod, {}, nullptr};
    for (const JsonTextPart& part : parts.parts) {
        const Value row[] = {Value::text(part.key), present_text(one, part.value)};
        if (!rows.row(row)) return;
    }
}
template <bool Text>
void elements_of_jsonb(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const JsonView node(a[0].bytes());
    if (node.kind() == JsonKind::object) invalid("cannot extract elements from an object");
    if (node.kind() != JsonKind::array) invalid("cannot extract elements from a scalar");
    Call one{call.arena, call.session, Text ? type::text : type::jsonb, k_no_typmod, {}, nullptr};
    for (std::size_t i = 0; i < node.size(); ++i) {
        const Value row[] = {present(one, node.element(i))};
        if (!rows.row(row)) return;
    }
}
template <bool Text>
void elements_of_json(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const JsonTextParts parts = split_json(a[0].bytes());
    if (parts.kind == JsonKind::object)
        invalid(std::string("cannot call json_array_elements") + (Text ? "_text" : "") + " on a non-array");
    if (parts.kind != JsonKind::array)
        invalid(std::string("cannot call json_array_elements") + (Text ? "_text" : "") + " on a scalar");
    Call one{call.arena, call.session, Text ? type::text : type::json, k_no_typmod, {}, nullptr};
    for (const JsonTextPart& part : parts.parts) {
        const Value row[] = {present_text(one, part.value)};
        if (!rows.row(row)) return;
    }
}

// ---- building ----

Value to_json(Call& call, const Value* a, std::size_t) {
    std::string text;
    append_json(a[0], text, call.session);
    return json_result(call, text);
}
Value to_jsonb(Call& call, const Value* a, std::size_t) {
    JsonbWriter writer;
    append_jsonb(a[0], writer, call.session);
    return jsonb_of(call, writer.result());
}

/// The same, a line for each element or field where the second argument says so.
Value to_json_lines(Call& call, const Value* a, std::size_t) {
    std::string text;
    append_json(a[0], text, call.session, a[1].boolean());
    return json_result(call, text);
}

/// JSON text without the members that are null, without blanks between tokens.
struct NullStripper : JsonTextEvents {
    std::string out;
    std::vector<bool> any;      ///< for each open container: something stands in it already
    std::string pending;        ///< key of a member whose value is to come
    bool has_key = false;
    void before() {
        if (!any.empty()) {
            if (any.back()) out += ',';
            any.back() = true;
        }
        if (!has_key) return;
        json_escape(pending, out);
        out += ':';
        has_key = false;
    }
    void open(char bracket) {
        before();
        out += bracket;
        any.push_back(false);
    }
    void close(char bracket) {
        out += bracket;
        any.pop_back();
    }
    void begin_object() override { open('{'); }
    void end_object() override { close('}'); }
    void begin_array() override { open('['); }
    void end_array() override { close(']'); }
    void key(std::string_view name) override {
        pending = name;
        has_key = true;
    }
    void string(std::string_view text) override {
        before();
        json_escape(text, out);
    }
    void number(std::string_view text) override {
        before();
        out += text;
    }
    void literal(JsonKind kind) override {
        if (kind == JsonKind::null && has_key) {
            has_key = false;
            return;
        }
        before();
        out += kind == JsonKind::null ? "null" : kind == JsonKind::yes ? "true" : "false";
    }
};
Value strip_nulls_of_text(Call& call, const Value* a, std::size_t) {
    NullStripper stripper;
    read_json(a[0].bytes(), stripper);
    return json_result(call, stripper.out);
}

/// The arguments, or the elements of the one that is VARIADIC, which lie in `room`.
std::span<const Value> given_values(Call& call, const Value* a, std::size_t count, std::vector<Value>& room) {
    if (!call.variadic_array) return {a, count};
    if (!a[0].is_null()) room = array_elements(ArrayView(a[0]), call.arena);
    return room;
}
/// The text of a key, as long as the key and `room` are.
std::string_view text_of_key(const Value& key, std::size_t place, std::string& room, Session& session) {
    if (key.is_null()) {
        raise(sqlstate::invalid_parameter_value, "argument " + std::to_string(place) + " cannot be null", "",
              "Object keys should be text.");
    }
    if (key.form() == Form::array || key.form() == Form::record || key.form() == Form::jsonb ||
        key.type() == type::json) {
        invalid("key value must be scalar, not array, composite, or json");
    }
    if (key.type() == type::boolean) return key.boolean() ? "true" : "false";
    if (key.type() == type::text || key.type() == type::varchar) return key.bytes();
    room.clear();
    value_to_text(key, room, session);
    return room;
}
void append_key(const Value& key, std::size_t place, std::string& out, Session& session) {
    std::string room;
    json_escape(text_of_key(key, place, room, session), out);
}
Value build_object(Call& call, const Value* a, std::size_t count) {
    if (call.variadic_array && a[0].is_null()) return Value::null(call.result_type);
    std::vector<Value> elements;
    const std::span<const Value> values = given_values(call, a, count, elements);
    if (values.size() % 2 != 0) {
        const bool binary = call.result_type == type::jsonb;
        raise(sqlstate::invalid_parameter_value, "argument list must have even number of elements", "",
              std::string("The arguments of ") + (binary ? "jsonb" : "json") +
                  "_build_object() must consist of alternating keys and values.");
    }
    if (call.result_type == type::jsonb) {
        JsonbWriter writer;
        std::string room;
        writer.begin_object();
        for (std::size_t i = 0; i < values.size(); i += 2) {
            writer.key(text_of_key(values[i], i + 1, room, call.session));
            append_jsonb(values[i + 1], writer, call.session);
        }
        writer.end_object();
        return jsonb_of(call, writer.result());
    }
    std::string text = "{";
    for (std::size_t i = 0; i < values.size(); i += 2) {
        if (i > 0) text += ", ";
        append_key(values[i], i + 1, text, call.session);
        text += " : ";
        append_json(values[i + 1], text, call.session);
    }
    return json_result(call, text + '}');
}
Value build_array(Call& call, const Value* a, std::size_t count) {
    if (call.variadic_array && a[0].is_null()) return Value::null(call.result_type);
    std::vector<Value> elements;
    const std::span<const Value> values = given_values(call, a, count, elements);
    if (call.result_type == type::jsonb) {
        JsonbWriter writer;
        writer.begin_array();
        for (const Value& value : values) append_jsonb(value, writer, call.session);
        writer.end_array();
        return jsonb_of(call, writer.result());
    }
    std::string text = "[";
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i > 0) text += ", ";
        append_json(values[i], text, call.session);
    }
    return json_result(call, text + ']');
}
Value object_of_arrays(Call& call, const Value* a, std::size_t count) {
    const ArrayView first(a[0]);
    std::vector<Value> keys = array_elements(first, call.arena);
    std::vector<Value> values;
    if (count == 2) {
        const ArrayView second(a[1]);
        if (first.dimensions().size() > 1 || second.dimensions().size() > 1) {
            raise(sqlstate::array_subscript_error, "wrong number of array subscripts");
        }
        values = array_elements(second, call.arena);
        if (keys.size() != values.size())
            raise(sqlstate::array_subscript_error, "mismatched array dimensions");
    } else {
        if (first.dimensions().size() > 2)
            raise(sqlstate::array_subscript_error, "wrong number of array subscripts");
        if (first.dimensions().size() == 2 && first.dimensions()[1].length != 2) {
            raise(sqlstate::array_subscript_error, "array must have two columns");
        }
        if (keys.size() % 2 != 0)
            raise(sqlstate::array_subscript_error, "array must have even number of elements");
        std::vector<Value> names;
        for (std::size_t i = 0; i < keys.size(); i += 2) {
            names.push_back(keys[i]);
            values.push_back(keys[i + 1]);
        }
        keys = std::move(names);
    }
    std::string text = "{";
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].is_null())
            raise(sqlstate::null_value_not_allowed, "null value not allowed for object key");
        if (i > 0) text += ", ";
        json_escape(keys[i].bytes(), text);
        text += " : ";
        append_json(values[i], text, call.session);
    }
    return json_result(call, text + '}');
}

// ---- casts ----

Value json_to_jsonb(Call& call, const Value* a, std::size_t) {
    return jsonb_of(call, jsonb_from_text(a[0].bytes()));
}
Value jsonb_to_json(Call& call, const Value* a, std::size_t) {
    std::string text;
    jsonb_to_text(JsonView(a[0].bytes()), text);
    return Value::bytes(type::json, call.arena.copy(text));
}
Value jsonb_to_boolean(Call& call, const Value* a, std::size_t) {
    const JsonView node(a[0].bytes());
    if (!node.is_boolean())
        invalid(std::string("cannot cast jsonb ") + kind_name(node.kind()) + " to type boolean");
    return Value::boolean(node.kind() == JsonKind::yes).as(call.result_type);
}
Value jsonb_to_number(Call& call, const Value* a, std::size_t) {
    const JsonView node(a[0].bytes());
    if (node.kind() != JsonKind::number) {
        invalid(std::string("cannot cast jsonb ") + kind_name(node.kind()) + " to type " +
                format_type(call.result_type, k_no_typmod, nullptr));
    }
    const Value number = Value::numeric(node.number(call.arena));
    if (call.result_type == type::numeric) return number;
    const CastEntry* cast = find_builtin_cast(type::numeric, call.result_type);
    return cast->body(call, &number, 1);
}

// ---- aggregates ----

struct Gathered {
    GatheredText text;
    bool any;
};
void nothing(AggregateCall&, void*) {}
Gathered& state_of(void* state) { return *static_cast<Gathered*>(state); }

void array_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    Gathered& s = state_of(state);
    std::string text = s.any ? ", " : "[";
    if (s.any && !a[0].is_null() && (a[0].form() == Form::record || a[0].form() == Form::array))
        text = ", \n ";
    append_json(a[0], text, call.session);
    s.text.add(text, call.arena);
    s.any = true;
}
void object_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    Gathered& s = state_of(state);
    if (a[0].is_null()) invalid("field name must not be null");
    std::string text = s.any ? ", " : "{ ";
    append_key(a[0], 1, text, call.session);
    text += " : ";
    append_json(a[1], text, call.session);
    s.text.add(text, call.arena);
    s.any = true;
}
template <bool Object>
Value gathered_final(AggregateCall& call, void* state) {
    const Gathered& s = state_of(state);
    if (!s.any) return Value::null(call.result_type);
    const std::string text = std::string(s.text.view()) + (Object ? " }" : "]");
    if (call.result_type == type::jsonb) return Value::jsonb(call.arena.copy(jsonb_from_text(text)));
    return Value::bytes(type::json, call.arena.copy(text));
}
constexpr AggregateBody k_json_array{sizeof(Gathered), &nothing, &array_step,
                                     nullptr,          nullptr,  &gathered_final<false>};
constexpr AggregateBody k_json_object{sizeof(Gathered), &nothing, &object_step,
                                      nullptr,          nullptr,  &gathered_final<true>};

constexpr FunctionSource k_functions[] = {
    {"jsonb_typeof(jsonb) text", &type_of_jsonb},
    {"json_typeof(json) text", &type_of_json},
    {"jsonb_array_length(jsonb) int4", &jsonb_length},
    {"json_array_length(json) int4", &json_length},
    {"jsonb_pretty(jsonb) text", &pretty},
    {"jsonb_object_field(jsonb,text) jsonb", &get_key},
    {"jsonb_object_field_text(jsonb,text) text", &get_key},
    {"jsonb_extract_path(jsonb,_text) jsonb variadic", &get_path},
    {"jsonb_extract_path_text(jsonb,_text) text variadic", &get_path},
    {"json_extract_path(json,_text) json variadic", &get_path_of_text},
    {"json_extract_path_text(json,_text) text variadic", &get_path_of_text},
    {"jsonb_contains(jsonb,jsonb) bool", &contains},
    {"jsonb_contained(jsonb,jsonb) bool", &contained},
    {"jsonb_exists(jsonb,text) bool", &exists},
    {"jsonb_exists_any(jsonb,_text) bool", &exists_of<false>},
    {"jsonb_exists_all(jsonb,_text) bool", &exists_of<true>},
    {"jsonb_object_keys(jsonb) text", &keys_of_jsonb},
    {"json_object_keys(json) text", &keys_of_json},
    {"jsonb_each(jsonb) record columns=key:text,value:jsonb", &each_of_jsonb<false>},
    {"jsonb_each_text(jsonb) record columns=key:text,value:text", &each_of_jsonb<true>},
    {"json_each(json) record columns=key:text,value:json", &each_of_json<false>},
    {"json_each_text(json) record columns=key:text,value:text", &each_of_json<true>},
    {"jsonb_array_elements(jsonb) jsonb columns=value:jsonb", &elements_of_jsonb<false>},
    {"jsonb_array_elements_text(jsonb) text columns=value:text", &elements_of_jsonb<true>},
    {"json_array_elements(json) json columns=value:json", &elements_of_json<false>},
    {"json_array_elements_text(json) text columns=value:text", &elements_of_json<true>},
    {"to_json(anyelement) json stable", &to_json},
    {"to_jsonb(anyelement) jsonb stable", &to_jsonb},
    {"array_to_json(anyarray) json stable", &to_json},
    {"array_to_json(anyarray,bool) json stable", &to_json_lines},
    {"row_to_json(record) json stable", &to_json},
    {"row_to_json(record,bool) json stable", &to_json_lines},
    {"json_strip_nulls(json) json", &strip_nulls_of_text},
    {"jsonb_set_lax(jsonb,_text,jsonb,bool,text) jsonb nonstrict "
     "names=jsonb_in,path,replacement,create_if_missing,null_value_treatment defaults=true|use_json_null",
     &jsonb_set_lax},
    {"jsonb_subscript_assign(jsonb,jsonb,any) jsonb nonstrict variadic", &jsonb_subscript_assign},
    {"json_build_object(any) json nonstrict stable variadic", &build_object},
    {"json_build_object() json nonstrict stable", &build_object},
    {"jsonb_build_object(any) jsonb nonstrict stable variadic", &build_object},
    {"jsonb_build_object() jsonb nonstrict stable", &build_object},
    {"json_build_array(any) json nonstrict stable variadic", &build_array},
    {"json_build_array() json nonstrict stable", &build_array},
    {"jsonb_build_array(any) jsonb nonstrict stable variadic", &build_array},
    {"jsonb_build_array() jsonb nonstrict stable", &build_array},
    {"json_object(_text) json", &object_of_arrays},
    {"json_object(_text,_text) json", &object_of_arrays},
    {"jsonb_object(_text) jsonb", &object_of_arrays},
    {"jsonb_object(_text,_text) jsonb", &object_of_arrays},
    {"jsonb_set(jsonb,_text,jsonb,bool) jsonb defaults=true", &jsonb_set},
    {"jsonb_insert(jsonb,_text,jsonb,bool) jsonb defaults=false", &jsonb_insert},
    {"jsonb_strip_nulls(jsonb) jsonb", &jsonb_strip_nulls},
    {"jsonb_concat(jsonb,jsonb) jsonb", &jsonb_concatenate},
    {"jsonb_delete(jsonb,text) jsonb", &jsonb_delete_key},
    {"jsonb_delete(jsonb,int4) jsonb", &jsonb_delete_index},
    {"jsonb_delete_path(jsonb,_text) jsonb", &jsonb_delete_path},
};

constexpr OperatorSource k_operators[] = {
    {"jsonb -> text jsonb", &get_key, "jsonb_object_field"},
    {"jsonb -> int4 jsonb", &get_index, "jsonb_array_element"},
    {"jsonb ->> text text", &get_key, "jsonb_object_field_text"},
    {"jsonb ->> int4 text", &get_index, "jsonb_array_element_text"},
    {"jsonb #> _text jsonb", &get_path, "jsonb_extract_path"},
    {"jsonb #>> _text text", &get_path, "jsonb_extract_path_text"},
    {"json -> text json", &get_key_of_text, "json_object_field"},
    {"json -> int4 json", &get_index_of_text, "json_array_element"},
    {"json ->> text text", &get_key_of_text, "json_object_field_text"},
    {"json ->> int4 text", &get_index_of_text, "json_array_element_text"},
    {"json #> _text json", &get_path_of_text, "json_extract_path"},
    {"json #>> _text text", &get_path_of_text, "json_extract_path_text"},
    {"jsonb @> jsonb bool", &contains, "jsonb_contains"},
    {"jsonb <@ jsonb bool", &contained, "jsonb_contained"},
    {"jsonb ? text bool", &exists, "jsonb_exists"},
    {"jsonb ?| _text bool", &exists_of<false>, "jsonb_exists_any"},
    {"jsonb ?& _text bool", &exists_of<true>, "jsonb_exists_all"},
    {"jsonb || jsonb jsonb", &jsonb_concatenate, "jsonb_concat"},
    {"jsonb - text jsonb", &jsonb_delete_key, "jsonb_delete"},
    {"jsonb - _text jsonb", &jsonb_delete_keys, "jsonb_delete"},
    {"jsonb - int4 jsonb", &jsonb_delete_index, "jsonb_delete"},
    {"jsonb #- _text jsonb", &jsonb_delete_path, "jsonb_delete_path"},
};

constexpr CastSource k_casts[] = {
    {"json jsonb a", &json_to_jsonb},      {"jsonb json a", &jsonb_to_json},
    {"jsonb bool e", &jsonb_to_boolean},   {"jsonb int2 e", &jsonb_to_number},
    {"jsonb int4 e", &jsonb_to_number},    {"jsonb int8 e", &jsonb_to_number},
    {"jsonb float4 e", &jsonb_to_number},  {"jsonb float8 e", &jsonb_to_number},
    {"jsonb numeric e", &jsonb_to_number},
};

constexpr FunctionSource k_aggregates[] = {
    {"json_agg(anyelement) json nonstrict stable", &k_json_array},
    {"jsonb_agg(anyelement) jsonb nonstrict stable", &k_json_array},
    {"json_object_agg(any,any) json nonstrict stable", &k_json_object},
    {"jsonb_object_agg(any,any) jsonb nonstrict stable", &k_json_object},
};

}  // namespace json_functions_file

std::span<const FunctionSource> json_functions() { return json_functions_file::k_functions; }
std::span<const OperatorSource> json_operators() { return json_functions_file::k_operators; }
std::span<const CastSource> json_casts() { return json_functions_file::k_casts; }
std::span<const FunctionSource> json_aggregates() { return json_functions_file::k_aggregates; }

}  // namespace northstar::inline v0::sql
