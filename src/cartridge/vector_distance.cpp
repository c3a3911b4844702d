#include "cartridge/vector_distance.hpp"

#include <cstring>

#if defined(__x86_64__) && !defined(NORTHSTAR_PORTABLE)
#include <immintrin.h>  // amalgamation: keep
#endif

namespace northstar::inline v0::detail {

namespace vector_distance_impl {

constexpr std::uint32_t k_zero_product = 0x80000000u;
constexpr std::size_t k_sums = 8;

constexpr bool is_l2(DistanceKind kind) {
    return kind == DistanceKind::l2_u8 || kind == DistanceKind::l2_f32 || kind == DistanceKind::l2_bf16;
}

/// What a sum of whole numbers is as a distance.
template <DistanceKind Kind>
std::uint32_t of_sum(std::int32_t sum) {
    return is_l2(Kind) ? static_cast<std::uint32_t>(sum) : k_zero_product - static_cast<std::uint32_t>(sum);
}

/// What eight sums of products are as a distance.
template <DistanceKind Kind>
std::uint32_t of_sums(const double* sums) {
    const double sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    return ordered_bits(static_cast<float>(is_l2(Kind) ? sum : 1.0 - sum));
}

// ---- for any processor -----------------------------------------------------------------------------------------

template <DistanceKind Kind>
void portable_whole(const void* query, const unsigned char* rows, std::size_t stride, std::size_t length,
                    const std::uint32_t* ids, std::size_t count, std::uint32_t* distances) {
    const auto* const wanted = static_cast<const std::int16_t*>(query);
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned char* const row = rows + ids[i] * stride;
        std::int32_t sum = 0;
        for (std::size_t j = 0; j < length; ++j) {
            const int number = Kind == DistanceKind::dot_i8 ? static_cast<signed char>(row[j]) : row[j];
            const int difference = number - wanted[j];
            sum += is_l2(Kind) ? difference * difference : number * wanted[j];
        }
        distances[i] = of_sum<Kind>(sum);
    }
}

template <DistanceKind Kind>
void portable_floats(const void* query, const unsigned char* rows, std::size_t stride, std::size_t length,
                     const std::uint32_t* ids, std::size_t count, std::uint32_t* distances) {
    constexpr bool half = Kind == DistanceKind::l2_bf16 || Kind == DistanceKind::dot_bf16;
    const auto* const wanted = static_cast<const float*>(query);
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned char* const row = rows + ids[i] * stride;
        double sums[k_sums] = {};
        for (std::size_t j = 0; j < length; j += k_sums) {
            for (std::size_t lane = 0; lane < k_sums; ++lane) {
                float number;
                if constexpr (half) {
                    std::uint16_t upper;
                    std::memcpy(&upper, row + (j + lane) * sizeof upper, sizeof upper);
                    number = std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
                } else {
                    std::memcpy(&number, row + (j + lane) * sizeof number, sizeof number);
                }
                const float difference = number - wanted[j + lane];
                const double first = is_l2(Kind) ? difference : number;
                const double second = is_l2(Kind) ? difference : wanted[j + lane];
                sums[lane] += first * second;
            }
        }
        distances[i] = of_sums<Kind>(sums);
    }
}

inline void portable_bits(const void* query, const unsigned char* rows, std::size_t stride, std::size_t length,
                          const std::uint32_t* ids, std::size_t count, std::uint32_t* distances) {
    const auto* const wanted = static_cast<const std::uint64_t*>(query);
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned char* const row = rows + ids[i] * stride;
        std::uint32_t differ = 0;
        for (std::size_t j = 0; j < length; ++j) {
            std::uint64_t word;
            std::memcpy(&word, row + j * sizeof word, sizeof word);
            differ += static_cast<std::uint32_t>(__builtin_popcountll(word ^ wanted[j]));
        }
        distances[i] = differ;
    }
}

constexpr DistanceFunction k_portable[k_distance_kinds] = {
    portable_whole<DistanceKind::l2_u8>,    portable_whole<DistanceKind::dot_u8>,
    portable_whole<DistanceKind::dot_i8>,   portable_floats<DistanceKind::l2_f32>,
    portable_floats<DistanceKind::dot_f32>, portable_floats<DistanceKind::l2_bf16>,
    portable_floats<DistanceKind::dot_bf16>, portable_bits,
};

// ---- with 256-bit registers ------------------------------------------------------------------------------------

#if defined(__x86_64__) && !defined(NORTHSTAR_PORTABLE)
#define NORTHSTAR_WIDE __attribute__((target("avx2,popcnt")))
#define NORTHSTAR_WIDE_INLINE inline __attribute__((always_inline, target("avx2,popcnt")))

template <DistanceKind Kind>
NORTHSTAR_WIDE_INLINE __m256i add_whole(__m256i sum, __m256i wanted, const unsigned char* row) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
    const __m256i numbers = Kind == DistanceKind::dot_i8 ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
    if constexpr (is_l2(Kind)) {
        const __m256i difference = _mm256_sub_epi16(numbers, wanted);
        return _mm256_add_epi32(sum, _mm256_madd_epi16(difference, difference));
    } else {
        return _mm256_add_epi32(sum, _mm256_madd_epi16(numbers, wanted));
    }
}

