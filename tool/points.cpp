#include "points.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>

#include "failure.hpp"
#include "text.hpp"

namespace northstar_tool {
namespace points_impl {

constexpr std::uint64_t k_second = 1'000'000;

std::uint64_t now_us() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

/// Days since 1970-01-01 of a date in the Gregorian calendar, from 1970 on.
std::uint64_t days_from_date(std::uint64_t year, std::uint64_t month, std::uint64_t day) {
    const std::uint64_t shifted = month <= 2 ? year - 1 : year;
    const std::uint64_t from_march = month <= 2 ? month + 9 : month - 3;
    const std::uint64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719468;
}

struct Date {
    std::uint64_t year, month, day;
};

Date date_from_days(std::uint64_t days) {
    const std::uint64_t z = days + 719468;
    const std::uint64_t era = z / 146097;
    const std::uint64_t day_of_era = z % 146097;
    const std::uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::uint64_t from_march = (5 * day_of_year + 2) / 153;
    const std::uint64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day_of_year - (153 * from_march + 2) / 5 + 1};
}

std::uint64_t month_length(std::uint64_t year, std::uint64_t month) {
    static constexpr unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : lengths[month - 1];
}

/// Takes exactly `digits` digits from the front.
std::optional<std::uint64_t> take_number(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    const auto number = parse_unsigned(text.substr(0, digits));
    if (number) text.remove_prefix(digits);
    return number;
}

bool accept(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

/// Digits behind a decimal point as microseconds; digits beyond the sixth are cut.
std::optional<std::uint64_t> take_fraction(std::string_view& text) {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    if (count == 0) return std::nullopt;
    std::string digits(text.substr(0, std::min<std::size_t>(count, 6)));
    digits.resize(6, '0');
    text.remove_prefix(count);
    return parse_unsigned(digits);
}

std::optional<std::uint64_t> parse_epoch(std::string_view text) {
    const std::size_t point = std::min(text.find('.'), text.size());
    const auto seconds = parse_unsigned(text.substr(0, point));
    if (!seconds || *seconds > std::numeric_limits<std::uint64_t>::max() / k_second - 1) return std::nullopt;
    text.remove_prefix(point);
    std::uint64_t fraction = 0;
    if (accept(text, '.')) {
        const auto digits = take_fraction(text);
        if (!digits) return std::nullopt;
        fraction = *digits;
    }
    if (!text.empty()) return std::nullopt;
    return *seconds * k_second + fraction;
}

std::optional<std::uint64_t> parse_iso(std::string_view text) {
    const auto year = take_number(text, 4);
    if (!year || *year < 1970 || !accept(text, '-')) return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || *month < 1 || *month > 12 || !accept(text, '-')) return std::nullopt;
    const auto day = take_number(text, 2);
    if (!day || *day < 1 || *day > month_length(*year, *month)) return std::nullopt;
    std::uint64_t micros = days_from_date(*year, *month, *day) * 86400 * k_second;
    if (text.empty()) return micros;
    if (!accept(text, 'T') && !accept(text, ' ')) return std::nullopt;
    const auto hour = take_number(text, 2);
    if (!hour || *hour > 23 || !accept(text, ':')) return std::nullopt;
    const auto minute = take_number(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    micros += (*hour * 3600 + *minute * 60) * k_second;
    if (accept(text, ':')) {
        const auto second = take_number(text, 2);
        if (!second || *second > 60) return std::nullopt;
        micros += *second * k_second;
        if (accept(text, '.')) {
            const auto fraction = take_fraction(text);
            if (!fraction) return std::nullopt;
            micros += *fraction;
        }
    }
    if (text.empty()) return micros;
    if (accept(text, 'Z')) return text.empty() ? std::optional(micros) : std::nullopt;
    const bool ahead = accept(text, '+');
    if (!ahead && !accept(text, '-')) return std::nullopt;
    const auto offset_hour = take_number(text, 2);
    if (!offset_hour || *offset_hour > 23) return std::nullopt;
    accept(text, ':');
    const auto offset_minute = take_number(text, 2);
    if (!offset_minute || *offset_minute > 59 || !text.empty()) return std::nullopt;
    const std::uint64_t offset = (*offset_hour * 3600 + *offset_minute * 60) * k_second;
    if (!ahead) return micros + offset;
    return micros >= offset ? std::optional(micros - offset) : std::nullopt;
}

bool annotated(const northstar::CommitRecord& record, const Point& point) {
    for (const auto& [name, value] : record.annotations) {
        if (name != point.name) continue;
        if (point.prefix ? value.substr(0, point.text.size()) == point.text : value == point.text) return true;
    }
    return false;
}

/// Newest commit with the annotation, looked for backwards in steps that grow.
northstar::Txn find_annotated(const northstar::Database& database, const Point& point) {
    const northstar::Txn oldest = oldest_commit(database);
    northstar::Txn end = newest_commit(database) + 1;
    std::uint64_t step = 16;
    while (end > oldest) {
        const northstar::Txn begin = end - oldest > step ? end - step : oldest;
        northstar::Txn found = 0;
        for (const northstar::CommitRecord& record : database.commits(begin)) {
            if (record.txn >= end) break;
            if (annotated(record, point)) found = record.txn;
        }
        if (found != 0) return found;
        end = begin;
        step = std::min<std::uint64_t>(step * 2, 4096);
    }
    throw Failure(k_exit_not_retained, "no retained commit is annotated " + printable(point.name) +
                                           (point.prefix ? "^=" : "=") + printable(point.text));
}

}  // namespace points_impl

std::optional<std::uint64_t> parse_time(std::string_view text) {
    if (text == "now") return points_impl::now_us();
    if (text.size() > 4 && text.substr(text.size() - 4) == "-ago") {
        const auto back = parse_duration(text.substr(0, text.size() - 4));
        const std::uint64_t now = points_impl::now_us();
        if (!back || *back > now) return std::nullopt;
        return now - *back;
    }
    if (text.size() > 1 && text.front() == '@') return points_impl::parse_epoch(text.substr(1));
    if (text.size() > 2 && text.substr(text.size() - 2) == "us")
        return parse_unsigned(text.substr(0, text.size() - 2));
    return points_impl::parse_iso(text);
}

std::string format_time(std::uint64_t microseconds) {
    const std::uint64_t seconds = microseconds / points_impl::k_second;
    const points_impl::Date date = points_impl::date_from_days(seconds / 86400);
    const std::uint64_t of_day = seconds % 86400;
    char buffer[96];
    std::snprintf(buffer, sizeof buffer, "%04llu-%02llu-%02lluT%02llu:%02llu:%02llu.%06lluZ",
                  static_cast<unsigned long long>(date.year), static_cast<unsigned long long>(date.month),
                  static_cast<unsigned long long>(date.day), static_cast<unsigned long long>(of_day / 3600),
                  static_cast<unsigned long long>(of_day / 60 % 60), static_cast<unsigned long long>(of_day % 60),
                  static_cast<unsigned long long>(microseconds % points_impl::k_second));
    return buffer;
}

Point parse_point(std::string_view text) {
    Point point;
    if (text == "latest") return point;
    if (text.substr(0, 7) == "latest~") {
        const auto back = parse_unsigned(text.substr(7));
        if (!back) throw UsageError("latest~N needs a number, as in latest~3");
        point.value = *back;
        return point;
    }
    if (const auto txn = parse_unsigned(text)) {
        point.kind = Point::Kind::txn;
        point.value = *txn;
        return point;
    }
    if (const auto time = parse_time(text)) {
        point.kind = Point::Kind::time;
        point.value = *time;
        return point;
    }
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos && equals > 0) {
        point.kind = Point::Kind::annotation;
        point.prefix = text[equals - 1] == '^';
        point.name = std::string(text.substr(0, equals - (point.prefix ? 1 : 0)));
        point.text = std::string(text.substr(equals + 1));
        if (!point.name.empty()) return point;
    }
    throw UsageError(
        "'" + printable(text) +
        "' is no point in time: give a transaction number, a time such as 2024-05-01T12:00:00Z, 2h-ago, @seconds, "
        "microseconds as NNNus, latest, latest~N or ANNOTATION=VALUE");
}

