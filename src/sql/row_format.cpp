#include "sql/row_format.hpp"

#include "base/bytes.hpp"
#include "sql/error.hpp"
#include "sql/numeric_small.hpp"

#include <bit>
#include <new>

namespace northstar::inline v0::sql {

namespace row_file {

using detail::load_u16;
using detail::load_u32;
using detail::load_u64;

constexpr std::size_t k_header_size = 4;
constexpr std::size_t k_max_columns = 1600;

[[noreturn]] void damaged() {
    raise(sqlstate::data_corrupted, "a stored row does not match the layout of its table");
}

/// A number of `width` bytes with its sign.
std::int64_t load_integer(const char* from, std::uint32_t width) {
    switch (width) {
        case 2:
            return static_cast<std::int16_t>(load_u16(from));
        case 4:
            return static_cast<std::int32_t>(load_u32(from));
        default:
            return static_cast<std::int64_t>(load_u64(from));
    }
}

bool is_unsigned(Oid type) {
    return type == type::oid || is_object_type(type) || type == type::xid || type == type::cid;
}

/// Writes the slot of a value of fixed width that is not NULL.
void store_slot(const Value& value, std::uint32_t width, std::byte* to) {
    const auto store_number = [&](std::uint64_t number) {
        switch (width) {
            case 1: *to = static_cast<std::byte>(number); return;
            case 2: detail::store_u16(to, static_cast<std::uint16_t>(number)); return;
            case 4: detail::store_u32(to, static_cast<std::uint32_t>(number)); return;
            default: detail::store_u64(to, number);
        }
    };
    switch (value.form()) {
        case Form::boolean: return store_number(value.boolean() ? 1 : 0);
        case Form::integer: return store_number(static_cast<std::uint64_t>(value.integer()));
        case Form::real:
            return store_number(width == 4 ? std::bit_cast<std::uint32_t>(static_cast<float>(value.real()))
                                           : std::bit_cast<std::uint64_t>(value.real()));
        case Form::timetz:
            detail::store_u64(to, static_cast<std::uint64_t>(value.timetz().microseconds));
            detail::store_u32(to + 8, static_cast<std::uint32_t>(value.timetz().zone));
            return;
        case Form::interval:
            detail::store_u64(to, static_cast<std::uint64_t>(value.interval().microseconds));
            detail::store_u32(to + 8, static_cast<std::uint32_t>(value.interval().days));
            detail::store_u32(to + 12, static_cast<std::uint32_t>(value.interval().months));
            return;
        default:
            NORTHSTAR_ASSERT(value.form() == Form::uuid);
            std::memcpy(to, value.uuid().bytes, 16);
    }
}

}  // namespace row_file

std::uint32_t stored_width(Oid type, Form form) {
    switch (form) {
        case Form::boolean:
            return 1;
        case Form::integer:
            switch (type) {
                case type::int2:
                    return 2;
                case type::int4:
                case type::date:
                case type::oid:
                case type::regproc:
                case type::regprocedure:
                case type::regclass:
                case type::regtype:
                case type::regnamespace:
                case type::regrole:
                case type::xid:
                case type::cid:
                    return 4;
                default:
                    return 8;
            }
        case Form::real:
            return type == type::float4 ? 4 : 8;
        case Form::timetz:
            return 12;
        case Form::interval:
        case Form::uuid:
            return 16;
        default:
            return 0;
    }
}

void stored_bytes(const Value& value, std::string& out) {
    switch (value.form()) {
        case Form::numeric: numeric_to_stored(value.numeric(), out); return;
        case Form::bytes:
        case Form::jsonb:
        case Form::array:
        case Form::range:
        case Form::record: out += value.bytes(); return;
        case Form::nothing: return;
        default: {
            const std::uint32_t width = stored_width(value.type(), value.form());
            const std::size_t at = out.size();
            out.append(width, '\0');
            row_file::store_slot(value, width, reinterpret_cast<std::byte*>(out.data()) + at);
        }
    }
}

Value value_from_stored(Oid type, Form form, std::string_view bytes, Arena& arena) {
    using namespace row_file;
    const std::uint32_t width = stored_width(type, form);
    if (width != 0 && bytes.size() != width) damaged();
    const char* from = bytes.data();
    switch (form) {
        case Form::boolean:
            return Value::boolean(*from != 0).as(type);
        case Form::integer:
            if (is_unsigned(type)) return Value::integer(type, load_u32(from));
            return Value::integer(type, load_integer(from, width));
        case Form::real:
            if (type == type::float4) return Value::float4(std::bit_cast<float>(load_u32(from)));
            return Value::float8(std::bit_cast<double>(load_u64(from)));
        case Form::timetz:
            return Value::timetz(
                {static_cast<std::int64_t>(load_u64(from)), static_cast<std::int32_t>(load_u32(from + 8))});
        case Form::interval:
            return Value::interval({static_cast<std::int64_t>(load_u64(from)),
                                    static_cast<std::int32_t>(load_u32(from + 8)),
                                    static_cast<std::int32_t>(load_u32(from + 12))});
        case Form::uuid: {
            Uuid uuid;
            std::memcpy(uuid.bytes, from, 16);
            return Value::uuid(uuid);
        }
        case Form::numeric:
            return Value::numeric(numeric_from_stored(bytes, arena));
        case Form::bytes:
        case Form::jsonb:
        case Form::array:
        case Form::range:
        case Form::record:
            return Value::bytes(type, form, bytes);
        case Form::nothing:
            break;
    }
    return Value::null(type);
}

RowLayout::RowLayout(std::uint16_t version, std::span<const Oid> types, const TypeCatalog* catalog)
    : version_(version) {
    if (types.size() > row_file::k_max_columns)
        raise(sqlstate::too_many_columns, "tables can have at most 1600 columns");
    Prefix prefix;
    prefixes_.push_back(prefix);
    for (const Oid type : types) {
        ColumnLayout column;
        column.type = type;
        column.form = form_of(type, catalog);
        column.width = stored_width(type, column.form);
        column.place = column.width != 0 ? prefix.fixed : prefix.variables;
        column.missing = Value::null(type);
        if (column.width != 0) {
            prefix.fixed += column.width;
        } else {
            ++prefix.variables;
        }
        columns_.push_back(column);
        prefixes_.push_back(prefix);
    }
}

void RowLayout::encode(std::span<const Value> values, std::string& out) const {
    using namespace row_file;
    NORTHSTAR_ASSERT(values.size() == columns_.size());
    const std::size_t begin = out.size();
    const std::size_t fixed = k_header_size + (columns_.size() + 7) / 8;
    const Prefix& all = prefixes_.back();
    const std::size_t offsets = fixed + all.fixed;
    const std::size_t start = offsets + std::size_t{all.variables} * 4;
    out.resize(begin + start, '\0');
    std::byte* const row = reinterpret_cast<std::byte*>(out.data()) + begin;
    detail::store_u16(row, version_);
    detail::store_u16(row + 2, static_cast<std::uint16_t>(columns_.size()));
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const ColumnLayout& column = columns_[i];
        if (values[i].is_null()) {
            row[k_header_size + i / 8] |= static_cast<std::byte>(1u << (i % 8));
        } else if (column.width != 0) {
            NORTHSTAR_ASSERT(values[i].form() == column.form);
            store_slot(values[i], column.width, row + fixed + column.place);
        }
    }
    if (all.variables == 0) return;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].width != 0) continue;
        if (!values[i].is_null()) stored_bytes(values[i], out);
        if (out.size() - begin > 0xffffffffu) raise(sqlstate::program_limit_exceeded, "row is too big");
        detail::store_u32(out.data() + begin + offsets + std::size_t{columns_[i].place} * 4,
                          static_cast<std::uint32_t>(out.size() - begin - start));
    }
}

