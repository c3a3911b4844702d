// Functions of the session: sequences, settings, names, uuids, enums; window functions by name; encodings.

#include "sql/array.hpp"
#include "sql/error.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace system_file {

Value text_of(Call& call, std::string_view text) { return Value::text(call.arena.copy(text)); }

/// The session's host; without one its functions refuse.
Host& host_of(Call& call) {
    static Host k_none;
    return call.session.host != nullptr ? *call.session.host : k_none;
}

// ---- sequences and settings ----

Value next_value(Call& call, const Value* a, std::size_t) {
    return Value::int8(host_of(call).next_value(static_cast<Oid>(a[0].integer())));
}
Value current_value(Call& call, const Value* a, std::size_t) {
    return Value::int8(host_of(call).current_value(static_cast<Oid>(a[0].integer())));
}
Value last_value(Call& call, const Value*, std::size_t) { return Value::int8(host_of(call).last_value()); }
Value last_value_of(Call& call, const Value* a, std::size_t) {
    const auto value = host_of(call).last_value_of(static_cast<Oid>(a[0].integer()));
    return value ? Value::int8(*value) : Value::null(type::int8);
}
Value set_value(Call& call, const Value* a, std::size_t count) {
    host_of(call).set_value(static_cast<Oid>(a[0].integer()), a[1].integer(), count < 3 || a[2].boolean());
    return a[1];
}
Value current_setting(Call& call, const Value* a, std::size_t count) {
    const std::optional<std::string> found = host_of(call).setting(a[0].bytes(), count > 1 && a[1].boolean());
    return found ? text_of(call, *found) : Value::null(type::text);
}
Value set_config(Call& call, const Value* a, std::size_t) {
    if (a[0].is_null()) raise(sqlstate::null_value_not_allowed, "SET requires parameter name");
    host_of(call).set_setting(a[0].bytes(), a[1].is_null() ? std::string_view() : a[1].bytes(),
                              !a[2].is_null() && a[2].boolean());
    const std::optional<std::string> now = host_of(call).setting(a[0].bytes(), true);
    return now ? text_of(call, *now) : Value::null(type::text);
}
Value current_user(Call& call, const Value*, std::size_t) {
    return Value::bytes(type::name, call.arena.copy(host_of(call).current_user()));
}
Value current_database(Call& call, const Value*, std::size_t) {
    return Value::bytes(type::name, call.arena.copy(host_of(call).current_database()));
}
Value backend_pid(Call& call, const Value*, std::size_t) { return Value::int4(host_of(call).process_id()); }
Value current_schema(Call& call, const Value*, std::size_t) {
    const std::string schema = host_of(call).current_schema();
    return schema.empty() ? Value::null(type::name) : Value::bytes(type::name, call.arena.copy(schema));
}
Value current_commit(Call& call, const Value*, std::size_t) {
    return Value::int8(static_cast<std::int64_t>(host_of(call).current_commit()));
}
template <bool Assign, Oid Type>
Value transaction_id(Call& call, const Value*, std::size_t) {
    const std::uint64_t id = host_of(call).transaction_id(Assign);
    return id == 0 ? Value::null(Type) : Value::integer(Type, static_cast<std::int64_t>(id));
}
Value current_query(Call& call, const Value*, std::size_t) { return text_of(call, host_of(call).current_query()); }
Value commit_at(Call& call, const Value* a, std::size_t) {
    return Value::int8(static_cast<std::int64_t>(host_of(call).commit_at(a[0].integer())));
}
Value type_of(Call& call, const Value* a, std::size_t) {
    const Oid type = call.argument_types.empty() ? a[0].type() : call.argument_types[0];
    return Value::integer(type::regtype, type);
}
Value collation_for(Call& call, const Value* a, std::size_t) {
    const Oid type = call.argument_types.empty() ? a[0].type() : call.argument_types[0];
    const TypeInfo& info = type_info(type, call.session.types);
    switch (info.form == Form::array ? info.element : type) {
        case type::name: return text_of(call, "\"C\"");
        case type::text:
        case type::varchar:
        case type::bpchar: return text_of(call, "\"default\"");
        case type::unknown: return Value::null(type::text);
        default:
            raise(sqlstate::datatype_mismatch,
                  "collations are not supported by type " + format_type(type, k_no_typmod, call.session.types));
    }
}
Value format_type_name(Call& call, const Value* a, std::size_t) {
    if (a[0].is_null()) return Value::null(type::text);
    const std::int32_t typmod = a[1].is_null() ? k_no_typmod : static_cast<std::int32_t>(a[1].integer());
    return text_of(call, format_type(static_cast<Oid>(a[0].integer()), typmod, call.session.types));
}

