// posix_file.hpp -- a file of the operating system.  Layer: os; nobody above.  Threads: any.
//
// [FILE-1] Locks live on a descriptor of their own, which is never mapped: a mapping that a child inherited would keep
//          a dead parent's locks alive.
// [FILE-2] In a child process both descriptors are closed and every call is Error(forked).
#pragma once

#include "os/system.hpp"
#include "os/vfs.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

class PosixFile final : public File, private ForkSensitive {
public:
    /// Both descriptors name the same file; `locks` may be none where nothing is locked. `forks` shows that none can
    /// happen until this is listed.
    PosixFile(std::string path, Descriptor data, Descriptor locks, bool read_only, FileSystem file_system,
              ForkList& forks);
    ~PosixFile() override;
    PosixFile(const PosixFile&) = delete;
    PosixFile& operator=(const PosixFile&) = delete;

    std::size_t read(std::uint64_t offset, std::span<std::byte> out) override;
    std::size_t read_uncached(std::uint64_t offset, std::span<std::byte> out) override;
    void write(std::uint64_t offset, std::span<const std::byte> bytes) override;
    void sync() override;
    void begin_sync() override;
    std::uint64_t size() override;
    void truncate(std::uint64_t size) override;
    void allocate(std::uint64_t offset, std::uint64_t length) override;
    const std::byte* map(std::uint64_t reserve) override;
    std::byte* map_writable(std::uint64_t offset, std::uint64_t length) override;
    void unmap_writable(std::byte* address, std::uint64_t length) noexcept override;
    bool try_lock(std::uint64_t byte, LockKind kind) override;
    void unlock(std::uint64_t byte) noexcept override;
    std::vector<std::uint64_t> locked_by_others(std::uint64_t first, std::uint64_t last) override;
    bool lock(std::uint64_t byte, LockKind kind, std::optional<std::uint64_t> timeout_us) override;

private:
    void forget_in_child() noexcept override;
    int data_descriptor() const;
    int lock_descriptor() const;
    void check_writable(const char* action) const;
    void release_kept(int descriptor);
    bool read_direct(std::uint64_t offset, std::span<std::byte> out, std::size_t& done);
    void fill_holes(int descriptor, std::uint64_t offset, std::uint64_t length);

    const std::string path_;
    Descriptor data_;
    Descriptor locks_;
    const bool read_only_;
    const FileSystem file_system_;
    std::byte* map_ = nullptr;
    std::uint64_t map_size_ = 0;
    std::mutex kept_mutex_;
    std::array<std::uint64_t, 16> kept_{};     // bytes whose release failed; the next try_lock() releases them
    std::atomic<std::size_t> kept_count_{0};
};

/// Reads until `out` is full or the file ends.
std::size_t read_fully(int descriptor, std::uint64_t offset, std::span<std::byte> out, const std::string& path);
/// Writes everything. Refuses what would exceed the process's file size limit, which would be a signal otherwise.
void write_fully(int descriptor, std::uint64_t offset, std::span<const std::byte> bytes, const std::string& path);
/// fallocate(2); false where the file system has no such thing.
bool reserve_space(int descriptor, std::uint64_t offset, std::uint64_t length, const std::string& path);
/// Throws Error(no_space) when a file of the process may not reach this size.
void check_size_limit(std::uint64_t end, const std::string& path);

}  // namespace northstar::inline v0::detail
