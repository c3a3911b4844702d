// SHA-224, SHA-384 and SHA-512 (FIPS 180-4) of bytea.
#include "sql/int128.hpp"
#include "sql/registry.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <string>

namespace northstar::inline v0::sql {

namespace digest_file {

/// A message with the padding of section 5.1: a one, zeros, and its length in bits at the end of a block.
std::string padded(std::string_view message, std::size_t block, std::size_t length_size) {
    std::string all(message);
    all.push_back(static_cast<char>(0x80));
    while (all.size() % block != block - length_size) all.push_back('\0');
    const std::uint64_t bits = std::uint64_t{message.size()} * 8;
    all.append(length_size - 8, '\0');
    for (int shift = 56; shift >= 0; shift -= 8) all.push_back(static_cast<char>(bits >> shift));
    return all;
}

/// Section 6: a hash over words of one size. `Word` is 32 or 64 bits wide, with the rotations of section 4.1.
template <class Word, std::size_t Rounds>
struct Sha2 {
    static constexpr bool k_wide = sizeof(Word) == 8;
    static constexpr int k_big[2][3] = {{k_wide ? 28 : 2, k_wide ? 34 : 13, k_wide ? 39 : 22},
                                        {k_wide ? 14 : 6, k_wide ? 18 : 11, k_wide ? 41 : 25}};
    static constexpr int k_small[2][3] = {{k_wide ? 1 : 7, k_wide ? 8 : 18, k_wide ? 7 : 3},
                                          {k_wide ? 19 : 17, k_wide ? 61 : 19, k_wide ? 6 : 10}};

    static Word big(int which, Word x) {
        return std::rotr(x, k_big[which][0]) ^ std::rotr(x, k_big[which][1]) ^ std::rotr(x, k_big[which][2]);
    }
    static Word small(int which, Word x) {
        return std::rotr(x, k_small[which][0]) ^ std::rotr(x, k_small[which][1]) ^ (x >> k_small[which][2]);
    }

