// xxh64.hpp -- XXH64, the checksum of pages.  Layer: base.  Threads: any.
//
// Written from the published specification of the algorithm (four 64-bit lanes of multiply and rotate). Fast without
// special instructions; no defence against somebody who chooses the bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace northstar::inline v0::detail {

std::uint64_t xxh64(const void* bytes, std::size_t size, std::uint64_t seed) noexcept;

}  // namespace northstar::inline v0::detail
