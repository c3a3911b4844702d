#include "sql/text_io.hpp"

#include "sql/array.hpp"
#include "sql/cast.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/jsonb.hpp"
#include "sql/jsonpath.hpp"
#include "sql/range.hpp"
#include "sql/letter_case.hpp"
#include "sql/record.hpp"
#include "sql/network.hpp"
#include "sql/scalar_text.hpp"
#include "sql/utf8.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace text_io_file {

constexpr std::size_t k_name_length = 63;

/// Of a name that names nothing: raises 3F000 where its schema does not exist either.
void check_schema_of(std::string_view name, Session& session) {
    const std::size_t point = name.rfind('.');
    if (point == name.npos || name.find('"') != name.npos || session.types == nullptr) return;
    const std::string_view schema = name.substr(0, point);
    if (!session.types->object_oid(type::regnamespace, schema))
        raise(sqlstate::invalid_schema_name, "schema \"" + std::string(schema) + "\" does not exist");
}

Value object_from_text(Oid kind, std::string_view text, Session& session) {
    if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos)
        return Value::integer(kind, oid_from_text(text));
    if (text == "-") return Value::integer(kind, 0);
    if (kind == type::regtype) {
        std::string name(trim_blanks(text));
        bool array = false;
        if (name.size() > 2 && name.substr(name.size() - 2) == "[]") {
            name.resize(name.size() - 2);
            array = true;
        }
        // Modifiers are part of how a type is written, not of which one it is.
        if (const std::size_t open = name.find('('), close = name.find(')'); close != name.npos && open < close)
            name.erase(open, close + 1 - open);
        const bool quoted = name.find('"') != name.npos;
        if (!quoted)
            name.erase(std::unique(name.begin(), name.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
                       name.end());
        const std::string folded = quoted ? name : lower_case_text(name);
        const TypeInfo* info = find_builtin_type(folded.starts_with("pg_catalog.") ? folded.substr(11) : folded);
        if (info == nullptr && !quoted && trim_blanks(name).find(' ') != name.npos)
            raise(sqlstate::syntax_error, "\"" + std::string(text) + "\" is not the name of a type");
        if (info == nullptr && session.types != nullptr)
            if (const auto found = session.types->object_oid(kind, name)) info = &type_info(*found, session.types);
        if (info == nullptr) {
            check_schema_of(name, session);
            raise(sqlstate::undefined_object, "type \"" + std::string(text) + "\" does not exist");
        }
        return Value::integer(kind, array ? info->array : info->oid);
    }
    const std::optional<Oid> found =
        session.types != nullptr ? session.types->object_oid(kind, text) : std::nullopt;
    if (!found) {
        if (kind == type::regclass) {
            check_schema_of(text, session);
            raise(sqlstate::undefined_table, "relation \"" + std::string(text) + "\" does not exist");
        }
        if (kind == type::regnamespace)
            raise(sqlstate::invalid_schema_name, "schema \"" + std::string(text) + "\" does not exist");
        if (kind == type::regrole)
            raise(sqlstate::undefined_object, "role \"" + std::string(text) + "\" does not exist");
        raise(sqlstate::undefined_function, "function \"" + std::string(text) + "\" does not exist");
    }
    return Value::integer(kind, *found);
}

void object_to_text(const Value& value, std::string& out, Session& session) {
    const Oid oid = static_cast<Oid>(value.integer());
    if (oid == 0) {
        out += '-';
        return;
    }
    std::string name;
    if (value.type() == type::regtype) {
        name = format_type(oid, k_no_typmod, session.types);
        if (name == "???") name.clear();
    } else if (session.types != nullptr) {
        name = session.types->object_name(value.type(), oid);
    }
    out += name.empty() ? std::to_string(oid) : name;
}

/// int2vector and oidvector: numbers with blanks between, counted from 0.
Value vector_from_text(const TypeInfo& info, std::string_view text, Arena& arena, Session& session) {
    std::vector<Value> numbers;
    for (std::string_view rest = trim_blanks(text); !rest.empty(); rest = trim_blanks(rest)) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        numbers.push_back(value_from_text(info.element, k_no_typmod, rest.substr(0, end), arena, session));
        rest.remove_prefix(end);
    }
    const ArrayDimension dimension{static_cast<std::int32_t>(numbers.size()), 0};
    return make_array(info.oid, info.element, {&dimension, numbers.empty() ? std::size_t{0} : std::size_t{1}}, numbers,
                      arena);
}

