// change_columns.hpp -- what UPDATE and DELETE read of the rows that they change.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// Takes out of the output of an UPDATE's or DELETE's source what the change does not read: columns that FROM and USING
/// add, columns of the old rows that no key, no index, no foreign key and no expression looks at.
void leave_out_unread(BoundChange& change, const Catalog& catalog);

}  // namespace northstar::inline v0::sql
