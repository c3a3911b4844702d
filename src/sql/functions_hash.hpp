// functions_hash.hpp -- the hash that divides rows among partitions, with the numbers of PostgreSQL.  Layer: sql.
// Threads: any.
#pragma once

#include "sql/value.hpp"

#include <cstdint>
#include <span>

namespace northstar::inline v0::sql {

/// Of the values of a partition key, in its order; the remainder by a modulus says where a row belongs.
std::uint64_t partition_hash(std::span<const Value> key);

}  // namespace northstar::inline v0::sql
