// Dates, times and intervals as text. (Reading: datetime_parse.cpp, interval_parse.cpp.)

#include "sql/datetime.hpp"

#include <cstdio>
#include <cstdlib>

namespace northstar::inline v0::sql {

namespace datetime_text_file {

void append_number(std::string& out, std::int64_t value, int width) {
    const std::string digits = std::to_string(value < 0 ? -value : value);
    if (value < 0) out += '-';
    if (digits.size() < static_cast<std::size_t>(width))
        out.append(static_cast<std::size_t>(width) - digits.size(), '0');
    out += digits;
}

/// ".123" without zeros at its end, or nothing.
void append_fraction(std::string& out, std::int64_t microseconds) {
    if (microseconds == 0) return;
    char digits[16];
    std::snprintf(digits, sizeof digits, "%06d", static_cast<int>(microseconds));
    std::string fraction = digits;
    fraction.resize(fraction.find_last_not_of('0') + 1);
    out += '.';
    out += fraction;
}

void append_clock(std::string& out, std::int64_t microseconds_of_day) {
    const Clock clock = clock_of(microseconds_of_day);
    append_number(out, clock.hour, 2);
    out += ':';
    append_number(out, clock.minute, 2);
    out += ':';
    append_number(out, clock.second, 2);
    append_fraction(out, clock.microsecond);
}

void append_offset(std::string& out, std::int32_t seconds_east) {
    out += seconds_east < 0 ? '-' : '+';
    const int size = std::abs(seconds_east);
    append_number(out, size / 3600, 2);
    if (size % 3600 == 0) return;
    out += ':';
    append_number(out, size / 60 % 60, 2);
    if (size % 60 == 0) return;
    out += ':';
    append_number(out, size % 60, 2);
}

std::int64_t shown_year(std::int64_t year) { return year > 0 ? year : 1 - year; }

void append_date(std::string& out, const Civil& civil, const Settings& settings) {
    const auto two = [&](int number, char separator) {
        append_number(out, number, 2);
        out += separator;
    };
    const bool day_first = settings.date_order == DateOrder::dmy;
    switch (settings.date_style) {
        case DateStyle::iso:
            append_number(out, shown_year(civil.year), 4);
            out += '-';
            two(civil.month, '-');
            append_number(out, civil.day, 2);
            break;
        case DateStyle::sql:
            two(day_first ? civil.day : civil.month, '/');
            two(day_first ? civil.month : civil.day, '/');
            append_number(out, shown_year(civil.year), 4);
            break;
        case DateStyle::german:
            two(civil.day, '.');
            two(civil.month, '.');
            append_number(out, shown_year(civil.year), 4);
            break;
        case DateStyle::postgres:
            two(day_first ? civil.day : civil.month, '-');
            two(day_first ? civil.month : civil.day, '-');
            append_number(out, shown_year(civil.year), 4);
            break;
    }
}

void append_timestamp(std::string& out, std::int64_t local, const TimeZone::Offset* offset,
                      const Settings& settings) {
    static constexpr const char* k_days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* k_months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::int64_t days = 0;
    std::int64_t time = 0;
    split_timestamp(local, days, time);
    const Civil civil = civil_from_days(days);
    if (settings.date_style == DateStyle::postgres) {
        out += k_days[day_of_week(days)];
        out += ' ';
        if (settings.date_order == DateOrder::dmy) {
            append_number(out, civil.day, 2);
            out += ' ';
            out += k_months[civil.month - 1];
        } else {
            out += k_months[civil.month - 1];
            out += ' ';
            append_number(out, civil.day, 2);
        }
        out += ' ';
        append_clock(out, time);
        out += ' ';
        append_number(out, shown_year(civil.year), 4);
        if (offset != nullptr) {
            out += ' ';
            out += offset->abbreviation;
        }
    } else {
        append_date(out, civil, settings);
        out += ' ';
        append_clock(out, time);
        if (offset != nullptr) {
            if (settings.date_style == DateStyle::iso) {
                append_offset(out, offset->seconds_east);
            } else {
                out += ' ';
                out += offset->abbreviation;
            }
        }
    }
    if (civil.year <= 0) out += " BC";
}

bool append_infinity(std::string& out, bool minus, bool plus) {
    if (minus) out += "-infinity";
    if (plus) out += "infinity";
    return minus || plus;
}

// ---- intervals ----

struct IntervalParts {
    std::int64_t years, months, days, hours, minutes, seconds, fraction;
};

IntervalParts parts_of(const Interval& interval) {
    IntervalParts parts;
    parts.years = interval.months / 12;
    parts.months = interval.months % 12;
    parts.days = interval.days;
    parts.hours = interval.microseconds / k_microseconds_per_hour;
    const std::int64_t rest = interval.microseconds % k_microseconds_per_hour;
    parts.minutes = rest / (60 * k_microseconds_per_second);
    parts.seconds = rest / k_microseconds_per_second % 60;
    parts.fraction = rest % k_microseconds_per_second;
    return parts;
}

void append_signed_seconds(std::string& out, const IntervalParts& parts, int width) {
    append_number(out, std::abs(parts.seconds), width);
    append_fraction(out, std::abs(parts.fraction));
}

void append_postgres(std::string& out, const IntervalParts& parts) {
    bool first = true;
    bool negative = false;
    const auto field = [&](std::int64_t value, const char* unit) {
        if (value == 0) return;
        if (!first) out += ' ';
        if (negative && value > 0) out += '+';
        out += std::to_string(value);
        out += ' ';
        out += unit;
        if (value != 1) out += 's';
        negative = value < 0;
        first = false;
    };
    field(parts.years, "year");
    field(parts.months, "mon");
    field(parts.days, "day");
    const bool has_time = parts.hours != 0 || parts.minutes != 0 || parts.seconds != 0 || parts.fraction != 0;
    if (!first && !has_time) return;
    const bool minus = parts.hours < 0 || parts.minutes < 0 || parts.seconds < 0 || parts.fraction < 0;
    if (!first) out += ' ';
    if (minus) {
        out += '-';
    } else if (negative) {
        out += '+';
    }
    append_number(out, std::abs(parts.hours), 2);
    out += ':';
    append_number(out, std::abs(parts.minutes), 2);
    out += ':';
    append_signed_seconds(out, parts, 2);
}

void append_verbose(std::string& out, const IntervalParts& parts) {
    bool empty = true;
    bool before = false;
    out += '@';
    const auto field = [&](std::int64_t value, const char* unit) {
        if (value == 0) return;
        // The first field gives the sign that "ago" stands for.
        if (empty) {
            before = value < 0;
            value = std::abs(value);
        } else if (before) {
            value = -value;
        }
        out += ' ' + std::to_string(value) + ' ' + unit;
        if (value != 1) out += 's';
        empty = false;
    };
    field(parts.years, "year");
    field(parts.months, "mon");
    field(parts.days, "day");
    field(parts.hours, "hour");
    field(parts.minutes, "min");
    if (parts.seconds != 0 || parts.fraction != 0) {
        const bool minus = parts.seconds < 0 || parts.fraction < 0;
        out += ' ';
        if (empty) {
            before = minus;
        } else if (before != minus) {
            out += '-';
        }
        append_signed_seconds(out, parts, 1);
        out += std::abs(parts.seconds) != 1 || parts.fraction != 0 ? " secs" : " sec";
        empty = false;
    }
    if (empty) out += " 0";
    if (before) out += " ago";
}

void append_iso(std::string& out, const IntervalParts& parts) {
    out += 'P';
    const auto field = [&](std::int64_t value, char unit) {
        if (value == 0) return;
        out += std::to_string(value);
        out += unit;
    };
    field(parts.years, 'Y');
    field(parts.months, 'M');
    field(parts.days, 'D');
    if (parts.hours != 0 || parts.minutes != 0 || parts.seconds != 0 || parts.fraction != 0) out += 'T';
    field(parts.hours, 'H');
    field(parts.minutes, 'M');
    if (parts.seconds != 0 || parts.fraction != 0) {
        if (parts.seconds < 0 || parts.fraction < 0) out += '-';
        append_signed_seconds(out, parts, 1);
        out += 'S';
    }
    if (out.back() == 'P') out += "T0S";
}

void append_standard(std::string& out, const IntervalParts& parts) {
    const bool negative = parts.years < 0 || parts.months < 0 || parts.days < 0 || parts.hours < 0 ||
                          parts.minutes < 0 || parts.seconds < 0 || parts.fraction < 0;
    const bool positive = parts.years > 0 || parts.months > 0 || parts.days > 0 || parts.hours > 0 ||
                          parts.minutes > 0 || parts.seconds > 0 || parts.fraction > 0;
    const bool year_month = parts.years != 0 || parts.months != 0;
    const bool day_time = parts.days != 0 || parts.hours != 0 || parts.minutes != 0 || parts.seconds != 0 ||
                          parts.fraction != 0;
    const bool time = parts.hours != 0 || parts.minutes != 0 || parts.seconds != 0 || parts.fraction != 0;
    if (!negative && !positive) {
        out += '0';
        return;
    }
    const auto clock = [&]() {
        out += std::to_string(std::abs(parts.hours)) + ':';
        append_number(out, std::abs(parts.minutes), 2);
        out += ':';
        append_signed_seconds(out, parts, 2);
    };
    const auto years = [&]() {
        out += std::to_string(std::abs(parts.years)) + '-' + std::to_string(std::abs(parts.months));
    };
    if ((negative && positive) || (year_month && day_time)) {
        // Mixed signs, or both kinds of fields: every part has its own sign.
        out += parts.years < 0 || parts.months < 0 ? '-' : '+';
        years();
        out += parts.days < 0 ? " -" : " +";
        out += std::to_string(std::abs(parts.days));
        out += parts.hours < 0 || parts.minutes < 0 || parts.seconds < 0 || parts.fraction < 0 ? " -" : " +";
        clock();
        return;
    }
    if (negative) out += '-';
    if (year_month) {
        years();
    } else if (parts.days != 0) {
        out += std::to_string(std::abs(parts.days)) + ' ';
        clock();
    } else if (time) {
        clock();
    }
}

}  // namespace datetime_text_file

void date_to_text(std::int64_t date, std::string& out, const Settings& settings) {
    using namespace datetime_text_file;
    if (append_infinity(out, date == k_date_minus_infinity, date == k_date_infinity)) return;
    const Civil civil = civil_from_days(date);
    append_date(out, civil, settings);
    if (civil.year <= 0) out += " BC";
}

void time_to_text(std::int64_t time, std::string& out) { datetime_text_file::append_clock(out, time); }

void timetz_to_text(const TimeTz& time, std::string& out) {
    datetime_text_file::append_clock(out, time.microseconds);
    datetime_text_file::append_offset(out, -time.zone);
}

void timestamp_to_text(std::int64_t timestamp, std::string& out, const Settings& settings) {
    using namespace datetime_text_file;
    if (append_infinity(out, timestamp == k_timestamp_minus_infinity, timestamp == k_timestamp_infinity))
        return;
    append_timestamp(out, timestamp, nullptr, settings);
}

void timestamptz_to_text(std::int64_t timestamp, std::string& out, const Settings& settings) {
    using namespace datetime_text_file;
    if (append_infinity(out, timestamp == k_timestamp_minus_infinity, timestamp == k_timestamp_infinity))
        return;
    TimeZone::Offset offset;
    const std::int64_t local = to_local(timestamp, settings.zone.get(), &offset);
    append_timestamp(out, local, &offset, settings);
}

void append_json_timestamp(const Value& value, std::string& out, Session& session) {
    Settings settings;
    settings.zone = session.settings.zone;
    std::string text;
    if (value.type() == type::timestamptz) {
        timestamptz_to_text(value.integer(), text, settings);
        // JSON wants minutes in the offset, which the era may stand behind.
        const std::size_t end = std::min(text.find(" BC"), text.size());
        if (is_finite_timestamp(value.integer()) && text.find_last_of("+-") == end - 3) text.insert(end, ":00");
    } else if (value.type() == type::timestamp) {
        timestamp_to_text(value.integer(), text, settings);
    } else {
        date_to_text(value.integer(), text, settings);
    }
    const std::size_t blank = text.find(' ');
    if (blank != std::string::npos && text.compare(blank, 3, " BC") != 0) text[blank] = 'T';
    out += text;
}

void interval_to_text(const Interval& interval, std::string& out, IntervalStyle style) {
    using namespace datetime_text_file;
    const IntervalParts parts = parts_of(interval);
    switch (style) {
        case IntervalStyle::postgres:
            append_postgres(out, parts);
            return;
        case IntervalStyle::postgres_verbose:
            append_verbose(out, parts);
            return;
        case IntervalStyle::sql_standard:
            append_standard(out, parts);
            return;
        case IntervalStyle::iso_8601:
            append_iso(out, parts);
            return;
    }
}

}  // namespace northstar::inline v0::sql
