// text_build.hpp -- from documents to the sections of a text artifact.  Layer: cartridge.
// Threads: one calls; work is done on those of the build.
//
// Documents are taken apart in chunks, some at a time, so that no more of their text is in memory, and of each chunk a
// run of its terms is kept. Then the runs are merged, once to find where each task begins in them, and cut there; once
// more by the tasks, which put the postings of each term together in the order of the runs and give back their part.
// What comes out depends on neither the chunks nor the threads.
#pragma once

#include "api/northstar.hpp"

#include <cstddef>

namespace northstar::inline v0::detail {

/// Of text in a chunk, unless there is very much of it.
inline constexpr std::size_t k_text_chunk_bytes = std::size_t{512} << 10;
/// Chunks that are in memory as text at the same time, at most.
inline constexpr std::size_t k_text_chunks_at_once = 4;

void build_text(CartridgeBuild& build);

}  // namespace northstar::inline v0::detail
