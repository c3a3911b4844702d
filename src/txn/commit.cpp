// commit.cpp -- the commit protocol, and flushing.
//
//   1  reserve: pages, a root, log space                       (may fail: nothing happened)
//   2  word `writing`, then the record into the log (failure: poison, outcome unknown)
//   3  install the root: built; word `writing` off. Whoever dies between 2 and 3 is taken over, record and all
//   4  lazy and nothing full unfinished before it: visible at once
//      full: release the turn, flush (one flush for all who wait), then visible
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "log/scan.hpp"
#include "txn/core.hpp"
#include "txn/ledger.hpp"
#include "txn/log_bytes.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

void DatabaseCore::begin_exclusive(const WaitLimit& limit) {
    check_writable();
    slow_down();
    if (room_tight_.load(std::memory_order_relaxed) && room_tight_.exchange(false)) [[unlikely]] free_dead_pages();
    try {
        take_turn(limit);
    } catch (...) {
        settle_left_over();
        throw;
    }
}

void DatabaseCore::take_turn(const WaitLimit& limit) {
    const auto refuse_cancelled = [&] {
        if (limit.is_over()) fail(Errc::cancelled, "waiting for the writer's turn was cancelled", path_);
    };
    const std::optional<std::uint32_t> timeout_ms = limit.timeout_ms;
    if (!turn_.acquire(timeout_ms, limit.gives_up)) {
        refuse_cancelled();
        fail(Errc::timeout, "the writer's turn did not come within " + std::to_string(*timeout_ms) + " ms", path_);
    }
    try {
        check_usable();
        std::optional<std::uint64_t> timeout_us;
        if (timeout_ms) timeout_us = std::uint64_t{*timeout_ms} * 1000;
        if (far_behind()) follow_when_called();
        if (!take_write_lock(timeout_us, follow_when_called_, limit.gives_up)) {
            refuse_cancelled();
            fail(Errc::timeout, "another process kept the write lock for too long; try again", path_);
        }
        processes_->begin_work();
        if (poisoned()) poison_error();
        catch_up_for_writing();
    } catch (...) {
        end_exclusive();
        throw;
    }
}

/// False: the time was over. Call with the turn.
bool DatabaseCore::take_write_lock(std::optional<std::uint64_t> timeout_us, const std::function<void()>& called,
                                   const std::function<bool()>& gives_up) {
    const bool had_it = processes_->has_write();
    if (!processes_->take_write(timeout_us, called, gives_up)) return false;
    // Whoever had it since may have moved what is mapped.
    if (!had_it && processes_->others_had_write()) {
        log_->unmap();
        beside_writers_.store(true, std::memory_order_relaxed);
    }
    return true;
}

void DatabaseCore::end_exclusive() noexcept {
    if (closed_.load()) {
        turn_.release();
        return;
    }
    processes_->end_work();  // before it is asked who waits: who asks meanwhile sees one of the two
    // Without a background thread nobody would notice later that another process waits. Whoever holds early pages
    // keeps the write lock [EARLY-3].
    if (processes_->has_write() && !holds_early() &&
        (!options_.background || processes_->write_wanted())) {
        // Who replays what others write from now on has to see what was written here. [CORE-7]
        const std::lock_guard lock(replay_mutex_);
        processes_->yield_write(!options_.background);
    }
    turn_.release();
}

void DatabaseCore::poison_error() const {
    fail(Errc::poisoned,
         "a flush of " + path_ + " failed earlier, so it is read-only until every process has closed it; "
         "close it, check the disk, and open it again",
         path_);
}

void DatabaseCore::poison(const char*) {
    processes_->store(Word::poison, 1);
    processes_->wake(Word::visible_txn);
    processes_->wake(Word::durable_txn);
    flushed_.notify_all();
}

