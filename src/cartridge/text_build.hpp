// text_build.hpp -- from documents to the sections of a text artifact.  Layer: cartridge.
// Threads: one calls; work is done on those of the build.
//
// Documents are taken apart in chunks of k_text_chunk_bytes, some at a time, so that no more of their text is in
// memory; then the postings of each term are put together from its chunks, in their order. Neither depends on the
// threads.
#pragma once

#include "api/northstar.hpp"

#include <cstddef>

namespace northstar::inline v0::detail {

inline constexpr std::size_t k_text_chunk_bytes = std::size_t{1} << 20;
/// Chunks that are in memory as text at the same time.
inline constexpr std::size_t k_text_chunks_at_once = 8;

void build_text(CartridgeBuild& build);

}  // namespace northstar::inline v0::detail