Value RowLayout::column_of(std::string_view row, std::size_t index, Arena& arena) const {
    using namespace row_file;
    const ColumnLayout& column = columns_[index];
    if (row.size() < k_header_size) damaged();
    const std::size_t count = load_u16(row.data() + 2);
    if (index >= count) return column.missing;
    if (count > columns_.size()) damaged();
    const std::size_t fixed = k_header_size + (count + 7) / 8;
    const Prefix& stored = prefixes_[count];
    const std::size_t offsets = fixed + stored.fixed;
    const std::size_t data = offsets + std::size_t{stored.variables} * 4;
    if (row.size() < data) damaged();
    if ((static_cast<unsigned char>(row[k_header_size + index / 8]) >> (index % 8) & 1) != 0)
        return Value::null(column.type);
    if (column.width != 0) {
        return value_from_stored(column.type, column.form, row.substr(fixed + column.place, column.width),
                                 arena);
    }
    const std::size_t begin =
        column.place == 0 ? 0 : load_u32(row.data() + offsets + (std::size_t{column.place} - 1) * 4);
    const std::size_t end = load_u32(row.data() + offsets + std::size_t{column.place} * 4);
    if (begin > end || end > row.size() - data) damaged();
    return value_from_stored(column.type, column.form, row.substr(data + begin, end - begin), arena);
}

