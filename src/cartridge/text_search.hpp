// text_search.hpp -- the best documents of a question, on one side of it.  Layer: cartridge.  Threads: values.
//
// Where any word is enough: block-max MAXSCORE over windows of documents (H. Turtle, J. Flood, Query evaluation:
// strategies and optimizations, 1995; S. Ding, T. Suel, Faster top-k document retrieval using block-max indexes,
// 2011). In each window the lists whose best blocks together cannot lift a document over the worst of the best so
// far are only asked about documents that the other lists bring up. Everything else is walked through, one document
// after the other.
//
// [TEXT-12] Both find the same documents with the same scores as adding up every posting does.
#pragma once

#include "cartridge/text_plan.hpp"

#include <cstdint>
#include <vector>

namespace northstar::inline v0::detail {

struct ScoredDocument {
    std::uint32_t document = 0;
    std::uint32_t score = 0;  ///< in units
};

/// The best of those that were offered in ascending order of documents.
class BestDocuments {
public:
    explicit BestDocuments(std::size_t most) : most_(most) {}
    /// Can a document with this score get in?
    bool wants(std::uint32_t score) const { return found_.size() < most_ || score > found_.front().score; }
    void offer(ScoredDocument document);
    /// Best first; equal scores by document.
    std::vector<ScoredDocument> take();

private:
    /// For the heap: does `a` leave later than `b`?
    static bool better(const ScoredDocument& a, const ScoredDocument& b) {
        return a.score != b.score ? a.score > b.score : a.document < b.document;
    }
    std::size_t most_;
    std::vector<ScoredDocument> found_;  // a heap, the worst in front
};

/// The best documents of a side; `most` at least 1.
std::vector<ScoredDocument> search_any(const TextPlan& plan, bool in_overlay, std::size_t most);
std::vector<ScoredDocument> search_all(const TextPlan& plan, bool in_overlay, std::size_t most);
/// How many there are.
std::uint64_t count_matches(const TextPlan& plan, bool in_overlay);

/// A leaf that a document has, where it counts.
struct MatchedLeaf {
    std::size_t leaf = 0;
    std::uint32_t frequency = 0;
    std::uint32_t score = 0;
};
/// nullopt: the document is not among the answers.
std::optional<std::vector<MatchedLeaf>> match_document(const TextPlan& plan, bool in_overlay, std::uint32_t document);

}  // namespace northstar::inline v0::detail
