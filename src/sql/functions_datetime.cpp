// Operators, casts and functions of dates, times and intervals. (Fields and truncation: datetime_fields.cpp.)

#include "sql/datetime.hpp"
#include "sql/datetime_fields.hpp"
#include "sql/error.hpp"
#include "sql/registry.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace northstar::inline v0::sql {

namespace datetime_functions_file {

const TimeZone* zone_of(const Call& call) { return call.session.settings.zone.get(); }

Value timestamp(std::int64_t value) { return Value::integer(type::timestamp, value); }
Value timestamptz(std::int64_t value) { return Value::integer(type::timestamptz, value); }
Value date(std::int64_t value) { return Value::integer(type::date, value); }
Value time(std::int64_t value) { return Value::integer(type::time, value); }

[[noreturn]] void overflow(const char* message) { raise(sqlstate::datetime_field_overflow, message); }

constexpr std::int64_t k_end_days = 106751983;  // behind 294276-12-31, the last day of timestamps

std::int64_t timestamp_of_date(std::int64_t days) {
    if (days == k_date_infinity) return k_timestamp_infinity;
    if (days == k_date_minus_infinity) return k_timestamp_minus_infinity;
    if (days >= k_end_days) overflow("date out of range for timestamp");
    return days * k_microseconds_per_day;
}
std::int64_t date_of_timestamp(std::int64_t value) {
    if (value == k_timestamp_infinity) return k_date_infinity;
    if (value == k_timestamp_minus_infinity) return k_date_minus_infinity;
    std::int64_t days = 0;
    std::int64_t rest = 0;
    split_timestamp(value, days, rest);
    return days;
}
std::int64_t time_of_timestamp(std::int64_t value) {
    std::int64_t days = 0;
    std::int64_t rest = 0;
    split_timestamp(value, days, rest);
    return rest;
}
std::int64_t within_day(Int128 value) {
    Int128 rest = value % k_microseconds_per_day;
    if (rest < 0) rest += k_microseconds_per_day;
    return static_cast<std::int64_t>(rest);
}

// ---- arithmetic ----

Value date_plus_days(Call&, const Value* a, std::size_t) {
    if (!is_finite_date(a[0].integer())) return a[0];
    const std::int64_t days = a[0].integer() + a[1].integer();
    check_date(days);
    return date(days);
}
Value days_plus_date(Call& call, const Value* a, std::size_t) {
    const Value turned[] = {a[1], a[0]};
    return date_plus_days(call, turned, 2);
}
Value date_minus_days(Call& call, const Value* a, std::size_t) {
    const Value negated[] = {a[0], Value::int8(-a[1].integer())};
    return date_plus_days(call, negated, 2);
}
Value date_minus_date(Call&, const Value* a, std::size_t) {
    if (!is_finite_date(a[0].integer()) || !is_finite_date(a[1].integer()))
        overflow("cannot subtract infinite dates");
    return Value::int4(a[0].integer() - a[1].integer());
}
template <int Sign>
Interval signed_interval(const Value& value) {
    return Sign > 0 ? value.interval() : interval_negate(value.interval());
}
template <int Sign>
Value date_and_interval(Call&, const Value* a, std::size_t) {
    return timestamp(timestamp_add(timestamp_of_date(a[0].integer()), signed_interval<Sign>(a[1])));
}
Value date_plus_time(Call&, const Value* a, std::size_t) {
    const std::int64_t day = timestamp_of_date(a[0].integer());
    if (!is_finite_timestamp(day)) return timestamp(day);
    check_timestamp(day + a[1].integer());
    return timestamp(day + a[1].integer());
}
/// The moment when it is so late there, by the session's zone.
Value moment_of(Call& call, const Value* a, std::size_t count) {
    const std::int64_t local = date_plus_time(call, a, count).integer();
    if (!is_finite_timestamp(local)) return timestamptz(local);
    const std::int64_t moment = to_utc(local, call.session.settings.zone.get());
    check_timestamp(moment);
    return timestamptz(moment);
}
Value date_plus_timetz(Call&, const Value* a, std::size_t) {
    const std::int64_t day = timestamp_of_date(a[0].integer());
    if (!is_finite_timestamp(day)) return timestamptz(day);
    const std::int64_t moment =
        day + a[1].timetz().microseconds + a[1].timetz().zone * k_microseconds_per_second;
    check_timestamp(moment);
    return timestamptz(moment);
}
template <int Sign>
Value time_and_interval(Call&, const Value* a, std::size_t) {
    return time(within_day(static_cast<Int128>(a[0].integer()) +
                           Sign * static_cast<Int128>(a[1].interval().microseconds)));
}
template <int Sign>
Value timetz_and_interval(Call&, const Value* a, std::size_t) {
    const TimeTz& from = a[0].timetz();
    return Value::timetz({within_day(static_cast<Int128>(from.microseconds) +
                                     Sign * static_cast<Int128>(a[1].interval().microseconds)),
                          from.zone});
}
template <int Sign>
Value timestamp_and_interval(Call&, const Value* a, std::size_t) {
    if (!is_finite_timestamp(a[0].integer())) return a[0];  // the least interval cannot be negated
    return timestamp(timestamp_add(a[0].integer(), signed_interval<Sign>(a[1])));
}
template <int Sign>
Value timestamptz_and_interval(Call& call, const Value* a, std::size_t) {
    if (!is_finite_timestamp(a[0].integer())) return a[0];
    return timestamptz(timestamptz_add(a[0].integer(), signed_interval<Sign>(a[1]), zone_of(call)));
}
template <ScalarBody Body>
Value swapped(Call& call, const Value* a, std::size_t) {
    const Value turned[] = {a[1], a[0]};
    return Body(call, turned, 2);
}
Value timestamp_difference(Call&, const Value* a, std::size_t) {
    return Value::interval(timestamp_subtract(a[0].integer(), a[1].integer()));
}
Value time_difference(Call&, const Value* a, std::size_t) {
    return Value::interval({a[0].integer() - a[1].integer(), 0, 0});
}
Value interval_sum(Call&, const Value* a, std::size_t) {
    return Value::interval(interval_add(a[0].interval(), a[1].interval()));
}
Value interval_difference(Call&, const Value* a, std::size_t) {
    // Not the sum with its negation, which the least months and days do not have.
    const Interval left = a[0].interval();
    const Interval right = a[1].interval();
    Interval result;
    if (__builtin_sub_overflow(left.microseconds, right.microseconds, &result.microseconds) ||
        __builtin_sub_overflow(left.days, right.days, &result.days) ||
        __builtin_sub_overflow(left.months, right.months, &result.months))
        overflow("interval out of range");
    return Value::interval(result);
}
Value negate(Call&, const Value* a, std::size_t) { return Value::interval(interval_negate(a[0].interval())); }
Value multiply(Call&, const Value* a, std::size_t) {
    return Value::interval(interval_multiply(a[0].interval(), a[1].real()));
}
Value divide(Call&, const Value* a, std::size_t) {
    return Value::interval(interval_divide(a[0].interval(), a[1].real()));
}

// ---- comparisons across types ----

/// A date, timestamp or timestamptz as an instant, for comparing with another kind. Dates beyond timestamps lie behind
/// all of them, and before infinity.
std::int64_t instant(const Value& value, bool with_zone, const TimeZone* zone) {
    if (value.type() == type::timestamptz) return value.integer();
    std::int64_t local = value.integer();
    if (value.type() == type::date) {
        if (!is_finite_date(local))
            return local == k_date_infinity ? k_timestamp_infinity : k_timestamp_minus_infinity;
        if (local >= k_end_days) return k_timestamp_infinity - 1;
        local *= k_microseconds_per_day;
    }
    return with_zone && zone != nullptr && is_finite_timestamp(local)
               ? local - zone->offset_of_local(local) * k_microseconds_per_second
               : local;
}
int compare_instants(Call& call, const Value* a) {
    const bool with_zone = a[0].type() == type::timestamptz || a[1].type() == type::timestamptz;
    const std::int64_t left = instant(a[0], with_zone, zone_of(call));
    const std::int64_t right = instant(a[1], with_zone, zone_of(call));
    return left < right ? -1 : left > right;
}
Value instants_equal(Call& call, const Value* a, std::size_t) {
    return Value::boolean(compare_instants(call, a) == 0);
}
Value instants_differ(Call& call, const Value* a, std::size_t) {
    return Value::boolean(compare_instants(call, a) != 0);
}
Value instant_less(Call& call, const Value* a, std::size_t) {
    return Value::boolean(compare_instants(call, a) < 0);
}
Value instant_less_equal(Call& call, const Value* a, std::size_t) {
    return Value::boolean(compare_instants(call, a) <= 0);
}
Value instant_greater(Call& call, const Value* a, std::size_t) {
    return Value::boolean(compare_instants(call, a) > 0);
}
Value instant_greater_equal(Call& call, const Value* a, std::size_t) {
    return Value::boolean(compare_instants(call, a) >= 0);
}

/// A date is read as its midnight, other than by extract().
Value part_of_date(Call& call, const Value* a, std::size_t count) {
    const Value midnight[] = {a[0], timestamp(timestamp_of_date(a[1].integer()))};
    return date_part(call, midnight, count);
}

// ---- casts ----

Value date_to_timestamp(Call&, const Value* a, std::size_t) {
    return timestamp(timestamp_of_date(a[0].integer()));
}
Value date_to_timestamptz(Call& call, const Value* a, std::size_t) {
    return timestamptz(to_utc(timestamp_of_date(a[0].integer()), zone_of(call)));
}
Value timestamp_to_date(Call&, const Value* a, std::size_t) {
    return date(date_of_timestamp(a[0].integer()));
}
Value timestamp_to_time(Call&, const Value* a, std::size_t) {
    return is_finite_timestamp(a[0].integer()) ? time(time_of_timestamp(a[0].integer()))
                                               : Value::null(type::time);
}
Value timestamp_to_timestamptz(Call& call, const Value* a, std::size_t) {
    return timestamptz(to_utc(a[0].integer(), zone_of(call)));
}
/// The moment that clocks of a zone show, which may be out of range although `moment` is not.
Value timestamp_in(std::int64_t moment, const TimeZone* zone) {
    const std::int64_t local = to_local(moment, zone);
    if (is_finite_timestamp(local)) check_timestamp(local);
    return timestamp(local);
}
Value timestamptz_to_timestamp(Call& call, const Value* a, std::size_t) {
    return timestamp_in(a[0].integer(), zone_of(call));
}
Value timestamptz_to_date(Call& call, const Value* a, std::size_t) {
    return date(date_of_timestamp(to_local(a[0].integer(), zone_of(call))));
}
Value timestamptz_to_time(Call& call, const Value* a, std::size_t) {
    if (!is_finite_timestamp(a[0].integer())) return Value::null(type::time);
    return time(time_of_timestamp(to_local(a[0].integer(), zone_of(call))));
}
Value timestamptz_to_timetz(Call& call, const Value* a, std::size_t) {
    if (!is_finite_timestamp(a[0].integer())) return Value::null(type::timetz);
    TimeZone::Offset offset;
    const std::int64_t local = to_local(a[0].integer(), zone_of(call), &offset);
    return Value::timetz({time_of_timestamp(local), -offset.seconds_east});
}
Value time_to_timetz(Call& call, const Value* a, std::size_t) {
    const TimeZone* zone = zone_of(call);
    const std::int64_t today =
        date_of_timestamp(to_local(call.session.transaction_time, zone)) * k_microseconds_per_day;
    return Value::timetz(
        {a[0].integer(), zone == nullptr ? 0 : -zone->offset_of_local(today + a[0].integer())});
}
Value time_to_interval(Call&, const Value* a, std::size_t) { return Value::interval({a[0].integer(), 0, 0}); }
Value interval_to_time(Call&, const Value* a, std::size_t) {
    return time(within_day(a[0].interval().microseconds));
}
Value timetz_to_time(Call&, const Value* a, std::size_t) { return time(a[0].timetz().microseconds); }

// ---- the clock ----

Value transaction_time(Call& call, const Value*, std::size_t) {
    return timestamptz(call.session.transaction_time);
}
Value statement_time(Call& call, const Value*, std::size_t) {
    return timestamptz(call.session.statement_time);
}
Value clock_time(Call&, const Value*, std::size_t) { return timestamptz(clock_now()); }
Value current_date(Call& call, const Value*, std::size_t) {
    return date(date_of_timestamp(to_local(call.session.transaction_time, zone_of(call))));
}
Value current_time(Call& call, const Value*, std::size_t) {
    const Value now = timestamptz(call.session.transaction_time);
    return timestamptz_to_timetz(call, &now, 1);
}
Value local_time(Call& call, const Value*, std::size_t) {
    return time(time_of_timestamp(to_local(call.session.transaction_time, zone_of(call))));
}
Value local_timestamp(Call& call, const Value*, std::size_t) {
    return timestamp(to_local(call.session.transaction_time, zone_of(call)));
}

// ---- making ----

std::int64_t make_day(std::int64_t year, std::int64_t month, std::int64_t day) {
    const auto text = [&]() {
        char buffer[64];
        std::snprintf(buffer, sizeof buffer, "%lld-%02lld-%02lld", static_cast<long long>(year),
                      static_cast<long long>(month), static_cast<long long>(day));
        return std::string(buffer);
    };
    if (year == 0 || month < 1 || month > 12 || day < 1 || day > 31)
        overflow(("date field value out of range: " + text()).c_str());
    const std::int64_t astronomical = year < 0 ? year + 1 : year;
    if (day > days_in_month(astronomical, static_cast<int>(month)))
        overflow(("date field value out of range: " + text()).c_str());
    const std::int64_t days = days_from_civil({astronomical, static_cast<int>(month), static_cast<int>(day)});
    check_date(days);
    return days;
}
std::int64_t make_clock(std::int64_t hour, std::int64_t minute, double second) {
    const bool bad = std::isnan(second) || hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 ||
                     second > 60 || (hour == 24 && (minute > 0 || second > 0));
    if (bad) {
        char buffer[96];
        std::snprintf(buffer, sizeof buffer, "time field value out of range: %lld:%02lld:%02g",
                      static_cast<long long>(hour), static_cast<long long>(minute), second);
        overflow(buffer);
    }
    return (hour * 60 + minute) * 60 * k_microseconds_per_second +
           static_cast<std::int64_t>(std::rint(second * 1e6));
}
Value make_date(Call&, const Value* a, std::size_t) {
    return date(make_day(a[0].integer(), a[1].integer(), a[2].integer()));
}
Value make_time(Call&, const Value* a, std::size_t) {
    return time(make_clock(a[0].integer(), a[1].integer(), a[2].real()));
}
std::int64_t make_local(const Value* a) {
    return timestamp_of(make_day(a[0].integer(), a[1].integer(), a[2].integer()),
                        make_clock(a[3].integer(), a[4].integer(), a[5].real()));
}
Value make_timestamp(Call&, const Value* a, std::size_t) { return timestamp(make_local(a)); }

/// A zone by any of its names; raises 22023.
std::shared_ptr<const TimeZone> zone_named(std::string_view name) {
    if (std::shared_ptr<const TimeZone> moving = moving_abbreviation(name)) return moving;
    if (const std::optional<std::int32_t> east = zone_abbreviation(name)) return fixed_time_zone(*east);
    if (!name.empty() && (name[0] == '+' || name[0] == '-' || (name[0] >= '0' && name[0] <= '9'))) {
        // A bare offset counts west of Greenwich, as in POSIX.
        const Interval offset = [&]() {
            Session plain;
            return interval_from_text(
                std::string(name) + (name.find(':') == std::string_view::npos ? " hours" : ""), k_no_typmod,
                plain);
        }();
        return fixed_time_zone(static_cast<std::int32_t>(-offset.microseconds / k_microseconds_per_second));
    }
    std::shared_ptr<const TimeZone> zone = find_time_zone(name);
    if (zone == nullptr)
        raise(sqlstate::invalid_parameter_value, "time zone \"" + std::string(name) + "\" not recognized");
    return zone;
}
Value make_timestamptz(Call& call, const Value* a, std::size_t count) {
    const std::int64_t local = make_local(a);
    if (count < 7) return timestamptz(to_utc(local, zone_of(call)));
    std::string_view name = a[6].bytes();
    std::shared_ptr<const TimeZone> zone;
    if (!name.empty() && name[0] >= '0' && name[0] <= '9')
        raise(sqlstate::invalid_parameter_value, "invalid input syntax for type numeric time zone: \"" +
                                                     std::string(name) + "\"",
              {}, "Numeric time zones must have \"-\" or \"+\" as first character.");
    if (!name.empty() && (name[0] == '+' || name[0] == '-')) {
        Session plain;
        const Interval offset =
            interval_from_text(std::string(name) + (name.find(':') == std::string_view::npos ? " hours" : ""),
                               k_no_typmod, plain);
        constexpr std::int64_t k_limit = 16 * 3600 * k_microseconds_per_second;
        if (offset.microseconds >= k_limit || offset.microseconds <= -k_limit)
            raise(sqlstate::invalid_parameter_value, "numeric time zone \"" + std::string(name) + "\" out of range");
        zone = fixed_time_zone(static_cast<std::int32_t>(offset.microseconds / k_microseconds_per_second));
    } else {
        zone = zone_named(name);
    }
    return timestamptz(to_utc(local, zone.get()));
}
Value make_interval(Call&, const Value* a, std::size_t) {
    const auto out_of_range = []() { overflow("interval out of range"); };
    const std::int64_t months = a[0].integer() * 12 + a[1].integer();
    const std::int64_t days = a[2].integer() * 7 + a[3].integer();
    if (std::isnan(a[6].real()) || std::isinf(a[6].real())) out_of_range();
    const double seconds = std::rint(a[6].real() * 1e6);
    if (std::fabs(seconds) >= 0x1p63 || months != static_cast<std::int32_t>(months) ||
        days != static_cast<std::int32_t>(days))
        out_of_range();
    const Int128 micros =
        (static_cast<Int128>(a[4].integer()) * 3600 + a[5].integer() * 60) * k_microseconds_per_second +
        static_cast<std::int64_t>(seconds);
    if (micros < INT64_MIN || micros > INT64_MAX) out_of_range();
    return Value::interval({static_cast<std::int64_t>(micros), static_cast<std::int32_t>(days),
                            static_cast<std::int32_t>(months)});
}
Value to_timestamp(Call&, const Value* a, std::size_t) {
    const double seconds = a[0].real();
    if (std::isnan(seconds)) overflow("timestamp cannot be NaN");
    if (std::isinf(seconds))
        return timestamptz(seconds < 0 ? k_timestamp_minus_infinity : k_timestamp_infinity);
    constexpr double k_unix_epoch = 946684800.0;
    const double micros = std::rint((seconds - k_unix_epoch) * 1e6);
    if (!(micros >= -9.2e18 && micros <= 9.2e18)) {
        std::string text;
        char buffer[40];
        std::snprintf(buffer, sizeof buffer, "%g", seconds);
        overflow((std::string("timestamp out of range: \"") + buffer + '"').c_str());
    }
    check_timestamp(static_cast<std::int64_t>(micros));
    return timestamptz(static_cast<std::int64_t>(micros));
}

// ---- zones ----

Value at_zone_local(Call&, const Value* a, std::size_t) {
    if (!is_finite_timestamp(a[1].integer())) return timestamptz(a[1].integer());
    return timestamptz(to_utc(a[1].integer(), zone_named(a[0].bytes()).get()));
}
Value at_zone(Call&, const Value* a, std::size_t) {
    if (!is_finite_timestamp(a[1].integer())) return timestamp(a[1].integer());
    return timestamp_in(a[1].integer(), zone_named(a[0].bytes()).get());
}
std::shared_ptr<const TimeZone> zone_of_interval(const Interval& offset) {
    if (offset.months != 0 || offset.days != 0) {
        raise(sqlstate::invalid_parameter_value, "interval time zone must not include months or days");
    }
    return fixed_time_zone(static_cast<std::int32_t>(offset.microseconds / k_microseconds_per_second));
}
Value at_offset_local(Call&, const Value* a, std::size_t) {
    if (!is_finite_timestamp(a[1].integer())) return timestamptz(a[1].integer());
    return timestamptz(to_utc(a[1].integer(), zone_of_interval(a[0].interval()).get()));
}
Value at_offset(Call&, const Value* a, std::size_t) {
    if (!is_finite_timestamp(a[1].integer())) return timestamp(a[1].integer());
    return timestamp_in(a[1].integer(), zone_of_interval(a[0].interval()).get());
}
Value timetz_at_zone(Call& call, const Value* a, std::size_t) {
    const std::shared_ptr<const TimeZone> zone =
        a[0].form() == Form::interval ? zone_of_interval(a[0].interval()) : zone_named(a[0].bytes());
    const std::int32_t west = -zone->at(call.session.transaction_time).seconds_east;
    const TimeTz& from = a[1].timetz();
    const Int128 moved = static_cast<Int128>(from.microseconds) +
                         (static_cast<Int128>(from.zone) - west) * k_microseconds_per_second;
    return Value::timetz({within_day(moved), west});
}

// ---- ages, justification, bins, overlaps ----

Value age(Call&, const Value* a, std::size_t) {
    return Value::interval(timestamp_age(a[0].integer(), a[1].integer()));
}
Value age_of_instants(Call& call, const Value* a, std::size_t) {
    return Value::interval(
        timestamp_age(to_local(a[0].integer(), zone_of(call)), to_local(a[1].integer(), zone_of(call))));
}
Value age_of_one(Call& call, const Value* a, std::size_t) {
    const std::int64_t today =
        date_of_timestamp(to_local(call.session.transaction_time, zone_of(call))) * k_microseconds_per_day;
    const std::int64_t local =
        a[0].type() == type::timestamptz ? to_local(a[0].integer(), zone_of(call)) : a[0].integer();
    return Value::interval(timestamp_age(today, local));
}
template <Interval (*Function)(const Interval&)>
Value justify(Call&, const Value* a, std::size_t) {
    return Value::interval(Function(a[0].interval()));
}
Value is_finite(Call&, const Value* a, std::size_t) {
    if (a[0].form() == Form::interval) return Value::boolean(true);
    return Value::boolean(a[0].type() == type::date ? is_finite_date(a[0].integer())
                                                    : is_finite_timestamp(a[0].integer()));
}
Value date_bin(Call& call, const Value* a, std::size_t) {
    const Interval& stride = a[0].interval();
    const std::int64_t value = a[1].integer();
    const std::int64_t origin = a[2].integer();
    if (!is_finite_timestamp(value)) return a[1];
    if (!is_finite_timestamp(origin)) overflow("origin out of range");
    if (stride.months != 0) {
        raise(sqlstate::feature_not_supported,
              "timestamps cannot be binned into intervals containing months or years");
    }
    const Int128 size = static_cast<Int128>(stride.days) * k_microseconds_per_day + stride.microseconds;
    if (size <= 0) overflow("stride must be greater than zero");
    if (size > INT64_MAX) overflow("interval out of range");
    const Int128 distance = static_cast<Int128>(value) - origin;
    if (distance > INT64_MAX || distance < INT64_MIN) overflow("timestamp out of range");
    Int128 bin = distance - distance % size;
    if (distance % size < 0) bin -= size;
    const Int128 result = origin + bin;
    if (result < INT64_MIN || result > INT64_MAX) overflow("timestamp out of range");
    check_timestamp(static_cast<std::int64_t>(result));
    return Value::integer(call.result_type, static_cast<std::int64_t>(result));
}
Value overlaps(Call&, const Value* a, std::size_t) {
    // A span of which one end is unknown begins at the other one.
    const auto low = [&](std::size_t i) {
        if (a[i].is_null() || a[i + 1].is_null()) return a[a[i].is_null() ? i + 1 : i].integer();
        return std::min(a[i].integer(), a[i + 1].integer());
    };
    const auto is_open = [&](std::size_t i) { return a[i].is_null() || a[i + 1].is_null(); };
    const auto high = [&](std::size_t i) { return std::max(a[i].integer(), a[i + 1].integer()); };
    if ((a[0].is_null() && a[1].is_null()) || (a[2].is_null() && a[3].is_null())) return Value::null(type::boolean);
    if (low(0) == low(2)) return is_open(0) || is_open(2) ? Value::null(type::boolean) : Value::boolean(true);
    const std::size_t first = low(0) < low(2) ? 0 : 2, second = 2 - first;
    if (is_open(first)) return Value::null(type::boolean);
    if (low(second) < high(first)) return Value::boolean(true);
    return is_open(second) ? Value::null(type::boolean) : Value::boolean(false);
}

/// Spans as a beginning and a length: bit 1 of `Lengths` the first one, bit 2 the second.
template <int Lengths>
Value overlaps_with_lengths(Call& call, const Value* a, std::size_t count) {
    Value ends[4] = {a[0], a[1], a[2], a[3]};
    for (std::size_t i = 1; i < 4; i += 2) {
        if ((Lengths & static_cast<int>((i + 1) / 2)) == 0) continue;
        const Value& from = a[i - 1];
        if (from.is_null() || a[i].is_null()) {
            ends[i] = Value::null(from.type());
            continue;
        }
        if (from.type() == type::time) {
            const std::int64_t sum = (from.integer() + a[i].interval().microseconds) % k_microseconds_per_day;
            ends[i] = Value::integer(type::time, sum < 0 ? sum + k_microseconds_per_day : sum);
            continue;
        }
        const OperatorEntry* plus = nullptr;
        for (const OperatorEntry* entry : find_operators("+"))
            if (entry->left == from.type() && entry->right == type::interval) plus = entry;
        const Value sides[2] = {from, a[i]};
        ends[i] = plus->body(call, sides, 2);
    }
    return overlaps(call, ends, count);
}

constexpr FunctionSource k_functions[] = {
    {"now() timestamptz stable", &transaction_time},
    {"transaction_timestamp() timestamptz stable", &transaction_time},
    {"current_timestamp() timestamptz stable", &transaction_time},
    {"statement_timestamp() timestamptz stable", &statement_time},
    {"clock_timestamp() timestamptz volatile", &clock_time},
    {"current_date() date stable", &current_date},
    {"current_time() timetz stable", &current_time},
    {"localtime() time stable", &local_time},
    {"localtimestamp() timestamp stable", &local_timestamp},
    {"timestamp(date,time) timestamp", &date_plus_time},
    {"timestamptz(date,time) timestamptz stable", &moment_of},
    {"timestamptz(date,timetz) timestamptz", &date_plus_timetz},
    {"make_date(int4,int4,int4) date names=year,month,day", &make_date},
    {"make_time(int4,int4,float8) time names=hour,min,sec", &make_time},
    {"make_timestamp(int4,int4,int4,int4,int4,float8) timestamp names=year,month,mday,hour,min,sec",
     &make_timestamp},
    {"make_timestamptz(int4,int4,int4,int4,int4,float8) timestamptz stable "
     "names=year,month,mday,hour,min,sec",
     &make_timestamptz},
    {"make_timestamptz(int4,int4,int4,int4,int4,float8,text) timestamptz stable "
     "names=year,month,mday,hour,min,sec,timezone",
     &make_timestamptz},
    {"make_interval(int4,int4,int4,int4,int4,int4,float8) interval "
     "names=years,months,weeks,days,hours,mins,secs "
     "defaults=0|0|0|0|0|0|0.0",
     &make_interval},
    {"to_timestamp(float8) timestamptz", &to_timestamp},
    {"timezone(text,timestamp) timestamptz", &at_zone_local},
    {"timezone(text,timestamptz) timestamp", &at_zone},
    {"timezone(interval,timestamp) timestamptz", &at_offset_local},
    {"timezone(interval,timestamptz) timestamp", &at_offset},
    {"timezone(text,timetz) timetz stable", &timetz_at_zone},
    {"timezone(interval,timetz) timetz stable", &timetz_at_zone},
    {"age(timestamp,timestamp) interval", &age},
    {"age(timestamptz,timestamptz) interval stable", &age_of_instants},
    {"age(timestamp) interval stable", &age_of_one},
    {"age(timestamptz) interval stable", &age_of_one},
    {"justify_hours(interval) interval", &justify<&justify_hours>},
    {"justify_days(interval) interval", &justify<&justify_days>},
    {"justify_interval(interval) interval", &justify<&justify_interval>},
    {"isfinite(date) bool", &is_finite},
    {"isfinite(timestamp) bool", &is_finite},
    {"isfinite(timestamptz) bool", &is_finite},
    {"isfinite(interval) bool", &is_finite},
    {"date_bin(interval,timestamp,timestamp) timestamp", &date_bin},
    {"date_bin(interval,timestamptz,timestamptz) timestamptz", &date_bin},
    {"overlaps(timestamp,timestamp,timestamp,timestamp) bool nonstrict", &overlaps},
    {"overlaps(timestamptz,timestamptz,timestamptz,timestamptz) bool nonstrict", &overlaps},
    {"overlaps(time,time,time,time) bool nonstrict", &overlaps},
    {"overlaps(timestamp,interval,timestamp,timestamp) bool nonstrict", &overlaps_with_lengths<1>},
    {"overlaps(timestamp,timestamp,timestamp,interval) bool nonstrict", &overlaps_with_lengths<2>},
    {"overlaps(timestamp,interval,timestamp,interval) bool nonstrict", &overlaps_with_lengths<3>},
    {"overlaps(timestamptz,interval,timestamptz,timestamptz) bool nonstrict stable", &overlaps_with_lengths<1>},
    {"overlaps(timestamptz,timestamptz,timestamptz,interval) bool nonstrict stable", &overlaps_with_lengths<2>},
    {"overlaps(timestamptz,interval,timestamptz,interval) bool nonstrict stable", &overlaps_with_lengths<3>},
    {"overlaps(time,interval,time,time) bool nonstrict", &overlaps_with_lengths<1>},
    {"overlaps(time,time,time,interval) bool nonstrict", &overlaps_with_lengths<2>},
    {"overlaps(time,interval,time,interval) bool nonstrict", &overlaps_with_lengths<3>},
    {"date_part(text,date) float8", &part_of_date},
    {"date_part(text,time) float8", &date_part},
    {"date_part(text,timetz) float8", &date_part},
    {"date_part(text,timestamp) float8", &date_part},
    {"date_part(text,timestamptz) float8 stable", &date_part},
    {"date_part(text,interval) float8", &date_part},
    {"extract(text,date) numeric", &extract_field},
    {"extract(text,time) numeric", &extract_field},
    {"extract(text,timetz) numeric", &extract_field},
    {"extract(text,timestamp) numeric", &extract_field},
    {"extract(text,timestamptz) numeric stable", &extract_field},
    {"extract(text,interval) numeric", &extract_field},
    {"date_trunc(text,timestamp) timestamp", &date_trunc},
    {"date_trunc(text,timestamptz) timestamptz stable", &date_trunc},
    {"date_trunc(text,timestamptz,text) timestamptz stable", &date_trunc},
    {"date_trunc(text,interval) interval", &date_trunc},
};

constexpr OperatorSource k_operators[] = {
    {"date + int4 date", &date_plus_days, "date_pli"},
    {"int4 + date date", &days_plus_date, "integer_pl_date"},
    {"date - int4 date", &date_minus_days, "date_mii"},
    {"date - date int4", &date_minus_date, "date_mi"},
    {"date + interval timestamp", &date_and_interval<1>, "date_pl_interval"},
    {"date - interval timestamp", &date_and_interval<-1>, "date_mi_interval"},
    {"interval + date timestamp", &swapped<&date_and_interval<1>>, "interval_pl_date"},
    {"date + time timestamp", &date_plus_time, "datetime_pl"},
    {"time + date timestamp", &swapped<&date_plus_time>, "timedate_pl"},
    {"date + timetz timestamptz", &date_plus_timetz, "datetimetz_pl"},
    {"timetz + date timestamptz", &swapped<&date_plus_timetz>, "timetzdate_pl"},
    {"time + interval time", &time_and_interval<1>, "time_pl_interval"},
    {"time - interval time", &time_and_interval<-1>, "time_mi_interval"},
    {"interval + time time", &swapped<&time_and_interval<1>>, "interval_pl_time"},
    {"timetz + interval timetz", &timetz_and_interval<1>, "timetz_pl_interval"},
    {"timetz - interval timetz", &timetz_and_interval<-1>, "timetz_mi_interval"},
    {"interval + timetz timetz", &swapped<&timetz_and_interval<1>>, "interval_pl_timetz"},
    {"timestamp + interval timestamp", &timestamp_and_interval<1>, "timestamp_pl_interval"},
    {"timestamp - interval timestamp", &timestamp_and_interval<-1>, "timestamp_mi_interval"},
    {"interval + timestamp timestamp", &swapped<&timestamp_and_interval<1>>, "interval_pl_timestamp"},
    {"timestamptz + interval timestamptz stable", &timestamptz_and_interval<1>, "timestamptz_pl_interval"},
    {"timestamptz - interval timestamptz stable", &timestamptz_and_interval<-1>, "timestamptz_mi_interval"},
    {"interval + timestamptz timestamptz stable", &swapped<&timestamptz_and_interval<1>>,
     "interval_pl_timestamptz"},
    {"timestamp - timestamp interval", &timestamp_difference, "timestamp_mi"},
    {"timestamptz - timestamptz interval", &timestamp_difference, "timestamptz_mi"},
    {"time - time interval", &time_difference, "time_mi_time"},
    {"interval + interval interval", &interval_sum, "interval_pl"},
    {"interval - interval interval", &interval_difference, "interval_mi"},
    {"- - interval interval", &negate, "interval_um"},
    {"interval * float8 interval", &multiply, "interval_mul"},
    {"float8 * interval interval", &swapped<&multiply>, "mul_d_interval"},
    {"interval / float8 interval", &divide, "interval_div"},
    {"date = timestamp bool", &instants_equal, "date_eq_timestamp"},
    {"date <> timestamp bool", &instants_differ, "date_ne_timestamp"},
    {"date < timestamp bool", &instant_less, "date_lt_timestamp"},
    {"date <= timestamp bool", &instant_less_equal, "date_le_timestamp"},
    {"date > timestamp bool", &instant_greater, "date_gt_timestamp"},
    {"date >= timestamp bool", &instant_greater_equal, "date_ge_timestamp"},
    {"timestamp = date bool", &instants_equal, "timestamp_eq_date"},
    {"timestamp <> date bool", &instants_differ, "timestamp_ne_date"},
    {"timestamp < date bool", &instant_less, "timestamp_lt_date"},
    {"timestamp <= date bool", &instant_less_equal, "timestamp_le_date"},
    {"timestamp > date bool", &instant_greater, "timestamp_gt_date"},
    {"timestamp >= date bool", &instant_greater_equal, "timestamp_ge_date"},
    {"date = timestamptz bool stable", &instants_equal, "date_eq_timestamptz"},
    {"date <> timestamptz bool stable", &instants_differ, "date_ne_timestamptz"},
    {"date < timestamptz bool stable", &instant_less, "date_lt_timestamptz"},
    {"date <= timestamptz bool stable", &instant_less_equal, "date_le_timestamptz"},
    {"date > timestamptz bool stable", &instant_greater, "date_gt_timestamptz"},
    {"date >= timestamptz bool stable", &instant_greater_equal, "date_ge_timestamptz"},
    {"timestamptz = date bool stable", &instants_equal, "timestamptz_eq_date"},
    {"timestamptz <> date bool stable", &instants_differ, "timestamptz_ne_date"},
    {"timestamptz < date bool stable", &instant_less, "timestamptz_lt_date"},
    {"timestamptz <= date bool stable", &instant_less_equal, "timestamptz_le_date"},
    {"timestamptz > date bool stable", &instant_greater, "timestamptz_gt_date"},
    {"timestamptz >= date bool stable", &instant_greater_equal, "timestamptz_ge_date"},
    {"timestamp = timestamptz bool stable", &instants_equal, "timestamp_eq_timestamptz"},
    {"timestamp <> timestamptz bool stable", &instants_differ, "timestamp_ne_timestamptz"},
    {"timestamp < timestamptz bool stable", &instant_less, "timestamp_lt_timestamptz"},
    {"timestamp <= timestamptz bool stable", &instant_less_equal, "timestamp_le_timestamptz"},
    {"timestamp > timestamptz bool stable", &instant_greater, "timestamp_gt_timestamptz"},
    {"timestamp >= timestamptz bool stable", &instant_greater_equal, "timestamp_ge_timestamptz"},
    {"timestamptz = timestamp bool stable", &instants_equal, "timestamptz_eq_timestamp"},
    {"timestamptz <> timestamp bool stable", &instants_differ, "timestamptz_ne_timestamp"},
    {"timestamptz < timestamp bool stable", &instant_less, "timestamptz_lt_timestamp"},
    {"timestamptz <= timestamp bool stable", &instant_less_equal, "timestamptz_le_timestamp"},
    {"timestamptz > timestamp bool stable", &instant_greater, "timestamptz_gt_timestamp"},
    {"timestamptz >= timestamp bool stable", &instant_greater_equal, "timestamptz_ge_timestamp"},
};

constexpr CastSource k_casts[] = {
    {"date timestamp i", &date_to_timestamp},
    {"date timestamptz i", &date_to_timestamptz},
    {"timestamp date a", &timestamp_to_date},
    {"timestamp time a", &timestamp_to_time},
    {"timestamp timestamptz i", &timestamp_to_timestamptz},
    {"timestamptz timestamp a", &timestamptz_to_timestamp},
    {"timestamptz date a", &timestamptz_to_date},
    {"timestamptz time a", &timestamptz_to_time},
    {"timestamptz timetz a", &timestamptz_to_timetz},
    {"time timetz i", &time_to_timetz},
    {"time interval i", &time_to_interval},
    {"interval time a", &interval_to_time},
    {"timetz time a", &timetz_to_time},
};

}  // namespace datetime_functions_file

std::span<const FunctionSource> datetime_functions() { return datetime_functions_file::k_functions; }
std::span<const OperatorSource> datetime_operators() { return datetime_functions_file::k_operators; }
std::span<const CastSource> datetime_casts() { return datetime_functions_file::k_casts; }

}  // namespace northstar::inline v0::sql
