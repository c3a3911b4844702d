#include "sql/jsonpath_datetime.hpp"

#include "sql/compare.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"

#include <array>
#include <cstdlib>

namespace northstar::inline v0::sql {

namespace jsonpath_time {

enum class Field : std::uint8_t { year, month, day, day_of_year, hour, hour12, minute, second, seconds_of_day,
                                  fraction, half, zone_hour, zone_minute };

struct Name {
    const char* text;
    Field field;
    int digits;  ///< at most, of a number; of a half of the day the bytes of its mark
};
/// Longer names before their beginnings.
constexpr Name k_names[] = {
    {"YYYY", Field::year, 4},    {"YYY", Field::year, 3},   {"YY", Field::year, 2},     {"Y", Field::year, 1},
    {"RRRR", Field::year, 4},    {"RR", Field::year, 2},    {"MM", Field::month, 2},    {"DDD", Field::day_of_year, 3},
    {"DD", Field::day, 2},       {"HH24", Field::hour, 2},  {"HH12", Field::hour12, 2}, {"HH", Field::hour12, 2},
    {"MI", Field::minute, 2},    {"SSSSS", Field::seconds_of_day, 5}, {"SS", Field::second, 2},
    {"FF1", Field::fraction, 1}, {"FF2", Field::fraction, 2}, {"FF3", Field::fraction, 3}, {"FF4", Field::fraction, 4},
    {"FF5", Field::fraction, 5}, {"FF6", Field::fraction, 6}, {"MS", Field::fraction, 3}, {"US", Field::fraction, 6},
    {"A.M.", Field::half, 4},    {"P.M.", Field::half, 4},  {"AM", Field::half, 2},     {"PM", Field::half, 2},
    {"TZH", Field::zone_hour, 2}, {"TZM", Field::zone_minute, 2}};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool starts(std::string_view text, std::string_view prefix) {
    if (text.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        if (upper(text[i]) != prefix[i]) return false;
    }
    return true;
}
bool digit(char c) { return c >= '0' && c <= '9'; }

/// What was read; a field that did not stand in the template is absent.
struct Fields {
    std::optional<int> year, month, day, day_of_year, hour, hour12, minute, second, seconds_of_day, fraction,
        zone_hour, zone_minute;
    bool afternoon = false, half = false, zone_minus = false;
};

class Match {
public:
    Match(std::string_view text, std::string_view format) : text_(text), format_(format) {}
    PathTimeError error{sqlstate::invalid_datetime_format, {}};

    bool read(Fields& fields) {
        while (!format_.empty()) {
            if (format_.front() == '"') {
                if (!literal()) return false;
                continue;
            }
            const Name* found = nullptr;
            for (const Name& name : k_names) {
                if (found == nullptr && starts(format_, name.text)) found = &name;
            }
            if (found == nullptr) {
                const char separator = format_.front();
                if (std::string_view("-./,':; ").find(separator) == std::string_view::npos)
                    return fail(std::string("invalid datetime format separator: \"") + separator + "\"");
                format_.remove_prefix(1);
                if (text_.empty() || text_.front() != separator)
                    return fail(std::string("unmatched format separator \"") + separator + "\"");
                text_.remove_prefix(1);
                continue;
            }
            format_.remove_prefix(std::string_view(found->text).size());
            if (!field(*found, fields)) return false;
        }
        if (!text_.empty()) return fail("trailing characters remain in input string after datetime format");
        return true;
    }

private:
    bool fail(std::string message) {
        error.message = std::move(message);
        return false;
    }
    bool literal() {
        format_.remove_prefix(1);
        while (!format_.empty() && format_.front() != '"') {
            if (format_.front() == '\\' && format_.size() > 1) format_.remove_prefix(1);
            if (text_.empty() || text_.front() != format_.front())
                return fail(std::string("unmatched format character \"") + format_.front() + "\"");
            text_.remove_prefix(1);
            format_.remove_prefix(1);
        }
        if (!format_.empty()) format_.remove_prefix(1);
        return true;
    }
    bool number(const Name& name, std::optional<int>& to, int* count = nullptr) {
        int value = 0, seen = 0;
        while (seen < name.digits && static_cast<std::size_t>(seen) < text_.size() &&
               digit(text_[static_cast<std::size_t>(seen)]))
            value = value * 10 + (text_[static_cast<std::size_t>(seen++)] - '0');
        if (seen == 0) {
            return fail("invalid value \"" + std::string(text_.substr(0, static_cast<std::size_t>(name.digits))) +
                        "\" for \"" + name.text + "\"");
        }
        text_.remove_prefix(static_cast<std::size_t>(seen));
        if (to && *to != value)
            return fail("conflicting values for \"" + std::string(name.text) + "\" field in formatting string");
        to = value;
        if (count != nullptr) *count = seen;
        return true;
    }
    bool field(const Name& name, Fields& f) {
        int count = 0;
        switch (name.field) {
            case Field::year:
                if (!number(name, f.year, &count)) return false;
                if (count == 3) f.year = *f.year + (*f.year < 100 ? 2000 : *f.year < 520 ? 2000 : 1000);
                else if (count < 3) f.year = *f.year + (*f.year < 70 ? 2000 : 1900);
                return true;
            case Field::month: return number(name, f.month);
            case Field::day: return number(name, f.day);
            case Field::day_of_year: return number(name, f.day_of_year);
            case Field::hour: return number(name, f.hour);
            case Field::hour12: return number(name, f.hour12);
            case Field::minute: return number(name, f.minute);
            case Field::second: return number(name, f.second);
            case Field::seconds_of_day: return number(name, f.seconds_of_day);
            case Field::fraction:
                if (!number(name, f.fraction, &count)) return false;
                for (; count < 6; ++count) f.fraction = *f.fraction * 10;
                return true;
            case Field::half: {
                const bool dots = name.digits == 4;
                if (!starts(text_, dots ? "A.M." : "AM") && !starts(text_, dots ? "P.M." : "PM"))
                    return fail(std::string("invalid value for \"") + name.text + "\"");
                f.half = true;
                f.afternoon = upper(text_.front()) == 'P';
                text_.remove_prefix(static_cast<std::size_t>(name.digits));
                return true;
            }
            case Field::zone_hour:
                if (!text_.empty() && (text_.front() == '+' || text_.front() == '-' || text_.front() == ' ')) {
                    f.zone_minus = text_.front() == '-';
                    text_.remove_prefix(1);
                }
                if (!text_.empty() && text_.front() == '+') text_.remove_prefix(1);
                return number(name, f.zone_hour);
            case Field::zone_minute: return number(name, f.zone_minute);
        }
        return false;
    }

