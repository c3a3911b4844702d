// Reading dates and times. The text is cut into fields (numbers, dates, times, zones, words), and each field
// finds its meaning from what came before; the manual's appendix B.1 tells the same story.

#include "sql/datetime.hpp"
#include "sql/datetime_names.hpp"
#include "sql/datetime_words.hpp"
#include "sql/error.hpp"
#include "sql/scalar_text.hpp"

#include <cstdlib>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

namespace datetime_parse_file {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

struct Problem {
    enum Kind { bad_format, field_overflow, zone_overflow, unknown_zone, month_day_overflow } kind;
    std::string zone;
};

class DateTimeReader {
public:
    DateTimeReader(std::string_view text, const char* type_name, Session& session)
        : text_(text), type_name_(type_name), session_(session) {}

    bool infinite = false;
    bool minus_infinite = false;
    bool has_date = false;
    bool has_time = false;
    bool has_zone = false;
    bool now = false;  ///< the whole moment is transaction_time
    std::int64_t days = 0;
    std::int64_t time = 0;  ///< microseconds of the day; 24:00 and a second of 60 stay above the usual
    std::int32_t zone_east = 0;
    std::shared_ptr<const TimeZone> named_zone;

    void read(bool time_only) {
        time_only_ = time_only;
        if (text_.size() > 128 + 25) fail(Problem::bad_format);
        if (!split_datetime(text_, fields_) || fields_.empty()) fail(Problem::bad_format);
        for (at_ = 0; at_ < fields_.size(); ++at_) field(fields_[at_]);
        if (prefix_ != '\0') fail(Problem::bad_format);
        finish();
    }

    [[noreturn]] void fail(Problem::Kind kind, const std::string& zone = {}) {
        const std::string quoted = '"' + std::string(text_) + '"';
        switch (kind) {
            case Problem::bad_format:
                raise(sqlstate::invalid_datetime_format,
                      std::string("invalid input syntax for type ") + type_name_ + ": " + quoted);
            case Problem::field_overflow:
                raise(sqlstate::datetime_field_overflow, "date/time field value out of range: " + quoted);
            case Problem::month_day_overflow:
                raise(sqlstate::datetime_field_overflow, "date/time field value out of range: " + quoted, "",
                      "Perhaps you need a different \"datestyle\" setting.");
            case Problem::zone_overflow:
                raise(sqlstate::invalid_time_zone_displacement_value,
                      "time zone displacement out of range: " + quoted);
            case Problem::unknown_zone:
                raise(sqlstate::invalid_parameter_value, "time zone \"" + zone + "\" not recognized");
        }
        raise(sqlstate::internal_error, "unknown date/time problem");
    }

private:
    void field(const DateTimeWord& f) {
        switch (f.kind) {
            case DateTimeWordKind::date:
                date_field(f.text);
                return;
            case DateTimeWordKind::time:
                time_field(f.text);
                return;
            case DateTimeWordKind::zone:
                zone_field(f.text);
                return;
            case DateTimeWordKind::number:
                number_field(f.text);
                return;
            case DateTimeWordKind::word:
                word_field(f.text);
                return;
        }
    }

    void set_zone(std::int32_t east) {
        if (has_zone) fail(Problem::bad_format);
        has_zone = true;
        zone_east = east;
    }

    void zone_field(const std::string& text) {
        // +hh, +hhmm, +hh:mm, +hh:mm:ss; without colons there are no seconds.
        int parts[3] = {0, 0, 0};
        int count = 0;
        std::size_t i = 1;
        std::string digits;
        while (i < text.size() && is_digit(text[i])) digits += text[i++];
        if (i == text.size() && digits.size() > 2) {
            const int together = std::atoi(digits.substr(0, 6).c_str());
            parts[0] = together / 100;
            parts[1] = together % 100;
        } else {
            parts[count++] = std::atoi(digits.substr(0, 6).c_str());
            while (i < text.size() && text[i] == ':' && count < 3) {
                std::string more;
                for (++i; i < text.size() && is_digit(text[i]);) more += text[i++];
                parts[count++] = std::atoi(more.substr(0, 6).c_str());
            }
        }
        if (parts[0] > 15 || parts[1] > 59 || parts[2] > 59) fail(Problem::zone_overflow);
        if (i != text.size()) fail(Problem::bad_format);
        const std::int32_t seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2];
        if (has_zone && zone_by_name_) {
            // "UTC+3" style: an offset behind an abbreviation counts against it, as POSIX has it.
            zone_east += text[0] == '-' ? -seconds : seconds;
            return;
        }
        set_zone(text[0] == '-' ? -seconds : seconds);
    }

