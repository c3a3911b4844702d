// Reading intervals: "1 year 2 mons", "1 2:03:04", "P1Y2M3DT4H5M6S", "1-2".

#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/scalar_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace northstar::inline v0::sql {

namespace interval_parse_file {

enum class Unit {
    none,
    microsecond,
    millisecond,
    second,
    minute,
    hour,
    day,
    week,
    month,
    year,
    decade,
    century,
    millennium,
    ago
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Unit unit_named(std::string_view word) {
    struct Name {
        const char* text;
        Unit unit;
    };
    static constexpr Name k_names[] = {
        {"us", Unit::microsecond},
        {"usec", Unit::microsecond},
        {"usecs", Unit::microsecond},
        {"microsecond", Unit::microsecond},
        {"microseconds", Unit::microsecond},
        {"microsecon", Unit::microsecond},
        {"usecond", Unit::microsecond},
        {"useconds", Unit::microsecond},
        {"ms", Unit::millisecond},
        {"msec", Unit::millisecond},
        {"msecs", Unit::millisecond},
        {"msecond", Unit::millisecond},
        {"mseconds", Unit::millisecond},
        {"millisecond", Unit::millisecond},
        {"milliseconds", Unit::millisecond},
        {"s", Unit::second},
        {"sec", Unit::second},
        {"secs", Unit::second},
        {"second", Unit::second},
        {"seconds", Unit::second},
        {"m", Unit::minute},
        {"min", Unit::minute},
        {"mins", Unit::minute},
        {"minute", Unit::minute},
        {"minutes", Unit::minute},
        {"h", Unit::hour},
        {"hr", Unit::hour},
        {"hrs", Unit::hour},
        {"hour", Unit::hour},
        {"hours", Unit::hour},
        {"d", Unit::day},
        {"day", Unit::day},
        {"days", Unit::day},
        {"w", Unit::week},
        {"week", Unit::week},
        {"weeks", Unit::week},
        {"mon", Unit::month},
        {"mons", Unit::month},
        {"month", Unit::month},
        {"months", Unit::month},
        {"y", Unit::year},
        {"yr", Unit::year},
        {"yrs", Unit::year},
        {"year", Unit::year},
        {"years", Unit::year},
        {"dec", Unit::decade},
        {"decs", Unit::decade},
        {"decade", Unit::decade},
        {"decades", Unit::decade},
        {"c", Unit::century},
        {"cent", Unit::century},
        {"century", Unit::century},
        {"centuries", Unit::century},
        {"mil", Unit::millennium},
        {"mils", Unit::millennium},
        {"millennium", Unit::millennium},
        {"millenniums", Unit::millennium},
        {"millennia", Unit::millennium},
        {"ago", Unit::ago},
    };
    for (const Name& name : k_names) {
        if (word == name.text) return name.unit;
    }
    return Unit::none;
}

class IntervalReader {
public:
    IntervalReader(std::string_view text, std::int32_t typmod, IntervalStyle style)
        : text_(text), typmod_(typmod), style_(style) {}

    Interval read() {
        const std::string_view trimmed = trim_blanks(text_);
        if (!trimmed.empty() && (trimmed[0] == 'P' || trimmed[0] == 'p')) {
            iso(trimmed.substr(1));
        } else {
            words();
        }
        Interval result;
        if (years_ < INT32_MIN || years_ > INT32_MAX) overflow();
        refuse_overflow();
        const Int128 months = static_cast<Int128>(years_) * 12 + months_;
        if (months < INT32_MIN || months > INT32_MAX) raise(sqlstate::datetime_field_overflow, "interval out of range");
        result.months = static_cast<std::int32_t>(months);
        result.days = static_cast<std::int32_t>(days_);
        result.microseconds = static_cast<std::int64_t>(micros_);
        return result;
    }

private:
    struct Token {
        char kind;  // n number, t time, y years-months, w word
        std::string text;
    };
    [[noreturn]] void bad() {
        raise(sqlstate::invalid_datetime_format,
              "invalid input syntax for type interval: \"" + std::string(text_) + '"');
    }
    [[noreturn]] void overflow() {
        raise(sqlstate::interval_field_overflow,
              "interval field value out of range: \"" + std::string(text_) + '"');
    }

