// block_arena.hpp -- memory that is taken in small pieces and given back all at once.  Layer: os.
// Threads: one at a time.
//
// [BLOCKARENA-1] A piece stays where it is until the arena ends.
#pragma once

#include "os/blocks.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail {

class BlockArena {
public:
    BlockArena() = default;
    ~BlockArena() {
        for (const auto& [block, size] : blocks_) give_block(block, size);
    }
    BlockArena(const BlockArena&) = delete;
    BlockArena& operator=(const BlockArena&) = delete;

    /// A piece aligned to eight bytes, with undefined content. Throws Error(no_memory).
    std::byte* take(std::size_t size) {
        size = (size + 7) & ~std::size_t{7};
        if (size > left_) [[unlikely]] add_block(size);
        std::byte* const piece = at_;
        at_ += size;
        left_ -= size;
        return piece;
    }
    /// Bytes of the blocks.
    std::uint64_t bytes() const { return bytes_; }

private:
    static constexpr std::size_t k_first = std::size_t{64} << 10;
    static constexpr std::size_t k_largest = 2 * k_huge_block;

    void add_block(std::size_t least) {
        std::size_t size = blocks_.empty() ? k_first : std::min(2 * blocks_.back().second, k_largest);
        if (size < least) size = (least + k_first - 1) / k_first * k_first;
        blocks_.reserve(blocks_.size() + 1);
        at_ = static_cast<std::byte*>(take_block(size));
        blocks_.emplace_back(at_, size);
        left_ = size;
        bytes_ += size;
    }

    std::vector<std::pair<void*, std::size_t>> blocks_;
    std::byte* at_ = nullptr;
    std::size_t left_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace northstar::inline v0::detail
