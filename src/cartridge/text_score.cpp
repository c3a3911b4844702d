#include "cartridge/text_score.hpp"

#include <algorithm>
#include <cmath>

namespace northstar::inline v0::detail {

namespace text_score_impl {

constexpr unsigned k_fraction = 28;                  // bits behind the point of logarithms
constexpr std::uint64_t k_ln_2 = 186065279;          // ln 2, with so many
constexpr std::uint32_t k_exact_lengths = 32;
constexpr unsigned k_most_doublings = 14;
constexpr float k_average_length = 1.2f;  // k1
constexpr float k_least_length = 0.3f;    // k1 (1 - b): of a document without words

/// Binary logarithm (C. S. Turner, A fast binary logarithm algorithm, IEEE Signal Processing Magazine 27(5), 2010):
/// squaring a number between 1 and 2 doubles its logarithm, whose next bit is whether the square is 2 or more.
std::uint64_t log_2(std::uint64_t value) {
    const auto whole = static_cast<unsigned>(std::bit_width(value)) - 1;
    std::uint64_t x = whole <= 31 ? value << (31 - whole) : value >> (whole - 31);
    std::uint64_t result = whole;
    for (unsigned i = 0; i < k_fraction; ++i) {
        x = x * x >> 31;
        const std::uint64_t bit = x >> 32;
        x >>= bit;
        result = result << 1 | bit;
    }
    return result;
}

}  // namespace text_score_impl

std::uint8_t length_code(std::uint64_t length) {
    using namespace text_score_impl;
    if (length < k_exact_lengths) return static_cast<std::uint8_t>(length);
    const auto doublings = static_cast<unsigned>(std::bit_width(length)) - 5;  // 32 to 63: 1
    if (doublings > k_most_doublings) return 255;
    const std::uint64_t step = (length >> doublings) - 16;
    return static_cast<std::uint8_t>(k_exact_lengths + (doublings - 1) * 16 + step);
}

std::uint32_t length_of_code(std::uint8_t code) {
    using namespace text_score_impl;
    if (code < k_exact_lengths) return code;
    const unsigned doublings = (code - k_exact_lengths) / 16 + 1;
    const std::uint32_t step = (code - k_exact_lengths) % 16 + 16;
    return (step << doublings) + (1u << (doublings - 1));
}

LengthTable::LengthTable(std::uint64_t documents, std::uint64_t total) {
    using namespace text_score_impl;
    // k1 (1 - b + b length / average) = (3 total + 9 length documents) / (10 total), in whole numbers but for the line.
    for (std::size_t code = 0; code < at.size(); ++code) {
        const std::uint64_t length = length_of_code(static_cast<std::uint8_t>(code));
        const std::uint64_t above = 3 * total + 9 * length * documents;
        const std::uint64_t below = 10 * total;
        at[code] = below == 0 ? k_average_length
                              : std::max(k_least_length,
                                         static_cast<float>(static_cast<double>(above) / static_cast<double>(below)));
    }
}

std::uint32_t word_weight(std::uint64_t documents, std::uint64_t document_frequency) {
    using namespace text_score_impl;
    const std::uint64_t df = std::min(document_frequency, documents);
    const std::uint64_t difference = log_2(2 * (documents + 1)) - log_2(2 * df + 1);
    const std::uint64_t natural = difference * k_ln_2 >> k_fraction;
    // k1 + 1 = 2.2 belongs to every contribution.
    return static_cast<std::uint32_t>(natural * 22 / 10 >> (k_fraction - 16));
}

std::uint8_t saturation(std::uint32_t frequency, float length) {
    const float f = static_cast<float>(static_cast<std::int32_t>(frequency));
    return static_cast<std::uint8_t>(std::min(255.0f, std::ceil(f / (f + length) * 255.0f)));
}

double saturation_slack(const LengthTable& then, const LengthTable& now) {
    double most = 1;
    for (std::size_t code = 0; code < then.at.size(); ++code) {
        most = std::max(most, static_cast<double>(then.at[code]) / static_cast<double>(now.at[code]));
    }
    return most;
}

}  // namespace northstar::inline v0::detail