    /// Sums are looked at behind each field, as PostgreSQL does: a sum too large is told of before a field said twice.
    void refuse_overflow() {
        if (months_ < INT32_MIN || months_ > INT32_MAX || days_ < INT32_MIN || days_ > INT32_MAX ||
            micros_ < INT64_MIN || micros_ > INT64_MAX)
            overflow();
    }

    void words() {
        std::vector<Token> tokens;
        std::size_t i = 0;
        const std::size_t n = text_.size();
        while (i < n) {
            const char c = text_[i];
            if (is_sql_blank(c) || c == ',' || c == '@') {
                ++i;
                continue;
            }
            const std::size_t begin = i;
            if (is_digit(c) || c == '.' ||
                ((c == '+' || c == '-') && i + 1 < n && is_digit(text_[i + 1]))) {
                ++i;
                char kind = 'n';
                while (i < n && (is_digit(text_[i]) || text_[i] == '.' || text_[i] == ':' ||
                                 (text_[i] == '-' && kind == 'n' && i + 1 < n && is_digit(text_[i + 1])))) {
                    if (text_[i] == ':') kind = 't';
                    if (text_[i] == '-') kind = 'y';
                    ++i;
                }
                if (kind == 'y' && i < n && text_[i] == '-') bad();  // years and months have no days
                tokens.push_back({kind, std::string(text_.substr(begin, i - begin))});
            } else if (c == '+' || c == '-') {
                ++i;
                while (i < n && is_sql_blank(text_[i])) ++i;
                if (i >= n || !is_digit(text_[i])) bad();
                const std::size_t digits = i;
                char kind = 'n';
                while (i < n && (is_digit(text_[i]) || text_[i] == '.' || text_[i] == ':')) {
                    if (text_[i] == ':') kind = 't';
                    ++i;
                }
                tokens.push_back({kind, c + std::string(text_.substr(digits, i - digits))});
            } else if (is_letter(c)) {
                std::string word;
                while (i < n && is_letter(text_[i])) word += static_cast<char>(text_[i++] | 0x20);
                tokens.push_back({'w', std::move(word)});
            } else {
                bad();
            }
        }
        if (tokens.empty()) bad();
        // The standard's form has one sign in front for all fields, where no other sign follows.
        bool all_negative = false;
        if (style_ == IntervalStyle::sql_standard && tokens[0].text[0] == '-') {
            all_negative = std::none_of(tokens.begin() + 1, tokens.end(),
                                        [](const Token& t) { return t.text[0] == '-' || t.text[0] == '+'; });
        }
        // From the back, as units stand behind their numbers.
        bool ago = false;
        Unit unit = Unit::none;
        unsigned seen = 0;
        const auto once = [&](Unit field) {
            const unsigned bit = 1u << static_cast<unsigned>(field);
            if ((seen & bit) != 0) bad();
            seen |= bit;
        };
        for (std::size_t k = tokens.size(); k-- > 0;) {
            const Token& token = tokens[k];
            if (token.kind == 'w') {
                const Unit named = unit_named(token.text);
                if (named == Unit::none || (unit != Unit::none && !implied_day_)) bad();
                implied_day_ = false;
                if (named == Unit::ago) {
                    if (k + 1 != tokens.size()) bad();
                    ago = true;
                } else {
                    unit = named;
                }
                continue;
            }
            if (token.kind == 't') {
                if (unit != Unit::none) bad();
                for (const Unit field : {Unit::hour, Unit::minute, Unit::second, Unit::millisecond, Unit::microsecond})
                    once(field);
                clock(token.text, all_negative);
                // A number in front of a time is days.
                unit = Unit::day;
                implied_day_ = true;
                continue;
            }
            if (token.kind == 'y') {
                if (unit != Unit::none && !implied_day_) bad();
                years_months(token.text, all_negative);
                once(Unit::year);
                once(Unit::month);
                unit = Unit::none;
                continue;
            }
            Unit used = unit;
            if (used == Unit::none) used = default_unit();
            number(token.text, used, all_negative);
            refuse_overflow();
            once(used);
            // Parts of a second stand for its smaller units as well.
            const std::size_t point = used == Unit::second ? token.text.find('.') : std::string::npos;
            if (point != std::string::npos && token.text.find_first_not_of('0', point + 1) != std::string::npos) {
                once(Unit::millisecond);
                once(Unit::microsecond);
            }
            // A number in front of hours is days, as one in front of a time.
            unit = used == Unit::hour ? Unit::day : Unit::none;
            implied_day_ = used == Unit::hour;
        }
        if (unit != Unit::none && !implied_day_) bad();
        if (ago) {
            years_ = -years_;
            months_ = -months_;
            days_ = -days_;
            micros_ = -micros_;
        }
    }

