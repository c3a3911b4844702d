// index_groups.hpp -- the combinations of values that leading columns of an index have, as the planner sees them.
// Layer: sql.
//
// A group has the entries that are equal in those columns. To go from one to the next takes O(log n).
#pragma once

#include "sql/plan/key_range.hpp"
#include "sql/plan/plan.hpp"

#include <cstddef>
#include <optional>

namespace northstar::inline v0::sql {

/// How many entries a group of so many columns has, on average over the first few; 0: there are none, or the index
/// cannot be looked at.
double entries_of_a_group(const Plan& scan, std::size_t index, std::size_t columns);

struct GroupCounts {
    double groups = 0;
    double entries = 0;  ///< that lie in the range, about
};
/// The groups that a path with skipped columns visits, and the entries of them that lie in its keys (make_key_range).
/// Nothing: they are more than `most`, or the index cannot be looked at.
std::optional<GroupCounts> count_groups(const Plan& scan, const AccessPath& path, const KeyRange& keys,
                                        std::size_t most);

}  // namespace northstar::inline v0::sql
