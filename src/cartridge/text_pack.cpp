#include "cartridge/text_pack.hpp"

#include <bit>
#include <cstring>

namespace northstar::inline v0::detail {

namespace text_pack_impl {

constexpr std::size_t k_lanes = 4;
constexpr std::size_t k_steps = k_text_block / k_lanes;

constexpr std::uint32_t mask_of(unsigned width) { return width == 32 ? ~0u : (1u << width) - 1; }

}  // namespace text_pack_impl

unsigned packed_width(std::span<const std::uint32_t> numbers) {
    std::uint32_t all = 0;
    for (const std::uint32_t number : numbers) all |= number;
    return static_cast<unsigned>(std::bit_width(all));
}

void pack(std::span<const std::uint32_t> numbers, unsigned width, std::vector<std::uint8_t>& out) {
    using namespace text_pack_impl;
    if (numbers.size() != k_text_block) return pack_string(numbers, width, out);
    if (width == 0) return;
    std::uint32_t words[k_text_block + k_lanes] = {};
    for (std::size_t step = 0; step < k_steps; ++step) {
        const std::size_t word = step * width / 32;
        const unsigned shift = static_cast<unsigned>(step * width % 32);
        for (std::size_t lane = 0; lane < k_lanes; ++lane) {
            const std::uint64_t bits = std::uint64_t{numbers[step * k_lanes + lane]} << shift;
            words[word * k_lanes + lane] |= static_cast<std::uint32_t>(bits);
            words[(word + 1) * k_lanes + lane] |= static_cast<std::uint32_t>(bits >> 32);
        }
    }
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(words);
    out.insert(out.end(), bytes, bytes + packed_size(k_text_block, width));
}

void unpack(const std::uint8_t* from, std::size_t count, unsigned width, std::uint32_t* to) {
    using namespace text_pack_impl;
    if (width == 0) {
        std::memset(to, 0, count * sizeof *to);
        return;
    }
    if (count != k_text_block) return unpack_string(from, packed_size(count, width), 0, count, width, to);
    std::uint32_t words[k_text_block + k_lanes];
    std::memcpy(words, from, packed_size(k_text_block, width));
    std::memset(words + width * k_lanes, 0, k_lanes * sizeof *words);
    const std::uint32_t mask = mask_of(width);
    for (std::size_t step = 0; step < k_steps; ++step) {
        const std::uint32_t* const low = words + step * width / 32 * k_lanes;
        const unsigned shift = static_cast<unsigned>(step * width % 32);
        std::uint32_t* const out = to + step * k_lanes;
        if (shift + width <= 32) {
            for (std::size_t lane = 0; lane < k_lanes; ++lane) out[lane] = low[lane] >> shift & mask;
        } else {
            for (std::size_t lane = 0; lane < k_lanes; ++lane) {
                out[lane] = (low[lane] >> shift | low[lane + k_lanes] << (32 - shift)) & mask;
            }
        }
    }
}

void pack_string(std::span<const std::uint32_t> numbers, unsigned width, std::vector<std::uint8_t>& out) {
    std::uint64_t bits = 0;
    unsigned held = 0;
    for (const std::uint32_t number : numbers) {
        bits |= std::uint64_t{number} << held;
        held += width;
        for (; held >= 8; held -= 8) {
            out.push_back(static_cast<std::uint8_t>(bits));
            bits >>= 8;
        }
    }
    if (held != 0) out.push_back(static_cast<std::uint8_t>(bits));
}

void unpack_string(const std::uint8_t* from, std::size_t size, std::size_t first, std::size_t count, unsigned width,
                   std::uint32_t* to) {
    const std::uint32_t mask = text_pack_impl::mask_of(width);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t bit = (first + i) * width;
        // 32 bits that begin within a byte lie in five bytes.
        std::uint64_t bits = 0;
        const std::size_t byte = bit / 8;
        std::memcpy(&bits, from + byte, size - byte < 8 ? size - byte : 8);
        to[i] = static_cast<std::uint32_t>(bits >> (bit % 8)) & mask;
    }
}

}  // namespace northstar::inline v0::detail
