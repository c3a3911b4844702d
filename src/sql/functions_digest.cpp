// MD5, SHA-1 and SHA-2, and what the extensions pgcrypto and uuid-ossp make of them.
#include "base/sha256.hpp"
#include "sql/error.hpp"
#include "sql/int128.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace northstar::inline v0::sql {

namespace digest_file {

/// MD5 (RFC 1321).
std::string md5_of(std::string_view input) {
    static constexpr std::uint32_t k_sines[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
        0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
        0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
        0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
        0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
        0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
        0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
    static constexpr int k_turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    std::uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    std::string message(input);
    message += static_cast<char>(0x80);
    while (message.size() % 64 != 56) message += '\0';
    const std::uint64_t bits = static_cast<std::uint64_t>(input.size()) * 8;
    for (int i = 0; i < 8; ++i) message += static_cast<char>(bits >> (i * 8) & 0xff);
    for (std::size_t block = 0; block < message.size(); block += 64) {
        std::uint32_t words[16];
        for (std::size_t i = 0; i < 16; ++i) {
            words[i] = 0;
            for (std::size_t j = 0; j < 4; ++j) {
                words[i] |= static_cast<std::uint32_t>(static_cast<unsigned char>(message[block + i * 4 + j]))
                            << (j * 8);
            }
        }
        std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        for (unsigned i = 0; i < 64; ++i) {
            std::uint32_t mixed = 0;
            unsigned word = 0;
            switch (i / 16) {
                case 0:
                    mixed = (b & c) | (~b & d);
                    word = i;
                    break;
                case 1:
                    mixed = (d & b) | (~d & c);
                    word = (5 * i + 1) % 16;
                    break;
                case 2:
                    mixed = b ^ c ^ d;
                    word = (3 * i + 5) % 16;
                    break;
                default:
                    mixed = c ^ (b | ~d);
                    word = 7 * i % 16;
                    break;
            }
            const std::uint32_t sum = a + mixed + k_sines[i] + words[word];
            const int turn = k_turns[i / 16][i % 4];
            a = d;
            d = c;
            c = b;
            b += sum << turn | sum >> (32 - turn);
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
    }
    std::string digest;
    for (const std::uint32_t word : state) {
        for (int i = 0; i < 4; ++i) digest += static_cast<char>(word >> (i * 8) & 0xff);
    }
    return digest;
}

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

/// SHA-1 (FIPS 180-4, section 6.1).
std::string sha1_of(std::string_view message) {
    std::array<std::uint32_t, 5> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const std::string all = padded(message, 64, 8);
    for (std::size_t at = 0; at < all.size(); at += 64) {
        std::array<std::uint32_t, 80> words{};
        for (std::size_t i = 0; i < 64; ++i) words[i / 4] = words[i / 4] << 8 | static_cast<unsigned char>(all[at + i]);
        for (std::size_t i = 16; i < 80; ++i)
            words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
        std::array<std::uint32_t, 5> s = state;
        for (std::size_t i = 0; i < 80; ++i) {
            static constexpr std::uint32_t k_constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
            const std::uint32_t mixed = i < 20   ? (s[1] & s[2]) | (~s[1] & s[3])
                                        : i < 40 ? s[1] ^ s[2] ^ s[3]
                                        : i < 60 ? (s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3])
                                                 : s[1] ^ s[2] ^ s[3];
            const std::uint32_t sum = std::rotl(s[0], 5) + mixed + s[4] + k_constants[i / 20] + words[i];
            s = {sum, s[0], std::rotl(s[1], 30), s[2], s[3]};
        }
        for (std::size_t i = 0; i < 5; ++i) state[i] += s[i];
    }
    std::string bytes;
    for (const std::uint32_t word : state)
        for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(word >> shift));
    return bytes;
}

std::string sha224_of(std::string_view message) {
    // Its first state is the second half of the words that SHA-384 begins with.
    const std::array<std::uint64_t, 8> roots = roots_of_primes<8>(2, 8);
    std::array<std::uint32_t, 8> state{};
    for (std::size_t i = 0; i < 8; ++i) state[i] = static_cast<std::uint32_t>(roots[i]);
    std::array<std::uint32_t, 64> words{};
    for (std::size_t i = 0; i < 64; ++i) words[i] = static_cast<std::uint32_t>(constants()[i] >> 32);
    return Sha2<std::uint32_t, 64>::digest(message, state, words, 28);
}
std::string sha256_of(std::string_view message) {
    const auto hash = detail::Sha256::of(message.data(), message.size());
    return {reinterpret_cast<const char*>(&hash), sizeof hash};
}
std::string sha384_of(std::string_view message) {
    return Sha2<std::uint64_t, 80>::digest(message, roots_of_primes<8>(2, 8), constants(), 48);
}
std::string sha512_of(std::string_view message) {
    return Sha2<std::uint64_t, 80>::digest(message, roots_of_primes<8>(2, 0), constants(), 64);
}

template <std::string (*Digest)(std::string_view)>
Value digest_of(Call& call, const Value* a, std::size_t) {
    return Value::bytes(type::bytea, call.arena.copy(Digest(a[0].bytes())));
}
Value md5(Call& call, const Value* a, std::size_t) {
    std::string text;
    bytea_to_text(md5_of(a[0].bytes()), text, ByteaOutput::hex);
    return Value::text(call.arena.copy(text.substr(2)));
}

// ---- pgcrypto ----

struct Algorithm {
    std::string_view name;
    std::size_t block;
    std::string (*digest)(std::string_view);
};
constexpr Algorithm k_algorithms[] = {
    {"md5", 64, &md5_of},       {"sha1", 64, &sha1_of},      {"sha224", 64, &sha224_of},
    {"sha256", 64, &sha256_of}, {"sha384", 128, &sha384_of}, {"sha512", 128, &sha512_of}};

const Algorithm& algorithm_named(std::string_view name) {
    std::string lower;
    for (const char c : name) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    for (const Algorithm& algorithm : k_algorithms)
        if (algorithm.name == lower) return algorithm;
    raise(sqlstate::invalid_parameter_value, "Cannot use \"" + lower + "\": No such hash algorithm");
}

Value digest(Call& call, const Value* a, std::size_t) {
    const Algorithm& algorithm = algorithm_named(a[1].bytes());
    return Value::bytes(type::bytea, call.arena.copy(algorithm.digest(a[0].bytes())));
}

/// RFC 2104.
Value hmac(Call& call, const Value* a, std::size_t) {
    const Algorithm& algorithm = algorithm_named(a[2].bytes());
    std::string key(a[1].bytes());
    if (key.size() > algorithm.block) key = algorithm.digest(key);
    key.resize(algorithm.block, '\0');
    std::string inner = key, outer = key;
    for (char& c : inner) c = static_cast<char>(c ^ 0x36);
    for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
    const std::string hash = algorithm.digest(outer + algorithm.digest(inner + std::string(a[0].bytes())));
    return Value::bytes(type::bytea, call.arena.copy(hash));
}

// ---- uuid-ossp ----

/// RFC 9562, sections 5.3 and 5.5: a uuid of the digest of another one and a name.
template <std::string (*Digest)(std::string_view), unsigned Version>
Value named_uuid(Call&, const Value* a, std::size_t) {
    Uuid uuid = a[0].uuid();
    std::string bytes(reinterpret_cast<const char*>(uuid.bytes), sizeof uuid.bytes);
    bytes = Digest(bytes + std::string(a[1].bytes()));
    std::memcpy(uuid.bytes, bytes.data(), sizeof uuid.bytes);
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | Version << 4);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
    return Value::uuid(uuid);
}

