#include "cartridge/changes.hpp"

#include "cartridge/access.hpp"

#include <algorithm>
#include <string>

namespace northstar::inline v0::detail {

namespace changes_impl {

/// Merges two cursors from `from` to before `to`.
void compare_range(Cursor& a, Cursor& b, std::string_view from, const std::optional<std::string>& to,
                   const ChangeSink& sink) {
    bool in_a = a.lower_bound(from);
    bool in_b = b.lower_bound(from);
    const auto inside = [&](const Cursor& cursor) { return !to || cursor.key() < *to; };
    for (;;) {
        in_a = in_a && inside(a);
        in_b = in_b && inside(b);
        if (!in_a && !in_b) return;
        const int order = !in_a ? 1 : !in_b ? -1 : a.key().compare(b.key());
        if (order < 0) {
            sink(a.key(), a.value(), std::nullopt);
            in_a = a.next();
        } else if (order > 0) {
            sink(b.key(), std::nullopt, b.value());
            in_b = b.next();
        } else {
            // One transaction leaves one value per key.
            if (a.txn() != b.txn() && a.value() != b.value()) sink(a.key(), a.value(), b.value());
            in_a = a.next();
            in_b = b.next();
        }
    }
}

}  // namespace changes_impl

void each_change(const Snapshot& before, const Snapshot& after, std::string_view name, const ChangeSink& sink) {
    const Tree tree_a = before.tree(name);
    const Tree tree_b = after.tree(name);
    const std::uint64_t id = CartridgeAccess::tree_id(tree_a);
    Cursor a = tree_a.cursor();
    Cursor b = tree_b.cursor();
    const ReadView& view_a = CartridgeAccess::view(before);
    const ReadView& view_b = CartridgeAccess::view(after);
    const Root& newest = view_a.root->txn.load() > view_b.root->txn.load() ? *view_a.root : *view_b.root;
    const PageSource& source = view_a.core->source();
    CatalogEntry now;
    const bool same_tree = id == CartridgeAccess::tree_id(tree_b) && id != 0;
    if (!same_tree || !find_tree(source, newest.catalog.root, id, now) || now.root.root.empty()) {
        changes_impl::compare_range(a, b, {}, std::nullopt, sink);
        return;
    }
    const Txn older = std::min(before.txn(), after.txn());
    TreeCursor leaf(source, now.root.root);
    std::string from;
    std::string end;
    for (bool there = leaf.first_changed_leaf(older); there; there = leaf.next_changed_leaf(older)) {
        if (!leaf.low_fence(from)) from.clear();
        std::optional<std::string> to;
        if (leaf.high_fence(end)) to = end;
        changes_impl::compare_range(a, b, from, to, sink);
    }
}

bool may_differ(const Snapshot& snapshot, std::string_view name, Txn txn) {
    const ReadView& view = CartridgeAccess::view(snapshot);
    if (snapshot.txn() == txn) return false;
    if (view.past != nullptr || snapshot.txn() < txn) return true;
    CatalogEntry now;
    // A tree that was made or dropped since is another one.
    if (!find_tree(view.core->source(), view.root->catalog.root, name, now)) return true;
    if (now.created > txn || now.root.root.empty()) return true;
    TreeCursor leaf(view.core->source(), now.root.root);
    return leaf.first_changed_leaf(txn);
}

}  // namespace northstar::inline v0::detail
