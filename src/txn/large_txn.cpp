// large_txn.cpp -- transactions too large for memory: their pages move into the file while they run, their operations
// into a spool beside them, and the commit writes the operations into the log in parts.
//
// [LARGE-1] The log knows nothing of such a transaction before all the room it takes there is reserved.
// [LARGE-2] Its parts count when the commit record behind them is there; a checkpoint follows before anybody else
//           can write, so that other processes adopt its meta page instead of replaying it.
#include "base/error.hpp"
#include "txn/core.hpp"
#include "txn/replay.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <array>

namespace northstar::inline v0::detail {

namespace large_txn_impl {

/// Operations in memory: a small part of what pages may take, since sorting and encoding need several times as much.
constexpr std::uint64_t k_least_operations = 64u << 10;
constexpr std::uint64_t k_most_operations = 16u << 20;
/// Values from this part of the page budget on never go through memory.
constexpr std::uint64_t k_value_part = 8;
/// A replay asks this often whether a checkpoint has made it unnecessary.
constexpr std::uint64_t k_write_pause_us = 10'000;

}  // namespace large_txn_impl

void WriteTxn::set_budgets() {
    using namespace large_txn_impl;
    page_budget_ = core_->page_budget();
    page_threshold_ = page_budget_;
    operation_budget_ = std::clamp(page_budget_ / 16, k_least_operations, k_most_operations);
    // Larger than what operations may take: such a value is never an operation in memory.
    least_early_value_ = std::max(page_budget_ / k_value_part, operation_budget_ + 1);
}

/// An operation that does not fit into the budgets: room is made first. The texts may lie in pages that move, so they
/// are copied, except for values so long that they never lie in memory pages.
template <class F>
void WriteTxn::write_heavily(int tree, std::string_view key, std::string_view value, F&& in_memory) {
    const std::string held_key(key);
    std::string held_value;
    if (value.size() < least_early_value_) {
        held_value = value;
        value = held_value;
    }
    tree = make_room(tree, held_key.size() + value.size());
    in_memory(tree, std::string_view(held_key), value);
}

void WriteTxn::put_heavily(int tree, std::string_view key, std::string_view value) {
    write_heavily(tree, key, value, [this](int at, std::string_view k, std::string_view v) {
        if (v.size() < least_early_value_) {
            put_now(at, k, v);
        } else {
            spool_value(at, k, v, [&] { work_.put(at, k, v); });
        }
    });
}

void WriteTxn::append_heavily(int tree, std::string_view key, std::string_view value) {
    write_heavily(tree, key, value, [this](int at, std::string_view k, std::string_view v) {
        if (v.size() < least_early_value_) {
            append_now(at, k, v);
        } else {
            note_needed_range(work_.tree(at).id, k, std::nullopt);
            spool_value(at, k, v, [&] { work_.append(at, k, v); });
        }
    });
}

/// A value that goes from where it lies into the spool and into a run of its own.
template <class F>
void WriteTxn::spool_value(int tree, std::string_view key, std::string_view value, F&& change_tree) {
    EarlyPages& space = *work_.pages().early();
    Nonce nonce{};
    core_->next_nonce(nonce);
    spool_operations();
    spool_.add_put(work_.tree(tree).id, key, value, nonce, space);
    ++version_;
    adds_ = true;
    try {
        change_tree();
    } catch (const Error&) {
        // Not in order, perhaps: then nothing has changed.
        spool_.truncate(spool_.size() - 1, space);
        throw;
    }
}

/// Moves operations and pages into the file as far as they are over their budgets. Returns the tree's index, which may
/// be another one afterwards.
int WriteTxn::make_room(int tree, std::uint64_t coming) {
    const std::uint64_t id = work_.tree(tree).id;
    make_room(coming);
    return work_.open(id);
}

void WriteTxn::make_room(std::uint64_t coming) {
    take_turn();
    PageWriter& pages = work_.pages();
    pages.begin_early(*core_->early_source_, least_early_value_);
    ++version_;
    if (operations_.bytes() + coming > operation_budget_) spool_operations();
    if (pages.bytes() + coming <= page_threshold_) return;
    std::vector<Workspace::Mark*> marks;
    for (Saved& saved : savepoints_) marks.push_back(&saved.work);
    work_.place_early(marks);
    // Pages above such that are shared with a built root had to stay: they must not make every operation a heavy one.
    page_threshold_ = std::max(page_budget_, pages.bytes() + page_budget_ / 4);
}

/// Writes the operations in memory into the spool, cut where a savepoint may go back to. After an error the
/// transaction can only be rolled back, which the interface sees to.
void WriteTxn::spool_operations() {
    if (operations_.empty()) return;
    EarlyPages& space = *work_.pages().early();
    const std::size_t before = spool_.size();
    const std::size_t end = operations_.size();
    std::vector<std::size_t> cuts;
    for (const Saved& saved : savepoints_) {
        if (saved.chunks == before && saved.operations.entries != 0 && saved.operations.entries != end) {
            cuts.push_back(saved.operations.entries);
        }
    }
    std::sort(cuts.begin(), cuts.end());
    const auto add = [&](const OperationList& list) {
        Nonce nonce{};
        core_->next_nonce(nonce);
        if (list.count() != 0) spool_.add(list, nonce, space);
    };
    std::vector<std::size_t> chunks_at;  // chunks in front of each cut
    std::size_t from = 0;
    for (const std::size_t cut : cuts) {
        OperationList piece;
        for (; from < cut; ++from) piece.repeat(operations_.call(static_cast<std::uint32_t>(from)));
        piece.finish();
        add(piece);
        chunks_at.push_back(spool_.size());
    }
    if (cuts.empty()) {
        operations_.finish_operations();
        add(operations_);
    } else {
        OperationList rest;
        for (; from < end; ++from) rest.repeat(operations_.call(static_cast<std::uint32_t>(from)));
        rest.finish();
        add(rest);
    }
    operations_.clear_operations();
    for (Saved& saved : savepoints_) {
        if (saved.chunks != before) continue;
        const std::size_t entries = saved.operations.entries;
        if (entries == end) {
            saved.chunks = spool_.size();
        } else if (entries != 0) {
            const auto cut = std::lower_bound(cuts.begin(), cuts.end(), entries);
            saved.chunks = chunks_at[static_cast<std::size_t>(cut - cuts.begin())];
        }
        saved.operations = operations_.mark_behind_annotations(saved.operations.annotations);
    }
}

/// An optimistic transaction goes on as the exclusive writer, if what it read so far still holds.
void WriteTxn::take_turn() {
    if (has_turn_) return;
    core_->begin_exclusive(limit_);
    has_turn_ = true;
    const Root* built = core_->roots().built();
    if (built == base_ && built->number.load(std::memory_order_relaxed) == base_number_) return;
    if (!still_valid(*built)) {
        core_->counters().conflicts.fetch_add(1, std::memory_order_relaxed);
        fail(Errc::conflict, "another transaction changed what this one read; nothing was changed: try again");
    }
    ++version_;
    apply_calls_again(*built);
}

/// Makes the transaction's pages anew above another root; its savepoints keep their meaning.
void WriteTxn::apply_calls_again(const Root& built) {
    work_.abandon();
    const Txn txn = built.txn.load(std::memory_order_relaxed) + 1;
    work_.begin(built.catalog, built.next_tree_id, built.history, txn);
    auto saved = savepoints_.begin();
    for (std::size_t i = 0;; ++i) {
        for (; saved != savepoints_.end() && saved->operations.entries == i; ++saved) saved->work = work_.mark();
        if (i == operations_.size()) break;
        apply_operation(work_, operations_.call(static_cast<std::uint32_t>(i)));
    }
    base_ = &built;
    base_number_ = built.number.load(std::memory_order_relaxed);
    base_txn_ = txn - 1;
    base_catalog_ = built.catalog.root;
    base_next_tree_id_ = built.next_tree_id;
}

/// Workspaces of a replay: room is made as in the transaction whose record is read. Call with the turn.
void DatabaseCore::make_room_for_replay(Workspace& work) {
    while (!take_write_lock(large_txn_impl::k_write_pause_us, {})) {
        if (newer_meta_exists()) throw AdoptInstead{};
    }
    // The writer before has made its checkpoint as long as it was alive.
    if (newer_meta_exists()) throw AdoptInstead{};
    if (!holds_early()) learn_announced(*roots_->built());
    work.pages().begin_early(*early_source_, std::max(page_budget() / large_txn_impl::k_value_part,
                                                      std::uint64_t{4} * page_size_));
    work.place_early({});
}

/// The checkpoint that names early pages, behind the transaction that made them. [LARGE-2]
void DatabaseCore::settle_early() {
    make_durable(processes_->load(Word::built_txn), 0);
    publish_visible();
    try {
        const std::lock_guard lock(checkpoint_mutex_);
        checkpoint_locked(false, true);
    } catch (const Error& error) {
        // What was committed is committed; the next writer tries again, and is told when memory runs out.
        remember_failure(error.what());
    }
}

/// A large transaction whose commit failed behind its record, or one that ended without a commit and had replayed large
/// ones of others first, left early pages, and with them the write lock, to this handle. A background thread settles
/// them by itself. Call without the turn.
void DatabaseCore::settle_left_over() noexcept {
    if (!holds_early() || options_.background) return;
    if (!turn_.try_acquire()) return;  // they are that transaction's, which settles them
    turn_.release();
    try {
        settle_early();
    } catch (const std::exception& error) {
        // The next writer tries again.
        remember_failure(error.what());
    }
}

/// Behind a checkpoint that named early pages: without a background thread nobody would notice later that another
/// process waits for the lock that was kept with them.
void DatabaseCore::give_up_write_lock() noexcept {
    if ((!options_.background || processes_->write_wanted()) && turn_.try_acquire()) end_exclusive();
}

/// Copies the spool into the log; the room is there. The commit record's fields then name the parts.
void DatabaseCore::write_parts(WriteTxn& t, RecordFields& fields) {
    RecordFields part = fields;
    part.txn = fields.txn - 1;
    part.lazy = false;
    fields.parts.first = log_->end();
    fields.parts.count = static_cast<std::uint32_t>(t.spool_.size());
    for (std::size_t i = 0; i < t.spool_.size(); ++i) {
        part.position = log_->end();
        part.durable = std::min(fields.durable, part.position);
        const std::uint32_t checksum = t.spool_.checksum_of(i, part, *file_, page_size_);
        write_log([&] { t.spool_.append_to(*log_, i, part, checksum, *file_); },
            [&] { processes_->store(Word::log_position, log_->end()); });
    }
    t.spool_.clear();
}

}  // namespace northstar::inline v0::detail
