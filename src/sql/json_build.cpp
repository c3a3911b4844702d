#include "sql/json_build.hpp"

#include "sql/array.hpp"
#include "sql/datetime.hpp"
#include "sql/record.hpp"
#include "sql/text_io.hpp"

namespace northstar::inline v0::sql {

namespace json_build_file {

/// The dimension `depth` of an array from element `index` on.
void append_dimension(const ArrayView& view, std::size_t depth, std::size_t& index, std::string& out,
                      Session& session, Arena& arena, bool lines) {
    out += '[';
    for (std::int32_t i = 0; i < view.dimensions()[depth].length; ++i) {
        if (i > 0) out += lines ? ",\n " : ",";
        if (depth + 1 < view.dimensions().size()) {
            append_dimension(view, depth + 1, index, out, session, arena, false);
        } else {
            append_json(view.element(index++, arena), out, session);
        }
    }
    out += ']';
}

void append_record(const Value& value, std::string& out, Session& session, bool lines) {
    const RecordView view(value);
    Arena arena;
    const std::span<const FieldInfo> fields =
        session.types != nullptr ? session.types->fields(value.type()) : std::span<const FieldInfo>();
    const std::vector<std::string_view> names = view.names();
    out += '{';
    for (std::size_t i = 0; i < view.size(); ++i) {
        if (i > 0) out += lines ? ",\n " : ",";
        if (i < fields.size()) json_escape(fields[i].name, out);
        else if (i < names.size()) json_escape(names[i], out);
        else json_escape('f' + std::to_string(i + 1), out);
        out += ':';
        append_json(view.field(i, arena), out, session);
    }
    out += '}';
}

}  // namespace json_build_file

void append_json(const Value& value, std::string& out, Session& session, bool lines) {
    if (value.is_null()) {
        out += "null";
        return;
    }
    std::string text;
    switch (value.form()) {
        case Form::boolean:
            out += value.boolean() ? "true" : "false";
            return;
        case Form::jsonb:
            jsonb_to_text(JsonView(value.bytes()), out);
            return;
        case Form::array: {
            const ArrayView view(value);
            Arena arena;
            std::size_t index = 0;
            if (view.size() == 0) {
                out += "[]";
            } else {
                json_build_file::append_dimension(view, 0, index, out, session, arena, lines);
            }
            return;
        }
        case Form::record:
            json_build_file::append_record(value, out, session, lines);
            return;
        case Form::integer:
            switch (value.type()) {
                case type::int2:
                case type::int4:
                case type::int8:
                    value_to_text(value, out, session);
                    return;
                case type::date:
                case type::timestamp:
                case type::timestamptz:
                    out += '"';
                    append_json_timestamp(value, out, session);
                    out += '"';
                    return;
                default:
                    break;
            }
            break;
        case Form::real:
        case Form::numeric: {
            value_to_text(value, text, session);
            const bool number = text.find_first_not_of("0123456789.+-eE") == std::string::npos;
            out += number ? text : '"' + text + '"';
            return;
        }
        case Form::bytes:
            if (value.type() == type::json) {
                out += value.bytes();
                return;
            }
            if (value.type() == type::text || value.type() == type::varchar) return json_escape(value.bytes(), out);
            break;
        default:
            break;
    }
    value_to_text(value, text, session);
    json_escape(text, out);
}

void append_jsonb(const Value& value, JsonbWriter& out, Session& session) {
    if (value.is_null()) return out.null();
    switch (value.form()) {
        case Form::boolean: return out.boolean(value.boolean());
        case Form::jsonb: return out.node(JsonView(value.bytes()));
        case Form::integer:
            if (value.type() == type::int2 || value.type() == type::int4 || value.type() == type::int8) {
                Arena arena;
                return out.number(numeric_from_int(value.integer(), arena));
            }
            break;
        case Form::bytes:
            if (value.type() == type::text || value.type() == type::varchar) return out.string(value.bytes());
            break;
        default: break;
    }
    std::string text;
    append_json(value, text, session);
    out.node(JsonView(jsonb_from_text(text)));
}

}  // namespace northstar::inline v0::sql
