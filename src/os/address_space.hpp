// address_space.hpp -- large ranges of zeroed memory that cost nothing until touched.  Layer: os.  Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>

namespace northstar::inline v0::detail {

/// Reserves readable and writable, zeroed, page-aligned memory; nullptr where the system refuses.
std::byte* reserve_address_space(std::uint64_t bytes) noexcept;
/// The same, of memory of which little will be used: limits on what a process may write (RLIMIT_DATA) do not count it.
/// A child process sees what its parent writes there.
std::byte* reserve_sparse_memory(std::uint64_t bytes) noexcept;
void release_address_space(std::byte* address, std::uint64_t bytes) noexcept;
/// Asks for large processor pages behind a range; only a hint.
void advise_huge_pages(std::byte* address, std::uint64_t bytes) noexcept;

}  // namespace northstar::inline v0::detail
