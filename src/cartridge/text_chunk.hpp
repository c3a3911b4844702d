// text_chunk.hpp -- some documents, taken apart into the words they have.  Layer: cartridge.  Threads: one at a time.
//
// What a build works through in parallel, and what an overlay is made of: the postings of a few documents in memory.
//
// [TEXT-6] Documents are numbered as they were added. The postings of a term come in that order, and say of each
//          field how often, and where, the term stands in it.
#pragma once

#include "cartridge/text_options.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail {

class TextChunk {
public:
    /// `options` outlive it.
    explicit TextChunk(const TextOptions& options) : options_(&options) {}

    /// Keeps a copy of a fact. Before index().
    void add(std::string_view key, std::string_view fact);
    /// Bytes that were added.
    std::size_t input_bytes() const { return facts_.size(); }
    /// Takes the texts apart and forgets them. Once.
    void index();

    std::uint32_t documents() const { return static_cast<std::uint32_t>(key_ends_.size()); }
    std::string_view key(std::uint32_t document) const;
    /// Words, each counted with the weight of its field.
    std::uint64_t length(std::uint32_t document) const { return lengths_[document]; }
    std::uint64_t total_length() const { return total_length_; }
    std::uint64_t total_words() const { return total_words_; }

    /// Terms, ascending.
    std::size_t terms() const { return order_.size(); }
    std::string_view term(std::size_t rank) const { return words_.word(order_[rank]); }
    /// How many of them are smaller.
    std::size_t rank_of(std::string_view term) const;
    /// The number of a term, by which its postings are asked for.
    std::uint32_t number_at(std::size_t rank) const { return order_[rank]; }
    std::optional<std::uint32_t> find(std::string_view term) const { return words_.find(term); }
    /// Documents that have it.
    std::uint32_t document_frequency(std::uint32_t number) const { return counts_[number]; }

    /// The postings of a term, one by one.
    class Walk {
    public:
        /// `postings`: of a chunk with these options, which outlive it.
        Walk(std::span<const std::byte> postings, const TextOptions& options);
        bool next();
        std::uint32_t document() const { return document_; }
        /// By field.
        std::span<const std::uint32_t> frequencies() const { return frequencies_; }
        /// Field after field, ascending in each; empty where positions are not kept.
        std::span<const std::uint32_t> positions() const { return positions_; }

    private:
        const std::byte* at_;
        const std::byte* end_;
        bool kept_;
        std::uint32_t document_ = ~0u;
        std::vector<std::uint32_t> frequencies_;
        std::vector<std::uint32_t> positions_;
    };
    Walk walk(std::uint32_t number) const { return Walk(postings(number), *options_); }
    /// The same as bytes.
    std::span<const std::byte> postings(std::uint32_t number) const;

private:
    /// Words by number, in the order of their first use.
    class Words {
    public:
        std::uint32_t number(std::string_view word);
        std::optional<std::uint32_t> find(std::string_view word) const;
        std::string_view word(std::uint32_t number) const {
            return {bytes_.data() + ends_[number], ends_[number + std::size_t{1}] - ends_[number]};
        }
        std::uint32_t size() const { return static_cast<std::uint32_t>(ends_.size() - 1); }

    private:
        struct Slot {
            std::uint32_t hash = 0;
            std::uint32_t number = k_empty;
        };
        static constexpr std::uint32_t k_empty = ~0u;
        static std::uint32_t hash_of(std::string_view word);
        /// Where a word is, or would be.
        std::size_t slot_of(std::string_view word, std::uint32_t hash) const;
        void grow();
        std::vector<char> bytes_;
        std::vector<std::size_t> ends_{0};
        std::vector<Slot> slots_ = std::vector<Slot>(1024);
    };
    struct Token {
        std::uint32_t term;
        std::uint32_t document;
        std::uint32_t position;
        std::uint32_t field;
    };
    void read_document(std::uint32_t document, std::string_view fact);
    std::uint32_t term_number(std::string_view word);
    void write_postings();

    const TextOptions* options_;
    std::string keys_;
    std::vector<std::size_t> key_ends_;
    std::string facts_;
    std::vector<std::size_t> fact_ends_;
    Words words_;                            // terms
    Words raw_words_;                        // as they stand in texts, where terms are stems
    std::vector<std::uint32_t> stems_;       // number of the term of each of them
    std::deque<Token> tokens_;               // of unknown number: growing takes no second copy
    std::vector<std::uint64_t> lengths_;
    std::uint64_t total_length_ = 0;
    std::uint64_t total_words_ = 0;
    std::vector<std::uint32_t> order_;       // numbers of terms, by term
    std::vector<std::uint32_t> counts_;      // by number
    // By number; varints. Of each document: twice the gap to the one before, and 1 more unless the first field has the
    // term once; if so, and for each further field, how often; after each of these the gaps of positions, where they
    // are kept.
    std::vector<std::byte> postings_;
    std::vector<std::size_t> posting_ends_;
};

}  // namespace northstar::inline v0::detail
