// vector_graph.hpp -- links between near rows, level upon level: the graph that searches walk in.  Layer: cartridge.
// Threads: one calls; the build's work beside it.
//
// Source: Malkov, Yashunin (2016), algorithms 1 and 4, with batches in place of locks (after the prefix doubling of
// Manohar et al., ParlayANN, PPoPP 2024, section 3).
//
// [VECTOR-4] The graph is a function of codes and keys. A row's place in the order of insertion is that of the hash of
//            its key, and its level the zeros that the hash begins with, in fours: rows of higher levels come first.
// [VECTOR-5] Rows are inserted in batches that double up to a constant size, each linked to what was there before it
//            and to one another, so that nothing depends on which thread was faster. Links back to older rows are
//            gathered, sorted, and merged once for each batch.
// [VECTOR-6] Distances are unsigned numbers ([VECTOR-1]), kept beside links during the build.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/vector_codes.hpp"

#include <cstdint>
#include <vector>

namespace northstar::inline v0::detail {

/// Rows to link, in the order of their keys.
struct GraphInput {
    std::vector<std::uint8_t> codes;
    std::vector<std::uint64_t> hashes;   // of keys
};

struct BuiltVectorGraph {
    std::vector<std::uint32_t> order;         // which row of the input each row is
    std::vector<std::uint32_t> level_counts;  // how many rows, the first ones, are on level 1, 2, ...
    std::vector<std::uint32_t> links;         // a fixed number for each row, k_no_row behind the last
    std::vector<std::uint32_t> upper_links;   // of level 1, then 2, ...; half as many for each row
};

/// `coder`: of codes i8, u8 or f32. `links`: of a row on level 0. `width`: rows kept in view for each that is linked.
/// Memory: codes once more, and 8 bytes for each link and a quarter more of them. The input's codes are used up.
BuiltVectorGraph build_vector_graph(CartridgeBuild& build, GraphInput& input, const VectorCoder& coder,
                                    std::uint32_t links, std::uint32_t width);

}  // namespace northstar::inline v0::detail