// ---- uuids (RFC 9562) ----

void mark(Uuid& uuid, unsigned version) {
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | version << 4);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
}
Value random_uuid(Call& call, const Value*, std::size_t) {
    Uuid uuid;
    host_of(call).random_bytes(uuid.bytes, sizeof uuid.bytes);
    mark(uuid, 4);
    return Value::uuid(uuid);
}
/// Milliseconds since 1970 in 48 bits, then 12 bits that count within a millisecond (section 6.2, method 3),
/// so that the uuids of a session rise strictly.
Value ordered_uuid(Call& call, const Value*, std::size_t) {
    constexpr std::int64_t k_unix_epoch = 946684800000000;
    const std::uint64_t micros = static_cast<std::uint64_t>(clock_now() + k_unix_epoch);
    const std::uint64_t fraction = micros % 1000 * 4096 / 1000;
    std::uint64_t time = micros / 1000 << 12 | fraction;
    time = std::max(time, call.session.last_uuid_time + 1);
    call.session.last_uuid_time = time;
    Uuid uuid;
    host_of(call).random_bytes(uuid.bytes + 8, 8);
    const std::uint64_t millis = time >> 12;
    for (int i = 0; i < 6; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(millis >> (40 - i * 8));
    uuid.bytes[6] = static_cast<std::uint8_t>(time >> 8 & 0x0f);
    uuid.bytes[7] = static_cast<std::uint8_t>(time & 0xff);
    mark(uuid, 7);
    return Value::uuid(uuid);
}

/// Version 1: tenths of microseconds since 1582-10-15. The node is random, as uuid_generate_v1mc has it.
Value timed_uuid(Call& call, const Value*, std::size_t) {
    constexpr std::int64_t k_gregorian_us = 13165977600000000;  // before 2000-01-01
    const auto time = static_cast<std::uint64_t>(clock_now() + k_gregorian_us) * 10;
    Uuid uuid;
    host_of(call).random_bytes(uuid.bytes + 8, 8);
    for (int i = 0; i < 4; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(time >> (24 - i * 8));
    for (int i = 0; i < 2; ++i) uuid.bytes[4 + i] = static_cast<std::uint8_t>(time >> (40 - i * 8));
    for (int i = 0; i < 2; ++i) uuid.bytes[6 + i] = static_cast<std::uint8_t>(time >> (56 - i * 8));
    mark(uuid, 1);
    uuid.bytes[10] = static_cast<std::uint8_t>(uuid.bytes[10] | 1);  // of no device
    return Value::uuid(uuid);
}
Value random_bytea(Call& call, const Value* a, std::size_t) {
    if (a[0].integer() < 1 || a[0].integer() > 1024)
        raise(sqlstate::external_routine_invocation_exception, "Length not in range");
    std::string bytes(static_cast<std::size_t>(a[0].integer()), '\0');
    host_of(call).random_bytes(bytes.data(), bytes.size());
    return Value::bytes(type::bytea, call.arena.copy(bytes));
}

// ---- enums ----

std::span<const EnumLabel> labels_of(Call& call) {
    const Oid type = call.argument_types.empty() ? type::none : call.argument_types[0];
    const std::span<const EnumLabel> labels =
        call.session.types != nullptr ? call.session.types->enum_labels(type) : std::span<const EnumLabel>();
    if (labels.empty()) raise(sqlstate::object_not_in_prerequisite_state, "enum contains no values");
    return labels;
}
const EnumLabel& usable(const EnumLabel& label, Call& call) {
    refuse_uncommitted_label(label, call.argument_types[0], call.session);
    return label;
}
Value enum_first(Call& call, const Value*, std::size_t) {
    return Value::integer(call.result_type, usable(labels_of(call).front(), call).number);
}
Value enum_last(Call& call, const Value*, std::size_t) {
    return Value::integer(call.result_type, usable(labels_of(call).back(), call).number);
}
Value enum_range(Call& call, const Value* a, std::size_t count) {
    std::vector<Value> labels;
    const Oid type = call.argument_types[0];
    for (const EnumLabel& label : labels_of(call)) {
        if (count > 1 && !a[0].is_null() && label.number < a[0].integer()) continue;
        if (count > 1 && !a[1].is_null() && label.number > a[1].integer()) continue;
        labels.push_back(Value::integer(type, usable(label, call).number));
    }
    return make_array(call.result_type, type, labels, call.arena);
}

// ---- encodings ----

std::string hexadecimal(std::string_view bytes) {
    std::string text;
    bytea_to_text(bytes, text, ByteaOutput::hex);
    return text.substr(2);
}

constexpr char k_base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
    std::string text;
    std::size_t line = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        const std::size_t size = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8 | (j < size ? static_cast<unsigned char>(bytes[i + j]) : 0u);
        for (std::size_t j = 0; j < 4; ++j) text += j <= size ? k_base64[group >> (18 - 6 * j) & 63] : '=';
        if ((line += 4) == 76) {
            text += '\n';
            line = 0;
        }
    }
    return text;
}
std::string from_base64(std::string_view text) {
    std::string bytes;
    std::uint32_t group = 0;
    int count = 0;
    int padding = 0;
    for (const char c : text) {
        if (is_sql_blank(c)) continue;
        const char* found = c == '=' ? nullptr : std::find(k_base64, k_base64 + 64, c);
        if (c == '=' && count < 2)
            raise(sqlstate::invalid_parameter_value, "unexpected \"=\" while decoding base64 sequence");
        if (c != '=' && (found == k_base64 + 64 || padding > 0)) {
            raise(sqlstate::invalid_parameter_value,
                  std::string("invalid symbol \"") + c + "\" found while decoding base64 sequence");
        }
        if (c == '=') ++padding;
        group = group << 6 | (c == '=' ? 0u : static_cast<std::uint32_t>(found - k_base64));
        if (++count == 4) {
            for (int i = 0; i < 3 - padding; ++i) bytes += static_cast<char>(group >> (16 - 8 * i) & 0xff);
            group = 0;
            count = 0;
        }
    }
    if (count != 0) {
        raise(sqlstate::invalid_parameter_value, "invalid base64 end sequence", "",
              "Input data is missing padding, is truncated, or is otherwise corrupted.");
    }
    return bytes;
}
[[noreturn]] void unknown_encoding(std::string_view name) {
    raise(sqlstate::invalid_parameter_value, "unrecognized encoding: \"" + std::string(name) + '"');
}
Value encode(Call& call, const Value* a, std::size_t) {
    const std::string_view name = a[1].bytes();
    if (name == "hex") return text_of(call, hexadecimal(a[0].bytes()));
    if (name == "base64") return text_of(call, to_base64(a[0].bytes()));
    if (name != "escape") unknown_encoding(name);
    std::string text;
    for (const char c : a[0].bytes()) {
        const unsigned char byte = static_cast<unsigned char>(c);
        if (byte == 0 || byte >= 0x80) {
            text += '\\';
            for (int shift = 6; shift >= 0; shift -= 3) text += static_cast<char>('0' + (byte >> shift & 7));
        } else {
            if (c == '\\') text += c;
            text += c;
        }
    }
    return text_of(call, text);
}
Value decode(Call& call, const Value* a, std::size_t) {
    const std::string_view name = a[1].bytes();
    std::string bytes;
    if (name == "hex") {
        bytes = bytea_from_text("\\x" + std::string(a[0].bytes()));
    } else if (name == "base64") {
        bytes = from_base64(a[0].bytes());
    } else if (name == "escape") {
        // Without \x in front, which would be the other form.
        bytes = bytea_from_text(a[0].bytes());
    } else {
        unknown_encoding(name);
    }
    return Value::bytes(type::bytea, call.arena.copy(bytes));
}

