// setting_form.hpp -- which values a setting takes, and how they are shown.  Layer: sql.  Threads: any.
//
// Texts are those of PostgreSQL: numbers with units of memory or time, of which SHOW gives the largest that fits;
// Boolean words, of which a beginning is enough; words out of a list.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

enum class SettingKind : std::uint8_t { text, boolean, integer, real, word };
enum class SettingUnit : std::uint8_t { none, bytes, kilobytes, blocks, milliseconds, seconds };

struct SettingForm {
    SettingKind kind = SettingKind::text;
    SettingUnit unit = SettingUnit::none;  ///< of a number that stands alone
    double least = 0, most = 0;            ///< in that unit
    std::string_view words = {};           ///< with a comma between two
};

/// For tables of settings.
namespace setting_form {
constexpr double k_largest = std::numeric_limits<double>::max();
constexpr double k_largest_int = std::numeric_limits<std::int32_t>::max();
constexpr SettingForm boolean() { return {SettingKind::boolean}; }
constexpr SettingForm integer(double least, double most, SettingUnit unit = SettingUnit::none) {
    return {SettingKind::integer, unit, least, most};
}
constexpr SettingForm real(double least, double most, SettingUnit unit = SettingUnit::none) {
    return {SettingKind::real, unit, least, most};
}
constexpr SettingForm words(std::string_view list) { return {SettingKind::word, SettingUnit::none, 0, 0, list}; }
}  // namespace setting_form

/// That of the setting of a name, in lower case; of an unknown one, which is anybody's, any text.
const SettingForm& form_of_setting(std::string_view name);

/// The value as SHOW gives it. Raises 22023 where the setting has no such value.
std::string setting_text(std::string_view name, const SettingForm& form, std::string_view value);
/// A number of a setting, in its unit. `value` is one that it has.
double setting_number(const SettingForm& form, std::string_view value);
/// The same as a text, or what is no number as it is.
std::string plain_setting(const SettingForm& form, std::string_view value);
std::string plain_number(const SettingForm& form, double number);
/// "kB"; "" where there is none.
std::string_view name_of(SettingUnit unit);
/// "bool", as pg_settings calls it.
std::string_view name_of(SettingKind kind);
std::vector<std::string_view> words_of(const SettingForm& form);

}  // namespace northstar::inline v0::sql