    void time_field(const std::string& text) {
        if (has_time) fail(Problem::bad_format);
        std::int64_t parts[3] = {0, 0, 0};
        int count = 0;
        std::size_t i = 0;
        std::int64_t micros = 0;
        for (;;) {
            const std::size_t begin = i;
            while (i < text.size() && is_digit(text[i])) ++i;
            if (i == begin && count == 0) fail(Problem::bad_format);
            parts[count++] = std::atoll(text.substr(begin, std::min<std::size_t>(i - begin, 9)).c_str());
            if (i == text.size()) break;
            if (text[i] == '.') {
                micros = fraction(text.substr(i));
                if (count < 3) {
                    // mm:ss.fff
                    if (count == 2) {
                        parts[2] = parts[1];
                        parts[1] = parts[0];
                        parts[0] = 0;
                    } else {
                        fail(Problem::bad_format);
                    }
                }
                break;
            }
            if (text[i] != ':' || count == 3) fail(Problem::bad_format);
            ++i;
        }
        clock(parts[0], parts[1], parts[2], micros);
    }

    std::int64_t fraction(const std::string& text) {
        // ".123456": rounded to microseconds
        for (std::size_t i = 1; i < text.size(); ++i) {
            if (!is_digit(text[i])) fail(Problem::bad_format);
        }
        std::int64_t value = 0;
        for (std::size_t i = 1; i <= 6; ++i) value = value * 10 + (i < text.size() ? text[i] - '0' : 0);
        if (text.size() <= 7 || text[7] < '5') return value;
        // Halves go to the even neighbour.
        const bool half = text[7] == '5' && text.find_first_not_of('0', 8) == std::string::npos;
        return value + (half && value % 2 == 0 ? 0 : 1);
    }

    void clock(std::int64_t hour, std::int64_t minute, std::int64_t second, std::int64_t micros) {
        const std::int64_t within_hour = (minute * 60 + second) * k_microseconds_per_second + micros;
        // A leap second is the beginning of the next minute; behind the end of the day there is nothing.
        if (hour > 24 || minute > 59 || second > 60 ||
            hour * 3600 * k_microseconds_per_second + within_hour > k_microseconds_per_day) {
            fail(Problem::field_overflow);
        }
        hour_ = hour;
        time = within_hour;
        has_time = true;
    }

    void concatenated_time(const std::string& digits, std::int64_t micros) {
        const auto two = [&](std::size_t at) {
            return std::int64_t{digits[at] - '0'} * 10 + (digits[at + 1] - '0');
        };
        if (has_time) fail(Problem::bad_format);
        if (digits.size() == 6) {
            clock(two(0), two(2), two(4), micros);
        } else if (digits.size() == 4) {
            clock(two(0), two(2), 0, micros);
        } else if (digits.size() == 2) {
            clock(two(0), 0, 0, micros);
        } else {
            fail(Problem::bad_format);
        }
    }

