// index_terms.hpp -- what the indexes of a scan's table are over: columns, expressions, some of the rows.
// Layer: sql.
//
// A term is a number: the place of a column, or one that all equal expressions of the table's indexes share.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

inline constexpr int k_no_term = -1;

/// Term that an expression is; a varchar that is read as text is what it reads. O(expressions in indexes).
int term_of(const Plan& scan, const BoundExpr& expr);
/// Term of column `part` of an index.
int term_of(const Plan& scan, std::size_t index, std::size_t part);
Oid type_of_term(const Plan& scan, std::size_t index, std::size_t part);
/// False where it is known that the expression never is NULL.
bool may_be_null(const Plan& scan, int term);
/// Has the index every row that meets the scan's conditions?
bool has_all_rows(const Plan& scan, std::size_t index);
/// Does an index of the table begin with the term, or have it behind others?
bool is_indexed(const Plan& scan, int term);

}  // namespace northstar::inline v0::sql
