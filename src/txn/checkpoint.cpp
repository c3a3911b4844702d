// checkpoint.cpp -- placing a root and switching the meta page; rebase.cpp then moves the overlay onto the new base.
//
//   1  hold the checkpoint lock, standing on the newest generation; seal history (seal_ahead.cpp)
//   2  freeze the root that is visible then, make its log durable; what it dropped dies in the new generation; what
//      nobody needs any more becomes free
//   3  place its memory pages, children first; follow the chain, the disk at work on them; write the ledger; flush
//   4  write the meta page of the new generation; flush; publish
//   5  release the lock; rebase
//
// [CKPT-1] The meta page is written only after everything it names was flushed, and never after a failed flush, whether
//          somebody lived to hear of it or not.
// [CKPT-3] Space is carved by one process at a time, and a checkpoint carves from its beginning to its end. Writers of
//          other processes do not wait for it as long as the log has extents ahead and the free room that was told
//          suffices: so there is more of both than for a process that writes alone.
// [CKPT-4] A checkpoint that was wanted is not made where the one before, maybe of another process, does as well:
//          unless a writer waits for it.
#include "base/check.hpp"
#include "base/error.hpp"
#include "format/node.hpp"
#include "log/scan.hpp"
#include "pager/place.hpp"
#include "txn/core.hpp"
#include "txn/ledger.hpp"
#include "txn/log_bytes.hpp"
#include "txn/seal_ahead.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace northstar::inline v0::detail {

namespace checkpoint_impl {

constexpr std::uint64_t k_first_extent_bytes = 64u << 10;
/// Reserving an extent stops the writer for as long as the file system takes to find, or clear, so much room.
constexpr std::uint64_t k_largest_extent_bytes = 4u << 20;
/// An extent takes no more than this part of the file: what of it is not used yet stays small beside the rest.
constexpr std::uint64_t k_extent_part = 32;
/// Beside writers of other processes the log is reserved ahead by this part of what starts a checkpoint, but by no more
/// than this part of the file: two extents are added for each that is full.
constexpr std::uint64_t k_ahead_part = 2;
constexpr std::uint64_t k_ahead_part_of_file = 4;
constexpr std::uint64_t k_least_interval_bytes = 4u << 20;
/// Where checkpoints give the log back, one comes when it has grown to so many times what else is in the file.
constexpr std::uint64_t k_interval_part = 2;
constexpr int k_meta_attempts = 100;

}  // namespace checkpoint_impl

// ---- space ----

void DatabaseCore::acquire_carving() {
    const std::lock_guard lock(carve_mutex_);
    if (carve_users_ == 0) {
        take_lock(Processes::checkpoint);
        begin_carving();
    }
    ++carve_users_;
}

/// False: another process carves, or a thread of this one waits until it may.
bool DatabaseCore::try_acquire_carving() {
    const std::unique_lock lock(carve_mutex_, std::try_to_lock);
    if (!lock) return false;
    if (carve_users_ == 0) {
        if (!processes_->try_lock(Processes::checkpoint, LockKind::exclusive)) return false;
        begin_carving();
    }
    ++carve_users_;
    return true;
}

/// With the lock just taken, which is given back where this fails.
void DatabaseCore::begin_carving() {
    try {
        finish_checkpoint_of_the_dead();
    } catch (...) {
        processes_->unlock(Processes::checkpoint);
        throw;
    }
}

/// A holder before us may have died between writing a meta page and saying so. Were its generation not adopted, its
/// pages would be given away while the file names them.
void DatabaseCore::finish_checkpoint_of_the_dead() {
    const std::uint64_t next = processes_->load(Word::generation) + 1;
    if (next == unreadable_generation_) return;
    std::vector<std::byte> bytes(k_meta_size);
    Meta meta;
    if (file_->read((next & 1) * page_size_, bytes) != k_meta_size) {
        fail(Errc::truncated, path_ + " ends within its meta pages; restore it from a backup", path_, next & 1);
    }
    if (decode_meta(bytes, meta) != MetaState::valid || meta.generation != next) return;
    // The dead may have been told of a failed flush, after which the cache shows a page that the disk does not have.
    write_meta(meta);
    flush_everything();
    processes_->store(Word::clean, meta.clean ? 1 : 0);
    processes_->store(Word::generation, next);
}

