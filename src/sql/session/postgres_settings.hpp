// postgres_settings.hpp -- settings of PostgreSQL's planner and server that this engine has no use for.  Layer: sql.
// Threads: any.
//
// Programs and dumps set and read them, so they can be set and shown; nothing here depends on them.
#pragma once

#include <optional>
#include <string_view>

namespace northstar::inline v0::sql {

/// What SHOW gives where nobody has set it; nothing where PostgreSQL has no such setting, or it has a meaning here.
std::optional<std::string_view> postgres_setting(std::string_view name);

}  // namespace northstar::inline v0::sql
