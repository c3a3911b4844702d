// Hashes of values, with the numbers that PostgreSQL gives: partitions by hash hold the same rows there and here. The
// hash of bytes is Bob Jenkins's lookup3 (public domain, 2006).
#include "sql/functions_hash.hpp"

#include "sql/array.hpp"
#include "sql/compare.hpp"
#include "sql/error.hpp"
#include "sql/int128.hpp"
#include "sql/jsonb.hpp"
#include "sql/network.hpp"
#include "sql/range.hpp"
#include "sql/record.hpp"
#include "sql/registry.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace northstar::inline v0::sql {

namespace hash_file {

/// lookup3: three words into which twelve bytes at a time are stirred.
struct Lookup3 {
    std::uint32_t a, b, c;

    Lookup3(std::size_t length, std::uint64_t seed) {
        a = b = c = 0x9e3779b9u + static_cast<std::uint32_t>(length) + 3923095u;
        if (seed == 0) return;
        a += static_cast<std::uint32_t>(seed >> 32);
        b += static_cast<std::uint32_t>(seed);
        mix();
    }
    void mix() {
        const auto step = [](std::uint32_t& x, std::uint32_t& y, std::uint32_t& z, int bits) {
            x -= z;
            x ^= std::rotl(z, bits);
            z += y;
        };
        step(a, b, c, 4);
        step(b, c, a, 6);
        step(c, a, b, 8);
        step(a, b, c, 16);
        step(b, c, a, 19);
        step(c, a, b, 4);
    }
    void finish() {
        const auto step = [](std::uint32_t& x, std::uint32_t y, int bits) {
            x ^= y;
            x -= std::rotl(y, bits);
        };
        step(c, b, 14);
        step(a, c, 11);
        step(b, a, 25);
        step(c, b, 16);
        step(a, c, 4);
        step(b, a, 14);
        step(c, b, 24);
    }
    std::uint64_t wide() const { return std::uint64_t{b} << 32 | c; }
};

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) {
    Lookup3 state(bytes.size(), seed);
    const auto byte = [&](std::size_t at) { return std::uint32_t{static_cast<unsigned char>(bytes[at])}; };
    const auto word = [&](std::size_t at) {
        return byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    };
    std::size_t at = 0;
    for (; bytes.size() - at >= 12; at += 12) {
        state.a += word(at);
        state.b += word(at + 4);
        state.c += word(at + 8);
        state.mix();
    }
    // What is left; the lowest byte of the last word stands for the length.
    std::uint32_t* const words[] = {&state.a, &state.b, &state.c};
    for (std::size_t i = 0; at + i < bytes.size(); ++i) {
        const std::size_t shifted = i < 8 ? i : i + 1;
        *words[shifted / 4] += byte(at + i) << (shifted % 4 * 8);
    }
    state.finish();
    return state.wide();
}

std::uint64_t hash_word(std::uint32_t word, std::uint64_t seed) {
    Lookup3 state(sizeof word, seed);
    state.a += word;
    state.finish();
    return state.wide();
}

/// Numbers that fit into fewer bytes hash as they do there.
std::uint64_t hash_int8(std::int64_t value, std::uint64_t seed) {
    const auto bits = static_cast<std::uint64_t>(value);
    const auto high = static_cast<std::uint32_t>(bits >> 32);
    return hash_word(static_cast<std::uint32_t>(bits) ^ (value >= 0 ? high : ~high), seed);
}

std::uint64_t hash_real(double value, std::uint64_t seed) {
    if (value == 0) return seed;
    const std::uint64_t bits =
        value != value ? std::uint64_t{0x7ff8} << 48 : std::bit_cast<std::uint64_t>(value);
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(bits >> (8 * i));
    return hash_bytes({bytes, sizeof bytes}, seed);
}

/// Digits to the base 10000 without zeros at either end, and the place of the first.
std::uint64_t hash_numeric(const Numeric& value, std::uint64_t seed) {
    std::string text;
    numeric_to_text(value, text);
    std::string_view digits = text;
    if (digits.starts_with('-')) digits.remove_prefix(1);
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return seed;  // NaN, infinities
    const std::size_t point = std::min(digits.find('.'), digits.size());
    std::string whole(digits.substr(0, point));
    std::string rest(digits.substr(std::min(point + 1, digits.size())));
    whole.insert(0, (4 - whole.size() % 4) % 4, '0');
    rest.append((4 - rest.size() % 4) % 4, '0');
    const std::string all = whole + rest;
    std::string groups;
    int weight = static_cast<int>(whole.size() / 4) - 1;
    for (std::size_t i = 0; i < all.size(); i += 4) {
        int group = 0;
        for (std::size_t k = i; k < i + 4; ++k) group = group * 10 + (all[k] - '0');
        if (groups.empty() && group == 0) {
            --weight;
            continue;
        }
        groups.push_back(static_cast<char>(group & 0xff));
        groups.push_back(static_cast<char>(group >> 8));
    }
    while (groups.size() >= 2 && groups[groups.size() - 1] == 0 && groups[groups.size() - 2] == 0)
        groups.resize(groups.size() - 2);
    if (groups.empty()) return seed - 1;
    return hash_bytes(groups, seed) ^ static_cast<std::uint64_t>(static_cast<std::int64_t>(weight));
}

