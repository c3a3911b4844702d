// The calendar and the arithmetic of dates, times and intervals.

#include "sql/datetime.hpp"
#include "sql/error.hpp"

#include <algorithm>
#include <cmath>

namespace northstar::inline v0::sql {

namespace calendar_file {

constexpr std::int64_t k_first_date = -2451545;  // 4714-11-24 BC
constexpr std::int64_t k_end_date = 2145031949;  // behind 5874897-12-31
constexpr std::int64_t k_first_timestamp = -211813488000000000;
constexpr std::int64_t k_end_timestamp = 9223371331200000000;
constexpr std::int64_t k_seconds_per_day = 86400;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

[[noreturn]] void interval_overflow() { raise(sqlstate::datetime_field_overflow, "interval out of range"); }

template <class T>
T add_checked(T a, T b) {
    T result;
    if (__builtin_add_overflow(a, b, &result)) interval_overflow();
    return result;
}

/// A float as whole number of its type; raises where it does not fit.
std::int32_t to_int32(double value) {
    if (!(value >= -2147483648.0 && value < 2147483648.0)) interval_overflow();
    return static_cast<std::int32_t>(value);
}
std::int64_t to_int64(double value) {
    if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) interval_overflow();
    return static_cast<std::int64_t>(value);
}

/// Months added to a date; the day is cut to the length of the new month.
std::int64_t add_months(std::int64_t days, std::int64_t months) {
    Civil civil = civil_from_days(days);
    const std::int64_t month = civil.year * 12 + (civil.month - 1) + months;
    civil.year = floor_divide(month, 12);
    civil.month = static_cast<int>(month - civil.year * 12) + 1;
    civil.day = std::min(civil.day, days_in_month(civil.year, civil.month));
    return days_from_civil(civil);
}

}  // namespace calendar_file

std::int64_t days_from_civil(const Civil& civil) {
    // Years begin in March, so that the day that comes and goes is the last one.
    const std::int64_t months = civil.year * 12 + civil.month - 1;
    const std::int64_t year_of_months = calendar_file::floor_divide(months, 12);
    const std::int64_t month = months - year_of_months * 12 + 1;
    const std::int64_t year = year_of_months - (month <= 2 ? 1 : 0);
    const std::int64_t era = calendar_file::floor_divide(year, 400);
    const std::int64_t of_era = year - era * 400;
    const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + civil.day - 1;
    const std::int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + day_of_era - 730425;
}

Civil civil_from_days(std::int64_t days) {
    const std::int64_t shifted = days + 730425;
    const std::int64_t era = calendar_file::floor_divide(shifted, 146097);
    const std::int64_t day_of_era = shifted - era * 146097;
    const std::int64_t of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    const std::int64_t month = (5 * day_of_year + 2) / 153;
    Civil civil;
    civil.day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
    civil.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
    civil.year = of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
    return civil;
}

int days_in_month(std::int64_t year, int month) {
    static constexpr int k_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : k_days[month - 1];
}

int day_of_week(std::int64_t days) {
    const std::int64_t day = (days + 6) % 7;  // 2000-01-01 was a Saturday
    return static_cast<int>(day < 0 ? day + 7 : day);
}

int day_of_year(const Civil& civil) {
    return static_cast<int>(days_from_civil(civil) - days_from_civil({civil.year, 1, 1})) + 1;
}

std::int64_t days_of_iso_week(std::int64_t year, int week) {
    // 4 January always lies in week 1.
    const std::int64_t fourth = days_from_civil({year, 1, 4});
    const std::int64_t monday = fourth - (day_of_week(fourth) + 6) % 7;
    return monday + (week - 1) * 7;
}

std::int64_t iso_year_of(const Civil& civil) {
    const std::int64_t days = days_from_civil(civil);
    if (days >= days_of_iso_week(civil.year + 1, 1)) return civil.year + 1;
    return days < days_of_iso_week(civil.year, 1) ? civil.year - 1 : civil.year;
}

