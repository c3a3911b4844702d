#include "base/sha256.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__) && !defined(NORTHSTAR_PORTABLE)
#include <immintrin.h>  // amalgamation: keep
#endif

namespace northstar::inline v0::detail {

namespace sha256_impl {

alignas(16) inline constexpr std::uint32_t k_round[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

inline constexpr std::uint32_t k_start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

inline void compress_portable(std::uint32_t* state, const std::byte* blocks, std::size_t count) {
    for (; count > 0; --count, blocks += 64) {
        std::uint32_t w[64];
        for (std::size_t t = 0; t < 16; ++t) w[t] = load_head(blocks + 4 * t);
        for (std::size_t t = 16; t < 64; ++t) {
            const std::uint32_t x = w[t - 15];
            const std::uint32_t y = w[t - 2];
            w[t] = w[t - 16] + w[t - 7] + (std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3) +
                   (std::rotr(y, 17) ^ std::rotr(y, 19) ^ y >> 10);
        }
        std::uint32_t v[8];  // the standard's a..h
        std::copy_n(state, 8, v);
        for (std::size_t t = 0; t < 64; ++t) {
            const std::uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
            const std::uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            const std::uint32_t first = v[7] + (std::rotr(v[4], 6) ^ std::rotr(v[4], 11) ^ std::rotr(v[4], 25)) +
                                        choice + k_round[t] + w[t];
            const std::uint32_t second = (std::rotr(v[0], 2) ^ std::rotr(v[0], 13) ^ std::rotr(v[0], 22)) + majority;
            v[7] = v[6];
            v[6] = v[5];
            v[5] = v[4];
            v[4] = v[3] + first;
            v[3] = v[2];
            v[2] = v[1];
            v[1] = v[0];
            v[0] = first + second;
        }
        for (std::size_t i = 0; i < 8; ++i) state[i] += v[i];
    }
}

/// One block of each of two digests.
inline void compress_two_portable(std::uint32_t* first, const std::byte* of_first, std::uint32_t* second,
                                  const std::byte* of_second) {
    compress_portable(first, of_first, 1);
    compress_portable(second, of_second, 1);
}

#if defined(__x86_64__) && !defined(NORTHSTAR_PORTABLE)

// The instructions keep the eight words as (A B E F) and (C D G H), A and C in the highest lane, and do two rounds at
// once; message words come in fours.
struct Words {
    __m128i abef;
    __m128i cdgh;
};

__attribute__((target("sha,sse4.1"), always_inline)) inline Words load_words(const std::uint32_t* state) {
    const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state));
    const __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state + 4));
    const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

__attribute__((target("sha,sse4.1"), always_inline)) inline void store_words(const Words& words,
                                                                             std::uint32_t* state) {
    const __m128i feba = _mm_shuffle_epi32(words.abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(words.cdgh, 0xb1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/// Four rounds; `w` has the message words of the last sixteen. The compiler knows the number of the group, so that `w`
/// lies in registers.
template <int Group>
__attribute__((target("sha,sse4.1"), always_inline)) inline void four_rounds(Words& words, __m128i (&w)[4],
                                                                             const std::byte* block) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i& now = w[Group % 4];
    if constexpr (Group < 4) {
        now = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * Group));
        now = _mm_shuffle_epi8(now, big_endian);
    } else {
        const __m128i& last = w[(Group + 3) % 4];
        const __m128i seven_back = _mm_alignr_epi8(last, w[(Group + 2) % 4], 4);
        now = _mm_sha256msg1_epu32(now, w[(Group + 1) % 4]);
        now = _mm_sha256msg2_epu32(_mm_add_epi32(now, seven_back), last);
    }
    const __m128i input = _mm_add_epi32(now, _mm_load_si128(reinterpret_cast<const __m128i*>(k_round + 4 * Group)));
    words.cdgh = _mm_sha256rnds2_epu32(words.cdgh, words.abef, input);
    words.abef = _mm_sha256rnds2_epu32(words.abef, words.cdgh, _mm_shuffle_epi32(input, 0x0e));
}

template <int Group = 0>
__attribute__((target("sha,sse4.1"), always_inline)) inline void all_rounds(Words& words, __m128i (&w)[4],
                                                                            const std::byte* block) {
    four_rounds<Group>(words, w, block);
    if constexpr (Group < 15) all_rounds<Group + 1>(words, w, block);
}

