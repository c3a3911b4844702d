// same_path.hpp -- other indexes that the conditions of a scan narrow as far as the one that it uses.  Layer: sql.
//
// Of several indexes that begin with what conditions fix, (user) and (user, time), the one that is chosen first need
// not be the one whose entries come in the order that is asked for, or have all columns that are read.
#pragma once

#include "sql/plan/plan.hpp"

#include <optional>

namespace northstar::inline v0::sql {

/// The scan's path along another index, which begins with the terms that the path has values of (in any order, unless
/// members of lists are among them), and goes on with that of its range. Nothing: this index does not, or the path
/// skips columns. Rows that are compared are narrowed by their first elements alone (row_range.hpp goes on).
std::optional<AccessPath> same_path(const Plan& scan, std::size_t index);

}  // namespace northstar::inline v0::sql
