// replay.hpp -- a log record applied to a state: the one path that recovery, other processes, replicas and audits use.
// Layer: txn.  Threads: as the workspace.
#pragma once

#include "log/record.hpp"
#include "txn/workspace.hpp"

namespace northstar::inline v0::detail {

/// Applies the operations of a commit or part record. The workspace's txn must be the record's.
/// Throws Error(corrupt) where an operation names a tree that does not exist.
void apply_record(Workspace& work, const RecordView& record);
void apply_operation(Workspace& work, const LogOperation& operation);

}  // namespace northstar::inline v0::detail
