// replay.hpp -- a log record applied to a state: the one path that recovery, other processes, replicas and audits use.
// Layer: txn.  Threads: as the workspace.
//
// [REPLAY-1] Others write the file meanwhile: behind two of their checkpoints the extents between the base and the
//            newest meta page may hold anything, or be cut off. So records are copied before they are verified, and
//            what looks wrong is wrong only if the base is still that of the newest meta page.
#pragma once

#include "log/record.hpp"
#include "txn/workspace.hpp"

namespace northstar::inline v0::detail {

/// Applies the operations of a commit or part record. The workspace's txn must be the record's.
/// Throws Error(corrupt) where an operation names a tree that does not exist.
void apply_record(Workspace& work, const RecordView& record);
void apply_operation(Workspace& work, const LogOperation& operation);

}  // namespace northstar::inline v0::detail
