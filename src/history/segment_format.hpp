// segment_format.hpp -- the bytes of a sealed history segment.  Layer: history.  Spec: spec/history_format.md.
//
//   header (256) | blocks | directory chunks | filter chunks | anchor chunks
//
// Blocks are of about 4 KiB, in four kinds: versions in order of (tree, key, txn descending); separators above them, up
// to one root; range deletions in order of (tree, from, txn descending); summaries above them, up to one root.
// The directory says where each block lies and what its checksum is. A chunk is 4096 bytes with its checksum in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace northstar::inline v0::detail::segment {

inline constexpr char k_magic[8] = {'N', 'S', 'h', 'i', 's', 't', '0', '1'};
inline constexpr std::size_t k_header_size = 256;
inline constexpr std::size_t k_block_size = 4096;      // aimed at; one entry may need more
inline constexpr std::size_t k_chunk_size = 4096;
inline constexpr std::size_t k_directory_entry = 24;   // u64 offset, u64 length, u64 checksum
inline constexpr std::size_t k_directory_per_chunk = (k_chunk_size - 8) / k_directory_entry;
inline constexpr std::size_t k_anchor_entry = 32;      // u64 txn, u64 time, u64 position, u64 epoch
inline constexpr std::size_t k_anchors_per_chunk = (k_chunk_size - 8) / k_anchor_entry;
inline constexpr std::size_t k_filter_line = 64;
inline constexpr std::size_t k_filter_lines_per_chunk = k_chunk_size / k_filter_line - 1;
inline constexpr std::size_t k_filter_bits_per_key = 10;
inline constexpr int k_filter_probes = 7;
inline constexpr std::uint32_t k_none = 0xffffffffu;
inline constexpr unsigned k_max_levels = 40;           // two children at least: more levels than blocks can need
inline constexpr std::size_t k_restart_keys = 16;      // keys from one full key to the next
inline constexpr std::size_t k_restart_bytes = 512;
inline constexpr std::size_t k_skip_versions = 16;     // versions of a key from one signpost to the next
inline constexpr std::size_t k_guide = 20;             // u64 head of a separator's key, u64 its bound, u32 its child
inline constexpr std::size_t k_skip_entry = 10;        // u64 txn before, u16 offset

/// Signposts into so many versions of a key.
constexpr std::uint64_t skips_of(std::uint64_t versions) { return (versions - 1) / k_skip_versions; }

enum class Block : std::uint8_t { versions = 1, separators = 2, ranges = 3, summaries = 4 };
/// What all separators of a block but the first have in common.
enum class Alike : std::uint8_t { nothing = 0, tree = 1, key = 2 };
enum class Chunk : std::uint8_t { directory = 1, filter = 2, anchors = 3 };

// Seeds of checksums, so that one part cannot be taken for another.
constexpr std::uint64_t block_seed(std::uint32_t ordinal) { return ordinal; }
constexpr std::uint64_t chunk_seed(Chunk kind, std::uint32_t index) {
    return static_cast<std::uint64_t>(kind) << 56 | index;
}

/// What the header says. Offsets follow from the counts.
struct Header {
    std::uint64_t bytes = 0;
    std::uint64_t after = 0;        // txns (after, last]
    std::uint64_t last = 0;
    std::uint64_t time_from = 0;    // of the first and the last commit
    std::uint64_t time_to = 0;
    std::uint64_t log_from = 0;     // log positions [log_from, log_to)
    std::uint64_t log_to = 0;
    std::uint64_t position_base = 0;  // positions in versions count from here
    std::uint64_t keys = 0;
    std::uint64_t versions = 0;
    std::uint64_t ranges = 0;
    std::uint64_t block_bytes = 0;
    std::uint32_t blocks = 0;
    std::uint32_t version_blocks = 0;  // the first ones
    std::uint32_t root = k_none;
    std::uint32_t range_root = k_none;
    std::uint32_t filter_lines = 0;
    std::uint32_t anchors = 0;
    std::uint64_t horizon = 0;      // what was forgotten lies before it; 0: nothing was
};

void store_header(std::byte* to, const Header& header);
/// False: not a header (checksum, magic, counts that contradict each other).
bool load_header(const std::byte* from, Header& header);

struct Layout {
    std::uint64_t directory, filter, anchors, end;
    std::uint32_t directory_chunks, filter_chunks, anchor_chunks;
};
/// Where the parts lie.
Layout layout_of(const Header& header);

/// Line of the filter and the bits in it that a key sets.
struct Probe {
    std::uint32_t line;
    std::uint16_t bits[k_filter_probes];
};
Probe probe(std::uint64_t hash, std::uint32_t lines);

/// The first eight bytes of a text as a big-endian number, zeros where it is shorter: compares as texts do, if not
/// equal.
std::uint64_t head_of(std::string_view text);

}  // namespace northstar::inline v0::detail::segment
