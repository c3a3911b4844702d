// simulated_disk.hpp -- a disk, and the processes on top of it, that fail in every way the kernel must survive.
//
// A SimulatedDisk is one machine: a cache that all its processes see, a platter behind it, locks, shared words, clocks.
// Each process is one Vfs. Everything is in memory, follows one 64-bit seed and is repeatable to the byte.
//
// [SIM-1] A byte survives power_crash() for certain only if a sync() that returned covered it (os/vfs.hpp, OS-1).
// [SIM-2] A sector written since then becomes, each by itself: new, old, some state it had between, or torn (each byte
//         old or new; equal bytes survive). Only a profile with `garbage`, and a copy that misdirects, break bytes that
//         nobody wrote. Sizes are settled apart from sectors; directory entries in the order they were made.
// [SIM-3] A sync that fails keeps some sectors and calls all of them clean: the cache shows bytes that the disk does
//         not have, the next sync succeeds, only one caller hears of it; nobody does where that one is killed.
// [SIM-4] A process that died can change nothing any more, not even through the mappings and words its objects hold.
//         Crash is thrown once, where the death happens; later calls of a dead process are Error(io).
// [SIM-5] Two runs with equal seed, profile, plans and calls have equal fingerprint().
// Threads: calls exclude each other, but only a single-threaded run is repeatable.
#pragma once

#include "base/random.hpp"
#include "os/vfs.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace northstar::hard {

/// Thrown at the planned call, in the process that makes it. Not an Error: nobody may catch it and go on.
struct Crash {
    std::uint64_t call = 0;
};

enum class CrashKind : std::uint8_t {
    power,  ///< the machine: every process dies, what was not flushed is settled sector by sector
    kill,   ///< the process alone: its locks go, what it wrote stays in the cache
};

/// Kinds of calls that are counted, may crash and may fail.
enum class Call : std::uint8_t {
    open, create, sync_directory, read, read_uncached, write, sync, size, truncate, allocate, map_writable, lock,
    remove, rename, words, count
};
inline constexpr std::size_t k_call_kinds = static_cast<std::size_t>(Call::count);
using CallMask = std::uint32_t;
constexpr CallMask mask_of(Call call) { return CallMask{1} << static_cast<unsigned>(call); }
inline constexpr CallMask k_all_calls = (CallMask{1} << k_call_kinds) - 1;
const char* name_of(Call call);

/// What happened to a run; every class must fire somewhere in a suite, or the suite tests less than it says.
enum class Fault : std::uint8_t {
    power_crash, kill, crash_in_write,
    sector_new, sector_old, sector_between, sector_torn, sector_garbage, sector_misdirected,
    size_new, size_old, size_between, entries_lost,
    io_error, no_space, partial_write, short_read,
    sync_failed, sync_failed_untold, sync_kept_sector, sync_dropped_sector, evicted_sector,
    bit_rot, zeroed, scribbled, misdirected, lost_write,
    clock_jump, stale_words, mapped_sector, lock_dropped,
    count
};
inline constexpr std::size_t k_fault_kinds = static_cast<std::size_t>(Fault::count);
const char* name_of(Fault fault);

/// How the disk behaves. The defaults are a plain local disk that tears sectors.
struct Profile {
    enum class Order : std::uint8_t {
        mixed,           ///< each sector by itself
        prefix,          ///< in the order of the writes up to some point, torn there
        all_or_nothing,
    };
    std::uint32_t sector = 512;         ///< 512 or 4096
    Order order = Order::mixed;
    bool torn = true;                   ///< a sector may be half new
    bool garbage = false;               ///< a sector that was being written may be anything: needs log_align = sector
    bool writable_map = true;           ///< the file system overwrites in place and maps for writing
    bool stale_words = true;            ///< side files may survive power loss, with old content
    std::uint32_t clock_jump_per_mille = 0;      ///< readings of the wall clock that jump, to either side
    std::uint32_t lost_write_per_million = 0;    ///< sectors that a successful sync does not write
    std::uint32_t misdirected_per_million = 0;   ///< sectors that a successful sync writes somewhere else
    std::uint64_t capacity = ~std::uint64_t{0};  ///< bytes on the disk
    std::uint64_t longest_file = std::uint64_t{256} << 20;

    /// One of the profiles that every promise holds on: no garbage, no lost or misdirected writes.
    static Profile random(detail::Random& random);
};

struct DiskState;
class SimulatedVfs;

class SimulatedDisk {
public:
    SimulatedDisk(std::uint64_t seed, const Profile& profile);
    ~SimulatedDisk();
    SimulatedDisk(const SimulatedDisk&) = delete;
    SimulatedDisk& operator=(const SimulatedDisk&) = delete;