void vector_to_text(const Value& value, std::string& out) {
    const ArrayView view(value);
    Arena arena;
    for (std::size_t i = 0; i < view.size(); ++i) {
        if (i > 0) out += ' ';
        integer_to_text(view.element(i, arena).integer(), out);
    }
}

}  // namespace text_io_file

void refuse_uncommitted_label(const EnumLabel& label, Oid type, Session& session) {
    if (!session.types->is_uncommitted_label(type, label.number)) return;
    raise(sqlstate::unsafe_new_enum_value_usage,
          "unsafe use of new value \"" + std::string(label.label) + "\" of enum type " +
              format_type(type, k_no_typmod, session.types),
          {}, "New enum values must be committed before they can be used.");
}

namespace text_io_file {

Value enum_from_text(const TypeInfo& info, std::string_view text, Session& session) {
    for (const EnumLabel& label : session.types->enum_labels(info.oid)) {
        if (label.label != text) continue;
        refuse_uncommitted_label(label, info.oid, session);
        return Value::integer(info.oid, label.number);
    }
    raise(sqlstate::invalid_text_representation,
          std::string("invalid input value for enum ") + info.name + ": \"" + std::string(text) + '"');
}

void enum_to_text(const Value& value, std::string& out, Session& session) {
    if (session.types != nullptr) {
        for (const EnumLabel& label : session.types->enum_labels(value.type())) {
            if (label.number == value.integer()) {
                out += label.label;
                return;
            }
        }
    }
    raise(sqlstate::data_corrupted, "enum label " + std::to_string(value.integer()) + " is unknown");
}

std::string_view check_bits(std::string_view text, Arena& arena) {
    if (!text.empty() && (text[0] == 'b' || text[0] == 'B')) text.remove_prefix(1);
    if (!text.empty() && (text[0] == 'x' || text[0] == 'X')) {
        std::string bits;
        for (const char c : text.substr(1)) {
            const char lower = static_cast<char>(c | 0x20);
            const int digit = c >= '0' && c <= '9'           ? c - '0'
                              : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                             : -1;
            if (digit < 0)
                raise(sqlstate::invalid_text_representation,
                      std::string("\"") + c + "\" is not a valid hexadecimal digit");
            for (int bit = 3; bit >= 0; --bit) bits += (digit >> bit & 1) != 0 ? '1' : '0';
        }
        return arena.copy(bits);
    }
    for (const char c : text) {
        if (c != '0' && c != '1')
            raise(sqlstate::invalid_text_representation,
                  std::string("\"") + c + "\" is not a valid binary digit");
    }
    return arena.copy(text);
}

Value read_scalar(const TypeInfo& info, std::int32_t typmod, std::string_view text, Arena& arena,
                  Session& session) {
    switch (info.oid) {
        case type::boolean:
            return Value::boolean(boolean_from_text(text));
        case type::int2:
            return Value::integer(type::int2, integer_from_text(text, 16));
        case type::int4:
            return Value::integer(type::int4, integer_from_text(text, 32));
        case type::int8:
        case type::xid8:
            return Value::integer(info.oid, integer_from_text(text, 64));
        case type::float4:
            return Value::float4(float4_from_text(text));
        case type::float8:
            return Value::float8(float8_from_text(text));
        case type::numeric:
            return Value::numeric(numeric_from_text(text, arena));
        case type::text:
        case type::varchar:
        case type::bpchar:
        case type::cstring:
        case type::unknown:
            return Value::bytes(info.oid, arena.copy(text));
        case type::name:
            return Value::bytes(info.oid, arena.copy(utf8_within(text, k_name_length)));
        case type::char_internal:
            return Value::bytes(info.oid, arena.copy(one_byte_from_text(text)));
        case type::bytea:
            return Value::bytes(info.oid, arena.copy(bytea_from_text(text)));
        case type::bit:
        case type::varbit:
            return Value::bytes(info.oid, check_bits(text, arena));
        case type::date:
            return Value::integer(type::date, date_from_text(text, session));
        case type::time:
            return Value::integer(type::time, time_from_text(text, typmod, session));
        case type::timetz:
            return Value::timetz(timetz_from_text(text, typmod, session));
        case type::timestamp:
            return Value::integer(type::timestamp, timestamp_from_text(text, typmod, session));
        case type::timestamptz:
            return Value::integer(type::timestamptz, timestamptz_from_text(text, typmod, session));
        case type::interval:
            return Value::interval(interval_from_text(text, typmod, session));
        case type::inet:
        case type::cidr:
            return Value::bytes(
                info.oid, arena.copy(network_to_bytes(network_from_text(text, info.oid == type::cidr))));
        case type::macaddr:
            return Value::bytes(type::macaddr, arena.copy(mac_from_text(text)));
        case type::uuid:
            return Value::uuid(uuid_from_text(text));
        case type::json:
            check_json(text);
            return Value::bytes(type::json, arena.copy(text));
        case type::jsonb:
            return Value::jsonb(arena.copy(jsonb_from_text(text)));
        case type::jsonpath:
            return Value::bytes(type::jsonpath, arena.copy(jsonpath_to_text(jsonpath_from_text(text))));
        case type::oid:
        case type::xid:
        case type::cid:
            return Value::integer(info.oid, oid_from_text(text));
        case type::regclass:
        case type::regproc:
        case type::regprocedure:
        case type::regtype:
        case type::regnamespace:
        case type::regrole:
            return object_from_text(info.oid, text, session);
        default:
            break;
    }
    if (info.type_kind == 'e' && session.types != nullptr) return enum_from_text(info, text, session);
    raise(sqlstate::feature_not_supported, std::string("cannot accept a value of type ") + info.sql_name);
}

}  // namespace text_io_file

