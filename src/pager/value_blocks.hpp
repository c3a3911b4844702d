// value_blocks.hpp -- memory for large values.  Layer: pager.  Threads: any.
//
// Asking the system for each value costs more than the value: its pages are found one by one, and giving them back
// makes all processors forget addresses. So blocks are cut from large regions, in sizes of which each wastes an eighth
// at most, and handed out again. Blocks of more than k_largest bytes come from the system one by one.
//
// [VALUEBLOCK-1] Blocks in use, and those that are kept with their memory, are never more bytes than were in use at
//                once before. Of the others only addresses are kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail {

class ValueBlocks {
public:
    static constexpr std::size_t k_largest = std::size_t{4} << 20;

    ValueBlocks() = default;
    ~ValueBlocks();
    ValueBlocks(const ValueBlocks&) = delete;
    ValueBlocks& operator=(const ValueBlocks&) = delete;

    /// What a block for so many bytes takes; at least one.
    static std::size_t block_size(std::size_t bytes);
    /// A block of block_size(bytes), aligned to 4096, with undefined content. Throws Error(no_memory).
    void* take(std::size_t bytes);
    /// Gives a block back that was taken for so many bytes.
    void give(void* block, std::size_t bytes) noexcept;

private:
    static constexpr std::size_t k_sizes = 72;
    /// Lies in the block itself while that is kept.
    struct Kept { Kept* next; };
    struct OfOneSize {
        Kept* warm = nullptr;      // free, with their memory
        std::vector<void*> cold;   // free, without; has room for all that were cut
        std::size_t cut = 0;
    };
    void* cut(std::size_t index);
    void cut_rest();
    void add_region(std::size_t least);
    void note_cut(OfOneSize& blocks);
    void cool() noexcept;

    std::mutex mutex_;
    std::array<OfOneSize, k_sizes> sizes_;
    std::vector<std::pair<void*, std::size_t>> regions_;
    std::byte* fresh_ = nullptr;  // what was not cut yet of the newest region
    std::size_t fresh_bytes_ = 0;
    std::uint64_t in_use_ = 0;
    std::uint64_t warm_ = 0;
    std::uint64_t most_ = 0;  // in use at once
};

}  // namespace northstar::inline v0::detail