int iso_week_of(const Civil& civil) {
    return static_cast<int>((days_from_civil(civil) - days_of_iso_week(iso_year_of(civil), 1)) / 7) + 1;
}

Clock clock_of(std::int64_t microseconds_of_day) {
    Clock clock;
    clock.microsecond = static_cast<int>(microseconds_of_day % k_microseconds_per_second);
    const std::int64_t seconds = microseconds_of_day / k_microseconds_per_second;
    clock.hour = static_cast<int>(seconds / 3600);
    clock.minute = static_cast<int>(seconds / 60 % 60);
    clock.second = static_cast<int>(seconds % 60);
    return clock;
}

std::int64_t microseconds_of(const Clock& clock) {
    return ((clock.hour * std::int64_t{60} + clock.minute) * 60 + clock.second) * k_microseconds_per_second +
           clock.microsecond;
}

bool is_finite_timestamp(std::int64_t timestamp) {
    return timestamp != k_timestamp_infinity && timestamp != k_timestamp_minus_infinity;
}
bool is_finite_date(std::int64_t date) { return date != k_date_infinity && date != k_date_minus_infinity; }

void check_date(std::int64_t days) {
    if (days < calendar_file::k_first_date || days >= calendar_file::k_end_date)
        raise(sqlstate::datetime_field_overflow, "date out of range");
}
void check_timestamp(std::int64_t timestamp) {
    if (timestamp < calendar_file::k_first_timestamp || timestamp >= calendar_file::k_end_timestamp) {
        raise(sqlstate::datetime_field_overflow, "timestamp out of range");
    }
}

void split_timestamp(std::int64_t timestamp, std::int64_t& days, std::int64_t& microseconds) {
    days = calendar_file::floor_divide(timestamp, k_microseconds_per_day);
    microseconds = timestamp - days * k_microseconds_per_day;
}

std::int64_t timestamp_of(std::int64_t days, std::int64_t microseconds) {
    const Int128 timestamp = static_cast<Int128>(days) * k_microseconds_per_day + microseconds;
    if (timestamp < calendar_file::k_first_timestamp || timestamp >= calendar_file::k_end_timestamp) {
        raise(sqlstate::datetime_field_overflow, "timestamp out of range");
    }
    return static_cast<std::int64_t>(timestamp);
}

std::int64_t round_to_precision(std::int64_t microseconds, std::int32_t precision) {
    if (precision < 0 || precision >= 6) return microseconds;
    std::int64_t unit = 1;
    for (std::int32_t i = precision; i < 6; ++i) unit *= 10;
    if (microseconds >= 0) return (microseconds + unit / 2) / unit * unit;
    return -((-microseconds + unit / 2) / unit * unit);
}

// ---- intervals ----

Interval interval_apply_typmod(const Interval& interval, std::int32_t typmod) {
    if (typmod < 0) return interval;
    using namespace interval_field;
    const std::int32_t fields = typmod >> 16 & 0x7fff;
    Interval result = interval;
    // Fields below the last one that the type names are cut off, those above stay.
    const auto cut = [](std::int64_t value, std::int64_t unit) { return value / unit * unit; };
    if (fields == year) {
        result = {0, 0, interval.months / 12 * 12};
    } else if (fields == month || fields == (year | month)) {
        result = {0, 0, interval.months};
    } else if (fields == day) {
        result.microseconds = 0;
    } else if (fields == hour || fields == (day | hour)) {
        result.microseconds = cut(result.microseconds, k_microseconds_per_hour);
    } else if (fields == minute || fields == (day | hour | minute) || fields == (hour | minute)) {
        result.microseconds = cut(result.microseconds, 60 * k_microseconds_per_second);
    }
    const std::int32_t precision = typmod & 0xffff;
    if (precision != k_interval_full_precision)
        result.microseconds = round_to_precision(result.microseconds, precision);
    return result;
}

