#include "sql/binary_io.hpp"

#include "sql/array.hpp"
#include "sql/cast.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/jsonb.hpp"
#include "sql/network.hpp"
#include "sql/range.hpp"
#include "sql/record.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <bit>
#include <vector>

namespace northstar::inline v0::sql {

namespace binary_io {

// Flags of a range in the binary form.
constexpr unsigned k_empty = 1, k_lower_inclusive = 2, k_upper_inclusive = 4, k_lower_infinite = 8,
                   k_upper_infinite = 16;
constexpr char k_json_version = 1;
constexpr int k_narrow_family = 2, k_wide_family = 3;
constexpr std::int64_t k_max_zone_seconds = 15 * 3600 + 59 * 60 + 59;

// ---- writing ----

template <class Word>
void put(std::string& out, Word word) {
    for (std::size_t i = sizeof word; i-- > 0;)
        out.push_back(static_cast<char>(static_cast<unsigned char>(word >> (8 * i) & 0xff)));
}

void put32(std::string& out, std::int64_t number) { put(out, static_cast<std::uint32_t>(number)); }
void put64(std::string& out, std::int64_t number) { put(out, static_cast<std::uint64_t>(number)); }

/// Length and bytes of a part.
void put_part(std::string& out, const Value& value, Session& session) {
    const std::size_t at = out.size();
    put32(out, 0);
    value_to_binary(value, out, session);
    std::string length;
    put32(length, static_cast<std::int64_t>(out.size() - at - 4));
    out.replace(at, 4, length);
}

void write_array(const Value& value, std::string& out, Session& session) {
    const ArrayView array(value);
    bool nulls = false;
    for (std::size_t i = 0; i < array.size() && !nulls; ++i) nulls = array.is_null(i);
    put32(out, static_cast<std::int64_t>(array.dimensions().size()));
    put32(out, nulls ? 1 : 0);
    put32(out, array.element_type());
    for (const ArrayDimension& dimension : array.dimensions()) {
        put32(out, dimension.length);
        put32(out, dimension.lower);
    }
    Arena arena;
    for (std::size_t i = 0; i < array.size(); ++i) {
        if (array.is_null(i)) put32(out, -1);
        else put_part(out, array.element(i, arena), session);
    }
}

void write_range(const Value& value, std::string& out, Session& session) {
    Arena arena;
    const Range range = read_range(value, arena);
    if (range.empty) {
        out.push_back(static_cast<char>(k_empty));
        return;
    }
    const unsigned flags = (range.lower.inclusive ? k_lower_inclusive : 0u) |
                           (range.upper.inclusive ? k_upper_inclusive : 0u) |
                           (range.lower.infinite ? k_lower_infinite : 0u) |
                           (range.upper.infinite ? k_upper_infinite : 0u);
    out.push_back(static_cast<char>(flags));
    if (!range.lower.infinite) put_part(out, range.lower.value, session);
    if (!range.upper.infinite) put_part(out, range.upper.value, session);
}

void write_record(const Value& value, std::string& out, Session& session) {
    const RecordView record(value);
    Arena arena;
    put32(out, static_cast<std::int64_t>(record.size()));
    for (std::size_t i = 0; i < record.size(); ++i) {
        put32(out, record.type(i));
        if (record.is_null(i)) put32(out, -1);
        else put_part(out, record.field(i, arena), session);
    }
}

/// Family, length of the mask, whether it is a cidr, number of octets, octets.
void write_network(const NetworkAddress& address, bool cidr, std::string& out) {
    const int head[] = {address.wide ? k_wide_family : k_narrow_family, address.mask, cidr ? 1 : 0,
                        static_cast<int>(address.size())};
    for (const int byte : head) out.push_back(static_cast<char>(byte));
    out.append(reinterpret_cast<const char*>(address.octets.data()), address.size());
}

void write_bytes(const Value& value, std::string& out) {
    const std::string_view bytes = value.bytes();
    switch (value.type()) {
        case type::bit:
        case type::varbit: {
            put32(out, static_cast<std::int64_t>(bytes.size()));
            for (std::size_t i = 0; i < bytes.size(); i += 8) {
                unsigned octet = 0;
                for (std::size_t bit = 0; bit < 8 && i + bit < bytes.size(); ++bit)
                    octet |= (bytes[i + bit] == '1' ? 0x80u : 0u) >> bit;
                out.push_back(static_cast<char>(octet));
            }
            return;
        }
        case type::jsonpath: out.push_back(k_json_version); break;
        case type::inet:
        case type::cidr: write_network(network_of_bytes(bytes), value.type() == type::cidr, out); return;
        default: break;
    }
    out += bytes;
}

void write_integer(const Value& value, std::string& out, Session& session) {
    switch (value.type()) {
        case type::int2: put(out, static_cast<std::uint16_t>(value.integer())); return;
        case type::int4:
        case type::oid:
        case type::xid:
        case type::cid:
        case type::regclass:
        case type::regproc:
        case type::regtype:
        case type::date: put32(out, value.integer()); return;
        case type::int8:
        case type::xid8:
        case type::time:
        case type::timestamp:
        case type::timestamptz: put64(out, value.integer()); return;
        default: value_to_text(value, out, session);  // the label of an enum
    }
}

// ---- reading ----

[[noreturn]] void malformed(const char* what) { raise(sqlstate::invalid_binary_representation, what); }
[[noreturn]] void too_few() { raise(SqlState("08P01"), "insufficient data left in message"); }

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}
    std::string_view take(std::size_t count) {
        if (bytes_.size() < count) too_few();
        const std::string_view taken = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return taken;
    }
    std::string_view rest() { return take(bytes_.size()); }
    std::uint64_t word(std::size_t size) {
        std::uint64_t word = 0;
        for (const char c : take(size)) word = word << 8 | static_cast<unsigned char>(c);
        return word;
    }
    std::int64_t int16() { return static_cast<std::int16_t>(word(2)); }
    std::int64_t int32() { return static_cast<std::int32_t>(word(4)); }
    std::int64_t int64() { return static_cast<std::int64_t>(word(8)); }
    bool empty() const { return bytes_.empty(); }
    std::size_t size() const { return bytes_.size(); }
    /// A part with its length in front; false: NULL.
    bool part(std::string_view& bytes) {
        const std::int64_t length = int32();
        if (length < -1) malformed("invalid length in binary data");
        if (length >= 0) bytes = take(static_cast<std::size_t>(length));
        return length >= 0;
    }

private:
    std::string_view bytes_;
};

