// reserve.cpp -- room on the disk that new data may not take.
//
// [RESERVE-1] Before the first log byte of a commit the file has free pages, backed by the disk, for the checkpoint
//             that places all memory pages, and some more that only commits which add nothing may take.
// [RESERVE-2] A free tail of that size stays when a checkpoint cuts the file; only compaction takes it away.
#include "base/error.hpp"
#include "txn/core.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace reserve_impl {

/// For what a checkpoint writes beside trees and its ledger.
constexpr std::uint64_t k_checkpoint_pages = 16;
/// What one more run of pages adds to a ledger at most, and a stretch of the log: extents and anchors of the chain.
constexpr std::uint64_t k_ledger_bytes_of_run = 16;
constexpr std::uint64_t k_ledger_bytes_of_log = 1024;
constexpr std::uint64_t k_log_stretch = 1u << 20;
constexpr std::uint64_t k_held_bytes = 256u << 10;
constexpr std::uint64_t k_least_held_pages = 16;
/// The file is extended by this part of what is needed more than that, so that few commits do it.
constexpr std::uint64_t k_spare_part = 8;
constexpr std::uint64_t k_least_spare_pages = 64;
constexpr int k_generations_to_free = 3;
constexpr std::uint64_t k_most_again_bytes = 64u << 20;

}  // namespace reserve_impl

/// Pages for deletions on a full disk: the pages they copy, a log extent, and the checkpoint of both.
std::uint64_t DatabaseCore::held_pages() const {
    return std::max(reserve_impl::k_held_bytes / page_size_, reserve_impl::k_least_held_pages);
}

/// Pages that the ledger of the next checkpoint behind a base takes at most.
std::uint64_t DatabaseCore::ledger_pages(const Base& base) {
    using namespace reserve_impl;
    std::uint64_t dropped;
    {
        const std::lock_guard lock(dropped_mutex_);
        dropped = base.dropped.size();
    }
    // Each page that died may lie apart from all others.
    const std::uint64_t bytes = base.meta.space_bytes + k_ledger_bytes_of_run * dropped +
                                k_ledger_bytes_of_log * (log_behind_checkpoint() / k_log_stretch + 1);
    return run_pages(bytes, page_size_);
}

/// Makes sure that so many pages are free in the map and on the disk, `run` of them side by side. Throws
/// Error(no_space). Call while carving, with the space mutex.
void DatabaseCore::make_free(std::uint64_t pages, std::uint64_t run) {
    using namespace reserve_impl;
    const std::uint64_t few = pages - std::min(pages, space_.free_pages());
    const std::uint64_t short_of_run = space_.longest_free() >= run ? 0 : run - space_.free_tail();
    const std::uint64_t missing = std::max(few, short_of_run);
    if (missing == 0) return;
    const auto extend = [&](std::uint64_t more) {
        map_is_full_ = space_.end() > source_->capacity() || more > source_->capacity() - space_.end();
        if (map_is_full_) {
            fail(Errc::no_space, path_ + " cannot grow behind the address space that is reserved for it", path_);
        }
        file_->allocate(space_.end() * page_size_, more * page_size_);
        space_.extend(more);
        source_->set_limit(std::max(source_->limit(), space_.end()));
    };
    try {
        extend(missing + std::max(pages / k_spare_part, k_least_spare_pages));
    } catch (const Error& error) {
        if (error.code() != Errc::no_space) throw;
        extend(missing);
    }
}

/// False: the disk has no room for so much.
bool DatabaseCore::try_make_free(std::uint64_t pages, std::uint64_t run) {
    try {
        make_free(pages, run);
        return true;
    } catch (const Error& error) {
        if (error.code() != Errc::no_space) throw;
        return false;
    }
}

/// Says what is free now, so that no process has to carve to find out, see hold_room(). Call while carving, with the
/// space mutex.
void DatabaseCore::note_room() {
    processes_->store(Word::room_pages, 0);
    processes_->store(Word::room_run, space_.longest_free());
    processes_->store(Word::room_generation, space_generation_);
    processes_->store(Word::room_pages, space_.free_pages());
}

