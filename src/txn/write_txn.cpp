#include "txn/write_txn.hpp"

#include "base/error.hpp"
#include "btree/tree_compare.hpp"
#include "txn/replay.hpp"

#include <algorithm>
#include <map>
#include <new>

namespace northstar::inline v0::detail {

namespace write_txn_impl {

[[noreturn]] void savepoint_ended() {
    fail(Errc::invalid_argument, "this savepoint ended when an earlier one was rolled back to");
}

}  // namespace write_txn_impl

WriteTxn::WriteTxn(std::shared_ptr<DatabaseCore> core, Mode mode, Durability wanted,
                   WaitLimit limit)
    : durability(wanted), core_(std::move(core)), mode_(mode), limit_(std::move(limit)), kit_(core_->take_kit()),
      work_(kit_->work), operations_(kit_->operations), reads_(kit_->reads), notes_reads_(mode == Mode::optimistic),
      spool_(core_->log()) {
    if (mode_ == Mode::exclusive) {
        core_->begin_exclusive(limit_);
        has_turn_ = true;
    }
    try {
        begin();
    } catch (...) {
        finish();
        throw;
    }
}

void WriteTxn::begin() {
    core_->check_writable();
    if (mode_ == Mode::optimistic) {
        core_->make_room_if_tight();
        // What other processes acknowledged before this began is seen.
        core_->catch_up();
    }
    stand_on(core_->open_built_view());
    work_.begin(base_->catalog, base_->next_tree_id, base_->history, base_txn_ + 1, base_number_);
    set_budgets();
}

void WriteTxn::stand_on(ReadView* view) noexcept {
    view_ = view;
    view_->txn = this;
    ticket_ = view_->ticket.load(std::memory_order_relaxed);
    base_ = view_->root;
    base_number_ = base_->number.load(std::memory_order_relaxed);
    base_txn_ = base_->txn.load(std::memory_order_relaxed);
    base_catalog_ = base_->catalog.root;
    base_next_tree_id_ = base_->next_tree_id;
}

WriteTxn::~WriteTxn() {
    rollback();
    operations_.clear();
    reads_.clear();
    core_->give_kit(std::move(kit_));
}

std::unique_ptr<WriteKit> DatabaseCore::take_kit() {
    std::unique_ptr<WriteKit> kit(spare_kit_.exchange(nullptr, std::memory_order_acquire));
    if (kit == nullptr) kit = std::make_unique<WriteKit>(*arena_, *source_);
    return kit;
}

void DatabaseCore::give_kit(std::unique_ptr<WriteKit> kit) noexcept {
    // One is kept: writers take turns, and optimistic ones beside them may pay for their own.
    kit.reset(spare_kit_.exchange(kit.release(), std::memory_order_acq_rel));
}

void WriteTxn::finish() noexcept {
    state_ = State::spent;
    work_.abandon();
    savepoints_.clear();
    if (view_ != nullptr && view_->ticket.load(std::memory_order_relaxed) == ticket_) {
        view_->txn = nullptr;
        DatabaseCore::close_view(view_);
    }
    view_ = nullptr;
    if (has_turn_) core_->end_exclusive();
    has_turn_ = false;
}

void WriteTxn::rollback() noexcept {
    if (state_ != State::open) return;
    finish();
    core_->settle_left_over();
}

void WriteTxn::check_open() const {
    if (state_ != State::open) [[unlikely]] {
        fail(Errc::misuse, "this transaction was committed or rolled back already; begin a new one");
    }
    core_->check_usable();
}

void WriteTxn::check_sizes(std::string_view key, std::string_view value) const {
    const std::size_t longest = max_key_size(core_->page_size());
    if (key.size() > longest) [[unlikely]] {
        fail(Errc::key_too_large, "a key of " + std::to_string(key.size()) + " bytes is longer than the " +
                                      std::to_string(longest) + " that a page of this database allows");
    }
    if (value.size() > Database::max_value_size()) [[unlikely]] {
        fail(Errc::value_too_large, "a value of " + std::to_string(value.size()) +
                                        " bytes is longer than 4 GiB - 1; split it over several keys");
    }
}

int WriteTxn::find_tree(std::string_view name) {
    const int tree = work_.open(name);
    if (notes_reads_) note_name(tree, name);
    return tree;
}

/// Every operation looks its tree up, so the set of names is asked once for each of them.
void WriteTxn::note_name(int tree, std::string_view name) {
    if (tree < 0) {
        names_.emplace(name);
        return;
    }
    const auto at = static_cast<std::size_t>(tree);
    const std::uint64_t id = work_.tree(tree).id;
    if (at < named_.size() && named_[at] == id) return;
    names_.emplace(name);
    if (at >= named_.size()) named_.resize(at + 1);
    named_[at] = id;
}

const Workspace::OpenTree* WriteTxn::tree_at(std::uint64_t savepoint, std::string_view name) {
    check_open();
    const auto saved = std::find_if(savepoints_.begin(), savepoints_.end(),
                                    [&](const Saved& candidate) { return candidate.id == savepoint; });
    if (saved == savepoints_.end()) write_txn_impl::savepoint_ended();
    if (notes_reads_ && names_.find(name) == names_.end()) names_.emplace(name);
    return work_.open(saved->work, name);
}

int WriteTxn::find_to_write(std::string_view name) {
    const int found = work_.open(name);
    if (mode_ == Mode::optimistic) note_name(found, name);
    return found;
}

int WriteTxn::make_tree(std::string_view name) {
    const int found = find_to_write(name);
    if (found >= 0) return found;
    if (name.empty() || name.size() > k_max_name_size) {
        fail(Errc::invalid_argument, "a tree's name has 1 to 255 bytes; this one has " + std::to_string(name.size()));
    }
    makes_trees_ = true;
    const int tree = work_.create(name);
    operations_.create_tree(work_.tree(tree).id, name, work_.default_history());
    return tree;
}

bool WriteTxn::create_tree(std::string_view name) {
    const std::size_t before = operations_.size();
    make_tree(name);
    return operations_.size() != before;
}

bool WriteTxn::drop_tree(std::string_view name) {
    const int tree = work_.open(name);
    if (mode_ == Mode::optimistic) note_name(tree, name);
    if (tree < 0) return false;
    ++version_;
    operations_.drop_tree(work_.tree(tree).id, name);
    work_.drop(tree);
    return true;
}

void WriteTxn::set_history(std::string_view name, History history) {
    const int tree = make_tree(name);
    work_.set_history(tree, history);
    operations_.set_history(work_.tree(tree).id, name, history);
}

void WriteTxn::set_default_history(History history) {
    work_.set_default_history(history);
    operations_.set_history(0, {}, history);
}

void WriteTxn::prune(const Pruning& pruning) {
    work_.prune(pruning);
    operations_.prune(pruning);
}

void WriteTxn::put(int tree, std::string_view key, std::string_view value) {
    if (heavy(key.size() + value.size())) [[unlikely]] {
        put_heavily(tree, key, value);
    } else {
        put_now(tree, key, value);
    }
}

void WriteTxn::put_now(int tree, std::string_view key, std::string_view value) {
    ++version_;
    adds_ = true;
    operations_.put(work_.tree(tree).id, key, value);
    work_.put(tree, key, value);
}

bool WriteTxn::holds(int tree, std::string_view key) const {
    const Ref root = work_.tree(tree).root.root;
    return !root.empty() && tree_get(source(), root, key).has_value();
}

bool WriteTxn::put_if_absent(int tree, std::string_view key, std::string_view value) {
    note_needed(work_.tree(tree).id, key);
    if (heavy(key.size() + value.size())) [[unlikely]] {
        if (holds(tree, key)) return false;
        put_heavily(tree, key, value);
        return true;
    }
    // A key behind the last one of the page that was appended to is not there: no descent is needed to know that. The
    // operation is noted first, since the texts may lie in the page.
    const OperationList::Mark before = operations_.mark();
    operations_.put(work_.tree(tree).id, key, value);
    if (!work_.append_in_place(tree, key, value)) {
        if (holds(tree, key)) {
            operations_.rewind(before);
            return false;
        }
        work_.put(tree, key, value);
    }
    ++version_;
    adds_ = true;
    return true;
}

void WriteTxn::append(int tree, std::string_view key, std::string_view value) {
    if (heavy(key.size() + value.size())) [[unlikely]] {
        append_heavily(tree, key, value);
    } else {
        append_now(tree, key, value);
    }
}

void WriteTxn::append_now(int tree, std::string_view key, std::string_view value) {
    // That the key is the largest is something that was read.
    note_needed_range(work_.tree(tree).id, key, std::nullopt);
    ++version_;
    adds_ = true;
    work_.append(tree, key, value);
    operations_.put(work_.tree(tree).id, key, value);
}

bool WriteTxn::erase(int tree, std::string_view key) {
    note_needed(work_.tree(tree).id, key);
    std::string held;
    if (heavy(key.size())) [[unlikely]] {
        held = key;
        key = held;
        tree = make_room(tree, key.size());
    }
    ++version_;
    // Noted first, since the key may lie in the page.
    const OperationList::Mark before = operations_.mark();
    operations_.erase(work_.tree(tree).id, key);
    if (work_.erase(tree, key)) return true;
    operations_.rewind(before);
    return false;
}

std::uint64_t WriteTxn::erase_range(int tree, std::string_view from, std::optional<std::string_view> to) {
    if (to) check_sizes(*to, {});
    if (to && *to <= from) return 0;
    note_needed_range(work_.tree(tree).id, from, to);
    std::string held_from;
    std::string held_to;
    if (heavy(from.size() + (to ? to->size() : 0))) [[unlikely]] {
        held_from = from;
        from = held_from;
        if (to) held_to = *to;
        if (to) to = held_to;
        tree = make_room(tree, held_from.size() + held_to.size());
    }
    ++version_;
    const std::uint64_t erased = work_.erase_range(tree, from, to);
    if (erased != 0) operations_.erase_range(work_.tree(tree).id, from, to);
    return erased;
}

void WriteTxn::note_needed(std::uint64_t tree, std::string_view key) {
    if (mode_ == Mode::optimistic) reads_.add(tree, key);
}

void WriteTxn::note_needed_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to) {
    if (mode_ != Mode::optimistic) return;
    ReadRange range{tree, std::string(from), std::nullopt};
    if (to) range.to = std::string(*to);
    // A cursor that walks on notes ranges that touch: they are one.
    if (!ranges_.empty()) {
        ReadRange& last = ranges_.back();
        if (last.tree == tree && last.from <= range.from && (!last.to || *last.to >= range.from)) {
            if (!range.to || !last.to) {
                last.to.reset();
            } else if (*last.to < *range.to) {
                last.to = std::move(range.to);
            }
            return;
        }
        // One that walks back, in front of the last one.
        if (last.tree == tree && range.from <= last.from && range.to && *range.to >= last.from) {
            last.from = std::move(range.from);
            if (last.to && *range.to > *last.to) last.to = std::move(range.to);
            return;
        }
    }
    ranges_.push_back(std::move(range));
}

