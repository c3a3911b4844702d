// Operators and functions of arrays, and the series that make rows.

#include "sql/array.hpp"
#include "sql/compare.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"
#include "sql/text_io.hpp"
#include "sql/utf8.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace array_functions_file {

Oid element_type_of(const Call& call, Oid array_type) {
    return type_info(array_type, call.session.types).element;
}

bool same(const Value& a, const Value& b) {
    return a.is_null() || b.is_null() ? a.is_null() && b.is_null() : equal_values(a, b);
}

/// The array with one element more, in front or behind.
Value extended(Call& call, const Value& array, const Value& element, bool front) {
    const Oid type = element_type_of(call, call.result_type);
    std::vector<Value> elements;
    ArrayDimension dimension{0, 1};
    if (!array.is_null()) {
        const ArrayView view(array);
        if (view.dimensions().size() > 1)
            raise(sqlstate::data_exception, "argument must be empty or one-dimensional array");
        elements = array_elements(view, call.arena);
        if (!view.dimensions().empty()) dimension.lower = view.dimensions()[0].lower;
    }
    elements.insert(front ? elements.begin() : elements.end(), element);
    dimension.length = static_cast<std::int32_t>(elements.size());
    return make_array(call.result_type, type, {&dimension, 1}, elements, call.arena);
}
Value append(Call& call, const Value* a, std::size_t) { return extended(call, a[0], a[1], false); }
Value prepend(Call& call, const Value* a, std::size_t) { return extended(call, a[1], a[0], true); }

Value concatenate(Call& call, const Value* a, std::size_t) {
    if (a[0].is_null() || a[1].is_null()) return a[0].is_null() ? a[1] : a[0];
    const ArrayView left(a[0]);
    const ArrayView right(a[1]);
    if (left.size() == 0) return a[1];
    if (right.size() == 0) return a[0];
    const auto l = left.dimensions();
    const auto r = right.dimensions();
    const auto incompatible = []() {
        raise(sqlstate::array_subscript_error, "cannot concatenate incompatible arrays");
    };
    std::vector<ArrayDimension> dimensions;
    const auto same_shape = [](std::span<const ArrayDimension> x, std::span<const ArrayDimension> y) {
        return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                          [](auto p, auto q) { return p.length == q.length && p.lower == q.lower; });
    };
    if (l.size() == r.size()) {
        if (!same_shape(l.subspan(1), r.subspan(1))) incompatible();
        dimensions.assign(l.begin(), l.end());
        dimensions[0].length += r[0].length;
    } else if (l.size() + 1 == r.size()) {
        if (!same_shape(l, r.subspan(1))) incompatible();
        dimensions.assign(r.begin(), r.end());
        ++dimensions[0].length;
    } else if (l.size() == r.size() + 1) {
        if (!same_shape(l.subspan(1), r)) incompatible();
        dimensions.assign(l.begin(), l.end());
        ++dimensions[0].length;
    } else {
        incompatible();
    }
    std::vector<Value> elements = array_elements(left, call.arena);
    for (const Value& element : array_elements(right, call.arena)) elements.push_back(element);
    return make_array(call.result_type, left.element_type(), dimensions, elements, call.arena);
}