void DatabaseCore::release_carving() noexcept {
    const std::lock_guard lock(carve_mutex_);
    if (--carve_users_ == 0) processes_->unlock(Processes::checkpoint);
}

/// Makes space_ the map of the newest generation, with everything announced since taken. Call while carving, with
/// the space mutex.
void DatabaseCore::load_space() {
    const std::uint64_t generation = processes_->load(Word::generation);
    // A checkpoint of this process has the newer map a moment before the word says so.
    const bool loaded = space_generation_ < generation;
    if (loaded) {
        const Meta meta = read_meta(generation);
        source_->set_limit(std::max(source_->limit(), meta.file_pages));
        const std::span<const std::byte> bytes =
            source_->read_run(PageKind::space, meta.space_page, meta.space_bytes, meta.space_checksum);
        Ledger ledger = Ledger::decode(bytes, page_size_);
        space_ = std::move(ledger.space);
        space_.keep_clear(kept_clear_);
        space_extents_end_ = ledger.extents.end();
    }
    const ExtentDirectory extents = log_->extents();
    for (const Extent& extent : extents.all()) {
        if (extent.logical < space_extents_end_) continue;
        if (!space_.take(extent.page, extent.pages)) {
            fail(Errc::corrupt, "log extent at page " + std::to_string(extent.page) + " of " + path_ +
                                    " lies on pages that are in use", path_, extent.page);
        }
        space_extents_end_ = extents.end_of(extent);
    }
    if (!loaded) return;
    take_early();
    space_generation_ = generation;
}

/// Takes in the extents that other writers announced behind a root, also those whose writer died at once: the space
/// map must not give their pages away. Call while carving, so that no new ones come.
void DatabaseCore::learn_announced(const Root& from) {
    ExtentDirectory extents = log_->extents();
    FileLogBytes bytes(*file_);
    LogCursor start;
    start.position = from.log_position;
    start.epoch = from.epoch;
    start.txn = from.txn.load();
    start.time_us = from.time_us;
    LogScanner scanner(bytes, extents, log_->seed(), start);
    RecordView record;
    while (scanner.next(record)) {
        for (std::uint32_t i = 0; i < record.extents(); ++i) {
            // A power loss may keep the record and lose the file's new size: nothing durable lay in there.
            const Extent extent = record.extent(i);
            if (file_->size() < (extent.page + extent.pages) * page_size_) {
                file_->allocate(extent.page * page_size_, extent.pages * page_size_);
            }
            learn_extent(extent);
        }
    }
}

