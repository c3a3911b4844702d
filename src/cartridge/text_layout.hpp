// text_layout.hpp -- the sections of a text artifact (spec/cartridge_format.md).  Layer: cartridge.  Threads: any.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace northstar::inline v0::detail {

enum TextSection : std::uint32_t {
    k_text_totals = 16,           ///< u64: see TextTotal
    k_text_term_groups = 17,      ///< u32, k_text_group_places to a group and once more
    k_text_terms = 18,            ///< u8
    k_text_postings = 19,         ///< u8
    k_text_block_last = 20,       ///< u32: last document of each block of a list of several
    k_text_block_place = 21,      ///< u32: where it begins in the list
    k_text_block_best = 22,       ///< u8: the largest saturation() in it
    k_text_positions = 23,        ///< u8
    k_text_position_place = 24,   ///< u32: where its positions begin among those of the list
    k_text_lengths = 25,          ///< u8: length_code() of each document
    k_text_key_groups = 26,       ///< u32, one to a group and once more
    k_text_keys = 27,             ///< u8
};

enum TextTotal : std::size_t {
    k_total_documents = 0,
    k_total_terms = 1,
    k_total_length = 2,  ///< sum of the lengths of documents, with the weights of their fields
    k_total_words = 3,   ///< sum without
    k_text_totals_count = 4,
};

/// Terms, and keys, of a group: the first one whole, the others by what they do not share with the one before.
inline constexpr std::size_t k_text_group = 32;
/// In the first byte of a block of postings: how many bits of a gap are kept as they are, and whether counts follow.
inline constexpr unsigned k_text_width_mask = 0x1f;
inline constexpr unsigned k_text_counts_follow = 0x80;
/// The width of the only block of a list: that which suits gaps between so many of all documents, drawn at random.
constexpr unsigned text_width_alone(std::uint64_t all_documents, std::uint64_t documents) {
    const std::uint64_t gap = all_documents * 11 / (documents * 16);
    return gap == 0 ? 0 : static_cast<unsigned>(std::bit_width(gap)) - 1;
}
/// Where a group begins in the sections of terms, postings and positions, and its first block in those of blocks.
inline constexpr std::size_t k_text_group_places = 4;
/// Where the next document is asked for behind the last one.
inline constexpr std::uint32_t k_no_document = 0xffffffff;
/// Documents of an artifact, at most.
inline constexpr std::uint64_t k_text_most_documents = 0xfffffff0;

}  // namespace northstar::inline v0::detail
