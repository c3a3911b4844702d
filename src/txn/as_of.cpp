// as_of.cpp -- finding points of the past and opening snapshots there; versions of a key; differences of two states.
#include "base/error.hpp"
#include "txn/core.hpp"
#include "txn/feed.hpp"
#include "txn/inspect.hpp"
#include "txn/past.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::detail {

Txn DatabaseCore::oldest_txn() const {
    const std::lock_guard lock(meta_mutex_);
    return newest_.oldest_txn;
}

Txn DatabaseCore::resolve(AsOf point) {
    catch_up();
    const Root& now = *roots_->visible();
    const Txn newest = now.txn.load();
    if (point.kind == AsOf::Kind::txn) {
        if (point.value > newest) {
            fail(Errc::in_the_future, "txn " + std::to_string(point.value) + " does not exist yet; the newest is " +
                                          std::to_string(newest), path_);
        }
        return point.value;
    }
    // The newest commit at or before the time: commit times never go back.
    Txn txn = 0;
    std::uint64_t at = 0;
    history_->index(newest);
    if (const std::optional<LogAnchor> anchor = history_->anchor_at(point.value)) {
        txn = anchor->txn - 1;
        at = anchor->position;
    } else {
        const ExtentDirectory extents = log_->extents();
        if (!extents.empty()) at = extents[0].logical;
        if (const Txn first = first_logged_txn(); first > 1) txn = first - 1;
    }
    while (txn < newest) {
        const RecordView record = log_->read(at);
        if (record.kind() == RecordKind::commit) {
            if (record.header().time_us > point.value) break;
            txn = record.txn();
        }
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
    return txn;
}

ReadView* DatabaseCore::open_past_view(AsOf point) {
    check_usable();
    const Txn txn = resolve(point);
    ReadView* view = open_view();
    try {
        const Txn newest = view->root->txn.load();
        if (txn >= newest) return view;
        const Meta meta = view->root->base->meta;
        if (txn < meta.oldest_txn) {
            fail(Errc::before_horizon, "the oldest readable state of " + path_ + " is txn " +
                                           std::to_string(meta.oldest_txn) + "; txn " + std::to_string(txn) +
                                           " is not kept any more", path_);
        }
        if (meta.oldest_txn != 0 && meta.retained_txn == 0) {
            // History was off when an earlier checkpoint was made: what keys were then is in no log and no base.
            fail(Errc::before_horizon, path_ + " kept no history for some time, so only the present can be read",
                 path_);
        }
        if (!keeps_history(*view->root)) {
            fail(Errc::before_horizon, path_ + " keeps no history; only the present can be read", path_);
        }
        auto past = std::make_unique<PastState>();
        past->txn = txn;
        past->time_us = txn == 0 ? 0 : time_of(txn);
        past->history = hold_history(newest, past->generation);
        past->retained.root = Ref(meta.retained.root);
        past->retained.count = meta.retained.count;
        past->retained_txn = meta.retained_txn;
        view->past = past.release();  // who closes the view releases the generation
        return view;
    } catch (...) {
        close_view(view);
        throw;
    }
}

std::uint64_t DatabaseCore::time_of(Txn txn) {
    // A large transaction has an anchor of its own: its record need not be read.
    if (const std::optional<LogAnchor> anchor = history_->anchor_of(txn); anchor && anchor->txn == txn)
        return anchor->time_us;
    std::uint64_t at = position_of(txn);
    for (;;) {
        const RecordView record = log_->read(at);
        if (record.kind() == RecordKind::commit) return record.header().time_us;
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
}

namespace as_of_impl {

/// The tree that a name meant at the point of a view.
bool named(const ReadView& view, std::string_view name, CatalogEntry& entry) {
    const PageSource& source = view.core->source();
    const Ref catalog = view.root->catalog.root;
    const PastState* past = view.past;
    if (past == nullptr) return find_tree(source, catalog, name, entry);
    const std::optional<HistoryVersion> version = past->history->newest(k_catalog_tree, name, past->txn);
    std::uint64_t id = 0;
    if (version) {
        if (version->kind == HistoryVersion::Kind::erased) return false;
        const PastTree names(source, view.core->log(), *past, k_catalog_tree, Ref());
        const std::optional<TreeValue> value = names.value_of(name, *version);
        id = decode_catalog_value(value->value).id;
    } else {
        // Older than the log: in the retained base, if anywhere.
        if (past->retained_txn == 0 || !find_tree(source, past->retained.root, name, entry)) return false;
        id = entry.id;
    }
    if (!find_tree(source, catalog, id, entry)) {
        entry = {};
        entry.id = id;
    }
    return true;
}

}  // namespace as_of_impl

bool find_tree_in_view(const ReadView& view, std::string_view name, CatalogEntry& entry) {
    return !name.empty() && as_of_impl::named(view, name, entry);
}

std::vector<std::string> tree_names_in_view(const ReadView& view) {
    const PageSource& source = view.core->source();
    std::vector<std::string> out;
    if (view.past == nullptr) {
        for (const CatalogEntry& entry : list_trees(source, view.root->catalog.root)) out.emplace_back(entry.name);
        return out;
    }
    const PastState& past = *view.past;
    std::set<std::string> names;
    if (past.retained_txn != 0) {
        for (const CatalogEntry& entry : list_trees(source, past.retained.root)) names.emplace(entry.name);
    }
    const std::unique_ptr<HistoryCursor> cursor = past.history->cursor(k_catalog_tree, past.txn);
    for (bool there = cursor->seek(""); there; there = cursor->next()) {
        if (cursor->key().empty()) continue;  // the default retention
        if (cursor->version().kind == HistoryVersion::Kind::erased) {
            names.erase(std::string(cursor->key()));
        } else {
            names.emplace(cursor->key());
        }
    }
    return {names.begin(), names.end()};
}

std::optional<TreeValue> past_get(const ReadView& view, std::uint64_t id, Ref present, std::string_view key) {
    if (id == 0) return std::nullopt;
    return PastTree(view.core->source(), view.core->log(), *view.past, id, present).get(key);
}

std::vector<Version> DatabaseCore::versions(std::string_view tree, std::string_view key) {
    std::vector<Version> out;
    ReadView* view = open_view();
    try {
        const Txn newest = view->root->txn.load();
        auto state = std::make_unique<PastState>();
        state->txn = newest;
        state->history = hold_history(newest, state->generation);
        view->past = state.release();
        const PastState& past = *view->past;
        const std::shared_ptr<const HistoryIndex>& index = past.history;
        // Every tree that ever had the name: today's and those that were dropped.
        std::set<std::uint64_t> ids;
        CatalogEntry entry;
        if (find_tree(*source_, view->root->catalog.root, tree, entry)) ids.insert(entry.id);
        const PastTree names(*source_, *log_, past, k_catalog_tree, Ref());
        index->each_version(k_catalog_tree, tree, [&](const HistoryVersion& version) {
            if (const std::optional<TreeValue> value = names.value_of(tree, version)) {
                ids.insert(decode_catalog_value(value->value).id);
            }
            return true;
        });
        const Txn oldest = oldest_txn();
        for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
            const PastTree versions(*source_, *log_, past, *id, Ref());
            index->each_version(*id, key, [&](const HistoryVersion& version) {
                if (version.txn < oldest) return false;
                Version v;
                v.txn = version.txn;
                v.time_us = time_of(version.txn);
                v.redacted = version.kind == HistoryVersion::Kind::redacted ||
                             (version.kind == HistoryVersion::Kind::logged && !logged_value(*log_, *id, key, version));
                if (const std::optional<TreeValue> value = versions.value_of(key, version)) {
                    v.value = std::string(value->value);
                }
                out.push_back(std::move(v));
                return true;
            });
        }
    } catch (...) {
        close_view(view);
        throw;
    }
    close_view(view);
    return out;
}

std::vector<Change> diff(const Database& database, DatabaseCore& core, AsOf from, AsOf to) {
    Txn before = core.resolve(from);
    Txn after = core.resolve(to);
    const bool swapped = before > after;
    if (swapped) std::swap(before, after);
    // Keys that something was done to in between; ranges are looked up in the state before.
    std::set<std::pair<std::string, std::string>> keys;
    const Snapshot old_state = database.begin_read(AsOf::txn(before));
    const Snapshot new_state = database.begin_read(AsOf::txn(after));
    if (before < after) {
        CommitReader reader(core.shared_from_this(), before + 1, false);
        CommitRecord record;
        while (reader.next(record)) {
            for (const Operation& op : record.operations) {
                const std::string tree(op.tree);
                switch (op.kind) {
                    case Operation::Kind::put:
                    case Operation::Kind::erase: keys.emplace(tree, std::string(op.key)); break;
                    case Operation::Kind::erase_range: {
                        const Tree there = old_state.tree(tree);
                        for (auto [key, value] : op.to ? there.range(op.key, *op.to) : there.from(op.key)) {
                            keys.emplace(tree, std::string(key));
                        }
                        break;
                    }
                    case Operation::Kind::drop_tree:
                        for (auto [key, value] : old_state.tree(tree).all()) keys.emplace(tree, std::string(key));
                        break;
                    case Operation::Kind::create_tree:
                    case Operation::Kind::set_history:
                    case Operation::Kind::redact: break;  // it comes with an erase if it changes the state
                }
            }
            if (record.txn == after) break;
        }
    }
    std::vector<Change> out;
    std::string name;
    std::optional<Tree> old_tree;
    std::optional<Tree> new_tree;
    for (const auto& [tree, key] : keys) {
        if (!old_tree || tree != name) {
            name = tree;
            old_tree = old_state.tree(tree);
            new_tree = new_state.tree(tree);
        }
        const std::optional<std::string_view> a = old_tree->get(key);
        const std::optional<std::string_view> b = new_tree->get(key);
        if (a == b) continue;
        Change change;
        change.tree = tree;
        change.key = key;
        if (a) change.before = std::string(*a);
        if (b) change.after = std::string(*b);
        if (swapped) std::swap(change.before, change.after);
        out.push_back(std::move(change));
    }
    return out;
}

}  // namespace northstar::inline v0::detail
