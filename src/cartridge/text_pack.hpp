// text_pack.hpp -- numbers side by side, each in as many bits as the largest needs.  Layer: cartridge.  Threads: any.
//
// k_text_block numbers lie in four lanes of 32-bit words: number i is in lane i % 4, and in each lane numbers follow
// each other, lowest bits first. So four are taken apart by one instruction where the processor has such (D. Lemire, L.
// Boytsov: Decoding billions of integers per second through vectorization, 2015, section 3.1). Fewer, or more, numbers
// follow each other as one string of bits, lowest first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

inline constexpr std::size_t k_text_block = 128;

/// Bits that the largest of some numbers needs.
unsigned packed_width(std::span<const std::uint32_t> numbers);
/// Bytes of so many numbers.
constexpr std::size_t packed_size(std::size_t count, unsigned width) { return (count * width + 7) / 8; }

/// Four lanes where there are k_text_block numbers, else one string.
void pack(std::span<const std::uint32_t> numbers, unsigned width, std::vector<std::uint8_t>& out);
/// `from` has packed_size(count, width) bytes, width is at most 32, and `to` room for k_text_block numbers.
void unpack(const std::uint8_t* from, std::size_t count, unsigned width, std::uint32_t* to);

/// One string, however many there are.
void pack_string(std::span<const std::uint32_t> numbers, unsigned width, std::vector<std::uint8_t>& out);
/// Numbers [first, first + count) of a string of `size` bytes that holds them.
void unpack_string(const std::uint8_t* from, std::size_t size, std::size_t first, std::size_t count, unsigned width,
                   std::uint32_t* to);

}  // namespace northstar::inline v0::detail