Root* DatabaseCore::root_of(Workspace& work, Txn txn, std::uint64_t time_us, std::uint64_t log_position,
                            std::uint64_t epoch) {
    Root* root = roots_->prepare();
    root->txn.store(txn, std::memory_order_relaxed);
    root->time_us = time_us;
    root->catalog = work.catalog();
    root->next_tree_id = work.next_tree_id();
    root->history = work.default_history();
    root->log_position = log_position;
    root->epoch = epoch;
    root->base = bases_.back().get();
    return root;
}

/// All that may fail of install(): memory, and reading the headers of the pages that go away.
void DatabaseCore::reserve_install(Workspace& work) {
    const std::vector<PageWriter::Dropped>& pages = work.pages().dropped();
    roots_->reserve_burials(pages.size());
    reserve_early(work);
    reserved_drops_.clear();
    for (const PageWriter::Dropped& page : pages) {
        if (!page.ref.in_memory()) reserved_drops_.push_back(dropped_page(page.ref, page.large));
    }
    const std::lock_guard lock(dropped_mutex_);
    std::vector<DroppedPage>& dropped = bases_.back()->dropped;
    const std::size_t needed = dropped.size() + reserved_drops_.size();
    if (dropped.capacity() < needed) dropped.reserve(std::max(needed, 2 * dropped.capacity()));
}

void DatabaseCore::next_nonce(Nonce& nonce) { nonces_.fill(nonce); }

DroppedPage DatabaseCore::dropped_page(Ref ref, bool large) const {
    if (large) {
        const FilePages::RunHeader run = source_->run_header(ref.page());
        return {ref.page(), run.pages, run.born, 0};
    }
    // A node was verified to get here, so its header can be believed.
    const std::byte* header = source_->raw(ref.page() * page_size_, k_page_header_size);
    return {ref.page(), 1, load_u64(header + k_page_generation_offset), 0};
}

/// The pages that a workspace made belong to the root of this number; what it dropped dies there.
void DatabaseCore::adopt_pages(Workspace& work, std::uint64_t number) {
    PageWriter& pages = work.pages();
    auto reserved = reserved_drops_.begin();
    for (Frame* frame : pages.frames()) {
        if (frame != nullptr) frame->birth = number;
    }
    const std::lock_guard lock(dropped_mutex_);
    for (const PageWriter::Dropped& dropped : pages.dropped()) {
        if (dropped.ref.in_memory()) {
            roots_->bury(Frame::of(dropped.ref), number);
        } else {
            DroppedPage& page = bases_.back()->dropped.emplace_back(*reserved++);
            page.root = number;
        }
    }
    counters_.pages_copied.fetch_add(pages.frames().size(), std::memory_order_relaxed);
    name_early(work, number);
    pages.forget();
}

void DatabaseCore::install(Workspace& work, Root* root) {
    adopt_pages(work, root->number.load(std::memory_order_relaxed));
    roots_->install(root);
    roots_->reclaim_some();
}

Commit DatabaseCore::commit(WriteTxn& t) {
    Workspace& work = t.work_;
    const Root* built = roots_->built();
    const Txn txn = work.txn();
    const bool lazy = t.durability == Durability::lazy;
    work.finish();

    RecordFields fields;
    fields.epoch = log_->epoch();
    fields.txn = txn;
    fields.time_us = std::max(t.time_us != 0 ? t.time_us : vfs_->now_us(), built->time_us);
    fields.durable = processes_->load(Word::durable_position);
    fields.lazy = lazy;
    next_nonce(fields.nonce);

    OperationList& operations = t.operations_;
    const bool parts = !t.spool_.empty();
    const std::uint64_t size = operations.record_size(RecordKind::commit, false, parts, log_->log_align());
    hold_room(t.adds_, size + t.spool_.bytes());
    extend_log(size + t.spool_.bytes());
    log_->prepare(size);
    ensure_unclean();
    Root* root = root_of(work, txn, fields.time_us, 0, fields.epoch);
    try {
        reserve_install(work);
        if (parts) write_parts(t, fields);
        std::uint64_t end = 0;
        write_log(
            [&] {
                fields.position = log_->end();
                fields.durable = std::min(fields.durable, fields.position);
                if (!lazy) log_->write_ahead();
                const std::span<std::byte> out = log_->stage(size, lazy);
                operations.encode(out, RecordKind::commit, fields);
                seal_record(out, log_->seed());
                log_->publish();
                end = log_->end();
            },
            [&] {
                root->log_position = end;
                counters_.commits.fetch_add(1, std::memory_order_relaxed);
                install(work, root);
                work.settled(root->number.load(std::memory_order_relaxed));
                published(txn, end, fields.time_us, !lazy);
            });
    } catch (...) {
        roots_->discard(root);
        throw;
    }

    Commit result;
    result.txn = txn;
    result.time_us = fields.time_us;
    result.core_ = weak_from_this();
    return result;
}

