#include "cartridge/text_build.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/release.hpp"
#include "cartridge/front_code.hpp"
#include "cartridge/text_chunk.hpp"
#include "cartridge/text_layout.hpp"
#include "cartridge/text_pack.hpp"
#include "cartridge/text_score.hpp"

#include <algorithm>
#include <limits>

namespace northstar::inline v0::detail {

namespace text_build_impl {

constexpr std::size_t k_terms_per_task = k_text_group * 256;

[[noreturn]] void too_large(const char* what) {
    fail(Errc::unsupported,
         std::string("a text has too many ") + what + " for one cartridge; divide its documents among trees");
}

std::uint32_t place_of(std::size_t bytes) {
    if (bytes > std::numeric_limits<std::uint32_t>::max()) too_large("bytes");
    return static_cast<std::uint32_t>(bytes);
}

/// A term and the chunks that have it, in their order.
struct MergedTerm {
    std::string_view term;
    std::uint32_t first = 0;  ///< in the list of places
    std::uint32_t count = 0;
};
struct TermPlace {
    std::uint32_t chunk = 0;
    std::uint32_t number = 0;
};

/// What a task makes of some terms.
struct EncodedTerms {
    std::vector<std::uint32_t> groups;  ///< places relative to the task
    std::vector<std::uint8_t> terms;
    std::vector<std::uint8_t> postings;
    std::vector<std::uint32_t> block_last;
    std::vector<std::uint32_t> block_place;
    std::vector<std::uint8_t> block_best;
    std::vector<std::uint8_t> positions;
    std::vector<std::uint32_t> position_place;
};

/// Writes the postings of one term after the other.
class TermEncoder {
public:
    TermEncoder(const TextOptions& options, const std::vector<std::uint8_t>& lengths, const LengthTable& table,
                EncodedTerms& out)
        : options_(options), lengths_(lengths), table_(table), out_(out), frequencies_(options.fields.size()) {}

    void add(std::uint32_t document, std::span<const std::uint32_t> frequencies,
             std::span<const std::uint32_t> positions) {
        documents_.push_back(document);
        std::uint64_t weighted = 0;
        std::size_t at = 0;
        for (std::size_t field = 0; field < frequencies.size(); ++field) {
            frequencies_[field].push_back(frequencies[field]);
            weighted += std::uint64_t{frequencies[field]} * options_.fields[field].weight;
            std::uint32_t last = ~0u;
            for (std::uint32_t i = 0; i < frequencies[field] && !positions.empty(); ++i, ++at) {
                positions_.push_back(positions[at] - last - 1);
                last = positions[at];
            }
        }
        const auto frequency = static_cast<std::uint32_t>(std::min<std::uint64_t>(weighted, k_most_frequent));
        best_ = std::max(best_, saturation(frequency, table_.at[lengths_[document]]));
        if (documents_.size() == k_text_block) end_block();
    }

    /// Ends a term; `before` is the one before it in its group, or nothing.
    void finish(std::string_view term, std::string_view before) {
        if (!documents_.empty()) end_block();
        ByteWriter out(out_.terms);
        write_front_coded(out, before, term);
        out.varint(count_);
        out.varint(out_.postings.size() - postings_begin_);
        if (options_.positions) out.varint(out_.positions.size() - positions_begin_);
        if (blocks_.size() > 1) {
            for (const Block& block : blocks_) {
                out_.block_last.push_back(block.last);
                out_.block_place.push_back(block.place);
                out_.block_best.push_back(block.best);
                if (options_.positions) out_.position_place.push_back(block.positions);
            }
        }
        blocks_.clear();
        postings_begin_ = out_.postings.size();
        positions_begin_ = out_.positions.size();
        count_ = 0;
        last_ = ~0u;
    }

private:
    struct Block {
        std::uint32_t last;
        std::uint32_t place;
        std::uint32_t positions;
        std::uint8_t best;
    };

