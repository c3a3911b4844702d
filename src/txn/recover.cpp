// recover.cpp -- what a file that nobody has open contains.
//
// The newest valid meta page, the log behind it, and nothing else. Bytes behind the end of the log are fenced off by an
// epoch record; everything adopted is flushed before anybody else gets in. Who may not write shows the same state,
// flushed too, and leaves the file as it is.
#include "base/error.hpp"
#include "log/scan.hpp"
#include "txn/core.hpp"
#include "txn/log_bytes.hpp"
#include "txn/replay.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

/// Replays the log behind the newest meta page whose state can be read. Nobody else has the file open, and both meta
/// pages have been read.
void DatabaseCore::recover() {
    const bool both = meta_valid_[0] && meta_valid_[1];
    int slot = !meta_valid_[0] || (meta_valid_[1] && metas_[1].generation > metas_[0].generation) ? 1 : 0;
    const auto stand_on_slot = [&] {
        try {
            load_generation(metas_[slot]);
        } catch (const Error& error) {
            // The older generation and its log give the same state.
            if (!meta_valid_[1 - slot] || error.code() != Errc::corrupt) throw;
            unreadable_generation_ = metas_[slot].generation;
            meta_valid_[slot] = false;
            slot = 1 - slot;
            load_generation(metas_[slot]);
        }
        processes_->store(Word::generation, metas_[slot].generation);
    };
    stand_on_slot();
    if (unreadable_generation_ == 0) {
        // Of a meta page that only the cache has, the checkpoint may be whole: who first asks for room goes on with it,
        // and that must not be in the middle of a replay upon the one before.
        acquire_carving();
        release_carving();
        const std::uint64_t generation = processes_->load(Word::generation);
        if (generation != metas_[slot].generation) {
            slot = 1 - slot;
            metas_[slot] = read_meta(generation);
            stand_on_slot();
        }
    }
    const Meta meta = metas_[slot];
    pin(meta.generation);
    const std::uint64_t known_durable = both && metas_[1 - slot].generation > meta.generation
                                            ? metas_[1 - slot].log_position
                                            : meta.log_position;
    FileLogBytes bytes(*file_);
    ExtentDirectory extents = log_->extents();
    LogCursor start;
    start.position = meta.log_position;
    start.epoch = meta.epoch;
    start.txn = meta.txn;
    start.time_us = meta.time_us;
    start.durable = meta.log_position;
    LogScanner scanner(bytes, extents, log_->seed(), start);
    const Root* base_root = roots_->built();
    Workspace& work = *replay_work_;
    work.limit_pages(page_budget(), [&] { make_room_for_replay(work); });
    work.begin(base_root->catalog, base_root->next_tree_id, base_root->history, meta.txn);
    std::uint64_t behind = meta.log_position;
    std::uint64_t epoch = meta.epoch;
    std::uint64_t time_us = meta.time_us;
    Txn redaction = meta.redaction_txn;
    std::uint64_t redaction_position = meta.redaction_position;
    RecordView record;
    while (scanner.next(record)) {
        if (redaction == 0 && redacts(record)) {
            redaction = record.txn() + (record.kind() == RecordKind::part ? 1 : 0);
            redaction_position = record.position();
        }
        for (std::uint32_t i = 0; i < record.extents(); ++i) {
            // A power loss may keep the record and lose the file's new size: nothing durable lay in there.
            const Extent extent = record.extent(i);
            const std::uint64_t end_of_extent = (extent.page + extent.pages) * page_size_;
            if (file_->size() < end_of_extent) {
                file_->allocate(extent.page * page_size_, extent.pages * page_size_);
            }
            learn_extent(extent);
        }
        if (record.kind() != RecordKind::commit) continue;
        work.pages().set_txn(record.txn());
        behind = record.end();
        epoch = record.header().epoch;
        time_us = record.header().time_us;
        if (!scanner.parts().empty()) {
            const std::uint64_t at = record.position();
            for (const std::uint64_t part : scanner.parts()) apply_record(work, log_->read(part));
            apply_record(work, log_->read(at));
        } else {
            apply_record(work, record);
        }
    }
    const LogCursor end = scanner.cursor();
    if (end.txn != meta.txn) {
        work.finish();
        Root* root = root_of(work, end.txn, time_us, behind, epoch);
        reserve_install(work);
        install(work, root);
        roots_->advance(end.txn);
        counters_.replayed_txns.fetch_add(end.txn - meta.txn);
    }
    work.abandon();
    // Of two generations that are both clean only the newest is taken at its word.
    const bool clean = meta.clean && meta_valid_[0] && meta_valid_[1] && end.position == meta.log_position;
    LogTail tail;
    tail.largest_epoch = end.epoch;
    if (!clean) {
        tail = scanner.judge_end(known_durable);
        if (tail.kind == LogTail::Kind::damaged) LogScanner::fail_damaged(tail);
    }
    log_->set_end(end.position, end.epoch);
    processes_->store(Word::epoch, end.epoch);
    processes_->store(Word::log_position, end.position);
    processes_->store(Word::last_time, std::max(time_us, meta.time_us));
    processes_->store(Word::clean, clean ? 1 : 0);
    if (!clean) {
        // The page cache proves nothing after a failed flush: what the disk lacks is written again.
        write_missing(meta.log_position, end.position);
        // Not where it is the only one: who writes it may die half-way.
        if (meta_valid_[0] && meta_valid_[1]) write_meta(meta);
        file_->sync();
        if (tail.kind == LogTail::Kind::unused) begin_epoch(tail.largest_epoch);
    }
    processes_->store(Word::built_txn, end.txn);
    processes_->store(Word::durable_txn, end.txn);
    processes_->store(Word::durable_position, log_->end());
    processes_->store(Word::visible_txn, end.txn);
    processes_->store(Word::last_full, end.txn);
    // Before the next meta page is written, which carries it on.
    processes_->store(Word::redaction_position, redaction_position);
    processes_->store(Word::redaction, redaction);
    if (!meta_valid_[0] || !meta_valid_[1] || holds_early()) {
        // Two whole generations again before anybody writes, and early pages in one of them.
        const std::lock_guard lock(checkpoint_mutex_);
        checkpoint_locked(false, true);
    }
    give_up_write_lock();  // of a replay that had to make room
    if (redaction == 0) return;
    try {
        finish_redactions_if_possible();
    } catch (const Error& error) {
        // A full disk does not keep the database closed: the next checkpoint tries again.
        if (error.code() != Errc::no_space) throw;
    }
}

