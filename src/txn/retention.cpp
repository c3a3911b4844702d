// retention.cpp -- what a checkpoint does to the past: sealing what is new, moving the horizon, rolling the base.
//
// The horizon moves when somebody pruned, when history was turned on, and when retention lets go of enough to be worth
// the work: see retention_due(). A move takes as many checkpoints as its steps: the first makes its generation the base
// to be [HORIZON-1] and says how the horizon will be; each computes a part of the state hash there, or makes a piece of
// the history under the new horizons; the last puts the pieces in the place of the old segments.
// [RETAIN-1] The old segments, log extents and base stay as they are for the generations that name them; a crash leaves
//            the old horizon or the new one.
// [RETAIN-2] A step takes some MiB of memory, for the longest value besides, and work in proportion.
// [RETAIN-3] What is being redacted gets into no base and no piece: until a redaction is through with these only its
//            own checkpoints take steps, and the first of them begins a move anew.
#include "base/error.hpp"
#include "txn/core.hpp"
#include "txn/erasure.hpp"
#include "txn/move_plan.hpp"
#include "txn/seal_ahead.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace northstar::inline v0::detail {

namespace retention_impl {

/// What was committed while history was sealed ahead is left to the next checkpoint, up to so many times what is worth
/// a segment.
constexpr std::uint64_t k_most_unsealed = 32;
/// The horizon moves by itself when twice as much is kept as was asked for, and this much more.
constexpr std::uint64_t k_least_dropped_bytes = 1u << 20;
constexpr std::uint64_t k_least_dropped_versions = 16384;
/// So many bytes of a state are hashed in one step.
constexpr std::uint64_t k_hashed_at_once = 16u << 20;

bool on(History history) { return history.kind != History::Kind::nothing; }

/// Trees whose history was off in the generation before, and is on now.
std::set<std::uint64_t> turned_on(const PageSource& source, const Root& frozen, bool kept_before) {
    const Meta& before = frozen.base->meta;
    const Ref catalog(before.catalog.root);
    std::set<std::uint64_t> out;
    const auto look_at = [&](std::uint64_t id) {
        CatalogEntry entry;
        if (!find_tree(source, catalog, id, entry)) return;
        const bool was_on = on(entry.own_history ? entry.history : before.history);
        // Also one that was dropped since.
        if (!was_on && on(retention_of(source, frozen.catalog.root, frozen.history, id))) out.insert(id);
    };
    if (kept_before) {
        for (const std::uint64_t id : floors_after(source, frozen.catalog.root, before.txn)) look_at(id);
    } else {
        for (const CatalogEntry& tree : list_trees(source, catalog)) look_at(tree.id);
    }
    return out;
}

/// Is what retention lets go of worth the work? Its cost follows what is kept, so this bounds both.
bool retention_due(DatabaseCore& core, const Root& frozen) {
    const Base& base = *frozen.base;
    const Horizon& old = base.horizon;
    const RetentionTargets targets(core, frozen.catalog.root, frozen.history, frozen.txn.load(), frozen.time_us);
    if (!targets.behind(old)) return false;
    if (base.history->versions() >= 2 * old.versions + k_least_dropped_versions) return true;
    const Txn database = std::max(old.txn, targets.least());
    if (database == old.txn) return false;
    const std::uint64_t kept = frozen.log_position - base.meta.log_begin;
    const std::optional<LogAnchor> anchor = base.history->anchor_of(database);
    const std::uint64_t needed = anchor ? frozen.log_position - anchor->position : kept;
    return kept >= 2 * needed + k_least_dropped_bytes;
}

/// Ends the time in which newer generations have the trees of those for which `gone` is true.
template <class F>
void end_retained(Horizon& horizon, std::uint64_t generation, F&& gone) {
    for (RetainedGeneration& r : horizon.retained) {
        if (r.until == 0 && gone(r.generation)) r.until = generation;
    }
}

}  // namespace retention_impl

bool DatabaseCore::keeps_history(const Root& root) const {
    return detail::keeps_history(*source_, root.catalog.root, root.history);
}