    void number_field(const std::string& text) {
        const std::size_t point = text.find('.');
        const std::string whole = text.substr(0, point);
        const std::int64_t micros = point == std::string::npos ? 0 : fraction(text.substr(point));
        if (prefix_ == 'j') {
            prefix_ = '\0';
            if (has_date || whole.empty()) fail(Problem::bad_format);
            days = std::atoll(whole.substr(0, 10).c_str()) - 2451545;
            has_date = true;
            julian_ = true;
            if (point != std::string::npos) {
                const double part = std::atof(('0' + text.substr(point)).c_str());
                hour_ = 0;
                time = static_cast<std::int64_t>(part * static_cast<double>(k_microseconds_per_day));
                has_time = true;
            }
            return;
        }
        if (prefix_ != 't' && prefix_ != '\0') return unit_number(whole, point != std::string::npos, micros);
        if (prefix_ == 't') {
            prefix_ = '\0';
            if (whole.size() != 4 && whole.size() != 6) fail(Problem::bad_format);
            concatenated_time(whole, micros);
            return;
        }
        if (point != std::string::npos) {
            if (text.find('.', point + 1) != std::string::npos) fail(Problem::bad_format);
            // yyyy.ddd is a day of the year, hhmmss.ff a time.
            if (whole.size() == 4 && text.size() == 8 && !have_year_ && !has_date) {
                set_year(whole);
                days_of_year_ = std::atoi(text.substr(5).c_str());
                return;
            }
            if ((has_date || date_parts() == 3 || time_only_) && !has_time) {
                concatenated_time(whole, micros);
                return;
            }
            fail(Problem::bad_format);
        }
        if (time_only_ && !has_time && date_parts() == 0 && (whole.size() == 4 || whole.size() == 6)) {
            concatenated_time(whole, 0);
            return;
        }
        if (date_parts() == 0 && !has_date && whole.size() >= 6) {
            concatenated_date(whole);
            return;
        }
        if ((has_date || date_parts() == 3) && !has_time && (whole.size() == 6 || whole.size() == 4)) {
            concatenated_time(whole, 0);
            return;
        }
        if (date_parts() == 1 && have_year_ && whole.size() == 3) {
            days_of_year_ = std::atoi(whole.c_str());
            return;
        }
        date_number(whole);
    }

    /// A number behind the letter of its unit; days and hours may be more than a month or a day has room for.
    void unit_number(const std::string& digits, bool fraction, std::int64_t micros) {
        const char unit = std::exchange(prefix_, '\0');
        if (digits.empty() || (fraction && unit != 's')) fail(Problem::bad_format);
        if (digits.size() > 9) fail(Problem::field_overflow);
        const auto number = static_cast<int>(std::atoll(digits.c_str()));
        const auto once = [&](bool& known) {
            if (std::exchange(known, true)) fail(Problem::bad_format);
        };
        // Behind an hour, m is a minute once there is a month.
        const bool minute = unit == 'n' || (unit == 'm' && have_month_ && have_hour_);
        if (unit == 'y') {
            once(have_year_);
            year_ = number;
        } else if (unit == 'd') {
            once(have_day_);
            day_ = number;
        } else if (unit == 'h') {
            once(have_hour_);
            hour_ = number;
        } else if (minute) {
            once(have_minute_);
            time += number * 60 * k_microseconds_per_second;
        } else if (unit == 'm') {
            once(have_month_);
            month_ = number;
        } else {
            once(have_second_);
            time += number * k_microseconds_per_second + micros;
        }
        has_time = have_hour_ || have_minute_ || have_second_;
    }

    void concatenated_date(const std::string& digits) {
        // yyyymmdd or yymmdd
        const std::size_t year = digits.size() - 4;
        set_year(digits.substr(0, year));
        month_ = std::atoi(digits.substr(year, 2).c_str());
        day_ = std::atoi(digits.substr(year + 2).c_str());
        have_month_ = have_day_ = true;
    }

    int date_parts() const {
        return static_cast<int>(have_year_) + static_cast<int>(have_month_) + static_cast<int>(have_day_);
    }

    void set_year(const std::string& digits) {
        if (digits.size() > 9) fail(Problem::field_overflow);
        year_ = std::atoll(digits.c_str());
        short_year_ = digits.size() <= 2;
        have_year_ = true;
    }

