// blocks.hpp -- large blocks of memory for pages.  Layer: os.  Threads: any.
#pragma once

#include <cstddef>

namespace northstar::inline v0::detail {

/// Blocks of at least this size begin at a multiple of it and ask the system for huge pages, which spares a
/// random reader most of its address translation.
inline constexpr std::size_t k_huge_block = std::size_t{2} << 20;

/// Zeroed memory aligned to 4096 bytes or more; throws Error(no_memory).
void* take_block(std::size_t size);
/// Makes the system find memory for what a range of a block has not touched yet; its content stays. A hint.
void populate(void* from, std::size_t size) noexcept;
/// Gives the memory of a range of a block back to the system. The addresses stay; what was there is gone.
void release_memory(void* from, std::size_t size) noexcept;
void give_block(void* block, std::size_t size) noexcept;

}  // namespace northstar::inline v0::detail
