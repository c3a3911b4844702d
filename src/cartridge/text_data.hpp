// text_data.hpp -- a text artifact as it is read: terms, lists of postings, documents.  Layer: cartridge.  Threads:
// any.
//
// [TEXT-7] Numbers that come out of an artifact are compared with its bounds before they are followed; documents of
//          a block ascend and are below the number of documents, whatever its bytes are.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/text_layout.hpp"
#include "cartridge/text_options.hpp"
#include "cartridge/text_pack.hpp"
#include "cartridge/text_score.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// Where the postings of a term lie.
struct TermList {
    std::uint32_t documents = 0;  ///< that have it
    std::uint32_t only = k_no_document;  ///< the only one, where it has the term once: then there is no list
    bool counts_follow = false;   ///< in the only block
    std::uint32_t postings_begin = 0;
    std::uint32_t postings_size = 0;
    std::uint32_t positions_begin = 0;
    std::uint32_t positions_size = 0;
    std::uint32_t first_block = 0;  ///< in the sections of blocks, where there are several
    std::uint32_t blocks() const { return static_cast<std::uint32_t>((documents + k_text_block - 1) / k_text_block); }
};

struct TextSections {
    explicit TextSections(const Cartridge& cartridge);

    TextOptions options;
    Section<std::uint64_t> totals;
    Section<std::uint32_t> term_groups;
    Section<std::uint8_t> terms;
    Section<std::uint8_t> postings;
    Section<std::uint32_t> block_last;
    Section<std::uint32_t> block_place;
    Section<std::uint8_t> block_best;
    Section<std::uint8_t> positions;
    Section<std::uint32_t> position_place;
    Section<std::uint8_t> lengths;
    Section<std::uint32_t> key_groups;
    Section<std::uint8_t> keys;
    std::uint32_t documents = 0;

    std::uint64_t total(TextTotal which) const { return totals[which]; }
    std::optional<TermList> find(std::string_view term) const;
    /// Throws Error(corrupt) for a document that is not there.
    std::string key(std::uint32_t document) const;
    std::optional<std::uint32_t> find_document(std::string_view key) const;
};

/// Goes through terms, ascending.
class TermCursor {
public:
    explicit TermCursor(const TextSections& text) : text_(text) {}
    /// Goes to the first term; to the first one that is not smaller. false: there is none.
    bool first() { return open_group(0) && next(); }
    bool lower_bound(std::string_view term);
    bool next();
    std::string_view term() const { return term_; }
    const TermList& list() const { return list_; }

private:
    std::uint64_t groups() const { return text_.term_groups.size() / k_text_group_places - 1; }
    /// Before its first term; false: there is no such group.
    bool open_group(std::uint64_t group);

    const TextSections& text_;
    std::uint64_t group_ = 0;
    std::span<const std::uint8_t> bytes_;  // of the group, not yet read
    std::string term_;
    TermList list_;
    std::uint32_t next_postings_ = 0;
    std::uint32_t next_positions_ = 0;
    std::uint32_t next_block_ = 0;
};

/// The postings of a term, block by block.
class ListBlocks {
public:
    ListBlocks(const TextSections& text, const TermList& list);

    std::uint32_t blocks() const { return blocks_; }
    std::size_t size(std::uint32_t block) const {
        return block + 1 == blocks_ ? list_.documents - std::size_t{block} * k_text_block : k_text_block;
    }
    /// Last document of a block; of the only one: the last that there can be.
    std::uint32_t last(std::uint32_t block) const {
        return lasts_.empty() ? text_->documents - 1 : lasts_[block];
    }
    /// The largest saturation() in a block; of the only one: the largest that there can be.
    std::uint8_t best(std::uint32_t block) const { return bests_.empty() ? std::uint8_t{255} : bests_[block]; }

    /// Writes size(block) numbers, ascending and below the number of documents.
    void read_documents(std::uint32_t block, std::uint32_t* to) const;
    /// How often each document has the term in a field.
    void read_counts(std::uint32_t block, std::uint32_t field, std::uint32_t* to) const;
    /// The same in all fields, with their weights, at most k_most_frequent.
    void read_frequencies(std::uint32_t block, std::uint32_t* to) const;
    /// Does every posting of the block say 1 (one field of weight 1)? Cheaper than reading them.
    bool all_once(std::uint32_t block) const;

    /// Throws Error(corrupt) where not all positions of a block are there.
    void check_positions(std::uint32_t block) const;
    /// Positions of one posting, by field.
    void read_positions(std::uint32_t block, std::size_t posting, std::vector<std::vector<std::uint32_t>>& to) const;

private:
    struct Parts {
        const std::uint8_t* documents = nullptr;
        std::size_t documents_size = 0;          // bytes that they may take
        unsigned width = 0;                      // of what of each gap is kept as it is
        const std::uint8_t* counts = nullptr;    // nullptr: all are 1
        const std::uint8_t* end = nullptr;       // of the list
    };
    Parts parts(std::uint32_t block) const;
    /// Reads the counts of the next field; returns where those of the one behind it begin.
    const std::uint8_t* read_next_counts(const std::uint8_t* from, const Parts& parts, std::size_t count,
                                         std::uint32_t* to) const;
    struct Positions {
        std::span<const std::uint8_t> packed;
        unsigned width;
    };
    Positions positions(std::uint32_t block) const;

    const TextSections* text_;
    TermList list_;
    std::uint32_t blocks_;
    std::span<const std::uint8_t> postings_;
    std::span<const std::uint32_t> lasts_;   // empty where there is one block
    std::span<const std::uint32_t> places_;
    std::span<const std::uint8_t> bests_;
};

/// What is wrong with the sections of a text, in a sentence; empty: nothing.
std::string problem_of_text(const Cartridge& cartridge);

}  // namespace northstar::inline v0::detail
