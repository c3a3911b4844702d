#include "os/blocks.hpp"

#include "base/error.hpp"

#include <cstdint>

#if !defined(__linux__)
#error \
    "os/blocks.cpp: take_block and give_block are written for Linux; add this system's anonymous mapping calls."
#endif
#include <sys/mman.h>

namespace northstar::inline v0::detail {

void* take_block(std::size_t size) {
    const std::size_t spare = size >= k_huge_block ? k_huge_block - 4096 : 0;
    void* mapped = mmap(nullptr, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        fail(Errc::no_memory, "No memory is left for pages; close snapshots or lower overlay_limit.");
    if (spare == 0) return mapped;
    auto* first = static_cast<unsigned char*>(mapped);
    const std::size_t before = (0 - reinterpret_cast<std::uintptr_t>(first)) % k_huge_block;
    if (before != 0) munmap(first, before);
    if (before != spare) munmap(first + before + size, spare - before);
    // A refusal costs speed only: the block works either way.
    static_cast<void>(madvise(first + before, size, MADV_HUGEPAGE));
    return first + before;
}

void populate(void* from, std::size_t size) noexcept {
#if defined(MADV_POPULATE_WRITE)
    const std::size_t before = reinterpret_cast<std::uintptr_t>(from) % 4096;
    // Systems that do not know it find the memory when it is used.
    static_cast<void>(madvise(static_cast<unsigned char*>(from) - before, size + before, MADV_POPULATE_WRITE));
#else
    static_cast<void>(from);
    static_cast<void>(size);
#endif
}

void release_memory(void* from, std::size_t size) noexcept {
    // A refusal costs memory only.
    static_cast<void>(madvise(from, size, MADV_DONTNEED));
}

void give_block(void* block, std::size_t size) noexcept { munmap(block, size); }

}  // namespace northstar::inline v0::detail