    /// One number of a date: its place by length, what is there already, and DateStyle.
    void date_number(const std::string& digits) {
        if (digits.empty()) fail(Problem::bad_format);
        const std::int64_t value = std::atoll(digits.substr(0, 9).c_str());
        const auto month = [&]() {
            month_ = static_cast<int>(value);
            have_month_ = true;
        };
        const auto day = [&]() {
            day_ = static_cast<int>(value);
            have_day_ = true;
        };
        const bool long_number = digits.size() >= 3;
        const DateOrder order = session_.settings.date_order;
        if (date_parts() == 3) fail(Problem::bad_format);
        if (!have_year_ && long_number) {
            // A year first turns the rest into month and day; a text month makes place for it too.
            if (date_parts() == 0) year_first_ = true;
            set_year(digits);
        } else if (have_year_ && !have_month_ && !have_day_) {
            month();
        } else if (have_year_ && have_month_) {
            day();
        } else if (have_year_ && have_day_) {
            month();
        } else if (!have_month_ && !have_day_) {
            if (order == DateOrder::ymd) {
                set_year(digits);
            } else if (order == DateOrder::dmy) {
                day();
            } else {
                month();
            }
        } else if (have_month_ && !have_day_) {
            if (text_month_ && order == DateOrder::ymd && !have_year_ && value > 31) {
                set_year(digits);
            } else {
                day();
            }
        } else if (have_day_ && !have_month_) {
            month();
        } else {
            set_year(digits);
        }
    }

    /// What looks like two numbers of a date: a Julian day or a time that its zone follows at once.
    void number_with_zone(const std::string& text) {
        const std::size_t dash = text.find('-');
        if (dash == std::string::npos || !is_digit(text[0]) || has_time) fail(Problem::bad_format);
        const std::string number = text.substr(0, dash);
        if (prefix_ == 'j') {
            number_field(number);
            // It is midnight there.
            hour_ = 0;
            has_time = true;
        } else {
            prefix_ = '\0';
            if (number.size() != 4 && number.size() != 6) fail(Problem::bad_format);
            concatenated_time(number, 0);
        }
        zone_field(text.substr(dash));
    }

    void date_field(const std::string& text) {
        const bool alone = time_only_ && fields_.size() == 1;
        if (prefix_ != '\0' || has_date || date_parts() == 3 || alone) return number_with_zone(text);
        std::vector<std::string> parts;
        std::string part;
        for (const char c : text) {
            if (is_digit(c) || is_letter(c)) {
                // "08Jan" changes from digits to letters
                if (!part.empty() && is_digit(part.back()) != is_digit(c)) {
                    parts.push_back(std::move(part));
                    part.clear();
                }
                part += c;
            } else {
                if (part.empty()) fail(Problem::bad_format);
                parts.push_back(std::move(part));
                part.clear();
            }
        }
        if (!part.empty()) parts.push_back(std::move(part));
        if (parts.size() > 3) fail(Problem::bad_format);
        // Text months first: they leave the numbers to year and day.
        std::vector<std::string> numbers;
        for (const std::string& item : parts) {
            if (is_letter(item[0])) {
                const int month = month_named(item);
                if (month == 0 || have_month_) fail(Problem::bad_format);
                month_ = month;
                have_month_ = true;
                text_month_ = true;
            } else {
                numbers.push_back(item);
            }
        }
        if (numbers.size() == 2 && date_parts() == 0 && numbers[0].size() == 4 && numbers[1].size() == 3) {
            // yyyy-ddd
            set_year(numbers[0]);
            days_of_year_ = std::atoi(numbers[1].c_str());
            return;
        }
        for (const std::string& number : numbers) date_number(number);
        // What came before may be the part that is missing here: 2024 01-31.
        if (numbers.size() == 2 && parts.size() == 2 && date_parts() != 3) fail(Problem::bad_format);
    }