/// The position behind the records that are no commits, from a position on; `epoch` becomes that of the last. A commit
/// that another thread made in the meantime stays behind it.
std::uint64_t DatabaseCore::behind_control_records(std::uint64_t position, std::uint64_t& epoch) const {
    while (position < processes_->load(Word::log_position)) {
        const RecordView record = log_->read(position);
        if (record.kind() == RecordKind::commit || record.kind() == RecordKind::part) break;
        epoch = record.header().epoch;
        position = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
    return position;
}

void DatabaseCore::learn_extent(const Extent& extent) {
    log_->add_extent(extent, processes_->load(Word::generation));
    // Also when it was known: what follows may have failed the first time.
    const std::uint64_t end = extent.page + extent.pages;
    if (end > source_->limit()) {
        if (file_->size() < end * page_size_) {
            fail(Errc::truncated, path_ + " is shorter than its log says; restore it from a backup", path_, end);
        }
        source_->set_limit(end);
    }
}

/// What a control record says that is written now. Call with the turn.
RecordFields DatabaseCore::control_fields() {
    RecordFields fields;
    const Root* built = roots_->built();
    fields.txn = built->txn.load(std::memory_order_relaxed);
    fields.time_us = std::max(built->time_us, processes_->load(Word::last_time));
    fields.durable = std::min(processes_->load(Word::durable_position), log_->end());
    return fields;
}

/// Makes sure that a record of this size can be appended. Call with the turn and the write lock.
void DatabaseCore::extend_log(std::uint64_t size) {
    using namespace checkpoint_impl;
    log_->prepare(0);
    if (log_->fits(size)) return;
    const std::uint64_t keep = extent_reserve(log_->log_align());
    const std::uint64_t wanted = size + 2 * keep;
    ensure_unclean();
    const std::uint64_t file_bytes = source_->limit() * page_size_;
    const std::uint64_t usual = std::max(
        wanted + keep, std::clamp(file_bytes / k_extent_part, k_first_extent_bytes, k_largest_extent_bytes));
    const bool tight = room_tight_.load(std::memory_order_relaxed);
    // While another process makes a checkpoint the log cannot grow. [CKPT-3]
    const std::uint64_t most_ahead = std::min(checkpoint_bytes_.load(std::memory_order_relaxed) / k_ahead_part,
                                              file_bytes / k_ahead_part_of_file);
    const bool ahead = beside_writers_.load(std::memory_order_relaxed) && log_->reserve() < most_ahead;
    const unsigned count = ahead ? 2 : 1;
    if (log_->room() >= wanted) {
        if (ahead && !tight && try_acquire_carving()) {
            bool grown = false;
            try {
                grown = try_grow_log(usual, wanted, count);
            } catch (...) {
                release_carving();
                throw;
            }
            release_carving();
            if (grown) return;
        }
        const RecordFields fields = control_fields();
        write_log([&] { log_->move_to_fit(wanted, fields, {}); }, [&] { publish_log_end(); });
        return;
    }
    if (!tight && try_grow_log(usual, wanted, count)) return;
    // Where the disk is nearly full, what is needed now has to do.
    grow_log(wanted + keep, wanted);
}

/// False: there is no room for so much, beside what the commit under way was promised for its checkpoint.
bool DatabaseCore::try_grow_log(std::uint64_t bytes, std::uint64_t wanted, unsigned count) {
    try {
        grow_log(bytes, wanted, count, true);
        return true;
    } catch (const Error& error) {
        if (error.code() != Errc::no_space) throw;
        return false;
    }
}

/// Adds `count` extents of so many bytes and goes on in the first one that has room for `wanted` bytes. `spares_room`:
/// not of the room that the commit under way was promised for its checkpoint.
void DatabaseCore::grow_log(std::uint64_t bytes, std::uint64_t wanted, unsigned count, bool spares_room) {
    NORTHSTAR_ASSERT(count <= k_max_extents_in_next);
    ensure_unclean();
    const std::uint64_t pages = (bytes + page_size_ - 1) / page_size_;
    std::vector<Extent> extents;
    extents.reserve(count);
    acquire_carving();
    try {
        {
            // The map and the directory change together: a checkpoint writes both down.
            const std::lock_guard lock(space_mutex_);
            load_space();
            processes_->store(Word::room_pages, 0);
            // On the disk before they are taken: what is given back would not be there for who finds it free.
            make_free(count * pages, pages);
            hold_extents_of_newest();
            const std::uint64_t begin = log_->extents().end();
            // Known before a checkpoint can write the map: an extent that is taken in a map stands in its ledger.
            try {
                for (unsigned i = 0; i < count; ++i) {
                    extents.push_back({begin + i * pages * page_size_, space_.allocate(pages), pages});
                    file_->allocate(extents.back().page * page_size_, pages * page_size_);
                    if (spares_room) make_free(room_needed_ + held_pages(), room_needed_run_);
                    learn_extent(extents.back());
                }
            } catch (...) {
                // Nobody announced them, so nobody may write into them.
                log_->remove_from(begin);
                for (const Extent& extent : extents) space_.give_back({extent.page, extent.pages});
                throw;
            }
            space_extents_end_ = begin + count * pages * page_size_;
            note_room();
        }
        const RecordFields fields = control_fields();
        write_log([&] { log_->move_to_fit(wanted, fields, extents); }, [&] { publish_log_end(); });
    } catch (...) {
        release_carving();
        throw;
    }
    release_carving();
}

/// An extent is born in the newest generation. Where another process made that since the transaction under way began,
/// the base's pin says nothing of the extent, which is read here all the same until the base is a newer one. Call while
/// carving.
void DatabaseCore::hold_extents_of_newest() {
    const std::uint64_t newest = processes_->load(Word::generation);
    if (newest <= stands_on_.load()) return;
    const std::lock_guard lock(meta_mutex_);
    if (!extent_pins_.empty() && extent_pins_.back() == newest) return;
    extent_pins_.reserve(extent_pins_.size() + 1);
    pin(newest);
    extent_pins_.push_back(newest);
}

/// Log bytes that start a checkpoint. Where nobody keeps the log, checkpoints give it back: then the file has about
/// three times so much of it, which must not be many times what else it has (so many pages).
std::uint64_t DatabaseCore::checkpoint_interval(bool log_is_kept, std::uint64_t pages) const {
    using namespace checkpoint_impl;
    if (log_is_kept) return options_.checkpoint_log_bytes;
    return std::min(options_.checkpoint_log_bytes,
                    std::max(k_least_interval_bytes, k_interval_part * pages * page_size_));
}

// ---- meta pages ----

Meta DatabaseCore::read_meta(std::uint64_t generation) {
    std::vector<std::byte> bytes(k_meta_size);
    Meta meta;
    // A page that is being written may be seen half old, half new; a generation that is gone has a successor.
    for (int attempt = 0; attempt < checkpoint_impl::k_meta_attempts; ++attempt) {
        const std::size_t got = file_->read((generation & 1) * page_size_, bytes);
        if (got == k_meta_size && decode_meta(bytes, meta) == MetaState::valid && meta.generation == generation) {
            return meta;
        }
        generation = processes_->load(Word::generation);
    }
    fail(Errc::corrupt, "the meta page of generation " + std::to_string(generation) + " of " + path_ +
                            " is damaged; close the database everywhere and open it again", path_, generation & 1);
}

void DatabaseCore::write_meta(const Meta& meta) {
    std::vector<std::byte> bytes(k_meta_size);
    encode_meta(meta, bytes);
    file_->write((meta.generation & 1) * page_size_, bytes);
}

void DatabaseCore::flush_everything() {
    constexpr std::uint64_t k_never = ~std::uint64_t{0};  // pages of the file are covered by no position of the log
    with_flush_lock(k_never, k_never, [this] { flush_file(); });
}

/// The first byte behind a clean close is written only after the meta page no longer says that it is clean.
void DatabaseCore::ensure_unclean() {
    if (processes_->load(Word::clean) == 0) return;
    acquire_carving();
    try {
        if (processes_->load(Word::clean) != 0) {
            Meta meta = read_meta(processes_->load(Word::generation));
            meta.clean = false;
            write_meta(meta);
            flush_everything();
            processes_->store(Word::clean, 0);
        }
    } catch (...) {
        release_carving();
        throw;
    }
    release_carving();
}

// ---- checkpoint ----

void DatabaseCore::checkpoint() {
    check_usable();
    if (options_.read_only) fail(Errc::read_only, path_ + " was opened read-only", path_);
    {
        const std::lock_guard lock(checkpoint_mutex_);
        checkpoint_locked(false, false);
    }
    // Without a background thread nobody else goes on with a move of the horizon. Where there is no room for it, a
    // later checkpoint does.
    if (!options_.background) static_cast<void>(finish_move());
    if (pending_redaction() != 0) finish_redactions_if_possible();
}

/// Stands on the newest generation with the lock held and the visible root on the newest base; returns that root's
/// view. `carves`: this thread has the lock already.
ReadView* DatabaseCore::freeze(bool carves) {
    for (;;) {
        if (carves) {
            // What would take the turn, which nobody waits for with this lock, is left to the next checkpoint.
            const Txn visible = processes_->load(Word::visible_txn);
            if (follow_without_turn(visible)) roots_->advance(visible);
        } else {
            catch_up();
        }
        if (newer_meta_exists()) {
            const TurnGuard guard(turn_);
            replay_to(processes_->load(Word::visible_txn), false);
        }
        acquire_carving();
        ReadView* view = nullptr;
        try {
            if (processes_->load(Word::generation) == stands_on_.load()) {
                // Not open_view(): nobody waits for the turn with this lock, since who has the turn may wait for the
                // write lock, whose holder may wait for this one.
                view = pin_root(roots_->visible(), roots_->visible_word());
                make_durable(view->root->txn.load(), view->root->log_position);
                if (view->root->base->meta.generation == stands_on_.load()) return view;
                // The visible root still stands on the base before: what hides the newer one is not flushed yet.
                close_view(view);
                view = nullptr;
                make_durable(processes_->load(Word::built_txn), 0);
                publish_visible();
            }
        } catch (...) {
            if (view != nullptr) close_view(view);
            release_carving();
            throw;
        }
        release_carving();
    }
}

/// Has so much changed since the newest checkpoint, whoever made that, that there is to be another one?
bool DatabaseCore::checkpoint_is_due() const {
    return log_behind_checkpoint() >= checkpoint_bytes_.load(std::memory_order_relaxed) ||
           arena_->bytes_in_use() > overlay_limit_ / 2 + roots_->buried_bytes();
}

bool DatabaseCore::checkpoint_locked(bool clean, bool force, const Clearing& clearing, bool if_due) {
    using namespace checkpoint_impl;
    if (poisoned()) poison_error();
    beside_writers_.store(false, std::memory_order_relaxed);
    const std::uint64_t began = vfs_->monotonic_us();
    std::unique_ptr<SealedAhead> ahead;
    if (!clean && !force) ahead = seal_ahead(if_due);
    const bool early = holds_early();
    const bool waited_for = checkpoint_waited_for_.exchange(false);
    checkpoint_wanted_.store(false);
    // Before the flush of freeze(): it may take long, and commits go on meanwhile.
    roots_->begin_freeze();
    ReadView* view = nullptr;
    try {
        view = freeze(ahead != nullptr);
    } catch (...) {
        roots_->thaw();
        throw;
    }
    const Root* frozen = view->root;
    const std::uint64_t frozen_number = frozen->number.load();
    Base& base = *frozen->base;
    Meta meta = newest_;
    std::unique_ptr<Placer> placer;
    KeptPast past;
    std::unique_ptr<Base> next;
    try {
        const bool changed = frozen->txn.load() != newest_.txn ||
                             frozen->catalog.root.bits() != newest_.catalog.root || ahead != nullptr;
        // Another process may have made one meanwhile, or this one the one that was under way when it was wanted.
        const bool needless = if_due && !early && !waited_for && ahead == nullptr && !checkpoint_is_due();
        if ((!changed || needless) && !force && clean == newest_.clean) {
            roots_->thaw();
            close_view(view);
            release_carving();
            return false;
        }
        // What a dead process left is done with before pages are written that its flush may have lost.
        if (processes_->load(Word::flushing) != 0) flush_everything();
        const std::uint64_t lost_before = processes_->load(Word::flushes_lost);
        learn_announced(*frozen);
        roots_->freeze(frozen);
        meta.generation = newest_.generation + 1;
        meta.txn = frozen->txn.load();
        meta.time_us = frozen->time_us;
        meta.next_tree_id = frozen->next_tree_id;
        meta.history = frozen->history;
        meta.redaction_txn = processes_->load(Word::redaction);
        meta.redaction_position = meta.redaction_txn == 0 ? 0 : processes_->load(Word::redaction_position);
        meta.clean = clean;
        meta.log_position = frozen->log_position;
        meta.epoch = frozen->epoch;
        if (clean) meta.log_position = behind_control_records(meta.log_position, meta.epoch);
        const std::vector<std::uint64_t> generations = generations_in_use();
        const std::vector<std::uint64_t> retained = retained_generations(base.horizon, generations);
        std::vector<DroppedPage> dropped;
        {
            // Commits go on adding to the list.
            const std::lock_guard lock(dropped_mutex_);
            for (const DroppedPage& d : base.dropped) {
                if (d.root <= frozen_number) dropped.push_back(d);
            }
        }
        {
            const std::lock_guard lock(space_mutex_);
            load_space();
            for (const DroppedPage& d : dropped) space_.die(d.page, d.pages, d.born, meta.generation);
            space_.die(newest_.space_page, run_pages(newest_.space_bytes, page_size_), newest_.generation,
                       meta.generation, false);
            bury_early(meta.generation);
            space_.reclaim(generations, retained);
        }
        placer = std::make_unique<Placer>(*file_, *source_, space_, space_mutex_, meta.generation,
                                          arena_->bytes_in_use() / page_size_);
        if (arena_->large_bytes_in_use() != 0) placer->reserve_runs(frozen->catalog.root);
        meta.catalog.root = placer->place(frozen->catalog.root).bits();
        meta.catalog.count = frozen->catalog.count;
        past = keep_past(*frozen, *placer, meta, ahead.get());
        move_segments(past.sealed.segments, past.sealed.dead, *placer, meta.generation, clearing);
        if (past.move) move_segments(past.move->pieces, past.sealed.dead, *placer, meta.generation, clearing);
        if (erasing_ != nullptr) erase_from_segments(past.sealed, *placer, meta.generation);
        placer->finish();
        // The disk works while the chain is followed. Where values are small it gains nothing, and writers feel it.
        if (arena_->large_bytes_in_use() > arena_->bytes_in_use() / 2) file_->begin_sync();
        const std::optional<Hash> chain = chain_->hash(meta.txn, originals());
        NORTHSTAR_ASSERT(chain.has_value());
        meta.chain = *chain;

        Ledger ledger(page_size_);
        std::string bytes;
        std::vector<Extent> moved;
        std::uint64_t interval = 0;
        std::uint64_t front_end = 0;
        {
            const std::lock_guard lock(space_mutex_);
            for (const StoredSegment& s : past.sealed.dead) {
                space_.die(s.page, run_pages(s.bytes, page_size_), s.born, meta.generation, false);
            }
            ledger.segments = past.sealed.segments;
            ledger.horizon = past.horizon;
            ledger.move = past.move;
            ledger.chain = chain_->anchors(meta.txn, past.log_begin);
            ledger.extents = log_->extents();
            ledger.births = log_->births();
            for (const Extent& e : ledger.extents.release_below(past.log_begin)) {
                // Those before the generation's log are dead already; somebody still reads them.
                const auto born = ledger.births.extract(e.logical);
                if (e.logical < newest_.log_begin) continue;
                space_.die(e.page, e.pages, born.mapped(), meta.generation, false);
            }
            // Nobody who stands on the generation before reads in front of its horizon, but who finishes a redaction.
            front_end = std::min(base.horizon.first.position, past.log_begin);
            if (const std::optional<Extent> front = ledger.extents.trim(front_end)) {
                auto born = ledger.births.extract(front->logical);
                space_.die(front->page, front->pages, born.mapped(), meta.generation, false);
                born.key() = ledger.extents[0].logical;
                ledger.births.insert(std::move(born));
            }
            const std::uint64_t movable = std::min(meta.log_position, base.extents->end());
            moved = move_extents(ledger, movable, meta.generation, clearing);
            // Compaction asks for the smallest file there is.
            space_.shrink(clearing.line == Clearing{}.line ? held_pages() : 0);
            ledger.space = map_without_early(frozen_number);
            // Room for the change that allocating it makes to the map, then zeros up to a whole number of pages.
            const std::uint64_t pages = run_pages(ledger.encode().size() + 64, page_size_);
            meta.space_page = space_.allocate(pages);
            ledger.space = map_without_early(frozen_number);
            bytes = ledger.encode();
            bytes.resize(pages * page_size_ - k_page_header_size);
            meta.file_pages = space_.end();
            const std::uint64_t others = space_.free_pages() + space_.dead_pages() + ledger.extents.pages();
            interval = checkpoint_interval(keeps_history(*frozen), space_.end() - std::min(others, space_.end()));
            if (file_->size() < meta.file_pages * page_size_) file_->truncate(meta.file_pages * page_size_);
            source_->set_limit(std::max(source_->limit(), meta.file_pages));
        }
        meta.space_bytes = bytes.size();
        meta.space_checksum =
            placer->place_run_at(PageKind::space, std::as_bytes(std::span(bytes)), meta.space_page);
        meta.log_begin = ledger.extents.empty() ? meta.log_position : ledger.extents[0].logical;
        counters_.page_bytes_written.fetch_add(placer->bytes_written(), std::memory_order_relaxed);

        flush_everything();
        if (processes_->load(Word::flushes_lost) != lost_before) {
            fail(Errc::io,
                 "a process died while it flushed " + path_ + ", so pages of this checkpoint may be missing on the "
                                                              "disk; make it again",
                 path_);
        }
        write_meta(meta);
        flush_everything();

        // Pinned before anybody here can see anything of it.
        pin(meta.generation);
        own_generation_.store(meta.generation);
        log_->trim(front_end);
        log_->release_below(meta.log_begin);
        for (const Extent& e : moved) log_->move_extent(e, meta.generation);
        chain_->stand_on({meta.txn, meta.log_position, meta.chain});
        next = std::make_unique<Base>();
        next->meta = meta;
        equip(*next, ledger, base.history.get());
        {
            const std::lock_guard lock(space_mutex_);
            space_generation_ = meta.generation;
            // Whoever still stands on the generation before, or falls back to it, expects its size.
            const std::uint64_t kept = std::max(space_.end(), newest_.file_pages) * page_size_;
            if (!memory_ && file_->size() > kept) file_->truncate(kept);
            // Together with the map: who allocates next must not load that of the generation before.
            checkpoint_position_.store(meta.log_position, std::memory_order_relaxed);
            checkpoint_bytes_.store(interval, std::memory_order_relaxed);
            processes_->store(Word::clean, clean ? 1 : 0);
            note_room();
            processes_->store(Word::generation, meta.generation);
            early_was_named(frozen_number);
        }
    } catch (...) {
        {
            // What was allocated is known to nobody: the map is read again when it is next needed.
            const std::lock_guard lock(space_mutex_);
            space_generation_ = 0;
        }
        own_generation_.store(0);
        if (placer != nullptr) {
            for (Frame* frame : placer->frames()) frame->forward = 0;
        }
        roots_->thaw();
        close_view(view);
        release_carving();
        throw;
    }
    let_early_go();
    release_carving();
    ahead.reset();
    try {
        rebase(std::move(next), frozen_number, placer->frames(), view);
    } catch (...) {
        // The base is adopted like one that another process made, unless somebody here stands on a newer one already.
        {
            const std::lock_guard lock(meta_mutex_);
            if (!keeps_pin(meta.generation)) processes_->unpin(meta.generation);
        }
        own_generation_.store(0);
        if (view != nullptr) close_view(view);
        roots_->thaw();
        throw;
    }
    if (view != nullptr) close_view(view);
    roots_->thaw();
    if (early) give_up_write_lock();
    counters_.checkpoints.fetch_add(1, std::memory_order_relaxed);
    counters_.last_checkpoint_us.store(vfs_->monotonic_us() - began, std::memory_order_relaxed);
    return true;
}

/// Copies history segments to where a clearing wants them.
void DatabaseCore::move_segments(std::vector<StoredSegment>& segments, std::vector<StoredSegment>& dead, Placer& placer,
                                 std::uint64_t generation, const Clearing& clearing) {
    for (StoredSegment& s : segments) {
        const std::uint64_t pages = run_pages(s.bytes, page_size_);
        if (!clearing.takes(s.page, pages) || s.born == generation) continue;
        std::uint64_t page;
        {
            const std::lock_guard lock(space_mutex_);
            page = space_.allocate(pages);
            if (page >= s.page && !clearing.in_window(s.page, pages)) {
                space_.give_back({page, pages});
                continue;
            }
        }
        const std::byte* at = source_->raw(s.page * page_size_, k_page_header_size + s.bytes);
        const std::vector<std::byte> bytes(at + k_page_header_size, at + k_page_header_size + s.bytes);
        dead.push_back(s);
        s.checksum = Ref::file(page, placer.place_run_at(PageKind::history, bytes, page)).checksum();
        s.page = page;
        s.born = generation;
    }
}

/// Copies log extents that end at or before a position to where a clearing wants them. Nothing is written into such an
/// extent any more, and the generation before knows it: who stands on that reads the old place. Call with the space
/// mutex.
std::vector<Extent> DatabaseCore::move_extents(Ledger& ledger, std::uint64_t end, std::uint64_t generation,
                                               const Clearing& clearing) {
    std::vector<Extent> moved;
    std::vector<Extent> taken;
    for (const Extent& e : ledger.extents.all()) {
        if (clearing.takes(e.page, e.pages) && ledger.extents.end_of(e) <= end) taken.push_back(e);
    }
    // The file ends where the last of them does, so that comes first.
    std::sort(taken.begin(), taken.end(), [](const Extent& a, const Extent& b) { return a.page > b.page; });
    std::vector<std::byte> block;
    for (const Extent& e : taken) {
        const std::uint64_t page = space_.allocate(e.pages);
        if (page >= e.page && !clearing.in_window(e.page, e.pages)) {
            space_.give_back({page, e.pages});
            continue;
        }
        constexpr std::uint64_t k_block_pages = 64;
        for (std::uint64_t i = 0; i < e.pages; i += k_block_pages) {
            block.resize(static_cast<std::size_t>(std::min(k_block_pages, e.pages - i) * page_size_));
            const std::size_t got = file_->read((e.page + i) * page_size_, block);
            std::fill(block.begin() + static_cast<std::ptrdiff_t>(got), block.end(), std::byte{0});
            file_->write((page + i) * page_size_, block);
        }
        source_->forget(page, e.pages);
        space_.die(e.page, e.pages, ledger.births.at(e.logical), generation, false);
        ledger.extents.move(e.logical, page);
        ledger.births[e.logical] = generation;
        moved.push_back({e.logical, page, e.pages});
    }
    return moved;
}

}  // namespace northstar::inline v0::detail
