// northstar_embedding.hpp -- vectors of texts without a model: what is written alike lies close together.
//
// For programs that have no embedding of their own: similar pieces of code or prose, words that are misspelt, a second
// leg beside the search by words. It knows no meaning: "car" and "automobile" are strangers. Any other vectors of
// floats go into the same cartridges (northstar_vector.hpp).
#pragma once

#include "api/northstar_vector.hpp"

namespace northstar {
inline namespace v0 {

struct HashedEmbeddingOptions {
    /// Of the vectors, 8 to 32768. More of them tell more texts apart: of what 1024 find in judged texts of 150 words,
    /// 512 find nine tenths and 256 three quarters. For names and lines 256 are enough.
    std::uint32_t dimensions = 1024;
};

/// The space that such embeddings are of: model "hashed-words-1", f32, normalised.
/// Error(invalid_argument): there are no such dimensions.
EmbeddingSpace hashed_embedding_space(const HashedEmbeddingOptions& options = {});

/// The embedding of a text. Each folded word (as the kind "text" has them) and each run of three or four characters of
/// it, its ends counted as characters, is a feature; one that comes n times counts the square root of n, a word twice
/// as much as a run; some common words of English are left out unless there are no others. A hash of the feature says
/// which number it goes to, and with which sign, so that features that meet cancel on average. The sums are divided by
/// the length of the vector. A text without any word is like every other such text.
/// The same floats on every machine. Costs in proportion to the text, and meanwhile some twenty times its size of
/// memory.
/// K. Weinberger, A. Dasgupta, J. Langford, A. Smola, J. Attenberg, Feature hashing for large scale multitask learning,
/// 2009, section 2; runs of characters with the ends of words as in P. Bojanowski, E. Grave, A. Joulin, T. Mikolov,
/// Enriching word vectors with subword information, 2017, section 3.2.
Embedding hashed_embedding(std::string_view text, const HashedEmbeddingOptions& options = {});

}  // namespace v0
}  // namespace northstar
