#include "os/address_space.hpp"

#include <sys/mman.h>

namespace northstar::inline v0::detail {

std::byte* reserve_address_space(std::uint64_t bytes) noexcept {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
}

void release_address_space(std::byte* address, std::uint64_t bytes) noexcept {
    if (address != nullptr) ::munmap(address, bytes);
}

void advise_huge_pages(std::byte* address, std::uint64_t bytes) noexcept {
    ::madvise(address, bytes, MADV_HUGEPAGE);
}

}  // namespace northstar::inline v0::detail