    void word_field(const std::string& word) {
        if (word == "now") {
            now = true;
            return;
        }
        if (word == "infinity") {
            infinite = true;
            return;
        }
        if (word == "-infinity") {
            minus_infinite = true;
            return;
        }
        if (word == "epoch" || word == "today" || word == "tomorrow" || word == "yesterday") {
            if (has_date) fail(Problem::bad_format);
            if (word == "epoch") {
                days = -10957;
                if (!has_time) {
                    has_time = true;
                    hour_ = 0;
                    time = 0;
                }
                if (!has_zone) set_zone(0);
            } else {
                std::int64_t ignored = 0;
                split_timestamp(to_local(session_.transaction_time, session_.settings.zone.get()), days,
                                ignored);
                days += word == "tomorrow" ? 1 : word == "yesterday" ? -1 : 0;
            }
            has_date = true;
            julian_ = true;
            return;
        }
        if (word == "allballs") {
            clock(0, 0, 0, 0);
            set_zone(0);
            return;
        }
        if (const int month = month_named(word); month != 0) {
            if (have_month_) {
                // "08 Jan" in month-day order: the number before was the day, if it can be one.
                if (text_month_ || have_day_ || month_ < 1 || month_ > 31) fail(Problem::bad_format);
                day_ = month_;
                have_day_ = true;
            }
            month_ = month;
            have_month_ = true;
            text_month_ = true;
            return;
        }
        if (is_day_name(word) || word == "at" || word == "on") return;
        if (word == "am" || word == "pm") {
            if (half_ != 0) fail(Problem::bad_format);
            half_ = word == "am" ? 1 : 2;
            return;
        }
        if (word == "bc" || word == "ad") {
            if (era_ != 0) fail(Problem::bad_format);
            era_ = word == "bc" ? 1 : 2;
            return;
        }
        if (word == "t") {
            // ISO: a time follows.
            if (at_ + 1 >= fields_.size()) fail(Problem::bad_format);
            const DateTimeWordKind next = fields_[at_ + 1].kind;
            if (next == DateTimeWordKind::number || next == DateTimeWordKind::date) {
                prefix_ = 't';
            } else if (next != DateTimeWordKind::time) {
                fail(Problem::bad_format);
            }
            return;
        }
        if (word == "j" || word == "julian" || word == "jd") {
            if (at_ + 1 >= fields_.size() ||
                (fields_[at_ + 1].kind != DateTimeWordKind::number && fields_[at_ + 1].kind != DateTimeWordKind::date))
                fail(Problem::bad_format);
            prefix_ = 'j';
            return;
        }
        if (word == "y" || word == "m" || word == "mm" || word == "d" || word == "h" || word == "s") {
            if (at_ + 1 >= fields_.size() || fields_[at_ + 1].kind != DateTimeWordKind::number)
                fail(Problem::bad_format);
            prefix_ = word == "mm" ? 'n' : word[0];
            return;
        }
        if (word == "dst") {
            if (!has_zone) fail(Problem::bad_format);
            zone_east += 3600;
            return;
        }
        std::shared_ptr<const TimeZone> zone = moving_abbreviation(word);
        if (const std::optional<std::int32_t> east = zone_abbreviation(word); east && zone == nullptr) {
            set_zone(*east);
            zone_by_name_ = true;
            return;
        }
        if (zone != nullptr || (zone = find_time_zone(word)) != nullptr) {
            if (has_zone) fail(Problem::bad_format);
            has_zone = true;
            named_zone = std::move(zone);
            return;
        }
        if (word.find('/') != std::string::npos || word.find('_') != std::string::npos)
            fail(Problem::unknown_zone, word);
        fail(Problem::bad_format);
    }