/// Of two digests, in turns.
template <int Group = 0>
__attribute__((target("sha,sse4.1"), always_inline)) inline void all_rounds_of_two(
    Words& words, __m128i (&w)[4], const std::byte* block, Words& words_too, __m128i (&w_too)[4],
    const std::byte* block_too) {
    four_rounds<Group>(words, w, block);
    four_rounds<Group>(words_too, w_too, block_too);
    if constexpr (Group < 15) all_rounds_of_two<Group + 1>(words, w, block, words_too, w_too, block_too);
}

__attribute__((target("sha,sse4.1"))) inline void compress_instruction(std::uint32_t* state, const std::byte* blocks,
                                                                       std::size_t count) {
    Words words = load_words(state);
    for (; count > 0; --count, blocks += 64) {
        const Words before = words;
        __m128i w[4];
        all_rounds(words, w, blocks);
        words = {_mm_add_epi32(words.abef, before.abef), _mm_add_epi32(words.cdgh, before.cdgh)};
    }
    store_words(words, state);
}

// An instruction's result comes late: what the other digest does meanwhile costs next to nothing.
__attribute__((target("sha,sse4.1"))) inline void compress_two_instruction(std::uint32_t* first,
                                                                           const std::byte* of_first,
                                                                           std::uint32_t* second,
                                                                           const std::byte* of_second) {
    const Words before = load_words(first);
    const Words before_too = load_words(second);
    Words words = before;
    Words words_too = before_too;
    __m128i w[4];
    __m128i w_too[4];
    all_rounds_of_two(words, w, of_first, words_too, w_too, of_second);
    store_words({_mm_add_epi32(words.abef, before.abef), _mm_add_epi32(words.cdgh, before.cdgh)}, first);
    store_words({_mm_add_epi32(words_too.abef, before_too.abef), _mm_add_epi32(words_too.cdgh, before_too.cdgh)},
                second);
}

// The compiler's own table of processor features does not know this one in every version; ask the processor: leaf 7,
// bit 29 of ebx.
inline bool has_instruction() noexcept {
    static const bool answer = [] {
        std::uint32_t a = 0;
        std::uint32_t b = 0;
        std::uint32_t c = 0;
        std::uint32_t d = 0;
        __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0), "c"(0));
        if (a < 7 || __builtin_cpu_supports("sse4.1") == 0) return false;
        __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
        return (b >> 29 & 1) != 0;
    }();
    return answer;
}
inline auto best_compress() noexcept { return has_instruction() ? &compress_instruction : &compress_portable; }
inline auto best_compress_two() noexcept {
    return has_instruction() ? &compress_two_instruction : &compress_two_portable;
}

#else

inline auto best_compress() noexcept { return &compress_portable; }
inline auto best_compress_two() noexcept { return &compress_two_portable; }

#endif

/// The length of a message in bits, as a big-endian number.
inline void store_bits(std::byte* to, std::uint64_t bytes) {
    for (std::size_t i = 0; i < 8; ++i) to[i] = static_cast<std::byte>(bytes * 8 >> (56 - 8 * i));
}

