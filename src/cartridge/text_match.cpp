// text_match.cpp -- questions that want more than any of some words: documents that match, one after the other.
#include "cartridge/text_search.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace text_match_impl {

/// A node of a plan that goes through the documents that match it.
class Matcher {
public:
    Matcher(const TextPlan& plan, const PlanNode& node, bool in_overlay) {
        if (node.leaf) {
            leaf_ = *node.leaf;
            cursor_ = std::make_unique<PostingCursor>(plan.cursor(leaf_, in_overlay));
            frequency_ = plan.leaves()[leaf_].document_frequency;
            return;
        }
        const auto make = [&](const std::vector<PlanNode>& nodes, std::vector<Matcher>& to) {
            for (const PlanNode& part : nodes) to.emplace_back(plan, part, in_overlay);
        };
        make(node.must, must_);
        make(node.should, should_);
        make(node.never, never_);
        // Rarest first, for they pass over most.
        std::stable_sort(must_.begin(), must_.end(),
                         [](const Matcher& a, const Matcher& b) { return a.frequency_ < b.frequency_; });
        for (const Matcher& part : should_) frequency_ += part.frequency_;
        if (!must_.empty()) frequency_ = must_.front().frequency_;
    }

    /// The first document at or behind `target` that matches; k_no_document: there is none. Never goes back.
    std::uint32_t seek(std::uint32_t target) {
        if (started_ && document_ >= target) return document_;
        started_ = true;
        if (cursor_ != nullptr) {
            cursor_->seek(target);
            return document_ = cursor_->document();
        }
        for (document_ = target; document_ != k_no_document; ++document_) {
            document_ = must_.empty() ? first_of(document_) : common(document_);
            const bool excluded = document_ != k_no_document &&
                                  std::any_of(never_.begin(), never_.end(), [&](Matcher& part) {
                                      return part.seek(document_) == document_;
                                  });
            if (!excluded) break;
        }
        return document_;
    }

    /// What the leaves that the document seek() found has are worth; `matched`: which they are, if anybody asks.
    std::uint32_t score(const TextPlan& plan, float length, std::vector<MatchedLeaf>* matched) {
        if (cursor_ != nullptr) {
            const std::uint32_t frequency = cursor_->frequency();
            const std::uint32_t units = contribution(plan.leaves()[leaf_].weight, frequency, length);
            if (matched != nullptr) matched->push_back({leaf_, frequency, units});
            return units;
        }
        std::uint32_t sum = 0;
        for (Matcher& part : must_) sum += part.score(plan, length, matched);
        for (Matcher& part : should_) {
            if (part.seek(document_) == document_) sum += part.score(plan, length, matched);
        }
        return sum;
    }

private:
    std::uint32_t first_of(std::uint32_t target) {
        std::uint32_t first = k_no_document;
        for (Matcher& part : should_) first = std::min(first, part.seek(target));
        return first;
    }
    std::uint32_t common(std::uint32_t target) {
        for (std::size_t agreed = 0; agreed < must_.size() && target != k_no_document;) {
            const std::uint32_t found = must_[agreed].seek(target);
            agreed = found == target ? agreed + 1 : agreed != 0 ? 0 : 1;
            target = found;
        }
        return target;
    }

    std::unique_ptr<PostingCursor> cursor_;
    std::size_t leaf_ = 0;
    std::uint64_t frequency_ = 0;  ///< documents that match, at most
    std::vector<Matcher> must_;
    std::vector<Matcher> should_;
    std::vector<Matcher> never_;
    std::uint32_t document_ = 0;
    bool started_ = false;
};

TextSide side_of(const TextPlan& plan, bool in_overlay) {
    return in_overlay ? plan.data().overlay_side() : plan.data().base_side();
}

}  // namespace text_match_impl

std::vector<ScoredDocument> search_all(const TextPlan& plan, bool in_overlay, std::size_t most) {
    using namespace text_match_impl;
    BestDocuments best(most);
    if (!plan.root()) return {};
    const TextSide side = side_of(plan, in_overlay);
    Matcher matcher(plan, *plan.root(), in_overlay);
    for (std::uint32_t document = 0; (document = matcher.seek(document)) != k_no_document; ++document) {
        if (!side.has(document)) continue;
        const float length = plan.data().table.at[side.lengths[document]];
        best.offer({document, matcher.score(plan, length, nullptr)});
    }
    return best.take();
}

std::uint64_t count_matches(const TextPlan& plan, bool in_overlay) {
    using namespace text_match_impl;
    if (!plan.root()) return 0;
    const TextSide side = side_of(plan, in_overlay);
    Matcher matcher(plan, *plan.root(), in_overlay);
    std::uint64_t count = 0;
    for (std::uint32_t document = 0; (document = matcher.seek(document)) != k_no_document; ++document) {
        count += side.has(document) ? 1 : 0;
    }
    return count;
}

std::optional<std::vector<MatchedLeaf>> match_document(const TextPlan& plan, bool in_overlay, std::uint32_t document) {
    using namespace text_match_impl;
    if (!plan.root()) return std::nullopt;
    Matcher matcher(plan, *plan.root(), in_overlay);
    if (matcher.seek(document) != document) return std::nullopt;
    std::vector<MatchedLeaf> matched;
    matcher.score(plan, plan.data().table.at[side_of(plan, in_overlay).lengths[document]], &matched);
    return matched;
}

}  // namespace northstar::inline v0::detail