const ArrayDimension* dimension_of(const ArrayView& view, std::int64_t number) {
    if (number < 1 || number > static_cast<std::int64_t>(view.dimensions().size())) return nullptr;
    return &view.dimensions()[static_cast<std::size_t>(number) - 1];
}
Value length(Call&, const Value* a, std::size_t) {
    const ArrayView view(a[0]);
    const ArrayDimension* dimension = dimension_of(view, a[1].integer());
    return dimension == nullptr ? Value::null(type::int4) : Value::int4(dimension->length);
}
Value lower(Call&, const Value* a, std::size_t) {
    const ArrayView view(a[0]);
    const ArrayDimension* dimension = dimension_of(view, a[1].integer());
    return dimension == nullptr ? Value::null(type::int4) : Value::int4(dimension->lower);
}
Value upper(Call&, const Value* a, std::size_t) {
    const ArrayView view(a[0]);
    const ArrayDimension* dimension = dimension_of(view, a[1].integer());
    return dimension == nullptr ? Value::null(type::int4)
                                : Value::int4(dimension->lower + dimension->length - 1);
}
Value ndims(Call&, const Value* a, std::size_t) {
    const std::size_t count = ArrayView(a[0]).dimensions().size();
    return count == 0 ? Value::null(type::int4) : Value::int4(static_cast<std::int64_t>(count));
}
Value dims(Call& call, const Value* a, std::size_t) {
    const ArrayView view(a[0]);
    if (view.dimensions().empty()) return Value::null(type::text);
    std::string text;
    for (const ArrayDimension& dimension : view.dimensions()) {
        text += '[' + std::to_string(dimension.lower) + ':' +
                std::to_string(dimension.lower + dimension.length - 1) + ']';
    }
    return Value::text(call.arena.copy(text));
}
Value cardinality(Call&, const Value* a, std::size_t) {
    return Value::int4(static_cast<std::int64_t>(ArrayView(a[0]).size()));
}

void one_dimension(const ArrayView& view, const char* what) {
    if (view.dimensions().size() > 1) {
        raise(sqlstate::feature_not_supported,
              std::string(what) + " in multidimensional arrays is not supported");
    }
}
Value position(Call& call, const Value* a, std::size_t count) {
    if (a[0].is_null()) return Value::null(type::int4);
    const ArrayView view(a[0]);
    one_dimension(view, "searching for elements");
    bool any_null = false;
    for (std::size_t i = 0; i < view.size() && !any_null; ++i) any_null = view.is_null(i);
    if (a[1].is_null() && !any_null) return Value::null(type::int4);
    if (count > 2 && a[2].is_null())
        raise(sqlstate::null_value_not_allowed, "initial position must not be null");
    const std::int64_t lower_bound = view.dimensions().empty() ? 1 : view.dimensions()[0].lower;
    for (std::size_t i = 0; i < view.size(); ++i) {
        const std::int64_t place = lower_bound + static_cast<std::int64_t>(i);
        if (count > 2 && place < a[2].integer()) continue;
        if (same(view.element(i, call.arena), a[1])) return Value::int4(place);
    }
    return Value::null(type::int4);
}
Value positions(Call& call, const Value* a, std::size_t) {
    if (a[0].is_null()) return Value::null(call.result_type);
    const ArrayView view(a[0]);
    one_dimension(view, "searching for elements");
    std::vector<Value> places;
    for (std::size_t i = 0; i < view.size(); ++i) {
        if (same(view.element(i, call.arena), a[1]))
            places.push_back(Value::int4(view.dimensions()[0].lower + static_cast<std::int64_t>(i)));
    }
    return make_array(type::int4_array, type::int4, places, call.arena);
}
Value remove(Call& call, const Value* a, std::size_t) {
    if (a[0].is_null()) return a[0];
    const ArrayView view(a[0]);
    one_dimension(view, "removing elements");
    std::vector<Value> kept;
    for (const Value& element : array_elements(view, call.arena)) {
        if (!same(element, a[1])) kept.push_back(element);
    }
    if (kept.size() == view.size()) return a[0];
    const ArrayDimension dimension{static_cast<std::int32_t>(kept.size()), view.dimensions()[0].lower};
    return make_array(call.result_type, view.element_type(), {&dimension, 1}, kept, call.arena);
}
Value replace(Call& call, const Value* a, std::size_t) {
    if (a[0].is_null()) return a[0];
    const ArrayView view(a[0]);
    std::vector<Value> elements = array_elements(view, call.arena);
    for (Value& element : elements) {
        if (same(element, a[1])) element = a[2];
    }
    return make_array(call.result_type, view.element_type(), view.dimensions(), elements, call.arena);
}
Value trim(Call& call, const Value* a, std::size_t) {
    const ArrayView view(a[0]);
    const std::int64_t size = view.dimensions().empty() ? 0 : view.dimensions()[0].length;
    if (a[1].integer() < 0 || a[1].integer() > size) {
        raise(sqlstate::array_subscript_error,
              "number of elements to trim must be between 0 and " + std::to_string(size));
    }
    if (a[1].integer() == size) return make_array(call.result_type, view.element_type(), {}, call.arena);
    Subscript subscript;
    subscript.slice = subscript.has_upper = true;
    subscript.upper = static_cast<std::int32_t>(view.dimensions()[0].lower + size - 1 - a[1].integer());
    return array_get(a[0], {&subscript, 1}, call.result_type, call.arena);
}
Value fill(Call& call, const Value* a, std::size_t count) {
    if (a[1].is_null() || (count > 2 && a[2].is_null())) {
        raise(sqlstate::null_value_not_allowed, "dimension array or low bound array cannot be null");
    }
    const ArrayView sizes(a[1]);
    const std::vector<Value> lengths = array_elements(sizes, call.arena);
    std::vector<Value> bounds;
    if (count > 2) bounds = array_elements(ArrayView(a[2]), call.arena);
    const Oid type = element_type_of(call, call.result_type);
    if (sizes.dimensions().size() > 1)
        raise(sqlstate::array_subscript_error, "wrong number of array subscripts",
              "Dimension array must be one dimensional.");
    for (const std::vector<Value>& given : {lengths, bounds})
        for (const Value& value : given)
            if (value.is_null()) raise(sqlstate::null_value_not_allowed, "dimension values cannot be null");
    if (count > 2 && bounds.size() != lengths.size()) {
        raise(sqlstate::array_subscript_error, "wrong number of array subscripts",
              "Low bound array has different size than dimensions array.");
    }
    if (lengths.size() > k_max_array_dimensions) {
        raise(sqlstate::program_limit_exceeded, "number of array dimensions (" +
                                                    std::to_string(lengths.size()) +
                                                    ") exceeds the maximum allowed (6)");
    }
    std::vector<ArrayDimension> dimensions;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        dimensions.push_back({static_cast<std::int32_t>(lengths[i].integer()),
                              count > 2 ? static_cast<std::int32_t>(bounds[i].integer()) : 1});
        if (lengths[i].integer() < 0)
            raise(sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed (134217727)");
        if (lengths[i].integer() == 0) return make_array(call.result_type, type, {}, call.arena);
    }
    const std::vector<Value> elements(array_size(dimensions), a[0]);
    return make_array(call.result_type, type, dimensions, elements, call.arena);
}

