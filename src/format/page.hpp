// page.hpp -- the header that every page of the file begins with, except meta pages and log extents.  Layer: format.
//
//   offset size
//        0    8  checksum: XXH64 of bytes [8, page size) (a run: of all its bytes from 8 on), seeded with the file's
//                seed. Only meaningful in the file; a page in memory leaves bytes 0..23 zero.
//        8    8  page number of this page
//       16    8  generation in which the page was born
//       24    1  kind
//       25    1  flags (by kind)
//       26 ...  by kind; the node header of leaf and inner pages ends at byte 64
//
// [PAGE-1] The checksum is verified before any other byte is believed; the ref that led here names its low 27 bits.
// [PAGE-2] An all-zero page is invalid: kind 0 does not exist and page number 0 is a meta page.
#pragma once

#include <cstddef>
#include <cstdint>

namespace northstar::inline v0::detail {

enum class PageKind : std::uint8_t {
    leaf = 1,       ///< entries of a tree
    inner = 2,      ///< separators and children
    run = 3,        ///< one large value in contiguous pages: header of 64 bytes, then the bytes
    space = 4,      ///< space map and directories of a checkpoint, a run
    history = 5,    ///< sealed history segment, a run
    cartridge = 6,  ///< derived artifact, a run
};

inline constexpr std::size_t k_page_header_size = 64;
inline constexpr std::size_t k_page_checksum_offset = 0;
inline constexpr std::size_t k_page_number_offset = 8;
inline constexpr std::size_t k_page_generation_offset = 16;
inline constexpr std::size_t k_page_kind_offset = 24;
inline constexpr std::size_t k_page_flags_offset = 25;
/// Runs only: u32 at 28 = pages in the run, u64 at 32 = bytes behind the header.
inline constexpr std::size_t k_run_pages_offset = 28;
inline constexpr std::size_t k_run_bytes_offset = 32;

inline constexpr std::uint32_t k_min_page_size = 4096;
inline constexpr std::uint32_t k_max_page_size = 65536;

/// Longest key: a quarter of a page, so that every node holds at least two.
constexpr std::size_t max_key_size(std::size_t page_size) { return page_size / 4; }
/// Longest value kept in a leaf; longer ones lie in a run.
constexpr std::size_t max_inline_value_size(std::size_t page_size) { return page_size / 4; }

}  // namespace northstar::inline v0::detail
