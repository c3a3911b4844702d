// ref.hpp -- how one page names another: 64 bits.  Layer: format.  Threads: values.
//
//   bit 63 = 1   a page in memory: bits 0..62 are the address of its first byte (never written to the file)
//   bit 63 = 0   a page in the file: bits 27..62 page number, bits 0..26 the low 27 bits of the page's checksum
//   0            nothing (page 0 is a meta page, so no other page has number 0)
//
// [REF-1] A page in the file holds no ref with bit 63 set.
// [REF-2] A page in memory has a parent in memory (or is a root).
#pragma once

#include <cstddef>
#include <cstdint>

namespace northstar::inline v0::detail {

class Ref {
public:
    static constexpr int k_checksum_bits = 27;
    static constexpr std::uint64_t k_memory_bit = std::uint64_t{1} << 63;
    static constexpr std::uint64_t k_checksum_mask = (std::uint64_t{1} << k_checksum_bits) - 1;
    static constexpr std::uint64_t k_max_page = (std::uint64_t{1} << 36) - 1;

    constexpr Ref() = default;
    constexpr explicit Ref(std::uint64_t bits) : bits_(bits) {}
    static Ref memory(const void* page) { return Ref(reinterpret_cast<std::uintptr_t>(page) | k_memory_bit); }
    static constexpr Ref file(std::uint64_t page, std::uint64_t checksum) {
        return Ref(page << k_checksum_bits | (checksum & k_checksum_mask));
    }
    constexpr std::uint64_t bits() const { return bits_; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr bool in_memory() const { return (bits_ & k_memory_bit) != 0; }
    std::byte* address() const { return reinterpret_cast<std::byte*>(bits_ & ~k_memory_bit); }
    constexpr std::uint64_t page() const { return bits_ >> k_checksum_bits; }
    constexpr std::uint64_t checksum() const { return bits_ & k_checksum_mask; }
    friend constexpr bool operator==(Ref, Ref) = default;

private:
    std::uint64_t bits_ = 0;
};

}  // namespace northstar::inline v0::detail
