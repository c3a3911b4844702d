// Dates and times by template, written and read.
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/format.hpp"

#include <algorithm>
#include <vector>

namespace northstar::inline v0::sql {

namespace format_datetime_file {

enum class Field : std::uint8_t {
    literal, year, year_3, year_2, year_1, year_comma, iso_year, iso_year_3, iso_year_2, iso_year_1, century, era,
    month, month_name, month_short, roman_month, day, day_of_year, iso_day_of_year, day_of_week, iso_day_of_week,
    day_name, day_short, week, week_of_month, iso_week, quarter, julian, hour_24, hour_12, half, minute, second,
    second_of_day, millisecond, microsecond, fraction, zone, zone_hours, zone_minutes, offset
};
enum class Letters : std::uint8_t { upper, lower, capital };

struct Item {
    Field field = Field::literal;
    std::string text;            ///< of a literal
    Letters letters = Letters::upper;
    int digits = 0;              ///< of a fraction; of A.D. and A.M. 1 with points
    bool fill = false;           ///< FM
    bool ordinal = false, ordinal_lower = false;
    bool quoted = false;
};

struct Word {
    std::string_view name;
    Field field;
    int digits = 0;
};
// Longer words first where one begins with another.
constexpr Word k_words[] = {
    {"A.D.", Field::era, 1}, {"B.C.", Field::era, 1}, {"A.M.", Field::half, 1}, {"P.M.", Field::half, 1},
    {"AD", Field::era}, {"BC", Field::era}, {"AM", Field::half}, {"PM", Field::half}, {"CC", Field::century},
    {"DDD", Field::day_of_year}, {"DD", Field::day}, {"DAY", Field::day_name}, {"DY", Field::day_short},
    {"D", Field::day_of_week}, {"FF1", Field::fraction, 1}, {"FF2", Field::fraction, 2}, {"FF3", Field::fraction, 3},
    {"FF4", Field::fraction, 4}, {"FF5", Field::fraction, 5}, {"FF6", Field::fraction, 6}, {"HH24", Field::hour_24},
    {"HH12", Field::hour_12}, {"HH", Field::hour_12}, {"IDDD", Field::iso_day_of_year}, {"ID", Field::iso_day_of_week},
    {"IW", Field::iso_week}, {"IYYY", Field::iso_year}, {"IYY", Field::iso_year_3}, {"IY", Field::iso_year_2},
    {"I", Field::iso_year_1}, {"J", Field::julian}, {"MI", Field::minute}, {"MM", Field::month},
    {"MONTH", Field::month_name}, {"MON", Field::month_short}, {"MS", Field::millisecond}, {"OF", Field::offset},
    {"Q", Field::quarter}, {"RM", Field::roman_month}, {"SSSSS", Field::second_of_day},
    {"SSSS", Field::second_of_day}, {"SS", Field::second}, {"TZH", Field::zone_hours}, {"TZM", Field::zone_minutes},
    {"TZ", Field::zone}, {"US", Field::microsecond}, {"WW", Field::week}, {"W", Field::week_of_month},
    {"Y,YYY", Field::year_comma}, {"YYYY", Field::year}, {"YYY", Field::year_3}, {"YY", Field::year_2},
    {"Y", Field::year_1},
};

constexpr std::string_view k_months[] = {"January", "February", "March", "April", "May", "June", "July", "August",
                                         "September", "October", "November", "December"};
constexpr std::string_view k_days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// The word as written: all in one case, or a name with a capital letter.
bool matches(std::string_view text, std::string_view word, Letters& letters) {
    if (text.size() < word.size()) return false;
    bool all_upper = true, all_lower = true, capital = true;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (upper(text[i]) != word[i]) return false;
        all_upper &= text[i] == word[i];
        all_lower &= text[i] == lower(word[i]);
        capital &= text[i] == (i == 0 ? word[i] : lower(word[i]));
    }
    letters = all_upper ? Letters::upper : all_lower ? Letters::lower : Letters::capital;
    const bool name = word == "DAY" || word == "DY" || word == "MONTH" || word == "MON";
    return all_upper || all_lower || (capital && name);
}

std::vector<Item> read_template(std::string_view pattern) {
    std::vector<Item> items;
    bool fill = false, translated = false;
    while (!pattern.empty()) {
        Letters letters = Letters::upper;
        if (matches(pattern, "FM", letters)) {
            fill = true;
            pattern.remove_prefix(2);
            continue;
        }
        if (matches(pattern, "FX", letters) || matches(pattern, "TM", letters)) {
            // Translated names are not padded, those of today's only language neither.
            translated |= upper(pattern[0]) == 'T';
            pattern.remove_prefix(2);
            continue;
        }
        if (pattern[0] == '"') {
            Item item;
            item.quoted = true;
            std::size_t end = 1;
            while (end < pattern.size() && pattern[end] != '"') {
                if (pattern[end] == '\\' && end + 1 < pattern.size()) ++end;
                item.text += pattern[end++];
            }
            pattern.remove_prefix(std::min(end + 1, pattern.size()));
            items.push_back(std::move(item));
            continue;
        }
        const Word* found = nullptr;
        for (const Word& word : k_words)
            if (matches(pattern, word.name, letters)) {
                found = &word;
                break;
            }
        if (found == nullptr) {
            if (pattern[0] == '\\' && pattern.size() > 1 && pattern[1] == '"') pattern.remove_prefix(1);
            Item item;
            // Bytes of one character stay together.
            std::size_t size = 1;
            while (size < pattern.size() && (static_cast<unsigned char>(pattern[size]) & 0xc0) == 0x80) ++size;
            item.text = pattern.substr(0, size);
            items.push_back(std::move(item));
            pattern.remove_prefix(size);
            continue;
        }
        Item item;
        item.field = found->field;
        item.digits = found->digits;
        item.letters = letters;
        item.fill = fill || (translated && (item.field == Field::day_name || item.field == Field::month_name));
        fill = translated = false;
        pattern.remove_prefix(found->name.size());
        Letters suffix = Letters::upper;
        if (matches(pattern, "TH", suffix)) {
            item.ordinal = true;
            item.ordinal_lower = suffix == Letters::lower;
            pattern.remove_prefix(2);
        }
        items.push_back(std::move(item));
    }
    return items;
}

std::string padded(std::int64_t number, std::size_t width, bool fill) {
    std::string text = std::to_string(number < 0 ? -number : number);
    if (!fill && text.size() < width) text.insert(0, width - text.size(), '0');
    return number < 0 ? "-" + text : text;
}

/// The sign takes one of the places, as in PostgreSQL.
std::string padded_fraction(std::int64_t number, std::size_t width, bool fill) {
    return padded(number, number < 0 ? width - 1 : width, fill);
}

std::string cased(std::string_view name, Letters letters) {
    std::string text(name);
    for (char& c : text)
        if (letters != Letters::capital) c = letters == Letters::upper ? upper(c) : lower(c);
    return text;
}

[[noreturn]] void refuse_interval() {
    raise(sqlstate::invalid_datetime_format, "invalid format specification for an interval value", {},
          "Intervals are not tied to specific calendar dates.");
}

std::string field_text(const FormatTime& time, const Item& item) {
    const auto calendar_only = [&] {
        if (time.interval) refuse_interval();
    };
    const Civil civil{time.year, time.month, time.day};
    const std::int64_t year = time.interval || time.year > 0 ? time.year : 1 - time.year;
    const auto blank_padded = [&](std::string text, std::size_t width) {
        if (!item.fill && text.size() < width) text.append(width - text.size(), ' ');
        return text;
    };
    const auto iso_year = [&] {
        const std::int64_t found = time.interval ? time.year : iso_year_of(civil);
        return time.interval || found > 0 ? found : 1 - found;
    };
    switch (item.field) {
        case Field::literal: return item.text;
        case Field::year: return padded(year, 4, item.fill);
        case Field::year_3: return padded(year % 1000, 3, item.fill);
        case Field::year_2: return padded(year % 100, 2, item.fill);
        case Field::year_1: return padded(year % 10, 1, item.fill);
        case Field::year_comma: return std::to_string(year / 1000) + "," + padded(year % 1000, 3, false);
        case Field::iso_year: return padded(iso_year(), 4, item.fill);
        case Field::iso_year_3: return padded(iso_year() % 1000, 3, item.fill);
        case Field::iso_year_2: return padded(iso_year() % 100, 2, item.fill);
        case Field::iso_year_1: return padded(iso_year() % 10, 1, item.fill);
        case Field::century: {
            std::int64_t century = time.year / 100;
            if (!time.interval) century = time.year > 0 ? (time.year - 1) / 100 + 1 : time.year / 100 - 1;
            return padded(century, 2, item.fill);
        }
        case Field::era: {
            calendar_only();
            const bool points = item.digits > 0;
            return cased(time.year <= 0 ? (points ? "B.C." : "BC") : points ? "A.D." : "AD", item.letters);
        }
        case Field::month: return padded(time.month, 2, item.fill);
        case Field::month_name:
        case Field::month_short: {
            calendar_only();
            if (time.month < 1) return {};
            const std::string_view name = k_months[time.month - 1];
            return item.field == Field::month_short ? cased(name.substr(0, 3), item.letters)
                                                    : blank_padded(cased(name, item.letters), 9);
        }
        case Field::roman_month: {
            if (time.month == 0 && !time.interval) return {};
            const int month = time.month == 0 ? 12 : time.month < 0 ? 13 + time.month : time.month;
            return blank_padded(cased(roman_number(month), item.letters), 4);
        }
        case Field::day:
            // The sign is one of the two places, unlike in other fields.
            return time.day < 0 ? '-' + std::to_string(-time.day) : padded(time.day, 2, item.fill);
        case Field::day_of_year:
            return padded(time.interval ? time.year * 360 + time.month * 30 + time.day : day_of_year(civil), 3,
                          item.fill);
        case Field::iso_day_of_year: {
            calendar_only();
            return padded(time.days - days_of_iso_week(iso_year_of(civil), 1) + 1, 3, item.fill);
        }
        case Field::day_of_week: calendar_only(); return std::to_string(day_of_week(time.days) + 1);
        case Field::iso_day_of_week: {
            calendar_only();
            const int day = day_of_week(time.days);
            return std::to_string(day == 0 ? 7 : day);
        }
        case Field::day_name:
            calendar_only();
            return blank_padded(cased(k_days[day_of_week(time.days)], item.letters), 9);
        case Field::day_short:
            calendar_only();
            return cased(k_days[day_of_week(time.days)].substr(0, 3), item.letters);
        case Field::week: return padded(((time.interval ? time.day : day_of_year(civil)) - 1) / 7 + 1, 2, item.fill);
        case Field::week_of_month: return std::to_string((time.day - 1) / 7 + 1);
        case Field::iso_week: calendar_only(); return padded(iso_week_of(civil), 2, item.fill);
        case Field::quarter: return time.month == 0 ? std::string() : std::to_string((time.month - 1) / 3 + 1);
        case Field::julian: return std::to_string(time.days + 2451545);
        case Field::hour_24: return padded(time.hour, 2, item.fill);
        case Field::hour_12: {
            const std::int64_t hour = time.hour % 12;
            return padded(hour == 0 ? 12 : hour, 2, item.fill);
        }
        case Field::half: {
            const bool morning = time.hour % 24 < 12;
            const char* const text = morning ? (item.digits > 0 ? "A.M." : "AM") : item.digits > 0 ? "P.M." : "PM";
            return cased(text, item.letters);
        }
        case Field::minute: return padded(time.minute, 2, item.fill);
        case Field::second: return padded(time.second, 2, item.fill);
        case Field::second_of_day: return std::to_string(time.hour * 3600 + time.minute * 60 + time.second);
        case Field::millisecond: return padded_fraction(time.microsecond / 1000, 3, item.fill);
        case Field::microsecond: return padded_fraction(time.microsecond, 6, item.fill);
        case Field::fraction: {
            int value = time.microsecond;
            for (int digits = 6; digits > item.digits; --digits) value /= 10;
            return padded_fraction(value, static_cast<std::size_t>(item.digits), false);
        }
        case Field::zone: calendar_only(); return time.zoned ? cased(time.zone, item.letters) : std::string();
        case Field::zone_hours: {
            calendar_only();
            const std::int32_t hours = time.seconds_east / 3600;
            return (time.seconds_east < 0 ? "-" : "+") + padded(hours < 0 ? -hours : hours, 2, false);
        }
        case Field::zone_minutes: {
            calendar_only();
            return padded((time.seconds_east < 0 ? -time.seconds_east : time.seconds_east) % 3600 / 60, 2, false);
        }
        case Field::offset: {
            calendar_only();
            const std::int32_t size = time.seconds_east < 0 ? -time.seconds_east : time.seconds_east;
            std::string text = (time.seconds_east < 0 ? "-" : "+") + padded(size / 3600, 2, item.fill);
            if (size % 3600 != 0) text += ":" + padded(size % 3600 / 60, 2, false);
            return text;
        }
    }
    return {};
}

// ---- reading ----

/// Most digits that a field has where another field of digits follows at once.
std::size_t width_of(Field field, int digits) {
    switch (field) {
        case Field::year:
        case Field::iso_year: return 4;
        case Field::year_3:
        case Field::iso_year_3:
        case Field::day_of_year:
        case Field::iso_day_of_year:
        case Field::millisecond: return 3;
        case Field::microsecond: return 6;
        case Field::fraction: return static_cast<std::size_t>(digits);
        case Field::year_1:
        case Field::iso_year_1:
        case Field::day_of_week:
        case Field::iso_day_of_week:
        case Field::week_of_month:
        case Field::quarter: return 1;
        case Field::second_of_day: return 5;
        case Field::julian: return 9;
        default: return 2;
    }
}
bool is_numeric(Field field) {
    switch (field) {
        case Field::literal:
        case Field::era:
        case Field::half:
        case Field::month_name:
        case Field::month_short:
        case Field::roman_month:
        case Field::day_name:
        case Field::day_short:
        case Field::zone:
        case Field::zone_hours:
        case Field::offset: return false;
        default: return true;
    }
}
std::string_view name_of(Field field) {
    for (const Word& word : k_words)
        if (word.field == field) return word.name;
    return {};
}

class Reader {
public:
    Reader(std::string_view text, std::string_view pattern) : all_(text), text_(text), items_(read_template(pattern)) {}

