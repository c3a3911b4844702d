#include "cartridge/valid_time.hpp"

#include "cartridge/json_strings.hpp"

#include <charconv>
#include <string>

namespace northstar::inline v0::detail {

namespace valid_time_impl {

constexpr std::int64_t k_second_us = 1'000'000;
constexpr std::int64_t k_day_us = 24 * 60 * 60 * k_second_us;

class TimeReader {
public:
    explicit TimeReader(std::string_view text) : text_(text) {}

    bool at_end() const { return at_ == text_.size(); }
    bool take(char c) {
        if (at_end() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    /// Exactly so many digits, of a number from least to most.
    bool number(std::size_t digits, std::int64_t least, std::int64_t most, std::int64_t& out) {
        if (text_.size() - at_ < digits) return false;
        out = 0;
        for (std::size_t i = 0; i < digits; ++i, ++at_) {
            if (text_[at_] < '0' || text_[at_] > '9') return false;
            out = out * 10 + (text_[at_] - '0');
        }
        return out >= least && out <= most;
    }
    /// Digits of a fraction, in microseconds; those behind the sixth are cut off.
    bool fraction(std::int64_t& out) {
        const std::size_t first = at_;
        out = 0;
        std::int64_t unit = k_second_us / 10;
        for (; !at_end() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, unit /= 10) {
            out += (text_[at_] - '0') * unit;
        }
        return at_ != first;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

bool is_leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

std::int64_t days_of(std::int64_t year, std::int64_t month) {
    constexpr std::int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/// Days from 1970-01-01 to a date.
std::int64_t days_since_1970(std::int64_t year, std::int64_t month, std::int64_t day) {
    const std::int64_t before = year - 1;
    std::int64_t days = year * 365 + before / 4 - before / 100 + before / 400 - (1970 * 365 + 477);
    for (std::int64_t i = 1; i < month; ++i) days += days_of(year, i);
    return days + day - 1;
}

/// The time of day behind a date, less the offset; false: there is none.
bool read_time_of_day(TimeReader& reader, std::int64_t& out) {
    std::int64_t hour = 0;
    std::int64_t minute = 0;
    std::int64_t second = 0;
    std::int64_t fraction = 0;
    if (!reader.take('T') && !reader.take('t') && !reader.take(' ')) return false;
    if (!reader.number(2, 0, 23, hour) || !reader.take(':') || !reader.number(2, 0, 59, minute)) return false;
    if (!reader.take(':') || !reader.number(2, 0, 60, second)) return false;
    if (reader.take('.') && !reader.fraction(fraction)) return false;
    out = ((hour * 60 + minute) * 60 + second) * k_second_us + fraction;
    if (reader.take('Z') || reader.take('z')) return true;
    const bool east = reader.take('+');
    if (!east && !reader.take('-')) return false;
    if (!reader.number(2, 0, 23, hour) || !reader.take(':') || !reader.number(2, 0, 59, minute)) return false;
    const std::int64_t offset = (hour * 60 + minute) * 60 * k_second_us;
    out += east ? -offset : offset;
    return true;
}

}  // namespace valid_time_impl

std::optional<std::uint64_t> parse_time(std::string_view text) {
    using namespace valid_time_impl;
    TimeReader reader(text);
    std::int64_t year = 0;
    std::int64_t month = 0;
    std::int64_t day = 0;
    if (!reader.number(4, 1970, 9999, year) || !reader.take('-') || !reader.number(2, 1, 12, month)) return {};
    if (!reader.take('-') || !reader.number(2, 1, days_of(year, month), day)) return {};
    std::int64_t time = 0;
    if (!reader.at_end() && (!read_time_of_day(reader, time) || !reader.at_end())) return {};
    time += days_since_1970(year, month, day) * k_day_us;
    if (time < 0) return {};
    return static_cast<std::uint64_t>(time);
}

std::optional<std::uint64_t> time_of_member(std::string_view value, std::string_view name) {
    std::string text;
    bool is_number = false;
    const bool is_object = read_json_scalars(value, [&](std::string_view member, bool number) -> std::string* {
        if (member != name) return nullptr;
        is_number = number;
        return &text;
    });
    if (!is_object) return std::nullopt;
    if (!is_number) return parse_time(text);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace northstar::inline v0::detail
