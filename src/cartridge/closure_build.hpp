// closure_build.hpp -- from a graph to what each of its components reaches.  Layer: cartridge.  Threads: one calls.
//
// Nodes that reach each other are one component. Components are numbered so that each reaches smaller numbers only, in
// the order in which a depth-first search leaves them, which keeps what is reached together side by side.
// A *row* is the set of other components that a component reaches: intervals, or bits, whichever is shorter. Equal rows
// are kept once.
//
//   intervals  count, then count pairs (first, last)
//   bits       count + 2^31, number of the first word, then count words of 32 components each
#pragma once

#include "api/northstar.hpp"
#include "cartridge/graph_build.hpp"

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

enum ClosureSection : std::uint32_t {
    k_components = 40,         ///< u32 per node
    k_member_offsets = 41,     ///< u32, one more than components
    k_members = 42,            ///< u32: nodes by component, ascending in each
    k_row_places = 43,         ///< u32 per component: where its row begins
    k_rows = 44,               ///< u32
    k_descendant_counts = 45,  ///< u32 per component: other nodes that one of its nodes reaches
    k_ancestor_counts = 46,    ///< u32 per component: other nodes that reach one of its nodes
};

inline constexpr std::uint32_t k_row_of_bits = 0x80000000;
inline constexpr std::string_view k_parameter_limit = "limit";

/// Most bytes of the rows. Error(invalid_argument) where what the parameters say is no such number.
std::uint64_t closure_limit(const CartridgeParameters& parameters);

struct BuiltClosure {
    std::vector<std::uint32_t> components;
    std::vector<std::uint32_t> member_offsets;
    std::vector<std::uint32_t> members;
    std::vector<std::uint32_t> row_places;
    std::vector<std::uint32_t> rows;
    std::vector<std::uint32_t> descendant_counts;
    std::vector<std::uint32_t> ancestor_counts;
};

/// Called now and then, as CartridgeBuild::progress.
using ClosureProgress = std::function<void(std::string_view stage, std::uint64_t done, std::uint64_t total)>;
/// Of the graph only the out side is read. Error(unsupported) where the rows take more than so many bytes.
BuiltClosure build_closure(const BuiltGraph& graph, std::uint64_t most_bytes, const ClosureProgress& progress);

}  // namespace northstar::inline v0::detail