void DatabaseCore::log_write_failed(const std::exception& error) {
    poison(error.what());
    try {
        fail(Errc::outcome_unknown,
             std::string(error.what()) + "; the transaction may or may not be there: close the database, open it "
                                         "again and look",
             path_);
    } catch (const std::bad_alloc&) {
        throw Error(Errc::outcome_unknown, std::string());
    }
}

void DatabaseCore::published(Txn txn, std::uint64_t position, std::uint64_t time_us, bool full) {
    if (full) processes_->store(Word::last_full, txn);
    processes_->store(Word::last_time, time_us);
    processes_->store(Word::log_position, position);
    processes_->store(Word::built_txn, txn);
    if (!full && processes_->load(Word::poison) == 0) {
        if (lazy_since_us_.load(std::memory_order_relaxed) == 0) note_lazy();
        publish_visible();
    }
    if (checkpoint_is_due()) want_checkpoint();
}

void DatabaseCore::publish_visible() {
    const Txn built = processes_->load(Word::built_txn);  // before last_full [WORD-2]
    const Txn full = processes_->load(Word::last_full);
    const Txn durable = processes_->load(Word::durable_txn);
    const Txn visible = full <= durable ? built : durable;
    roots_->advance(visible);
    std::atomic<std::uint64_t>& word = processes_->word(Word::visible_txn);
    std::uint64_t seen = word.load(std::memory_order_relaxed);
    while (seen < visible && !word.compare_exchange_weak(seen, visible, std::memory_order_acq_rel)) {}
    if (processes_->load(Word::visible_waiters) != 0) processes_->wake(Word::visible_txn);
}

void DatabaseCore::wait_visible(Txn txn) {
    while (processes_->load(Word::visible_txn) < txn) {
        const Txn full = std::min<Txn>(processes_->load(Word::last_full), txn);
        make_durable(full, 0);
        publish_visible();
    }
    if (poisoned()) unknown_outcome();
}

void DatabaseCore::unknown_outcome() const {
    fail(Errc::outcome_unknown,
         "a flush of " + path_ + " failed, so whether the transaction is there is unknown; close the database, "
         "open it again and look",
         path_);
}

void DatabaseCore::make_durable(Txn txn, std::uint64_t position) {
    std::unique_lock lock(flush_mutex_);
    for (;;) {
        if (processes_->load(Word::durable_txn) >= txn && processes_->load(Word::durable_position) >= position) {
            if (poisoned()) unknown_outcome();
            return;
        }
        if (poisoned()) unknown_outcome();
        if (flush_running_) {
            flushed_.wait(lock);
            continue;
        }
        flush_running_ = true;
        lock.unlock();
        try {
            flush_log(txn, position);
        } catch (...) {
            lock.lock();
            flush_running_ = false;
            flushed_.notify_all();
            throw;
        }
        lock.lock();
        flush_running_ = false;
        flushed_.notify_all();
    }
}

