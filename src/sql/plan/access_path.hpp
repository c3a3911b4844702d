// access_path.hpp -- which index a scan uses.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Chooses among the primary key and the indexes of the scan's table by what its conditions fix: equal leading columns
/// or expressions (NULL is equal to NULL), then values of the next one or a range; of partial indexes those that have
/// all rows which the conditions leave; or, where none of them helps, several for the arms of an OR (index_union.hpp).
/// What lies between constants is counted in the index, O(log n) for each. The conditions stay, so that a choice can
/// still be changed.
void choose_access_path(Plan& scan);
/// Is it quicker to look so many values up than to read so many rows one by one?
bool is_worth_looking_up(double values, double rows);
/// Takes away the conditions that the range of keys is made from: every row that is read meets them. Once the choice is
/// final. False: there were none.
bool drop_met_conditions(Plan& scan);

}  // namespace northstar::inline v0::sql
