#include "sql/cast.hpp"

#include "sql/array.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/record.hpp"
#include "sql/text_io.hpp"

namespace northstar::inline v0::sql {

namespace cast_file {

bool is_composite(const TypeInfo& info) { return info.form == Form::record; }

/// The direct casts, without arrays and text.
std::optional<CastPath> direct(Oid source, Oid target, CastContext context) {
    const CastEntry* entry = find_builtin_cast(source, target);
    if (entry == nullptr || entry->context > context) return std::nullopt;
    CastPath path;
    path.source = source;
    path.target = target;
    path.entry = entry;
    path.method = entry->body != nullptr ? CastMethod::function : CastMethod::relabel;
    return path;
}

/// Number of characters and bytes of the first `limit` characters of UTF-8.
std::size_t bytes_of_characters(std::string_view text, std::size_t limit, std::size_t& characters) {
    std::size_t at = 0;
    characters = 0;
    while (at < text.size() && characters < limit) {
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
        ++characters;
    }
    return at;
}

Value fit_string(const Value& value, std::int32_t length, CastContext context, Arena& arena) {
    const std::string_view text = value.bytes();
    const std::size_t limit = static_cast<std::size_t>(length);
    std::size_t characters = 0;
    const std::size_t kept = bytes_of_characters(text, limit, characters);
    const bool padded = value.type() == type::bpchar;
    if (kept < text.size()) {
        const bool only_blanks = text.find_first_not_of(' ', kept) == std::string_view::npos;
        if (!only_blanks && context != CastContext::explicit_) {
            raise(sqlstate::string_data_right_truncation, std::string("value too long for type ") +
                                                              (padded ? "character(" : "character varying(") +
                                                              std::to_string(length) + ')');
        }
        return Value::bytes(value.type(), text.substr(0, kept));
    }
    if (!padded || characters == limit) return value;
    char* to = arena.allocate(text.size() + limit - characters);
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    std::memset(to + text.size(), ' ', limit - characters);
    return Value::bytes(value.type(), {to, text.size() + limit - characters});
}

Value fit_bits(const Value& value, std::int32_t length, CastContext context, Arena& arena) {
    const std::string_view bits = value.bytes();
    const std::size_t limit = static_cast<std::size_t>(length);
    if (bits.size() == limit || (value.type() == type::varbit && bits.size() < limit)) return value;
    if (context != CastContext::explicit_) {
        if (value.type() == type::varbit) {
            raise(sqlstate::string_data_right_truncation,
                  "bit string too long for type bit varying(" + std::to_string(length) + ')');
        }
        raise(sqlstate::string_data_length_mismatch, "bit string length " + std::to_string(bits.size()) +
                                                         " does not match type bit(" +
                                                         std::to_string(length) + ')');
    }
    std::string result(bits.substr(0, limit));
    result.append(limit - result.size(), '0');
    return Value::bytes(value.type(), arena.copy(result));
}

Value apply_method(CastMethod method, const CastEntry* entry, const Value& value, Oid target, std::int32_t typmod,
                   Arena& arena, Session& session) {
    switch (method) {
        case CastMethod::none:
            return value;
        case CastMethod::relabel:
            return value.as(target);
        case CastMethod::function: {
            const Oid source[] = {value.type()};
            Call call{arena, session, target, typmod, source, nullptr};
            return entry->body(call, &value, 1);
        }
        case CastMethod::text: {
            std::string text;
            // Text from char(n) is without the blanks at its end.
            value_to_text(value, text, session);
            if (value.type() == type::bpchar) text.resize(text.find_last_not_of(' ') + 1);
            return value_from_text(target, k_no_typmod, text, arena, session);
        }
        case CastMethod::array:
            break;
    }
    raise(sqlstate::cannot_coerce, "cannot cast an array of arrays");
}

Value cast_array(const CastPath& path, const Value& value, std::int32_t typmod, CastContext context,
                 Arena& arena, Session& session) {
    const ArrayView view(value);
    const Oid element = type_info(path.target, session.types).element;
    std::vector<Value> elements;
    elements.reserve(view.size());
    for (std::size_t i = 0; i < view.size(); ++i) {
        Value item = view.element(i, arena);
        if (item.is_null()) {
            elements.push_back(Value::null(element));
            continue;
        }
        item = apply_method(path.element_method, path.element_entry, item, element, typmod, arena, session);
        elements.push_back(typmod == k_no_typmod ? item
                                                 : apply_typmod(item, typmod, context, arena, session));
    }
    return make_array(path.target, element, view.dimensions(), elements, arena);
}

/// A row to a composite type: field by field.
Value cast_record(const Value& value, Oid target, CastContext context, Arena& arena, Session& session) {
    const RecordView view(value);
    const std::span<const FieldInfo> fields =
        session.types != nullptr ? session.types->fields(target) : std::span<const FieldInfo>();
    if (target == type::record) return value.as(target);
    if (fields.size() != view.size()) {
        raise(sqlstate::cannot_coerce,
              "cannot cast type record to " + format_type(target, k_no_typmod, session.types),
              view.size() < fields.size() ? "Input has too few columns." : "Input has too many columns.");
    }
    std::vector<Value> values;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        values.push_back(
            cast_value(view.field(i, arena), fields[i].type, fields[i].typmod, context, arena, session));
    }
    return make_record(target, values, arena);
}

}  // namespace cast_file

