// retention.cpp -- what a checkpoint does to the past: sealing what is new, moving the horizon, rolling the base.
//
// The horizon moves when somebody pruned, when history was turned on, and when retention lets go of enough to be worth
// the work: see retention_due(). Then all segments become one, under the new horizons, and the generation that is being
// made becomes the retained base. [HORIZON-1]
// [RETAIN-1] The old segments, log extents and base stay as they are for the generations that name them; a crash leaves
//            the old horizon or the new one.
#include "base/error.hpp"
#include "btree/cursor.hpp"
#include "format/node.hpp"
#include "txn/core.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace northstar::inline v0::detail {

namespace retention_impl {

/// Less of the log is indexed when it is asked for; a segment has a price of its own.
constexpr std::uint64_t k_least_sealed_bytes = 1u << 20;
/// The horizon moves by itself when twice as much is kept as was asked for, and this much more.
constexpr std::uint64_t k_least_dropped_bytes = 1u << 20;
constexpr std::uint64_t k_least_dropped_versions = 16384;

bool on(History history) { return history.kind != History::Kind::nothing; }

/// Entries of a tree of an older base in leaves that the present does not have any more.
class LostLeaves {
public:
    /// Pages that are dead.
    LostLeaves(const PageSource& source, const std::vector<DeadRun>& dead) : source_(source) {
        for (const DeadRun& run : dead) runs_.emplace(run.page, run.pages);
    }

    /// fn(key, value, txn), in order of keys.
    template <class F>
    void each(Ref root, F&& fn) {
        if (root.empty() || !dead(root)) return;
        visit(root, Node(tree_impl::root_page(source_, root)).level(), fn);
    }

private:
    bool dead(Ref ref) const {
        const auto behind = runs_.upper_bound(ref.page());
        return behind != runs_.begin() && ref.page() < std::prev(behind)->first + std::prev(behind)->second;
    }

    template <class F>
    void visit(Ref ref, unsigned level, F&& fn) {
        if (!seen_.insert(ref.page()).second) return;  // refs that lead in circles
        const Node node(tree_impl::node_at(source_, ref, level));
        if (level != 0) {
            for (unsigned i = 0; i <= node.count(); ++i) {
                if (dead(node.child(i))) visit(node.child(i), level - 1, fn);
            }
            return;
        }
        TreeCursor entries(source_, ref);  // the leaf is a tree of one page
        for (bool there = entries.first(); there; there = entries.next()) {
            fn(entries.key(), entries.value(), entries.txn());
        }
    }

    const PageSource& source_;
    std::map<std::uint64_t, std::uint64_t> runs_;
    std::set<std::uint64_t> seen_;
};

}  // namespace retention_impl

/// One move of the horizon, from a generation to the state that the next one freezes.
class HorizonMove {
public:
    HorizonMove(DatabaseCore& core, const Root& frozen)
        : core_(core), source_(core.source()), frozen_(frozen), before_(frozen.base->meta),
          old_(frozen.base->horizon),
          kept_before_(keeps_history(source_, Ref(before_.catalog.root), before_.history)),
          asked_(history_floor(source_, frozen.catalog.root, 0)), announced_(core.log().extents()) {}

    /// Does it have to move now? `sealing`: there is something to seal.
    bool due(bool sealing) {
        find_turned_on();
        if (!turned_on_.empty() || !kept_before_ || asked_ > old_.txn) return true;
        return sealing && retention_due();
    }

    /// Horizons, and everything that rewriting needs. `dead`: pages that the frozen root does not reach.
    Horizon plan(const std::vector<DeadRun>& dead, RewriteOptions& options) {
        if (!targets_known_) find_targets();
        horizon_ = Horizon{};
        horizon_.retained = old_.retained;
        horizon_.txn = std::max({old_.txn, asked_, least_target_});
        find_first();
        for (const CatalogEntry& tree : list_trees(source_, frozen_.catalog.root)) live_.insert(tree.id);
        collect_carried(dead, options.carried);
        options.rule = [this](std::uint64_t tree) { return rule(tree); };
        options.in_base = [this](std::uint64_t tree, std::string_view key, Txn txn) { return in_base(tree, key, txn); };
        options.first = horizon_.first;
        options.value = [this](std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
            return value(tree, key, version);
        };
        options.catalog = [this](std::string_view, const HistoryVersion& version) {
            if (version.kind != HistoryVersion::Kind::inlined) return;
            reachable_.insert(decode_catalog_value(version.value).id);
        };
        return horizon_;
    }