/// Fences off what lies behind the end of the log: nothing there counts in the new epoch. Flushed before use.
void DatabaseCore::begin_epoch(std::uint64_t largest_seen) {
    std::array<std::byte, 4> random{};
    vfs_->random(random);
    const Root* built = roots_->built();
    RecordFields fields;
    fields.position = log_->end();
    fields.epoch = next_epoch(largest_seen, load_u32(random.data()));
    fields.txn = built->txn.load();
    fields.time_us = std::max(built->time_us, processes_->load(Word::last_time));
    fields.durable = std::min(processes_->load(Word::durable_position), fields.position);
    const std::uint64_t size = control_record_size(RecordKind::epoch, 0, false, log_->log_align());
    encode_control_record(log_->stage(size, false), RecordKind::epoch, fields, {}, 0, log_->seed());
    log_->publish();
    flush_everything();
    log_->set_end(log_->end(), fields.epoch);
    processes_->store(Word::epoch, fields.epoch);
    processes_->store(Word::log_position, log_->end());
    processes_->store(Word::durable_position, log_->end());
}

/// Log bytes that the cache has and the disk has not (a failed flush marks them clean all the same).
void DatabaseCore::write_missing(std::uint64_t from, std::uint64_t to) {
    std::uint64_t offset = 0;
    std::span<const std::byte> run;  // records that lie side by side
    while (from < to) {
        const RecordView record = log_->read(from);
        const std::span<const std::byte> bytes = record.bytes();
        if (bytes.data() == run.data() + run.size()) {
            run = {run.data(), run.size() + bytes.size()};
        } else {
            write_missing_of(offset, run);
            offset = log_->file_offset(from);
            run = bytes;
        }
        from = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
    write_missing_of(offset, run);
}

/// Of bytes that lie at an offset the pages that are other ones on the disk: what is durable there is left alone.
void DatabaseCore::write_missing_of(std::uint64_t offset, std::span<const std::byte> bytes) {
    constexpr std::size_t k_block = std::size_t{1} << 20;
    constexpr std::size_t k_page = 4096;
    std::vector<std::byte> stored;
    while (!bytes.empty()) {
        const std::size_t size = std::min(bytes.size(), k_block - static_cast<std::size_t>(offset % k_page));
        stored.resize(size);
        const std::size_t got = file_->read_uncached(offset, stored);
        const auto same = [&](std::size_t at, std::size_t count) {
            return at + count <= got && std::memcmp(stored.data() + at, bytes.data() + at, count) == 0;
        };
        std::size_t missing = 0;  // bytes before `at` that are to be written
        std::size_t at = 0;
        const auto write = [&] {
            if (missing == 0) return;
            const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at - missing);
            const std::vector<std::byte> copy(first, first + static_cast<std::ptrdiff_t>(missing));
            file_->write(offset + at - missing, copy);
            missing = 0;
        };
        while (at < size) {
            const std::size_t count = std::min(size - at, k_page - static_cast<std::size_t>((offset + at) % k_page));
            if (same(at, count)) {
                write();
            } else {
                missing += count;
            }
            at += count;
        }
        write();
        offset += size;
        bytes = bytes.subspan(size);
    }
}