    ParsedTime run() {
        for (at_ = 0; at_ < items_.size(); ++at_) {
            if (items_[at_].field == Field::literal) {
                skip_literal(items_[at_]);
                continue;
            }
            if (text_.empty()) break;
            while (!text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
            read(items_[at_]);
        }
        return finish();
    }

private:
    [[noreturn]] void out_of_range() const {
        raise(sqlstate::datetime_field_overflow,
              "date/time field value out of range: \"" + std::string(all_) + "\"");
    }

    /// A separator of the template passes over one of the input; other characters over any one.
    void skip_literal(const Item& item) {
        const auto separator = [](char c) {
            return c >= ' ' && c < 0x7f && !(c >= '0' && c <= '9') && !(upper(c) >= 'A' && upper(c) <= 'Z');
        };
        if (item.quoted) {
            text_.remove_prefix(std::min(text_.size(), item.text.size()));
            return;
        }
        const char c = item.text[0];
        if (separator(c)) {
            while (!text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
            const Field next = at_ + 1 < items_.size() ? items_[at_ + 1].field : Field::literal;
            const bool sign_follows = !text_.empty() && (text_[0] == '-' || text_[0] == '+') &&
                                      (next == Field::zone_hours || next == Field::offset);
            if (!text_.empty() && separator(text_[0]) && !sign_follows) text_.remove_prefix(1);
            return;
        }
        if (!text_.empty()) text_.remove_prefix(std::min(text_.size(), item.text.size()));
    }

    std::int64_t number(const Item& item, std::size_t* digits = nullptr) {
        std::size_t i = 0;
        bool negative = false;
        if (!text_.empty() && (text_[0] == '-' || text_[0] == '+')) negative = text_[i++] == '-';
        const bool narrow = at_ + 1 < items_.size() && is_numeric(items_[at_ + 1].field) && !item.fill;
        const std::size_t most = narrow || item.field == Field::fraction ? width_of(item.field, item.digits) : 18;
        const std::size_t first = i;
        std::int64_t value = 0;
        while (i < text_.size() && i - first < most && text_[i] >= '0' && text_[i] <= '9')
            value = value * 10 + (text_[i++] - '0');
        if (i == first)
            raise(sqlstate::invalid_datetime_format,
                  "invalid value \"" + std::string(text_.substr(0, most)) + "\" for \"" +
                      std::string(name_of(item.field)) + "\"",
                  "Value must be an integer.");
        if (digits != nullptr) *digits = i - first;
        if (value > 999999999) out_of_range();
        text_.remove_prefix(i);
        if (item.ordinal) text_.remove_prefix(std::min<std::size_t>(2, text_.size()));
        return negative ? -value : value;
    }

    template <std::size_t Count>
    int name(const std::string_view (&names)[Count], bool whole, Field field) {
        for (std::size_t i = 0; i < Count; ++i)
            if (word(whole ? names[i] : names[i].substr(0, 3))) return static_cast<int>(i);
        const std::size_t end = std::min(text_.find_first_of(" ,.-/:"), text_.size());
        raise(sqlstate::invalid_datetime_format,
              "invalid value \"" + std::string(text_.substr(0, end)) + "\" for \"" + std::string(name_of(field)) + "\"",
              "The given value did not match any of the allowed values for this field.");
    }

    bool word(std::string_view wanted) {
        if (text_.size() < wanted.size()) return false;
        for (std::size_t i = 0; i < wanted.size(); ++i)
            if (lower(text_[i]) != lower(wanted[i])) return false;
        text_.remove_prefix(wanted.size());
        return true;
    }

    void short_year(const Item& item, std::optional<std::int64_t>& year) {
        std::size_t digits = 0;
        std::int64_t value = number(item, &digits);
        if (digits < 4 && item.field != Field::year && item.field != Field::iso_year) {
            if (value < 70) value += 2000;
            else if (value < 100) value += 1900;
            else if (value < 520) value += 2000;
            else if (value < 1000) value += 1000;
        }
        year = value;
    }

    void read(const Item& item) {
        switch (item.field) {
            case Field::literal: break;
            case Field::year:
            case Field::year_3:
            case Field::year_2:
            case Field::year_1: short_year(item, year_); break;
            case Field::iso_year:
            case Field::iso_year_3:
            case Field::iso_year_2:
            case Field::iso_year_1: short_year(item, iso_year_); break;
            case Field::year_comma: {
                const std::int64_t thousands = number(item);
                if (!text_.empty() && text_[0] == ',') text_.remove_prefix(1);
                year_ = thousands * 1000 + number(item);
                break;
            }
            case Field::century: century_ = number(item); break;
            case Field::era:
                if (word("b.c.") || word("bc")) before_christ_ = true;
                else if (!word("a.d.") && !word("ad")) refuse_word(item);
                break;
            case Field::month: month_ = number(item); break;
            case Field::month_name: month_ = name(k_months, true, item.field) + 1; break;
            case Field::month_short: month_ = name(k_months, false, item.field) + 1; break;
            case Field::roman_month: {
                for (int month = 12; month > 0; --month)
                    if (word(roman_number(month))) {
                        month_ = month;
                        return;
                    }
                refuse_word(item);
            }
            case Field::day: day_ = number(item); break;
            case Field::day_of_year: day_of_year_ = number(item); break;
            case Field::iso_day_of_year: iso_day_of_year_ = number(item); break;
            case Field::day_of_week: number(item); break;
            case Field::iso_day_of_week: iso_day_ = number(item); break;
            case Field::day_name: name(k_days, true, item.field); break;
            case Field::day_short: name(k_days, false, item.field); break;
            case Field::week: week_ = number(item); break;
            case Field::week_of_month: week_of_month_ = number(item); break;
            case Field::iso_week: iso_week_ = number(item); break;
            case Field::quarter: number(item); break;
            case Field::julian: julian_ = number(item); break;
            case Field::hour_24: hour_ = number(item); half_day_ = false; break;
            case Field::hour_12: hour_ = number(item); half_day_ = true; break;
            case Field::half:
                if (word("p.m.") || word("pm")) afternoon_ = true;
                else if (word("a.m.") || word("am")) afternoon_ = false;
                else refuse_word(item);
                break;
            case Field::minute: minute_ = number(item); break;
            case Field::second: second_ = number(item); break;
            case Field::second_of_day: second_of_day_ = number(item); break;
            case Field::millisecond: fraction(item); break;
            case Field::microsecond: fraction(item); break;
            case Field::fraction: fraction(item); break;
            case Field::zone:
                raise(sqlstate::feature_not_supported, "formatting field \"TZ\" is only supported in to_char");
            case Field::zone_hours: {
                const bool negative = !text_.empty() && text_[0] == '-';
                zone_negative_ = negative;
                const std::int64_t hours = number(item);
                zone_seconds_ = (hours < 0 ? -hours : hours) * 3600 + zone_seconds_.value_or(0);
                break;
            }
            case Field::zone_minutes: zone_seconds_ = zone_seconds_.value_or(0) + number(item) * 60; break;
            case Field::offset:
                raise(sqlstate::feature_not_supported, "formatting field \"OF\" is only supported in to_char");
        }
    }

    [[noreturn]] void refuse_word(const Item& item) const {
        raise(sqlstate::invalid_datetime_format,
              "invalid value \"" + std::string(text_.substr(0, 4)) + "\" for \"" +
                  std::string(name_of(item.field)) + "\"",
              "The given value did not match any of the allowed values for this field.");
    }

    void fraction(const Item& item) {
        std::size_t digits = 0;
        std::int64_t value = number(item, &digits);
        // 12.3 with MS are 300 milliseconds: the digits stand behind a point.
        for (; static_cast<int>(digits) < 6; ++digits) value *= 10;
        for (; digits > 6; --digits) value /= 10;
        microsecond_ += value;
    }

    ParsedTime finish() {
        std::int64_t year = 0;
        if (year_ && century_ && *year_ % 1000 == *year_ % 100) {
            year = *year_ % 100;
            year += year != 0 ? (*century_ - 1) * 100 : *century_ * 100;
        } else if (year_) {
            year = *year_;
        } else if (century_) {
            year = *century_ >= 0 ? (*century_ - 1) * 100 + 1 : *century_ * 100 + 1;
        }
        if (before_christ_ && year > 0) year = -(year - 1);
        else if (year < 0 && year_) year = year + 1;
        std::int64_t month = month_.value_or(1), day = day_.value_or(1), days = 0;
        if (julian_) {
            days = *julian_ - 2451545;
        } else if (iso_week_ && iso_year_) {
            if (*iso_week_ < 1 || *iso_week_ > 53) out_of_range();
            days = days_of_iso_week(*iso_year_, static_cast<int>(*iso_week_)) + iso_day_.value_or(1) - 1;
        } else if (iso_day_of_year_ && iso_year_) {
            days = days_of_iso_week(*iso_year_, 1) + *iso_day_of_year_ - 1;
        } else {
            if (iso_year_ && !year_) year = *iso_year_;
            // Year 0 stands for 1 BC, as where no year is given.
            if (week_ && !day_of_year_ && !month_) day_of_year_ = (*week_ - 1) * 7 + 1;
            if (week_of_month_ && !day_) day = (*week_of_month_ - 1) * 7 + 1;
            if (day_of_year_ && (!month_ || !day_)) {
                const int longest = days_in_month(year, 2) == 29 ? 366 : 365;
                if (*day_of_year_ < 1 || *day_of_year_ > longest) out_of_range();
                days = days_from_civil({year, 1, 1}) + *day_of_year_ - 1;
            } else {
                if (month < 1 || month > 12) out_of_range();
                if (day < 1 || day > days_in_month(year, static_cast<int>(month))) out_of_range();
                days = days_from_civil({year, static_cast<int>(month), static_cast<int>(day)});
            }
        }
        std::int64_t hour = hour_.value_or(0), minute = minute_.value_or(0), second = second_.value_or(0);
        if (second_of_day_) {
            if (*second_of_day_ < 0 || *second_of_day_ > 86400) out_of_range();
            hour = *second_of_day_ / 3600;
            minute = *second_of_day_ % 3600 / 60;
            second = *second_of_day_ % 60;
        }
        if (hour_ && half_day_) {
            if (hour < 1 || hour > 12)
                raise(sqlstate::invalid_datetime_format,
                      "hour \"" + std::to_string(hour) + "\" is invalid for the 12-hour clock", {},
                      "Use the 24-hour clock, or give an hour between 1 and 12.");
            if (afternoon_.value_or(false) && hour < 12) hour += 12;
            else if (!afternoon_.value_or(false) && afternoon_ && hour == 12) hour = 0;
        }
        const bool midnight = hour == 24 && minute == 0 && second == 0 && microsecond_ == 0;
        if (hour < 0 || (hour > 23 && !midnight) || minute < 0 || minute > 59 || second < 0 || second > 60)
            out_of_range();
        ParsedTime parsed;
        parsed.local = timestamp_of(days, ((hour * 60 + minute) * 60 + second) * 1000000 + microsecond_);
        if (zone_seconds_) {
            parsed.has_offset = true;
            if (*zone_seconds_ > 15 * 3600 + 59 * 60 + 59) out_of_range();
            parsed.seconds_east = static_cast<std::int32_t>(zone_negative_ ? -*zone_seconds_ : *zone_seconds_);
        }
        return parsed;
    }

    std::string_view all_, text_;
    std::vector<Item> items_;
    std::size_t at_ = 0;
    std::optional<std::int64_t> year_, iso_year_, century_, month_, day_, day_of_year_, iso_day_of_year_, iso_day_,
        week_, week_of_month_, iso_week_, julian_, hour_, minute_, second_, second_of_day_, zone_seconds_;
    std::int64_t microsecond_ = 0;
    std::optional<bool> afternoon_;
    bool half_day_ = false, before_christ_ = false, zone_negative_ = false;
};

}  // namespace format_datetime_file

std::string format_time(const FormatTime& time, std::string_view pattern) {
    using namespace format_datetime_file;
    std::string out;
    for (const Item& item : read_template(pattern)) {
        const std::string text = field_text(time, item);
        out += text;
        if (!item.ordinal) continue;
        for (const char c : ordinal_suffix(text)) out += item.ordinal_lower ? c : upper(c);
    }
    return out;
}

ParsedTime parse_time(std::string_view text, std::string_view pattern) {
    return format_datetime_file::Reader(text, pattern).run();
}

}  // namespace northstar::inline v0::sql