    void end_block() {
        const std::uint32_t place = place_of(out_.postings.size() - postings_begin_);
        blocks_.push_back({documents_.back(), place, place_of(out_.positions.size() - positions_begin_), best_});
        count_ += static_cast<std::uint32_t>(documents_.size());
        best_ = 0;
        for (std::uint32_t& document : documents_) {
            const std::uint32_t gap = document - last_ - 1;
            last_ = document;
            document = gap;
        }
        // One field: every posting has at least one.
        if (frequencies_.size() == 1) {
            for (std::uint32_t& frequency : frequencies_[0]) --frequency;
        }
        const unsigned width = packed_width(documents_);
        out_.postings.push_back(static_cast<std::uint8_t>(width));
        for (const auto& field : frequencies_) out_.postings.push_back(static_cast<std::uint8_t>(packed_width(field)));
        pack(documents_, width, out_.postings);
        for (auto& field : frequencies_) {
            pack(field, packed_width(field), out_.postings);
            field.clear();
        }
        documents_.clear();
        if (!options_.positions) return;
        const unsigned position_width = packed_width(positions_);
        out_.positions.push_back(static_cast<std::uint8_t>(position_width));
        pack_string(positions_, position_width, out_.positions);
        positions_.clear();
    }

    const TextOptions& options_;
    const std::vector<std::uint8_t>& lengths_;
    const LengthTable& table_;
    EncodedTerms& out_;
    std::vector<std::uint32_t> documents_;                 // of the block
    std::vector<std::vector<std::uint32_t>> frequencies_;  // of the block, by field
    std::vector<std::uint32_t> positions_;                 // of the block, by posting and field: gaps
    std::vector<Block> blocks_;                            // of the term
    std::size_t postings_begin_ = 0;
    std::size_t positions_begin_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t last_ = ~0u;
    std::uint8_t best_ = 0;
};

/// All documents, taken apart.
class Documents {
public:
    Documents(CartridgeBuild& build, const TextOptions& options) : build_(build), options_(options) {
        build.each_fact([&](const Fact& fact) { add(fact); });
        index();
    }
    std::vector<TextChunk>& chunks() { return chunks_; }

private:
    void add(const Fact& fact) {
        if (chunks_.size() == indexed_ || chunks_.back().input_bytes() >= k_text_chunk_bytes) {
            if (chunks_.size() - indexed_ == k_text_chunks_at_once) index();
            chunks_.emplace_back(options_);
        }
        chunks_.back().add(fact.key, fact.value);
        if (++documents_ > k_text_most_documents) too_large("documents");
    }
    void index() {
        build_.progress("taking texts apart", documents_, 0);
        build_.parallel(chunks_.size() - indexed_, [&](std::size_t i) {
            chunks_[indexed_ + i].index();
            chunks_[indexed_ + i].forget_lookup();
        });
        indexed_ = chunks_.size();
    }

    CartridgeBuild& build_;
    const TextOptions& options_;
    std::vector<TextChunk> chunks_;
    std::size_t indexed_ = 0;
    std::uint64_t documents_ = 0;
};

/// Merges the sorted terms of all chunks.
void merge_terms(const std::vector<TextChunk>& chunks, std::vector<MergedTerm>& merged,
                 std::vector<TermPlace>& places) {
    std::vector<std::size_t> next(chunks.size(), 0);
    const auto term_at = [&](std::size_t chunk) { return chunks[chunk].term(next[chunk]); };
    // A heap of chunks by their next term, then by their number.
    const auto later = [&](std::size_t a, std::size_t b) {
        const int order = term_at(a).compare(term_at(b));
        return order != 0 ? order > 0 : a > b;
    };
    std::vector<std::size_t> heap;
    for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
        if (chunks[chunk].terms() != 0) heap.push_back(chunk);
    }
    std::make_heap(heap.begin(), heap.end(), later);
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), later);
        const std::size_t chunk = heap.back();
        if (merged.empty() || merged.back().term != term_at(chunk)) {
            merged.push_back({term_at(chunk), place_of(places.size()), 0});
        }
        ++merged.back().count;
        places.push_back({static_cast<std::uint32_t>(chunk), chunks[chunk].number_at(next[chunk])});
        if (++next[chunk] == chunks[chunk].terms()) heap.pop_back();
        else std::push_heap(heap.begin(), heap.end(), later);
    }
}

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
    release_memory(from);
}

void add_keys(CartridgeBuild& build, const std::vector<TextChunk>& chunks) {
    std::vector<std::uint32_t> groups;
    std::vector<std::uint8_t> bytes;
    ByteWriter out(bytes);
    std::string_view before;
    std::size_t count = 0;
    for (const TextChunk& chunk : chunks) {
        for (std::uint32_t document = 0; document < chunk.documents(); ++document) {
            const std::string_view key = chunk.key(document);
            if (count % k_text_group == 0) {
                groups.push_back(place_of(bytes.size()));
                before = {};
            }
            write_front_coded(out, before, key);
            before = key;
            ++count;
        }
    }
    groups.push_back(place_of(bytes.size()));
    build.add(k_text_key_groups, std::move(groups));
    build.add(k_text_keys, std::move(bytes));
}

}  // namespace text_build_impl

