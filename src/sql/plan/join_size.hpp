// join_size.hpp -- how many rows a join along equalities will give, and how many groups an aggregate.  Layer: sql.
//
// Every row of one side meets the rows of the other that have its key: the product of both sides, divided by the number
// of different keys of the side that has more of them (Selinger et al., "Access Path Selection in a Relational Database
// Management System", SIGMOD 1979, table 1). A unique index says how many keys its table has, ANALYZE how many
// values a column has, and which are common: those of both sides meet in more rows than others; of other columns a
// usual number is supposed.
#pragma once

#include "sql/plan/plan.hpp"

#include <map>

namespace northstar::inline v0::sql {

/// Rows of plans before conditions, as far as they are known.
using WholeRows = std::map<const Plan*, double>;

/// The scan below a plan that reads a column, and the column's place in its table; null: it is computed.
struct Origin {
    const Plan* scan = nullptr;
    int place = -1;
};
/// Through joins and filters.
Origin origin_of(const Plan& plan, ColumnId id);

/// At least one row. `conditions` may hold others than equalities between the two sides.
double joined_rows(const Plan& left, const Plan& right, const std::vector<BoundExpr*>& conditions,
                   const WholeRows& whole);

/// Groups of an aggregate's input, one at least: as many as its columns have different values together, where ANALYZE
/// knows them, but no more than it has rows.
double grouped_rows(const Plan& aggregate, const WholeRows& whole);

}  // namespace northstar::inline v0::sql
