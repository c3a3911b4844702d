// text_score.hpp -- BM25, the same to the last bit everywhere.  Layer: cartridge.  Threads: values.
//
// S. Robertson, H. Zaragoza, The probabilistic relevance framework: BM25 and beyond, 2009, sections 3.4 and 3.6 (simple
// BM25F: a word in a field of weight w counts as w words). k1 = 1.2, b = 0.75, and the weight of a word that df of N
// documents have is ln(1 + (N - df + 0.5) / (df + 0.5)).
//
// [TEXT-4] Scores are sums of whole units, 1/65536 each, so that no order of adding matters. The one division of a
//          contribution is rounded once, and no product is added to anything, so that compilers have nothing to fuse.
// [TEXT-5] What a word contributes grows with its frequency and shrinks with the document's length, and is at least one
//          unit.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace northstar::inline v0::detail {

/// Units of a score of 1.
inline constexpr std::uint32_t k_score_one = 1u << 16;
/// Frequencies above are taken for this.
inline constexpr std::uint32_t k_most_frequent = 1u << 22;
/// Words of a question, counted with repetitions: so the sum of their contributions fits 31 bits.
inline constexpr std::size_t k_most_query_words = 512;

/// The length of a document in one byte: exact up to 31, then 16 steps to each doubling.
std::uint8_t length_code(std::uint64_t length);
/// The middle of the lengths that have this code.
std::uint32_t length_of_code(std::uint8_t code);

/// What is added to the frequency below the line, for each code of a length.
struct LengthTable {
    /// `total`: the sum of the lengths of all documents.
    LengthTable(std::uint64_t documents, std::uint64_t total);
    std::array<float, 256> at;
};

/// Weight of a word, in units.
std::uint32_t word_weight(std::uint64_t documents, std::uint64_t document_frequency);

/// Units that a word of this weight contributes; `length`: an entry of a LengthTable.
inline std::uint32_t contribution(float weight, std::uint32_t frequency, float length) {
    const float f = static_cast<float>(static_cast<std::int32_t>(frequency));
    return 1 + static_cast<std::uint32_t>(static_cast<std::int32_t>(weight * f / (f + length)));
}

/// frequency / (frequency + length) in 255 parts, rounded up: what a block of postings is skipped by.
std::uint8_t saturation(std::uint32_t frequency, float length);
/// Where average lengths differ from those that saturations were computed with: what to multiply them by, at least 1.
double saturation_slack(const LengthTable& then, const LengthTable& now);

}  // namespace northstar::inline v0::detail
