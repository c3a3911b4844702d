// Files in memory, for databases that live no longer than their handle and for tests.
//
// The bytes of a file lie in one reservation of address space that never moves, so that map() can hand it out.
#include "base/check.hpp"
#include "base/error.hpp"
#include "os/system.hpp"
#include "os/vfs.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

#include <sys/mman.h>

namespace northstar::inline v0::detail {

namespace memory_impl {

// Memory goes back in pieces that are whole pages on every processor.
inline constexpr std::uint64_t k_granule = 65536;
inline constexpr std::uint64_t k_step = std::uint64_t{1} << 20;
inline constexpr std::uint64_t k_least_capacity = std::uint64_t{1} << 24;

inline constexpr std::uint64_t k_longest_wait_us = std::uint64_t{365} * 86400 * 1000000;

inline std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return (value + step - 1) / step * step; }

// The bytes of one file. Address space is reserved once; memory comes as the file grows and goes as it shrinks.
class Storage {
public:
    explicit Storage(std::string path) : path_(std::move(path)) {
        // A file cannot outgrow memory, so twice that is enough.
        capacity_ = std::bit_ceil(std::max(posix_vfs().memory_bytes() * 2, k_least_capacity));
        for (;; capacity_ /= 2) {
            void* address = ::mmap(nullptr, capacity_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (address != MAP_FAILED) {
                base_ = static_cast<std::byte*>(address);
                break;
            }
            if (capacity_ <= k_least_capacity) {
                fail(Errc::no_memory, "no address space for '" + path_ + "'; free some memory, then try again", path_);
            }
        }
    }
    ~Storage() { ::munmap(base_, capacity_); }
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    std::byte* base() const { return base_; }
    std::uint64_t capacity() const { return capacity_; }
    std::uint64_t size() const { return size_; }

    void resize(std::uint64_t size) {
        if (size > usable_) grow(size);
        if (size < size_) {
            // What lies behind the end reads as zeros when the file grows again.
            const std::uint64_t page_end = std::min(round_up(size, k_granule), usable_);
            std::memset(base_ + size, 0, std::min(page_end, size_) - size);
            if (usable_ > page_end) ::madvise(base_ + page_end, usable_ - page_end, MADV_DONTNEED);
        }
        size_ = size;
    }

private:
    void grow(std::uint64_t size) {
        // Steps grow with the file, so that there are few of them.
        const std::uint64_t wanted = size > capacity_ ? size : round_up(std::max(size, usable_ / 8 * 9), k_step);
        const std::uint64_t target = std::min(wanted, capacity_);
        if (size > capacity_ ||
            ::mprotect(base_ + usable_, target - usable_, PROT_READ | PROT_WRITE) != 0) {
            fail(Errc::no_space,
                 "cannot extend '" + path_ + "' in memory to " + std::to_string(size) +
                     " bytes: there is no memory left; free some, then try again",
                 path_);
        }
        usable_ = target;
    }

    const std::string path_;
    std::byte* base_ = nullptr;
    std::uint64_t capacity_ = 0;
    std::uint64_t usable_ = 0;  // readable and writable from base_ on; a multiple of k_granule
    std::uint64_t size_ = 0;
};

// Who holds which byte; holders are File objects, compared by address only.
class LockTable {
public:
    bool try_lock(std::uint64_t byte, LockKind kind, const void* holder) {
        const std::lock_guard guard(mutex_);
        return grant(byte, kind, holder);
    }
    bool lock(std::uint64_t byte, LockKind kind, const void* holder, std::optional<std::uint64_t> timeout_us) {
        std::unique_lock guard(mutex_);
        const auto granted = [&] { return grant(byte, kind, holder); };
        if (!timeout_us.has_value()) {
            released_.wait(guard, granted);
            return true;
        }
        const auto most = std::chrono::microseconds(std::min<std::uint64_t>(*timeout_us, k_longest_wait_us));
        return released_.wait_for(guard, most, granted);
    }
    void unlock(std::uint64_t byte, const void* holder) {
        const std::lock_guard guard(mutex_);
        const auto found = holders_.find(byte);
        if (found == holders_.end()) return;
        found->second.erase(holder);
        if (found->second.empty()) holders_.erase(found);
        exclusive_.erase({byte, holder});
        released_.notify_all();
    }
    void unlock_all(const void* holder) {
        const std::lock_guard guard(mutex_);
        for (auto at = holders_.begin(); at != holders_.end();) {
            at->second.erase(holder);
            exclusive_.erase({at->first, holder});
            at = at->second.empty() ? holders_.erase(at) : std::next(at);
        }
        released_.notify_all();
    }
    std::vector<std::uint64_t> held_by_others(std::uint64_t first, std::uint64_t last, const void* asker) {
        const std::lock_guard guard(mutex_);
        std::vector<std::uint64_t> bytes;
        for (auto at = holders_.lower_bound(first); at != holders_.end() && at->first <= last; ++at) {
            if (at->second.size() > at->second.count(asker)) bytes.push_back(at->first);
        }
        return bytes;
    }

private:
    bool grant(std::uint64_t byte, LockKind kind, const void* holder) {
        std::set<const void*>& holders = holders_[byte];
        const bool others = holders.size() > holders.count(holder);
        const bool other_exclusive = others && exclusive_.count({byte, *holders.begin()}) != 0;
        if (kind == LockKind::exclusive ? others : other_exclusive) return false;
        holders.insert(holder);
        if (kind == LockKind::exclusive) {
            exclusive_.insert({byte, holder});
        } else if (exclusive_.erase({byte, holder}) != 0) {
            released_.notify_all();
        }
        return true;
    }