std::int64_t span_of(const Interval& value) {
    const Int128 days = static_cast<Int128>(value.months) * 30 + value.days;
    return static_cast<std::int64_t>(static_cast<Int128>(value.microseconds) + days * 86'400'000'000);
}

std::uint64_t hash_value(const Value& value, std::uint64_t seed);

/// What is hashed already makes place for what comes next, in each half by itself: the lower half is the short hash.
std::uint64_t rotated_halves(std::uint64_t hash) {
    const auto high = static_cast<std::uint32_t>(hash >> 32), low = static_cast<std::uint32_t>(hash);
    return std::uint64_t{std::rotl(high, 1)} << 32 | std::rotl(low, 1);
}
std::uint64_t both_halves(std::uint32_t word) { return std::uint64_t{word} << 32 | word; }

std::uint64_t hash_range(const Value& value, std::uint64_t seed) {
    Arena arena;
    const Range range = read_range(value, arena);
    std::uint32_t flags = range.empty ? 1 : 0;
    if (!range.empty) {
        if (range.lower.infinite) flags |= 8;
        else if (range.lower.inclusive) flags |= 2;
        if (range.upper.infinite) flags |= 16;
        else if (range.upper.inclusive) flags |= 4;
    }
    const auto bound = [&](const RangeBound& each) {
        return range.empty || each.infinite ? 0 : hash_value(each.value, seed);
    };
    return rotated_halves(hash_word(flags, seed) ^ bound(range.lower)) ^ bound(range.upper);
}

/// Adds to the hash of a document the parts of a node in their order.
void hash_json(JsonView node, std::uint64_t seed, std::uint64_t& hash) {
    constexpr std::uint32_t k_array = 0x40000000, k_object = 0x20000000;
    const auto add = [&](std::uint64_t scalar) { hash = rotated_halves(hash) ^ scalar; };
    switch (node.kind()) {
        case JsonKind::null: return add(seed + 1);
        case JsonKind::no:
        case JsonKind::yes: {
            const bool yes = node.kind() == JsonKind::yes;
            return add(seed == 0 ? (yes ? 2u : 4u) : hash_word(yes ? 1 : 0, seed));
        }
        case JsonKind::number: {
            Arena arena;
            return add(hash_numeric(node.number(arena), seed));
        }
        case JsonKind::string: return add(hash_bytes(node.string(), seed));
        case JsonKind::array:
            hash ^= both_halves(k_array);
            for (std::size_t i = 0; i < node.size(); ++i) hash_json(node.element(i), seed, hash);
            return;
        case JsonKind::object:
            hash ^= both_halves(k_object);
            for (std::size_t i = 0; i < node.size(); ++i) {
                add(hash_bytes(node.key(i), seed));
                hash_json(node.value(i), seed, hash);
            }
            return;
    }
}
std::uint64_t hash_document(JsonView node, std::uint64_t seed) {
    if (!node.is_scalar() && node.size() == 0) return seed;
    std::uint64_t hash = node.is_scalar() ? both_halves(0x40000000) : 0;
    hash_json(node, seed, hash);
    return hash;
}

/// A hash of a value of any type that is not NULL; equal values have equal hashes.
std::uint64_t hash_value(const Value& value, std::uint64_t seed) {
    // 31 times what was there and the next part, NULL being 0.
    const auto add_part = [&](std::uint64_t& hash, bool is_null, auto part) {
        hash = (hash << 5) - hash + (is_null ? 0 : hash_value(part(), seed));
    };
    switch (value.form()) {
        case Form::boolean: return hash_word(value.boolean() ? 1 : 0, seed);
        case Form::integer: {
            const Oid type = value.type();
            const bool narrow = type == type::int2 || type == type::int4 || type == type::oid || type == type::date ||
                                is_object_type(type);
            return narrow ? hash_word(static_cast<std::uint32_t>(value.integer()), seed)
                          : hash_int8(value.integer(), seed);
        }
        case Form::real: return hash_real(value.real(), seed);
        case Form::numeric: return hash_numeric(value.numeric(), seed);
        case Form::interval: return hash_int8(span_of(value.interval()), seed);
        case Form::uuid:
            return hash_bytes({reinterpret_cast<const char*>(value.uuid().bytes), sizeof value.uuid().bytes}, seed);
        case Form::bytes: {
            std::string_view bytes = value.bytes();
            if (value.type() == type::char_internal) {
                const char letter = bytes.empty() ? '\0' : bytes[0];
                return hash_word(static_cast<std::uint32_t>(std::int32_t{static_cast<signed char>(letter)}), seed);
            }
            if (value.type() == type::inet || value.type() == type::cidr) {
                // Family, mask and address, as they follow each other in PostgreSQL's values.
                const NetworkAddress address = network_of_bytes(bytes);
                std::string image(bytes.substr(0, 1));
                image += static_cast<char>(address.mask);
                image += bytes.substr(bytes.size() - address.size());
                return hash_bytes(image, seed);
            }
            if (value.type() == type::bpchar)
                while (bytes.ends_with(' ')) bytes.remove_suffix(1);
            return hash_bytes(bytes, seed);
        }
        case Form::timetz:
            return hash_int8(value.timetz().microseconds, seed) ^
                   hash_word(static_cast<std::uint32_t>(value.timetz().zone), seed);
        case Form::jsonb: return hash_document(JsonView(value.bytes()), seed);
        case Form::range: return hash_range(value, seed);
        case Form::array: {
            Arena arena;
            const ArrayView view(value);
            if (value.type() == type::oidvector) {
                std::string words(view.size() * 4, '\0');
                for (std::size_t i = 0; i < view.size(); ++i) {
                    const auto word = static_cast<std::uint32_t>(view.element(i, arena).integer());
                    for (std::size_t k = 0; k < 4; ++k) words[i * 4 + k] = static_cast<char>(word >> (8 * k));
                }
                return hash_bytes(words, seed);
            }
            std::uint64_t hash = 1;
            for (std::size_t i = 0; i < view.size(); ++i)
                add_part(hash, view.is_null(i), [&] { return view.element(i, arena); });
            return hash;
        }
        case Form::record: {
            Arena arena;
            const RecordView view(value);
            std::uint64_t hash = 0;
            for (std::size_t i = 0; i < view.size(); ++i)
                add_part(hash, view.is_null(i), [&] { return view.field(i, arena); });
            return hash;
        }
        case Form::nothing: break;
    }
    return seed;
}

/// Of a call whose argument may be of a type that has no hash.
void refuse_unhashable(const Call& call) {
    const Oid type = call.argument_types.empty() ? type::none : call.argument_types[0];
    const TypeInfo& info = type_info(type, call.session.types);
    if (info.form == Form::array && !is_orderable(info.element, call.session.types))
        raise(sqlstate::undefined_function, "could not identify a hash function for type " +
                                                format_type(info.element, k_no_typmod, call.session.types));
}

Value hash_short(Call& call, const Value* a, std::size_t) {
    refuse_unhashable(call);
    return Value::int4(static_cast<std::int32_t>(static_cast<std::uint32_t>(hash_value(a[0], 0))));
}
Value hash_extended(Call& call, const Value* a, std::size_t) {
    refuse_unhashable(call);
    return Value::int8(
        static_cast<std::int64_t>(hash_value(a[0], static_cast<std::uint64_t>(a[1].integer()))));
}

void add_to_partition_hash(const Value& part, std::uint64_t& hash) {
    constexpr std::uint64_t k_seed = 0x7a5b22367996dcfd;
    if (part.is_null()) return;
    hash ^= hash_value(part, k_seed) + 0x49a0f4dd15e5a8e3u + (hash << 54) + (hash >> 7);
}

/// Whether a row belongs to the partition of that modulus and remainder; the key stands behind them.
Value satisfies_hash_partition(Call& call, const Value* a, std::size_t count) {
    if (a[0].is_null() || a[1].is_null() || a[2].is_null()) return Value::boolean(false);
    const std::int64_t modulus = a[1].integer(), remainder = a[2].integer();
    if (modulus <= 0)
        raise(sqlstate::invalid_parameter_value,
              "modulus for hash partition must be an integer value greater than zero");
    if (remainder < 0)
        raise(sqlstate::invalid_parameter_value,
              "remainder for hash partition must be an integer value greater than or equal to zero");
    if (remainder >= modulus)
        raise(sqlstate::invalid_parameter_value, "remainder for hash partition must be less than modulus");
    std::uint64_t hash = 0;
    if (call.variadic_array) {
        if (a[3].is_null()) return Value::boolean(false);
        const ArrayView parts(a[3]);
        for (std::size_t i = 0; i < parts.size(); ++i)
            if (!parts.is_null(i)) add_to_partition_hash(parts.element(i, call.arena), hash);
    } else {
        hash = partition_hash({a + 3, count - 3});
    }
    return Value::boolean(hash % static_cast<std::uint64_t>(modulus) == static_cast<std::uint64_t>(remainder));
}

constexpr FunctionSource k_functions[] = {
    {"hashint2(int2) int4", &hash_short},
    {"hashint4(int4) int4", &hash_short},
    {"hashint8(int8) int4", &hash_short},
    {"hashoid(oid) int4", &hash_short},
    {"hashfloat4(float4) int4", &hash_short},
    {"hashfloat8(float8) int4", &hash_short},
    {"hash_numeric(numeric) int4", &hash_short},
    {"hashtext(text) int4", &hash_short},
    {"hashname(name) int4", &hash_short},
    {"hashbpchar(bpchar) int4", &hash_short},
    {"hashvarlena(bytea) int4", &hash_short},
    {"uuid_hash(uuid) int4", &hash_short},
    {"hashinet(inet) int4", &hash_short},
    {"hashmacaddr(macaddr) int4", &hash_short},
    {"time_hash(time) int4", &hash_short},
    {"timestamp_hash(timestamp) int4", &hash_short},
    {"interval_hash(interval) int4", &hash_short},
    {"hashchar(char) int4", &hash_short},
    {"timetz_hash(timetz) int4", &hash_short},
    {"hashoidvector(oidvector) int4", &hash_short},
    {"hash_array(anyarray) int4", &hash_short},
    {"hash_range(anyrange) int4", &hash_short},
    {"hash_record(record) int4", &hash_short},
    {"hashenum(anyenum) int4", &hash_short},
    {"jsonb_hash(jsonb) int4", &hash_short},
    {"hashint2extended(int2,int8) int8", &hash_extended},
    {"hashint4extended(int4,int8) int8", &hash_extended},
    {"hashint8extended(int8,int8) int8", &hash_extended},
    {"hashoidextended(oid,int8) int8", &hash_extended},
    {"hashfloat4extended(float4,int8) int8", &hash_extended},
    {"hashfloat8extended(float8,int8) int8", &hash_extended},
    {"hash_numeric_extended(numeric,int8) int8", &hash_extended},
    {"hashtextextended(text,int8) int8", &hash_extended},
    {"hashnameextended(name,int8) int8", &hash_extended},
    {"hashbpcharextended(bpchar,int8) int8", &hash_extended},
    {"hashvarlenaextended(bytea,int8) int8", &hash_extended},
    {"uuid_hash_extended(uuid,int8) int8", &hash_extended},
    {"hashinetextended(inet,int8) int8", &hash_extended},
    {"hashmacaddrextended(macaddr,int8) int8", &hash_extended},
    {"time_hash_extended(time,int8) int8", &hash_extended},
    {"timestamp_hash_extended(timestamp,int8) int8", &hash_extended},
    {"interval_hash_extended(interval,int8) int8", &hash_extended},
    {"hashcharextended(char,int8) int8", &hash_extended},
    {"timetz_hash_extended(timetz,int8) int8", &hash_extended},
    {"hashoidvectorextended(oidvector,int8) int8", &hash_extended},
    {"hash_array_extended(anyarray,int8) int8", &hash_extended},
    {"hash_range_extended(anyrange,int8) int8", &hash_extended},
    {"hash_record_extended(record,int8) int8", &hash_extended},
    {"hashenumextended(anyenum,int8) int8", &hash_extended},
    {"jsonb_hash_extended(jsonb,int8) int8", &hash_extended},
    {"satisfies_hash_partition(oid,int4,int4,any) bool nonstrict variadic", &satisfies_hash_partition},
};

}  // namespace hash_file

std::uint64_t partition_hash(std::span<const Value> key) {
    std::uint64_t hash = 0;
    for (const Value& part : key) hash_file::add_to_partition_hash(part, hash);
    return hash;
}

std::span<const FunctionSource> hash_functions() { return hash_file::k_functions; }

}  // namespace northstar::inline v0::sql
