#include "pager/value_blocks.hpp"

#include "base/check.hpp"
#include "os/blocks.hpp"

#include <algorithm>
#include <bit>
#include <new>

namespace northstar::inline v0::detail {

namespace value_blocks_impl {

inline constexpr std::size_t k_unit = 4096;
/// Up to so many units every number of them is a size of its own; then each doubling has k_steps sizes.
inline constexpr std::size_t k_fine = 32;
inline constexpr std::size_t k_steps = 8;

inline constexpr std::size_t k_first_region = std::size_t{256} << 10;
/// Address space only: what is not used yet is not touched.
inline constexpr std::size_t k_largest_region = 32 * k_huge_block;

constexpr std::size_t units_for(std::size_t bytes) { return std::max<std::size_t>((bytes + k_unit - 1) / k_unit, 1); }

/// The least size that has so many units.
constexpr std::size_t index_for(std::size_t units) {
    if (units <= k_fine) return units - 1;
    const auto doubling = static_cast<std::size_t>(std::bit_width((units - 1) / k_fine)) - 1;
    const std::size_t base = k_fine << doubling;
    return k_fine + doubling * k_steps + (units - 1 - base) / (base / k_steps);
}

constexpr std::size_t bytes_of(std::size_t index) {
    if (index < k_fine) return (index + 1) * k_unit;
    const std::size_t base = k_fine << (index - k_fine) / k_steps;
    return (base + base / k_steps * ((index - k_fine) % k_steps + 1)) * k_unit;
}

}  // namespace value_blocks_impl

ValueBlocks::~ValueBlocks() {
    for (const auto& [region, size] : regions_) give_block(region, size);
}

std::size_t ValueBlocks::block_size(std::size_t bytes) {
    using namespace value_blocks_impl;
    static_assert(bytes_of(k_sizes - 1) == k_largest && index_for(k_largest / k_unit) == k_sizes - 1);
    const std::size_t units = units_for(bytes);
    return bytes > k_largest ? units * k_unit : bytes_of(index_for(units));
}

void* ValueBlocks::take(std::size_t bytes) {
    using namespace value_blocks_impl;
    const std::size_t size = block_size(bytes);
    {
        const std::lock_guard lock(mutex_);
        in_use_ += size;
        most_ = std::max(most_, in_use_);
        if (size <= k_largest) {
            OfOneSize& blocks = sizes_[index_for(size / k_unit)];
            if (Kept* const kept = blocks.warm) {
                blocks.warm = kept->next;
                warm_ -= size;
                return kept;
            }
            cool();
            try {
                return cut(index_for(size / k_unit));
            } catch (...) {
                in_use_ -= size;
                throw;
            }
        }
        cool();
    }
    try {
        return take_block(size);
    } catch (...) {
        const std::lock_guard lock(mutex_);
        in_use_ -= size;
        throw;
    }
}

void ValueBlocks::give(void* block, std::size_t bytes) noexcept {
    using namespace value_blocks_impl;
    const std::size_t size = block_size(bytes);
    {
        const std::lock_guard lock(mutex_);
        in_use_ -= size;
        if (size <= k_largest) {
            OfOneSize& blocks = sizes_[index_for(size / k_unit)];
            blocks.warm = new (block) Kept{blocks.warm};
            warm_ += size;
            return;
        }
    }
    give_block(block, size);
}

/// Takes the memory of kept blocks away, of the largest ones first, until [VALUEBLOCK-1] holds.
void ValueBlocks::cool() noexcept {
    for (std::size_t index = k_sizes; in_use_ + warm_ > most_ && index != 0;) {
        OfOneSize& blocks = sizes_[index - 1];
        if (blocks.warm == nullptr) {
            --index;
            continue;
        }
        Kept* const kept = blocks.warm;
        const std::size_t size = value_blocks_impl::bytes_of(index - 1);
        blocks.warm = kept->next;
        warm_ -= size;
        NORTHSTAR_ASSERT(blocks.cold.size() < blocks.cold.capacity());
        blocks.cold.push_back(kept);
        release_memory(kept, size);
    }
}

void* ValueBlocks::cut(std::size_t index) {
    OfOneSize& blocks = sizes_[index];
    if (blocks.cold.empty()) {
        const std::size_t size = value_blocks_impl::bytes_of(index);
        if (fresh_bytes_ < size) {
            cut_rest();
            add_region(size);
        }
        note_cut(blocks);
        std::byte* const block = fresh_;
        fresh_ += size;
        fresh_bytes_ -= size;
        return block;
    }
    void* const block = blocks.cold.back();
    blocks.cold.pop_back();
    return block;
}

/// What is too short for a block becomes smaller ones.
void ValueBlocks::cut_rest() {
    while (fresh_bytes_ != 0) {
        std::size_t index = value_blocks_impl::index_for(fresh_bytes_ / value_blocks_impl::k_unit);
        if (value_blocks_impl::bytes_of(index) > fresh_bytes_) --index;
        note_cut(sizes_[index]);
        sizes_[index].cold.push_back(fresh_);
        fresh_ += value_blocks_impl::bytes_of(index);
        fresh_bytes_ -= value_blocks_impl::bytes_of(index);
    }
}

void ValueBlocks::add_region(std::size_t least) {
    using namespace value_blocks_impl;
    // Small databases stay small; later regions are whole huge pages, and few.
    std::size_t size = k_first_region;
    if (!regions_.empty()) size = std::min(regions_.back().second * 2, k_largest_region);
    size = std::max(size, std::bit_ceil(least));
    regions_.reserve(regions_.size() + 1);
    fresh_ = static_cast<std::byte*>(take_block(size));
    fresh_bytes_ = size;
    regions_.emplace_back(fresh_, size);
}

/// One more block of a size: finds room for it among the cold ones first, so that cooling it never fails.
void ValueBlocks::note_cut(OfOneSize& blocks) {
    if (blocks.cold.capacity() <= blocks.cut) blocks.cold.reserve(std::max<std::size_t>(16, 2 * blocks.cut));
    ++blocks.cut;
}

}  // namespace northstar::inline v0::detail