    /// After the rewrite: horizons of trees that lie behind the database's.
    void finish(Horizon& horizon) {
        std::set<std::uint64_t> trees = live_;
        trees.insert(reachable_.begin(), reachable_.end());
        for (const std::uint64_t tree : trees) {
            if (const TreeRule& r = rule(tree); r.kept && r.horizon > horizon.txn) horizon.trees[tree] = r.horizon;
        }
    }

private:
    History policy(std::uint64_t tree) const {
        return retention_of(source_, frozen_.catalog.root, frozen_.history, tree);
    }

    /// Trees whose history was off in the generation before, and is on now.
    void find_turned_on() {
        const Ref catalog(before_.catalog.root);
        const auto look_at = [&](std::uint64_t id) {
            CatalogEntry entry;
            if (!find_tree(source_, catalog, id, entry)) return;
            const bool was_on = retention_impl::on(entry.own_history ? entry.history : before_.history);
            if (!was_on && retention_impl::on(policy(id))) turned_on_.insert(id);  // also one that was dropped since
        };
        if (kept_before_) {
            for (const std::uint64_t id : floors_after(source_, frozen_.catalog.root, before_.txn)) look_at(id);
        } else {
            for (const CatalogEntry& tree : list_trees(source_, catalog)) look_at(tree.id);
        }
    }

    /// The txn that a retention asks to keep from on.
    Txn target(History history) {
        const Txn newest = frozen_.txn.load();
        switch (history.kind) {
            case History::Kind::last_txns: return newest > history.amount ? newest - history.amount : 0;
            case History::Kind::duration:
                if (frozen_.time_us <= history.amount) return 0;
                return core_.txn_at(frozen_.time_us - history.amount, newest);
            case History::Kind::nothing:
            case History::Kind::everything: break;
        }
        return 0;
    }

    void find_targets() {
        targets_known_ = true;
        std::optional<Txn> least;
        const auto take = [&](History history) {
            if (!retention_impl::on(history)) return;
            const Txn txn = target(history);
            least = std::min(least.value_or(txn), txn);
        };
        default_target_ = target(frozen_.history);
        take(frozen_.history);
        for (const CatalogEntry& tree : list_trees(source_, frozen_.catalog.root)) {
            if (tree.own_history) {
                take(tree.history);
                own_targets_[tree.id] = target(tree.history);
            }
            moves_ = moves_ || (tree.own_history ? own_targets_[tree.id] : default_target_) > old_.of(tree.id);
        }
        least_target_ = least.value_or(0);
        moves_ = moves_ || least_target_ > old_.txn;
    }

    /// Is what retention lets go of worth the work? Its cost follows what is kept, so this bounds both.
    bool retention_due() {
        using namespace retention_impl;
        find_targets();
        const Txn database = std::max(old_.txn, least_target_);
        if (!moves_) return false;
        if (frozen_.base->history->versions() >= 2 * old_.versions + k_least_dropped_versions) return true;
        if (database == old_.txn) return false;
        const std::uint64_t kept = frozen_.log_position - before_.log_begin;
        const std::optional<LogAnchor> anchor = frozen_.base->history->anchor_of(database);
        const std::uint64_t needed = anchor ? frozen_.log_position - anchor->position : kept;
        return kept >= 2 * needed + k_least_dropped_bytes;
    }

    void find_first() {
        if (horizon_.txn == 0) return;
        horizon_.first.txn = horizon_.txn;
        if (horizon_.txn == old_.txn) {
            horizon_.first = old_.first;
            horizon_.chain = old_.chain;
            horizon_.state = old_.state;
            return;
        }
        horizon_.chain = core_.chain_hash(horizon_.txn);
        if (horizon_.txn == asked_) horizon_.state = pruned_state(source_, frozen_.catalog.root);
        if (core_.first_logged_txn() > horizon_.txn) {
            horizon_.first.time_us = frozen_.time_us;  // made from a state without its record
            return;
        }
        for (std::uint64_t at = core_.position_of(horizon_.txn);;) {
            const RecordView record = core_.log().read(at);
            if (record.kind() == RecordKind::commit) {
                const PartsOf parts = record.parts();
                horizon_.first.time_us = record.header().time_us;
                horizon_.first.position = parts.count != 0 ? parts.first : record.position();
                horizon_.first.epoch = record.header().epoch;
                return;
            }
            at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        }
    }