    /// What a bare number is: the last field that the type names, seconds otherwise.
    Unit default_unit() const {
        using namespace interval_field;
        if (typmod_ < 0) return Unit::second;
        switch (typmod_ >> 16 & 0x7fff) {
            case year:
                return Unit::year;
            case month:
            case year | month:
                return Unit::month;
            case day:
                return Unit::day;
            case hour:
            case day | hour:
                return Unit::hour;
            case minute:
            case hour | minute:
            case day | hour | minute:
                return Unit::minute;
            default:
                return Unit::second;
        }
    }

    void clock(std::string text, bool negate) {
        bool negative = negate;
        const bool has_sign = text[0] == '-' || text[0] == '+';
        if (has_sign) {
            negative = text[0] == '-';
            text.erase(0, 1);
        }
        std::int64_t parts[3] = {0, 0, 0};
        int count = 0;
        std::size_t i = 0;
        Int128 fraction = 0;
        for (;;) {
            const std::size_t begin = i;
            while (i < text.size() && is_digit(text[i])) ++i;
            if (i == begin && count == 0) bad();
            if (i - begin > 18) overflow();
            parts[count++] = i == begin ? 0 : integer_from_text(text.substr(begin, i - begin), 64);
            if (i == text.size()) break;
            if (text[i] == '.') {
                fraction = fraction_of(text.substr(i), k_microseconds_per_second);
                if (count == 2) {
                    parts[2] = parts[1];
                    parts[1] = parts[0];
                    parts[0] = 0;
                }
                count = 3;
                break;
            }
            if (count == 3 || text[i] != ':') bad();
            ++i;
        }
        if (count == 2) {
            using namespace interval_field;
            // "1:02" is hours and minutes unless the type says minute to second.
            const std::int32_t fields = typmod_ < 0 ? all : typmod_ >> 16 & 0x7fff;
            if (fields == (minute | second)) {
                parts[2] = parts[1];
                parts[1] = parts[0];
                parts[0] = 0;
            }
        }
        if (parts[1] > 59 || parts[2] > 60) overflow();
        const Int128 micros =
            ((static_cast<Int128>(parts[0]) * 60 + parts[1]) * 60 + parts[2]) * k_microseconds_per_second +
            fraction;
        if (micros > INT64_MAX) has_sign ? bad() : overflow();  // PostgreSQL takes one with a sign for a zone then
        micros_ += negative ? -micros : micros;
    }

    /// ".25" of a unit of `size`, rounded.
    Int128 fraction_of(const std::string& text, std::int64_t size) {
        for (std::size_t i = 1; i < text.size(); ++i) {
            if (!is_digit(text[i])) bad();
        }
        double part = 0;
        const std::string padded = '0' + (text.size() == 1 ? std::string(".0") : text);
        std::from_chars(padded.data(), padded.data() + padded.size(), part);
        return static_cast<Int128>(std::rint(part * static_cast<double>(size)));
    }

    void years_months(std::string text, bool negate) {
        bool negative = negate;
        if (text[0] == '-' || text[0] == '+') {
            negative = text[0] == '-';
            text.erase(0, 1);
        }
        const std::size_t dash = text.find('-');
        const std::string first = text.substr(0, dash);
        const std::string second = text.substr(dash + 1);
        if (first.size() > 10 || second.size() > 10) overflow();
        if (first.find('.') != std::string::npos ||
            second.find_first_not_of("0123456789") != std::string::npos)
            bad();
        const std::int64_t years = integer_from_text(first, 64);
        const std::int64_t months = integer_from_text(second, 64);
        if (months > 11) overflow();
        years_ += negative ? -years : years;
        months_ += negative ? -months : months;
    }