HistoryFollower::Keeps DatabaseCore::history_filter(const Root& root) const {
    return [this, catalog = root.catalog.root, by_default = root.history](std::uint64_t tree) {
        return retention_of(*source_, catalog, by_default, tree).kind != History::Kind::nothing;
    };
}

/// A run that the generation being made no longer needs.
void DatabaseCore::let_go_of_segment(const StoredSegment& segment, std::uint64_t generation, KeptPast& past) {
    if (segment.born != generation) {
        past.sealed.dead.push_back(segment);
        return;
    }
    // Made by this checkpoint: no meta page names it.
    const std::lock_guard lock(space_mutex_);
    space_.give_back({segment.page, run_pages(segment.bytes, page_size_)});
}

/// The history part of a checkpoint: meta.catalog names what was placed.
KeptPast DatabaseCore::keep_past(const Root& frozen, Placer& placer, Meta& meta, SealedAhead* ahead) {
    using namespace retention_impl;
    const Base& base = *frozen.base;
    KeptPast past;
    past.horizon = base.horizon;
    past.move = base.move;
    past.log_begin = std::max(newest_.log_begin, base.horizon.first.position);
    past.sealed = base.history->sealed();
    // A move that takes the value out of the bases may take many checkpoints.
    if (erases_from_state(past.horizon.txn)) past.horizon.state.reset();
    if (!keeps_history(frozen)) {
        if (ahead != nullptr) ahead->discard();
        forget_past(frozen, meta, past);
    } else {
        const bool kept_before = detail::keeps_history(*source_, Ref(base.meta.catalog.root), base.meta.history);
        // Without a history before, its beginning cannot be put off: there is nothing older, so it is little.
        const bool at_once = !kept_before;
        const bool may_move = at_once || erasing_ != nullptr || may_move_horizon();
        const bool sealing =
            erasing_ != nullptr || frozen.log_position - meta.sealed_position >= seal_budget_.least;
        add_young_base(frozen, meta, turned_on(*source_, frozen, kept_before), past);
        // The bases keep what was erased since.
        const bool roll = (roll_base_ || erasing_anew_) &&
                          (meta.retained_txn != 0 || past.move || !past.horizon.young.empty());
        if (past.move && erasing_anew_) abandon_move(meta, past);
        bool begins = may_move && !past.move &&
                      (at_once || roll || !past.horizon.young.empty() ||
                       history_floor(*source_, frozen.catalog.root, 0) > base.horizon.txn ||
                       (sealing && retention_due(*this, frozen)));
        if (sealing || begins) {
            const bool whole = begins || past.move || erasing_ != nullptr;
            begins = seal_past(frozen, placer, meta, past, ahead, whole, erasing_ != nullptr || at_once) && begins;
        }
        if (begins) {
            roll_base_ = false;
            begin_move(frozen, placer, meta, past, kept_before);
        }
        erasing_anew_ = false;
        if (past.move && may_move) {
            while (step_move(frozen, placer, meta, past, at_once) && past.move && at_once) continue;
        }
        meta.sealed_txn = past.sealed.last;
        meta.sealed_position = past.sealed.position;
    }
    // A redaction that waits finds its record, and what lies in front of the horizon becomes zeros before it is let go.
    if (meta.redaction_txn != 0) past.log_begin = newest_.log_begin;
    const std::vector<std::uint64_t> in_use = generations_in_use();
    std::erase_if(past.horizon.retained, [&](const RetainedGeneration& r) {
        const auto first = std::lower_bound(in_use.begin(), in_use.end(), r.since);
        return r.until != 0 && (first == in_use.end() || *first >= r.until);
    });
    return past;
}

