// text_lookup.cpp -- leaves that are looked up whole: words in a field, prefixes, phrases, and everything in an
// overlay.
#include "cartridge/text_plan.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

namespace text_lookup_impl {

using Positions = std::vector<std::vector<std::uint32_t>>;  // by field, ascending

/// Documents and frequencies as they come, in any order and several times.
class Gathering {
public:
    void add(std::uint32_t document, std::uint64_t frequency) {
        if (frequency != 0) found_.emplace_back(document, frequency);
    }
    StoredPostings take() {
        if (!std::is_sorted(found_.begin(), found_.end())) std::sort(found_.begin(), found_.end());
        StoredPostings postings;
        for (std::size_t i = 0; i < found_.size();) {
            const std::uint32_t document = found_[i].first;
            std::uint64_t frequency = 0;
            for (; i < found_.size() && found_[i].first == document; ++i) frequency += found_[i].second;
            postings.add(document, frequency);
        }
        return postings;
    }

private:
    std::vector<std::pair<std::uint32_t, std::uint64_t>> found_;
};

void gather_list(const TextData& data, const TextSide& side, const TermList& list, std::optional<std::uint32_t> field,
                 Gathering& out) {
    const ListBlocks blocks(data.base, list);
    std::uint32_t documents[k_text_block];
    std::uint32_t frequencies[k_text_block];
    const std::uint64_t weight = field ? data.base.options.fields[*field].weight : 1;
    for (std::uint32_t block = 0; block < blocks.blocks(); ++block) {
        blocks.read_documents(block, documents);
        if (field) blocks.read_counts(block, *field, frequencies);
        else blocks.read_frequencies(block, frequencies);
        for (std::size_t i = 0; i < blocks.size(block); ++i) {
            if (side.has(documents[i])) out.add(documents[i], frequencies[i] * weight);
        }
    }
}

void gather_walk(TextChunk::Walk walk, const TextOptions& options, std::optional<std::uint32_t> field, Gathering& out) {
    while (walk.next()) {
        std::uint64_t weighted = 0;
        for (std::size_t f = 0; f < options.fields.size(); ++f) {
            if (!field || *field == f) weighted += std::uint64_t{walk.frequencies()[f]} * options.fields[f].weight;
        }
        out.add(walk.document(), weighted);
    }
}

/// The words of a phrase. One that stands in it several times is looked up once.
struct Phrase {
    explicit Phrase(const std::vector<std::string>& words) {
        for (const std::string& word : words) {
            const auto known = std::find(terms.begin(), terms.end(), word);
            which.push_back(static_cast<std::size_t>(known - terms.begin()));
            if (known == terms.end()) terms.push_back(word);
        }
    }
    std::vector<std::string> terms;
    std::vector<std::size_t> which;  ///< by place in the phrase: the term that stands there
};

/// The first of ascending numbers, from the place `at` on, that is not below `target`: by steps that double.
std::size_t seek(const std::vector<std::uint32_t>& numbers, std::size_t at, std::uint64_t target) {
    std::size_t end = at;
    for (std::size_t step = 1; end < numbers.size() && numbers[end] < target; step *= 2) {
        at = end + 1;
        end = step < numbers.size() - end ? end + step : numbers.size();
    }
    const auto first = numbers.begin();
    const auto found = std::lower_bound(first + static_cast<std::ptrdiff_t>(at),
                                        first + static_cast<std::ptrdiff_t>(end), target);
    return static_cast<std::size_t>(found - first);
}

/// How often the words stand one behind the other in a field. `terms`: where each term of the phrase stands.
std::uint64_t occurrences(const Phrase& phrase, const std::vector<Positions>& terms, std::size_t field) {
    const auto positions = [&](std::size_t place) -> const std::vector<std::uint32_t>& {
        return terms[phrase.which[place]][field];
    };
    std::size_t rarest = 0;
    for (std::size_t place = 1; place < phrase.which.size(); ++place) {
        if (positions(place).size() < positions(rarest).size()) rarest = place;
    }
    std::vector<std::size_t> at(phrase.which.size(), 0);
    std::uint64_t count = 0;
    for (const std::uint32_t position : positions(rarest)) {
        if (position < rarest) continue;
        bool all = true;
        for (std::size_t place = 0; all && place < at.size(); ++place) {
            const std::uint64_t target = std::uint64_t{position} - rarest + place;
            at[place] = seek(positions(place), at[place], target);
            if (at[place] == positions(place).size()) return count;
            all = positions(place)[at[place]] == target;
        }
        count += all ? 1 : 0;
    }
    return count;
}

std::uint64_t phrase_frequency(const TextOptions& options, std::optional<std::uint32_t> field, const Phrase& phrase,
                               const std::vector<Positions>& terms) {
    std::uint64_t weighted = 0;
    for (std::size_t f = 0; f < options.fields.size(); ++f) {
        if (!field || *field == f) weighted += occurrences(phrase, terms, f) * options.fields[f].weight;
    }
    return weighted;
}

StoredPostings phrase_in_base(const TextData& data, const PlanLeaf& leaf) {
    const TextSide side = data.base_side();
    const Phrase phrase(leaf.terms);
    std::vector<PostingCursor> cursors;
    std::size_t rarest = 0;
    std::uint32_t fewest = ~0u;
    for (const std::string& term : phrase.terms) {
        const std::optional<TermList> list = data.base.find(term);
        if (!list) return {};
        if (list->documents < fewest) {
            fewest = list->documents;
            rarest = cursors.size();
        }
        cursors.emplace_back(ListBlocks(data.base, *list));
    }
    StoredPostings found;
    std::vector<Positions> positions(cursors.size());
    for (std::uint32_t document = 0;;) {
        cursors[rarest].seek(document);
        document = cursors[rarest].document();
        if (document == k_no_document) return found;
        std::uint32_t next = document;
        for (std::size_t i = 0; i < cursors.size() && next == document; ++i) {
            cursors[i].seek(document);
            next = cursors[i].document();
        }
        if (next == k_no_document) return found;
        if (next == document) {
            if (side.has(document)) {
                for (std::size_t i = 0; i < cursors.size(); ++i) cursors[i].read_positions(positions[i]);
                const std::uint64_t frequency = phrase_frequency(data.base.options, leaf.field, phrase, positions);
                if (frequency != 0) found.add(document, frequency);
            }
            ++next;
        }
        document = next;
    }
}

Positions positions_of(const TextChunk::Walk& walk) {
    Positions all;
    std::size_t at = 0;
    for (const std::uint32_t frequency : walk.frequencies()) {
        const std::span<const std::uint32_t> own = walk.positions().subspan(at, frequency);
        all.emplace_back(own.begin(), own.end());
        at += frequency;
    }
    return all;
}

StoredPostings phrase_in_chunk(const TextChunk& chunk, const TextOptions& options, const PlanLeaf& leaf) {
    const Phrase phrase(leaf.terms);
    // Documents that have the words so far, with their positions.
    std::vector<std::pair<std::uint32_t, std::vector<Positions>>> found;
    for (std::size_t word = 0; word < phrase.terms.size(); ++word) {
        const std::optional<std::uint32_t> number = chunk.find(phrase.terms[word]);
        if (!number) return {};
        TextChunk::Walk walk = chunk.walk(*number);
        auto next = found.begin();
        while (walk.next()) {
            if (word == 0) {
                found.emplace_back(walk.document(), std::vector<Positions>{positions_of(walk)});
                continue;
            }
            while (next != found.end() && next->first < walk.document()) ++next;
            if (next != found.end() && next->first == walk.document()) next->second.push_back(positions_of(walk));
        }
        std::erase_if(found, [&](const auto& document) { return document.second.size() != word + 1; });
    }
    StoredPostings postings;
    for (const auto& [document, positions] : found) {
        const std::uint64_t frequency = phrase_frequency(options, leaf.field, phrase, positions);
        if (frequency != 0) postings.add(document, frequency);
    }
    return postings;
}

}  // namespace text_lookup_impl

