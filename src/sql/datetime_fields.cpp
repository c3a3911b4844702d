#include "sql/datetime_fields.hpp"

#include "sql/datetime.hpp"
#include "sql/error.hpp"

#include <cmath>

namespace northstar::inline v0::sql {

namespace fields_file {

enum class Unit {
    unknown,
    microseconds,
    milliseconds,
    second,
    minute,
    hour,
    day,
    week,
    month,
    quarter,
    year,
    decade,
    century,
    millennium,
    isoyear,
    dow,
    isodow,
    doy,
    epoch,
    julian,
    timezone,
    timezone_hour,
    timezone_minute
};

Unit unit_named(std::string_view name) {
    std::string lower(name);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    struct Name {
        const char* text;
        Unit unit;
    };
    static constexpr Name k_names[] = {
        {"microseconds", Unit::microseconds},
        {"microsecond", Unit::microseconds},
        {"us", Unit::microseconds},
        {"usec", Unit::microseconds},
        {"usecs", Unit::microseconds},
        {"usecond", Unit::microseconds},
        {"useconds", Unit::microseconds},
        {"milliseconds", Unit::milliseconds},
        {"millisecond", Unit::milliseconds},
        {"ms", Unit::milliseconds},
        {"msec", Unit::milliseconds},
        {"msecs", Unit::milliseconds},
        {"msecond", Unit::milliseconds},
        {"mseconds", Unit::milliseconds},
        {"second", Unit::second},
        {"seconds", Unit::second},
        {"sec", Unit::second},
        {"secs", Unit::second},
        {"s", Unit::second},
        {"minute", Unit::minute},
        {"minutes", Unit::minute},
        {"min", Unit::minute},
        {"mins", Unit::minute},
        {"m", Unit::minute},
        {"hour", Unit::hour},
        {"hours", Unit::hour},
        {"h", Unit::hour},
        {"hr", Unit::hour},
        {"hrs", Unit::hour},
        {"day", Unit::day},
        {"days", Unit::day},
        {"d", Unit::day},
        {"week", Unit::week},
        {"weeks", Unit::week},
        {"w", Unit::week},
        {"month", Unit::month},
        {"months", Unit::month},
        {"mon", Unit::month},
        {"mons", Unit::month},
        {"quarter", Unit::quarter},
        {"qtr", Unit::quarter},
        {"year", Unit::year},
        {"years", Unit::year},
        {"y", Unit::year},
        {"yr", Unit::year},
        {"yrs", Unit::year},
        {"decade", Unit::decade},
        {"decades", Unit::decade},
        {"dec", Unit::decade},
        {"decs", Unit::decade},
        {"century", Unit::century},
        {"centuries", Unit::century},
        {"c", Unit::century},
        {"cent", Unit::century},
        {"millennium", Unit::millennium},
        {"millennia", Unit::millennium},
        {"mil", Unit::millennium},
        {"mils", Unit::millennium},
        {"isoyear", Unit::isoyear},
        {"dow", Unit::dow},
        {"isodow", Unit::isodow},
        {"doy", Unit::doy},
        {"epoch", Unit::epoch},
        {"julian", Unit::julian},
        {"jd", Unit::julian},
        {"j", Unit::julian},
        {"timezone", Unit::timezone},
        {"timezone_h", Unit::timezone_hour},
        {"timezone_m", Unit::timezone_minute},
    };
    // PostgreSQL looks at no more of a name.
    constexpr std::size_t k_looked_at = 10;
    for (const Name& candidate : k_names) {
        if (std::string_view(lower).substr(0, k_looked_at) == std::string_view(candidate.text).substr(0, k_looked_at))
            return candidate.unit;
    }
    return Unit::unknown;
}

[[noreturn]] void unsupported(std::string_view unit, Oid type) {
    raise(sqlstate::feature_not_supported, "unit \"" + std::string(unit) + "\" not supported for type " +
                                               format_type(type, k_no_typmod, nullptr));
}
[[noreturn]] void unrecognized(std::string_view unit, Oid type) {
    raise(sqlstate::invalid_parameter_value, "unit \"" + std::string(unit) + "\" not recognized for type " +
                                                 format_type(type, k_no_typmod, nullptr));
}

Numeric whole(std::int64_t value) { return Numeric::of(value); }

/// Fields of a time of day; false: the unit is none.
bool time_field(Unit unit, std::int64_t micros, Numeric& result) {
    const Clock clock = clock_of(micros);
    const std::int64_t seconds = clock.second * k_microseconds_per_second + clock.microsecond;
    switch (unit) {
        case Unit::microseconds:
            result = whole(seconds);
            return true;
        case Unit::milliseconds:
            result = Numeric::of(seconds, 3);
            return true;
        case Unit::second:
            result = Numeric::of(seconds, 6);
            return true;
        case Unit::minute:
            result = whole(clock.minute);
            return true;
        case Unit::hour:
            result = whole(clock.hour);
            return true;
        default:
            return false;
    }
}

/// Of a date; false: the unit is none of a date.
bool date_field(Unit unit, std::int64_t days, Numeric& result) {
    const Civil civil = civil_from_days(days);
    const std::int64_t shown = civil.year > 0 ? civil.year : civil.year - 1;  // without a year 0
    switch (unit) {
        case Unit::day:
            result = whole(civil.day);
            return true;
        case Unit::month:
            result = whole(civil.month);
            return true;
        case Unit::quarter:
            result = whole((civil.month - 1) / 3 + 1);
            return true;
        case Unit::week:
            result = whole(iso_week_of(civil));
            return true;
        case Unit::year:
            result = whole(shown);
            return true;
        case Unit::decade:
            result = whole(civil.year >= 0 ? civil.year / 10 : -((8 - (civil.year - 1)) / 10));
            return true;
        case Unit::century:
            result = whole(civil.year > 0 ? (civil.year + 99) / 100 : -((99 - (civil.year - 1)) / 100));
            return true;
        case Unit::millennium:
            result = whole(civil.year > 0 ? (civil.year + 999) / 1000 : -((999 - (civil.year - 1)) / 1000));
            return true;
        case Unit::isoyear: {
            const std::int64_t year = iso_year_of(civil);
            result = whole(year > 0 ? year : year - 1);
            return true;
        }
        case Unit::dow:
            result = whole(day_of_week(days));
            return true;
        case Unit::isodow:
            result = whole(day_of_week(days) == 0 ? 7 : day_of_week(days));
            return true;
        case Unit::doy:
            result = whole(day_of_year(civil));
            return true;
        default:
            return false;
    }
}

/// Whether a unit of infinity is infinite (years and what counts on) or unknown (fields that come round).
bool goes_on(Unit unit) {
    switch (unit) {
        case Unit::year:
        case Unit::decade:
        case Unit::century:
        case Unit::millennium:
        case Unit::isoyear:
        case Unit::julian:
        case Unit::epoch:
            return true;
        default:
            return false;
    }
}

constexpr std::int64_t k_unix_epoch_days = -10957;
constexpr std::int64_t k_julian_epoch = 2451545;

Value from_interval(Unit unit, std::string_view name, const Interval& value, Arena& arena) {
    Numeric result;
    const std::int64_t years = value.months / 12;
    const std::int64_t months = value.months % 12;
    const std::int64_t seconds = value.microseconds % (60 * k_microseconds_per_second);
    switch (unit) {
        case Unit::microseconds:
            result = whole(seconds);
            break;
        case Unit::milliseconds:
            result = Numeric::of(seconds, 3);
            break;
        case Unit::second:
            result = Numeric::of(seconds, 6);
            break;
        case Unit::minute:
            result = whole(value.microseconds / (60 * k_microseconds_per_second) % 60);
            break;
        case Unit::hour:
            result = whole(value.microseconds / k_microseconds_per_hour);
            break;
        case Unit::day:
            result = whole(value.days);
            break;
        case Unit::month:
            result = whole(months);
            break;
        case Unit::quarter:
            result = whole(months / 3 + 1);
            break;
        case Unit::year:
            result = whole(years);
            break;
        case Unit::decade:
            result = whole(years / 10);
            break;
        case Unit::century:
            result = whole(years / 100);
            break;
        case Unit::millennium:
            result = whole(years / 1000);
            break;
        case Unit::epoch: {
            // A year has 365.25 days here, a month 30.
            const Int128 quarter_days =
                static_cast<Int128>(years) * 1461 + (static_cast<Int128>(months) * 30 + value.days) * 4;
            const Int128 micros = quarter_days * (k_microseconds_per_day / 4) + value.microseconds;
            result = numeric_from_int128(micros, 6, arena);
            break;
        }
        case Unit::unknown:
            unrecognized(name, type::interval);
        default:
            unsupported(name, type::interval);
    }
    return Value::numeric(result);
}

Value extract(Call& call, const Value* a) {
    const std::string_view name = a[0].bytes();
    const Unit unit = unit_named(name);
    const Value& value = a[1];
    const Oid type = value.type();
    Numeric result;
    if (type == type::interval) return from_interval(unit, name, value.interval(), call.arena);
    if (unit == Unit::unknown) unrecognized(name, type);
    if (type == type::time || type == type::timetz) {
        const std::int64_t micros = type == type::time ? value.integer() : value.timetz().microseconds;
        if (time_field(unit, micros, result)) return Value::numeric(result);
        if (type == type::time) {
            if (unit == Unit::epoch) return Value::numeric(Numeric::of(micros, 6));
            unsupported(name, type);
        }
        const std::int32_t east = -value.timetz().zone;
        switch (unit) {
            case Unit::epoch:
                return Value::numeric(Numeric::of(micros - east * k_microseconds_per_second, 6));
            case Unit::timezone:
                return Value::numeric(whole(east));
            case Unit::timezone_hour:
                return Value::numeric(whole(east / 3600));
            case Unit::timezone_minute:
                return Value::numeric(whole(east / 60 % 60));
            default:
                unsupported(name, type);
        }
    }
    if (type == type::date) {
        const std::int64_t days = value.integer();
        if (time_field(unit, 0, result) || unit == Unit::timezone || unit == Unit::timezone_hour ||
            unit == Unit::timezone_minute) {
            unsupported(name, type);
        }
        if (!is_finite_date(days)) {
            return goes_on(unit) ? Value::numeric(Numeric::infinity(days == k_date_infinity ? 1 : -1))
                                 : Value::null(type::numeric);
        }
        if (unit == Unit::epoch)
            return Value::numeric(numeric_from_int((days - k_unix_epoch_days) * 86400, call.arena));
        if (unit == Unit::julian) return Value::numeric(whole(days + k_julian_epoch));
        date_field(unit, days, result);
        return Value::numeric(result);
    }
    const bool with_zone = type == type::timestamptz;
    if (!is_finite_timestamp(value.integer())) {
        if (!goes_on(unit)) return Value::null(type::numeric);
        return Value::numeric(Numeric::infinity(value.integer() == k_timestamp_infinity ? 1 : -1));
    }
    if (!with_zone &&
        (unit == Unit::timezone || unit == Unit::timezone_hour || unit == Unit::timezone_minute))
        unsupported(name, type);
    TimeZone::Offset offset;
    const std::int64_t local =
        with_zone ? to_local(value.integer(), call.session.settings.zone.get(), &offset) : value.integer();
    std::int64_t days = 0;
    std::int64_t time = 0;
    split_timestamp(local, days, time);
    if (time_field(unit, time, result) || date_field(unit, days, result)) return Value::numeric(result);
    switch (unit) {
        case Unit::epoch: {
            const Int128 micros = static_cast<Int128>(value.integer()) -
                                  k_unix_epoch_days * static_cast<Int128>(k_microseconds_per_day);
            return Value::numeric(numeric_from_int128(micros, 6, call.arena));
        }
        case Unit::julian: {
            const Numeric part = numeric_divide(whole(time), whole(k_microseconds_per_day), call.arena);
            return Value::numeric(numeric_add(whole(days + k_julian_epoch), part, call.arena));
        }
        case Unit::timezone:
            return Value::numeric(whole(offset.seconds_east));
        case Unit::timezone_hour:
            return Value::numeric(whole(offset.seconds_east / 3600));
        case Unit::timezone_minute:
            return Value::numeric(whole(offset.seconds_east / 60 % 60));
        default:
            unsupported(name, type);
    }
}

/// A local timestamp cut to a unit.
std::int64_t truncate(Unit unit, std::string_view name, std::int64_t local, Oid type) {
    std::int64_t days = 0;
    std::int64_t time = 0;
    split_timestamp(local, days, time);
    Civil civil = civil_from_days(days);
    const auto begin_of_year = [&](std::int64_t year) {
        return timestamp_of(days_from_civil({year, 1, 1}), 0);
    };
    const auto floor_to = [](std::int64_t value, std::int64_t unit_size) {
        return (value >= 0 ? value / unit_size : -((-value + unit_size - 1) / unit_size)) * unit_size;
    };
    switch (unit) {
        case Unit::microseconds:
            return local;
        case Unit::milliseconds:
            return timestamp_of(days, time / 1000 * 1000);
        case Unit::second:
            return timestamp_of(days, time / k_microseconds_per_second * k_microseconds_per_second);
        case Unit::minute:
            return timestamp_of(days, floor_to(time, 60 * k_microseconds_per_second));
        case Unit::hour:
            return timestamp_of(days, floor_to(time, k_microseconds_per_hour));
        case Unit::day:
            return timestamp_of(days, 0);
        case Unit::week:
            return timestamp_of(days - (day_of_week(days) + 6) % 7, 0);
        case Unit::month:
            return timestamp_of(days_from_civil({civil.year, civil.month, 1}), 0);
        case Unit::quarter:
            return timestamp_of(days_from_civil({civil.year, (civil.month - 1) / 3 * 3 + 1, 1}), 0);
        case Unit::year:
            return begin_of_year(civil.year);
        case Unit::decade:
            return begin_of_year(civil.year > 0 ? civil.year / 10 * 10 : -((8 - (civil.year - 1)) / 10) * 10);
        case Unit::century:
            return begin_of_year(civil.year > 0 ? (civil.year + 99) / 100 * 100 - 99
                                                : -((99 - (civil.year - 1)) / 100) * 100 + 1);
        case Unit::millennium:
            return begin_of_year(civil.year > 0 ? (civil.year + 999) / 1000 * 1000 - 999
                                                : -((999 - (civil.year - 1)) / 1000) * 1000 + 1);
        case Unit::timezone:
        case Unit::timezone_hour:
        case Unit::timezone_minute:
            unsupported(name, type);
        default:
            unrecognized(name, type);
    }
}

Value truncate_interval(Unit unit, std::string_view name, const Interval& value) {
    Interval result = value;
    const auto months_to = [&](std::int32_t size) { result = {0, 0, value.months / size * size}; };
    const auto time_to = [&](std::int64_t size) { result.microseconds = value.microseconds / size * size; };
    switch (unit) {
        case Unit::millennium:
            months_to(12000);
            break;
        case Unit::century:
            months_to(1200);
            break;
        case Unit::decade:
            months_to(120);
            break;
        case Unit::year:
            months_to(12);
            break;
        case Unit::quarter:
            months_to(3);
            break;
        case Unit::month:
            months_to(1);
            break;
        case Unit::day:
            result.microseconds = 0;
            break;
        case Unit::hour:
            time_to(k_microseconds_per_hour);
            break;
        case Unit::minute:
            time_to(60 * k_microseconds_per_second);
            break;
        case Unit::second:
            time_to(k_microseconds_per_second);
            break;
        case Unit::milliseconds:
            time_to(1000);
            break;
        case Unit::microseconds:
            break;
        case Unit::week:
            raise(sqlstate::feature_not_supported,
                  "unit \"" + std::string(name) + "\" not supported for type interval",
                  "Months usually have fractional weeks.");
        case Unit::timezone:
        case Unit::timezone_hour:
        case Unit::timezone_minute:
            unsupported(name, type::interval);
        default:
            unrecognized(name, type::interval);
    }
    return Value::interval(result);
}

}  // namespace fields_file

Value extract_field(Call& call, const Value* arguments, std::size_t) {
    return fields_file::extract(call, arguments);
}

Value date_part(Call& call, const Value* arguments, std::size_t) {
    const Value result = fields_file::extract(call, arguments);
    return result.is_null() ? Value::null(type::float8) : Value::float8(numeric_to_double(result.numeric()));
}

Value date_trunc(Call& call, const Value* a, std::size_t count) {
    using namespace fields_file;
    const std::string_view name = a[0].bytes();
    const Unit unit = unit_named(name);
    if (a[1].form() == Form::interval) return truncate_interval(unit, name, a[1].interval());
    if (!is_finite_timestamp(a[1].integer())) return a[1];
    if (a[1].type() == type::timestamp)
        return Value::integer(type::timestamp, truncate(unit, name, a[1].integer(), type::timestamp));
    std::shared_ptr<const TimeZone> named;
    const TimeZone* zone = call.session.settings.zone.get();
    if (count > 2) {
        const std::string_view called = a[2].bytes();
        named = moving_abbreviation(called);
        if (named == nullptr)
            if (const auto east = zone_abbreviation(called)) named = fixed_time_zone(*east);
        if (named == nullptr) named = find_time_zone(called);
        if (named == nullptr) {
            raise(sqlstate::invalid_parameter_value,
                  "time zone \"" + std::string(a[2].bytes()) + "\" not recognized");
        }
        zone = named.get();
    }
    TimeZone::Offset offset;
    const std::int64_t local = to_local(a[1].integer(), zone, &offset);
    const std::int64_t cut = truncate(unit, name, local, type::timestamptz);
    // Below a day the offset stays; a day and more may begin with another one.
    const bool same_offset = unit == Unit::microseconds || unit == Unit::milliseconds ||
                             unit == Unit::second || unit == Unit::minute || unit == Unit::hour;
    if (same_offset)
        return Value::integer(type::timestamptz, cut - offset.seconds_east * k_microseconds_per_second);
    return Value::integer(type::timestamptz, to_utc(cut, zone));
}

}  // namespace northstar::inline v0::sql