/// Goes on with what was sealed ahead, to the frozen root where that is to be `whole`. False: there is no room for it.
bool DatabaseCore::seal_past(const Root& frozen, Placer& placer, const Meta& meta, KeptPast& past, SealedAhead* ahead,
                             bool whole, bool must) {
    using namespace retention_impl;
    const Base& base = *frozen.base;
    const HistoryFollower::Keeps keeps = history_filter(frozen);
    Txn fixed = past.move ? past.move->base.txn : 0;
    if (ahead != nullptr) {
        if (ahead->holds_with(keeps)) {
            std::vector<StoredSegment> dead = std::move(past.sealed.dead);
            past.sealed = ahead->take();
            past.sealed.dead.insert(past.sealed.dead.end(), dead.begin(), dead.end());
            fixed = past.sealed.last;
            if (!whole && frozen.log_position - past.sealed.position < k_most_unsealed * seal_budget_.least) {
                return true;
            }
        } else {
            ahead->discard();
        }
    }
    // Later will do where nothing waits for it: what commits were promised is not touched for it.
    const auto has_room = [&](std::uint64_t bytes) {
        return must || has_spare_room(base, bytes, roots_->frozen_bytes());
    };
    std::optional<HistoryFollower::Sealed> sealed =
        base.history->seal(placer, past.sealed, meta.txn, frozen.log_position, meta.generation, keeps, fixed, has_room,
                           seal_budget_);
    if (sealed) past.sealed = std::move(*sealed);
    return sealed.has_value();
}

/// Is a value being erased that the state there may show? Then that state is another one now.
bool DatabaseCore::erases_from_state(Txn txn) const {
    return erasing_ != nullptr && std::any_of(erasing_->begin(), erasing_->end(), [&](const Erasure& erasure) {
        return erasure.redaction.txn <= txn;
    });
}

/// Nothing keeps its past any more.
void DatabaseCore::forget_past(const Root& frozen, Meta& meta, KeptPast& past) {
    if (past.move) abandon_move(meta, past);
    for (const StoredSegment& segment : std::exchange(past.sealed.segments, {})) past.sealed.dead.push_back(segment);
    Horizon horizon;
    horizon.retained = past.horizon.retained;
    retention_impl::end_retained(horizon, meta.generation, [](std::uint64_t) { return true; });
    if (meta.redaction_txn != 0) {
        // It named no values of the log in front of the horizon: whoever finishes it has to know where that was.
        horizon.txn = past.horizon.txn;
        horizon.first = past.horizon.first;
        horizon.chain = past.horizon.chain;
    }
    past.horizon = std::move(horizon);
    meta.retained = {};
    meta.retained_txn = 0;
    meta.retained_time_us = 0;
    meta.oldest_txn = meta.txn;
    meta.sealed_txn = meta.txn;
    meta.sealed_position = frozen.log_position;
    past.log_begin = meta.log_position;
}

/// The past of trees whose history was turned on begins with what the generation before has of them.
void DatabaseCore::add_young_base(const Root& frozen, const Meta& meta, const std::set<std::uint64_t>& trees,
                                  KeptPast& past) {
    if (trees.empty()) return;
    const Meta& before = frozen.base->meta;
    for (YoungBase& base : past.horizon.young) {
        for (const std::uint64_t tree : trees) base.trees.erase(tree);
    }
    past.horizon.young.push_back(
        {{before.generation, before.txn, before.time_us, before.catalog.root, before.catalog.count}, trees});
    past.horizon.retained.push_back({before.generation, meta.generation, 0});
}

/// False: a redaction is not through with bases and segments yet, and takes the steps itself. [RETAIN-3]
bool DatabaseCore::may_move_horizon() const {
    return pending_redaction() == 0 || processes_->load(Word::redaction_generation) != 0;
}

