// postgres_settings.hpp -- settings of PostgreSQL's planner and server that this engine has no use for.  Layer: sql.
// Threads: any.
//
// Programs and dumps set and read them, so they can be set and shown; nothing here depends on them.
#pragma once

#include "sql/session/setting_form.hpp"

#include <span>
#include <string_view>

namespace northstar::inline v0::sql {

struct PostgresSetting {
    std::string_view name;
    std::string_view value;  ///< what SHOW gives where nobody has set it
    SettingForm form = {};
};

/// nullptr: PostgreSQL has no such setting, or it has a meaning here.
const PostgresSetting* postgres_setting(std::string_view name);
/// All of them, by name.
std::span<const PostgresSetting> postgres_settings();

}  // namespace northstar::inline v0::sql
