// meta.hpp -- the two meta pages: where everything of a generation is found.  Layer: format.  Threads: values.
//
// Generation g lies in the first 4096 bytes of file page g % 2. All numbers little-endian:
//
//   offset size                                     offset size
//        0    8 checksum: XXH64 of [8, 4096)          176    8 length of the file in pages
//        8    8 magic "NorthSta"                      184    8 oldest readable txn
//       16    4 format version                        192    8 base of retention: catalog root
//       20    4 oldest version that can read it       200    8   its entries
//       24    8 feature flags                         208    8   its txn
//       32    4 page size                             216    8   its commit time
//       36    4 log alignment (0 or 4096)             224   16 parent's uuid (zero: none)
//       40   16 uuid                                  240    8   its txn
//       56    8 generation                            248   32   its chain hash
//       64    8 txn                                   280    1 history: kind
//       72    8 commit time of txn, microseconds      281    1 flags: 1 = closed cleanly
//       80    8 catalog: root ref                     288    8 history: amount
//       88    8   entries                             296    8 time of creation
//       96    8 next tree id                          304    8 last txn in a sealed history segment
//      104    8 space map: first page (a run)         312    8 position of the log behind that txn
//      112    8   bytes                               320    8 oldest log position kept
//      120    8   checksum of the run                 328    8 log extents: count
//      128    8 log position behind txn               336   24 each: position, first page, pages
//      136    8 epoch there                       4080    8 first redaction that is not finished, 0: none
//      144   32 chain hash of txn                  4088    8   log position at or before its record
//
// [META-1] No field is believed before the checksum. Zeros are never valid (magic).
// [META-2] The page of the newest generation is never the one a checkpoint writes.
#pragma once

#include "api/northstar.hpp"
#include "format/page.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

inline constexpr std::uint32_t k_format_version = 1;
inline constexpr std::size_t k_meta_size = 4096;
inline constexpr std::uint64_t k_first_data_page = 2;

using Uuid = std::array<std::uint8_t, 16>;

/// Root of a tree and its exact number of entries, as the meta page and the catalog keep it.
struct MetaTree {
    std::uint64_t root = 0;
    std::uint64_t count = 0;
};

/// A run of pages that holds log bytes from a position on.
struct MetaExtent {
    std::uint64_t position = 0;
    std::uint64_t page = 0;
    std::uint64_t pages = 0;
};

struct Meta {
    static constexpr std::size_t k_max_extents = 156;
    std::uint64_t features = 0;  // none is known: a file with one is of a newer format
    std::uint32_t page_size = 4096;
    std::uint32_t log_align = 0;
    Uuid uuid{};
    std::uint64_t generation = 0;
    Txn txn = 0;
    std::uint64_t time_us = 0;
    MetaTree catalog;
    std::uint64_t next_tree_id = 1;
    std::uint64_t space_page = 0;
    std::uint64_t space_bytes = 0;
    std::uint64_t space_checksum = 0;
    std::uint64_t log_position = 0;
    std::uint64_t epoch = 1;
    Hash chain;
    std::uint64_t file_pages = 0;
    Txn oldest_txn = 0;
    MetaTree retained;
    Txn retained_txn = 0;
    std::uint64_t retained_time_us = 0;
    Uuid parent_uuid{};
    Txn parent_txn = 0;
    Hash parent_chain;
    History history;
    bool clean = false;
    std::uint64_t created_us = 0;
    Txn sealed_txn = 0;
    std::uint64_t sealed_position = 0;
    std::uint64_t log_begin = 0;
    Txn redaction_txn = 0;             ///< first commit whose redactions are not finished; 0: none
    std::uint64_t redaction_position = 0;  ///< a position at or before its first record
    std::vector<MetaExtent> extents;  ///< where the log goes on behind log_position, the current extent included
};

/// Writes a meta page of k_meta_size bytes.
void encode_meta(const Meta& meta, std::span<std::byte> out);

enum class MetaState : std::uint8_t { valid, damaged, foreign, newer };
/// Reads one; `meta` is set when valid. foreign: no magic; newer: needs a newer version of this library.
MetaState decode_meta(std::span<const std::byte> bytes, Meta& meta);

std::string to_text(const Uuid& uuid);

}  // namespace northstar::inline v0::detail
