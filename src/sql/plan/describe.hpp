// describe.hpp -- a plan as text or JSON, for EXPLAIN.  Layer: sql.
//
// Each operator says what it does with its input, as PostgreSQL's EXPLAIN does: the conditions that lead through an
// index and those that rows are tried with behind it, keys of joins, groups and sorts (plan/expression_text.hpp).
#pragma once

#include "sql/catalog/document.hpp"
#include "sql/plan/plan.hpp"
#include "sql/session.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace northstar::inline v0::sql {

/// What one operator did in a run. Times are those of the operator and everything below it.
struct OperatorActuals {
    std::uint64_t loops = 0;            ///< how often it was opened
    std::uint64_t rows = 0;             ///< of all loops
    std::uint64_t refused = 0;          ///< by its conditions, of all loops
    std::uint64_t put_aside = 0;        ///< bytes that went into files, for lack of memory, with all below it
    std::uint64_t startup_nanos = 0;    ///< until the first rows came, of all loops
    std::uint64_t total_nanos = 0;
};
using PlanActuals = std::unordered_map<const Plan*, OperatorActuals>;

struct DescribeOptions {
    bool costs = true;                     ///< how many rows are expected
    bool timing = true;                    ///< with actuals: times as well as rows
    const PlanActuals* actuals = nullptr;  ///< of a run; null: it was not run
    bool verbose = false;                  ///< what each operator hands on, and schemas
    Session* session = nullptr;            ///< values are shown by its settings; not null
};

/// A line for each operator, what it says of itself and its children indented below it; queries of WITH and subqueries
/// below who reads them. `indent`: blanks in front of the first.
void describe_plan(const Plan& plan, std::size_t indent, const DescribeOptions& options,
                   std::vector<std::string>& lines);

/// An object with "Node Type", what it reads, with costs "Plan Rows", with actuals those, and "Plans" below it.
Document describe_plan(const Plan& plan, const DescribeOptions& options);

/// " (actual time=0.010..0.123 rows=5 loops=1)": times and rows of a loop, on average.
std::string actuals_text(const OperatorActuals& actuals, bool timing);
/// The same as members.
void set_actuals(const OperatorActuals& actuals, bool timing, Document& node);
/// "0.123": milliseconds.
std::string milliseconds_text(std::uint64_t nanos);

}  // namespace northstar::inline v0::sql
