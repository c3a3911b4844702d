#include "btree/tree_edit.hpp"

#include "btree/cursor.hpp"

#include <string>

namespace northstar::inline v0::detail {

// Walks the pages below a ref with a stack of its own; a page is dropped after its children.
std::uint64_t TreeEditor::drop_subtree(Ref ref, unsigned level) {
    struct Open {
        Ref ref;
        unsigned next;  // child to visit
    };
    Open open[k_max_depth];
    std::uint64_t entries = 0;
    unsigned used = 0;
    std::string last;  // key of the leaf before
    bool first = true;
    open[used++] = {ref, 0};
    while (used != 0) {
        Open& top = open[used - 1];
        const Node node(tree_impl::node_at(writer_.source(), top.ref, level - (used - 1)));
        if (!node.leaf() && top.next <= node.count()) {
            open[used++] = {node.child(top.next++), 0};
            continue;
        }
        if (node.leaf()) {
            if (!top.ref.in_memory()) {
                const Node::Place place = node.search_leaf(last);
                if (node.count() == 0 ? used != 1 : !first && (place.index != 0 || place.equal)) {
                    tree_impl::out_of_order(top.ref);
                }
                if (node.count() != 0) {
                    last.resize(node.prefix_size() + node.suffix(node.count() - 1).size);
                    node.copy_key(node.count() - 1, reinterpret_cast<std::byte*>(last.data()));
                    first = false;
                }
            }
            entries += node.count();
            for (unsigned i = 0; i < node.count(); ++i) drop_value(node.leaf_cell(i));
        }
        writer_.drop(top.ref);
        --used;
    }
    return entries;
}

std::uint64_t TreeEditor::remove_children(std::byte* page, unsigned from, unsigned to) {
    const Node node(page);
    std::uint64_t entries = 0;
    for (unsigned i = from; i < to; ++i) entries += drop_subtree(node.child(i), node.level() - 1);
    inner_remove(page, page_size_, from, to);
    return entries;
}

std::uint64_t TreeEditor::remove_entries(std::byte* page, unsigned from, unsigned to) {
    const Node node(page);
    for (unsigned i = from; i < to; ++i) drop_value(node.leaf_cell(i));
    leaf_remove(page, page_size_, from, to);
    set_max_txn(page, txn());
    return to - from;
}

// Removes what lies behind the path from `depth` downward, and the entries of its leaf from `from` on.
std::uint64_t TreeEditor::cut_behind(unsigned depth, std::string_view from) {
    std::uint64_t entries = 0;
    for (; depth < depth_; ++depth) {
        entries += remove_children(path_[depth].page, path_[depth].index + 1, node(depth).count() + 1);
    }
    const Node leaf = node(depth_);
    return entries + remove_entries(path_[depth_].page, leaf.search_leaf(from).index, leaf.count());
}

// Removes what lies before a key in the subtree of an owned page.
std::uint64_t TreeEditor::cut_before(std::byte* page, std::string_view to) {
    std::uint64_t entries = 0;
    while (!Node(page).leaf()) {
        set_max_txn(page, txn());
        entries += remove_children(page, 0, Node(page).search_child(to));
        page = own_child(page, 0);
    }
    return entries + remove_entries(page, 0, Node(page).search_leaf(to).index);
}

std::uint64_t TreeEditor::erase_range(std::string_view from, std::optional<std::string_view> to) {
    {
        TreeCursor cursor(writer_.source(), tree_.root);
        if (!cursor.lower_bound(from) || (to && cursor.key() >= *to)) return 0;
    }
    descend(from);
    std::uint64_t entries = 0;
    unsigned depth = 0;  // where the paths to both ends part
    if (to) {
        while (depth < depth_ && node(depth).search_child(*to) == path_[depth].index) ++depth;
        if (depth == depth_) {
            const Node leaf = node(depth);
            entries =
                remove_entries(path_[depth].page, leaf.search_leaf(from).index, leaf.search_leaf(*to).index);
        } else {
            std::byte* page = path_[depth].page;
            const unsigned left = path_[depth].index;
            entries = remove_children(page, left + 1, Node(page).search_child(*to));
            entries += cut_behind(depth + 1, from);
            entries += cut_before(own_child(page, left + 1), *to);
        }
    } else {
        entries = cut_behind(0, from);
    }
    tree_.count -= entries;
    // Both edges now end in the hole and carry the txn. They may be thin, or empty, on every level.
    descend(from);
    repair();
    if (to) {
        descend(*to);
        repair();
    }
    return entries;
}

std::uint64_t tree_erase_range(PageWriter& writer, TreeRoot& tree, std::string_view from,
                               std::optional<std::string_view> to) {
    if (to && *to <= from) return 0;
    return TreeEditor(writer, tree, TreeKind::plain).erase_range(from, to);
}

void tree_drop(PageWriter& writer, TreeRoot& tree) {
    if (!tree.root.empty()) {
        const Node root(tree_impl::root_page(writer.source(), tree.root));
        TreeEditor(writer, tree, TreeKind::plain).drop_subtree(tree.root, root.level());
    }
    tree = TreeRoot{};
}

}  // namespace northstar::inline v0::detail
