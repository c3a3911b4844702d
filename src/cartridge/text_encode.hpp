// text_encode.hpp -- the postings of terms, one term after the other, as an artifact has them.  Layer: cartridge.
// Threads: one at a time.
#pragma once

#include "cartridge/text_options.hpp"
#include "cartridge/text_score.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// What is made of some terms: pieces of the sections of these names. Places are relative to the pieces.
struct EncodedTerms {
    std::vector<std::uint32_t> groups;
    std::vector<std::uint8_t> terms;
    std::vector<std::uint8_t> postings;
    std::vector<std::uint32_t> block_last;
    std::vector<std::uint32_t> block_place;
    std::vector<std::uint8_t> block_best;
    std::vector<std::uint8_t> positions;
    std::vector<std::uint32_t> position_place;

    /// Gives back memory that is not used.
    void shrink();
};

/// Bytes as a place in a section. Throws Error(unsupported) where there are too many.
std::uint32_t text_place(std::size_t bytes);

class TermEncoder {
public:
    /// `lengths`: codes of all documents. All of them outlive it.
    TermEncoder(const TextOptions& options, const std::vector<std::uint8_t>& lengths, const LengthTable& table,
                EncodedTerms& out)
        : options_(options), lengths_(lengths), table_(table), out_(out), counts_(options.fields.size()) {}

    /// The next term begins a group.
    void begin_group();
    /// A posting of the next term; by document, ascending. `counts` by field; `positions` by field, empty where they
    /// are not kept.
    void add(std::uint32_t document, std::span<const std::uint32_t> counts, std::span<const std::uint32_t> positions);
    /// Ends a term; `before` is the one before it in its group, or nothing.
    void finish(std::string_view term, std::string_view before);

private:
    struct Block {
        std::uint32_t last;
        std::uint32_t place;
        std::uint32_t positions;
        std::uint8_t best;
    };
    /// `alone`: the list has no other.
    void end_block(bool alone);
    void write_block(bool alone);

    const TextOptions& options_;
    const std::vector<std::uint8_t>& lengths_;
    const LengthTable& table_;
    EncodedTerms& out_;
    std::vector<std::uint32_t> documents_;            // of the block
    std::vector<std::vector<std::uint32_t>> counts_;  // of the block, by field
    std::vector<std::uint32_t> positions_;            // of the block, by posting and field: gaps
    std::vector<Block> blocks_;                       // of the term
    std::size_t postings_begin_ = 0;
    std::size_t positions_begin_ = 0;
    std::uint32_t count_ = 0;
    bool counts_follow_ = false;                      // in the block that was ended last
    std::uint32_t last_ = ~0u;
    std::uint8_t best_ = 0;
};

}  // namespace northstar::inline v0::detail