    void number(const std::string& text, Unit unit, bool negate) {
        bool negative = negate;
        std::string digits = text;
        if (digits[0] == '-' || digits[0] == '+') {
            negative = digits[0] == '-';
            digits.erase(0, 1);
        }
        const std::size_t point = digits.find('.');
        const std::string whole_text = digits.substr(0, point);
        if (whole_text.size() > 19) overflow();
        Int128 whole = 0;
        for (const char c : whole_text) {
            if (!is_digit(c)) bad();
            whole = whole * 10 + (c - '0');
        }
        double part = 0;
        if (point != std::string::npos) {
            const std::string tail = digits.substr(point);
            if (tail.find('.', 1) != std::string::npos || (tail.size() == 1 && whole_text.empty())) bad();
            const std::string padded = '0' + (tail.size() == 1 ? std::string(".0") : tail);
            std::from_chars(padded.data(), padded.data() + padded.size(), part);
        }
        if (iso_) {
            // PostgreSQL reads these as floating point numbers: what is left of one behind the point has as many digits
            // less as there are before it.
            constexpr double k_most = 1e15;
            double value = 0;
            const std::string padded = '0' + digits;
            std::from_chars(padded.data(), padded.data() + padded.size(), value);
            if (value > k_most) overflow();
            part = value - static_cast<double>(whole);
        }
        if (negative) {
            whole = -whole;
            part = -part;
        }
        if (whole < INT64_MIN || whole > INT64_MAX) overflow();
        add(static_cast<std::int64_t>(whole), part, unit);
    }

    void add(std::int64_t whole, double part, Unit unit) {
        const auto micros = [&](std::int64_t size) {
            micros_ += static_cast<Int128>(whole) * size +
                       static_cast<Int128>(std::rint(part * static_cast<double>(size)));
        };
        const auto day_fraction = [&](double days) {
            const double full = std::trunc(days);
            days_ += static_cast<std::int64_t>(full);
            micros_ +=
                static_cast<Int128>(std::rint((days - full) * static_cast<double>(k_microseconds_per_day)));
        };
        const auto check = [&](std::int64_t limit) {
            if (whole > limit || whole < -limit) overflow();
        };
        switch (unit) {
            case Unit::microsecond:
                micros(1);
                return;
            case Unit::millisecond:
                micros(1000);
                return;
            case Unit::second:
                micros(k_microseconds_per_second);
                return;
            case Unit::minute:
                micros(60 * k_microseconds_per_second);
                return;
            case Unit::hour:
                micros(k_microseconds_per_hour);
                return;
            case Unit::day:
                check(INT32_MAX + std::int64_t{1});
                days_ += whole;
                micros_ += static_cast<Int128>(std::rint(part * static_cast<double>(k_microseconds_per_day)));
                return;
            case Unit::week:
                check(INT32_MAX / 7);
                days_ += whole * 7;
                day_fraction(part * 7);
                return;
            case Unit::month:
                check(INT32_MAX + std::int64_t{1});
                months_ += whole;
                day_fraction(part * 30);
                return;
            default:
                break;
        }
        const std::int64_t years = unit == Unit::year      ? 1
                                   : unit == Unit::decade  ? 10
                                   : unit == Unit::century ? 100
                                                           : 1000;
        check(years == 1 ? INT32_MAX + std::int64_t{1} : INT32_MAX / years);
        years_ += whole * years;
        months_ += static_cast<std::int64_t>(std::rint(part * static_cast<double>(years) * 12));
    }

    void iso(std::string_view rest) {
        if (rest.empty()) bad();
        iso_ = true;
        bool in_time = false;
        bool any = false, timed = false;
        while (!rest.empty()) {
            if (rest[0] == 'T' || rest[0] == 't') {
                in_time = true;
                rest.remove_prefix(1);
                continue;
            }
            const std::string number_text = iso_number(rest);
            // P0001-02-03T04:05:06: numbers without units; the part behind T may have them for itself.
            const char next = rest.empty() ? '\0' : rest[0];
            if (!in_time && (next == '\0' || next == '-' || next == 'T' || next == 't')) {
                if (any) bad();
                alternative_date(number_text, rest);
                if (rest.empty()) return;
                if (rest[0] != 'T' && rest[0] != 't') bad();
                continue;
            }
            if (in_time && (next == '\0' || next == ':')) {
                if (timed) bad();
                return alternative_time(number_text, rest);
            }
            const char unit = static_cast<char>(rest[0] & ~0x20);
            rest.remove_prefix(1);
            any = true;
            timed = in_time;
            if (in_time) {
                number(number_text,
                       unit == 'H'   ? Unit::hour
                       : unit == 'M' ? Unit::minute
                       : unit == 'S' ? Unit::second
                                     : (bad(), Unit::none),
                       false);
            } else {
                number(number_text,
                       unit == 'Y'   ? Unit::year
                       : unit == 'M' ? Unit::month
                       : unit == 'W' ? Unit::week
                       : unit == 'D' ? Unit::day
                                     : (bad(), Unit::none),
                       false);
            }
        }
        if (!any) bad();
    }

