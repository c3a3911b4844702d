// open.cpp -- opening, creating and closing a database file.
//
// Under the gate lock an opener takes the open lock shared and tries to make it exclusive. Success means that it is
// alone: it creates or recovers the file, then shares. A read-only handle takes a pin only.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "txn/core.hpp"
#include "txn/ledger.hpp"
#include "txn/log_bytes.hpp"
#include "txn/past.hpp"
#include "txn/replay.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace northstar::inline v0::detail {

namespace open_impl {

constexpr std::uint64_t k_gate_timeout_us = 30'000'000;
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

/// Where create() puts what a new file holds: two meta pages, the first extent of the log, the ledger.
struct NewFile {
    explicit NewFile(std::uint32_t size) : page_size(size) {}
    std::uint64_t bytes() const { return pages * page_size; }
    bool may_leave(std::span<const std::byte> found) const;

    std::uint32_t page_size;
    std::uint64_t log_pages = std::max<std::uint64_t>(k_first_log_bytes / page_size, 1);
    std::uint64_t space_page = k_first_data_page + log_pages;
    std::uint64_t pages = space_page + 1;
};

/// Can a creation that was cut short before the meta page of generation 1 was whole have left these bytes? What was
/// being written may be anything; the meta page comes when the ledger has been flushed.
bool NewFile::may_leave(std::span<const std::byte> found) const {
    if (found.size() > bytes()) return false;
    const auto part = [&](std::uint64_t from, std::uint64_t to) {
        const std::uint64_t end = found.size();
        return found.subspan(std::min(from, end), std::min(to, end) - std::min(from, end));
    };
    const std::uint64_t meta = page_size;
    const std::uint64_t space = space_page * page_size;
    if (!all_zero(part(0, meta)) || !all_zero(part(meta + k_meta_size, space)) ||
        !all_zero(part(space + k_min_page_size, bytes()))) {
        return false;
    }
    if (all_zero(part(meta, meta + k_meta_size))) return true;
    if (found.size() != bytes()) return false;
    Meta ignored;
    const MetaState state = decode_meta(part(meta, meta + k_meta_size), ignored);
    const std::byte* const ledger = found.data() + space;
    return state != MetaState::valid && state != MetaState::newer &&
           load_u64(ledger + k_page_number_offset) == space_page && load_u64(ledger + k_page_generation_offset) == 1 &&
           ledger[k_page_kind_offset] == static_cast<std::byte>(PageKind::space);
}

}  // namespace open_impl

std::shared_ptr<DatabaseCore> DatabaseCore::open(const std::string& path, const Options& options, Vfs* vfs) {
    std::shared_ptr<DatabaseCore> core(new DatabaseCore, let_go);
    core->options_ = options;
    core->kept_pasts_ = std::make_unique<KeptPasts>();
    core->open_file(path, vfs);
    return core;
}

/// The threads of a parent process are not in this one, and what they wait for cannot be destroyed: that would wait for
/// them. So an inherited handle stays, where a search for leaks finds it.
void DatabaseCore::let_go(DatabaseCore* core) noexcept {
    static std::atomic<DatabaseCore*> inherited{nullptr};
    if (!core->inherited()) {
        delete core;
        return;
    }
    core->next_inherited_ = inherited.load();
    while (!inherited.compare_exchange_weak(core->next_inherited_, core)) {}
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
    if (inherited()) [[unlikely]] {
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
    // What sealing the history takes follows the limit of memory, too.
    seal_budget_.least = std::clamp<std::uint64_t>(overlay_limit_ / 64, 4u << 10, seal_budget_.least);
    seal_budget_.gathered = std::clamp<std::uint64_t>(overlay_limit_ / 2, 8u << 20, seal_budget_.gathered);
    seal_budget_.merge.bytes_written =
        std::clamp<std::uint64_t>(overlay_limit_ / 4, 4u << 20, seal_budget_.merge.bytes_written);
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
        const bool fresh = alone && (file_->size() == 0 || creation_was_cut_short());
        // Before a side file is left beside something that is no database.
        if (alone && !fresh) read_metas();
        std::unique_ptr<SharedWords> words;
        if (!options_.exclusive) words = vfs_->shared_words(path_ + "-shared", k_word_count, true);
        processes_ = std::make_unique<Processes>(*file_, *vfs_, std::move(words));
        if (alone) {
            processes_->reset_words();
            if (fresh) create();
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

/// A file whose making was interrupted before its first meta page was whole: nobody was ever told that it exists. Holds
/// nothing but what create() writes before that: whatever else is there may be somebody's. Looks past the cache, as
/// read_metas() does: a page that only the cache has was never flushed.
bool DatabaseCore::creation_was_cut_short() {
    using namespace open_impl;
    const std::uint64_t size = file_->size();
    if (size > NewFile(k_max_page_size).bytes()) return false;
    std::vector<std::byte> bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, k_meta_size)));
    if (file_->read_uncached(0, bytes) < bytes.size() || !all_zero(bytes)) return false;
    bytes.resize(static_cast<std::size_t>(size));
    if (file_->read_uncached(0, bytes) < bytes.size()) return false;
    for (std::uint32_t page_size = k_min_page_size; page_size <= k_max_page_size; page_size *= 2) {
        if (NewFile(page_size).may_leave(bytes)) return true;
    }
    return false;
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
    const open_impl::NewFile layout(page_size_);
    const Extent extent{k_first_position, k_first_data_page, layout.log_pages};
    Ledger ledger(page_size_);
    ledger.space = SpaceMap(layout.pages);
    ledger.extents.add(extent);
    ledger.births[extent.logical] = 1;
    const std::string bytes = ledger.encode();
    NORTHSTAR_ASSERT(bytes.size() <= k_min_page_size - k_page_header_size);
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
    meta.space_page = layout.space_page;
    meta.space_bytes = bytes.size();
    meta.file_pages = layout.pages;
    meta.clean = true;
    file_->allocate(0, layout.bytes());
    // The rest of the page is zeros already.
    std::vector<std::byte> page(k_min_page_size);
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
    read_metas();
}

void DatabaseCore::attach_read_only() {
    std::unique_ptr<SharedWords> words = words_of_writers();
    alone_ = words == nullptr;
    processes_ = std::make_unique<Processes>(*file_, *vfs_, std::move(words));
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

void DatabaseCore::close() {
    if (closing_.exchange(true)) return;
    if (inherited()) {
        closed_ = true;
        return;  // the parent's threads and locks are not ours: everything is left as it is
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
    if (kept_pasts_ != nullptr) kept_pasts_->clear();
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
