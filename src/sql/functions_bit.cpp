// Bit strings, which are texts of 0 and 1: operators, substrings, places, single bits, aggregates. Bits and bytes of
// bytea.
#include "sql/error.hpp"
#include "sql/registry.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace northstar::inline v0::sql {

namespace bit_file {

Value bits_of(Call& call, std::string_view bits) {
    return Value::bytes(call.result_type, call.arena.copy(bits));
}

template <char (*Combine)(char, char)>
Value combine(Call& call, const Value* a, std::size_t) {
    const std::string_view left = a[0].bytes(), right = a[1].bytes();
    if (left.size() != right.size())
        raise(sqlstate::string_data_length_mismatch,
              std::string("cannot ") + (Combine('1', '0') == '0' ? "AND" : Combine('1', '1') == '1' ? "OR" : "XOR") +
                  " bit strings of different sizes");
    std::string bits(left);
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = Combine(left[i], right[i]);
    return bits_of(call, bits);
}
constexpr char both(char a, char b) { return a == '1' && b == '1' ? '1' : '0'; }
constexpr char either(char a, char b) { return a == '1' || b == '1' ? '1' : '0'; }
constexpr char one(char a, char b) { return a != b ? '1' : '0'; }

Value invert(Call& call, const Value* a, std::size_t) {
    std::string bits(a[0].bytes());
    for (char& bit : bits) bit = bit == '1' ? '0' : '1';
    return bits_of(call, bits);
}

/// Moves bits to the right (by < 0: to the left); the length stays.
Value shifted(Call& call, std::string_view bits, std::int64_t by) {
    const auto size = static_cast<std::int64_t>(bits.size());
    std::string out(bits.size(), '0');
    for (std::int64_t i = 0; i < size; ++i)
        if (i + by >= 0 && i + by < size) out[static_cast<std::size_t>(i + by)] = bits[static_cast<std::size_t>(i)];
    return bits_of(call, out);
}
Value shift_right(Call& call, const Value* a, std::size_t) { return shifted(call, a[0].bytes(), a[1].integer()); }
Value shift_left(Call& call, const Value* a, std::size_t) { return shifted(call, a[0].bytes(), -a[1].integer()); }

Value substring(Call& call, const Value* a, std::size_t count) {
    const std::string_view bits = a[0].bytes();
    const auto size = static_cast<std::int64_t>(bits.size());
    const std::int64_t begin = a[1].integer();
    std::int64_t end = size + 1;
    if (count > 2) {
        if (a[2].integer() < 0) raise(sqlstate::substring_error, "negative substring length not allowed");
        end = std::min(end, begin + a[2].integer());
    }
    const std::int64_t first = std::max<std::int64_t>(begin, 1);
    if (end <= first) return bits_of(call, {});
    return bits_of(call, bits.substr(static_cast<std::size_t>(first) - 1, static_cast<std::size_t>(end - first)));
}

Value position(Call&, const Value* a, std::size_t) {
    const auto found = a[0].bytes().empty() ? std::string_view::npos : a[0].bytes().find(a[1].bytes());
    return Value::int4(found == std::string_view::npos ? 0 : static_cast<std::int64_t>(found) + 1);
}

Value overlay(Call& call, const Value* a, std::size_t count) {
    const std::string_view bits = a[0].bytes(), with = a[1].bytes();
    const std::int64_t begin = a[2].integer();
    const std::int64_t length = count > 3 ? a[3].integer() : static_cast<std::int64_t>(with.size());
    if (begin <= 0) raise(sqlstate::substring_error, "negative substring length not allowed");
    const std::int64_t rest = begin - 1 + length;
    if (rest + 1 > INT32_MAX) raise(sqlstate::numeric_value_out_of_range, "integer out of range");
    std::string out(bits.substr(0, static_cast<std::size_t>(begin) - 1));
    out += with;
    if (rest < static_cast<std::int64_t>(bits.size()))
        out += bits.substr(static_cast<std::size_t>(std::max<std::int64_t>(rest, 0)));
    return bits_of(call, out);
}

void check_index(std::string_view bits, std::int64_t index) {
    if (index < 0 || index >= static_cast<std::int64_t>(bits.size()))
        raise(sqlstate::array_subscript_error, "bit index " + std::to_string(index) + " out of valid range (0.." +
                                                   std::to_string(static_cast<std::int64_t>(bits.size()) - 1) + ")");
}
Value get_bit(Call&, const Value* a, std::size_t) {
    check_index(a[0].bytes(), a[1].integer());
    return Value::int4(a[0].bytes()[static_cast<std::size_t>(a[1].integer())] - '0');
}
Value set_bit(Call& call, const Value* a, std::size_t) {
    check_index(a[0].bytes(), a[1].integer());
    if (a[2].integer() != 0 && a[2].integer() != 1)
        raise(sqlstate::invalid_parameter_value, "new bit must be 0 or 1");
    std::string bits(a[0].bytes());
    bits[static_cast<std::size_t>(a[1].integer())] = static_cast<char>('0' + a[2].integer());
    return bits_of(call, bits);
}
Value bit_count(Call&, const Value* a, std::size_t) {
    const std::string_view bits = a[0].bytes();
    return Value::int8(std::count(bits.begin(), bits.end(), '1'));
}
Value octets(Call&, const Value* a, std::size_t) {
    return Value::int4(static_cast<std::int64_t>((a[0].bytes().size() + 7) / 8));
}
Value length(Call&, const Value* a, std::size_t) { return Value::int4(static_cast<std::int64_t>(a[0].bytes().size())); }

/// The lowest bits of a number, as many as the type has, behind copies of its sign.
Value bits_of_integer(Call& call, const Value* a, std::size_t) {
    const std::int64_t number = a[0].integer();
    const std::size_t size = call.result_typmod > 0 ? static_cast<std::size_t>(call.result_typmod) : 1;
    std::string bits(size, number < 0 ? '1' : '0');
    for (std::size_t i = 0; i < std::min<std::size_t>(size, 64); ++i)
        bits[size - 1 - i] = (static_cast<std::uint64_t>(number) >> i & 1) != 0 ? '1' : '0';
    return bits_of(call, bits);
}
/// The number whose lowest bits these are.
template <Oid Target>
Value integer_of_bits(Call&, const Value* a, std::size_t) {
    const std::string_view bits = a[0].bytes();
    constexpr std::size_t most = Target == type::int4 ? 32 : 64;
    if (bits.size() > most)
        raise(sqlstate::numeric_value_out_of_range,
              Target == type::int4 ? "integer out of range" : "bigint out of range");
    std::uint64_t number = 0;
    for (const char bit : bits) number = number << 1 | (bit == '1' ? 1u : 0u);
    return Value::integer(Target, Target == type::int4 ? std::int64_t{static_cast<std::int32_t>(number)}
                                                       : static_cast<std::int64_t>(number));
}

// ---- bytea: bits count from the lowest one of the first byte ----

void check_byte(std::string_view bytes, std::int64_t index) {
    if (index < 0 || index >= static_cast<std::int64_t>(bytes.size()))
        raise(sqlstate::array_subscript_error, "index " + std::to_string(index) + " out of valid range, 0.." +
                                                   std::to_string(static_cast<std::int64_t>(bytes.size()) - 1));
}
void check_byte_bit(std::string_view bytes, std::int64_t index) {
    if (index < 0 || index >= static_cast<std::int64_t>(bytes.size()) * 8)
        raise(sqlstate::array_subscript_error, "index " + std::to_string(index) + " out of valid range, 0.." +
                                                   std::to_string(static_cast<std::int64_t>(bytes.size()) * 8 - 1));
}
Value get_byte(Call&, const Value* a, std::size_t) {
    check_byte(a[0].bytes(), a[1].integer());
    return Value::int4(static_cast<unsigned char>(a[0].bytes()[static_cast<std::size_t>(a[1].integer())]));
}
Value set_byte(Call& call, const Value* a, std::size_t) {
    check_byte(a[0].bytes(), a[1].integer());
    std::string bytes(a[0].bytes());
    bytes[static_cast<std::size_t>(a[1].integer())] = static_cast<char>(a[2].integer() & 0xff);
    return bits_of(call, bytes);
}
Value get_byte_bit(Call&, const Value* a, std::size_t) {
    check_byte_bit(a[0].bytes(), a[1].integer());
    const auto index = static_cast<std::size_t>(a[1].integer());
    return Value::int4(static_cast<unsigned char>(a[0].bytes()[index / 8]) >> (index % 8) & 1);
}
Value set_byte_bit(Call& call, const Value* a, std::size_t) {
    check_byte_bit(a[0].bytes(), a[1].integer());
    if (a[2].integer() != 0 && a[2].integer() != 1)
        raise(sqlstate::invalid_parameter_value, "new bit must be 0 or 1");
    const auto index = static_cast<std::size_t>(a[1].integer());
    std::string bytes(a[0].bytes());
    const auto bit = static_cast<unsigned char>(1u << (index % 8));
    const auto old = static_cast<unsigned char>(bytes[index / 8]);
    bytes[index / 8] = static_cast<char>(a[2].integer() == 1 ? old | bit : old & ~bit);
    return bits_of(call, bytes);
}
Value count_byte_bits(Call&, const Value* a, std::size_t) {
    std::int64_t count = 0;
    for (const char c : a[0].bytes()) count += std::popcount(static_cast<unsigned char>(c));
    return Value::int8(count);
}

/// bit_and, bit_or, bit_xor: the bits so far; zeroed memory is no bits at all.
struct Gathered {
    char* bits;
    std::size_t size;
    bool any;
};
template <char (*Combine)(char, char)>
void gather_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    Gathered& s = *static_cast<Gathered*>(state);
    if (s.any) {
        const Value pair[] = {Value::bytes(type::bit, {s.bits, s.size}), a[0]};
        Call both_of{call.arena, call.session, type::bit, k_no_typmod, {}, nullptr};
        std::memcpy(s.bits, combine<Combine>(both_of, pair, 2).bytes().data(), s.size);
        return;
    }
    s.size = a[0].bytes().size();
    s.bits = call.arena.allocate(s.size + 1);
    std::memcpy(s.bits, a[0].bytes().data(), s.size);
    s.any = true;
}
Value gather_final(AggregateCall& call, void* state) {
    const Gathered& s = *static_cast<const Gathered*>(state);
    return s.any ? Value::bytes(call.result_type, {s.bits, s.size}) : Value::null(call.result_type);
}
void gather_nothing(AggregateCall&, void*) {}
template <char (*Combine)(char, char)>
constexpr AggregateBody k_gather{sizeof(Gathered), &gather_nothing, &gather_step<Combine>, nullptr, nullptr,
                                 &gather_final};

