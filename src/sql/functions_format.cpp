// to_char, to_number, to_date, to_timestamp(text, text).
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/format.hpp"
#include "sql/numeric.hpp"
#include "sql/registry.hpp"
#include "sql/text_io.hpp"

#include <cfloat>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

namespace northstar::inline v0::sql {

namespace functions_format_file {

/// What a call expression keeps: the template it read last.
template <class Template>
struct Read : CallCache::Entry {
    explicit Read(std::string_view of) : pattern(of), made(of) {}
    std::string pattern;
    Template made;
};

/// The template, from the cache of the call where it is the same one; `own` keeps it otherwise.
template <class Template>
const Template& read(Call& call, const Value& pattern, std::unique_ptr<CallCache::Entry>& own) {
    // The cache of this call expression holds nothing but what this file put there.
    std::unique_ptr<CallCache::Entry>& entry = call.cache == nullptr ? own : call.cache->entry;
    auto* kept = static_cast<Read<Template>*>(entry.get());
    if (kept == nullptr || kept->pattern != pattern.bytes()) {
        auto fresh = std::make_unique<Read<Template>>(pattern.bytes());
        kept = fresh.get();
        entry = std::move(fresh);
    }
    return kept->made;
}

Value text_of(Call& call, std::string_view text) { return Value::text(call.arena.copy(text)); }

Value exact_to_char(Call& call, const Value* a, std::size_t) {
    std::unique_ptr<CallCache::Entry> own;
    return text_of(call, read<NumberTemplate>(call, a[1], own).format(value_to_text(a[0], call.session), 0));
}
/// With 17 digits at least, of which the template takes as many as the type has; without an exponent, as templates of
/// one read it. The smallest numbers have theirs up to 340 places behind the point.
Value real_to_char(Call& call, const Value* a, std::size_t) {
    const double value = a[0].real();
    std::string number;
    if (std::isnan(value)) number = "NaN";
    else if (std::isinf(value)) number = value < 0 ? "-Infinity" : "Infinity";
    else {
        char digits[400];
        const double size = std::fabs(value);
        std::snprintf(digits, sizeof digits, "%.*f", size < 1 ? 360 : size < 1e15 ? 17 : 0, value);
        number = digits;
    }
    std::unique_ptr<CallCache::Entry> own;
    const int digits_of_type = a[0].type() == type::float4 ? FLT_DIG : DBL_DIG;
    return text_of(call, read<NumberTemplate>(call, a[1], own).format(number, digits_of_type));
}

Value time_text(Call& call, const FormatTime& time, const Value& pattern) {
    std::unique_ptr<CallCache::Entry> own;
    return text_of(call, read<TimeTemplate>(call, pattern, own).format(time));
}

FormatTime local_fields(std::int64_t local) {
    FormatTime time;
    std::int64_t microseconds = 0;
    split_timestamp(local, time.days, microseconds);
    const Civil civil = civil_from_days(time.days);
    const Clock clock = clock_of(microseconds);
    time.year = civil.year;
    time.month = civil.month;
    time.day = civil.day;
    time.hour = clock.hour;
    time.minute = clock.minute;
    time.second = clock.second;
    time.microsecond = clock.microsecond;
    return time;
}

Value timestamp_to_char(Call& call, const Value* a, std::size_t) {
    if (a[1].bytes().empty() || !is_finite_timestamp(a[0].integer())) return Value::null(type::text);
    return time_text(call, local_fields(a[0].integer()), a[1]);
}
Value timestamptz_to_char(Call& call, const Value* a, std::size_t) {
    if (a[1].bytes().empty() || !is_finite_timestamp(a[0].integer())) return Value::null(type::text);
    TimeZone::Offset offset;
    offset.abbreviation = "UTC";
    FormatTime time = local_fields(to_local(a[0].integer(), call.session.settings.zone.get(), &offset));
    time.zoned = true;
    time.seconds_east = offset.seconds_east;
    time.zone = offset.abbreviation;
    return time_text(call, time, a[1]);
}
Value time_of_day(Call& call, const Value*, std::size_t) {
    const Value parts[] = {Value::integer(type::timestamptz, clock_now()),
                           Value::text("Dy Mon DD HH24:MI:SS.US YYYY TZ")};
    return timestamptz_to_char(call, parts, 2);
}
Value interval_to_char(Call& call, const Value* a, std::size_t) {
    if (a[1].bytes().empty()) return Value::null(type::text);
    const Interval& interval = a[0].interval();
    FormatTime time;
    time.interval = true;
    time.year = interval.months / 12;
    time.month = interval.months % 12;
    time.day = interval.days;
    std::int64_t rest = interval.microseconds;
    time.hour = rest / 3600000000;
    rest %= 3600000000;
    time.minute = static_cast<int>(rest / 60000000);
    rest %= 60000000;
    time.second = static_cast<int>(rest / 1000000);
    time.microsecond = static_cast<int>(rest % 1000000);
    return time_text(call, time, a[1]);
}

Value to_number(Call& call, const Value* a, std::size_t) {
    if (a[1].bytes().empty()) return Value::null(type::numeric);
    std::unique_ptr<CallCache::Entry> own;
    const ParsedNumber parsed = read<NumberTemplate>(call, a[1], own).parse(a[0].bytes());
    const Value value = value_from_text(type::numeric, numeric_typmod(parsed.precision, parsed.scale), parsed.text,
                                        call.arena, call.session);
    if (parsed.shift == 0) return value;
    const Numeric factor = numeric_power(Numeric::of(10), Numeric::of(-parsed.shift), call.arena);
    return Value::numeric(numeric_multiply(value.numeric(), factor, call.arena));
}
Value to_date(Call& call, const Value* a, std::size_t) {
    std::unique_ptr<CallCache::Entry> own;
    const ParsedTime parsed = read<TimeTemplate>(call, a[1], own).parse(a[0].bytes());
    check_date(parsed.days);
    return Value::integer(type::date, parsed.days);
}
Value to_timestamp(Call& call, const Value* a, std::size_t) {
    std::unique_ptr<CallCache::Entry> own;
    const ParsedTime parsed = read<TimeTemplate>(call, a[1], own).parse(a[0].bytes());
    const std::int64_t local = timestamp_of(parsed.days, parsed.microseconds);
    const std::int64_t instant = parsed.has_offset ? local - std::int64_t{parsed.seconds_east} * 1000000
                                                   : to_utc(local, call.session.settings.zone.get());
    check_timestamp(instant);
    return Value::integer(type::timestamptz, round_to_precision(instant, parsed.precision));
}

constexpr FunctionSource k_functions[] = {
    {"to_char(int4,text) text stable", &exact_to_char},
    {"to_char(int8,text) text stable", &exact_to_char},
    {"to_char(numeric,text) text stable", &exact_to_char},
    {"to_char(float4,text) text stable", &real_to_char},
    {"to_char(float8,text) text stable", &real_to_char},
    {"to_char(timestamp,text) text stable", &timestamp_to_char},
    {"to_char(timestamptz,text) text stable", &timestamptz_to_char},
    {"to_char(interval,text) text stable", &interval_to_char},
    {"timeofday() text volatile", &time_of_day},
    {"to_number(text,text) numeric stable", &to_number},
    {"to_date(text,text) date stable", &to_date},
    {"to_timestamp(text,text) timestamptz stable", &to_timestamp},
};

}  // namespace functions_format_file

std::span<const FunctionSource> formatting_functions() { return functions_format_file::k_functions; }

}  // namespace northstar::inline v0::sql