Value read_array(const TypeInfo& info, std::int32_t typmod, Reader& reader, Arena& arena, Session& session) {
    const std::int64_t count = reader.int32();
    if (count < 0 || count > k_max_array_dimensions) malformed("invalid number of dimensions");
    const std::int64_t flags = reader.int32();
    if (flags != 0 && flags != 1) malformed("invalid array flags");
    if (static_cast<Oid>(reader.int32()) != info.element) malformed("wrong array element type");
    std::vector<ArrayDimension> dimensions;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t length = reader.int32(), lower = reader.int32();
        if (length < 0) malformed("invalid length of an array dimension");
        if (lower + length > INT32_MAX) malformed("array lower bound is too large");
        dimensions.push_back({static_cast<std::int32_t>(length), static_cast<std::int32_t>(lower)});
    }
    const std::size_t size = dimensions.empty() ? 0 : array_size(dimensions);
    if (size > reader.size() / 4) too_few();  // each element has at least its length
    std::vector<Value> elements;
    for (std::size_t i = 0; i < size; ++i) {
        std::string_view part;
        elements.push_back(reader.part(part) ? value_from_binary(info.element, typmod, part, arena, session)
                                             : Value::null(info.element));
    }
    return make_array(info.oid, info.element, dimensions, elements, arena);
}

Value read_range_value(const TypeInfo& info, Reader& reader, Arena& arena, Session& session) {
    const auto flags = static_cast<unsigned>(reader.word(1));
    Range range;
    range.empty = (flags & k_empty) != 0;
    const auto bound = [&](RangeBound& to, unsigned infinite, unsigned inclusive, bool lower) {
        to.lower = lower;
        to.infinite = (flags & infinite) != 0;
        to.inclusive = !to.infinite && (flags & inclusive) != 0;
        if (range.empty || to.infinite) return;
        std::string_view part;
        if (!reader.part(part)) malformed("a bound of a range is NULL");
        to.value = value_from_binary(info.element, k_no_typmod, part, arena, session);
    };
    bound(range.lower, k_lower_infinite, k_lower_inclusive, true);
    bound(range.upper, k_upper_infinite, k_upper_inclusive, false);
    return make_range(info.oid, range, arena);
}

