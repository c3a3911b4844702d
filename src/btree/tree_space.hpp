// tree_space.hpp -- how many pages a tree has.  Layer: btree.  Threads: any.
#pragma once

#include "btree/tree.hpp"

#include <cstdint>

namespace northstar::inline v0::detail {

struct TreePages {
    unsigned depth = 0;  // levels, leaves included
    std::uint64_t inner_pages = 0;
    std::uint64_t leaf_pages = 0;
    std::uint64_t value_pages = 0;  // of large values
};

/// Counts inner pages and leaves; of large values those in at most k_leaves_looked_at leaves, evenly spread, from which
/// it concludes what all have. Reads the inner pages and these leaves. No sound tree has more pages than `most`: where
/// one goes on behind that it is damaged, Error(corrupt).
TreePages tree_pages(const PageSource& source, Ref root, std::uint64_t most);
inline constexpr std::uint64_t k_leaves_looked_at = 64;

}  // namespace northstar::inline v0::detail
