// Byte-range locks that belong to an open file description (F_OFD_SETLK), not to a process: two Files of one process
// exclude each other, and closing some other descriptor of the file releases nothing.
#include "os/posix_file.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <time.h>

namespace northstar::inline v0::detail {

namespace posix_locks_impl {

// Far behind any byte of content, so that systems with mandatory ranges would never mix the two.
inline constexpr std::uint64_t k_lock_base = 0x4000000000000000u;
inline constexpr std::uint64_t k_last_byte = 0x3ffffffffffffffeu;  // the last whose offset the system can express
inline constexpr std::uint64_t k_max_pause_us = 1000;

inline struct flock range(short type, std::uint64_t first, std::uint64_t last) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(k_lock_base + first);
    lock.l_len = static_cast<off_t>(last - first + 1);
    return lock;
}

// 0, or the errno.
inline int set(int descriptor, short type, std::uint64_t byte) {
    struct flock lock = range(type, byte, byte);
    while (::fcntl(descriptor, F_OFD_SETLK, &lock) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

inline void pause_us(std::uint64_t microseconds) {
    struct timespec span {};
    span.tv_nsec = static_cast<long>(microseconds * 1000);
    ::nanosleep(&span, nullptr);
}

}  // namespace posix_locks_impl

bool PosixFile::try_lock(std::uint64_t byte, LockKind kind) {
    using namespace posix_locks_impl;
    const int descriptor = lock_descriptor();
    if (kept_count_.load(std::memory_order_acquire) != 0) release_kept(descriptor);
    if (read_only_ && kind == LockKind::exclusive) {
        fail(Errc::permission, "cannot lock '" + path_ + "' exclusively: it was opened read-only", path_);
    }
    if (byte > k_last_byte) fail(Errc::invalid_argument, "there is no lock byte " + std::to_string(byte), path_);
    const int error = set(descriptor, kind == LockKind::exclusive ? F_WRLCK : F_RDLCK, byte);
    if (error == 0) return true;
    if (error == EAGAIN || error == EACCES) return false;
    fail_system(error, "fcntl", "lock", path_);
}

void PosixFile::unlock(std::uint64_t byte) noexcept {
    if (!data_.valid()) return;  // a child must not touch its parent's locks
    if (byte > posix_locks_impl::k_last_byte) return;
    if (posix_locks_impl::set(locks_.get(), F_UNLCK, byte) == 0) return;
    const std::lock_guard lock(kept_mutex_);
    const std::size_t count = kept_count_.load(std::memory_order_relaxed);
    if (std::find(kept_.data(), kept_.data() + count, byte) != kept_.data() + count) return;
    // Where there is no room for it, closing the file releases it.
    if (count == kept_.size()) return;
    kept_[count] = byte;
    kept_count_.store(count + 1, std::memory_order_release);
}

/// Locks whose release failed, for want of memory in the kernel: nobody here counts on them, and others wait for them.
void PosixFile::release_kept(int descriptor) {
    const std::lock_guard lock(kept_mutex_);
    for (std::size_t count = kept_count_.load(std::memory_order_relaxed); count > 0; --count) {
        if (const int error = posix_locks_impl::set(descriptor, F_UNLCK, kept_[count - 1]); error != 0) {
            fail_system(error, "fcntl", "release an earlier lock of", path_);
        }
        kept_count_.store(count - 1, std::memory_order_release);
    }
}

std::vector<std::uint64_t> PosixFile::locked_by_others(std::uint64_t first, std::uint64_t last) {
    using namespace posix_locks_impl;
    const int descriptor = lock_descriptor();
    std::vector<std::uint64_t> found;
    // One answer names one lock somewhere in the range, maybe of several bytes; look on at both sides of it.
    struct Gap {
        std::uint64_t first;
        std::uint64_t last;
    };
    std::vector<Gap> gaps = {{first, std::min(last, k_last_byte)}};
    while (!gaps.empty()) {
        const Gap gap = gaps.back();
        gaps.pop_back();
        if (gap.first > gap.last) continue;
        struct flock lock = range(F_WRLCK, gap.first, gap.last);
        while (::fcntl(descriptor, F_OFD_GETLK, &lock) != 0) {
            if (errno != EINTR) fail_system(errno, "fcntl", "look at the locks of", path_);
        }
        if (lock.l_type == F_UNLCK) continue;
        const auto start = static_cast<std::uint64_t>(lock.l_start);
        const std::uint64_t low = std::max(start, k_lock_base + gap.first) - k_lock_base;
        const std::uint64_t high =
            lock.l_len == 0 ? gap.last
                            : std::min(start + static_cast<std::uint64_t>(lock.l_len) - 1 - k_lock_base, gap.last);
        for (std::uint64_t byte = low; byte <= high; ++byte) found.push_back(byte);
        if (low > gap.first) gaps.push_back({gap.first, low - 1});
        if (high < gap.last) gaps.push_back({high + 1, gap.last});
    }
    std::sort(found.begin(), found.end());
    return found;
}

bool PosixFile::lock(std::uint64_t byte, LockKind kind, std::optional<std::uint64_t> timeout_us) {
    using namespace posix_locks_impl;
    if (try_lock(byte, kind)) return true;
    const std::uint64_t start = posix_vfs().monotonic_us();
    for (std::uint64_t pause = 10;; pause = std::min(2 * pause, k_max_pause_us)) {
        std::uint64_t rest = pause;
        if (timeout_us.has_value()) {
            const std::uint64_t waited = posix_vfs().monotonic_us() - start;
            if (waited >= *timeout_us) return false;
            rest = std::min(rest, *timeout_us - waited);
        }
        pause_us(rest);
        if (try_lock(byte, kind)) return true;
    }
}

}  // namespace northstar::inline v0::detail