northstar::Txn newest_commit(const northstar::Database& database) { return database.begin_read().txn(); }

northstar::Txn oldest_commit(const northstar::Database& database) {
    const northstar::Txn oldest = std::max<northstar::Txn>(1, database.statistics().oldest_txn);
    try {
        static_cast<void>(database.commit(oldest));
        return oldest;
    } catch (const northstar::Error& error) {
        // A database made from that state, without the record that led to it.
        if (error.code() != northstar::Errc::before_horizon) throw;
        return oldest + 1;
    }
}

northstar::AsOf resolve(const northstar::Database& database, const Point& point) {
    if (point.kind == Point::Kind::time) return northstar::AsOf::time(point.value);
    return northstar::AsOf::txn(resolve_txn(database, point));
}

northstar::Txn resolve_first(const northstar::Database& database, const Point& point) {
    if (point.kind != Point::Kind::time) return resolve_txn(database, point);
    if (point.value == 0) return oldest_commit(database);
    try {
        // Several commits may have that time, so the last one before it is looked for.
        return database.begin_read(northstar::AsOf::time(point.value - 1)).txn() + 1;
    } catch (const northstar::Error& error) {
        if (error.code() != northstar::Errc::before_horizon) throw;
        return oldest_commit(database);
    }
}

northstar::Txn resolve_txn(const northstar::Database& database, const Point& point) {
    switch (point.kind) {
    case Point::Kind::txn: return point.value;
    case Point::Kind::time: return database.begin_read(northstar::AsOf::time(point.value)).txn();
    case Point::Kind::annotation: return points_impl::find_annotated(database, point);
    case Point::Kind::latest: break;
    }
    const northstar::Txn newest = newest_commit(database);
    if (point.value > newest) {
        throw Failure(k_exit_not_retained, "there are only " + counted(newest, "commit", "commits") + ", so latest~" +
                                               std::to_string(point.value) + " does not exist");
    }
    return newest - point.value;
}

}  // namespace northstar_tool