/// Says where the horizon will be. The generation that is being made becomes the base there.
void DatabaseCore::begin_move(const Root& frozen, Placer& placer, const Meta& meta, KeptPast& past,
                              bool kept_before) {
    const Base& base = *frozen.base;
    const Horizon& old = base.horizon;
    if (past.sealed.segments.empty()) {
        const std::vector<std::byte> nothing = SegmentBuilder(meta.txn, frozen.log_position).finish();
        past.sealed.segments.push_back(place_segment(placer, nothing, meta.txn, meta.txn, meta.generation, 0));
        past.sealed.last = meta.txn;
        past.sealed.position = frozen.log_position;
    }
    const Txn asked = history_floor(*source_, frozen.catalog.root, 0);
    const RetentionTargets targets(*this, frozen.catalog.root, frozen.history, meta.txn, meta.time_us);
    HorizonMove move;
    move.base = {meta.generation, meta.txn, meta.time_us, meta.catalog.root, meta.catalog.count};
    move.by_default = frozen.history;
    move.txn = std::max({old.txn, asked, targets.least()});
    if (move.txn == old.txn) {
        move.first = old.first;
        move.chain = old.chain;
        move.state = old.state;
    } else {
        move.first = first_record_of(base, move.txn, frozen.time_us);
        // Not chain_hash(): it may wait for the turn, and who has that may wait for the checkpoint lock. Values are
        // erased from the log under this lock and behind two generations that know of it, so the frozen state does.
        move.chain = chain_hash_as_known(move.txn);
        if (move.first.position > newest_.log_begin) move.let_go = move.first.position - newest_.log_begin;
        if (move.txn == asked) move.state = pruned_state(*source_, frozen.catalog.root);
        if (!move.state && kept_before && tree_bytes(past) <= old.unhashed + move.let_go) move.hashing.emplace();
    }
    if (erases_from_state(move.txn)) {
        // What a hash would be taken from has the values still.
        move.state.reset();
        move.hashing.reset();
    }
    past.horizon.retained.push_back({meta.generation, meta.generation, 0});
    past.move = std::move(move);
    // The steps read the base that was placed just now.
    placer.finish();
    const std::lock_guard lock(space_mutex_);
    source_->set_limit(std::max(source_->limit(), space_.end()));
}

/// Bytes of the pages that trees take, those of older bases included.
std::uint64_t DatabaseCore::tree_bytes(const KeptPast& past) {
    std::uint64_t other = log_->bytes_of_extents();
    for (const StoredSegment& segment : past.sealed.segments) other += segment.bytes;
    const std::lock_guard lock(space_mutex_);
    const std::uint64_t used = (space_.end() - space_.free_pages()) * page_size_;
    return used > other ? used - other : 0;
}

