// sql_tpch.hpp -- TPC-H: its tables filled by a generator of its own, its 22 queries.
//
// Source: TPC Benchmark H, specification revision 3.0.1, clauses 1.4 (tables), 4.2.3 (values), 2.4 (queries, with the
// parameters that validate them). Values follow the distributions that the queries depend on; texts are shorter, and
// dbgen's random streams are not followed, so answers are compared between engines and not with the printed ones.
#pragma once

#include <cstdint>
#include <string>

#include "sql.hpp"

namespace bench {

void load_tpch(SqlEngine& engine, double scale, std::uint64_t seed);
/// The text of query 1..22 in the engine's dialect.
std::string tpch_query(int number, bool northstar);

}  // namespace bench
