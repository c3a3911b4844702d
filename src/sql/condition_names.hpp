// condition_names.hpp -- names of SQLSTATEs, as PostgreSQL 15 lists them (appendix A).  Layer: sql.  Threads: values.
#pragma once

#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

/// The SQLSTATEs that have the name, in lower case; none: there is no such name.
std::vector<std::string_view> states_named(std::string_view name);
/// Is a SQLSTATE the named one, or, where that is a whole class ("23000"), of its class?
bool state_belongs_to(std::string_view state, std::string_view named);

}  // namespace northstar::inline v0::sql