/// Nobody recovered the file: what is intact is shown, nothing is written.
void DatabaseCore::recover_read_only() {
    bool newest = true;
    for (int attempt = 0;; ++attempt) {
        read_metas();
        int slot = !meta_valid_[0] || (meta_valid_[1] && metas_[1].generation > metas_[0].generation) ? 1 : 0;
        page_size_ = metas_[slot].page_size;
        newest = true;
        try {
            if (stand_on(metas_[slot])) break;
        } catch (const Error& error) {
            slot = 1 - slot;
            if (!meta_valid_[slot] || error.code() != Errc::corrupt) throw;
            newest = false;
            if (stand_on(metas_[slot])) break;
        }
        if (attempt > 100) fail_overtaken();
    }
    const Meta meta = newest_;
    std::uint64_t at = meta.log_position;
    FileLogBytes bytes(*file_);
    ExtentDirectory extents = log_->extents();
    LogCursor start{meta.log_position, meta.epoch, meta.txn, meta.time_us, meta.log_position};
    LogScanner scanner(bytes, extents, log_->seed(), start);
    RecordView record;
    Txn redaction = meta.redaction_txn;
    std::uint64_t redaction_position = meta.redaction_position;
    while (scanner.next(record)) {
        if (redaction == 0 && redacts(record)) {
            redaction = record.txn() + (record.kind() == RecordKind::part ? 1 : 0);
            redaction_position = record.position();
        }
        bool there = true;
        for (std::uint32_t i = 0; i < record.extents() && there; ++i) {
            // A power loss may keep the record and lose the file's new size: nothing durable lay in there.
            const Extent extent = record.extent(i);
            there = file_->size() >= (extent.page + extent.pages) * page_size_;
        }
        if (!there) break;
        at = scanner.cursor().position;
    }
    const bool both = meta_valid_[0] && meta_valid_[1];
    if (!(meta.clean && both && newest && at == meta.log_position)) {
        const std::uint64_t known_durable =
            both ? std::max(metas_[0].log_position, metas_[1].log_position) : meta.log_position;
        const LogTail tail = scanner.judge_end(known_durable);
        if (tail.kind == LogTail::Kind::damaged) LogScanner::fail_damaged(tail);
        // Its writer may have died before the flush, and what is shown here must not be lost with the power.
        file_->sync();
    }
    processes_->store(Word::generation, meta.generation);
    processes_->store(Word::built_txn, scanner.cursor().txn);
    processes_->store(Word::visible_txn, scanner.cursor().txn);
    processes_->store(Word::durable_txn, scanner.cursor().txn);
    processes_->store(Word::log_position, at);
    processes_->store(Word::redaction_position, redaction_position);
    processes_->store(Word::redaction, redaction);
    {
        const TurnGuard guard(turn_);
        replay_to(scanner.cursor().txn, false);
        roots_->advance(scanner.cursor().txn);
    }
    if (redaction == 0) return;
    try {
        restate_half_erased();
    } catch (const Error& error) {
        // A damaged log is shown as far as it goes; whoever reads the rest is told.
        if (error.code() != Errc::corrupt) throw;
    }
}

}  // namespace northstar::inline v0::detail