namespace row_file {

/// Rows of the present number of columns, one column of them; anything else goes through `other`.
struct ColumnReader {
    const std::string_view* rows;
    const std::uint32_t* index;
    std::size_t count;
    bool in_place;         // out[index[k]] is written, else out[k]
    std::size_t columns;   // that a row must have
    std::size_t least;     // bytes of such a row without its variable section
    std::size_t null_at;
    unsigned null_bit;
    Oid type;

    template <class Read, class Other>
    void read(Value* out, Read&& read_one, Other&& other) const {
        for (std::size_t k = 0; k < count; ++k) {
            const std::string_view row = rows[index[k]];
            // Made where it stays: a value that is put together elsewhere and then copied is read before its parts,
            // written one by one, have left the processor's store buffer, and waits for them.
            Value* const to = out + (in_place ? index[k] : k);
            if (row.size() < least || load_u16(row.data() + 2) != columns) [[unlikely]] new (to) Value(other(row));
            else if ((static_cast<unsigned char>(row[null_at]) >> null_bit & 1) != 0) new (to) Value(Value::null(type));
            else new (to) Value(read_one(row));
        }
    }
};

}  // namespace row_file

void RowLayout::column_of_rows(const std::string_view* rows, const std::uint32_t* index, std::size_t count,
                               std::size_t number, Value* out, bool in_place, Arena& arena) const {
    using namespace row_file;
    const ColumnLayout& column = columns_[number];
    const std::size_t fixed = k_header_size + (columns_.size() + 7) / 8;
    const Prefix& all = prefixes_.back();
    const std::size_t offsets = fixed + all.fixed;
    const std::size_t data = offsets + std::size_t{all.variables} * 4;
    const ColumnReader reader{rows, index, count, in_place, columns_.size(), data, k_header_size + number / 8,
                              static_cast<unsigned>(number % 8), column.type};
    const auto other = [&](std::string_view row) { return column_of(row, number, arena); };
    const Oid type = column.type;
    const std::size_t at = fixed + column.place;
    if (column.form == Form::integer && column.width == 4 && !is_unsigned(type)) {
        reader.read(out, [=](std::string_view row) {
            return Value::integer(type, static_cast<std::int32_t>(load_u32(row.data() + at)));
        }, other);
    } else if (column.form == Form::integer && column.width == 8) {
        reader.read(out, [=](std::string_view row) {
            return Value::integer(type, static_cast<std::int64_t>(load_u64(row.data() + at)));
        }, other);
    } else if (column.form == Form::real && column.width == 8) {
        reader.read(out, [=](std::string_view row) {
            return Value::float8(std::bit_cast<double>(load_u64(row.data() + at)));
        }, other);
    } else if (column.width != 0) {
        reader.read(out, [&](std::string_view row) {
            return value_from_stored(type, column.form, row.substr(at, column.width), arena);
        }, other);
    } else {
        const std::size_t end_at = offsets + std::size_t{column.place} * 4;
        const bool first = column.place == 0;
        const auto bytes_of = [=](std::string_view row) {
            const std::size_t begin = first ? 0 : load_u32(row.data() + end_at - 4);
            const std::size_t end = load_u32(row.data() + end_at);
            if (begin > end || end > row.size() - data) damaged();
            return row.substr(data + begin, end - begin);
        };
        if (column.form == Form::bytes) {
            reader.read(out, [=](std::string_view row) { return Value::bytes(type, bytes_of(row)); }, other);
        } else if (column.form == Form::numeric) {
            reader.read(out, [&](std::string_view row) {
                const std::string_view stored = bytes_of(row);
                Numeric small;
                if (small_numeric_from_stored(stored, small)) return Value::numeric(small);
                return Value::numeric(numeric_from_stored(stored, arena));
            }, other);
        } else {
            reader.read(out, [&](std::string_view row) {
                return value_from_stored(type, column.form, bytes_of(row), arena);
            }, other);
        }
    }
}

void RowLayout::decode(std::string_view row, std::span<Value> values, Arena& arena) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) values[i] = column_of(row, i, arena);
}

}  // namespace northstar::inline v0::sql
