#include "btree/tree_compare.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace tree_compare_impl {

// Leaves between the ends of a range that an estimate reads to be exact.
inline constexpr unsigned k_leaves_to_count = 8;

// The highest page that both cursors stand in at the same place. The steps below it lie in that page as well,
// so both can leave it together. False: not even the leaf is shared.
inline bool shared_page(const TreeCursor& a, const TreeCursor& b, unsigned& a_step, unsigned& b_step) {
    a_step = a.depth();
    b_step = b.depth();
    if (a.page_ref(a_step) != b.page_ref(b_step) || a.page_index(a_step) != b.page_index(b_step))
        return false;
    while (a_step != 0 && b_step != 0 && a.page_ref(a_step - 1) == b.page_ref(b_step - 1) &&
           a.page_index(a_step - 1) == b.page_index(b_step - 1)) {
        --a_step;
        --b_step;
    }
    return true;
}

// One page on the way to an end of a range.
struct Level {
    const std::byte* page;
    unsigned index;
};
struct Path {
    Level levels[k_max_depth];
    unsigned depth = 0;  // of the leaf
};

// Without a key to the right end.
inline Path find_path(const PageSource& source, Ref root, std::optional<std::string_view> key) {
    Path path;
    const std::byte* page = tree_impl::root_page(source, root);
    for (unsigned level = Node(page).level(); level != 0;) {
        const Node node(page);
        const unsigned index = key ? node.search_child(*key) : node.count();
        path.levels[path.depth++] = {page, index};
        page = tree_impl::node_at(source, node.child(index), --level);
    }
    const Node leaf(page);
    path.levels[path.depth] = {page, key ? leaf.search_leaf(*key).index : leaf.count()};
    return path;
}

// Most entries that a leaf can hold: each needs a head, a slot and the shortest cell.
inline std::uint64_t leaf_capacity(std::size_t page_size) {
    return (page_size - k_page_header_size) / (k_leaf_array_size + 2);
}
inline std::uint64_t inner_capacity(std::size_t page_size) {
    return (page_size - k_page_header_size) / k_inner_array_size + 1;
}
inline std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
    return b != 0 && a > ~std::uint64_t{0} / b ? ~std::uint64_t{0} : a * b;
}
inline std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
    return a > ~std::uint64_t{0} - b ? ~std::uint64_t{0} : a + b;
}

// Subtrees that hang between two paths, by their level, and what is known of one level from the two paths.
inline TreeEstimate estimate_between(const PageSource& source, const TreeRoot& tree, const Path& left,
                                     const Path& right) {
    TreeEstimate result;
    const unsigned depth = left.depth;
    const Node low_leaf(left.levels[depth].page);
    const Node high_leaf(right.levels[depth].page);
    const std::uint64_t ends = low_leaf.count() - left.levels[depth].index + right.levels[depth].index;
    result = {ends, ends, ends};
    double per_subtree = (low_leaf.count() + high_leaf.count()) / 2.0;
    std::uint64_t most = leaf_capacity(source.page_size());
    double guess = 0;
    for (unsigned step = depth; step-- != 0;) {
        const Level& a = left.levels[step];
        const Level& b = right.levels[step];
        const bool together = a.page == b.page;
        const std::uint64_t between =
            together ? b.index - a.index - 1 : Node(a.page).count() - a.index + b.index;
        guess += per_subtree * static_cast<double>(between);
        result.low += between;
        result.high = saturating_add(result.high, saturating_multiply(between, most));
        if (together) break;
        per_subtree *= (Node(a.page).count() + Node(b.page).count() + 2) / 2.0;
        most = saturating_multiply(most, inner_capacity(source.page_size()));
    }
    result.high = std::min(result.high, tree.count);
    result.low = std::min(result.low, result.high);
    guess = std::min(guess, static_cast<double>(tree.count));
    result.count = std::clamp(ends + static_cast<std::uint64_t>(guess), result.low, result.high);
    return result;
}

