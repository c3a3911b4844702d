// collation.hpp -- which collations there are.  Layer: sql.  Threads: any.
//
// Every text is ordered by its bytes, which is what these names mean in PostgreSQL for a database in UTF-8 made with
// the locale C.
#pragma once

#include <string_view>

namespace northstar::inline v0::sql {

constexpr bool is_known_collation(std::string_view name) {
    return name == "C" || name == "POSIX" || name == "default" || name == "ucs_basic";
}

}  // namespace northstar::inline v0::sql
