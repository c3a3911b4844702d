#include "sql/compare.hpp"

#include "base/xxh64.hpp"
#include "sql/array.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/jsonb.hpp"
#include "sql/range.hpp"
#include "sql/record.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace northstar::inline v0::sql {

namespace compare_file {

template <class T>
int order_of(const T& a, const T& b) {
    return a < b ? -1 : b < a ? 1 : 0;
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

int order_of_reals(double a, double b) {
    if (std::isnan(a) || std::isnan(b))
        return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
    return order_of(a, b);
}

int order_of_bytes(std::string_view a, std::string_view b) {
    const int order = a.compare(b);
    return order < 0 ? -1 : order > 0;
}

[[noreturn]] void no_order(Oid type) {
    raise(sqlstate::undefined_function,
          "could not identify a comparison function for type " + format_type(type, k_no_typmod, nullptr));
}

/// Instant of a time with zone: times of one instant order by their zone.
int order_of_timetz(const TimeTz& a, const TimeTz& b) {
    const int order = order_of(a.microseconds + a.zone * k_microseconds_per_second,
                               b.microseconds + b.zone * k_microseconds_per_second);
    return order != 0 ? order : order_of(a.zone, b.zone);
}

int order_of_arrays(const Value& a, const Value& b) {
    const ArrayView left(a);
    const ArrayView right(b);
    Arena arena;
    const std::size_t common = std::min(left.size(), right.size());
    for (std::size_t i = 0; i < common; ++i) {
        const bool left_null = left.is_null(i);
        const bool right_null = right.is_null(i);
        if (left_null || right_null) {
            if (left_null != right_null) return left_null ? 1 : -1;
            continue;
        }
        const int order = compare_values(left.element(i, arena), right.element(i, arena));
        if (order != 0) return order;
    }
    if (left.size() != right.size()) return order_of(left.size(), right.size());
    const auto dimensions = left.dimensions();
    const auto others = right.dimensions();
    if (dimensions.size() != others.size()) return order_of(dimensions.size(), others.size());
    for (std::size_t i = 0; i < dimensions.size(); ++i) {
        if (dimensions[i].length != others[i].length) return order_of(dimensions[i].length, others[i].length);
    }
    for (std::size_t i = 0; i < dimensions.size(); ++i) {
        if (dimensions[i].lower != others[i].lower) return order_of(dimensions[i].lower, others[i].lower);
    }
    return 0;
}

int order_of_records(const Value& a, const Value& b) {
    const RecordView left(a);
    const RecordView right(b);
    Arena arena;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
        if (left.type(i) != right.type(i)) {
            raise(sqlstate::datatype_mismatch, "cannot compare dissimilar column types " +
                                                   format_type(left.type(i), k_no_typmod, nullptr) + " and " +
                                                   format_type(right.type(i), k_no_typmod, nullptr) +
                                                   " at record column " + std::to_string(i + 1));
        }
        const bool left_null = left.is_null(i);
        const bool right_null = right.is_null(i);
        if (left_null || right_null) {
            if (left_null != right_null) return left_null ? 1 : -1;
            continue;
        }
        const int order = compare_values(left.field(i, arena), right.field(i, arena));
        if (order != 0) return order;
    }
    if (left.size() != right.size()) {
        raise(sqlstate::datatype_mismatch, "cannot compare record types with different numbers of columns");
    }
    return 0;
}

std::uint64_t hash_bytes(std::string_view bytes) { return detail::xxh64(bytes.data(), bytes.size(), 0); }

std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93u;
    value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93u;
    return value ^ (value >> 32);
}

}  // namespace compare_file

