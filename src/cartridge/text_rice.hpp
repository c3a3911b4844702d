// text_rice.hpp -- numbers of which most are small, each in little more than it says.  Layer: cartridge.  Threads: any.
//
// A number is kept in two parts: its lowest bits, as many of each, and what is above them, in zeros that a one ends (R.
// F. Rice, Some practical universal noiseless coding techniques, JPL publication 79-22, 1979). Of gaps between
// documents that costs about half a bit more than there is to say, where as many bits for each as the largest gap needs
// cost two or three.
//
// [TEXT-13] How many lowest bits there are follows from the numbers: those that make the least of all, the fewest such.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

/// How many of the lowest bits of these numbers are kept as they are; at most 31.
unsigned rice_width(std::span<const std::uint32_t> numbers);

/// Appends at most k_text_block numbers: the lowest bits of all, as pack() lays them out, then, in the same string of
/// bits, their upper parts.
void write_rice(std::span<const std::uint32_t> numbers, unsigned width, std::vector<std::uint8_t>& out);
/// false: they do not end within `size` bytes. `width` is at most 31.
bool read_rice(const std::uint8_t* from, std::size_t size, std::size_t count, unsigned width, std::uint32_t* to);

/// Appends at most k_text_block numbers of which many are 0: how many are not; where that is none, nothing else. Then a
/// byte of two widths, and for each that is not 0 how many zeros are before it, and the number less 1, both by Rice.
void write_sparse(std::span<const std::uint32_t> numbers, std::vector<std::uint8_t>& out);
/// Returns where they end; nullptr: not before `end`.
const std::uint8_t* read_sparse(const std::uint8_t* from, const std::uint8_t* end, std::size_t count,
                                std::uint32_t* to);

}  // namespace northstar::inline v0::detail
