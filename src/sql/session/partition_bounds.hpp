// partition_bounds.hpp -- FOR VALUES of a partition: read, and held against those of its siblings.  Layer: sql.
// Threads: one at a time.
#pragma once

#include "sql/session/sql_session.hpp"

#include <string>

namespace northstar::inline v0::sql {

/// Raises 42P17 where the parent is not partitioned, 42P16 where the bound is of another kind, 42804.
PartitionBound read_partition_bound(SqlSession& session, const Relation& parent,
                                    const syntax::PartitionValues& syntax);
/// Raises 42P17 where the range is empty or another partition has some of it, 23514 where DEFAULT has rows of it.
void check_partition_bound(SqlSession& session, const Relation& parent, const PartitionBound& bound,
                           const std::string& name);

}  // namespace northstar::inline v0::sql
