// mend.hpp -- makes checksums fit bytes again, so that what lies behind them is reached.
//
// What does not look like its kind any more is left alone. Work and memory are bounded by the size of the bytes.
#pragma once

#include "hard/fuzz/target.hpp"

namespace northstar::hard {

/// A database file: nodes from the leaves up with the refs that name them, large values, segments of history, ledger,
/// records, meta pages.
void mend_file(Bytes& file);
void mend_segment(std::span<std::byte> segment);
/// Every record that begins at a multiple of 8 and knows its place: `logical` is the position of the first byte.
void mend_records(std::span<std::byte> log, std::uint64_t logical, std::uint32_t seed);
/// One record that begins the bytes, whatever position it names: length and checksum.
void mend_record(Bytes& record, std::uint32_t seed);
void mend_meta(std::span<std::byte> meta);

}  // namespace northstar::hard
