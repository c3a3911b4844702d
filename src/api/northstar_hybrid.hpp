// northstar_hybrid.hpp -- one question, asked by words and by vectors at the same time.
//
// Each of the two legs gives its best answers, to a depth; their ranks are fused (reciprocal_rank_fusion in
// northstar_text.hpp), since scores of words and distances of vectors have no common scale. A key is one document in
// both: the tree of the text and the tree of the vectors name it alike. What only one leg has is an answer too.
//
// What it promises
//   * Both legs show one state: that of the snapshot, whenever their cartridges were built.
//   * Ranks, weights and ages are whole numbers, and equal scores are in the order of keys: the same answer on every
//     machine, as far as the legs are (the text always; vectors by exact distances that are computed alike everywhere).
#pragma once

#include "api/northstar_embedding.hpp"
#include "api/northstar_text.hpp"

namespace northstar {
inline namespace v0 {

/// How much age counts: the score of a document is halved with each half-life.
struct HybridRecency {
    enum class Time : std::uint8_t {
        none = 0,    ///< age does not matter
        commit = 1,  ///< transaction time: of the commit that wrote the document (or the vector, where there is none).
                     ///< Where commits are not kept any more: of the oldest one that is
        field = 2,   ///< valid time: a member of the document, which is a JSON object: a number, in microseconds since
                     ///< 1970, or a string like 2024-05-31 or 2024-05-31T12:30:00Z
        given = 3,   ///< valid time: what `valid_time_us` says
    };
    Time time = Time::none;
    std::uint64_t half_life_us = 0;  ///< at least 1 where age matters
    std::string field = {};
    /// Of a document, by key and value (nullopt: there is only a vector). Called once for each key.
    std::function<std::optional<std::uint64_t>(std::string_view key, std::optional<std::string_view> value)>
        valid_time_us = {};
    /// Ages are told from here; nullopt: from the commit time of the snapshot. What is younger, or has no time, has no
    /// age.
    std::optional<std::uint64_t> now_us = std::nullopt;
};

struct HybridSearch {
    std::size_t most = 10;
    /// Answers that each leg is asked for; 0: four times `most`, at least 100.
    std::size_t depth = 0;
    /// How much a leg counts, at most 1000; 0: it is not asked. nullopt: 1 each, but the text 6 where the vectors are
    /// hashed embeddings, which know no meaning and alone find less than words do.
    std::optional<std::uint32_t> text_weight = std::nullopt;
    std::optional<std::uint32_t> vector_weight = std::nullopt;
    /// Of the fusion, at least 1. nullopt: 60, but 30 where the vectors are hashed embeddings: of a leg that is less
    /// sure the first places should count most.
    std::optional<std::uint32_t> k = std::nullopt;
    /// Which documents may be in an answer, by key: a pure function, called by the searching thread. Each leg goes on
    /// until it has found its depth of them, or all.
    std::function<bool(std::string_view key)> accepts = {};
    /// Width or recall of the leg of vectors; its filter is not looked at.
    VectorSearch vectors = {};
    HybridRecency recency = {};
};

/// A document, and how it came to its score: (text_part + vector_part) * recency.
struct HybridHit {
    std::string key;
    double score = 0;
    std::uint32_t text_rank = 0;    ///< from 1; 0: the leg does not have it within its depth
    std::uint32_t vector_rank = 0;
    double text_score = 0;          ///< BM25, where there is a rank
    double vector_distance = 0;     ///< where there is a rank
    double text_part = 0;           ///< weight / (k + rank); 0 where there is no rank
    double vector_part = 0;
    double recency = 1;             ///< 2^(-age / half-life), to a part in 4096
    std::optional<std::uint64_t> time_us = std::nullopt;  ///< that the age was told by
};

/// Text and vectors of one state. Keeps what it needs of the cartridges; where recency is asked for, the snapshot must
/// be open (Errc::snapshot_closed). May be used by several threads.
class Hybrid {
public:
    /// Cartridges of kinds "text" and "vectors" that were opened for this snapshot, else Error(invalid_argument).
    Hybrid(const Snapshot& snapshot, const Cartridge& text, const Cartridge& vectors);

    const Text& text() const { return text_; }
    const Vectors& vectors() const { return vectors_; }

    /// Best first. Costs as both searches do, and two logarithms for each key found. Error(invalid_argument): the
    /// embedding is of another space, a weight is too large, both are 0, or the recency makes no sense.
    std::vector<HybridHit> search(const TextQuery& words, const Embedding& vector,
                                  const HybridSearch& options = {}) const;
    /// Any of the words of a text, and its hashed embedding. Error(invalid_argument): the vectors are no hashed
    /// embeddings.
    std::vector<HybridHit> search(std::string_view text, const HybridSearch& options = {}) const;

private:
    Text text_;
    Vectors vectors_;
    Tree documents_;
    Tree entries_;
    std::uint64_t snapshot_time_us_ = 0;
};

}  // namespace v0
}  // namespace northstar