    void finish() {
        if (infinite || minus_infinite) {
            if (fields_.size() != 1) fail(Problem::bad_format);
            return;
        }
        if (now) {
            if (date_parts() != 0 || has_date || has_time) fail(Problem::bad_format);
            return;
        }
        if (has_time) {
            if (half_ != 0) {
                if (hour_ > 12) fail(Problem::field_overflow);
                if (half_ == 1 && hour_ == 12) hour_ = 0;
                if (half_ == 2 && hour_ != 12) hour_ += 12;
            }
            const bool units = have_hour_ || have_minute_ || have_second_;
            if (units && time_only_ && !(have_hour_ && have_minute_ && have_second_)) fail(Problem::bad_format);
            time += hour_ * k_microseconds_per_hour;
        } else if (half_ != 0) {
            fail(Problem::bad_format);
        }
        if (julian_) {
            if (days < -2451545 || days >= 2145031949) fail(Problem::field_overflow);
            return;
        }
        if (days_of_year_ != 0 && have_year_ && !have_month_) {
            finish_year();
            const bool leap = days_in_month(year_, 2) == 29;
            if (days_of_year_ < 1 || days_of_year_ > (leap ? 366 : 365)) fail(Problem::field_overflow);
            days = days_from_civil({year_, 1, 1}) + days_of_year_ - 1;
            has_date = true;
            return;
        }
        if (date_parts() == 0) {
            if (era_ != 0) fail(Problem::bad_format);
            return;
        }
        if (date_parts() != 3) fail(Problem::bad_format);
        finish_year();
        if (month_ < 1 || month_ > 12)
            fail(text_month_ || year_first_ ? Problem::field_overflow : Problem::month_day_overflow);
        if (day_ < 1 || day_ > 31)
            fail(text_month_ || year_first_ ? Problem::field_overflow : Problem::month_day_overflow);
        if (day_ > days_in_month(year_, month_)) fail(Problem::field_overflow);
        days = days_from_civil({year_, month_, day_});
        has_date = true;
    }

    void finish_year() {
        if (era_ == 1) {
            if (year_ <= 0) fail(Problem::field_overflow);
            year_ = 1 - year_;
        } else if (short_year_ && !year_first_) {
            if (year_ < 70) {
                year_ += 2000;
            } else if (year_ < 100) {
                year_ += 1900;
            }
        } else if (year_ == 0) {
            fail(Problem::field_overflow);
        }
    }

    std::string_view text_;
    const char* type_name_;
    Session& session_;
    bool time_only_ = false;
    std::vector<DateTimeWord> fields_;
    std::size_t at_ = 0;
    char prefix_ = '\0';  ///< what the next number is: j julian, t time, or a unit: y m d h n (minutes) s
    std::int64_t year_ = 0;
    int month_ = 0;
    int day_ = 0;
    int days_of_year_ = 0;
    std::int64_t hour_ = 0;
    bool have_year_ = false;
    bool have_month_ = false;
    bool have_day_ = false;
    bool have_hour_ = false, have_minute_ = false, have_second_ = false;  ///< said with their units
    bool text_month_ = false;
    bool short_year_ = false;
    bool year_first_ = false;
    bool julian_ = false;
    bool zone_by_name_ = false;
    int half_ = 0;
    int era_ = 0;
};

std::int64_t local_timestamp(DateTimeReader& reader, std::string_view text) {
    const Int128 result = static_cast<Int128>(reader.days) * k_microseconds_per_day + reader.time;
    if (result < -211813488000000000 || result >= 9223371331200000000) {
        raise(sqlstate::datetime_field_overflow, "timestamp out of range: \"" + std::string(text) + '"');
    }
    return static_cast<std::int64_t>(result);
}

}  // namespace datetime_parse_file

std::int64_t date_from_text(std::string_view text, Session& session) {
    datetime_parse_file::DateTimeReader reader(text, "date", session);
    reader.read(false);
    if (reader.infinite) return k_date_infinity;
    if (reader.minus_infinite) return k_date_minus_infinity;
    if (reader.now) {
        std::int64_t days = 0;
        std::int64_t time = 0;
        split_timestamp(to_local(session.transaction_time, session.settings.zone.get()), days, time);
        return days;
    }
    if (!reader.has_date) reader.fail(datetime_parse_file::Problem::bad_format);
    if (reader.days < -2451545 || reader.days >= 2145031949) {
        raise(sqlstate::datetime_field_overflow, "date out of range: \"" + std::string(text) + '"');
    }
    return reader.days;
}