inline Hash hash_of(const std::uint32_t* state) {
    Hash hash;
    for (std::size_t i = 0; i < 32; ++i) {
        hash.bytes[i] = static_cast<unsigned char>(state[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
    }
    return hash;
}

/// A message in blocks: a prefix, a text, and the padding that FIPS 180-4 puts behind them.
class Message {
public:
    Message(std::span<const std::byte> prefix, std::string_view text)
        : prefix_(prefix), text_(std::as_bytes(std::span(text))), size_(prefix.size() + text.size()) {}
    std::size_t blocks() const { return (size_ + 9 + 63) / 64; }
    /// How many from there on lie side by side in the text.
    std::size_t blocks_of_text(std::size_t index) const {
        const std::size_t from = index * 64;
        return from >= prefix_.size() && from < size_ ? (size_ - from) / 64 : 0;
    }
    /// Valid until the next one is asked for.
    const std::byte* block(std::size_t index) {
        const std::size_t from = index * 64;
        if (blocks_of_text(index) != 0) return text_.data() + (from - prefix_.size());
        std::size_t filled = 0;
        if (from < prefix_.size()) {
            filled = prefix_.size() - from;
            std::copy_n(prefix_.data() + from, filled, made_);
        }
        if (from + filled < size_) {
            const std::size_t part = std::min(64 - filled, size_ - from - filled);
            std::copy_n(text_.data() + (from + filled - prefix_.size()), part, made_ + filled);
            filled += part;
        }
        std::fill_n(made_ + filled, 64 - filled, std::byte{0});
        if (filled < 64 && from + filled == size_) made_[filled] = std::byte{0x80};
        if (index + 1 == blocks()) store_bits(made_ + 56, size_);
        return made_;
    }

private:
    std::span<const std::byte> prefix_;
    std::span<const std::byte> text_;
    std::size_t size_;
    std::byte made_[64];
};

}  // namespace sha256_impl

Sha256::Sha256() noexcept : Sha256(sha256_impl::best_compress()) {}

Sha256::Sha256(Compress compress) noexcept : compress_(compress) { start(); }

Sha256 Sha256::portable() noexcept { return Sha256(&sha256_impl::compress_portable); }

void Sha256::start() noexcept {
    total_ = 0;
    std::copy_n(sha256_impl::k_start, 8, state_);
}

void Sha256::update(const void* bytes, std::size_t size) noexcept {
    const auto* from = static_cast<const std::byte*>(bytes);
    const std::size_t used = total_ % 64;
    total_ += size;
    if (used != 0) {
        const std::size_t part = std::min(size, 64 - used);
        std::copy_n(from, part, pending_ + used);
        from += part;
        size -= part;
        if (used + part < 64) return;
        compress_(state_, pending_, 1);
    }
    compress_(state_, from, size / 64);
    std::copy_n(from + size / 64 * 64, size % 64, pending_);
}

void Sha256::update_u64(std::uint64_t value) noexcept {
    const std::size_t used = total_ % 64;
    if (used < 64 - 8) {
        store_u64(pending_ + used, value);
        total_ += 8;
        return;
    }
    std::byte buffer[8];
    store_u64(buffer, value);
    update(buffer, sizeof buffer);
}

Hash Sha256::finish() noexcept {
    // A one bit, zeros, and the length in bits as a big-endian number at the end of a block.
    std::byte padding[72] = {std::byte{0x80}};
    const std::size_t zeros = (64 + 56 - total_ % 64 - 1) % 64;
    sha256_impl::store_bits(padding + 1 + zeros, total_);
    update(padding, 1 + zeros + 8);
    const Hash hash = sha256_impl::hash_of(state_);
    start();
    return hash;
}

Sha256::State Sha256::state() const noexcept {
    State state;
    state.total = total_;
    std::copy_n(state_, 8, state.words);
    std::copy_n(pending_, total_ % 64, state.pending);
    return state;
}

void Sha256::resume(const State& state) noexcept {
    total_ = state.total;
    std::copy_n(state.words, 8, state_);
    std::copy_n(state.pending, 64, pending_);
}

Hash Sha256::of(const void* bytes, std::size_t size) noexcept {
    Sha256 sum;
    sum.update(bytes, size);
    return sum.finish();
}

std::array<Hash, 2> Sha256::of_two(std::span<const std::byte> prefix, std::string_view first,
                                   std::string_view second) noexcept {
    using namespace sha256_impl;
    Message messages[2] = {{prefix, first}, {prefix, second}};
    std::uint32_t states[2][8];
    for (std::uint32_t(&state)[8] : states) std::copy_n(k_start, 8, state);
    const std::size_t both = std::min(messages[0].blocks(), messages[1].blocks());
    const auto compress_two = best_compress_two();
    for (std::size_t i = 0; i < both; ++i) {
        compress_two(states[0], messages[0].block(i), states[1], messages[1].block(i));
    }
    const auto compress = best_compress();
    for (std::size_t lane = 0; lane < 2; ++lane) {
        for (std::size_t i = both; i < messages[lane].blocks();) {
            const std::size_t count = std::max<std::size_t>(1, messages[lane].blocks_of_text(i));
            compress(states[lane], messages[lane].block(i), count);
            i += count;
        }
    }
    return {hash_of(states[0]), hash_of(states[1])};
}

}  // namespace northstar::inline v0::detail
