// as_of.cpp -- finding points of the past and opening snapshots there; versions of a key; differences of two states.
#include "base/error.hpp"
#include "txn/core.hpp"
#include "txn/feed.hpp"
#include "txn/inspect.hpp"
#include "txn/past.hpp"
#include "txn/state_hash.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::detail {

std::shared_ptr<const HistoryFollower> DatabaseCore::history() const {
    const std::lock_guard lock(meta_mutex_);
    return bases_.back()->history;
}

Horizon DatabaseCore::horizon() const {
    const std::lock_guard lock(meta_mutex_);
    return bases_.back()->horizon;
}

Txn DatabaseCore::oldest_readable(const ReadView& view) const {
    const Root& root = *view.root;
    if (!keeps_history(root)) return root.txn.load();
    return std::max(root.base->horizon.txn, history_floor(*source_, root.catalog.root, 0));
}

Txn DatabaseCore::oldest_txn() {
    const OpenView view(open_view());
    return oldest_readable(*view.view);
}

OldestState DatabaseCore::oldest_state() {
    const OpenView view(open_view());
    const Root& root = *view.view->root;
    const Horizon& horizon = root.base->horizon;
    OldestState oldest;
    oldest.txn = oldest_readable(*view.view);
    oldest.time_us = oldest.txn == root.txn.load() ? root.time_us : time_of(*root.base, oldest.txn);
    if (oldest.txn != 0 && oldest.txn == horizon.txn) {
        oldest.chain = horizon.chain;
        // While values are being erased the state there is neither what it was nor what it will be.
        if (pending_redaction() == 0) oldest.state = horizon.state;
        return oldest;
    }
    oldest.chain = chain_hash(oldest.txn);
    const Ref catalog = root.catalog.root;
    if (oldest.txn == history_floor(*source_, catalog, 0)) oldest.state = pruned_state(*source_, catalog);
    return oldest;
}