/// Can a checkpoint behind a base write so many bytes in one run and leave what commits were promised? `placed`: bytes
/// of memory pages that have their place already.
bool DatabaseCore::has_spare_room(const Base& base, std::uint64_t bytes, std::uint64_t placed) {
    const std::uint64_t ledger = ledger_pages(base);
    const std::uint64_t live = roots_->live_bytes();
    const std::uint64_t newer = live - std::min(live, placed);
    const std::uint64_t run = run_pages(bytes, page_size_);
    const std::lock_guard lock(space_mutex_);
    return try_make_free(run + newer / page_size_ + ledger + held_pages(), run);
}

/// Reserves room for a commit's log bytes and the checkpoint behind it. `adds`: the commit brings new data. Call with
/// the turn and the write lock, before the first log byte.
void DatabaseCore::hold_room(bool adds, std::uint64_t log_bytes) {
    using namespace reserve_impl;
    const std::uint64_t ledger = ledger_pages(*bases_.back());
    const std::uint64_t live = roots_->live_bytes() / page_size_;
    // A large value may take a page more than it has memory. The arena also counts those that old snapshots alone
    // reach, which no checkpoint writes.
    const std::uint64_t values = std::min(arena_->large_count(), live);
    const std::uint64_t large = std::min(arena_->large_bytes_in_use() / page_size_, live) + values;
    room_needed_ = live + values + ledger + k_checkpoint_pages;
    // Large values and the ledger need pages side by side, and so does the log.
    room_needed_run_ = large + ledger;
    std::uint64_t needed = room_needed_;
    std::uint64_t run = room_needed_run_;
    if (!log_->fits(log_bytes)) {
        const std::uint64_t extent = (log_bytes + 4 * extent_reserve(log_->log_align())) / page_size_ + 1;
        needed += extent;
        run += extent;
    }
    // A checkpoint cuts what was added to the file.
    if (processes_->load(Word::room_pages) >= needed + held_pages() && processes_->load(Word::room_run) >= run &&
        processes_->load(Word::room_generation) == processes_->load(Word::generation)) {
        return;
    }
    acquire_carving();
    try {
        const std::lock_guard lock(space_mutex_);
        load_space();
        try {
            // As much again beside writers of other processes, see CKPT-3.
            const bool more = beside_writers_.load(std::memory_order_relaxed) && !room_tight_.load();
            const std::uint64_t again = std::min(needed, k_most_again_bytes / page_size_);
            if (!more || !try_make_free(needed + again + held_pages(), run)) make_free(needed + held_pages(), run);
        } catch (const Error& error) {
            // Deletions may take what is held back, and what is left of the disk; a checkpoint before the next
            // transaction gives it back.
            if (error.code() != Errc::no_space) throw;
            room_tight_.store(true);
            if (adds) throw;
            if (space_.free_pages() < needed) make_free(needed, 0);
        }
        note_room();
    } catch (const Error& error) {
        const bool map_is_full = map_is_full_;
        release_carving();
        if (error.code() != Errc::no_space) throw;
        if (map_is_full) {
            fail(Errc::no_space,
                 "this commit to " + path_ + " and the checkpoint behind it do not fit into the " +
                     std::to_string(source_->capacity() * page_size_ >> 20) +
                     " MiB of address space that this handle has; nothing was changed: open it with a larger map_size",
                 path_);
        }
        fail(Errc::no_space,
             "the disk is too full for this commit to " + path_ + " and the checkpoint behind it; nothing was changed: "
             "delete something, or make room on the disk",
             path_);
    } catch (...) {
        release_carving();
        throw;
    }
    release_carving();
}

/// What a writer does that begins, for an optimistic transaction: when it commits, its own view holds what the
/// checkpoints are to free. It waits for nobody: beside a writer it begins without.
void DatabaseCore::make_room_if_tight() {
    if (!room_tight_.load(std::memory_order_relaxed)) [[likely]] return;
    if (!turn_.try_acquire()) return;
    turn_.release();
    if (room_tight_.exchange(false)) free_dead_pages();
}

/// The disk was too full for all that should be held back: checkpoints free what was deleted. A page is free when the
/// second generation after the one it died in is made. Call without the turn.
void DatabaseCore::free_dead_pages() {
    const std::lock_guard lock(checkpoint_mutex_);
    try {
        for (int i = 0; i < reserve_impl::k_generations_to_free; ++i) {
            checkpoint_locked(false, i != 0);
            const std::lock_guard space(space_mutex_);
            if (space_.dead_pages() <= held_pages() / 4) break;
        }
    } catch (const Error& error) {
        // The commit to come finds out whether there is room for it.
        remember_failure(error.what());
    }
}

}  // namespace northstar::inline v0::detail