Value to_text(Call& call, const Value* a, std::size_t count) {
    if (a[0].is_null() || a[1].is_null()) return Value::null(type::text);
    std::string text;
    bool first = true;
    for (const Value& element : array_elements(ArrayView(a[0]), call.arena)) {
        if (element.is_null() && (count < 3 || a[2].is_null())) continue;
        if (!first) text += a[1].bytes();
        first = false;
        if (element.is_null()) {
            text += a[2].bytes();
        } else {
            value_to_text(element, text, call.session);
        }
        check_piece(text.size());
    }
    return Value::text(call.arena.copy(text));
}
/// The parts of a text: between separators, its characters (separator NULL), or itself (separator empty).
std::vector<Value> parts_of(const Value* a, std::size_t count) {
    std::vector<Value> parts;
    const std::string_view text = a[0].bytes();
    const auto add = [&](std::string_view part) {
        const bool is_null = count > 2 && !a[2].is_null() && a[2].bytes() == part;
        parts.push_back(is_null ? Value::null(type::text) : Value::text(part));
    };
    if (text.empty()) return parts;
    if (a[1].is_null()) {
        for (std::size_t at = 0; at < text.size(); at += utf8_size(text, at))
            add(text.substr(at, utf8_size(text, at)));
        return parts;
    }
    const std::string_view separator = a[1].bytes();
    std::size_t at = 0;
    if (!separator.empty()) {
        for (std::size_t found = 0; (found = text.find(separator, at)) != std::string_view::npos;
             at = found + separator.size()) {
            add(text.substr(at, found - at));
        }
    }
    add(text.substr(at));
    return parts;
}
Value from_text(Call& call, const Value* a, std::size_t count) {
    if (a[0].is_null()) return Value::null(call.result_type);
    return make_array(type::text_array, type::text, parts_of(a, count), call.arena);
}
void table_from_text(Call&, const Value* a, std::size_t count, RowSink& rows) {
    if (a[0].is_null()) return;
    for (const Value& part : parts_of(a, count)) {
        if (!rows.row({&part, 1})) return;
    }
}