/// Four rows at a time: they share the loads of the query, and their sums are added across in one go.
template <DistanceKind Kind>
NORTHSTAR_WIDE void wide_whole(const void* query, const unsigned char* rows, std::size_t stride, std::size_t length,
                               const std::uint32_t* ids, std::size_t count, std::uint32_t* distances) {
    const auto* const wanted = static_cast<const std::int16_t*>(query);
    for (std::size_t i = 0; i < count; i += 4) {
        // The last row stands in for those that are missing.
        const std::size_t last = count - 1;
        const unsigned char* const a = rows + ids[i] * stride;
        const unsigned char* const b = rows + ids[i + 1 < count ? i + 1 : last] * stride;
        const unsigned char* const c = rows + ids[i + 2 < count ? i + 2 : last] * stride;
        const unsigned char* const d = rows + ids[i + 3 < count ? i + 3 : last] * stride;
        __m256i sum_a = _mm256_setzero_si256();
        __m256i sum_b = sum_a;
        __m256i sum_c = sum_a;
        __m256i sum_d = sum_a;
        for (std::size_t j = 0; j < length; j += 16) {
            const __m256i part = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(wanted + j));
            sum_a = add_whole<Kind>(sum_a, part, a + j);
            sum_b = add_whole<Kind>(sum_b, part, b + j);
            sum_c = add_whole<Kind>(sum_c, part, c + j);
            sum_d = add_whole<Kind>(sum_d, part, d + j);
        }
        const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(sum_a, sum_b), _mm256_hadd_epi32(sum_c, sum_d));
        __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
        if constexpr (!is_l2(Kind)) sums = _mm_sub_epi32(_mm_set1_epi32(static_cast<int>(k_zero_product)), sums);
        if (i + 4 <= count) {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(distances + i), sums);
        } else {
            std::uint32_t four[4];
            _mm_storeu_si128(reinterpret_cast<__m128i*>(four), sums);
            for (std::size_t j = i; j < count; ++j) distances[j] = four[j - i];
        }
    }
}

template <DistanceKind Kind>
NORTHSTAR_WIDE void wide_floats(const void* query, const unsigned char* rows, std::size_t stride, std::size_t length,
                                const std::uint32_t* ids, std::size_t count, std::uint32_t* distances) {
    constexpr bool half = Kind == DistanceKind::l2_bf16 || Kind == DistanceKind::dot_bf16;
    const auto* const wanted = static_cast<const float*>(query);
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned char* const row = rows + ids[i] * stride;
        __m256d low = _mm256_setzero_pd();
        __m256d high = low;
        for (std::size_t j = 0; j < length; j += k_sums) {
            __m256 numbers;
            if constexpr (half) {
                const __m128i upper = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + j * 2));
                numbers = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(upper), 16));
            } else {
                numbers = _mm256_loadu_ps(reinterpret_cast<const float*>(row + j * 4));
            }
            __m256 other = _mm256_loadu_ps(wanted + j);
            if constexpr (is_l2(Kind)) {
                numbers = _mm256_sub_ps(numbers, other);
                other = numbers;
            }
            const __m256d first_low = _mm256_cvtps_pd(_mm256_castps256_ps128(numbers));
            const __m256d first_high = _mm256_cvtps_pd(_mm256_extractf128_ps(numbers, 1));
            const __m256d second_low = _mm256_cvtps_pd(_mm256_castps256_ps128(other));
            const __m256d second_high = _mm256_cvtps_pd(_mm256_extractf128_ps(other, 1));
            low = _mm256_add_pd(low, _mm256_mul_pd(first_low, second_low));
            high = _mm256_add_pd(high, _mm256_mul_pd(first_high, second_high));
        }
        double sums[k_sums];
        _mm256_storeu_pd(sums, low);
        _mm256_storeu_pd(sums + 4, high);
        distances[i] = of_sums<Kind>(sums);
    }
}

NORTHSTAR_WIDE inline void wide_bits(const void* query, const unsigned char* rows, std::size_t stride,
                                     std::size_t length, const std::uint32_t* ids, std::size_t count,
                                     std::uint32_t* distances) {
    const auto* const wanted = static_cast<const std::uint64_t*>(query);
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned char* const row = rows + ids[i] * stride;
        std::uint64_t differ = 0;
        for (std::size_t j = 0; j < length; ++j) {
            std::uint64_t word;
            std::memcpy(&word, row + j * sizeof word, sizeof word);
            differ += static_cast<std::uint64_t>(_mm_popcnt_u64(word ^ wanted[j]));
        }
        distances[i] = static_cast<std::uint32_t>(differ);
    }
}

constexpr DistanceFunction k_wide[k_distance_kinds] = {
    wide_whole<DistanceKind::l2_u8>,    wide_whole<DistanceKind::dot_u8>,   wide_whole<DistanceKind::dot_i8>,
    wide_floats<DistanceKind::l2_f32>,  wide_floats<DistanceKind::dot_f32>, wide_floats<DistanceKind::l2_bf16>,
    wide_floats<DistanceKind::dot_bf16>, wide_bits,
};

inline bool has_wide() {
    static const bool answer = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("popcnt") != 0;
    return answer;
}
#endif

}  // namespace vector_distance_impl

DistanceFunction portable_distance_function(DistanceKind kind) {
    return vector_distance_impl::k_portable[static_cast<std::size_t>(kind)];
}

DistanceFunction distance_function(DistanceKind kind) {
#if defined(__x86_64__) && !defined(NORTHSTAR_PORTABLE)
    if (vector_distance_impl::has_wide()) return vector_distance_impl::k_wide[static_cast<std::size_t>(kind)];
#endif
    return portable_distance_function(kind);
}

}  // namespace northstar::inline v0::detail