    std::mutex mutex_;
    std::condition_variable released_;
    std::map<std::uint64_t, std::set<const void*>> holders_;
    std::set<std::pair<std::uint64_t, const void*>> exclusive_;  // its holder is then the only one of the byte
};

struct Node {
    Node(std::string path, std::uint64_t number) : storage(std::move(path)), inode(number) {}
    std::shared_mutex mutex;  // exclusive: writes and changes of size
    Storage storage;
    LockTable locks;
    const std::uint64_t inode;
};

class MemoryFile final : public File {
public:
    MemoryFile(std::string path, std::shared_ptr<Node> node, bool read_only)
        : path_(std::move(path)), node_(std::move(node)), read_only_(read_only), forks_(fork_count()) {}
    ~MemoryFile() override {
        if (same_process()) node_->locks.unlock_all(this);
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    std::size_t read(std::uint64_t offset, std::span<std::byte> out) override {
        check_process();
        const std::shared_lock guard(node_->mutex);
        const std::uint64_t size = node_->storage.size();
        if (offset >= size || out.empty()) return 0;
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size - offset));
        std::memcpy(out.data(), node_->storage.base() + offset, count);
        return count;
    }
    std::size_t read_uncached(std::uint64_t offset, std::span<std::byte> out) override { return read(offset, out); }
    void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
        check_writable("write to");
        if (bytes.empty()) return;
        const std::uint64_t end = end_of(offset, bytes.size());
        const std::unique_lock guard(node_->mutex);
        if (end > node_->storage.size()) node_->storage.resize(end);
        std::memcpy(node_->storage.base() + offset, bytes.data(), bytes.size());
    }
    void sync() override { check_process(); }
    std::uint64_t size() override {
        check_process();
        const std::shared_lock guard(node_->mutex);
        return node_->storage.size();
    }
    void truncate(std::uint64_t size) override {
        check_writable("change the size of");
        const std::unique_lock guard(node_->mutex);
        node_->storage.resize(size);
    }
    void allocate(std::uint64_t offset, std::uint64_t length) override {
        check_writable("reserve space in");
        const std::uint64_t end = end_of(offset, length);
        const std::unique_lock guard(node_->mutex);
        if (end > node_->storage.size()) node_->storage.resize(end);
    }
    const std::byte* map(std::uint64_t reserve) override {
        check_process();
        return reserve == 0 || reserve > node_->storage.capacity() ? nullptr : node_->storage.base();
    }
    // Bytes stored in place would meet read(), which may look at what is just being written; a call costs little here.
    std::byte* map_writable(std::uint64_t, std::uint64_t) override { return nullptr; }
    void unmap_writable(std::byte*, std::uint64_t) noexcept override {}

    bool try_lock(std::uint64_t byte, LockKind kind) override {
        check_lock(kind);
        return node_->locks.try_lock(byte, kind, this);
    }
    void unlock(std::uint64_t byte) noexcept override {
        if (same_process()) node_->locks.unlock(byte, this);
    }
    std::vector<std::uint64_t> locked_by_others(std::uint64_t first, std::uint64_t last) override {
        check_process();
        return node_->locks.held_by_others(first, last, this);
    }
    bool lock(std::uint64_t byte, LockKind kind, std::optional<std::uint64_t> timeout_us) override {
        check_lock(kind);
        return node_->locks.lock(byte, kind, this, timeout_us);
    }

private:
    static std::uint64_t end_of(std::uint64_t offset, std::uint64_t length) {
        return offset + length < offset ? ~std::uint64_t{0} : offset + length;
    }
    // In a child process a mutex may be locked for ever by a thread that only the parent has.
    bool same_process() const { return forks_ == fork_count(); }
    void check_process() const {
        if (!same_process()) {
            fail(Errc::forked, "'" + path_ + "' was opened before fork(); open it again in the child process", path_);
        }
    }
    void check_writable(const char* action) const {
        check_process();
        if (read_only_) {
            fail(Errc::read_only,
                 std::string("cannot ") + action + " '" + path_ + "': it was opened read-only; open it for writing",
                 path_);
        }
    }
    void check_lock(LockKind kind) const {
        check_process();
        if (read_only_ && kind == LockKind::exclusive) {
            fail(Errc::permission, "cannot lock '" + path_ + "' exclusively: it was opened read-only", path_);
        }
    }