void build_text(CartridgeBuild& build) {
    using namespace text_build_impl;
    const TextOptions options(build.parameters());
    Documents documents(build, options);
    std::vector<TextChunk>& chunks = documents.chunks();

    std::vector<std::uint64_t> totals(k_text_totals_count, 0);
    std::vector<std::uint8_t> lengths;
    std::vector<std::uint32_t> first_documents;
    for (const TextChunk& chunk : chunks) {
        first_documents.push_back(static_cast<std::uint32_t>(lengths.size()));
        for (std::uint32_t i = 0; i < chunk.documents(); ++i) lengths.push_back(length_code(chunk.length(i)));
        totals[k_total_length] += chunk.total_length();
        totals[k_total_words] += chunk.total_words();
    }
    totals[k_total_documents] = lengths.size();
    const LengthTable table(lengths.size(), totals[k_total_length]);

    std::vector<MergedTerm> merged;
    std::vector<TermPlace> places;
    merge_terms(chunks, merged, places);
    totals[k_total_terms] = merged.size();

    std::vector<EncodedTerms> parts((merged.size() + k_terms_per_task - 1) / k_terms_per_task);
    build.progress("writing postings", 0, merged.size());
    build.parallel(parts.size(), [&](std::size_t task) {
        EncodedTerms& part = parts[task];
        TermEncoder encoder(options, lengths, table, part);
        const std::size_t first = task * k_terms_per_task;
        for (std::size_t i = first; i < std::min(first + k_terms_per_task, merged.size()); ++i) {
            const bool starts_group = i % k_text_group == 0;
            if (starts_group) {
                part.groups.push_back(place_of(part.terms.size()));
                part.groups.push_back(place_of(part.postings.size()));
                part.groups.push_back(place_of(part.positions.size()));
                part.groups.push_back(place_of(part.block_last.size()));
            }
            for (std::size_t at = 0; at < merged[i].count; ++at) {
                const TermPlace place = places[merged[i].first + at];
                TextChunk::Walk walk = chunks[place.chunk].walk(place.number);
                while (walk.next()) {
                    encoder.add(first_documents[place.chunk] + walk.document(), walk.frequencies(), walk.positions());
                }
            }
            encoder.finish(merged[i].term, starts_group ? std::string_view() : merged[i - 1].term);
        }
    });

    release_memory(merged);
    release_memory(places);
    for (TextChunk& chunk : chunks) chunk.keep_keys();

    EncodedTerms all;
    for (EncodedTerms& part : parts) {
        const std::size_t begins[k_text_group_places] = {all.terms.size(), all.postings.size(), all.positions.size(),
                                                         all.block_last.size()};
        for (std::size_t i = 0; i < part.groups.size(); ++i) {
            all.groups.push_back(place_of(part.groups[i] + begins[i % k_text_group_places]));
        }
        release_memory(part.groups);
        append(all.terms, part.terms);
        append(all.postings, part.postings);
        append(all.block_last, part.block_last);
        append(all.block_place, part.block_place);
        append(all.block_best, part.block_best);
        append(all.positions, part.positions);
        append(all.position_place, part.position_place);
    }
    for (const std::size_t end :
         {all.terms.size(), all.postings.size(), all.positions.size(), all.block_last.size()}) {
        all.groups.push_back(place_of(end));
    }
    build.add(k_text_totals, std::move(totals));
    build.add(k_text_term_groups, std::move(all.groups));
    build.add(k_text_terms, std::move(all.terms));
    build.add(k_text_postings, std::move(all.postings));
    build.add(k_text_block_last, std::move(all.block_last));
    build.add(k_text_block_place, std::move(all.block_place));
    build.add(k_text_block_best, std::move(all.block_best));
    build.add(k_text_positions, std::move(all.positions));
    build.add(k_text_position_place, std::move(all.position_place));
    build.add(k_text_lengths, std::move(lengths));
    add_keys(build, chunks);
}

}  // namespace northstar::inline v0::detail
