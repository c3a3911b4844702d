#include "sql/key_encoding.hpp"

#include "base/bytes.hpp"
#include "sql/array.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/integer_key.hpp"
#include "sql/jsonb.hpp"
#include "sql/range.hpp"
#include "sql/record.hpp"
#include "sql/row_format.hpp"

#include <bit>
#include <cmath>

namespace northstar::inline v0::sql {

namespace key_file {

constexpr char k_null_first = 0x01;
constexpr char k_null_last = 0x03;
// Inside arrays, records and jsonb: what follows, in its order.
constexpr char k_end = 0x01;
constexpr char k_element = 0x02;
constexpr char k_null_element = 0x03;

[[noreturn]] void damaged() { raise(sqlstate::data_corrupted, "an index key is malformed"); }

void put_big_endian(std::string& out, std::uint64_t value, std::uint32_t bytes) {
    char text[8];
    detail::store_u64(text, __builtin_bswap64(value << (64 - bytes * 8)));
    out.append(text, bytes);
}

std::uint64_t take_big_endian(std::string_view& bytes, std::uint32_t count) {
    if (bytes.size() < count) damaged();
    std::uint64_t value = 0;
    if (count == 8) value = __builtin_bswap64(detail::load_u64(bytes.data()));
    else if (count == 4) value = __builtin_bswap32(detail::load_u32(bytes.data()));
    else
        for (std::uint32_t i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    bytes.remove_prefix(count);
    return value;
}

void put_signed(std::string& out, std::int64_t value, std::uint32_t bytes) {
    put_big_endian(out, static_cast<std::uint64_t>(value) ^ std::uint64_t{1} << (bytes * 8 - 1), bytes);
}

void put_text(std::string& out, std::string_view text) {
    for (const char c : text) {
        out += c;
        if (c == '\0') out += static_cast<char>(0xff);
    }
    out += '\0';
    out += '\1';
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::uint64_t fold_real(double real) {
    if (std::isnan(real)) return ~std::uint64_t{0};
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(real == 0 ? 0.0 : real);
    return (bits >> 63) != 0 ? ~bits : bits | std::uint64_t{1} << 63;
}

double unfold_real(std::uint64_t folded) {
    if (folded == ~std::uint64_t{0}) return std::nan("");
    return std::bit_cast<double>((folded >> 63) != 0 ? folded & ~(std::uint64_t{1} << 63) : ~folded);
}

bool is_unsigned(Oid type) {
    return type == type::oid || is_object_type(type);
}

void payload(const Value& value, std::string& out);

void put_jsonb(JsonView node, bool top, std::string& out) {
    // The ranks of jsonb_compare; at the top an empty array comes before the scalars.
    switch (node.kind()) {
        case JsonKind::null:
            out += '\x11';
            return;
        case JsonKind::string:
            out += '\x12';
            put_text(out, node.string());
            return;
        case JsonKind::number: {
            Arena arena;
            out += '\x13';
            numeric_to_key(node.number(arena), out);
            return;
        }
        case JsonKind::no:
            out += "\x14\x01";
            return;
        case JsonKind::yes:
            out += "\x14\x02";
            return;
        case JsonKind::array:
            if (top && node.size() == 0) {
                out += '\x10';
                return;
            }
            out += '\x15';
            put_big_endian(out, node.size(), 4);
            for (std::size_t i = 0; i < node.size(); ++i) put_jsonb(node.element(i), false, out);
            return;
        case JsonKind::object:
            out += '\x16';
            put_big_endian(out, node.size(), 4);
            for (std::size_t i = 0; i < node.size(); ++i) {
                put_text(out, node.key(i));
                put_jsonb(node.value(i), false, out);
            }
            return;
    }
    damaged();
}

void put_array(const Value& value, std::string& out) {
    const ArrayView view(value);
    Arena arena;
    for (std::size_t i = 0; i < view.size(); ++i) {
        if (view.is_null(i)) {
            out += k_null_element;
        } else {
            out += k_element;
            payload(view.element(i, arena), out);
        }
    }
    out += k_end;
    // Equal elements: the shape decides.
    out += static_cast<char>(view.dimensions().size());
    for (const ArrayDimension& dimension : view.dimensions()) put_signed(out, dimension.length, 4);
    for (const ArrayDimension& dimension : view.dimensions()) put_signed(out, dimension.lower, 4);
}

void put_bound(const RangeBound& bound, std::string& out) {
    if (bound.infinite) {
        out += bound.lower ? '\x01' : '\x03';
        return;
    }
    out += '\x02';
    payload(bound.value, out);
    out += bound.inclusive ? '\x02' : bound.lower ? '\x03' : '\x01';
}

void payload(const Value& value, std::string& out) {
    switch (value.form()) {
        case Form::boolean:
            out += value.boolean() ? '\1' : '\0';
            return;
        case Form::integer: {
            const std::uint32_t width = stored_width(value.type(), Form::integer);
            if (is_unsigned(value.type())) {
                put_big_endian(out, static_cast<std::uint64_t>(value.integer()), width);
            } else {
                put_signed(out, value.integer(), width);
            }
            return;
        }
        case Form::real:
            put_big_endian(out, fold_real(value.real()), 8);
            return;
        case Form::numeric:
            numeric_to_key(value.numeric(), out);
            return;
        case Form::interval: {
            const Int128 span = interval_span(value.interval());
            put_signed(out, static_cast<std::int64_t>(span >> 64), 8);
            put_big_endian(out, static_cast<std::uint64_t>(span), 8);
            return;
        }
        case Form::timetz: {
            const TimeTz& time = value.timetz();
            put_signed(out, time.microseconds + time.zone * k_microseconds_per_second, 8);
            put_signed(out, time.zone, 4);
            return;
        }
        case Form::uuid:
            out.append(reinterpret_cast<const char*>(value.uuid().bytes), 16);
            return;
        case Form::bytes:
            if (value.type() == type::json || value.type() == type::jsonpath) break;
            put_text(out, value.type() == type::bpchar ? without_blanks(value.bytes()) : value.bytes());
            return;
        case Form::jsonb:
            put_jsonb(JsonView(value.bytes()), true, out);
            return;
        case Form::array:
            put_array(value, out);
            return;
        case Form::range: {
            Arena arena;
            const Range range = read_range(value, arena);
            out += range.empty ? '\x01' : '\x02';
            if (range.empty) return;
            put_bound(range.lower, out);
            put_bound(range.upper, out);
            return;
        }
        case Form::record: {
            const RecordView view(value);
            Arena arena;
            for (std::size_t i = 0; i < view.size(); ++i) {
                const Value field = view.field(i, arena);
                out += field.is_null() ? k_null_element : k_element;
                if (!field.is_null()) payload(field, out);
            }
            return;
        }
        case Form::nothing:
            break;
    }
    raise(sqlstate::undefined_function, "data type " + format_type(value.type(), k_no_typmod, nullptr) +
                                            " has no default operator class for access method \"btree\"");
}

void skip_bytes(std::string_view& bytes, std::size_t count) {
    if (bytes.size() < count) damaged();
    bytes.remove_prefix(count);
}

/// Steps over the text at the front; appends it unescaped where wanted.
void take_text(std::string_view& bytes, std::string* text) {
    for (;;) {
        const std::size_t zero = bytes.find('\0');
        if (zero == std::string_view::npos || zero + 1 >= bytes.size()) damaged();
        if (text != nullptr) text->append(bytes.substr(0, zero));
        const char next = bytes[zero + 1];
        bytes.remove_prefix(zero + 2);
        if (next == '\1') return;
        if (static_cast<unsigned char>(next) != 0xff) damaged();
        if (text != nullptr) *text += '\0';
    }
}

}  // namespace key_file

void encode_key(const Value& value, KeyOrder order, std::string& out) {
    using namespace key_file;
    if (value.is_null()) {
        out += order.nulls_first ? k_null_first : k_null_last;
        return;
    }
    out += k_value_tag;
    const std::size_t begin = out.size();
    payload(value, out);
    if (!order.descending) return;
    for (std::size_t i = begin; i < out.size(); ++i) out[i] = static_cast<char>(~out[i]);
}

bool is_key_exact(Oid type, const TypeCatalog* catalog) { return is_key_exact(type, form_of(type, catalog)); }

bool is_key_exact(Oid type, Form form) {
    switch (form) {
        case Form::boolean:
        case Form::integer:
        case Form::uuid:
        case Form::timetz:
            return true;
        case Form::bytes:
            return type == type::text || type == type::varchar || type == type::bytea || type == type::name ||
                   type == type::inet || type == type::cidr || type == type::macaddr;
        default:
            return false;
    }
}

namespace key_file {

/// The number of a column of Form::integer at the front.
Value take_integer(Oid type, bool descending, std::string_view& bytes) {
    const IntegerKey key(type, descending);
    if (bytes.size() < key.width()) damaged();
    const Value number = key.take(bytes.data());
    bytes.remove_prefix(key.width());
    return number;
}

}  // namespace key_file

IntegerKey::IntegerKey(Oid type, bool descending)
    : type_(type), width_(stored_width(type, Form::integer)), unsigned_(key_file::is_unsigned(type)) {
    const std::uint64_t sign = unsigned_ ? 0 : std::uint64_t{1} << 63;
    turned_ = descending ? ~sign : sign;
}

Value decode_key(Oid type, KeyOrder order, std::string_view& bytes, Arena& arena, const TypeCatalog* catalog) {
    return decode_key(KeyColumn(type, order, catalog), bytes, arena);
}

Value decode_key(const KeyColumn& column, std::string_view& bytes, Arena& arena) {
    using namespace key_file;
    if (bytes.empty()) damaged();
    const char tag = bytes[0];
    bytes.remove_prefix(1);
    const Oid type = column.type;
    if (tag == k_null_first || tag == k_null_last) return Value::null(type);
    if (tag != k_value_tag) damaged();
    const Form form = column.form;
    if (form == Form::integer) return take_integer(type, column.order.descending, bytes);
    std::string turned;
    std::string_view rest = bytes;
    if (column.order.descending) {
        turned.assign(bytes);
        for (char& byte : turned) byte = static_cast<char>(~byte);
        rest = turned;
    }
    const std::size_t before = rest.size();
    Value value = Value::null(type);
    switch (form) {
        case Form::boolean:
            value = Value::boolean(take_big_endian(rest, 1) != 0);
            break;
        case Form::real: {
            const double real = unfold_real(take_big_endian(rest, 8));
            value = type == type::float4 ? Value::float4(static_cast<float>(real)) : Value::float8(real);
            break;
        }
        case Form::timetz: {
            TimeTz time;
            time.microseconds = static_cast<std::int64_t>(take_big_endian(rest, 8) ^ std::uint64_t{1} << 63);
            time.zone =
                static_cast<std::int32_t>(static_cast<std::uint32_t>(take_big_endian(rest, 4)) ^ 0x80000000u);
            time.microseconds -= time.zone * k_microseconds_per_second;
            value = Value::timetz(time);
            break;
        }
        case Form::numeric:
            value = Value::numeric(numeric_from_key(rest, arena));
            break;
        case Form::uuid: {
            if (rest.size() < 16) damaged();
            Uuid uuid;
            std::memcpy(uuid.bytes, rest.data(), 16);
            rest.remove_prefix(16);
            value = Value::uuid(uuid);
            break;
        }
        case Form::bytes: {
            const std::size_t zero = rest.find('\0');
            if (!column.order.descending && zero + 1 < rest.size() && rest[zero + 1] == '\1') {
                // Nothing is escaped: the text lies in the key as it is.
                value = Value::bytes(type, rest.substr(0, zero));
                rest.remove_prefix(zero + 2);
                break;
            }
            std::string text;
            take_text(rest, &text);
            value = Value::bytes(type, arena.copy(text));
            break;
        }
        default:
            damaged();
    }
    bytes.remove_prefix(before - rest.size());
    return value;
}

namespace key_file {

void skip_payload(const TypeInfo& info, std::string_view& bytes, const TypeCatalog* catalog);

void skip_jsonb(std::string_view& bytes) {
    const std::uint64_t kind = take_big_endian(bytes, 1);
    switch (kind) {
        case 0x10:
        case 0x11:
            return;
        case 0x12:
            take_text(bytes, nullptr);
            return;
        case 0x13: {
            Arena arena;
            numeric_from_key(bytes, arena);
            return;
        }
        case 0x14:
            skip_bytes(bytes, 1);
            return;
        case 0x15:
        case 0x16: {
            const std::uint64_t count = take_big_endian(bytes, 4);
            for (std::uint64_t i = 0; i < count; ++i) {
                if (kind == 0x16) take_text(bytes, nullptr);
                skip_jsonb(bytes);
            }
            return;
        }
        default:
            damaged();
    }
}

void skip_array(const TypeInfo& element, std::string_view& bytes, const TypeCatalog* catalog) {
    for (;;) {
        const char tag = static_cast<char>(take_big_endian(bytes, 1));
        if (tag == k_end) break;
        if (tag == k_element) {
            skip_payload(element, bytes, catalog);
        } else if (tag != k_null_element) {
            damaged();
        }
    }
    skip_bytes(bytes, static_cast<std::size_t>(take_big_endian(bytes, 1)) * 8);
}

void skip_payload(const TypeInfo& info, std::string_view& bytes, const TypeCatalog* catalog) {
    switch (info.form) {
        case Form::boolean:
            skip_bytes(bytes, 1);
            return;
        case Form::integer:
            skip_bytes(bytes, stored_width(info.oid, info.form));
            return;
        case Form::real:
            skip_bytes(bytes, 8);
            return;
        case Form::timetz:
            skip_bytes(bytes, 12);
            return;
        case Form::interval:
        case Form::uuid:
            skip_bytes(bytes, 16);
            return;
        case Form::numeric: {
            Arena arena;
            numeric_from_key(bytes, arena);
            return;
        }
        case Form::bytes:
            take_text(bytes, nullptr);
            return;
        case Form::jsonb:
            skip_jsonb(bytes);
            return;
        case Form::array:
            skip_array(type_info(info.element, catalog), bytes, catalog);
            return;
        case Form::range:
            if (take_big_endian(bytes, 1) == 1) return;
            for (int i = 0; i < 2; ++i) {
                if (take_big_endian(bytes, 1) != 2) continue;
                skip_payload(type_info(info.element, catalog), bytes, catalog);
                skip_bytes(bytes, 1);
            }
            return;
        case Form::record: {
            if (catalog == nullptr) damaged();
            for (const FieldInfo& field : catalog->fields(info.oid)) {
                if (static_cast<char>(take_big_endian(bytes, 1)) == k_element)
                    skip_payload(type_info(field.type, catalog), bytes, catalog);
            }
            return;
        }
        case Form::nothing:
            break;
    }
    damaged();
}

}  // namespace key_file

void skip_key(Oid type, KeyOrder order, std::string_view& bytes, const TypeCatalog* catalog) {
    using namespace key_file;
    if (bytes.empty()) damaged();
    const char tag = bytes[0];
    bytes.remove_prefix(1);
    if (tag == k_null_first || tag == k_null_last) return;
    if (tag != k_value_tag) damaged();
    if (!order.descending) {
        skip_payload(type_info(type, catalog), bytes, catalog);
        return;
    }
    std::string turned(bytes);
    for (char& byte : turned) byte = static_cast<char>(~byte);
    std::string_view rest = turned;
    skip_payload(type_info(type, catalog), rest, catalog);
    bytes.remove_prefix(turned.size() - rest.size());
}

void skip_key(const KeyColumn& column, std::string_view& bytes, const TypeCatalog* catalog) {
    if (column.form != Form::integer || bytes.empty() || bytes[0] != k_value_tag)
        return skip_key(column.type, column.order, bytes, catalog);
    key_file::skip_bytes(bytes, 1 + stored_width(column.type, Form::integer));
}

std::string key_successor(std::string_view prefix) {
    std::string next(prefix);
    while (!next.empty() && static_cast<unsigned char>(next.back()) == 0xff) next.pop_back();
    if (!next.empty()) next.back() = static_cast<char>(next.back() + 1);
    return next;
}

}  // namespace northstar::inline v0::sql
