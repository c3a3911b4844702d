// repack.hpp -- leaves built anew with little room left, for a file that is to become small.  Layer: btree.
// Threads: the writer's.
//
// [REPACK-1] What the tree says stays as it is, txns included. A leaf has the largest max txn of those it was built
//            from, so it is never less than [TREE-3] asks for.
#pragma once

#include "btree/tree.hpp"

#include <vector>

namespace northstar::inline v0::detail {

/// Would clearly fewer leaves hold the bytes that lie below a node of level 1 of a plain tree? Reads its leaves, and
/// throws Error(corrupt) where they are not in order.
bool worth_repacking(const PageSource& source, const Node& parent);

/// Builds the leaves below a node of level 1 anew, where that was found worth it; `leaves` are their pages, owned by
/// the writer like the page that is returned, which takes the place of the node. The old leaves are dropped, the node
/// itself is not. nullptr: it would not take fewer leaves, or the node has no room for the new separators, and nothing
/// was changed.
std::byte* repack_leaves(PageWriter& writer, const Node& parent, std::vector<std::byte*>& leaves);

}  // namespace northstar::inline v0::detail