    const std::string path_;
    const std::shared_ptr<Node> node_;
    const bool read_only_;
    const std::uint64_t forks_;
};

// The words of one side file; they cannot move, so there are as many as anybody may ask for.
struct Words {
    static constexpr std::size_t k_count = 2048;
    std::atomic<std::uint64_t> words[k_count] = {};
    std::mutex mutex;
    std::condition_variable changed;
};

class MemoryWords final : public SharedWords {
public:
    MemoryWords(std::shared_ptr<Words> words, std::size_t count) : words_(std::move(words)), count_(count) {}
    std::span<std::atomic<std::uint64_t>> words() override { return std::span(words_->words).first(count_); }
    void wait(std::size_t index, std::uint64_t seen, std::uint64_t timeout_us) override {
        NORTHSTAR_ASSERT(index < count_);
        std::unique_lock guard(words_->mutex);
        if (words_->words[index].load(std::memory_order_acquire) != seen || timeout_us == 0) return;
        const auto most = std::chrono::microseconds(std::min<std::uint64_t>(timeout_us, k_longest_wait_us));
        words_->changed.wait_for(guard, most);
    }
    bool look(std::size_t index, std::uint64_t seen, std::uint64_t) override {
        NORTHSTAR_ASSERT(index < count_);
        return words_->words[index].load(std::memory_order_acquire) != seen;
    }
    void wake(std::size_t index) override {
        NORTHSTAR_ASSERT(index < count_);
        const std::lock_guard guard(words_->mutex);
        words_->changed.notify_all();
    }
    void wake_one(std::size_t index) override { wake(index); }

private:
    const std::shared_ptr<Words> words_;
    const std::size_t count_;
};

class MemoryVfs final : public Vfs {
public:
    MemoryVfs() : device_(next_device().fetch_add(1)) {
        const ForkList watch_for_forks;  // the first one begins to count them
    }

    std::unique_ptr<File> open(const std::string& path, OpenMode mode, bool& created) override {
        const std::lock_guard guard(mutex_);
        created = false;
        auto found = files_.find(path);
        if (found == files_.end()) {
            if (!mode.create || mode.read_only) fail_missing(path);
            found = files_.emplace(path, std::make_shared<Node>(path, ++last_inode_)).first;
            created = true;
        }
        return std::make_unique<MemoryFile>(path, found->second, mode.read_only);
    }
    bool exists(const std::string& path) override {
        const std::lock_guard guard(mutex_);
        return files_.count(path) + words_.count(path) != 0;
    }
    void remove(const std::string& path) override {
        const std::lock_guard guard(mutex_);
        if (files_.erase(path) + words_.erase(path) == 0) fail_missing(path);
    }
    void sync_entry(const std::string&) override {}
    void rename(const std::string& from, const std::string& to) override {
        const std::lock_guard guard(mutex_);
        if (files_.count(to) + words_.count(to) != 0) {
            fail(Errc::already_exists, "cannot rename to '" + to + "': it exists already; choose another name", to);
        }
        auto file = files_.extract(from);
        if (file.empty()) fail_missing(from);
        file.key() = to;
        files_.insert(std::move(file));
    }
    FileIdentity identity(const std::string& path) override {
        const std::lock_guard guard(mutex_);
        const auto found = files_.find(path);
        if (found == files_.end()) fail_missing(path);
        return {device_, found->second->inode};
    }
    FileSystem file_system(const std::string&) override { return FileSystem::in_place; }
    std::unique_ptr<SharedWords> shared_words(const std::string& path, std::size_t count, bool create) override {
        const std::lock_guard guard(mutex_);
        if (count > Words::k_count) {
            fail(Errc::invalid_argument, "more shared words than a side file in memory has", path);
        }
        const auto found = words_.find(path);
        if (found != words_.end()) return std::make_unique<MemoryWords>(found->second, count);
        if (!create) return nullptr;
        return std::make_unique<MemoryWords>(words_[path] = std::make_shared<Words>(), count);
    }
    std::uint64_t now_us() override { return posix_vfs().now_us(); }
    std::uint64_t monotonic_us() override { return posix_vfs().monotonic_us(); }
    void random(std::span<std::byte> out) override { posix_vfs().random(out); }
    std::uint64_t memory_bytes() override { return posix_vfs().memory_bytes(); }

private:
    [[noreturn]] static void fail_missing(const std::string& path) {
        fail(Errc::not_found, "'" + path + "' does not exist in memory; create it", path);
    }
    // Devices of the system are small numbers; the upper half is ours.
    static std::atomic<std::uint64_t>& next_device() {
        static std::atomic<std::uint64_t> next{std::uint64_t{1} << 63};
        return next;
    }

    const std::uint64_t device_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Node>> files_;
    std::map<std::string, std::shared_ptr<Words>> words_;
    std::uint64_t last_inode_ = 0;
};

}  // namespace memory_impl

std::unique_ptr<Vfs> make_memory_vfs() { return std::make_unique<memory_impl::MemoryVfs>(); }

}  // namespace northstar::inline v0::detail