std::uint64_t WriteTxn::savepoint() {
    check_open();
    savepoints_.push_back({next_savepoint_, work_.mark(), spool_.size(), operations_.mark()});
    return next_savepoint_++;
}

void WriteTxn::rollback_to(std::uint64_t id) {
    check_open();
    while (!savepoints_.empty() && savepoints_.back().id > id) savepoints_.pop_back();
    if (savepoints_.empty() || savepoints_.back().id != id) write_txn_impl::savepoint_ended();
    ++version_;
    const Saved& saved = savepoints_.back();
    work_.rewind(saved.work);
    if (spool_.size() > saved.chunks) spool_.truncate(saved.chunks, *work_.pages().early());
    operations_.rewind(saved.operations);
}

/// Does everything that was read read the same on the newest root?
bool WriteTxn::still_valid(const Root& built) const {
    const PageSource& source = work_.source();
    // Trees made here have numbers that others may have given away meanwhile.
    if (work_.next_tree_id() != base_next_tree_id_ && built.next_tree_id != base_next_tree_id_) return false;
    // They began with the default retention that was found, and their operations say so.
    if (makes_trees_ && work_.default_history() != built.history) return false;
    const auto tree_at = [&](Ref catalog, std::uint64_t id) {
        CatalogEntry entry;
        return detail::find_tree(source, catalog, id, entry) ? entry.root.root : Ref();
    };
    for (const std::string& name : names_) {
        CatalogEntry before;
        CatalogEntry now;
        const bool was = detail::find_tree(source, base_catalog_, name, before);
        const bool is = detail::find_tree(source, built.catalog.root, name, now);
        if (was != is || (was && before.id != now.id)) return false;
    }
    if (listed_ && base_catalog_ != built.catalog.root) {
        const std::vector<CatalogEntry> before = list_trees(source, base_catalog_);
        const std::vector<CatalogEntry> now = list_trees(source, built.catalog.root);
        const auto same = [](const CatalogEntry& a, const CatalogEntry& b) { return a.id == b.id; };
        if (!std::equal(before.begin(), before.end(), now.begin(), now.end(), same)) return false;
    }
    std::map<std::uint64_t, std::pair<Ref, Ref>> roots;  // of each tree read: then and now
    const auto look_up = [&](std::uint64_t id) -> const std::pair<Ref, Ref>& {
        const auto [found, added] = roots.try_emplace(id);
        if (added) found->second = {tree_at(base_catalog_, id), tree_at(built.catalog.root, id)};
        return found->second;
    };
    for (const ReadRange& range : ranges_) {
        const auto& [before, now] = look_up(range.tree);
        const std::optional<std::string_view> to =
            range.to ? std::optional<std::string_view>(*range.to) : std::nullopt;
        if (before != now && tree_range_differs({source, before}, {source, now}, range.from, to)) return false;
    }
    return reads_.all_of([&](std::uint64_t id, std::string_view key) {
        const auto& [before, now] = look_up(id);
        return before == now || !tree_key_differs({source, before}, {source, now}, key);
    });
}