Int128 interval_span(const Interval& interval) {
    return static_cast<Int128>(interval.months) * 30 * k_microseconds_per_day +
           static_cast<Int128>(interval.days) * k_microseconds_per_day + interval.microseconds;
}

int interval_compare(const Interval& a, const Interval& b) {
    const Int128 left = interval_span(a);
    const Int128 right = interval_span(b);
    return left < right ? -1 : left > right;
}

Interval interval_add(const Interval& a, const Interval& b) {
    using calendar_file::add_checked;
    return {add_checked(a.microseconds, b.microseconds), add_checked(a.days, b.days),
            add_checked(a.months, b.months)};
}

Interval interval_negate(const Interval& a) {
    if (a.microseconds == INT64_MIN || a.days == INT32_MIN || a.months == INT32_MIN)
        calendar_file::interval_overflow();
    return {-a.microseconds, -a.days, -a.months};
}

namespace calendar_file {

/// Fields scaled by `scale`; fractions flow down: of a month as days of 30, of a day as time.
template <class Scale>
Interval scale_interval(const Interval& a, Scale scale) {
    Interval result;
    const double months = scale(static_cast<double>(a.months));
    const double days = scale(static_cast<double>(a.days));
    result.months = to_int32(months);
    result.days = to_int32(days);
    const auto round_to_microsecond = [](double value) { return std::rint(value * 1e6) / 1e6; };
    const double month_days = round_to_microsecond((months - result.months) * 30);
    const double day_length = static_cast<double>(k_seconds_per_day);
    double seconds =
        round_to_microsecond((days - result.days + month_days - std::trunc(month_days)) * day_length);
    // What comes to a day by rounding is a day.
    if (std::fabs(seconds) >= day_length) {
        const double whole = std::trunc(seconds / day_length);
        result.days = add_checked(result.days, to_int32(whole));
        seconds -= whole * day_length;
    }
    result.days = add_checked(result.days, to_int32(std::trunc(month_days)));
    result.microseconds = to_int64(std::rint(scale(static_cast<double>(a.microseconds)) + seconds * 1e6));
    return result;
}

}  // namespace calendar_file

Interval interval_multiply(const Interval& a, double factor) {
    if (!std::isfinite(factor)) calendar_file::interval_overflow();
    return calendar_file::scale_interval(a, [factor](double field) { return field * factor; });
}

Interval interval_divide(const Interval& a, double divisor) {
    if (divisor == 0) raise(sqlstate::division_by_zero, "division by zero");
    return calendar_file::scale_interval(a, [divisor](double field) { return field / divisor; });
}

std::int64_t timestamp_add(std::int64_t timestamp, const Interval& interval) {
    if (!is_finite_timestamp(timestamp)) return timestamp;
    std::int64_t days = 0;
    std::int64_t time = 0;
    split_timestamp(timestamp, days, time);
    if (interval.months != 0) days = calendar_file::add_months(days, interval.months);
    days += interval.days;
    const Int128 sum = static_cast<Int128>(days) * k_microseconds_per_day + time + interval.microseconds;
    if (sum < calendar_file::k_first_timestamp || sum >= calendar_file::k_end_timestamp) {
        raise(sqlstate::datetime_field_overflow, "timestamp out of range");
    }
    return static_cast<std::int64_t>(sum);
}

std::int64_t timestamptz_add(std::int64_t timestamp, const Interval& interval, const TimeZone* zone) {
    if (!is_finite_timestamp(timestamp)) return timestamp;
    // Months and days count in local time, the rest in real time.
    if (interval.months != 0 || interval.days != 0) {
        const std::int64_t local =
            timestamp_add(to_local(timestamp, zone), {0, interval.days, interval.months});
        timestamp = to_utc(local, zone);
    }
    return timestamp_add(timestamp, {interval.microseconds, 0, 0});
}