    /// Starts a process. It may outlive the disk object; its files keep the machine alive.
    std::unique_ptr<SimulatedVfs> process();

    /// Counted calls so far; the next one has this number plus one.
    std::uint64_t calls() const;
    std::uint64_t calls(Call kind) const;
    /// How many calls of a kind failed or were cut short by a crash, by plan.
    std::uint64_t failures(Call kind) const;
    std::uint64_t crashes(Call kind) const;
    /// Changes with every call, its arguments and its outcome.
    std::uint64_t fingerprint() const;
    std::uint64_t count(Fault fault) const;
    const std::array<std::uint64_t, k_fault_kinds>& faults() const;
    /// "power_crash=1 sector_torn=7 ...": all that fired.
    std::string report() const;

    /// Plans: at most one crash and one failure at a time; they stay until they happened or are cleared.
    void crash_at(std::uint64_t call, CrashKind kind, CallMask mask = k_all_calls);
    /// The first call at or behind this number whose kind is in the mask fails; sticky: every one from there on.
    void fail_at(std::uint64_t call, Errc code, bool sticky, CallMask mask);
    /// The first read at or behind this number returns less than there is.
    void short_read_at(std::uint64_t call);
    void clear_plans();
    /// Runs before each call, with its number and kind; may look and copy, may not call a process.
    void observe(std::function<void(std::uint64_t call, Call kind)> observer);

    /// Power loss between two calls.
    void power_crash();
    /// Drops what the cache holds of clean sectors, so that reads show the platter.
    void evict();
    void set_capacity(std::uint64_t bytes);
    void set_profile(const Profile& profile);  ///< everything but the sector size
    /// Chance goes on from here as after this seed, whatever was done before.
    void reseed(std::uint64_t seed);

    /// Bytes of files that the process which died last had locked.
    std::vector<std::uint64_t> last_dropped_locks() const;

    /// What a power loss now could leave: another machine with no process, settled by `seed`. `misdirects`: one sector
    /// that was being written went to another place in its file.
    std::unique_ptr<SimulatedDisk> crashed_copy(std::uint64_t seed, bool misdirects = false);
    /// Where the sectors lie that the last flush of a file wrote, those behind its end left out.
    std::vector<std::uint64_t> last_flushed(const std::string& path) const;
    /// Sectors and sizes not yet flushed; each is either old or new in crashed_copy_with().
    std::size_t pending_items();
    std::unique_ptr<SimulatedDisk> crashed_copy_with(const std::vector<bool>& survives);

    /// Damage at rest, in cache and platter alike. The range must lie within the file.
    void flip_bit(const std::string& path, std::uint64_t offset, unsigned bit);
    void zero(const std::string& path, std::uint64_t offset, std::uint64_t length);
    void scribble(const std::string& path, std::uint64_t offset, std::uint64_t length);
    /// What was written to `from` went to `to` instead and left what lies at `from` as it is.
    void misdirect(const std::string& path, std::uint64_t from, std::uint64_t to, std::uint64_t length);

    /// Content for oracles: not counted, never fails.
    bool has_file(const std::string& path) const;
    std::string content(const std::string& path) const;
    void set_content(const std::string& path, const std::string& bytes);
    std::vector<std::string> file_names() const;
    std::uint64_t used_bytes() const;

private:
    explicit SimulatedDisk(std::shared_ptr<DiskState> state);
    std::shared_ptr<DiskState> state_;
};

/// One process on a simulated disk.
class SimulatedVfs final : public detail::Vfs {
public:
    ~SimulatedVfs() override;
    /// kill -9: locks are released, files and words are cut off, what was written stays in the cache.
    void kill();
    bool alive() const;

    std::unique_ptr<detail::File> open(const std::string& path, detail::OpenMode mode, bool& created) override;
    bool exists(const std::string& path) override;
    void remove(const std::string& path) override;
    void sync_entry(const std::string& path) override;
    void rename(const std::string& from, const std::string& to) override;
    detail::FileIdentity identity(const std::string& path) override;
    detail::FileSystem file_system(const std::string& path) override;
    std::unique_ptr<detail::SharedWords> shared_words(const std::string& path, std::size_t count,
                                                      bool create) override;
    std::uint64_t now_us() override;
    std::uint64_t monotonic_us() override;
    void random(std::span<std::byte> out) override;
    std::uint64_t memory_bytes() override;

private:
    friend class SimulatedDisk;
    SimulatedVfs(std::shared_ptr<DiskState> state, std::uint64_t process);
    std::shared_ptr<DiskState> state_;
    std::uint64_t process_;
};

}  // namespace northstar::hard
