// tree_compare.hpp -- what lies between two keys, and whether two roots agree on it.  Layer: btree.  Threads:
// any.
//
// Roots that come from one another share pages; what is shared is not read. An entry is the same if its key
// and its txn are: a transaction leaves one value per key. Roots of different bases share nothing and are
// compared entry by entry.
#pragma once

#include "btree/cursor.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace northstar::inline v0::detail {

struct TreeView {
    const PageSource& source;
    Ref root;
};

/// Visits the keys in [from, to), without `to` from `from` on, whose state differs, in key order: a cursor on
/// the entry of each root that has one, nullptr for the other. Ends early when the visitor returns false, and
/// returns that.
using DiffVisitor = std::function<bool(const TreeCursor* in_a, const TreeCursor* in_b)>;
bool tree_diff(TreeView a, TreeView b, std::string_view from, std::optional<std::string_view> to,
               const DiffVisitor& visit);

/// The same from `from` to the end, until the visitor returns false or about so many entries and shared pages
/// were looked at (`most` becomes what is left of that): the key to go on from; nullopt: there is nothing more.
std::optional<std::string> tree_diff_part(TreeView a, TreeView b, std::string_view from, std::size_t& most,
                                          const DiffVisitor& visit);

/// Is there any such key?
bool tree_range_differs(TreeView a, TreeView b, std::string_view from, std::optional<std::string_view> to);
/// The same for one key.
bool tree_key_differs(TreeView a, TreeView b, std::string_view key);

/// Number of entries in a range; the true one lies in [low, high].
struct TreeEstimate {
    std::uint64_t count = 0;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};
/// Reads the pages at both ends of the range, and all of them where they are few: then the answer is exact.
TreeEstimate tree_estimate(const PageSource& source, const TreeRoot& tree, std::string_view from,
                           std::optional<std::string_view> to);

}  // namespace northstar::inline v0::detail