Value value_from_text(Oid type, std::int32_t typmod, std::string_view text, Arena& arena, Session& session) {
    const TypeInfo& info = type_info(type, session.types);
    Value value;
    switch (info.form) {
        case Form::array:
            if (type == type::int2vector || type == type::oidvector)
                return text_io_file::vector_from_text(info, text, arena, session);
            return array_from_text(type, info.element, typmod, text, arena, session);
        case Form::range:
            return range_from_text(type, text, arena, session);
        case Form::record:
            return record_from_text(type, text, arena, session);
        default:
            value = text_io_file::read_scalar(info, typmod, text, arena, session);
    }
    return typmod == k_no_typmod ? value
                                 : apply_typmod(value, typmod, CastContext::assignment, arena, session);
}

void value_to_text(const Value& value, std::string& out, Session& session) {
    switch (value.form()) {
        case Form::boolean:
            out += value.boolean() ? 't' : 'f';
            return;
        case Form::integer:
            switch (value.type()) {
                case type::int2:
                case type::int4:
                case type::int8:
                case type::oid:
                case type::xid:
                case type::cid:
                case type::xid8:
                    integer_to_text(value.integer(), out);
                    return;
                case type::date:
                    date_to_text(value.integer(), out, session.settings);
                    return;
                case type::time:
                    time_to_text(value.integer(), out);
                    return;
                case type::timestamp:
                    timestamp_to_text(value.integer(), out, session.settings);
                    return;
                case type::timestamptz:
                    timestamptz_to_text(value.integer(), out, session.settings);
                    return;
                case type::regclass:
                case type::regproc:
                case type::regprocedure:
                case type::regtype:
                case type::regnamespace:
                case type::regrole:
                    text_io_file::object_to_text(value, out, session);
                    return;
                default:
                    text_io_file::enum_to_text(value, out, session);
                    return;
            }
        case Form::real:
            if (value.type() == type::float4) {
                float4_to_text(static_cast<float>(value.real()), out, session.settings.extra_float_digits);
            } else {
                float8_to_text(value.real(), out, session.settings.extra_float_digits);
            }
            return;
        case Form::numeric:
            numeric_to_text(value.numeric(), out);
            return;
        case Form::interval:
            interval_to_text(value.interval(), out, session.settings.interval_style);
            return;
        case Form::timetz:
            timetz_to_text(value.timetz(), out);
            return;
        case Form::uuid:
            uuid_to_text(value.uuid(), out);
            return;
        case Form::bytes:
            switch (value.type()) {
                case type::bytea: bytea_to_text(value.bytes(), out, session.settings.bytea_output); return;
                case type::char_internal: one_byte_to_text(value.bytes(), out); return;
                case type::inet:
                case type::cidr:
                    network_to_text(network_of_bytes(value.bytes()), value.type() == type::cidr, out);
                    return;
                case type::macaddr: mac_to_text(value.bytes(), out); return;
                default: out += value.bytes(); return;
            }
        case Form::jsonb:
            jsonb_to_text(JsonView(value.bytes()), out);
            return;
        case Form::array:
            if (value.type() == type::int2vector || value.type() == type::oidvector)
                text_io_file::vector_to_text(value, out);
            else array_to_text(value, out, session);
            return;
        case Form::range:
            range_to_text(value, out, session);
            return;
        case Form::record:
            record_to_text(value, out, session);
            return;
        case Form::nothing:
            return;
    }
}

std::string value_to_text(const Value& value, Session& session) {
    std::string text;
    value_to_text(value, text, session);
    return text;
}

}  // namespace northstar::inline v0::sql
