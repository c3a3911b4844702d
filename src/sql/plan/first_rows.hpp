// first_rows.hpp -- LIMIT: plans of which a few rows are wanted.  Layer: sql.
//
// A plan that reads whole tables, hashes and sorts them costs the same for ten rows as for all. Where few are wanted,
// the optimizer prefers one that finds the first ones without the others: a scan in the order that is asked for, and
// joins that look up the partners of each row.
#pragma once

#include "sql/plan/plan.hpp"

namespace northstar::inline v0::sql {

/// So many times more rows than are wanted make these few.
constexpr double k_times_wanted = 20;
/// So many times less must reading along an index cost, since what is known of the rows is rough.
constexpr double k_times_less = 2;
/// What a row costs that is found through an index, in rows of a scan.
constexpr double k_index_fetch = 8;

/// Of what is below a LIMIT: so many rows are wanted, in an order of its own columns or, without keys, in any.
struct FirstRows {
    double rows = 0;
    std::vector<SortKey> keys;
};

/// How many rows a limit asks for, as far as it is known; 0: it has none, or there is a sort that is not right below
/// it, which an index does not replace.
double rows_wanted(const Plan& limit);

/// So many rows cost as much as those that a limit wants: OFFSET steps over entries where no condition is left to ask.
double rows_paid_for(const Plan& limit, double wanted);

/// The scan below a limit of known size reads so many rows first.
void tell_scan(const Plan& limit);

}  // namespace northstar::inline v0::sql
