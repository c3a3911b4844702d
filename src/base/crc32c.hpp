// crc32c.hpp -- CRC-32C (Castagnoli, RFC 3720), the checksum of log records.  Layer: base.  Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>

namespace northstar::inline v0::detail {

/// Checksum of some bytes, continued from `seed`: crc32c(crc32c(0, a), b) is the checksum of a followed by b.
/// Uses the processor's instruction where there is one.
std::uint32_t crc32c(std::uint32_t seed, const void* bytes, std::size_t size) noexcept;

/// The same by tables alone.
std::uint32_t crc32c_portable(std::uint32_t seed, const void* bytes, std::size_t size) noexcept;

}  // namespace northstar::inline v0::detail
