// What pg_timezone_names and pg_timezone_abbrevs show.
#include "sql/datetime.hpp"
#include "sql/registry.hpp"

namespace northstar::inline v0::sql {

namespace zone_functions_file {

Value text_of(Call& call, std::string_view text) { return Value::text(call.arena.copy(text)); }
Value offset_of(std::int64_t seconds_east) { return Value::interval({seconds_east * k_microseconds_per_second, 0, 0}); }

/// Each with what holds there now.
void zone_names(Call& call, const Value*, std::size_t, RowSink& rows) {
    for (const std::string& name : time_zone_names()) {
        const std::shared_ptr<const TimeZone> zone = find_time_zone(name);
        if (zone == nullptr) continue;
        const TimeZone::Offset now = zone->at(call.session.transaction_time);
        const Value row[] = {text_of(call, name), text_of(call, now.abbreviation), offset_of(now.seconds_east),
                             Value::boolean(now.daylight)};
        if (!rows.row(row)) return;
    }
}

void zone_abbreviation_rows(Call& call, const Value*, std::size_t, RowSink& rows) {
    for (const ZoneAbbreviation& each : zone_abbreviations()) {
        std::string shown(each.name);
        for (char& c : shown) c = static_cast<char>(c - 32);
        TimeZone::Offset now{each.minutes_east * 60, shown, each.daylight};
        if (const auto zone = moving_abbreviation(each.name)) now = zone->at(call.session.transaction_time);
        const Value row[] = {text_of(call, shown), offset_of(now.seconds_east), Value::boolean(now.daylight)};
        if (!rows.row(row)) return;
    }
}

constexpr FunctionSource k_functions[] = {
    {"pg_timezone_names() record stable columns=name:text,abbrev:text,utc_offset:interval,is_dst:bool", &zone_names},
    {"pg_timezone_abbrevs() record stable columns=abbrev:text,utc_offset:interval,is_dst:bool",
     &zone_abbreviation_rows},
};

}  // namespace zone_functions_file

std::span<const FunctionSource> zone_functions() { return zone_functions_file::k_functions; }

}  // namespace northstar::inline v0::sql
