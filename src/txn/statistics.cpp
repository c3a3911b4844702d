#include "txn/inspect.hpp"

#include "btree/cursor.hpp"
#include "txn/ledger.hpp"

#include <algorithm>
#include <mutex>

namespace northstar::inline v0::detail {

namespace statistics_impl {

/// What a map says, and the log extents behind those that it knows: they lie on free pages or behind its end.
void fill_from(Statistics& s, const SpaceMap& space, const ExtentDirectory& extents, std::uint64_t known_to) {
    std::uint64_t end = space.end();
    std::uint64_t free = space.free_pages();
    for (const Extent& extent : extents.all()) {
        if (extent.logical < known_to) continue;
        const std::uint64_t behind = std::max(extent.page + extent.pages, end) - end;
        end += behind;
        free -= std::min(free, extent.pages - std::min(extent.pages, behind));
    }
    s.free_pages = free;
    s.held_pages = space.dead_pages();
    s.used_pages = end - free - s.held_pages;
}

}  // namespace statistics_impl

Statistics statistics(DatabaseCore& core) {
    Statistics s;
    core.fill_statistics(s);
    return s;
}

void DatabaseCore::fill_statistics(Statistics& s) {
    check_usable();
    ReadView* view = open_view();
    try {
        const Root& root = *view->root;
        s.txn = root.txn.load();
        for (const CatalogEntry& tree : list_trees(*source_, root.catalog.root)) {
            ++s.trees;
            s.entries += tree.root.count;
        }
        fill_space(s, *root.base);
    } catch (...) {
        close_view(view);
        throw;
    }
    const Meta meta = newest_meta();
    s.generation = meta.generation;
    s.page_size = page_size_;
    s.oldest_txn = oldest_txn();
    close_view(view);
    s.durable_txn = processes_->load(Word::durable_txn);
    s.file_bytes = file_->size();
    s.log_bytes = log_->bytes_of_extents();
    const std::uint64_t end = processes_->load(Word::log_position);
    s.log_bytes_since_checkpoint = end > meta.log_position ? end - meta.log_position : 0;
    for (const StoredSegment& segment : history()->segments()) {
        ++s.history_segments;
        s.history_bytes += segment.bytes;
    }
    s.overlay_limit = overlay_limit_;
    if (turn_.try_acquire()) {
        // Writers look only now and then at what no snapshot needs any more.
        if (const std::unique_lock lock(replay_mutex_, std::try_to_lock); lock.owns_lock()) roots_->reclaim();
        turn_.release();
    }
    s.overlay_bytes = arena_->bytes_in_use();
    const std::uint64_t buried = roots_->buried_bytes();
    const std::uint64_t frozen = roots_->freezing() ? roots_->buried_since_freeze() : 0;
    s.overlay_held_by_snapshots = buried - std::min(buried, frozen);
    const std::uint64_t now = vfs_->monotonic_us();
    coarse_us_.store(now, std::memory_order_relaxed);  // where no thread does it
    views_->each([&](ReadView& open) {
        ++s.snapshots_open;
        const std::uint64_t opened = open.opened_us.load(std::memory_order_relaxed);
        const std::uint64_t age = now > opened ? now - opened : 0;
        // Not through open.root: a slot is claimed by its number before it has one.
        const Txn txn = roots_->txn_of(open.number.load(std::memory_order_relaxed));
        if (s.snapshots_open == 1 || txn < s.oldest_snapshot_txn) s.oldest_snapshot_txn = txn;
        if (age > s.oldest_snapshot_age_us) s.oldest_snapshot_age_us = age;
    });
    s.commits = counters_.commits.load();
    s.conflicts = counters_.conflicts.load();
    s.flushes = counters_.flushes.load();
    s.checkpoints = counters_.checkpoints.load();
    s.replayed_txns = counters_.replayed_txns.load();
    s.log_bytes_written = log_->bytes_written();
    s.page_bytes_written = counters_.page_bytes_written.load();
    s.bytes_written = s.log_bytes_written + s.page_bytes_written;
    s.pages_copied = counters_.pages_copied.load();
    s.pages_verified = source_->pages_verified();
    s.last_checkpoint_us = counters_.last_checkpoint_us.load();
    s.slowdown_us = counters_.slowdown_us.load();
    s.poisoned = poisoned();
    s.redaction_pending = pending_redaction();
}

/// Others may carve at the same time, and are not waited for: the map of this process is taken where it has one as new
/// as the generation that a view stands on, else that generation's, which holds still.
void DatabaseCore::fill_space(Statistics& s, const Base& base) {
    const ExtentDirectory extents = log_->extents();
    if (const std::unique_lock lock(space_mutex_, std::try_to_lock);
        lock.owns_lock() && space_generation_ >= base.meta.generation) {
        statistics_impl::fill_from(s, space_, extents, space_extents_end_);
        return;
    }
    const Meta& meta = base.meta;
    const Ledger ledger = Ledger::decode(
        source_->read_run(PageKind::space, meta.space_page, meta.space_bytes, meta.space_checksum), page_size_);
    statistics_impl::fill_from(s, ledger.space, extents, ledger.extents.end());
}

Meta DatabaseCore::newest_meta() const {
    const std::lock_guard lock(meta_mutex_);
    return newest_;
}

}  // namespace northstar::inline v0::detail
