// datetime.hpp -- calendar, reading and writing of dates, times and intervals, and their arithmetic. Layer: sql.
// Threads: any.
//
// Numbers are those of value.hpp: days and microseconds since 2000-01-01. The calendar is proleptic Gregorian; the
// year before 1 is written 1 BC and is year 0 in Civil.
//
// [DATE-1] Dates reach from 4714-11-24 BC to 5874897-12-31, timestamps from 4714-11-24 BC to 294276-12-31; what lies
//          outside raises 22008.
// [DATE-2] Bad text raises 22007 ("invalid input syntax for type date"), an impossible field 22008 ("date/time field
//          value out of range"), an impossible zone 22009 or 22023.
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

struct Civil {
    std::int64_t year = 2000;  ///< astronomical: 0 is 1 BC
    int month = 1;
    int day = 1;
};

struct Clock {
    int hour = 0;
    int minute = 0;
    int second = 0;
    int microsecond = 0;
};

std::int64_t days_from_civil(const Civil& civil);  ///< since 2000-01-01; any month is taken modulo 12
Civil civil_from_days(std::int64_t days);
int days_in_month(std::int64_t year, int month);
int day_of_week(std::int64_t days);  ///< 0 Sunday
int day_of_year(const Civil& civil);
std::int64_t iso_year_of(const Civil& civil);
int iso_week_of(const Civil& civil);
std::int64_t days_of_iso_week(std::int64_t year, int week);  ///< its Monday
Clock clock_of(std::int64_t microseconds_of_day);
std::int64_t microseconds_of(const Clock& clock);
bool is_finite_timestamp(std::int64_t timestamp);
bool is_finite_date(std::int64_t date);
void check_date(std::int64_t days);            ///< raises 22008 "date out of range"
void check_timestamp(std::int64_t timestamp);  ///< raises 22008 "timestamp out of range"
/// Day and time within it.
void split_timestamp(std::int64_t timestamp, std::int64_t& days, std::int64_t& microseconds);
/// Raises 22008 where a timestamp does not reach.
std::int64_t timestamp_of(std::int64_t days, std::int64_t microseconds);

// ---- zones (timezone.cpp) ----

/// Rules of one zone: read from the system's time zone database, or an offset, or a POSIX rule.
class TimeZone {
public:
    virtual ~TimeZone() = default;
    virtual std::string name() const = 0;
    struct Offset {
        std::int32_t seconds_east = 0;
        std::string abbreviation;
        bool daylight = false;
    };
    /// What holds at an instant (microseconds since 2000, UTC).
    virtual Offset at(std::int64_t timestamp) const = 0;
    /// Offset east for a local time. A time that is skipped is read as before the change, one that comes
    /// twice as after it, as PostgreSQL does.
    virtual std::int32_t offset_of_local(std::int64_t local) const;
    /// What an abbreviation means at an instant to who lives there: what it meant last, or else will mean first;
    /// nothing: the zone has no hours of that name.
    virtual std::optional<Offset> meaning_of(std::string_view abbreviation, std::int64_t timestamp) const;
};
/// By name ("Europe/Berlin", "UTC", "PST8PDT", "+02", "EST"); null: unknown. Zones are kept once read.
std::shared_ptr<const TimeZone> find_time_zone(std::string_view name);
/// A zone with a fixed offset.
std::shared_ptr<const TimeZone> fixed_time_zone(std::int32_t seconds_east);
/// Names of the zones that the system's database has, in no order.
std::vector<std::string> time_zone_names();

struct ZoneAbbreviation {
    const char* name;  ///< in small letters
    int minutes_east;
    bool daylight;
    const char* zone = nullptr;  ///< whose history says what it meant when; null: the offset never changed
};
/// All that are known, for pg_timezone_abbrevs.
std::span<const ZoneAbbreviation> zone_abbreviations();
/// Offset of an abbreviation ("EST", "CEST"), seconds east; nothing: unknown.
std::optional<std::int32_t> zone_abbreviation(std::string_view name);
/// The zone of an abbreviation whose offset has changed in the course of time ("MSK"); null: it is none.
std::shared_ptr<const TimeZone> moving_abbreviation(std::string_view name);
/// timestamptz of a local timestamp in the session's zone, and back.
std::int64_t to_utc(std::int64_t local, const TimeZone* zone);
std::int64_t to_local(std::int64_t timestamp, const TimeZone* zone, TimeZone::Offset* offset = nullptr);

// ---- text ----

std::int64_t date_from_text(std::string_view text, Session& session);
std::int64_t time_from_text(std::string_view text, std::int32_t typmod, Session& session);
TimeTz timetz_from_text(std::string_view text, std::int32_t typmod, Session& session);
std::int64_t timestamp_from_text(std::string_view text, std::int32_t typmod, Session& session);
std::int64_t timestamptz_from_text(std::string_view text, std::int32_t typmod, Session& session);
Interval interval_from_text(std::string_view text, std::int32_t typmod, Session& session);
void date_to_text(std::int64_t date, std::string& out, const Settings& settings);
void time_to_text(std::int64_t time, std::string& out);
void timetz_to_text(const TimeTz& time, std::string& out);
void timestamp_to_text(std::int64_t timestamp, std::string& out, const Settings& settings);
void timestamptz_to_text(std::int64_t timestamp, std::string& out, const Settings& settings);
void interval_to_text(const Interval& interval, std::string& out, IntervalStyle style);
/// ISO 8601 as JSON wants it: 2020-01-02T03:04:05+00:00.
void append_json_timestamp(const Value& value, std::string& out, Session& session);

// ---- arithmetic ----

/// Microseconds rounded to a precision of seconds (0 to 6, or -1).
std::int64_t round_to_precision(std::int64_t microseconds, std::int32_t precision);
Interval interval_apply_typmod(const Interval& interval, std::int32_t typmod);
/// Length with months of 30 days and days of 24 hours: the order of intervals.
Int128 interval_span(const Interval& interval);
int interval_compare(const Interval& a, const Interval& b);
/// Raises 22008 "interval out of range".
Interval interval_add(const Interval& a, const Interval& b);
Interval interval_negate(const Interval& a);
Interval interval_multiply(const Interval& a, double factor);
Interval interval_divide(const Interval& a, double divisor);  ///< raises 22012
std::int64_t timestamp_add(std::int64_t timestamp, const Interval& interval);
std::int64_t timestamptz_add(std::int64_t timestamp, const Interval& interval, const TimeZone* zone);
Interval timestamp_subtract(std::int64_t a, std::int64_t b);  ///< days and a time of day
Interval timestamp_age(std::int64_t a, std::int64_t b);       ///< years, months and days by the calendar
Interval justify_hours(const Interval& interval);
Interval justify_days(const Interval& interval);
Interval justify_interval(const Interval& interval);

}  // namespace northstar::inline v0::sql