std::int64_t timestamp_from_text(std::string_view text, std::int32_t typmod, Session& session) {
    datetime_parse_file::DateTimeReader reader(text, "timestamp", session);
    reader.read(false);
    if (reader.infinite) return k_timestamp_infinity;
    if (reader.minus_infinite) return k_timestamp_minus_infinity;
    if (reader.now)
        return round_to_precision(to_local(session.transaction_time, session.settings.zone.get()), typmod);
    if (!reader.has_date) reader.fail(datetime_parse_file::Problem::bad_format);
    return round_to_precision(datetime_parse_file::local_timestamp(reader, text), typmod);
}

std::int64_t timestamptz_from_text(std::string_view text, std::int32_t typmod, Session& session) {
    datetime_parse_file::DateTimeReader reader(text, "timestamp with time zone", session);
    reader.read(false);
    if (reader.infinite) return k_timestamp_infinity;
    if (reader.minus_infinite) return k_timestamp_minus_infinity;
    if (reader.now) return round_to_precision(session.transaction_time, typmod);
    if (!reader.has_date) reader.fail(datetime_parse_file::Problem::bad_format);
    const Int128 local = static_cast<Int128>(reader.days) * k_microseconds_per_day + reader.time;
    Int128 result = local;
    if (reader.named_zone != nullptr) {
        result -= static_cast<Int128>(reader.named_zone->offset_of_local(static_cast<std::int64_t>(local))) *
                  k_microseconds_per_second;
    } else if (reader.has_zone) {
        result -= static_cast<Int128>(reader.zone_east) * k_microseconds_per_second;
    } else if (session.settings.zone != nullptr) {
        result -=
            static_cast<Int128>(session.settings.zone->offset_of_local(static_cast<std::int64_t>(local))) *
            k_microseconds_per_second;
    }
    if (result < -211813488000000000 || result >= 9223371331200000000) {
        raise(sqlstate::datetime_field_overflow, "timestamp out of range: \"" + std::string(text) + '"');
    }
    return round_to_precision(static_cast<std::int64_t>(result), typmod);
}

std::int64_t time_from_text(std::string_view text, std::int32_t typmod, Session& session) {
    datetime_parse_file::DateTimeReader reader(text, "time", session);
    reader.read(true);
    if (reader.now) {
        std::int64_t days = 0;
        std::int64_t time = 0;
        split_timestamp(to_local(session.transaction_time, session.settings.zone.get()), days, time);
        return round_to_precision(time, typmod);
    }
    // A zone without a date cannot be dropped without knowing its offset.
    if (!reader.has_time || (reader.named_zone != nullptr && !reader.has_date))
        reader.fail(datetime_parse_file::Problem::bad_format);
    return round_to_precision(reader.time, typmod);
}

TimeTz timetz_from_text(std::string_view text, std::int32_t typmod, Session& session) {
    datetime_parse_file::DateTimeReader reader(text, "time with time zone", session);
    reader.read(true);
    std::int64_t days = 0;
    std::int64_t now = 0;
    split_timestamp(to_local(session.transaction_time, session.settings.zone.get()), days, now);
    TimeTz result;
    if (!reader.has_time && !reader.now) reader.fail(datetime_parse_file::Problem::bad_format);
    result.microseconds = round_to_precision(reader.now ? now : reader.time, typmod);
    if (reader.has_date) days = reader.days;
    const std::int64_t local = days * k_microseconds_per_day + result.microseconds;
    if (reader.named_zone != nullptr) {
        if (!reader.has_date) reader.fail(datetime_parse_file::Problem::bad_format);
        result.zone = -reader.named_zone->offset_of_local(local);
    } else if (reader.has_zone) {
        result.zone = -reader.zone_east;
    } else {
        result.zone = session.settings.zone == nullptr ? 0 : -session.settings.zone->offset_of_local(local);
    }
    return result;
}

}  // namespace northstar::inline v0::sql
