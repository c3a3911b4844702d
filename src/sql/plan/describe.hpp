// describe.hpp -- a plan as text or JSON, for EXPLAIN.  Layer: sql.
#pragma once

#include "sql/catalog/document.hpp"
#include "sql/plan/plan.hpp"

#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// One line for each operator, children indented below it; with `costs` how many rows are expected of it.
void describe_plan(const Plan& plan, int depth, bool costs, std::vector<std::string>& lines);

/// An object with "Node Type", what it reads, with `costs` "Plan Rows", and "Plans" below it.
Document describe_plan(const Plan& plan, bool costs);

}  // namespace northstar::inline v0::sql