    const TreeRule& rule(std::uint64_t tree) {
        // Trees that were dropped are kept as long as a state that shows them is.
        const auto known = rules_.find(tree);
        if (known != rules_.end()) return known->second;
        TreeRule rule;
        if (tree == k_catalog_tree) {
            rule.kept = true;
            rule.horizon = horizon_.txn;
            rule.stale = kept_before_ ? 0 : before_.txn;
        } else {
            const History history = policy(tree);
            const bool live = live_.contains(tree);
            rule.kept = retention_impl::on(history) && (live || reachable_.contains(tree));
            const bool turned_on = turned_on_.contains(tree);
            rule.stale = turned_on || !kept_before_ ? before_.txn : 0;
            const auto own = own_targets_.find(tree);
            rule.horizon = std::max({horizon_.txn, history_floor(source_, frozen_.catalog.root, tree),
                                     own != own_targets_.end() ? own->second : default_target_,
                                     turned_on ? Txn{0} : old_.of(tree)});
        }
        return rules_.emplace(tree, rule).first->second;
    }

    bool in_base(std::uint64_t tree, std::string_view key, Txn txn) {
        if (tree == k_catalog_tree) return false;
        if (tree != looked_up_ || !looked_) {
            CatalogEntry entry;
            base_ = find_tree(source_, frozen_.catalog.root, tree, entry) ? entry.root.root : Ref();
            looked_up_ = tree;
            looked_ = true;
        }
        if (base_.empty()) return false;
        const std::optional<TreeValue> found = tree_get(source_, base_, key);
        return found && found->txn == txn;
    }

    std::optional<std::string_view> value(std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
        const ExtentDirectory& before = *frozen_.base->extents;
        if (version.position < before.end()) return logged_value(core_.log(), before, tree, key, version);
        return logged_value(core_.log(), announced_, tree, key, version);
    }

    /// What the old base alone knows: entries that changed since it was made, and names.
    void collect_carried(const std::vector<DeadRun>& dead, std::vector<CarriedVersion>& out) {
        const Ref retained(before_.retained.root);
        const Ref catalog(before_.catalog.root);
        const Ref names = kept_before_ ? retained : catalog;
        for (const CatalogEntry& tree : list_trees(source_, names)) {
            texts_.push_back(encode_catalog_value(tree.id, tree.history));
            out.push_back({k_catalog_tree, std::string(tree.name), tree.created, texts_.back()});
        }
        retention_impl::LostLeaves lost(source_, dead);
        const auto add = [&](const CatalogEntry& tree) {
            lost.each(tree.root.root, [&](std::string_view key, std::string_view value, Txn txn) {
                if (!in_base(tree.id, key, txn)) out.push_back({tree.id, std::string(key), txn, value});
            });
        };
        if (kept_before_) {
            for (const CatalogEntry& tree : list_trees(source_, retained)) {
                if (!turned_on_.contains(tree.id)) add(tree);
            }
        }
        for (const CatalogEntry& tree : list_trees(source_, catalog)) {
            if (turned_on_.contains(tree.id)) add(tree);
        }
        const auto place = [](const CarriedVersion& v) { return std::tie(v.tree, v.key); };
        std::sort(out.begin(), out.end(),
                  [&](const CarriedVersion& a, const CarriedVersion& b) { return place(a) < place(b); });
        const auto same = std::unique(out.begin(), out.end(), [&](const CarriedVersion& a, const CarriedVersion& b) {
            return place(a) == place(b);
        });
        out.erase(same, out.end());
    }

    DatabaseCore& core_;
    const PageSource& source_;
    const Root& frozen_;
    const Meta& before_;
    const Horizon& old_;
    const bool kept_before_;
    const Txn asked_;              // by pruning, or by turning on the first history there is
    Horizon horizon_;
    std::set<std::uint64_t> turned_on_;
    bool targets_known_ = false;
    bool moves_ = false;           // retention alone would move some horizon
    Txn default_target_ = 0;
    Txn least_target_ = 0;
    std::map<std::uint64_t, Txn> own_targets_;
    std::set<std::uint64_t> live_;
    std::set<std::uint64_t> reachable_;
    std::map<std::uint64_t, TreeRule> rules_;
    const ExtentDirectory announced_;
    std::deque<std::string> texts_;
    bool looked_ = false;
    std::uint64_t looked_up_ = 0;
    Ref base_;
};

bool DatabaseCore::keeps_history(const Root& root) const {
    return detail::keeps_history(*source_, root.catalog.root, root.history);
}

HistoryFollower::Keeps DatabaseCore::history_filter(const Root& root) const {
    return [this, catalog = root.catalog.root, by_default = root.history](std::uint64_t tree) {
        return retention_of(*source_, catalog, by_default, tree).kind != History::Kind::nothing;
    };
}

