// vfs.hpp -- files, locks, shared words, clock and randomness as the kernel needs them.  Layer: os.
//
// The only place where the operating system's interface is known. Three implementations: the POSIX one (os/posix),
// one in memory (os/memory, for :memory: databases) and the simulated disk of the hardening suites.
//
// What the kernel assumes of a device, and nothing else:
// [OS-1] Bytes that a successful sync() covered survive power loss.
// [OS-2] Without a sync any subset of the written sectors may survive, each old, new or torn, in any order.
// [OS-3] A write changes no byte outside the sectors it touches; a rewritten byte with an equal value survives.
// [OS-4] After a failed sync nothing that is read back through the cache proves anything.
//
// Every function throws Error (Errc::io, no_space, permission, not_found, is_directory ...) that names the path and
// the call. EINTR and short transfers are handled inside. Thread-safe unless said otherwise.
#pragma once

#include "api/northstar.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail {

enum class LockKind : std::uint8_t { shared, exclusive };

/// An open file. Locks belong to the File object (an open file description of its own that is never mapped) and
/// are released when it is destroyed or its process dies.
class File {
public:
    virtual ~File() = default;

    /// Reads up to out.size() bytes; returns how many there were before the end of the file.
    virtual std::size_t read(std::uint64_t offset, std::span<std::byte> out) = 0;
    /// The same from the device rather than from the page cache where the system allows (used by recovery only).
    virtual std::size_t read_uncached(std::uint64_t offset, std::span<std::byte> out) = 0;
    /// Writes all bytes; extends the file where needed.
    virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
    /// Flushes data and the metadata needed to read it back (fdatasync).
    virtual void sync() = 0;
    /// Asks the system to begin with what a sync() would write, and does not wait for it: a hint, which promises
    /// nothing and takes nothing from what the next sync() reports.
    virtual void begin_sync() {}
    virtual std::uint64_t size() = 0;
    virtual void truncate(std::uint64_t size) = 0;
    /// Reserves space so that later writes into the range cannot fail for want of it; extends the file. Contents of
    /// newly reserved bytes read as zeros.
    virtual void allocate(std::uint64_t offset, std::uint64_t length) = 0;

    /// Maps the file read-only from offset 0 in `reserve` bytes of address space that never move; bytes behind the
    /// end become readable when the file grows. nullptr: not possible. One mapping per File; not inherited by fork.
    virtual const std::byte* map(std::uint64_t reserve) = 0;
    /// Maps a page-aligned range shared and writable; nullptr: not possible here (no mapping, or the file system
    /// does not overwrite in place). The range must have been allocated. Not inherited by fork.
    virtual std::byte* map_writable(std::uint64_t offset, std::uint64_t length) = 0;
    virtual void unmap_writable(std::byte* address, std::uint64_t length) noexcept = 0;

    /// Takes or converts this File's lock on one byte of the lock range without waiting; false: somebody else's
    /// lock is in the way (a failed conversion keeps the old lock).
    virtual bool try_lock(std::uint64_t byte, LockKind kind) = 0;
    virtual void unlock(std::uint64_t byte) noexcept = 0;
    /// Locked bytes in [first, last] that other Files hold (shared or exclusive), ascending.
    virtual std::vector<std::uint64_t> locked_by_others(std::uint64_t first, std::uint64_t last) = 0;
    /// Waits with increasing pauses (at most about 1 ms each) until try_lock succeeds or timeout_us passed
    /// (nullopt: for ever). False: timed out. The simulated disk does not wait: it tries once.
    virtual bool lock(std::uint64_t byte, LockKind kind, std::optional<std::uint64_t> timeout_us) = 0;
};

/// Words in memory shared by all processes that have the same side file open. No truth lives in them.
class SharedWords {
public:
    virtual ~SharedWords() = default;
    /// At least the number asked for; zero when the side file was new.
    virtual std::span<std::atomic<std::uint64_t>> words() = 0;
    /// Sleeps until words()[index] != seen, a wake, or the timeout; may return early.
    virtual void wait(std::size_t index, std::uint64_t seen, std::uint64_t timeout_us) = 0;
    /// The same without sleeping, as long as that makes sense on this machine and until the timeout; true: it differs.
    virtual bool look(std::size_t index, std::uint64_t seen, std::uint64_t timeout_us) = 0;
    /// Wakes all waiters on the word, in every process.
    virtual void wake(std::size_t index) = 0;
    /// Wakes the one that has waited longest, as far as the system can tell; may wake more.
    virtual void wake_one(std::size_t index) = 0;
};

struct OpenMode {
    bool create = false;
    bool read_only = false;
};

/// What kind of file system a path lies on.
enum class FileSystem : std::uint8_t {
    in_place,       ///< local, overwrites in place (ext4, xfs, tmpfs ...): the log may be written through a mapping
    copy_on_write,  ///< local, writes elsewhere (btrfs, zfs, bcachefs, overlay on such)
    network,        ///< locks or mappings are not coherent (nfs, smb, 9p, virtiofs, fuse ...)
};

struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

class Vfs {
public:
    virtual ~Vfs() = default;
    /// Opens a regular file. not_found without create; is_directory for anything that is not a regular file;
    /// permission where denied. `created` tells whether the file is new (its directory entry is then made durable).
    virtual std::unique_ptr<File> open(const std::string& path, OpenMode mode, bool& created) = 0;
    /// Makes the directory entry of a file durable: whoever made it may have died before that.
    virtual void sync_entry(const std::string& path) = 0;
    virtual bool exists(const std::string& path) = 0;
    virtual void remove(const std::string& path) = 0;
    /// Renames over nothing (already_exists otherwise) and makes the directory entry durable.
    virtual void rename(const std::string& from, const std::string& to) = 0;
    virtual FileIdentity identity(const std::string& path) = 0;
    virtual FileSystem file_system(const std::string& path) = 0;
    /// Side file of shared words. create = false: nullptr where it does not exist.
    virtual std::unique_ptr<SharedWords> shared_words(const std::string& path, std::size_t count, bool create) = 0;
    /// Wall clock, microseconds since 1970; may jump.
    virtual std::uint64_t now_us() = 0;
    /// Never goes back.
    virtual std::uint64_t monotonic_us() = 0;
    virtual void random(std::span<std::byte> out) = 0;
    virtual std::uint64_t memory_bytes() = 0;
};

/// The operating system's own; lives as long as the program.
Vfs& posix_vfs();
/// Files in memory, private to the returned object.
std::unique_ptr<Vfs> make_memory_vfs();

/// Counts fork()s as a child sees them: a handle remembers the number and refuses when it changed.
std::uint64_t fork_count() noexcept;
/// Registers a handler that runs in the child after fork(), before anything else of ours; lives for ever.
void at_fork_in_child(void (*handler)());

}  // namespace northstar::inline v0::detail