std::optional<CastPath> find_cast(Oid source, Oid target, CastContext context, const TypeCatalog* catalog) {
    using namespace cast_file;
    CastPath path;
    path.source = source;
    path.target = target;
    if (source == target) return path;
    if (source == type::unknown) {
        path.method = CastMethod::text;
        return path;
    }
    if (const std::optional<CastPath> found = direct(source, target, context)) return found;
    const TypeInfo& from = type_info(source, catalog);
    const TypeInfo& to = type_info(target, catalog);
    if (is_composite(from) && is_composite(to)) {
        if (target != type::record && source != type::record) return std::nullopt;
        path.method = CastMethod::relabel;
        return path;
    }
    if (from.form == Form::array && to.form == Form::array) {
        if (to.oid == type::record_array || from.oid == type::record_array) return std::nullopt;
        const std::optional<CastPath> element = find_cast(from.element, to.element, context, catalog);
        if (!element || element->method == CastMethod::array) return std::nullopt;
        path.method = CastMethod::array;
        path.element_method = element->method;
        path.element_entry = element->entry;
        return path;
    }
    if (from.form == Form::nothing || to.form == Form::nothing) return std::nullopt;
    const bool to_text = to.category == Category::string && context >= CastContext::assignment;
    const bool from_text = from.category == Category::string && context == CastContext::explicit_;
    if (!to_text && !from_text) return std::nullopt;
    path.method = CastMethod::text;
    path.volatility = Volatility::stable;
    return path;
}

bool can_coerce(Oid source, Oid target, CastContext context, const TypeCatalog* catalog) {
    if (source == target || target == type::any) return true;
    if (is_pseudo_polymorphic(target)) return true;
    if (target == type::none || source == type::none) return false;
    if (source == type::unknown) return true;
    if (target == type::record && type_info(source, catalog).form == Form::record) return true;
    return find_cast(source, target, context, catalog).has_value();
}

Value apply_typmod(const Value& value, std::int32_t typmod, CastContext context, Arena& arena,
                   Session& session) {
    using namespace cast_file;
    if (typmod < 0 || value.is_null()) return value;
    switch (value.type()) {
        case type::numeric:
            return Value::numeric(numeric_apply_typmod(value.numeric(), typmod, arena));
        case type::varchar:
        case type::bpchar:
            return fit_string(value, typmod - 4, context, arena);
        case type::bit:
        case type::varbit:
            return fit_bits(value, typmod, context, arena);
        case type::time:
            return Value::integer(type::time, round_to_precision(value.integer(), typmod));
        case type::timetz:
            return Value::timetz(
                {round_to_precision(value.timetz().microseconds, typmod), value.timetz().zone});
        case type::timestamp:
        case type::timestamptz:
            if (!is_finite_timestamp(value.integer())) return value;
            return Value::integer(value.type(), round_to_precision(value.integer(), typmod));
        case type::interval:
            return Value::interval(interval_apply_typmod(value.interval(), typmod));
        default:
            break;
    }
    if (value.form() == Form::array) {
        CastPath path;
        path.source = path.target = value.type();
        path.method = CastMethod::array;
        return cast_array(path, value, typmod, context, arena, session);
    }
    return value;
}

Value cast_value(const CastPath& path, const Value& value, std::int32_t typmod, CastContext context,
                 Arena& arena, Session& session) {
    using namespace cast_file;
    if (value.is_null()) return Value::null(path.target);
    if (path.method == CastMethod::array) return cast_array(path, value, typmod, context, arena, session);
    if (path.method == CastMethod::text) {
        const std::string_view raw = value.bytes();
        // A literal is read with its modifier: interval '1' year, timestamp(0) '...'.
        if (value.type() == type::unknown) {
            const bool modifier_reads =
                path.target == type::interval || path.target == type::bit || path.target == type::varbit;
            const Value read = value_from_text(
                path.target, modifier_reads && context != CastContext::explicit_ ? typmod : k_no_typmod, raw,
                arena, session);
            if (path.target == type::interval && typmod >= 0)
                return Value::interval(interval_from_text(raw, typmod, session));
            return apply_typmod(read, typmod, context, arena, session);
        }
    }
    Value result;
    if (value.form() == Form::record && path.method == CastMethod::relabel) {
        result = cast_record(value, path.target, context, arena, session);
    } else {
        result = apply_method(path.method, path.entry, value, path.target, typmod, arena, session);
    }
    return typmod == k_no_typmod ? result : apply_typmod(result, typmod, context, arena, session);
}

Value cast_value(const Value& value, Oid target, std::int32_t typmod, CastContext context, Arena& arena,
                 Session& session) {
    const std::optional<CastPath> path = find_cast(value.type(), target, context, session.types);
    if (!path) {
        raise(sqlstate::cannot_coerce, "cannot cast type " +
                                           format_type(value.type(), k_no_typmod, session.types) + " to " +
                                           format_type(target, k_no_typmod, session.types));
    }
    return cast_value(*path, value, typmod, context, arena, session);
}

}  // namespace northstar::inline v0::sql