/// The names of section 6.6 that differ in one byte.
template <std::uint8_t Part>
Value namespace_uuid(Call&, const Value*, std::size_t) {
    return Value::uuid(
        {{0x6b, 0xa7, 0xb8, Part, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}});
}
Value nil_uuid(Call&, const Value*, std::size_t) { return Value::uuid({}); }

constexpr FunctionSource k_functions[] = {
    {"md5(text) text", &md5},
    {"md5(bytea) text", &md5},
    {"sha224(bytea) bytea", &digest_of<sha224_of>},
    {"sha256(bytea) bytea", &digest_of<sha256_of>},
    {"sha384(bytea) bytea", &digest_of<sha384_of>},
    {"sha512(bytea) bytea", &digest_of<sha512_of>},
    {"digest(text,text) bytea", &digest},
    {"digest(bytea,text) bytea", &digest},
    {"hmac(text,text,text) bytea", &hmac},
    {"hmac(bytea,bytea,text) bytea", &hmac},
    {"uuid_generate_v3(uuid,text) uuid", &named_uuid<md5_of, 3>},
    {"uuid_generate_v5(uuid,text) uuid", &named_uuid<sha1_of, 5>},
    {"uuid_nil() uuid", &nil_uuid},
    {"uuid_ns_dns() uuid", &namespace_uuid<0x10>},
    {"uuid_ns_url() uuid", &namespace_uuid<0x11>},
    {"uuid_ns_oid() uuid", &namespace_uuid<0x12>},
    {"uuid_ns_x500() uuid", &namespace_uuid<0x14>},
};

}  // namespace digest_file

std::span<const FunctionSource> digest_functions() { return digest_file::k_functions; }

}  // namespace northstar::inline v0::sql
