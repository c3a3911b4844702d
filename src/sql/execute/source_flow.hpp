// source_flow.hpp -- may the rows of a change be written while its source is still being read?  Layer: sql.
//
// A source that is read to its end first takes memory for all of its rows. It need not be where nothing that the change
// writes can be met by what is left to read: a table that the source does not read, or rows of the scanned table that
// stay where the scan has passed them.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Does the change, alone in its statement, leave alone whatever its source is still to read? Never of one that has
/// subqueries, or changes rows of several tables.
bool flows(const BoundChange& change);

}  // namespace northstar::inline v0::sql
