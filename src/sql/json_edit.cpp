#include "sql/json_edit.hpp"

#include "sql/array.hpp"
#include "sql/error.hpp"
#include "sql/jsonb.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

namespace northstar::inline v0::sql {

namespace json_edit_file {

enum class Edit { set, create, insert_before, insert_after, remove };

[[noreturn]] void invalid(std::string message) {
    raise(sqlstate::invalid_parameter_value, std::move(message));
}

std::vector<JsonMember> members_of(JsonView object) {
    std::vector<JsonMember> members;
    for (std::size_t i = 0; i < object.size(); ++i)
        members.emplace_back(object.key(i), object.value(i).bytes());
    return members;
}
std::vector<std::string_view> elements_of(JsonView array) {
    std::vector<std::string_view> elements;
    for (std::size_t i = 0; i < array.size(); ++i) elements.push_back(array.element(i).bytes());
    return elements;
}

/// The node with the edit done at path[depth...].
std::string edited(JsonView node, const std::vector<std::string>& path, std::size_t depth, Edit edit,
                   std::string_view value) {
    const bool last = depth + 1 == path.size();
    std::string result;
    std::string changed;
    if (node.kind() == JsonKind::object) {
        std::vector<JsonMember> members = members_of(node);
        const auto found = std::find_if(members.begin(), members.end(),
                                        [&](const JsonMember& m) { return m.first == path[depth]; });
        if (found == members.end()) {
            if (!last || edit == Edit::set || edit == Edit::remove) return std::string(node.bytes());
            members.emplace_back(path[depth], value);
        } else if (!last) {
            changed = edited(JsonView(found->second), path, depth + 1, edit, value);
            found->second = changed;
        } else if (edit == Edit::remove) {
            members.erase(found);
        } else if (edit == Edit::insert_before || edit == Edit::insert_after) {
            raise(sqlstate::invalid_parameter_value, "cannot replace existing key", "",
                  "Try using the function jsonb_set to replace key value.");
        } else {
            found->second = value;
        }
        json_append_object(members, result);
        return result;
    }
    if (node.kind() != JsonKind::array) return std::string(node.bytes());
    std::vector<std::string_view> elements = elements_of(node);
    const std::optional<std::int64_t> step = json_path_index(path[depth]);
    if (!step) {
        raise(sqlstate::invalid_text_representation, "path element at position " + std::to_string(depth + 1) +
                                                         " is not an integer: \"" + path[depth] + '"');
    }
    const std::int64_t size = static_cast<std::int64_t>(elements.size());
    std::int64_t index = *step < 0 ? *step + size : *step;
    const bool inside = index >= 0 && index < size;
    if (!last) {
        if (!inside) return std::string(node.bytes());
        changed = edited(JsonView(elements[static_cast<std::size_t>(index)]), path, depth + 1, edit, value);
        elements[static_cast<std::size_t>(index)] = changed;
    } else if (edit == Edit::remove) {
        if (!inside) return std::string(node.bytes());
        elements.erase(elements.begin() + index);
    } else if (edit == Edit::set || edit == Edit::create) {
        if (inside) {
            elements[static_cast<std::size_t>(index)] = value;
        } else if (edit == Edit::set) {
            return std::string(node.bytes());
        } else {
            elements.insert(index < 0 ? elements.begin() : elements.end(), value);
        }
    } else {
        index = std::clamp<std::int64_t>(index, -1, size);
        if (index < 0) {
            index = 0;
        } else if (edit == Edit::insert_after && index < size) {
            ++index;
        }
        elements.insert(elements.begin() + index, value);
    }
    json_append_array(elements, result);
    return result;
}

constexpr std::int64_t k_longest_gap = 10'000'000;

/// The node with a value put at path[depth...]; what is missing on the way is made, gaps of arrays are filled with
/// null.
std::string assigned(std::optional<JsonView> node, std::span<const Value> path, std::size_t depth,
                     std::string_view value) {
    if (depth == path.size()) return std::string(value);
    const Value& step = path[depth];
    const std::string key = step.type() == type::int4 ? std::to_string(step.integer()) : std::string(step.bytes());
    const std::optional<std::int64_t> position = json_path_index(key);
    const bool absent = !node;
    std::string result;
    if (!absent && node->is_scalar()) {
        raise(sqlstate::invalid_parameter_value, "cannot replace existing key",
              "The path assumes key is a composite object, but it is a scalar value.");
    }
    const bool array = absent ? (depth == 0 ? step.type() == type::int4 : position.has_value())
                              : node->kind() == JsonKind::array;
    if (!array) {
        std::vector<JsonMember> members = absent ? std::vector<JsonMember>() : members_of(*node);
        const auto found =
            std::find_if(members.begin(), members.end(), [&](const JsonMember& m) { return m.first == key; });
        const std::string changed =
            assigned(found == members.end() ? std::nullopt : std::optional<JsonView>(JsonView(found->second)), path,
                     depth + 1, value);
        if (found == members.end()) members.emplace_back(key, changed);
        else found->second = changed;
        json_append_object(members, result);
        return result;
    }
    if (!position) {
        raise(sqlstate::invalid_text_representation,
              "path element at position " + std::to_string(depth + 1) + " is not an integer: \"" + key + '"');
    }
    std::vector<std::string_view> elements = absent ? std::vector<std::string_view>() : elements_of(*node);
    const std::int64_t size = static_cast<std::int64_t>(elements.size());
    const std::int64_t index = *position < 0 ? *position + size : *position;
    if (index < 0) {
        raise(sqlstate::invalid_parameter_value,
              "path element at position " + std::to_string(depth + 1) + " is out of range: " + key);
    }
    if (index - size > k_longest_gap) raise(sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed");
    const std::string changed =
        assigned(index < size ? std::optional<JsonView>(JsonView(elements[static_cast<std::size_t>(index)]))
                              : std::nullopt,
                 path, depth + 1, value);
    std::string null;
    json_append_null(null);
    while (static_cast<std::int64_t>(elements.size()) <= index) elements.push_back(null);
    elements[static_cast<std::size_t>(index)] = changed;
    json_append_array(elements, result);
    return result;
}

std::vector<std::string> path_of(const Value& value) {
    const ArrayView view(value);
    Arena arena;
    if (view.dimensions().size() > 1)
        raise(sqlstate::array_subscript_error, "wrong number of array subscripts");
    std::vector<std::string> path;
    for (std::size_t i = 0; i < view.size(); ++i) {
        if (view.is_null(i)) {
            raise(sqlstate::null_value_not_allowed,
                  "path element at position " + std::to_string(i + 1) + " is null");
        }
        path.emplace_back(view.element(i, arena).bytes());
    }
    return path;
}

Value apply(Call& call, const Value* a, Edit edit, std::string_view value, const char* verb) {
    const JsonView node(a[0].bytes());
    const std::vector<std::string> path = path_of(a[1]);
    if (node.is_scalar()) invalid(std::string("cannot ") + verb + " in scalar");
    if (path.empty() || (node.size() == 0 && (edit == Edit::set || edit == Edit::remove))) return a[0];
    check_json_depth(JsonView(value), path.size());
    return Value::jsonb(call.arena.copy(edited(node, path, 0, edit, value)));
}

std::string without_nulls(JsonView node) {
    std::string result;
    if (node.kind() == JsonKind::object) {
        std::vector<std::string> kept;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < node.size(); ++i) {
            if (node.value(i).kind() == JsonKind::null) continue;
            kept.push_back(without_nulls(node.value(i)));
            places.push_back(i);
        }
        std::vector<JsonMember> members;
        for (std::size_t i = 0; i < kept.size(); ++i) members.emplace_back(node.key(places[i]), kept[i]);
        json_append_object(members, result);
        return result;
    }
    if (node.kind() == JsonKind::array) {
        std::vector<std::string> kept;
        for (std::size_t i = 0; i < node.size(); ++i) kept.push_back(without_nulls(node.element(i)));
        json_append_array({kept.begin(), kept.end()}, result);
        return result;
    }
    return std::string(node.bytes());
}

Value without_keys(Call& call, const Value& from, const std::function<bool(std::string_view)>& drop) {
    const JsonView node(from.bytes());
    if (node.is_scalar()) invalid("cannot delete from scalar");
    std::string result;
    if (node.kind() == JsonKind::object) {
        std::vector<JsonMember> members = members_of(node);
        std::erase_if(members, [&](const JsonMember& member) { return drop(member.first); });
        json_append_object(members, result);
    } else {
        std::vector<std::string_view> elements = elements_of(node);
        std::erase_if(elements, [&](std::string_view element) {
            const JsonView view(element);
            return view.kind() == JsonKind::string && drop(view.string());
        });
        json_append_array(elements, result);
    }
    return Value::jsonb(call.arena.copy(result));
}

}  // namespace json_edit_file

std::optional<std::int64_t> json_path_index(std::string_view step) {
    std::int32_t index = 0;
    if (!step.empty() && step[0] == '+') step.remove_prefix(1);
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
    if (error != std::errc() || end != step.data() + step.size()) return std::nullopt;
    return index;
}

Value jsonb_set(Call& call, const Value* a, std::size_t) {
    using namespace json_edit_file;
    return apply(call, a, a[3].boolean() ? Edit::create : Edit::set, a[2].bytes(), "set path");
}

Value jsonb_insert(Call& call, const Value* a, std::size_t) {
    using namespace json_edit_file;
    return apply(call, a, a[3].boolean() ? Edit::insert_after : Edit::insert_before, a[2].bytes(),
                 "set path");
}

Value jsonb_delete_path(Call& call, const Value* a, std::size_t) {
    return json_edit_file::apply(call, a, json_edit_file::Edit::remove, {}, "delete path");
}

Value jsonb_delete_key(Call& call, const Value* a, std::size_t) {
    return json_edit_file::without_keys(call, a[0],
                                        [&](std::string_view key) { return key == a[1].bytes(); });
}

Value jsonb_delete_keys(Call& call, const Value* a, std::size_t) {
    const ArrayView keys(a[1]);
    if (keys.dimensions().size() > 1) raise(sqlstate::array_subscript_error, "wrong number of array subscripts");
    return json_edit_file::without_keys(call, a[0], [&](std::string_view key) {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (!keys.is_null(i) && keys.element(i, call.arena).bytes() == key) return true;
        }
        return false;
    });
}