Interval timestamp_subtract(std::int64_t a, std::int64_t b) {
    if (!is_finite_timestamp(a) || !is_finite_timestamp(b))
        raise(sqlstate::datetime_field_overflow, "cannot subtract infinite timestamps");
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(a, b, &difference)) calendar_file::interval_overflow();
    return justify_hours({difference, 0, 0});
}

Interval timestamp_age(std::int64_t a, std::int64_t b) {
    if (!is_finite_timestamp(a) || !is_finite_timestamp(b))
        raise(sqlstate::datetime_field_overflow, "timestamp out of range");
    const bool negative = a < b;
    std::int64_t days[2];
    std::int64_t times[2];
    split_timestamp(a, days[0], times[0]);
    split_timestamp(b, days[1], times[1]);
    const Civil first = civil_from_days(days[0]);
    const Civil second = civil_from_days(days[1]);
    std::int64_t months = (first.year - second.year) * 12 + first.month - second.month;
    std::int64_t day_count = first.day - second.day;
    std::int64_t time = times[0] - times[1];
    if (negative) {
        months = -months;
        day_count = -day_count;
        time = -time;
    }
    if (time < 0) {
        time += k_microseconds_per_day;
        --day_count;
    }
    // A day borrowed from the month of the earlier of the two.
    while (day_count < 0) {
        const Civil& earlier = negative ? first : second;
        day_count += days_in_month(earlier.year, earlier.month);
        --months;
    }
    Interval result{time, static_cast<std::int32_t>(day_count), static_cast<std::int32_t>(months)};
    return negative ? interval_negate(result) : result;
}

Interval justify_hours(const Interval& interval) {
    Interval result = interval;
    const std::int64_t whole = result.microseconds / k_microseconds_per_day;
    result.microseconds -= whole * k_microseconds_per_day;
    result.days = calendar_file::add_checked(result.days, static_cast<std::int32_t>(whole));
    if (result.days > 0 && result.microseconds < 0) {
        result.microseconds += k_microseconds_per_day;
        --result.days;
    } else if (result.days < 0 && result.microseconds > 0) {
        result.microseconds -= k_microseconds_per_day;
        ++result.days;
    }
    return result;
}

Interval justify_days(const Interval& interval) {
    Interval result = interval;
    const std::int32_t whole = result.days / 30;
    result.days -= whole * 30;
    result.months = calendar_file::add_checked(result.months, whole);
    if (result.months > 0 && result.days < 0) {
        result.days += 30;
        --result.months;
    } else if (result.months < 0 && result.days > 0) {
        result.days -= 30;
        ++result.months;
    }
    return result;
}

Interval justify_interval(const Interval& interval) {
    Interval result = interval;
    // Days that fit into months go first, so that nothing overflows on the way.
    if ((result.days > 0 && result.microseconds > 0) || (result.days < 0 && result.microseconds < 0)) {
        const std::int32_t whole = result.days / 30;
        result.days -= whole * 30;
        result.months = calendar_file::add_checked(result.months, whole);
    }
    const std::int64_t days = result.microseconds / k_microseconds_per_day;
    result.microseconds -= days * k_microseconds_per_day;
    result.days = calendar_file::add_checked(result.days, static_cast<std::int32_t>(days));
    const std::int32_t months = result.days / 30;
    result.days -= months * 30;
    result.months = calendar_file::add_checked(result.months, months);
    if (result.months > 0 && (result.days < 0 || (result.days == 0 && result.microseconds < 0))) {
        result.days += 30;
        --result.months;
    } else if (result.months < 0 && (result.days > 0 || (result.days == 0 && result.microseconds > 0))) {
        result.days -= 30;
        ++result.months;
    }
    if (result.days > 0 && result.microseconds < 0) {
        result.microseconds += k_microseconds_per_day;
        --result.days;
    } else if (result.days < 0 && result.microseconds > 0) {
        result.microseconds -= k_microseconds_per_day;
        ++result.days;
    }
    return result;
}

}  // namespace northstar::inline v0::sql
