#include "history/segment_format.hpp"

#include "base/bytes.hpp"
#include "base/xxh64.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace northstar::inline v0::detail::segment {

void store_header(std::byte* to, const Header& header) {
    std::memset(to, 0, k_header_size);
    std::memcpy(to + 8, k_magic, sizeof k_magic);
    const std::uint64_t words[] = {header.bytes,    header.after,    header.last,          header.time_from,
                                   header.time_to,  header.log_from, header.log_to,        header.position_base,
                                   header.keys,     header.versions, header.ranges,        header.block_bytes,
                                   header.horizon};
    for (std::size_t i = 0; i < std::size(words); ++i) store_u64(to + 16 + 8 * i, words[i]);
    const std::uint32_t halves[] = {header.blocks,     header.version_blocks, header.root,
                                    header.range_root, header.filter_lines,   header.anchors};
    for (std::size_t i = 0; i < std::size(halves); ++i) store_u32(to + 120 + 4 * i, halves[i]);
    store_u64(to, xxh64(to + 8, k_header_size - 8, 0));
}

bool load_header(const std::byte* from, Header& header) {
    if (load_u64(from) != xxh64(from + 8, k_header_size - 8, 0)) return false;
    if (std::memcmp(from + 8, k_magic, sizeof k_magic) != 0) return false;
    std::uint64_t* const words[] = {&header.bytes,    &header.after,    &header.last,   &header.time_from,
                                    &header.time_to,  &header.log_from, &header.log_to, &header.position_base,
                                    &header.keys,     &header.versions, &header.ranges, &header.block_bytes,
                                    &header.horizon};
    for (std::size_t i = 0; i < std::size(words); ++i) *words[i] = load_u64(from + 16 + 8 * i);
    std::uint32_t* const halves[] = {&header.blocks,     &header.version_blocks, &header.root,
                                     &header.range_root, &header.filter_lines,   &header.anchors};
    for (std::size_t i = 0; i < std::size(halves); ++i) *halves[i] = load_u32(from + 120 + 4 * i);
    if (header.after > header.last || header.log_from > header.log_to) return false;
    if (header.time_from > header.time_to) return false;
    if (header.version_blocks > header.blocks || header.horizon > header.last) return false;
    if ((header.version_blocks == 0) != (header.root == k_none)) return false;
    if (header.root != k_none && header.root >= header.blocks) return false;
    if ((header.ranges == 0) != (header.range_root == k_none)) return false;
    if (header.range_root != k_none && header.range_root >= header.blocks) return false;
    if (header.keys > header.versions || (header.keys == 0) != (header.version_blocks == 0)) return false;
    if ((header.keys == 0) != (header.filter_lines == 0)) return false;
    if (header.block_bytes > header.bytes || header.versions > header.bytes) return false;
    return layout_of(header).end == header.bytes;
}

Layout layout_of(const Header& header) {
    const auto chunks = [](std::uint64_t count, std::size_t per_chunk) {
        return static_cast<std::uint32_t>((count + per_chunk - 1) / per_chunk);
    };
    Layout layout{};
    layout.directory_chunks = chunks(header.blocks, k_directory_per_chunk);
    layout.filter_chunks = chunks(header.filter_lines, k_filter_lines_per_chunk);
    layout.anchor_chunks = chunks(header.anchors, k_anchors_per_chunk);
    layout.directory = k_header_size + header.block_bytes;
    layout.filter = layout.directory + std::uint64_t{layout.directory_chunks} * k_chunk_size;
    layout.anchors = layout.filter + std::uint64_t{layout.filter_chunks} * k_chunk_size;
    layout.end = layout.anchors + std::uint64_t{layout.anchor_chunks} * k_chunk_size;
    return layout;
}

std::uint64_t head_of(std::string_view text) {
    std::uint64_t head = 0;
    if (text.empty()) return head;
    std::memcpy(&head, text.data(), std::min<std::size_t>(text.size(), sizeof head));
    return std::endian::native == std::endian::little ? __builtin_bswap64(head) : head;
}

Probe probe(std::uint64_t hash, std::uint32_t lines) {
    Probe result{};
    result.line = static_cast<std::uint32_t>((hash >> 32) * lines >> 32);
    std::uint64_t bits = hash * 0x9e3779b97f4a7c15u;
    bits ^= bits >> 29;
    for (std::uint16_t& bit : result.bits) {
        bit = static_cast<std::uint16_t>(bits & 511);
        bits >>= 9;
    }
    return result;
}

}  // namespace northstar::inline v0::detail::segment