Value read_record(const TypeInfo& info, Reader& reader, Arena& arena, Session& session) {
    std::span<const FieldInfo> declared;
    if (info.oid == type::record) raise(sqlstate::feature_not_supported,
                                        "input of anonymous composite types is not implemented");
    if (session.types != nullptr) declared = session.types->fields(info.oid);
    const std::int64_t count = reader.int32();
    if (count != static_cast<std::int64_t>(declared.size()))
        raise(sqlstate::datatype_mismatch, "wrong number of columns: " + std::to_string(count) + ", expected " +
                                               std::to_string(declared.size()));
    std::vector<Value> fields;
    for (const FieldInfo& field : declared) {
        if (static_cast<Oid>(reader.int32()) != field.type)
            raise(sqlstate::datatype_mismatch,
                  "binary data has another type than the field " + std::string(field.name));
        std::string_view part;
        fields.push_back(reader.part(part) ? value_from_binary(field.type, field.typmod, part, arena, session)
                                           : Value::null(field.type));
    }
    return make_record(info.oid, fields, arena);
}

NetworkAddress read_network(const TypeInfo& info, Reader& reader) {
    const auto bad = [&](std::string_view what) {
        raise(sqlstate::invalid_binary_representation,
              "invalid " + std::string(what) + " in external \"" + info.name + "\" value");
    };
    NetworkAddress address;
    const std::uint64_t family = reader.word(1);
    if (family != k_narrow_family && family != k_wide_family) bad("address family");
    address.wide = family == k_wide_family;
    address.mask = static_cast<int>(reader.word(1));
    if (address.mask > address.bits()) bad("bits");
    reader.take(1);  // whether it is a cidr: its type says so
    if (reader.word(1) != address.size()) bad("length");
    const std::string_view octets = reader.take(address.size());
    std::copy(octets.begin(), octets.end(), reinterpret_cast<char*>(address.octets.data()));
    if (info.oid == type::cidr && address.network(address.mask) != address) {
        raise(sqlstate::invalid_binary_representation, "invalid external \"cidr\" value",
              "Value has bits set to right of mask.");
    }
    return address;
}

Value read_bits(Oid oid, Reader& reader, Arena& arena) {
    const std::int64_t length = reader.int32();
    if (length < 0 || static_cast<std::size_t>(length) > reader.size() * 8)
        malformed("invalid length in external bit string");
    std::string bits;
    const std::string_view octets = reader.take((static_cast<std::size_t>(length) + 7) / 8);
    for (std::size_t i = 0; i < static_cast<std::size_t>(length); ++i)
        bits += (static_cast<unsigned char>(octets[i / 8]) & 0x80u >> i % 8) != 0 ? '1' : '0';
    return Value::bytes(oid, arena.copy(bits));
}

std::int64_t checked_time(std::int64_t microseconds) {
    if (microseconds < 0 || microseconds > k_microseconds_per_day)
        raise(sqlstate::datetime_field_overflow, "time out of range");
    return microseconds;
}

Value read_scalar(const TypeInfo& info, Reader& reader, Arena& arena, Session& session) {
    switch (info.oid) {
        case type::boolean: return Value::boolean(reader.word(1) != 0);
        case type::int2: return Value::integer(type::int2, reader.int16());
        case type::int4: return Value::int4(reader.int32());
        case type::int8: return Value::int8(reader.int64());
        case type::xid8: return Value::integer(type::xid8, reader.int64());
        case type::oid:
        case type::xid:
        case type::cid:
        case type::regclass:
        case type::regproc:
        case type::regtype: return Value::integer(info.oid, static_cast<std::int64_t>(reader.word(4)));
        case type::float4: return Value::float4(std::bit_cast<float>(static_cast<std::uint32_t>(reader.word(4))));
        case type::float8: return Value::float8(std::bit_cast<double>(reader.word(8)));
        case type::numeric: return Value::numeric(numeric_from_wire(reader.rest(), arena));
        case type::date: {
            const std::int64_t days = reader.int32();
            if (is_finite_date(days)) check_date(days);
            return Value::integer(type::date, days);
        }
        case type::time: return Value::integer(type::time, checked_time(reader.int64()));
        case type::timetz: {
            TimeTz time;
            time.microseconds = checked_time(reader.int64());
            time.zone = static_cast<std::int32_t>(reader.int32());
            if (time.zone > k_max_zone_seconds || time.zone < -k_max_zone_seconds)
                raise(sqlstate::invalid_time_zone_displacement_value, "time zone displacement out of range");
            return Value::timetz(time);
        }
        case type::timestamp:
        case type::timestamptz: {
            const std::int64_t microseconds = reader.int64();
            if (is_finite_timestamp(microseconds)) check_timestamp(microseconds);
            return Value::integer(info.oid, microseconds);
        }
        case type::interval: {
            Interval interval;
            interval.microseconds = reader.int64();
            interval.days = static_cast<std::int32_t>(reader.int32());
            interval.months = static_cast<std::int32_t>(reader.int32());
            return Value::interval(interval);
        }
        case type::uuid: {
            Uuid uuid;
            std::memcpy(uuid.bytes, reader.take(sizeof uuid.bytes).data(), sizeof uuid.bytes);
            return Value::uuid(uuid);
        }
        case type::inet:
        case type::cidr:
            return Value::bytes(info.oid, arena.copy(network_to_bytes(read_network(info, reader))));
        case type::macaddr: return Value::bytes(info.oid, arena.copy(reader.take(6)));
        case type::bytea: return Value::bytes(type::bytea, arena.copy(reader.rest()));
        case type::char_internal: return Value::bytes(info.oid, arena.copy(reader.take(1)));
        case type::bit:
        case type::varbit: return read_bits(info.oid, reader, arena);
        case type::jsonb:
        case type::jsonpath:
            if (reader.word(1) != static_cast<unsigned char>(k_json_version))
                raise(sqlstate::invalid_binary_representation,
                      std::string("unsupported ") + info.name + " version number");
            break;
        default: break;
    }
    // What is left travels as its text; value_from_text knows enums and refuses pseudo-types.
    return value_from_text(info.oid, k_no_typmod, checked_text(reader.rest()), arena, session);
}

}  // namespace binary_io