/// Whether every element of `part` that is not NULL is in `whole`.
bool contains_all(const Value& whole, const Value& part, Arena& arena) {
    const std::vector<Value> elements = array_elements(ArrayView(whole), arena);
    for (const Value& wanted : array_elements(ArrayView(part), arena)) {
        const bool found =
            !wanted.is_null() && std::any_of(elements.begin(), elements.end(), [&](const Value& element) {
                return !element.is_null() && equal_values(element, wanted);
            });
        if (!found) return false;
    }
    return true;
}
Value contains(Call& call, const Value* a, std::size_t) {
    return Value::boolean(contains_all(a[0], a[1], call.arena));
}
Value contained(Call& call, const Value* a, std::size_t) {
    return Value::boolean(contains_all(a[1], a[0], call.arena));
}
Value overlap(Call& call, const Value* a, std::size_t) {
    const std::vector<Value> left = array_elements(ArrayView(a[0]), call.arena);
    for (const Value& wanted : array_elements(ArrayView(a[1]), call.arena)) {
        if (wanted.is_null()) continue;
        for (const Value& element : left) {
            if (!element.is_null() && equal_values(element, wanted)) return Value::boolean(true);
        }
    }
    return Value::boolean(false);
}

// ---- series ----

void unnest(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const ArrayView view(a[0]);
    for (std::size_t i = 0; i < view.size(); ++i) {
        const Value element = view.element(i, call.arena);
        if (!rows.row({&element, 1})) return;
    }
}
void subscripts(Call&, const Value* a, std::size_t count, RowSink& rows) {
    const ArrayView view(a[0]);
    const ArrayDimension* dimension = dimension_of(view, a[1].integer());
    if (dimension == nullptr) return;
    const bool backwards = count > 2 && a[2].boolean();
    for (std::int32_t i = 0; i < dimension->length; ++i) {
        const Value place = Value::int4(dimension->lower + (backwards ? dimension->length - 1 - i : i));
        if (!rows.row({&place, 1})) return;
    }
}
[[noreturn]] void zero_step() { raise(sqlstate::invalid_parameter_value, "step size cannot equal zero"); }

void integer_series(Call& call, const Value* a, std::size_t count, RowSink& rows) {
    const std::int64_t step = count > 2 ? a[2].integer() : 1;
    if (step == 0) zero_step();
    for (Int128 value = a[0].integer(); step > 0 ? value <= a[1].integer() : value >= a[1].integer();
         value += step) {
        const Value row = Value::integer(call.result_type, static_cast<std::int64_t>(value));
        if (!rows.row({&row, 1})) return;
    }
}
void numeric_series(Call& call, const Value* a, std::size_t count, RowSink& rows) {
    const Numeric step = count > 2 ? a[2].numeric() : Numeric::of(1);
    const auto check = [](const Numeric& value, const char* what) {
        if (value.is_nan()) raise(sqlstate::invalid_parameter_value, std::string(what) + " cannot be NaN");
        if (value.is_infinite())
            raise(sqlstate::invalid_parameter_value, std::string(what) + " cannot be infinity");
    };
    check(a[0].numeric(), "start value");
    check(a[1].numeric(), "stop value");
    check(step, "step size");
    if (step.sign() == 0) zero_step();
    Numeric value = a[0].numeric();
    while (step.sign() > 0 ? numeric_compare(value, a[1].numeric()) <= 0
                           : numeric_compare(value, a[1].numeric()) >= 0) {
        const Value row = Value::numeric(value);
        if (!rows.row({&row, 1})) return;
        value = numeric_add(value, step, call.arena);
    }
}
void time_series(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const Interval& step = a[2].interval();
    const int direction = interval_compare(step, Interval{});
    if (direction == 0) zero_step();
    std::int64_t value = a[0].integer();
    while (direction > 0 ? value <= a[1].integer() : value >= a[1].integer()) {
        const Value row = Value::integer(call.result_type, value);
        if (!rows.row({&row, 1}) || !is_finite_timestamp(value)) return;
        value = call.result_type == type::timestamptz
                    ? timestamptz_add(value, step, call.session.settings.zone.get())
                    : timestamp_add(value, step);
    }
}

