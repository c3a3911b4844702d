// with_recursion.hpp -- WITH RECURSIVE as it is written: which of its queries names which, and whether one that names
// itself does so where it may.  Layer: sql.
//
// Looks at names alone, before anything is bound: a name inside that belongs to a WITH further in, or has a schema, is
// none of these queries.
#pragma once

#include "sql/syntax/statement.hpp"

#include <cstddef>
#include <vector>

namespace northstar::inline v0::sql {

struct WithRecursion {
    std::vector<std::size_t> order;  ///< places in the clause, every query behind those that it names
    std::vector<bool> recursive;     ///< by place: the query names itself
};

/// Raises 0A000 where queries name each other in a ring, 42P19 where one that names itself is not `start UNION step`
/// with one reference in the step, outside of subqueries, outer sides of joins, INTERSECT and EXCEPT. Linear in the
/// text, and in the square of the number of queries. The rules are PostgreSQL's (parse_cte.c).
WithRecursion examine_recursion(const syntax::WithClause& with);

}  // namespace northstar::inline v0::sql