std::string_view checked_text(std::string_view text) {
    const auto bad = [&](std::size_t at) {
        static constexpr char digits[] = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(text[at]);
        raise(sqlstate::character_not_in_repertoire,
              std::string("invalid byte sequence for encoding \"UTF8\": 0x") + digits[byte >> 4] + digits[byte & 15]);
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3
                                                                             : lead < 0xf5 ? 4 : 0;
        if (size == 0 || lead == 0 || at + size > text.size()) bad(at);
        std::uint32_t code = size == 1 ? lead : lead & (0xffu >> (size + 1));
        for (std::size_t i = 1; i < size; ++i) {
            const auto next = static_cast<unsigned char>(text[at + i]);
            if ((next & 0xc0) != 0x80) bad(at);
            code = code << 6 | (next & 0x3fu);
        }
        const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
        if (overlong || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) bad(at);
        at += size;
    }
    return text;
}

void value_to_binary(const Value& value, std::string& out, Session& session) {
    using namespace binary_io;
    switch (value.form()) {
        case Form::boolean: out.push_back(value.boolean() ? 1 : 0); return;
        case Form::integer: write_integer(value, out, session); return;
        case Form::real:
            if (value.type() == type::float4) put(out, std::bit_cast<std::uint32_t>(static_cast<float>(value.real())));
            else put(out, std::bit_cast<std::uint64_t>(value.real()));
            return;
        case Form::numeric: numeric_to_wire(value.numeric(), out); return;
        case Form::interval:
            put64(out, value.interval().microseconds);
            put32(out, value.interval().days);
            put32(out, value.interval().months);
            return;
        case Form::timetz:
            put64(out, value.timetz().microseconds);
            put32(out, value.timetz().zone);
            return;
        case Form::uuid: out.append(reinterpret_cast<const char*>(value.uuid().bytes), 16); return;
        case Form::bytes: write_bytes(value, out); return;
        case Form::jsonb:
            out.push_back(k_json_version);
            value_to_text(value, out, session);
            return;
        case Form::array: write_array(value, out, session); return;
        case Form::range: write_range(value, out, session); return;
        case Form::record: write_record(value, out, session); return;
        case Form::nothing: return;
    }
}

Value value_from_binary(Oid oid, std::int32_t typmod, std::string_view bytes, Arena& arena, Session& session) {
    using namespace binary_io;
    const TypeInfo& info = type_info(oid, session.types);
    Reader reader(bytes);
    Value value;
    switch (info.form) {
        case Form::array: value = read_array(info, typmod, reader, arena, session); break;
        case Form::range: value = read_range_value(info, reader, arena, session); break;
        case Form::record: value = read_record(info, reader, arena, session); break;
        default:
            value = read_scalar(info, reader, arena, session);
            if (typmod != k_no_typmod) value = apply_typmod(value, typmod, CastContext::assignment, arena, session);
    }
    if (!reader.empty()) malformed("incorrect binary data format");
    return value;
}

}  // namespace northstar::inline v0::sql