Txn DatabaseCore::txn_at(std::uint64_t time_us, Txn newest) {
    // The newest commit at or before the time: commit times never go back.
    const Horizon oldest = horizon();
    const std::shared_ptr<const HistoryFollower> past = history();
    past->index(newest);
    Txn txn = 0;
    std::uint64_t at = log_start();
    if (oldest.txn != 0 && time_us < oldest.first.time_us) return oldest.txn - 1;
    if (const std::optional<LogAnchor> anchor = past->anchor_at(time_us)) {
        txn = anchor->txn - 1;
        at = anchor->position;
    } else if (const Txn first = first_logged_txn(); first > 1) {
        txn = first - 1;
    }
    while (txn < newest) {
        const RecordView record = log_->read(at);
        if (record.kind() == RecordKind::commit) {
            if (record.header().time_us > time_us) break;
            txn = record.txn();
        }
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
    return txn;
}

Txn DatabaseCore::resolve(AsOf point) {
    const OpenView view(open_view());
    const Txn newest = view.view->root->txn.load();
    if (point.kind == AsOf::Kind::time) return txn_at(point.value, newest);
    if (point.value > newest) not_yet(point.value, newest);
    return point.value;
}

void DatabaseCore::not_yet(Txn txn, Txn newest) const {
    fail(Errc::in_the_future,
         "txn " + std::to_string(txn) + " does not exist yet; the newest is " + std::to_string(newest), path_);
}

ReadView* DatabaseCore::open_past_view(AsOf point) {
    check_usable();
    const Txn txn = point.kind == AsOf::Kind::time ? resolve(point) : point.value;
    ReadView* view = open_view();
    try {
        const Root& root = *view->root;
        const Txn newest = root.txn.load();
        if (txn > newest) not_yet(txn, newest);
        if (txn == newest) return view;
        const std::uint64_t number = root.number.load(std::memory_order_relaxed);
        if (std::unique_ptr<PastState> kept = kept_pasts_->take(number, txn)) {
            view->past = kept.release();
            return view;
        }
        if (!keeps_history(root)) {
            fail(Errc::before_horizon, path_ + " keeps no history; only the present can be read", path_);
        }
        if (const Txn oldest = oldest_readable(*view); txn < oldest) {
            fail(Errc::before_horizon, "the oldest readable state of " + path_ + " is txn " + std::to_string(oldest) +
                                           "; txn " + std::to_string(txn) + " is not kept any more", path_);
        }
        turn_to_past(*view, txn, newest);
        view->past->root = number;
        return view;
    } catch (...) {
        close_view(view);
        throw;
    }
}

/// Makes a view of the present one of a readable txn. `indexed`: what the history must know at least.
void DatabaseCore::turn_to_past(ReadView& view, Txn txn, Txn indexed) {
    const Base& base = *view.root->base;
    auto past = std::make_unique<PastState>();
    past->txn = txn;
    past->history = base.history->index(indexed);
    past->base_kept = detail::keeps_history(*source_, Ref(base.meta.catalog.root), base.meta.history);
    view.past = past.release();
}

/// Commit time of a txn as a generation that somebody stands on has it; 0: its record is not kept any more. A newer
/// generation may have moved the horizon on.
std::uint64_t DatabaseCore::time_of(const Base& base, Txn txn) {
    std::uint64_t from = 0;
    return time_of(base, txn, from);
}

std::uint64_t DatabaseCore::time_of(const Base& base, Txn txn, std::uint64_t& from) {
    const Horizon& oldest = base.horizon;
    if (txn == oldest.txn) return oldest.first.time_us;
    if (txn < oldest.txn) return 0;
    // A large transaction has an anchor of its own: its record need not be read.
    if (const std::optional<LogAnchor> anchor = base.history->anchor_of(txn); anchor && anchor->txn == txn) {
        return anchor->time_us;
    }
    const std::optional<std::uint64_t> position = find_position(base, txn, from);
    if (!position) return 0;
    from = *position;
    for (std::uint64_t at = *position;;) {
        const RecordView record = log_->read(at);
        if (record.kind() == RecordKind::commit) return record.header().time_us;
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
}

std::optional<Txn> tree_horizon(const ReadView& view, std::uint64_t id) {
    const PageSource& source = view.core->source();
    const Root& root = *view.root;
    const Ref catalog = root.catalog.root;
    if (retention_of(source, catalog, root.history, id).kind == History::Kind::nothing) return std::nullopt;
    return std::max({root.base->horizon.of(id), history_floor(source, catalog, 0), history_floor(source, catalog, id)});
}

namespace as_of_impl {

/// So many names a state of the past remembers: it looks at one after the other.
constexpr std::size_t k_most_names = 16;

/// A tree of a view of the past, by the catalog of that time.
bool find_past_tree(const ReadView& view, std::string_view name, CatalogEntry& entry);

/// The catalog that says what was there before the history that is kept; empty: nothing was.
Ref names_of_base(const ReadView& view) {
    const Base& base = *view.root->base;
    if (!keeps_history(view.core->source(), Ref(base.meta.catalog.root), base.meta.history)) {
        return Ref(base.meta.catalog.root);
    }
    return base.meta.retained_txn != 0 ? Ref(base.meta.retained.root) : Ref();
}

/// The number that a name meant at a txn, as the catalog of that time says; 0: none.
std::uint64_t named(const ReadView& view, const PastTree& names, Txn txn, std::string_view name) {
    const PageSource& source = view.core->source();
    if (const std::optional<HistoryVersion> version = names.version(name)) {
        if (version->kind == HistoryVersion::Kind::erased) return 0;
        return decode_catalog_value(names.value_of(name, *version)->value).id;
    }
    // Made before the history that is kept: in the retained base, if anywhere.
    CatalogEntry entry;
    const Ref base = names_of_base(view);
    return find_tree(source, base, name, entry) && entry.created <= txn ? entry.id : 0;
}

}  // namespace as_of_impl

const PastTree& past_tree(const ReadView& view, std::uint64_t id, Ref present) {
    const PastState& past = *view.past;
    const PastState::Known* head = past.known.load(std::memory_order_acquire);
    for (const PastState::Known* at = head; at != nullptr; at = at->next) {
        if (at->tree.id() == id) return at->tree;
    }
    auto* const added = new PastState::Known{PastTree(view, past, id, present), head};
    while (!past.known.compare_exchange_weak(head, added, std::memory_order_acq_rel)) added->next = head;
    return added->tree;
}

std::uint64_t time_of_past(const ReadView& view) {
    const PastState& past = *view.past;
    std::uint64_t time_us = past.time_us.load(std::memory_order_relaxed);
    if (time_us == PastState::k_not_asked) {
        time_us = past.txn == 0 ? 0 : view.core->time_of(*view.root->base, past.txn);
        past.time_us.store(time_us, std::memory_order_relaxed);
    }
    return time_us;
}

bool find_tree_in_view(const ReadView& view, std::string_view name, CatalogEntry& entry) {
    if (name.empty()) return false;
    if (view.past == nullptr) {
        return find_tree(view.core->source(), view.root->catalog.root, name, view.core->tree_hints(), entry);
    }
    std::size_t names = 0;
    const PastState::Named* head = view.past->named.load(std::memory_order_acquire);
    for (const PastState::Named* at = head; at != nullptr; at = at->next, ++names) {
        if (at->name != name) continue;
        entry = at->entry;
        return true;
    }
    if (!as_of_impl::find_past_tree(view, name, entry)) return false;
    if (names >= as_of_impl::k_most_names) return true;
    auto* const added = new PastState::Named{std::string(name), entry, head};
    while (!view.past->named.compare_exchange_weak(head, added, std::memory_order_acq_rel)) added->next = head;
    return true;
}

namespace as_of_impl {

bool find_past_tree(const ReadView& view, std::string_view name, CatalogEntry& entry) {
    const PageSource& source = view.core->source();
    const Ref catalog = view.root->catalog.root;
    const std::uint64_t id =
        named(view, past_tree(view, k_catalog_tree, Ref()), view.past->txn, name);
    if (id == 0) return false;
    const std::optional<Txn> oldest = tree_horizon(view, id);
    if (!oldest || view.past->txn < *oldest) {
        const std::string& path = view.core->path();
        fail(Errc::before_horizon,
             "tree " + std::string(name) + " of " + path +
                 (oldest ? " can be read from txn " + std::to_string(*oldest) + " on; txn " +
                               std::to_string(view.past->txn) + " is not kept any more"
                         : std::string(" keeps no history; only its present can be read")),
             path);
    }
    if (!find_tree(source, catalog, id, entry)) {
        entry = {};
        entry.id = id;
    }
    return true;
}

}  // namespace as_of_impl

History tree_history_in_view(const ReadView& view, std::string_view name, const CatalogEntry& now) {
    if (view.past == nullptr) return now.own_history ? now.history : view.root->history;
    const PastTree& names = past_tree(view, k_catalog_tree, Ref());
    if (const std::optional<HistoryVersion> version = names.version(name)) {
        return decode_catalog_value(names.value_of(name, *version)->value).history;
    }
    CatalogEntry entry;
    const bool found = find_tree(view.core->source(), as_of_impl::names_of_base(view), name, entry);
    return found && entry.own_history ? entry.history : default_history_in_view(view);
}

History default_history_in_view(const ReadView& view) {
    if (view.past == nullptr) return view.root->history;
    const PastTree& names = past_tree(view, k_catalog_tree, Ref());
    if (const std::optional<HistoryVersion> version = names.version({})) {
        return decode_catalog_value(names.value_of({}, *version)->value).history;
    }
    // It never changed, or for the first time later: from what, nobody wrote down.
    return view.past->history->newest(k_catalog_tree, {}, ~Txn{0}) ? History::everything() : view.root->history;
}

std::vector<std::string> tree_names_in_view(const ReadView& view) {
    const PageSource& source = view.core->source();
    std::vector<std::string> out;
    if (view.past == nullptr) {
        for (const CatalogEntry& entry : list_trees(source, view.root->catalog.root)) out.emplace_back(entry.name);
        return out;
    }
    const PastState& past = *view.past;
    const PastTree& catalog = past_tree(view, k_catalog_tree, Ref());
    std::set<std::string> names;
    for (const CatalogEntry& entry : list_trees(source, as_of_impl::names_of_base(view))) {
        if (entry.created <= past.txn) names.emplace(entry.name);
    }
    const std::unique_ptr<HistoryCursor> cursor = past.history->cursor(k_catalog_tree, past.txn);
    for (bool there = cursor->seek(""); there; there = cursor->next()) {
        if (cursor->key().empty()) continue;  // the default retention
        if (cursor->version().txn <= catalog.stale()) continue;
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
    return past_tree(view, id, present).get(key);
}

std::optional<Hash> DatabaseCore::state_hash_at(Txn txn) {
    const OpenView view(open_past_view(AsOf::txn(txn)));
    try {
        return state_hash(*view.view);
    } catch (const Error& error) {
        if (error.code() != Errc::before_horizon) throw;
        return std::nullopt;
    }
}

namespace as_of_impl {

/// Versions of a key of one tree, newest first. Where something was forgotten, the last is the state at the horizon.
void versions_of(const ReadView& view, const PastState& newest, std::uint64_t id, std::string_view name,
                 std::string_view key, std::vector<Version>& out) {
    DatabaseCore& core = *view.core;
    CatalogEntry entry;
    const Ref present = find_tree(core.source(), view.root->catalog.root, id, entry) ? entry.root.root : Ref();
    const std::optional<Txn> kept = tree_horizon(view, id);
    const Txn oldest = kept.value_or(newest.txn);
    const PastTree tree(view, newest, id, present);
    const std::size_t first = out.size();
    const auto add = [&](Txn txn, bool redacted, const std::optional<TreeValue>& value) {
        Version version;
        version.txn = txn;
        version.redacted = redacted;
        if (value) version.value = std::string(value->value);
        out.push_back(std::move(version));
    };
    // The state that the oldest version began from.
    PastState horizon;
    horizon.txn = oldest;
    horizon.history = newest.history;
    horizon.base_kept = newest.base_kept;
    const PastTree before(view, horizon, id, present);
    std::optional<TreeValue> last;
    std::optional<HistoryVersion> said;
    // What a tree held that was dropped by then is in no state.
    if (oldest != 0 && named(view, PastTree(view, horizon, k_catalog_tree, Ref()), oldest, name) == id) {
        said = before.version(key);
        last = before.get(key);
    }
    if (kept) {
        const Txn above = std::max(oldest, tree.stale());
        newest.history->each_version(id, key, above, last ? last->txn : 0, [&](const HistoryVersion& version) {
            add(version.txn, tree.redacted(key, version), tree.value_of(key, version));
            return true;
        });
    }
    if (last) add(last->txn, said && before.redacted(key, *said), last);
    std::uint64_t from = 0;
    for (std::size_t i = out.size(); i > first; --i) {
        out[i - 1].time_us = core.time_of(*view.root->base, out[i - 1].txn, from);
    }
}

}  // namespace as_of_impl

std::vector<Version> DatabaseCore::versions(std::string_view name, std::string_view key) {
    std::vector<Version> out;
    const OpenView view(open_view());
    const Root& root = *view.view->root;
    PastState past;
    past.txn = root.txn.load();
    past.history = root.base->history->index(past.txn);
    past.base_kept = detail::keeps_history(*source_, Ref(root.base->meta.catalog.root), root.base->meta.history);
    // Every tree that ever had the name: today's and those that were dropped.
    std::set<std::uint64_t> ids;
    CatalogEntry entry;
    if (find_tree(*source_, root.catalog.root, name, entry)) ids.insert(entry.id);
    const PastTree names(*view.view, past, k_catalog_tree, Ref());
    past.history->each_version(k_catalog_tree, name, names.stale(), 0, [&](const HistoryVersion& version) {
        if (const std::optional<TreeValue> value = names.value_of(name, version)) {
            ids.insert(decode_catalog_value(value->value).id);
        }
        return true;
    });
    if (find_tree(*source_, as_of_impl::names_of_base(*view.view), name, entry)) ids.insert(entry.id);
    for (auto id = ids.rbegin(); id != ids.rend(); ++id) as_of_impl::versions_of(*view.view, past, *id, name, key, out);
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
