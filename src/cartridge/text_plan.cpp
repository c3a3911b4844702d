#include "cartridge/text_plan.hpp"

#include "base/error.hpp"
#include "cartridge/text_words.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace text_plan_impl {

std::optional<std::uint32_t> field_number(const TextOptions& options, const std::string& name) {
    if (name.empty()) return std::nullopt;
    for (std::uint32_t i = 0; options.objects && i < options.fields.size(); ++i) {
        // The only one is every one.
        if (options.fields[i].name == name) return options.fields.size() == 1 ? std::nullopt : std::optional(i);
    }
    fail(Errc::invalid_argument, "the documents have no field '" + name + "'; put a blank behind the colon, or quotes "
                                     "around it all, where it is none");
}

bool same(const PlanLeaf& a, const PlanLeaf& b) {
    return a.terms == b.terms && a.prefix == b.prefix && a.field == b.field;
}

std::uint8_t best_of(const StoredPostings& postings, std::span<const std::uint8_t> lengths, const LengthTable& table) {
    std::uint8_t best = 0;
    for (std::size_t i = 0; i < postings.documents.size(); ++i) {
        const float length = table.at[lengths[postings.documents[i]]];
        best = std::max(best, saturation(postings.frequencies[i], length));
    }
    return best;
}

}  // namespace text_plan_impl

std::vector<std::string> query_terms(const TextOptions& options, const QueryNode& node) {
    std::vector<std::string> terms;
    WordReader reader(node.text);
    while (reader.next()) {
        // What begins a word is not what begins its stem.
        terms.push_back(node.kind == QueryNode::Kind::prefix ? std::string(reader.word())
                                                             : text_term(options, reader.word()));
    }
    return terms;
}

TextPlan::TextPlan(const TextData& data, const QueryNode& query) : data_(data), root_(node_of(query)) {
    for (PlanLeaf& leaf : leaves_) look_up(leaf);
}

std::optional<PlanNode> TextPlan::node_of(const QueryNode& query) {
    using Kind = QueryNode::Kind;
    if (query.kind == Kind::group) {
        PlanNode node;
        node.must = nodes_of(query.must);
        node.should = nodes_of(query.should);
        node.never = nodes_of(query.never);
        if (node.must.empty() && node.should.empty()) return std::nullopt;
        return node;
    }
    std::vector<std::string> terms = query_terms(data_.base.options, query);
    if (terms.empty()) return std::nullopt;
    if (terms.size() == 1) return leaf_of(query, std::move(terms));
    if (query.kind == Kind::phrase && !data_.base.options.positions) {
        fail(Errc::unsupported, "the cartridge keeps no positions, so phrases cannot be asked for; build it with the "
                                "parameter positions=yes, or ask for the words alone");
    }
    if (query.kind != Kind::prefix && data_.base.options.positions) return leaf_of(query, std::move(terms));
    PlanNode all;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        QueryNode part = query;
        const bool last = i + 1 == terms.size();
        part.kind = last && query.kind == Kind::prefix ? Kind::prefix : Kind::word;
        all.must.push_back(leaf_of(part, {terms[i]}));
    }
    return all;
}

std::vector<PlanNode> TextPlan::nodes_of(const std::vector<QueryNode>& queries) {
    std::vector<PlanNode> nodes;
    for (const QueryNode& query : queries) {
        std::optional<PlanNode> node = node_of(query);
        if (!node) continue;
        // The same leaf twice side by side is one that counts twice.
        const auto again = std::find_if(nodes.begin(), nodes.end(), [&](const PlanNode& other) {
            return node->leaf && other.leaf && text_plan_impl::same(leaves_[*other.leaf], leaves_[*node->leaf]);
        });
        if (again == nodes.end()) {
            nodes.push_back(*std::move(node));
        } else {
            ++leaves_[*again->leaf].times;
            leaves_.pop_back();
        }
    }
    return nodes;
}

PlanNode TextPlan::leaf_of(const QueryNode& query, std::vector<std::string> terms) {
    PlanLeaf leaf;
    leaf.terms = std::move(terms);
    leaf.prefix = query.kind == QueryNode::Kind::prefix;
    leaf.field = text_plan_impl::field_number(data_.base.options, query.field);
    leaves_.push_back(std::move(leaf));
    if (leaves_.size() > k_most_query_words) {
        fail(Errc::invalid_argument, "a question has at most " + std::to_string(k_most_query_words) +
                                         " words; ask for fewer");
    }
    PlanNode node;
    node.leaf = leaves_.size() - 1;
    return node;
}

void TextPlan::look_up(PlanLeaf& leaf) const {
    using text_plan_impl::best_of;
    if (data_.overlay) {
        StoredPostings found = look_up_in_overlay(data_, leaf);
        found.best = best_of(found, data_.overlay->lengths, data_.table);
        if (!found.documents.empty()) leaf.in_overlay = std::make_shared<StoredPostings>(std::move(found));
    }
    if (leaf.plain()) {
        leaf.list = data_.base.find(leaf.terms[0]);
        leaf.document_frequency = data_.document_frequency(leaf.terms[0], leaf.list);
    } else {
        StoredPostings in_base = look_up_in_base(data_, leaf);
        in_base.best = best_of(in_base, data_.base.lengths.all(), data_.table);
        leaf.document_frequency =
            in_base.documents.size() + (leaf.in_overlay != nullptr ? leaf.in_overlay->documents.size() : 0);
        leaf.in_base = std::make_shared<StoredPostings>(std::move(in_base));
    }
    leaf.weight = static_cast<float>(word_weight(data_.documents, leaf.document_frequency) * leaf.times);
}

bool TextPlan::may_find(bool in_overlay) const {
    const auto has = [&](const PlanLeaf& leaf) {
        return in_overlay ? leaf.in_overlay != nullptr : leaf.list.has_value() || leaf.in_base != nullptr;
    };
    return std::any_of(leaves_.begin(), leaves_.end(), has);
}

bool TextPlan::any_of_leaves() const {
    if (!root_) return true;
    if (root_->leaf) return true;
    const auto is_leaf = [](const PlanNode& node) { return node.leaf.has_value(); };
    return root_->must.empty() && root_->never.empty() &&
           std::all_of(root_->should.begin(), root_->should.end(), is_leaf);
}

PostingCursor TextPlan::cursor(std::size_t number, bool in_overlay) const {
    const PlanLeaf& leaf = leaves_[number];
    if (in_overlay) return leaf.in_overlay != nullptr ? PostingCursor(leaf.in_overlay) : PostingCursor();
    if (!leaf.plain()) return PostingCursor(leaf.in_base);
    return leaf.list ? PostingCursor(ListBlocks(data_.base, *leaf.list)) : PostingCursor();
}

}  // namespace northstar::inline v0::detail