Value jsonb_delete_index(Call& call, const Value* a, std::size_t) {
    using namespace json_edit_file;
    const JsonView node(a[0].bytes());
    if (node.is_scalar()) invalid("cannot delete from scalar");
    if (node.kind() == JsonKind::object) invalid("cannot delete from object using integer index");
    std::vector<std::string_view> elements = elements_of(node);
    const std::int64_t size = static_cast<std::int64_t>(elements.size());
    const std::int64_t index = a[1].integer() < 0 ? a[1].integer() + size : a[1].integer();
    if (index < 0 || index >= size) return a[0];
    elements.erase(elements.begin() + index);
    std::string result;
    json_append_array(elements, result);
    return Value::jsonb(call.arena.copy(result));
}

Value jsonb_concatenate(Call& call, const Value* a, std::size_t) {
    using namespace json_edit_file;
    const JsonView left(a[0].bytes());
    const JsonView right(a[1].bytes());
    std::string result;
    if (left.kind() == JsonKind::object && right.kind() == JsonKind::object) {
        std::vector<JsonMember> members = members_of(left);
        for (const JsonMember& member : members_of(right)) members.push_back(member);
        json_append_object(members, result);
    } else {
        // What is no array counts as an array of itself.
        std::vector<std::string_view> elements;
        for (const JsonView& side : {left, right}) {
            if (side.kind() == JsonKind::array) {
                for (const std::string_view element : elements_of(side)) elements.push_back(element);
            } else {
                check_json_depth(side, 1);
                elements.push_back(side.bytes());
            }
        }
        json_append_array(elements, result);
    }
    return Value::jsonb(call.arena.copy(result));
}