    static std::string digest(std::string_view message, std::array<Word, 8> state,
                              const std::array<Word, Rounds>& constants, std::size_t size) {
        const std::size_t block = sizeof(Word) * 16;
        const std::string all = padded(message, block, sizeof(Word) * 2);
        for (std::size_t at = 0; at < all.size(); at += block) {
            std::array<Word, Rounds> words{};
            for (std::size_t i = 0; i < 16; ++i)
                for (std::size_t k = 0; k < sizeof(Word); ++k)
                    words[i] = words[i] << 8 | static_cast<unsigned char>(all[at + i * sizeof(Word) + k]);
            for (std::size_t i = 16; i < Rounds; ++i)
                words[i] = small(1, words[i - 2]) + words[i - 7] + small(0, words[i - 15]) + words[i - 16];
            std::array<Word, 8> s = state;
            for (std::size_t i = 0; i < Rounds; ++i) {
                const Word choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
                const Word majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
                const Word first = s[7] + big(1, s[4]) + choice + constants[i] + words[i];
                const Word second = big(0, s[0]) + majority;
                s = {first + second, s[0], s[1], s[2], s[3] + first, s[4], s[5], s[6]};
            }
            for (std::size_t i = 0; i < 8; ++i) state[i] += s[i];
        }
        std::string bytes;
        for (const Word word : state)
            for (int shift = static_cast<int>(sizeof(Word)) * 8 - 8; shift >= 0; shift -= 8)
                bytes.push_back(static_cast<char>(word >> shift));
        bytes.resize(size);
        return bytes;
    }
};

/// The first bits of the fraction of the n-th prime's cube root (section 4.2), or square root (section 5.3).
/// Found by bisection over whole numbers, so that no table can be mistyped.
std::uint64_t root_fraction(std::uint64_t prime, int degree) {
    // The largest r with (r / 2^64)^degree <= prime, as an integer of 64 bits behind the point and a few before it.
    const auto power_exceeds = [&](UInt128 r) {
        // r has 64 bits behind the point; products are kept as high and low halves of 64-bit limbs.
        std::array<std::uint32_t, 16> value{}, factor{};
        const auto set = [](std::array<std::uint32_t, 16>& limbs, UInt128 number) {
            limbs.fill(0);
            for (std::size_t i = 0; i < 4; ++i) limbs[i] = static_cast<std::uint32_t>(number >> (32 * i));
        };
        set(value, r);
        set(factor, r);
        for (int n = 1; n < degree; ++n) {
            std::array<std::uint32_t, 16> product{};
            for (std::size_t i = 0; i < 12; ++i) {
                std::uint64_t carry = 0;
                for (std::size_t k = 0; k < 4; ++k) {
                    const std::uint64_t sum = std::uint64_t{value[i]} * factor[k] + product[i + k] + carry;
                    product[i + k] = static_cast<std::uint32_t>(sum);
                    carry = sum >> 32;
                }
                product[i + 4] = static_cast<std::uint32_t>(carry);
            }
            value = product;
        }
        // value / 2^(64 * degree) against prime.
        const auto whole = static_cast<std::size_t>(2 * degree);
        std::uint64_t high = value[whole];
        for (std::size_t i = whole + 1; i < 16; ++i)
            if (value[i] != 0) return true;
        return high >= prime;
    };
    UInt128 low = 0, high = UInt128{64} << 64;
    while (high - low > 1) {
        const UInt128 middle = low + (high - low) / 2;
        (power_exceeds(middle) ? high : low) = middle;
    }
    return static_cast<std::uint64_t>(low);
}

template <std::size_t Count>
std::array<std::uint64_t, Count> roots_of_primes(int degree, std::size_t skipped) {
    std::array<std::uint64_t, Count> roots{};
    std::size_t found = 0;
    for (std::uint64_t n = 2; found < Count + skipped; ++n) {
        bool prime = true;
        for (std::uint64_t d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
        if (!prime) continue;
        if (found >= skipped) roots[found - skipped] = root_fraction(n, degree);
        ++found;
    }
    return roots;
}

const std::array<std::uint64_t, 80>& constants() {
    static const std::array<std::uint64_t, 80> k_constants = roots_of_primes<80>(3, 0);
    return k_constants;
}

Value bytes_of(Call& call, const std::string& digest) { return Value::bytes(type::bytea, call.arena.copy(digest)); }

Value sha224(Call& call, const Value* a, std::size_t) {
    // Its first state is the second half of the words that SHA-384 begins with.
    const std::array<std::uint64_t, 8> roots = roots_of_primes<8>(2, 8);
    std::array<std::uint32_t, 8> state{};
    for (std::size_t i = 0; i < 8; ++i) state[i] = static_cast<std::uint32_t>(roots[i]);
    std::array<std::uint32_t, 64> words{};
    for (std::size_t i = 0; i < 64; ++i) words[i] = static_cast<std::uint32_t>(constants()[i] >> 32);
    return bytes_of(call, Sha2<std::uint32_t, 64>::digest(a[0].bytes(), state, words, 28));
}

Value sha384(Call& call, const Value* a, std::size_t) {
    return bytes_of(call, Sha2<std::uint64_t, 80>::digest(a[0].bytes(), roots_of_primes<8>(2, 8), constants(), 48));
}

Value sha512(Call& call, const Value* a, std::size_t) {
    return bytes_of(call, Sha2<std::uint64_t, 80>::digest(a[0].bytes(), roots_of_primes<8>(2, 0), constants(), 64));
}

constexpr FunctionSource k_functions[] = {
    {"sha224(bytea) bytea", &sha224},
    {"sha384(bytea) bytea", &sha384},
    {"sha512(bytea) bytea", &sha512},
};

}  // namespace digest_file

std::span<const FunctionSource> digest_functions() { return digest_file::k_functions; }

}  // namespace northstar::inline v0::sql