/// Waits for a lock of the file. Where waiting is impossible (a simulated disk) it fails instead.
void DatabaseCore::take_lock(std::uint64_t byte) {
    if (!processes_->lock(byte, LockKind::exclusive, std::nullopt)) {
        fail(Errc::timeout, "another process holds a lock of " + path_ + "; try again", path_);
    }
}

/// Runs `fn` as the one who flushes, unless somebody flushes up to there before. The file's lock belongs to this
/// process as a whole, so a mutex keeps its other threads out: one that ended its flush would release the lock of one
/// that is still under way. [CORE-5]
void DatabaseCore::with_flush_lock(Txn txn, std::uint64_t position, const std::function<void()>& fn) {
    const std::lock_guard lock(flush_lock_mutex_);
    switch (processes_->take_flush(txn, position)) {
        case Processes::Flush::taken: break;
        case Processes::Flush::needless: return;
        case Processes::Flush::silent: take_lock(Processes::flush);  // its holder is slow, or died
    }
    try {
        fn();
    } catch (...) {
        processes_->release_flush();
        throw;
    }
    processes_->release_flush();
}

void DatabaseCore::flush_log(Txn txn, std::uint64_t position) {
    const auto done = [&] {
        return processes_->load(Word::durable_txn) >= txn && processes_->load(Word::durable_position) >= position;
    };
    with_flush_lock(txn, position, [&] {
        if (done() || poisoned()) return;
        const Txn built = processes_->load(Word::built_txn);
        const std::uint64_t end = processes_->load(Word::log_position);
        lazy_since_us_.store(0, std::memory_order_relaxed);
        flush_file();
        processes_->store(Word::durable_txn, std::max(built, processes_->load(Word::durable_txn)));
        processes_->store(Word::durable_position, std::max(end, processes_->load(Word::durable_position)));
        publish_visible();
        if (processes_->load(Word::visible_waiters) != 0) processes_->wake(Word::durable_txn);
    });
}

/// Flushes the file under the flush lock, which the caller holds; poisons on failure.
void DatabaseCore::flush_file() {
    if (processes_->load(Word::flushing) != 0) {
        processes_->store(Word::flushes_lost, processes_->load(Word::flushes_lost) + 1);
        write_tail_again();
    }
    processes_->store(Word::flushing, 1);
    try {
        file_->sync();
        counters_.flushes.fetch_add(1, std::memory_order_relaxed);
    } catch (const Error& error) {
        poison(error.what());
    }
    processes_->store(Word::flushing, 0);
    if (poisoned()) unknown_outcome();
}

/// The holder before us died in the middle of a flush: it may have met an error that only it was told. The log is read
/// from the newest meta page on, since this process need not know all of its extents.
void DatabaseCore::write_tail_again() {
    const std::uint64_t from = processes_->load(Word::durable_position);
    const std::uint64_t end = processes_->load(Word::log_position);
    const Meta meta = read_meta(processes_->load(Word::generation));
    source_->set_limit(std::max(source_->limit(), meta.file_pages));
    ExtentDirectory extents =
        Ledger::decode(
            source_->read_run(PageKind::space, meta.space_page, meta.space_bytes, meta.space_checksum), page_size_)
            .extents;
    FileLogBytes bytes(*file_);
    LogCursor start;
    start.position = meta.log_position;
    start.epoch = meta.epoch;
    start.txn = meta.txn;
    start.time_us = meta.time_us;
    LogScanner scanner(bytes, extents, log_->seed(), start);
    RecordView record;
    while (scanner.cursor().position < end) {
        if (!scanner.next(record)) {
            poison("the log changed under a flush");
            unknown_outcome();
        }
        if (record.end() > from) file_->write(extents.find(record.position())->offset, record.bytes());
    }
}

void DatabaseCore::sync() {
    check_usable();
    if (options_.read_only) return;
    const Txn txn = processes_->load(Word::built_txn);
    make_durable(txn, processes_->load(Word::log_position));
}

}  // namespace northstar::inline v0::detail