StoredPostings look_up_in_base(const TextData& data, const PlanLeaf& leaf) {
    using namespace text_lookup_impl;
    if (leaf.terms.size() > 1) return phrase_in_base(data, leaf);
    const TextSide side = data.base_side();
    Gathering found;
    if (!leaf.prefix) {
        if (const std::optional<TermList> list = data.base.find(leaf.terms[0])) {
            gather_list(data, side, *list, leaf.field, found);
        }
        return found.take();
    }
    TermCursor cursor(data.base);
    for (bool there = cursor.lower_bound(leaf.terms[0]); there && cursor.term().starts_with(leaf.terms[0]);
         there = cursor.next()) {
        gather_list(data, side, cursor.list(), leaf.field, found);
    }
    return found.take();
}

StoredPostings look_up_in_overlay(const TextData& data, const PlanLeaf& leaf) {
    using namespace text_lookup_impl;
    const TextChunk& chunk = data.overlay->now;
    const TextOptions& options = data.base.options;
    if (leaf.terms.size() > 1) return phrase_in_chunk(chunk, options, leaf);
    Gathering found;
    if (!leaf.prefix) {
        if (const std::optional<std::uint32_t> number = chunk.find(leaf.terms[0])) {
            gather_walk(chunk.walk(*number), options, leaf.field, found);
        }
        return found.take();
    }
    for (std::size_t rank = chunk.rank_of(leaf.terms[0]); rank < chunk.terms(); ++rank) {
        if (!chunk.term(rank).starts_with(leaf.terms[0])) break;
        gather_walk(chunk.walk(chunk.number_at(rank)), options, leaf.field, found);
    }
    return found.take();
}

}  // namespace northstar::inline v0::detail
