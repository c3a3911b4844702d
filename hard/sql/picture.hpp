// picture.hpp -- all that SQL tells of a database, short enough to be kept for each of its states.
#pragma once

#include "api/northstar.hpp"

#include <map>
#include <string>

namespace northstar::hard {

/// What there is ("table item", "index item_name", ...), and of each a line: definition, or columns and rows.
using Picture = std::map<std::string, std::string>;

/// Tables of the schema public with columns, constraints and a checksum over all rows, indexes, views. In the state
/// that the session reads: that of its block, or northstar.as_of. Throws SqlFailure.
Picture picture_of(SqlConnection& sql);

/// Where two pictures differ, for people; empty: nowhere.
std::string difference(const Picture& found, const Picture& wanted);

}  // namespace northstar::hard
