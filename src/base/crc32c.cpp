#include "base/crc32c.hpp"

#include "base/bytes.hpp"

#include <array>

#if defined(__x86_64__) && !defined(NORTHSTAR_PORTABLE)
#include <immintrin.h>  // amalgamation: keep
#endif

namespace northstar::inline v0::detail {

namespace crc32c_impl {

inline constexpr std::uint32_t k_polynomial = 0x82f63b78u;  // bits reversed: the register is shifted right

using Table = std::array<std::uint32_t, 256>;

// k_tables[k][b]: what byte b does to the register when k more bytes follow it.
constexpr std::array<Table, 8> make_tables() {
    std::array<Table, 8> tables{};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? k_polynomial : 0);
        tables[0][b] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t b = 0; b < 256; ++b) {
            const std::uint32_t crc = tables[k - 1][b];
            tables[k][b] = (crc >> 8) ^ tables[0][crc & 0xff];
        }
    }
    return tables;
}
inline constexpr std::array<Table, 8> k_tables = make_tables();

// Register in, register out: without the complement at both ends.
inline std::uint32_t run_tables(std::uint32_t crc, const std::byte* p, std::size_t n) noexcept {
    for (; n >= 8; p += 8, n -= 8) {
        const std::uint64_t word = load_u64(p) ^ crc;
        crc = 0;
        for (std::size_t k = 0; k < 8; ++k) crc ^= k_tables[7 - k][word >> (8 * k) & 0xff];
    }
    for (; n > 0; ++p, --n) crc = (crc >> 8) ^ k_tables[0][(crc ^ std::to_integer<std::uint32_t>(*p)) & 0xff];
    return crc;
}

#if defined(__x86_64__) && !defined(NORTHSTAR_PORTABLE)

// One instruction takes three cycles but a new one can start every cycle: three stretches of the input are summed
// side by side, then joined. Joining needs what `Bytes` zero bytes would do to a register, a linear function of its
// 32 bits and so a sum of four table entries.
template <std::size_t Bytes>
class Shift {
public:
    constexpr Shift() {
        std::array<std::uint32_t, 32> columns{};
        const std::uint32_t factor = power_of_x(8 * Bytes);
        for (std::size_t bit = 0; bit < 32; ++bit) columns[bit] = multiply(factor, std::uint32_t{1} << bit);
        for (std::size_t k = 0; k < 4; ++k) {
            for (std::size_t b = 1; b < 256; ++b) {
                const auto low = static_cast<std::size_t>(std::countr_zero(b));
                tables_[k][b] = tables_[k][b & (b - 1)] ^ columns[8 * k + low];
            }
        }
    }
    std::uint32_t operator()(std::uint32_t crc) const noexcept {
        return tables_[0][crc & 0xff] ^ tables_[1][crc >> 8 & 0xff] ^ tables_[2][crc >> 16 & 0xff] ^
               tables_[3][crc >> 24];
    }

private:
    // Product of two polynomials modulo the generator; bit 31 is the coefficient of x^0.
    static constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
        std::uint32_t product = 0;
        for (std::uint32_t bit = std::uint32_t{1} << 31; bit != 0; bit >>= 1) {
            if ((a & bit) != 0) product ^= b;
            b = (b >> 1) ^ ((b & 1) != 0 ? k_polynomial : 0);
        }
        return product;
    }
    static constexpr std::uint32_t power_of_x(std::size_t exponent) {
        std::uint32_t result = std::uint32_t{1} << 31;
        for (std::uint32_t square = std::uint32_t{1} << 30; exponent != 0; exponent >>= 1) {
            if ((exponent & 1) != 0) result = multiply(result, square);
            square = multiply(square, square);
        }
        return result;
    }
    std::array<Table, 4> tables_{};
};

template <std::size_t Bytes>
inline constexpr Shift<Bytes> k_shift;

template <std::size_t Bytes>
__attribute__((target("sse4.2"))) inline std::uint64_t run_three(std::uint64_t crc, const std::byte*& p,
                                                                 std::size_t& n) noexcept {
    for (; n >= 3 * Bytes; p += 3 * Bytes, n -= 3 * Bytes) {
        std::uint64_t second = 0;
        std::uint64_t third = 0;
        for (std::size_t i = 0; i < Bytes; i += 8) {
            crc = _mm_crc32_u64(crc, load_u64(p + i));
            second = _mm_crc32_u64(second, load_u64(p + Bytes + i));
            third = _mm_crc32_u64(third, load_u64(p + 2 * Bytes + i));
        }
        crc = k_shift<Bytes>(static_cast<std::uint32_t>(crc)) ^ second;
        crc = k_shift<Bytes>(static_cast<std::uint32_t>(crc)) ^ third;
    }
    return crc;
}

__attribute__((target("sse4.2"))) inline std::uint32_t run_instruction(std::uint32_t start, const std::byte* p,
                                                                       std::size_t n) noexcept {
    std::uint64_t crc = start;
    crc = run_three<1024>(crc, p, n);
    crc = run_three<128>(crc, p, n);
    for (; n >= 8; p += 8, n -= 8) crc = _mm_crc32_u64(crc, load_u64(p));
    auto narrow = static_cast<std::uint32_t>(crc);
    for (; n > 0; ++p, --n) narrow = _mm_crc32_u8(narrow, std::to_integer<unsigned char>(*p));
    return narrow;
}

inline bool has_instruction() noexcept {
    static const bool answer = __builtin_cpu_supports("sse4.2") != 0;
    return answer;
}
inline std::uint32_t run(std::uint32_t crc, const std::byte* p, std::size_t n) noexcept {
    return has_instruction() ? run_instruction(crc, p, n) : run_tables(crc, p, n);
}

#else

inline std::uint32_t run(std::uint32_t crc, const std::byte* p, std::size_t n) noexcept {
    return run_tables(crc, p, n);
}

#endif

}  // namespace crc32c_impl

std::uint32_t crc32c(std::uint32_t seed, const void* bytes, std::size_t size) noexcept {
    return ~crc32c_impl::run(~seed, static_cast<const std::byte*>(bytes), size);
}

std::uint32_t crc32c_portable(std::uint32_t seed, const void* bytes, std::size_t size) noexcept {
    return ~crc32c_impl::run_tables(~seed, static_cast<const std::byte*>(bytes), size);
}

}  // namespace northstar::inline v0::detail