/// Where the records of a commit begin; position 0: the log does not have them.
LogAnchor DatabaseCore::first_record_of(const Base& base, Txn txn, std::uint64_t time_us) {
    LogAnchor first;
    first.txn = txn;
    first.time_us = time_us;
    if (first_logged_txn() > txn) return first;  // made from a state without its record
    const std::optional<std::uint64_t> position = find_position(base, txn);
    if (!position) return first;
    for (std::uint64_t at = *position;;) {
        const RecordView record = log_->read(at);
        if (record.kind() == RecordKind::commit) {
            const PartsOf parts = record.parts();
            first.time_us = record.header().time_us;
            first.position = parts.count != 0 ? parts.first : record.position();
            first.epoch = record.header().epoch;
            return first;
        }
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
}

/// One step of the move under way. False: the disk has no room for a piece, so everything stays as it is, unless it
/// `must` be; there may be room after this checkpoint.
bool DatabaseCore::step_move(const Root& frozen, Placer& placer, Meta& meta, KeptPast& past, bool must) {
    HorizonMove& move = *past.move;
    if (move.hashing) {
        hash_horizon(frozen, move);
        if (move.hashing) {
            steps_.fetch_add(1);
            return true;
        }
    }
    std::vector<StoredSegment> sources;
    for (const StoredSegment& segment : past.sealed.segments) {
        if (segment.last <= move.base.txn) sources.push_back(segment);
        source_->set_limit(std::max(source_->limit(), segment.page + run_pages(segment.bytes, page_size_)));
    }
    MovePlan plan(*this, *frozen.base, past.horizon, move);
    RewriteOptions options = plan.options();
    if (erasing_ != nullptr) options.redacted = redacted_values();
    // From the second step on they are those of the generation before, with what was verified of them.
    const std::vector<StoredSegment>& known = frozen.base->history->segments();
    std::vector<std::shared_ptr<const SegmentSet>> sets;
    if (sources.size() <= known.size() && std::equal(sources.begin(), sources.end(), known.begin())) {
        for (const auto& set : frozen.base->history->sets()) {
            if (set->last() <= move.base.txn) sets.push_back(set);
        }
    } else {
        sets = open_sets(*source_, sources);
    }
    RewrittenPiece piece = rewrite_piece(sets, options, move.place, move_budget_, move.pieces.empty());
    if (!piece.segment.empty()) {
        if (!must && !has_spare_room(*frozen.base, piece.segment.size(), roots_->frozen_bytes())) return false;
        try {
            move.pieces.push_back(place_piece(placer, piece.segment, sources, meta.generation));
        } catch (const Error& error) {
            if (must || error.code() != Errc::no_space) throw;
            return false;
        }
    }
    move.versions += piece.versions;
    move.place = std::move(piece.next);
    if (move.place.stage == RewritePlace::Stage::done) end_move(plan.tree_horizons(), meta, past);
    steps_.fetch_add(1);
    return true;
}

StoredSegment DatabaseCore::place_piece(Placer& placer, std::span<const std::byte> bytes,
                                        const std::vector<StoredSegment>& sources, std::uint64_t generation) {
    const std::uint64_t pages = run_pages(bytes.size(), page_size_);
    std::uint64_t page;
    {
        const std::lock_guard lock(space_mutex_);
        page = space_.allocate(pages);
    }
    try {
        StoredSegment stored;
        stored.page = page;
        stored.bytes = bytes.size();
        stored.checksum = Ref::file(page, placer.place_run_at(PageKind::history, bytes, page)).checksum();
        stored.born = generation;
        stored.after = sources.front().after;
        stored.last = sources.back().last;
        stored.tier = k_rewritten_tier;
        return stored;
    } catch (...) {
        const std::lock_guard lock(space_mutex_);
        space_.give_back({page, pages});
        throw;
    }
}

/// Goes on with the state hash at the horizon to be, as the present and the old history show it.
void DatabaseCore::hash_horizon(const Root& frozen, HorizonMove& move) {
    ReadView* view = pin_root(roots_->visible(), roots_->visible_word());
    try {
        if (move.txn < oldest_readable(*view) || view->root->base != frozen.base) {
            move.hashing.reset();  // somebody pruned further: nobody can ask for this state any more
        } else {
            turn_to_past(*view, move.txn, move.txn);
            move.state = hash_state(*view, *move.hashing, retention_impl::k_hashed_at_once);
            if (move.state) move.hashing.reset();
        }
    } catch (const Error& error) {
        close_view(view);
        if (error.code() != Errc::before_horizon) throw;
        move.hashing.reset();  // some tree cannot be read there any more
        return;
    } catch (...) {
        close_view(view);
        throw;
    }
    close_view(view);
}

/// The pieces take the place of what they were made of, and the horizon is where it was to be.
void DatabaseCore::end_move(std::map<std::uint64_t, Txn> trees, Meta& meta, KeptPast& past) {
    HorizonMove move = std::move(*past.move);
    past.move.reset();
    std::vector<StoredSegment> segments = std::move(move.pieces);
    for (const StoredSegment& segment : std::exchange(past.sealed.segments, {})) {
        if (segment.last <= move.base.txn) {
            let_go_of_segment(segment, meta.generation, past);
        } else {
            segments.push_back(segment);
        }
    }
    past.sealed.segments = std::move(segments);
    const std::uint64_t base = move.base.generation;
    Horizon& horizon = past.horizon;
    std::erase_if(horizon.young, [&](const YoungBase& young) { return young.kept.generation < base; });
    std::set<std::uint64_t> still{base};
    for (const YoungBase& young : horizon.young) still.insert(young.kept.generation);
    retention_impl::end_retained(horizon, meta.generation,
                                 [&](std::uint64_t generation) { return !still.contains(generation); });
    horizon.unhashed = move.state ? 0 : horizon.unhashed + move.let_go;
    horizon.txn = move.txn;
    horizon.first = move.first;
    horizon.chain = move.chain;
    horizon.state = move.state;
    horizon.trees = std::move(trees);
    horizon.versions = move.versions;
    meta.retained.root = move.base.root;
    meta.retained.count = move.base.entries;
    meta.retained_txn = move.base.txn;
    meta.retained_time_us = move.base.time_us;
    meta.oldest_txn = horizon.txn;
    if (horizon.first.position != 0) past.log_begin = horizon.first.position;
}

/// Gives up what was made so far.
void DatabaseCore::abandon_move(const Meta& meta, KeptPast& past) {
    for (const StoredSegment& piece : past.move->pieces) let_go_of_segment(piece, meta.generation, past);
    const std::uint64_t base = past.move->base.generation;
    const bool still = std::any_of(past.horizon.young.begin(), past.horizon.young.end(),
                                   [&](const YoungBase& young) { return young.kept.generation == base; });
    retention_impl::end_retained(past.horizon, meta.generation,
                                 [&](std::uint64_t generation) { return generation == base && !still; });
    past.move.reset();
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

/// Is a move of the horizon under way?
bool DatabaseCore::horizon_moves() const {
    const std::lock_guard lock(meta_mutex_);
    return bases_.back()->move.has_value();
}

/// Would a checkpoint without anything new move the horizon, or go on with that?
bool DatabaseCore::moving() const {
    if (!may_move_horizon()) return false;
    const std::lock_guard lock(meta_mutex_);
    const Base& base = *bases_.back();
    const Ref catalog(base.meta.catalog.root);
    return base.move || !base.horizon.young.empty() ||
           (detail::keeps_history(*source_, catalog, base.meta.history) &&
            history_floor(*source_, catalog, 0) > base.horizon.txn);
}

/// Takes the steps of the move under way, each a checkpoint of its own. False: the disk has no room for one.
bool DatabaseCore::finish_move() {
    while (moving()) {
        const std::uint64_t before = steps_.load();
        {
            const std::lock_guard lock(checkpoint_mutex_);
            checkpoint_locked(false, true);
        }
        if (moving() && steps_.load() == before) return false;
    }
    return true;
}

/// Gives up the states before a point: a commit, and the checkpoints that let go of what belonged to them.
Txn DatabaseCore::prune(AsOf point) {
    check_writable();
    const Txn horizon = resolve(point);
    Pruning pruning;
    pruning.horizon = horizon;
    std::uint64_t hashed_from = 0;
    {
        ReadView* view = open_view();
        const Txn oldest = oldest_readable(*view);
        hashed_from = view->root->log_position;
        close_view(view);
        if (horizon <= oldest) return oldest;
    }
    bool erased = pending_redaction() != 0;
    pruning.chain = chain_hash(horizon);
    pruning.state = state_hash_at(horizon);
    WriteTxn txn(shared_from_this(), WriteTxn::Mode::exclusive, Durability::full, {});
    // The state that was hashed is not what it was where values were erased meanwhile.
    erased = erased || pending_redaction() != 0;
    for (std::uint64_t at = hashed_from; !erased && at < log_->end();) {
        const RecordView record = log_->read(at);
        erased = redacts(record);
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
    if (erased) pruning.state.reset();
    txn.prune(pruning);
    txn.annotate("northstar.prune", std::to_string(horizon));
    txn.commit();
    const auto checkpoint_again = [this] {
        const std::lock_guard lock(checkpoint_mutex_);
        checkpoint_locked(false, true);
    };
    checkpoint_again();
    if (!finish_move()) {
        fail(Errc::no_space, "there is no room in " + path_ + " to rewrite the history; what was pruned cannot be " +
                                 "read any more, and its space is given back when there is room", path_);
    }
    // What the last step let go of is free when neither meta page names it.
    for (int i = 0; i < 3; ++i) checkpoint_again();
    return horizon;
}

}  // namespace northstar::inline v0::detail
