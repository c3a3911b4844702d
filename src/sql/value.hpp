// value.hpp -- one SQL value, tagged with its type. Layer: sql. Threads: values.
//
// A Value is 24 bytes and copied freely: 16 bytes of payload, its type, the form of the payload, and whether it is
// NULL. A vector of an executor may keep the payloads (Datum) in one array, type and form once and the NULLs in a
// bitmap: nothing is lost.
//
// [VALUE-1] A payload of fixed width lies in the value. A payload of variable width (Form::bytes and behind it, and
//           numerics of more than 18 digits) is a view into bytes that somebody else owns: a literal's arena, a page
//           of a snapshot, the arena of a call. Whoever keeps a value beyond those copies it (copy_value).
// [VALUE-2] NULL has a type as well; its payload is not read.
// [VALUE-3] Integers of every width are an int64 in the range of their type. Dates are days, times, timestamps and
//           timestamptz are microseconds since 2000-01-01 00:00 (UTC), times since midnight. The extremes of int64
//           (of int32 for dates) are infinity and -infinity. Years are proleptic Gregorian.
// [VALUE-4] An enum is the number of its label (EnumLabel::number), which orders as the labels do.
#pragma once

#include "sql/arena.hpp"
#include "sql/numeric.hpp"
#include "sql/type.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// Months, days and microseconds are kept apart: a month has no fixed number of days, a day none of hours.
struct Interval {
    std::int64_t microseconds = 0;
    std::int32_t days = 0;
    std::int32_t months = 0;
    friend bool operator==(const Interval&, const Interval&) = default;  ///< of the fields, not of the spans
};

struct TimeTz {
    std::int64_t microseconds = 0;  ///< since midnight in its zone
    std::int32_t zone = 0;          ///< seconds WEST of Greenwich, as PostgreSQL keeps it
};

struct Uuid {
    std::uint8_t bytes[16] = {};
};

inline constexpr std::int64_t k_timestamp_infinity = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t k_timestamp_minus_infinity = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t k_date_infinity = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t k_date_minus_infinity = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t k_microseconds_per_second = 1'000'000;
inline constexpr std::int64_t k_microseconds_per_hour = 3600 * k_microseconds_per_second;
inline constexpr std::int64_t k_microseconds_per_day = 24 * k_microseconds_per_hour;

/// The payload alone.
union Datum {
    struct View {
        const char* data;
        std::size_t size;
    };
    std::int64_t integer;
    double real;
    bool boolean;
    View view;
    Interval interval;
    TimeTz timetz;
    Uuid uuid;
    Numeric numeric;
    constexpr Datum() : integer(0) {}
};
static_assert(sizeof(Datum) == 16);

class Value {
public:
    /// NULL of type unknown.
    Value() = default;
    Value(Oid type, Form form, Datum datum) : datum_(datum), type_(type), form_(form), null_(false) {}

    static Value null(Oid type) {
        Value value;
        value.type_ = type;
        return value;
    }
    static Value boolean(bool payload) {
        Value value = make(type::boolean, Form::boolean);
        value.datum_.boolean = payload;
        return value;
    }
    /// Any type of Form::integer.
    static Value integer(Oid type, std::int64_t payload) {
        Value value = make(type, Form::integer);
        value.datum_.integer = payload;
        return value;
    }
    static Value int4(std::int64_t payload) { return integer(type::int4, payload); }
    static Value int8(std::int64_t payload) { return integer(type::int8, payload); }
    static Value float8(double payload) {
        Value value = make(type::float8, Form::real);
        value.datum_.real = payload;
        return value;
    }
    static Value float4(float payload) {
        Value value = make(type::float4, Form::real);
        value.datum_.real = static_cast<double>(payload);
        return value;
    }
    static Value numeric(const Numeric& payload) {
        Value value = make(type::numeric, Form::numeric);
        value.datum_.numeric = payload;
        return value;
    }
    static Value interval(const Interval& payload) {
        Value value = make(type::interval, Form::interval);
        value.datum_.interval = payload;
        return value;
    }
    static Value timetz(const TimeTz& payload) {
        Value value = make(type::timetz, Form::timetz);
        value.datum_.timetz = payload;
        return value;
    }
    static Value uuid(const Uuid& payload) {
        Value value = make(type::uuid, Form::uuid);
        value.datum_.uuid = payload;
        return value;
    }
    /// Any type whose form is bytes or one of the layouts behind it; the bytes are not copied.
    static Value bytes(Oid type, Form form, std::string_view payload) {
        Value value = make(type, form);
        value.datum_.view = {payload.data(), payload.size()};
        return value;
    }
    /// The same of Form::bytes: text and its kin, bytea, json.
    static Value bytes(Oid type, std::string_view payload) { return bytes(type, Form::bytes, payload); }
    static Value text(std::string_view payload) { return bytes(type::text, payload); }
    static Value jsonb(std::string_view payload) { return bytes(type::jsonb, Form::jsonb, payload); }

    Oid type() const { return type_; }
    /// How the payload lies; not to be asked of NULL.
    Form form() const { return form_; }
    bool is_null() const { return null_; }
    const Datum& datum() const { return datum_; }

    bool boolean() const { return datum_.boolean; }
    std::int64_t integer() const { return datum_.integer; }
    double real() const { return datum_.real; }
    const Numeric& numeric() const { return datum_.numeric; }
    const Interval& interval() const { return datum_.interval; }
    const TimeTz& timetz() const { return datum_.timetz; }
    const Uuid& uuid() const { return datum_.uuid; }
    std::string_view bytes() const { return {datum_.view.data, datum_.view.size}; }

    /// The same payload under another type of the same form (binary-coercible casts).
    Value as(Oid type) const {
        Value value = *this;
        value.type_ = type;
        return value;
    }

private:
    static Value make(Oid type, Form form) {
        Value value;
        value.type_ = type;
        value.form_ = form;
        value.null_ = false;
        return value;
    }
    Datum datum_;
    Oid type_ = type::unknown;
    Form form_ = Form::nothing;
    bool null_ = true;
    /// Makes a copy two moves side by side. Without it the second would begin within the first, and whoever reads the
    /// copy next would wait until both have left the processor's store buffer.
    [[maybe_unused]] std::uint16_t filling_ = 0;
};
static_assert(sizeof(Value) == 24);

/// A copy whose payload lives in `arena`. Fixed-width values cost nothing.
Value copy_value(const Value& value, Arena& arena);

}  // namespace northstar::inline v0::sql
