// format.hpp -- templates of to_char, to_number, to_date and to_timestamp.  Layer: sql.  Threads: any.
//
// The patterns and what they do are those of PostgreSQL's manual, section "Data Type Formatting Functions". A template
// is read once and used for many values.
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// What a number written after a template stands for.
struct ParsedNumber {
    std::string text;   ///< decimal, with its sign; nothing but a blank where no digit was found
    int precision = 0;  ///< so many digits have room in the template
    int scale = 0;      ///< so many of them were found behind the point
    int shift = 0;      ///< it is to be divided by this power of ten
};
class NumberTemplate {
public:
    /// Raises 42601 for templates that contradict themselves.
    explicit NumberTemplate(std::string_view pattern);
    ~NumberTemplate();
    /// A number by its decimal text ("-12.50", "NaN", "Infinity"). `float_digits`: so many digits of a floating point
    /// number count; 0: all do.
    std::string format(std::string_view number, int float_digits) const;
    /// Raises 0A000 for templates that are written only.
    ParsedNumber parse(std::string_view text) const;

private:
    struct Parts;
    std::unique_ptr<const Parts> parts_;
};

/// What the fields of a template are filled from.
struct FormatTime {
    std::int64_t year = 0;  ///< astronomical; of an interval its years
    int month = 0, day = 0;
    std::int64_t hour = 0;
    int minute = 0, second = 0, microsecond = 0;
    std::int64_t days = 0;  ///< since 2000-01-01
    bool interval = false;
    bool zoned = false;
    std::int32_t seconds_east = 0;
    std::string zone;
};
/// A date and time read after a template: local, or with an offset where the template has one.
struct ParsedTime {
    std::int64_t days = 0;          ///< since 2000-01-01
    std::int64_t microseconds = 0;  ///< of the day
    std::int32_t precision = -1;    ///< to so many digits of a second the moment is to be rounded; -1: to all
    bool has_offset = false;
    std::int32_t seconds_east = 0;
};
class TimeTemplate {
public:
    explicit TimeTemplate(std::string_view pattern);
    ~TimeTemplate();
    std::string format(const FormatTime& time) const;
    /// Raises 22007 and 22008.
    ParsedTime parse(std::string_view text) const;

private:
    struct Parts;
    std::unique_ptr<const Parts> parts_;
};

/// "st", "nd", "rd" or "th".
std::string_view ordinal_suffix(std::string_view digits);
/// Between 1 and 3999; empty: has none.
std::string roman_number(std::int64_t number);

}  // namespace northstar::inline v0::sql
