#include "sql/session/setting_form.hpp"

#include "sql/error.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <utility>

namespace northstar::inline v0::sql {

namespace setting_forms {

struct Unit {
    std::string_view name;
    double size;  ///< in bytes or microseconds
};
constexpr Unit k_memory[] = {{"TB", 1024.0 * 1024 * 1024 * 1024},
                             {"GB", 1024.0 * 1024 * 1024},
                             {"MB", 1024.0 * 1024},
                             {"kB", 1024},
                             {"B", 1}};
constexpr Unit k_time[] = {{"d", 86400e6}, {"h", 3600e6}, {"min", 60e6}, {"s", 1e6}, {"ms", 1e3}, {"us", 1}};

bool is_memory(SettingUnit unit) {
    return unit == SettingUnit::bytes || unit == SettingUnit::kilobytes || unit == SettingUnit::blocks;
}

std::span<const Unit> units_of(SettingUnit unit) {
    return is_memory(unit) ? std::span<const Unit>(k_memory) : std::span<const Unit>(k_time);
}

double size_of(SettingUnit unit) {
    switch (unit) {
        case SettingUnit::kilobytes: return 1024;
        case SettingUnit::blocks: return 8192;
        case SettingUnit::milliseconds: return 1e3;
        case SettingUnit::seconds: return 1e6;
        default: return 1;
    }
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// In the setting's unit; nothing where the text is no number with a unit that fits.
std::optional<double> number_in(const SettingForm& form, std::string_view text) {
    const std::string copy(text);
    char* end = nullptr;
    double value = 0;
    errno = 0;
    if (form.kind == SettingKind::integer) {
        value = static_cast<double>(std::strtoll(copy.c_str(), &end, 0));
        if (*end == '.' || *end == 'e' || *end == 'E' || errno == ERANGE) value = std::strtod(copy.c_str(), &end);
    } else {
        value = std::strtod(copy.c_str(), &end);
    }
    if (end == copy.c_str() || std::isnan(value)) return std::nullopt;
    std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(end - copy.c_str()));
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
    if (!rest.empty()) {
        if (form.unit == SettingUnit::none) return std::nullopt;
        const std::span<const Unit> units = units_of(form.unit);
        const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& each) { return each.name == rest; });
        if (unit == units.end()) return std::nullopt;
        value *= unit->size;
        // A part of a unit is rounded to whole ones of the next smaller unit.
        if (unit + 1 != units.end()) value = std::rint(value / (unit + 1)->size) * (unit + 1)->size;
        value /= size_of(form.unit);
    }
    return form.kind == SettingKind::integer ? std::rint(value) : value;
}

std::string shortest(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

std::string text_of(const SettingForm& form, double value) {
    if (form.kind == SettingKind::integer) return std::to_string(static_cast<long long>(value));
    return shortest(value);
}

/// With the largest unit of which it has a whole number.
std::string with_unit(const SettingForm& form, double value) {
    if (form.unit == SettingUnit::none || value <= 0) return text_of(form, value);
    const double size = value * size_of(form.unit);
    const std::span<const Unit> units = units_of(form.unit);
    const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& each) {
        return std::abs(std::rint(size / each.size) * each.size / size - 1) <= 1e-8;
    });
    const Unit& chosen = unit == units.end() ? units.back() : *unit;
    return text_of(form, size / chosen.size) + std::string(chosen.name);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return out;
}

/// A Boolean word, or as much of one as no other one begins with.
std::optional<bool> truth(std::string_view text) {
    const std::string word = lower(text);
    if (word.empty()) return std::nullopt;
    if (word == "1") return true;
    if (word == "0") return false;
    const auto begins = [&](std::string_view whole, std::size_t least) {
        return word.size() >= least && whole.starts_with(word);
    };
    if (begins("true", 1) || begins("yes", 1) || begins("on", 2)) return true;
    if (begins("false", 1) || begins("no", 1) || begins("off", 2)) return false;
    return std::nullopt;
}

[[noreturn]] void invalid(std::string_view name, std::string_view value, std::string hint) {
    raise(sqlstate::invalid_parameter_value,
          "invalid value for parameter \"" + std::string(name) + "\": \"" + std::string(value) + "\"", {},
          std::move(hint));
}

std::string number_text(std::string_view name, const SettingForm& form, std::string_view value) {
    const std::optional<double> number = number_in(form, value);
    if (!number)
        invalid(name, value,
                form.unit == SettingUnit::none ? ""
                : is_memory(form.unit)
                    ? R"(Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".)"
                    : R"(Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".)");
    if (form.kind == SettingKind::integer && (*number > INT32_MAX || *number < INT32_MIN))
        invalid(name, value, "Value exceeds integer range.");
    if (*number >= form.least && *number <= form.most) return with_unit(form, *number);
    const std::string_view unit = name_of(form.unit);
    raise(sqlstate::invalid_parameter_value,
          text_of(form, *number) + (unit.empty() ? "" : " ") + std::string(unit) +
              " is outside the valid range for parameter \"" + std::string(name) + "\" (" +
              text_of(form, form.least) + " .. " + text_of(form, form.most) + ")");
}

std::string word_text(std::string_view name, const SettingForm& form, std::string_view value) {
    const std::vector<std::string_view> words = words_of(form);
    const auto has = [&](std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); };
    const std::string word = lower(value);
    if (has(word)) return word;
    // Where on and off are among them, other words for these are understood.
    if (has("on") && has("off") && (word == "true" || word == "yes" || word == "1")) return "on";
    if (has("on") && has("off") && (word == "false" || word == "no" || word == "0")) return "off";
    if (word == "debug" && has("debug2")) return "debug2";
    if (word == "info" && has("log")) return word;
    std::string available;
    for (const std::string_view each : words) available += (available.empty() ? "" : ", ") + std::string(each);
    invalid(name, value, "Available values: " + available + ".");
}

}  // namespace setting_forms

std::string setting_text(std::string_view name, const SettingForm& form, std::string_view value) {
    switch (form.kind) {
        case SettingKind::text: return std::string(value);
        case SettingKind::word: return setting_forms::word_text(name, form, value);
        case SettingKind::boolean:
            if (const auto on = setting_forms::truth(value)) return *on ? "on" : "off";
            raise(sqlstate::invalid_parameter_value,
                  "parameter \"" + std::string(name) + "\" requires a Boolean value");
        default: return setting_forms::number_text(name, form, value);
    }
}

double setting_number(const SettingForm& form, std::string_view value) {
    return setting_forms::number_in(form, value).value_or(0);
}

std::string plain_setting(const SettingForm& form, std::string_view value) {
    const bool number = form.kind == SettingKind::integer || form.kind == SettingKind::real;
    return number ? setting_forms::text_of(form, setting_number(form, value)) : std::string(value);
}

std::string plain_number(const SettingForm& form, double number) { return setting_forms::text_of(form, number); }

std::string_view name_of(SettingUnit unit) {
    static constexpr std::string_view k_names[] = {"", "B", "kB", "8kB", "ms", "s"};
    return k_names[static_cast<std::size_t>(unit)];
}

std::string_view name_of(SettingKind kind) {
    static constexpr std::string_view k_names[] = {"string", "bool", "integer", "real", "enum"};
    return k_names[static_cast<std::size_t>(kind)];
}

std::vector<std::string_view> words_of(const SettingForm& form) {
    std::vector<std::string_view> words;
    for (std::string_view rest = form.words; !rest.empty();) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        words.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return words;
}

}  // namespace northstar::inline v0::sql