Value jsonb_subscript_assign(Call& call, const Value* a, std::size_t count) {
    for (std::size_t i = 2; i < count; ++i)
        if (a[i].is_null())
            raise(sqlstate::null_value_not_allowed, "jsonb subscript in assignment must not be null");
    std::string value;
    if (a[1].is_null()) json_append_null(value);
    else value = a[1].bytes();
    check_json_depth(JsonView(value), count - 2);
    const std::optional<JsonView> document =
        a[0].is_null() ? std::nullopt : std::optional<JsonView>(JsonView(a[0].bytes()));
    return Value::jsonb(
        call.arena.copy(json_edit_file::assigned(document, std::span<const Value>(a + 2, count - 2), 0, value)));
}

Value jsonb_set_lax(Call& call, const Value* a, std::size_t) {
    if (a[0].is_null() || a[1].is_null() || a[3].is_null()) return Value::null(type::jsonb);
    const Value set[] = {a[0], a[1], a[2], a[3]};
    if (!a[2].is_null()) return jsonb_set(call, set, 4);
    if (a[4].is_null()) {
        raise(sqlstate::invalid_parameter_value,
              "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or "
              "\"raise_exception\"");
    }
    const std::string_view treatment = a[4].bytes();
    if (treatment == "raise_exception") {
        raise(sqlstate::null_value_not_allowed, "JSON value must not be null",
              "Exception was raised because null_value_treatment is \"raise_exception\".",
              "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.");
    }
    if (treatment == "return_target") return a[0];
    if (treatment == "delete_key") return jsonb_delete_path(call, set, 2);
    if (treatment != "use_json_null") {
        raise(sqlstate::invalid_parameter_value,
              "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or "
              "\"raise_exception\"");
    }
    std::string null;
    json_append_null(null);
    const Value with_null[] = {a[0], a[1], Value::jsonb(null), a[3]};
    return jsonb_set(call, with_null, 4);
}

Value jsonb_strip_nulls(Call& call, const Value* a, std::size_t) {
    return Value::jsonb(call.arena.copy(json_edit_file::without_nulls(JsonView(a[0].bytes()))));
}

}  // namespace northstar::inline v0::sql