    std::string iso_number(std::string_view& rest) {
        std::size_t end = !rest.empty() && (rest[0] == '-' || rest[0] == '+') ? 1 : 0;
        const std::size_t digits = end;
        while (end < rest.size() && (is_digit(rest[end]) || rest[end] == '.')) ++end;
        if (end == digits) bad();
        std::string text(rest.substr(0, end));
        // 10.5e4Y: an exponent moves the point.
        std::size_t behind = end;
        if (behind < rest.size() && (rest[behind] | 0x20) == 'e') ++behind;
        if (behind > end && behind < rest.size() && (rest[behind] == '-' || rest[behind] == '+')) ++behind;
        const std::size_t exponent = behind;
        while (behind < rest.size() && is_digit(rest[behind])) ++behind;
        if (exponent > end && behind > exponent) {
            int places = 0;
            std::from_chars(rest.data() + exponent, rest.data() + behind, places);
            if (rest[exponent - 1] == '-') places = -places;
            text = with_moved_point(text, places);
            end = behind;
        }
        rest.remove_prefix(end);
        return text;
    }

    std::string with_moved_point(const std::string& text, int places) {
        constexpr int k_most_places = 400;  // of a double
        const std::size_t sign = is_digit(text[0]) || text[0] == '.' ? 0 : 1;
        std::string digits = text.substr(sign);
        std::size_t point = digits.find('.');
        if (point == std::string::npos) point = digits.size();
        else digits.erase(point, 1);
        if (digits.empty() || digits.find('.') != std::string::npos) bad();
        places = std::clamp(places, -k_most_places, k_most_places);
        if (places < 0) {
            const auto more = static_cast<std::size_t>(-places);
            if (more > point) digits.insert(0, more - point, '0');
            point = more > point ? 0 : point - more;
        } else {
            point += static_cast<std::size_t>(places);
            if (point > digits.size()) digits.append(point - digits.size(), '0');
        }
        const std::size_t first = std::min(digits.find_first_not_of('0'), point);
        return text.substr(0, sign) + '0' + digits.substr(first, point - first) + '.' + digits.substr(point) + '0';
    }

    /// 00010203, 0001-02-03, or less of it, up to T or the end.
    void alternative_date(const std::string& first, std::string_view& rest) {
        if (first.size() == 8 && is_digit(first[0]) && (rest.empty() || rest[0] != '-')) {
            number(first.substr(0, 4), Unit::year, false);
            number(first.substr(4, 2), Unit::month, false);
            number(first.substr(6, 2), Unit::day, false);
            return;
        }
        number(first, Unit::year, false);
        for (const Unit unit : {Unit::month, Unit::day}) {
            if (rest.empty() || rest[0] != '-') return;
            rest.remove_prefix(1);
            number(iso_number(rest), unit, false);
        }
    }

    /// 040506, 04:05:06, or less of it.
    void alternative_time(const std::string& first, std::string_view rest) {
        if (first.size() == 6 && is_digit(first[0]) && first.find('.') == std::string::npos && rest.empty()) {
            number(first.substr(0, 2), Unit::hour, false);
            number(first.substr(2, 2), Unit::minute, false);
            number(first.substr(4, 2), Unit::second, false);
            return;
        }
        number(first, Unit::hour, false);
        for (const Unit unit : {Unit::minute, Unit::second}) {
            if (rest.empty()) return;
            if (rest[0] != ':') bad();
            rest.remove_prefix(1);
            number(iso_number(rest), unit, false);
        }
        if (!rest.empty()) bad();
    }

    std::string_view text_;
    std::int32_t typmod_;
    IntervalStyle style_;
    bool implied_day_ = false;
    bool iso_ = false;
    std::int64_t years_ = 0;
    std::int64_t months_ = 0;
    std::int64_t days_ = 0;
    Int128 micros_ = 0;
};

}  // namespace interval_parse_file

Interval interval_from_text(std::string_view text, std::int32_t typmod, Session& session) {
    const Interval interval =
        interval_parse_file::IntervalReader(text, typmod, session.settings.interval_style).read();
    return interval_apply_typmod(interval, typmod);
}

}  // namespace northstar::inline v0::sql
