// hooked_vfs.hpp -- the operating system's files, with a function that a test has called before and after each call.
//
// It shows what happens between two steps of a protocol: the function may use other handles on the same file, which act
// as other processes do (locks belong to the open file, not to the process). Threads: the function is called by
// whoever makes the call.
#pragma once

#include "os/vfs.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace northstar::test {

enum class FileCall {
    read,
    read_uncached,
    write,
    sync,
    lock,
    unlock,
    truncate,
    allocate,
    size,
    map_writable,
    unmap_writable
};

class HookedVfs final : public detail::Vfs {
public:
    /// `where`: offset, lock byte or size. `done`: the call has been made.
    using Hook = std::function<void(FileCall call, std::uint64_t where, bool done)>;

    void set_hook(Hook hook) { hook_ = std::move(hook); }
    void call_hook(FileCall call, std::uint64_t where, bool done) const {
        if (!hook_) return;
        const Hook hook = hook_;  // it may set another one
        hook(call, where, done);
    }

    /// Changes what is read past the page cache: a disk that has other bytes than the cache.
    using Alter = std::function<void(std::uint64_t offset, std::span<std::byte> bytes)>;
    void set_uncached(Alter alter) { alter_ = std::move(alter); }
    void alter_uncached(std::uint64_t offset, std::span<std::byte> bytes) const {
        if (alter_) alter_(offset, bytes);
    }

    /// Locks that are asked for and not given, though nobody has them.
    using Refusal = std::function<bool(std::uint64_t byte, detail::LockKind kind)>;
    void set_refusal(Refusal refusal) { refusal_ = std::move(refusal); }
    bool refuses(std::uint64_t byte, detail::LockKind kind) const { return refusal_ && refusal_(byte, kind); }

    /// Runs before the side file is opened: what it throws, opening that throws.
    void set_words(std::function<void()> before) { words_ = std::move(before); }

    /// Calls that are waiting for a lock.
    int waits() const { return waits_; }
    void note_wait(int more) const { waits_ += more; }

    /// Lock bytes that files of this object have.
    std::set<std::uint64_t> held() const {
        const std::lock_guard lock(mutex_);
        return held_;
    }
    void note_lock(std::uint64_t byte, bool has) const {
        const std::lock_guard lock(mutex_);
        if (has) held_.insert(byte);
        else held_.erase(byte);
    }

    std::unique_ptr<detail::File> open(const std::string& path, detail::OpenMode mode, bool& created) override;
    bool exists(const std::string& path) override { return real_.exists(path); }
    void remove(const std::string& path) override { real_.remove(path); }
    void sync_entry(const std::string& path) override { real_.sync_entry(path); }
    void rename(const std::string& from, const std::string& to) override { real_.rename(from, to); }
    detail::FileIdentity identity(const std::string& path) override { return real_.identity(path); }
    detail::FileSystem file_system(const std::string& path) override { return real_.file_system(path); }
    std::unique_ptr<detail::SharedWords> shared_words(const std::string& path, std::size_t count,
                                                      bool create) override {
        if (words_) words_();
        return real_.shared_words(path, count, create);
    }
    std::uint64_t now_us() override { return real_.now_us(); }
    std::uint64_t monotonic_us() override { return real_.monotonic_us(); }
    void random(std::span<std::byte> out) override { real_.random(out); }
    std::uint64_t memory_bytes() override { return memory_bytes_ != 0 ? memory_bytes_ : real_.memory_bytes(); }
    /// A machine of another size.
    void set_memory_bytes(std::uint64_t bytes) { memory_bytes_ = bytes; }

private:
    detail::Vfs& real_ = detail::posix_vfs();
    Hook hook_;
    Alter alter_;
    Refusal refusal_;
    std::function<void()> words_;
    std::uint64_t memory_bytes_ = 0;  // 0: those of the real machine
    mutable std::atomic<int> waits_{0};
    mutable std::mutex mutex_;
    mutable std::set<std::uint64_t> held_;
};

class HookedFile final : public detail::File {
    template <class F>
    auto around(FileCall call, std::uint64_t where, F&& fn) {
        vfs_.call_hook(call, where, false);
        auto result = fn();
        vfs_.call_hook(call, where, true);
        return result;
    }

public:
    HookedFile(const HookedVfs& vfs, std::unique_ptr<detail::File> file) : vfs_(vfs), file_(std::move(file)) {}

    std::size_t read(std::uint64_t offset, std::span<std::byte> out) override {
        return around(FileCall::read, offset, [&] { return file_->read(offset, out); });
    }
    std::size_t read_uncached(std::uint64_t offset, std::span<std::byte> out) override {
        return around(FileCall::read_uncached, offset, [&] {
            const std::size_t got = file_->read_uncached(offset, out);
            vfs_.alter_uncached(offset, out.first(got));
            return got;
        });
    }
    void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
        around(FileCall::write, offset, [&] {
            file_->write(offset, bytes);
            return true;
        });
    }
    void sync() override {
        around(FileCall::sync, 0, [&] {
            file_->sync();
            return true;
        });
    }
    std::uint64_t size() override {
        return around(FileCall::size, 0, [&] { return file_->size(); });
    }
    void truncate(std::uint64_t size) override {
        around(FileCall::truncate, size, [&] {
            file_->truncate(size);
            return true;
        });
    }
    void allocate(std::uint64_t offset, std::uint64_t length) override {
        around(FileCall::allocate, offset, [&] {
            file_->allocate(offset, length);
            return true;
        });
    }
    const std::byte* map(std::uint64_t reserve) override { return file_->map(reserve); }
    std::byte* map_writable(std::uint64_t offset, std::uint64_t length) override {
        return around(FileCall::map_writable, offset, [&] { return file_->map_writable(offset, length); });
    }
    void unmap_writable(std::byte* address, std::uint64_t length) noexcept override {
        file_->unmap_writable(address, length);
        vfs_.call_hook(FileCall::unmap_writable, length, true);
    }
    bool try_lock(std::uint64_t byte, detail::LockKind kind) override {
        return around(FileCall::lock, byte, [&] {
            return noted(byte, !vfs_.refuses(byte, kind) && file_->try_lock(byte, kind));
        });
    }
    void unlock(std::uint64_t byte) noexcept override {
        file_->unlock(byte);
        vfs_.note_lock(byte, false);
        vfs_.call_hook(FileCall::unlock, byte, true);
    }
    std::vector<std::uint64_t> locked_by_others(std::uint64_t first, std::uint64_t last) override {
        return file_->locked_by_others(first, last);
    }
    bool lock(std::uint64_t byte, detail::LockKind kind, std::optional<std::uint64_t> timeout_us) override {
        return around(FileCall::lock, byte, [&] {
            if (vfs_.refuses(byte, kind)) return false;
            vfs_.note_wait(1);
            const bool got = file_->lock(byte, kind, timeout_us);
            vfs_.note_wait(-1);
            return noted(byte, got);
        });
    }

private:
    /// A lock that is had already stays where its conversion failed.
    bool noted(std::uint64_t byte, bool got) {
        if (got) vfs_.note_lock(byte, true);
        return got;
    }

    const HookedVfs& vfs_;
    const std::unique_ptr<detail::File> file_;
};

inline std::unique_ptr<detail::File> HookedVfs::open(const std::string& path, detail::OpenMode mode, bool& created) {
    return std::make_unique<HookedFile>(*this, real_.open(path, mode, created));
}

}  // namespace northstar::test
