// describe.hpp -- a plan as text or JSON, for EXPLAIN.  Layer: sql.
#pragma once

#include "sql/catalog/document.hpp"
#include "sql/plan/plan.hpp"
#include "sql/session.hpp"

#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// One line for each operator, children indented below it.
void describe_plan(const Plan& plan, int depth, Session& session, std::vector<std::string>& lines);

/// An object with "Node Type", "Plan Rows", what it reads, and "Plans" below it.
Document describe_plan(const Plan& plan);

}  // namespace northstar::inline v0::sql
