// text.cpp -- Text: search, count, explain.
#include "api/handles.hpp"
#include "cartridge/kind.hpp"
#include "cartridge/text_search.hpp"

#include <algorithm>

namespace northstar::inline v0 {

namespace detail {

namespace text_impl {

double points(std::uint64_t units) { return static_cast<double>(units) / k_score_one; }

std::string written(const PlanLeaf& leaf) {
    std::string out;
    for (const std::string& term : leaf.terms) out += (out.empty() ? "" : " ") + term;
    if (leaf.terms.size() > 1) out = '"' + out + '"';
    if (leaf.prefix) out += '*';
    return out;
}

}  // namespace text_impl

}  // namespace detail

Text::Text(const Cartridge& cartridge) try : data_(detail::TextData::of(detail::of_kind(cartridge, {"text"}))) {
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint64_t Text::document_count() const { return data_->documents; }
std::uint64_t Text::term_count() const { return data_->base.total(detail::k_total_terms); }

double Text::average_length() const {
    if (data_->documents == 0) return 0;
    return static_cast<double>(data_->total_length) / static_cast<double>(data_->documents);
}

std::vector<std::string> Text::fields() const try {
    std::vector<std::string> names;
    for (const auto& field : data_->base.options.fields) names.push_back(field.name);
    return names;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<TextHit> Text::search(const TextQuery& query, std::size_t most) const try {
    using namespace detail;
    const TextPlan plan(*data_, *query.root_);
    if (most == 0) return {};
    struct Found {
        std::string key;
        std::uint32_t score;
    };
    std::vector<Found> found;
    for (const bool in_overlay : {false, true}) {
        if (!plan.may_find(in_overlay)) continue;
        for (const ScoredDocument& document : plan.any_of_leaves() ? search_any(plan, in_overlay, most)
                                                                   : search_all(plan, in_overlay, most)) {
            found.push_back({in_overlay ? std::string(data_->overlay->now.key(document.document))
                                        : data_->base.key(document.document), document.score});
        }
    }
    // Each side is in this order already.
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
        return a.score != b.score ? a.score > b.score : a.key < b.key;
    });
    if (found.size() > most) found.resize(most);
    std::vector<TextHit> hits;
    for (Found& one : found) hits.push_back({std::move(one.key), text_impl::points(one.score)});
    return hits;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint64_t Text::count(const TextQuery& query) const try {
    const detail::TextPlan plan(*data_, *query.root_);
    return detail::count_matches(plan, false) + (data_->overlay ? detail::count_matches(plan, true) : 0);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

TextExplanation Text::explain(const TextQuery& query, std::string_view key) const try {
    using namespace detail;
    const TextPlan plan(*data_, *query.root_);
    TextExplanation out;
    out.documents = data_->documents;
    out.average_length = average_length();
    const std::optional<TextData::Place> place = data_->find(key);
    if (!place) return out;
    const TextSide side = place->in_overlay ? data_->overlay_side() : data_->base_side();
    out.length = length_of_code(side.lengths[place->document]);
    const std::optional<std::vector<MatchedLeaf>> matched =
        match_document(plan, place->in_overlay, place->document);
    if (!matched) return out;
    out.matches = true;
    for (const MatchedLeaf& one : *matched) {
        const PlanLeaf& leaf = plan.leaves()[one.leaf];
        TextExplanation::Part part;
        part.word = text_impl::written(leaf);
        if (leaf.field) part.field = data_->base.options.fields[*leaf.field].name;
        part.document_frequency = leaf.document_frequency;
        part.frequency = one.frequency;
        part.times = leaf.times;
        part.weight = text_impl::points(static_cast<std::uint64_t>(leaf.weight));
        part.score = text_impl::points(one.score);
        out.score += part.score;
        out.parts.push_back(std::move(part));
    }
    return out;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
