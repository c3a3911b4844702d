// json(b)_populate_record(set) and json(b)_to_record(set): objects as rows of a composite type.

#include "sql/array.hpp"
#include "sql/error.hpp"
#include "sql/jsonb.hpp"
#include "sql/record.hpp"
#include "sql/registry.hpp"
#include "sql/text_io.hpp"

#include <optional>

namespace northstar::inline v0::sql {

namespace json_record_file {

[[noreturn]] void cannot_call(const char* function, const char* what) {
    raise(sqlstate::invalid_parameter_value, std::string("cannot call ") + function + " on " + what);
}

/// The fields wanted, and the values of those that the object does not have.
struct Row {
    Oid type = type::record;
    std::vector<std::string> names;
    std::vector<FieldInfo> fields;
    std::vector<Value> values;  ///< empty: NULLs
};

class Reader {
public:
    explicit Reader(Call& call) : call_(call) {}

    Value row(const Row& row, const JsonTextParts& object) {
        std::vector<Value> values;
        for (std::size_t i = 0; i < row.fields.size(); ++i) {
            const FieldInfo& field = row.fields[i];
            std::optional<std::string_view> text;
            for (const JsonTextPart& part : object.parts) {
                if (part.key == field.name) text = part.value;  // the last one counts
            }
            if (!text) values.push_back(row.values.empty() ? Value::null(field.type) : row.values[i]);
            else
                values.push_back(
                    value(field.type, field.typmod, *text, row.values.empty() ? nullptr : &row.values[i]));
        }
        return make_record(row.type, values, call_.arena);
    }

private:
    /// `before`: what the record has in this place; a record there keeps the fields that the text does not have.
    Value value(Oid wanted, std::int32_t typmod, std::string_view text, const Value* before = nullptr) {
        const JsonKind kind = json_text_kind(text);
        if (kind == JsonKind::null) return Value::null(wanted);
        const TypeInfo& info = type_info(wanted, call_.session.types);
        if (wanted == type::json || wanted == type::jsonb)
            return value_from_text(wanted, typmod, text, call_.arena, call_.session);
        if (info.form == Form::record && kind != JsonKind::string) return composite(wanted, kind, text, before);
        if (info.form == Form::array && kind != JsonKind::string) return array(info, typmod, text);
        const std::string plain = kind == JsonKind::string ? json_unescape(text) : std::string(text);
        return value_from_text(wanted, typmod, plain, call_.arena, call_.session);
    }
    Value composite(Oid wanted, JsonKind kind, std::string_view text, const Value* before) {
        if (kind != JsonKind::object)
            cannot_call("populate_composite", kind == JsonKind::array ? "an array" : "a scalar");
        Row inner;
        inner.type = wanted;
        const std::span<const FieldInfo> fields = call_.session.types->fields(wanted);
        inner.fields.assign(fields.begin(), fields.end());
        if (before != nullptr && !before->is_null()) {
            const RecordView record(*before);
            for (std::size_t i = 0; i < fields.size(); ++i)
                inner.values.push_back(i < record.size() && !record.is_null(i) ? record.field(i, call_.arena)
                                                                               : Value::null(fields[i].type));
        }
        return row(inner, split_json(text));
    }
    Value array(const TypeInfo& info, std::int32_t typmod, std::string_view text) {
        std::vector<ArrayDimension> dimensions;
        for (std::string level(text); json_text_kind(level) == JsonKind::array;) {
            const JsonTextParts parts = split_json(level);
            if (dimensions.size() == k_max_array_dimensions)
                raise(sqlstate::program_limit_exceeded, "number of array dimensions exceeds the maximum allowed (6)");
            dimensions.push_back({static_cast<std::int32_t>(parts.parts.size()), 1});
            if (parts.parts.empty()) break;
            level = parts.parts[0].value;
        }
        if (dimensions.empty()) {
            raise(sqlstate::invalid_text_representation, "expected JSON array");
        }
        std::vector<Value> elements;
        collect(info.element, typmod, text, dimensions, 0, elements);
        if (elements.empty()) return make_array(info.oid, info.element, elements, call_.arena);
        return make_array(info.oid, info.element, dimensions, elements, call_.arena);
    }
    void collect(Oid element, std::int32_t typmod, std::string_view text, const std::vector<ArrayDimension>& dimensions,
                 std::size_t depth, std::vector<Value>& elements) {
        if (depth == dimensions.size()) {
            if (json_text_kind(text) == JsonKind::array && element != type::json && element != type::jsonb)
                malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
            elements.push_back(value(element, typmod, text));
            return;
        }
        const JsonTextParts parts = split_json(text);
        if (parts.kind != JsonKind::array) raise(sqlstate::invalid_text_representation, "expected JSON array");
        if (parts.parts.size() != static_cast<std::size_t>(dimensions[depth].length))
            malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
        for (const JsonTextPart& part : parts.parts)
            collect(element, typmod, part.value, dimensions, depth + 1, elements);
    }
    [[noreturn]] static void malformed(const char* detail) {
        raise(sqlstate::invalid_text_representation, "malformed JSON array", detail);
    }

