// tree_check.hpp -- does a root hold together?  Layer: btree.  Threads: any.
//
// Reads every page once. Whatever the bytes are, it ends: a subtree with a damaged page at its top is
// reported and not entered, levels only go down, and large values are read only as far as their pages can be different
// ones.
#pragma once

#include "btree/tree.hpp"

#include <functional>
#include <string>

namespace northstar::inline v0::detail {

struct TreeProblem {
    std::uint64_t page = 0;  // number, 0 for a page in memory
    std::string what;
};

struct TreeStatistics {
    std::uint64_t entries = 0;
    std::uint64_t leaves = 0;
    std::uint64_t inner_pages = 0;
    std::uint64_t large_values = 0;
    std::uint64_t used_bytes = 0;  // of leaves, without gaps and garbage
    unsigned depth = 0;
};

/// Verifies one tree: every node's own form, order of keys within and across pages, levels, largest txns,
/// generations, large values readable, number of entries. Calls report for each problem; none: the tree is
/// sound.
TreeStatistics check_tree(const PageSource& source, const TreeRoot& tree,
                          const std::function<void(const TreeProblem&)>& report);

/// The same for one of several trees of a file. `value_pages` are those that large values may still take, over all of
/// the trees: at first as many as the file has. When they are used up, entries name values that share pages; they are
/// reported and not read, or one damaged value would be read for each entry that names it.
TreeStatistics check_tree(const PageSource& source, const TreeRoot& tree, std::uint64_t& value_pages,
                          const std::function<void(const TreeProblem&)>& report);

}  // namespace northstar::inline v0::detail
