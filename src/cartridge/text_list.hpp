// text_list.hpp -- walking through a list of postings, skipping what is not wanted.  Layer: cartridge.
// Threads: a cursor one at a time.
#pragma once

#include "cartridge/text_data.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace northstar::inline v0::detail {

/// Postings in memory: of a phrase, a prefix, a word in one field, or of documents beside the artifact.
struct StoredPostings {
    std::vector<std::uint32_t> documents;    ///< ascending
    std::vector<std::uint32_t> frequencies;  ///< with the weights of fields; at least 1
    std::uint8_t best = 255;                 ///< the largest saturation(), or more
    void add(std::uint32_t document, std::uint64_t frequency) {
        documents.push_back(document);
        frequencies.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(frequency, k_most_frequent)));
    }
};

/// Stands on a posting, or behind the last one. Reads a block when a posting of it is asked for, its frequencies when
/// they are.
class PostingCursor {
public:
    /// A list without postings.
    PostingCursor() = default;
    explicit PostingCursor(const ListBlocks& list) : coded_(list), blocks_(list.blocks()) {}
    explicit PostingCursor(std::shared_ptr<const StoredPostings> stored);

    /// k_no_document behind the last one. Before the first seek(): 0, and nothing else may be asked.
    std::uint32_t document() const { return document_; }
    /// Goes to the first posting at or behind `target`; never back.
    void seek(std::uint32_t target);
    /// With the weights of fields, of the posting it stands on.
    std::uint32_t frequency() {
        read_frequencies();
        return frequencies_[at_];
    }
    /// Positions of the posting it stands on, by field; of a list of the artifact.
    void read_positions(std::vector<std::vector<std::uint32_t>>& to) const {
        coded_->read_positions(block_, at_, to);
    }

    // By block: the rest of the one it stands in.
    const std::uint32_t* rest_documents() const { return documents_ + at_; }
    const std::uint32_t* rest_frequencies() {
        read_frequencies();
        return frequencies_ + at_;
    }
    std::size_t rest_size() const { return size_ - at_; }
    /// Is every frequency of the block 1?
    bool all_once() const { return coded_ && coded_->all_once(block_); }
    /// Passes over some of the rest.
    void skip(std::size_t postings);

    /// No posting at or behind `target` is before this document; reads nothing.
    std::uint32_t earliest(std::uint32_t target) const;
    /// The largest saturation of postings in [first, end), or more; 0: there are none. `first` never goes back.
    std::uint8_t best_within(std::uint32_t first, std::uint32_t end);
    /// The same of the block that the first posting at or behind `target` is in, and the last document that it may
    /// have; nullopt: there is no such block.
    struct BlockBound {
        std::uint8_t best;
        std::uint32_t last;
    };
    std::optional<BlockBound> block_bound(std::uint32_t target);

private:
    std::uint32_t last_of(std::uint32_t block) const;
    std::uint8_t best_of(std::uint32_t block) const { return coded_ ? coded_->best(block) : stored_->best; }
    /// The first block, from `from` on, whose last document is not before `target`.
    std::uint32_t block_of(std::uint32_t target, std::uint32_t from) const;
    void open(std::uint32_t block);
    void read_frequencies();

    std::optional<ListBlocks> coded_;
    std::shared_ptr<const StoredPostings> stored_;
    std::uint32_t blocks_ = 0;
    std::uint32_t block_ = 0;
    std::uint32_t ahead_ = 0;  ///< blocks before it end before what best_within() and block_bound() were asked for
    std::uint32_t document_ = 0;
    std::size_t at_ = 0;
    std::size_t size_ = 0;  ///< of the block; 0: none was read yet
    bool frequencies_read_ = false;
    std::uint32_t documents_[k_text_block];
    std::uint32_t frequencies_[k_text_block];
};

}  // namespace northstar::inline v0::detail