/// Bytes as PostgreSQL counts them for a value that is not stored: a header of four for what has no fixed width.
Value column_size(Call& call, const Value* a, std::size_t) {
    if (a[0].is_null()) return Value::null(type::int4);
    if (const std::int16_t fixed = type_info(a[0].type(), call.session.types).length; fixed > 0)
        return Value::int4(fixed);
    constexpr std::int64_t header = 4;
    if (a[0].form() != Form::numeric) return Value::int4(header + static_cast<std::int64_t>(a[0].bytes().size()));
    std::string digits;
    numeric_to_text(a[0].numeric(), digits);
    if (digits.starts_with('-')) digits.erase(0, 1);
    if (digits[0] < '0' || digits[0] > '9') return Value::int4(header + 2);
    // Two more bytes, and two for each group of four digits that is not 0 at an end.
    const std::size_t point = std::min(digits.find('.'), digits.size());
    std::string all = std::string((4 - point % 4) % 4, '0') + digits;
    std::erase(all, '.');
    all.append((4 - all.size() % 4) % 4, '0');
    const std::size_t first = all.find_first_not_of('0'), last = all.find_last_not_of('0');
    const std::size_t groups = first == std::string::npos ? 0 : last / 4 - first / 4 + 1;
    return Value::int4(header + 2 + 2 * static_cast<std::int64_t>(groups));
}

