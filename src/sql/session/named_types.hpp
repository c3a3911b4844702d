// named_types.hpp -- types that texts of the catalog name.  Layer: sql.  Threads: one at a time.
#pragma once

#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

/// Where a text names the type: behind ::, in CAST(.. AS type) and before a literal. Begin and end of each name.
std::vector<std::pair<std::size_t, std::size_t>> names_of_type(SqlSession& session, std::string_view text,
                                                               const UserType& type);

}  // namespace northstar::inline v0::sql
