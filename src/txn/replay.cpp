#include "txn/replay.hpp"

#include "base/error.hpp"
#include "log/scan.hpp"
#include "txn/log_bytes.hpp"
#include "txn/core.hpp"

namespace northstar::inline v0::detail {

namespace replay_impl {

int tree_of(Workspace& work, const LogOperation& operation) {
    const int tree = work.open(operation.tree);
    if (tree < 0) {
        fail(Errc::corrupt, "txn " + std::to_string(work.txn()) + " changes tree " + std::to_string(operation.tree) +
                                ", which does not exist; restore the file from a backup");
    }
    return tree;
}

/// How often who waits for the turn looks whether it is still needed.
constexpr std::uint32_t k_turn_pause_ms = 10;
/// To replay so many takes longer than to hand over the write lock.
constexpr Txn k_many_txns = 500;
constexpr int k_most_passes = 4;

}  // namespace replay_impl

void apply_operation(Workspace& work, const LogOperation& operation) {
    using replay_impl::tree_of;
    switch (operation.kind) {
        case OperationKind::put:
            // Of a value that was redacted nothing is left but that it was there.
            work.put(tree_of(work, operation), operation.key,
                     operation.redacted ? std::string_view() : operation.value);
            break;
        case OperationKind::erase: work.erase(tree_of(work, operation), operation.key); break;
        case OperationKind::erase_range:
            work.erase_range(tree_of(work, operation), operation.key,
                             operation.to_the_end ? std::nullopt : std::optional<std::string_view>(operation.value));
            break;
        case OperationKind::create_tree: {
            const int tree = work.create(operation.key, operation.tree);
            work.set_created_history(tree, decode_history(operation));
            break;
        }
        case OperationKind::drop_tree: work.drop(tree_of(work, operation)); break;
        case OperationKind::set_history:
            if (operation.tree == 0) {
                work.set_default_history(decode_history(operation));
            } else {
                work.set_history(tree_of(work, operation), decode_history(operation));
            }
            break;
        case OperationKind::prune: work.prune(decode_pruning(operation)); break;
        // The value itself goes from the tree by an erasure of its own.
        case OperationKind::redact: work.note_redacted(decode_redaction(operation)); break;
    }
}

void apply_record(Workspace& work, const RecordView& record) {
    RecordView::Walk walk = record.walk();
    LogOperation operation;
    while (walk.next(operation)) {
        apply_operation(work, operation);
        work.relieve();
    }
}

/// Replays the log behind the built root. `to_end`: to the end that the words name, a root for each txn behind
/// `visible`; else to `visible` in one root. Call with the turn. [REPLAY-1]
void DatabaseCore::replay_to(Txn visible, bool to_end) {
    const std::lock_guard lock(replay_mutex_);
    replay_under_mutex(visible, to_end);
}

void DatabaseCore::replay_under_mutex(Txn visible, bool to_end) {
    for (;;) {
        if (newer_meta_exists()) adopt_newest();
        std::uint64_t at = 0;
        try {
            if (replay_from_built(visible, to_end, at)) {
                if (holds_early()) want_checkpoint();
                return;
            }
        } catch (const AdoptInstead&) {
            continue;
        } catch (const Error& error) {
            const bool of_the_file = error.code() == Errc::corrupt || error.code() == Errc::truncated;
            if (!of_the_file || !newer_meta_exists()) throw;
        }
        if (newer_meta_exists()) continue;
        fail(Errc::corrupt,
             "the log of " + path_ + " is damaged at position " + std::to_string(at) +
                 ", before the newest commit; run 'northstar verify' to see what is affected",
             path_);
    }
}

/// Makes the built root at least as new as `visible`. The turn may be with a thread that waits for another process, or
/// whose transaction lasts: it is asked for only where early pages have to be placed, and then a newer meta page, which
/// follows such a transaction, or a writer that has caught up here, does as well.
void DatabaseCore::follow(Txn visible) {
    while (!follow_without_turn(visible)) {
        bool turn = false;
        while (!newer_meta_exists() && roots_->built()->txn.load(std::memory_order_relaxed) < visible && !turn) {
            turn = turn_.acquire(replay_impl::k_turn_pause_ms);
        }
        if (!turn) continue;
        const TurnGuard guard(turn_, std::adopt_lock);
        replay_to(visible, false);
        return;
    }
}

/// A newer generation is adopted, and most of what others have written replayed, before the write lock is taken rather
/// than with it: then everybody would wait. Call with the turn.
void DatabaseCore::follow_when_called() {
    called_for_write_ = true;
    try {
        // What is written meanwhile takes less time each time.
        for (int i = 0; i < replay_impl::k_most_passes; ++i) {
            if (!follow_without_turn(processes_->load(Word::visible_txn)) || !far_behind()) break;
        }
    } catch (...) {
        called_for_write_ = false;
        throw;
    }
    called_for_write_ = false;
}

/// Is there so much to catch up with that others should not have to wait for it?
bool DatabaseCore::far_behind() const {
    const Txn visible = processes_->load(Word::visible_txn);
    return newer_meta_exists() ||
           visible > roots_->built()->txn.load(std::memory_order_relaxed) + replay_impl::k_many_txns;
}

/// False: that takes the turn. Nothing is adopted or replayed where the root is new enough: a writer may be at work on
/// it, unless that is this thread and it has not begun. [CORE-7]
bool DatabaseCore::follow_without_turn(Txn visible) {
    const std::lock_guard lock(replay_mutex_);
    const bool before_writing = turn_.held_by_this_thread() && called_for_write_;
    if (roots_->built()->txn.load(std::memory_order_relaxed) >= visible && !(before_writing && newer_meta_exists())) {
        return true;
    }
    try {
        replay_under_mutex(visible, false);
    } catch (const TurnNeeded&) {
        return false;
    }
    return true;
}

/// False: there is no record that counts at position `at`, where one must be. Call with the replay mutex.
bool DatabaseCore::replay_from_built(Txn visible, bool to_end, std::uint64_t& at) {
    const Root* built = roots_->built();
    at = built->log_position;
    Txn txn = built->txn.load(std::memory_order_relaxed);
    std::uint64_t time_us = built->time_us;
    std::uint64_t epoch = built->epoch;
    const Txn target = to_end ? processes_->load(Word::built_txn) : visible;
    const std::uint64_t end = processes_->load(Word::log_position);
    if (txn >= target && !(to_end && at < end)) return true;
    FileLogBytes& bytes = *replay_bytes_;
    bytes.begin(end > at ? end - at : 0);
    const auto record_at = [&](std::uint64_t position) {
        return log_->with_extents(
            [&](const ExtentDirectory& extents) { return read_record(bytes, extents, position, log_->seed()); });
    };
    Workspace& work = *replay_work_;
    // Early pages need a checkpoint soon. A reader without a background thread does not make one.
    const bool early = !options_.read_only && (options_.background || to_end);
    work.limit_pages(early ? page_budget() : ~std::uint64_t{0}, [&] {
        if (!turn_.held_by_this_thread() || called_for_write_) throw TurnNeeded{};
        make_room_for_replay(work);
    });
    work.begin(built->catalog, built->next_tree_id, built->history, txn);
    Txn installed = txn;
    std::uint64_t behind = at;  // the record of `txn`
    const auto install_here = [&] {
        if (txn == installed) return;
        work.finish();
        Root* root = root_of(work, txn, time_us, behind, epoch);
        reserve_install(work);
        install(work, root);
        counters_.replayed_txns.fetch_add(txn - installed, std::memory_order_relaxed);
        installed = txn;
        work.begin(root->catalog, root->next_tree_id, root->history, txn);
    };
    bool whole = true;
    std::vector<std::uint64_t> parts;
    try {
        while (whole && (txn < target || (to_end && at < end))) {
            std::optional<RecordView> record = record_at(at);
            if (!record) {
                whole = false;
                break;
            }
            const std::uint64_t next =
                record->kind() == RecordKind::next ? record->continues_at() : record->end();
            switch (record->kind()) {
                case RecordKind::part: parts.push_back(at); break;
                case RecordKind::commit: {
                    const std::size_t count = record->parts().count;
                    if (record->txn() != txn + 1 || count > parts.size()) {
                        whole = false;
                        break;
                    }
                    // A record that is visible comes together with its predecessors; later ones get roots of
                    // their own, so that each can become visible when its turn comes.
                    if (txn >= visible) install_here();
                    txn = record->txn();
                    time_us = record->header().time_us;
                    epoch = record->header().epoch;
                    behind = record->end();
                    work.pages().set_txn(txn);
                    if (count != 0) {
                        for (std::size_t i = parts.size() - count; whole && i < parts.size(); ++i) {
                            const std::optional<RecordView> part = record_at(parts[i]);
                            if (part) apply_record(work, *part);
                            whole = part.has_value();
                        }
                        if (whole) record = record_at(at);  // the parts took its place in the buffer
                        whole = whole && record;
                    }
                    parts.clear();
                    if (whole) apply_record(work, *record);
                    break;
                }
                case RecordKind::extents:
                case RecordKind::next:
                    for (std::uint32_t i = 0; i < record->extents(); ++i) learn_extent(record->extent(i));
                    break;
                case RecordKind::epoch:
                case RecordKind::mark: break;
            }
            if (whole) at = next;
        }
        if (whole) install_here();
    } catch (...) {
        work.abandon();
        throw;
    }
    work.abandon();
    return whole;
}

void DatabaseCore::catch_up() {
    const Txn visible = processes_->load(Word::visible_txn);
    roots_->advance(visible);
    if (roots_->visible()->txn.load(std::memory_order_relaxed) >= visible) return;
    follow(visible);
    // Another thread may have replayed past `visible` in one root, to what became visible since: then no root of
    // `visible` itself comes, and that one is to be shown. [SNAP-4]
    roots_->advance(processes_->load(Word::visible_txn));
}

/// Behind this nobody replays until the write lock is given back. Whoever is replaying now does so because others have
/// written: then the log does not end where it ended here, and the replay mutex is waited for below. [CORE-7]
void DatabaseCore::catch_up_for_writing() {
    if (processes_->load(Word::writing) != 0) take_over();
    const Txn built = processes_->load(Word::built_txn);
    const std::uint64_t end = processes_->load(Word::log_position);
    const Txn visible = processes_->load(Word::visible_txn);
    if (roots_->built()->txn.load(std::memory_order_relaxed) < built || log_->end() != end ||
        newer_meta_exists()) {
        replay_to(visible, true);
        log_->set_end(end, processes_->load(Word::epoch));
    }
    roots_->advance(visible);
}

/// The writer before us died between the first byte of a record and the end of its publication.
void DatabaseCore::take_over() {
    const Txn visible = processes_->load(Word::visible_txn);
    replay_to(visible, true);
    const std::uint64_t end = processes_->load(Word::log_position);
    ExtentDirectory extents = log_->extents();
    FileLogBytes bytes(*file_);
    const Root* built = roots_->built();
    LogCursor start;
    start.position = end;
    start.epoch = processes_->load(Word::epoch);
    start.txn = built->txn.load(std::memory_order_relaxed);
    start.time_us = built->time_us;
    start.durable = processes_->load(Word::durable_position);
    LogScanner scanner(bytes, extents, log_->seed(), start);
    // Whole records behind the end are adopted: their writer died before it could say so.
    RecordView record;
    bool full = false;
    while (scanner.next(record)) {
        if (record.kind() == RecordKind::commit && !record.has(k_flag_lazy)) full = true;
    }
    const LogCursor& cursor = scanner.cursor();
    if (full) processes_->store(Word::last_full, cursor.txn);
    processes_->store(Word::last_time, cursor.time_us);
    processes_->store(Word::log_position, cursor.position);
    processes_->store(Word::epoch, cursor.epoch);
    processes_->store(Word::built_txn, cursor.txn);
    replay_to(visible, true);
    log_->set_end(cursor.position, cursor.epoch);
    const LogTail tail = scanner.judge_end(0);
    if (tail.kind == LogTail::Kind::damaged) LogScanner::fail_damaged(tail);
    if (tail.kind == LogTail::Kind::unused) begin_epoch(tail.largest_epoch);
    processes_->store(Word::writing, 0);
    publish_visible();
}

}  // namespace northstar::inline v0::detail
