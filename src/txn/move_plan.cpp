#include "txn/move_plan.hpp"

#include "btree/tree_compare.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

namespace move_plan_impl {

/// What one look at the differences between two bases comes to at most.
constexpr std::size_t k_carried_at_once = 512;
constexpr std::size_t k_carried_key_bytes = 256u << 10;
constexpr std::size_t k_visited_at_once = 16384;
/// What one entry that was looked at counts for as something read.
constexpr std::uint64_t k_visit_cost = 64;

bool on(History history) { return history.kind != History::Kind::nothing; }

}  // namespace move_plan_impl

RetentionTargets::RetentionTargets(DatabaseCore& core, Ref catalog, History by_default, Txn newest,
                                   std::uint64_t time_us) {
    by_default_ = target(core, by_default, newest, time_us);
    std::optional<Txn> least;
    if (move_plan_impl::on(by_default)) least = by_default_;
    for (const CatalogEntry& tree : list_trees(core.source(), catalog)) {
        trees_.insert(tree.id);
        if (!tree.own_history) continue;
        const Txn own = target(core, tree.history, newest, time_us);
        own_[tree.id] = own;
        if (move_plan_impl::on(tree.history)) least = std::min(least.value_or(own), own);
    }
    least_ = least.value_or(0);
}

Txn RetentionTargets::target(DatabaseCore& core, History history, Txn newest, std::uint64_t time_us) const {
    switch (history.kind) {
        case History::Kind::last_txns: return newest > history.amount ? newest - history.amount : 0;
        case History::Kind::duration:
            if (time_us <= history.amount) return 0;
            return core.txn_at(time_us - history.amount, newest);
        case History::Kind::nothing:
        case History::Kind::everything: break;
    }
    return 0;
}

bool RetentionTargets::behind(const Horizon& horizon) const {
    return least_ > horizon.txn || std::any_of(trees_.begin(), trees_.end(), [&](std::uint64_t tree) {
        return of(tree) > horizon.of(tree);
    });
}

MovePlan::MovePlan(DatabaseCore& core, const Base& base, const Horizon& horizon, HorizonMove& move)
    : core_(core), source_(core.source()), base_(base), horizon_(horizon), move_(move),
      kept_before_(keeps_history(source_, Ref(base.meta.catalog.root), base.meta.history)), catalog_(move.base.root),
      targets_(core, catalog_, move.by_default, move.base.txn, move.base.time_us),
      announced_(core.log().extents()) {
    for (const CatalogEntry& tree : list_trees(source_, catalog_)) live_.insert(tree.id);
}

RewriteOptions MovePlan::options() {
    RewriteOptions options;
    options.rule = [this](std::uint64_t tree) { return rule(tree); };
    options.in_base = [this](std::uint64_t tree, std::string_view key, Txn txn) { return in_base(tree, key, txn); };
    options.carried = [this](std::uint64_t tree, std::string_view key) { return carried(tree, key); };
    options.first = move_.first;
    options.value = [this](std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
        return value(tree, key, version);
    };
    options.catalog = [this](std::string_view, const HistoryVersion& version) {
        if (version.kind != HistoryVersion::Kind::inlined) return;
        const std::uint64_t tree = decode_catalog_value(version.value).id;
        if (!live_.contains(tree)) move_.reachable.insert(tree);
    };
    return options;
}

std::map<std::uint64_t, Txn> MovePlan::tree_horizons() {
    std::map<std::uint64_t, Txn> out;
    std::set<std::uint64_t> trees = live_;
    trees.insert(move_.reachable.begin(), move_.reachable.end());
    for (const std::uint64_t tree : trees) {
        if (const TreeRule& r = rule(tree); r.kept && r.horizon > move_.txn) out[tree] = r.horizon;
    }
    return out;
}

const TreeRule& MovePlan::rule(std::uint64_t tree) {
    const auto known = rules_.find(tree);
    return known != rules_.end() ? known->second : rules_.emplace(tree, make_rule(tree)).first->second;
}

