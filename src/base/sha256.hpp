// sha256.hpp -- SHA-256 (FIPS 180-4): record digests, the chain, state hashes.  Layer: base.
// Threads: an object belongs to one thread at a time.
#pragma once

#include "api/northstar.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace northstar::inline v0::detail {

/// Digest of bytes that come in pieces.
class Sha256 {
public:
    /// Uses the processor's instructions where there are some.
    Sha256() noexcept;
    /// Uses none.
    static Sha256 portable() noexcept;

    void update(const void* bytes, std::size_t size) noexcept;
    void update(std::span<const std::byte> bytes) noexcept { update(bytes.data(), bytes.size()); }
    void update(std::string_view text) noexcept { update(text.data(), text.size()); }
    /// The number as eight little-endian bytes.
    void update_u64(std::uint64_t value) noexcept;
    /// Digest of everything so far; afterwards the object is as new.
    Hash finish() noexcept;

    static Hash of(const void* bytes, std::size_t size) noexcept;
    /// Digests of a prefix of at most 64 bytes with each of two texts behind it. The processor's instructions wait for
    /// each other within a digest, but not between two: this takes little longer than the longer one alone.
    static std::array<Hash, 2> of_two(std::span<const std::byte> prefix, std::string_view first,
                                      std::string_view second) noexcept;

    /// What a digest that is not finished has come to, to go on with it later and elsewhere.
    struct State {
        std::uint64_t total = 0;
        std::uint32_t words[8] = {};
        std::byte pending[64] = {};
    };
    State state() const noexcept;
    void resume(const State& state) noexcept;

private:
    using Compress = void (*)(std::uint32_t* state, const std::byte* blocks, std::size_t count);
    explicit Sha256(Compress compress) noexcept;
    void start() noexcept;

    Compress compress_;
    std::uint64_t total_;        // bytes so far
    std::uint32_t state_[8];
    std::byte pending_[64];      // the last total_ % 64 bytes
};

}  // namespace northstar::inline v0::detail