void WriteTxn::validate_reads(bool on) { notes_reads_ = on && mode_ == Mode::optimistic; }

void WriteTxn::forget_reads() {
    if (wrote()) return;
    reads_.clear();
    ranges_.clear();
    names_.clear();
    named_.clear();
    listed_ = false;
}

bool WriteTxn::refresh(std::size_t most_changes) {
    if (mode_ != Mode::optimistic)
        fail(Errc::misuse, "the exclusive writer stands on the newest state already; only optimistic ones refresh");
    if (has_turn_ || operations_.size() > most_changes) return false;
    core_->catch_up();
    ReadView* const newer = core_->open_built_view();
    const Root& built = *newer->root;
    if (&built == base_ && built.number.load(std::memory_order_relaxed) == base_number_) {
        DatabaseCore::close_view(newer);
        return false;
    }
    try {
        if (!still_valid(built)) {
            core_->counters().conflicts.fetch_add(1, std::memory_order_relaxed);
            fail(Errc::conflict, "another transaction changed what this one read; nothing was changed: try again");
        }
    } catch (...) {
        DatabaseCore::close_view(newer);
        throw;
    }
    ReadView* const older = view_;
    older->txn = nullptr;
    stand_on(newer);
    DatabaseCore::close_view(older);
    ++version_;
    apply_calls_again(built);
    return true;
}

