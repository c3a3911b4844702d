// text_plan.hpp -- a question with the lists of postings that answer it.  Layer: cartridge.  Threads: values.
//
// [TEXT-11] A leaf is what a document has or has not: a word, a word in one field, a phrase, a prefix. Each but a plain
//           word is looked up ahead, whole, so that all weigh by the number of documents that have them, and are walked
//           through in one way.
#pragma once

#include "cartridge/text_list.hpp"
#include "cartridge/text_overlay.hpp"
#include "cartridge/text_query.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

struct PlanLeaf {
    std::vector<std::string> terms;      ///< several: a phrase
    bool prefix = false;
    std::optional<std::uint32_t> field;
    std::uint32_t times = 1;             ///< how often the question has it
    std::uint64_t document_frequency = 0;
    float weight = 0;                    ///< times included
    std::optional<TermList> list;        ///< of a plain word, in the artifact
    std::shared_ptr<const StoredPostings> in_base;
    std::shared_ptr<const StoredPostings> in_overlay;  ///< nullptr: none there has it

    bool plain() const { return terms.size() == 1 && !prefix && !field; }
};

struct PlanNode {
    std::optional<std::size_t> leaf;  ///< nullopt: a group
    std::vector<PlanNode> must;
    std::vector<PlanNode> should;
    std::vector<PlanNode> never;
};

class TextPlan {
public:
    /// Throws Error(unsupported, invalid_argument). `data` outlives it.
    TextPlan(const TextData& data, const QueryNode& query);

    const TextData& data() const { return data_; }
    const std::vector<PlanLeaf>& leaves() const { return leaves_; }
    /// nullopt: the question has no words.
    const std::optional<PlanNode>& root() const { return root_; }
    /// Is one leaf enough, whichever? Then these are all.
    bool any_of_leaves() const;
    /// Does a side have anything that the question asks for?
    bool may_find(bool in_overlay) const;
    PostingCursor cursor(std::size_t leaf, bool in_overlay) const;

private:
    std::optional<PlanNode> node_of(const QueryNode& query);
    std::vector<PlanNode> nodes_of(const std::vector<QueryNode>& queries);
    PlanNode leaf_of(const QueryNode& query, std::vector<std::string> terms);
    void look_up(PlanLeaf& leaf) const;

    const TextData& data_;
    std::vector<PlanLeaf> leaves_;
    std::optional<PlanNode> root_;
};

/// Words of a part of a question, as the index has them.
std::vector<std::string> query_terms(const TextOptions& options, const QueryNode& node);

/// Documents that have a leaf, looked up whole: those of the artifact that did not change, and those beside it.
StoredPostings look_up_in_base(const TextData& data, const PlanLeaf& leaf);
StoredPostings look_up_in_overlay(const TextData& data, const PlanLeaf& leaf);

}  // namespace northstar::inline v0::detail