TreeRule MovePlan::make_rule(std::uint64_t tree) {
    TreeRule rule;
    if (tree == k_catalog_tree) {
        rule.kept = true;
        rule.horizon = move_.txn;
        rule.stale = kept_before_ ? 0 : base_.meta.txn;
        return rule;
    }
    // Trees that were dropped are kept as long as a state that shows them is.
    const bool shown = live_.contains(tree) || move_.reachable.contains(tree);
    rule.kept = shown && move_plan_impl::on(retention_of(source_, catalog_, move_.by_default, tree));
    const YoungBase* const young = young_base(tree);
    rule.stale = young != nullptr ? young->kept.txn : kept_before_ ? 0 : base_.meta.txn;
    rule.horizon = std::max({move_.txn, history_floor(source_, catalog_, tree), targets_.of(tree),
                             young != nullptr ? Txn{0} : base_.horizon.of(tree)});
    return rule;
}

/// The young base of a tree, unless it came after the move began.
const YoungBase* MovePlan::young_base(std::uint64_t tree) const {
    const YoungBase* const young = horizon_.young_base(tree);
    return young != nullptr && young->kept.generation < move_.base.generation ? young : nullptr;
}

Ref MovePlan::tree_in(Ref catalog, std::uint64_t tree) const {
    CatalogEntry entry;
    return find_tree(source_, catalog, tree, entry) ? entry.root.root : Ref();
}

bool MovePlan::in_base(std::uint64_t tree, std::string_view key, Txn txn) {
    if (tree == k_catalog_tree) return false;
    if (tree != looked_up_ || !looked_) {
        tree_ = tree_in(catalog_, tree);
        looked_up_ = tree;
        looked_ = true;
    }
    if (tree_.empty()) return false;
    const std::optional<TreeValue> found = tree_get(source_, tree_, key);
    return found && found->txn == txn;
}

std::optional<std::string_view> MovePlan::value(std::uint64_t tree, std::string_view key,
                                                const HistoryVersion& version) {
    const ExtentDirectory& before = *base_.extents;
    return logged_value(core_.log(), version.position < before.end() ? before : announced_, tree, key, version);
}

// ---- what old bases alone know: entries that changed since they were made, and names ----

void MovePlan::find_old_trees() {
    if (!old_trees_.empty()) return;
    const auto add = [&](const CatalogEntry& tree) {
        old_trees_[tree.id] = {tree.root.root, tree_in(catalog_, tree.id)};
    };
    if (kept_before_) {
        for (const CatalogEntry& tree : list_trees(source_, Ref(base_.meta.retained.root))) {
            if (young_base(tree.id) == nullptr) add(tree);
        }
    }
    for (const YoungBase& young : horizon_.young) {
        if (young.kept.generation >= move_.base.generation) continue;
        for (const CatalogEntry& tree : list_trees(source_, Ref(young.kept.root))) {
            if (young.trees.contains(tree.id)) add(tree);
        }
    }
}

CarriedBatch MovePlan::carried(std::uint64_t tree, std::string_view key) {
    using namespace move_plan_impl;
    CarriedBatch batch;
    if (tree == k_catalog_tree) {
        carried_names(key, batch);
        batch.tree = tree + 1;
        return batch;
    }
    find_old_trees();
    auto old = old_trees_.lower_bound(tree);
    std::string from(old != old_trees_.end() && old->first == tree ? key : std::string_view());
    while (old != old_trees_.end() && (old->second.before.empty() || !rule(old->first).kept)) {
        ++old;
        from.clear();
    }
    if (old == old_trees_.end()) {
        batch.last = true;
        return batch;
    }
    std::size_t key_bytes = 0;
    std::size_t left = k_visited_at_once;
    const std::optional<std::string> next = tree_diff_part(
        {source_, old->second.before}, {source_, old->second.now}, from, left,
        [&](const TreeCursor* before, const TreeCursor*) {
            if (before == nullptr) return true;
            batch.versions.push_back({old->first, std::string(before->key()), before->txn(), before->value()});
            key_bytes += before->key().size();
            return batch.versions.size() < k_carried_at_once && key_bytes < k_carried_key_bytes;
        });
    batch.tree = next ? old->first : old->first + 1;
    if (next) batch.key = *next;
    batch.cost = (k_visited_at_once - left) * k_visit_cost;
    return batch;
}

void MovePlan::carried_names(std::string_view from, CarriedBatch& batch) {
    const Ref names(kept_before_ ? base_.meta.retained.root : base_.meta.catalog.root);
    for (const CatalogEntry& tree : list_trees(source_, names)) {
        if (tree.name < from) continue;
        texts_.push_back(encode_catalog_value(tree.id, tree.history));
        batch.versions.push_back({k_catalog_tree, std::string(tree.name), tree.created, texts_.back()});
    }
}

}  // namespace northstar::inline v0::detail
