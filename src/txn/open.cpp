// open.cpp -- opening, creating, recovering and closing a database file.
//
// Under the gate lock an opener takes the open lock shared and tries to make it exclusive. Success means that it is
// alone: it creates or recovers the file, then shares. A read-only handle takes a pin only.
//
// Recovery: the newest valid meta page, the log behind it, and nothing else. Bytes behind the end of the log are
// fenced off by an epoch record; everything adopted is flushed before anybody else gets in.
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/xxh64.hpp"
#include "format/node.hpp"
#include "log/scan.hpp"
#include "txn/core.hpp"
#include "txn/ledger.hpp"
#include "txn/log_bytes.hpp"
#include "txn/past.hpp"
#include "txn/replay.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <utility>

namespace northstar::inline v0::detail {

namespace open_impl {

constexpr std::uint64_t k_gate_timeout_us = 30'000'000;
constexpr std::uint64_t k_default_map = std::uint64_t{1} << 40;
constexpr std::uint64_t k_first_log_bytes = 64u << 10;

/// Files this process has open, so that one is not opened twice under two names.
struct Registry {
    std::mutex mutex;
    std::uint64_t forks = 0;  // the handles of a parent process are not this one's
    std::vector<FileIdentity> open;
};
Registry& registry() {
    static Registry instance;
    return instance;
}

bool all_zero(std::span<const std::byte> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace open_impl

std::shared_ptr<DatabaseCore> DatabaseCore::open(const std::string& path, const Options& options, Vfs* vfs) {
    std::shared_ptr<DatabaseCore> core(new DatabaseCore);
    core->options_ = options;
    core->open_file(path, vfs);
    return core;
}

DatabaseCore::~DatabaseCore() {
    const std::unique_ptr<WriteKit> kit(spare_kit_.exchange(nullptr));
    try {
        close();
    } catch (...) {
        // What could not be written now is in the log; the next opener replays it.
    }
}

void DatabaseCore::check_usable() const {
    if (fork_count_ != fork_count()) [[unlikely]] {
        fail(Errc::forked, "this handle of " + path_ + " was inherited through fork(); open the database in the child",
             path_);
    }
    if (closed_.load(std::memory_order_relaxed)) [[unlikely]] {
        fail(Errc::misuse, "the database " + path_ + " was closed; open it again", path_);
    }
}

void DatabaseCore::check_writable() const {
    check_usable();
    if (options_.read_only) fail(Errc::read_only, path_ + " was opened read-only", path_);
    if (processes_->load(Word::poison) != 0) poison_error();
}

void DatabaseCore::check_options() const {
    const std::uint32_t size = options_.page_size;
    if (size != 0 && (size < k_min_page_size || size > k_max_page_size || (size & (size - 1)) != 0)) {
        fail(Errc::invalid_argument, "a page size is a power of two from 4096 to 65536, not " + std::to_string(size));
    }
    if (options_.log_align != 0 && options_.log_align != 4096) {
        fail(Errc::invalid_argument, "log_align is 0 or 4096, not " + std::to_string(options_.log_align));
    }
    if (options_.read_only && options_.exclusive) {
        fail(Errc::invalid_argument, "read_only and exclusive exclude each other");
    }
}

void DatabaseCore::open_file(const std::string& path, Vfs* vfs) {
    using namespace open_impl;
    fork_count_ = fork_count();
    path_ = path;
    memory_ = path == ":memory:" && vfs == nullptr;
    check_options();
    if (memory_) {
        own_vfs_ = make_memory_vfs();
        vfs_ = own_vfs_.get();
        options_.exclusive = true;
        options_.read_only = false;
    } else {
        vfs_ = vfs != nullptr ? vfs : &posix_vfs();
    }
    // Before there is a file that a refusal would leave behind.
    if (!memory_ && !options_.exclusive && vfs_->file_system(path_) == FileSystem::network) {
        fail(Errc::network_file_system,
             path_ + " lies on a network or shared-folder file system, where locks cannot be relied on; put it on a "
                     "local disk, or open it with exclusive = true from one process only",
             path_);
    }
    file_ = vfs_->open(path_, {options_.create && !options_.read_only, options_.read_only}, entry_durable_);
    if (vfs == nullptr && !memory_) {
        identity_ = vfs_->identity(path_);
        const std::lock_guard lock(registry().mutex);
        std::vector<FileIdentity>& open = registry().open;
        if (std::exchange(registry().forks, fork_count()) != fork_count()) open.clear();
        if (std::find(open.begin(), open.end(), identity_) != open.end()) {
            fail(Errc::already_open,
                 path_ + " is open in this process already, perhaps under another name; share that handle between "
                         "threads instead",
                 path_);
        }
        open.push_back(identity_);
        registered_ = true;
    }
    std::array<std::byte, 8> seed{};
    vfs_->random(seed);
    nonces_ = Random(load_u64(seed.data()));
    overlay_limit_ = options_.overlay_limit;
    if (overlay_limit_ == 0) {
        overlay_limit_ = std::clamp<std::uint64_t>(vfs_->memory_bytes() / 8, 64u << 20, 1u << 30);
    }
    try {
        if (options_.read_only) {
            attach_read_only();
        } else {
            enter();
        }
    } catch (...) {
        closing_ = true;
        closed_ = true;
        unregister();
        throw;
    }
    coarse_us_.store(vfs_->monotonic_us(), std::memory_order_relaxed);
    if (options_.background) start_background();
}

void DatabaseCore::unregister() noexcept {
    if (!registered_) return;
    registered_ = false;
    if (fork_count_ != fork_count()) return;
    const std::lock_guard lock(open_impl::registry().mutex);
    std::vector<FileIdentity>& open = open_impl::registry().open;
    open.erase(std::find(open.begin(), open.end(), identity_));
}

void DatabaseCore::enter() {
    using namespace open_impl;
    const auto locked = [&] {
        fail(Errc::locked,
             options_.exclusive ? path_ + " is open in another process; close it there, or open it without exclusive"
                                : path_ + " is open exclusively, or being recovered, by another process; try again "
                                          "when that is done",
             path_);
    };
    if (!file_->lock(Processes::gate, LockKind::exclusive, k_gate_timeout_us)) locked();
    try {
        if (!file_->try_lock(Processes::open, LockKind::shared)) locked();
        const bool alone = file_->try_lock(Processes::open, LockKind::exclusive);
        if (options_.exclusive && !alone) locked();
        std::unique_ptr<SharedWords> words;
        if (!options_.exclusive) words = vfs_->shared_words(path_ + "-shared", k_word_count, true);
        processes_ = std::make_unique<Processes>(*file_, std::move(words));
        if (alone) {
            processes_->reset_words();
            if (file_->size() == 0 || creation_was_cut_short()) create();
            recover();
            processes_->store(Word::ready, 1);
            if (!options_.exclusive && !file_->try_lock(Processes::open, LockKind::shared)) locked();
        } else {
            if (processes_->load(Word::ready) != 1) {
                fail(Errc::locked,
                     "the side file " + path_ + "-shared was removed or is not ready while others have the database "
                                                "open; close it everywhere and open it again",
                     path_);
            }
            join();
        }
    } catch (...) {
        file_->unlock(Processes::open);
        file_->unlock(Processes::gate);
        throw;
    }
    file_->unlock(Processes::gate);
}

/// A file whose making was interrupted before its first meta page was whole: nobody was ever told that it exists. Looks
/// past the cache, as read_metas() does: a page that only the cache has was never flushed.
bool DatabaseCore::creation_was_cut_short() {
    const std::uint64_t size = file_->size();
    if (size > 2 * std::uint64_t{k_max_page_size} + open_impl::k_first_log_bytes + 4 * std::uint64_t{k_max_page_size}) {
        return false;
    }
    std::vector<std::byte> first(k_meta_size);
    if (file_->read_uncached(0, first) < k_meta_size) return open_impl::all_zero(first) && size < k_meta_size;
    if (!open_impl::all_zero(first)) return false;
    std::vector<std::byte> other(k_meta_size);
    for (std::uint64_t at = k_min_page_size; at <= k_max_page_size; at *= 2) {
        Meta meta;
        const std::size_t got = file_->read_uncached(at, other);
        if (got == k_meta_size && decode_meta(other, meta) != MetaState::foreign) {
            if (decode_meta(other, meta) == MetaState::valid) return false;
        } else if (got == k_meta_size && at == k_min_page_size && !open_impl::all_zero(other) &&
                   load_u64(other.data() + 8) != 0 && size > 8 * k_max_page_size) {
            return false;
        }
    }
    return true;
}

void DatabaseCore::create() {
    page_size_ = options_.page_size != 0 ? options_.page_size : k_min_page_size;
    vfs_->random(std::as_writable_bytes(std::span(uuid_)));
    // Somebody else may have made the file and died, or been refused, before its name was on the disk.
    if (!entry_durable_) vfs_->sync_entry(path_);
    if (file_->size() != 0) {
        // What an interrupted creation left is gone for good before new bytes come, or both could mix.
        file_->truncate(0);
        file_->sync();
    }
    const std::uint64_t log_pages = std::max<std::uint64_t>(open_impl::k_first_log_bytes / page_size_, 1);
    const Extent extent{k_first_position, k_first_data_page, log_pages};
    Ledger ledger(page_size_);
    ledger.space = SpaceMap(k_first_data_page + log_pages + 1);
    ledger.extents.add(extent);
    ledger.births[extent.logical] = 1;
    std::string bytes = ledger.encode();
    bytes.resize(page_size_ - k_page_header_size);
    Meta meta;
    meta.page_size = page_size_;
    meta.log_align = options_.log_align;
    meta.uuid = uuid_;
    meta.generation = 1;
    meta.history = options_.history;
    meta.created_us = vfs_->now_us();
    meta.time_us = 0;
    meta.log_position = k_first_position;
    meta.log_begin = k_first_position;
    meta.sealed_position = k_first_position;
    std::array<std::byte, 4> random{};
    vfs_->random(random);
    meta.epoch = next_epoch(0, load_u32(random.data()));
    meta.space_page = k_first_data_page + log_pages;
    meta.space_bytes = bytes.size();
    meta.file_pages = meta.space_page + 1;
    meta.clean = true;
    file_->allocate(0, meta.file_pages * page_size_);
    std::vector<std::byte> page(page_size_);
    std::memcpy(page.data() + k_page_header_size, bytes.data(), bytes.size());
    seal_run(page.data(), PageKind::space, std::as_bytes(std::span(bytes)), meta.space_page, 1, 1, file_seed());
    meta.space_checksum = load_u64(page.data());
    file_->write(meta.space_page * page_size_, page);
    file_->sync();
    // One after the other: the first is whole before the second is begun.
    write_meta(meta);
    file_->sync();
    meta.generation = 2;
    write_meta(meta);
    file_->sync();
}

std::uint64_t DatabaseCore::file_seed() const { return xxh64(uuid_.data(), uuid_.size(), 0); }

/// Reads both meta pages. Sets metas_ and meta_valid_; true: at least one is valid.
bool DatabaseCore::read_metas() {
    std::vector<std::byte> bytes(k_meta_size);
    meta_valid_[0] = meta_valid_[1] = false;
    bool newer = false;
    bool ours = false;
    const auto look = [&](int slot, std::uint64_t offset) {
        Meta meta;
        if (file_->read_uncached(offset, bytes) < k_meta_size) return false;
        const MetaState state = decode_meta(bytes, meta);
        newer = newer || state == MetaState::newer;
        ours = ours || state == MetaState::damaged;
        if (state != MetaState::valid || static_cast<int>(meta.generation & 1) != slot) return false;
        if (slot == 1 && meta.page_size != offset) return false;
        metas_[slot] = meta;
        meta_valid_[slot] = true;
        return true;
    };
    look(0, 0);
    if (meta_valid_[0]) {
        look(1, metas_[0].page_size);
    } else {
        for (std::uint64_t at = k_min_page_size; at <= k_max_page_size && !look(1, at); at *= 2) {}
    }
    if (meta_valid_[0] && meta_valid_[1] && metas_[0].uuid != metas_[1].uuid) {
        fail(Errc::corrupt,
             "the two meta pages of " + path_ + " belong to different databases; restore it from a backup",
             path_, 0);
    }
    if (!meta_valid_[0] && !meta_valid_[1]) {
        if (newer) {
            fail(Errc::newer_format, path_ + " was written by a newer version of Northstar; use that version", path_);
        }
        if (ours) {
            fail(Errc::corrupt, "both meta pages of " + path_ + " are damaged; restore it from a backup", path_, 0);
        }
        fail(Errc::not_a_database, path_ + " is not a Northstar database; check the path", path_);
    }
    if (newer) {
        fail(Errc::newer_format, path_ + " was written by a newer version of Northstar; use that version", path_);
    }
    return true;
}

void DatabaseCore::make_parts(const Meta& meta) {
    page_size_ = meta.page_size;
    uuid_ = meta.uuid;
    if (options_.page_size != 0 && options_.page_size != page_size_) {
        fail(Errc::page_size_mismatch,
             path_ + " has pages of " + std::to_string(page_size_) + " bytes, not " +
                 std::to_string(options_.page_size) + "; open it without naming a page size",
             path_);
    }
    if (source_ != nullptr) return;
    const std::uint64_t reserve = options_.map_size != 0 ? options_.map_size : open_impl::k_default_map;
    ReadMode mode = options_.read_mode;
    try {
        source_ = std::make_unique<FilePages>(*file_, path_, page_size_, file_seed(), mode, reserve);
    } catch (const Error&) {
        if (mode == ReadMode::pread) throw;
        source_ = std::make_unique<FilePages>(*file_, path_, page_size_, file_seed(), ReadMode::pread, reserve);
    }
    arena_ = std::make_unique<FrameArena>(page_size_);
    views_ = std::make_unique<ViewTable>();
    roots_ = std::make_unique<RootSet>(*arena_, *views_);
    log_ = std::make_unique<LogStore>(*file_, *source_, uuid_, meta.log_align);
    log_->set_patience([this] { return log_has_settled(); });
    chain_ = std::make_unique<ChainFollower>(*log_);
    early_source_ = make_early_source();
    replay_work_ = std::make_unique<Workspace>(*arena_, *source_);
    replay_bytes_ = std::make_unique<FileLogBytes>(*file_);
}

/// Stands on a generation: ledger, base and root of its meta page. Throws Error(corrupt) when its ledger is damaged.
void DatabaseCore::load_generation(const Meta& meta) {
    make_parts(meta);
    const std::uint64_t size = file_->size();
    if (size < meta.file_pages * page_size_) {
        fail(Errc::truncated,
             path_ + " has " + std::to_string(size) + " bytes, its meta page says " +
                 std::to_string(meta.file_pages * page_size_) + "; restore it from a backup",
             path_, size / page_size_);
    }
    source_->forget_all();
    // Others read meanwhile: the limit may only fall when what they can reach is known to lie below it.
    source_->set_limit(std::max(source_->limit(), meta.file_pages));
    Ledger ledger = Ledger::decode(
        source_->read_run(PageKind::space, meta.space_page, meta.space_bytes, meta.space_checksum), page_size_,
        Ledger::Parts::without_space);
    const std::uint64_t end_of_log = log_->set_extents(ledger.extents, ledger.births);
    if (end_of_log * page_size_ > size) {
        fail(Errc::truncated, path_ + " is shorter than its log says; restore it from a backup", path_, end_of_log);
    }
    source_->set_limit(std::max(meta.file_pages, end_of_log));
    auto base = std::make_unique<Base>();
    base->meta = meta;
    equip(*base, ledger, bases_.empty() ? nullptr : bases_.back()->history.get());
    Root* root = roots_->prepare();
    base->first_root = root->number.load();
    root->txn.store(meta.txn);
    root->time_us = meta.time_us;
    root->catalog.root = Ref(meta.catalog.root);
    root->catalog.count = meta.catalog.count;
    root->next_tree_id = meta.next_tree_id;
    root->history = meta.history;
    root->log_position = meta.log_position;
    root->epoch = meta.epoch;
    root->base = base.get();
    {
        const std::lock_guard lock(meta_mutex_);
        bases_.push_back(std::move(base));
        newest_ = meta;
        stands_on_.store(meta.generation);
    }
    roots_->install_base(root);
    chain_->stand_on({meta.txn, meta.log_position, meta.chain}, std::move(ledger.chain));
    checkpoint_position_.store(meta.log_position);
}

/// What a base knows beside its meta page.
void DatabaseCore::equip(Base& base, const Ledger& ledger, const HistoryFollower* before) {
    base.horizon = ledger.horizon;
    base.move = ledger.move;
    base.extents = std::make_shared<ExtentDirectory>(ledger.extents);
    base.history = std::make_shared<HistoryFollower>(*source_, *log_, ledger.segments, base.meta.sealed_txn,
                                                     base.meta.sealed_position, before);
}

/// Replays the log behind the newest meta page whose state can be read. Nobody else has the file open.
void DatabaseCore::recover() {
    read_metas();
    const bool both = meta_valid_[0] && meta_valid_[1];
    int slot = !meta_valid_[0] || (meta_valid_[1] && metas_[1].generation > metas_[0].generation) ? 1 : 0;
    try {
        load_generation(metas_[slot]);
    } catch (const Error& error) {
        // The older generation and its log give the same state.
        if (!both || error.code() != Errc::corrupt) throw;
        unreadable_generation_ = metas_[slot].generation;
        meta_valid_[slot] = false;
        slot = 1 - slot;
        load_generation(metas_[slot]);
    }
    const Meta meta = metas_[slot];
    processes_->pin(meta.generation);
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
    processes_->store(Word::generation, meta.generation);
    work.limit_pages(page_budget(), [&] { make_room_for_replay(work); });
    work.begin(base_root->catalog, base_root->next_tree_id, base_root->history, meta.txn);
    std::uint64_t behind = meta.log_position;
    std::uint64_t epoch = meta.epoch;
    std::uint64_t time_us = meta.time_us;
    Txn redaction = meta.redaction_txn;
    std::uint64_t redaction_position = meta.redaction_position;
    RecordView record;
    try {
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
    } catch (...) {
        work.abandon();
        throw;
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
        if (both && slot == static_cast<int>(meta.generation & 1) && meta_valid_[0] && meta_valid_[1]) write_meta(meta);
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
    constexpr std::size_t k_block = std::size_t{1} << 20;
    std::vector<std::byte> cached;
    std::vector<std::byte> stored;
    while (from < to) {
        const RecordView record = log_->read(from);
        const std::uint64_t offset = log_->file_offset(from);
        for (std::size_t at = 0; at < record.bytes().size(); at += cached.size()) {
            const auto block = record.bytes().subspan(at, std::min(k_block, record.bytes().size() - at));
            cached.assign(block.begin(), block.end());
            stored.resize(cached.size());
            const std::size_t got = file_->read_uncached(offset + at, stored);
            if (got != stored.size() || stored != cached) file_->write(offset + at, cached);
        }
        from = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
}

/// Others have the file open: stand on the newest generation and follow the log.
void DatabaseCore::join() {
    for (int attempt = 0;; ++attempt) {
        const Meta meta = read_meta_anywhere(processes_->load(Word::generation));
        if (stand_on(meta)) break;
        if (attempt > 100) fail(Errc::locked, path_ + " is being checkpointed without pause; try again", path_);
    }
    const TurnGuard guard(turn_);
    const Txn visible = processes_->load(Word::visible_txn);
    replay_to(visible, false);
    roots_->advance(visible);
}

Meta DatabaseCore::read_meta_anywhere(std::uint64_t generation) {
    if (source_ == nullptr) read_metas();
    else return read_meta(generation);
    for (int slot = 0; slot < 2; ++slot) {
        if (meta_valid_[slot]) page_size_ = metas_[slot].page_size;
    }
    return read_meta(generation);
}

/// Does the file still name this generation? [PROC-2]
bool DatabaseCore::still_there(const Meta& meta) {
    std::vector<std::byte> bytes(k_meta_size);
    Meta now;
    return file_->read((meta.generation & 1) * page_size_, bytes) == k_meta_size &&
           decode_meta(bytes, now) == MetaState::valid && now.generation == meta.generation;
}

/// Made by another process: what a checkpoint of this one made, its rebase adopts.
bool DatabaseCore::newer_meta_exists() const {
    const std::uint64_t own = own_generation_.load();  // first: it goes back to 0 when its base is stood on
    return processes_->load(Word::generation) > std::max(stands_on_.load(), own);
}

/// Moves to the newest meta page, which another process wrote. Call with the turn. The built root is replaced by one
/// on the new base, at least as new.
void DatabaseCore::adopt_newest() {
    const Root* old = roots_->built();
    while (!stand_on(read_meta(processes_->load(Word::generation)))) continue;
    supersede_early();
    bury_overlay(old);
    drop_old_bases();
}

/// Pins a generation and loads it. False: it is none of the two in the file any more, nothing was done.
bool DatabaseCore::stand_on(const Meta& meta) {
    if (!processes_->pin(meta.generation)) fail(Errc::io, "cannot pin a generation of " + path_, path_);
    try {
        if (still_there(meta)) {
            load_generation(meta);
            return true;
        }
    } catch (const Error& error) {
        // The file may be cut behind a generation while it is being loaded, when two more were made meanwhile: free
        // pages at its end are not missing then.
        const bool of_the_file = error.code() == Errc::corrupt || error.code() == Errc::truncated;
        if (!of_the_file || processes_->load(Word::generation) <= meta.generation + 1) {
            processes_->unpin(meta.generation);
            throw;
        }
    }
    processes_->unpin(meta.generation);
    return false;
}

/// Every memory page that only the state before a change of base reaches.
void DatabaseCore::bury_overlay(const Root* old) {
    std::vector<Frame*> frames;
    const auto visit = [&](auto&& self, Ref ref, bool large) -> void {
        if (!ref.in_memory()) return;
        Frame* frame = Frame::of(ref);
        if (frame->death != 0) return;
        frames.push_back(frame);
        if (large) return;
        for_each_ref(static_cast<const std::byte*>(frame->data()), page_size_, false,
                     [&](Ref child, bool child_large) { self(self, child, child_large); });
    };
    visit(visit, old->catalog.root, false);
    roots_->reserve_burials(frames.size());
    const std::uint64_t death = roots_->built()->number.load();
    for (Frame* frame : frames) roots_->bury(frame, death);
    roots_->reclaim();
}

void DatabaseCore::attach_read_only() {
    std::unique_ptr<SharedWords> words = words_of_writers();
    alone_ = words == nullptr;
    processes_ = std::make_unique<Processes>(*file_, std::move(words));
    if (!alone_) {
        join();
        return;
    }
    if (file_->size() == 0) fail(Errc::not_a_database, path_ + " is empty; check the path", path_);
    recover_read_only();
}

/// The side file, if somebody who may write has the database open and recovered it.
std::unique_ptr<SharedWords> DatabaseCore::words_of_writers() {
    if (file_->locked_by_others(Processes::open, Processes::open).empty()) return nullptr;
    std::unique_ptr<SharedWords> words;
    try {
        words = vfs_->shared_words(path_ + "-shared", k_word_count, false);
    } catch (const Error& error) {
        // A directory we may not write in: the state at opening is shown.
        if (error.code() != Errc::permission) throw;
    }
    if (words != nullptr && words->words()[static_cast<std::size_t>(Word::ready)].load() != 1) return nullptr;
    return words;
}

/// A read-only handle that found nobody looks for writers whenever it opens a snapshot.
void DatabaseCore::look_for_writers() {
    const TurnGuard guard(turn_);
    if (!alone_) return;
    if (std::unique_ptr<SharedWords> words = words_of_writers()) {
        processes_->attach(std::move(words));
        alone_ = false;
    }
}

/// Nobody recovered the file: what is intact is shown, nothing is written.
void DatabaseCore::recover_read_only() {
    bool newest = true;
    for (int attempt = 0;; ++attempt) {
        read_metas();
        int slot = !meta_valid_[0] || (meta_valid_[1] && metas_[1].generation > metas_[0].generation) ? 1 : 0;
        page_size_ = metas_[slot].page_size;
        processes_->pin(metas_[slot].generation);
        if (!still_there(metas_[slot]) && attempt < 100) {
            processes_->unpin(metas_[slot].generation);
            continue;
        }
        try {
            load_generation(metas_[slot]);
        } catch (const Error& error) {
            slot = 1 - slot;
            if (!meta_valid_[slot] || error.code() != Errc::corrupt) throw;
            newest = false;
            processes_->pin(metas_[slot].generation);
            load_generation(metas_[slot]);
        }
        break;
    }
    const Meta meta = newest_;
    std::uint64_t at = meta.log_position;
    FileLogBytes bytes(*file_);
    ExtentDirectory extents = log_->extents();
    LogCursor start{meta.log_position, meta.epoch, meta.txn, meta.time_us, meta.log_position};
    LogScanner scanner(bytes, extents, log_->seed(), start);
    RecordView record;
    while (scanner.next(record)) {
        bool there = true;
        for (std::uint32_t i = 0; i < record.extents() && there; ++i) {
            // A power loss may keep the record and lose the file's new size: nothing durable lay in there.
            const Extent extent = record.extent(i);
            there = file_->size() >= (extent.page + extent.pages) * page_size_;
            if (there) learn_extent(extent);
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
    }
    processes_->store(Word::generation, meta.generation);
    processes_->store(Word::built_txn, scanner.cursor().txn);
    processes_->store(Word::visible_txn, scanner.cursor().txn);
    processes_->store(Word::durable_txn, scanner.cursor().txn);
    processes_->store(Word::log_position, at);
    processes_->store(Word::durable_position, at);
    processes_->store(Word::last_time, scanner.cursor().time_us);
    const TurnGuard guard(turn_);
    replay_to(scanner.cursor().txn, false);
    roots_->advance(scanner.cursor().txn);
}

void DatabaseCore::close() {
    if (closing_.exchange(true)) return;
    if (fork_count_ != fork_count()) {
        closed_ = true;
        // The parent's threads and locks are not ours: everything is left as it is.
        if (background_.joinable()) background_.detach();
        if (flusher_.joinable()) flusher_.detach();
        return;
    }
    // A checkpoint under way opens views of its own and must end whole, so the handle closes behind it.
    stop_background();
    closed_ = true;
    std::exception_ptr failure;
    if (!options_.read_only && processes_ != nullptr && roots_ != nullptr && processes_->load(Word::ready) == 1 &&
        processes_->load(Word::poison) == 0) {
        try {
            close_writable();
        } catch (...) {
            failure = std::current_exception();
        }
    }
    if (log_ != nullptr) log_->unmap();
    if (processes_ != nullptr) processes_->yield_write(true);
    // Frames stay until the last transaction object is gone; the file, its locks and its mapping go now. Slots of
    // snapshots that are still open go to other handles: nothing of this one may stand in them.
    if (views_ != nullptr) {
        views_->each([this](ReadView& view) {
            if (view.past != nullptr) orphans_.emplace_back(std::exchange(view.past, nullptr));
            view.txn = nullptr;
        });
    }
    views_.reset();
    processes_.reset();
    file_.reset();
    unregister();
    if (failure) std::rethrow_exception(failure);
}

void DatabaseCore::close_writable() {
    make_durable(processes_->load(Word::built_txn), 0);
    publish_visible();
    if (!file_->lock(Processes::gate, LockKind::exclusive, open_impl::k_gate_timeout_us)) return;
    const bool alone = file_->try_lock(Processes::open, LockKind::exclusive);
    try {
        // A transaction that is still open has the turn: the log has everything, the next opener replays it.
        if (alone && turn_.try_acquire()) {
            turn_.release();
            closed_ = false;  // the checkpoint uses the handle like everybody else
            if (pending_redaction() != 0) finish_redactions_if_possible();
            if (processes_->load(Word::clean) == 0) {
                const std::lock_guard lock(checkpoint_mutex_);
                checkpoint_locked(true, true);
                compact_at_close();
            }
            closed_ = true;
        }
    } catch (...) {
        closed_ = true;
        file_->unlock(Processes::open);
        file_->unlock(Processes::gate);
        throw;
    }
    // In this order: whoever comes through the gate next must not find the open lock still exclusive.
    file_->unlock(Processes::open);
    file_->unlock(Processes::gate);
}

}  // namespace northstar::inline v0::detail
