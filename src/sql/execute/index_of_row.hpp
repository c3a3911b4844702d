// index_of_row.hpp -- the index of a partition that a row is in.  Layer: sql.  Threads: one at a time.
#pragma once

#include "sql/execute/table_writer.hpp"

#include <string>

namespace northstar::inline v0::sql {

struct IndexName {
    std::string schema, table, index;
};

/// How errors name an index of a table for a row: of a partitioned table by the index of the partition that the row
/// belongs to, where that has one. O(partitions).
IndexName index_of_row(const Relation& table, const Index& index, const Value* row, Execution& execution,
                       WriteAccess& access);

}  // namespace northstar::inline v0::sql