/// Values are not compressed one by one.
Value column_compression(Call&, const Value*, std::size_t) { return Value::null(type::text); }

constexpr FunctionSource k_functions[] = {
    {"nextval(regclass) int8 volatile", &next_value},
    {"currval(regclass) int8 volatile", &current_value},
    {"lastval() int8 volatile", &last_value},
    {"pg_sequence_last_value(regclass) int8 volatile", &last_value_of},
    {"setval(regclass,int8) int8 volatile", &set_value},
    {"setval(regclass,int8,bool) int8 volatile", &set_value},
    {"current_setting(text) text stable", &current_setting},
    {"current_setting(text,bool) text stable", &current_setting},
    {"set_config(text,text,bool) text nonstrict volatile", &set_config},
    {"current_query() text nonstrict volatile", &current_query},
    {"pg_current_xact_id() xid8 stable", &transaction_id<true, type::xid8>},
    {"pg_current_xact_id_if_assigned() xid8 stable", &transaction_id<false, type::xid8>},
    {"txid_current() int8 stable", &transaction_id<true, type::int8>},
    {"txid_current_if_assigned() int8 stable", &transaction_id<false, type::int8>},
    {"current_user() name stable", &current_user},
    {"getpgusername() name stable", &current_user},
    {"session_user() name stable", &current_user},
    {"current_database() name stable", &current_database},
    {"current_catalog() name stable", &current_database},
    {"current_schema() name stable", &current_schema},
    {"pg_backend_pid() int4 stable", &backend_pid},
    {"current_commit() int8 stable", &current_commit},
    {"commit_at(timestamptz) int8 stable", &commit_at},
    {"pg_typeof(any) regtype nonstrict stable", &type_of},
    {"pg_collation_for(any) text nonstrict stable", &collation_for},
    {"pg_column_compression(any) text nonstrict stable", &column_compression},
    {"pg_column_size(any) int4 nonstrict stable", &column_size},
    {"format_type(oid,int4) text nonstrict stable", &format_type_name},
    {"gen_random_uuid() uuid volatile", &random_uuid},
    {"gen_random_uuid7() uuid volatile", &ordered_uuid},
    {"uuidv7() uuid volatile", &ordered_uuid},
    {"uuidv4() uuid volatile", &random_uuid},
    // Of the extensions uuid-ossp and pgcrypto, in defaults of many dumps.
    {"uuid_generate_v1() uuid volatile", &timed_uuid},
    {"uuid_generate_v1mc() uuid volatile", &timed_uuid},
    {"uuid_generate_v4() uuid volatile", &random_uuid},
    {"gen_random_bytes(int4) bytea volatile", &random_bytea},
    {"enum_first(anyenum) anyenum nonstrict stable", &enum_first},
    {"enum_last(anyenum) anyenum nonstrict stable", &enum_last},
    {"enum_range(anyenum) anyarray nonstrict stable", &enum_range},
    {"enum_range(anyenum,anyenum) anyarray nonstrict stable", &enum_range},
    {"encode(bytea,text) text", &encode},
    {"decode(text,text) bytea", &decode},
};

constexpr FunctionSource k_windows[] = {
    FunctionSource("row_number() int8 window=row_number"),
    FunctionSource("rank() int8 window=rank"),
    FunctionSource("dense_rank() int8 window=dense_rank"),
    FunctionSource("percent_rank() float8 window=percent_rank"),
    FunctionSource("cume_dist() float8 window=cume_dist"),
    FunctionSource("ntile(int4) int4 window=ntile"),
    FunctionSource("lag(anyelement) anyelement window=lag"),
    FunctionSource("lag(anyelement,int4) anyelement window=lag"),
    FunctionSource("lag(anycompatible,int4,anycompatible) anycompatible window=lag"),
    FunctionSource("lead(anyelement) anyelement window=lead"),
    FunctionSource("lead(anyelement,int4) anyelement window=lead"),
    FunctionSource("lead(anycompatible,int4,anycompatible) anycompatible window=lead"),
    FunctionSource("first_value(anyelement) anyelement window=first_value"),
    FunctionSource("last_value(anyelement) anyelement window=last_value"),
    FunctionSource("nth_value(anyelement,int4) anyelement window=nth_value"),
};

}  // namespace system_file

std::span<const FunctionSource> system_functions() { return system_file::k_functions; }
std::span<const FunctionSource> window_functions() { return system_file::k_windows; }

}  // namespace northstar::inline v0::sql
