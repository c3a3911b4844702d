// Dates and times by template, written and read.
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/format.hpp"

#include <algorithm>
#include <vector>

namespace northstar::inline v0::sql {

namespace format_datetime_file {

enum class Field : std::uint8_t {
    literal, exact, year, year_3, year_2, year_1, year_comma, iso_year, iso_year_3, iso_year_2, iso_year_1, century,
    era, month, month_name, month_short, roman_month, day, day_of_year, iso_day_of_year, day_of_week, iso_day_of_week,
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
    {"Q", Field::quarter}, {"RM", Field::roman_month}, {"SSSSS", Field::second_of_day, 5},
    {"SSSS", Field::second_of_day, 4}, {"SS", Field::second}, {"TZH", Field::zone_hours}, {"TZM", Field::zone_minutes},
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
    while (!pattern.empty()) {
        Letters letters = Letters::upper;
        // One prefix counts for the field behind it; what is none, a second prefix included, stands for itself.
        const bool fill = matches(pattern, "FM", letters);
        const bool exact = matches(pattern, "FX", letters);
        // Translated names are not padded, those of today's only language neither.
        const bool translated = matches(pattern, "TM", letters);
        if (exact) {
            Item item;
            item.field = Field::exact;
            items.push_back(std::move(item));
        }
        if (fill || exact || translated) pattern.remove_prefix(2);
        if (pattern.empty()) break;
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
        pattern.remove_prefix(found->name.size());
        Letters suffix = Letters::upper;
        if (matches(pattern, "TH", suffix)) {
            item.ordinal = true;
            item.ordinal_lower = suffix == Letters::lower;
            pattern.remove_prefix(2);
        } else if (pattern.starts_with("SP")) {
            pattern.remove_prefix(2);  // spelled out: known, and without effect
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

/// The day that an interval is as a date, since 2000-01-01. Its months, which may be none or negative, are counted from
/// the March before, 7834/256 days each, as PostgreSQL does it.
std::int64_t day_of_interval(const Civil& parts) {
    const std::int64_t year = parts.year + (parts.month > 2 ? 4800 : 4799);
    const std::int64_t month = parts.month + (parts.month > 2 ? 1 : 13);
    const std::int64_t century = year / 100;
    return year * 365 + year / 4 - century + century / 4 + 7834 * month / 256 + parts.day - 32167 - 2451545;
}

/// The week of the standard that a day lies in. The months of an interval are counted from its years, so that the day
/// may lie before the year that it is said of.
struct IsoWeek {
    std::int64_t year, week;
    std::int64_t day;  ///< of the year of weeks
};
IsoWeek iso_week(std::int64_t year, std::int64_t days) {
    if (days < days_of_iso_week(year, 1)) --year;
    else if (days >= days_of_iso_week(year + 1, 1)) ++year;
    const std::int64_t day = days - days_of_iso_week(year, 1);
    return {year, day / 7 + 1, day + 1};
}

std::string field_text(const FormatTime& time, const Item& item) {
    const auto calendar_only = [&] {
        if (time.interval) refuse_interval();
    };
    constexpr std::int64_t k_whole_year = std::int64_t{1} << 40;
    const Civil civil{time.year, time.month, time.day};
    const std::int64_t days = time.interval ? day_of_interval(civil) : time.days;
    const std::int64_t year = time.interval || time.year > 0 ? time.year : 1 - time.year;
    const auto blank_padded = [&](std::string text, std::size_t width) {
        if (!item.fill && text.size() < width) text.append(width - text.size(), ' ');
        return text;
    };
    const std::size_t sign = time.interval && time.year < 0 ? 1 : 0;  // there is room for one where the interval has it
    const auto iso_year = [&](std::int64_t part, std::size_t width) {
        const std::int64_t found = iso_week(time.year, days).year;
        const std::int64_t shown = (time.interval || found > 0 ? found : 1 - found) % part;
        return padded_fraction(shown, width == 1 ? 1 : width + sign, item.fill);
    };
    const std::int64_t yearday = time.interval ? time.year * 360 + time.month * 30 + time.day : day_of_year(civil);
    switch (item.field) {
        case Field::literal: return item.text;
        case Field::exact: return {};
        case Field::year: return padded(year, 4, item.fill);
        case Field::year_3: return padded_fraction(year % 1000, 3 + sign, item.fill);
        case Field::year_2: return padded_fraction(year % 100, 2 + sign, item.fill);
        case Field::year_1: return padded(year % 10, 1, item.fill);
        case Field::year_comma: return std::to_string(year / 1000) + "," + padded_fraction(year % 1000, 3, false);
        case Field::iso_year: return iso_year(k_whole_year, 4);
        case Field::iso_year_3: return iso_year(1000, 3);
        case Field::iso_year_2: return iso_year(100, 2);
        case Field::iso_year_1: return iso_year(10, 1);
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
            if (time.month == 0 && (time.year == 0 || !time.interval)) return {};
            // Of an interval, whole years have no months left: those before zero end with January.
            const int month = time.month == 0 ? (time.year < 0 ? 1 : 12)
                              : time.month < 0 ? 13 + time.month : time.month;
            return blank_padded(cased(roman_number(month), item.letters), 4);
        }
        case Field::day:
            // The sign is one of the two places, unlike in other fields.
            return time.day < 0 ? '-' + std::to_string(-std::int64_t{time.day}) : padded(time.day, 2, item.fill);
        case Field::day_of_year: return padded_fraction(yearday, 3, item.fill);
        case Field::iso_day_of_year: return padded_fraction(iso_week(time.year, days).day, 3, item.fill);
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
        case Field::week: return padded((yearday - 1) / 7 + 1, 2, item.fill);
        case Field::week_of_month: return std::to_string((time.day - 1) / 7 + 1);
        case Field::iso_week: return padded_fraction(iso_week(time.year, days).week, 2, item.fill);
        case Field::quarter: return time.month == 0 ? std::string() : std::to_string((time.month - 1) / 3 + 1);
        case Field::julian: return std::to_string(days + 2451545);
        case Field::hour_24: return padded(time.hour, 2, item.fill);
        case Field::hour_12: {
            const std::int64_t hour = time.hour % 12;
            // Of a negative time 12 keeps the place of the sign.
            return hour == 0 ? padded(12, time.hour < 0 ? 3 : 2, item.fill) : padded(hour, 2, item.fill);
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
        case Field::second_of_day: return static_cast<std::size_t>(digits);
        case Field::julian: return 1;
        default: return 2;
    }
}
bool is_numeric(Field field) {
    switch (field) {
        case Field::literal:
        case Field::exact:
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

/// Reads by template, step by step as PostgreSQL's formatting.c does: what a field finds depends on the character where
/// the one before it stopped. A value of zero is as good as none.
class Reader {
public:
    Reader(std::string_view text, const std::vector<Item>& items) : all_(text), text_(text), items_(items) {}

    ParsedTime run() {
        for (at_ = 0; at_ < items_.size() && !text_.empty(); ++at_) {
            const Item& item = items_[at_];
            if (item.field == Field::exact) {
                exact_ = true;
                continue;
            }
            if (!exact_ && (item.field != Field::literal || at_ == 0)) skip_blanks();
            if (item.field == Field::literal) {
                skip_literal(item);
                continue;
            }
            use_convention(item.field);
            read(item);
            if (item.ordinal && is_numeric(item.field) && item.field != Field::zone_minutes) take_characters(2);
            skipped_ = 0;
            if (!exact_) skip_blanks();
        }
        return finish();
    }

private:
    enum class Convention : std::uint8_t { none, gregorian, iso_week };

    [[noreturn]] void out_of_range() const {
        raise(sqlstate::datetime_field_overflow,
              "date/time field value out of range: \"" + std::string(all_) + "\"");
    }
    [[noreturn]] static void invalid(const std::string& value, const Item& item, std::string detail,
                                     std::string hint = {}) {
        raise(sqlstate::invalid_datetime_format,
              "invalid value \"" + value + "\" for \"" + std::string(name_of(item.field)) + "\"", std::move(detail),
              std::move(hint));
    }

    static bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
    static bool digit(char c) { return c >= '0' && c <= '9'; }
    static bool separator(char c) {
        return c > ' ' && c < 0x7f && !digit(c) && !(upper(c) >= 'A' && upper(c) <= 'Z');
    }

    void skip_blanks() {
        for (; !text_.empty() && blank(text_[0]); text_.remove_prefix(1)) ++skipped_;
    }
    void take_characters(int count) {
        for (; count > 0 && !text_.empty(); --count) {
            text_.remove_prefix(1);
            while (!text_.empty() && (static_cast<unsigned char>(text_[0]) & 0xc0) == 0x80) text_.remove_prefix(1);
        }
    }

    /// A separator of the template matches one of the input, or nothing; another character any one. What was skipped
    /// before counts for it.
    void skip_literal(const Item& item) {
        for (std::size_t i = 0; i < item.text.size() && !text_.empty(); ++i) {
            const char c = item.text[i];
            if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;
            if (exact_) {
                take_characters(1);
            } else if (!item.quoted && (separator(c) || blank(c))) {
                --skipped_;
                if (!blank(text_[0]) && !separator(text_[0])) continue;
                text_.remove_prefix(1);
                ++skipped_;
            } else if (skipped_ > 0) {
                --skipped_;
            } else {
                take_characters(1);
            }
        }
    }

    /// Fields of ISO weeks and of the calendar do not go together.
    void use_convention(Field field) {
        Convention convention = Convention::gregorian;
        switch (field) {
            case Field::iso_year:
            case Field::iso_year_3:
            case Field::iso_year_2:
            case Field::iso_year_1:
            case Field::iso_week:
            case Field::iso_day_of_week:
            case Field::iso_day_of_year: convention = Convention::iso_week; break;
            case Field::year:
            case Field::year_3:
            case Field::year_2:
            case Field::year_1:
            case Field::year_comma:
            case Field::month:
            case Field::month_name:
            case Field::month_short:
            case Field::roman_month:
            case Field::day:
            case Field::day_of_year:
            case Field::day_of_week:
            case Field::week:
            case Field::week_of_month: break;
            default: return;
        }
        if (convention_ != Convention::none && convention_ != convention)
            raise(sqlstate::invalid_datetime_format, "invalid combination of date conventions", {},
                  "Do not mix Gregorian and ISO week date conventions in a formatting template.");
        convention_ = convention;
    }

    /// Is what follows in the template, or the template's end, no digit? Then a number has as many as there are.
    bool separated() const {
        if (items_[at_].ordinal || at_ + 1 >= items_.size()) return true;
        const Item& next = items_[at_ + 1];
        if (next.field == Field::literal) return next.text.size() != 1 || !digit(next.text[0]);
        return !is_numeric(next.field);
    }

    std::int64_t number(const Item& item, std::size_t width, std::size_t* read = nullptr) {
        const std::string_view begin = text_;
        while (!text_.empty() && blank(text_[0])) text_.remove_prefix(1);
        const bool fixed = !item.fill && !separated();
        if (fixed && text_.size() < width)
            raise(sqlstate::invalid_datetime_format,
                  "source string too short for \"" + std::string(name_of(item.field)) + "\" formatting field",
                  "Field requires " + std::to_string(width) + " characters, but only " +
                      std::to_string(text_.size()) + " remain.",
                  "If your source string is not fixed-width, try using the \"FM\" modifier.");
        const std::string_view source = fixed ? text_.substr(0, width) : text_;
        std::size_t i = 0;
        while (fixed && i < source.size() && blank(source[i])) ++i;
        const bool negative = i < source.size() && source[i] == '-';
        if (i < source.size() && (source[i] == '-' || source[i] == '+')) ++i;
        const std::size_t first = i;
        std::int64_t value = 0;
        for (; i < source.size() && digit(source[i]); ++i)
            value = std::min(value * 10 + source[i] - '0', std::int64_t{1} << 40);
        if (i == first)
            invalid(std::string(source.substr(0, fixed ? width : source.find(' '))), item, "Value must be an integer.");
        if (fixed && i < width)
            invalid(std::string(source), item,
                    "Field requires " + std::to_string(width) + " characters, but only " + std::to_string(i) +
                        " could be parsed.",
                    "If your source string is not fixed-width, try using the \"FM\" modifier.");
        if (value > 2147483647)
            raise(sqlstate::datetime_field_overflow,
                  "value for \"" + std::string(name_of(item.field)) + "\" in source string is out of range",
                  "Value must be in the range -2147483648 to 2147483647.");
        text_.remove_prefix(i);
        if (read != nullptr) *read = begin.size() - text_.size();
        return negative ? -value : value;
    }

    /// A field may be given twice only if it says the same.
    void set(std::int64_t& target, std::int64_t value, const Item& item) const {
        if (target != 0 && target != value)
            raise(sqlstate::invalid_datetime_format,
                  "conflicting values for \"" + std::string(name_of(item.field)) + "\" field in formatting string",
                  "This value contradicts a previous setting for the same field type.");
        target = value;
    }

    template <std::size_t Count>
    int name(const std::string_view (&names)[Count], bool whole, const Item& item) {
        for (std::size_t i = 0; i < Count; ++i)
            if (word(whole ? names[i] : names[i].substr(0, 3))) return static_cast<int>(i);
        refuse_word(item);
    }

    bool word(std::string_view wanted) {
        if (text_.size() < wanted.size()) return false;
        for (std::size_t i = 0; i < wanted.size(); ++i)
            if (lower(text_[i]) != lower(wanted[i])) return false;
        text_.remove_prefix(wanted.size());
        return true;
    }

    [[noreturn]] void refuse_word(const Item& item) const {
        const std::size_t end = std::min(text_.find_first_of(" \t\n\r\f\v"), text_.size());
        invalid(std::string(text_.substr(0, end)), item,
                "The given value did not match any of the allowed values for this field.");
    }

    /// Of two words; with points where the template has them.
    bool second_of(const Item& item, const std::string_view (&words)[4]) {
        const std::size_t from = item.digits == 1 ? 2 : 0;
        if (word(words[from])) return false;
        if (word(words[from + 1])) return true;
        refuse_word(item);
    }

    void year(const Item& item, std::size_t width) {
        std::size_t digits = 0;
        set(year_, number(item, width, &digits), item);
        year_width_ = width;
        if (width == 4 || digits >= 4) return;
        // Those of the year 2020 and around it.
        if (year_ < 70) year_ += 2000;
        else if (year_ < 100) year_ += 1900;
        else if (year_ < 520) year_ += 2000;
        else if (year_ < 1000) year_ += 1000;
    }

    /// Thousands, a comma and three places, each perhaps with a sign.
    void year_with_comma(const Item& item) {
        const auto part = [&](std::size_t most) -> std::optional<std::int64_t> {
            std::size_t i = 0;
            const bool negative = !text_.empty() && text_[0] == '-';
            if (!text_.empty() && (text_[0] == '-' || text_[0] == '+')) ++i;
            const std::size_t first = i;
            std::int64_t value = 0;
            for (; i < most && i < text_.size() && digit(text_[i]); ++i) value = value * 10 + text_[i] - '0';
            text_.remove_prefix(i);
            if (i == first) return std::nullopt;
            return negative ? -value : value;
        };
        const std::optional<std::int64_t> thousands = part(9);
        const bool comma = thousands && !text_.empty() && text_[0] == ',';
        if (comma) text_.remove_prefix(1);
        const std::optional<std::int64_t> rest = comma ? part(3) : std::nullopt;
        if (!rest) raise(sqlstate::invalid_datetime_format, "invalid input string for \"Y,YYY\"");
        set(year_, *thousands * 1000 + *rest, item);
        year_width_ = 4;
    }

    void read(const Item& item) {
        constexpr std::string_view k_eras[] = {"ad", "bc", "a.d.", "b.c."};
        constexpr std::string_view k_halves[] = {"am", "pm", "a.m.", "p.m."};
        const std::size_t width = width_of(item.field, item.digits);
        switch (item.field) {
            case Field::literal:
            case Field::exact: break;
            case Field::year:
            case Field::year_3:
            case Field::year_2:
            case Field::year_1:
            case Field::iso_year:
            case Field::iso_year_3:
            case Field::iso_year_2:
            case Field::iso_year_1: year(item, width); break;
            case Field::year_comma: year_with_comma(item); break;
            case Field::century: set(century_, number(item, 2), item); break;
            case Field::era: before_christ_ = second_of(item, k_eras); break;
            case Field::month: set(month_, number(item, 2), item); break;
            case Field::month_name: set(month_, name(k_months, true, item) + 1, item); break;
            case Field::month_short: set(month_, name(k_months, false, item) + 1, item); break;
            case Field::roman_month: {
                for (int month = 12; month > 0; --month)
                    if (word(roman_number(month))) return set(month_, month, item);
                refuse_word(item);
            }
            case Field::day: set(day_, number(item, 2), item); break;
            case Field::day_of_year:
            case Field::iso_day_of_year: set(day_of_year_, number(item, 3), item); break;
            case Field::day_of_week: set(weekday_, number(item, 1), item); break;
            case Field::iso_day_of_week:
                // Sunday is the first day here.
                set(weekday_, number(item, 1), item);
                if (++weekday_ > 7) weekday_ = 1;
                break;
            case Field::day_name:
            case Field::day_short:
                set(weekday_, name(k_days, item.field == Field::day_name, item), item);
                ++weekday_;
                break;
            case Field::week:
            case Field::iso_week: set(week_, number(item, 2), item); break;
            case Field::week_of_month: set(week_of_month_, number(item, 1), item); break;
            case Field::quarter: number(item, 1); break;
            case Field::julian: set(julian_, number(item, 1), item); break;
            case Field::hour_24: set(hour_, number(item, 2), item); break;
            case Field::hour_12:
                set(hour_, number(item, 2), item);
                half_day_ = true;
                break;
            case Field::half:
                afternoon_ = second_of(item, k_halves);
                half_day_ = true;
                break;
            case Field::minute: set(minute_, number(item, 2), item); break;
            case Field::second: set(second_, number(item, 2), item); break;
            case Field::second_of_day: set(second_of_day_, number(item, width), item); break;
            case Field::millisecond: fraction(item, 3, millisecond_, 3); break;
            case Field::microsecond: fraction(item, 6, microsecond_, 6); break;
            case Field::fraction:
                fraction(item, width, microsecond_, 6);
                precision_ = item.digits;
                break;
            case Field::zone:
                raise(sqlstate::feature_not_supported, "formatting field \"TZ\" is only supported in to_char");
            case Field::zone_hours:
                // The sign may have been taken for a separator.
                zone_sign_ = skipped_ > 0 && all_[all_.size() - text_.size() - 1] == '-' ? -1 : 1;
                if (!text_.empty() && (text_[0] == '+' || text_[0] == '-' || text_[0] == ' ')) {
                    zone_sign_ = text_[0] == '-' ? -1 : 1;
                    text_.remove_prefix(1);
                }
                set(zone_hours_, number(item, 2), item);
                break;
            case Field::zone_minutes:
                if (zone_sign_ == 0) zone_sign_ = 1;
                set(zone_minutes_, number(item, 2), item);
                break;
            case Field::offset:
                raise(sqlstate::feature_not_supported, "formatting field \"OF\" is only supported in to_char");
        }
    }

    /// Digits behind a point, `full` of which make a unit: 12.3 with MS are 300 milliseconds.
    void fraction(const Item& item, std::size_t width, std::int64_t& target, std::size_t full) {
        std::size_t digits = 0;
        set(target, number(item, width, &digits), item);
        for (; digits < full; ++digits) target *= 10;
    }

    std::int64_t full_year() {
        if (before_christ_) century_ = -century_;
        if (year_ == 0) return century_ == 0 ? 0 : century_ > 0 ? (century_ - 1) * 100 + 1 : century_ * 100 + 1;
        if (century_ != 0 && year_width_ <= 2) {
            // The two digits of the year in the century, which begins with 1.
            const std::int64_t short_year = year_ % 100;
            if (short_year == 0) return century_ > 0 ? century_ * 100 : century_ * 100 + 1;
            return century_ > 0 ? (century_ - 1) * 100 + short_year : (century_ + 1) * 100 - short_year + 1;
        }
        const std::int64_t year = before_christ_ ? -year_ : year_;
        return year < 0 ? year + 1 : year;
    }

    std::int64_t whole_days() {
        std::int64_t year = full_year();
        const bool iso = convention_ == Convention::iso_week;
        std::int64_t month = 1, day = 1;
        std::optional<std::int64_t> days;
        if (julian_ != 0) {
            days = julian_ - 2451545;
            year = civil_from_days(*days).year;
        }
        if (week_ != 0 && iso) {
            days = days_of_iso_week(year, 1) + (week_ - 1) * 7;
            if (weekday_ != 0) *days += weekday_ > 1 ? weekday_ - 2 : 6;
        } else if (week_ != 0) {
            day_of_year_ = (week_ - 1) * 7 + 1;
        }
        if (days) {
            const Civil civil = civil_from_days(*days);
            year = civil.year;
            month = civil.month;
            day = civil.day;
            if (month_ == 0 && day_ == 0 && week_of_month_ == 0 && day_of_year_ == 0) return *days;
        }
        if (week_of_month_ != 0) day_ = (week_of_month_ - 1) * 7 + 1;
        if (day_ != 0) day = day_;
        if (month_ != 0) month = month_;
        if (day_of_year_ != 0 && (month <= 1 || day <= 1)) {
            if (year == 0 && !before_christ_)
                raise(sqlstate::invalid_datetime_format, "cannot calculate day of year without year information");
            if (iso) return days_of_iso_week(year, 1) + day_of_year_ - 1;
            int month_of_day = 1;
            std::int64_t left = day_of_year_;
            while (month_of_day < 13 && left > days_in_month(year, std::min(month_of_day, 12))) {
                left -= days_in_month(year, std::min(month_of_day, 12));
                ++month_of_day;
            }
            if (month <= 1) month = month_of_day;
            if (day <= 1) day = left;
        }
        const bool given = year_ != 0 || century_ != 0 || month_ != 0 || day_ != 0 || day_of_year_ != 0;
        if (given && (month < 1 || month > 12 || day < 1 || day > days_in_month(year, static_cast<int>(month))))
            out_of_range();
        return days_from_civil({year, static_cast<int>(month), static_cast<int>(day)});
    }

    ParsedTime finish() {
        std::int64_t hour = second_of_day_ / 3600, minute = second_of_day_ % 3600 / 60, second = second_of_day_ % 60;
        if (second_ != 0) second = second_;
        if (minute_ != 0) minute = minute_;
        if (hour_ != 0) hour = hour_;
        if (half_day_) {
            if (hour < 1 || hour > 12)
                raise(sqlstate::invalid_datetime_format,
                      "hour \"" + std::to_string(hour) + "\" is invalid for the 12-hour clock", {},
                      "Use the 24-hour clock, or give an hour between 1 and 12.");
            if (afternoon_ && hour < 12) hour += 12;
            else if (!afternoon_ && hour == 12) hour = 0;
        }
        const std::int64_t days = whole_days();
        const std::int64_t micros = millisecond_ * 1000 + microsecond_;
        if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || micros < 0 ||
            micros > 999999)
            out_of_range();
        ParsedTime parsed;
        parsed.days = days;
        parsed.microseconds = ((hour * 60 + minute) * 60 + second) * 1000000 + micros;
        if (precision_ != 0) parsed.precision = precision_;
        if (zone_sign_ != 0) {
            if (zone_hours_ < 0 || zone_hours_ > 15 || zone_minutes_ < 0 || zone_minutes_ > 59)
                raise(sqlstate::invalid_time_zone_displacement_value,
                      "time zone displacement out of range: \"" + std::string(all_) + "\"");
            parsed.has_offset = true;
            parsed.seconds_east = static_cast<std::int32_t>(zone_sign_ * (zone_hours_ * 3600 + zone_minutes_ * 60));
        }
        return parsed;
    }

    std::string_view all_, text_;
    const std::vector<Item>& items_;
    std::size_t at_ = 0;
    bool exact_ = false;      ///< FX
    int skipped_ = 0;         ///< characters of the input beyond those that the template has
    Convention convention_ = Convention::none;
    std::size_t year_width_ = 0;
    std::int64_t year_ = 0, century_ = 0, month_ = 0, day_ = 0, day_of_year_ = 0, weekday_ = 0, week_ = 0,
                 week_of_month_ = 0, julian_ = 0, hour_ = 0, minute_ = 0, second_ = 0, second_of_day_ = 0,
                 millisecond_ = 0, microsecond_ = 0, zone_hours_ = 0, zone_minutes_ = 0;
    std::int32_t precision_ = 0;
    int zone_sign_ = 0;  ///< 0: none
    bool half_day_ = false, afternoon_ = false, before_christ_ = false;
};

}  // namespace format_datetime_file

struct TimeTemplate::Parts {
    std::vector<format_datetime_file::Item> items;
};

TimeTemplate::TimeTemplate(std::string_view pattern)
    : parts_(new Parts{format_datetime_file::read_template(pattern)}) {}
TimeTemplate::~TimeTemplate() = default;

std::string TimeTemplate::format(const FormatTime& time) const {
    using namespace format_datetime_file;
    std::string out;
    for (const Item& item : parts_->items) {
        const std::string text = field_text(time, item);
        out += text;
        if (!item.ordinal || !is_numeric(item.field) || item.field == Field::zone_minutes) continue;
        for (const char c : ordinal_suffix(text)) out += item.ordinal_lower ? c : upper(c);
    }
    return out;
}

ParsedTime TimeTemplate::parse(std::string_view text) const {
    return format_datetime_file::Reader(text, parts_->items).run();
}

}  // namespace northstar::inline v0::sql