constexpr FunctionSource k_functions[] = {
    {"array_append(anycompatiblearray,anycompatible) anycompatiblearray nonstrict", &append},
    {"array_prepend(anycompatible,anycompatiblearray) anycompatiblearray nonstrict", &prepend},
    {"array_cat(anycompatiblearray,anycompatiblearray) anycompatiblearray nonstrict", &concatenate},
    {"array_length(anyarray,int4) int4", &length},
    {"array_lower(anyarray,int4) int4", &lower},
    {"array_upper(anyarray,int4) int4", &upper},
    {"array_ndims(anyarray) int4", &ndims},
    {"array_dims(anyarray) text", &dims},
    {"cardinality(anyarray) int4", &cardinality},
    {"array_position(anycompatiblearray,anycompatible) int4 nonstrict", &position},
    {"array_position(anycompatiblearray,anycompatible,int4) int4 nonstrict", &position},
    {"array_positions(anycompatiblearray,anycompatible) _int4 nonstrict", &positions},
    {"array_remove(anycompatiblearray,anycompatible) anycompatiblearray nonstrict", &remove},
    {"array_replace(anycompatiblearray,anycompatible,anycompatible) anycompatiblearray nonstrict", &replace},
    {"trim_array(anyarray,int4) anyarray", &trim},
    {"array_fill(anyelement,_int4) anyarray nonstrict", &fill},
    {"array_fill(anyelement,_int4,_int4) anyarray nonstrict", &fill},
    {"array_to_string(anyarray,text) text nonstrict stable", &to_text},
    {"array_to_string(anyarray,text,text) text nonstrict stable", &to_text},
    {"string_to_array(text,text) _text nonstrict", &from_text},
    {"string_to_array(text,text,text) _text nonstrict", &from_text},
    {"string_to_table(text,text) text nonstrict", &table_from_text},
    {"string_to_table(text,text,text) text nonstrict", &table_from_text},
    {"unnest(anyarray) anyelement", &unnest},
    {"generate_subscripts(anyarray,int4) int4", &subscripts},
    {"generate_subscripts(anyarray,int4,bool) int4", &subscripts},
    {"generate_series(int4,int4) int4", &integer_series},
    {"generate_series(int4,int4,int4) int4", &integer_series},
    {"generate_series(int8,int8) int8", &integer_series},
    {"generate_series(int8,int8,int8) int8", &integer_series},
    {"generate_series(numeric,numeric) numeric", &numeric_series},
    {"generate_series(numeric,numeric,numeric) numeric", &numeric_series},
    {"generate_series(timestamp,timestamp,interval) timestamp", &time_series},
    {"generate_series(timestamptz,timestamptz,interval) timestamptz stable", &time_series},
};

constexpr OperatorSource k_operators[] = {
    {"anycompatiblearray || anycompatible anycompatiblearray nonstrict", &append, "array_append"},
    {"anycompatible || anycompatiblearray anycompatiblearray nonstrict", &prepend, "array_prepend"},
    {"anycompatiblearray || anycompatiblearray anycompatiblearray nonstrict", &concatenate, "array_cat"},
    {"anyarray @> anyarray bool", &contains, "arraycontains"},
    {"anyarray <@ anyarray bool", &contained, "arraycontained"},
    {"anyarray && anyarray bool", &overlap, "arrayoverlap"},
};

}  // namespace array_functions_file

std::span<const FunctionSource> array_functions() { return array_functions_file::k_functions; }
std::span<const OperatorSource> array_operators() { return array_functions_file::k_operators; }

}  // namespace northstar::inline v0::sql