constexpr FunctionSource k_functions[] = {
    {"bit_and(bit) bit", &k_gather<both>},
    {"bit_or(bit) bit", &k_gather<either>},
    {"bit_xor(bit) bit", &k_gather<one>},
    {"substring(bit,int4) bit", &substring},
    {"substring(bit,int4,int4) bit", &substring},
    {"position(bit,bit) int4", &position},
    {"overlay(bit,bit,int4) bit", &overlay},
    {"overlay(bit,bit,int4,int4) bit", &overlay},
    {"get_bit(bit,int4) int4", &get_bit},
    {"set_bit(bit,int4,int4) bit", &set_bit},
    {"bit_count(bit) int8", &bit_count},
    {"octet_length(bit) int4", &octets},
    {"bit_length(bit) int4", &length},
    {"get_byte(bytea,int4) int4", &get_byte},
    {"set_byte(bytea,int4,int4) bytea", &set_byte},
    {"get_bit(bytea,int8) int4", &get_byte_bit},
    {"set_bit(bytea,int8,int4) bytea", &set_byte_bit},
    {"bit_count(bytea) int8", &count_byte_bits},
};

constexpr OperatorSource k_operators[] = {
    {"bit & bit bit", &combine<both>, "bitand"},
    {"bit | bit bit", &combine<either>, "bitor"},
    {"bit # bit bit", &combine<one>, "bitxor"},
    {"- ~ bit bit", &invert, "bitnot"},
    {"bit >> int4 bit", &shift_right, "bitshiftright"},
    {"bit << int4 bit", &shift_left, "bitshiftleft"},
};

constexpr CastSource k_casts[] = {
    {"int4 bit e", &bits_of_integer},
    {"int8 bit e", &bits_of_integer},
    {"bit int4 e", &integer_of_bits<type::int4>},
    {"bit int8 e", &integer_of_bits<type::int8>},
};

}  // namespace bit_file

std::span<const FunctionSource> bit_functions() { return bit_file::k_functions; }
std::span<const OperatorSource> bit_operators() { return bit_file::k_operators; }
std::span<const CastSource> bit_casts() { return bit_file::k_casts; }

}  // namespace northstar::inline v0::sql
