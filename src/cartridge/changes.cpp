#include "cartridge/changes.hpp"

#include "base/error.hpp"
#include "cartridge/access.hpp"
#include "log/record.hpp"

#include <algorithm>
#include <set>
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
            const bool differs = a.value() != b.value() || a.value().empty();
            if (a.txn() != b.txn() && differs) sink(a.key(), a.value(), b.value());
            in_a = a.next();
            in_b = b.next();
        }
    }
}

/// Keys of a tree that commits behind `older` up to `newer` did something to, and perhaps others. `newest`: a root that
/// somebody holds, which keeps the log where it is. nullopt: the log does not say, or says it at too great length.
std::optional<std::set<std::string>> touched_keys(DatabaseCore& core, const Root& newest, std::uint64_t tree,
                                                  const Tree& in_older, Txn older, Txn newer,
                                                  std::uint64_t most_log_read) try {
    std::uint64_t at = core.position_of(older + 1);
    const std::uint64_t end = newer >= newest.txn.load() ? newest.log_position : core.position_of(newer + 1);
    if (end < at || end - at > most_log_read) return std::nullopt;
    std::set<std::string> keys;
    while (at < end) {
        const RecordView record = core.log().read(at);
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() != RecordKind::commit && record.kind() != RecordKind::part) continue;
        RecordView::Walk walk = record.walk();
        LogOperation operation;
        while (walk.next(operation)) {
            if (operation.tree != tree) continue;
            if (operation.kind == OperationKind::put || operation.kind == OperationKind::erase) {
                keys.emplace(operation.key);
            } else if (operation.kind == OperationKind::erase_range) {
                Range range = operation.to_the_end ? in_older.from(operation.key)
                                                   : in_older.range(operation.key, operation.value);
                for (const auto [key, value] : range) keys.emplace(key);
            }
        }
    }
    return keys;
} catch (const Error& error) {
    if (error.code() != Errc::before_horizon) throw;
    return std::nullopt;
}

}  // namespace changes_impl

void each_change(const Snapshot& before, const Snapshot& after, std::string_view name, const ChangeSink& sink,
                 std::uint64_t most_log_read) {
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
    const Txn newer = std::max(before.txn(), after.txn());
    const Tree& in_older = before.txn() == older ? tree_a : tree_b;
    const std::optional<std::set<std::string>> keys =
        changes_impl::touched_keys(*view_a.core, newest, id, in_older, older, newer, most_log_read);
    if (keys) {
        for (const std::string& key : *keys) {
            const std::optional<std::string_view> then = tree_a.get(key);
            const std::optional<std::string_view> now_there = tree_b.get(key);
            if (then != now_there || (then && then->empty())) sink(key, then, now_there);
        }
        return;
    }
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