/// The history part of a checkpoint: meta.catalog names what was placed.
KeptPast DatabaseCore::keep_past(const Root& frozen, Placer& placer, Meta& meta) {
    using namespace retention_impl;
    const Base& base = *frozen.base;
    KeptPast past;
    past.horizon = base.horizon;
    past.log_begin = newest_.log_begin;
    past.sealed.segments = base.history->segments();
    const auto end_retained = [&] {
        for (RetainedGeneration& r : past.horizon.retained) {
            if (r.until == 0) r.until = meta.generation;
        }
        meta.retained = {};
        meta.retained_txn = 0;
        meta.retained_time_us = 0;
    };
    if (!keeps_history(frozen)) {
        past.sealed.dead = std::exchange(past.sealed.segments, {});
        const std::vector<RetainedGeneration> retained = past.horizon.retained;
        past.horizon = Horizon{};
        past.horizon.retained = retained;
        end_retained();
        meta.oldest_txn = meta.txn;
        meta.sealed_txn = meta.txn;
        meta.sealed_position = frozen.log_position;
        past.log_begin = meta.log_position;
    } else {
        const bool sealing =
            erasing_ != nullptr || frozen.log_position - meta.sealed_position >= k_least_sealed_bytes;
        HorizonMove move(*this, frozen);
        // The old base keeps what was erased since.
        const bool roll = (std::exchange(roll_base_, false) || erasing_ != nullptr) && meta.retained_txn != 0;
        if (move.due(sealing) || roll) {
            std::vector<DeadRun> dead;
            {
                const std::lock_guard lock(space_mutex_);
                dead = space_.dead_runs();
            }
            RewriteOptions options;
            past.horizon = move.plan(dead, options);
            past.sealed = base.history->rewrite(placer, meta.txn, frozen.log_position, meta.generation,
                                                history_filter(frozen), options);
            move.finish(past.horizon);
            past.horizon.versions = past.sealed.versions;
            end_retained();
            past.horizon.retained.push_back({meta.generation, meta.generation, 0});
            meta.retained = meta.catalog;
            meta.retained_txn = meta.txn;
            meta.retained_time_us = meta.time_us;
            meta.oldest_txn = past.horizon.txn;
            if (past.horizon.first.position != 0) past.log_begin = past.horizon.first.position;
        } else if (sealing) {
            past.sealed = base.history->seal(placer, meta.txn, frozen.log_position, meta.generation,
                                             history_filter(frozen));
        }
        if (!past.sealed.segments.empty() && past.sealed.segments.back().last == meta.txn) {
            meta.sealed_txn = meta.txn;
            meta.sealed_position = frozen.log_position;
        }
    }
    if (meta.redaction_txn != 0) {
        past.log_begin = std::min(past.log_begin, std::max(meta.redaction_position, newest_.log_begin));
    }
    const std::vector<std::uint64_t> in_use = generations_in_use();
    std::erase_if(past.horizon.retained, [&](const RetainedGeneration& r) {
        const auto first = std::lower_bound(in_use.begin(), in_use.end(), r.since);
        return r.until != 0 && (first == in_use.end() || *first >= r.until);
    });
    return past;
}

/// Generations that a meta page or a handle stands on, ascending.
std::vector<std::uint64_t> DatabaseCore::generations_in_use() {
    std::vector<std::uint64_t> out = processes_->pinned_by_others();
    out.push_back(newest_.generation);
    out.push_back(newest_.generation - 1);
    {
        const std::lock_guard lock(meta_mutex_);
        for (const std::unique_ptr<Base>& base : bases_) out.push_back(base->meta.generation);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

/// Generations whose trees those in use retain, ascending.
std::vector<std::uint64_t> DatabaseCore::retained_generations(const Horizon& horizon,
                                                              const std::vector<std::uint64_t>& in_use) {
    std::vector<std::uint64_t> out;
    for (const RetainedGeneration& r : horizon.retained) {
        const auto first = std::lower_bound(in_use.begin(), in_use.end(), r.since);
        if (r.until == 0 || (first != in_use.end() && *first < r.until)) out.push_back(r.generation);
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// Gives up the states before a point: a commit, and the checkpoints that let go of what belonged to them.
Txn DatabaseCore::prune(AsOf point) {
    check_writable();
    const Txn horizon = resolve(point);
    Pruning pruning;
    pruning.horizon = horizon;
    {
        ReadView* view = open_view();
        const Txn oldest = oldest_readable(*view);
        close_view(view);
        if (horizon <= oldest) return oldest;
    }
    pruning.chain = chain_hash(horizon);
    pruning.state = state_hash_at(horizon);
    WriteTxn txn(shared_from_this(), WriteTxn::Mode::exclusive, Durability::full, std::nullopt);
    txn.prune(pruning);
    txn.annotate("northstar.prune", std::to_string(horizon));
    txn.commit();
    const std::lock_guard lock(checkpoint_mutex_);
    // What the first two let go of is free when neither meta page names it.
    for (int i = 0; i < 4; ++i) checkpoint_locked(false, true);
    return horizon;
}

}  // namespace northstar::inline v0::detail
