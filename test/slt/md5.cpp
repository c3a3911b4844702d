// MD5 (RFC 1321), which sqllogictest files use for long results.
#include "slt/run.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace slt {

std::string md5(const std::string& text) {
    static const std::array<std::uint32_t, 64> sines = [] {
        std::array<std::uint32_t, 64> table{};
        for (std::size_t i = 0; i < 64; ++i)
            table[i] =
                static_cast<std::uint32_t>(std::floor(std::fabs(std::sin(static_cast<double>(i + 1))) * 4294967296.0));
        return table;
    }();
    static constexpr int shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    std::string message = text;
    message.push_back(static_cast<char>(0x80));
    while (message.size() % 64 != 56) message.push_back('\0');
    const std::uint64_t bits = static_cast<std::uint64_t>(text.size()) * 8;
    for (int i = 0; i < 8; ++i) message.push_back(static_cast<char>(bits >> (8 * i)));
    std::uint32_t state[4] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u};
    for (std::size_t block = 0; block < message.size(); block += 64) {
        std::uint32_t words[16];
        for (std::size_t i = 0; i < 16; ++i) {
            words[i] = 0;
            for (std::size_t k = 0; k < 4; ++k)
                words[i] |= static_cast<std::uint32_t>(static_cast<unsigned char>(message[block + i * 4 + k]))
                            << (8 * k);
        }
        std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        for (std::size_t i = 0; i < 64; ++i) {
            std::uint32_t f = 0;
            std::size_t g = i;
            switch (i / 16) {
                case 0: f = (b & c) | (~b & d); break;
                case 1: f = (d & b) | (~d & c); g = (5 * i + 1) % 16; break;
                case 2: f = b ^ c ^ d; g = (3 * i + 5) % 16; break;
                default: f = c ^ (b | ~d); g = (7 * i) % 16;
            }
            const std::uint32_t next = d;
            d = c;
            c = b;
            b += std::rotl(a + f + sines[i] + words[g], shifts[i / 16][i % 4]);
            a = next;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    }
    std::string hex;
    for (const std::uint32_t word : state)
        for (int i = 0; i < 4; ++i) {
            constexpr char digits[] = "0123456789abcdef";
            const std::uint32_t byte = (word >> (8 * i)) & 0xff;
            hex.push_back(digits[byte >> 4]);
            hex.push_back(digits[byte & 15]);
        }
    return hex;
}

}  // namespace slt