int compare_values(const Value& a, const Value& b) {
    using namespace compare_file;
    switch (a.form()) {
        case Form::boolean:
            return order_of(a.boolean(), b.boolean());
        case Form::integer:
            return order_of(a.integer(), b.integer());
        case Form::real:
            return order_of_reals(a.real(), b.real());
        case Form::numeric:
            return numeric_compare(a.numeric(), b.numeric());
        case Form::interval:
            return interval_compare(a.interval(), b.interval());
        case Form::timetz:
            return order_of_timetz(a.timetz(), b.timetz());
        case Form::uuid:
            return order_of(std::memcmp(a.uuid().bytes, b.uuid().bytes, 16), 0);
        case Form::bytes:
            if (a.type() == type::json || a.type() == type::jsonpath) no_order(a.type());
            if (a.type() == type::bpchar)
                return order_of_bytes(without_blanks(a.bytes()), without_blanks(b.bytes()));
            return order_of_bytes(a.bytes(), b.bytes());
        case Form::jsonb:
            return jsonb_compare(JsonView(a.bytes()), JsonView(b.bytes()));
        case Form::array:
            return order_of_arrays(a, b);
        case Form::range: {
            Arena arena;
            return compare_ranges(read_range(a, arena), read_range(b, arena));
        }
        case Form::record:
            return order_of_records(a, b);
        case Form::nothing:
            break;
    }
    no_order(a.type());
}

bool equal_values(const Value& a, const Value& b) {
    if (a.form() == Form::integer) [[likely]]
        return a.integer() == b.integer();
    if (a.form() == Form::bytes && a.type() != type::bpchar && a.type() != type::json &&
        a.type() != type::jsonpath) {
        return a.bytes() == b.bytes();
    }
    return compare_values(a, b) == 0;
}

std::uint64_t hash_value(const Value& value) {
    using namespace compare_file;
    if (value.is_null()) return 0x9ae16a3b2f90404fu;
    switch (value.form()) {
        case Form::boolean:
            return mix(value.boolean() ? 1 : 2);
        case Form::integer:
            return mix(static_cast<std::uint64_t>(value.integer()));
        case Form::real: {
            const double real = value.real();
            if (std::isnan(real)) return 0x7ff8000000000000u;
            return mix(std::bit_cast<std::uint64_t>(real == 0 ? 0.0 : real));
        }
        case Form::numeric:
            return numeric_hash(value.numeric());
        case Form::interval: {
            const Int128 span = interval_span(value.interval());
            return mix(static_cast<std::uint64_t>(span) ^ mix(static_cast<std::uint64_t>(span >> 64)));
        }
        case Form::timetz:
            return mix(static_cast<std::uint64_t>(value.timetz().microseconds) ^
                       mix(static_cast<std::uint64_t>(value.timetz().zone)));
        case Form::uuid:
            return hash_bytes({reinterpret_cast<const char*>(value.uuid().bytes), 16});
        case Form::bytes:
            return hash_bytes(value.type() == type::bpchar ? without_blanks(value.bytes()) : value.bytes());
        case Form::jsonb:
            return jsonb_hash(JsonView(value.bytes()));
        case Form::array: {
            const ArrayView view(value);
            Arena arena;
            std::uint64_t hash = view.size();
            for (std::size_t i = 0; i < view.size(); ++i)
                hash = mix(hash * 31 + hash_value(view.element(i, arena)));
            return hash;
        }
        case Form::range: {
            Arena arena;
            const Range range = read_range(value, arena);
            if (range.empty) return 1;
            const auto bound = [](const RangeBound& b) {
                return b.infinite ? 2u : hash_value(b.value) * 2 + (b.inclusive ? 1 : 0);
            };
            return mix(bound(range.lower) * 31 + bound(range.upper));
        }
        case Form::record: {
            const RecordView view(value);
            Arena arena;
            std::uint64_t hash = view.size();
            for (std::size_t i = 0; i < view.size(); ++i)
                hash = mix(hash * 31 + hash_value(view.field(i, arena)));
            return hash;
        }
        case Form::nothing:
            break;
    }
    return 0;
}

bool is_orderable(Oid type, const TypeCatalog* catalog) {
    const TypeInfo& info = type_info(type, catalog);
    switch (info.form) {
        case Form::nothing:
            return false;
        case Form::bytes:
            return type != type::json && type != type::jsonpath && type != type::cstring;
        case Form::array:
            return is_orderable(info.element, catalog);
        default:
            return type != type::xid && type != type::cid;
    }
}

}  // namespace northstar::inline v0::sql