// The key to go on from where the visitor or the number of steps ended it; nullopt: it came to the end.
std::optional<std::string> diff(TreeView a, TreeView b, std::string_view from,
                                std::optional<std::string_view> to, std::size_t& most, const DiffVisitor& visit) {
    TreeCursor x(a.source, a.root);
    TreeCursor y(b.source, b.root);
    x.lower_bound(from);
    y.lower_bound(from);
    for (;; most -= most == 0 ? 0 : 1) {
        const bool in_x = x.valid() && (!to || x.key() < *to);
        const bool in_y = y.valid() && (!to || y.key() < *to);
        if (!in_x && !in_y) return std::nullopt;
        unsigned x_step;
        unsigned y_step;
        if (in_x && in_y && shared_page(x, y, x_step, y_step)) {
            TreeCursor::skip_shared(x, x_step, y, y_step);
            continue;
        }
        const int order = !in_y ? -1 : !in_x ? 1 : x.key().compare(y.key());
        if (most == 0) return std::string(order <= 0 ? x.key() : y.key());
        if ((order != 0 || x.txn() != y.txn()) &&
            !visit(order <= 0 ? &x : nullptr, order >= 0 ? &y : nullptr)) {
            // The least key behind this one.
            return std::string(order <= 0 ? x.key() : y.key()) + '\0';
        }
        if (order <= 0) x.next();
        if (order >= 0) y.next();
    }
}

}  // namespace tree_compare_impl

bool tree_key_differs(TreeView a, TreeView b, std::string_view key) {
    if (a.root == b.root) return false;
    LeafCell x;
    LeafCell y;
    const bool in_a = tree_impl::find(a.source, a.root, key, x);
    const bool in_b = tree_impl::find(b.source, b.root, key, y);
    return in_a != in_b || (in_a && x.txn != y.txn);
}

bool tree_diff(TreeView a, TreeView b, std::string_view from, std::optional<std::string_view> to,
               const DiffVisitor& visit) {
    if (a.root == b.root || (to && *to <= from)) return true;
    std::size_t most = ~std::size_t{0};
    return !tree_compare_impl::diff(a, b, from, to, most, visit);
}

std::optional<std::string> tree_diff_part(TreeView a, TreeView b, std::string_view from, std::size_t& most,
                                          const DiffVisitor& visit) {
    if (a.root == b.root) return std::nullopt;
    return tree_compare_impl::diff(a, b, from, std::nullopt, most, visit);
}

bool tree_range_differs(TreeView a, TreeView b, std::string_view from, std::optional<std::string_view> to) {
    return !tree_diff(a, b, from, to, [](const TreeCursor*, const TreeCursor*) { return false; });
}

TreeEstimate tree_estimate(const PageSource& source, const TreeRoot& tree, std::string_view from,
                           std::optional<std::string_view> to) {
    if (tree.root.empty() || (to && *to <= from)) return {};
    const auto left = tree_compare_impl::find_path(source, tree.root, from);
    const auto right = tree_compare_impl::find_path(source, tree.root, to);
    if (left.levels[left.depth].page == right.levels[right.depth].page) {
        const std::uint64_t count = right.levels[right.depth].index - left.levels[left.depth].index;
        return {count, count, count};
    }
    TreeCursor cursor(source, tree.root);
    cursor.seek_leaf(from);
    std::uint64_t count = cursor.leaf_count() - cursor.leaf_index();
    for (unsigned i = 0; i <= tree_compare_impl::k_leaves_to_count; ++i) {
        if (!cursor.next_leaf()) return {count, count, count};
        if (source.page(cursor.page_ref(cursor.depth())) == right.levels[right.depth].page) {
            count += right.levels[right.depth].index;
            return {count, count, count};
        }
        count += cursor.leaf_count();
    }
    return tree_compare_impl::estimate_between(source, tree, left, right);
}

}  // namespace northstar::inline v0::detail