    std::string_view text_, format_;
};

std::optional<PathTime> assemble(const Fields& f, PathTimeError& error) {
    const auto range = [&](const char* what) -> std::optional<PathTime> {
        error = {sqlstate::datetime_field_overflow, std::string("date/time field value out of range: ") + what};
        return std::nullopt;
    };
    const bool has_date = f.year || f.month || f.day || f.day_of_year;
    const bool has_time = f.hour || f.hour12 || f.minute || f.second || f.seconds_of_day || f.fraction;
    const bool has_zone = f.zone_hour.has_value();
    std::int64_t days = 0, microseconds = 0;
    if (has_date) {
        Civil civil{f.year.value_or(0), f.month.value_or(1), f.day.value_or(1)};
        if (civil.month < 1 || civil.month > 12) return range("month");
        if (civil.day < 1 || civil.day > days_in_month(civil.year, civil.month)) return range("day");
        days = days_from_civil(civil);
        if (f.day_of_year) {
            if (*f.day_of_year < 1 || *f.day_of_year > 366) return range("day of year");
            days = days_from_civil({civil.year, 1, 1}) + *f.day_of_year - 1;
        }
    }
    if (has_time) {
        Clock clock;
        clock.hour = f.hour.value_or(0);
        if (f.hour12) {
            if (*f.hour12 < 1 || *f.hour12 > 12) {
                error = {sqlstate::invalid_datetime_format,
                         "hour \"" + std::to_string(*f.hour12) + "\" is invalid for the 12-hour clock"};
                return std::nullopt;
            }
            clock.hour = *f.hour12 % 12 + (f.afternoon ? 12 : 0);
        } else if (f.half && f.afternoon && clock.hour < 12) {
            clock.hour += 12;
        }
        clock.minute = f.minute.value_or(0);
        clock.second = f.second.value_or(0);
        if (f.seconds_of_day) {
            if (*f.seconds_of_day >= 86400) return range("seconds of the day");
            clock.hour = *f.seconds_of_day / 3600;
            clock.minute = *f.seconds_of_day / 60 % 60;
            clock.second = *f.seconds_of_day % 60;
        }
        if (clock.hour > 23) return range("hour");
        if (clock.minute > 59) return range("minute");
        if (clock.second > 59) return range("second");
        clock.microsecond = f.fraction.value_or(0);
        microseconds = microseconds_of(clock);
    }
    std::int32_t west = 0;
    if (has_zone) {
        if (*f.zone_hour > 15 || f.zone_minute.value_or(0) > 59) return range("time zone");
        west = (*f.zone_hour * 3600 + f.zone_minute.value_or(0) * 60) * (f.zone_minus ? 1 : -1);
    }
    PathTime result;
    result.zone_west = west;
    if (has_date && has_time) {
        const std::int64_t local = timestamp_of(days, microseconds);
        result.value = has_zone ? Value::integer(type::timestamptz, local + west * k_microseconds_per_second)
                                : Value::integer(type::timestamp, local);
        return result;
    }
    if (has_zone && has_date) {
        error = {sqlstate::invalid_datetime_format, "datetime format is zoned but not timed"};
        return std::nullopt;
    }
    if (has_date) {
        result.value = Value::integer(type::date, days);
    } else if (has_time) {
        result.value = has_zone ? Value::timetz({microseconds, west}) : Value::integer(type::time, microseconds);
    } else {
        error = {sqlstate::invalid_datetime_format, "datetime format is not dated and not timed"};
        return std::nullopt;
    }
    return result;
}

std::int32_t zone_west_at(std::int64_t local, const Session& session) {
    return session.settings.zone == nullptr ? 0 : -session.settings.zone->offset_of_local(local);
}

void append_zone(std::int32_t west, std::string& out) {
    const std::int32_t seconds = west < 0 ? -west : west;
    out += west <= 0 ? '+' : '-';
    const auto two = [&](std::int32_t value) {
        out += static_cast<char>('0' + value / 10);
        out += static_cast<char>('0' + value % 10);
    };
    two(seconds / 3600);
    out += ':';
    two(seconds / 60 % 60);
}

/// Timestamps and dates as instants, where they are compared with one that has a zone.
std::int64_t instant(const PathTime& time, Session& session) {
    const Oid type = time.value.type();
    if (type == type::timestamptz) return time.value.integer();
    const std::int64_t local = type == type::date ? timestamp_of(time.value.integer(), 0) : time.value.integer();
    return to_utc(local, session.settings.zone.get());
}

}  // namespace jsonpath_time

std::optional<PathTime> path_time_from_text(std::string_view text, std::string_view format, Session&,
                                            PathTimeError& error) {
    jsonpath_time::Match match(text, format);
    jsonpath_time::Fields fields;
    if (!match.read(fields)) {
        error = match.error;
        return std::nullopt;
    }
    return jsonpath_time::assemble(fields, error);
}

std::optional<PathTime> path_time_from_iso(std::string_view text, Session& session) {
    static constexpr const char* k_times[] = {"HH24:MI:SS.USTZH:TZM", "HH24:MI:SS.USTZH", "HH24:MI:SSTZH:TZM",
                                              "HH24:MI:SSTZH", "HH24:MI:SS.US", "HH24:MI:SS"};
    PathTimeError error{sqlstate::invalid_datetime_format, {}};
    if (auto date = path_time_from_text(text, "yyyy-mm-dd", session, error)) return date;
    for (const char* prefix : {"", "yyyy-mm-dd ", "yyyy-mm-dd\"T\""}) {
        for (const char* time : k_times) {
            if (auto found = path_time_from_text(text, std::string(prefix) + time, session, error)) return found;
        }
    }
    return std::nullopt;
}

const char* path_time_type(const PathTime& time) {
    switch (time.value.type()) {
        case type::date: return "date";
        case type::time: return "time without time zone";
        case type::timetz: return "time with time zone";
        case type::timestamp: return "timestamp without time zone";
        default: return "timestamp with time zone";
    }
}

std::string path_time_to_text(const PathTime& time) {
    std::string out;
    const Settings iso;
    switch (time.value.type()) {
        case type::date: date_to_text(time.value.integer(), out, iso); return out;
        case type::time: time_to_text(time.value.integer(), out); return out;
        case type::timetz:
            time_to_text(time.value.timetz().microseconds, out);
            jsonpath_time::append_zone(time.value.timetz().zone, out);
            return out;
        default: break;
    }
    const bool zoned = time.value.type() == type::timestamptz;
    timestamp_to_text(time.value.integer() - (zoned ? time.zone_west * k_microseconds_per_second : 0), out, iso);
    const std::size_t blank = out.find(' ');
    if (blank != std::string::npos) out[blank] = 'T';
    if (zoned) jsonpath_time::append_zone(time.zone_west, out);
    return out;
}

std::optional<int> path_time_compare(const PathTime& a, const PathTime& b, bool zones, Session& session) {
    const auto of_day = [](const PathTime& t) {
        return t.value.type() == type::time || t.value.type() == type::timetz;
    };
    const auto zoned = [](const PathTime& t) {
        return t.value.type() == type::timestamptz || t.value.type() == type::timetz;
    };
    if (of_day(a) != of_day(b)) return std::nullopt;
    if (zoned(a) != zoned(b) && !zones) {
        const PathTime& plain = zoned(a) ? b : a;
        const char* target = of_day(a) ? "timetz" : "timestamptz";
        const char* source = of_day(a) ? "time" : plain.value.type() == type::date ? "date" : "timestamp";
        raise(sqlstate::feature_not_supported,
              std::string("cannot convert value from ") + source + " to " + target + " without time zone usage", {},
              "Use *_tz() function for time zone support.");
    }
    if (of_day(a)) {
        if (!zoned(a) && !zoned(b)) return compare_values(a.value, b.value);
        const auto with_zone = [&](const PathTime& t) {
            if (t.value.type() == type::timetz) return t.value;
            const std::int64_t today = to_local(session.transaction_time, session.settings.zone.get());
            return Value::timetz({t.value.integer(), jsonpath_time::zone_west_at(today, session)});
        };
        return compare_values(with_zone(a), with_zone(b));
    }
    if (!zoned(a) && !zoned(b)) {
        const auto local = [](const PathTime& t) {
            return t.value.type() == type::date ? timestamp_of(t.value.integer(), 0) : t.value.integer();
        };
        return local(a) < local(b) ? -1 : local(a) > local(b) ? 1 : 0;
    }
    const std::int64_t x = jsonpath_time::instant(a, session), y = jsonpath_time::instant(b, session);
    return x < y ? -1 : x > y ? 1 : 0;
}

}  // namespace northstar::inline v0::sql
