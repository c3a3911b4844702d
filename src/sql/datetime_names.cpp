#include "sql/datetime_names.hpp"

namespace northstar::inline v0::sql {

int month_named(std::string_view word) {
    static constexpr const char* k_months[] = {"january",   "february", "march",    "april",
                                               "may",       "june",     "july",     "august",
                                               "september", "october",  "november", "december"};
    for (int i = 0; i < 12; ++i) {
        const std::string_view name = k_months[i];
        if (word == name || word == name.substr(0, 3) || (i == 8 && word == "sept")) return i + 1;
    }
    return 0;
}

bool is_day_name(std::string_view word) {
    static constexpr const char* k_days[] = {"sunday", "sun",       "monday", "mon",  "tuesday",  "tue",
                                             "tues",   "wednesday", "wed",    "weds", "thursday", "thu",
                                             "thur",   "thurs",     "friday", "fri",  "saturday", "sat"};
    for (const char* day : k_days) {
        if (word == day) return true;
    }
    return false;
}

}  // namespace northstar::inline v0::sql
