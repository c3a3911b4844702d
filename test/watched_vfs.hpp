// watched_vfs.hpp -- the operating system's files, watched: calls are counted and may be made to fail.
#pragma once

#include "os/vfs.hpp"
#include "txn/core.hpp"
#include "txn_support.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

namespace txn_test {

namespace detail = northstar::detail;

/// What a watched file system counts and does. Before each call `before` is asked, which may block; what it throws is
/// what the call throws.
struct Watch {
    enum class Kind { read, write, sync, truncate, allocate };
    std::atomic<std::uint64_t> syncs{0}, writes{0}, written_bytes{0}, zero_bytes{0}, locks{0};
    std::function<void(Kind)> before;
    std::mutex mutex;
    /// Maps of the log for writing; without them every byte of it passes write().
    bool writable_maps = false;

    void call(Kind kind) {
        std::function<void(Kind)> ask;
        {
            const std::lock_guard lock(mutex);
            ask = before;
        }
        if (ask) ask(kind);
    }
    void set(std::function<void(Kind)> fn) {
        const std::lock_guard lock(mutex);
        before = std::move(fn);
    }
};

class WatchedFile final : public detail::File {
public:
    WatchedFile(std::unique_ptr<detail::File> file, Watch& watch) : file_(std::move(file)), watch_(watch) {}
    std::size_t read(std::uint64_t offset, std::span<std::byte> out) override {
        watch_.call(Watch::Kind::read);
        return file_->read(offset, out);
    }
    std::size_t read_uncached(std::uint64_t offset, std::span<std::byte> out) override {
        watch_.call(Watch::Kind::read);
        return file_->read_uncached(offset, out);
    }
    void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
        watch_.call(Watch::Kind::write);
        ++watch_.writes;
        watch_.written_bytes += bytes.size();
        if (std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; })) {
            watch_.zero_bytes += bytes.size();
        }
        file_->write(offset, bytes);
    }
    void sync() override {
        watch_.call(Watch::Kind::sync);
        ++watch_.syncs;
        file_->sync();
    }
    std::uint64_t size() override { return file_->size(); }
    void truncate(std::uint64_t size) override {
        watch_.call(Watch::Kind::truncate);
        file_->truncate(size);
    }
    void allocate(std::uint64_t offset, std::uint64_t length) override {
        watch_.call(Watch::Kind::allocate);
        file_->allocate(offset, length);
    }
    const std::byte* map(std::uint64_t reserve) override { return file_->map(reserve); }
    std::byte* map_writable(std::uint64_t offset, std::uint64_t length) override {
        return watch_.writable_maps ? file_->map_writable(offset, length) : nullptr;
    }
    void unmap_writable(std::byte* address, std::uint64_t length) noexcept override {
        file_->unmap_writable(address, length);
    }
    bool try_lock(std::uint64_t byte, detail::LockKind kind) override {
        ++watch_.locks;
        return file_->try_lock(byte, kind);
    }
    void unlock(std::uint64_t byte) noexcept override {
        ++watch_.locks;
        file_->unlock(byte);
    }
    std::vector<std::uint64_t> locked_by_others(std::uint64_t first, std::uint64_t last) override {
        return file_->locked_by_others(first, last);
    }
    bool lock(std::uint64_t byte, detail::LockKind kind, std::optional<std::uint64_t> timeout_us) override {
        ++watch_.locks;
        return file_->lock(byte, kind, timeout_us);
    }

private:
    std::unique_ptr<detail::File> file_;
    Watch& watch_;
};

class WatchedVfs final : public detail::Vfs {
public:
    explicit WatchedVfs(Watch& watch) : watch_(watch) {}
    std::unique_ptr<detail::File> open(const std::string& path, detail::OpenMode mode, bool& created) override {
        return std::make_unique<WatchedFile>(under_.open(path, mode, created), watch_);
    }
    bool exists(const std::string& path) override { return under_.exists(path); }
    void remove(const std::string& path) override { under_.remove(path); }
    void sync_entry(const std::string& path) override { under_.sync_entry(path); }
    void rename(const std::string& from, const std::string& to) override { under_.rename(from, to); }
    detail::FileIdentity identity(const std::string& path) override { return under_.identity(path); }
    detail::FileSystem file_system(const std::string&) override { return kind; }
    std::unique_ptr<detail::SharedWords> shared_words(const std::string& path, std::size_t count,
                                                      bool create) override {
        return under_.shared_words(path, count, create);
    }
    std::uint64_t now_us() override { return under_.now_us(); }
    std::uint64_t monotonic_us() override { return under_.monotonic_us(); }
    void random(std::span<std::byte> out) override { under_.random(out); }
    std::uint64_t memory_bytes() override { return under_.memory_bytes(); }

    detail::FileSystem kind = detail::FileSystem::in_place;

private:
    detail::Vfs& under_ = detail::posix_vfs();
    Watch& watch_;
};

inline northstar::Database open_on(detail::Vfs& vfs, const std::string& path, const northstar::Options& options) {
    return detail::make_database(detail::DatabaseCore::open(path, options, &vfs));
}

}  // namespace txn_test