bool WriteTxn::changed_by_others(std::string_view tree, std::string_view key) {
    check_open();
    if (mode_ == Mode::exclusive || has_turn_) return false;
    core_->catch_up();
    ReadView* const newer = core_->open_built_view();
    const Root& built = *newer->root;
    bool changed = false;
    try {
        const PageSource& source = work_.source();
        CatalogEntry before, now;
        if (built.catalog.root != base_catalog_ && detail::find_tree(source, base_catalog_, tree, before)) {
            const bool is = detail::find_tree(source, built.catalog.root, before.id, now);
            const Ref root = is ? now.root.root : Ref();
            changed = before.root.root != root && tree_key_differs({source, before.root.root}, {source, root}, key);
        }
    } catch (...) {
        DatabaseCore::close_view(newer);
        throw;
    }
    DatabaseCore::close_view(newer);
    return changed;
}

/// The pages made so far lie above another root: the operations are done again on the newest one.
void WriteTxn::apply_again(const Root& built) {
    work_.abandon();
    const Txn txn = built.txn.load(std::memory_order_relaxed) + 1;
    work_.begin(built.catalog, built.next_tree_id, built.history, txn);
    for (std::uint32_t i = 0; i < operations_.count(); ++i) apply_operation(work_, operations_.operation(i));
}

Commit WriteTxn::commit() {
    check_open();
    if (!wrote()) {
        // Nothing written; what was read must still be true for good before anybody acts on it.
        const std::uint64_t position = base_->log_position;
        const Txn read = base_txn_;
        const bool full = durability == Durability::full;
        rollback();
        if (full && read != 0) core_->make_durable(read, position);
        // It may have read what nobody else sees yet: snapshots opened from now on show at least that.
        if (read != 0) core_->wait_visible(read);
        return {};
    }
    operations_.finish();
    if (!has_turn_) {
        core_->begin_exclusive(limit_);
        has_turn_ = true;
        const Root* built = core_->roots().built();
        if (built != base_ || built->number.load(std::memory_order_relaxed) != base_number_) {
            if (!still_valid(*built)) {
                core_->counters().conflicts.fetch_add(1, std::memory_order_relaxed);
                rollback();
                fail(Errc::conflict, "another transaction changed what this one read; nothing was changed: try again");
            }
            apply_again(*built);
        }
    }
    Commit result;
    try {
        result = core_->commit(*this);
    } catch (...) {
        rollback();
        throw;
    }
    const std::uint64_t position = core_->log().end();
    const bool full = durability == Durability::full;
    finish();
    try {
        if (full) core_->make_durable(result.txn, position);
        if (core_->holds_early()) [[unlikely]] core_->settle_early();
        core_->wait_visible(result.txn);
        if (wakes_workers) core_->processes().tell(Word::tasks_moved, Word::task_waiters);
        if (notifies) core_->processes().tell(Word::notified, Word::notification_waiters);
    } catch (const Error& error) {
        core_->settle_left_over();
        // The record is in the log: whatever failed now, nobody may say that nothing happened. [DUR-4]
        if (error.code() == Errc::outcome_unknown) throw;
        fail(Errc::outcome_unknown,
             std::string(error.what()) + "; the transaction may or may not be there: look before you try again",
             core_->path());
    } catch (const std::bad_alloc&) {
        core_->settle_left_over();
        throw Error(Errc::outcome_unknown, std::string());
    }
    return result;
}

}  // namespace northstar::inline v0::detail
