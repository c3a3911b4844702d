// hashed_embedding.cpp -- signed feature hashing of words and runs of characters, in whole numbers up to the last step.
#include "api/handles.hpp"
#include "base/error.hpp"
#include "base/xxh64.hpp"
#include "cartridge/text_words.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>

namespace northstar::inline v0 {

namespace detail {

namespace hashed_embedding_impl {

constexpr std::uint32_t k_least_dimensions = 8;
constexpr std::uint32_t k_most_dimensions = 32768;
constexpr std::size_t k_shortest_run = 3;
constexpr std::size_t k_longest_run = 4;
/// Seeds of the hashes: a word of three letters is not the run of the same letters.
constexpr std::uint64_t k_word_seed = 0x68617368776f7264;
constexpr std::uint64_t k_run_seed = 0x6861736872756e73;
/// What a feature that comes once adds.
constexpr std::int64_t k_word_weight = 2;
constexpr std::int64_t k_run_weight = 1;
/// Bits behind the point of a square root.
constexpr unsigned k_root_bits = 8;

/// Words that say how an English sentence is built and not what it is about; sorted.
constexpr std::string_view k_common[] = {
    "a", "about", "also", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did",
    "do", "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "in", "into",
    "is", "it", "its", "may", "me", "my", "no", "not", "of", "on", "or", "our", "she", "so", "some", "such", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "was", "we", "were",
    "what", "when", "where", "which", "who", "will", "with", "would", "you", "your"};

bool is_common(std::string_view word) { return std::binary_search(std::begin(k_common), std::end(k_common), word); }

/// The hashes of all features of a text, one for each time that a feature comes.
struct Features {
    std::vector<std::uint64_t> words;
    std::vector<std::uint64_t> runs;
};

void add_word(std::string_view word, Features& features) {
    features.words.push_back(xxh64(word.data(), word.size(), k_word_seed));
    char bytes[k_longest_word + 2];
    std::size_t starts[k_longest_word + 3];  // of each character, and the end
    std::size_t size = 0;
    std::size_t characters = 0;
    const auto put = [&](char byte, bool first) {
        if (first) starts[characters++] = size;
        bytes[size++] = byte;
    };
    put('<', true);  // no part of any folded word, nor is the other
    for (const char byte : word) put(byte, (static_cast<unsigned char>(byte) & 0xc0) != 0x80);
    put('>', true);
    starts[characters] = size;
    for (std::size_t length = k_shortest_run; length <= k_longest_run; ++length) {
        for (std::size_t i = 0; i + length <= characters; ++i) {
            features.runs.push_back(xxh64(bytes + starts[i], starts[i + length] - starts[i], k_run_seed));
        }
    }
}

Features features_of(std::string_view text) {
    Features features;
    for (const bool all : {false, true}) {
        WordReader reader(text);
        while (reader.next()) {
            if (all || !is_common(reader.word())) add_word(reader.word(), features);
        }
        if (!features.words.empty()) return features;
    }
    add_word("", features);
    return features;
}

/// The square root of a number, rounded down.
std::uint64_t root_of(std::uint64_t number) {
    if (number == 0) return 0;
    // Newton's steps come down from above.
    std::uint64_t root = std::uint64_t{1} << (std::bit_width(number) + 1) / 2;
    for (;;) {
        const std::uint64_t next = (root + number / root) / 2;
        if (next >= root) return root;
        root = next;
    }
}

void add(std::vector<std::uint64_t>& hashes, std::int64_t weight, std::vector<std::int64_t>& sums) {
    std::sort(hashes.begin(), hashes.end());
    for (auto first = hashes.begin(); first != hashes.end();) {
        const std::uint64_t hash = *first;
        const auto behind = std::find_if(first, hashes.end(), [&](std::uint64_t other) { return other != hash; });
        const auto times = static_cast<std::uint64_t>(behind - first);
        const auto root = static_cast<std::int64_t>(root_of(times << 2 * k_root_bits));
        std::int64_t& sum = sums[static_cast<std::size_t>((hash >> 32) * sums.size() >> 32)];
        sum += (hash & 1) != 0 ? root * weight : -root * weight;
        first = behind;
    }
}

/// Divides by the length. Squares are summed in 64 bits, so what is too large for that loses its lowest bits first.
std::vector<float> normalised(std::vector<std::int64_t>& sums) {
    std::uint64_t largest = 0;
    for (const std::int64_t sum : sums) largest = std::max(largest, static_cast<std::uint64_t>(std::abs(sum)));
    const int shift = std::max(0, static_cast<int>(std::bit_width(largest)) - 24);
    std::uint64_t squares = 0;
    for (std::int64_t& sum : sums) {
        sum /= std::int64_t{1} << shift;
        squares += static_cast<std::uint64_t>(sum * sum);
    }
    const double length = std::sqrt(static_cast<double>(squares));
    std::vector<float> elements;
    elements.reserve(sums.size());
    for (const std::int64_t sum : sums) elements.push_back(static_cast<float>(static_cast<double>(sum) / length));
    return elements;
}

}  // namespace hashed_embedding_impl

}  // namespace detail

EmbeddingSpace hashed_embedding_space(const HashedEmbeddingOptions& options) {
    using namespace detail::hashed_embedding_impl;
    if (options.dimensions < k_least_dimensions || options.dimensions > k_most_dimensions) {
        detail::fail(Errc::invalid_argument, "a hashed embedding has 8 to 32768 dimensions, not " +
                                                 std::to_string(options.dimensions));
    }
    return {"hashed-words-1", options.dimensions, VectorElement::f32, true};
}

Embedding hashed_embedding(std::string_view text, const HashedEmbeddingOptions& options) try {
    using namespace detail::hashed_embedding_impl;
    const EmbeddingSpace space = hashed_embedding_space(options);
    Features features = features_of(text);
    std::vector<std::int64_t> sums(space.dimensions);
    add(features.words, k_word_weight, sums);
    add(features.runs, k_run_weight, sums);
    // Features may cancel each other to the last.
    if (std::all_of(sums.begin(), sums.end(), [](std::int64_t sum) { return sum == 0; })) sums[0] = 1;
    return Embedding(space, normalised(sums));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