    Call& call_;
};

/// What rows the call wants: those of its composite first argument, of the column definition list, or of the record
/// given.
Row wanted_row(Call& call, const Value* base, const char* function, bool set = false) {
    Row row;
    const TypeCatalog* types = call.session.types;
    if (base != nullptr && base->type() != type::record) {
        const std::span<const FieldInfo> fields =
            types != nullptr ? types->fields(base->type()) : std::span<const FieldInfo>();
        if (type_info(base->type(), types).form != Form::record) {
            raise(sqlstate::datatype_mismatch,
                  std::string("first argument of ") + function + " must be a row type");
        }
        row.type = base->type();
        row.fields.assign(fields.begin(), fields.end());
    } else {
        row.fields.assign(call.result_fields.begin(), call.result_fields.end());
    }
    if (base == nullptr || base->is_null()) {
        if (row.fields.empty() && row.type == type::record) {
            if (set) {
                raise(sqlstate::feature_not_supported,
                      "function returning record called in context that cannot accept type record");
            }
            raise(sqlstate::feature_not_supported,
                  std::string("could not determine row type for result of ") + function, {},
                  "Provide a non-null record argument, or call the function in the FROM clause using a column "
                  "definition list.");
        }
        return row;
    }
    const RecordView view(*base);
    if (row.fields.empty()) {
        const std::vector<std::string_view> names = view.names();
        for (std::size_t i = 0; i < view.size(); ++i)
            row.names.push_back(i < names.size() ? std::string(names[i]) : 'f' + std::to_string(i + 1));
        for (std::size_t i = 0; i < view.size(); ++i)
            row.fields.push_back({row.names[i], view.type(i), k_no_typmod});
    }
    const bool fits = row.fields.size() == view.size();
    for (std::size_t i = 0; i < row.fields.size() && base->type() == type::record; ++i) {
        if (fits && row.fields[i].type == view.type(i)) continue;
        raise(sqlstate::datatype_mismatch, "function return row and query-specified return row do not match");
    }
    for (std::size_t i = 0; i < row.fields.size(); ++i)
        row.values.push_back(i < view.size() ? view.field(i, call.arena) : Value::null(row.fields[i].type));
    return row;
}

std::string json_text_of(const Value& value) {
    if (value.type() != type::jsonb) return std::string(value.bytes());
    std::string text;
    jsonb_to_text(JsonView(value.bytes()), text);
    return text;
}

const char* kind_of(JsonKind kind) {
    return kind == JsonKind::array ? "an array" : kind == JsonKind::object ? "an object" : "a scalar";
}

template <class Name>
Value populate(Call& call, const Value* a, std::size_t) {
    const Row row = wanted_row(call, a, Name::text);
    if (a[1].is_null()) return a[0];
    const std::string text = json_text_of(a[1]);
    const JsonTextParts object = split_json(text);
    if (object.kind != JsonKind::object) cannot_call(Name::text, kind_of(object.kind));
    return Reader(call).row(row, object);
}

template <class Name>
Value to_record(Call& call, const Value* a, std::size_t) {
    const Row row = wanted_row(call, nullptr, Name::text);
    const std::string text = json_text_of(a[0]);
    const JsonTextParts object = split_json(text);
    if (object.kind != JsonKind::object) cannot_call(Name::text, kind_of(object.kind));
    return Reader(call).row(row, object);
}

void all_rows(Call& call, const Row& row, const Value& document, const char* function, RowSink& rows) {
    const std::string text = json_text_of(document);
    const JsonTextParts array = split_json(text);
    if (array.kind != JsonKind::array) cannot_call(function, kind_of(array.kind));
    Reader reader(call);
    for (const JsonTextPart& element : array.parts) {
        const std::string object(element.value);
        if (json_text_kind(object) != JsonKind::object) {
            raise(sqlstate::invalid_parameter_value,
                  std::string("argument of ") + function + " must be an array of objects");
        }
        const Value value = reader.row(row, split_json(object));
        if (!rows.row({&value, 1})) return;
    }
}

template <class Name>
void populate_set(Call& call, const Value* a, std::size_t, RowSink& rows) {
    const Row row = wanted_row(call, a, Name::text, true);
    if (!a[1].is_null()) all_rows(call, row, a[1], Name::text, rows);
}

template <class Name>
void to_record_set(Call& call, const Value* a, std::size_t, RowSink& rows) {
    all_rows(call, wanted_row(call, nullptr, Name::text, true), a[0], Name::text, rows);
}

struct JsonPopulate { static constexpr const char* text = "json_populate_record"; };
struct JsonbPopulate { static constexpr const char* text = "jsonb_populate_record"; };
struct JsonPopulateSet { static constexpr const char* text = "json_populate_recordset"; };
struct JsonbPopulateSet { static constexpr const char* text = "jsonb_populate_recordset"; };
struct JsonRecord { static constexpr const char* text = "json_to_record"; };
struct JsonbRecord { static constexpr const char* text = "jsonb_to_record"; };
struct JsonRecordSet { static constexpr const char* text = "json_to_recordset"; };
struct JsonbRecordSet { static constexpr const char* text = "jsonb_to_recordset"; };

constexpr FunctionSource k_functions[] = {
    {"json_populate_record(anyelement,json,bool) anyelement nonstrict stable "
     "names=base,from_json,use_json_as_text defaults=false",
     &populate<JsonPopulate>},
    {"jsonb_populate_record(anyelement,jsonb) anyelement nonstrict stable", &populate<JsonbPopulate>},
    {"json_populate_recordset(anyelement,json,bool) anyelement nonstrict stable "
     "names=base,from_json,use_json_as_text defaults=false",
     &populate_set<JsonPopulateSet>},
    {"jsonb_populate_recordset(anyelement,jsonb) anyelement nonstrict stable", &populate_set<JsonbPopulateSet>},
    {"json_to_record(json) record stable", &to_record<JsonRecord>},
    {"jsonb_to_record(jsonb) record stable", &to_record<JsonbRecord>},
    {"json_to_recordset(json) record stable", &to_record_set<JsonRecordSet>},
    {"jsonb_to_recordset(jsonb) record stable", &to_record_set<JsonbRecordSet>},
};

}  // namespace json_record_file

std::span<const FunctionSource> json_record_functions() { return json_record_file::k_functions; }

}  // namespace northstar::inline v0::sql
