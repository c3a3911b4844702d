// image.hpp -- one file of a simulated disk: its cache, its platter, and what lies between.  See simulated_disk.hpp.
//
// Sectors are in one of three states: equal in cache and platter; pending (written, not flushed, its earlier contents
// since the last flush remembered); or divergent (called clean by a flush that failed or lied).
#pragma once

#include "hard/sim/simulated_disk.hpp"
#include "os/system.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

namespace northstar::hard {

inline constexpr std::uint64_t k_block = 4096;  // unit of space on the disk and of mappings

/// How one crash settles what is pending.
struct Settlement {
    enum class Kind : std::uint8_t { mixed, prefix, everything, nothing, chosen };
    Kind kind = Kind::mixed;
    std::uint64_t cut = 0;                  // prefix: number of the last write that counts
    std::uint64_t new_part = 8;             // mixed: of 16
    bool misdirects = false;                // one sector that is pending goes to another place
    const std::vector<bool>* chosen = nullptr;
    std::size_t next = 0;                   // chosen: item to look at next
    bool take_chosen() { return (*chosen)[next++]; }
};

using FaultCounts = std::array<std::uint64_t, k_fault_kinds>;

class Image {
public:
    Image(const Profile& profile, std::uint64_t& used_blocks, FaultCounts& faults);
    ~Image();
    Image(const Image&) = delete;
    Image& operator=(const Image&) = delete;

    std::uint64_t size() const { return size_; }
    std::size_t read(std::uint64_t offset, std::span<std::byte> out) const;
    /// Dirty sectors as the cache has them, clean ones as the platter does.
    std::size_t read_uncached(std::uint64_t offset, std::span<std::byte> out) const;
    /// `number` orders writes of all files. The range lies below the longest size.
    void write(std::uint64_t offset, std::span<const std::byte> bytes, std::uint64_t number);
    void resize(std::uint64_t size, std::uint64_t number);
    /// Blocks that a write into the range would have to take.
    std::uint64_t missing_blocks(std::uint64_t offset, std::uint64_t length) const;
    void take_blocks(std::uint64_t offset, std::uint64_t length);

    /// A flush that returns; with the profile's lies.
    void sync(detail::Random& random);
    /// The same without lies.
    void flush();
    void fail_sync(detail::Random& random);
    void evict(bool open);
    void crash(detail::Random& random, Settlement& settlement);
    /// A copy as crash() would leave it.
    std::unique_ptr<Image> crashed_copy(detail::Random& random, Settlement& settlement, const Profile& profile,
                                        std::uint64_t& used_blocks, FaultCounts& faults) const;
    /// Offsets of the sectors that the last flush wrote, those behind the end left out.
    std::vector<std::uint64_t> last_flushed() const;
    std::size_t pending_items() const;
    /// Number of the oldest write that is not flushed; the largest number where there is none.
    std::uint64_t oldest_pending() const;

    /// A shared mapping of the cache; stores through it become pending when absorb() finds them.
    std::byte* map(std::uint64_t offset, std::uint64_t length);
    void unmap(std::byte* address, std::uint64_t length, std::uint64_t number) noexcept;
    void absorb(std::uint64_t number);
    /// Puts a private copy in place of a mapping whose process died.
    void cut_off(std::byte* address, std::uint64_t length, std::uint64_t number);

    /// Changes bytes in cache and platter.
    void damage(std::uint64_t offset, std::span<const std::byte> bytes);

private:
    struct Pending {
        std::uint64_t number = 0;                // of the write that made what the cache shows
        std::vector<std::uint64_t> earlier;      // numbers of earlier contents, ascending
        std::vector<std::byte> bytes;            // their contents, one sector each
    };
    struct Window {
        std::byte* address;
        std::uint64_t offset;
        std::uint64_t length;
    };
    static constexpr std::size_t k_most_earlier = 8;

    std::byte* cached(std::uint64_t sector) const { return cache_ + sector * sector_; }
    void on_platter(std::uint64_t sector, std::byte* out) const;
    void put_on_platter(std::vector<std::byte>& platter, std::uint64_t sector, const std::byte* bytes) const;
    void mark(std::uint64_t sector, const std::byte* before, std::uint64_t number);
    void mark_range(std::uint64_t offset, std::uint64_t length, std::uint64_t number);
    void settle_sector(detail::Random& random, Settlement& settlement, std::uint64_t sector, const Pending& pending,
                       std::byte* out) const;
    std::uint64_t settle_size(detail::Random& random, Settlement& settlement) const;
    std::uint64_t settle(std::vector<std::byte>& platter, detail::Random& random, Settlement& settlement) const;
    void misdirect_one(std::vector<std::byte>& platter, detail::Random& random) const;
    void all_clean();
    void drop_blocks_behind(std::uint64_t size);
    void close_window(std::byte* address);
    void refresh_shadow(std::uint64_t offset, std::uint64_t length);
    void count(Fault fault) const { ++faults_[static_cast<std::size_t>(fault)]; }

    const Profile& profile_;
    const std::uint32_t sector_;
    const std::uint64_t longest_;
    std::uint64_t& used_blocks_;
    FaultCounts& faults_;
    detail::Descriptor memory_;
    std::byte* cache_ = nullptr;
    std::uint64_t size_ = 0;
    std::vector<std::byte> platter_;      // whole sectors
    std::uint64_t platter_size_ = 0;      // the durable size; platter_ may be longer until a cut is durable
    std::map<std::uint64_t, Pending> pending_;
    std::set<std::uint64_t> divergent_;
    std::vector<std::uint64_t> flushed_;  // sectors that the last flush with something to write covered
    std::vector<std::pair<std::uint64_t, std::uint64_t>> sizes_;  // (number, size) since the last flush
    std::vector<bool> blocks_;
    std::vector<Window> windows_;
    std::vector<std::byte> shadow_;       // the cache as last seen, while there are windows
};

}  // namespace northstar::hard
