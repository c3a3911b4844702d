#include "os/address_space.hpp"

#include <sys/mman.h>

namespace northstar::inline v0::detail {

namespace address_space_impl {

std::byte* reserve(std::uint64_t bytes, int sharing) noexcept {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
}

}  // namespace address_space_impl

std::byte* reserve_address_space(std::uint64_t bytes) noexcept {
    return address_space_impl::reserve(bytes, MAP_PRIVATE);
}

std::byte* reserve_sparse_memory(std::uint64_t bytes) noexcept {
    return address_space_impl::reserve(bytes, MAP_SHARED);
}

void release_address_space(std::byte* address, std::uint64_t bytes) noexcept {
    if (address != nullptr) ::munmap(address, bytes);
}

void advise_huge_pages(std::byte* address, std::uint64_t bytes) noexcept {
    ::madvise(address, bytes, MADV_HUGEPAGE);
}

}  // namespace northstar::inline v0::detail
