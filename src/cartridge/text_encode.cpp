#include "cartridge/text_encode.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "cartridge/front_code.hpp"
#include "cartridge/text_layout.hpp"
#include "cartridge/text_pack.hpp"
#include "cartridge/text_rice.hpp"

#include <algorithm>
#include <limits>

namespace northstar::inline v0::detail {

void EncodedTerms::shrink() {
    groups.shrink_to_fit();
    terms.shrink_to_fit();
    postings.shrink_to_fit();
    block_last.shrink_to_fit();
    block_place.shrink_to_fit();
    block_best.shrink_to_fit();
    positions.shrink_to_fit();
    position_place.shrink_to_fit();
}

std::uint32_t text_place(std::size_t bytes) {
    if (bytes > std::numeric_limits<std::uint32_t>::max()) {
        fail(Errc::unsupported, "a text has too many bytes for one cartridge; divide its documents among trees");
    }
    return static_cast<std::uint32_t>(bytes);
}

void TermEncoder::begin_group() {
    out_.groups.push_back(text_place(out_.terms.size()));
    out_.groups.push_back(text_place(out_.postings.size()));
    out_.groups.push_back(text_place(out_.positions.size()));
    out_.groups.push_back(text_place(out_.block_last.size()));
}

void TermEncoder::add(std::uint32_t document, std::span<const std::uint32_t> counts,
                      std::span<const std::uint32_t> positions) {
    if (documents_.size() == k_text_block) end_block(false);
    documents_.push_back(document);
    std::uint64_t weighted = 0;
    std::size_t at = 0;
    for (std::size_t field = 0; field < counts.size(); ++field) {
        counts_[field].push_back(counts[field]);
        weighted += std::uint64_t{counts[field]} * options_.fields[field].weight;
        std::uint32_t last = ~0u;
        for (std::uint32_t i = 0; i < counts[field] && !positions.empty(); ++i, ++at) {
            positions_.push_back(positions[at] - last - 1);
            last = positions[at];
        }
    }
    const auto frequency = static_cast<std::uint32_t>(std::min<std::uint64_t>(weighted, k_most_frequent));
    best_ = std::max(best_, saturation(frequency, table_.at[lengths_[document]]));
}

void TermEncoder::finish(std::string_view term, std::string_view before) {
    const bool alone = blocks_.empty();
    end_block(alone);
    ByteWriter out(out_.terms);
    write_front_coded(out, before, term);
    const bool counts = alone && counts_follow_;
    out.varint(std::uint64_t{count_} << 1 | (counts ? 1 : 0));
    // Most terms are in one document, once: that needs no list.
    if (count_ == 1 && !counts) out.varint(last_);
    else out.varint(out_.postings.size() - postings_begin_);
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

void TermEncoder::end_block(bool alone) {
    const std::uint32_t place = text_place(out_.postings.size() - postings_begin_);
    blocks_.push_back({documents_.back(), place, text_place(out_.positions.size() - positions_begin_), best_});
    count_ += static_cast<std::uint32_t>(documents_.size());
    best_ = 0;
    for (std::uint32_t& document : documents_) {
        const std::uint32_t gap = document - last_ - 1;
        last_ = document;
        document = gap;
    }
    // One field: every posting has at least one.
    counts_follow_ = counts_.size() > 1;
    if (counts_.size() == 1) {
        for (std::uint32_t& count : counts_[0]) counts_follow_ = --count != 0 || counts_follow_;
    }
    if (!alone || count_ > 1 || counts_follow_) write_block(alone);
    for (std::vector<std::uint32_t>& counts : counts_) counts.clear();
    documents_.clear();
    if (!options_.positions) return;
    const unsigned position_width = packed_width(positions_);
    out_.positions.push_back(static_cast<std::uint8_t>(position_width));
    pack_string(positions_, position_width, out_.positions);
    positions_.clear();
}

void TermEncoder::write_block(bool alone) {
    const unsigned width = alone ? text_width_alone(lengths_.size(), documents_.size()) : rice_width(documents_);
    const unsigned head = width | (counts_follow_ ? k_text_counts_follow : 0u);
    if (!alone) out_.postings.push_back(static_cast<std::uint8_t>(head));
    const std::size_t upper_place = out_.postings.size();
    if (counts_follow_) out_.postings.push_back(0);
    const std::size_t begin = out_.postings.size();
    write_rice(documents_, width, out_.postings);
    if (!counts_follow_) return;
    const std::size_t upper = out_.postings.size() - begin - documents_.size() * width / 8;
    out_.postings[upper_place] = static_cast<std::uint8_t>(upper);
    for (const std::vector<std::uint32_t>& counts : counts_) write_sparse(counts, out_.postings);
}

}  // namespace northstar::inline v0::detail
